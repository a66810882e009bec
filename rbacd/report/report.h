/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - one neutral report: what a report found, apart from how it is written.
 *
 * A report fills figures, findings and sections of tables; write.h prints the same
 * content as text, CSV, JSON or HTML. Memory that runs out is remembered and told once,
 * by report_error(), so that a report reads as a list of what it says.
 */
#pragma once

#include "policy/arena.h"

#define REPORT_SCHEMA "vmsec-report/1"

enum report_severity {
	REPORT_INFO = 1,
	REPORT_LOW,
	REPORT_MEDIUM,
	REPORT_HIGH,
	REPORT_CRITICAL
};

const char *report_severity_name(enum report_severity severity); /* "info" … */
/* report_severity_find() - by name; 0 for an unknown one. */
enum report_severity report_severity_find(const char *name);

/* The exit status that a report ends with. */
enum report_exit {
	REPORT_CLEAN = 0,
	REPORT_FINDINGS = 1,   /* at or over the threshold */
	REPORT_INCOMPLETE = 2, /* data is missing: "no findings" would be a guess */
	REPORT_INTEGRITY = 3,  /* the log is not what was written */
};

enum report_kind {
	REPORT_TEXT = 1,
	REPORT_NUMBER,
	REPORT_TIME,  /* seconds UTC */
	REPORT_LEVEL, /* the name of a severity */
	REPORT_BLANK, /* for the reader to fill in: always empty */
	REPORT_FILE,  /* a file beside this one */
};

enum report_chart {
	REPORT_TABLE = 0, /* no picture */
	REPORT_BARS, /* a bar a row: the first column's name, the second's length */
	REPORT_DAYS, /* a column a row, the number columns on top of each other */
	REPORT_HEAT, /* the rest of a row's columns as shaded squares */
};

struct report_column {
	const char *name;  /* stable identifier: CSV header, JSON */
	const char *title; /* for people */
	enum report_kind kind;
	bool filter; /* few different values: offered to filter by */
	bool sum;    /* a number whose sum is a control total */
};

#define REPORT_COLUMNS_MAX 32

struct report_cell {
	bool set;
	union {
		const char *text; /* borrowed from what the report was made from */
		int64_t n;
	};
};

struct report_row {
	struct report_row *next;
	struct report_cell cells[];
};

struct report_table {
	struct report_table *next;
	struct report *report; /* borrowed */
	const char *name, *title;
	const char *note; /* a sentence below the title; NULL: none */
	const char *none; /* what no rows mean */
	enum report_chart chart;
	const struct report_column *columns; /* static */
	size_t n_columns;
	struct report_row *first, *last;
	size_t n_rows, at; /* at: the next cell of the last row */
};

struct report_section {
	struct report_section *next;
	const char *title;
	const char *text; /* a paragraph; NULL: none */
	struct report_table *first, *last;
};

struct report_finding {
	struct report_finding *next;
	enum report_severity severity;
	const char *code;  /* stable identifier */
	const char *text;  /* one sentence */
	const char *table; /* where the single cases are; NULL: said in full */
	size_t n;	   /* how many cases */
};

struct report_figure {
	struct report_figure *next;
	const char *name, *label;
	int64_t value;
	const char *note; /* beside it, e.g. "of 640"; NULL: none */
	bool bad;	  /* anything but zero is a reason to look */
};

/* A line of the provenance, or of a list of sentences. */
struct report_line {
	struct report_line *next;
	const char *name, *title; /* sentences: NULL */
	const char *text;
	bool number;
};

struct report_lines {
	struct report_line *first, *last;
	size_t n;
};

/* Rows too many to keep: they are made while they are written. */
struct report_stream {
	const struct report_column *columns;
	size_t n_columns;
	int (*write)(void *arg, FILE *out); /* RFC 4180 lines below the header */
	void *arg;
};

struct report {
	struct arena arena;
	int error;
	const char *id, *title, *question;
	struct report_lines provenance, limitations, missing, broken, filters;
	struct report_figure *first_figure, *last_figure;
	struct report_finding *first_finding, *last_finding;
	struct report_section *first, *last;
	struct report_stream
		stream; /* CSV instead of the first table; write NULL: no */
	bool rows_only; /* made for its stream: nobody looked for findings */
	size_t n_findings, n_rows;
	struct report_table nowhere; /* takes nothing: memory ran out */
};

/* report_init() - @id, @title and @question are borrowed, static. */
void report_init(struct report *r, const char *id, const char *title,
		 const char *question);
void report_done(struct report *r); /* a zeroed report is accepted */
#define _cleanup_report_ _cleanup_(report_done)

/* report_error() - 0; -ENOMEM when anything of the report is missing. */
_must_check_ int report_error(const struct report *r);

/* report_f() - formatted text, of any length, that lives as long as the report; never
 * NULL. */
const char *report_f(struct report *r, const char *fmt, ...) _printf_(2, 3);
/* report_copy() - a copy of @len bytes; never NULL. */
const char *report_copy(struct report *r, const char *text, size_t len);
struct memtext;
/* report_take() - what was written to @m, in the same way; not open or not whole: the
 * report fails. */
const char *report_take(struct report *r, struct memtext *m);
/* report_plural() - "1 person", "2 people": @n and the word that goes with it. */
const char *report_plural(struct report *r, size_t n, const char *one,
			  const char *many);

/* report_provenance() - a line of where all this comes from; @text is copied. */
void report_provenance(struct report *r, const char *name, const char *title,
		       const char *text);
void report_provenance_n(struct report *r, const char *name, const char *title,
			 int64_t n);
/* report_limit() - what the report cannot know; report_missing() - data that should be
 * there and is not: incomplete; report_broken() - the log was changed. All borrowed. */
void report_limit(struct report *r, const char *text);
void report_missing(struct report *r, const char *text);
void report_broken(struct report *r, const char *text);
void report_filter(struct report *r, const char *text);

void report_figure(struct report *r, const char *name, const char *label, int64_t value,
		   const char *note, bool bad);

/* report_find() - a finding of @n cases; nothing when @n is 0. */
void report_find(struct report *r, enum report_severity severity, const char *code,
		 size_t n, const char *table, const char *text);

/* report_section() - what follows stands under it. */
void report_section(struct report *r, const char *title, const char *text);

struct report_table_spec {
	const char *name, *title, *note, *none;
	enum report_chart chart;
	const struct report_column *columns;
	size_t n_columns;
};

#define REPORT_TABLE(r_, name_, title_, columns_, ...)                                 \
	report_table((r_),                                                             \
		     &(struct report_table_spec){.name = (name_),                      \
						 .title = (title_),                    \
						 .columns = (columns_),                \
						 .n_columns = ARRAY_SIZE(columns_),    \
						 __VA_ARGS__})

/* report_table() - a table in the last section. Never NULL: without memory, one that
 * takes nothing. */
struct report_table *report_table(struct report *r,
				  const struct report_table_spec *spec);
/* report_row() - start a row; report_put_*() - its cells, from left to right. Cells
 * that are not put are empty. */
void report_row(struct report_table *t);
void report_put(struct report_table *t, const char *text); /* borrowed; NULL: empty */
void report_put_n(struct report_table *t, int64_t n);	   /* numbers and times */
void report_put_time(struct report_table *t, int64_t s);   /* 0: empty */
void report_skip(struct report_table *t);

/* report_sum() - the control total of a number column. */
int64_t report_sum(const struct report_table *t, size_t column);

/* report_exit() - what the report's content means, @threshold for findings. */
enum report_exit report_exit(const struct report *r, enum report_severity threshold);
