/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svg.c - pictures of a table. Widths are in percent and text in pixels, so that a
 * picture fits a phone without becoming unreadable.
 */
#include <inttypes.h>

#include "rbacd/ctl/text.h"
#include "rbacd/report/html_internal.h"
#include "rbacd/report/write.h"

#define DAYS_HEIGHT 150
#define HEAT_LEVELS 6
#define HEAT_ROW    22
#define HEAT_LABEL  11 /* percent */

int64_t svg_most(const struct report_table *t, size_t column)
{
	int64_t most = 1;

	for (const struct report_row *row = t->first; row; row = row->next)
		if (row->cells[column].set && row->cells[column].n > most)
			most = row->cells[column].n;
	return most;
}

void svg_bar(int64_t value, int64_t most, FILE *out)
{
	double share = value > 0 ? 100.0 * (double)value / (double)most : 0;

	(void)fprintf(out,
		      "<svg class=bar aria-hidden=true><rect class=c0 width=\"%.1f%%\" "
		      "height=\"100%%\" rx=2></rect></svg>",
		      share);
}

/* ---------------------------------------------------------------- days */

static int64_t day_sum(const struct report_table *t, const struct report_row *row)
{
	int64_t sum = 0;

	for (size_t i = 1; i < t->n_columns; i++)
		if (row->cells[i].set)
			sum += row->cells[i].n;
	return sum;
}

static void put_column(const struct report_table *t, const struct report_row *row,
		       size_t k, int64_t most, FILE *out)
{
	double width = 100.0 / (double)t->n_rows, y = DAYS_HEIGHT;

	for (size_t i = 1; i < t->n_columns; i++) {
		double h = row->cells[i].set ? (double)row->cells[i].n * DAYS_HEIGHT /
						       (double)most
					     : 0;

		if (h <= 0)
			continue;
		y -= h;
		(void)fprintf(out,
			      "<rect class=c%zu x=\"%.3f%%\" y=\"%.1f\" "
			      "width=\"%.3f%%\" height=\"%.1f\"></rect>",
			      i - 1, (double)k * width, y, width * 0.82, h);
	}
}

static void put_legend(const struct report_table *t, FILE *out)
{
	(void)fputs("<p class=legend>", out);
	for (size_t i = 1; i < t->n_columns; i++) {
		(void)fprintf(out,
			      "<span><svg class=key aria-hidden=true><rect class=c%zu "
			      "width=\"100%%\" height=\"100%%\"></rect></svg>",
			      i - 1);
		html_text(t->columns[i].title, out);
		(void)fputs("</span> ", out);
	}
	(void)fputs("</p>", out);
}

void svg_days(const struct report_table *t, FILE *out)
{
	int64_t most = 1;
	size_t k = 0;

	for (const struct report_row *row = t->first; row; row = row->next)
		most = day_sum(t, row) > most ? day_sum(t, row) : most;
	put_legend(t, out);
	(void)fprintf(out, "<svg class=days role=img aria-label=\"");
	html_text(t->title, out);
	(void)fprintf(out, "; at most %" PRId64 " a day\">", most);
	for (int i = 0; i <= 2; i++)
		(void)fprintf(out,
			      "<line class=grid x1=0 x2=\"100%%\" y1=%d y2=%d></line>",
			      DAYS_HEIGHT * i / 2, DAYS_HEIGHT * i / 2);
	for (const struct report_row *row = t->first; row; row = row->next)
		put_column(t, row, k++, most, out);
	(void)fprintf(out, "<text class=halo x=0 y=12>%" PRId64 "</text></svg>", most);
	if (t->first && t->last) {
		(void)fputs("<p class=axis><span>", out);
		html_text(t->first->cells[0].text, out);
		(void)fputs("</span><span>", out);
		html_text(t->last->cells[0].text, out);
		(void)fputs("</span></p>", out);
	}
}

/* ---------------------------------------------------------------- heat map */

static void put_square(double x, double width, size_t line, int level, FILE *out)
{
	(void)fprintf(out,
		      "<rect class=h%d x=\"%.2f%%\" y=%zu width=\"%.2f%%\" height=%d "
		      "rx=2></rect>",
		      level, x, line * HEAT_ROW, width * 0.94, HEAT_ROW - 2);
}

/* A table's rows run from left to right, its columns downwards. */
void svg_heat(const struct report_table *t, FILE *out)
{
	double width = (100.0 - HEAT_LABEL) / (double)(t->n_rows ? t->n_rows : 1);
	int64_t most = 1;

	for (size_t i = 1; i < t->n_columns; i++)
		most = svg_most(t, i) > most ? svg_most(t, i) : most;
	(void)fputs("<svg class=heat role=img aria-label=\"", out);
	html_text(t->title, out);
	(void)fputs("\">", out);
	for (size_t i = 1; i < t->n_columns; i++) {
		size_t k = 0;

		(void)fprintf(out, "<text x=0 y=%zu>%s</text>",
			      (i - 1) * HEAT_ROW + HEAT_ROW - 7, t->columns[i].title);
		for (const struct report_row *row = t->first; row;
		     row = row->next, k++) {
			int64_t n = row->cells[i].set ? row->cells[i].n : 0;
			int level =
				n <= 0 ? 0 : (int)(1 + n * (HEAT_LEVELS - 1) / most);

			put_square(HEAT_LABEL + (double)k * width, width, i - 1,
				   level > HEAT_LEVELS - 1 ? HEAT_LEVELS - 1 : level,
				   out);
		}
	}
	for (size_t k = 0; k < t->n_rows; k += 6)
		(void)fprintf(out, "<text x=\"%.2f%%\" y=%zu>%zu h</text>",
			      HEAT_LABEL + (double)k * width,
			      (t->n_columns - 1) * HEAT_ROW + 14, k);
	(void)fprintf(out, "</svg><p class=legend><span>none</span>");
	for (int i = 0; i < HEAT_LEVELS; i++)
		(void)fprintf(out,
			      "<svg class=key aria-hidden=true><rect class=h%d "
			      "width=\"100%%\" height=\"100%%\"></rect></svg>",
			      i);
	(void)fprintf(out, "<span>%" PRId64 "</span></p>", most);
}
