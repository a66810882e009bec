/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c - asks pam.sock on behalf of test people and prints what a client really saw.
 *
 * usage: probe login SOCKET PEOPLE LOGIN NOW_S
 *            auth with the code of NOW_S, then account
 *        probe account SOCKET SERVICE LOGIN TTY
 *            one account phase without a handle
 *        probe crowd SOCKET PEOPLE CLIENTS NOW_S
 *            CLIENTS people log in at once, then ask account until rbacd is gone
 * Each line is "PHASE allow ID", "PHASE refused RESULT" or "PHASE lost ERRNO", and then
 * "LOGIN SENT RECEIVED" in monotonic ms: a history for histories.py.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/rawclient.h"

#define BUDGET_NS 5000000000u

static uint64_t now_ms(void)
{
	return measure_now_ns() / 1000000;
}

/* Returns whether it was allowed. */
static bool say(const struct raw_client *c, const char *phase, uint64_t sent_ms, int rc,
		const struct wire_result_msg *m)
{
	char line[256], what[64];
	int n;

	if (rc != 0)
		(void)snprintf(what, sizeof(what), "lost %d", -rc);
	else if (m->result == WIRE_RESULT_ALLOW)
		(void)snprintf(what, sizeof(what), "allow %s", m->id);
	else
		(void)snprintf(what, sizeof(what), "refused %d", (int)m->result);
	/* One write, so that lines of many processes do not mix. */
	n = snprintf(line, sizeof(line), "%s %s %s %llu %llu\n", phase, what,
		     c->person->login, (unsigned long long)sent_ms,
		     (unsigned long long)now_ms());
	if (n < 0 || write(STDOUT_FILENO, line, (size_t)n) != n)
		die("write: %s", strerror(errno));
	return rc == 0 && m->result == WIRE_RESULT_ALLOW;
}

static bool probe_login(const struct raw_client *c, int64_t now_s)
{
	struct wire_result_msg auth = {.result = WIRE_RESULT_NONE};
	struct wire_result_msg account = {.result = WIRE_RESULT_NONE};
	uint64_t sent_ms = now_ms();
	char code[7];
	int rc;

	people_code(c->person, now_s, code);
	rc = raw_ask(c, WIRE_OP_AUTH, code, NULL, &auth);
	if (!say(c, "auth", sent_ms, rc, &auth))
		return false;
	sent_ms = now_ms();
	rc = raw_ask(c, WIRE_OP_ACCOUNT, NULL, auth.has_handle ? auth.handle : NULL,
		     &account);
	return say(c, "account", sent_ms, rc, &account);
}

static int run_login(int argc, char **argv)
{
	struct raw_client c = {.service = "sshd", .budget_ns = BUDGET_NS};
	struct people people;

	if (argc != 6)
		die("usage: probe login SOCKET PEOPLE LOGIN NOW_S");
	c.socket = argv[2];
	people_read(argv[3], &people);
	for (size_t i = 0; i < people.n; i++)
		if (strcmp(people.v[i].login, argv[4]) == 0)
			c.person = &people.v[i];
	if (!c.person)
		die("%s: nobody called %s", argv[3], argv[4]);
	(void)probe_login(&c, strtoll(argv[5], NULL, 10));
	people_done(&people);
	return 0;
}

static int run_account(int argc, char **argv)
{
	struct test_person person = {0};
	struct raw_client c = {.budget_ns = BUDGET_NS, .person = &person};
	struct wire_result_msg m = {.result = WIRE_RESULT_NONE};
	struct wire_begin b;
	uint64_t sent_ms = now_ms();
	int fd, rc;

	if (argc != 6)
		die("usage: probe account SOCKET SERVICE LOGIN TTY");
	c.socket = argv[2];
	c.service = argv[3];
	(void)snprintf(person.login, sizeof(person.login), "%s", argv[4]);
	raw_begin(&c, WIRE_OP_ACCOUNT, &b);
	b.flags = 0;
	b.loginuid = UINT32_MAX;
	b.ssh_connection[0] = b.ssh_auth_info[0] = '\0';
	(void)snprintf(b.tty, sizeof(b.tty), "%s", argv[5]);
	(void)snprintf(b.ruser, sizeof(b.ruser), "%s", argv[4]);
	fd = raw_connect(c.socket);
	rc = fd < 0 ? fd : raw_send_begin(fd, &b);
	if (rc == 0)
		rc = raw_result(fd, &b, NULL, &m);
	(void)say(&c, "account", sent_ms, rc, &m);
	return 0;
}

static _Noreturn void crowd_member(struct raw_client *c, int64_t now_s)
{
	struct wire_result_msg m;
	uint64_t sent_ms;
	int rc = 0;

	if (probe_login(c, now_s))
		while (rc == 0) {
			m.result = WIRE_RESULT_NONE;
			sent_ms = now_ms();
			rc = raw_ask(c, WIRE_OP_ACCOUNT, NULL, NULL, &m);
			if (!say(c, "account", sent_ms, rc, &m))
				break;
		}
	_exit(0);
}

static int run_crowd(int argc, char **argv)
{
	struct people people;
	unsigned long n;

	if (argc != 6)
		die("usage: probe crowd SOCKET PEOPLE CLIENTS NOW_S");
	people_read(argv[3], &people);
	n = strtoul(argv[4], NULL, 10);
	if (n > people.n)
		die("only %zu people", people.n);
	for (unsigned i = 0; i < n; i++) {
		struct raw_client c = {.socket = argv[2],
				       .number = i,
				       .service = "sshd",
				       .person = &people.v[i],
				       .budget_ns = BUDGET_NS};
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid == 0)
			crowd_member(&c, strtoll(argv[5], NULL, 10));
	}
	while (wait(NULL) > 0)
		;
	people_done(&people);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "login") == 0)
		return run_login(argc, argv);
	if (argc > 1 && strcmp(argv[1], "account") == 0)
		return run_account(argc, argv);
	if (argc > 1 && strcmp(argv[1], "crowd") == 0)
		return run_crowd(argc, argv);
	die("usage: probe login|account|crowd ...");
}
