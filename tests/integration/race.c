/* SPDX-License-Identifier: Apache-2.0 */
/*
 * race.c - many logins at one instant, through libpam and the built module, against a
 * running rbacd: one code is good for exactly one of them.
 *
 * A fixed set of processes waits at a barrier; each trial moves rbacd's clock (the
 * mapped offset of clockshim.c), hands every process its person and code, and counts
 * the results.
 *
 * usage: race CONFDIR CLOCKFILE SEEDS MODE TRIALS PARALLEL PEOPLE
 *   SEEDS: lines "login base32seed"
 *   same:    PEOPLE persons at once, each logs in PARALLEL times with one code
 *   people:  PARALLEL different persons, each with the right code of their own
 *   guess:   PARALLEL - 1 wrong codes and one right one, for one person
 *   again:   as same, with the very codes of the last trial: none is accepted
 *   count:   as same, and tells how many, whoever answers
 * A login that stands in SEEDS twice is one person with two factors.
 */
#include <errno.h>
#include <fcntl.h>
#include <liboath/oath.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 1024
#define PEOPLE_MAX  256
#define STEP_S	    30

enum mode { MODE_SAME, MODE_PEOPLE, MODE_GUESS, MODE_AGAIN, MODE_COUNT };

struct slot { /* one process's order and its answer */
	char login[64];
	char code[16];
	int auth, account;
};

struct shared {
	pthread_barrier_t start, end;
	int stop;
	struct slot slots[WORKERS_MAX];
};

struct person {
	char login[64];
	char *seed;
	size_t seed_len;
};

struct race {
	const char *confdir;
	volatile int64_t *offset_s; /* and behind it the step of the last trial */
	enum mode mode;
	int n_trials, n_parallel, n_people, n_workers;
	struct person people[PEOPLE_MAX];
	int n_seeds;
	struct shared *shared;
	pid_t pids[WORKERS_MAX];
	/* totals */
	int n_bad_trials, n_accepted, n_most;
	int n_right_refused;
};

/* ---------------------------------------------------------------- one login */

static int answer_code(int n, const struct pam_message **msg,
		       struct pam_response **resp, void *data)
{
	struct pam_response *r = calloc((size_t)n, sizeof(*r));

	if (!r)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			r[i].resp = strdup(data);
	*resp = r;
	return PAM_SUCCESS;
}

/* As sshd calls it after a completed key; each process comes from an address of its
 * own, because rbacd bounds what one source may have pending. */
static void log_in(const struct race *race, int worker, struct slot *slot)
{
	struct pam_conv conv = {.conv = answer_code, .appdata_ptr = slot->code};
	char connection[128];
	pam_handle_t *h = NULL;

	slot->auth = slot->account = PAM_SYSTEM_ERR;
	if (pam_start_confdir("sshd", slot->login, &conv, race->confdir, &h) !=
	    PAM_SUCCESS)
		return;
	snprintf(connection, sizeof(connection),
		 "SSH_CONNECTION=10.%d.%d.%d 40000 127.0.0.1 22", 1 + worker / 65000,
		 worker / 250 % 250, 1 + worker % 250);
	if (pam_putenv(h, connection) == PAM_SUCCESS &&
	    pam_putenv(h, "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA\n") ==
		    PAM_SUCCESS)
		slot->auth = pam_authenticate(h, 0);
	if (slot->auth == PAM_SUCCESS)
		slot->account = pam_acct_mgmt(h, 0);
	(void)pam_end(h, slot->account);
}

static void work(const struct race *race, int worker)
{
	struct shared *shared = race->shared;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		(void)pthread_barrier_wait(&shared->start);
		if (shared->stop)
			_exit(0);
		log_in(race, worker, &shared->slots[worker]);
		(void)pthread_barrier_wait(&shared->end);
	}
}

/* ---------------------------------------------------------------- trials */

/* Under the shim time() is moved already; the kernel's is not. */
static int64_t next_step(struct race *race)
{
	struct timespec ts;

	*race->offset_s += STEP_S;
	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec + *race->offset_s) / STEP_S;
}

static void code_at(const struct person *p, int64_t step, char ret[16])
{
	if (oath_hotp_generate(p->seed, p->seed_len, (uint64_t)step, 6, false,
			       OATH_HOTP_DYNAMIC_TRUNCATION, ret) != OATH_OK)
		abort();
}

static const struct person *person_of(const struct race *race, int trial, int worker)
{
	int i = race->mode == MODE_GUESS    ? trial % race->n_people
		: race->mode == MODE_PEOPLE ? worker
					    : worker / race->n_parallel;

	return &race->people[i % race->n_seeds];
}

/* Exactly one guesser holds the right code; nobody else's may be right by chance. */
static void spoil(char code[16])
{
	code[0] = code[0] == '9' ? '0' : (char)(code[0] + 1);
	code[5] = code[5] == '9' ? '0' : (char)(code[5] + 1);
}

static void order_trial(struct race *race, int trial, int64_t step)
{
	int right = trial % race->n_workers;

	for (int i = 0; i < race->n_workers; i++) {
		const struct person *p = person_of(race, trial, i);
		struct slot *s = &race->shared->slots[i];

		snprintf(s->login, sizeof(s->login), "%s", p->login);
		code_at(p, step, s->code);
		if (race->mode == MODE_GUESS && i != right)
			spoil(s->code);
	}
}

/* Accepted logins of each group of processes that shares one code. */
static void count_trial(struct race *race, int trial)
{
	int group = race->mode == MODE_GUESS	? race->n_workers
		    : race->mode == MODE_PEOPLE ? 1
						: race->n_parallel;
	int want_max = race->mode == MODE_AGAIN	  ? 0
		       : race->mode == MODE_COUNT ? race->n_parallel
						  : 1;
	int want_min = race->mode == MODE_SAME || race->mode == MODE_PEOPLE ? 1 : 0;

	for (int g = 0; g < race->n_workers; g += group) {
		const struct slot *first = &race->shared->slots[g];
		int n = 0;

		for (int i = g; i < g + group; i++)
			n += race->shared->slots[i].auth == PAM_SUCCESS &&
			     race->shared->slots[i].account == PAM_SUCCESS;
		race->n_accepted += n;
		race->n_most = n > race->n_most ? n : race->n_most;
		if (n >= want_min && n <= want_max)
			continue;
		race->n_bad_trials++;
		printf("trial %d, %s: %d accepted (first process: auth %d, account "
		       "%d)\n",
		       trial, first->login, n, first->auth, first->account);
	}
}

/* Groups of processes of one trial: the code should still be the current one. */
static int run_trials(struct race *race)
{
	struct timespec start, now;
	int per_round = race->n_workers / race->n_parallel;
	int n_rounds = (race->n_trials + per_round - 1) / per_round;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (int t = 0; t < n_rounds && race->n_bad_trials < 20; t++) {
		if (race->mode != MODE_AGAIN) {
			/* Twice: the step before may have been entered by the last
			 * trial's end. */
			(void)next_step(race);
			race->offset_s[1] = next_step(race);
		}
		order_trial(race, t, race->offset_s[1]);
		(void)pthread_barrier_wait(&race->shared->start);
		(void)pthread_barrier_wait(&race->shared->end);
		count_trial(race, t);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	race->shared->stop = 1;
	(void)pthread_barrier_wait(&race->shared->start);
	for (int i = 0; i < race->n_workers; i++)
		(void)waitpid(race->pids[i], NULL, 0);
	printf("trials %d parallel %d accepted %d bad %d seconds %.1f most %d\n",
	       n_rounds * per_round, race->n_parallel, race->n_accepted,
	       race->n_bad_trials,
	       (double)(now.tv_sec - start.tv_sec) +
		       (double)(now.tv_nsec - start.tv_nsec) / 1e9,
	       race->n_most);
	return race->n_bad_trials ? 1 : 0;
}

/* ---------------------------------------------------------------- start */

static void *map_file(const char *path, size_t len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED
			 : mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED || ftruncate(fd, (off_t)len) != 0) {
		perror(path);
		exit(2);
	}
	return p;
}

static void read_seeds(struct race *race, const char *path)
{
	FILE *f = fopen(path, "re");
	char login[64], seed[128];

	if (!f || oath_init() != OATH_OK) {
		perror(path);
		exit(2);
	}
	while (race->n_seeds < PEOPLE_MAX &&
	       fscanf(f, "%63s %127s", login, seed) == 2) {
		struct person *p = &race->people[race->n_seeds++];

		snprintf(p->login, sizeof(p->login), "%s", login);
		if (oath_base32_decode(seed, strlen(seed), &p->seed, &p->seed_len) !=
		    OATH_OK)
			exit(2);
	}
	fclose(f);
}

static void start_workers(struct race *race)
{
	pthread_barrierattr_t attr;
	unsigned n = (unsigned)race->n_workers + 1;

	race->shared = mmap(NULL, sizeof(*race->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race->shared == MAP_FAILED || pthread_barrierattr_init(&attr) != 0 ||
	    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) != 0 ||
	    pthread_barrier_init(&race->shared->start, &attr, n) != 0 ||
	    pthread_barrier_init(&race->shared->end, &attr, n) != 0)
		exit(2);
	for (int i = 0; i < race->n_workers; i++) {
		race->pids[i] = fork();
		if (race->pids[i] < 0)
			exit(2);
		if (race->pids[i] == 0)
			work(race, i);
	}
}

int main(int argc, char **argv)
{
	static struct race race;

	static const char *const modes[] = {"same", "people", "guess", "again",
					    "count"};
	int mode = 0;

	while (argc == 8 && mode < 5 && strcmp(argv[4], modes[mode]) != 0)
		mode++;
	if (argc != 8 || mode == 5) {
		fprintf(stderr, "usage: race CONFDIR CLOCKFILE SEEDS "
				"same|people|guess|again|count TRIALS PARALLEL "
				"PEOPLE\n");
		return 2;
	}
	race.confdir = argv[1];
	race.offset_s = map_file(argv[2], 2 * sizeof(int64_t));
	read_seeds(&race, argv[3]);
	race.mode = (enum mode)mode;
	race.n_trials = (int)strtol(argv[5], NULL, 10);
	race.n_parallel = (int)strtol(argv[6], NULL, 10);
	race.n_people = (int)strtol(argv[7], NULL, 10);
	race.n_workers =
		race.n_parallel * (race.mode == MODE_PEOPLE || race.mode == MODE_GUESS
					   ? 1
					   : race.n_people);
	if (race.n_workers < 1 || race.n_workers > WORKERS_MAX || race.n_people < 1 ||
	    race.n_people > race.n_seeds)
		return 2;
	start_workers(&race);
	return run_trials(&race);
}
