/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - what happened, by outcome and reason, and how old everything is. */
#include "rbacd/metrics.h"

#include <errno.h>
#include <inttypes.h>

#include "rbacd/alert.h"
#include "rbacd/wire/client.h"

#define SERIES_MAX                                                                     \
	128 /* stages x outcomes x the closed list of reasons, as they occur */

static const double bounds_s[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
				  0.25,	  0.5,	 1,	 2.5,	5,    10,    30,   60};

struct series {
	char stage[16];
	bool allow;
	const char *reason; /* static */
	uint64_t n;
};

struct metrics {
	struct series series[SERIES_MAX];
	size_t n_series;
	uint64_t other; /* decisions that found no place; none, unless reasons grow */
	uint64_t bucket[ARRAY_SIZE(bounds_s) + 1], n;
	double sum_s;
};

int metrics_new(struct metrics **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void metrics_free(struct metrics *metrics)
{
	free(metrics);
}

static struct series *find(struct metrics *m, const char *stage, bool allow,
			   const char *reason)
{
	for (size_t i = 0; i < m->n_series; i++)
		if (m->series[i].reason == reason && m->series[i].allow == allow &&
		    str_eq(m->series[i].stage, stage))
			return &m->series[i];
	if (m->n_series == SERIES_MAX)
		return NULL;
	m->series[m->n_series] = (struct series){.allow = allow, .reason = reason};
	(void)snprintf(m->series[m->n_series].stage, sizeof(m->series[0].stage), "%s",
		       stage); /* "auth", "account" */
	return &m->series[m->n_series++];
}

void metrics_event(struct metrics *m, const struct audit_event *ev)
{
	bool allow = ev->outcome == AUDIT_SUCCESS;
	struct series *s;
	size_t i = 0;

	if (!str_eq(ev->ev, "auth") && !str_eq(ev->ev, "account"))
		return;
	s = find(m, ev->ev, allow,
		 ev->reason && *ev->reason ? audit_reason(ev->reason) : "none");
	if (s)
		s->n++;
	else
		m->other++;
	if (ev->lat_us < 0)
		return;
	while (i < ARRAY_SIZE(bounds_s) && (double)ev->lat_us > bounds_s[i] * 1e6)
		i++;
	m->bucket[i]++;
	m->n++;
	m->sum_s += (double)ev->lat_us / 1e6;
}

/* ---------------------------------------------------------------- printing */

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(FILE *out, const char *name, const char *type, const char *help,
		int64_t v)
{
	family(out, name, type, help);
	(void)fprintf(out, "%s %" PRId64 "\n", name, v);
}

static void print_decisions(const struct metrics *m, FILE *out)
{
	uint64_t sum = 0;

	family(out, "vmsec_decisions_total", "counter",
	       "Decisions by stage, outcome and reason.");
	for (size_t i = 0; i < m->n_series; i++)
		(void)fprintf(out,
			      "vmsec_decisions_total{stage=\"%s\",outcome=\"%s\","
			      "reason=\"%s\"} %" PRIu64 "\n",
			      m->series[i].stage, m->series[i].allow ? "allow" : "deny",
			      m->series[i].reason, m->series[i].n);
	family(out, "vmsec_decision_seconds", "histogram",
	       "From the request to its decision, typing included.");
	for (size_t i = 0; i < ARRAY_SIZE(bounds_s); i++) {
		sum += m->bucket[i];
		(void)fprintf(out,
			      "vmsec_decision_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			      bounds_s[i], sum);
	}
	(void)fprintf(out,
		      "vmsec_decision_seconds_bucket{le=\"+Inf\"} %" PRIu64
		      "\nvmsec_decision_seconds_sum %.6f\n"
		      "vmsec_decision_seconds_count %" PRIu64 "\n",
		      m->n, m->sum_s, m->n);
}

static void print_evidence(const struct server *s, FILE *out)
{
	struct audit_status a;

	audit_status(s->audit, &a);
	one(out, "vmsec_audit_records_total", "counter",
	    "Records of the audit log, ever.", (int64_t)a.seq);
	one(out, "vmsec_audit_last_record_timestamp_seconds", "gauge",
	    "Time of the newest record; a heartbeat comes every 5 minutes.", a.ts_s);
	one(out, "vmsec_audit_unsigned_records", "gauge",
	    "Records that no checkpoint covers yet.", (int64_t)(a.seq - a.signed_seq));
	one(out, "vmsec_audit_unsigned_age_seconds", "gauge",
	    "Age of the oldest record without a checkpoint; 0: none.",
	    a.unsigned_us > 0 ? server_now_s() - a.unsigned_us / 1000000 : 0);
	one(out, "vmsec_audit_signing", "gauge", "1: checkpoints are being signed.",
	    a.problem == NULL);
	one(out, "vmsec_audit_segment_lag_records", "gauge",
	    "Records that no segment file has yet.", (int64_t)(a.seq - a.segment_seq));
	one(out, "vmsec_audit_forward_dropped_total", "counter",
	    "Lines that no journal or syslog took.", (int64_t)a.dropped);
}

static void print_directory(const struct server *s, FILE *out)
{
	struct identity_status d;

	identity_status(s->identity, server_now_s(), &d);
	one(out, "vmsec_directory_connected", "gauge", "1: rbacd-dir is there.",
	    d.connected);
	if (d.age_s >= 0)
		one(out, "vmsec_directory_age_seconds", "gauge",
		    "Age of the newest answer of the directory.", d.age_s);
	one(out, "vmsec_directory_people", "gauge", "People in the newest snapshot.",
	    (int64_t)d.n_people);
	one(out, "vmsec_directory_incomplete_groups", "gauge",
	    "Groups of the policy without a usable member list.",
	    (int64_t)d.n_incomplete);
	one(out, "vmsec_directory_timeouts_total", "counter",
	    "Look-ups that were not answered in time.", (int64_t)d.n_timeouts);
}

static void print_daemon(const struct server *s, FILE *out)
{
	struct alerts_stats al = {0};
	struct conn_stats c = {0};

	conn_get_stats(s->conns, &c);
	alerts_get_stats(s->alerts, &al);
	family(out, "vmsec_connections", "gauge", "Open connections by socket.");
	(void)fprintf(out,
		      "vmsec_connections{socket=\"pam\"} %zu\n"
		      "vmsec_connections{socket=\"admin\"} %zu\n"
		      "vmsec_connections{socket=\"user\"} %zu\n",
		      c.n_pam, c.n_admin, c.n_user);
	one(out, "vmsec_connections_refused_total", "counter",
	    "Connections over a limit.", (int64_t)c.n_refused_cap);
	one(out, "vmsec_commits_total", "counter", "Commits of the database.",
	    (int64_t)s->stats.n_commits);
	one(out, "vmsec_slow_commits_total", "counter", "Commits over a second.",
	    (int64_t)s->stats.n_slow_commits);
	one(out, "vmsec_lost_turns_total", "counter",
	    "Turns that could not be written; everybody in them was refused.",
	    (int64_t)s->stats.n_lost_turns);
	one(out, "vmsec_storage_free_percent", "gauge",
	    "Free space of the state file system.", store_free_percent(s->store));
	one(out, "vmsec_policy_loaded", "gauge", "1: a valid policy is loaded.",
	    s->policy != NULL);
	one(out, "vmsec_alerts_total", "counter", "Alerts raised since the start.",
	    (int64_t)al.raised);
	one(out, "vmsec_alerts_lost_total", "counter",
	    "Alerts that found no room: too many of their kind in a minute.",
	    (int64_t)al.lost);
	one(out, "vmsec_alert_hook_failures_total", "counter",
	    "Runs of the alert hook that failed or were killed.",
	    (int64_t)al.hook_failed);
	one(out, "vmsec_start_time_seconds", "gauge", "When rbacd was started.",
	    s->started_s);
}

void metrics_print(const struct server *s, FILE *out)
{
	print_decisions(s->metrics, out);
	print_evidence(s, out);
	print_directory(s, out);
	print_daemon(s, out);
}
