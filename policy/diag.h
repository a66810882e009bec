/* SPDX-License-Identifier: Apache-2.0 */
/* diag.h - diagnostics for people: where, what, and the line with a caret. */
#pragma once

#include <stdio.h>

#include "policy/base.h"

#define DIAG_MAX 200 /* more are counted, not kept */

struct diag {
	char *file;    /* owned */
	unsigned line; /* 1-based; 0: the whole file */
	unsigned column;
	char *msg;     /* owned; one sentence, no newline */
	char *excerpt; /* owned or NULL: the source line */
};

struct diags {
	struct diag *v; /* owned */
	size_t n;
	size_t n_dropped; /* beyond DIAG_MAX */
};

#define DIAGS_INIT                                                                     \
	{                                                                              \
		0                                                                      \
	}

/*
 * diags_add() - append one diagnostic.
 * @d:       list.
 * @file:    copied; NULL allowed.
 * @excerpt: source line (not NUL-terminated, up to a newline), copied; NULL allowed.
 * Out of memory drops the entry but counts it, so an error is never lost silently.
 */
void diags_add(struct diags *d, const char *file, unsigned line, unsigned column,
	       const char *excerpt, const char *fmt, ...) _printf_(6, 7);

/* diags_failed() - true when anything was reported. */
static inline bool diags_failed(const struct diags *d)
{
	return d->n > 0 || d->n_dropped > 0;
}

/*
 * diags_print() - write all entries as file:line:column: message, then the source
 * line and a caret line; control characters are escaped.
 */
void diags_print(const struct diags *d, FILE *out);

/* diags_done() - free the entries; DIAGS_INIT is accepted. */
void diags_done(struct diags *d);

#define _cleanup_diags_ _cleanup_(diags_done)

/*
 * "did you mean": diag_nearest_init() with the unknown word, diag_nearest_try() with
 * each known one; then @found is the closest one that is close enough, or NULL.
 */
struct diag_nearest {
	const char *word; /* borrowed */
	const char
		*found; /* borrowed from the caller of diag_nearest_try(); NULL: none */
	size_t distance;
	size_t limit;
};

void diag_nearest_init(struct diag_nearest *n, const char *word);
void diag_nearest_try(struct diag_nearest *n, const char *known);

/* diag_distance() - edit distance in bytes; SIZE_MAX for words over 64 bytes. */
size_t diag_distance(const char *a, const char *b);
