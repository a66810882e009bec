/* SPDX-License-Identifier: Apache-2.0 */
/* r_activity.c - report activity: logins and refusals, by day, hour, reason, source and
 * person. */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "rbacd/ctl/record.h"
#include "rbacd/report/holdings.h"

#define DAY_S	    86400
#define SOURCES_MAX 100 /* listed; the others are one line */

static const struct report_column day_columns[] = {
	{"day", "Day", REPORT_TEXT, false, false},
	{"allowed", "Allowed", REPORT_NUMBER, false, true},
	{"refused", "Refused", REPORT_NUMBER, false, true},
};
static const struct report_column heat_columns[] = {
	{"hour", "Hour", REPORT_TEXT, false, false},
	{"mon", "Mon", REPORT_NUMBER, false, true},
	{"tue", "Tue", REPORT_NUMBER, false, true},
	{"wed", "Wed", REPORT_NUMBER, false, true},
	{"thu", "Thu", REPORT_NUMBER, false, true},
	{"fri", "Fri", REPORT_NUMBER, false, true},
	{"sat", "Sat", REPORT_NUMBER, false, true},
	{"sun", "Sun", REPORT_NUMBER, false, true},
};
static const struct report_column reason_columns[] = {
	{"reason", "Reason", REPORT_TEXT, false, false},
	{"refused", "Refused", REPORT_NUMBER, false, true},
	{"meaning", "What it means", REPORT_TEXT, false, false},
};
static const struct report_column count_columns[] = {
	{"name", "Name", REPORT_TEXT, false, false},
	{"allowed", "Allowed", REPORT_NUMBER, false, true},
	{"refused", "Refused", REPORT_NUMBER, false, true},
	{"last", "Last", REPORT_TIME, false, false},
};
static const struct report_column person_columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"allowed", "Allowed", REPORT_NUMBER, false, true},
	{"refused", "Refused", REPORT_NUMBER, false, true},
	{"wrong_codes", "Wrong codes", REPORT_NUMBER, false, true},
	{"replays", "Replays", REPORT_NUMBER, false, true},
	{"locked", "Locked out", REPORT_NUMBER, false, true},
	{"first", "First login", REPORT_TIME, false, false},
	{"last", "Last login", REPORT_TIME, false, false},
	{"last_refused", "Last refusal", REPORT_TIME, false, false},
};
static const struct report_column speed_columns[] = {
	{"within", "Answered within", REPORT_TEXT, false, false},
	{"decisions", "Decisions", REPORT_NUMBER, false, true},
};

static void list_days(const struct activity *a, struct report *r)
{
	struct report_table *t = REPORT_TABLE(r, "days", "Decisions a day", day_columns,
					      .chart = REPORT_DAYS);
	char text[16];

	for (size_t i = 0; i < a->n_days; i++) {
		time_t at = (time_t)((a->since_s / DAY_S + (int64_t)i) * DAY_S);
		struct tm tm;

		if (!gmtime_r(&at, &tm) ||
		    strftime(text, sizeof(text), "%Y-%m-%d", &tm) == 0)
			continue;
		report_row(t);
		report_put(t, report_f(r, "%s", text));
		report_put_n(t, (int64_t)a->days[i].n_allow);
		report_put_n(t, (int64_t)a->days[i].n_deny);
	}
}

static void list_hours(const struct activity *a, struct report *r)
{
	struct report_table *t =
		REPORT_TABLE(r, "hours", "Logins by hour and weekday (UTC)",
			     heat_columns, .chart = REPORT_HEAT);

	for (int hour = 0; hour < 24; hour++) {
		report_row(t);
		report_put(t, report_f(r, "%02d:00", hour));
		for (int day = 0; day < 7; day++)
			report_put_n(t, (int64_t)a->heat[hour][day]);
	}
}

/* ---------------------------------------------------------------- counts */

static int by_count(const void *pa, const void *pb)
{
	const struct activity_count *a = *(const struct activity_count *const *)pa;
	const struct activity_count *b = *(const struct activity_count *const *)pb;
	uint64_t x = a->n_allow + a->n_deny, y = b->n_allow + b->n_deny;

	return x != y ? (x < y) - (x > y) : strcmp(a->text, b->text);
}

/* The counts, the largest first; NULL: out of memory. The caller frees. */
static const struct activity_count **sorted(const struct activity_counts *c)
{
	const struct activity_count **v = calloc(c->index.n + 1, sizeof(const void *));

	for (size_t i = 0; v && i < c->index.n; i++)
		v[i] = &c->v[i];
	if (v && c->index.n > 1)
		qsort(v, c->index.n, sizeof(const void *), by_count);
	return v;
}

static int list_reasons(const struct activity *a, struct report *r)
{
	_cleanup_free_ const struct activity_count **v = sorted(&a->reasons);
	struct report_table *t;

	if (!v)
		return -ENOMEM;
	t = REPORT_TABLE(r, "reasons", "Refusals by reason", reason_columns,
			 .none = "Nobody was refused.", .chart = REPORT_BARS);
	for (size_t i = 0; i < a->reasons.index.n; i++) {
		report_row(t);
		report_put(t, v[i]->text);
		report_put_n(t, (int64_t)v[i]->n_deny);
		report_put(t, record_reason(v[i]->text));
	}
	return 0;
}

static int list_counts(const struct activity_counts *c, const char *name,
		       const char *title, size_t most, struct report *r)
{
	_cleanup_free_ const struct activity_count **v = sorted(c);
	struct report_table *t;
	uint64_t allow = 0, deny = c->n_other;

	if (!v)
		return -ENOMEM;
	t = REPORT_TABLE(r, name, title, count_columns, .none = "None.");
	for (size_t i = 0; i < c->index.n; i++) {
		if (i >= most) {
			allow += v[i]->n_allow;
			deny += v[i]->n_deny;
			continue;
		}
		report_row(t);
		report_put(t, v[i]->text);
		report_put_n(t, (int64_t)v[i]->n_allow);
		report_put_n(t, (int64_t)v[i]->n_deny);
		report_put_time(t, v[i]->last_s);
	}
	if (allow + deny > 0 && (c->index.n > most || c->n_other > 0)) {
		report_row(t);
		report_put(t, report_f(r, "all others (%zu%s)",
				       c->index.n > most ? c->index.n - most : 0,
				       c->n_other > 0 ? " and more" : ""));
		report_put_n(t, (int64_t)allow);
		report_put_n(t, (int64_t)deny);
	}
	return 0;
}

static int by_login(const void *pa, const void *pb)
{
	const struct activity_person *a = *(const struct activity_person *const *)pa;
	const struct activity_person *b = *(const struct activity_person *const *)pb;
	int d = strcmp(a->login ? a->login : "", b->login ? b->login : "");

	return d != 0 ? d : strcmp(a->id, b->id);
}

static int list_people(const struct activity *a, struct report *r)
{
	_cleanup_free_ const struct activity_person **v =
		calloc(a->ids.n + 1, sizeof(const void *));
	struct report_table *t;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < a->ids.n; i++)
		v[i] = &a->people[i];
	if (a->ids.n > 1)
		qsort(v, a->ids.n, sizeof(const void *), by_login);
	t = REPORT_TABLE(r, "activity-people", "People", person_columns,
			 .none = "Nobody.");
	for (size_t i = 0; i < a->ids.n; i++) {
		const struct activity_person *p = v[i];

		if (p->n_allow + p->n_deny == 0)
			continue;
		report_row(t);
		report_put(t, p->login ? p->login : p->id);
		report_put_n(t, (int64_t)p->n_allow);
		report_put_n(t, (int64_t)p->n_deny);
		report_put_n(t, (int64_t)p->n_bad);
		report_put_n(t, (int64_t)p->n_replay);
		report_put_n(t, (int64_t)p->n_locked);
		report_put_time(t, p->first_allow_s);
		report_put_time(t, p->last_allow_s);
		report_put_time(t, p->last_deny_s);
	}
	return 0;
}

static void list_speed(const struct activity *a, struct report *r)
{
	static const char *const within[] = {"1 ms", "5 ms", "20 ms", "100 ms",
					     "longer"};
	struct report_table *t = REPORT_TABLE(r, "speed", "How fast rbacd answered",
					      speed_columns, .chart = REPORT_BARS);

	for (size_t i = 0; i < ARRAY_SIZE(within); i++) {
		report_row(t);
		report_put(t, within[i]);
		report_put_n(t, (int64_t)a->lat[i]);
	}
}

static void say_figures(const struct activity *a, struct report *r)
{
	report_figure(r, "allowed", "logins and uses allowed", (int64_t)a->n_allow,
		      NULL, false);
	report_figure(r, "refused", "refused", (int64_t)a->n_deny, NULL, false);
	report_figure(r, "people", "people seen", (int64_t)a->ids.n, NULL, false);
	report_figure(r, "unknown", "attempts of unknown names", (int64_t)a->n_unknown,
		      NULL, false);
	report_figure(r, "lockouts", "lockouts", (int64_t)a->n_lockouts, NULL, true);
	report_figure(r, "replays", "codes given twice", (int64_t)a->n_replays, NULL,
		      true);
	report_find(r, REPORT_HIGH, "otp-replay", (size_t)a->n_replays, "reasons",
		    report_f(r,
			     "A used code was given again, %s: somebody may be "
			     "watching a login.",
			     report_plural(r, (size_t)a->n_replays, "time", "times")));
	report_find(r, REPORT_LOW, "lockout", (size_t)a->n_lockouts, "activity-people",
		    report_f(r, "%s refused because the factor was locked.",
			     report_plural(r, (size_t)a->n_lockouts, "attempt was",
					   "attempts were")));
	report_limit(r,
		     "Attempts by unknown names are counted without the name: it may "
		     "be a password typed too early.");
	report_limit(r,
		     "Failures before a proven first factor are counted by the minute, "
		     "not one by one.");
}

/* Who left may still be in the log, and a VM that is gone. What is in neither is a
 * mistake, not a quiet month. */
static bool is_known(const struct report_input *in)
{
	const struct activity *a = in->activity;
	const struct policy *p = in->state->policy;
	bool vm = !in->vm || a->vms.index.n > 0;

	for (size_t i = 0; !vm && i < policy_vm_count(p); i++)
		vm = str_eq(policy_vm_at(p, i), in->vm);
	return vm && (!in->user || a->n_allow + a->n_deny > 0 ||
		      people_find(&in->state->people, in->user));
}

int report_activity(const struct report_input *in, struct report *r)
{
	const struct activity *a = in->activity;
	int rc;

	if (!is_known(in))
		return -ENOENT;
	if (in->user || in->vm)
		report_limit(r, "Refusals that were only counted name neither person "
				"nor VM: narrowed, the report leaves them out.");
	say_figures(a, r);
	report_section(r, "Over time", NULL);
	list_days(a, r);
	list_hours(a, r);
	report_section(r, "Refusals", NULL);
	rc = list_reasons(a, r);
	report_section(r, "From where, to what", NULL);
	rc = rc != 0 ? rc
		     : list_counts(&a->sources, "sources", "Sources", SOURCES_MAX, r);
	rc = rc != 0 ? rc : list_counts(&a->vms, "activity-vms", "VMs", SIZE_MAX, r);
	rc = rc != 0 ? rc
		     : list_counts(&a->services, "services", "Services", SIZE_MAX, r);
	list_speed(a, r);
	report_section(r, "People", NULL);
	return rc != 0 ? rc : list_people(a, r);
}
