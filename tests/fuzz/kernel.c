/* SPDX-License-Identifier: Apache-2.0 */
/* kernel.c - the machine: what fails fails as a real one does, and is counted. */
#include "tests/fuzz/kernel.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "tests/fuzz/peer.h"

#define NS_PER_MS  1000000u
#define NS_PER_S   1000000000u
#define DRIBBLE_MS 90

struct kernel kernel;

uint64_t kernel_random(void)
{
	/* xorshift64: the same faults for the same input */
	kernel.rng ^= kernel.rng << 13;
	kernel.rng ^= kernel.rng >> 7;
	kernel.rng ^= kernel.rng << 17;
	return kernel.rng;
}

bool kernel_fault(void)
{
	if (kernel.one_in == 0 || kernel_random() % kernel.one_in != 0)
		return false;
	kernel.n_faults++;
	return true;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

/* One that the caller cannot make good: it must end in a refusal. */
static int fail_for_good(int error)
{
	kernel.n_fatal++;
	return fail(error);
}

/* The connection is gone: good again when another one is made. */
static int fail_lost(int error)
{
	kernel.n_lost++;
	return fail_for_good(error);
}

void kernel_entry(void)
{
	kernel.waited_ns = 0;
	kernel.n_lost = 0;
	kernel.n_faults = kernel.n_fatal = 0;
	kernel.connected = false;
	for (int i = 0; i < KERNEL_FDS; i++)
		assert(!kernel.open[i]);
}

static int fd_new(int least)
{
	for (int i = least; i < KERNEL_FDS; i++) {
		if (kernel.open[i])
			continue;
		kernel.open[i] = true;
		return i;
	}
	return fail(EMFILE);
}

int kernel_socket(int domain, int type, int protocol)
{
	assert(domain == AF_UNIX && protocol == 0 && (type & SOCK_CLOEXEC));
	kernel.n_fatal -= kernel.n_lost;
	kernel.n_lost = 0;
	return kernel_fault() ? fail_for_good(EMFILE) : fd_new(kernel.first_fd);
}

int kernel_fcntl(int fd, int cmd, int arg)
{
	assert(kernel.open[fd] && cmd == F_DUPFD_CLOEXEC && arg == 3);
	return kernel_fault() ? fail(EMFILE) : fd_new(arg);
}

int kernel_close(int fd)
{
	assert(fd >= 0 && fd < KERNEL_FDS && kernel.open[fd]);
	kernel.open[fd] = false;
	return 0;
}

int kernel_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	static const int errors[] = {EAGAIN, EINTR, ECONNREFUSED, ENOENT, EACCES};

	assert(kernel.open[fd] && fd >= 3 && sa->sa_family == AF_UNIX && len > 2);
	if (kernel_fault()) {
		int e = errors[kernel_random() % 5];

		return e == EAGAIN || e == EINTR ? fail(e) : fail_for_good(e);
	}
	kernel.connected = true;
	kernel.sock = fd;
	peer_accept();
	return 0;
}

int kernel_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct ucred cred = {.uid = kernel.server_uid};

	assert(fd == kernel.sock && level == SOL_SOCKET && name == SO_PEERCRED);
	assert(*len == sizeof(cred));
	if (kernel_fault())
		return fail_for_good(ENOPROTOOPT);
	memcpy(value, &cred, sizeof(cred));
	return 0;
}

ssize_t kernel_send(int fd, const void *buf, size_t len, int flags)
{
	static const int errors[] = {EAGAIN, EINTR, EPIPE, ENOBUFS};

	assert(fd == kernel.sock && kernel.open[fd] && (flags & MSG_NOSIGNAL));
	if (kernel_fault()) {
		int e = errors[kernel_random() % 4];

		if (len > 1 && kernel_random() % 2 == 0)
			len /= 2; /* a short write */
		else
			return e == EAGAIN || e == EINTR ? fail(e) : fail_lost(e);
	}
	peer_take(buf, len);
	return (ssize_t)len;
}

static int wait_all(int timeout_ms)
{
	uint64_t ns = (uint64_t)timeout_ms * NS_PER_MS;

	assert(timeout_ms >= 0); /* the module never waits without an end */
	kernel.now_ns += ns;
	kernel.waited_ns += ns;
	return 0;
}

ssize_t kernel_recv(int fd, void *buf, size_t len, int flags)
{
	static const int errors[] = {EAGAIN, EINTR, ECONNRESET, ENOMEM};

	assert(fd == kernel.sock && kernel.open[fd] && (flags & MSG_DONTWAIT));
	assert(len > 0);
	if (kernel_fault()) {
		int e = errors[kernel_random() % 4];

		return e == EAGAIN || e == EINTR ? fail(e) : fail_lost(e);
	}
	if (!peer_ready())
		return fail(EAGAIN);
	if (peer.chunk > 0) /* a peer that dribbles takes its time */
		(void)wait_all(DRIBBLE_MS);
	return (ssize_t)peer_give(buf, len);
}

int kernel_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (n == 0)
		return wait_all(timeout_ms);
	assert(n == 1 && fds->fd == kernel.sock);
	if (kernel_fault())
		return kernel_random() % 2 ? fail(EINTR) : fail_for_good(ENOMEM);
	if (fds->events == POLLOUT || peer_ready()) {
		fds->revents = fds->events;
		return 1;
	}
	if (peer_wakes_ms() < timeout_ms) {
		(void)wait_all(peer_wakes_ms());
		peer_wake();
		return 1;
	}
	return wait_all(timeout_ms);
}

int kernel_lstat(const char *path, struct stat *st)
{
	assert(path[0] == '/');
	if (kernel_fault())
		return fail_for_good(EACCES);
	memset(st, 0, sizeof(*st));
	st->st_uid = kernel.folder_uid;
	st->st_mode = kernel.folder_mode;
	return 0;
}

int kernel_openat(int dir, const char *path, int flags)
{
	(void)dir;
	assert(strcmp(path, "/proc/self/sessionid") == 0 ||
	       strcmp(path, "/proc/self/loginuid") == 0);
	assert((flags & O_CLOEXEC) && (flags & O_ACCMODE) == O_RDONLY);
	return kernel_fault() ? fail(ENOENT) : fd_new(kernel.first_fd);
}

ssize_t kernel_read(int fd, void *buf, size_t len)
{
	static const char *const texts[] = {"1000",	  "4294967295\n",
					    "4294967296", "",
					    "-1",	  "0000000000000000",
					    "1000\n1"};
	const char *text = texts[kernel_random() % 7];
	size_t n = strlen(text) < len ? strlen(text) : len;

	assert(kernel.open[fd]);
	if (kernel_fault())
		return fail(EIO);
	memcpy(buf, text, n);
	return (ssize_t)n;
}

ssize_t kernel_getrandom(void *buf, size_t len, unsigned flags)
{
	uint8_t *p = buf;

	assert(flags == GRND_NONBLOCK);
	if (kernel_fault()) {
		kernel.n_fatal++;
		return kernel_random() % 2 ? fail(EAGAIN) : (ssize_t)len / 2;
	}
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)kernel_random();
	return (ssize_t)len;
}

int kernel_clock_gettime(clockid_t clock, struct timespec *ts)
{
	assert(clock == CLOCK_MONOTONIC);
	kernel.now_ns += 1000;
	ts->tv_sec = (time_t)(kernel.now_ns / NS_PER_S);
	ts->tv_nsec = (long)(kernel.now_ns % NS_PER_S);
	return 0;
}

void *kernel_malloc(size_t size)
{
	return kernel_fault() ? NULL : malloc(size);
}

void *kernel_calloc(size_t n, size_t size)
{
	if (!kernel_fault())
		return calloc(n, size);
	kernel.n_fatal++; /* the transaction's memory: nothing goes on without */
	return NULL;
}
