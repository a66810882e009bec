/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - a sorted, immutable list of names with a hash index. */
#pragma once

#include <stdint.h>

#include "policy/arena.h"
#include "policy/base.h"

#define NAMES_NONE UINT32_MAX

struct names_slot {
	uint32_t hash;
	uint32_t ref; /* index + 1; 0: empty */
};

struct names {
	const char **v; /* strictly ascending; owned by the arena */
	uint32_t *len;	/* owned by the arena */
	uint32_t n;
	uint32_t mask;
	struct names_slot *slot; /* owned by the arena */
};

/*
 * names_build() - take over @v, sort it, drop repetitions and index it.
 * @v: array and strings owned by @a.
 * Return: 0 or -ENOMEM.
 */
_must_check_ int names_build(struct names *names, struct arena *a, const char **v,
			     size_t n);

/* names_find() - the index of a name, or NAMES_NONE; NULL is never found. */
uint32_t names_find(const struct names *names, const char *text);
