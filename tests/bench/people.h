/* SPDX-License-Identifier: Apache-2.0 */
/* people.h - enrolled test people and their codes; a clock that can be stepped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEOPLE_STEP_S 30

struct test_person {
	char login[65];
	uint8_t seed[64];
	size_t seed_len; /* 0: not enrolled */
};

struct people {
	struct test_person *v; /* owned */
	size_t n;
};

/* people_read() - lines "login base32-seed" or "login"; ends the program on an error.
 */
void people_read(const char *path, struct people *ret);
void people_done(struct people *p);

/* people_code() - the person's code at @now_s; all zeroes without a seed. */
void people_code(const struct test_person *p, int64_t now_s, char ret[7]);

/*
 * The file that clockshim maps: steps the wall clock of every process that was started
 * with it, this one too when it was. NULL: no clock to step.
 */
struct test_clock {
	volatile int64_t *offset_s; /* owned mapping */
};

void test_clock_open(struct test_clock *c, const char *path);
/* test_clock_next() - move into a step that no code was used in; returns the time then.
 */
int64_t test_clock_next(struct test_clock *c);
/* test_clock_now_s() - the stepped wall clock. */
int64_t test_clock_now_s(const struct test_clock *c);
