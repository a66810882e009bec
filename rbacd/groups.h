/* SPDX-License-Identifier: Apache-2.0 */
/*
 * groups.h - a snapshot's groups as the policy numbers them: member of, not member of,
 * or unknown because nobody has a usable list. Pure; no clock, no link.
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/directory/snapshot.h"
#include "rbacd/identity.h"

#define GROUPS_NONE UINT32_MAX

/* Sorted policy group indices, as policy_subject takes them. */
struct groups_lists {
	uint32_t *groups, *unknown; /* owned until groups_set() */
	size_t n_groups, n_unknown;
};

/* groups_count() - groups the policy names; 0 without a policy. */
size_t groups_count(const struct policy *p);

/* groups_pinned() - bound to a DN or id: only source ldap can answer for it. */
bool groups_pinned(const struct policy_group *g);

/* groups_map() - for each group of the policy its index in @s, or GROUPS_NONE. NULL:
 * out of memory; the caller frees. */
uint32_t *groups_map(const struct policy *p, const struct snapshot *s);

/* groups_has() - binary search in an account's sorted list. */
bool groups_has(const struct snapshot_account *a, uint32_t group);

/* groups_lists_new() - empty lists with room for @n. Return: 0; -ENOMEM. */
_must_check_ int groups_lists_new(size_t n, struct groups_lists *ret);

/* groups_all_unknown() - every group of the policy is unknown. */
_must_check_ int groups_all_unknown(const struct policy *p, struct groups_lists *ret);

/*
 * groups_split() - the policy's @n groups as lists for account @a of @s.
 * @map:     of groups_map().
 * @spare_s: how much older than in @s a group's list may be.
 */
_must_check_ int groups_split(size_t n, const uint32_t *map, const struct snapshot *s,
			      const struct snapshot_account *a, int64_t spare_s,
			      struct groups_lists *ret);

/* groups_set() - hand the lists over to @p. */
void groups_set(struct identity_person *p, struct groups_lists *l);
