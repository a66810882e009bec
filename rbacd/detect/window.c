/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c - counters by hash of their key, eight places each.
 *
 * Keys come from strangers: the hash is keyed with random bytes, so that nobody can
 * choose names that push one chosen counter out.
 */
#include "rbacd/detect/window.h"

#include <errno.h>
#include <sys/random.h>

#define PROBES 8

struct entry {
	uint64_t key; /* 0: free */
	int64_t since_s, last_s;
	uint32_t n, n_values;
	uint32_t values[WINDOW_DISTINCT];
};

struct window {
	uint64_t salt[2];
	struct entry v[WINDOW_KEYS];
};

int window_new(struct window **ret)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	if (getrandom(w->salt, sizeof(w->salt), 0) != (ssize_t)sizeof(w->salt)) {
		free(w);
		return -EIO;
	}
	*ret = w;
	return 0;
}

void window_free(struct window *window)
{
	free(window);
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static uint64_t hash(const struct window *w, const char *text)
{
	uint64_t h = w->salt[0];

	for (; *text; text++)
		h = mix(h ^ (uint8_t)*text) + w->salt[1];
	return h ? h : 1;
}

static struct entry *find(struct window *w, uint64_t key, int64_t now_s,
			  int64_t window_s)
{
	struct entry *oldest = NULL;

	for (uint64_t i = 0; i < PROBES; i++) {
		struct entry *e = &w->v[(key + i) % WINDOW_KEYS];

		if (e->key == key && now_s >= e->since_s &&
		    now_s - e->since_s < window_s)
			return e;
		if (e->key == key || e->key == 0) {
			oldest = e;
			break;
		}
		if (!oldest || e->last_s < oldest->last_s)
			oldest = e;
	}
	*oldest = (struct entry){.key = key, .since_s = now_s};
	return oldest;
}

static void add_value(struct entry *e, uint32_t value)
{
	for (uint32_t i = 0; i < e->n_values; i++)
		if (e->values[i] == value)
			return;
	if (e->n_values < WINDOW_DISTINCT)
		e->values[e->n_values++] = value;
}

struct window_count window_add(struct window *w, const char *key, const char *value,
			       int64_t now_s, int64_t window_s)
{
	struct entry *e = find(w, hash(w, key), now_s, window_s);

	e->last_s = now_s;
	if (e->n < UINT32_MAX)
		e->n++;
	add_value(e, (uint32_t)hash(w, value));
	return (struct window_count){e->n, e->n_values};
}
