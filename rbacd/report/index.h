/* SPDX-License-Identifier: Apache-2.0 */
/* index.h - texts by number: the same text always gets the same one. */
#pragma once

#include "policy/arena.h"

struct index {
	struct arena arena;
	struct index_slot *slots; /* owned; a power of two */
	size_t n_slots;
	struct index_text *texts; /* owned */
	size_t n, cap;
	size_t most; /* 0: any number of texts */
};

struct index_text {
	const char *text; /* owned by the arena */
	size_t len;	  /* a key made of parts holds NULs */
};

void index_done(struct index *ix); /* a zeroed index is accepted */

#define INDEX_NONE UINT32_MAX

/*
 * index_put() - the number of @key, a new one when it was not there.
 * Return: 0; -ENOSPC: @most texts are there already; -ENOMEM.
 */
_must_check_ int index_put(struct index *ix, const char *key, size_t len,
			   uint32_t *ret);
/* index_hash() - of a text, the same in every program: FNV-1a, 64 bits. */
uint64_t index_hash(const char *key, size_t len);
/* index_find() - the number of @key, or INDEX_NONE. */
uint32_t index_find(const struct index *ix, const char *key, size_t len);
