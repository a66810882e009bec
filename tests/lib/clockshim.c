/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clockshim.c - test only: an LD_PRELOAD library that moves the wall clock of one
 * process.
 *
 * VMSEC_CLOCK_FILE names a file of 16 bytes, native byte order: seconds to add; and 0,
 * or 1 for a kernel that says that the clock is synchronised, 2 for one that does not.
 * It is mapped once, when the library is loaded, so that the process may drop its
 * privileges later and still sees every change. CLOCK_MONOTONIC and CLOCK_BOOTTIME stay
 * true. The shipped programs know nothing of this: no test clock is compiled into them.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shim_offset_s;
static int (*shim_libc)(clockid_t,
			struct timespec *); /* reads the vDSO, as unshimmed */

__attribute__((constructor)) static void shim_map(void)
{
	const char *path = getenv("VMSEC_CLOCK_FILE");
	void *libc = dlsym(RTLD_NEXT, "clock_gettime");
	void *map = MAP_FAILED;
	int fd;

	memcpy(&shim_libc, &libc, sizeof(libc)); /* ISO C has no cast for this */
	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		abort(); /* a test that asked for the shim must not run without it */
	map = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		abort();
	shim_offset_s = map;
}

static int64_t shim_offset(void)
{
	return shim_offset_s ? *shim_offset_s : 0;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t id,
							 struct timespec *ts)
{
	/* Another library's constructor may ask before ours has run. */
	long rc = shim_libc ? shim_libc(id, ts) : syscall(SYS_clock_gettime, id, ts);

	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += shim_offset();
	return (int)rc;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
							void *restrict tz)
{
	struct timeval *volatile p = tv; /* declared nonnull, yet NULL is legal */
	struct timespec ts;

	(void)tz; /* obsolete and always zero on Linux */
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return -1;
	if (p) {
		p->tv_sec = ts.tv_sec;
		p->tv_usec = ts.tv_nsec / 1000;
	}
	return 0;
}

__attribute__((visibility("default"))) time_t time(time_t *ret)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}

__attribute__((visibility("default"))) int adjtimex(struct timex *tx)
{
	int64_t told = shim_offset_s ? shim_offset_s[1] : 0;
	int rc = (int)syscall(SYS_adjtimex, tx);

	if (rc < 0 || told == 0)
		return rc;
	tx->status = told == 1 ? tx->status & ~STA_UNSYNC : tx->status | STA_UNSYNC;
	return told == 1 ? TIME_OK : TIME_ERROR;
}
