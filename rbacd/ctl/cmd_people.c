/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_people.c - disable, reset, bypass, users. */

#include <inttypes.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"

#define BYPASS_MIN_S 60
#define BYPASS_MAX_S (7 * 86400)

static int change(struct ctl *ctl, const struct ctl_args *args, const char *verb)
{
	const char *id = ctl_arg(args, "id");
	struct wire_call call;

	if ((args->n_pos > 0) == (id != NULL))
		return ctl_fail(ctl, CTL_USAGE,
				"%s needs USER or --id ID, one of them.", verb);
	ctl_call_init(&call, verb);
	ctl_call_add(&call, "user", args->n_pos > 0 ? args->pos[0] : NULL);
	ctl_call_add(&call, "id", id);
	ctl_call_add(&call, "why", ctl_arg(args, "why"));
	return ctl_call_told(ctl, &call);
}

int cmd_disable(struct ctl *ctl, const struct ctl_args *args)
{
	return change(ctl, args, "disable");
}

int cmd_reset(struct ctl *ctl, const struct ctl_args *args)
{
	return change(ctl, args, "reset");
}

/* ---------------------------------------------------------------- bypass */

static int bypass_call(struct ctl *ctl, const struct ctl_args *args,
		       struct wire_call *call)
{
	const char *uses = ctl_arg(args, "uses");
	const char *life = ctl_arg(args, "for");
	const char *why = ctl_arg(args, "why");
	char seconds[24];
	int64_t s;

	if (!uses || !life || !why || !*why)
		return ctl_fail(
			ctl, CTL_USAGE,
			"bypass needs all three: --uses N --for TIME --why TEXT.");
	if (text_parse_duration(life, &s) != 0 || s < BYPASS_MIN_S || s > BYPASS_MAX_S)
		return ctl_fail(
			ctl, CTL_USAGE,
			"--for %s is not a time like 30m, 1h or 1d, from 1m to 7d.",
			life);
	(void)snprintf(seconds, sizeof(seconds), "%" PRId64, s); /* always fits */
	ctl_call_init(call, "bypass");
	ctl_call_add(call, "user", args->pos[0]);
	ctl_call_add(call, "uses", uses);
	ctl_call_add(call, "for", seconds);
	ctl_call_add(call, "why", why);
	return 0;
}

int cmd_bypass(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r = bypass_call(ctl, args, &call);

	if (r != 0)
		return r;
	if (!ctl->json && !ctl->out_tty)
		return ctl_fail(
			ctl, CTL_USAGE,
			"the code is a secret: run me on a terminal, or say --json.");
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "");
		return answer.code;
	}
	out_print_record(out_find(&answer.set, "bypass"), ctl->out);
	ctl_show_message(ctl, &answer);
	return answer.code;
}

/* ---------------------------------------------------------------- users */

/* rbacd lists page by page, so that logins are not held up by a long list. */
static int list_users(struct ctl *ctl, struct ctl_answer *all)
{
	char from[24] = "0";
	struct wire_call call;
	int r;

	for (;;) {
		_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
		const struct out_cell *next;
		const struct out_table *t;

		ctl_call_init(&call, "users");
		ctl_call_add(&call, "from", from);
		answer.set = all->set;
		all->set = (struct out_set)OUT_SET_INIT;
		r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
		all->set = answer.set;
		answer.set = (struct out_set)OUT_SET_INIT;
		all->code = answer.code;
		memcpy(all->message, answer.message, sizeof(all->message));
		t = out_find(&all->set, "more");
		next = out_cell(t ? t->last : NULL, "from");
		if (r != 0 || all->code != CTL_OK || !next ||
		    next->i <= strtoll(from, NULL, 10))
			return r;
		(void)snprintf(from, sizeof(from), "%" PRId64, next->i); /* fits */
	}
}

int cmd_users(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer all = CTL_ANSWER_INIT;
	const struct out_table *t;
	int r = list_users(ctl, &all);

	(void)args;
	if (r != 0)
		return r;
	t = out_find(&all.set, "users");
	if (ctl->json)
		ctl_show_json(ctl, &all, "users more");
	else if (ctl->csv)
		out_print_csv(t, ctl->out);
	else if (t)
		out_print_table(t, ctl->out);
	else if (all.code == CTL_OK)
		(void)fputs("Nobody is enrolled. Begin with: rbacctl enrol USER\n",
			    ctl->out);
	if (!ctl->json)
		ctl_show_message(ctl, &all);
	return all.code;
}
