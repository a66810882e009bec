/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint_people.c - what an operator with hundreds of hosts checks his own data by: who
 * has left is in no group that opens anything, everybody who is named exists, no two
 * share an id. What is not known is not complained about.
 */
#include <errno.h>

#include "policy/lint_internal.h"

#define NAMES_SHOWN 5
#define NAMES_MAX   400

/* Some logins, for a sentence. */
struct names_shown {
	char text[NAMES_MAX];
	size_t n;
};

static void show_name(struct names_shown *s, const char *login)
{
	size_t len = strlen(s->text);

	if (s->n++ < NAMES_SHOWN)
		(void)snprintf(s->text + len, sizeof(s->text) - len, "%s%s",
			       len > 0 ? ", " : "", login); /* cut: still names */
	else if (s->n == NAMES_SHOWN + 1)
		(void)snprintf(s->text + len, sizeof(s->text) - len, ", …");
}

/* Per principal: who is it. */
struct tally {
	bool *opened; /* owned, as all: a grant or break_glass names it */
	const struct policy_rule **named_by; /* a rule that does, a grant if any */
	uint32_t *n_members;		     /* who may log in */
	struct names_shown *gone;	     /* who may not */
	bool *unknown;
};

static void tally_done(struct tally *t)
{
	free(t->opened);
	free(t->named_by);
	free(t->n_members);
	free(t->gone);
	free(t->unknown);
}

/* Grants come first. */
static void name_all(struct tally *t, const struct policy_rule *r, bool opens)
{
	for (size_t k = 0; k < r->to.n; k++) {
		uint32_t to = r->to.v[k];

		t->opened[to] = t->opened[to] || opens;
		if (!t->named_by[to])
			t->named_by[to] = r;
	}
}

static int tally_init(const struct lint *l, struct tally *t)
{
	size_t n = policy_principal_count(l->in->policy) + 1;
	struct policy_rule glass;

	t->opened = calloc(n, sizeof(*t->opened));
	t->named_by = calloc(n, sizeof(const struct policy_rule *));
	t->n_members = calloc(n, sizeof(*t->n_members));
	t->gone = calloc(n, sizeof(*t->gone));
	t->unknown = calloc(n, sizeof(*t->unknown));
	if (!t->opened || !t->named_by || !t->n_members || !t->gone || !t->unknown)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_rules; i++)
		name_all(t, &l->rules[i].r, !l->rules[i].deny);
	for (size_t i = 0; policy_break_glass_at(l->in->policy, i, &glass); i++)
		for (size_t k = 0; k < glass.to.n; k++)
			t->opened[glass.to.v[k]] = true;
	return 0;
}

static bool is_gone(const struct lint *l, const struct policy_subject *s)
{
	return !s->enabled || (s->expires_s != 0 && s->expires_s <= l->in->now_s);
}

static void count_subject(const struct lint *l, struct tally *t,
			  const struct policy_subject *s, uint32_t *mine)
{
	struct policy_subject here = *s;
	size_t n;

	for (size_t i = 0; i < s->n_unknown; i++)
		t->unknown[s->unknown[i]] = true;
	here.enabled = true; /* whoever is disabled is a member all the same */
	n = lint_principals(l->in->policy, &here, mine);
	for (size_t i = 0; i < n; i++)
		if (is_gone(l, s))
			show_name(&t->gone[mine[i]], s->login);
		else
			t->n_members[mine[i]]++;
}

/* ---------------------------------------------------------------- findings */

static void check_gone(const struct lint *l, const struct tally *t, size_t i)
{
	const struct policy_rule *r = t->named_by[i];

	if (r && t->opened[i] && t->gone[i].n > 0)
		lint_say(l, POLICY_LINT_WARNING, "left", r->id, &r->where,
			 "'%s', to whom '%s' opens, still holds %zu who %s disabled or "
			 "expired: %s",
			 policy_principal_at(l->in->policy, i), r->id, t->gone[i].n,
			 t->gone[i].n == 1 ? "is" : "are", t->gone[i].text);
}

static void check_there(const struct lint *l, const struct tally *t, size_t i)
{
	const struct policy_rule *r = t->named_by[i];
	const char *name = policy_principal_at(l->in->policy, i);

	if (!l->in->complete || !r || t->unknown[i] || t->n_members[i] > 0 ||
	    t->gone[i].n > 0)
		return;
	if (i < policy_group_count(l->in->policy))
		lint_say(l, POLICY_LINT_NOTE, "empty", r->id, &r->where,
			 "'%s' names the group '%s', which has no members", r->id,
			 name);
	else
		lint_say(l, POLICY_LINT_WARNING, "unknown", r->id, &r->where,
			 "'%s' names '%s', whom nobody knows%s", r->id, name,
			 policy_user_id(l->in->policy, i) ? " by this login and id"
							  : "");
}

static bool is_opened(const struct lint *l, const struct tally *t,
		      const struct policy_subject *s, uint32_t *mine)
{
	size_t n = lint_principals(l->in->policy, s, mine);

	for (size_t i = 0; i < n; i++)
		if (t->opened[mine[i]])
			return true;
	return false;
}

/* People of the directory to whom nothing opens. */
static void check_forgotten(const struct lint *l, const struct tally *t, uint32_t *mine)
{
	const struct policy_where nowhere = {0};
	struct names_shown list = {0};

	for (size_t i = 0; i < l->in->n_people && l->in->complete; i++) {
		const struct policy_subject *s = &l->in->people[i];

		if (s->directory && !is_gone(l, s) && !is_opened(l, t, s, mine))
			show_name(&list, s->login);
	}
	if (list.n > 0)
		lint_say(l, POLICY_LINT_NOTE, "no-access", "", &nowhere,
			 "no grant names %zu of the people: %s", list.n, list.text);
}

static int compare_ids(const void *a, const void *b)
{
	const struct policy_subject *x = *(const struct policy_subject *const *)a;
	const struct policy_subject *y = *(const struct policy_subject *const *)b;

	return strcmp(x->id, y->id);
}

/* An id is one person's, for ever: whoever shares it shares proofs and grants. */
static int check_ids(const struct lint *l)
{
	const struct policy_where nowhere = {0};
	size_t n = 0;
	_cleanup_free_ const struct policy_subject **v =
		calloc(l->in->n_people + 1, sizeof(const struct policy_subject *));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < l->in->n_people; i++)
		if (l->in->people[i].id && *l->in->people[i].id)
			v[n++] = &l->in->people[i];
	qsort(v, n, sizeof(const struct policy_subject *), compare_ids);
	for (size_t i = 1; i < n; i++)
		if (str_eq(v[i - 1]->id, v[i]->id))
			lint_say(l, POLICY_LINT_WARNING, "same-id", v[i]->login,
				 &nowhere, "'%s' and '%s' have the same id, '%s'",
				 v[i - 1]->login, v[i]->login, v[i]->id);
	return 0;
}

int lint_people(const struct lint *l)
{
	size_t n = policy_principal_count(l->in->policy);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_free_ uint32_t *mine = calloc(n + 1, sizeof(*mine));

	if (!mine || tally_init(l, &t) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < l->in->n_people; i++) {
		count_subject(l, &t, &l->in->people[i], mine);
		lint_step(l);
	}
	for (size_t i = 0; i < n; i++) {
		check_gone(l, &t, i);
		check_there(l, &t, i);
	}
	check_forgotten(l, &t, mine);
	return check_ids(l);
}
