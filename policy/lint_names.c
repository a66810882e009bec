/* SPDX-License-Identifier: Apache-2.0 */
/* lint_names.c - what is defined and leads nowhere; who holds what nobody may. */
#include <errno.h>

#include "policy/lint_internal.h"

struct used {
	bool *sets, *roles, *principals; /* owned */
};

static void used_done(struct used *u)
{
	free(u->sets);
	free(u->roles);
	free(u->principals);
}

static void use_role(const struct policy *p, struct used *u, uint32_t role)
{
	struct policy_role info;

	if (u->roles[role] || !policy_role_at(p, role, &info))
		return;
	u->roles[role] = true;
	for (size_t i = 0; i < info.includes.n; i++)
		use_role(p, u, info.includes.v[i]);
}

static void use_all(const struct policy_indices *list, bool *used)
{
	for (size_t i = 0; i < list->n; i++)
		used[list->v[i]] = true;
}

/* Whoever a limit or an enrolment names is named by the policy. */
static void use_bounds(const struct policy *p, struct used *u)
{
	struct policy_enrolment e;
	struct policy_limit limit;

	for (size_t i = 0; policy_limit_at(p, i, &limit); i++)
		use_all(&limit.to, u->principals);
	for (size_t i = 0; policy_enrolment_at(p, i, &e); i++)
		use_all(&e.to, u->principals);
}

static int find_used(const struct lint *l, struct used *u)
{
	const struct policy *p = l->in->policy;

	u->sets = calloc(policy_set_count(p) + 1, sizeof(bool));
	u->roles = calloc(policy_role_count(p) + 1, sizeof(bool));
	u->principals = calloc(policy_principal_count(p) + 1, sizeof(bool));
	if (!u->sets || !u->roles || !u->principals)
		return -ENOMEM;
	use_bounds(p, u);
	for (size_t i = 0; i < l->n_rules; i++) {
		const struct policy_rule *r = &l->rules[i].r;

		use_all(&r->to, u->principals);
		use_all(&r->sets, u->sets);
		for (size_t k = 0; k < r->roles.n; k++)
			use_role(p, u, r->roles.v[k]);
	}
	for (size_t i = 0; i < policy_break_glass_count(p); i++) {
		struct policy_rule r;

		(void)policy_break_glass_at(p, i, &r);
		use_all(&r.to, u->principals);
		use_all(&r.sets, u->sets);
	}
	return 0;
}

static void check_aliases(const struct lint *l, const struct used *u)
{
	const struct policy *p = l->in->policy;
	struct policy_where where;

	for (size_t i = 0; i < policy_group_count(p); i++)
		if (!u->principals[i] && policy_group_where(p, i, &where))
			lint_say(l, POLICY_LINT_NOTE, "unused",
				 policy_principal_at(p, i), &where,
				 "no rule names the group '%s'",
				 policy_principal_at(p, i));
}

int lint_names(const struct lint *l)
{
	const struct policy *p = l->in->policy;
	_cleanup_(used_done) struct used u = {0};
	struct policy_set set;
	struct policy_role role;
	int r = find_used(l, &u);

	if (r != 0)
		return r;
	check_aliases(l, &u);
	for (size_t i = 0; policy_set_at(p, i, &set); i++)
		if (!u.sets[i])
			lint_say(l, POLICY_LINT_NOTE, "unused", set.name, &set.where,
				 "no rule uses the set '%s'", set.name);
	for (size_t i = 0; policy_role_at(p, i, &role); i++)
		if (!u.roles[i])
			lint_say(l, POLICY_LINT_NOTE, "unused", role.name, &role.where,
				 "no grant gives the role '%s'", role.name);
	return 0;
}

/* ---------------------------------------------------------------- separation */

/* Does @role give @wanted, itself or by what it includes? */
static bool gives_role(const struct policy *p, uint32_t role, uint32_t wanted)
{
	struct policy_role info;

	if (role == wanted)
		return true;
	if (!policy_role_at(p, role, &info))
		return false;
	for (size_t i = 0; i < info.includes.n; i++)
		if (gives_role(p, info.includes.v[i], wanted))
			return true;
	return false;
}

/* The VMs on which the person holds the role, through grants valid now. */
static void held_vms(const struct lint *l, const uint32_t *mine, size_t n,
		     uint32_t role, uint64_t *ret)
{
	memset(ret, 0, l->words * sizeof(*ret));
	for (size_t i = 0; i < l->n_grants; i++) {
		const struct policy_rule *r = &l->rules[i].r;
		bool named = false, gives = false;

		if (l->in->now_s < r->valid_from_s ||
		    (r->valid_until_s != 0 && l->in->now_s >= r->valid_until_s))
			continue;
		for (size_t k = 0; k < r->roles.n && !gives; k++)
			gives = gives_role(l->in->policy, r->roles.v[k], role);
		for (size_t k = 0; k < n && gives && !named; k++)
			named = lint_has(&r->to, mine[k]);
		for (size_t w = 0; w < l->words && named; w++)
			ret[w] |= l->rules[i].vms[w];
	}
}

static size_t overlap(const uint64_t *a, const uint64_t *b, size_t words)
{
	size_t n = 0;

	for (size_t w = 0; w < words; w++)
		n += (size_t)__builtin_popcountll(a[w] & b[w]);
	return n;
}

static void check_person(const struct lint *l, const struct policy_separation *sep,
			 const struct policy_subject *s, uint32_t *mine, uint64_t *bits)
{
	size_t n = lint_principals(l->in->policy, s, mine);
	struct policy_role a, b;

	for (size_t i = 0; i < sep->roles.n && n > 0; i++) {
		held_vms(l, mine, n, sep->roles.v[i], bits);
		for (size_t k = i + 1; k < sep->roles.n; k++) {
			uint64_t *other = bits + l->words;
			size_t vms;

			held_vms(l, mine, n, sep->roles.v[k], other);
			vms = overlap(bits, other, l->words);
			if (vms == 0 ||
			    !policy_role_at(l->in->policy, sep->roles.v[i], &a) ||
			    !policy_role_at(l->in->policy, sep->roles.v[k], &b))
				continue;
			lint_say(l, POLICY_LINT_WARNING, "separation", sep->id,
				 &sep->where,
				 "%s holds the roles '%s' and '%s' on %zu VMs, which "
				 "separation '%s' forbids: neither is granted there",
				 s->login, a.name, b.name, vms, sep->id);
		}
	}
}

int lint_separation(const struct lint *l)
{
	const struct policy *p = l->in->policy;
	_cleanup_free_ uint32_t *mine = calloc(policy_principal_count(p) + 1, 4);
	_cleanup_free_ uint64_t *bits = calloc(2 * l->words, sizeof(*bits));
	struct policy_separation sep;

	if (!mine || !bits)
		return -ENOMEM;
	for (size_t i = 0; policy_separation_at(p, i, &sep); i++)
		for (size_t k = 0; k < l->in->n_people; k++) {
			check_person(l, &sep, &l->in->people[k], mine, bits);
			lint_step(l);
		}
	return 0;
}
