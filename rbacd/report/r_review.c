/* SPDX-License-Identifier: Apache-2.0 */
/*
 * r_review.c - report review: what somebody can decide about, one line a decision.
 *
 * An item's id is a hash of what it is, so that the same membership or grant keeps its
 * id from one review to the next, whatever else changes.
 */
#include <errno.h>
#include <openssl/evp.h>

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

static size_t list_memberships(const struct report_input *in, const struct holdings *h,
			       struct report_table *t)
{
	const struct people *people = &in->state->people;
	size_t n = 0, at = 0;

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
					  used.any ? "" : ", which opens nothing"));
			report_skip(t);
			report_skip(t);
			report_skip(t);
			report_put_time(t, used.last_s);
			n++;
		}
	}
	return n;
}

/* ---------------------------------------------------------------- grants */

static int by_grant(const void *pa, const void *pb)
{
	const struct holding *a = *(const struct holding *const *)pa;
	const struct holding *b = *(const struct holding *const *)pb;
	int d = strcmp(a->rule, b->rule);

	if (d == 0)
		d = strcmp(a->group ? a->group : "", b->group ? b->group : "");
	if (d == 0)
		d = strcmp(a->role ? a->role : "", b->role ? b->role : "");
	if (d == 0)
		d = strcmp(a->privileges, b->privileges);
	return d != 0 ? d : (a->vms > b->vms) - (a->vms < b->vms);
}

static bool same_grant(const struct holding *a, const struct holding *b)
{
	return str_eq(a->rule, b->rule) && a->group == b->group && a->role == b->role &&
	       a->vms == b->vms && str_eq(a->privileges, b->privileges);
}

static const char *grant_kind(const struct holding *v)
{
	if (v->valid_until_s != 0)
		return "temporary";
	return v->group && (str_after(v->group, "user:") ||
			    str_after(v->group, "local:"))
		       ? "direct"
		       : "grant";
}

static void put_grant(const struct holdings *h, const struct holding *v,
		      size_t n_people, int64_t last_s, struct report_table *t)
{
	struct report *r = t->report;
	const char *vms = holdings_vm_text(h, r, v->vms);

	put_item(t,
		 item_id(r, 'G', v->rule,
			 report_f(r, "%s\n%s", v->group ? v->group : "",
				  v->role ? v->role : ""),
			 v->privileges),
		 grant_kind(v), v->group,
		 report_f(r, "grant %s gives role %s to %s", v->rule,
			  v->role ? v->role : "-",
			  report_plural(r, n_people, "person", "people")));
	report_put(t, report_copy(r, v->privileges, strlen(v->privileges)));
	report_put(t, vms);
	report_put_time(t, v->valid_until_s);
	report_put_time(t, last_s);
}

static int list_grants(const struct holdings *h, struct report_table *t, size_t *ret_n)
{
	_cleanup_free_ const struct holding **v =
		calloc(h->n + 1, sizeof(const void *));
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < h->n; i++)
		v[i] = &h->v[i];
	if (h->n > 1)
		qsort(v, h->n, sizeof(*v), by_grant);
	for (size_t i = 0, end; i < h->n; i = end) {
		int64_t last_s = 0;

		for (end = i; end < h->n && same_grant(v[i], v[end]); end++)
			if (v[end]->last_used_s > last_s)
				last_s = v[end]->last_used_s;
		put_grant(h, v[i], end - i, last_s, t);
		n++;
	}
	*ret_n = n;
	return 0;
}

int report_review(const struct report_input *in, struct report *r)
{
	_cleanup_holdings_ struct holdings h = {0};
	size_t n_members, n_grants = 0;
	struct report_table *t;
	int rc = holdings_make(in, &h);

	if (rc != 0)
		return rc;
	report_section(
		r, "Items to decide",
		"Each line is one decision: keep it or revoke it. An item keeps its "
		"id for as long as it exists.");
	t = REPORT_TABLE(r, "review", "Items", columns, .none = "Nothing to decide.");
	n_members = list_memberships(in, &h, t);
	rc = list_grants(&h, t, &n_grants);
	if (rc != 0)
		return rc;
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
	holdings_list_vms(&h, r);
	return 0;
}
