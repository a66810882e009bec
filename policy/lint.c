/* SPDX-License-Identifier: Apache-2.0 */
/* lint.c - counts what every rule hits, then what follows from a rule alone. */
#include <errno.h>
#include <stdarg.h>

#include "policy/lint_internal.h"

#define LINT_TEXT_MAX 512

void lint_say(const struct lint *l, enum policy_lint_severity severity,
	      const char *code, const char *id, const struct policy_where *where,
	      const char *fmt, ...)
{
	char text[LINT_TEXT_MAX];
	const struct policy_lint_finding f = {.severity = severity,
					      .code = code,
					      .id = id,
					      .where = *where,
					      .text = text};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut sentence still tells */
	va_end(ap);
	l->in->finding(l->in->arg, &f);
}

static void lint_done(struct lint *l)
{
	for (size_t i = 0; l->rules && i < l->n_rules; i++)
		free(l->rules[i].vms);
	free(l->rules);
	free(l->room);
}

/* ---------------------------------------------------------------- counting */

static int count_vms(struct lint *l, struct policy_members *members)
{
	for (size_t i = 0; i < l->n_rules; i++) {
		struct lint_rule *rule = &l->rules[i];
		int r;

		rule->vms = calloc(l->words, sizeof(*rule->vms));
		if (!rule->vms)
			return -ENOMEM;
		r = policy_members_rule(members, &rule->r, l->room, &rule->n_vms);
		if (r != 0)
			return r;
		for (size_t k = 0; k < rule->n_vms; k++)
			rule->vms[l->room[k] / 64] |= UINT64_C(1) << (l->room[k] % 64);
	}
	return 0;
}

size_t lint_principals(const struct policy *p, const struct policy_subject *s,
		       uint32_t *ret)
{
	size_t n = 0, all = policy_principal_count(p);

	if (!s->known || !s->enabled)
		return 0;
	for (size_t i = 0; s->directory && i < s->n_groups; i++)
		ret[n++] = s->groups[i];
	for (size_t i = policy_group_count(p); i < all; i++) {
		const char *text = policy_principal_at(p, i);
		const char *user = str_after(text, "user:");
		const char *local = str_after(text, "local:");

		if ((user && s->directory && str_eq(user, s->login) &&
		     str_eq(policy_user_id(p, i), s->id)) ||
		    (local && s->local && str_eq(local, s->login)))
			ret[n++] = (uint32_t)i;
	}
	return n;
}

/* Principal -> rules, so that a person costs what he is in and not all rules. */
struct naming {
	uint32_t *first, *rules; /* owned */
};

static int naming_make(const struct lint *l, struct naming *ret)
{
	size_t n = policy_principal_count(l->in->policy), total = 0;

	for (size_t i = 0; i < l->n_rules; i++)
		total += l->rules[i].r.to.n;
	ret->first = calloc(n + 2, sizeof(*ret->first));
	ret->rules = calloc(total + 1, sizeof(*ret->rules));
	if (!ret->first || !ret->rules)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_rules; i++)
		for (size_t k = 0; k < l->rules[i].r.to.n; k++)
			ret->first[l->rules[i].r.to.v[k] + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		ret->first[i] += ret->first[i - 1];
	for (size_t i = 0; i < l->n_rules; i++)
		for (size_t k = 0; k < l->rules[i].r.to.n; k++)
			ret->rules[ret->first[l->rules[i].r.to.v[k] + 1]++] =
				(uint32_t)i;
	return 0;
}

static void count_person(struct lint *l, const struct naming *naming, size_t person,
			 const uint32_t *mine, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = naming->first[mine[i]];
		     k < naming->first[mine[i] + 1]; k++) {
			struct lint_rule *rule = &l->rules[naming->rules[k]];

			rule->n_people += rule->stamp != person + 1;
			rule->stamp = person + 1;
		}
}

static int count_people(struct lint *l)
{
	struct naming naming = {0};
	_cleanup_free_ uint32_t *mine =
		calloc(policy_principal_count(l->in->policy) + 1, sizeof(*mine));
	int r = mine ? naming_make(l, &naming) : -ENOMEM;

	for (size_t i = 0; i < l->in->n_people && r == 0; i++) {
		count_person(l, &naming, i, mine,
			     lint_principals(l->in->policy, &l->in->people[i], mine));
		lint_step(l);
	}
	free(naming.first);
	free(naming.rules);
	return r;
}

static int tell_sets(const struct lint *l, struct policy_members *members)
{
	struct policy_set set;
	int r = 0;

	for (size_t i = 0; r == 0 && policy_set_at(l->in->policy, i, &set); i++) {
		struct policy_lint_count c = {.kind = POLICY_LINT_SET,
					      .id = set.name,
					      .where = set.where};

		r = policy_members_set(members, i, l->room, &c.n_vms);
		if (r == 0)
			l->in->count(l->in->arg, &c);
	}
	return r;
}

static void tell_rules(const struct lint *l)
{
	for (size_t i = 0; i < l->n_rules; i++) {
		const struct lint_rule *rule = &l->rules[i];
		const struct policy_lint_count c = {.kind = rule->deny
								    ? POLICY_LINT_DENY
								    : POLICY_LINT_GRANT,
						    .id = rule->r.id,
						    .where = rule->r.where,
						    .n_vms = rule->n_vms,
						    .n_people = rule->n_people};

		l->in->count(l->in->arg, &c);
	}
}

/* ---------------------------------------------------------------- one rule */

/* Without a second factor: by name, with somebody to ask and an end. */
static bool is_proper_exemption(const struct lint *l, const struct policy_rule *r)
{
	for (size_t i = 0; i < r->to.n; i++)
		if (!strchr(policy_principal_at(l->in->policy, r->to.v[i]), ':'))
			return false; /* a group */
	return r->owner && r->valid_until;
}

static void check_grant(const struct lint *l, const struct policy_rule *r, size_t n_vms)
{
	size_t all = policy_vm_count(l->in->policy);

	if (r->valid_until_s != 0 && r->valid_until_s <= l->in->now_s)
		lint_say(l, POLICY_LINT_WARNING, "expired", r->id, &r->where,
			 "grant '%s' ended on %s: remove it", r->id, r->valid_until);
	if (r->accept == 0)
		lint_say(
			l, POLICY_LINT_WARNING, "no-mfa", r->id, &r->where,
			"grant '%s' asks for no second factor%s", r->id,
			is_proper_exemption(l, r)
				? ""
				: "; exempt people one by one (user:NAME, local:NAME), "
				  "with an owner and an end");
	if (!r->owner && r->valid_until)
		lint_say(l, POLICY_LINT_WARNING, "no-owner", r->id, &r->where,
			 "grant '%s' ends on %s and has no owner who would prolong it",
			 r->id, r->valid_until);
	else if (!r->owner)
		lint_say(l, POLICY_LINT_NOTE, "no-owner", r->id, &r->where,
			 "grant '%s' has no owner to ask", r->id);
	if (all > 1 && n_vms == all)
		lint_say(l, POLICY_LINT_NOTE, "broad", r->id, &r->where,
			 "grant '%s' holds on every VM (%zu)", r->id, all);
}

static void check_rule(const struct lint *l, const struct lint_rule *rule)
{
	const char *what = rule->deny ? "deny" : "grant";

	if (rule->n_vms == 0)
		lint_say(l, POLICY_LINT_WARNING, "dead", rule->r.id, &rule->r.where,
			 "%s '%s' holds on no VM", what, rule->r.id);
	if (rule->n_people == 0 && l->in->complete)
		lint_say(l, POLICY_LINT_WARNING, "dead", rule->r.id, &rule->r.where,
			 "%s '%s' names nobody who exists and is enabled", what,
			 rule->r.id);
	if (!rule->deny)
		check_grant(l, &rule->r, rule->n_vms);
}

static int lint_init(struct lint *l)
{
	const struct policy *p = l->in->policy;
	size_t n_vms = policy_vm_count(p);

	l->n_grants = policy_grant_count(p);
	l->n_rules = l->n_grants + policy_deny_count(p);
	l->words = n_vms / 64 + 1;
	l->n_steps = l->n_grants + l->in->n_people * (2 + policy_separation_count(p));
	l->rules = calloc(l->n_rules + 1, sizeof(*l->rules));
	l->room = calloc(n_vms + 1, sizeof(*l->room));
	if (!l->rules || !l->room)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_rules; i++) {
		l->rules[i].deny = i >= l->n_grants;
		if (l->rules[i].deny)
			(void)policy_deny_at(p, i - l->n_grants, &l->rules[i].r);
		else
			(void)policy_grant_at(p, i, &l->rules[i].r);
		l->rules[i].rule = l->rules[i].deny ? &p->denies.v[i - l->n_grants]
						    : &p->grants.v[i];
	}
	return 0;
}

int policy_lint(const struct policy_lint_input *in)
{
	size_t steps = 0;
	_cleanup_(lint_done) struct lint l = {.in = in, .steps = &steps};
	_cleanup_members_ struct policy_members *members = NULL;
	int r = lint_init(&l);

	if (r == 0)
		r = policy_members_new(in->policy, &members);
	if (r == 0)
		r = count_vms(&l, members);
	if (r == 0)
		r = count_people(&l);
	if (r != 0)
		return r;
	tell_rules(&l);
	r = tell_sets(&l, members);
	if (r != 0)
		return r;
	for (size_t i = 0; i < l.n_rules; i++)
		check_rule(&l, &l.rules[i]);
	lint_pairs(&l);
	lint_from(&l);
	lint_password(&l);
	r = lint_names(&l);
	if (r == 0)
		r = lint_people(&l);
	return r == 0 ? lint_separation(&l) : r;
}
