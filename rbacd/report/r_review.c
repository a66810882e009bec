/* SPDX-License-Identifier: Apache-2.0 */
/*
 * r_review.c - report review: what somebody can decide about, one line a decision.
 *
 * An item's id is a hash of what it is, so that the same membership or grant keeps its
 * id from one review to the next, whatever else changes.
 */
#include <errno.h>
#include <openssl/evp.h>

#include "policy/memtext.h"
#include "policy/view.h"
#include "rbacd/report/holdings.h"

static const struct report_column columns[] = {
	{"item", "Item", REPORT_TEXT, false, false},
	{"kind", "Kind", REPORT_TEXT, true, false},
	{"subject", "Who", REPORT_TEXT, false, false},
	{"what", "What", REPORT_TEXT, false, false},
	{"privileges", "Privileges", REPORT_TEXT, false, false},
	{"vms", "VMs", REPORT_TEXT, false, false},
	{"until", "Until", REPORT_TIME, false, false},
	{"last_used", "Last used", REPORT_TIME, false, false},
	{"decision", "Keep or revoke", REPORT_BLANK, false, false},
	{"reviewer", "Reviewer", REPORT_BLANK, false, false},
	{"date", "Date", REPORT_BLANK, false, false},
	{"remark", "Remark", REPORT_BLANK, false, false},
};

/* "M-9f86d081884c": the kind and the first half of a sha256 over all that names it. */
static const char *item_id(struct report *r, char kind, const char *a, const char *b,
			   const char *c)
{
	unsigned char md[EVP_MAX_MD_SIZE] = {0};
	char key[2048];
	int n = snprintf(key, sizeof(key), "%c%s\n%s\n%s", kind, a, b ? b : "",
			 c ? c : "");

	if (n < 0 || (size_t)n >= sizeof(key) ||
	    EVP_Digest(key, (size_t)n, md, NULL, EVP_sha256(), NULL) != 1)
		r->error = -EIO;
	return report_f(r, "%c-%02x%02x%02x%02x%02x%02x", kind, md[0], md[1], md[2],
			md[3], md[4], md[5]);
}

static void put_item(struct report_table *t, const char *id, const char *kind,
		     const char *subject, const char *what)
{
	report_row(t);
	report_put(t, id);
	report_put(t, kind);
	report_put(t, subject);
	report_put(t, what);
}

/* ---------------------------------------------------------------- memberships */

/* What a membership was used for: the person's holdings through that group. */
struct used {
	int64_t last_s;
	bool any;
};

/* @at: where this person's holdings start. */
static struct used use_of(const struct holdings *h, size_t at, uint32_t person,
			  const char *group)
{
	struct used used = {0};

	for (; at < h->n && h->v[at].person == person; at++)
		if (str_eq(h->v[at].group, group)) {
			used.any = true;
			if (h->v[at].last_used_s > used.last_s)
				used.last_s = h->v[at].last_used_s;
		}
	return used;
}

/* Groups that a grant names which is valid now, by index. The caller frees. */
static bool *named_groups(const struct state *st)
{
	size_t n = policy_group_count(st->policy);
	bool *named = calloc(n + 1, sizeof(*named));
	struct policy_rule g;

	for (size_t i = 0; named && policy_grant_at(st->policy, i, &g); i++)
		for (size_t k = 0; k < g.to.n; k++)
			if (g.to.v[k] < n && g.valid_from_s <= st->as_of_s &&
			    (g.valid_until_s == 0 || g.valid_until_s > st->as_of_s))
				named[g.to.v[k]] = true;
	return named;
}

/* A way in is counted for the grant and group that decide it; another membership that
 * opens the same is not without effect: with the first one gone it would decide. */
static const char *effect_text(bool decides, bool named)
{
	return decides ? ""
	       : named ? ", whose grants decide nothing today"
		       : ", which opens nothing";
}

static int list_memberships(const struct report_input *in, const struct holdings *h,
			    struct report_table *t, size_t *ret_n)
{
	_cleanup_free_ bool *named = named_groups(in->state);
	const struct people *people = &in->state->people;
	size_t n = 0, at = 0;

	if (!named)
		return -ENOMEM;
	for (uint32_t i = 0; i < people->n; i++) {
		const struct policy_subject *s = &people->v[i];

		while (at < h->n && h->v[at].person < i)
			at++;
		if (!holdings_wanted_person(in, s->login))
			continue;
		for (size_t k = 0; k < s->n_groups; k++) {
			const char *group =
				policy_group_at(in->state->policy, s->groups[k])->name;
			struct used used = use_of(h, at, i, group);

			if ((in->vm || in->role) && !used.any)
				continue;
			put_item(t, item_id(t->report, 'M', s->id, group, NULL),
				 "membership", s->login,
				 report_f(t->report, "member of %s%s", group,
					  effect_text(used.any, named[s->groups[k]])));
			report_skip(t);
			report_skip(t);
			report_skip(t);
			report_put_time(t, used.last_s);
			n++;
		}
	}
	*ret_n = n;
	return 0;
}

/* ---------------------------------------------------------------- grants */

/* A list in the making: every name of it, however long it gets. */
struct list {
	struct memtext text;
	size_t n;
};

static void add(struct list *l, const char *before, const char *name)
{
	if (l->text.out) /* errors: report_take() */
		(void)fprintf(l->text.out, "%s%s%s", l->n++ ? ", " : "", before, name);
}

static const char *role_list(const struct policy *p, const struct policy_rule *g,
			     struct report *r)
{
	struct list l = {.text = MEMTEXT_INIT};
	struct policy_role role;

	if (memtext_open(&l.text) == 0)
		for (size_t i = 0;
		     i < g->roles.n && policy_role_at(p, g->roles.v[i], &role); i++)
			add(&l, "", role.name);
	return report_take(r, &l.text);
}

static const char *privilege_list(const struct policy *p, const struct policy_rule *g,
				  struct report *r)
{
	struct list l = {.text = MEMTEXT_INIT};

	if (memtext_open(&l.text) == 0)
		for (size_t i = 0; i < policy_privilege_count(p); i++)
			if (g->privileges >> i & 1)
				add(&l, "", policy_privilege_at(p, i));
	for (size_t i = 0; i < g->su.n; i++)
		add(&l, "su:", g->su.v[i]);
	return report_take(r, &l.text);
}

static const char *vm_list(const struct policy *p, const struct policy_rule *g,
			   struct report *r)
{
	struct list l = {.text = MEMTEXT_INIT};
	struct policy_set set;

	if (memtext_open(&l.text) == 0)
		for (size_t i = 0;
		     i < g->sets.n && policy_set_at(p, g->sets.v[i], &set); i++)
			add(&l, "", set.name);
	for (size_t i = 0; i < g->vms.n; i++)
		add(&l, "vm:", g->vms.v[i]);
	return report_take(r, &l.text);
}

/* What a grant does for one of those it names. */
struct effect {
	size_t people;
	int64_t last_s;
};

static struct effect effect_of(const struct holdings *h, const char *grant,
			       const char *principal)
{
	struct effect e = {0};
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i < h->n; i++) {
		const struct holding *v = &h->v[i];

		if (!str_eq(v->rule, grant) || !str_eq(v->group, principal))
			continue;
		e.people += v->person != last;
		last = v->person;
		if (v->last_used_s > e.last_s)
			e.last_s = v->last_used_s;
	}
	return e;
}

static const char *grant_kind(const struct policy_rule *g, const char *principal)
{
	if (g->valid_until_s != 0)
		return "temporary";
	return str_after(principal, "user:") || str_after(principal, "local:")
		       ? "direct"
		       : "grant";
}

/* As the policy says it, for each of those it names; with a filter, if it has effect.
 */
static size_t put_grant(const struct holdings *h, const struct policy_rule *g,
			struct report_table *t)
{
	const struct report_input *in = h->in;
	const struct policy *p = in->state->policy;
	const char *roles = role_list(p, g, t->report);
	const char *privileges = privilege_list(p, g, t->report);
	const char *vms = vm_list(p, g, t->report);
	size_t n = 0;

	for (size_t i = 0; i < g->to.n; i++) {
		const char *principal = policy_principal_at(p, g->to.v[i]);
		struct effect e = effect_of(h, g->id, principal);

		if ((in->user || in->vm || in->role) && e.people == 0)
			continue;
		put_item(t, item_id(t->report, 'G', g->id, principal, NULL),
			 grant_kind(g, principal), principal,
			 report_f(t->report,
				  "grant %s gives role %s, and decides for %s", g->id,
				  roles,
				  report_plural(t->report, e.people, "person",
						"people")));
		report_put(t, privileges);
		report_put(t, vms);
		report_put_time(t, g->valid_until_s);
		report_put_time(t, e.last_s);
		n++;
	}
	return n;
}

static size_t list_grants(const struct holdings *h, struct report_table *t)
{
	struct policy_rule g;
	size_t n = 0;

	for (size_t i = 0; policy_grant_at(h->in->state->policy, i, &g); i++)
		n += put_grant(h, &g, t);
	return n;
}

int report_review(const struct report_input *in, struct report *r)
{
	_cleanup_holdings_ struct holdings h = {0};
	size_t n_members = 0, n_grants;
	struct report_table *t;
	int rc = holdings_make(in, &h);

	if (rc != 0)
		return rc;
	report_section(
		r, "Items to decide",
		"Each line is one decision: keep it or revoke it. An item keeps its "
		"id for as long as it exists.");
	t = REPORT_TABLE(r, "review", "Items", columns, .none = "Nothing to decide.");
	rc = list_memberships(in, &h, t, &n_members);
	n_grants = list_grants(&h, t);
	report_figure(r, "items", "items", (int64_t)(n_members + n_grants), NULL,
		      false);
	report_figure(r, "memberships", "memberships", (int64_t)n_members, NULL, false);
	report_figure(r, "grants", "grants", (int64_t)n_grants, "group, role and VMs",
		      false);
	report_figure(r, "people", "people with access", (int64_t)holdings_people(&h),
		      NULL, false);
	report_limit(r,
		     "Memberships of groups that the policy does not name open nothing "
		     "here and are not listed.");
	return rc;
}
