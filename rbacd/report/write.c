/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - what all formats share: the result, the body's hash; CSV and JSON. */
#include "rbacd/report/write.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "rbacd/ctl/text.h"

const char *report_cell_text(enum report_kind kind, int64_t n,
			     char buf[REPORT_CELL_MAX])
{
	if (kind == REPORT_TIME)
		return text_time(n, buf);
	(void)snprintf(buf, REPORT_CELL_MAX, "%" PRId64, n); /* always fits */
	return buf;
}

/* ---------------------------------------------------------------- JSON */

static void put_string(const char *text, FILE *out)
{
	text_json(text, strlen(text), out);
}

/* ,"name": "text" */
static void put_member(const char *before, const char *name, const char *text,
		       FILE *out)
{
	(void)fprintf(out, "%s\"%s\": ", before, name);
	if (text)
		put_string(text, out);
	else
		(void)fputs("null", out);
}

static void put_sentences(const char *name, const struct report_lines *lines, FILE *out)
{
	const char *comma = "";

	(void)fprintf(out, "\"%s\": [", name);
	for (const struct report_line *l = lines->first; l; l = l->next) {
		(void)fputs(comma, out);
		put_string(l->text, out);
		comma = ", ";
	}
	(void)fputc(']', out);
}

static void put_cell(const struct report_cell *cell, enum report_kind kind, FILE *out)
{
	char buf[REPORT_CELL_MAX];

	if (!cell->set)
		(void)fputs("null", out);
	else if (kind == REPORT_NUMBER)
		(void)fprintf(out, "%" PRId64, cell->n);
	else if (kind == REPORT_TIME)
		put_string(report_cell_text(kind, cell->n, buf), out);
	else
		put_string(cell->text, out);
}

static void put_columns(const struct report_table *t, FILE *out)
{
	static const char *const kinds[] = {
		[REPORT_TEXT] = "text",	  [REPORT_NUMBER] = "number",
		[REPORT_TIME] = "time",	  [REPORT_LEVEL] = "level",
		[REPORT_BLANK] = "blank", [REPORT_FILE] = "file",
	};

	(void)fputs("\"columns\": [", out);
	for (size_t i = 0; i < t->n_columns; i++) {
		put_member(i ? ", {" : "{", "name", t->columns[i].name, out);
		put_member(", ", "title", t->columns[i].title, out);
		put_member(", ", "kind", kinds[t->columns[i].kind], out);
		(void)fputc('}', out);
	}
	(void)fputs("],\n      \"rows\": [", out);
}

static void put_table(const struct report_table *t, FILE *out)
{
	static const char *const charts[] = {NULL, "bars", "days", "heat"};

	put_member("\n     {", "name", t->name, out);
	put_member(", ", "title", t->title, out);
	put_member(", ", "note", t->note, out);
	put_member(", ", "chart", charts[t->chart], out);
	(void)fprintf(out, ", \"totals\": {\"rows\": %zu", t->n_rows);
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].sum)
			(void)fprintf(out, ", \"%s\": %" PRId64, t->columns[i].name,
				      report_sum(t, i));
	(void)fputs("},\n      ", out);
	put_columns(t, out);
	for (const struct report_row *row = t->first; row; row = row->next) {
		(void)fputs(row == t->first ? "\n       [" : ",\n       [", out);
		for (size_t i = 0; i < t->n_columns; i++) {
			if (i)
				(void)fputs(", ", out);
			put_cell(&row->cells[i], t->columns[i].kind, out);
		}
		(void)fputc(']', out);
	}
	(void)fputs("]}", out);
}

static void put_findings(const struct report *r, FILE *out)
{
	(void)fputs(",\n  \"findings\": [", out);
	for (const struct report_finding *f = r->first_finding; f; f = f->next) {
		put_member(f == r->first_finding ? "\n   {" : ",\n   {", "severity",
			   report_severity_name(f->severity), out);
		put_member(", ", "code", f->code, out);
		(void)fprintf(out, ", \"count\": %zu", f->n);
		put_member(", ", "text", f->text, out);
		put_member(", ", "table", f->table, out);
		(void)fputc('}', out);
	}
	(void)fputc(']', out);
}

void report_write_body(const struct report *r, FILE *out)
{
	(void)fputs("{\"figures\": [", out);
	for (const struct report_figure *f = r->first_figure; f; f = f->next) {
		put_member(f == r->first_figure ? "\n   {" : ",\n   {", "name", f->name,
			   out);
		put_member(", ", "label", f->label, out);
		(void)fprintf(out, ", \"value\": %" PRId64, f->value);
		put_member(", ", "note", f->note, out);
		(void)fputc('}', out);
	}
	(void)fputc(']', out);
	put_findings(r, out);
	(void)fputs(",\n  \"sections\": [", out);
	for (const struct report_section *s = r->first; s; s = s->next) {
		put_member(s == r->first ? "\n   {" : ",\n   {", "title", s->title,
			   out);
		put_member(", ", "text", s->text, out);
		(void)fputs(", \"tables\": [", out);
		for (const struct report_table *t = s->first; t; t = t->next) {
			put_table(t, out);
			if (t->next)
				(void)fputc(',', out);
		}
		(void)fputs("]}", out);
	}
	(void)fputs("],\n  ", out);
	put_sentences("missing", &r->missing, out);
	(void)fputs(", ", out);
	put_sentences("broken", &r->broken, out);
	(void)fputs(",\n  ", out);
	put_sentences("limitations", &r->limitations, out);
	(void)fputc('}', out);
}

void report_write_json(const struct report *r, const struct report_frame *frame,
		       FILE *out)
{
	char buf[REPORT_RESULT_MAX];

	put_member("{", "schema", REPORT_SCHEMA, out);
	put_member(",\n ", "report", r->id, out);
	put_member(", ", "title", r->title, out);
	put_member(", ", "question", r->question, out);
	(void)fprintf(out, ",\n \"result\": {\"exit\": %d", frame->exit);
	put_member(", ", "text", report_result(r, frame, buf), out);
	put_member(", ", "threshold", report_severity_name(frame->threshold), out);
	(void)fprintf(out, ", \"complete\": %s, \"whole\": %s}",
		      r->missing.n == 0 ? "true" : "false",
		      r->broken.n == 0 ? "true" : "false");
	(void)fputs(",\n \"provenance\": {", out);
	for (const struct report_line *l = r->provenance.first; l; l = l->next) {
		(void)fprintf(out, "\n  \"%s\": ", l->name);
		if (l->number)
			(void)fputs(l->text, out);
		else
			put_string(l->text, out);
		(void)fputc(',', out);
	}
	(void)fprintf(out, "\n  \"rows\": %zu", r->n_rows);
	put_member(",\n  ", "body_sha256", frame->sha256, out);
	(void)fputs(",\n  ", out);
	put_sentences("filters", &r->filters, out);
	(void)fputs("},\n \"body\": ", out);
	report_write_body(r, out);
	(void)fputs("\n}\n", out);
}

/* ---------------------------------------------------------------- CSV */

static void put_header(const struct report_column *columns, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "%s%s", i ? "," : "", columns[i].name);
	(void)fputs("\r\n", out);
}

static void put_csv_table(const struct report_table *t, FILE *out)
{
	char buf[REPORT_CELL_MAX];

	put_header(t->columns, t->n_columns, out);
	for (const struct report_row *row = t->first; row; row = row->next) {
		for (size_t i = 0; i < t->n_columns; i++) {
			const struct report_cell *cell = &row->cells[i];
			enum report_kind kind = t->columns[i].kind;

			if (i)
				(void)fputc(',', out);
			if (!cell->set)
				continue;
			if (kind == REPORT_NUMBER || kind == REPORT_TIME)
				(void)fputs(report_cell_text(kind, cell->n, buf), out);
			else
				text_csv(cell->text, strlen(cell->text), out);
		}
		(void)fputs("\r\n", out);
	}
}

int report_write_csv(const struct report *r, const char *table, FILE *out)
{
	if (!table && r->stream.write) {
		put_header(r->stream.columns, r->stream.n_columns, out);
		return r->stream.write(r->stream.arg, out);
	}
	for (const struct report_section *s = r->first; s; s = s->next)
		for (const struct report_table *t = s->first; t; t = t->next)
			if (!table || str_eq(t->name, table)) {
				put_csv_table(t, out);
				return 0;
			}
	return -ENOENT;
}

/* ---------------------------------------------------------------- frame */

static ssize_t hash_write(void *cookie, const char *buf, size_t len)
{
	return EVP_DigestUpdate(cookie, buf, len) == 1 ? (ssize_t)len : 0;
}

static void md_free(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static int hash_body(const struct report *r, EVP_MD_CTX *ctx)
{
	const cookie_io_functions_t io = {.write = hash_write};
	FILE *out = fopencookie(ctx, "w", io);
	int failed;

	if (!out)
		return -ENOMEM;
	report_write_body(r, out);
	failed = ferror(out);
	return fclose(out) != 0 || failed ? -EIO : 0;
}

int report_frame(const struct report *r, enum report_severity threshold,
		 struct report_frame *ret)
{
	_cleanup_(md_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct report_frame frame = {.exit = report_exit(r, threshold),
				     .threshold = threshold};
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int rc;

	if (report_error(r) != 0)
		return report_error(r);
	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	rc = hash_body(r, ctx);
	if (rc != 0)
		return rc;
	if (EVP_DigestFinal_ex(ctx, md, &n) != 1 || n != 32)
		return -EIO;
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(frame.sha256 + 2 * (size_t)i, 3, "%02x", md[i]);
	*ret = frame;
	return 0;
}

const char *report_result(const struct report *r, const struct report_frame *frame,
			  char buf[REPORT_RESULT_MAX])
{
	switch (frame->exit) {
	case REPORT_INTEGRITY:
		return "The log is damaged: do not rely on this report.";
	case REPORT_INCOMPLETE:
		return "This report is incomplete: data is missing.";
	case REPORT_FINDINGS:
	case REPORT_CLEAN:
		break;
	}
	if (r->rows_only)
		return "Complete; the rows alone, findings are in the other formats.";
	if (r->n_findings == 0)
		return "Complete, no findings.";
	(void)snprintf(buf, REPORT_RESULT_MAX, "Complete, %zu kind%s%s.", r->n_findings,
		       r->n_findings == 1 ? " of finding" : "s of findings",
		       frame->exit == REPORT_CLEAN ? ", all below the threshold" : "");
	return buf;
}
