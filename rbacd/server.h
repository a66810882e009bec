/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - what the stages share: one struct, made and torn down by main.c. */
#pragma once

#include <event2/event.h>

#include "policy/policy.h"
#include "rbacd/audit/audit.h"
#include "rbacd/audit/note.h"
#include "rbacd/clock/clock.h"
#include "rbacd/config.h"
#include "rbacd/conn.h"
#include "rbacd/identity.h"
#include "rbacd/mfa/mfa.h"
#include "rbacd/sandbox/sandbox.h"
#include "rbacd/store/store.h"

struct activate_turn; /* this turn's: activation/activation.h */
struct tally;	      /* who gains by an activation: tally/tally.h */
struct standing;      /* locks and reviews: standing.h */
struct anchor;	      /* keys/anchor.c */
struct alerts;	      /* alert.c */
struct metrics;	      /* metrics.c */
struct hook_process;  /* runs the alert hook */
struct handle_table;  /* accepted auth phases waiting for account: request.c */
struct pending_table; /* first factors being made in a login: enrol/pending.h */
struct worker_pool;   /* password/worker.c */

struct server_stats {
	uint64_t n_turns, n_commits, n_slow_commits, n_lost_turns;
	uint64_t n_allow, n_deny, n_noted, n_dropped_late;
};

#define TRIAL_TEXT_MAX 200

/* A policy that is tried; zero: none is. */
struct policy_trial {
	struct policy *before;	       /* counted; comes back at the end */
	uint64_t ends_ns;	       /* CLOCK_MONOTONIC */
	char path[512];		       /* of what is tried */
	char text[TRIAL_TEXT_MAX + 1]; /* what it changes, for the records */
};

struct server {
	struct event_base *base;
	struct config *config;	/* owned */
	struct policy *policy;	/* counted; NULL: none is valid, everything is denied */
	char policy_error[256]; /* "" or why the last reload was refused */
	int64_t policy_loaded_s;
	struct policy_trial trial;
	struct activate_turn *activation; /* owned; NULL: never one */
	struct tally *tally;		  /* owned; NULL: never one */
	struct standing *standing;	  /* owned; NULL: everything is locked */
	struct store *store;
	struct anchor *anchor; /* owned; of keys/anchor.c */
	struct seal *seal;
	struct seal *seal_before; /* owned; this turn has rotated the key: rotation.c */
	struct audit *audit;
	struct alerts *alerts;
	struct hook_process *hook;   /* owned; NULL: none is configured */
	struct hook_process *notify; /* owned; as hook, for what people are told */
	struct metrics *metrics;
	struct signer *signer; /* of checkpoints */
	struct mfa *mfa;
	struct worker_pool *passwords; /* owned; candidates being checked */
	struct identity *identity;
	struct conn_table *conns;
	struct handle_table *handles;
	struct pending_table *pendings;
	struct server_stats stats;
	uint64_t n_commits_ticked; /* stats.n_commits at the last tick */
	char boot_id[37];
	struct sandbox_state sandbox;
	int64_t started_s;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	struct clock_watch clock;
	int turn_error; /* not 0: this turn is lost, see server_turn_lost() */
	const char *storage_problem; /* static; NULL: writing works */
	bool stop;		     /* leave the loop after this turn */
	bool broken;		     /* with stop: not in order, start anew */
};

/*
 * server_turn_lost() - something of this turn could not be written: nothing of it is
 * kept and every reply queued in it becomes a refusal. @rc: STORE_E_FULL, or what ends
 * rbacd.
 */
void server_turn_lost(struct server *server, int rc);

/*
 * server_end_turn() - commit what the turn changed, then let its replies leave.
 * Return: 0; otherwise the disk's state is unknown: exit without a reply and recover.
 */
_must_check_ int server_end_turn(struct server *server);

/* server_now_s(), server_now_us() - wall clock, UTC. */
int64_t server_now_s(void);
int64_t server_now_us(void);

/*
 * server_load_policy() - load the configured policy, all or nothing, and record it.
 * @actor: who asked, for the record ("uid:0", "signal", "start").
 * Return: 0; POLICY_E_INVALID with diagnostics, the running policy stays; negative
 * errno.
 */
_must_check_ int server_load_policy(struct server *server, const char *actor,
				    struct diags *diag);

/*
 * server_reload() - read configuration and policy again; both are right, or nothing
 * changes. A key that was used up at the start (sockets, database, users, key) refuses
 * to change. Return: as server_load_policy().
 * @rollback: the policy may be one that was active before, in spite of its serial.
 */
_must_check_ int server_reload(struct server *server, const char *actor, bool rollback,
			       struct diags *diag);

/* A wish to try a policy, judged by the caller. All strings borrowed. */
struct policy_try {
	const char *path;	/* absolute */
	const char *sha;	/* of the policy that was judged */
	const char *before_sha; /* of the one that it was compared with */
	const char *text;	/* what it changes, at most TRIAL_TEXT_MAX bytes */
	int64_t within_s;
};

/*
 * server_policy_try() - let another policy decide until it is confirmed, or for
 * @want->within_s seconds; then the one of before comes back. A restart ends a try: the
 * configured policy is loaded. Return: 0; POLICY_E_INVALID with diagnostics and nothing
 * changed; negative errno.
 */
_must_check_ int server_policy_try(struct server *server, const char *actor,
				   const struct policy_try *want, struct diags *diag);
/*
 * server_policy_confirm() - keep what is tried. The configured policy must be it by
 * now. Return: as server_policy_try(); the try goes on when refused.
 */
_must_check_ int server_policy_confirm(struct server *server, const char *actor,
				       struct diags *diag);
/* server_trial_left_s() - seconds until the policy of before comes back; 0: no try. */
int server_trial_left_s(const struct server *server);
/* server_trial_tick() - end a try whose time is over. Return: 0; else the turn is lost,
 * and the next tick tries again. */
_must_check_ int server_trial_tick(struct server *server);
