/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - chained hash table, twice the slots whenever it is full. */

#include "rbacd/directory/table.h"

#include <errno.h>

#define SLOTS_FIRST 64

uint64_t table_hash(uint64_t seed, const void *p, size_t len)
{
	const unsigned char *b = p;
	uint64_t h = seed ^ (len * 0x9e3779b97f4a7c15u);

	for (size_t i = 0; i < len; i++) {
		h = (h ^ b[i]) * 0xff51afd7ed558ccdu;
		h ^= h >> 29;
	}
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 32;
}

int table_room(struct table *t)
{
	size_t n_slots = t->n_slots ? t->n_slots * 2 : SLOTS_FIRST;
	struct table_link **slots;

	if (t->n < t->n_slots)
		return 0;
	slots = calloc(n_slots, sizeof(struct table_link *));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_slots; i++)
		for (struct table_link *l = t->slots[i], *next; l; l = next) {
			struct table_link **slot = &slots[l->hash & (n_slots - 1)];

			next = l->next;
			l->next = *slot;
			*slot = l;
		}
	free(t->slots);
	t->slots = slots;
	t->n_slots = n_slots;
	return 0;
}

void table_add(struct table *t, struct table_link *l, uint64_t hash)
{
	struct table_link **slot = &t->slots[hash & (t->n_slots - 1)];

	l->hash = hash;
	l->next = *slot;
	*slot = l;
	t->n++;
}

void table_remove(struct table *t, struct table_link *l)
{
	struct table_link **at = &t->slots[l->hash & (t->n_slots - 1)];

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	t->n--;
}

static struct table_link *same_hash(struct table_link *l, uint64_t hash)
{
	while (l && l->hash != hash)
		l = l->next;
	return l;
}

struct table_link *table_find(const struct table *t, uint64_t hash)
{
	if (t->n_slots == 0)
		return NULL;
	return same_hash(t->slots[hash & (t->n_slots - 1)], hash);
}

struct table_link *table_find_next(const struct table_link *after)
{
	return same_hash(after->next, after->hash);
}

struct table_link *table_next(const struct table *t, const struct table_link *l)
{
	size_t i = 0;

	if (l && l->next)
		return l->next;
	if (l)
		i = (l->hash & (t->n_slots - 1)) + 1;
	while (i < t->n_slots && !t->slots[i])
		i++;
	return i < t->n_slots ? t->slots[i] : NULL;
}

void table_done(struct table *t)
{
	free(t->slots);
	*t = (struct table){.slots = NULL};
}
