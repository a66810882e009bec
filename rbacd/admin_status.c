/* SPDX-License-Identifier: Apache-2.0 */
/* admin_status.c - how the daemon is, what is wrong and what to do. */

#include <inttypes.h>
#include <stdarg.h>

#include "rbacd/admin_internal.h"

#include "policy/view.h"
#include "rbacd/standing.h"
#include "rbacd/wire/client.h"

#define FREE_LOW_PERCENT 10
#define REVIEWS_NAMED	 5

struct health {
	unsigned n_problems;
	struct identity_status dir;
	int free_percent;
};

/* A finding: a problem makes the exit status 1, a note does not. */
static void hint(struct admin_req *req, struct health *h, bool problem, const char *fmt,
		 ...) _printf_(4, 5);

static void hint(struct admin_req *req, struct health *h, bool problem, const char *fmt,
		 ...)
{
	struct admin_row row;
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut hint still helps */
	va_end(ap);
	h->n_problems += problem;
	admin_row_begin(&row, "hints");
	wire_put_cell_text(&row.w, "severity", problem ? "problem" : "note");
	wire_put_cell_text(&row.w, "text", text);
	admin_row_send(req, &row);
}

static void send_daemon(struct admin_req *req)
{
	const struct server *s = req->server;
	const struct server_stats *st = &s->stats;
	struct admin_row row;

	admin_row_begin(&row, "daemon");
	wire_put_cell_text(&row.w, "version", VMSEC_VERSION);
	wire_put_cell_text(&row.w, "vm", s->config->vm);
	wire_put_cell_time(&row.w, "started", s->started_s);
	wire_put_cell_int(&row.w, "uptime_s",
			  (int64_t)((wire_now_ns() - s->started_ns) / 1000000000u));
	wire_put_cell_int(&row.w, "allowed", (int64_t)st->n_allow);
	wire_put_cell_int(&row.w, "denied", (int64_t)st->n_deny);
	wire_put_cell_int(&row.w, "noted", (int64_t)st->n_noted);
	wire_put_cell_int(&row.w, "too_late", (int64_t)st->n_dropped_late);
	wire_put_cell_int(&row.w, "turns", (int64_t)st->n_turns);
	wire_put_cell_int(&row.w, "commits", (int64_t)st->n_commits);
	wire_put_cell_int(&row.w, "slow_commits", (int64_t)st->n_slow_commits);
	wire_put_cell_int(&row.w, "lost_turns", (int64_t)st->n_lost_turns);
	admin_row_send(req, &row);
}

static void send_policy(struct admin_req *req)
{
	const struct server *s = req->server;
	struct admin_row row;

	admin_row_begin(&row, "policy");
	wire_put_cell_text(&row.w, "path", s->config->policy);
	wire_put_cell_bool(&row.w, "loaded", s->policy != NULL);
	if (s->policy) {
		wire_put_cell_int(&row.w, "serial", (int64_t)policy_serial(s->policy));
		wire_put_cell_text(&row.w, "sha256", policy_sha256(s->policy));
		wire_put_cell_time(&row.w, "loaded_at", s->policy_loaded_s);
		wire_put_cell_int(&row.w, "groups",
				  (int64_t)policy_group_count(s->policy));
		wire_put_cell_int(&row.w, "vms", (int64_t)policy_vm_count(s->policy));
	}
	if (s->trial.before) {
		wire_put_cell_text(&row.w, "tried", s->trial.path);
		wire_put_cell_int(&row.w, "returns_in_s", server_trial_left_s(s));
	}
	wire_put_cell_text(&row.w, "error", *s->policy_error ? s->policy_error : NULL);
	admin_row_send(req, &row);
}

static void send_storage(struct admin_req *req, struct health *h)
{
	const struct server *s = req->server;
	struct admin_row row;
	char path[4096];

	h->free_percent = store_free_percent(s->store);
	admin_row_begin(&row, "storage");
	wire_put_cell_text(&row.w, "database",
			   config_db_path(s->config, path, sizeof(path)));
	wire_put_cell_int(&row.w, "free_percent", h->free_percent);
	wire_put_cell_int(&row.w, "audit_seq", (int64_t)audit_seq(s->audit));
	wire_put_cell_text(&row.w, "problem", s->storage_problem);
	admin_row_send(req, &row);
}

/* Locks are easily forgotten, and look like a fault to those they keep out. */
static void send_locks(struct admin_req *req, struct health *h)
{
	if (admin_send_locks(req) != 0)
		hint(req, h, true, "The locks of the database could not be read.");
}

static void send_evidence(struct admin_req *req, struct health *h)
{
	const struct server *s = req->server;
	struct audit_status a;
	struct admin_row row;

	audit_status(s->audit, &a);
	admin_row_begin(&row, "evidence");
	wire_put_cell_text(&row.w, "key", s->signer ? signer_vkey(s->signer) : NULL);
	wire_put_cell_int(&row.w, "signed_seq", (int64_t)a.signed_seq);
	wire_put_cell_int(&row.w, "unsigned", (int64_t)(a.seq - a.signed_seq));
	wire_put_cell_int(&row.w, "segment_seq", (int64_t)a.segment_seq);
	wire_put_cell_int(&row.w, "not_forwarded", (int64_t)a.dropped);
	wire_put_cell_text(&row.w, "problem", a.problem);
	admin_row_send(req, &row);
	if (a.problem)
		hint(req, h, true, "Nothing is signed: %s.", a.problem);
}

static void send_connections(struct admin_req *req)
{
	struct conn_stats c = {0};
	struct admin_row row;

	conn_get_stats(req->server->conns, &c);
	admin_row_begin(&row, "connections");
	wire_put_cell_int(&row.w, "pam", (int64_t)c.n_pam);
	wire_put_cell_int(&row.w, "admin", (int64_t)c.n_admin);
	wire_put_cell_int(&row.w, "user", (int64_t)c.n_user);
	wire_put_cell_int(&row.w, "accepted", (int64_t)c.n_accepted);
	wire_put_cell_int(&row.w, "over_cap", (int64_t)c.n_refused_cap);
	wire_put_cell_int(&row.w, "wrong_peer", (int64_t)c.n_refused_peer);
	wire_put_cell_int(&row.w, "bad_frames", (int64_t)c.n_bad_frames);
	wire_put_cell_int(&row.w, "expired", (int64_t)c.n_expired);
	admin_row_send(req, &row);
}

static void send_directory(struct admin_req *req, struct health *h)
{
	const struct identity_status *d = &h->dir;
	struct admin_row row;

	identity_status(req->server->identity, server_now_s(), &h->dir);
	admin_row_begin(&row, "directory");
	wire_put_cell_text(&row.w, "source", d->source);
	wire_put_cell_bool(&row.w, "connected", d->connected);
	if (d->age_s >= 0)
		wire_put_cell_int(&row.w, "age_s", d->age_s);
	else
		wire_put_cell_text(&row.w, "age_s",
				   NULL); /* nobody was asked for yet */
	wire_put_cell_int(&row.w, "people", (int64_t)d->n_people);
	wire_put_cell_int(&row.w, "groups", (int64_t)d->n_groups);
	wire_put_cell_int(&row.w, "incomplete", (int64_t)d->n_incomplete);
	wire_put_cell_int(&row.w, "local", (int64_t)d->n_local);
	wire_put_cell_int(&row.w, "lookups", (int64_t)d->n_lookups);
	wire_put_cell_int(&row.w, "timeouts", (int64_t)d->n_timeouts);
	wire_put_cell_int(&row.w, "restarts", (int64_t)d->n_restarts);
	wire_put_cell_text(&row.w, "problem", *d->problem ? d->problem : NULL);
	admin_row_send(req, &row);
}

struct people_count {
	int64_t n, n_disabled;
};

static int count_person(const struct store_person *p, void *arg)
{
	struct people_count *count = arg;

	count->n++;
	count->n_disabled += p->disabled;
	return 0;
}

/* Counts rows only: looking at every factor would hold the loop up in a big house. */
static void send_people(struct admin_req *req, struct health *h)
{
	struct people_count count = {0};
	struct admin_row row;

	if (store_person_each(req->server->store, count_person, &count) != 0) {
		hint(req, h, true, "The people of the database could not be read.");
		return;
	}
	admin_row_begin(&row, "people");
	wire_put_cell_int(&row.w, "known", count.n);
	wire_put_cell_int(&row.w, "disabled", count.n_disabled);
	admin_row_send(req, &row);
	if (count.n == 0)
		hint(req, h, false,
		     "Nobody is enrolled yet. Begin with: rbacctl enrol USER");
}

/* A change that is never confirmed is demanded again and again. */
static void send_passwords(struct admin_req *req, struct health *h)
{
	struct admin_passwords p;

	if (admin_send_passwords(req, &p) != 0)
		hint(req, h, true, "The passwords of the database could not be read.");
	else if (p.n_demanded > 0 && !p.has_rules)
		hint(req, h, true,
		     "%zu people must change their password and cannot: the policy has "
		     "no 'password' section.",
		     p.n_demanded);
	if (p.n_unconfirmed > 0)
		hint(req, h, false,
		     "%zu new passwords were found good and their change was not "
		     "confirmed: does 'password required pam_vmsec.so confirm' stand "
		     "behind the modules that change it?",
		     p.n_unconfirmed);
}

static void send_clock(struct admin_req *req, struct health *h)
{
	int64_t ahead_d = clock_ahead_s(req->server) / 86400;
	bool synced = clock_synchronised(req->server);
	struct admin_row row;

	admin_row_begin(&row, "clock");
	wire_put_cell_time(&row.w, "now", server_now_s());
	wire_put_cell_bool(&row.w, "synchronised", synced);
	wire_put_cell_bool(&row.w, "trusted", !clock_unsure(req->server));
	admin_row_send(req, &row);
	if (req->server->clock.guard.distrusted)
		hint(req, h, true,
		     "The clock was set back: time-based codes are refused until it is "
		     "synchronised. If it is right: rbacctl clock accept");
	else if (clock_unsure(req->server))
		hint(req, h, true,
		     "The clock is not synchronised and require_sync is set: "
		     "time-based "
		     "codes are refused.");
	else if (ahead_d > 0)
		hint(req, h, false,
		     "The clock is %lld days ahead of the time that passed here: until "
		     "it is accepted, failed codes count for so much longer. If it is "
		     "right: rbacctl clock accept",
		     (long long)ahead_d);
	else if (!synced)
		hint(req, h, false,
		     "The kernel does not say that the clock is synchronised; one-time "
		     "codes need it right to about 30 s.");
}

static void hints_policy(struct admin_req *req, struct health *h)
{
	const struct server *s = req->server;

	if (!s->policy)
		hint(req, h, true,
		     "No valid policy is loaded: everybody is refused. Find the errors "
		     "with: "
		     "rbacctl policy check; then: rbacctl reload");
	else if (*s->policy_error)
		hint(req, h, true,
		     "The last reload was refused (%s); the policy loaded before goes "
		     "on. "
		     "Find the errors with: rbacctl policy check",
		     s->policy_error);
}

static void hints_trial(struct admin_req *req, struct health *h)
{
	const struct server *s = req->server;

	if (s->trial.before)
		hint(req, h, false,
		     "%s is being tried: the policy of before comes back in %d s. To "
		     "keep it: rbacctl policy confirm",
		     s->trial.path, server_trial_left_s(s));
}

/* Grants that wait for a review; the first few by name. */
static void hints_reviews(struct admin_req *req, struct health *h)
{
	const struct policy *policy = req->server->policy;
	struct policy_rule rule;
	size_t n = 0;

	for (size_t i = 0; policy && policy_grant_at(policy, i, &rule); i++) {
		if (!standing_overdue(req->server, i, &rule) || ++n > REVIEWS_NAMED)
			continue;
		hint(req, h, false,
		     "Grant %s is overdue for review%s. rbacctl policy "
		     "reviewed %s --why TEXT",
		     rule.id,
		     rule.overdue == POLICY_OVERDUE_SUSPEND ? " and suspended" : "",
		     rule.id);
	}
	if (n > REVIEWS_NAMED)
		hint(req, h, false, "%zu more grants are overdue for review.",
		     n - REVIEWS_NAMED);
}

static void hints_storage(struct admin_req *req, struct health *h)
{
	const struct server *s = req->server;

	if (s->storage_problem)
		hint(req, h, true,
		     "Writing to %s fails (%s): every login is refused, because "
		     "nothing "
		     "can be recorded. Make room or repair the file system.",
		     s->config->state_dir, s->storage_problem);
	else if (h->free_percent >= 0 && h->free_percent < FREE_LOW_PERCENT)
		hint(req, h, true,
		     "%s has %d %% free. When it is full every login is refused.",
		     s->config->state_dir, h->free_percent);
	if (s->stats.n_slow_commits > 0)
		hint(req, h, false,
		     "%" PRIu64 " commits took over a second: the disk is slow.",
		     s->stats.n_slow_commits);
}

static void hints_ldap(struct admin_req *req, struct health *h)
{
	const struct identity *id = req->server->identity;

	if (str_eq(identity_find_fact(id, "state"), "offline"))
		hint(req, h, h->dir.age_s < 0,
		     "the LDAP directory is out of reach (%s): what was known last is "
		     "used until max_stale.",
		     identity_find_fact(id, "why"));
	if (*identity_find_fact(id, "held"))
		hint(req, h, true,
		     "The directory's guard holds changes: %s. rbacctl directory "
		     "status, "
		     "then accept or reject.",
		     identity_find_fact(id, "held"));
}

static void hints_directory(struct admin_req *req, struct health *h)
{
	const struct identity_status *d = &h->dir;

	hints_ldap(req, h);
	if (!d->connected)
		hint(req, h, true,
		     "rbacd-dir is not connected: groups grow old, and people not seen "
		     "before are refused. Is rbacd-dir running?");
	if (*d->problem)
		hint(req, h, true, "rbacd-dir reports: %s", d->problem);
	if (d->n_incomplete > 0)
		hint(req, h, false,
		     "%zu of %zu groups of the policy have no usable member list: "
		     "grants "
		     "that name them give nothing, denies that name them match "
		     "everybody.",
		     d->n_incomplete, d->n_groups);
}

void admin_run_status(struct admin_req *req)
{
	struct health h = {0};

	send_daemon(req);
	send_policy(req);
	send_locks(req, &h);
	send_storage(req, &h);
	send_evidence(req, &h);
	send_connections(req);
	send_directory(req, &h);
	send_clock(req, &h);
	send_people(req, &h);
	send_passwords(req, &h);
	hints_policy(req, &h);
	hints_trial(req, &h);
	hints_reviews(req, &h);
	hints_storage(req, &h);
	hints_directory(req, &h);
	if (h.n_problems > 0)
		admin_end(req, ADMIN_NO, "%u problem%s.", h.n_problems,
			  h.n_problems == 1 ? "" : "s");
	else
		admin_end(req, ADMIN_OK, "%s", "");
}
