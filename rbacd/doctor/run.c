/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - fork, exec, read with a deadline. */
#include "rbacd/doctor/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

_Noreturn static void child(char *const argv[], int out)
{
	char *const env[] = {
		(char[]){"LC_ALL=C"},
		(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
			 "/sbin:/bin"},
		NULL};
	int null = open("/dev/null", O_RDWR);

	if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(null, 2) >= 0)
		(void)execve(argv[0], argv, env); /* returns only when it failed */
	_exit(127);
}

static int read_all(int fd, size_t cap, int64_t until, char **ret)
{
	_cleanup_free_ char *buf = malloc(cap + 1);
	size_t len = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - now_ms();
		ssize_t n;
		int r = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0)
			return -errno;
		n = read(fd, buf + len, cap - len + 1);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > cap)
			return -E2BIG;
	}
	buf[len] = '\0';
	*ret = STEAL(buf);
	return 0;
}

int run_output(char *const argv[], size_t cap, int budget_ms, char **ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int in = -1, out = -1;
	int fds[2], status, r;
	pid_t pid;

	if (access(argv[0], X_OK) != 0)
		return -ENOENT;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(argv, out);
	(void)close(out); /* else the end of its output never comes */
	out = -1;
	r = read_all(in, cap, now_ms() + budget_ms, &text);
	if (r != 0)
		(void)kill(pid, SIGKILL); /* its own child, not yet waited for */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r != 0)
		return r;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -EPROTO;
	*ret = STEAL(text);
	return 0;
}
