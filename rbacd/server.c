/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - the turn's end and the swap of the policy: what concerns all stages at
 * once. */

#include "rbacd/server.h"

#include <errno.h>
#include <time.h>

#include "rbacd/activate/activate.h"
#include "rbacd/keys/anchor.h"
#include "rbacd/keys/rotation.h"
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

/* ---------------------------------------------------------------- the turn's end */

void server_turn_lost(struct server *server, int rc)
{
	/* The first error counts, but one that is fatal is never hidden by a full disk.
	 */
	if (server->turn_error == 0 || server->turn_error == STORE_E_FULL)
		server->turn_error = rc;
}

/* @ret_unknown: the disk may not be what the last commit left. A turn that was given up
 * before its commit flushed nothing; only damage, or a commit that failed, is
 * different. */
static int commit_turn(struct server *s, bool *ret_unknown)
{
	uint64_t begun_ns = wire_now_ns(), took_ms;
	int rc = s->turn_error;

	s->turn_error = 0;
	*ret_unknown = rc == STORE_E_CORRUPT;
	if (rc != 0) {
		store_rollback(s->store);
		return rc;
	}
	if (!store_dirty(s->store))
		return 0;
	rc = store_commit(s->store);
	*ret_unknown = rc != 0 && rc != STORE_E_FULL;
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
	bool unknown;
	int rc = commit_turn(s, &unknown);

	s->stats.n_turns++;
	rotation_end(s, rc == 0);
	activate_end(s, rc == 0);
	clock_end_turn(s, rc == 0);
	if (rc == 0) {
		if (anchor_write(s->anchor, s->store, s->seal) != 0)
			log_err("the anchor cannot be written: an old database that is "
				"put back would not be noticed");
		/* Durable: people first, then the copies for syslog and journal. */
		conn_flush_replies(s->conns);
		audit_committed(s->audit);
		if (store_wal_over(s->store))
			store_idle(s->store); /* busy or not: it must end somewhere */
		return 0;
	}
	audit_rolled_back(s->audit);
	if (unknown) {
		log_err("writing the database failed (%d): leaving to recover", rc);
		return rc;
	}
	s->stats.n_lost_turns++;
	lose_turn(s, rc);
	return 0;
}
