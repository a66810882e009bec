/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak.c - very many transactions in one process: does anything grow?
 *
 * usage: soak CONFDIR CLOCK PEOPLE COUNT RBACD_PID
 * By turns a login with a fresh code and an account phase without one; each fiftieth
 * time also a used code and a conversation that fails. Descriptors and resident memory
 * of this process and of rbacd are read after the first tenth and at the end, at rest:
 * the fewest of ten readings in half a second, so that a connection that rbacd has yet
 * to see closed is not one of them, and a lost descriptor is in all. Prints "soak WHERE
 * fds_before fds_after kib_before kib_after", and fails on growth of descriptors or on
 * an answer that is not the expected one.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/people.h"
#include "tests/bench/transaction.h"

struct use {
	long fds, kib;
};

static long entries(const char *path)
{
	DIR *d = opendir(path);
	long n = 0;

	if (!d)
		die("%s: %s", path, strerror(errno));
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static struct use use_of(const char *pid)
{
	struct use u = {.fds = LONG_MAX};
	char path[64], line[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	for (int i = 0; i < 10; i++) {
		long n = entries(path);

		if (n < u.fds)
			u.fds = n;
		(void)usleep(50000);
	}
	(void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &u.kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return u;
}

static void expect(const struct transaction *t, const char *what, int want)
{
	int rc = transaction_run(t);

	if (rc != want)
		die("%s of %s: PAM code %d, not %d", what, t->user, rc, want);
}

/* A login and an account phase that lacks one; sometimes refusals, which are slow. */
static unsigned long some(const char *confdir, struct test_clock *clock,
			  const struct test_person *p, bool refusals)
{
	char code[7];
	struct transaction t = {.confdir = confdir,
				.service = "sshd",
				.user = p->login,
				.answer = code,
				.ssh_connection = "192.0.2.9 40000 192.0.2.1 22",
				.ssh_auth_info = "publickey ssh-ed25519 AAAA\n",
				.auth = true,
				.account = true};

	people_code(p, test_clock_next(clock), code);
	expect(&t, "login", PAM_SUCCESS);
	t.account = false;
	if (refusals) {
		expect(&t, "used code", PAM_AUTH_ERR);
		t.answer = NULL;
		expect(&t, "no conversation", PAM_CONV_ERR);
	}
	t.auth = false;
	t.account = true;
	expect(&t, "account without a code", PAM_PERM_DENIED);
	return refusals ? 4 : 2;
}

static bool grew(const char *where, struct use a, struct use b)
{
	(void)printf("soak %s %ld %ld %ld %ld\n", where, a.fds, b.fds, a.kib, b.kib);
	return b.fds > a.fds;
}

int main(int argc, char **argv)
{
	struct use self = {0}, daemon = {0};
	struct test_clock clock;
	struct people people;
	unsigned long n;
	bool bad;

	if (argc != 6)
		die("usage: soak CONFDIR CLOCK PEOPLE COUNT RBACD_PID");
	test_clock_open(&clock, argv[2]);
	people_read(argv[3], &people);
	n = strtoul(argv[4], NULL, 10);
	for (unsigned long i = 0, done = 0; done < n; i++) {
		done += some(argv[1], &clock, &people.v[i % people.n], i % 50 == 0);
		if (self.kib == 0 && done > n / 10) {
			self = use_of("self");
			daemon = use_of(argv[5]);
		}
	}
	bad = grew("module", self, use_of("self"));
	bad |= grew("rbacd", daemon, use_of(argv[5]));
	people_done(&people);
	return bad;
}
