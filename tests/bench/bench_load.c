/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_load.c - many clients at once against rbacd or the floor daemon.
 *
 * usage: bench_load floor   CLIENTS MILLISECONDS SOCKET
 *        bench_load account CLIENTS MILLISECONDS SOCKET CLOCK PEOPLE
 *        bench_load login   CLIENTS LOGINS       SOCKET CLOCK PEOPLE
 *        bench_load change  CLIENTS MILLISECONDS SOCKET CLOCK PEOPLE
 * Each client is a process and a person of its own, from an address of its own; each
 * request takes a connection of its own. account: everybody has proved a code from that
 * address before. change: a new password each time, found good. Prints "load MODE
 * clients per_s p50_us p99_us answered refused failed".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor.h"
#include "tests/bench/measure.h"
#include "tests/bench/rawclient.h"

#define SAMPLES_MAX 65536

struct shared {
	volatile int go;
	volatile int64_t now_s;
	struct client {
		volatile int ready;
		uint64_t answered, refused, failed;
		size_t n;
		uint32_t us10[SAMPLES_MAX]; /* tenths of a microsecond */
	} clients[];
};

struct load {
	const char *mode;
	const char *socket;
	unsigned n_clients;
	unsigned long amount;
	struct test_clock clock;
	struct people people;
	struct shared *shared;
};

static int ask_floor(const struct load *l)
{
	char buf[FLOOR_REQUEST] = {0};
	int fd = raw_connect(l->socket), rc;

	if (fd < 0)
		return fd;
	rc = send(fd, buf, FLOOR_REQUEST, MSG_NOSIGNAL) == FLOOR_REQUEST &&
			     recv(fd, buf, FLOOR_REPLY, MSG_WAITALL) == FLOOR_REPLY
		     ? 0
		     : -EIO;
	(void)close(fd);
	return rc;
}

static int ask_change(const struct raw_client *rc, const struct client *c,
		      struct wire_result_msg *ret)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "Wxy-%u-lantern-%zu-Qvk", rc->number, c->n);
	return raw_ask(rc, WIRE_OP_PW_CHANGE, text, NULL, ret);
}

static void once(const struct load *l, const struct raw_client *rc, struct client *c)
{
	struct wire_result_msg m = {.result = WIRE_RESULT_NONE};
	uint64_t start = measure_now_ns();
	int r;

	if (l->mode[0] == 'f')
		r = ask_floor(l);
	else if (l->mode[0] == 'a')
		r = raw_ask(rc, WIRE_OP_ACCOUNT, NULL, NULL, &m);
	else if (l->mode[0] == 'c')
		r = ask_change(rc, c, &m);
	else
		r = raw_login(rc, l->shared->now_s, &m) < 0 ? -EIO : 0;
	if (r != 0)
		c->failed++;
	else if (l->mode[0] == 'f' || m.result == WIRE_RESULT_ALLOW)
		c->answered++;
	else
		c->refused++;
	if (c->n < SAMPLES_MAX)
		c->us10[c->n++] = (uint32_t)((measure_now_ns() - start) / 100u);
}

static _Noreturn void run_client(const struct load *l, unsigned number)
{
	struct client *c = &l->shared->clients[number];
	struct raw_client rc = {.socket = l->socket,
				.number = number,
				.service = "sshd",
				.budget_ns = 5000000000u};
	uint64_t end_ns;

	if (l->people.n) {
		struct wire_result_msg m;

		rc.person = &l->people.v[number % l->people.n];
		if (l->mode[0] == 'a' && raw_login(&rc, l->shared->now_s, &m) != 0)
			die("client %u: no proof: result %d %s", number, (int)m.result,
			    m.text);
	}
	c->ready = 1;
	while (!l->shared->go)
		(void)usleep(200);
	end_ns = measure_now_ns() + l->amount * 1000000u;
	if (l->mode[0] == 'l')
		once(l, &rc, c);
	else
		while (measure_now_ns() < end_ns)
			once(l, &rc, c);
	_exit(0);
}

static void start_clients(struct load *l)
{
	for (unsigned i = 0; i < l->n_clients; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid == 0)
			run_client(l, i);
	}
	for (unsigned i = 0; i < l->n_clients; i++)
		while (!l->shared->clients[i].ready)
			if (waitpid(-1, NULL, WNOHANG) != 0)
				die("a client ended early");
			else
				(void)usleep(500);
}

static void report(const struct load *l, uint64_t took_ns)
{
	struct samples all = {0};
	uint64_t answered = 0, refused = 0, failed = 0;

	for (unsigned i = 0; i < l->n_clients; i++) {
		const struct client *c = &l->shared->clients[i];

		answered += c->answered;
		refused += c->refused;
		failed += c->failed;
		for (size_t k = 0; k < c->n; k++)
			samples_add(&all, c->us10[k]);
	}
	(void)printf("load %s %u %.0f %.1f %.1f %llu %llu %llu\n", l->mode,
		     l->n_clients, (double)answered * 1e9 / (double)took_ns,
		     (double)samples_quantile(&all, 0.5) / 10,
		     (double)samples_quantile(&all, 0.99) / 10,
		     (unsigned long long)answered, (unsigned long long)refused,
		     (unsigned long long)failed);
	samples_done(&all);
}

static void run(struct load *l)
{
	size_t size = sizeof(struct shared) + l->n_clients * sizeof(struct client);
	uint64_t start_ns;

	l->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	if (l->shared == MAP_FAILED)
		die("out of memory");
	l->shared->now_s = l->clock.offset_s ? test_clock_next(&l->clock) : 0;
	start_clients(l);
	start_ns = measure_now_ns();
	l->shared->go = 1;
	for (unsigned i = 0; i < l->n_clients; i++)
		if (wait(NULL) < 0)
			die("wait: %s", strerror(errno));
	report(l, measure_now_ns() - start_ns);
	(void)munmap(l->shared, size);
}

int main(int argc, char **argv)
{
	struct load l = {0};

	if (argc != 5 && argc != 7)
		die("usage: bench_load floor|account|login|change CLIENTS AMOUNT "
		    "SOCKET "
		    "[CLOCK PEOPLE]");
	l.mode = argv[1];
	l.n_clients = (unsigned)strtoul(argv[2], NULL, 10);
	l.amount = strtoul(argv[3], NULL, 10);
	l.socket = argv[4];
	if (argc == 7) {
		test_clock_open(&l.clock, argv[5]);
		people_read(argv[6], &l.people);
	}
	if (strcmp(l.mode, "floor") != 0 && (!l.people.n || l.n_clients > l.people.n))
		die("not enough people");
	if (strcmp(l.mode, "login") == 0)
		for (unsigned long i = 0, n = l.amount; i < n; i++)
			run(&l);
	else
		run(&l);
	people_done(&l.people);
	return 0;
}
