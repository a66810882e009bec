/* SPDX-License-Identifier: Apache-2.0 */
/* reports.c - the list of reports, and what all of them say about where they come from.
 */
#include "rbacd/report/reports.h"

#include <errno.h>
#include <inttypes.h>

#include "rbacd/ctl/text.h"

#define DAY_S 86400

const struct report_kind_of report_kinds[] = {
	{"access", "Access", "Who can reach which VM, with which privilege, and how?",
	 report_access, REPORT_BY_ALL, false},
	{"review", "Access review",
	 "What has somebody to decide: keep it or take it away?", report_review,
	 REPORT_BY_ALL, false},
	{"changes", "Changes",
	 "What is different from the start of the period, and who did it?",
	 report_changes, REPORT_BY_ALL, false},
	{"unused", "Unused access",
	 "Which access does nobody use, and which names lead nowhere?", report_unused,
	 REPORT_BY_ALL, false},
	{"privileged", "Privileged access",
	 "Who can act as root or as somebody else, and does?", report_privileged,
	 REPORT_BY_ALL, false},
	{"mfa", "Second factors",
	 "Who has a second factor, does it work, who goes without?", report_mfa,
	 REPORT_BY_ALL, false},
	{"activity", "Activity", "Who logged in, who was refused, from where and when?",
	 report_activity, REPORT_BY_USER | REPORT_BY_VM, true},
	{"passwords", "Passwords",
	 "Which rules for passwords held, and what did they refuse?", report_passwords,
	 0, false},
	{"separation", "Separation of duties",
	 "Who holds what nobody should hold together?", report_separation,
	 REPORT_BY_USER, false},
	{"integrity", "Integrity of the log",
	 "Is the record whole, and was anything silent?", report_integrity, 0, false},
	{"control-map", "Control map", "Which report answers which requirement?",
	 report_control_map, 0, false},
	{NULL, NULL, NULL, NULL, 0, false},
};

const struct report_kind_of *report_kind_find(const char *name)
{
	for (const struct report_kind_of *k = report_kinds; k->name; k++)
		if (str_eq(k->name, name))
			return k;
	return NULL;
}

static void put_time(struct report *r, const char *name, const char *title, int64_t s)
{
	char buf[TEXT_TIME_MAX];

	report_provenance(r, name, title, text_time(s, buf));
}

static void say_people(const struct state *st, struct report *r)
{
	size_t n = st->pop.people ? snapshot_account_count(st->pop.people) : 0;
	char made[TEXT_TIME_MAX];

	report_provenance(
		r, "directory", "Directory",
		report_f(r, "source %s, %zu accounts, read %s, %s", st->pop.source, n,
			 st->pop.people
				 ? text_time(snapshot_made_s(st->pop.people), made)
				 : "never",
			 st->people.complete ? "complete" : "incomplete"));
	if (*st->from)
		report_provenance(r, "directory_from", "Directory read from", st->from);
	report_provenance_n(r, "people", "People", (int64_t)st->people.n);
	if (!st->people.complete)
		report_missing(r, *st->people.why ? st->people.why
						  : "The directory is not complete.");
	if (!st->factors_known)
		report_missing(r, "The second factors were not known when the snapshot "
				  "was made.");
}

static void say_policy(const struct state *st, struct report *r)
{
	report_provenance(r, "policy_sha256", "Policy", policy_sha256(st->policy));
	report_provenance_n(r, "policy_serial", "Policy serial",
			    (int64_t)policy_serial(st->policy));
	report_provenance_n(r, "vms", "VMs", (int64_t)policy_vm_count(st->policy));
	report_provenance(r, "snapshot_sha256", "Snapshot", st->sha256);
}

static void say_coverage(const struct report_input *in, struct report *r)
{
	const struct audit_coverage *c = &in->activity->coverage;
	char from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	if (c->n_records == 0)
		report_provenance(r, "log", "Log", "no record in the period");
	else
		report_provenance(r, "log", "Log",
				  report_f(r,
					   "records %" PRIu64 " to %" PRIu64
					   ", %s to %s, %" PRIu64 " silent stretches",
					   c->first_seq, c->last_seq,
					   text_time(c->first_us / 1000000, from),
					   text_time(c->last_us / 1000000, to),
					   c->n_gaps));
	report_provenance_n(r, "log_records", "Records in the period",
			    (int64_t)c->n_records);
	if (c->n_records > 0 && c->first_us / 1000000 > in->activity->since_s + DAY_S)
		report_limit(
			r, "The log begins after the period does: what was before its "
			   "first record is not known.");
	if (c->n_missing > 0)
		report_broken(r, report_f(r, "%" PRIu64 " records are missing.",
					  c->n_missing));
	if (c->n_bad > 0)
		report_broken(r, report_f(r, "%" PRIu64 " records cannot be read.",
					  c->n_bad));
	if (in->activity->n_events_lost > 0)
		report_missing(r,
			       "There are more changes in the period than this report "
			       "can hold: choose a shorter one.");
}

static void say_log(const struct report_input *in, struct report *r)
{
	const struct report_log *log = in->log;

	if (!log->known) {
		report_missing(r, "There is no log to read.");
		return;
	}
	say_coverage(in, r);
	if (!log->checked) {
		report_provenance(r, "verify", "Log checked", "no");
		report_missing(r,
			       "The log was not checked: its key could not be read.");
		return;
	}
	report_provenance(r, "verify", "Log checked",
			  log->whole ? "whole"
				     : report_f(r, "damaged at record %" PRIu64 ": %s",
						log->bad_seq, log->why));
	if (!log->whole)
		report_broken(r,
			      report_f(r,
				       "The log is damaged at record %" PRIu64 ": %s",
				       log->bad_seq, log->why));
}

static void say_filters(const struct report_input *in, struct report *r)
{
	const struct {
		const char *name, *value;
	} filters[] = {{"person", in->user},
		       {"VM", in->vm},
		       {"role", in->role},
		       {"framework", in->framework}};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (filters[i].value)
			report_filter(r, report_f(r, "%s %s", filters[i].name,
						  filters[i].value));
}

void report_about(const struct report_input *in, struct report *r)
{
	report_provenance(r, "tool", "Made by", "rbacctl " VMSEC_VERSION);
	report_provenance(r, "command", "Command", in->command);
	report_provenance(r, "host", "Host", in->state->host);
	put_time(r, "as_of", "As of", in->state->as_of_s);
	put_time(r, "since", "Period from", in->activity->since_s);
	put_time(r, "until", "Period to", in->activity->until_s);
	say_people(in->state, r);
	say_policy(in->state, r);
	say_log(in, r);
	say_filters(in, r);
}

int report_make(const struct report_kind_of *kind, const struct report_input *in,
		struct report *ret)
{
	struct report r;
	int rc;

	report_init(&r, kind->name, kind->title, kind->question);
	report_about(in, &r);
	rc = kind->make(in, &r);
	rc = rc != 0 ? rc : report_error(&r);
	if (rc != 0)
		report_done(&r);
	else
		*ret = r;
	return rc;
}
