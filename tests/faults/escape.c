/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.c - attempts to get out of the sandbox, from inside, as root: what refuses is
 * the sandbox and not the account. Each attempt is first made without it and has to get
 * through, or to fail for a reason of its own. Run by tests/lib/private, because some
 * then really mount, signal and load.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "rbacd/sandbox/sandbox.h"

static char inside[64], outside[64]; /* folders: the box's own, and not */
static pid_t victim;		     /* a process outside */
static int abstract_port;	     /* of 127.0.0.1, where somebody listens */

#define DECIDE	  (1u << SANDBOX_DECIDE)
#define DIRECTORY (1u << SANDBOX_DIRECTORY)
#define LOCAL	  (1u << SANDBOX_LOCAL)
#define WORK	  (1u << SANDBOX_WORK)

/* -------------------------------------------------------------------- attempts */

static int result(long rc)
{
	return rc < 0 ? -errno : 0;
}

static const char *in(const char *folder, const char *name)
{
	static char path[2][128];
	static unsigned i;

	i = !i;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", folder, name);
	return path[i];
}

static int open_it(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC, 0600);

	return result(fd);
}

static int try_exec(void)
{
	char *const argv[] = {(char[]){"true"}, NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv("/bin/true", argv);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

static int try_exec_memory(void)
{
	char *const argv[] = {(char[]){"x"}, NULL};
	int fd = memfd_create("x", 0);

	if (fd < 0)
		return -errno;
	return result(syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH));
}

static int try_ptrace(void)
{
	return result(ptrace(PTRACE_SEIZE, victim, 0, 0));
}

static int try_read_memory(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	return result(syscall(SYS_process_vm_readv, victim, &here, 1, &there, 1, 0));
}

static int try_shadow(void)
{
	return open_it("/etc/shadow", O_RDONLY);
}

static int try_read_outside(void)
{
	return open_it(in(outside, "secret"), O_RDONLY);
}

static int try_up_and_out(void)
{
	return open_it(in(inside, "../../etc/shadow"), O_RDONLY);
}

static int try_by_link(void)
{
	if (symlink("/etc/shadow", in(outside, "link")) != 0 && errno != EEXIST)
		return -errno;
	return open_it(in(outside, "link"), O_RDONLY);
}

static int try_write_outside(void)
{
	return open_it(in(outside, "new"), O_WRONLY | O_CREAT);
}

static int try_truncate_outside(void)
{
	return result(truncate(in(outside, "secret"), 0));
}

static int try_rename_out(void)
{
	int rc = open_it(in(inside, "a"), O_WRONLY | O_CREAT);

	return rc == 0 ? result(rename(in(inside, "a"), in(outside, "a"))) : rc;
}

static int try_hard_link(void)
{
	(void)unlink(in(inside, "hard"));
	return result(link(in(outside, "secret"), in(inside, "hard")));
}

static int try_device(void)
{
	(void)unlink(in(inside, "dev"));
	return result(mknod(in(inside, "dev"), S_IFCHR | 0600, 0x103));
}

static int try_setuid_file(void)
{
	return result(chmod(in(outside, "secret"), 04755));
}

static int try_socket(int family, int type)
{
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return result(fd);
}

static int try_inet(void)
{
	return try_socket(AF_INET, SOCK_STREAM);
}

static int try_raw(void)
{
	return try_socket(AF_PACKET, SOCK_RAW);
}

/* Also where the family is allowed: only the ports of the list. */
static int try_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)abstract_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno
		      : result(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static int try_listen(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(4444)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : result(bind(fd, (struct sockaddr *)&at, sizeof(at)));
}

static int try_abstract(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "\0escape"};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno
		      : result(connect(fd, (struct sockaddr *)&to,
				       sizeof(to.sun_family) + 7));
}

static int try_mount(void)
{
	return result(mount("none", outside, "tmpfs", 0, NULL));
}

static int try_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int try_clone_namespace(void)
{
	long pid = syscall(SYS_clone, (long)(CLONE_NEWNET | SIGCHLD), 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int try_clone3(void)
{
	uint64_t args[8] = {0};
	long pid;

	args[4] = SIGCHLD;
	pid = syscall(SYS_clone3, args, sizeof(args));
	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int try_chroot(void)
{
	return result(chroot(outside));
}

static int try_bpf(void)
{
	uint32_t map[18] = {2, 4, 4, 1}; /* BPF_MAP_TYPE_ARRAY */

	return result(syscall(SYS_bpf, 0, map, sizeof(map)));
}

static int try_keyctl(void)
{
	return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

static int try_add_key(void)
{
	return result(
		syscall(SYS_add_key, "user", "x", "y", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int try_swap(void)
{
	return result(syscall(SYS_swapon, in(outside, "none"), 0));
}

static int try_reboot(void)
{
	return result(syscall(SYS_reboot, 0, 0, 0, NULL)); /* wrong magic: EINVAL */
}

static int try_uring(void)
{
	uint32_t params[30] = {0};

	return result(syscall(SYS_io_uring_setup, 1, params));
}

static int try_userfaultfd(void)
{
	return result(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int try_perf(void)
{
	uint32_t attr[32] = {1, 128};

	return result(syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
}

static int try_by_handle(void)
{
	return result(syscall(SYS_open_by_handle_at, -1, NULL, 0));
}

static int try_clock(void)
{
	const struct timespec never = {.tv_nsec = -1}; /* nobody's clock is moved */

	return result(syscall(SYS_clock_settime, CLOCK_REALTIME, &never));
}

static int try_become(void)
{
	return result(setresuid(12345, 12345, 12345));
}

static int try_signal(void)
{
	return result(kill(victim, SIGWINCH));
}

static int try_pidfd(void)
{
	return result(syscall(SYS_pidfd_open, victim, 0));
}

static int try_pidfd_signal(void)
{
	int fd = (int)syscall(SYS_pidfd_open, victim, 0);

	return result(syscall(SYS_pidfd_send_signal, fd, SIGWINCH, NULL, 0));
}

static int try_pidfd_take(void)
{
	int fd = (int)syscall(SYS_pidfd_open, victim, 0);

	return result(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int try_write_and_run(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static int try_make_runnable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? -errno : result(mprotect(p, 4096, PROT_EXEC));
}

static int try_terminal(void)
{
	int fds[2];
	char c = 'x';

	if (pipe(fds) != 0)
		return -errno;
	/* Anything but EPERM: a pipe is no terminal. */
	return result(syscall(SYS_ioctl, fds[0], 0x5412ul /* TIOCSTI */, &c));
}

static int try_dumpable(void)
{
	return result(prctl(PR_SET_PTRACER, victim));
}

static int try_personality(void)
{
	return result(syscall(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */));
}

static const struct attempt {
	const char *name;
	int (*run)(void);
	int alone;	  /* what it gives without the box: 0, or an error of its own */
	unsigned allowed; /* profiles that may */
} attempts[] = {
	{"exec a program", try_exec, 0, 0},
	{"exec out of memory", try_exec_memory, -ENOEXEC, 0},
	{"trace a process", try_ptrace, 0, 0},
	{"read a process's memory", try_read_memory, 0, 0},
	{"open /etc/shadow", try_shadow, 0, 0},
	{"read a file outside", try_read_outside, 0, 0},
	{"out by ..", try_up_and_out, 0, 0},
	{"out by a link", try_by_link, 0, 0},
	{"make a file outside", try_write_outside, 0, 0},
	{"empty a file outside", try_truncate_outside, 0, 0},
	{"move a file outside", try_rename_out, 0, 0},
	{"link a file inside", try_hard_link, 0, 0},
	{"make a device", try_device, 0, 0},
	{"make a file setuid", try_setuid_file, 0, 0},
	{"an internet socket", try_inet, 0, DIRECTORY},
	{"a packet socket", try_raw, 0, 0},
	{"connect to a port", try_connect, 0, 0},
	{"listen on a port", try_listen, 0, 0},
	{"connect to an abstract socket", try_abstract, 0, 0},
	{"mount", try_mount, 0, 0},
	{"a user namespace", try_namespace, 0, 0},
	{"a child in a network of its own", try_clone_namespace, 0, 0},
	{"clone3", try_clone3, 0, 0},
	{"chroot", try_chroot, 0, 0},
	{"bpf", try_bpf, 0, 0},
	{"keyctl", try_keyctl, 0, 0},
	{"add_key", try_add_key, 0, 0},
	{"swap", try_swap, -ENOENT, 0},
	{"reboot", try_reboot, -EINVAL, 0},
	{"io_uring", try_uring, 0, 0},
	{"userfaultfd", try_userfaultfd, 0, 0},
	{"perf_event_open", try_perf, 0, 0},
	{"open by handle", try_by_handle, -EFAULT, 0},
	{"set the clock", try_clock, -EINVAL, 0},
	{"become somebody else", try_become, 0, 0},
	{"signal a process outside", try_signal, 0, 0},
	{"a descriptor of a process", try_pidfd, 0, DECIDE | DIRECTORY},
	{"signal through such a descriptor", try_pidfd_signal, 0, 0},
	{"take a descriptor of a process", try_pidfd_take, 0, 0},
	{"memory written and run", try_write_and_run, 0, 0},
	{"memory made runnable", try_make_runnable, 0, 0},
	{"type into a terminal", try_terminal, -ENOTTY, 0},
	{"let a process trace it", try_dumpable, -EINVAL, 0},
	{"personality", try_personality, 0, 0},
};

/* ------------------------------------------------------------------- the rest */

static struct sandbox box_of(enum sandbox_profile profile, enum sandbox_mode mode)
{
	struct sandbox box = {.profile = profile,
			      .mode = mode,
			      .read = {"/usr/share/zoneinfo"},
			      .ports = {1}};

	if (profile == SANDBOX_DECIDE)
		box.write[0] = inside;
	return box;
}

/* What it gives, in a child; -ESRCH: killed by SIGSYS. */
static int outcome(const struct attempt *a, const struct sandbox *box)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct sandbox_state state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    (box && (sandbox_enter(box, &state, &diag) != 0 || !state.calls)))
			_exit(255);
		_exit(-a->run());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -ECHILD;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? -ESRCH : -ECHILD;
	return -WEXITSTATUS(status);
}

static bool refused(int rc)
{
	return rc == -EPERM || rc == -EACCES || rc == -ENOSYS || rc == -EXDEV;
}

static bool judge(const struct attempt *a, enum sandbox_profile profile,
		  enum sandbox_mode mode)
{
	struct sandbox box = box_of(profile, mode);
	bool may = (a->allowed & (1u << profile)) != 0;
	int rc = outcome(a, &box);

	if (may ? rc == a->alone
		: refused(rc) || (mode == SANDBOX_KILL && rc == -ESRCH))
		return true;
	(void)printf("FAILED  %s: profile %d, %s: %s\n", a->name, (int)profile,
		     mode == SANDBOX_KILL ? "kill" : "refuse", strerror(-rc));
	return false;
}

static int listen_somewhere(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0escape"};
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int a = socket(AF_UNIX, SOCK_STREAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(a, (struct sockaddr *)&name, sizeof(name.sun_family) + 7) != 0 ||
	    listen(a, 64) != 0 || bind(t, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(t, 64) != 0 || getsockname(t, (struct sockaddr *)&at, &len) != 0)
		return -errno;
	abstract_port = ntohs(at.sin_port);
	return 0;
}

static int prepare(void)
{
	_cleanup_close_ int fd = -1;

	/* What is mounted and made goes with the namespaces. */
	if (mount("none", "/mnt", "tmpfs", 0, NULL) != 0)
		return -errno;
	(void)snprintf(inside, sizeof(inside), "/mnt/inside");
	(void)snprintf(outside, sizeof(outside), "/mnt/outside");
	if (mkdir(inside, 0700) != 0 || mkdir(outside, 0700) != 0)
		return -errno;
	fd = open(in(outside, "secret"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	victim = fork();
	if (victim == 0)
		for (;;)
			(void)pause();
	return victim < 0 ? -errno : listen_somewhere();
}

int main(void)
{
	static const enum sandbox_profile profiles[] = {SANDBOX_DECIDE,
							SANDBOX_DIRECTORY,
							SANDBOX_LOCAL, SANDBOX_WORK};
	unsigned passed = 0, failed = 0;
	int rc = prepare();

	if (rc != 0) {
		(void)printf("sandbox: cannot prepare: %s\n", strerror(-rc));
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const struct attempt *a = &attempts[i];

		rc = outcome(a, NULL);
		if (rc != a->alone)
			(void)printf("FAILED  %s: without the box: %s\n", a->name,
				     strerror(-rc));
		*(rc == a->alone ? &passed : &failed) += 1;
		for (size_t p = 0; p < ARRAY_SIZE(profiles); p++)
			for (int m = SANDBOX_REFUSE; m <= SANDBOX_KILL; m++)
				*(judge(a, profiles[p], (enum sandbox_mode)m)
					  ? &passed
					  : &failed) += 1;
	}
	(void)kill(victim, SIGKILL);
	(void)printf("sandbox: %zu attempts\n", ARRAY_SIZE(attempts));
	(void)printf("sandbox: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
