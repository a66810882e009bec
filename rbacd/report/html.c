/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html.c - a report as one HTML file: no script, nothing from elsewhere. The policy in
 * its head allows the browser one style sheet, by its hash.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "rbacd/ctl/text.h"
#include "policy/memtext.h"
#include "rbacd/report/html_internal.h"
#include "rbacd/report/write.h"

void html_text(const char *text, FILE *out)
{
	static const char marks[] = "&<>\"'";
	static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

	while (*text) {
		size_t n = strcspn(text, marks);

		(void)text_print(text, n, out); /* its columns do not matter */
		text += n;
		if (*text)
			(void)fputs(names[strchr(marks, *text++) - marks], out);
	}
}

/* Wraps a text in an element; NULL leaves it out. */
static void put(const char *before, const char *text, const char *after, FILE *out)
{
	if (!text)
		return;
	(void)fputs(before, out);
	html_text(text, out);
	(void)fputs(after, out);
}

/* 1234567 as 1 234 567, the blanks narrow and unbreakable. */
static void put_number(int64_t n, FILE *out)
{
	char digits[REPORT_CELL_MAX];
	size_t len = strlen(report_cell_text(REPORT_NUMBER, n, digits));

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			(void)fputs("\u202f", out);
		(void)fputc(digits[i], out);
	}
}

/* A time without its letters: 2026-11-21 05:00. */
static void put_time(const char *text, FILE *out)
{
	if (strlen(text) == 20)
		(void)fprintf(out, "<time datetime=\"%s\">%.10s %.5s</time>", text,
			      text, text + 11);
	else
		html_text(text, out);
}

/* ---------------------------------------------------------------- tables */

/* Long texts get room, short names stay on one line. */
static const char *text_class(const char *text, bool first)
{
	size_t len = strlen(text);

	return len > 40 ? " class=long" : first && len <= 24 ? " class=short" : "";
}

/* End tags of cells and rows are left out: HTML allows it, and pages get a tenth
 * smaller. */
static void put_cell(const struct report_table *t, const struct report_row *row,
		     size_t i, FILE *out)
{
	static const char *const classes[] = {
		[REPORT_TEXT] = "",
		[REPORT_NUMBER] = " class=n",
		[REPORT_TIME] = " class=time",
		[REPORT_LEVEL] = "",
		[REPORT_BLANK] = " class=blank",
		[REPORT_FILE] = "",
	};
	const struct report_cell *cell = &row->cells[i];
	enum report_kind kind = t->columns[i].kind;
	bool text = kind == REPORT_TEXT && cell->set;
	char buf[REPORT_CELL_MAX];

	(void)fprintf(out, i == 0 ? "<th scope=row%s>" : "<td%s>",
		      text ? text_class(cell->text, i == 0) : classes[kind]);
	if (!cell->set)
		return;
	if (kind == REPORT_NUMBER)
		put_number(cell->n, out);
	else if (kind == REPORT_TIME)
		put_time(report_cell_text(kind, cell->n, buf), out);
	else if (kind == REPORT_LEVEL)
		(void)fprintf(out, "<span class=\"level %s\">%s</span>", cell->text,
			      cell->text);
	else if (kind == REPORT_FILE)
		(void)fprintf(out, "<a href=\"%s\">%s</a>", cell->text, cell->text);
	else
		html_text(cell->text, out);
}

static void put_row(const struct html_tools *tools, const struct report_row *row,
		    size_t k, int64_t most, FILE *out)
{
	const struct report_table *t = tools->t;

	if (html_tools_any(tools)) {
		(void)fprintf(out, "<tr class=\"r%zu", k);
		for (size_t i = 0; i < t->n_columns; i++)
			if (tools->n_values[i] > 0)
				(void)fprintf(out, " v%zu-%zu", i,
					      html_tools_value(tools, i,
							       &row->cells[i]));
		(void)fputs("\">", out);
	} else {
		(void)fputs("<tr>", out);
	}
	for (size_t i = 0; i < t->n_columns; i++) {
		put_cell(t, row, i, out);
		if (i == 1 && t->chart == REPORT_BARS) {
			(void)fputs("<td class=barcell>", out);
			svg_bar(row->cells[1].set ? row->cells[1].n : 0, most, out);
		}
	}
	(void)fputc('\n', out);
}

/* To be filled in by hand: on paper it needs all the width there is. */
static bool has_blank(const struct report_table *t)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].kind == REPORT_BLANK)
			return true;
	return false;
}

#define NARROW_MAX 4 /* columns */
#define DENSE_MIN  9

static const char *grid_class(const struct report_table *t)
{
	if (t->n_columns <= NARROW_MAX && t->chart != REPORT_BARS)
		return " class=narrow";
	return t->n_columns >= DENSE_MIN ? " class=dense" : "";
}

static void put_grid(const struct html_tools *tools, FILE *out)
{
	const struct report_table *t = tools->t;
	int64_t most = t->chart == REPORT_BARS ? svg_most(t, 1) : 1;
	size_t k = 0;

	(void)fprintf(out,
		      "<div class=\"box%s\"><table%s aria-labelledby=h%zu><thead><tr>",
		      has_blank(t) ? " wide" : "", grid_class(t), tools->index);
	for (size_t i = 0; i < t->n_columns; i++) {
		(void)fputs(t->columns[i].kind == REPORT_NUMBER
				    ? "<th scope=col class=n>"
				    : "<th scope=col>",
			    out);
		put("", t->columns[i].title, "</th>", out);
		if (i == 1 && t->chart == REPORT_BARS)
			(void)fputs("<td></td>", out);
	}
	(void)fputs("</tr></thead>\n<tbody>\n", out);
	for (const struct report_row *row = t->first; row; row = row->next) {
		if (t->n_rows > HTML_SORT_ROWS_MAX && k > 0 && k % HTML_BODY_ROWS == 0)
			(void)fputs("</tbody><tbody>\n", out);
		put_row(tools, row, k++, most, out);
	}
	(void)fputs("</tbody></table></div>\n", out);
}

static void put_table(const struct report_table *t, size_t index, FILE *out)
{
	bool picture = t->chart == REPORT_DAYS || t->chart == REPORT_HEAT;
	struct html_tools tools;

	html_tools_init(&tools, t, index);
	(void)fprintf(out, "<div class=t%zu id=t-%s><h3 id=h%zu>", index, t->name,
		      index);
	put("", t->title, "</h3>\n", out);
	put("<p class=note>", t->note, "</p>\n", out);
	if (t->n_rows == 0) {
		put("<p>", t->none ? t->none : "None.", "</p></div>\n", out);
		return;
	}
	if (t->chart == REPORT_DAYS)
		svg_days(t, out);
	if (t->chart == REPORT_HEAT)
		svg_heat(t, out);
	if (picture)
		(void)fputs("<div class=fold><label class=toggle><input type=checkbox>"
			    "The numbers</label><div class=inner>\n",
			    out);
	if (html_tools_any(&tools))
		html_tools_put(&tools, out);
	put_grid(&tools, out);
	(void)fputs(picture ? "</div></div></div>\n" : "</div>\n", out);
}

/* ---------------------------------------------------------------- the page */

static void put_result(const struct report *r, const struct report_frame *frame,
		       FILE *out)
{
	char buf[REPORT_RESULT_MAX];

	(void)fprintf(out, "<div class=\"result e%d\">%s", frame->exit,
		      report_result(r, frame, buf));
	if (r->broken.n + r->missing.n > 0) {
		(void)fputs("<ul>", out);
		for (const struct report_line *l = r->broken.first; l; l = l->next)
			put("<li>", l->text, "</li>", out);
		for (const struct report_line *l = r->missing.first; l; l = l->next)
			put("<li>", l->text, "</li>", out);
		(void)fputs("</ul>", out);
	}
	(void)fputs("</div>\n", out);
}

static void put_figures(const struct report *r, FILE *out)
{
	if (!r->first_figure)
		return;
	(void)fputs("<ul class=figures>\n", out);
	for (const struct report_figure *f = r->first_figure; f; f = f->next) {
		(void)fputs(f->bad && f->value != 0 ? "<li class=bad><b>" : "<li><b>",
			    out);
		put_number(f->value, out);
		put("</b> ", f->label, "", out);
		put(" <small>", f->note, "</small>", out);
		(void)fputs("</li>\n", out);
	}
	(void)fputs("</ul>\n", out);
}

static void put_findings(const struct report *r, FILE *out)
{
	if (r->n_findings == 0)
		return;
	(void)fputs("<section aria-labelledby=findings><h2 id=findings>Findings</h2>\n"
		    "<ul class=findings>\n",
		    out);
	for (int s = REPORT_CRITICAL; s >= REPORT_INFO; s--)
		for (const struct report_finding *f = r->first_finding; f;
		     f = f->next) {
			const char *level = report_severity_name(f->severity);

			if ((int)f->severity != s)
				continue;
			(void)fprintf(out,
				      "<li><span class=\"level %s\">%s</span><span>",
				      level, level);
			html_text(f->text, out);
			if (f->table)
				(void)fprintf(out, " <a href=\"#t-%s\">Details</a>",
					      f->table);
			(void)fputs("</span></li>\n", out);
		}
	(void)fputs("</ul></section>\n", out);
}

static void put_nav(const struct report *r, FILE *out)
{
	size_t n = 0;

	(void)fputs("<nav aria-label=Contents>", out);
	if (r->n_findings > 0)
		(void)fputs("<a href=\"#findings\">Findings</a> ", out);
	for (const struct report_section *s = r->first; s; s = s->next) {
		(void)fprintf(out, "<a href=\"#s%zu\">", n++);
		put("", s->title, "</a> ", out);
	}
	(void)fputs("<a href=\"#provenance\">Where this comes from</a></nav>\n", out);
}

static void put_provenance(const struct report *r, const struct report_frame *frame,
			   FILE *out)
{
	(void)fputs("<section aria-labelledby=provenance><h2 id=provenance>Where this "
		    "comes from</h2>\n<table class=prov "
		    "aria-labelledby=provenance><tbody>\n",
		    out);
	for (const struct report_line *l = r->provenance.first; l; l = l->next) {
		put("<tr><th scope=row>", l->title, "</th>", out);
		put("<td>", l->text, "</td></tr>\n", out);
	}
	(void)fprintf(out,
		      "<tr><th scope=row>Rows in all tables</th><td>%zu</td></tr>\n"
		      "<tr><th scope=row>sha256 of the content</th><td><code>%s</code>"
		      "</td></tr>\n</tbody></table>\n",
		      r->n_rows, frame->sha256);
	if (r->limitations.n > 0) {
		(void)fputs("<h3>What this report cannot know</h3><ul>\n", out);
		for (const struct report_line *l = r->limitations.first; l; l = l->next)
			put("<li>", l->text, "</li>\n", out);
		(void)fputs("</ul>\n", out);
	}
	(void)fputs("</section>\n", out);
}

static const char *provenance_of(const struct report *r, const char *name)
{
	for (const struct report_line *l = r->provenance.first; l; l = l->next)
		if (str_eq(l->name, name))
			return l->text;
	return NULL;
}

static void put_top(const struct report *r, const struct report_frame *frame, FILE *out)
{
	static const char *const times[][2] = {{"as_of", "As of"},
					       {"since", "From"},
					       {"until", "To"}};

	(void)fputs("<header class=top><p class=kicker>vmsec report</p>", out);
	put("<h1>", r->title, "</h1>", out);
	put("<p class=lead>", r->question, "</p>\n", out);
	put_result(r, frame, out);
	(void)fputs("<p class=meta>", out);
	put("<span>Host <b>", provenance_of(r, "host"), "</b></span> ", out);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		const char *text = provenance_of(r, times[i][0]);

		(void)fprintf(out, "<span>%s <b>", times[i][1]);
		put_time(text ? text : "", out);
		(void)fputs("</b></span> ", out);
	}
	for (const struct report_line *l = r->filters.first; l; l = l->next)
		put("<span>Only <b>", l->text, "</b></span> ", out);
	(void)fputs("</p></header>\n", out);
}

/* On a phone each cell stands on a line of its own, behind its column's title. */
static int put_table_styles(const struct report *r, FILE *out)
{
	struct html_tools tools;
	size_t index = 0;
	int rc = 0;

	for (const struct report_section *s = r->first; s; s = s->next)
		for (const struct report_table *t = s->first; t && rc == 0;
		     t = t->next, index++) {
			bool bars = t->chart == REPORT_BARS;

			(void)fputs("@media screen and (max-width:46em){", out);
			for (size_t i = 1; i < t->n_columns; i++)
				(void)fprintf(out,
					      ".t%zu td:nth-child(%zu)::before{content:"
					      "\"%s\"}",
					      index, i + 1 + (bars && i > 1),
					      t->columns[i].title);
			(void)fputs("}\n", out);
			html_tools_init(&tools, t, index);
			rc = html_tools_style(&tools, out);
		}
	return rc;
}

/* All rules, and the base64 of their sha256 for the policy. */
static int make_style(const struct report *r, char **ret, size_t *ret_len,
		      char hash[45])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;

	if (memtext_open(&m) != 0)
		return -ENOMEM;
	html_style(m.out);
	if (put_table_styles(r, m.out) != 0 || memtext_take(&m, ret, ret_len) != 0)
		return -ENOMEM;
	if (EVP_Digest(*ret, *ret_len, md, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	(void)EVP_EncodeBlock((unsigned char *)hash, md, 32); /* 44 characters */
	return 0;
}

int report_write_html(const struct report *r, const struct report_frame *frame,
		      FILE *out)
{
	_cleanup_free_ char *style = NULL;
	char hash[45];
	size_t len, index = 0, n = 0;
	int rc = make_style(r, &style, &len, hash);

	if (rc != 0)
		return rc;
	(void)fprintf(out,
		      "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
		      "<meta http-equiv=Content-Security-Policy content=\"default-src "
		      "'none'; style-src 'sha256-%s'; base-uri 'none'; form-action "
		      "'none'\">\n<meta name=referrer content=no-referrer>\n"
		      "<meta name=viewport content=\"width=device-width, "
		      "initial-scale=1\">\n",
		      hash);
	put("<title>", r->title, " - vmsec</title>\n<style>", out);
	(void)fwrite(style, 1, len, out);
	(void)fputs("</style></head>\n<body>\n", out);
	put_top(r, frame, out);
	(void)fputs("<main>\n", out);
	put_figures(r, out);
	put_nav(r, out);
	put_findings(r, out);
	for (const struct report_section *s = r->first; s; s = s->next, n++) {
		(void)fprintf(out, "<section aria-labelledby=s%zu><h2 id=s%zu>", n, n);
		put("", s->title, "</h2>\n", out);
		put("<p>", s->text, "</p>\n", out);
		for (const struct report_table *t = s->first; t; t = t->next)
			put_table(t, index++, out);
		(void)fputs("</section>\n", out);
	}
	put_provenance(r, frame, out);
	(void)fprintf(out,
		      "</main>\n<footer>vmsec %s. All times are UTC.</footer>\n"
		      "</body></html>\n",
		      VMSEC_VERSION);
	return 0;
}
