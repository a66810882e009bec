/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diskshim.c - test only: an LD_PRELOAD library that makes one process's disk slow or
 * broken. VMSEC_DISK_FILE names a file of four 32-bit numbers, native order, mapped at
 * load time and changed by the test while the process runs:
 *   delay_ms  every flush takes this much longer
 *   n_sync    this many flushes fail with EIO and are not made; -1: all
 *   n_write   this many writes of a database file fail with @error; -1: all
 *   error     errno of those writes
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct control {
	int32_t delay_ms, n_sync, n_write, error;
};

static struct control *control;

__attribute__((constructor)) static void shim_map(void)
{
	const char *path = getenv("VMSEC_DISK_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		abort(); /* a test that asked for the shim must not run without it */
	map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		abort();
	control = map;
}

/* True when this call is one of those that fail. */
static int spend(int32_t *n)
{
	if (*n == 0)
		return 0;
	if (*n > 0)
		(*n)--;
	return 1;
}

/* The segments of the audit log are copies: a write of theirs that fails is made again.
 */
static int is_database(int fd)
{
	char link[40], path[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return strstr(path, ".db") != NULL;
}

static int flush(const char *name, int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	struct timespec ts = {control->delay_ms / 1000,
			      control->delay_ms % 1000 * 1000000L};

	while (control->delay_ms > 0 && nanosleep(&ts, &ts) != 0)
		;
	if (spend(&control->n_sync)) {
		errno = EIO;
		return -1;
	}
	return real(fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	return flush("fdatasync", fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	return flush("fsync", fd);
}

__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void *buf,
							size_t n, off64_t off)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) =
		(ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT,
								      "pwrite64");

	if (is_database(fd) && spend(&control->n_write)) {
		errno = control->error;
		return -1;
	}
	return real(fd, buf, n, off);
}

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *buf, size_t n,
						      off_t off)
{
	return pwrite64(fd, buf, n, off);
}
