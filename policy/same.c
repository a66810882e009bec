/* SPDX-License-Identifier: Apache-2.0 */
/* same.c - compares two policies rule by rule; in doubt they differ. */
#include "policy/same.h"

#include <errno.h>

#include "policy/match.h"

/* ----------------------------------------------------------------- parts */

static bool same_text(const char *a, const char *b)
{
	return a && b ? str_eq(a, b) : !a && !b;
}

static bool same_names(const struct names *a, const struct names *b)
{
	bool same = a->n == b->n;

	for (uint32_t i = 0; i < a->n && same; i++)
		same = str_eq(a->v[i], b->v[i]);
	return same;
}

static bool same_mfa(const struct model_mfa *a, const struct model_mfa *b, uint32_t n)
{
	if (!a || !b || !a->max_age || !b->max_age)
		return a == b;
	return a->accept == b->accept &&
	       memcmp(a->max_age, b->max_age, n * sizeof(*a->max_age)) == 0;
}

static bool same_time(const struct model_time *a, const struct model_time *b)
{
	if (!a || !b)
		return a == b;
	return a->days == b->days && a->from_m == b->from_m &&
	       a->until_m == b->until_m && str_eq(a->tz, b->tz);
}

static bool same_from(const struct rule *a, const struct rule *b)
{
	bool same = a->n_from == b->n_from;

	for (uint32_t i = 0; i < a->n_from && same; i++)
		same = a->from[i].local == b->from[i].local &&
		       a->from[i].v4 == b->from[i].v4 &&
		       a->from[i].bits == b->from[i].bits &&
		       memcmp(a->from[i].addr, b->from[i].addr,
			      sizeof(a->from[i].addr)) == 0;
	return same;
}

/* By name; a person also by pin. */
static bool same_principal(const struct same *s, uint32_t a, uint32_t b)
{
	const struct policy *x = s->p[0], *y = s->p[1];

	if (!str_eq(x->principal_text[a], y->principal_text[b]))
		return false;
	if (a < x->groups.n || a >= x->groups.n + x->users.n)
		return true;
	return same_text(x->user_ids[a - x->groups.n], y->user_ids[b - y->groups.n]);
}

static bool same_to(const struct same *s, const struct rule *a, const struct rule *b)
{
	bool same = a->to.n == b->to.n;

	for (uint32_t i = 0; i < a->to.n && same; i++)
		same = same_principal(s, a->to.v[i], b->to.v[i]);
	return same;
}

/* But for the privileges, which are compared as bits. */
static bool same_rule(const struct same *s, const struct rule *a, const struct rule *b)
{
	return a->valid_from_s == b->valid_from_s &&
	       a->valid_until_s == b->valid_until_s &&
	       a->review_every_s == b->review_every_s && a->overdue == b->overdue &&
	       same_mfa(a->mfa, b->mfa, s->p[0]->privileges.n) &&
	       same_time(a->time, b->time) && same_from(a, b) && same_to(s, a, b);
}

/* ----------------------------------------------------------------- rules */

/* Rule @i of the old, @k of the new; NAMES_NONE: there is none. */
static void compare_pair(struct same *s, uint32_t i, uint32_t k, bool same)
{
	for (size_t w = 0; w < s->words; w++) {
		uint64_t a = i == NAMES_NONE ? 0 : s->may[0][i * s->words + w];
		uint64_t b = k == NAMES_NONE ? 0 : s->may[1][k * s->words + w];
		uint64_t bits = same ? a ^ b : a | b;

		if (bits && i != NAMES_NONE) {
			s->differs[0][i * s->words + w] = bits;
			s->changed[0][i] = true;
		}
		if (bits && k != NAMES_NONE) {
			s->differs[1][k * s->words + w] = bits;
			s->changed[1][k] = true;
		}
	}
}

/* Both are sorted by id; what has no twin is changed. */
static void pair_rules(struct same *s, const struct rules *a, const struct rules *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int c = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->v[i].id, b->v[k].id);

		if (c <= 0)
			s->rule_twin[i] = c == 0 ? k : NAMES_NONE;
		compare_pair(s, c <= 0 ? i : NAMES_NONE, c >= 0 ? k : NAMES_NONE,
			     c == 0 && same_rule(s, &a->v[i], &b->v[k]));
		i += c <= 0;
		k += c >= 0;
	}
}

struct span {
	const uint32_t *v;
	uint32_t n;
};

static struct span rules_of(const struct rules *rules, uint32_t class)
{
	const struct csr *by = &rules->by_class;

	if (class == SAME_NO_CLASS)
		return (struct span){0};
	return (struct span){by->v + by->off[class],
			     by->off[class + 1] - by->off[class]};
}

/* Row @row of @bits. */
static void add_bits(const struct same *s, uint64_t *to, const uint64_t *bits,
		     size_t row)
{
	for (size_t w = 0; w < s->words; w++)
		to[w] |= bits[row * s->words + w];
}

/* A rule that holds these VMs on one side only. */
static void add_lonely(struct same *s, uint64_t *spot, int side, uint32_t rule)
{
	s->changed[side][rule] = true;
	add_bits(s, spot, s->may[side], rule);
}

static void compare_spot(struct same *s, const struct span *a, const struct span *b,
			 uint64_t *spot)
{
	uint32_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		uint32_t twin = i < a->n ? s->rule_twin[a->v[i]] : NAMES_NONE;

		if (i < a->n && twin != NAMES_NONE && k < b->n && twin == b->v[k]) {
			add_bits(s, spot, s->differs[0], a->v[i++]);
			k++;
		} else if (i < a->n &&
			   (twin == NAMES_NONE || k == b->n || twin < b->v[k])) {
			add_lonely(s, spot, 0, a->v[i++]);
		} else {
			add_lonely(s, spot, 1, b->v[k++]);
		}
	}
}

static void mark_principals(struct same *s, int side, const struct rules *rules)
{
	for (uint32_t i = 0; i < rules->n; i++)
		for (uint32_t k = 0; k < rules->v[i].to.n && s->changed[side][i]; k++)
			s->principal[side][rules->v[i].to.v[k]] = true;
}

/* Only what was written: untouched pages of wide tables stay unused. */
static void forget(struct same *s, int side, uint32_t n_rules)
{
	memset(s->changed[side], 0, n_rules * sizeof(bool));
	for (size_t i = 0; i < n_rules * s->words; i++)
		if (s->may[side][i] || s->differs[side][i])
			s->may[side][i] = s->differs[side][i] = 0;
}

/* Grants, denies or break_glass of both. */
static void compare_rules(struct same *s, const struct rules *a, const struct rules *b,
			  const uint32_t (*class)[2], size_t n_spots)
{
	forget(s, 0, a->n);
	forget(s, 1, b->n);
	match_privileges(s->p[0], a, s->privs, s->may[0]);
	match_privileges(s->p[1], b, s->privs, s->may[1]);
	pair_rules(s, a, b);
	for (size_t i = 0; i < n_spots; i++) {
		const struct span x = rules_of(a, class[i][0]),
				  y = rules_of(b, class[i][1]);

		compare_spot(s, &x, &y, s->spot + i * s->words);
	}
	mark_principals(s, 0, a);
	mark_principals(s, 1, b);
}

/* ------------------------------------------------------------------ whole */

static void pair_groups(struct same *s)
{
	for (uint32_t i = 0; i < s->p[0]->groups.n; i++)
		s->group_twin[i] = names_find(&s->p[1]->groups, s->p[0]->groups.v[i]);
}

static int allocate(struct same *s, size_t n_spots)
{
	size_t n_rules[2];

	for (int side = 0; side < 2; side++) {
		const struct policy *p = s->p[side];

		n_rules[side] = (size_t)p->grants.n + p->denies.n + p->glass.n + 1;
		s->class[side] = calloc((size_t)p->grants.by_class.n * s->words + 1,
					sizeof(uint64_t));
		s->principal[side] =
			calloc((size_t)policy_principal_count(p) + 1, sizeof(bool));
		s->changed[side] = calloc(n_rules[side], sizeof(bool));
		s->may[side] = calloc(n_rules[side] * s->words + 1, sizeof(uint64_t));
		s->differs[side] =
			calloc(n_rules[side] * s->words + 1, sizeof(uint64_t));
		if (!s->class[side] || !s->principal[side] || !s->changed[side] ||
		    !s->may[side] || !s->differs[side])
			return -ENOMEM;
	}
	s->spot = calloc(n_spots * s->words + 1, sizeof(uint64_t));
	s->rule_twin = calloc(n_rules[0], sizeof(*s->rule_twin));
	s->group_twin = calloc((size_t)s->p[0]->groups.n + 1, sizeof(*s->group_twin));
	return s->spot && s->rule_twin && s->group_twin ? 0 : -ENOMEM;
}

/* VMs of one side only differ in everything. */
static void mark_lonely(struct same *s, const uint32_t (*class)[2], size_t n_spots)
{
	for (size_t i = 0; i < n_spots; i++) {
		if (class[i][0] != SAME_NO_CLASS && class[i][1] != SAME_NO_CLASS)
			continue;
		s->vms = true;
		memset(s->spot + i * s->words, 0xff, s->words * sizeof(uint64_t));
	}
}

static void mark_classes(struct same *s, const uint32_t (*class)[2], size_t n_spots)
{
	for (size_t i = 0; i < n_spots; i++)
		for (int side = 0; side < 2; side++)
			if (class[i][side] != SAME_NO_CLASS)
				add_bits(s,
					 s->class[side] + class[i][side] * s -> words,
					 s -> spot, i);
}

int same_init(struct same *s, const uint32_t (*class)[2], size_t n_spots)
{
	const struct policy *before = s->p[0], *after = s->p[1];

	s->words = (policy_privileges_count(s->privs) + 63) / 64;
	/* Separations look at all that a person holds. */
	s->nothing = before->n_separations > 0 || after->n_separations > 0 ||
		     !same_names(&before->privileges, &after->privileges);
	if (allocate(s, n_spots) != 0)
		return -ENOMEM;
	mark_lonely(s, class, n_spots);
	pair_groups(s);
	compare_rules(s, &before->grants, &after->grants, class, n_spots);
	compare_rules(s, &before->denies, &after->denies, class, n_spots);
	compare_rules(s, &before->glass, &after->glass, class, n_spots);
	mark_classes(s, class, n_spots);
	return 0;
}

void same_done(struct same *s)
{
	for (int side = 0; side < 2; side++) {
		free(s->class[side]);
		free(s->principal[side]);
		free(s->changed[side]);
		free(s->may[side]);
		free(s->differs[side]);
	}
	free(s->spot);
	free(s->rule_twin);
	free(s->group_twin);
}

/* ---------------------------------------------------------------- people */

/* Groups that one policy alone names are judged by its rules: those are changed. */
static bool same_groups(const struct same *s, const uint32_t *a, size_t n_a,
			const uint32_t *b, size_t n_b)
{
	size_t k = 0;

	for (size_t i = 0; i < n_a; i++) {
		uint32_t twin = s->group_twin[a[i]];

		if (twin == NAMES_NONE)
			continue;
		while (k < n_b && b[k] < twin &&
		       names_find(&s->p[0]->groups, s->p[1]->groups.v[b[k]]) ==
			       NAMES_NONE)
			k++;
		if (k == n_b || b[k] != twin)
			return false;
		k++;
	}
	for (; k < n_b; k++)
		if (names_find(&s->p[0]->groups, s->p[1]->groups.v[b[k]]) != NAMES_NONE)
			return false;
	return true;
}

bool same_person(const struct same *s, const struct policy_subject *a,
		 const struct policy_subject *b)
{
	return a && b && a->known == b->known && a->enabled == b->enabled &&
	       a->stale == b->stale && a->local == b->local &&
	       a->directory == b->directory && a->expires_s == b->expires_s &&
	       same_text(a->id, b->id) &&
	       same_groups(s, a->groups, a->n_groups, b->groups, b->n_groups) &&
	       same_groups(s, a->unknown, a->n_unknown, b->unknown, b->n_unknown);
}

static bool any_marked(const bool *marked, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (marked[v[i]])
			return true;
	return false;
}

bool same_named(const struct same *s, int side, const struct policy_subject *who)
{
	const bool *marked = s->principal[side];
	struct match_subject m;

	match_subject_init(&m, s->p[side], who);
	/* Without an id any user:NAME may be meant; batch asks for no rule at all. */
	return m.users_from != m.users_end || (who->local && s->vms) ||
	       any_marked(marked, m.groups, m.n_groups) ||
	       any_marked(marked, m.unknown, m.n_unknown) ||
	       any_marked(marked, m.grant_named, m.n_grant_named) ||
	       any_marked(marked, m.deny_named, m.n_deny_named);
}
