/* SPDX-License-Identifier: Apache-2.0 */
/* r_passwords.c - report passwords: the rules in force over time, and what they
 * refused.
 */
#include <inttypes.h>

#include "policy/view.h"
#include "rbacd/ctl/record.h"
#include "rbacd/report/holdings.h"

static const struct report_column rule_columns[] = {
	{"rule", "Rule", REPORT_TEXT, false, false},
};
static const struct report_column preset_columns[] = {
	{"at", "At", REPORT_TIME, false, false},
	{"preset", "Preset", REPORT_TEXT, false, false},
	{"factor", "Second factor everywhere", REPORT_TEXT, false, false},
	{"stricter", "Stricter numbers", REPORT_NUMBER, false, false},
	{"weaker", "Weaker than before", REPORT_NUMBER, false, false},
	{"policy", "Policy", REPORT_TEXT, false, false},
};
static const struct report_column number_columns[] = {
	{"key", "Number", REPORT_TEXT, false, false},
	{"preset", "Preset says", REPORT_TEXT, false, false},
	{"policy", "Policy says", REPORT_TEXT, false, false},
	{"deviation", "Deviation", REPORT_TEXT, true, false},
	{"before", "At the start", REPORT_TEXT, false, false},
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

static const struct report_column demand_columns[] = {
	{"reason", "Reason", REPORT_TEXT, false, false},
	{"demanded", "Demanded", REPORT_NUMBER, false, true},
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

/* ---------------------------------------------------------------- the preset */

static const char *number_text(struct report *r, const struct policy_password_number *n,
			       int32_t v)
{
	if (v == 0)
		return n->forbidden ? "forbidden" : "off";
	return report_f(r, n->days ? "%d days" : "%d", v);
}

static bool is_weaker(const struct policy_password_number *n, int32_t now,
		      int32_t before)
{
	if (!n->less_is_stricter)
		return now < before;
	return before > 0 && (now == 0 || now > before);
}

/* The same number at the start of the period; false: there was none. */
static bool number_before(const struct report_input *in, size_t i,
			  struct policy_password_number *ret)
{
	return in->before && policy_password_number(in->before->policy, i, ret);
}

static size_t count_stricter(const struct policy *p)
{
	struct policy_password_number n;
	size_t sum = 0;

	for (size_t i = 0; policy_password_number(p, i, &n); i++)
		sum += n.value != n.preset;
	return sum;
}

static size_t count_weaker(const struct report_input *in)
{
	struct policy_password_number n, old;
	size_t sum = 0;

	for (size_t i = 0; policy_password_number(in->state->policy, i, &n); i++)
		sum += number_before(in, i, &old) && is_weaker(&n, n.value, old.value);
	return sum;
}

/* A policy may only be stricter than its preset: the loader refuses the rest. */
static void list_numbers(const struct report_input *in, struct report *r)
{
	struct report_table *t = REPORT_TABLE(
		r, "password-deviations", "Deviations from the preset", number_columns,
		.note = "A policy may be stricter than its preset; a weaker one is "
			"refused.",
		.none = "There is no preset.");
	struct policy_password_number n, old;

	for (size_t i = 0; policy_password_number(in->state->policy, i, &n); i++) {
		report_row(t);
		report_put(t, n.name);
		report_put(t, number_text(r, &n, n.preset));
		report_put(t, number_text(r, &n, n.value));
		report_put(t, n.value != n.preset ? "stricter" : "none");
		if (number_before(in, i, &old))
			report_put(t, number_text(r, &old, old.value));
	}
}

static void put_preset(const struct state *st, size_t weaker, struct report_table *t)
{
	struct password_rules rules;

	policy_password(st->policy, &rules);
	report_row(t);
	report_put_time(t, st->as_of_s);
	report_put(t, rules.preset ? rules.preset : "none");
	report_put(t, !rules.preset ? NULL : rules.mfa_everywhere ? "yes" : "no");
	report_put_n(t, (int64_t)count_stricter(st->policy));
	report_put_n(t, (int64_t)weaker);
	report_put(t, policy_sha256(st->policy));
}

/* In force at both ends of the period; between them, by hash, in the next table. */
static void list_presets(const struct report_input *in, struct report *r)
{
	struct report_table *t =
		REPORT_TABLE(r, "password-presets", "Preset in force", preset_columns);

	if (in->before)
		put_preset(in->before, 0, t);
	put_preset(in->state, count_weaker(in), t);
}

static void say_deviations(const struct report_input *in, struct report *r)
{
	size_t weaker = count_weaker(in);
	struct password_rules now, before = {0};
	bool gone, other;

	policy_password(in->state->policy, &now);
	if (in->before)
		policy_password(in->before->policy, &before);
	gone = before.preset && !now.preset;
	other = before.preset && now.preset && !str_eq(before.preset, now.preset);
	report_figure(r, "stricter", "numbers stricter than the preset",
		      (int64_t)count_stricter(in->state->policy), now.preset, false);
	report_figure(r, "weaker", "weaker than at the start", (int64_t)weaker, NULL,
		      true);
	report_find(r, REPORT_MEDIUM, "password-weaker", weaker, "password-deviations",
		    report_f(r, "%s weaker than at the start of the period.",
			     report_plural(r, weaker, "number is", "numbers are")));
	report_find(r, REPORT_MEDIUM, "password-preset", gone || other,
		    "password-presets",
		    gone ? "The policy says nothing about passwords any more."
			 : "The preset is another than at the start of the period.");
}

static void list_force(const struct activity *a, struct report *r)
{
	struct report_table *t = REPORT_TABLE(
		r, "password-policies", "Policies activated in the period",
		force_columns,
		.none = "None: the policy of the start held all the time.");

	for (size_t i = activity_first_event(a); i < a->n_events; i++) {
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

static uint64_t list_reasons(const struct activity *a, bool refused,
			     struct report_table *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < a->passwords.index.n; i++) {
		const struct activity_count *c = &a->passwords.v[i];
		uint64_t n = refused ? c->n_deny : c->n_allow;

		if (n == 0)
			continue;
		report_row(t);
		report_put(t, c->text);
		report_put_n(t, (int64_t)n);
		report_put(t, record_reason(c->text));
		report_put_time(t, c->last_s);
		sum += n;
	}
	return sum;
}

static uint64_t list_refusals(const struct activity *a, struct report *r)
{
	return list_reasons(a, true,
			    REPORT_TABLE(r, "password-refusals",
					 "Passwords refused, by reason", reason_columns,
					 .none = "None.", .chart = REPORT_BARS));
}

/* The person was let in to change it, and nothing else. */
static uint64_t list_demands(const struct activity *a, struct report *r)
{
	return list_reasons(a, false,
			    REPORT_TABLE(r, "password-demands",
					 "New passwords demanded at a login, by reason",
					 demand_columns, .none = "None."));
}

int report_passwords(const struct report_input *in, struct report *r)
{
	uint64_t refused, demanded;

	report_section(r, "In force", NULL);
	list_presets(in, r);
	list_numbers(in, r);
	list_rules(in->state, r);
	list_force(in->activity, r);
	report_section(r, "Refusals", NULL);
	refused = list_refusals(in->activity, r);
	say_deviations(in, r);
	report_section(r, "Changes", NULL);
	demanded = list_demands(in->activity, r);
	report_figure(r, "refused", "passwords refused", (int64_t)refused,
		      "in the period", false);
	report_figure(r, "changed", "passwords changed",
		      (int64_t)in->activity->n_passwords_changed,
		      "in the period, as the stack confirmed", false);
	report_figure(r, "demanded", "changes demanded at a login", (int64_t)demanded,
		      "in the period", false);
	report_limit(r,
		     "Passwords themselves, their hashes and their lengths are never "
		     "recorded.");
	report_limit(r, "Only changes that go through vmsec are seen; the host's other "
			"modules have rules and logs of their own.");
	return 0;
}
