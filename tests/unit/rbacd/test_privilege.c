/* SPDX-License-Identifier: Apache-2.0 */
/* test_privilege.c - the drop, from root and under a service manager's filter. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rbacd/privilege.h"

#define ID    65533
#define READS 65532

/* What a unit's SystemCallFilter=~@privileged does. */
static bool refuse_ids(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresuid, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setresgid, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(code), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0 &&
	       setgroups(0, NULL) != 0;
}

static bool in_groups(size_t n)
{
	gid_t list[8];
	int have = getgroups(ARRAY_SIZE(list), list);

	return have == (int)n && (n == 0 || list[0] == READS);
}

/* In a child, since there is no way back. */
static int in_child(bool (*body)(struct diags *diag))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		_cleanup_diags_ struct diags diag = DIAGS_INIT;

		_exit(body(&diag) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool from_root(struct diags *diag)
{
	return privilege_drop(ID, ID, 0, diag) == 0 && getuid() == ID && in_groups(0) &&
	       privilege_drop(ID, ID, 0, diag) == 0;
}

static bool with_group(struct diags *diag)
{
	return privilege_drop(ID, ID, READS, diag) == 0 && getgid() == ID &&
	       in_groups(1);
}

static bool under_filter(struct diags *diag)
{
	return setgroups(0, NULL) == 0 && setresgid(ID, ID, ID) == 0 &&
	       setresuid(ID, ID, ID) == 0 && refuse_ids() &&
	       privilege_drop(ID, ID, 0, diag) == 0;
}

static bool another(struct diags *diag)
{
	return setresgid(ID, ID, ID) == 0 && setresuid(ID, ID, ID) == 0 &&
	       privilege_drop(ID - 1, ID - 1, 0, diag) < 0 && diags_failed(diag);
}

static bool half(struct diags *diag)
{
	return setresuid(ID, ID, 0) == 0 && /* the saved one is root's */
	       privilege_drop(ID, ID, 0, diag) != 0;
}

static bool to_root(struct diags *diag)
{
	return privilege_drop(0, ID, 0, diag) < 0 && privilege_drop(ID, 0, 0, diag) < 0;
}

static void test_drop(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(from_root), 0);
	assert_int_equal(in_child(with_group), 0);
	assert_int_equal(in_child(under_filter), 0);
	assert_int_equal(in_child(another), 0);
	assert_int_equal(in_child(half), 0);
	assert_int_equal(in_child(to_root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_drop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
