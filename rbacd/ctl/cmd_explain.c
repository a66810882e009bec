/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c - why somebody may or may not; a past decision by its id, and again
 * now. */

#include <inttypes.h>

#include "rbacd/audit/reader.h"
#include "rbacd/ctl/log_files.h"
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

static int explain_record(struct ctl *ctl, const char *line, size_t len)
{
	_cleanup_free_ struct record *rec = malloc(sizeof(*rec));
	struct wire_call again;

	if (!rec)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	if (record_parse(line, len, rec) != 0)
		return ctl_fail(ctl, CTL_INTEGRITY,
				"the record is damaged. Run: rbacctl audit verify");
	if (ctl->json) {
		(void)fputs("{\"record\": {\"record\": ", ctl->out);
		text_json_whole(line, len, ctl->out); /* main checks the stream */
		(void)fputs("}}\n", ctl->out);
		return CTL_OK;
	}
	record_explain(rec, ctl->out);
	if (!question_again(rec, &again))
		return CTL_OK;
	(void)fprintf(ctl->out, "\n%sThe same now, with a right code:%s ",
		      ctl_bold(ctl), ctl_plain(ctl));
	/* Refused now is no failure of explaining what was then. */
	return explain_now(ctl, &again) > CTL_NO ? CTL_NO : CTL_OK;
}

struct kept {
	struct ctl *ctl;
	bool found;
	int code;
};

static int explain_kept(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct kept *k = arg;

	(void)seq;
	k->found = true;
	k->code = explain_record(k->ctl, line, len);
	return 1;
}

/* What has left the database is in a segment, unless it was dropped. */
static int explain_segment(struct ctl *ctl, uint64_t seq)
{
	_cleanup_reader_ struct audit_reader *reader = NULL;
	_cleanup_log_ struct log_files log = {0};
	struct kept k = {.ctl = ctl};
	int r = log_files_open(ctl, false, &log);

	if (r != 0)
		return r;
	r = audit_reader_open(log.store, log.dir, &reader);
	if (r == 0)
		r = audit_reader_each(reader, seq, seq, explain_kept, &k);
	if (k.found)
		return k.code;
	return r != 0 ? ctl_fail(ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
				 "the log could not be read: error %d.", r)
		      : ctl_fail(ctl, CTL_NO, "the log has no record %" PRIu64 ".",
				 seq);
}

static int explain_id(struct ctl *ctl, const char *id)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const struct out_table *t;
	const struct out_cell *seq;
	const char *line;
	struct wire_call call;
	int r;

	ctl_call_init(&call, "record");
	ctl_call_add(&call, "id", id);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	t = out_find(&answer.set, "record");
	seq = t && t->first ? out_cell(t->first, "seq") : NULL;
	line = out_text(&answer.set, "record", "record");
	if (answer.code == CTL_NO && seq && seq->i > 0)
		return explain_segment(ctl, (uint64_t)seq->i);
	if (answer.code != CTL_OK) {
		ctl_show_message(ctl, &answer);
		return answer.code;
	}
	return line ? explain_record(ctl, line, strlen(line))
		    : ctl_fail(ctl, CTL_NO, "rbacd sent no record.");
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
