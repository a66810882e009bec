/* SPDX-License-Identifier: Apache-2.0 */
/* r_mfa.c - report mfa: second factors, how they do, and who goes without one. */
#include <errno.h>

#include "rbacd/report/holdings.h"

#define DAY_S	    86400
#define CODES_FEW   3 /* recovery codes left */
#define DRIFT_LARGE 2 /* steps */
#define FAILS_MANY  10

static const struct report_column columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"access", "Has access", REPORT_TEXT, true, false},
	{"state", "Factor", REPORT_TEXT, true, false},
	{"method", "Method", REPORT_TEXT, true, false},
	{"enrolled", "Since", REPORT_TIME, false, false},
	{"last_ok", "Last success", REPORT_TIME, false, false},
	{"ok", "Accepted", REPORT_NUMBER, false, true},
	{"bad", "Refused", REPORT_NUMBER, false, true},
	{"replays", "Replays", REPORT_NUMBER, false, true},
	{"drift", "Drift, steps", REPORT_NUMBER, false, false},
	{"recovery", "Recovery codes left", REPORT_NUMBER, false, true},
};

static const struct report_column exemption_columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"grant", "Grant", REPORT_TEXT, true, false},
	{"privileges", "Privileges", REPORT_TEXT, false, false},
	{"vms", "VMs", REPORT_TEXT, false, false},
	{"until", "Until", REPORT_TIME, false, false},
	{"last_used", "Last used", REPORT_TIME, false, false},
};

static const struct report_column share_columns[] = {
	{"state", "Factor", REPORT_TEXT, false, false},
	{"people", "People with access", REPORT_NUMBER, false, true},
};

enum { ACTIVE, PENDING, DISABLED, NONE, STATES };
static const char *const state_names[] = {"active", "not confirmed", "disabled",
					  "none"};

static int state_of(const struct state_factor *f)
{
	if (!f)
		return NONE;
	if (f->disabled || (f->n_active == 0 && f->n_disabled > 0))
		return DISABLED;
	return f->n_active > 0 ? ACTIVE : f->n_pending > 0 ? PENDING : NONE;
}

struct totals {
	size_t n[STATES], without, few_codes, drift, failing, replays;
};

static void put_person(const struct report_input *in, const char *login, const char *id,
		       bool access, struct totals *sum, struct report_table *t)
{
	const struct state_factor *f = state_factor(in->state, id);
	const struct activity_person *a = activity_person(in->activity, id);
	int64_t drift = f ? (f->drift < 0 ? -f->drift : f->drift) : 0;
	int state = state_of(f);

	sum->n[state] += access;
	sum->few_codes += f && state == ACTIVE && f->recovery_left < CODES_FEW;
	sum->drift += drift >= DRIFT_LARGE;
	sum->failing += a && a->n_bad >= FAILS_MANY;
	sum->replays += a ? (size_t)a->n_replay : 0;
	report_row(t);
	report_put(t, login);
	report_put(t, access ? "yes" : "no");
	report_put(t, state_names[state]);
	report_put(t, f ? f->kind : NULL);
	report_put_time(t, f ? f->enrolled_s : 0);
	report_put_time(t, f ? f->last_ok_s : 0);
	report_put_n(t, a ? (int64_t)a->n_ok : 0);
	report_put_n(t, a ? (int64_t)a->n_bad : 0);
	report_put_n(t, a ? (int64_t)a->n_replay : 0);
	if (f && f->n_active > 0) {
		report_put_n(t, f->drift);
		report_put_n(t, f->recovery_left);
	}
}

/* People with access or with a factor; then factors of people who are gone. Narrowed to
 * a VM or a role: those with such access. */
static void list_people(const struct report_input *in, const struct holdings *h,
			struct totals *sum, struct report_table *t)
{
	const struct people *people = &in->state->people;
	bool narrowed = in->vm || in->role;
	size_t at = 0;

	for (uint32_t i = 0; i < people->n; i++) {
		const struct policy_subject *s = &people->v[i];
		bool access;

		while (at < h->n && h->v[at].person < i)
			at++;
		access = at < h->n && h->v[at].person == i;
		if (holdings_wanted_person(in, s->login) &&
		    (access || (!narrowed && state_factor(in->state, s->id))))
			put_person(in, s->login, s->id, access, sum, t);
	}
	for (size_t i = 0; i < in->state->n_factors && !narrowed; i++) {
		const struct state_factor *f = &in->state->factors[i];
		const struct policy_subject *s = people_find(people, f->login);

		if ((!s || !str_eq(s->id, f->id)) &&
		    holdings_wanted_person(in, f->login))
			put_person(in, f->login, f->id, false, sum, t);
	}
}

/* Ways in that need no code. @ret_without: people with a factor wanted and none. */
static size_t list_exemptions(const struct report_input *in, const struct holdings *h,
			      struct report *r, size_t *ret_without)
{
	struct report_table *t = REPORT_TABLE(r, "exemptions", "Ways in without a code",
					      exemption_columns,
					      .none = "Every way in asks for a code.");
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i < h->n; i++) {
		const struct holding *v = &h->v[i];
		const struct policy_subject *s = &in->state->people.v[v->person];

		if (v->mfa) {
			*ret_without +=
				v->person != last &&
				state_of(state_factor(in->state, s->id)) != ACTIVE;
			last = v->person;
			continue;
		}
		report_row(t);
		report_put(t, s->login);
		report_put(t, v->rule);
		report_put(t, report_copy(r, v->privileges, strlen(v->privileges)));
		report_put(t, holdings_vm_text(h, r, v->vms));
		report_put_time(t, v->valid_until_s);
		report_put_time(t, v->last_used_s);
	}
	return t->n_rows;
}

static void say_findings(const struct totals *sum, size_t exempt, struct report *r)
{
	report_find(r, REPORT_MEDIUM, "mfa-exemption", exempt, "exemptions",
		    report_f(r, "%s no code.",
			     report_plural(r, exempt, "way in needs", "ways in need")));
	report_find(r, REPORT_MEDIUM, "mfa-not-enrolled", sum->without, "mfa",
		    report_f(r,
			     "%s access that needs a code, and no working factor: they "
			     "cannot log in.",
			     report_plural(r, sum->without, "person has",
					   "people have")));
	report_find(r, REPORT_HIGH, "mfa-replay", sum->replays, "mfa",
		    report_f(r, "A used code was given again, %s.",
			     report_plural(r, sum->replays, "time", "times")));
	report_find(r, REPORT_LOW, "mfa-failing", sum->failing, "mfa",
		    report_f(r, "%s %d wrong codes or more.",
			     report_plural(r, sum->failing, "person gave",
					   "people gave"),
			     FAILS_MANY));
	report_find(r, REPORT_LOW, "mfa-drift", sum->drift, "mfa",
		    report_f(r, "%s that is %d steps off or more.",
			     report_plural(r, sum->drift, "person has a clock",
					   "people have a clock"),
			     DRIFT_LARGE));
	report_find(r, REPORT_INFO, "mfa-few-recovery-codes", sum->few_codes, "mfa",
		    report_f(r, "%s fewer than %d recovery codes left.",
			     report_plural(r, sum->few_codes, "person has",
					   "people have"),
			     CODES_FEW));
}

int report_mfa(const struct report_input *in, struct report *r)
{
	_cleanup_holdings_ struct holdings h = {0};
	struct report_table *share, *t;
	struct totals sum = {0};
	size_t exempt, with_access;
	int rc = holdings_make(in, &h);

	if (rc != 0)
		return rc;
	report_section(r, "Second factors", NULL);
	share = REPORT_TABLE(r, "mfa-share", "People with access, by factor",
			     share_columns, .chart = REPORT_BARS);
	t = REPORT_TABLE(r, "mfa", "People", columns, .none = "Nobody.");
	list_people(in, &h, &sum, t);
	for (int i = 0; i < STATES; i++) {
		report_row(share);
		report_put(share, state_names[i]);
		report_put_n(share, (int64_t)sum.n[i]);
	}
	report_section(r, "Exemptions", NULL);
	exempt = list_exemptions(in, &h, r, &sum.without);
	holdings_list_vms(&h, r);
	with_access = holdings_people(&h);
	report_figure(r, "active", "people with a working factor",
		      (int64_t)sum.n[ACTIVE],
		      report_f(r, "of %zu with access", with_access), false);
	report_figure(r, "without", "cannot log in for want of one",
		      (int64_t)sum.without, NULL, true);
	report_figure(r, "exemptions", "ways in without a code", (int64_t)exempt, NULL,
		      true);
	report_figure(r, "replays", "codes given twice", (int64_t)sum.replays,
		      "in the period", true);
	report_figure(r, "disabled", "disabled", (int64_t)sum.n[DISABLED], NULL, false);
	say_findings(&sum, exempt, r);
	if (in->vm || in->role)
		report_limit(r, "A second factor works everywhere: what is said of one "
				"is about all its uses.");
	report_limit(r,
		     "Secrets, codes and recovery codes are never part of a report.");
	return 0;
}
