/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_abuse.c - the module in a host process that somebody prepared: closed standard
 * descriptors, limits, storms of signals, a folder that is gone, a huge environment, in
 * every combination.
 *
 * usage: host_abuse SERVICE GRANTED NOT-GRANTED
 * Each try is a child. It may be refused, but never die; who is not granted never gets
 * in; no descriptor stays open. Prints what came of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LIMIT_NONE,
	LIMIT_FILES_3,
	LIMIT_FILES_5,
	LIMIT_FSIZE,
	LIMIT_STACK,
	LIMIT_MEMORY,
	LIMIT_PROCESSES,
	N_LIMITS
};
enum { SIGNALS_AS_THEY_ARE, SIGNALS_STORM, SIGNALS_BLOCKED, N_SIGNALS };
enum { LEAKED = 100, ENTERED = 0, REFUSED = 1 };

struct abuse {
	unsigned closed; /* bits of 0, 1 and 2 */
	int limit, signals;
	int gone, huge;
};

static int no_conversation(int n, const struct pam_message **msg,
			   struct pam_response **resp, void *data)
{
	(void)n;
	(void)msg;
	(void)resp;
	(void)data;
	return PAM_CONV_ERR;
}

/* libc keeps its line to the system log until closelog(); it is not the module's. */
static int is_log(int fd)
{
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof(peer) - 1;

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       strcmp(peer.sun_path, "/dev/log") == 0;
}

static unsigned long open_fds(void)
{
	unsigned long bits = 0;

	for (int fd = 0; fd < 60; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && !is_log(fd))
			bits |= 1ul << fd;
	return bits;
}

static void limit(int what, rlim_t value)
{
	const struct rlimit rl = {value, value};

	(void)setrlimit((__rlimit_resource_t)what, &rl);
}

static void set_limit(int which)
{
	if (which == LIMIT_FILES_3)
		limit(RLIMIT_NOFILE, 3);
	else if (which == LIMIT_FILES_5)
		limit(RLIMIT_NOFILE, 5);
	else if (which == LIMIT_FSIZE)
		limit(RLIMIT_FSIZE, 0);
	else if (which == LIMIT_STACK)
		limit(RLIMIT_STACK, 65536);
	else if (which == LIMIT_MEMORY)
		limit(RLIMIT_AS, 12 << 20);
	else if (which == LIMIT_PROCESSES)
		limit(RLIMIT_NPROC, 0);
}

static void set_signals(int which)
{
	const struct itimerval storm = {{0, 1000}, {0, 1000}};
	sigset_t all;

	if (which == SIGNALS_STORM) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)signal(SIGCHLD, SIG_IGN);
		(void)signal(SIGALRM, SIG_IGN);
		(void)setitimer(ITIMER_REAL, &storm, NULL);
	} else if (which == SIGNALS_BLOCKED) {
		(void)sigfillset(&all);
		(void)sigprocmask(SIG_SETMASK, &all, NULL);
	}
}

static void prepare(const struct abuse *a)
{
	char folder[] = "/tmp/abuse-XXXXXX";
	char *text = a->huge ? malloc(1 << 20) : NULL;

	if (a->gone && mkdtemp(folder) && chdir(folder) == 0)
		(void)rmdir(folder);
	if (text) {
		memset(text, 'x', (1 << 20) - 1);
		text[(1 << 20) - 1] = '\0';
		(void)setenv("ABUSE", text, 1);
		(void)setenv("LD_PRELOAD", "/nonexistent.so", 1);
		(void)setenv("PATH", ".", 1);
	}
	for (int fd = 0; fd < 3; fd++)
		if (a->closed & 1u << fd)
			(void)close(fd);
	set_signals(a->signals);
	set_limit(a->limit);
}

static int enter(const char *service, const char *user)
{
	struct pam_conv conv = {.conv = no_conversation};
	pam_handle_t *h = NULL;
	int rc = pam_start(service, user, &conv, &h);

	if (rc == PAM_SUCCESS)
		rc = pam_acct_mgmt(h, 0);
	if (h)
		(void)pam_end(h, rc);
	return rc == PAM_SUCCESS ? ENTERED : REFUSED;
}

/* ENTERED, REFUSED, LEAKED, or 128 and the signal that it died of. */
static int try_one(const struct abuse *a, const char *service, const char *user)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned long before;
		int rc;

		prepare(a);
		before = open_fds();
		rc = enter(service, user);
		_exit(open_fds() & ~before ? LEAKED : rc);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 255;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct count {
	unsigned tries, entered, refused, bad;
};

static void judge(const struct abuse *a, int granted, int rc, struct count *c)
{
	c->tries++;
	c->entered += rc == ENTERED;
	c->refused += rc == REFUSED;
	if ((rc == ENTERED && granted) || rc == REFUSED)
		return;
	c->bad++;
	(void)printf("closed %u limit %d signals %d gone %d huge %d granted %d: %d\n",
		     a->closed, a->limit, a->signals, a->gone, a->huge, granted, rc);
}

int main(int argc, char **argv)
{
	struct count c = {0};

	if (argc != 4)
		return 2;
	for (int i = 0; i < 8 * N_LIMITS * N_SIGNALS * 4; i++) {
		const struct abuse a = {.closed = (unsigned)i % 8,
					.limit = i / 8 % N_LIMITS,
					.signals = i / 8 / N_LIMITS % N_SIGNALS,
					.gone = i / 8 / N_LIMITS / N_SIGNALS % 2,
					.huge = i / 8 / N_LIMITS / N_SIGNALS / 2};

		for (int granted = 0; granted < 2; granted++)
			judge(&a, granted, try_one(&a, argv[1], argv[granted ? 2 : 3]),
			      &c);
	}
	(void)printf("tries %u entered %u refused %u bad %u\n", c.tries, c.entered,
		     c.refused, c.bad);
	return c.bad != 0;
}
