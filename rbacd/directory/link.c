/* SPDX-License-Identifier: Apache-2.0 */
/* link.c - frames and descriptors over dir.sock, for rbacd and rbacd-dir alike. */

#include "rbacd/directory/link.h"

#include <errno.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define LINK_IN_MAX    (WIRE_FRAME_MAX + 4)
#define LINK_OUT_MAX   4096 /* frames that wait */
#define LINK_FDS_MAX   4    /* received ahead of their frame */
#define LINK_READS_MAX 16   /* per turn, so that one peer cannot hold the loop */

struct out_frame {
	STAILQ_ENTRY(out_frame) next;
	size_t len, sent;
	int fd; /* owned, -1: none or sent */
	uint8_t bytes[];
};

struct link {
	const struct link_ops *ops; /* static */
	void *arg;		    /* borrowed */
	int fd;			    /* owned */
	struct event *read, *write; /* owned */
	STAILQ_HEAD(out_list, out_frame) out;
	size_t n_out;
	int fds[LINK_FDS_MAX]; /* owned */
	size_t n_fds;
	size_t have;
	uint8_t in[LINK_IN_MAX];
};

static void drop_first(struct link *l)
{
	struct out_frame *f = STAILQ_FIRST(&l->out);

	STAILQ_REMOVE_HEAD(&l->out, next);
	l->n_out--;
	if (f->fd >= 0)
		(void)close(f->fd); /* a memfd: nothing to lose */
	free(f);
}

void link_free(struct link *l)
{
	if (!l)
		return;
	if (l->read)
		event_free(l->read);
	if (l->write)
		event_free(l->write);
	while (!STAILQ_EMPTY(&l->out))
		drop_first(l);
	for (size_t i = 0; i < l->n_fds; i++)
		(void)close(l->fds[i]); /* read-only use */
	(void)close(l->fd);		/* both sides count on loss */
	free(l);
}

/* ------------------------------------------------------------------ send */

static ssize_t send_part(struct link *l, struct out_frame *f)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = f->bytes + f->sent,
			    .iov_len = f->len - f->sent};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (f->fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &f->fd, sizeof(int));
	}
	return sendmsg(l->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd;
	(void)what;
	while (!STAILQ_EMPTY(&l->out)) {
		struct out_frame *f = STAILQ_FIRST(&l->out);
		ssize_t n = send_part(l, f);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			l->ops->lost(l->arg, "the peer is gone");
			return;
		}
		if (f->fd >= 0)
			(void)close(f->fd); /* the peer has its own by now */
		f->fd = -1;
		f->sent += (size_t)n;
		if (f->sent == f->len)
			drop_first(l);
	}
	if (STAILQ_EMPTY(&l->out))
		(void)event_del(l->write); /* cannot fail for an added event */
}

int link_send(struct link *l, const void *frame, size_t len, int fd)
{
	_cleanup_close_ int owned = fd;
	struct out_frame *f;

	if (l->n_out >= LINK_OUT_MAX)
		return -ENOBUFS;
	f = malloc(sizeof(*f) + len);
	if (!f)
		return -ENOMEM;
	if (event_add(l->write, NULL) != 0) {
		free(f);
		return -ENOMEM;
	}
	*f = (struct out_frame){.len = len, .fd = fd};
	owned = -1;
	memcpy(f->bytes, frame, len);
	STAILQ_INSERT_TAIL(&l->out, f, next);
	l->n_out++;
	return 0;
}

/* --------------------------------------------------------------- receive */

/* Takes every descriptor of the message, so that none leaks. */
static bool take_fds(struct link *l, struct msghdr *msg)
{
	bool ok = (msg->msg_flags & MSG_CTRUNC) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (l->n_fds < LINK_FDS_MAX) {
				l->fds[l->n_fds++] = fd;
				continue;
			}
			(void)close(fd); /* nobody asked for it */
			ok = false;
		}
	}
	return ok;
}

/* Return: bytes, 0 nothing now, -1 lost. */
static ssize_t receive(struct link *l)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * LINK_FDS_MAX)];
	struct iovec iov = {.iov_base = l->in + l->have,
			    .iov_len = sizeof(l->in) - l->have};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(l->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (!take_fds(l, &msg) || n == 0)
		return -1;
	l->have += (size_t)n;
	return n;
}

static int first_fd(struct link *l)
{
	int fd;

	if (l->n_fds == 0)
		return -1;
	fd = l->fds[0];
	l->n_fds--;
	memmove(l->fds, l->fds + 1, l->n_fds * sizeof(l->fds[0]));
	return fd;
}

static bool hand_out(struct link *l, const struct wire_frame *f)
{
	_cleanup_close_ int fd = -1;

	if (f->type == WIRE_TARGETS || f->type == WIRE_SNAPSHOT) {
		fd = first_fd(l);
		if (fd < 0)
			return false;
	}
	return l->ops->frame(l->arg, f, &fd) == 0;
}

/* Return: NULL, or why the link must end. */
static const char *split_frames(struct link *l)
{
	size_t at = 0, used = 0;
	struct wire_frame f;
	int r = 0;

	while (r == 0) {
		r = wire_frame_split(l->in + at, l->have - at, WIRE_FRAME_MAX, &f,
				     &used);
		if (r == WIRE_E_INVALID || (r == 0 && !hand_out(l, &f)))
			return "the peer sent an invalid frame";
		if (r == 0)
			at += used;
	}
	l->have -= at;
	memmove(l->in, l->in + at, l->have);
	if (l->have == 0 && l->n_fds > 0)
		return "the peer sent a descriptor without its frame";
	return NULL;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	const char *why;

	(void)fd;
	(void)what;
	for (int i = 0; i < LINK_READS_MAX; i++) {
		ssize_t n = receive(l);

		if (n == 0)
			return;
		why = n < 0 ? "the peer is gone" : split_frames(l);
		if (why) {
			l->ops->lost(l->arg, why);
			return;
		}
	}
}

int link_new(struct event_base *base, int fd, const struct link_ops *ops, void *arg,
	     struct link **ret)
{
	_cleanup_close_ int owned = fd;
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	STAILQ_INIT(&l->out);
	l->ops = ops;
	l->arg = arg;
	l->fd = fd;
	owned = -1;
	l->read = event_new(base, fd, EV_READ | EV_PERSIST, on_read, l);
	l->write = event_new(base, fd, EV_WRITE | EV_PERSIST, on_write, l);
	if (!l->read || !l->write || event_add(l->read, NULL) != 0) {
		link_free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}
