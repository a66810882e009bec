/* SPDX-License-Identifier: Apache-2.0 */
/* r_passwords.c - report passwords: the rules in force over time, and what they
 * refused.
 */
#include <inttypes.h>

#include "rbacd/ctl/record.h"
#include "rbacd/report/holdings.h"

static const struct report_column rule_columns[] = {
	{"rule", "Rule", REPORT_TEXT, false, false},
};
static const struct report_column force_columns[] = {
	{"at", "From", REPORT_TIME, false, false},
	{"policy", "Policy", REPORT_TEXT, false, false},
	{"actor", "By", REPORT_TEXT, false, false},
	{"seq", "Record", REPORT_NUMBER, false, false},
};
static const struct report_column reason_columns[] = {
	{"reason", "Reason", REPORT_TEXT, false, false},
	{"refused", "Refused", REPORT_NUMBER, false, true},
	{"meaning", "What it means", REPORT_TEXT, false, false},
	{"last", "Last", REPORT_TIME, false, false},
};

/* The policy's own lines below "password:", as its canonical form has them. */
static void list_rules(const struct state *st, struct report *r)
{
	struct report_table *t =
		REPORT_TABLE(r, "password-rules", "Rules of the policy", rule_columns,
			     .none = "The policy says nothing about passwords: the "
				     "host's own rules hold.");
	const char *p = st->policy_text, *end = p + st->policy_len;
	bool inside = false;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		bool nested = len > 0 && p[0] == ' ';

		if (!nested)
			inside = len >= 9 && memcmp(p, "password:", 9) == 0;
		if (inside && (nested || len > 9)) {
			while (len > 0 && *p == ' ') {
				p++;
				len--;
			}
			report_row(t);
			report_put(t, report_copy(r, p, len));
		}
		p += len + 1;
	}
}

static void list_force(const struct activity *a, struct report *r)
{
	struct report_table *t = REPORT_TABLE(
		r, "password-policies", "Policies activated in the period",
		force_columns,
		.none = "None: the policy of the start held all the time.");

	for (size_t i = 0; i < a->n_events; i++) {
		const struct activity_event *e = &a->events[i];

		if (!str_eq(e->ev, "policy.load") || !str_eq(e->outcome, "success"))
			continue;
		report_row(t);
		report_put_time(t, e->at_s);
		report_put(t, e->after);
		report_put(t, e->actor);
		report_put_n(t, (int64_t)e->seq);
	}
}

static uint64_t list_refusals(const struct activity *a, struct report *r)
{
	struct report_table *t =
		REPORT_TABLE(r, "password-refusals", "Passwords refused, by reason",
			     reason_columns, .none = "None.", .chart = REPORT_BARS);
	uint64_t sum = 0;

	for (size_t i = 0; i < a->reasons.index.n; i++) {
		const struct activity_count *c = &a->reasons.v[i];

		if (!str_after(c->text, "pw_"))
			continue;
		report_row(t);
		report_put(t, c->text);
		report_put_n(t, (int64_t)c->n_deny);
		report_put(t, record_reason(c->text));
		report_put_time(t, c->last_s);
		sum += c->n_deny;
	}
	return sum;
}

int report_passwords(const struct report_input *in, struct report *r)
{
	uint64_t refused;

	report_section(r, "In force", NULL);
	list_rules(in->state, r);
	list_force(in->activity, r);
	report_section(r, "Refusals", NULL);
	refused = list_refusals(in->activity, r);
	report_figure(r, "refused", "passwords refused", (int64_t)refused,
		      "in the period", false);
	report_limit(r,
		     "Passwords themselves, their hashes and their lengths are never "
		     "recorded.");
	report_limit(r, "Only changes that go through vmsec are seen; the host's other "
			"modules have rules and logs of their own.");
	return 0;
}
