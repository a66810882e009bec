/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - one audit record read back: its fields, a line of a table, sentences. */
#pragma once

#include <stdio.h>

#include "policy/base.h"
#include "rbacd/ctl/out.h"

#define RECORD_FIELDS_MAX 64
#define RECORD_TEXT_MAX	  4096

struct record {
	size_t n;
	struct {
		const char *key;   /* borrowed from @text */
		const char *value; /* borrowed from @text; numbers and nested JSON as
				      written */
		bool quoted;
	} fields[RECORD_FIELDS_MAX];
	char text[RECORD_TEXT_MAX];
};

/*
 * record_parse() - take one JSON object apart; strings are unescaped.
 * Return: 0; -EINVAL for anything that is not one whole object within the limits.
 */
_must_check_ int record_parse(const char *line, size_t len, struct record *ret);

/* record_get() - a field's value, or NULL. */
const char *record_get(const struct record *rec, const char *key);

/* record_add_row() - the record as a row of @set's table "records". 0; -ENOMEM. */
_must_check_ int record_add_row(const struct record *rec, struct out_set *set);

/* record_print_line() - one line at fixed columns, for following. */
void record_print_line(const struct record *rec, FILE *out);

/* record_explain() - what happened, why, and what would help, in sentences. */
void record_explain(const struct record *rec, FILE *out);

/* record_reason() - what a reason identifier means; NULL for an unknown one. */
const char *record_reason(const char *reason);
