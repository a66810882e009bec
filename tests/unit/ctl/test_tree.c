/* SPDX-License-Identifier: Apache-2.0 */
/* test_tree.c - rbacctl's real command tree: parsing, messages, help, completion. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "rbacd/ctl/ctl.h"

/* The tree names its handlers; here each one only has to exist. */
#define HANDLER(name)                                                                  \
	int name(struct ctl *ctl, const struct ctl_args *args)                         \
	{                                                                              \
		(void)ctl;                                                             \
		(void)args;                                                            \
		return CTL_NO;                                                         \
	}
HANDLER(cmd_status)
HANDLER(cmd_doctor)
HANDLER(cmd_pam_preview)
HANDLER(cmd_pam_enable)
HANDLER(cmd_pam_confirm)
HANDLER(cmd_pam_revert)
HANDLER(cmd_pam_disable)
HANDLER(cmd_my_status)
HANDLER(cmd_reload)
HANDLER(cmd_enrol)
HANDLER(cmd_disable)
HANDLER(cmd_reset)
HANDLER(cmd_bypass)
HANDLER(cmd_factor_list)
HANDLER(cmd_factor_unlock)
HANDLER(cmd_factor_resync)
HANDLER(cmd_factor_remove)
HANDLER(cmd_proofs_list)
HANDLER(cmd_proofs_revoke)
HANDLER(cmd_users)
HANDLER(cmd_explain)
HANDLER(cmd_policy_check)
HANDLER(cmd_policy_print)
HANDLER(cmd_audit_tail)
HANDLER(cmd_audit_show)
HANDLER(cmd_audit_verify)
HANDLER(cmd_directory_status)
HANDLER(cmd_directory_test)
HANDLER(cmd_directory_accept)
HANDLER(cmd_directory_reject)
HANDLER(cmd_audit_proof)
HANDLER(cmd_audit_search)
HANDLER(cmd_audit_export)
HANDLER(cmd_audit_hold)
HANDLER(cmd_alerts_list)
HANDLER(cmd_alerts_ack)
HANDLER(cmd_metrics)
HANDLER(cmd_password_check)
HANDLER(cmd_blocklist_build)
HANDLER(cmd_blocklist_check)
HANDLER(cmd_blocklist_info)
HANDLER(cmd_clock_accept)
HANDLER(cmd_import_google)
HANDLER(cmd_import_pam_oath)
HANDLER(cmd_import_oath_ldap)
HANDLER(cmd_import_otpauth)
HANDLER(cmd_export)
HANDLER(cmd_key_status)
HANDLER(cmd_key_rotate)
HANDLER(cmd_audit_check_proof)
HANDLER(cmd_audit_key)
HANDLER(cmd_audit_segments)
HANDLER(cmd_backup)
HANDLER(cmd_restore)
HANDLER(cmd_report)
HANDLER(cmd_report_pack)
HANDLER(cmd_report_snapshot)
HANDLER(cmd_lock)
HANDLER(cmd_unlock)
HANDLER(cmd_locks)
HANDLER(cmd_password_expire)
HANDLER(cmd_password_status)
HANDLER(cmd_policy_reviewed)
HANDLER(cmd_who_can)
HANDLER(cmd_what_can)
HANDLER(cmd_policy_diff)
HANDLER(cmd_policy_try)
HANDLER(cmd_policy_confirm)
HANDLER(cmd_policy_graph)
HANDLER(cmd_policy_pin)
HANDLER(cmd_policy_test)
HANDLER(cmd_policy_replay)
HANDLER(cmd_policy_lint)
HANDLER(cmd_version)
HANDLER(cmd_completion)

#define WORDS_MAX 12

static int parse(const char *const words[WORDS_MAX], struct ctl_args *ret, char *err,
		 size_t cap)
{
	char *argv[WORDS_MAX + 1] = {0};
	FILE *out = fmemopen(err, cap, "w");
	int argc = 0, r;

	argv[argc++] = strdup("rbacctl");
	for (size_t i = 0; i < WORDS_MAX - 1 && words[i]; i++)
		argv[argc++] = strdup(words[i]);
	assert_non_null(out);
	r = ctl_parse(&ctl_root, argc, argv, out, ret);
	assert_int_equal(fclose(out), 0);
	/* Values are borrowed from argv: the tests compare names only after this. */
	for (size_t i = 0; i < ret->n_given; i++)
		assert_non_null(ret->given[i].value);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return r;
}

static void test_good(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *leaf;
		size_t n_pos, n_given;
	} table[] = {
		{{"status"}, "status", 0, 0},
		{{"--json", "status"}, "status", 0, 1},
		{{"status", "--json"}, "status", 0, 1},
		{{"enrol", "alice", "--digits", "8", "--text"}, "enrol", 1, 2},
		{{"enrol", "--digits=8", "--", "-odd-"}, "enrol", 1, 1},
		{{"audit", "tail", "-n", "5", "-f"}, "tail", 0, 2},
		{{"audit", "tail", "-n5"}, "tail", 0, 1},
		{{"--config", "/x", "audit", "verify"}, "verify", 0, 1},
		{{"explain", "a", "b", "su:postgres", "--from", "10.0.0.1"},
		 "explain",
		 3,
		 1},
		{{"disable"}, "disable", 0, 0},
		{{"completion", "zsh"}, "completion", 1, 0},
		{{"enrol", "--help"}, "enrol", 0, 1},
		{{"--help"}, "rbacctl", 0, 1},
		{{"audit", "-h"}, "audit", 0, 1},
	};
	struct ctl_args args;
	char err[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(parse(table[i].words, &args, err, sizeof(err)), 0);
		assert_string_equal(ctl_leaf(&args)->name, table[i].leaf);
		assert_int_equal(args.n_pos, table[i].n_pos);
		assert_int_equal(args.n_given, table[i].n_given);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *says;
	} table[] = {
		{{NULL}, "a command is missing"},
		{{"audit"}, "a command is missing"},
		{{"statsu"}, "Did you mean 'status'?"},
		{{"enroll", "alice"}, "Did you mean 'enrol'?"},
		{{"audit", "verfy"}, "Did you mean 'verify'?"},
		{{"enrol", "alice", "--digit", "6"}, "Did you mean '--digits'?"},
		{{"enrol", "alice", "--digits", "7"}, "--digits must be one of: 6 8"},
		{{"enrol", "alice", "--digits"}, "--digits needs a value"},
		{{"enrol", "alice", "--text=yes"}, "--text takes no value"},
		{{"enrol"}, "USER is missing"},
		{{"enrol", "a", "b"}, "too many arguments"},
		{{"enrol", "a", "--digits", "6", "--digits", "8"}, "given twice"},
		{{"users", "--follow"}, "unknown option"},
		{{"audit", "tail", "-x"}, "unknown option"},
		{{"audit", "tail", "-fx"}, "unknown option"},
		{{"completion", "fish"}, "expected bash|zsh"},
		{{"completion", "bas"}, "expected bash|zsh"},
		{{"status\033[2J"}, "unknown command 'status\\x1b[2J'"},
		{{"enrol", "a", "--digits="}, "must be one of"},
		{{""}, "unknown command"},
	};
	struct ctl_args args;
	char err[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(parse(table[i].words, &args, err, sizeof(err)),
				 CTL_USAGE);
		if (!strstr(err, table[i].says))
			fail_msg("case %zu says: %s", i, err);
	}
}

/* Every command has help for itself and for each of its options. */
static void check_help(struct ctl_args *args)
{
	const struct ctl_command *c = ctl_leaf(args);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	ctl_help(args, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, c->help));
	for (const struct ctl_option *o = c->options; o && o->name; o++)
		assert_non_null(strstr(text, o->help));
	assert_non_null(strstr(text, "--config FILE"));
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		if (end - line > 88)
			fail_msg("too wide: %s", line);
	free(text);
	assert_true((c->sub != NULL) != (c->run != NULL));
	for (const struct ctl_command *s = c->sub; s && s->name; s++) {
		args->path[args->depth++] = s;
		check_help(args);
		args->depth--;
	}
}

static void test_help(void **state)
{
	struct ctl_args args = {.path = {&ctl_root}, .depth = 1};

	(void)state;
	check_help(&args);
}

/* Runs @shell on a script; its standard output comes back in @buf. */
static int run_shell(const char *shell, const char *script, char *buf, size_t cap)
{
	char name[] = "/tmp/vmsec-complete-XXXXXX";
	int fd = mkstemp(name), fds[2], status;
	ssize_t n;
	size_t have = 0;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, script, strlen(script)), (ssize_t)strlen(script));
	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)close(fds[0]);
		(void)close(fds[1]);
		execlp(shell, shell, name, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], buf + have, cap - 1 - have)) > 0)
		have += (size_t)n;
	buf[have] = '\0';
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)unlink(name);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *script_with(void (*generate)(const struct ctl_command *, FILE *),
			 const char *before, const char *after)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	(void)fputs(before, out);
	generate(&ctl_root, out);
	(void)fputs(after, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static const struct {
	const char *line; /* words before the last are complete */
	const char *want, *not_want;
} completions[] = {
	{"rbacctl st", " status ", " enrol "},
	{"rbacctl ''", " audit ", " verify "},
	{"rbacctl audit ''", " verify ", " status "},
	{"rbacctl audit tail --fo", " --follow ", " --lines "},
	{"rbacctl --config /etc/x audit v", " verify ", " status "},
	{"rbacctl enrol alice --algorithm sha", " sha256 ", " --digits "},
	{"rbacctl enrol alice --a", " --algorithm ", " --digits "},
	{"rbacctl completion ''", " zsh ", " status "},
	{"rbacctl audit --j", " --json ", " --raw "},
};

static void test_bash(void **state)
{
	char buf[8192], after[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(completions); i++) {
		char *script;

		(void)snprintf(
			after, sizeof(after),
			"COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
			"_rbacctl; echo \" ${COMPREPLY[*]} \"\n",
			completions[i].line);
		script = script_with(ctl_complete_bash, "set -u\n", after);
		assert_int_equal(run_shell("bash", script, buf, sizeof(buf)), 0);
		free(script);
		if (!strstr(buf, completions[i].want) ||
		    strstr(buf, completions[i].not_want))
			fail_msg("%s: %s", completions[i].line, buf);
	}
}

static void test_zsh(void **state)
{
	char buf[8192], after[512];

	(void)state;
	if (access("/bin/zsh", X_OK) != 0 && access("/usr/bin/zsh", X_OK) != 0) {
		print_message("no zsh here: its completion is not run\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(completions); i++) {
		char *script;

		(void)snprintf(after, sizeof(after),
			       "words=(%s); CURRENT=$#words\n_rbacctl\n",
			       completions[i].line);
		script = script_with(ctl_complete_zsh,
				     "compdef() { : }\n"
				     "_files() { : }\n"
				     "compadd() { shift; echo \" $* \" }\n",
				     after);
		assert_int_equal(run_shell("zsh", script, buf, sizeof(buf)), 0);
		free(script);
		/* zsh itself filters by prefix. */
		if (!strstr(buf, completions[i].want))
			fail_msg("%s: %s", completions[i].line, buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_help), cmocka_unit_test(test_bash),
		cmocka_unit_test(test_zsh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
