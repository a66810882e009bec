/* SPDX-License-Identifier: Apache-2.0 */
/* r_integrity.c - report integrity: is the record whole, and what was silent. */
#include <inttypes.h>

#include "rbacd/report/holdings.h"

#define SILENT_S 300 /* a host that says nothing for so long, at the period's end */

static const struct report_column gap_columns[] = {
	{"from", "From", REPORT_TIME, false, false},
	{"to", "To", REPORT_TIME, false, false},
	{"minutes", "Minutes", REPORT_NUMBER, false, true},
	{"kind", "What it was", REPORT_TEXT, true, false},
};
static const struct report_column event_columns[] = {
	{"at", "Time", REPORT_TIME, false, false},
	{"seq", "Record", REPORT_NUMBER, false, false},
	{"event", "Event", REPORT_TEXT, true, false},
	{"outcome", "Outcome", REPORT_TEXT, true, false},
	{"object", "Object", REPORT_TEXT, false, false},
	{"why", "Text", REPORT_TEXT, false, false},
};
static const struct report_column host_columns[] = {
	{"host", "Host", REPORT_TEXT, false, false},
	{"records", "Records", REPORT_NUMBER, false, true},
	{"last", "Last record", REPORT_TIME, false, false},
};
static const struct report_column outage_columns[] = {
	{"reason", "Reason", REPORT_TEXT, false, false},
	{"refused", "Refused", REPORT_NUMBER, false, true},
	{"last", "Last", REPORT_TIME, false, false},
};

static void list_gaps(const struct audit_coverage *c, struct report *r)
{
	struct report_table *t = REPORT_TABLE(
		r, "gaps", "Silent stretches", gap_columns,
		.note = "The longest run of time without a record. rbacd "
			"writes a heartbeat when nothing else happens.",
		.none = "None: there is a record at least every six minutes.");

	for (size_t i = 0; i < c->n_gaps && i < AUDIT_GAPS_MAX; i++) {
		const struct audit_gap *g = &c->gaps[i];

		report_row(t);
		report_put_time(t, g->from_us / 1000000);
		report_put_time(t, g->to_us / 1000000);
		report_put_n(t, (g->to_us - g->from_us) / 60000000);
		report_put(t, g->stopped ? "rbacd was stopped" : "no reason recorded");
	}
	if (c->n_gaps > AUDIT_GAPS_MAX)
		report_limit(r,
			     report_f(r,
				      "Of %" PRIu64
				      " silent stretches the first %d are listed; all "
				      "are counted.",
				      c->n_gaps, AUDIT_GAPS_MAX));
}

static bool is_notable(const struct activity_event *e)
{
	return str_after(e->ev, "daemon.") || str_after(e->ev, "clock.") ||
	       str_after(e->ev, "log.") || str_after(e->ev, "alert") ||
	       str_after(e->ev, "directory") || str_eq(e->ev, "policy.refused") ||
	       str_eq(e->sev, "alert");
}

static size_t list_events(const struct activity *a, struct report *r)
{
	struct report_table *t = REPORT_TABLE(r, "events", "What rbacd said of itself",
					      event_columns, .none = "Nothing.");
	size_t alerts = 0;

	for (size_t i = activity_first_event(a); i < a->n_events; i++) {
		const struct activity_event *e = &a->events[i];

		if (!e->ev || !is_notable(e))
			continue;
		alerts += str_eq(e->sev, "alert");
		report_row(t);
		report_put_time(t, e->at_s);
		report_put_n(t, (int64_t)e->seq);
		report_put(t, e->ev);
		report_put(t, e->outcome);
		report_put(t, e->object);
		report_put(t, e->why ? e->why : e->reason);
	}
	return alerts;
}

static size_t list_hosts(const struct activity *a, struct report *r)
{
	struct report_table *t = REPORT_TABLE(r, "hosts", "Hosts", host_columns,
					      .none = "No host wrote a record.");
	int64_t end_s = a->coverage.last_us / 1000000;
	size_t silent = 0;

	for (size_t i = 0; i < a->hosts.index.n; i++) {
		const struct activity_count *c = &a->hosts.v[i];

		report_row(t);
		report_put(t, c->text);
		report_put_n(t, (int64_t)c->n_allow);
		report_put_time(t, c->last_s);
		silent += end_s - c->last_s > SILENT_S;
	}
	return silent;
}

static uint64_t list_outages(const struct activity *a, struct report *r)
{
	static const char *const reasons[] = {"directory_stale", "directory_incomplete",
					      "clock_unsynced",	 "policy_error",
					      "no_policy",	 "internal"};
	struct report_table *t =
		REPORT_TABLE(r, "outages", "Refusals for want of something",
			     outage_columns, .none = "None.", .chart = REPORT_BARS);
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		uint32_t n =
			index_find(&a->reasons.index, reasons[i], strlen(reasons[i]));

		if (n == INDEX_NONE)
			continue;
		report_row(t);
		report_put(t, reasons[i]);
		report_put_n(t, (int64_t)a->reasons.v[n].n_deny);
		report_put_time(t, a->reasons.v[n].last_s);
		sum += a->reasons.v[n].n_deny;
	}
	return sum;
}

static void say_findings(const struct report_input *in, size_t alerts, size_t silent,
			 uint64_t outages, struct report *r)
{
	const struct audit_coverage *c = &in->activity->coverage;
	size_t gaps = (size_t)c->n_unexplained;

	report_find(r, REPORT_CRITICAL, "log-damaged",
		    in->log->checked && !in->log->whole, NULL,
		    report_f(r, "Record %" PRIu64 ": %s", in->log->bad_seq,
			     in->log->why));
	report_find(r, REPORT_CRITICAL, "log-records-missing", (size_t)c->n_missing,
		    NULL,
		    report_f(r, "%" PRIu64 " records are missing.", c->n_missing));
	report_find(r, REPORT_MEDIUM, "log-silent", gaps, "gaps",
		    report_f(r, "%s without a recorded reason.",
			     report_plural(r, gaps, "silent stretch is",
					   "silent stretches are")));
	report_find(r, REPORT_MEDIUM, "clock-back", (size_t)c->n_clock_back, "events",
		    report_f(r, "The clock was set back %" PRIu64 " times.",
			     c->n_clock_back));
	report_find(r, REPORT_HIGH, "alerts", alerts, "events",
		    report_plural(r, alerts, "alert was recorded.",
				  "alerts were recorded."));
	report_find(r, REPORT_MEDIUM, "silent-host", silent, "hosts",
		    report_plural(r, silent, "host fell silent.",
				  "hosts fell silent."));
	report_find(r, REPORT_LOW, "outage-refusals", (size_t)outages, "outages",
		    report_f(r, "%s because directory, clock or policy failed.",
			     report_plural(r, (size_t)outages, "attempt was refused",
					   "attempts were refused")));
}

int report_integrity(const struct report_input *in, struct report *r)
{
	const struct activity *a = in->activity;
	size_t alerts, silent;
	uint64_t outages;

	report_section(r, "The log", in->log->checkpoints);
	list_gaps(&a->coverage, r);
	silent = list_hosts(a, r);
	report_section(r, "Operation", NULL);
	alerts = list_events(a, r);
	outages = list_outages(a, r);
	report_figure(r, "records", "records in the period",
		      (int64_t)a->coverage.n_records,
		      in->log->checked ? "and all before them checked" : NULL, false);
	report_figure(r, "damaged", "damaged records",
		      (int64_t)a->coverage.n_bad +
			      (in->log->checked && !in->log->whole),
		      NULL, true);
	report_figure(r, "missing", "missing records", (int64_t)a->coverage.n_missing,
		      NULL, true);
	report_figure(r, "gaps", "silent stretches", (int64_t)a->coverage.n_gaps,
		      report_f(r, "%" PRId64 " minutes", a->coverage.gap_us / 60000000),
		      false);
	report_figure(r, "alerts", "alerts", (int64_t)alerts, NULL, true);
	say_findings(in, alerts, silent, outages, r);
	report_limit(r,
		     "A log put back whole to an earlier state, with its database, is "
		     "seen only by a head or checkpoint kept elsewhere.");
	report_limit(r,
		     "This host knows only itself: other hosts have reports of their "
		     "own.");
	return 0;
}
