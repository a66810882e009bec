/* SPDX-License-Identifier: Apache-2.0 */
/* hook_process.c - a child that alone may start the alert's program. */

#include "rbacd/hook_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "rbacd/hook.h"
#include "rbacd/log.h"
#include "rbacd/privilege.h"
#include "rbacd/wire/client.h"

#define TICK_MS 100
#define OUR_FD	3

/* What the child says after each change. */
struct report {
	uint64_t done; /* of those that it heard of */
	uint64_t failed;
};

struct hook_process {
	int fd;		     /* owned; the child ends with it */
	uint64_t sent, lost; /* lost: never reached the child */
	struct report last;
};

/* --------------------------------------------------------------------- child */

static int64_t now_ms(void)
{
	return (int64_t)(wire_now_ns() / 1000000u);
}

/* Return: 1; 0 when rbacd is gone. */
static int take_one(struct hook *hook, const char *path, uint64_t *n_heard)
{
	char json[HOOK_INPUT_MAX];
	ssize_t len = recv(OUR_FD, json, sizeof(json), 0);
	int rc;

	if (len <= 0)
		return len < 0 && errno == EINTR;
	++*n_heard;
	rc = hook_run(hook, path, json, (size_t)len, now_ms());
	if (rc != 0)
		log_err("the alert hook %s could not be started: %s", path,
			strerrordesc_np(-rc));
	return 1;
}

static int child_run(struct hook *hook, const char *path)
{
	struct report now = {0}, told = {0};
	uint64_t n_heard = 0;

	for (;;) {
		struct pollfd p = {.fd = OUR_FD, .events = POLLIN};
		int n = poll(&p, 1, hook_running(hook) > 0 ? TICK_MS : -1);

		if (n > 0 && take_one(hook, path, &n_heard) == 0)
			return 0;
		hook_tick(hook, now_ms());
		now.done = n_heard - hook_running(hook);
		now.failed = hook_failed(hook);
		if (memcmp(&now, &told, sizeof(now)) != 0 &&
		    send(OUR_FD, &now, sizeof(now), MSG_NOSIGNAL) < 0)
			return 0;
		told = now;
	}
}

_Noreturn static void child_main(int fd, const char *path, uint32_t uid, uint32_t gid)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct hook *hook;
	int rc = 0;

	if (dup2(fd, OUR_FD) != OUR_FD || close_range(OUR_FD + 1, ~0u, 0) != 0 ||
	    fcntl(OUR_FD, F_SETFD, FD_CLOEXEC) != 0)
		_exit(1);
	(void)signal(SIGPIPE, SIG_IGN);
	if (geteuid() == 0)
		rc = privilege_drop(uid, gid, 0, &diag);
	if (rc == 0)
		rc = hook_new(&hook);
	diags_print(&diag, stderr);
	if (rc != 0)
		_exit(1);
	rc = child_run(hook, path);
	hook_free(hook);
	_exit(rc);
}

/* -------------------------------------------------------------------- parent */

int hook_process_start(const char *path, uint32_t uid, uint32_t gid,
		       struct hook_process **ret)
{
	struct hook_process *h = calloc(1, sizeof(*h));
	pid_t pid = -1;
	int pair[2];

	if (!h)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) {
		pid = fork();
		if (pid == 0)
			child_main(pair[1], path, uid, gid);
		(void)close(pair[1]); /* the child's end */
		h->fd = pair[0];
	}
	if (pid > 0) {
		*ret = h;
		return 0;
	}
	hook_process_free(h);
	return -EAGAIN;
}

void hook_process_free(struct hook_process *h)
{
	if (!h)
		return;
	if (h->fd > 0)
		(void)close(h->fd); /* the child's end of life */
	free(h);
}

static void hear(struct hook_process *h)
{
	struct report r;

	while (recv(h->fd, &r, sizeof(r), MSG_DONTWAIT) == sizeof(r))
		h->last = r;
}

int hook_process_run(struct hook_process *h, const char *json, size_t len)
{
	if (len == 0 || len > HOOK_INPUT_MAX)
		return -E2BIG;
	hear(h);
	if (h->sent - h->last.done >= HOOK_RUNNING_MAX)
		return -EAGAIN;
	if (send(h->fd, json, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		h->lost++;
		return errno == EAGAIN ? -EBUSY : -errno;
	}
	h->sent++;
	return 0;
}

uint64_t hook_process_failed(struct hook_process *h)
{
	hear(h);
	return h->lost + h->last.failed;
}
