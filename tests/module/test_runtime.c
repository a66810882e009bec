/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_runtime.c - what the module leaves behind and lives through: descriptors,
 * memory, signals, threads, a stopped rbacd, a system call filter. Root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "rbacd/wire/client.h"
#include "tests/module/host.h"

#ifdef __SANITIZE_ADDRESS__
#define UNDER_ASAN 1
#else
#define UNDER_ASAN 0
#endif
#define N_TRANSACTIONS (UNDER_ASAN ? 2000 : 10000)
#define N_THREADS      8
#define N_PER_THREAD   (UNDER_ASAN ? 200 : 1000)
#define N_RELOADS      1000
#define NS_PER_MS      1000000u

static struct daemon d;

static const char stack[] = "auth required %M timeout=5 first_factor=stack\n"
			    "account required %M timeout=5\n"
			    "session optional %M\n";
static const struct daemon_script judge_one = {.judge = true,
					       .n_prompts = 1,
					       .give_handle = true};

static int setup(void **state)
{
	(void)state;
	daemon_start(&d);
	host_conf(&d, "other", "");
	host_conf(&d, "sshd", stack);
	daemon_script_set(&d, &judge_one);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_conf_drop(&d, "other");
	host_conf_drop(&d, "sshd");
	host_conf_drop(&d, "stopped");
	daemon_stop(&d);
	return 0;
}

/* A whole login. Return: true when every phase said PAM_SUCCESS. */
static bool login_once(struct host *host)
{
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", host);
	bool ok = pam_authenticate(pamh, 0) == PAM_SUCCESS &&
		  pam_acct_mgmt(pamh, 0) == PAM_SUCCESS &&
		  pam_setcred(pamh, PAM_ESTABLISH_CRED) == PAM_SUCCESS &&
		  pam_open_session(pamh, 0) == PAM_SUCCESS &&
		  pam_close_session(pamh, 0) == PAM_SUCCESS;

	return pam_end(pamh, PAM_SUCCESS) == PAM_SUCCESS && ok;
}

static long resident_pages(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	long total = 0;
	long resident = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &total, &resident), 2);
	return resident;
}

static void test_P17_many_transactions(void **state)
{
	struct host host = {.answer = "123456"};
	mode_t mask = umask(0123);
	char before[4096];
	char after[4096];
	unsigned fds;
	long pages;

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	for (int i = 0; i < 500; i++)
		assert_true(login_once(&host));
	fds = host_count_fds();
	pages = resident_pages();
	for (int i = 0; i < N_TRANSACTIONS; i++)
		assert_true(login_once(&host));
	assert_int_equal(host_count_fds(), fds);
	if (!UNDER_ASAN) /* its quarantine grows by design */
		assert_true(resident_pages() - pages < 256);
	assert_non_null(getcwd(after, sizeof(after)));
	assert_string_equal(before, after);
	assert_int_equal(umask(mask), 0123);
}

static volatile sig_atomic_t n_alarms;

static void on_alarm(int sig)
{
	(void)sig;
	n_alarms++;
}

/* P13: an alarm every millisecond without SA_RESTART; dispositions stay the host's. */
static void test_P13_signal_storm(void **state)
{
	struct itimerval every_ms = {{0, 1000}, {0, 1000}};
	struct itimerval off = {0};
	struct sigaction alarm = {.sa_handler = on_alarm};
	static struct sigaction before[65];
	struct host host = {.answer = "123456"};
	sigset_t mask_before;
	sigset_t mask_after;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &alarm, NULL), 0);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_DFL);
	for (int s = 1; s < 65; s++)
		(void)sigaction(s, NULL, &before[s]); /* two are not ours to read */
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask_before), 0);
	n_alarms = 0;
	assert_int_equal(setitimer(ITIMER_REAL, &every_ms, NULL), 0);
	for (int i = 0; i < 300 || (n_alarms < 50 && i < 20000); i++)
		assert_true(login_once(&host));
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	assert_true(n_alarms >= 50);
	for (int s = 1; s < 65; s++) {
		struct sigaction now = {0};

		(void)sigaction(s, NULL, &now);
		assert_true(now.sa_handler == before[s].sa_handler &&
			    now.sa_flags == before[s].sa_flags);
	}
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask_after), 0);
	for (int s = 1; s < 65; s++)
		assert_int_equal(sigismember(&mask_before, s),
				 sigismember(&mask_after, s));
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGALRM, SIG_DFL);
}

static bool low_fd_seen;

/* Looks at descriptors 0-2 while the module's socket is open. */
static int watching_conv(int n, const struct pam_message **msg,
			 struct pam_response **resp, void *data)
{
	(void)n;
	(void)msg;
	(void)data;
	for (int fd = 0; fd < 3; fd++)
		low_fd_seen |= fcntl(fd, F_GETFD) != -1;
	for (int fd = 3; fd < 32; fd++) {
		int flags = fcntl(fd, F_GETFD);

		low_fd_seen |= flags != -1 && !(flags & FD_CLOEXEC);
	}
	*resp = calloc(1, sizeof(**resp));
	(*resp)->resp = strdup("123456");
	return PAM_SUCCESS;
}

static int closed_fds_child(void)
{
	struct pam_conv conv = {.conv = watching_conv};
	pam_handle_t *pamh = NULL;
	int r;

	if (pam_start_confdir("sshd", "alice", &conv, d.dir, &pamh) != PAM_SUCCESS)
		return 10;
	for (int fd = 0; fd < 32; fd++)
		(void)close(fd);
	r = pam_authenticate(pamh, 0);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pamh, 0);
	for (int fd = 0; fd < 32; fd++)
		low_fd_seen |= fcntl(fd, F_GETFD) != -1;
	return r != PAM_SUCCESS ? 11 : low_fd_seen ? 12 : 0;
}

static int wait_exit(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void test_P18_closed_standard_streams(void **state)
{
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(closed_fds_child());
	assert_int_equal(wait_exit(pid), 0);
}

static void *login_thread(void *arg)
{
	struct host host = {.answer = DAEMON_CODE};
	uintptr_t bad = 0;

	(void)arg;
	for (int i = 0; i < N_PER_THREAD; i++)
		bad += !login_once(&host);
	return (void *)bad;
}

static void test_P19_threads(void **state)
{
	pthread_t threads[N_THREADS];
	void *bad;

	(void)state;
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, login_thread, NULL),
				 0);
	for (size_t i = 0; i < N_THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
}

static void test_P20_reload(void **state)
{
	static const char *const names[] = {
		"pam_sm_authenticate", "pam_sm_setcred",       "pam_sm_acct_mgmt",
		"pam_sm_open_session", "pam_sm_close_session", "pam_sm_chauthtok"};
	struct host host = {.answer = "123456"};

	(void)state;
	for (int i = 0; i < N_RELOADS; i++) {
		void *so = dlopen(host_module, RTLD_NOW);

		assert_non_null(so);
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			assert_non_null(dlsym(so, names[k]));
		assert_null(dlsym(so, "wire_client_open"));
		assert_int_equal(dlclose(so), 0);
		if (i % 100 == 0)
			assert_true(login_once(&host));
	}
}

/* Everything else kills the process: what P11 allows, and what malloc and libpam need.
 */
static int install_filter(void)
{
	static const int allowed[] = {
		SYS_read,
		SYS_openat,
		SYS_newfstatat,
		SYS_close,
		SYS_fcntl,
		SYS_socket,
		SYS_connect,
		SYS_getsockopt,
		SYS_sendto,
		SYS_recvfrom,
		SYS_poll,
		SYS_getrandom,
		SYS_getuid,
		SYS_clock_gettime,
		SYS_brk,
		SYS_mmap,
		SYS_munmap,
		SYS_exit_group,
		SYS_futex,
		SYS_getpid,
		SYS_clock_nanosleep,
		SYS_madvise,
		/* libpam writes its own record to the kernel audit */
		SYS_ioctl,
		SYS_readlink,
		SYS_pselect6,
		SYS_geteuid,
	};
	struct sock_filter code[2 * ARRAY_SIZE(allowed) + 2];
	struct sock_fprog prog = {.filter = code};
	size_t n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (uint32_t)allowed[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_ALLOW);
	}
	code[n++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int filtered_child(bool with_fork)
{
	struct host host = {.answer = "123456"};
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", &host);
	int r;

	/* once unfiltered: libpam loads the modules then, which is its own business */
	if (pam_acct_mgmt(pamh, 0) != PAM_SUCCESS)
		return 10;
	if (install_filter() != 0)
		return 77;
	if (with_fork)
		(void)fork(); /* proves that the filter bites */
	r = pam_authenticate(pamh, 0);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pamh, 0);
	if (r == PAM_SUCCESS)
		r = pam_open_session(pamh, 0);
	return r == PAM_SUCCESS ? 0 : 11;
}

static void test_P11_system_calls(void **state)
{
	(void)state;
	if (UNDER_ASAN)
		return; /* the sanitizer has system calls of its own */
	for (int with_fork = 0; with_fork < 2; with_fork++) {
		pid_t pid = fork();
		int r;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(filtered_child(with_fork));
		r = wait_exit(pid);
		if (r == 77) {
			print_message("P11: skipped, no seccomp filter here\n");
			return;
		}
		assert_int_equal(r, with_fork ? 1000 + SIGSYS : 0);
	}
}

/* A server that listens, is stopped, and so never answers. */
static pid_t stopped_server(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		memcpy(sa.sun_path, path, strlen(path));
		if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		    listen(fd, 64) != 0)
			_exit(1);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void expect_within(uint64_t start_ns, unsigned least_ms, unsigned most_ms)
{
	uint64_t took_ms = (wire_now_ns() - start_ns) / NS_PER_MS;

	if (took_ms < least_ms || took_ms > most_ms)
		fail_msg("took %llu ms, not %u to %u", (unsigned long long)took_ms,
			 least_ms, most_ms);
}

static void test_P21_stopped_daemon(void **state)
{
	static const char conf[] = "auth required %s socket=%s timeout=%s\n"
				   "account required %s socket=%s timeout=%s\n"
				   "session optional %s socket=%s\n";
	struct host host = {.answer = "123456"};
	char socket_path[128];
	char text[2048];
	pam_handle_t *pamh;
	uint64_t start;
	pid_t pid;

	(void)state;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/stopped.sock", d.dir);
	pid = stopped_server(socket_path);
	(void)snprintf(text, sizeof(text), conf, host_module, socket_path, "2",
		       host_module, socket_path, "1", host_module, socket_path);
	host_conf(&d, "stopped", text);
	pamh = host_start(&d, "stopped", "alice", &host);
	start = wire_now_ns();
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTHINFO_UNAVAIL);
	expect_within(start, 1990, 3500);
	start = wire_now_ns();
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_AUTHINFO_UNAVAIL);
	expect_within(start, 990, 2500);
	start = wire_now_ns();
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	expect_within(start, 1980, 4500);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(unlink(socket_path), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_P17_many_transactions),
		cmocka_unit_test(test_P13_signal_storm),
		cmocka_unit_test(test_P18_closed_standard_streams),
		cmocka_unit_test(test_P19_threads),
		cmocka_unit_test(test_P20_reload),
		cmocka_unit_test(test_P11_system_calls),
		cmocka_unit_test(test_P21_stopped_daemon),
	};

	if (argc != 3 && argc != 4)
		return 2;
	if (argc == 4)
		cmocka_set_test_filter(argv[3]);
	host_module = argv[1];
	host_stage = argv[2];
	return cmocka_run_group_tests(tests, setup, teardown);
}
