/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_status.c - status, my-status, reload. */

#include <inttypes.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"
#include "rbacd/directory/local.h"

static void print_hints(struct ctl *ctl, const struct out_table *t)
{
	for (const struct out_row *r = t ? t->first : NULL; r; r = r->next) {
		const struct out_cell *severity = out_cell(r, "severity");
		const struct out_cell *text = out_cell(r, "text");
		bool problem = severity && str_eq(severity->text, "problem");

		if (!text || !text->text)
			continue;
		(void)fprintf(ctl->out, "\n%s%s:%s ",
			      problem ? ctl_red(ctl) : ctl_bold(ctl),
			      problem ? "problem" : "note", ctl_plain(ctl));
		(void)text_print(text->text, text->len, ctl->out);
	}
	if (t)
		(void)fputc('\n', ctl->out);
}

static void print_status(struct ctl *ctl, const struct out_set *set)
{
	for (const struct out_table *t = set->first; t; t = t->next) {
		if (str_eq(t->name, "hints"))
			continue;
		(void)fprintf(ctl->out, "%s%s%s\n", ctl_bold(ctl), t->name,
			      ctl_plain(ctl));
		if (str_eq(t->name, "locks"))
			out_print_table(t, ctl->out);
		else
			out_print_record(t, ctl->out);
	}
	print_hints(ctl, out_find(set, "hints"));
}

int cmd_status(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	(void)args;
	ctl_call_init(&call, "status");
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "hints locks");
		return answer.code;
	}
	print_status(ctl, &answer.set);
	return answer.code;
}

/* The name is only a hint to rbacd, which compares its uid with the kernel's. */
static const char *own_login(const struct ctl *ctl, const struct ctl_args *args,
			     struct local_account *local)
{
	char uid[16];

	if (args->n_pos > 0)
		return args->pos[0];
	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)getuid()); /* always fits */
	if (local_find("/etc/passwd", uid, local) == 0 && *local->login)
		return local->login;
	return ctl->logname;
}

int cmd_my_status(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct local_account local = {0};
	struct wire_call call;
	const char *login = own_login(ctl, args, &local);
	int r;

	if (!login || !*login)
		return ctl_fail(
			ctl, CTL_USAGE,
			"your login is not in /etc/passwd: rbacctl my-status LOGIN");
	ctl_call_init(&call, "my-status");
	ctl_call_add(&call, "user", login);
	r = ctl_call(ctl, CTL_USER, &call, &answer);
	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "");
		return answer.code;
	}
	out_print_record(out_find(&answer.set, "my_status"), ctl->out);
	ctl_show_message(ctl, &answer);
	return answer.code;
}

static void print_diagnostics(struct ctl *ctl, const struct out_table *t)
{
	for (const struct out_row *r = t ? t->first : NULL; r; r = r->next) {
		const struct out_cell *file = out_cell(r, "file");
		const struct out_cell *line = out_cell(r, "line");
		const struct out_cell *column = out_cell(r, "column");
		const struct out_cell *message = out_cell(r, "message");

		if (file && file->text)
			(void)text_print(file->text, file->len, ctl->err);
		if (line && column && line->i > 0)
			(void)fprintf(ctl->err, ":%" PRId64 ":%" PRId64, line->i,
				      column->i);
		(void)fputs(": ", ctl->err); /* stderr: nowhere to report */
		if (message && message->text)
			(void)text_print(message->text, message->len, ctl->err);
		(void)fputc('\n', ctl->err);
	}
}

int ctl_show_policy(struct ctl *ctl, struct ctl_answer *answer)
{
	if (ctl->json) {
		ctl_show_json(ctl, answer, "diagnostics");
		return answer->code;
	}
	print_diagnostics(ctl, out_find(&answer->set, "diagnostics"));
	out_print_record(out_find(&answer->set, "policy"), ctl->out);
	ctl_show_message(ctl, answer);
	return answer->code;
}

int cmd_reload(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	ctl_call_init(&call, "reload");
	ctl_call_add(&call, "rollback", ctl_arg(args, "rollback") ? "yes" : NULL);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	return ctl_show_policy(ctl, &answer);
}
