/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_policy_replay.c - policy replay: the decisions of the log once more, under
 * another policy. Who has got in and would not; who was refused by the old policy and
 * would get in. Second factors are taken as given: a replay is about the policy.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/judge.h"
#include "rbacd/ctl/log_files.h"
#include "rbacd/ctl/progress.h"
#include "rbacd/ctl/record.h"
#include "rbacd/ctl/text.h"

#define SINCE	     "30d"
#define PRIVILEGE_SU "su"

struct replay {
	struct ctl *ctl;
	struct judge judge;
	int64_t since_s;
	uint64_t head, n_judged, n_unjudged, n_lost, n_gained;
	struct out_set set;
	struct record rec;
	bool failed, damaged;
	struct progress bar;
};

/* What a policy can be blamed for; a wrong code says nothing about it. */
static bool by_policy(const char *reason)
{
	static const enum policy_reason reasons[] = {
		POLICY_REASON_DENIED,	       POLICY_REASON_NO_GRANT,
		POLICY_REASON_GRANT_EXPIRED,   POLICY_REASON_SRC_NOT_ALLOWED,
		POLICY_REASON_OUTSIDE_HOURS,   POLICY_REASON_REVIEW_OVERDUE,
		POLICY_REASON_SEPARATION,      POLICY_REASON_VM_UNKNOWN,
		POLICY_REASON_SERVICE_UNKNOWN, POLICY_REASON_NO_POLICY};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (str_eq(reason, policy_reason_name(reasons[i])))
			return true;
	return false;
}

static bool read_when(const struct record *rec, int64_t *ret)
{
	const char *full = record_get(rec, "ts");
	char ts[24];

	if (!full || strlen(full) < 19)
		return false;
	(void)snprintf(ts, sizeof(ts), "%.19s", full); /* 19 bytes: without fraction */
	return text_parse_time(ts, 0, ret) == 0;
}

/* Return: true and *ret when the record was a decision that can be asked again. */
static bool ask_again(const struct replay *rp, struct policy_request *ret)
{
	const struct record *rec = &rp->rec;
	const char *src = record_get(rec, "src"), *user = record_get(rec, "user");
	struct policy_request q = {.vm = record_get(rec, "vm"),
				   .privilege = record_get(rec, "priv"),
				   .assume = POLICY_ASSUME_MFA | POLICY_ASSUME_STATE};

	q.subject = user ? people_find(&rp->judge.people, user) : NULL;
	if (!q.subject || !q.vm || !q.privilege || !read_when(rec, &q.now_s))
		return false;
	if (q.subject->n_unknown > 0)
		return false; /* a deny for lack of data is no change of the policy */
	if (str_eq(src, "local"))
		q.origin.kind = POLICY_ORIGIN_LOCAL;
	else if (src && policy_origin_parse(src, &q.origin) != 0)
		q.origin.kind = POLICY_ORIGIN_UNKNOWN;
	if (str_eq(q.privilege, PRIVILEGE_SU)) {
		q.target = record_get(rec, "target");
		q.target_uid0 = !q.target || str_eq(q.target, "root");
	}
	*ret = q;
	return true;
}

static void add(struct replay *rp, struct out_row *row, const char *name,
		const char *text)
{
	if (text && (!row || out_add_text(row, name, text, strlen(text)) != 0))
		rp->failed = true;
}

static void note(struct replay *rp, bool gains, uint64_t seq,
		 const struct policy_decision *d)
{
	static const char *const copied[] = {"id", "ts", "user", "vm", "priv", "src"};
	struct out_row *row = out_add_row(&rp->set, "changes");

	add(rp, row, "change", gains ? "gains" : "loses");
	if (!row || out_add_number(row, "seq", WIRE_CELL_INT, (int64_t)seq) != 0)
		rp->failed = true;
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		const char *value = record_get(&rp->rec, copied[i]);

		add(rp, row, copied[i], value ? value : "");
	}
	add(rp, row, "by", d->rule ? d->rule : "");
	add(rp, row, "reason", gains ? "" : policy_reason_name(d->reason));
	*(gains ? &rp->n_gained : &rp->n_lost) += 1;
}

/* Also whom a VM in monitor mode let in: that is what enforcing would take away. */
static bool got_in(const struct record *rec)
{
	const char *dec = record_get(rec, "dec");

	return str_eq(dec, "allow") || str_eq(dec, "would_deny");
}

/* What no policy gives or takes: root's own su and sudo. */
static bool past_policy(const struct record *rec)
{
	return str_eq(record_get(rec, "mfa_method"), "root");
}

/* For store_audit_each(). */
static int replay_one(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct replay *rp = arg;
	struct policy_request q;
	struct policy_decision d;
	int64_t at_s;
	bool allowed;

	policy_watch_at(&rp->bar.watch, seq, rp->head);
	if (record_parse(line, len, &rp->rec) != 0) {
		rp->damaged = true;
		return 0;
	}
	if (!str_eq(record_get(&rp->rec, "ev"), "account") || past_policy(&rp->rec) ||
	    (read_when(&rp->rec, &at_s) && at_s < rp->since_s))
		return 0;
	allowed = got_in(&rp->rec);
	if (!allowed && !by_policy(record_get(&rp->rec, "reason")))
		return 0;
	if (!ask_again(rp, &q)) {
		rp->n_unjudged++;
		return 0;
	}
	rp->n_judged++;
	policy_decide(rp->judge.policy, &q, &d);
	if ((d.verdict == POLICY_ALLOW) != allowed)
		note(rp, !allowed, seq, &d);
	return rp->failed ? -ENOMEM : 0;
}

static int show(struct replay *rp)
{
	struct ctl *ctl = rp->ctl;
	const struct out_table *t = out_find(&rp->set, "changes");
	struct out_row *row;

	if (ctl->csv) {
		out_print_csv(t, ctl->out);
	} else if (ctl->json) {
		row = out_add_row(&rp->set, "totals");
		if (!row ||
		    out_add_number(row, "judged", WIRE_CELL_INT,
				   (int64_t)rp->n_judged) != 0 ||
		    out_add_number(row, "not_judged", WIRE_CELL_INT,
				   (int64_t)rp->n_unjudged) != 0 ||
		    out_add_number(row, "loses", WIRE_CELL_INT, (int64_t)rp->n_lost) !=
			    0 ||
		    out_add_number(row, "gains", WIRE_CELL_INT,
				   (int64_t)rp->n_gained) != 0)
			return ctl_fail(ctl, CTL_INCOMPLETE, "out of memory.");
		out_json_set(&rp->set, "changes", ctl->out);
	} else {
		out_print_table(t, ctl->out);
		(void)fprintf(ctl->out,
			      "%" PRIu64 " past decisions: %" PRIu64
			      " would be refused now, %" PRIu64
			      " refused ones would be allowed.\n",
			      rp->n_judged, rp->n_lost, rp->n_gained);
	}
	if (rp->damaged)
		return ctl_fail(ctl, CTL_INTEGRITY,
				"a record is damaged. Run: rbacctl audit verify");
	if (rp->n_unjudged > 0)
		return ctl_fail(ctl, CTL_INCOMPLETE,
				"%" PRIu64 " past decisions could not be judged: the "
				"person is not known, or not all his groups.",
				rp->n_unjudged);
	return rp->n_lost + rp->n_gained > 0 ? CTL_NO : CTL_OK;
}

static int run(struct replay *rp, const struct ctl_args *args)
{
	_cleanup_log_ struct log_files log = {0};
	const char *since = ctl_arg(args, "since");
	struct store_head head = {0};
	int r;

	if (text_parse_time(since ? since : SINCE, (int64_t)time(NULL), &rp->since_s))
		return ctl_fail(rp->ctl, CTL_USAGE,
				"--since %s is neither a date like 2026-11-21 nor a "
				"time back like 2h.",
				since);
	r = judge_open(rp->ctl, args, args->pos[0], &rp->judge);
	if (r == 0)
		r = log_files_open(rp->ctl, false, &log);
	if (r != 0) /* 1 says "it differs", so that a script can trust it */
		return r == CTL_NO ? CTL_INCOMPLETE : r;
	r = store_audit_head(log.store, &head);
	rp->head = head.seq;
	if (r == 0)
		r = store_audit_each(log.store, 1, replay_one, rp);
	progress_clear(&rp->bar);
	if (r != 0)
		return ctl_fail(rp->ctl,
				r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_INCOMPLETE,
				"reading the log failed: error %d.", r);
	return show(rp);
}

int cmd_policy_replay(struct ctl *ctl, const struct ctl_args *args)
{
	struct replay *rp = calloc(1, sizeof(*rp));
	int r;

	if (!rp)
		return ctl_fail(ctl, CTL_INCOMPLETE, "out of memory.");
	rp->ctl = ctl;
	progress_begin(&rp->bar, ctl, "replay");
	r = run(rp, args);
	out_set_done(&rp->set);
	judge_done(&rp->judge);
	free(rp);
	return r;
}
