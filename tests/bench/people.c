/* SPDX-License-Identifier: Apache-2.0 */
/* people.c - enrolled test people and their codes; a clock that can be stepped. */
#include "tests/bench/people.h"

#include <fcntl.h>
#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/measure.h"

static void read_seed(const char *base32, struct test_person *p)
{
	char *raw = NULL;
	size_t len = 0;

	if (oath_base32_decode(base32, strlen(base32), &raw, &len) != OATH_OK ||
	    len > sizeof(p->seed))
		die("bad seed of %s", p->login);
	memcpy(p->seed, raw, len);
	p->seed_len = len;
	free(raw);
}

void people_read(const char *path, struct people *ret)
{
	char line[256], seed[160];
	size_t cap = 0;
	FILE *in = fopen(path, "re");

	if (!in)
		die("%s: cannot be read", path);
	*ret = (struct people){0};
	while (fgets(line, sizeof(line), in)) {
		struct test_person p = {0};
		int n = sscanf(line, "%64s %159s", p.login, seed);

		if (n < 1)
			continue;
		if (n == 2)
			read_seed(seed, &p);
		if (ret->n == cap) {
			cap = cap ? 2 * cap : 64;
			ret->v = reallocarray(ret->v, cap, sizeof(*ret->v));
			if (!ret->v)
				die("out of memory");
		}
		ret->v[ret->n++] = p;
	}
	(void)fclose(in);
	if (ret->n == 0)
		die("%s: nobody in it", path);
}

void people_done(struct people *p)
{
	free(p->v);
	*p = (struct people){0};
}

void people_code(const struct test_person *p, int64_t now_s, char ret[7])
{
	memcpy(ret, "000000", 7);
	if (p->seed_len &&
	    oath_totp_generate((const char *)p->seed, p->seed_len, (time_t)now_s,
			       PEOPLE_STEP_S, 0, 6, ret) != OATH_OK)
		die("no code for %s", p->login);
}

/* The machine's clock, whatever is preloaded into this process. */
static int64_t true_now_s(void)
{
	struct timespec ts;

	if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) != 0)
		die("clock_gettime failed");
	return ts.tv_sec;
}

void test_clock_open(struct test_clock *c, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *map;

	if (fd < 0)
		die("%s: cannot be opened", path);
	map = mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("%s: cannot be mapped", path);
	(void)close(fd);
	c->offset_s = map;
}

int64_t test_clock_now_s(const struct test_clock *c)
{
	return true_now_s() + (c->offset_s ? *c->offset_s : 0);
}

int64_t test_clock_next(struct test_clock *c)
{
	int64_t now_s = test_clock_now_s(c);
	int64_t next_s = (now_s / PEOPLE_STEP_S + 1) * PEOPLE_STEP_S + 3;

	if (!c->offset_s)
		return now_s;
	*c->offset_s += next_s - now_s;
	return next_s;
}
