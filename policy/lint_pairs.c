/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint_pairs.c - grants that another rule makes pointless. It says so only when that is
 * certain: what cannot be compared here, as hours, is let pass.
 */
#include "policy/lint_internal.h"

static bool indices_within(const struct policy_indices *a,
			   const struct policy_indices *b)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (k < b->n && b->v[k] < a->v[i])
			k++;
		if (k == b->n || b->v[k] != a->v[i])
			return false;
	}
	return true;
}

static bool texts_within(const struct policy_texts *a, const struct policy_texts *b)
{
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;

		for (size_t k = 0; k < b->n && !found; k++)
			found = str_eq(a->v[i], b->v[k]);
		if (!found)
			return false;
	}
	return true;
}

/* All that @a names, @b names too. */
static bool reach_within(const struct lint *l, const struct lint_rule *a,
			 const struct lint_rule *b)
{
	if (b->n_vms < a->n_vms || (a->r.privileges & ~b->r.privileges) != 0 ||
	    !indices_within(&a->r.to, &b->r.to))
		return false;
	if (b->r.privileges != UINT64_MAX && !texts_within(&a->r.su, &b->r.su))
		return false;
	for (size_t w = 0; w < l->words; w++)
		if (a->vms[w] & ~b->vms[w])
			return false;
	return true;
}

/* Whenever @a's conditions are met, so are @b's. */
static bool when_within(const struct lint *l, const struct policy_rule *a,
			const struct policy_rule *b)
{
	if (b->tz || b->valid_from_s > a->valid_from_s ||
	    (b->valid_until_s != 0 &&
	     (a->valid_until_s == 0 || a->valid_until_s > b->valid_until_s)))
		return false;
	if (b->review_every_s != 0 && b->overdue == POLICY_OVERDUE_SUSPEND)
		return false;
	if (b->accept == 0)
		return true;
	if (a->accept == 0 || (a->accept & ~b->accept) != 0)
		return false;
	for (size_t i = 0; i < policy_privilege_count(l->in->policy); i++)
		if ((a->privileges >> i & 1) && a->max_age_s[i] > b->max_age_s[i])
			return false;
	return true;
}

static bool covers(const struct lint *l, const struct lint_rule *b,
		   const struct lint_rule *a)
{
	return reach_within(l, a, b) && when_within(l, &a->r, &b->r) &&
	       lint_from_within(a->rule, b->rule) &&
	       indices_within(&a->r.roles, &b->r.roles); /* separations go by role */
}

static void find_cover(const struct lint *l, size_t i)
{
	const struct lint_rule *a = &l->rules[i];

	for (size_t k = 0; k < l->n_grants; k++) {
		const struct lint_rule *b = &l->rules[k];
		bool same;

		if (k == i || !covers(l, b, a))
			continue;
		same = covers(l, a, b);
		if (same && k > i)
			continue; /* told when its turn comes */
		lint_say(l, POLICY_LINT_WARNING, same ? "duplicate" : "subsumed",
			 a->r.id, &a->r.where,
			 same ? "grant '%s' opens the same as grant '%s'"
			      : "grant '%s' opens nothing that grant '%s' does not",
			 a->r.id, b->r.id);
		return;
	}
}

static void find_shadow(const struct lint *l, const struct lint_rule *a)
{
	for (size_t k = l->n_grants; k < l->n_rules; k++) {
		const struct lint_rule *b = &l->rules[k];

		if (b->r.tz || !reach_within(l, a, b) ||
		    !lint_from_within(a->rule, b->rule))
			continue;
		lint_say(l, POLICY_LINT_WARNING, "shadowed", a->r.id, &a->r.where,
			 "grant '%s' opens nothing: deny '%s' holds on all of it",
			 a->r.id, b->r.id);
		return;
	}
}

void lint_pairs(const struct lint *l)
{
	for (size_t i = 0; i < l->n_grants; i++) {
		const struct lint_rule *a = &l->rules[i];

		lint_step(l);
		if (a->n_vms == 0)
			continue; /* dead is enough */
		find_cover(l, i);
		find_shadow(l, a);
	}
}
