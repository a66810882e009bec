/* SPDX-License-Identifier: Apache-2.0 */
/* r_privileged.c - report privileged: who may become root or somebody else, and did. */
#include "rbacd/report/holdings.h"

static const struct report_column columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"role", "Role", REPORT_TEXT, true, false},
	{"privileges", "Privileges", REPORT_TEXT, true, false},
	{"vms", "VMs", REPORT_TEXT, false, false},
	{"grant", "Grant", REPORT_TEXT, false, false},
	{"group", "Through", REPORT_TEXT, false, false},
	{"mfa", "Code", REPORT_TEXT, true, false},
	{"valid_until", "Until", REPORT_TIME, false, false},
	{"first_used", "First use", REPORT_TIME, false, false},
	{"last_used", "Last use", REPORT_TIME, false, false},
	{"times", "Uses", REPORT_NUMBER, false, true},
	{"strong", "With a security key", REPORT_NUMBER, false, true},
};

static const struct report_column role_columns[] = {
	{"role", "Role", REPORT_TEXT, false, false},
	{"people", "People", REPORT_NUMBER, false, false},
};

struct totals {
	size_t ways, people, no_mfa, unused, temporary;
	uint64_t uses, strong;
};

static void put_way(const struct report_input *in, const struct holdings *h,
		    const struct holding *v, struct report_table *t)
{
	report_row(t);
	report_put(t, in->state->people.v[v->person].login);
	report_put(t, v->role);
	report_put(t, report_copy(t->report, v->privileges, strlen(v->privileges)));
	report_put(t, holdings_vm_text(h, t->report, v->vms));
	report_put(t, v->rule);
	report_put(t, v->group);
	report_put(t, v->mfa ? "needed" : "not needed");
	report_put_time(t, v->valid_until_s);
	report_put_time(t, v->first_used_s);
	report_put_time(t, v->last_used_s);
	report_put_n(t, (int64_t)v->n_used);
	report_put_n(t, (int64_t)v->n_strong);
}

static struct totals list_ways(const struct report_input *in, const struct holdings *h,
			       struct report *r)
{
	struct report_table *t = REPORT_TABLE(r, "privileged", "Privileged ways in",
					      columns, .none = "Nobody holds any.");
	struct totals sum = {0};
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i < h->n; i++) {
		const struct holding *v = &h->v[i];

		if (!v->privileged)
			continue;
		put_way(in, h, v, t);
		sum.ways++;
		sum.people += v->person != last;
		last = v->person;
		sum.no_mfa += !v->mfa;
		sum.unused += v->n_used == 0;
		sum.temporary += v->valid_until_s != 0;
		sum.uses += v->n_used;
		sum.strong += v->n_strong;
	}
	return sum;
}

static int list_roles(const struct holdings *h, struct report *r)
{
	_cleanup_(index_done) struct index roles = {0}, seen = {0};
	struct report_table *t;
	char key[512];
	uint32_t i;
	int rc = 0;

	for (size_t k = 0; k < h->n && rc == 0; k++) {
		const struct holding *v = &h->v[k];
		int n = snprintf(key, sizeof(key), "%s%c%u", v->role ? v->role : "-", 1,
				 v->person);

		if (!v->privileged)
			continue;
		rc = index_put(&roles, v->role ? v->role : "-",
			       strlen(v->role ? v->role : "-"), &i);
		if (rc == 0 && n > 0 && (size_t)n < sizeof(key))
			rc = index_put(&seen, key, (size_t)n, &i);
	}
	t = REPORT_TABLE(r, "privileged-roles", "People by role", role_columns,
			 .none = "None.", .chart = REPORT_BARS);
	for (size_t k = 0; k < roles.n && rc == 0; k++) {
		int64_t n = 0;

		for (size_t m = 0; m < seen.n; m++)
			n += seen.texts[m].len > roles.texts[k].len &&
			     seen.texts[m].text[roles.texts[k].len] == 1 &&
			     memcmp(seen.texts[m].text, roles.texts[k].text,
				    roles.texts[k].len) == 0;
		report_row(t);
		report_put(t, report_copy(r, roles.texts[k].text, roles.texts[k].len));
		report_put_n(t, n);
	}
	return rc;
}

int report_privileged(const struct report_input *in, struct report *r)
{
	_cleanup_holdings_ struct holdings h = {0};
	struct totals sum;
	int rc = holdings_make(in, &h);

	if (rc != 0)
		return rc;
	report_section(
		r, "Holders",
		"sudo, su and su:ACCOUNT count as privileged: with them somebody "
		"acts as root or as another account.");
	rc = list_roles(&h, r);
	sum = list_ways(in, &h, r);
	report_figure(r, "people", "people with privileges", (int64_t)sum.people,
		      report_f(r, "of %zu with access", holdings_people(&h)), false);
	report_figure(r, "ways", "privileged ways in", (int64_t)sum.ways, NULL, false);
	report_figure(r, "uses", "uses", (int64_t)sum.uses, "in the period", false);
	report_figure(r, "strong", "with a security key", (int64_t)sum.strong,
		      sum.uses ? report_f(r, "%.0f %% of all uses",
					  100.0 * (double)sum.strong / (double)sum.uses)
			       : NULL,
		      false);
	report_figure(r, "temporary", "with an end", (int64_t)sum.temporary, NULL,
		      false);
	report_figure(r, "no_mfa", "without a code", (int64_t)sum.no_mfa, NULL, true);
	report_find(r, REPORT_HIGH, "privileged-without-code", sum.no_mfa, "privileged",
		    report_f(r, "%s open without a one-time code.",
			     report_plural(r, sum.no_mfa, "privileged way in is",
					   "privileged ways in are")));
	report_find(r, REPORT_LOW, "privileged-unused", sum.unused, "privileged",
		    report_f(r, "%s not used in the period.",
			     report_plural(r, sum.unused, "privileged way in was",
					   "privileged ways in were")));
	report_limit(r, "A one-time code is not phishing-resistant; a security key is. "
			"The share counts uses, not people.");
	holdings_list_vms(&h, r);
	return rc;
}
