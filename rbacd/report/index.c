/* SPDX-License-Identifier: Apache-2.0 */
/* index.c - a hash table of texts, open addressing, at most half full. */
#include "rbacd/report/index.h"

#include <errno.h>

struct index_slot {
	uint32_t hash;
	uint32_t number; /* + 1; 0: free */
};

uint64_t index_hash(const char *key, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
	return h;
}

static uint32_t hash_of(const char *key, size_t len)
{
	uint64_t h = index_hash(key, len);

	return (uint32_t)(h ^ h >> 32);
}

void index_done(struct index *ix)
{
	arena_done(&ix->arena);
	free(ix->slots);
	free(ix->texts);
}

static struct index_slot *slot_of(const struct index *ix, const char *key, size_t len,
				  uint32_t hash)
{
	for (size_t i = hash & (ix->n_slots - 1);; i = (i + 1) & (ix->n_slots - 1)) {
		struct index_slot *s = &ix->slots[i];
		const struct index_text *t;

		if (s->number == 0)
			return s;
		t = &ix->texts[s->number - 1];
		if (s->hash == hash && t->len == len && memcmp(t->text, key, len) == 0)
			return s;
	}
}

uint32_t index_find(const struct index *ix, const char *key, size_t len)
{
	return ix->n_slots == 0 ? INDEX_NONE
				: slot_of(ix, key, len, hash_of(key, len))->number - 1;
}

static int grow(struct index *ix)
{
	size_t n = ix->n_slots ? ix->n_slots * 2 : 64;
	struct index_slot *old = ix->slots, *slots = calloc(n, sizeof(*slots));
	size_t n_old = ix->n_slots;
	struct index_text *texts;

	if (!slots)
		return -ENOMEM;
	texts = reallocarray(ix->texts, n / 2, sizeof(*texts));
	if (!texts) {
		free(slots);
		return -ENOMEM;
	}
	ix->texts = texts;
	ix->slots = slots;
	ix->n_slots = n;
	for (size_t i = 0; i < n_old; i++)
		if (old[i].number != 0) {
			const struct index_text *t = &texts[old[i].number - 1];

			*slot_of(ix, t->text, t->len, old[i].hash) = old[i];
		}
	free(old);
	return 0;
}

int index_put(struct index *ix, const char *key, size_t len, uint32_t *ret)
{
	uint32_t hash = hash_of(key, len);
	struct index_slot *slot;
	char *text;

	if (ix->n >= ix->n_slots / 2 && grow(ix) != 0)
		return -ENOMEM;
	slot = slot_of(ix, key, len, hash);
	if (slot->number == 0) {
		if (ix->most > 0 && ix->n >= ix->most)
			return -ENOSPC;
		text = arena_strndup(&ix->arena, key, len);
		if (!text)
			return -ENOMEM;
		ix->texts[ix->n] = (struct index_text){.text = text, .len = len};
		slot->hash = hash;
		slot->number = (uint32_t)++ix->n;
	}
	*ret = slot->number - 1;
	return 0;
}
