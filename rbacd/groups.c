/* SPDX-License-Identifier: Apache-2.0 */
/* groups.c - a snapshot's groups as the policy numbers them; pure. */

#include "rbacd/groups.h"

#include <errno.h>

/* As the policy asks for it: another object, or another pin, is another group. */
static uint32_t find_group(const struct snapshot *s, const struct policy_group *g)
{
	struct snapshot_group want = {.name = g->name,
				      .dn = g->dn ? g->dn : "",
				      .pin = g->id ? g->id : ""};
	uint32_t at;

	return snapshot_group_index(s, &want, &at) ? at : GROUPS_NONE;
}

size_t groups_count(const struct policy *p)
{
	return p ? policy_group_count(p) : 0;
}

/* A pinned group is that object of a directory and no other. */
bool groups_pinned(const struct policy_group *g)
{
	return g->dn || g->id;
}

/* For each group of the policy its index in @s, or GROUPS_NONE. */
uint32_t *groups_map(const struct policy *p, const struct snapshot *s)
{
	size_t n = groups_count(p);
	uint32_t *map = calloc(n + 1, sizeof(*map));

	for (size_t i = 0; map && i < n; i++)
		map[i] = find_group(s, policy_group_at(p, i));
	return map;
}

bool groups_has(const struct snapshot_account *a, uint32_t group)
{
	size_t low = 0, high = a->n_groups;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (a->groups[mid] == group)
			return true;
		if (a->groups[mid] < group)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

int groups_lists_new(size_t n, struct groups_lists *ret)
{
	*ret = (struct groups_lists){.groups = calloc(n + 1, sizeof(uint32_t)),
				     .unknown = calloc(n + 1, sizeof(uint32_t))};
	if (ret->groups && ret->unknown)
		return 0;
	free(ret->groups);
	free(ret->unknown);
	return -ENOMEM;
}

int groups_all_unknown(const struct policy *p, struct groups_lists *ret)
{
	size_t n = groups_count(p);
	int r = groups_lists_new(n, ret);

	for (size_t i = 0; r == 0 && i < n; i++)
		ret->unknown[ret->n_unknown++] = (uint32_t)i;
	return r;
}

/* @spare_s: how much older than in @s a group's list may be. */
int groups_split(size_t n, const uint32_t *map, const struct snapshot *s,
		 const struct snapshot_account *a, int64_t spare_s,
		 struct groups_lists *ret)
{
	struct snapshot_group g;
	int r = groups_lists_new(n, ret);

	for (size_t i = 0; r == 0 && i < n; i++) {
		bool usable = map[i] != GROUPS_NONE;

		if (usable) {
			snapshot_group_at(s, map[i], &g);
			usable = g.complete && g.age_s <= spare_s;
		}
		if (!usable)
			ret->unknown[ret->n_unknown++] = (uint32_t)i;
		else if (groups_has(a, map[i]))
			ret->groups[ret->n_groups++] = (uint32_t)i;
	}
	return r;
}

void groups_set(struct identity_person *p, struct groups_lists *l)
{
	p->groups = l->groups;
	p->n_groups = l->n_groups;
	p->unknown = l->unknown;
	p->n_unknown = l->n_unknown;
}
