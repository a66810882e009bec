/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c - waits for the directory, then has a child count. */

#include "rbacd/tally/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

#include "policy/diff.h"

#define NS_PER_S  UINT64_C(1000000000)
#define WAIT_S	  30 /* for the directory */
#define COUNT_S	  60 /* for the child */
#define NOT_SO(t) "not counted: " t

/* What the child sends; both are this program. */
struct counted {
	uint64_t lost, gained, people, of;
	bool complete;
};

struct tally {
	struct policy *before, *after; /* counted; NULL: nothing is under way */
	struct tally_result result;
	uint64_t begun_ns, child_ns;
	pid_t pid; /* 0: nobody counts yet */
	int fd;	   /* owned; of the child's answer; -1 */
};

int tally_new(struct tally **ret)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fd = -1;
	*ret = t;
	return 0;
}

static void end_child(struct tally *t)
{
	if (t->pid > 0) {
		(void)kill(t->pid, SIGKILL); /* it may have ended */
		(void)waitpid(t->pid, NULL, 0);
	}
	if (t->fd >= 0)
		(void)close(t->fd); /* read only */
	t->pid = 0;
	t->fd = -1;
}

static void forget(struct tally *t)
{
	end_child(t);
	policy_unref(t->before);
	policy_unref(t->after);
	t->before = t->after = NULL;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	forget(t);
	free(t);
}

struct policy *tally_wants(const struct tally *t)
{
	return t->before;
}

/* Ends what is under way with a sentence. Return: 1, as the callers. */
static int conclude(struct tally *t, const char *text, struct tally_result *ret)
{
	(void)snprintf(t->result.text, sizeof(t->result.text), "%s", text);
	*ret = t->result;
	forget(t);
	return 1;
}

int tally_begin(struct tally *t, const struct tally_change *change, uint64_t now_ns,
		struct tally_result *ret)
{
	int r = 0;

	if (t->after)
		r = conclude(t, NOT_SO("another activation came"), ret);
	t->before = policy_ref(change->before);
	t->after = policy_ref(change->after);
	t->begun_ns = now_ns;
	t->result = (struct tally_result){.text = ""};
	(void)snprintf(t->result.before_sha, sizeof(t->result.before_sha), "%s",
		       change->before_sha ? change->before_sha : "");
	(void)snprintf(t->result.after_sha, sizeof(t->result.after_sha), "%s",
		       policy_sha256(change->after));
	(void)snprintf(t->result.op, sizeof(t->result.op), "%s", change->op);
	(void)snprintf(t->result.actor, sizeof(t->result.actor), "%s", change->actor);
	return r;
}

/* ---------------------------------------------------------------- the child */

static int add(void *arg, const struct policy_change *change)
{
	struct counted *c = arg;

	if (!change)
		c->people++;
	else if (change->gained)
		c->gained += change->where.n_vms;
	else
		c->lost += change->where.n_vms;
	return 0;
}

static int count(const struct tally *t, const struct population *pop,
		 struct counted *ret)
{
	_cleanup_people_ struct people before = {0}, after = {0};
	int r = people_make(pop, t->before, &before);

	if (r == 0)
		r = people_make(pop, t->after, &after);
	if (r != 0)
		return r;
	ret->of = after.n;
	ret->complete = before.complete && after.complete;
	return policy_diff(&(struct policy_side){t->before, before.v, before.n},
			   &(struct policy_side){t->after, after.v, after.n},
			   pop->now_s, add, ret);
}

/* Sockets and database are the parent's: only the answer's descriptor stays. */
static int child_main(const struct tally *t, struct population *pop,
		      const struct snapshot *change, int fd)
{
	_cleanup_snapshot_ struct snapshot *all = NULL;
	struct counted c = {0};
	int r = 0;

	if (fd > 3)
		(void)close_range(3, (unsigned)fd - 1, 0); /* none is ours to lose */
	(void)close_range((unsigned)fd + 1, ~0u, 0);
	if (change)
		r = snapshot_merge(pop->people, change, &all);
	if (all)
		pop->people = all;
	if (r == 0)
		r = count(t, pop, &c);
	return r == 0 && write(fd, &c, sizeof(c)) == (ssize_t)sizeof(c) ? 0 : 1;
}

static int start_child(struct tally *t, const struct tally_source *source,
		       uint64_t now_ns)
{
	_cleanup_population_ struct population pop = POPULATION_INIT;
	_cleanup_snapshot_ struct snapshot *change = NULL;
	int fds[2];
	int r = source->take(source->arg, &pop, &change);

	if (r == 0 && pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		r = -errno;
	if (r != 0)
		return r;
	t->child_ns = now_ns;
	t->pid = fork();
	if (t->pid == 0)
		_exit(child_main(t, &pop, change, fds[1]));
	(void)close(fds[1]); /* the child's */
	t->fd = fds[0];
	if (t->pid > 0)
		return 0;
	r = -errno;
	t->pid = 0;
	return r;
}

/* ---------------------------------------------------------------- the parent */

static int read_child(struct tally *t, struct tally_result *ret)
{
	struct counted c;
	char text[sizeof(ret->text)];
	int status = 0;
	pid_t got = waitpid(t->pid, &status, WNOHANG);

	if (got == 0)
		return 0;
	t->pid = 0;
	if (got < 0 || status != 0 || read(t->fd, &c, sizeof(c)) != (ssize_t)sizeof(c))
		return conclude(t, NOT_SO("the child that counts failed"), ret);
	(void)snprintf(text, sizeof(text),
		       "lost %" PRIu64 ", gained %" PRIu64 ", %" PRIu64
		       " people of %" PRIu64 "%s",
		       c.lost, c.gained, c.people, c.of, c.complete ? "" : " known");
	return conclude(t, text, ret);
}

int tally_tick(struct tally *t, const struct tally_source *source, uint64_t now_ns,
	       struct tally_result *ret)
{
	if (!t->after)
		return 0;
	if (t->pid > 0) {
		int r = read_child(t, ret);

		if (r != 0 || now_ns - t->child_ns < COUNT_S * NS_PER_S)
			return r;
		return conclude(t, NOT_SO("it took too long"), ret);
	}
	if (!source->answered && now_ns - t->begun_ns < WAIT_S * NS_PER_S)
		return 0;
	if (start_child(t, source, now_ns) != 0)
		return conclude(t, NOT_SO("the child that counts did not start"), ret);
	return 0;
}
