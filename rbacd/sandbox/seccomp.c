/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.c - the list of system calls, by libseccomp.
 *
 * A name that this kernel or architecture does not have is left out. What is not named
 * is refused: exec, ptrace, mount, bpf, keyctl, modules, other ids, new namespaces and
 * memory that is both written and run, among others. clone3 hides its flags behind a
 * pointer, so it does not exist here; libc falls back to clone.
 */

#include "rbacd/sandbox/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define NAMESPACES                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

/* Computing, time, waiting, and the descriptors that are there. */
static const char *const base[] = {
	"brk", "munmap", "mremap", "madvise", "read", "readv", "pread64", "write",
	"writev", "pwrite64", "lseek", "_llseek", "close", "close_range", "dup", "dup2",
	"dup3", "fcntl", "fcntl64", "fstat", "fstat64", "newfstatat", "fstatat64",
	"stat", "stat64", "lstat", "lstat64", "statx", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "getcwd", "open", "openat",
	"getdents64", "fadvise64", "statfs", "statfs64", "fstatfs", "fstatfs64", "poll",
	"ppoll", "ppoll_time64", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2", "pipe2", "pipe", "clock_gettime",
	"clock_gettime64", "clock_getres", "gettimeofday", "time", "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64", "timerfd_create",
	"timerfd_settime", "timer_create", "timer_settime", "timer_gettime",
	"timer_delete", "pause", "alarm", "setitimer", "getrandom", "futex",
	"futex_time64", "sched_yield", "sched_getaffinity", "sysinfo", "uname",
	"getrusage", "times", "prlimit64", "getrlimit", "ugetrlimit", "setrlimit",
	"umask", "getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid",
	"geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getgroups",
	"getgroups32", "getresuid", "getresuid32", "getresgid", "getresgid32",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
	"sigaltstack", "restart_syscall", "tgkill", "exit", "exit_group",
	"set_robust_list", "set_tid_address", "rseq",
	/* A child closes itself in further; both only take away. */
	"seccomp", "landlock_create_ruleset", "landlock_add_rule",
	"landlock_restrict_self"};

/* Sockets of the families that seccomp_install() names. */
static const char *const sockets[] = {"connect",	 "accept",	"accept4",
				      "sendto",		 "sendmsg",	"sendmmsg",
				      "recvfrom",	 "recvmsg",	"recvmmsg",
				      "recvmmsg_time64", "shutdown",	"getsockopt",
				      "setsockopt",	 "getsockname", "getpeername",
				      "memfd_create",	 "ftruncate",	"ftruncate64"};

/* A database and a log in folders of one's own. */
static const char *const files[] = {"mkdir",	 "mkdirat",	    "unlink",
				    "unlinkat",	 "rmdir",	    "rename",
				    "renameat",	 "renameat2",	    "fsync",
				    "fdatasync", "sync_file_range", "fallocate",
				    "fchmod",	 "fchown",	    "fchown32",
				    "flock"};

/* The clock is only asked: setting it takes a capability that is gone. */
static const char *const clocks[] = {"adjtimex", "clock_adjtime", "clock_adjtime64"};

static const char *const children[] = {"fork",	  "vfork", "wait4",	 "waitid",
				       "waitpid", "kill",  "pidfd_open", "setpriority"};

/* NSS modules and TLS. */
static const char *const network[] = {"bind", "flock", "sched_getparam",
				      "sched_getscheduler", "get_mempolicy"};

struct filter {
	scmp_filter_ctx ctx;
	int rc; /* the first error */
};

static void allow_names(struct filter *f, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n && f->rc == 0; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		if (nr >= 0)
			f->rc = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, nr, 0);
	}
}

#define ALLOW(f, names) allow_names(f, names, ARRAY_SIZE(names))

/* @nr, when @value is what argument @arg has under @mask. */
static void allow_when(struct filter *f, int nr, unsigned arg, uint64_t mask,
		       uint64_t value)
{
	if (f->rc == 0 && nr >= 0)
		f->rc = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, nr, 1,
					 SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask,
						  value));
}

/* Sockets of another family cannot be made, alone or in pairs. */
static void allow_family(struct filter *f, int family)
{
	allow_when(f, SCMP_SYS(socket), 0, UINT32_MAX, (uint64_t)family);
	allow_when(f, SCMP_SYS(socketpair), 0, UINT32_MAX, (uint64_t)family);
}

/* No memory that is written and run; none at all that is run, unless a library may
 * still be loaded. */
static void allow_memory(struct filter *f, bool libraries)
{
	static const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		allow_when(f, maps[i], 2, PROT_EXEC, 0);
		if (libraries)
			allow_when(f, maps[i], 2, PROT_EXEC | PROT_WRITE, PROT_EXEC);
	}
	allow_when(f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
}

static void allow_values(struct filter *f)
{
	static const int options[] = {PR_SET_PDEATHSIG, PR_SET_NAME,
				      PR_GET_NAME,	PR_SET_DUMPABLE,
				      PR_GET_DUMPABLE,	PR_SET_NO_NEW_PRIVS,
				      PR_SET_SECCOMP};
	static const unsigned requests[] = {TCGETS, FIONREAD, FIONBIO};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		allow_when(f, SCMP_SYS(prctl), 0, UINT32_MAX, (uint64_t)options[i]);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		allow_when(f, SCMP_SYS(ioctl), 1, UINT32_MAX, requests[i]);
}

static void allow_children(struct filter *f)
{
	ALLOW(f, children);
	allow_when(f, SCMP_SYS(clone), 0, (uint64_t)NAMESPACES, 0);
}

static void allow_profile(struct filter *f, enum sandbox_profile profile)
{
	bool net = profile == SANDBOX_DIRECTORY;

	ALLOW(f, base);
	allow_values(f);
	allow_memory(f, net);
	if (profile == SANDBOX_WORK)
		return;
	ALLOW(f, sockets);
	ALLOW(f, clocks);
	allow_family(f, AF_UNIX);
	if (profile == SANDBOX_DECIDE)
		ALLOW(f, files);
	if (profile == SANDBOX_DECIDE || net)
		allow_children(f);
	if (!net)
		return;
	ALLOW(f, network);
	allow_family(f, AF_INET);
	allow_family(f, AF_INET6);
	allow_family(f, AF_NETLINK);
}

static void set_attributes(struct filter *f, enum sandbox_mode mode)
{
	int clone3 = seccomp_syscall_resolve_name("clone3");

	f->rc = seccomp_attr_set(f->ctx, SCMP_FLTATR_ACT_BADARCH,
				 SCMP_ACT_KILL_PROCESS);
	/* A tree instead of a chain: a call near the end of the list costs no more. */
	(void)seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* since 2.5 */
	if (mode == SANDBOX_REFUSE)
		(void)seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_LOG, 1); /* if it can */
	if (f->rc == 0 && clone3 >= 0)
		f->rc = seccomp_rule_add(f->ctx, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
}

int seccomp_install(enum sandbox_profile profile, enum sandbox_mode mode)
{
	struct filter f = {.ctx = seccomp_init(mode == SANDBOX_REFUSE
						       ? SCMP_ACT_ERRNO(EPERM)
						       : SCMP_ACT_KILL_PROCESS)};

	if (!f.ctx)
		return -ENOMEM;
	set_attributes(&f, mode);
	allow_profile(&f, profile);
	if (f.rc == 0)
		f.rc = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	return f.rc == 0 ? 1 : f.rc;
}
