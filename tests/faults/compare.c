/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.c - does the time of a comparison tell how much of a code was right?
 *
 * usage: compare SAMPLES
 * A wrong code whose first five digits are right against one where none is, interleaved
 * in random order, through otp_check(), through its comparison alone and, as a control
 * that must be seen, through one that stops at the first difference. Welch's t below
 * the 95th percentile. Prints "compare otp_check T", the same of memcmp and of control.
 */
#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rbacd/mfa/otp.h"
#include "tests/bench/measure.h"
#include "tests/bench/welch.h"

#define NOW   INT64_C(1790000010)
#define ALONE 100

static const struct store_factor factor = {.kind = STORE_FACTOR_TOTP,
					   .hash = STORE_SHA1,
					   .digits = 6,
					   .period_s = 30};
static const struct secret seed = {.len = 20, .bytes = "12345678901234567890"};

static char text[9]; /* the code of now */

static void check(const struct secret *code)
{
	struct otp_match m;

	if (otp_check(&factor, &seed, code, NOW, &m) != 0 || m.found)
		die("the code is not as it should be");
}

/* The comparison alone, so often that nothing else is measured. */
static void memcmp_alone(const struct secret *code)
{
	volatile int sum = 0;

	for (int n = 0; n < ALONE; n++)
		sum += CRYPTO_memcmp(text, code->bytes, 6) != 0;
}

/* As naive as code can be. */
static void control(const struct secret *code)
{
	volatile int sum = 0;

	for (int n = 0; n < ALONE; n++) {
		int i = 0;

		while (i < 6 && text[i] == ((const volatile uint8_t *)code->bytes)[i])
			i++;
		sum += i;
	}
}

static double time_of(void (*fn)(const struct secret *), const struct secret *code)
{
	static struct secret same_place; /* its address tells nothing */
	uint64_t start;

	same_place = *code;
	start = measure_now_ns();
	fn(&same_place);
	return (double)(measure_now_ns() - start);
}

static void run(const char *name, void (*fn)(const struct secret *),
		const struct secret code[2], size_t n)
{
	double *ns[2] = {calloc(n, sizeof(double)), calloc(n, sizeof(double))};

	if (!ns[0] || !ns[1])
		die("out of memory");
	for (size_t i = 0; i < n; i++) {
		int first = (int)(random() & 1);

		ns[first][i] = time_of(fn, &code[first]);
		ns[!first][i] = time_of(fn, &code[!first]);
	}
	(void)printf("compare %s %.2f\n", name,
		     welch_t(ns[0], ns[1], n, welch_p95(ns[0], ns[1], n)));
	free(ns[0]);
	free(ns[1]);
}

int main(int argc, char **argv)
{
	struct secret code[2] = {{.len = 6}, {.len = 6}};
	size_t n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

	if (n < 100)
		die("usage: compare SAMPLES");
	if (oath_totp_generate((const char *)seed.bytes, seed.len, (time_t)NOW, 30, 0,
			       6, text) != OATH_OK)
		die("no code");
	for (int i = 0; i < 6; i++) { /* near: the last is wrong; far: every one */
		code[0].bytes[i] =
			(uint8_t)(i < 5 ? text[i] : '0' + (text[i] - '0' + 5) % 10);
		code[1].bytes[i] = (uint8_t)('0' + (text[i] - '0' + 5) % 10);
	}
	run("otp_check", check, code, n);
	run("memcmp", memcmp_alone, code, n);
	run("control", control, code, n);
	return 0;
}
