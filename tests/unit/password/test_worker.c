/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_worker.c - one answer a child: good, none, late, cut off, cancelled, too many.
 * The judges are of this file: the candidate says what they do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "rbacd/directory/local.h"
#include "rbacd/password/blocklist.h"
#include "rbacd/password/history.h"
#include "rbacd/password/worker.h"
#include "rbacd/wire/client.h"

/* ---- what the child calls ---- */

int quality_check(const struct password_rules *rules,
		  const struct password_facts *facts, const char *candidate, size_t len,
		  const struct blocklist *blocklist, enum password_reason *ret)
{
	(void)blocklist;
	(void)len;
	if (str_eq(candidate, "hang"))
		(void)pause();
	if (str_eq(candidate, "die"))
		(void)raise(SIGKILL);
	if (str_eq(candidate, "fail"))
		return -EIO;
	if (str_eq(candidate, "name"))
		*ret = str_eq(facts->real_name, "Alice Example") &&
				       str_eq(facts->old, "old one") &&
				       str_eq(facts->host, "db01") &&
				       rules->min_length == 12
			       ? PASSWORD_PERSONAL
			       : PASSWORD_UNCHECKED;
	else
		*ret = str_eq(candidate, "weak") ? PASSWORD_TOO_SHORT : PASSWORD_FITS;
	return 0;
}

int history_check(const struct store_old *former, size_t n,
		  const struct secret *candidate, enum password_reason *ret,
		  char ret_hash[STORE_CRYPT_MAX + 1])
{
	(void)candidate;
	*ret = n == 1 && str_eq(former[0].hash, "x") ? PASSWORD_IN_HISTORY
						     : PASSWORD_FITS;
	(void)snprintf(ret_hash, STORE_CRYPT_MAX + 1, "hash");
	return 0;
}

const char *quality_dictionary_folder(char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "/var/cache/cracklib");
	return buf;
}

int blocklist_open(const char *path, struct blocklist **ret, struct diags *diag)
{
	(void)path;
	(void)ret;
	(void)diag;
	return -ENOENT;
}

/* ---- the parent ---- */

struct seen {
	struct event_base *base;
	unsigned n, want;
	int error;
	struct worker_result result;
};

static void on_done(void *arg, int error, const struct worker_result *result)
{
	struct seen *s = arg;

	s->error = error;
	if (result)
		s->result = *result;
	if (++s->n == s->want)
		(void)event_base_loopbreak(s->base);
}

struct fixture {
	struct event_base *base;
	struct worker_pool *pool;
	char passwd[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	FILE *out;
	int fd;

	assert_non_null(f);
	(void)snprintf(f->passwd, sizeof(f->passwd), "/tmp/test_worker.XXXXXX");
	fd = mkstemp(f->passwd);
	assert_true(fd >= 0);
	out = fdopen(fd, "w");
	assert_non_null(out);
	(void)fputs("alice:x:1:1:Alice Example,room 5,,:/:/bin/sh\n", out);
	assert_int_equal(fclose(out), 0);
	f->base = event_base_new();
	assert_int_equal(worker_pool_new(f->base, SANDBOX_OFF, &f->pool), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	worker_pool_free(f->pool);
	event_base_free(f->base);
	(void)unlink(f->passwd);
	free(f);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* every child is collected */
	assert_int_equal(errno, ECHILD);
	return 0;
}

static int ask(struct fixture *f, const char *candidate, struct seen *s,
	       struct worker_job **ret)
{
	static struct worker_task t;
	struct worker_task zero = {.candidate = {.len = 0}};
	int r;

	t = (struct worker_task){.rules = {.min_length = 12, .history = 4},
				 .user = "alice",
				 .host = "db01",
				 .local = true,
				 .passwd = f->passwd,
				 .n_former = str_eq(candidate, "used")};
	t.candidate.len = strlen(candidate);
	memcpy(t.candidate.bytes, candidate, t.candidate.len);
	t.old.len = 7;
	memcpy(t.old.bytes, "old one", 7);
	t.former[0].hash[0] = 'x';
	s->base = f->base;
	r = worker_ask(f->pool, &t, on_done, s, ret);
	assert_memory_equal(&t.candidate, &zero.candidate, sizeof(t.candidate));
	assert_memory_equal(&t.old, &zero.old, sizeof(t.old));
	return r;
}

static struct seen judge(struct fixture *f, const char *candidate)
{
	struct seen s = {.want = 1, .error = 77};
	struct worker_job *job;

	assert_int_equal(ask(f, candidate, &s, &job), 0);
	assert_int_equal(s.n, 0); /* never from inside the call */
	assert_int_equal(event_base_dispatch(f->base), 0);
	assert_int_equal(s.n, 1);
	return s;
}

static void test_answers(void **state)
{
	struct seen s = judge(*state, "good");

	assert_int_equal(s.error, 0);
	assert_int_equal(s.result.reason, PASSWORD_FITS);
	assert_string_equal(s.result.hash, "hash");
	s = judge(*state, "weak");
	assert_int_equal(s.result.reason, PASSWORD_TOO_SHORT);
	assert_string_equal(s.result.hash, "");
	s = judge(*state, "used");
	assert_int_equal(s.result.reason, PASSWORD_IN_HISTORY);
	assert_string_equal(s.result.hash, ""); /* nothing to be remembered */
	s = judge(*state, "name");
	assert_int_equal(s.result.reason, PASSWORD_PERSONAL);
}

/* An error and a death are errors, and so is one that hangs, after the limit. */
static void test_no_answer(void **state)
{
	struct fixture *f = *state;
	struct worker_stats stats;
	struct seen s;
	uint64_t from;

	assert_int_equal(judge(f, "fail").error, -EIO);
	assert_int_equal(judge(f, "die").error, -EIO);
	from = wire_now_ns();
	s = judge(f, "hang");
	assert_int_equal(s.error, -ETIMEDOUT);
	assert_in_range((wire_now_ns() - from) / 1000000, WORKER_LIMIT_MS,
			WORKER_LIMIT_MS + 1500);
	worker_pool_stats(f->pool, &stats);
	assert_int_equal(stats.n_checked, 0);
	assert_int_equal(stats.n_failed, 3);
	assert_int_equal(stats.n_timed_out, 1);
	assert_int_equal(judge(f, "good").error, 0); /* and it goes on */
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.want = WORKER_WAITING_MAX};
	struct worker_job *job;
	struct worker_stats stats;

	for (unsigned i = 0; i < WORKER_WAITING_MAX; i++)
		assert_int_equal(ask(f, "good", &s, &job), 0);
	assert_int_equal(ask(f, "good", &s, &job), -EAGAIN);
	assert_int_equal(event_base_dispatch(f->base), 0);
	assert_int_equal(s.n, WORKER_WAITING_MAX);
	worker_pool_stats(f->pool, &stats);
	assert_int_equal(stats.n_checked, WORKER_WAITING_MAX);
	assert_int_equal(stats.n_refused, 1);
	assert_int_equal(stats.n_waiting, 0);
}

/* Who has gone is told nothing; his child is killed, and the next one's turn comes. */
static void test_cancel(void **state)
{
	struct fixture *f = *state;
	struct seen gone = {.want = 99}, s = {.want = 1};
	struct worker_job *running[WORKER_RUNNING_MAX], *waiting, *job;

	for (size_t i = 0; i < WORKER_RUNNING_MAX; i++)
		assert_int_equal(ask(f, "hang", &gone, &running[i]), 0);
	assert_int_equal(event_base_loop(f->base, EVLOOP_NONBLOCK), 0); /* they run */
	assert_int_equal(ask(f, "good", &gone, &waiting), 0);
	assert_int_equal(ask(f, "good", &s, &job), 0);
	worker_cancel(waiting);
	for (size_t i = 0; i < WORKER_RUNNING_MAX; i++)
		worker_cancel(running[i]);
	worker_cancel(NULL);
	assert_int_equal(event_base_dispatch(f->base), 0);
	assert_int_equal(gone.n, 0);
	assert_int_equal(s.error, 0);
}

/* The end of rbacd: whatever runs or waits. */
static void test_end(void **state)
{
	struct fixture *f = *state;
	struct seen gone = {.want = 99};
	struct worker_job *job;

	for (size_t i = 0; i < 2 * WORKER_RUNNING_MAX; i++)
		assert_int_equal(ask(f, "hang", &gone, &job), 0);
	assert_int_equal(event_base_loop(f->base, EVLOOP_NONBLOCK), 0);
	worker_pool_free(f->pool);
	assert_int_equal(gone.n, 0);
	assert_int_equal(worker_pool_new(f->base, SANDBOX_OFF, &f->pool), 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {CASE(test_answers), CASE(test_no_answer),
					   CASE(test_many), CASE(test_cancel),
					   CASE(test_end)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
