/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood.c - somebody who wants rbacd to stop answering everybody else.
 *
 * usage: flood idle  SOCKET COUNT SECONDS   connections that say nothing
 *        flood half  SOCKET COUNT SECONDS   that stop inside their first frame
 *        flood churn SOCKET COUNT SECONDS   COUNT in flight, closed and made again
 *        flood asked SOCKET COUNT SECONDS   logins of strangers that stop at the
 * prompt, an invoker and a source each flood guess SOCKET COUNT SECONDS   strangers'
 * wrong codes, COUNT sources flood stale SOCKET PEOPLE COUNT SECONDS COUNT account
 * requests with a deadline of 1 s while rbacd is stopped (the caller stops and wakes
 * it); then reads what came back Prints "flood MODE opened refused allowed other".
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
	struct test_person person = {0};
	struct raw_client c = {.number = f->number++,
			       .service = "sshd",
			       .person = &person,
			       .budget_ns = 60000000000u};

	(void)snprintf(person.login, sizeof(person.login), "stranger%u", c.number);
	raw_begin(&c, WIRE_OP_AUTH, b);
	if (f->mode[0] == 'g')
		b->ssh_auth_info[0] = '\0'; /* no first factor is proven */
}

/* What each kind says after connecting. */
static void speak(struct flood *f, int fd)
{
	static const char half[] = {0, 0, 2, 0, 1};
	struct wire_begin b;

	if (f->mode[0] == 'h')
		(void)send(fd, half, sizeof(half), MSG_NOSIGNAL);
	if (f->mode[0] == 'a') {
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
			       f->mode[0] == 'c';
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
		(void)usleep(f->mode[0] == 'c' ? 0 : 20000);
	}
}

/* One guess a source in turn; COUNT sources. */
static void run_guess(struct flood *f)
{
	struct wire_result_msg m;
	struct wire_begin b;

	while (measure_now_ns() < f->end_ns) {
		int fds[64];
		struct wire_begin begins[64];
		size_t n = 0;

		for (; n < 64; n++) {
			fds[n] = raw_connect(f->socket);
			if (f->number == f->n)
				f->number = 0;
			begin_of(f, &b);
			begins[n] = b;
			if (fds[n] < 0 || raw_send_begin(fds[n], &b) != 0)
				break;
			f->opened++;
		}
		for (size_t i = 0; i < n; i++) {
			int rc = raw_result(fds[i], &begins[i], "123456", &m);

			if (rc != 0)
				f->other++;
			else if (m.result == WIRE_RESULT_ALLOW)
				f->allowed++;
			else
				f->refused++;
			(void)close(fds[i]);
		}
	}
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
	struct rlimit rl = {.rlim_cur = 32768, .rlim_max = 32768};
	bool stale = argc == 6 && strcmp(argv[1], "stale") == 0;
	struct flood f = {0};

	if (argc != 5 && !stale)
		die("usage: flood MODE SOCKET [PEOPLE] COUNT SECONDS");
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
	else if (strcmp(f.mode, "guess") == 0)
		run_guess(&f);
	else
		run_hold(&f);
	(void)printf("flood %s %llu %llu %llu %llu\n", f.mode,
		     (unsigned long long)f.opened, (unsigned long long)f.refused,
		     (unsigned long long)f.allowed, (unsigned long long)f.other);
	free(f.fds);
	return 0;
}
