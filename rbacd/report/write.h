/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.h - the four ways to write a report. What is written depends on the report
 * alone: the same content gives the same bytes. Names in it may be hostile; each writer
 * makes them harmless for where it writes. stdio errors are the caller's to check.
 */
#pragma once

#include <stdio.h>

#include "rbacd/report/report.h"

#define REPORT_TEXT_COLUMNS 100

/* The frame around the content, the same for all formats. */
struct report_frame {
	enum report_exit exit;
	enum report_severity threshold;
	char sha256[65]; /* of the body: report_hash() */
};

/* report_frame() - exit status and the sha256 of the body, which is the bytes that
 * report_write_json() puts under "body". Return: 0; negative errno. */
_must_check_ int report_frame(const struct report *r, enum report_severity threshold,
			      struct report_frame *ret);

/* report_result() - one sentence: clean, findings, incomplete or broken; in @buf. */
#define REPORT_RESULT_MAX 160
const char *report_result(const struct report *r, const struct report_frame *frame,
			  char buf[REPORT_RESULT_MAX]);

/* report_write_text() - at most REPORT_TEXT_COLUMNS columns, nothing cut off. */
_must_check_ int report_write_text(const struct report *r,
				   const struct report_frame *frame, FILE *out);
/* report_write_json() - as docs/report.schema.json says. */
void report_write_json(const struct report *r, const struct report_frame *frame,
		       FILE *out);
/* report_write_body() - the JSON object that is hashed. */
void report_write_body(const struct report *r, FILE *out);
/* report_write_html() - one file: no script, nothing from elsewhere, style by hash. */
_must_check_ int report_write_html(const struct report *r,
				   const struct report_frame *frame, FILE *out);
/*
 * report_write_csv() - one table, RFC 4180, values that a spreadsheet would run
 * disarmed.
 * @table: its name; NULL: the report's stream, else its first table.
 * Return: 0; -ENOENT: no such table; negative errno of the stream.
 */
_must_check_ int report_write_csv(const struct report *r, const char *table, FILE *out);

/* report_cell_text() - a number or time of @kind as text, in @buf. */
#define REPORT_CELL_MAX 40
const char *report_cell_text(enum report_kind kind, int64_t n,
			     char buf[REPORT_CELL_MAX]);
