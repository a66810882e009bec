/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults.c - every call into libc fails once, at each of its occurrences (P6, I8).
 * This program's own definitions stand in front of libc's for the module too. Root.
 */
#undef _FORTIFY_SOURCE /* its inline functions would be defined twice */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/module/host.h"

enum call {
	CALL_MALLOC,
	CALL_CALLOC,
	CALL_SOCKET,
	CALL_CONNECT,
	CALL_SEND,
	CALL_RECV,
	CALL_POLL,
	CALL_READ,
	CALL_OPENAT,
	CALL_GETRANDOM,
	CALL_GETSOCKOPT,
	CALL_LSTAT,
	CALL_SHORT_SEND, /* not an error: one byte at a time */
	CALL_SHORT_RECV,
	N_CALLS,
};

/* Of the calling thread only: the daemon's thread is never disturbed. */
static _Thread_local struct {
	bool armed;
	enum call call;
	unsigned countdown; /* 0: every time */
	int error;
	unsigned n_fired;
} fault;

static bool fires(enum call call)
{
	if (!fault.armed || fault.call != call)
		return false;
	if (fault.countdown > 1) {
		fault.countdown--;
		return false;
	}
	if (fault.countdown == 1)
		fault.armed = false;
	fault.n_fired++;
	errno = fault.error;
	return true;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define SEEN	   __attribute__((visibility("default")))

#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);

SEEN void *malloc(size_t n)
{
	return fires(CALL_MALLOC) ? NULL : __libc_malloc(n);
}

SEEN void *calloc(size_t n, size_t size)
{
	return fires(CALL_CALLOC) ? NULL : __libc_calloc(n, size);
}
#endif

SEEN int socket(int domain, int type, int protocol)
{
	return fires(CALL_SOCKET) ? -1 : REAL(socket)(domain, type, protocol);
}

SEEN int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return fires(CALL_CONNECT) ? -1 : REAL(connect)(fd, sa, len);
}

SEEN ssize_t send(int fd, const void *p, size_t n, int flags)
{
	if (fires(CALL_SEND))
		return -1;
	return REAL(send)(fd, p, fires(CALL_SHORT_SEND) && n > 1 ? 1 : n, flags);
}

SEEN ssize_t recv(int fd, void *p, size_t n, int flags)
{
	if (fires(CALL_RECV))
		return -1;
	return REAL(recv)(fd, p, fires(CALL_SHORT_RECV) && n > 1 ? 1 : n, flags);
}

SEEN int poll(struct pollfd *p, nfds_t n, int ms)
{
	return fires(CALL_POLL) ? -1 : REAL(poll)(p, n, ms);
}

SEEN ssize_t read(int fd, void *p, size_t n)
{
	return fires(CALL_READ) ? -1 : REAL(read)(fd, p, n);
}

SEEN int openat(int dir, const char *path, int flags, ...)
{
	return fires(CALL_OPENAT) ? -1 : REAL(openat)(dir, path, flags, 0);
}

SEEN ssize_t getrandom(void *p, size_t n, unsigned flags)
{
	return fires(CALL_GETRANDOM) ? -1 : REAL(getrandom)(p, n, flags);
}

SEEN int getsockopt(int fd, int level, int name, void *p, socklen_t *len)
{
	return fires(CALL_GETSOCKOPT) ? -1 : REAL(getsockopt)(fd, level, name, p, len);
}

SEEN int lstat(const char *path, struct stat *st)
{
	return fires(CALL_LSTAT) ? -1 : REAL(lstat)(path, st);
}

static struct daemon d;

static int setup(void **state)
{
	(void)state;
	daemon_start(&d);
	host_conf(&d, "other", "");
	host_conf(&d, "sshd",
		  "auth required %M timeout=3\naccount required %M timeout=3\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_conf_drop(&d, "other");
	host_conf_drop(&d, "sshd");
	daemon_stop(&d);
	return 0;
}

struct outcome {
	int auth;
	int account;
	unsigned n_fired;
};

static struct outcome run_with(enum call call, unsigned nth, int error)
{
	struct host host = {.answer = DAEMON_CODE};
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", &host);
	struct outcome o;

	fault.call = call;
	fault.countdown = nth;
	fault.error = error;
	fault.n_fired = 0;
	fault.armed = true;
	o.auth = pam_authenticate(pamh, 0);
	o.account = pam_acct_mgmt(pamh, 0);
	fault.armed = false;
	o.n_fired = fault.n_fired;
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	return o;
}

static const int errors[] = {EIO, ENOMEM, EINTR, EAGAIN, EMFILE};

/* rbacd refuses: no fault anywhere may turn that into success. */
static void test_P6_faults_never_grant(void **state)
{
	static const enum wire_result refusals[] = {WIRE_RESULT_FORBIDDEN,
						    WIRE_RESULT_NONE};
	unsigned n_points = 0;
	unsigned fds = 0;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(refusals); k++) {
		struct daemon_script s = {.n_prompts = 1, .result = refusals[k]};

		daemon_script_set(&d, &s);
		for (int call = 0; call < N_CALLS; call++)
			for (unsigned nth = 1; nth < 200; nth++) {
				struct outcome o =
					run_with((enum call)call, nth, errors[nth % 5]);

				assert_int_not_equal(o.auth, PAM_SUCCESS);
				assert_int_not_equal(o.account, PAM_SUCCESS);
				if (o.n_fired == 0)
					break;
				n_points++;
			}
		if (k == 0)
			fds = host_count_fds();
	}
	assert_int_equal(host_count_fds(), fds);
	assert_true(n_points > 60);
	print_message("P6: %u faults injected, 0 grants\n", n_points);
}

/* rbacd allows: success only with its ALLOW sent for each phase that succeeded. */
static void test_P6_faults_need_an_allow(void **state)
{
	struct daemon_script s = {.judge = true, .n_prompts = 1, .give_handle = true};
	unsigned n_denied = 0;

	(void)state;
	for (int call = 0; call < N_CALLS; call++)
		for (size_t e = 0; e < ARRAY_SIZE(errors); e++)
			for (unsigned nth = 1; nth < 200; nth++) {
				struct outcome o;
				unsigned granted;

				daemon_script_set(&d, &s);
				o = run_with((enum call)call, nth, errors[e]);
				granted = o.auth == PAM_SUCCESS ? 1 : 0;
				granted += o.account == PAM_SUCCESS ? 1 : 0;
				assert_true(granted <= daemon_seen_get(&d).n_allowed);
				n_denied += granted < 2;
				if (o.n_fired == 0) {
					assert_int_equal(granted, 2);
					break;
				}
			}
	assert_true(n_denied > 20);
}

/* I8: interrupted and short calls change nothing, however often they come. */
static void test_I8_short_and_interrupted(void **state)
{
	static const struct {
		enum call call;
		int error;
	} rows[] = {
		{CALL_SHORT_SEND, 0}, {CALL_SHORT_RECV, 0},  {CALL_RECV, EINTR},
		{CALL_RECV, EAGAIN},  {CALL_SEND, EINTR},    {CALL_SEND, EAGAIN},
		{CALL_POLL, EINTR},   {CALL_CONNECT, EINTR}, {CALL_CONNECT, EAGAIN},
	};
	struct daemon_script s = {.judge = true, .n_prompts = 1, .give_handle = true};

	(void)state;
	daemon_script_set(&d, &s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned nth = 1; nth <= 6; nth++) {
			struct outcome o = run_with(rows[i].call, nth, rows[i].error);

			assert_int_equal(o.auth, PAM_SUCCESS);
			assert_int_equal(o.account, PAM_SUCCESS);
		}
	/* every time, not only once */
	for (size_t i = 0; i < 2; i++) {
		struct outcome o = run_with(rows[i].call, 0, 0);

		assert_int_equal(o.auth, PAM_SUCCESS);
		assert_int_equal(o.account, PAM_SUCCESS);
		assert_true(o.n_fired > 20);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_P6_faults_never_grant),
		cmocka_unit_test(test_P6_faults_need_an_allow),
		cmocka_unit_test(test_I8_short_and_interrupted),
	};

	if (argc != 3 && argc != 4)
		return 2;
	if (argc == 4)
		cmocka_set_test_filter(argv[3]);
	host_module = argv[1];
	host_stage = argv[2];
	return cmocka_run_group_tests(tests, setup, teardown);
}
