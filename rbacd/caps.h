/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caps.h - how many requests one key has pending: invoker, source address, service.
 *
 * A bounded hash table of counters under a random key, so that nobody can aim at a
 * bucket.
 */
#pragma once

#include "policy/base.h"

struct caps;

enum { CAPS_E_OVER = 1 /* the key is at its limit, or the table is full */ };

/* A counted key: what it is and who. Build with caps_key(). */
struct caps_key {
	uint64_t hash[2]; /* 0,0: no key, always passes */
};

_must_check_ int caps_new(size_t n_max, struct caps **ret);
void caps_free(struct caps *caps);

/* caps_key() - @kind: 'i' invoker, 's' source, 'k' kind of service. */
struct caps_key caps_key(const struct caps *caps, char kind, const void *p, size_t len);

/* caps_take() - count one more. Return: 0; CAPS_E_OVER, nothing counted. */
_must_check_ int caps_take(struct caps *caps, const struct caps_key *key,
			   uint32_t limit);
void caps_drop(struct caps *caps, const struct caps_key *key);
