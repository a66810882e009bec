/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_lock.c - lock, unlock, locks, and policy reviewed. */

#include <inttypes.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"

#define LOCK_MIN_S 60
#define LOCK_MAX_S (366 * 86400)

/* The login of a lock of a person, so that rbacd can note the id with it. */
static const char *login_of(const char *what)
{
	const char *login = str_after(what, "user:");

	if (login)
		return login;
	return strchr(what, ':') ? NULL : what;
}

int cmd_lock(struct ctl *ctl, const struct ctl_args *args)
{
	const char *life = ctl_arg(args, "for"), *why = ctl_arg(args, "why");
	struct wire_call call;
	char seconds[24];
	int64_t s;

	if (!life || !why || !*why)
		return ctl_fail(ctl, CTL_USAGE,
				"lock needs both: --for TIME --why TEXT.");
	if (text_parse_duration(life, &s) != 0 || s < LOCK_MIN_S || s > LOCK_MAX_S)
		return ctl_fail(
			ctl, CTL_USAGE,
			"--for %s is not a time like 30m, 2h or 7d, from 1m to 366d.",
			life);
	(void)snprintf(seconds, sizeof(seconds), "%" PRId64, s); /* always fits */
	ctl_call_init(&call, "lock");
	ctl_call_add(&call, "what", args->pos[0]);
	ctl_call_add(&call, "for", seconds);
	ctl_call_add(&call, "why", why);
	ctl_call_add(&call, "user", login_of(args->pos[0]));
	return ctl_call_told(ctl, &call);
}

static int with_why(struct ctl *ctl, const struct ctl_args *args, const char *verb,
		    const char *name)
{
	const char *why = ctl_arg(args, "why");
	struct wire_call call;

	if (!why || !*why)
		return ctl_fail(ctl, CTL_USAGE, "%s needs --why TEXT.",
				ctl_leaf(args)->name);
	ctl_call_init(&call, verb);
	ctl_call_add(&call, name, args->pos[0]);
	ctl_call_add(&call, "why", why);
	return ctl_call_told(ctl, &call);
}

int cmd_unlock(struct ctl *ctl, const struct ctl_args *args)
{
	return with_why(ctl, args, "unlock", "what");
}

int cmd_policy_reviewed(struct ctl *ctl, const struct ctl_args *args)
{
	return with_why(ctl, args, "reviewed", "grant");
}

int cmd_locks(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const struct out_table *t;
	struct wire_call call;
	int r;

	(void)args;
	ctl_call_init(&call, "locks");
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	t = out_find(&answer.set, "locks");
	if (ctl->json)
		ctl_show_json(ctl, &answer, "locks");
	else if (ctl->csv)
		out_print_csv(t, ctl->out);
	else if (t)
		out_print_table(t, ctl->out);
	else
		(void)fputs("Nothing is locked.\n", ctl->out);
	if (!ctl->json)
		ctl_show_message(ctl, &answer);
	return answer.code;
}
