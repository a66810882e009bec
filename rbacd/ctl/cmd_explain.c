/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c - why somebody may or may not; a past decision by its id, and again
 * now. */

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/record.h"
#include "rbacd/ctl/text.h"

static void print_explanation(struct ctl *ctl, const struct out_set *set)
{
	const struct out_table *t = out_find(set, "explanation");
	const char *verdict = out_text(set, "decision", "verdict");

	if (verdict)
		(void)fprintf(ctl->out, "%s%s%s\n",
			      str_eq(verdict, "allow") ? ctl_bold(ctl) : ctl_red(ctl),
			      str_eq(verdict, "allow") ? "ALLOW" : "DENY",
			      ctl_plain(ctl));
	for (const struct out_row *r = t ? t->first : NULL; r; r = r->next) {
		const struct out_cell *c = out_cell(r, "text");

		if (c && c->text)
			(void)text_print(c->text, c->len, ctl->out);
		(void)fputc('\n', ctl->out);
	}
}

static void question(struct wire_call *call, const struct ctl_args *args)
{
	const char *method = ctl_arg(args, "method");

	ctl_call_init(call, "explain");
	ctl_call_add(call, "user", args->pos[0]);
	ctl_call_add(call, "vm", args->pos[1]);
	ctl_call_add(call, "privilege", args->pos[2]);
	ctl_call_add(call, "source", ctl_arg(args, "from"));
	ctl_call_add(call, "target", ctl_arg(args, "target"));
	if (method || ctl_arg(args, "with-code"))
		ctl_call_add(call, "method", method ? method : "any");
}

static int explain_now(struct ctl *ctl, const struct wire_call *call)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	int r = ctl_call(ctl, CTL_ADMIN, call, &answer);

	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "explanation near");
		return answer.code;
	}
	print_explanation(ctl, &answer.set);
	ctl_show_message(ctl, &answer);
	return answer.code;
}

/* The record's own facts as a question; false when it was no decision about a person.
 */
static bool question_again(const struct record *rec, struct wire_call *call)
{
	const char *src = record_get(rec, "src");

	if (!record_get(rec, "user") || !record_get(rec, "vm") ||
	    !record_get(rec, "priv"))
		return false;
	ctl_call_init(call, "explain");
	ctl_call_add(call, "user", record_get(rec, "user"));
	ctl_call_add(call, "vm", record_get(rec, "vm"));
	ctl_call_add(call, "privilege", record_get(rec, "priv"));
	ctl_call_add(call, "source", str_eq(src, "unknown") ? NULL : src);
	if (str_eq(record_get(rec, "priv"), "su"))
		ctl_call_add(call, "target", record_get(rec, "target"));
	ctl_call_add(call, "method", "any");
	return true;
}

static int explain_record(struct ctl *ctl, const struct ctl_answer *answer)
{
	_cleanup_free_ struct record *rec = malloc(sizeof(*rec));
	const char *line = out_text(&answer->set, "record", "record");
	struct wire_call again;

	if (!rec || !line)
		return ctl_fail(ctl, CTL_NO, "rbacd sent no record.");
	if (record_parse(line, strlen(line), rec) != 0)
		return ctl_fail(ctl, CTL_INTEGRITY,
				"the record is damaged. Run: rbacctl audit verify");
	record_explain(rec, ctl->out);
	if (!question_again(rec, &again))
		return CTL_OK;
	(void)fprintf(ctl->out, "\n%sThe same now, with a right code:%s ",
		      ctl_bold(ctl), ctl_plain(ctl));
	/* Refused now is no failure of explaining what was then. */
	return explain_now(ctl, &again) >= CTL_USAGE ? CTL_NO : CTL_OK;
}

static int explain_id(struct ctl *ctl, const char *id)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	ctl_call_init(&call, "record");
	ctl_call_add(&call, "id", id);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "");
		return answer.code;
	}
	if (answer.code != CTL_OK) {
		ctl_show_message(ctl, &answer);
		return answer.code;
	}
	return explain_record(ctl, &answer);
}

int cmd_explain(struct ctl *ctl, const struct ctl_args *args)
{
	const char *id = ctl_arg(args, "id");
	struct wire_call call;

	if (id && args->n_pos == 0)
		return explain_id(ctl, id);
	if (id || args->n_pos != 3)
		return ctl_fail(ctl, CTL_USAGE,
				"explain needs USER VM PRIVILEGE, or --id ID alone.");
	question(&call, args);
	return explain_now(ctl, &call);
}
