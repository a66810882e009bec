/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - name to index; used while loading and once or twice a decision. */
#include "policy/names.h"

#include <errno.h>

static uint32_t hash_bytes(const char *s, size_t len)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t h = len * k, w;

	for (; len >= 8; len -= 8, s += 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * k;
		h ^= h >> 32;
	}
	w = 0;
	for (size_t i = 0; i < len; i++)
		w = w << 8 | (unsigned char)s[i];
	h = (h ^ w) * k;
	return (uint32_t)(h ^ h >> 32) | 1;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int names_build(struct names *names, struct arena *a, const char **v, size_t n)
{
	struct names r = {.v = v};
	size_t size = 8;

	if (n > 1)
		qsort(v, n, sizeof(*v), compare_text);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !str_eq(v[i], v[r.n - 1]))
			v[r.n++] = v[i];
	while (size < 2 * (size_t)r.n)
		size *= 2;
	r.mask = (uint32_t)(size - 1);
	r.slot = arena_array(a, size, sizeof(*r.slot));
	r.len = arena_array(a, r.n, sizeof(*r.len));
	if (!r.slot || !r.len)
		return -ENOMEM;
	for (uint32_t i = 0; i < r.n; i++) {
		size_t len = strlen(v[i]);
		uint32_t hash = hash_bytes(v[i], len), at = hash & r.mask;

		while (r.slot[at].ref)
			at = (at + 1) & r.mask;
		r.slot[at] = (struct names_slot){.hash = hash, .ref = i + 1};
		r.len[i] = (uint32_t)len;
	}
	*names = r;
	return 0;
}

uint32_t names_find(const struct names *names, const char *text)
{
	size_t len;
	uint32_t hash;

	if (!text || names->n == 0)
		return NAMES_NONE;
	len = strlen(text);
	hash = hash_bytes(text, len);
	for (uint32_t at = hash & names->mask; names->slot[at].ref;
	     at = (at + 1) & names->mask) {
		uint32_t i = names->slot[at].ref - 1;

		if (names->slot[at].hash == hash && names->len[i] == len &&
		    memcmp(names->v[i], text, len) == 0)
			return i;
	}
	return NAMES_NONE;
}
