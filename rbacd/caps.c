/* SPDX-License-Identifier: Apache-2.0 */
/* caps.c - pending counters by key; open addressing, backward-shift deletion. */

#include "rbacd/caps.h"

#include <errno.h>
#include <sys/random.h>

struct slot {
	uint64_t hash[2];
	uint32_t n;
};

struct caps {
	uint64_t seed[2];
	size_t mask; /* slots - 1, a power of two minus one */
	size_t used, max;
	struct slot *slots; /* owned */
};

int caps_new(size_t n_max, struct caps **ret)
{
	struct caps *c = calloc(1, sizeof(*c));
	size_t n = 16;

	if (!c)
		return -ENOMEM;
	while (n < n_max * 2)
		n *= 2;
	c->slots = calloc(n, sizeof(*c->slots));
	c->mask = n - 1;
	c->max = n_max;
	if (!c->slots || getrandom(c->seed, sizeof(c->seed), 0) != sizeof(c->seed)) {
		caps_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void caps_free(struct caps *caps)
{
	if (!caps)
		return;
	free(caps->slots);
	free(caps);
}

/* Multiply-xorshift mixing (the finaliser of splitmix64), keyed by the seed. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

struct caps_key caps_key(const struct caps *caps, char kind, const void *p, size_t len)
{
	const uint8_t *b = p;
	struct caps_key k = {{caps->seed[0] ^ (uint64_t)(unsigned char)kind,
			      caps->seed[1] + (uint64_t)len}};

	for (size_t i = 0; i < len; i++) {
		k.hash[0] = mix(k.hash[0] ^ b[i]);
		k.hash[1] = mix(k.hash[1] + b[i] + caps->seed[0]);
	}
	k.hash[0] = mix(k.hash[0] + caps->seed[1]) | 1; /* never the empty key */
	return k;
}

static bool same(const struct slot *s, const struct caps_key *k)
{
	return s->hash[0] == k->hash[0] && s->hash[1] == k->hash[1];
}

/* The key's slot, or the empty one where it would go. */
static size_t probe(const struct caps *caps, const struct caps_key *k)
{
	size_t i = k->hash[0] & caps->mask;

	while (caps->slots[i].n > 0 && !same(&caps->slots[i], k))
		i = (i + 1) & caps->mask;
	return i;
}

int caps_take(struct caps *caps, const struct caps_key *key, uint32_t limit)
{
	struct slot *s;

	if (key->hash[0] == 0)
		return 0;
	s = &caps->slots[probe(caps, key)];
	if (s->n >= limit || (s->n == 0 && caps->used >= caps->max))
		return CAPS_E_OVER;
	if (s->n == 0) {
		s->hash[0] = key->hash[0];
		s->hash[1] = key->hash[1];
		caps->used++;
	}
	s->n++;
	return 0;
}

void caps_drop(struct caps *caps, const struct caps_key *key)
{
	size_t hole, i;

	if (key->hash[0] == 0)
		return;
	hole = probe(caps, key);
	if (caps->slots[hole].n == 0 || --caps->slots[hole].n > 0)
		return;
	caps->used--;
	/* Close the gap so that no later probe stops early: move back every slot whose
	 * home lies at or before the hole. */
	for (i = (hole + 1) & caps->mask; caps->slots[i].n > 0;
	     i = (i + 1) & caps->mask) {
		size_t home = caps->slots[i].hash[0] & caps->mask;

		if (((i - home) & caps->mask) < ((i - hole) & caps->mask))
			continue;
		caps->slots[hole] = caps->slots[i];
		caps->slots[i].n = 0;
		hole = i;
	}
}
