/* SPDX-License-Identifier: Apache-2.0 */
/* out.h - tables of typed cells, printed as text for people, as JSON or as CSV. */
#pragma once

#include <stdio.h>

#include "policy/base.h"
#include "rbacd/wire/buf.h"

struct out_cell {
	char name[32];
	enum wire_cell_kind kind; /* 0: absent */
	char *text; /* owned, NUL-terminated; TEXT and JSON; wiped when freed */
	size_t len;
	int64_t i; /* INT, TIME, BOOL */
};

struct out_row {
	struct out_row *next;
	size_t n, cap;
	struct out_cell *cells; /* owned */
};

struct out_table {
	struct out_table *next;
	char name[64];
	struct out_row *first, *last; /* owned */
	size_t n;
};

/* An answer: tables in the order of their first row. */
struct out_set {
	struct out_table *first, *last; /* owned */
};

#define OUT_SET_INIT                                                                   \
	{                                                                              \
		0                                                                      \
	}
void out_set_done(struct out_set *set); /* frees and wipes: rows may hold secrets */
#define _cleanup_out_ _cleanup_(out_set_done)

/* out_add_row() - a new, empty row of @table; NULL when out of memory. */
struct out_row *out_add_row(struct out_set *set, const char *table);
/* out_add_*() - append a cell. Return: 0; -ENOMEM; -E2BIG. */
_must_check_ int out_add_text(struct out_row *row, const char *name, const char *text,
			      size_t len);
_must_check_ int out_add_number(struct out_row *row, const char *name,
				enum wire_cell_kind kind, int64_t v);
/* out_add_frame() - a whole ROW frame. Return: 0; -ENOMEM; -EPROTO. */
_must_check_ int out_add_frame(struct out_set *set, const struct wire_frame *frame);

const struct out_table *out_find(const struct out_set *set, const char *table);
const struct out_cell *out_cell(const struct out_row *row, const char *name);
/* out_text() - a cell's text in the first row of @table, or NULL. */
const char *out_text(const struct out_set *set, const char *table, const char *name);

/* out_print_table() - aligned columns under a header; NULL prints nothing. */
void out_print_table(const struct out_table *t, FILE *out);
/* out_print_record() - the first row, one "name: value" line a cell, indented. */
void out_print_record(const struct out_table *t, FILE *out);
void out_print_csv(const struct out_table *t, FILE *out);
/* out_json_table() - an array of objects, or @single the first row as one object. */
void out_json_table(const struct out_table *t, bool single, FILE *out);

/*
 * out_json_set() - one object with a member for each table.
 * @lists: names of tables that are arrays, separated by spaces, also when they are
 * empty; every other table is one object.
 */
void out_json_set(const struct out_set *set, const char *lists, FILE *out);
