/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - a hash table of structs that carry their own link; it allocates slots only.
 */
#pragma once

#include "policy/base.h"

struct table_link {
	struct table_link *next;
	uint64_t hash;
};

struct table {
	struct table_link **slots; /* owned; the elements are not */
	size_t n_slots, n;
};

/* table_hash() - @seed: random where strangers choose the bytes. */
uint64_t table_hash(uint64_t seed, const void *p, size_t len);

/* table_add() - never fails after table_room(), which makes room for one more. */
_must_check_ int table_room(struct table *t);
void table_add(struct table *t, struct table_link *l, uint64_t hash);
void table_remove(struct table *t, struct table_link *l);
/* table_find() - the first element of this hash, the next one after @after. */
struct table_link *table_find(const struct table *t, uint64_t hash);
struct table_link *table_find_next(const struct table_link *after);
/* table_next() - all elements, in no order; NULL starts. The one given last may be
 * removed only after the next one was taken. */
struct table_link *table_next(const struct table *t, const struct table_link *l);
void table_done(struct table *t);

/* The struct around a link. */
#define table_entry(l, type) ((type *)(void *)((char *)(l)-offsetof(type, link)))
