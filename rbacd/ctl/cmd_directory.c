/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_directory.c - directory status, accept, reject; and test, which rbacd-dir does.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/targets.h"

#define TARGETS_FD 3

/* Facts of rbacd-dir come as text; people read a time as everywhere, JSON keeps it. */
static void show_time(struct out_set *set, const char *name)
{
	struct out_row *row = set->first ? set->first->first : NULL;

	for (size_t i = 0; row && i < row->n; i++) {
		struct out_cell *c = &row->cells[i];

		if (!str_eq(c->name, name) || !c->text)
			continue;
		c->i = strtoll(c->text, NULL, 10); /* what is no number is no time: 0 */
		free(STEAL(c->text));
		c->kind = WIRE_CELL_TIME;
	}
}

int cmd_directory_status(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	(void)args;
	ctl_call_init(&call, "directory");
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "groups");
		return answer.code;
	}
	show_time(&answer.set, "last_change");
	out_print_record(out_find(&answer.set, "directory"), ctl->out);
	if (out_find(&answer.set, "groups"))
		(void)fputc('\n', ctl->out);
	out_print_table(out_find(&answer.set, "groups"), ctl->out);
	ctl_show_message(ctl, &answer);
	return answer.code;
}

static int give_order(struct ctl *ctl, const struct ctl_args *args, const char *what)
{
	struct wire_call call;

	ctl_call_init(&call, "directory");
	ctl_call_add(&call, "do", what);
	ctl_call_add(&call, "why", ctl_arg(args, "why"));
	return ctl_call_told(ctl, &call);
}

int cmd_directory_accept(struct ctl *ctl, const struct ctl_args *args)
{
	return give_order(ctl, args, "accept");
}

int cmd_directory_reject(struct ctl *ctl, const struct ctl_args *args)
{
	return give_order(ctl, args, "reject");
}

/* ---------------------------------------------------------------------- test */

/* rbacd-dir beside this program, or in ../sbin: where `make install` puts it. */
static int find_program(char *ret, size_t cap)
{
	static const char *const places[] = {"rbacd-dir", "../sbin/rbacd-dir"};
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *end;

	if (n <= 0)
		return -ENOENT;
	self[n] = '\0';
	end = strrchr(self, '/');
	if (!end)
		return -ENOENT;
	end[1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (snprintf(ret, cap, "%s%s", self, places[i]) < (int)cap &&
		    access(ret, X_OK) == 0)
			return 0;
	return -ENOENT;
}

static int load_targets(struct ctl *ctl, int *ret_fd)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	const struct policy_host host = {.name = ctl->config->vm,
					 .labels = ctl->config->labels,
					 .n_labels = ctl->config->n_labels};
	int r = policy_load(ctl->config->policy, &host, &policy, &diag);

	if (r != 0) {
		diags_print(&diag, ctl->err);
		return ctl_fail(ctl, CTL_NO, "the policy cannot be used");
	}
	r = targets_build(policy, NULL, true, ret_fd);
	return r == 0 ? 0 : ctl_fail(ctl, CTL_NO, "out of memory");
}

/* The child becomes rbacd-dir; libldap is never in this program. */
_Noreturn static void run_test(const char *program, const char *config, int targets)
{
	char *const argv[] = {(char *)(uintptr_t)program, /* execv() does not write */
			      (char *)(uintptr_t) "--test",
			      (char *)(uintptr_t) "--config",
			      (char *)(uintptr_t)config,
			      (char *)(uintptr_t) "--targets",
			      (char *)(uintptr_t) "3",
			      NULL};

	if (dup2(targets, TARGETS_FD) == TARGETS_FD &&
	    (targets != TARGETS_FD || fcntl(TARGETS_FD, F_SETFD, 0) == 0))
		(void)execv(program, argv); /* returns only when it failed */
	_exit(127);
}

int cmd_directory_test(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_close_ int targets = -1;
	char program[600];
	int status = 0;
	pid_t pid;

	(void)args;
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	if (ctl->config->source != CONFIG_SOURCE_LDAP)
		return ctl_fail(ctl, CTL_NO, "directory: source is %s, not ldap",
				config_source_name(ctl->config->source));
	if (find_program(program, sizeof(program)) != 0)
		return ctl_fail(ctl, CTL_NO, "rbacd-dir is not beside this program");
	if (load_targets(ctl, &targets) != 0)
		return CTL_NO;
	(void)fflush(ctl->out); /* the child writes to the same place */
	pid = fork();
	if (pid == 0)
		run_test(program, ctl->config_path, targets);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return ctl_fail(ctl, CTL_NO, "rbacd-dir cannot be started: %m");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CTL_OK : CTL_NO;
}
