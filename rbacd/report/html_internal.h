/* SPDX-License-Identifier: Apache-2.0 */
/* html_internal.h - what the files of the HTML writer share. */
#pragma once

#include <stdio.h>

#include "rbacd/report/report.h"

#define HTML_SORT_ROWS_MAX 5000 /* beyond, the rules would outgrow the table */
#define HTML_BODY_ROWS	   100	/* then: so many are laid out together, on a phone */
#define HTML_VALUES_MAX	   10	/* different values a column is filtered by */
#define HTML_TOOLS_ROWS	   6	/* fewer rows need no tools */

/* html_text() - text as content or as a quoted attribute: nothing in it is markup, and
 * what moves or hides text is shown as an escape. */
void html_text(const char *text, FILE *out);

/* What one table may be filtered and sorted by; the same for style and markup. */
struct html_tools {
	const struct report_table *t; /* borrowed */
	size_t index;		      /* of the table in the report */
	bool sort;
	size_t n_values[REPORT_COLUMNS_MAX]; /* 0: not filtered by this column */
	const char *values[REPORT_COLUMNS_MAX][HTML_VALUES_MAX]; /* borrowed */
};

void html_tools_init(struct html_tools *tools, const struct report_table *t,
		     size_t index);
/* html_tools_any() - there is something to choose. */
bool html_tools_any(const struct html_tools *tools);
/* html_tools_value() - the number of a cell's value in its column. */
size_t html_tools_value(const struct html_tools *tools, size_t column,
			const struct report_cell *cell);
/* html_tools_put() - the choices; they work by style alone, so that no script runs. */
void html_tools_put(const struct html_tools *tools, FILE *out);
/* html_tools_style() - the rules that the choices switch on. 0; -ENOMEM. */
_must_check_ int html_tools_style(const struct html_tools *tools, FILE *out);

/* html_style() - the rules of all reports. */
void html_style(FILE *out);

/* svg_*() - the picture of a table; its text is in the table below it. */
void svg_bar(int64_t value, int64_t most, FILE *out);
void svg_days(const struct report_table *t, FILE *out);
void svg_heat(const struct report_table *t, FILE *out);
/* svg_most() - the largest number of a column; at least 1. */
int64_t svg_most(const struct report_table *t, size_t column);
