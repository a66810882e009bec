/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood.c - somebody who wants rbacd to stop answering everybody else.
 *
 * usage: flood MODE SOCKET [PEOPLE] COUNT SECONDS
 *
 * idle:   connections that say nothing
 * half:   that stop inside their first frame
 * churn:  COUNT in flight, closed and made again
 * paced:  COUNT made and closed each 10 ms
 * asked:  logins of 16 sources that stop at the prompt
 * su:     the same of su, an invoker each
 * guess:  strangers' wrong codes, COUNT sources
 * proven: wrong codes of COUNT enrolled people behind a first factor
 * stale:  COUNT account requests of PEOPLE with a deadline of 1 s while rbacd is
 *         stopped (the caller stops and wakes it); then reads what came back
 *
 * Prints "flood MODE opened refused allowed other".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/rawclient.h"

struct flood {
	const char *mode, *socket;
	int *fds; /* owned */
	size_t n;
	uint64_t end_ns;
	uint64_t opened, refused, allowed, other;
	unsigned number; /* of the next stranger */
};

/* Never waits: a full backlog is a refusal. */
static int try_connect(struct flood *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->socket);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
		f->opened++;
		return fd;
	}
	f->refused++;
	(void)close(fd);
	return -1;
}

static void begin_of(struct flood *f, struct wire_begin *b)
{
	bool su = strcmp(f->mode, "su") == 0;
	struct test_person person = {0};
	struct raw_client c = {.number = f->number++,
			       .service = su ? "su" : "sshd",
			       .person = &person,
			       .budget_ns = 60000000000u};

	(void)snprintf(person.login, sizeof(person.login), "stranger%u", c.number);
	if (strcmp(f->mode, "proven") == 0) /* of those without a grant */
		(void)snprintf(person.login, sizeof(person.login), "p%06u",
			       4 * c.number + 3);
	if (strcmp(f->mode, "asked") == 0)
		c.number = 0x800000 + c.number % 16;
	raw_begin(&c, WIRE_OP_AUTH, b);
	b->loginuid = 500000 + f->number;
	if (su) {
		memcpy(b->ruser, person.login, sizeof(person.login));
		(void)snprintf(b->user, sizeof(b->user), "root");
		b->flags |= WIRE_FLAG_FIRST_FACTOR;
		b->ruid = b->loginuid;
		b->ssh_connection[0] = '\0';
	}
	if (su || strcmp(f->mode, "guess") == 0)
		b->ssh_auth_info[0] = '\0'; /* sshd proved no first factor */
}

/* What each kind says after connecting. */
static void speak(struct flood *f, int fd)
{
	static const char half[] = {0, 0, 2, 0, 1};
	struct wire_begin b;

	if (f->mode[0] == 'h')
		(void)send(fd, half, sizeof(half), MSG_NOSIGNAL);
	if (f->mode[0] == 'a' || f->mode[0] == 's') {
		begin_of(f, &b);
		(void)raw_send_begin(fd, &b);
	}
}

static void open_one(struct flood *f, size_t i)
{
	f->fds[i] = try_connect(f);
	if (f->fds[i] >= 0)
		speak(f, f->fds[i]);
}

/* rbacd closed it: make it again. */
static void keep_open(struct flood *f)
{
	char buf[4096];

	for (size_t i = 0; i < f->n; i++) {
		bool gone = f->fds[i] < 0;

		if (!gone) {
			ssize_t n = recv(f->fds[i], buf, sizeof(buf), MSG_DONTWAIT);

			gone = n == 0 || (n < 0 && errno != EAGAIN) ||
			       f->mode[0] == 'c' || f->mode[0] == 'p';
		}
		if (gone) {
			if (f->fds[i] >= 0)
				(void)close(f->fds[i]);
			open_one(f, i);
		}
		if (measure_now_ns() > f->end_ns)
			return;
	}
}

static void run_hold(struct flood *f)
{
	for (size_t i = 0; i < f->n; i++)
		open_one(f, i);
	while (measure_now_ns() < f->end_ns) {
		keep_open(f);
		(void)usleep(f->mode[0] == 'c' ? 0 : f->mode[0] == 'p' ? 10000 : 20000);
	}
}

#define GUESSES 64

static void count_answer(struct flood *f, int rc, const struct wire_result_msg *m)
{
	if (rc != 0)
		f->other++;
	else if (m->result == WIRE_RESULT_ALLOW)
		f->allowed++;
	else
		f->refused++;
}

/* Sixty-four at once, each from the next of COUNT sources. */
static void guess_batch(struct flood *f)
{
	struct wire_begin begins[GUESSES];
	int fds[GUESSES], rc[GUESSES];

	for (size_t i = 0; i < GUESSES; i++) {
		if (f->number >= f->n)
			f->number = 0;
		begin_of(f, &begins[i]);
		fds[i] = raw_connect(f->socket);
		rc[i] = fds[i] < 0 ? fds[i] : raw_send_begin(fds[i], &begins[i]);
		f->opened += rc[i] == 0;
	}
	for (size_t i = 0; i < GUESSES; i++)
		if (rc[i] == 0)
			rc[i] = raw_answer(fds[i], &begins[i], "123456");
	for (size_t i = 0; i < GUESSES; i++) {
		struct wire_result_msg m = {.result = WIRE_RESULT_NONE};

		if (rc[i] == 0)
			rc[i] = raw_result(fds[i], &begins[i], NULL, &m);
		count_answer(f, rc[i], &m);
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

static void run_guess(struct flood *f)
{
	while (measure_now_ns() < f->end_ns)
		guess_batch(f);
}

static void stale_send(struct flood *f, const struct people *people,
		       struct wire_begin *begins)
{
	struct raw_client c = {.service = "sshd", .budget_ns = 1000000000u};

	for (size_t i = 0; i < f->n; i++) {
		c.number = (unsigned)(i % people->n);
		c.person = &people->v[c.number];
		raw_begin(&c, WIRE_OP_ACCOUNT, &begins[i]);
		begins[i].loginuid = 200000 + (uint32_t)i;
		f->fds[i] = try_connect(f);
		if (f->fds[i] >= 0 && raw_send_begin(f->fds[i], &begins[i]) != 0)
			die("send: %s", strerror(errno));
	}
}

static void run_stale(struct flood *f, const char *people_path)
{
	struct wire_begin *begins = calloc(f->n, sizeof(*begins));
	struct people people;
	struct wire_result_msg m;

	if (!begins)
		die("out of memory");
	people_read(people_path, &people);
	stale_send(f, &people, begins);
	(void)printf("sent\n");
	(void)fflush(stdout);
	while (measure_now_ns() < f->end_ns)
		(void)usleep(10000);
	for (size_t i = 0; i < f->n; i++) {
		int flags, rc;

		if (f->fds[i] < 0)
			continue;
		flags = fcntl(f->fds[i], F_GETFL);
		(void)fcntl(f->fds[i], F_SETFL, flags & ~O_NONBLOCK);
		rc = raw_result(f->fds[i], &begins[i], NULL, &m);
		if (rc == 0 && m.result == WIRE_RESULT_ALLOW)
			f->allowed++;
		else
			f->other++;
	}
	people_done(&people);
	free(begins);
}

int main(int argc, char **argv)
{
	struct rlimit rl;
	bool stale = argc == 6 && strcmp(argv[1], "stale") == 0;
	struct flood f = {0};

	if (argc != 5 && !stale)
		die("usage: flood MODE SOCKET [PEOPLE] COUNT SECONDS");
	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		die("getrlimit: %s", strerror(errno));
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) != 0)
		die("setrlimit: %s", strerror(errno));
	f.mode = argv[1];
	f.socket = argv[2];
	f.n = strtoul(argv[argc - 2], NULL, 10);
	f.end_ns = measure_now_ns() + (uint64_t)(strtod(argv[argc - 1], NULL) * 1e9);
	f.fds = malloc(f.n * sizeof(*f.fds));
	if (!f.fds)
		die("out of memory");
	memset(f.fds, 0xff, f.n * sizeof(*f.fds));
	if (stale)
		run_stale(&f, argv[3]);
	else if (strcmp(f.mode, "guess") == 0 || strcmp(f.mode, "proven") == 0)
		run_guess(&f);
	else
		run_hold(&f);
	(void)printf("flood %s %llu %llu %llu %llu\n", f.mode,
		     (unsigned long long)f.opened, (unsigned long long)f.refused,
		     (unsigned long long)f.allowed, (unsigned long long)f.other);
	free(f.fds);
	return 0;
}
