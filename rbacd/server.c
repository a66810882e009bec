/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - the turn's end and the swap of the policy: what concerns all stages at
 * once. */

#include "rbacd/server.h"

#include <errno.h>
#include <time.h>

#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/wire/client.h"

int64_t server_now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return 0; /* the epoch: every condition on time then fails */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t server_now_s(void)
{
	return server_now_us() / 1000000;
}

void server_turn_lost(struct server *server, int rc)
{
	/* The first error counts, but one that is fatal is never hidden by a full disk.
	 */
	if (server->turn_error == 0 || server->turn_error == STORE_E_FULL)
		server->turn_error = rc;
}

static int commit_turn(struct server *s)
{
	uint64_t begun_ns = wire_now_ns(), took_ms;
	int rc = s->turn_error;

	s->turn_error = 0;
	if (rc != 0) {
		store_rollback(s->store);
		return rc;
	}
	if (!store_dirty(s->store))
		return 0;
	rc = store_commit(s->store);
	if (rc != 0 && rc != STORE_E_FULL)
		rc = -EIO; /* a commit that failed otherwise may or may not be on disk
			    */
	took_ms = (wire_now_ns() - begun_ns) / 1000000u;
	s->stats.n_commits++;
	if (took_ms > LIMIT_SLOW_COMMIT_MS) {
		s->stats.n_slow_commits++;
		log_warning("commit took %llu ms: the disk is slow",
			    (unsigned long long)took_ms);
	}
	if (rc == 0)
		s->storage_problem = NULL;
	return rc;
}

/* Only these two can mean that the disk is not what the last commit left. */
static bool disk_unknown(int rc)
{
	return rc == STORE_E_CORRUPT || rc == -EIO;
}

/* The turn was given up before any flush: the disk's state is known to be the old one,
 * so everybody in the turn is refused and the next turn may try again. */
static void lose_turn(struct server *s, int rc)
{
	if (rc != STORE_E_FULL) {
		log_err("a turn was given up (%d): its requests are refused", rc);
		conn_drop_replies(s->conns,
				  "An internal error: nothing was changed. See "
				  "rbacd's log.");
		return;
	}
	if (!s->storage_problem)
		log_err("no space left for the database: everything is denied");
	s->storage_problem = "no space left on the state file system";
	conn_drop_replies(s->conns, "The state file system is full: free some space; "
				    "nothing was changed.");
}

int server_end_turn(struct server *s)
{
	int rc = commit_turn(s);

	s->stats.n_turns++;
	if (rc == 0) {
		audit_committed(s->audit);
		conn_flush_replies(s->conns);
		if (store_wal_over(s->store))
			store_idle(s->store); /* busy or not: it must end somewhere */
		return 0;
	}
	audit_rolled_back(s->audit);
	if (disk_unknown(rc)) {
		log_err("writing the database failed (%d): leaving to recover", rc);
		return rc;
	}
	s->stats.n_lost_turns++;
	lose_turn(s, rc);
	return 0;
}

static int record_policy(struct server *s, const char *actor, const char *before,
			 const char *after, const char *error)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = error ? "policy.refused" : "policy.load";
	ev.sev = error ? AUDIT_WARNING : AUDIT_NOTICE;
	ev.outcome = error ? AUDIT_FAILURE : AUDIT_SUCCESS;
	ev.reason = error ? "policy_error" : NULL;
	ev.actor = actor;
	ev.vm = s->config->vm;
	ev.object = s->config->policy;
	ev.before_sha = before;
	ev.after_sha = after;
	ev.policy_serial = s->policy ? (int64_t)policy_serial(s->policy) : -1;
	ev.reason_text = error;
	return audit_append(s->audit, &ev, server_now_us(), id);
}

/* A different policy needs a larger serial, so that an old file cannot come back
 * unseen. */
static bool serial_grows(const struct server *s, const struct policy *next,
			 struct diags *diag)
{
	if (!s->policy || str_eq(policy_sha256(s->policy), policy_sha256(next)) ||
	    policy_serial(s->policy) == 0 ||
	    policy_serial(next) > policy_serial(s->policy))
		return true;
	diags_add(diag, s->config->policy, 0, 0, NULL,
		  "serial %llu must be larger than the active policy's %llu",
		  (unsigned long long)policy_serial(next),
		  (unsigned long long)policy_serial(s->policy));
	return false;
}

static int refuse_policy(struct server *s, const char *actor, const struct diags *diag,
			 int rc)
{
	const struct diag *first = diag->n ? &diag->v[0] : NULL;

	(void)snprintf(s->policy_error, sizeof(s->policy_error), "%s:%u:%u: %s",
		       first ? first->file : s->config->policy, first ? first->line : 0,
		       first ? first->column : 0,
		       first ? first->msg : "cannot be read");
	log_err("policy refused%s: %s", s->policy ? ", the running one stays" : "",
		s->policy_error);
	if (record_policy(s, actor, s->policy ? policy_sha256(s->policy) : NULL, NULL,
			  s->policy_error) != 0)
		return -EIO;
	return rc;
}

int server_reload(struct server *s, const char *actor, struct diags *diag)
{
	_cleanup_policy_ struct policy *next = NULL;
	struct policy_host host = {.name = s->config->vm,
				   .labels = s->config->labels,
				   .n_labels = s->config->n_labels};
	int rc = policy_load(s->config->policy, &host, &next, diag);

	if (rc == 0 && !serial_grows(s, next, diag))
		rc = POLICY_E_INVALID;
	if (rc != 0)
		return refuse_policy(s, actor, diag, rc);
	rc = record_policy(s, actor, s->policy ? policy_sha256(s->policy) : NULL,
			   policy_sha256(next), NULL);
	if (rc == 0)
		rc = identity_set_policy(s->identity, next);
	if (rc != 0)
		return rc < 0 ? rc : -EIO;
	policy_unref(s->policy);
	s->policy = STEAL(next);
	s->policy_error[0] = '\0';
	s->policy_loaded_s = server_now_s();
	log_notice("policy active: serial %llu sha256 %s",
		   (unsigned long long)policy_serial(s->policy),
		   policy_sha256(s->policy));
	return 0;
}
