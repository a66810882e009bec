/* SPDX-License-Identifier: Apache-2.0 */
/*
 * r_separation.c - report separation: who holds, on one VM, roles that nobody should
 * hold together, and how each came to him.
 *
 * Held means: through a grant that is valid at the moment of the snapshot, whatever its
 * conditions say. A decision drops such grants; the report shows them so that one is
 * taken away.
 */
#include <errno.h>

#include "policy/view.h"
#include "rbacd/report/holdings.h"

static const struct report_column columns[] = {
	{"separation", "Rule", REPORT_TEXT, true, false},
	{"user", "Person", REPORT_TEXT, false, false},
	{"role_a", "Role", REPORT_TEXT, false, false},
	{"path_a", "Held through", REPORT_TEXT, false, false},
	{"role_b", "And role", REPORT_TEXT, false, false},
	{"path_b", "Held through", REPORT_TEXT, false, false},
	{"vms", "VMs", REPORT_NUMBER, false, false},
	{"example", "For example", REPORT_TEXT, false, false},
};
static const struct report_column rule_columns[] = {
	{"separation", "Rule", REPORT_TEXT, false, false},
	{"conflicts", "Conflicts", REPORT_NUMBER, false, true},
	{"roles", "Roles", REPORT_TEXT, false, false},
};

struct search {
	const struct report_input *in;
	const struct policy *p;
	struct policy_members *members;
	struct policy_rule *grants; /* owned; valid at the snapshot's moment */
	size_t n_grants;
	uint64_t **vms;	   /* owned; by grant, bits */
	uint32_t *scratch; /* owned */
	size_t words;
};

static void search_done(struct search *s)
{
	policy_members_free(s->members);
	for (size_t i = 0; s->vms && i < s->n_grants; i++)
		free(s->vms[i]);
	free(s->vms);
	free(s->grants);
	free(s->scratch);
}

static int load_vms(struct search *s, size_t i)
{
	size_t n;
	int r = policy_members_rule(s->members, &s->grants[i], s->scratch, &n);

	s->vms[i] = calloc(s->words, sizeof(uint64_t));
	if (r != 0 || !s->vms[i])
		return -ENOMEM;
	for (size_t k = 0; k < n; k++)
		s->vms[i][s->scratch[k] / 64] |= UINT64_C(1) << (s->scratch[k] % 64);
	return 0;
}

static int search_init(struct search *s, const struct report_input *in)
{
	size_t n_vms = policy_vm_count(in->state->policy);
	int64_t now = in->state->as_of_s;
	struct policy_rule rule;
	int r;

	s->in = in;
	s->p = in->state->policy;
	s->words = n_vms / 64 + 1;
	s->grants = calloc(policy_grant_count(s->p) + 1, sizeof(*s->grants));
	s->vms = calloc(policy_grant_count(s->p) + 1, sizeof(*s->vms));
	s->scratch = calloc(n_vms + 1, sizeof(*s->scratch));
	if (!s->grants || !s->vms || !s->scratch)
		return -ENOMEM;
	r = policy_members_new(s->p, &s->members);
	for (size_t i = 0; r == 0 && policy_grant_at(s->p, i, &rule); i++) {
		if (rule.valid_from_s > now ||
		    (rule.valid_until_s != 0 && rule.valid_until_s <= now))
			continue;
		s->grants[s->n_grants++] = rule;
		r = load_vms(s, s->n_grants - 1);
	}
	return r;
}

/* ---------------------------------------------------------------- who, which role */

/* The principal of @rule by which the person gets it; NULL: he does not. */
static const char *principal_of(const struct search *s, const struct policy_rule *rule,
				const struct policy_subject *who)
{
	for (size_t i = 0; i < rule->to.n; i++) {
		uint32_t at = rule->to.v[i];
		const char *text = policy_principal_at(s->p, at);
		const char *id = policy_user_id(s->p, at);

		if (at < policy_group_count(s->p)) {
			for (size_t k = 0; k < who->n_groups; k++)
				if (who->groups[k] == at)
					return text;
		} else if (who->directory &&
			   str_eq(str_after(text, "user:"), who->login) &&
			   (!id || str_eq(id, who->id))) {
			return text;
		} else if (who->local &&
			   str_eq(str_after(text, "local:"), who->login)) {
			return text;
		}
	}
	return NULL;
}

/* @from is @role or includes it. Includes have no cycle: the loader refuses one. */
static bool role_gives(const struct search *s, uint32_t from, uint32_t role)
{
	struct policy_role info;

	if (from == role)
		return true;
	if (!policy_role_at(s->p, from, &info))
		return false;
	for (size_t i = 0; i < info.includes.n; i++)
		if (role_gives(s, info.includes.v[i], role))
			return true;
	return false;
}

static bool grant_gives(const struct search *s, const struct policy_rule *rule,
			uint32_t role)
{
	for (size_t i = 0; i < rule->roles.n; i++)
		if (role_gives(s, rule->roles.v[i], role))
			return true;
	return false;
}

/* ---------------------------------------------------------------- conflicts */

static size_t overlap(const struct search *s, size_t a, size_t b, uint32_t *ret_first)
{
	size_t n = 0;

	for (size_t i = s->words; i-- > 0;) {
		uint64_t both = s->vms[a][i] & s->vms[b][i];

		n += (size_t)__builtin_popcountll(both);
		if (both)
			*ret_first =
				(uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(both);
	}
	return n;
}

static const char *role_name(const struct search *s, uint32_t role)
{
	struct policy_role info;

	return policy_role_at(s->p, role, &info) ? info.name : "?";
}

/* Everybody who has grant @a and grant @b. */
static size_t put_people(const struct search *s, const struct policy_separation *sep,
			 const uint32_t roles[2], const size_t grants[2],
			 struct report_table *t)
{
	const struct people *people = &s->in->state->people;
	uint32_t first = 0;
	size_t n_vms = overlap(s, grants[0], grants[1], &first), n = 0;

	for (size_t i = 0; i < people->n && n_vms > 0; i++) {
		const struct policy_subject *who = &people->v[i];
		const char *through[2];

		if (!holdings_wanted_person(s->in, who->login))
			continue;
		for (int k = 0; k < 2; k++)
			through[k] = principal_of(s, &s->grants[grants[k]], who);
		if (!through[0] || !through[1])
			continue;
		report_row(t);
		report_put(t, sep->id);
		report_put(t, who->login);
		for (int k = 0; k < 2; k++) {
			report_put(t, role_name(s, roles[k]));
			report_put(t, report_f(t->report, "%s, grant %s", through[k],
					       s->grants[grants[k]].id));
		}
		report_put_n(t, (int64_t)n_vms);
		report_put(t, policy_vm_at(s->p, first));
		n++;
	}
	return n;
}

static size_t put_pair(const struct search *s, const struct policy_separation *sep,
		       const uint32_t roles[2], struct report_table *t)
{
	size_t n = 0;

	for (size_t a = 0; a < s->n_grants; a++) {
		if (!grant_gives(s, &s->grants[a], roles[0]))
			continue;
		for (size_t b = 0; b < s->n_grants; b++)
			if (grant_gives(s, &s->grants[b], roles[1]))
				n += put_people(s, sep, roles, (const size_t[]){a, b},
						t);
	}
	return n;
}

static void put_rule(const struct search *s, const struct policy_separation *sep,
		     size_t n, struct report_table *t)
{
	const char *roles = "";

	for (size_t i = 0; i < sep->roles.n; i++)
		roles = report_f(t->report, "%s%s%s", roles, i ? ", " : "",
				 role_name(s, sep->roles.v[i]));
	report_row(t);
	report_put(t, sep->id);
	report_put_n(t, (int64_t)n);
	report_put(t, roles);
}

int report_separation(const struct report_input *in, struct report *r)
{
	_cleanup_(search_done) struct search s = {0};
	struct report_table *rules, *t;
	struct policy_separation sep;
	size_t sum = 0;
	int rc = search_init(&s, in);

	if (rc != 0)
		return rc;
	report_section(r, "Conflicts",
		       "A person who holds both roles on a VM loses the grants of both "
		       "there until one is taken away.");
	rules = REPORT_TABLE(r, "separation-rules", "Rules", rule_columns,
			     .none = "The policy separates no roles.");
	t = REPORT_TABLE(r, "separation", "People", columns, .none = "Nobody.");
	for (size_t i = 0; policy_separation_at(s.p, i, &sep); i++) {
		size_t n = 0;

		for (size_t a = 0; a < sep.roles.n; a++)
			for (size_t b = a + 1; b < sep.roles.n; b++)
				n += put_pair(&s, &sep,
					      (const uint32_t[]){sep.roles.v[a],
								 sep.roles.v[b]},
					      t);
		put_rule(&s, &sep, n, rules);
		sum += n;
	}
	report_figure(r, "rules", "rules", (int64_t)policy_separation_count(s.p), NULL,
		      false);
	report_figure(r, "conflicts", "conflicts", (int64_t)sum, "today", true);
	report_find(r, REPORT_HIGH, "separation-conflict", sum, "separation",
		    report_f(r, "%s roles that nobody should hold together.",
			     report_plural(r, sum, "case of a person with",
					   "cases of people with")));
	report_limit(r, "A membership that is not known is no conflict.");
	return 0;
}
