/* SPDX-License-Identifier: Apache-2.0 */
/* lint_from.c - what the networks of `from:` say twice, too widely or against each
 * other. */
#include "policy/lint_internal.h"
#include "policy/match.h"
#include "policy/print.h"

#define WIDE_V4_BITS 8 /* shorter prefixes are no place */
#define WIDE_V6_BITS 16
#define PAIRS_MAX    (1u << 20) /* longer lists are let pass */

static bool holds(const struct model_from *a, const struct model_from *b)
{
	if (a->local || b->local)
		return a->local && b->local;
	return a->v4 == b->v4 && a->bits <= b->bits &&
	       match_prefix(a->addr, b->addr, a->bits);
}

static bool comparable(const struct rule *a, const struct rule *b)
{
	return (uint64_t)a->n_from * b->n_from <= PAIRS_MAX;
}

/* The first network of @r around @f, but for itself; NULL: none. */
static const struct model_from *find_around(const struct rule *r,
					    const struct model_from *f)
{
	for (uint32_t i = 0; i < r->n_from; i++)
		if (&r->from[i] != f && holds(&r->from[i], f))
			return &r->from[i];
	return NULL;
}

bool lint_from_within(const struct rule *a, const struct rule *b)
{
	if (b->n_from == 0)
		return true;
	if (a->n_from == 0 || !comparable(a, b))
		return false;
	for (uint32_t i = 0; i < a->n_from; i++)
		if (!find_around(b, &a->from[i]))
			return false;
	return true;
}

/* ---------------------------------------------------------------- one list */

static void check_wide(const struct lint *l, const struct lint_rule *rule)
{
	const struct rule *r = rule->rule;
	char text[PRINT_NETWORK_MAX];

	for (uint32_t i = 0; i < r->n_from && !rule->deny; i++) {
		const struct model_from *f = &r->from[i];

		if (f->local ||
		    (f->v4 ? f->bits - 96 >= WIDE_V4_BITS : f->bits >= WIDE_V6_BITS))
			continue;
		print_network(f, text);
		lint_say(l, POLICY_LINT_WARNING, "broad-from", r->id, &r->where,
			 "grant '%s' takes %s for a place: that bounds next to nothing",
			 r->id, text);
	}
}

/* A list is sorted, so what is around an entry stands before it, or is the same. */
static void check_nested(const struct lint *l, const struct lint_rule *rule)
{
	const struct rule *r = rule->rule;
	char inner[PRINT_NETWORK_MAX], outer[PRINT_NETWORK_MAX];

	for (uint32_t i = 1; i < r->n_from; i++) {
		const struct model_from *f = &r->from[i], *around = f - 1;

		if (!holds(around, f) && f->outer == 0)
			continue;
		if (!holds(around, f))
			around = &r->from[f->outer - 1];
		if (!holds(around, f))
			continue; /* IPv6 around mapped IPv4: not really */
		print_network(f, inner);
		print_network(around, outer);
		lint_say(l, POLICY_LINT_NOTE, "nested-from", r->id, &r->where,
			 str_eq(inner, outer)
				 ? "%s '%s' names %s twice (%s)"
				 : "%s '%s' names %s, which lies within %s",
			 rule->deny ? "deny" : "grant", r->id, inner, outer);
	}
}

/* ---------------------------------------------------------------- two lists */

static bool indices_meet(const struct policy_indices *a, const struct policy_indices *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (lint_has(b, a->v[i]))
			return true;
	return false;
}

static bool reaches_meet(const struct lint *l, const struct lint_rule *a,
			 const struct lint_rule *b)
{
	if ((a->r.privileges & b->r.privileges) == 0 ||
	    !indices_meet(&a->r.to, &b->r.to))
		return false;
	for (size_t w = 0; w < l->words; w++)
		if (a->vms[w] & b->vms[w])
			return true;
	return false;
}

/* The first place of a deny inside, or around, one of a grant. */
static void check_taken_back(const struct lint *l, const struct lint_rule *grant,
			     const struct lint_rule *deny)
{
	const struct rule *g = grant->rule, *d = deny->rule;
	char ours[PRINT_NETWORK_MAX], theirs[PRINT_NETWORK_MAX];

	for (uint32_t i = 0; i < g->n_from; i++)
		for (uint32_t k = 0; k < d->n_from; k++) {
			if (!holds(&g->from[i], &d->from[k]) &&
			    !holds(&d->from[k], &g->from[i]))
				continue;
			print_network(&g->from[i], ours);
			print_network(&d->from[k], theirs);
			lint_say(l, POLICY_LINT_NOTE, "overlap", g->id, &g->where,
				 "grant '%s' opens to %s, deny '%s' takes %s back",
				 g->id, ours, d->id, theirs);
			return;
		}
}

void lint_from(const struct lint *l)
{
	for (size_t i = 0; i < l->n_rules; i++) {
		check_wide(l, &l->rules[i]);
		check_nested(l, &l->rules[i]);
	}
	for (size_t i = 0; i < l->n_grants; i++)
		for (size_t k = l->n_grants; k < l->n_rules; k++) {
			const struct lint_rule *g = &l->rules[i], *d = &l->rules[k];

			if (g->rule->n_from > 0 && d->rule->n_from > 0 &&
			    comparable(g->rule, d->rule) &&
			    !lint_from_within(g->rule, d->rule) &&
			    reaches_meet(l, g, d))
				check_taken_back(l, g, d);
		}
}
