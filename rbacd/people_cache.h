/* SPDX-License-Identifier: Apache-2.0 */
/* people_cache.h - what the nss source said of single people; bounded, oldest use
 * first. */
#pragma once

#include <sys/queue.h>

#include "policy/policy.h"

/* A tree keeps hostile names from degrading the search, which a hash would not. */
struct person_entry {
	TAILQ_ENTRY(person_entry) lru;
	char login[POLICY_NAME_MAX + 1];
	char id[161];
	uint32_t uid, flags; /* enum snapshot_flag */
	int64_t expires_s;
	uint32_t *groups, *unknown; /* owned; indices of the active policy, sorted */
	size_t n_groups, n_unknown;
	int64_t boot_s, wall_s; /* arrival, CLOCK_BOOTTIME and UTC */
	bool refresh;		/* look up again, however young */
};

struct people_cache;

_must_check_ int people_cache_new(size_t max, struct people_cache **ret);
void people_cache_free(struct people_cache *cache);
/* people_cache_get() - borrowed until the next put or drop, or NULL; counts as a use.
 */
struct person_entry *people_cache_get(struct people_cache *cache, const char *login);
/*
 * people_cache_put() - take the heap entry over, replacing one of the same login and
 * dropping the least recently used one when full. -ENOMEM: the entry is freed.
 */
_must_check_ int people_cache_put(struct people_cache *cache,
				  struct person_entry *entry);
void people_cache_drop(struct people_cache *cache, const char *login);
/* people_cache_each() - @fn returns false to drop the entry. */
void people_cache_each(struct people_cache *cache,
		       bool (*fn)(struct person_entry *, void *), void *arg);
size_t people_cache_count(const struct people_cache *cache);
void person_entry_free(struct person_entry *entry);
