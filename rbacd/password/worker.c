/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - fork, check, one answer through a pipe; whoever takes too long is killed.
 */
#include "rbacd/password/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "rbacd/directory/local.h"
#include "rbacd/log.h"
#include "rbacd/password/blocklist.h"
#include "rbacd/password/history.h"

#define NICE 5 /* logins come first; a busy host must not starve it */

struct worker_job {
	TAILQ_ENTRY(worker_job) next;
	struct worker_pool *pool; /* borrowed */
	worker_done_fn done;	  /* NULL: cancelled */
	void *arg;
	struct worker_task *task; /* owned until the child runs */
	pid_t pid;		  /* 0: waits */
	int pidfd, pipe;	  /* owned; -1 */
	bool killed;
	struct event *ended; /* owned */
};

TAILQ_HEAD(job_list, worker_job);

struct worker_pool {
	struct event_base *base; /* borrowed */
	enum sandbox_mode mode;
	struct event *kick; /* owned; starts what waits, from the loop */
	struct job_list waiting, running;
	size_t n_waiting, n_running;
	struct worker_stats stats;
};

void worker_task_done(struct worker_task *task)
{
	secret_done(&task->candidate);
	secret_done(&task->old);
}

static void task_free(struct worker_task *task)
{
	if (task)
		worker_task_done(task);
	free(task);
}

/* ----------------------------------------------------------------- child */

static const struct blocklist *open_blocklist(const struct worker_task *t)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct blocklist *list = NULL;

	if (t->rules.blocklist && blocklist_open(t->blocklist, &list, &diag) != 0)
		diags_print(&diag, stderr); /* and the check refuses */
	return list;
}

/* The child ends when it has answered: nothing is closed or freed. */
static int check(struct worker_task *t, struct worker_result *ret)
{
	struct local_account account = {0};
	struct password_facts facts = {.user = t->user, .host = t->host};
	int r;

	if (t->local && local_find(t->passwd, t->user, &account) == 0)
		facts.real_name = account.real_name;
	if (t->old.len > 0 && t->old.len < SECRET_MAX) {
		t->old.bytes[t->old.len] = '\0';
		facts.old = (const char *)t->old.bytes;
	}
	r = quality_check(&t->rules, &facts, (const char *)t->candidate.bytes,
			  t->candidate.len, open_blocklist(t), &ret->reason);
	if (r != 0 || ret->reason != PASSWORD_FITS || t->rules.history == 0)
		return r;
	return history_check(t->former, t->n_former, &t->candidate, &ret->reason,
			     ret->hash);
}

/* It reads what it judges by, computes, and answers on its pipe. */
static int shut_in(const struct worker_task *t, enum sandbox_mode mode)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	char words[256];
	const struct sandbox box = {.profile = SANDBOX_WORK,
				    .mode = mode,
				    .read = {t->passwd, t->blocklist,
					     quality_dictionary_folder(words,
								       sizeof(words))}};
	struct sandbox_state state;
	int r = sandbox_enter(&box, &state, &diag);

	diags_print(&diag, stderr);
	return r;
}

_Noreturn static void child_main(const struct worker_job *job, int fd, pid_t parent)
{
	const struct rlimit cpu = {WORKER_LIMIT_MS / 1000 + 1,
				   WORKER_LIMIT_MS / 1000 + 1};
	struct worker_result result = {.reason = PASSWORD_UNCHECKED};
	sigset_t none;

	(void)sigemptyset(&none);	/* cannot fail */
	(void)signal(SIGTERM, SIG_DFL); /* libevent's handlers are the parent's */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	if (dup2(fd, STDERR_FILENO + 1) < 0 ||
	    close_range(STDERR_FILENO + 2, ~0u, 0) != 0)
		_exit(1);
	(void)setrlimit(RLIMIT_CPU, &cpu);	  /* lowering cannot fail */
	(void)setpriority(PRIO_PROCESS, 0, NICE); /* nor can this */
	if (shut_in(job->task, job->pool->mode) != 0 || check(job->task, &result) != 0)
		_exit(1);
	if (result.reason != PASSWORD_FITS)
		result.hash[0] = '\0';
	_exit(write(STDERR_FILENO + 1, &result, sizeof(result)) != sizeof(result));
}

/* ---------------------------------------------------------------- parent */

static void on_ended(evutil_socket_t fd, short what, void *arg);

static int watch(struct worker_job *job)
{
	const struct timeval limit = {.tv_sec = WORKER_LIMIT_MS / 1000,
				      .tv_usec = WORKER_LIMIT_MS % 1000 * 1000};

	job->pidfd = (int)syscall(SYS_pidfd_open, job->pid, 0);
	if (job->pidfd < 0)
		return -errno;
	job->ended = event_new(job->pool->base, job->pidfd, EV_READ, on_ended, job);
	return job->ended && event_add(job->ended, &limit) == 0 ? 0 : -ENOMEM;
}

/* Collects a child that was just killed or has ended: the kernel needs no more of us
 * than this. */
static void reap(struct worker_job *job)
{
	(void)kill(job->pid,
		   SIGKILL); /* ended already: fine, it is not collected yet */
	while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void job_free(struct worker_job *job)
{
	if (job->ended)
		event_free(job->ended);
	if (job->pidfd >= 0)
		(void)close(job->pidfd); /* nothing was promised */
	if (job->pipe >= 0)
		(void)close(job->pipe);
	task_free(job->task);
	free(job);
}

static int start(struct worker_job *job)
{
	pid_t parent = getpid();
	int fds[2];
	int r;

	assert(job->task); /* it waits with it, once */
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	job->pipe = fds[0];
	job->pid = fork();
	if (job->pid == 0)
		child_main(job, fds[1], parent);
	r = job->pid < 0 ? -errno : 0;
	(void)close(fds[1]); /* the child's end */
	task_free(STEAL(job->task));
	if (r == 0) {
		r = watch(job);
		if (r != 0)
			reap(job);
	}
	if (r != 0)
		job->pid = 0;
	return r;
}

/* Leaves its list, tells, ends; the next one may run. */
static void finish(struct worker_job *job, int error,
		   const struct worker_result *result)
{
	struct worker_pool *pool = job->pool;

	TAILQ_REMOVE(&pool->running, job, next);
	pool->n_running--;
	if (error != 0)
		pool->stats.n_failed++;
	else
		pool->stats.n_checked++;
	if (job->done)
		job->done(job->arg, error, result);
	job_free(job);
	event_active(pool->kick, EV_TIMEOUT, 0);
}

static bool read_result(const struct worker_job *job, struct worker_result *ret)
{
	return read(job->pipe, ret, sizeof(*ret)) == sizeof(*ret) &&
	       memchr(ret->hash, '\0', sizeof(ret->hash));
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct worker_job *job = arg;
	struct worker_result result;
	bool whole;

	(void)fd;
	if (what & EV_TIMEOUT) {
		log_warning("a password check took over %d ms: refused",
			    WORKER_LIMIT_MS);
		job->pool->stats.n_timed_out++;
		job->killed = true;
		(void)kill(job->pid, SIGKILL); /* ended just now: as good */
		if (event_add(job->ended, NULL) == 0)
			return; /* told and collected when it has ended */
	}
	reap(job);
	whole = !job->killed && read_result(job, &result);
	if (!whole && !job->killed)
		log_err("a password check ended without an answer: refused");
	finish(job,
	       whole	     ? 0
	       : job->killed ? -ETIMEDOUT
			     : -EIO,
	       whole ? &result : NULL);
	explicit_bzero(&result, sizeof(result));
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct worker_pool *pool = arg;
	struct worker_job *job;
	int r;

	(void)fd;
	(void)what;
	while (pool->n_running < WORKER_RUNNING_MAX &&
	       (job = TAILQ_FIRST(&pool->waiting)) != NULL) {
		TAILQ_REMOVE(&pool->waiting, job, next);
		pool->n_waiting--;
		TAILQ_INSERT_TAIL(&pool->running, job, next);
		pool->n_running++;
		r = start(job);
		if (r == 0)
			continue;
		log_err("a password check cannot be started: %s", strerror(-r));
		finish(job, r, NULL);
	}
}

int worker_ask(struct worker_pool *pool, struct worker_task *task, worker_done_fn done,
	       void *arg, struct worker_job **ret)
{
	bool full = pool->n_waiting >= WORKER_WAITING_MAX;
	struct worker_job *job = full ? NULL : calloc(1, sizeof(*job));

	if (job)
		job->task = malloc(sizeof(*task));
	if (!job || !job->task) {
		pool->stats.n_refused++;
		free(job);
		worker_task_done(task);
		return full ? -EAGAIN : -ENOMEM;
	}
	*job->task = *task;
	worker_task_done(task);
	job->pool = pool;
	job->done = done;
	job->arg = arg;
	job->pidfd = job->pipe = -1;
	TAILQ_INSERT_TAIL(&pool->waiting, job, next);
	pool->n_waiting++;
	event_active(pool->kick, EV_TIMEOUT, 0);
	*ret = job;
	return 0;
}

/* A child that runs is killed, and collected when it has ended. */
void worker_cancel(struct worker_job *job)
{
	if (!job)
		return;
	job->done = NULL;
	if (job->pid > 0) {
		job->killed = true;
		(void)kill(job->pid, SIGKILL); /* ended already: as good */
		return;
	}
	TAILQ_REMOVE(&job->pool->waiting, job, next);
	job->pool->n_waiting--;
	job_free(job);
}

int worker_pool_new(struct event_base *base, enum sandbox_mode mode,
		    struct worker_pool **ret)
{
	struct worker_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->base = base;
	pool->mode = mode;
	TAILQ_INIT(&pool->waiting);
	TAILQ_INIT(&pool->running);
	pool->kick = event_new(base, -1, 0, on_kick, pool);
	if (!pool->kick) {
		free(pool);
		return -ENOMEM;
	}
	*ret = pool;
	return 0;
}

void worker_pool_free(struct worker_pool *pool)
{
	struct worker_job *job;

	if (!pool)
		return;
	while ((job = TAILQ_FIRST(&pool->waiting)) != NULL) {
		TAILQ_REMOVE(&pool->waiting, job, next);
		job_free(job);
	}
	while ((job = TAILQ_FIRST(&pool->running)) != NULL) {
		TAILQ_REMOVE(&pool->running, job, next);
		reap(job);
		job_free(job);
	}
	event_free(pool->kick);
	free(pool);
}

void worker_pool_stats(const struct worker_pool *pool, struct worker_stats *ret)
{
	*ret = pool->stats;
	ret->n_waiting = pool->n_waiting;
}
