/* SPDX-License-Identifier: Apache-2.0 */
/* r_unused.c - report unused: access nobody uses, people who do not come, names that
 * lead nowhere. */
#include <errno.h>

#include "rbacd/report/holdings.h"

static const int bands[] = {30, 45, 90}; /* days */

static const struct report_column way_columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"vms", "VMs", REPORT_TEXT, false, false},
	{"privileges", "Privileges", REPORT_TEXT, false, false},
	{"grant", "Grant", REPORT_TEXT, false, false},
	{"group", "Through", REPORT_TEXT, false, false},
	{"band", "Unused for", REPORT_TEXT, true, false},
	{"last_used", "Last used", REPORT_TIME, false, false},
	{"days", "Days", REPORT_NUMBER, false, false},
};

static const struct report_column person_columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"band", "Not seen for", REPORT_TEXT, true, false},
	{"last_login", "Last login", REPORT_TIME, false, false},
	{"days", "Days", REPORT_NUMBER, false, false},
	{"ways", "Ways in", REPORT_NUMBER, false, true},
	{"factor", "Factor", REPORT_TEXT, true, false},
};

static const struct report_column orphan_columns[] = {
	{"kind", "Kind", REPORT_TEXT, true, false},
	{"name", "Name", REPORT_TEXT, false, false},
	{"why", "Why it leads nowhere", REPORT_TEXT, false, false},
};

/* Days without use: known from the last use, else at least as long as the log goes. */
struct idle {
	int64_t days;
	bool at_least;
};

static struct idle idle_since(const struct report_input *in, int64_t last_s)
{
	int64_t from = last_s ? last_s : activity_from_s(in->activity);

	return (struct idle){.days = activity_idle_days(from, in->state->as_of_s),
			     .at_least = last_s == 0};
}

static const char *band_of(struct report *r, struct idle idle)
{
	for (size_t i = ARRAY_SIZE(bands); i-- > 0;)
		if (idle.days >= bands[i])
			return report_f(r, "%d days or more", bands[i]);
	return idle.at_least ? "the whole log" : NULL;
}

static void count_bands(struct idle idle, size_t n[ARRAY_SIZE(bands)])
{
	for (size_t i = 0; i < ARRAY_SIZE(bands); i++)
		n[i] += idle.days >= bands[i];
}

static size_t list_ways(const struct report_input *in, const struct holdings *h,
			struct report *r, size_t n_band[ARRAY_SIZE(bands)])
{
	struct report_table *t =
		REPORT_TABLE(r, "unused", "Ways in that were not used", way_columns,
			     .none = "Every way in was used within 30 days.");

	for (size_t i = 0; i < h->n; i++) {
		const struct holding *v = &h->v[i];
		struct idle idle = idle_since(in, v->last_used_s);
		const char *band = band_of(r, idle);

		if (!band)
			continue;
		count_bands(idle, n_band);
		report_row(t);
		report_put(t, in->state->people.v[v->person].login);
		report_put(t, holdings_vm_text(h, r, v->vms));
		report_put(t, report_copy(r, v->privileges, strlen(v->privileges)));
		report_put(t, v->rule);
		report_put(t, v->group);
		report_put(t, band);
		report_put_time(t, v->last_used_s);
		report_put_n(t, idle.days);
	}
	return t->n_rows;
}

static size_t list_dormant(const struct report_input *in, const struct holdings *h,
			   struct report *r)
{
	struct report_table *t =
		REPORT_TABLE(r, "dormant", "People with access who did not log in",
			     person_columns, .none = "Everybody with access came.");

	for (size_t i = 0, end; i < h->n; i = end) {
		const struct policy_subject *s = &in->state->people.v[h->v[i].person];
		const struct activity_person *a = activity_person(in->activity, s->id);
		const struct state_factor *f = state_factor(in->state, s->id);
		struct idle idle = idle_since(in, a ? a->last_allow_s : 0);
		const char *band = band_of(r, idle);

		for (end = i; end < h->n && h->v[end].person == h->v[i].person;)
			end++;
		if (!band)
			continue;
		report_row(t);
		report_put(t, s->login);
		report_put(t, band);
		report_put_time(t, a ? a->last_allow_s : 0);
		report_put_n(t, idle.days);
		report_put_n(t, (int64_t)(end - i));
		report_put(t, f && f->n_active > 0 ? "active" : "none");
	}
	return t->n_rows;
}

/* ---------------------------------------------------------------- orphans */

static void put_orphan(struct report_table *t, const char *kind, const char *name,
		       const char *why)
{
	report_row(t);
	report_put(t, kind);
	report_put(t, name);
	report_put(t, why);
}

static int list_groups(const struct report_input *in, struct report_table *t)
{
	const struct people *people = &in->state->people;
	size_t n = policy_group_count(in->state->policy);
	_cleanup_free_ size_t *members = calloc(n + 1, sizeof(*members));

	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < people->n; i++) {
		for (size_t k = 0; k < people->v[i].n_groups; k++)
			members[people->v[i].groups[k]]++;
		for (size_t k = 0; k < people->v[i].n_unknown; k++)
			members[people->v[i].unknown[k]]++; /* unknown is not empty */
	}
	for (size_t i = 0; i < n; i++)
		if (members[i] == 0)
			put_orphan(t, "group",
				   policy_group_at(in->state->policy, i)->name,
				   "The policy names it; it has no member.");
	return 0;
}

static void list_factors(const struct report_input *in, struct report_table *t)
{
	for (size_t i = 0; i < in->state->n_factors; i++) {
		const struct state_factor *f = &in->state->factors[i];
		const struct policy_subject *s =
			people_find(&in->state->people, f->login);

		if (!s || !str_eq(s->id, f->id))
			put_orphan(t, "second factor", f->login,
				   "Its person is not in the directory any more.");
	}
}

static int list_vms(const struct report_input *in, const struct holdings *h,
		    struct report_table *t)
{
	size_t n = policy_reach_classes(h->reach), n_list;
	_cleanup_free_ bool *reached = calloc(n + 1, sizeof(*reached));

	if (!reached)
		return -ENOMEM;
	for (uint32_t i = 0; i < h->groups.n; i++) {
		const uint32_t *classes = holdings_vms(h, i, &n_list);

		for (size_t k = 0; k < n_list; k++)
			reached[classes[k]] = true;
	}
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *vms = policy_reach_vms(h->reach, i, &n_list);

		for (size_t k = 0; k < n_list && !reached[i]; k++)
			put_orphan(t, "VM", policy_vm_at(in->state->policy, vms[k]),
				   "Nobody reaches it.");
	}
	return 0;
}

static int list_orphans(const struct report_input *in, const struct holdings *h,
			struct report *r, size_t *ret_n)
{
	struct report_table *t;
	int rc;

	report_section(r, "Orphans", NULL);
	t = REPORT_TABLE(r, "orphans", "Names that lead nowhere", orphan_columns,
			 .none = "None.");
	rc = list_groups(in, t);
	list_factors(in, t);
	rc = rc != 0 ? rc : list_vms(in, h, t);
	*ret_n = t->n_rows;
	return rc;
}

int report_unused(const struct report_input *in, struct report *r)
{
	_cleanup_holdings_ struct holdings h = {0};
	size_t n_band[ARRAY_SIZE(bands)] = {0}, n, n_dormant, n_orphans = 0;
	bool narrowed = in->user || in->vm || in->role;
	int rc = holdings_make(in, &h);

	if (rc != 0)
		return rc;
	report_section(r, "Unused ways in", NULL);
	n = list_ways(in, &h, r, n_band);
	report_section(r, "Dormant people", NULL);
	n_dormant = list_dormant(in, &h, r);
	if (narrowed)
		report_limit(r, "Names that lead nowhere are looked for only when the "
				"report is about everything.");
	else
		rc = list_orphans(in, &h, r, &n_orphans);
	holdings_list_vms(&h, r);
	report_figure(r, "ways", "ways in", (int64_t)h.n, NULL, false);
	for (size_t i = 0; i < ARRAY_SIZE(bands); i++)
		report_figure(r, report_f(r, "unused_%d", bands[i]),
			      report_f(r, "unused for %d days", bands[i]),
			      (int64_t)n_band[i], NULL, i == 2);
	report_figure(r, "dormant", "dormant people", (int64_t)n_dormant,
		      report_f(r, "of %zu with access", holdings_people(&h)), true);
	if (!narrowed)
		report_figure(r, "orphans", "orphans", (int64_t)n_orphans, NULL, false);
	report_find(r, REPORT_MEDIUM, "unused-access", n_band[2], "unused",
		    report_f(r, "%s used for 90 days or more.",
			     report_plural(r, n_band[2], "way in was not",
					   "ways in were not")));
	report_find(r, REPORT_LOW, "unused-access-recent", n - n_band[2], "unused",
		    report_f(r, "%s used lately, for less than 90 days.",
			     report_plural(r, n - n_band[2], "way in was not",
					   "ways in were not")));
	report_find(
		r, REPORT_MEDIUM, "dormant-account", n_dormant, "dormant",
		report_f(r,
			 "%s with access did not log in for 30 days or more, or not "
			 "since the log begins.",
			 report_plural(r, n_dormant, "person", "people")));
	report_find(r, REPORT_LOW, "orphan", n_orphans, "orphans",
		    report_f(r, "%s nowhere.",
			     report_plural(r, n_orphans, "name leads", "names lead")));
	report_limit(r, "What was never used is unused for at least as long as the log "
			"goes back, not longer than that is known.");
	return rc;
}
