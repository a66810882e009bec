/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timing.c - does the time of a refusal tell who exists and who is enrolled?
 *
 * usage: timing CONFDIR SAMPLES PROCESSES CLASS=LOGIN...
 * Whole authentications through libpam and the module, with a wrong code and no proven
 * first factor, the classes in turn and in an order that changes; each from an address
 * of its own. For each pair of classes Welch's t of the times, of all samples and of
 * those below the 95th percentile, where a small shift cannot hide behind outliers.
 * Prints "timing CLASS n mean_us sd_us" and "welch A B t t_below_p95".
 */
#include <errno.h>
#include <math.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/transaction.h"
#include "tests/bench/welch.h"

#define CLASSES_MAX 8

struct class
{
	const char *name, *login;
	double *us; /* shared by the processes */
};

struct timing {
	const char *confdir;
	size_t samples, n_processes, n_classes;
	struct class classes[CLASSES_MAX];
};

static double one_try(const struct timing *t, const struct class *c, size_t i,
		      size_t which)
{
	size_t source = i * CLASSES_MAX + which;
	char from[64];
	struct transaction tx = {.confdir = t->confdir,
				 .service = "sshd",
				 .user = c->login,
				 .answer = "000000",
				 .ssh_connection = from,
				 .auth = true};
	uint64_t start;
	int rc;

	(void)snprintf(from, sizeof(from), "10.%zu.%zu.%zu 40000 192.0.2.1 22",
		       source >> 16 & 255, source >> 8 & 255, source & 255);
	start = measure_now_ns();
	rc = transaction_run(&tx);
	if (rc != PAM_AUTH_ERR)
		die("%s: PAM code %d instead of a refusal", c->name, rc);
	return (double)(measure_now_ns() - start) / 1e3;
}

/* Samples first, first + step …; the order of the classes turns with each. */
static void run_part(const struct timing *t, size_t first)
{
	for (size_t i = first; i < t->samples; i += t->n_processes)
		for (size_t k = 0; k < t->n_classes; k++) {
			size_t which = (k + i) % t->n_classes;
			const struct class *c = &t->classes[which];

			c->us[i] = one_try(t, c, i, which);
		}
}

static void run_processes(const struct timing *t)
{
	int status, bad = 0;

	for (size_t p = 0; p < t->n_processes; p++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid == 0) {
			run_part(t, p);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	if (bad)
		die("a process failed");
}

static void report(const struct timing *t)
{
	for (size_t i = 0; i < t->n_classes; i++) {
		struct moments m =
			moments_below(t->classes[i].us, t->samples, HUGE_VAL);

		(void)printf("timing %s %zu %.1f %.1f\n", t->classes[i].name, m.n,
			     m.mean, sqrt(m.var));
	}
	for (size_t i = 0; i < t->n_classes; i++)
		for (size_t k = i + 1; k < t->n_classes; k++) {
			const struct class *a = &t->classes[i], *b = &t->classes[k];

			(void)printf("welch %s %s %.2f %.2f\n", a->name, b->name,
				     welch_t(a->us, b->us, t->samples, HUGE_VAL),
				     welch_t(a->us, b->us, t->samples,
					     welch_p95(a->us, b->us, t->samples)));
		}
}

static void add_class(struct timing *t, char *text)
{
	struct class *c = &t->classes[t->n_classes++];

	c->name = strsep(&text, "=");
	c->login = text;
	if (!text)
		die("a class is NAME=LOGIN");
	c->us = mmap(NULL, t->samples * sizeof(*c->us), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->us == MAP_FAILED)
		die("out of memory");
}

int main(int argc, char **argv)
{
	struct timing t = {0};

	if (argc < 6 || argc - 4 > CLASSES_MAX)
		die("usage: timing CONFDIR SAMPLES PROCESSES CLASS=LOGIN...");
	t.confdir = argv[1];
	t.samples = strtoul(argv[2], NULL, 10);
	t.n_processes = strtoul(argv[3], NULL, 10);
	if (t.samples < 10 || !t.n_processes)
		die("too few samples");
	for (int i = 4; i < argc; i++)
		add_class(&t, argv[i]);
	run_processes(&t);
	report(&t);
	return 0;
}
