/* SPDX-License-Identifier: Apache-2.0 */
/* hook.c - the alert's program: spawned, fed, bounded in number and time. */
#include "rbacd/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct hook {
	struct {
		pid_t pid; /* 0: free */
		int64_t until_ms;
	} run[HOOK_RUNNING_MAX];
	uint64_t failed;
};

int hook_new(struct hook **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

/* What it started goes with it, and it where it left its group. Gone is as good. */
static void kill_all(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
}

/* Never waits: who is not collected here becomes init's when we go. */
static void end(struct hook *hook, size_t i)
{
	kill_all(hook->run[i].pid);
	(void)waitpid(hook->run[i].pid, NULL, WNOHANG);
	hook->run[i].pid = 0;
}

void hook_free(struct hook *hook)
{
	if (!hook)
		return;
	for (size_t i = 0; i < HOOK_RUNNING_MAX; i++)
		if (hook->run[i].pid > 0)
			end(hook, i);
	free(hook);
}

static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -errno;
	/* Root's alone: what rbacd itself could write must not run outside its sandbox.
	 */
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0022) != 0 || st.st_uid != 0)
		return -EPERM;
	return 0;
}

/* A file in memory: all of the input is there before the program starts, so nobody
 * writes to a pipe that is not read. */
static int input_of(const char *json, size_t len)
{
	_cleanup_close_ int fd = memfd_create("alert", MFD_CLOEXEC);
	int ret;

	if (len > HOOK_INPUT_MAX)
		return -E2BIG;
	if (fd < 0 || write(fd, json, len) != (ssize_t)len ||
	    lseek(fd, 0, SEEK_SET) != 0)
		return errno ? -errno : -EIO;
	ret = fd;
	fd = -1;
	return ret;
}

static int spawn(const char *path, int input, pid_t *ret)
{
	char name[] = "alert-hook", env0[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const argv[] = {name, NULL}, *const env[] = {env0, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	int r;

	if (posix_spawn_file_actions_init(&fa) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&at) != 0) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return -ENOMEM;
	}
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(&at, &none);
	(void)posix_spawnattr_setsigdefault(&at, &all);
	(void)posix_spawnattr_setpgroup(&at, 0);
	(void)posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP |
						    POSIX_SPAWN_SETSIGMASK |
						    POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn_file_actions_adddup2(&fa, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null",
						     O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null",
						     O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn(ret, path, &fa, &at, argv, env);
	(void)posix_spawnattr_destroy(&at);
	(void)posix_spawn_file_actions_destroy(&fa);
	return -r;
}

int hook_run(struct hook *hook, const char *path, const char *json, size_t len,
	     int64_t now_ms)
{
	_cleanup_close_ int input = -1;
	size_t i = 0;
	int r;

	while (i < HOOK_RUNNING_MAX && hook->run[i].pid > 0)
		i++;
	if (i == HOOK_RUNNING_MAX)
		return -EAGAIN;
	r = check_program(path);
	if (r == 0) {
		input = input_of(json, len);
		r = input < 0 ? input : spawn(path, input, &hook->run[i].pid);
	}
	if (r != 0) {
		hook->run[i].pid = 0;
		hook->failed++;
		return r;
	}
	hook->run[i].until_ms = now_ms + HOOK_MS;
	return 0;
}

/* Looked at first and collected last: until then the number is nobody else's. */
static void look_at(struct hook *hook, size_t i, int64_t now_ms)
{
	pid_t pid = hook->run[i].pid;
	siginfo_t si = {0};

	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) != 0) {
		/* Ours no more: rbacd was started with SIGCHLD ignored. */
		hook->run[i].pid = 0;
		hook->failed++;
	} else if (si.si_pid == pid) {
		hook->failed += si.si_code != CLD_EXITED || si.si_status != 0;
		end(hook, i);
	} else if (now_ms >= hook->run[i].until_ms) {
		kill_all(pid); /* collected next */
		hook->run[i].until_ms = now_ms + 1000;
	}
}

void hook_tick(struct hook *hook, int64_t now_ms)
{
	for (size_t i = 0; i < HOOK_RUNNING_MAX; i++)
		if (hook->run[i].pid > 0)
			look_at(hook, i, now_ms);
}

size_t hook_running(const struct hook *hook)
{
	size_t n = 0;

	for (size_t i = 0; i < HOOK_RUNNING_MAX; i++)
		n += hook->run[i].pid > 0;
	return n;
}

uint64_t hook_failed(const struct hook *hook)
{
	return hook->failed;
}
