/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failshim.c - test only: an LD_PRELOAD library that makes memory run out at a chosen
 * allocation of one process.
 *
 * VMSEC_FAIL_FILE names a file of three 64 bit numbers in native byte order: how many
 * allocations from now the first one fails (0: none), 1 when all after it fail too, and
 * how many have failed. It is mapped when the library is loaded, before the process
 * drops its privileges.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct plan {
	int64_t countdown;
	int64_t persistent;
	int64_t n_failed;
};

static struct plan *plan;

/* glibc's own, under the names it keeps for such libraries. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

__attribute__((constructor)) static void plan_map(void)
{
	const char *path = getenv("VMSEC_FAIL_FILE");
	void *map = MAP_FAILED;
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (!path)
		return;
	if (fd >= 0)
		map = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   0);
	if (map == MAP_FAILED)
		abort(); /* a test that asked for it must not run without it */
	(void)close(fd);
	plan = map;
}

static bool fails(void)
{
	if (!plan || plan->countdown == 0)
		return false;
	if (plan->countdown > 1) {
		plan->countdown--;
		return false;
	}
	if (!plan->persistent)
		plan->countdown = 0;
	plan->n_failed++;
	errno = ENOMEM;
	return true;
}

EXPORT void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, total);
}
