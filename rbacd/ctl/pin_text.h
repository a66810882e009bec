/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_text.h - puts ids into the text of a policy file and leaves every other byte as
 * it is: comments, order and layout are the author's.
 */
#pragma once

#include "policy/policy.h"

/* The map that gets an id: where it begins, as policy_group_where() tells. */
struct pin_place {
	unsigned line, column; /* from 1; a column is a character */
	const char *id;	       /* borrowed */
};

/*
 * pin_text() - a copy of @src with the ids.
 * @v:    n places, by line and column, each once.
 * @diff: gets the changed lines as a unified diff without context.
 * @ret:  owned; NUL-terminated.
 * Return: 0; -EINVAL: a place is not the begin of a map, or an id that needs escapes;
 * -ENOMEM. The result is text only: the caller loads it to see what it says.
 */
_must_check_ int pin_text(const struct policy_source *src, const struct pin_place *v,
			  size_t n, FILE *diff, char **ret, size_t *ret_len);
