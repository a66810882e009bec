/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_pam.c - subjects and floors measured in turn, so that their ratio holds on a
 * machine whose disk and neighbours do not keep still.
 *
 * usage: bench_pam ROUNDS CLOCK SUBJECT...
 *   pam,NAME,COUNT,CONFDIR,SERVICE,PHASES,ANSWER,PEOPLE,FIRST,RETURN
 *        PHASES a, c or ac; ANSWER code (fresh), used (the last one again), wrong,
 * none; PEOPLE is a file of logins and seeds, from line FIRST on in turn; RETURN is the
 * PAM code that is expected: another one ends the program ask,NAME,COUNT,SOCKET one
 * request to the floor daemon append,NAME,COUNT,FILE         fdatasync after an
 * appended record overwrite,NAME,COUNT,FILE      the same inside a file written before
 * Prints "round NAME n p50_us p90_us p99_us" for each round and subject.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/floor.h"
#include "tests/bench/measure.h"
#include "tests/bench/people.h"
#include "tests/bench/transaction.h"

#define SUBJECTS_MAX 64
#define FIELDS_MAX   10

enum answer { ANSWER_NONE, ANSWER_CODE, ANSWER_USED, ANSWER_WRONG };

struct subject {
	const char *name;
	unsigned long count;
	void (*once)(struct subject *s, struct test_clock *clock);
	struct samples samples;
	const char *path; /* socket or file */
	int fd;
	off_t at;
	struct transaction tx;
	enum answer answer;
	struct people people;
	size_t next, first;
	int want;
};

/* Only a new lap through the people needs a new step: nobody used this one's code yet.
 * More steps would make each login pay a checkpoint of the log, which falls due by the
 * minute. */
static int64_t code_time(const struct subject *s, struct test_clock *clock)
{
	return s->next == s->first ? test_clock_next(clock) : test_clock_now_s(clock);
}

static void pam_once(struct subject *s, struct test_clock *clock)
{
	const struct test_person *p = &s->people.v[s->next];
	int64_t now_s = s->answer == ANSWER_CODE || s->answer == ANSWER_WRONG
				? code_time(s, clock)
				: test_clock_now_s(clock);
	char code[7] = "000000";
	uint64_t start;
	int rc;

	s->next = s->next + 1 < s->people.n ? s->next + 1 : s->first;
	if (s->answer != ANSWER_NONE)
		people_code(p, now_s, code);
	if (s->answer == ANSWER_WRONG)
		code[5] = code[5] == '9' ? '0' : (char)(code[5] + 1);
	s->tx.user = p->login;
	s->tx.answer = s->answer == ANSWER_NONE ? NULL : code;
	start = measure_now_ns();
	rc = transaction_run(&s->tx);
	samples_add(&s->samples, measure_now_ns() - start);
	if (rc != s->want)
		die("%s: %s got PAM code %d, not %d", s->name, p->login, rc, s->want);
}

static void ask_once(struct subject *s, struct test_clock *clock)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char buf[FLOOR_REQUEST] = {0};
	uint64_t start = measure_now_ns();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)clock;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", s->path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    send(fd, buf, FLOOR_REQUEST, MSG_NOSIGNAL) != FLOOR_REQUEST ||
	    recv(fd, buf, FLOOR_REPLY, MSG_WAITALL) != FLOOR_REPLY)
		die("%s: %s", s->path, strerror(errno));
	(void)close(fd);
	samples_add(&s->samples, measure_now_ns() - start);
}

static void sync_once(struct subject *s, struct test_clock *clock)
{
	static const char record[FLOOR_RECORD] = {1};
	uint64_t start = measure_now_ns();

	(void)clock;
	if (pwrite(s->fd, record, sizeof(record), s->at) != sizeof(record) ||
	    fdatasync(s->fd) != 0)
		die("%s: %s", s->path, strerror(errno));
	samples_add(&s->samples, measure_now_ns() - start);
	s->at += (off_t)sizeof(record);
}

static void open_file(struct subject *s, unsigned long rounds, bool prepared)
{
	static const char record[FLOOR_RECORD];

	s->fd = open(s->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (s->fd < 0)
		die("%s: %s", s->path, strerror(errno));
	for (unsigned long i = 0; prepared && i <= rounds * s->count; i++)
		if (write(s->fd, record, sizeof(record)) != sizeof(record))
			die("%s: %s", s->path, strerror(errno));
	if (fsync(s->fd) != 0)
		die("%s: %s", s->path, strerror(errno));
}

static void parse_pam(struct subject *s, char *const f[FIELDS_MAX])
{
	static const struct {
		const char *name;
		enum answer answer;
	} answers[] = {{"none", ANSWER_NONE},
		       {"code", ANSWER_CODE},
		       {"used", ANSWER_USED},
		       {"wrong", ANSWER_WRONG}};
	size_t i = 0;

	s->once = pam_once;
	s->tx.confdir = f[3];
	s->tx.service = f[4];
	s->tx.auth = strchr(f[5], 'a') != NULL;
	s->tx.account = strchr(f[5], 'c') != NULL;
	s->tx.ssh_connection = "192.0.2.7 40000 192.0.2.1 22";
	s->tx.ssh_auth_info = "publickey ssh-ed25519 AAAA\n";
	while (i < 4 && strcmp(f[6], answers[i].name) != 0)
		i++;
	if (i == 4)
		die("%s: unknown answer '%s'", s->name, f[6]);
	s->answer = answers[i].answer;
	people_read(f[7], &s->people);
	s->first = s->next = strtoul(f[8], NULL, 10);
	s->want = (int)strtol(f[9], NULL, 10);
	if (s->first >= s->people.n)
		die("%s: only %zu people", s->name, s->people.n);
}

static void parse_subject(char *text, unsigned long rounds, struct subject *s)
{
	char *f[FIELDS_MAX] = {0};
	size_t n = 0;

	while (text && n < FIELDS_MAX)
		f[n++] = strsep(&text, ",");
	if (n < 4 || text)
		die("bad subject");
	*s = (struct subject){.name = f[1], .path = f[3], .fd = -1};
	s->count = strtoul(f[2], NULL, 10);
	if (strcmp(f[0], "pam") == 0 && n == FIELDS_MAX) {
		parse_pam(s, f);
	} else if (strcmp(f[0], "ask") == 0) {
		s->once = ask_once;
	} else if (strcmp(f[0], "append") == 0 || strcmp(f[0], "overwrite") == 0) {
		s->once = sync_once;
		open_file(s, rounds, f[0][0] == 'o');
	} else {
		die("bad subject '%s'", f[0]);
	}
}

static void shuffle(size_t *order, size_t n, uint32_t *seed)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t k, t = order[i];

		*seed = *seed * 1664525u + 1013904223u;
		k = (*seed >> 8) % (i + 1);
		order[i] = order[k];
		order[k] = t;
	}
}

/*
 * One after the other in a shuffled order, each as often as its count asks: what comes
 * before a sample is the same mixture for all. Taken in blocks, a tight loop of flushes
 * would keep a disk awake that a login finds asleep, and the floor would be one that no
 * login can reach.
 */
static void run_round(struct subject *s, size_t n, struct test_clock *clock)
{
	static uint32_t seed = 1;
	size_t order[SUBJECTS_MAX];
	unsigned long most = 0;

	for (size_t i = 0; i < n; i++) {
		most = s[i].count > most ? s[i].count : most;
		order[i] = i;
	}
	for (unsigned long step = 0; step < most; step++) {
		shuffle(order, n, &seed);
		for (size_t i = 0; i < n; i++) {
			struct subject *x = &s[order[i]];

			if ((step + 1) * x->count / most > step * x->count / most)
				x->once(x, clock);
		}
	}
	for (size_t i = 0; i < n; i++) {
		(void)printf("round %s %zu %.2f %.2f %.2f\n", s[i].name, s[i].samples.n,
			     (double)samples_quantile(&s[i].samples, 0.5) / 1e3,
			     (double)samples_quantile(&s[i].samples, 0.9) / 1e3,
			     (double)samples_quantile(&s[i].samples, 0.99) / 1e3);
		samples_clear(&s[i].samples);
	}
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct subject subjects[SUBJECTS_MAX];
	struct test_clock clock = {0};
	unsigned long rounds;
	size_t n = 0;

	if (argc < 4 || argc - 3 > SUBJECTS_MAX)
		die("usage: bench_pam ROUNDS CLOCK SUBJECT...");
	rounds = strtoul(argv[1], NULL, 10);
	test_clock_open(&clock, argv[2]);
	for (int i = 3; i < argc; i++)
		parse_subject(argv[i], rounds, &subjects[n++]);
	for (size_t i = 0; i < n; i++) { /* warm */
		subjects[i].once(&subjects[i], &clock);
		samples_clear(&subjects[i].samples);
	}
	for (unsigned long r = 0; r < rounds; r++)
		run_round(subjects, n, &clock);
	for (size_t i = 0; i < n; i++) {
		people_done(&subjects[i].people);
		samples_done(&subjects[i].samples);
	}
	return 0;
}
