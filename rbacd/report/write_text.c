/* SPDX-License-Identifier: Apache-2.0 */
/* write_text.c - a report for a terminal or a mail: 100 columns, nothing cut off. */
#include "rbacd/report/write.h"

#include <errno.h>

#include "policy/memtext.h"
#include "rbacd/ctl/text.h"

#define GAP	   2
#define COLUMN_MIN 8
#define LABEL	   26

/* Cells as they will be shown: escaped, with their width. */
struct shown {
	const char *text; /* valid UTF-8, safe */
	size_t len, width;
};

struct layout {
	const struct report_table *t;
	struct arena arena;
	struct shown *cells; /* n_rows + 1 rows: the titles first */
	size_t width[REPORT_COLUMNS_MAX];
};

static void layout_done(struct layout *l)
{
	arena_done(&l->arena);
}

static void put_chars(char c, size_t n, FILE *out)
{
	while (n-- > 0)
		(void)fputc(c, out);
}

static int show(struct layout *l, const char *text, struct shown *ret)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *buf = NULL;
	size_t len;

	if (memtext_open(&m) != 0)
		return -ENOMEM;
	ret->width = text_print(text, strlen(text), m.out);
	if (memtext_take(&m, &buf, &len) != 0)
		return -ENOMEM;
	ret->text = arena_strndup(&l->arena, buf, len);
	ret->len = len;
	return ret->text ? 0 : -ENOMEM;
}

static int show_row(struct layout *l, const struct report_row *row, struct shown *to)
{
	char buf[REPORT_CELL_MAX];

	for (size_t i = 0; i < l->t->n_columns; i++) {
		enum report_kind kind = l->t->columns[i].kind;
		const char *text = l->t->columns[i].title;
		int r;

		if (row && !row->cells[i].set)
			text = "";
		else if (row && (kind == REPORT_NUMBER || kind == REPORT_TIME))
			text = report_cell_text(kind, row->cells[i].n, buf);
		else if (row)
			text = row->cells[i].text;
		r = show(l, text, &to[i]);
		if (r != 0)
			return r;
		if (to[i].width > l->width[i])
			l->width[i] = to[i].width;
	}
	return 0;
}

/*
 * Where a line of at most @width columns ends: at the last space, else in the middle of
 * a word. @ret_next: where the next one starts.
 */
static size_t wrap(const struct shown *s, size_t from, size_t width, size_t *ret_next)
{
	size_t at = from, space = 0, n = 0;
	uint32_t cp;

	while (at < s->len && n < width) {
		at += text_next(s->text + at, s->len - at, &cp);
		n++;
		if (cp == ' ')
			space = at;
	}
	if (at == s->len || s->text[at] == ' ') {
		*ret_next = at + (at < s->len);
		return at;
	}
	*ret_next = space > from ? space : at;
	return space > from ? space - 1 : at;
}

static size_t columns_of(const char *p, size_t len)
{
	return text_print(p, len, NULL);
}

/* A paragraph, each line but the first below the indent. */
static int put_wrapped(const char *text, size_t indent, FILE *out)
{
	_cleanup_(layout_done) struct layout l = {0};
	struct shown s = {0};
	size_t at = 0, next, end;
	int r = show(&l, text, &s);

	if (r != 0)
		return r;
	do {
		end = wrap(&s, at, REPORT_TEXT_COLUMNS - indent, &next);
		if (at > 0)
			put_chars(' ', indent, out);
		(void)fwrite(s.text + at, 1, end - at, out);
		(void)fputc('\n', out);
		at = next;
	} while (at < s.len);
	return 0;
}

/* Makes the widest text columns narrower until all fit. False: they never will. */
static bool fit(struct layout *l)
{
	for (;;) {
		size_t sum = 0, widest = SIZE_MAX;

		for (size_t i = 0; i < l->t->n_columns; i++) {
			enum report_kind kind = l->t->columns[i].kind;

			sum += l->width[i] + (i ? GAP : 0);
			if (kind != REPORT_NUMBER && kind != REPORT_TIME &&
			    l->width[i] > COLUMN_MIN &&
			    (widest == SIZE_MAX || l->width[i] > l->width[widest]))
				widest = i;
		}
		if (sum <= REPORT_TEXT_COLUMNS)
			return true;
		if (widest == SIZE_MAX)
			return false;
		l->width[widest]--;
	}
}

/* One row over as many lines as its longest cell needs. */
static void put_row(const struct layout *l, const struct shown *row, FILE *out)
{
	size_t at[REPORT_COLUMNS_MAX] = {0};
	bool more = true;

	while (more) {
		size_t owed = 0; /* blanks before the next text: no line ends in them */

		more = false;
		for (size_t i = 0; i < l->t->n_columns; i++) {
			size_t next, end = wrap(&row[i], at[i], l->width[i], &next);
			size_t n = columns_of(row[i].text + at[i], end - at[i]);
			bool right = l->t->columns[i].kind == REPORT_NUMBER;
			size_t left = right ? l->width[i] - n : 0;

			if (n > 0) {
				put_chars(' ', owed + left, out);
				(void)fwrite(row[i].text + at[i], 1, end - at[i], out);
				owed = 0;
			}
			owed += l->width[i] + GAP - (n > 0 ? left + n : 0);
			at[i] = next;
			more = more || next < row[i].len;
		}
		(void)fputc('\n', out);
	}
}

/* Too many columns: each row as a block of lines. */
static int put_blocks(const struct layout *l, FILE *out)
{
	size_t n = l->t->n_columns;
	int r = 0;

	for (size_t k = 1; k <= l->t->n_rows && r == 0; k++) {
		for (size_t i = 0; i < n && r == 0; i++) {
			const struct shown *s = &l->cells[k * n + i];

			if (s->len == 0)
				continue;
			(void)fprintf(out, "%s %-*.*s ", i ? " " : "-", LABEL - 3,
				      LABEL - 3, l->cells[i].text);
			r = put_wrapped(s->text, LABEL, out);
		}
	}
	return r;
}

static int put_table(const struct report_table *t, FILE *out)
{
	_cleanup_(layout_done) struct layout l = {.t = t};
	const struct report_row *row = t->first;
	int r = 0;

	(void)fprintf(out, "\n%s\n", t->title);
	if (t->note)
		r = put_wrapped(t->note, 0, out);
	if (t->n_rows == 0) {
		(void)fprintf(out, "  %s\n", t->none ? t->none : "None.");
		return r;
	}
	l.cells =
		arena_array(&l.arena, (t->n_rows + 1) * t->n_columns, sizeof(*l.cells));
	if (!l.cells)
		return -ENOMEM;
	r = r != 0 ? r : show_row(&l, NULL, l.cells);
	for (size_t k = 1; k <= t->n_rows && r == 0; k++, row = row->next)
		r = show_row(&l, row, &l.cells[k * t->n_columns]);
	if (r != 0)
		return r;
	if (!fit(&l))
		return put_blocks(&l, out);
	put_row(&l, l.cells, out);
	for (size_t i = 0; i < t->n_columns; i++) {
		put_chars(' ', i ? GAP : 0, out);
		put_chars('-', l.width[i], out);
	}
	(void)fputc('\n', out);
	for (size_t k = 1; k <= t->n_rows; k++)
		put_row(&l, &l.cells[k * t->n_columns], out);
	return 0;
}

static int put_heading(const char *text, char line, FILE *out)
{
	(void)fprintf(out, "\n%s\n", text);
	put_chars(line, columns_of(text, strlen(text)), out);
	(void)fputc('\n', out);
	return 0;
}

static int put_list(const char *mark, const struct report_lines *lines, FILE *out)
{
	int r = 0;

	for (const struct report_line *l = lines->first; l && r == 0; l = l->next) {
		(void)fputs(mark, out);
		r = put_wrapped(l->text, strlen(mark), out);
	}
	return r;
}

static int put_summary(const struct report *r, const struct report_frame *frame,
		       FILE *out)
{
	char buf[REPORT_RESULT_MAX];
	int rc;

	(void)fprintf(out, "%s\n", r->title);
	put_chars('=', strlen(r->title), out);
	(void)fprintf(out, "\n%s\n", r->question);
	rc = put_list("Only: ", &r->filters, out);
	(void)fprintf(out, "\n%s\n", report_result(r, frame, buf));
	rc = rc != 0 ? rc : put_list("  damaged: ", &r->broken, out);
	rc = rc != 0 ? rc : put_list("  incomplete: ", &r->missing, out);
	if (r->first_figure)
		(void)fputc('\n', out);
	for (const struct report_figure *f = r->first_figure; f; f = f->next)
		(void)fprintf(out, "%12lld  %s%s%s\n", (long long)f->value, f->label,
			      f->note ? " " : "", f->note ? f->note : "");
	return rc;
}

static int put_findings(const struct report *r, FILE *out)
{
	int rc = 0;

	if (r->n_findings == 0)
		return 0;
	rc = put_heading("Findings", '-', out);
	for (int s = REPORT_CRITICAL; s >= REPORT_INFO; s--)
		for (const struct report_finding *f = r->first_finding; f && rc == 0;
		     f = f->next) {
			if ((int)f->severity != s)
				continue;
			(void)fprintf(out, "%-9s ", report_severity_name(f->severity));
			rc = put_wrapped(f->text, 10, out);
		}
	return rc;
}

static int put_provenance(const struct report *r, const struct report_frame *frame,
			  FILE *out)
{
	int rc = put_heading("Where this comes from", '-', out);

	for (const struct report_line *l = r->provenance.first; l && rc == 0;
	     l = l->next) {
		(void)fprintf(out, "%-*s ", LABEL - 1, l->title);
		rc = put_wrapped(l->text, LABEL, out);
	}
	(void)fprintf(out, "%-*s %zu\n%-*s %s\n", LABEL - 1, "Rows", r->n_rows,
		      LABEL - 1, "sha256 of the content", frame->sha256);
	if (rc == 0 && r->limitations.n > 0) {
		rc = put_heading("What this report cannot know", '-', out);
		rc = rc != 0 ? rc : put_list("- ", &r->limitations, out);
	}
	return rc;
}

int report_write_text(const struct report *r, const struct report_frame *frame,
		      FILE *out)
{
	int rc = put_summary(r, frame, out);

	rc = rc != 0 ? rc : put_findings(r, out);
	for (const struct report_section *s = r->first; s && rc == 0; s = s->next) {
		rc = put_heading(s->title, '-', out);
		if (rc == 0 && s->text)
			rc = put_wrapped(s->text, 0, out);
		for (const struct report_table *t = s->first; t && rc == 0; t = t->next)
			rc = put_table(t, out);
	}
	return rc != 0 ? rc : put_provenance(r, frame, out);
}
