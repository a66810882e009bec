/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook.c - the alert hook: its input, its bounds, and who may be it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rbacd/hook.h"
#include "rbacd/hook_process.h"

struct world {
	char dir[64], script[96], out[96];
	struct hook *hook;
};

static void write_script(struct world *w, const char *body, unsigned mode)
{
	FILE *f = fopen(w->script, "we");

	assert_non_null(f);
	(void)fprintf(f, "#!/bin/sh\n%s\n", body);
	(void)fclose(f);
	assert_int_equal(chmod(w->script, mode), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/vmsec-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->script, sizeof(w->script), "%s/hook", w->dir);
	(void)snprintf(w->out, sizeof(w->out), "%s/out", w->dir);
	assert_int_equal(hook_new(&w->hook), 0);
	*state = w;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static int teardown(void **state)
{
	struct world *w = *state;

	hook_free(w->hook);
	(void)nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

/* Waits for all of them, by the hook's own clock. */
static void wait_all(struct world *w, int64_t now_ms)
{
	siginfo_t info;

	while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0)
		hook_tick(w->hook, now_ms);
}

static void test_input(void **state)
{
	struct world *w = *state;
	char body[400], text[64] = "";
	FILE *f;

	(void)snprintf(body, sizeof(body),
		       "cat >%s; env | grep -c . >>%s; ls -l "
		       "/proc/self/fd | grep -c '^l' >>%s",
		       w->out, w->out, w->out);
	write_script(w, body, 0755);
	assert_int_equal(hook_run(w->hook, w->script, "{\"a\":1}\n", 8, 0), 0);
	wait_all(w, 0);
	assert_int_equal(hook_failed(w->hook), 0);
	f = fopen(w->out, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	assert_string_equal(text, "{\"a\":1}\n");
	assert_non_null(fgets(text, sizeof(text), f));
	assert_true(strtol(text, NULL, 10) <= 4); /* PATH, and what sh adds */
	(void)fclose(f);
}

static void test_bounds(void **state)
{
	struct world *w = *state;

	write_script(w, "exec sleep 1000", 0755);
	for (int i = 0; i < HOOK_RUNNING_MAX; i++)
		assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), 0);
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), -EAGAIN);
	hook_tick(w->hook, HOOK_MS - 1);
	assert_int_equal(hook_failed(w->hook), 0);
	hook_tick(w->hook, HOOK_MS); /* killed */
	wait_all(w, HOOK_MS);
	assert_int_equal(hook_failed(w->hook), HOOK_RUNNING_MAX);
	write_script(w, "exit 3", 0755);
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), 0);
	wait_all(w, 0);
	assert_int_equal(hook_failed(w->hook), HOOK_RUNNING_MAX + 1);
}

/* What it left behind goes when it goes, in time or not. */
static void test_leftovers(void **state)
{
	struct world *w = *state;
	struct pollfd gone = {.events = POLLIN};
	int p[2];

	assert_int_equal(pipe(p), 0);
	gone.fd = p[0];
	write_script(w, "sleep 20 & exit 0", 0755);
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), 0);
	(void)close(p[1]); /* the sleeper holds the other end */
	wait_all(w, 0);
	assert_int_equal(hook_failed(w->hook), 0);
	assert_int_equal(poll(&gone, 1, 5000), 1);
	assert_int_equal(gone.revents, POLLHUP);
	(void)close(p[0]);
}

/* Started by somebody who ignores SIGCHLD, nobody can be waited for. */
static void test_no_children(void **state)
{
	struct world *w = *state;

	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	write_script(w, "exit 0", 0755);
	for (int i = 0; i < HOOK_RUNNING_MAX; i++)
		assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), 0);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	hook_tick(w->hook, 0);
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), 0);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

static void test_refused(void **state)
{
	struct world *w = *state;
	char big[4097] = "";

	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), -ENOENT);
	write_script(w, "true", 0777); /* anybody could have written it */
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), -EPERM);
	assert_int_equal(chmod(w->script, 0644), 0);
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), -EACCES);
	assert_int_equal(hook_run(w->hook, w->dir, "", 0, 0), -EPERM);
	assert_int_equal(chmod(w->script, 0755), 0);
	assert_int_equal(hook_run(w->hook, w->script, big, sizeof(big), 0), -E2BIG);
	assert_int_equal(chown(w->script, 12345, 12345), 0);
	assert_int_equal(hook_run(w->hook, w->script, "", 0, 0), -EPERM);
}

static size_t lines(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;
	int c;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		(void)fclose(f);
	return n;
}

/* The process runs what it is sent, a bounded number at once, as the account that it
 * was given, and keeps count of what fails. */
static void test_process(void **state)
{
	struct world *w = *state;
	struct hook_process *h;
	char body[240], big[HOOK_INPUT_MAX + 1] = "";
	size_t sent = 0;

	assert_int_equal(chmod(w->dir, 0777), 0);
	(void)snprintf(body, sizeof(body), "id -u >>%s; exec cat >>%s", w->out, w->out);
	write_script(w, body, 0755);
	assert_int_equal(hook_process_start(w->script, 65534, 65534, &h), 0);
	assert_int_equal(hook_process_run(h, big, sizeof(big)), -E2BIG);
	while (sent < 3 * HOOK_RUNNING_MAX) {
		int rc = hook_process_run(h, "{}\n", 3);

		assert_true(rc == 0 || rc == -EAGAIN);
		sent += rc == 0;
		if (rc == -EAGAIN)
			(void)poll(NULL, 0, 10);
	}
	while (lines(w->out) < 2 * sent)
		(void)poll(NULL, 0, 10);
	assert_int_equal(hook_process_failed(h), 0);
	write_script(w, "exit 3", 0755);
	while (hook_process_run(h, "{}\n", 3) != 0)
		(void)poll(NULL, 0, 10);
	while (hook_process_failed(h) == 0)
		(void)poll(NULL, 0, 10);
	hook_process_free(h);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_input),	CASE(test_bounds),  CASE(test_leftovers),
		CASE(test_no_children), CASE(test_refused), CASE(test_process),
	};

	if (geteuid() != 0) {
		(void)puts("hook: skipped, the hook must be root's: run it as root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
