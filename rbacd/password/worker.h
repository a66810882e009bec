/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - quality and history of one candidate, in a child of its own: it lives for
 * one answer and at most WORKER_LIMIT_MS, and the loop never waits for it.
 */
#pragma once

#include <event2/event.h>

#include "rbacd/password/quality.h"
#include "rbacd/sandbox/sandbox.h"
#include "rbacd/store/store.h"

#define WORKER_LIMIT_MS	   2000
#define WORKER_RUNNING_MAX 2   /* children at a time */
#define WORKER_WAITING_MAX 256 /* candidates; each holds one secret */

struct worker_pool;
struct worker_job;

/* All that a check needs; the child inherits it, nothing is sent. */
struct worker_task {
	struct password_rules rules; /* borrowed strings: must outlive the job */
	char user[STORE_LOGIN_MAX + 1];
	char host[254];
	bool local;	     /* the real name is in @passwd */
	const char *passwd;  /* path; static */
	char blocklist[512]; /* path */
	struct secret candidate, old;
	size_t n_former;
	struct store_old former[STORE_OLD_MAX];
};

struct worker_result {
	enum password_reason reason;
	char hash[STORE_CRYPT_MAX + 1]; /* FITS, and there is a history: remember it */
};

/* @error: 0, or why there is no result: -ETIMEDOUT, -EIO. */
typedef void (*worker_done_fn)(void *arg, int error,
			       const struct worker_result *result);

/* worker_pool_new() - @mode: how the children are shut in. */
_must_check_ int worker_pool_new(struct event_base *base, enum sandbox_mode mode,
				 struct worker_pool **ret);
/* worker_pool_free() - kills the children; nobody is told. */
void worker_pool_free(struct worker_pool *pool);

/*
 * worker_ask() - check a candidate.
 * @task: filled; wiped here, also on failure.
 * @ret:  valid until @done, which comes from the loop, once, or worker_cancel().
 * Return: 0; -EAGAIN: too many wait; -ENOMEM.
 */
_must_check_ int worker_ask(struct worker_pool *pool, struct worker_task *task,
			    worker_done_fn done, void *arg, struct worker_job **ret);
void worker_cancel(struct worker_job *job); /* NULL is a no-op */

/* worker_task_done() - wipe the secrets of a task. */
void worker_task_done(struct worker_task *task);

struct worker_stats {
	uint64_t n_checked, n_failed, n_timed_out, n_refused;
	size_t n_waiting;
};
void worker_pool_stats(const struct worker_pool *pool, struct worker_stats *ret);
