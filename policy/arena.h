/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - a bump allocator for data that lives and dies together; header-only.
 *
 * A YAML document and a compiled policy are built once and freed as a whole, so their
 * parts carry no ownership of their own.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base.h"

#define ARENA_CHUNK (64u << 10)

struct arena_chunk {
	struct arena_chunk *next; /* owned */
	size_t used, size;
	_Alignas(16) unsigned char bytes[];
};

struct arena {
	struct arena_chunk *head; /* owned */
};

#define ARENA_INIT                                                                     \
	{                                                                              \
		0                                                                      \
	}

/*
 * arena_alloc() - zeroed bytes, aligned to 16.
 * Return: borrowed from the arena, or NULL when memory is short.
 */
static inline void *arena_alloc(struct arena *a, size_t len)
{
	struct arena_chunk *c = a->head;
	size_t need, size;
	void *p;

	if (len > SIZE_MAX / 2)
		return NULL;
	need = (len + 15) & ~(size_t)15;
	if (!c || c->size - c->used < need) {
		size = need > ARENA_CHUNK ? need : ARENA_CHUNK;
		c = calloc(1, sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = a->head;
		a->head = c;
	}
	p = c->bytes + c->used;
	c->used += need;
	return p;
}

/* arena_array() - zeroed room for @n elements of @size bytes; NULL on overflow. */
static inline void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(n, size, &len))
		return NULL;
	return arena_alloc(a, len);
}

/* arena_strndup() - a NUL-terminated copy. */
static inline char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (p && len > 0)
		memcpy(p, s, len);
	return p;
}

/* arena_reset() - everything in it is gone; the last chunk is kept, zeroed. */
static inline void arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->head;

	if (!keep)
		return;
	a->head = keep->next;
	while (a->head) {
		struct arena_chunk *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	memset(keep->bytes, 0, keep->used);
	keep->used = 0;
	keep->next = NULL;
	a->head = keep;
}

static inline void arena_done(struct arena *a)
{
	struct arena_chunk *c = a->head;

	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
	a->head = NULL;
}
