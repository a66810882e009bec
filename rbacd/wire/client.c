/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - the calling side: nothing here waits longer than its deadline. */
#include "rbacd/wire/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define NS_PER_S	1000000000u
#define NS_PER_MS	1000000u
#define RETRY_MS_MIN	2
#define RETRY_MS_SPREAD 16
#define FIRST_FREE_FD                                                                  \
	3 /* the host may have closed 0-2; its child would write to us                 \
	   */

uint64_t wire_now_ns(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Milliseconds to the deadline, rounded up; 0 when it has passed, -1 for none. */
static int remaining_ms(uint64_t deadline_ns)
{
	uint64_t now = wire_now_ns();
	uint64_t ms;

	if (deadline_ns == 0)
		return -1;
	if (now >= deadline_ns)
		return 0;
	ms = (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Waits for @events; EINTR starts over with what is left of the time. */
static int wait_fd(const struct wire_client *c, short events)
{
	struct pollfd pfd = {.fd = c->fd, .events = events};
	int ms;
	int r;

	for (;;) {
		ms = remaining_ms(c->deadline_ns);
		if (ms == 0)
			return -ETIMEDOUT;
		r = poll(&pfd, 1, ms);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

/*
 * Every folder of @path is root's and nobody else can write to it. Checked from the
 * root down, so only root can change a folder after its check; no descriptor is needed.
 */
static int check_folders(const char *path, size_t len)
{
	char part[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;

	for (size_t i = 0; i < len; i++) {
		size_t n = i == 0 ? 1 : i;

		if (path[i] != '/')
			continue;
		memcpy(part, path, n);
		part[n] = 0;
		if (lstat(part, &st) != 0)
			return -errno;
		if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022) != 0)
			return -EPERM;
	}
	return 0;
}

static int check_server(int fd, uint32_t server_uid)
{
	struct ucred cred = {.uid = UINT32_MAX};
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -errno;
	if (len != sizeof(cred) || (cred.uid != 0 && cred.uid != server_uid))
		return -EPERM;
	return 0;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int high;

	if (fd < 0)
		return -errno;
	if (fd >= FIRST_FREE_FD)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	if (high < 0)
		high = -errno;
	(void)close(fd); /* only the duplicate is used */
	return high;
}

/* poll() cannot wait for room in a full backlog: short sleeps of unequal length. */
static int retry_pause(uint64_t deadline_ns)
{
	int left = remaining_ms(deadline_ns);
	int ms = RETRY_MS_MIN + (int)(wire_now_ns() / 1000 % RETRY_MS_SPREAD);

	if (left == 0)
		return -ETIMEDOUT;
	if (left > 0 && ms > left)
		ms = left;
	(void)poll(NULL, 0, ms); /* an early return only retries sooner */
	return 0;
}

static int connect_retry(int fd, const struct sockaddr_un *sa, uint64_t deadline_ns)
{
	int r;

	for (;;) {
		if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0)
			return 0;
		if (errno == EISCONN)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = retry_pause(deadline_ns);
		if (r != 0)
			return r;
	}
}

int wire_client_open(struct wire_client *c, const char *path, uint32_t server_uid,
		     uint64_t deadline_ns, void *buf, size_t cap)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = strnlen(path, sizeof(sa.sun_path));
	int r;

	*c = (struct wire_client){.fd = -1,
				  .deadline_ns = deadline_ns,
				  .buf = buf,
				  .cap = cap};
	if (path[0] != '/' || len == sizeof(sa.sun_path))
		return -EINVAL;
	r = check_folders(path, len);
	if (r != 0)
		return r;
	memcpy(sa.sun_path, path, len);
	c->fd = open_socket();
	if (c->fd < 0) {
		r = c->fd;
		c->fd = -1;
		return r;
	}
	r = connect_retry(c->fd, &sa, deadline_ns);
	if (r == 0)
		r = check_server(c->fd, server_uid);
	if (r != 0)
		wire_client_close(c);
	return r;
}

int wire_client_send(struct wire_client *c, const void *frame, size_t len)
{
	const uint8_t *p = frame;
	ssize_t n;
	int r;

	while (len > 0) {
		n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_fd(c, POLLOUT);
		if (r != 0)
			return r;
	}
	return 0;
}

/* Adds what has arrived to the buffer; waits when nothing has. */
static int fill(struct wire_client *c)
{
	ssize_t n;

	n = recv(c->fd, c->buf + c->have, c->cap - c->have, MSG_DONTWAIT);
	if (n > 0) {
		c->have += (size_t)n;
		return 0;
	}
	if (n == 0)
		return -ECONNRESET;
	if (errno != EAGAIN && errno != EINTR)
		return -errno;
	return wait_fd(c, POLLIN);
}

int wire_client_recv(struct wire_client *c, struct wire_frame *ret_frame)
{
	size_t max = c->cap < WIRE_FRAME_MAX ? c->cap : WIRE_FRAME_MAX;
	int r;

	if (c->used > 0) {
		memmove(c->buf, c->buf + c->used, c->have - c->used);
		c->have -= c->used;
		c->used = 0;
	}
	for (;;) {
		r = wire_frame_split(c->buf, c->have, max, ret_frame, &c->used);
		if (r == 0)
			return 0;
		if (r != WIRE_E_INCOMPLETE)
			return -EPROTO;
		/* a peer that dribbles bytes must not stretch the deadline */
		if (remaining_ms(c->deadline_ns) == 0)
			return -ETIMEDOUT;
		r = fill(c);
		if (r != 0)
			return r;
	}
}

void wire_client_close(struct wire_client *c)
{
	base_closep(&c->fd);
	c->fd = -1;
	if (c->buf)
		explicit_bzero(c->buf, c->cap);
	c->have = 0;
	c->used = 0;
}
