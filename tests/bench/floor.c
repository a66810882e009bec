/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.c - the least that any daemon behind a unix socket must do; no decision is
 * made.
 *
 *   floor SOCKET         accept, read 256 bytes, answer 64, close
 *   floor SOCKET FILE    the same, but all requests that wait are written to FILE and
 *                        flushed with one fdatasync before any of them is answered
 *
 * What a daemon with decisions, state and an audit log takes on top of this is its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/floor.h"
#include "tests/bench/measure.h"

#define BATCH_MAX 256

struct floor_daemon {
	int listen_fd, epoll_fd;
	int file_fd; /* -1: answer without writing */
	int waiting[BATCH_MAX];
	size_t n;
	char record[BATCH_MAX * FLOOR_RECORD];
};

static int listen_on(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path) >=
		    (int)sizeof(a.sun_path) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 4096) != 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void watch(struct floor_daemon *d, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(d->epoll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll_ctl: %s", strerror(errno));
}

/* True: the request is there and takes part in this turn. */
static bool take(struct floor_daemon *d, int fd)
{
	char *to = d->record + d->n * FLOOR_RECORD;
	ssize_t n = recv(fd, to, FLOOR_REQUEST, MSG_DONTWAIT);

	if (n == FLOOR_REQUEST) {
		d->waiting[d->n++] = fd;
		return true;
	}
	if (n >= 0 || errno != EAGAIN) {
		(void)close(fd);
		return true;
	}
	return false;
}

static void accept_all(struct floor_daemon *d)
{
	while (d->n < BATCH_MAX) {
		int fd =
			accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (!take(d, fd))
			watch(d, fd);
	}
}

static void answer_all(struct floor_daemon *d)
{
	static const char reply[FLOOR_REPLY];
	const size_t len = d->n * FLOOR_RECORD;

	if (d->n && d->file_fd >= 0 &&
	    (write(d->file_fd, d->record, len) != (ssize_t)len ||
	     fdatasync(d->file_fd) != 0))
		die("write: %s", strerror(errno));
	for (size_t i = 0; i < d->n; i++) {
		/* A client that left is its own loss. */
		(void)send(d->waiting[i], reply, sizeof(reply), MSG_NOSIGNAL);
		(void)close(d->waiting[i]);
	}
	d->n = 0;
}

static void turn(struct floor_daemon *d)
{
	struct epoll_event ev[BATCH_MAX];
	int n = epoll_wait(d->epoll_fd, ev, BATCH_MAX, -1);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.fd == d->listen_fd)
			accept_all(d);
		else if (d->n < BATCH_MAX)
			(void)take(d, ev[i].data.fd);
	}
	answer_all(d);
}

int main(int argc, char **argv)
{
	static struct floor_daemon d = {.file_fd = -1};

	if (argc < 2 || argc > 3)
		die("usage: floor SOCKET [FILE]");
	d.listen_fd = listen_on(argv[1]);
	d.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (argc == 3) {
		d.file_fd =
			open(argv[2],
			     O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
		if (d.file_fd < 0)
			die("%s: %s", argv[2], strerror(errno));
	}
	watch(&d, d.listen_fd);
	for (;;)
		turn(&d);
}
