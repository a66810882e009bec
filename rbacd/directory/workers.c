/* SPDX-License-Identifier: Apache-2.0 */
/* workers.c - rbacd-dir's children: hand out questions, kill what hangs, back off. */

#include "rbacd/directory/workers.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "rbacd/log.h"
#include "rbacd/wire/client.h"

#define N_WORKERS    3
#define JOBS_MAX     8192 /* per class */
#define BACKOFF_MS   50
#define BACKOFF_MAX  2000
#define SETTLED_MS   1000 /* a child that lived so long starts its back-off anew */
#define WORKER_FILES 64

struct job {
	TAILQ_ENTRY(job) next;
	struct nss_job msg;
	uint64_t tag;
	uint64_t queued_ns;
};

TAILQ_HEAD(job_list, job);

struct worker {
	struct workers *pool; /* borrowed */
	pid_t pid;
	int fd;		     /* owned; -1: no child */
	struct event *read;  /* owned while fd is */
	struct event *timer; /* owned; watchdog, or the wait before a restart */
	struct job *job;     /* owned; what it works on */
	uint64_t started_ns;
	int backoff_ms;
};

struct workers {
	struct event_base *base; /* borrowed */
	workers_done_fn done;
	void *arg;	       /* borrowed */
	struct event *sigchld; /* owned */
	struct event
		*kick; /* owned; feeds from the loop, so that no caller is re-entered */
	struct job_list queue[WORKERS_CLASSES];
	size_t n_queued[WORKERS_CLASSES];
	struct worker v[N_WORKERS];
	uint64_t n_restarts;
	struct nss_reply reply; /* one at a time */
};

static void feed(struct workers *w);

static void arm(struct event *timer, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (evtimer_add(timer, &tv) != 0)
		log_err("out of memory for a timer");
}

static int64_t age_ms(uint64_t since_ns)
{
	return (int64_t)((wire_now_ns() - since_ns) / 1000000);
}

/* ----------------------------------------------------------------- child */

_Noreturn static void child_main(int fd, pid_t parent)
{
	const struct rlimit files = {WORKER_FILES, WORKER_FILES};
	sigset_t none;

	(void)sigemptyset(&none); /* cannot fail */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGTERM, SIG_DFL); /* libevent's handlers are the parent's */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	/* Modules of others get standard error and the questions, nothing else. */
	if (dup2(fd, 3) != 3 || close_range(4, ~0u, 0) != 0)
		_exit(1);
	(void)setrlimit(RLIMIT_NOFILE, &files); /* lowering cannot fail */
	_exit(nss_worker_run(3));
}

static void on_reply(evutil_socket_t fd, short what, void *arg);

static int worker_start(struct worker *k)
{
	pid_t parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	k->pid = fork();
	if (k->pid == 0)
		child_main(pair[1], parent);
	(void)close(pair[1]); /* the child's end */
	k->fd = pair[0];
	k->started_ns = wire_now_ns();
	if (k->pid > 0)
		k->read = event_new(k->pool->base, k->fd, EV_READ | EV_PERSIST,
				    on_reply, k);
	if (k->pid > 0 && k->read && event_add(k->read, NULL) == 0)
		return 0;
	return -ENOMEM; /* the caller stops what there is */
}

/* Ends the child, whatever its state, and plans its successor. */
static void worker_stop(struct worker *k)
{
	bool settled = k->fd >= 0 && age_ms(k->started_ns) >= SETTLED_MS;

	if (k->pid > 0)
		(void)kill(k->pid, SIGKILL); /* gone already: reaped by SIGCHLD */
	if (k->read)
		event_free(k->read);
	if (k->fd >= 0)
		(void)close(k->fd); /* nothing was promised */
	k->pid = 0;
	k->read = NULL;
	k->fd = -1;
	if (settled || k->backoff_ms == 0)
		k->backoff_ms = BACKOFF_MS;
	else if (k->backoff_ms < BACKOFF_MAX)
		k->backoff_ms *= 2;
	k->pool->n_restarts++;
	arm(k->timer, k->backoff_ms);
}

/* ------------------------------------------------------------------ jobs */

static void finish(struct workers *w, struct job *job, struct nss_reply *reply)
{
	w->done(w->arg, job->tag, reply);
	free(job);
}

static void finish_without(struct workers *w, struct job *job, enum nss_status status)
{
	w->reply.kind = job->msg.kind;
	w->reply.status = status;
	w->reply.n_gids = 0;
	w->reply.name[0] = '\0';
	finish(w, job, &w->reply);
}

static void fail_worker(struct worker *k, enum nss_status status)
{
	struct job *job = STEAL(k->job);

	worker_stop(k);
	if (job)
		finish_without(k->pool, job, status);
}

static void on_reply(evutil_socket_t fd, short what, void *arg)
{
	struct worker *k = arg;
	struct workers *w = k->pool;
	struct job *job;
	ssize_t n =
		recv((int)fd, &w->reply, sizeof(w->reply), MSG_DONTWAIT | MSG_TRUNC);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !k->job || !nss_reply_ok(&w->reply, (size_t)n, &k->job->msg)) {
		log_warning(
			"a name service child ended or answered nonsense; restarting");
		fail_worker(k, NSS_FAILED);
		return;
	}
	job = STEAL(k->job);
	(void)evtimer_del(k->timer); /* cannot fail for an added timer */
	finish(w, job, &w->reply);
	feed(w);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct worker *k = arg;
	char quoted[LOG_QUOTED_MAX];

	(void)fd;
	(void)what;
	if (k->fd < 0) { /* the wait before a restart is over */
		if (worker_start(k) != 0) {
			log_err("cannot start a name service child");
			worker_stop(k);
		}
	} else if (k->job) {
		log_warning("the name service does not answer for %s; its child is "
			    "killed and replaced",
			    /* a name that may not exist may be a password */
			    k->job->msg.kind == NSS_GROUP
				    ? log_quote(k->job->msg.name, quoted)
				    : "a person");
		fail_worker(k, NSS_TIMED_OUT);
	}
	feed(k->pool);
}

static struct job *next_job(struct workers *w)
{
	for (size_t c = 0; c < WORKERS_CLASSES; c++) {
		struct job *job = TAILQ_FIRST(&w->queue[c]);

		if (!job)
			continue;
		TAILQ_REMOVE(&w->queue[c], job, next);
		w->n_queued[c]--;
		return job;
	}
	return NULL;
}

/* A person's question that waited too long is not asked any more: rbacd has given up.
 */
static struct job *next_live_job(struct workers *w)
{
	struct job *job;

	while ((job = next_job(w)) != NULL) {
		if (job->msg.kind != NSS_USER ||
		    age_ms(job->queued_ns) < WORKERS_LIMIT_MS)
			return job;
		finish_without(w, job, NSS_TIMED_OUT);
	}
	return NULL;
}

static void feed(struct workers *w)
{
	for (size_t i = 0; i < N_WORKERS; i++) {
		struct worker *k = &w->v[i];

		if (k->fd < 0 || k->job)
			continue;
		k->job = next_live_job(w);
		if (!k->job)
			return;
		if (send(k->fd, &k->job->msg, sizeof(k->job->msg),
			 MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(k->job->msg))
			fail_worker(k, NSS_FAILED);
		else
			arm(k->timer, WORKERS_LIMIT_MS);
	}
}

int workers_ask(struct workers *w, enum workers_class class, enum nss_kind kind,
		const char *name, uint64_t tag)
{
	struct job *job;

	if (strlen(name) > NSS_NAME_MAX)
		return -EINVAL;
	if (w->n_queued[class] >= JOBS_MAX)
		return -ENOBUFS;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->msg.kind = kind;
	memcpy(job->msg.name, name, strlen(name));
	job->tag = tag;
	job->queued_ns = wire_now_ns();
	TAILQ_INSERT_TAIL(&w->queue[class], job, next);
	w->n_queued[class]++;
	event_active(w->kick, EV_TIMEOUT, 0);
	return 0;
}

/* ------------------------------------------------------------------ life */

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	feed(arg);
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		; /* the socket told us already */
}

int workers_new(struct event_base *base, workers_done_fn done, void *arg,
		struct workers **ret)
{
	struct workers *w = calloc(1, sizeof(*w));
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->base = base;
	w->done = done;
	w->arg = arg;
	for (size_t i = 0; i < WORKERS_CLASSES; i++)
		TAILQ_INIT(&w->queue[i]);
	for (size_t i = 0; i < N_WORKERS; i++)
		w->v[i] = (struct worker){.pool = w, .fd = -1};
	w->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, NULL);
	w->kick = event_new(base, -1, 0, on_kick, w);
	if (!w->kick || !w->sigchld || event_add(w->sigchld, NULL) != 0)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < N_WORKERS; i++) {
		w->v[i].timer = evtimer_new(base, on_timer, &w->v[i]);
		r = w->v[i].timer ? worker_start(&w->v[i]) : -ENOMEM;
	}
	if (r != 0) {
		workers_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void worker_done(struct worker *k)
{
	if (k->pid > 0)
		(void)kill(k->pid, SIGKILL); /* gone already: fine */
	if (k->read)
		event_free(k->read);
	if (k->timer)
		event_free(k->timer);
	if (k->fd >= 0)
		(void)close(k->fd); /* nothing was promised */
	free(k->job);
}

void workers_free(struct workers *w)
{
	struct job *job;

	if (!w)
		return;
	for (size_t i = 0; i < N_WORKERS; i++)
		worker_done(&w->v[i]);
	while ((job = next_job(w)) != NULL)
		free(job);
	if (w->sigchld)
		event_free(w->sigchld);
	if (w->kick)
		event_free(w->kick);
	free(w);
}

uint64_t workers_restarts(const struct workers *w)
{
	return w->n_restarts;
}
