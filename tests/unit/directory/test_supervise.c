/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watchdog over the follower: one that stands still or runs in circles is killed at
 * its deadline and replaced; one that moves is left alone. The follower and the clock
 * are ours, the processes are real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rbacd/directory/follow.h"
#include "rbacd/directory/supervise.h"
#include "rbacd/wire/client.h"
#include "tests/unit/directory/ldap_fixture.h"

#define SECOND	UINT64_C(1000000000)
#define TURN_MS 1300 /* longer than one tick of the watchdog */

enum fault { STOPS, SPINS };

/* Seen by the followers too. */
static struct page {
	volatile int n; /* followers started */
	volatile pid_t pid[8];
	volatile size_t first[8]; /* the server to begin with */
	volatile enum fault fault;
} * page;

static uint64_t later_ns; /* the clock is so far ahead */
static struct event_base *base;
static struct supervise *sup;
static char offline[128];

uint64_t wire_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec + later_ns;
}

/* The first follower fails, those after it move. */
int follow_run(const struct follow_options *o, int fd)
{
	int mine = page->n;

	(void)fd;
	page->pid[mine] = getpid();
	page->first[mine] = o->first;
	(*o->beat)++;
	page->n = mine + 1;
	if (mine == 0 && page->fault == STOPS)
		(void)raise(SIGSTOP);
	while (mine == 0) /* spins, or was woken up after all */
		page->fault = page->fault;
	for (int i = 0; i < 600; i++) {
		(*o->beat)++;
		(void)poll(NULL, 0, 50);
	}
	return 0;
}

static void on_notice(void *arg, const char *event, const char *text)
{
	(void)arg;
	if (str_eq(event, "offline"))
		(void)snprintf(offline, sizeof(offline), "%s", text);
}

static void on_frame(void *arg, const struct wire_frame *f, int fd)
{
	(void)arg;
	(void)f;
	if (fd >= 0)
		(void)close(fd);
}

static const struct supervise_ops ops = {.frame = on_frame, .notice = on_notice};

static void turn(int ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	assert_int_equal(event_base_loopexit(base, &tv), 0);
	assert_true(event_base_dispatch(base) >= 0);
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH;
}

static void watch(enum fault fault)
{
	static const struct config_ldap config;
	static const struct secret password;
	_cleanup_snapshot_ struct snapshot *targets = targets_of(NULL, 0);

	page->n = 0;
	page->fault = fault;
	assert_non_null(targets);
	assert_int_equal(supervise_new(base, &config, &password, &ops, NULL, &sup), 0);
	supervise_set_targets(sup, targets, open("/dev/null", O_RDONLY | O_CLOEXEC));
	turn(TURN_MS);
	assert_int_equal(page->n, 1);
	later_ns += (SUPERVISE_WATCHDOG_S - 5) * SECOND;
	turn(TURN_MS);
	assert_int_equal(page->n, 1); /* not yet */
	assert_false(is_gone(page->pid[0]));
	assert_string_equal(offline, "");
	later_ns += 5 * SECOND;
	turn(TURN_MS);
	assert_true(is_gone(page->pid[0]));
	assert_string_equal(offline, "it did not move and was killed");
	for (int i = 0; i < 10 && page->n == 1; i++)
		turn(100); /* the back-off */
	assert_int_equal(page->n, 2);
	assert_int_equal(page->first[0], 0);
	assert_int_equal(page->first[1], 1); /* what ended one does not end them all */
	turn(TURN_MS);
	later_ns += 2 * SUPERVISE_WATCHDOG_S * SECOND;
	turn(TURN_MS);
	assert_int_equal(page->n, 2);
	assert_false(is_gone(page->pid[1]));
}

static void test_stopped(void **state)
{
	(void)state;
	watch(STOPS);
}

static void test_spinning(void **state)
{
	(void)state;
	watch(SPINS);
}

static int setup(void **state)
{
	(void)state;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	base = event_base_new();
	offline[0] = '\0';
	return page == MAP_FAILED || !base;
}

static int teardown(void **state)
{
	(void)state;
	supervise_free(sup);
	event_base_free(base);
	(void)munmap(page, sizeof(*page));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spinning, setup, teardown),
	};

	(void)alarm(60); /* a watchdog that does not bark is an error, not a wait */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
