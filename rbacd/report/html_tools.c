/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html_tools.c - sorting and filtering of a table without a script.
 *
 * Radio buttons choose, :has() applies: a filter hides the other rows on the screen
 * (never on paper), a sort gives each row its place as `order`. A table that nobody
 * sorts stays an ordinary table, so that readers for the blind and printers see one.
 */
#include "rbacd/report/html_internal.h"

#include <errno.h>

static bool is_text(enum report_kind kind)
{
	return kind == REPORT_TEXT || kind == REPORT_LEVEL || kind == REPORT_FILE;
}

static const char *value_of(const struct report_cell *cell)
{
	return cell->set ? cell->text : "";
}

size_t html_tools_value(const struct html_tools *tools, size_t column,
			const struct report_cell *cell)
{
	for (size_t i = 0; i < tools->n_values[column]; i++)
		if (str_eq(tools->values[column][i], value_of(cell)))
			return i;
	return SIZE_MAX;
}

/* No filter for a column of one value, or of too many. */
static void find_values(struct html_tools *tools, size_t column)
{
	size_t *n = &tools->n_values[column];

	for (const struct report_row *row = tools->t->first; row; row = row->next) {
		const struct report_cell *cell = &row->cells[column];

		if (html_tools_value(tools, column, cell) != SIZE_MAX)
			continue;
		if (*n == HTML_VALUES_MAX) {
			*n = 0;
			return;
		}
		tools->values[column][(*n)++] = value_of(cell);
	}
	if (*n < 2)
		*n = 0;
}

void html_tools_init(struct html_tools *tools, const struct report_table *t,
		     size_t index)
{
	*tools = (struct html_tools){.t = t, .index = index};
	if (t->n_rows < HTML_TOOLS_ROWS || t->chart == REPORT_HEAT)
		return;
	tools->sort = t->n_rows <= HTML_SORT_ROWS_MAX;
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].filter && is_text(t->columns[i].kind))
			find_values(tools, i);
}

bool html_tools_any(const struct html_tools *tools)
{
	for (size_t i = 0; i < tools->t->n_columns; i++)
		if (tools->n_values[i] > 0)
			return true;
	return tools->sort;
}

/* ---------------------------------------------------------------- choices */

static void put_radio(const char *group, size_t table, size_t column, size_t value,
		      bool checked, FILE *out)
{
	(void)fprintf(out,
		      "<label><input type=radio name=%s%zu-%zu id=%s%zu-%zu-%zu%s>",
		      group, table, column, group, table, column, value,
		      checked ? " checked" : "");
}

static size_t count_value(const struct report_table *t, size_t column,
			  const char *value)
{
	size_t n = 0;

	for (const struct report_row *row = t->first; row; row = row->next)
		n += str_eq(value_of(&row->cells[column]), value);
	return n;
}

static void put_filter(const struct html_tools *tools, size_t column, FILE *out)
{
	const struct report_table *t = tools->t;

	(void)fputs("<fieldset><legend>", out);
	html_text(t->columns[column].title, out);
	(void)fputs("</legend>", out);
	put_radio("v", tools->index, column, HTML_VALUES_MAX, true, out);
	(void)fprintf(out, "all <small>%zu</small></label>", t->n_rows);
	for (size_t i = 0; i < tools->n_values[column]; i++) {
		const char *value = tools->values[column][i];

		put_radio("v", tools->index, column, i, false, out);
		html_text(*value ? value : "(none)", out);
		(void)fprintf(out, " <small>%zu</small></label>",
			      count_value(t, column, value));
	}
	(void)fputs("</fieldset>", out);
}

/* Few values are filtered, not sorted: that says as much in a tenth of the rules. */
static bool sorts_by(const struct html_tools *tools, size_t column)
{
	return tools->t->columns[column].kind != REPORT_BLANK &&
	       tools->n_values[column] == 0;
}

static void put_sorts(const struct html_tools *tools, FILE *out)
{
	const struct report_table *t = tools->t;

	(void)fputs("<fieldset><legend>Sort by</legend>", out);
	put_radio("s", tools->index, 0, REPORT_COLUMNS_MAX, true, out);
	(void)fputs("as listed</label>", out);
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!sorts_by(tools, i))
			continue;
		put_radio("s", tools->index, 0, i, false, out);
		html_text(t->columns[i].title, out);
		(void)fputs("</label>", out);
	}
	(void)fprintf(
		out,
		"<label><input type=checkbox id=d%zu>descending</label></fieldset>",
		tools->index);
}

void html_tools_put(const struct html_tools *tools, FILE *out)
{
	(void)fputs(
		"<div class=\"fold tools\"><label class=toggle><input type=checkbox>"
		"Sort and filter</label><div class=inner>",
		out);
	for (size_t i = 0; i < tools->t->n_columns; i++)
		if (tools->n_values[i] > 0)
			put_filter(tools, i, out);
	if (tools->sort)
		put_sorts(tools, out);
	(void)fputs("</div></div>\n", out);
}

/* ---------------------------------------------------------------- rules */

struct place {
	const struct report_cell *cell;
	size_t row;
	bool text;
};

static int compare(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;
	int d = (int)b->cell->set - (int)a->cell->set; /* empty cells last */

	if (d == 0 && a->cell->set)
		d = a->text ? strcmp(a->cell->text, b->cell->text)
			    : (a->cell->n > b->cell->n) - (a->cell->n < b->cell->n);
	return d != 0 ? d : (a->row > b->row) - (a->row < b->row);
}

static int put_order(const struct html_tools *tools, size_t column, FILE *out)
{
	const struct report_table *t = tools->t;
	_cleanup_free_ struct place *places = calloc(t->n_rows, sizeof(*places));
	size_t n = 0;

	if (!places)
		return -ENOMEM;
	for (const struct report_row *row = t->first; row; row = row->next, n++)
		places[n] = (struct place){.cell = &row->cells[column],
					   .row = n,
					   .text = is_text(t->columns[column].kind)};
	qsort(places, n, sizeof(*places), compare);
	(void)fprintf(out, ".t%zu:has(#s%zu-0-%zu:checked){", tools->index,
		      tools->index, column);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, ".r%zu{--o:%zu}", places[i].row, i + 1);
	(void)fputs("}\n", out);
	return 0;
}

static void put_sorted_layout(const struct html_tools *tools, FILE *out)
{
	size_t i = tools->index;

	(void)fprintf(out,
		      "@media screen and (min-width:46em){"
		      ".t%zu:not(:has(#s%zu-0-%d:checked)) table{display:grid;"
		      "grid-template-columns:repeat(%zu,auto);"
		      "thead,tbody,tr{display:grid;grid-template-columns:subgrid;"
		      "grid-column:1/-1}}}\n",
		      i, i, REPORT_COLUMNS_MAX,
		      tools->t->n_columns + (tools->t->chart == REPORT_BARS));
	(void)fprintf(out, ".t%zu:has(#d%zu:checked){--d:-1}\n", i, i);
}

int html_tools_style(const struct html_tools *tools, FILE *out)
{
	const struct report_table *t = tools->t;
	int r = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		for (size_t v = 0; v < tools->n_values[c]; v++)
			(void)fprintf(out,
				      "@media screen{.t%zu:has(#v%zu-%zu-%zu:checked) "
				      "tbody tr:not(.v%zu-%zu){display:none}}\n",
				      tools->index, tools->index, c, v, c, v);
	if (!tools->sort)
		return 0;
	put_sorted_layout(tools, out);
	for (size_t c = 0; c < t->n_columns && r == 0; c++)
		if (sorts_by(tools, c))
			r = put_order(tools, c, out);
	return r;
}
