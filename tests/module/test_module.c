/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_module.c - what the module answers: results, conversations, lying daemons. Names
 * carry the requirement ids. Usage: test_module PAM_VMSEC_SO PAM_STAGE_SO, as root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "tests/module/host.h"

static struct daemon d;

static const char stack[] = "auth required %M timeout=2 first_factor=stack\n"
			    "account required %M timeout=2\n"
			    "session optional %M\n";

static int setup(void **state)
{
	(void)state;
	daemon_start(&d);
	host_conf(&d, "other", "");
	host_conf(&d, "sshd", stack);
	host_conf(&d, "login", stack);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"other", "sshd", "login", "x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		host_conf_drop(&d, names[i]);
	daemon_stop(&d);
	return 0;
}

static const struct daemon_script judge_one = {.judge = true,
					       .n_prompts = 1,
					       .give_handle = true};

/* One entry point on a fresh handle. */
static int run_op(const char *service, struct host *host, enum wire_op op, int flags)
{
	pam_handle_t *pamh = host_start(&d, service, "alice", host);
	int r = op == WIRE_OP_AUTH ? pam_authenticate(pamh, flags)
				   : pam_acct_mgmt(pamh, flags);

	assert_int_equal(pam_end(pamh, r), PAM_SUCCESS);
	return r;
}

static const enum wire_op both[] = {WIRE_OP_AUTH, WIRE_OP_ACCOUNT};

/* Auth then account on one handle: the handle travels, once; VMSEC_ID is set. */
static void test_P1_auth_then_account(void **state)
{
	struct host host = {.answer = " 123-456"};
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", &host);
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &judge_one);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.begin.op, WIRE_OP_AUTH);
	assert_string_equal(seen.begin.user, "alice");
	assert_string_equal(seen.begin.service, "sshd");
	assert_false(seen.begin.has_handle);
	assert_int_equal(seen.begin.flags,
			 WIRE_FLAG_FIRST_FACTOR | WIRE_FLAG_CAN_PROMPT);
	assert_int_equal(seen.n_answers, 1);
	assert_int_equal(seen.answers[0].kind, WIRE_ANSWER_CODE);
	assert_memory_equal(seen.answers[0].text.bytes, "123456", 6);
	assert_string_equal(pam_getenv(pamh, "VMSEC_ID"), "T-1");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pam_acct_mgmt(pamh, PAM_SILENT), PAM_SUCCESS);
		seen = daemon_seen_get(&d);
		assert_int_equal(seen.begin.op, WIRE_OP_ACCOUNT);
		assert_int_equal(seen.begin.has_handle, i == 0);
		if (i == 0)
			assert_memory_equal(seen.begin.handle, daemon_handle, 16);
		assert_true(seen.begin.flags & WIRE_FLAG_SILENT);
	}
	assert_int_equal(host.n_prompts, 3);
	assert_false(host.many);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

/* A refused second attempt takes back what the first one left. */
static void test_P4_failed_retry_drops_handle(void **state)
{
	struct host host = {.answer = "123456"};
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", &host);

	(void)state;
	daemon_script_set(&d, &judge_one);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	host.answer = "654321";
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	(void)pam_acct_mgmt(pamh, 0);
	assert_false(daemon_seen_get(&d).begin.has_handle);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

/* P5, P16, P22, P25: whatever a conversation does, and even if rbacd then said ALLOW.
 */
static void test_P5_conversation_abuse(void **state)
{
	static const struct {
		enum conv_mode mode;
		const char *answer;
		enum wire_answer_kind kind;
		int rc_auth;
		int rc_account;
	} rows[] = {
		{CONV_NONE, NULL, WIRE_ANSWER_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{CONV_ERR, NULL, WIRE_ANSWER_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{CONV_BUF, NULL, WIRE_ANSWER_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{CONV_AGAIN, NULL, WIRE_ANSWER_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{CONV_NO_RESP, NULL, WIRE_ANSWER_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{CONV_NULL_TEXT, NULL, WIRE_ANSWER_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{CONV_HUGE, NULL, WIRE_ANSWER_BLIND, PAM_AUTH_ERR, PAM_PERM_DENIED},
		{CONV_GOOD, "", WIRE_ANSWER_EMPTY, PAM_AUTH_ERR, PAM_PERM_DENIED},
		{CONV_GOOD, " - ", WIRE_ANSWER_EMPTY, PAM_AUTH_ERR, PAM_PERM_DENIED},
		{CONV_GOOD, "\b\n\r\177INCORRECT", WIRE_ANSWER_BLIND, PAM_AUTH_ERR,
		 PAM_PERM_DENIED},
		{CONV_GOOD, "my password", WIRE_ANSWER_BLIND, PAM_AUTH_ERR,
		 PAM_PERM_DENIED},
		{CONV_GOOD, "12345", WIRE_ANSWER_BLIND, PAM_AUTH_ERR, PAM_PERM_DENIED},
		{CONV_GOOD, "\xff\xfe%n%s", WIRE_ANSWER_BLIND, PAM_AUTH_ERR,
		 PAM_PERM_DENIED},
		{CONV_GOOD, "654321", WIRE_ANSWER_CODE, PAM_AUTH_ERR, PAM_PERM_DENIED},
	};
	struct daemon_script evil = {.n_prompts = 1, .result = WIRE_RESULT_ALLOW};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < 2; k++) {
			int flags = i % 2 ? PAM_DISALLOW_NULL_AUTHTOK : 0;
			struct host host = {.mode = rows[i].mode,
					    .answer = rows[i].answer};
			struct daemon_seen seen;
			int r;

			daemon_script_set(&d, &judge_one);
			r = run_op("sshd", &host, both[k], flags);
			assert_int_equal(r,
					 k == 0 ? rows[i].rc_auth : rows[i].rc_account);
			seen = daemon_seen_get(&d);
			assert_int_equal(seen.n_answers, 1);
			assert_int_equal(seen.answers[0].kind, rows[i].kind);
			if (rows[i].kind != WIRE_ANSWER_CODE)
				assert_int_equal(seen.answers[0].text.len, 0);
			assert_int_equal(seen.n_allowed, 0);
			daemon_script_set(&d, &evil);
			r = run_op("sshd", &host, both[k], flags);
			if (rows[i].kind != WIRE_ANSWER_CODE)
				assert_int_equal(r, PAM_AUTHINFO_UNAVAIL);
		}
}

/* P22: sshd's password method. The password looks like a code, and still never leaves.
 */
static void test_P22_answer_equals_password(void **state)
{
	struct host host = {.answer = "123456"};
	struct daemon_seen seen;

	(void)state;
	host_conf(&d, "x",
		  "auth required %S authtok=123456\nauth required %M timeout=1\n");
	daemon_script_set(&d, &judge_one);
	assert_int_equal(run_op("x", &host, WIRE_OP_AUTH, 0), PAM_AUTH_ERR);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.answers[0].kind, WIRE_ANSWER_BLIND);
	assert_int_equal(seen.answers[0].text.len, 0);
	host_conf(&d, "x",
		  "auth required %S authtok=123457\nauth required %M timeout=1\n");
	assert_int_equal(run_op("x", &host, WIRE_OP_AUTH, 0), PAM_SUCCESS);
}

/* I5, I10, P6: no lie, slip or silence of the other side ends in success. */
static void test_I10_lying_daemon(void **state)
{
	struct host host = {.answer = "123456"};
	struct daemon_script s = judge_one;

	(void)state;
	daemon_script_set(&d, &s);
	assert_int_equal(run_op("sshd", &host, WIRE_OP_AUTH, 0), PAM_SUCCESS);
	for (int f = DAEMON_CLOSES; f <= DAEMON_NEAR_ALLOW; f++)
		for (size_t k = 0; k < 4; k++) {
			s.fault = (enum daemon_fault)f;
			s.n_prompts = k / 2 ? 1 : 0;
			if (s.n_prompts == 0 &&
			    (f == DAEMON_PROMPT_NONCE || f == DAEMON_PROMPT_TURN))
				continue;
			daemon_script_set(&d, &s);
			assert_int_equal(run_op("sshd", &host, both[k % 2], 0),
					 PAM_AUTHINFO_UNAVAIL);
			/* Cut off before anything was said, it tries again: once. */
			assert_int_equal(daemon_seen_get(&d).n_connections,
					 f == DAEMON_CLOSES ? 2 : 1);
		}
}

static void test_P6_result_table(void **state)
{
	static const struct {
		enum wire_result result;
		int auth;
		int account;
	} rows[] = {
		{WIRE_RESULT_NONE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
		{WIRE_RESULT_AUTH_FAILED, PAM_AUTH_ERR, PAM_PERM_DENIED},
		{WIRE_RESULT_LOCKED, PAM_MAXTRIES, PAM_PERM_DENIED},
		{WIRE_RESULT_FORBIDDEN, PAM_PERM_DENIED, PAM_PERM_DENIED},
		{WIRE_RESULT_UNAVAILABLE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
		{WIRE_RESULT_NEW_PASSWORD, PAM_AUTH_ERR, PAM_NEW_AUTHTOK_REQD},
		{WIRE_RESULT_CONV_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
		{WIRE_RESULT_NOTED, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
		{(enum wire_result)8, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
		{(enum wire_result)0xffffffff, PAM_AUTHINFO_UNAVAIL,
		 PAM_AUTHINFO_UNAVAIL},
		{WIRE_RESULT_ALLOW, PAM_SUCCESS, PAM_SUCCESS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct daemon_script s = {.result = rows[i].result};
		struct host host = {0};

		daemon_script_set(&d, &s);
		assert_int_equal(run_op("sshd", &host, WIRE_OP_AUTH, 0), rows[i].auth);
		assert_int_equal(run_op("sshd", &host, WIRE_OP_ACCOUNT, 0),
				 rows[i].account);
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t v = (uint32_t)WIRE_RESULT_ALLOW ^ 1u << bit;
		struct daemon_script s = {.result = (enum wire_result)v};
		struct host host = {0};

		daemon_script_set(&d, &s);
		assert_int_not_equal(run_op("sshd", &host, WIRE_OP_ACCOUNT, 0),
				     PAM_SUCCESS);
	}
}

static void test_P7_user_renamed_between(void **state)
{
	struct host host = {.answer = "123456"};
	pam_handle_t *pamh;

	(void)state;
	host_conf(&d, "x",
		  "auth required %M timeout=1\nauth required %S user=root\n"
		  "account required %M timeout=1\n");
	daemon_script_set(&d, &judge_one);
	pamh = host_start(&d, "x", "alice", &host);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
	assert_int_equal(daemon_seen_get(&d).n_connections, 1); /* refused here */
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

static void test_P8_messages(void **state)
{
	struct daemon_script s = {.judge = true,
				  .n_infos = 2,
				  .n_prompts = 2,
				  .text = "bye"};
	struct host host = {.answer = "123456"};
	struct host quiet = {.answer = "123456"};
	struct host flood = {.answer = "123456"};

	(void)state;
	daemon_script_set(&d, &s);
	assert_int_equal(run_op("sshd", &host, WIRE_OP_AUTH, 0), PAM_SUCCESS);
	assert_int_equal(host.n_texts, 3);
	assert_int_equal(host.n_prompts, 2);
	assert_string_equal(host.last_text, "bye");
	assert_int_equal(run_op("sshd", &quiet, WIRE_OP_AUTH, PAM_SILENT), PAM_SUCCESS);
	assert_int_equal(quiet.n_texts, 0);
	assert_int_equal(quiet.n_prompts, 2);
	s.n_infos = 3;
	daemon_script_set(&d, &s);
	assert_int_equal(run_op("sshd", &flood, WIRE_OP_AUTH, 0), PAM_AUTHINFO_UNAVAIL);
	assert_true(flood.n_calls <= 4);
	assert_false(host.many || quiet.many || flood.many);
}

/* A terminal gets no control sequences, whoever put them into a text. */
static void test_P8_text_is_cleaned(void **state)
{
	struct daemon_script s = {.judge = true,
				  .text = "a\033[31mb\r\xc2\x9b"
					  "c\n\xe2\x80\xaex\xff\xc0\xafy\xed\xa0\x80z "
					  "\xe2\x96\x88\xc3\xa4"};
	struct host host = {0};

	(void)state;
	daemon_script_set(&d, &s);
	assert_int_equal(run_op("sshd", &host, WIRE_OP_ACCOUNT, 0), PAM_SUCCESS);
	assert_string_equal(host.last_text, "a[31mbc\nx???y???z \xe2\x96\x88\xc3\xa4");
}

static void test_P15_options_and_flags(void **state)
{
	static const char *const bad[] = {
		"debug",	   "nullok",	"first_factor=stak", "first_factor",
		"timeout=0",	   "timeout=6", "timeout=10",	     "timeout=",
		"enrol=qr",	   "enrol=",	"timeout=1s",	     "timeout=-1",
		"socket=relative", "socket=",	"alwaysok",	     "Timeout=1",
		"use_first_pass",  "a\x01%n'b",
	};
	struct host host = {.answer = "123456"};
	char conf[256];

	(void)state;
	daemon_script_set(&d, &judge_one);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(conf, sizeof(conf),
			       "auth required %%M %s\naccount required %%M %s\n",
			       bad[i], bad[i]);
		host_conf(&d, "x", conf);
		assert_int_equal(run_op("x", &host, WIRE_OP_AUTH, 0), PAM_SYSTEM_ERR);
		assert_int_equal(run_op("x", &host, WIRE_OP_ACCOUNT, 0),
				 PAM_SYSTEM_ERR);
	}
	assert_int_equal(daemon_seen_get(&d).n_connections, 0);
	for (int bit = 0; bit < 31; bit++) {
		int flag = 1 << bit;
		int want = flag == PAM_SILENT || flag == PAM_DISALLOW_NULL_AUTHTOK
				   ? PAM_SUCCESS
				   : PAM_SYSTEM_ERR;

		/* libpam keeps these two for itself */
		if (flag == 0x4000 || flag == 0x2000)
			continue;
		assert_int_equal(run_op("sshd", &host, WIRE_OP_ACCOUNT, flag), want);
	}
}

/* P24: no user, no tty, no remote, no conversation. */
static void test_P24_nothing_known(void **state)
{
	struct host host = {.mode = CONV_NONE};
	struct daemon_script s = {.judge = true};
	pam_handle_t *pamh = host_start(&d, "sshd", NULL, &host);
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &s);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS); /* rbacd's to refuse */
	seen = daemon_seen_get(&d);
	assert_string_equal(seen.begin.user, "");
	assert_int_equal(seen.begin.flags, 0);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_CONV_ERR);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

static void test_P14_hostile_names(void **state)
{
	static const char *const names[] = {
		"%n%n%s",
		"a\nb",
		"\033[2J",
		"root\xe2\x80\xae",
		"-rf",
		"a b,c;d:e=f#\"'\\",
		"\b\n\r\177INCORRECT",
		"\xff\xfe",
		"../../etc",
	};
	struct host host = {.answer = "123456"};
	char name[400];
	pam_handle_t *pamh;

	(void)state;
	daemon_script_set(&d, &judge_one);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		pamh = host_start(&d, "sshd", names[i], &host);
		assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
		assert_string_equal(daemon_seen_get(&d).begin.user, names[i]); /* raw */
		assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	}
	memset(name, 'u', sizeof(name));
	name[sizeof(name) - 1] = 0;
	pamh = host_start(&d, "sshd", name, &host);
	assert_int_equal(pam_set_item(pamh, PAM_RUSER, name), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, name), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_TTY, name), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(strlen(daemon_seen_get(&d).begin.user), WIRE_NAME_MAX);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

/* P10, I6: of the PAM environment only sshd's two variables; long ones by whole lines.
 */
static void test_P10_ssh_facts(void **state)
{
	struct host host = {.answer = "123456"};
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", &host);
	static char var[4096];
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &judge_one);
	assert_int_equal(pam_putenv(pamh, "SSH_CONNECTION=192.0.2.7 1 192.0.2.1 22"),
			 0);
	assert_int_equal(pam_putenv(pamh, "SSH_AUTH_INFO_0=publickey ssh-rsa AAAA\n"),
			 0);
	assert_int_equal(setenv("SSH_CONNECTION", "203.0.113.1 1 203.0.113.2 22", 1),
			 0);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_string_equal(seen.begin.ssh_connection, "192.0.2.7 1 192.0.2.1 22");
	assert_string_equal(seen.begin.ssh_auth_info, "publickey ssh-rsa AAAA\n");
	memset(var, 'A', sizeof(var));
	memcpy(var, "SSH_AUTH_INFO_0=publickey ssh-rsa ", 34);
	memcpy(var + 3000, "\npassword\nx", 11);
	var[sizeof(var) - 1] = 0;
	assert_int_equal(pam_putenv(pamh, var), 0);
	memcpy(var, "SSH_CONNECTION=", 15);
	assert_int_equal(pam_putenv(pamh, var), 0);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_string_equal(seen.begin.ssh_connection, ""); /* never half an address */
	assert_memory_equal(seen.begin.ssh_auth_info, "publickey\npassword\nxAAA", 23);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	(void)unsetenv("SSH_CONNECTION");
}

/* P3: session and credentials neither grant nor deny; the rescue sign is right. */
static void test_P3_session_and_credentials(void **state)
{
	struct host host = {.answer = "123456"};
	struct daemon_script s = {.result = WIRE_RESULT_FORBIDDEN};
	pam_handle_t *pamh = host_start(&d, "login", "root", &host);
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &s);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.begin.op, WIRE_OP_OPEN);
	assert_int_equal(seen.begin.flags, WIRE_FLAG_SILENT | WIRE_FLAG_RESCUE);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.begin.op, WIRE_OP_CLOSE);
	assert_int_equal(seen.begin.flags & WIRE_FLAG_RESCUE, 0);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_int_equal(daemon_seen_get(&d).n_connections,
			 2); /* setcred asks nobody */
	daemon_script_set(&d, &judge_one);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_USER, "target"),
			 PAM_SUCCESS); /* sudo */
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_string_equal(seen.begin.user, "target");
	assert_string_equal(seen.begin.vmsec_id, "T-1");
	assert_int_equal(seen.begin.flags & WIRE_FLAG_RESCUE, 0);
	assert_int_equal(pam_putenv(pamh, "VMSEC_ID=../../etc/passwd"), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	host_conf(&d, "x", "session required %M nonsense\n");
	pamh = host_start(&d, "x", "bob", &host);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

/*
 * The first auth line of the shipped sshd stack: a completed key, and only that, steps
 * over the password.
 */
static void test_dist_sshd_first_factor(void **state)
{
	static const struct {
		const char *info;
		int want;
	} rows[] = {
		{"publickey ssh-ed25519 AAAA\n", PAM_SUCCESS},
		{"publickey ssh-ed25519 AAAA\npassword\n", PAM_SUCCESS},
		{"", PAM_AUTH_ERR},
		{NULL, PAM_AUTH_ERR},
		{"publickeyx AAAA", PAM_AUTH_ERR},
		{"keyboard-interactive/pam", PAM_AUTH_ERR},
		{"; exit 0; publickey ", PAM_AUTH_ERR},
		{"$(exit 0)", PAM_AUTH_ERR},
		{"x\npublickey ssh-ed25519 AAAA\n", PAM_AUTH_ERR},
	};
	_cleanup_fclose_ FILE *f = fopen("pam_vmsec/dist/sshd", "re");
	struct host host = {.answer = "123456"};
	char line[512] = "";
	char conf[1024];
	char var[256];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && memcmp(line, "auth", 4) != 0)
		;
	assert_non_null(strstr(line, "pam_exec.so"));
	(void)snprintf(conf, sizeof(conf),
		       "%sauth requisite pam_deny.so\nauth requisite %%M\n", line);
	host_conf(&d, "x", conf);
	daemon_script_set(&d, &judge_one);
	(void)setenv("SSH_AUTH_INFO_0", "publickey of the host's environment", 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pam_handle_t *pamh = host_start(&d, "x", "alice", &host);

		(void)snprintf(var, sizeof(var), "SSH_AUTH_INFO_0=%s",
			       rows[i].info ? rows[i].info : "");
		if (rows[i].info)
			assert_int_equal(pam_putenv(pamh, var), PAM_SUCCESS);
		assert_int_equal(pam_authenticate(pamh, 0), rows[i].want);
		assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	}
	(void)unsetenv("SSH_AUTH_INFO_0");
}

/* I3, E3: no socket, or a folder that is not root's alone. */
static void test_I3_unreachable(void **state)
{
	struct host host = {.answer = "123456"};
	pam_handle_t *pamh;

	(void)state;
	daemon_script_set(&d, &judge_one);
	assert_int_equal(chmod(d.dir, 0777), 0);
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(run_op("sshd", &host, both[k], 0),
				 PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(chmod(d.dir, 0700), 0);
	assert_int_equal(daemon_seen_get(&d).n_connections, 0);
	host_conf(&d, "x",
		  "auth required %M socket=/run/vmsec-none/s\n"
		  "account required %M socket=/run/vmsec-none/s\n"
		  "session required %M socket=/run/vmsec-none/s\n");
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(run_op("x", &host, both[k], 0), PAM_AUTHINFO_UNAVAIL);
	pamh = host_start(&d, "x", "bob", &host);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

/* The person may think longer than rbacd may; the deadline moves by that time. */
static void test_P21_slow_person(void **state)
{
	struct host host = {.mode = CONV_SLOW, .answer = "123456"};
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &judge_one);
	assert_int_equal(run_op("sshd", &host, WIRE_OP_AUTH, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_true(seen.answers[0].deadline_ns >=
		    seen.begin.deadline_ns + 1500000000u);
	assert_true(seen.answers[0].deadline_ns < seen.begin.deadline_ns + 3500000000u);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_P1_auth_then_account),
		cmocka_unit_test(test_P4_failed_retry_drops_handle),
		cmocka_unit_test(test_P5_conversation_abuse),
		cmocka_unit_test(test_P22_answer_equals_password),
		cmocka_unit_test(test_I10_lying_daemon),
		cmocka_unit_test(test_P6_result_table),
		cmocka_unit_test(test_P7_user_renamed_between),
		cmocka_unit_test(test_P8_messages),
		cmocka_unit_test(test_P8_text_is_cleaned),
		cmocka_unit_test(test_P15_options_and_flags),
		cmocka_unit_test(test_P24_nothing_known),
		cmocka_unit_test(test_P14_hostile_names),
		cmocka_unit_test(test_P10_ssh_facts),
		cmocka_unit_test(test_P3_session_and_credentials),
		cmocka_unit_test(test_dist_sshd_first_factor),
		cmocka_unit_test(test_I3_unreachable),
		cmocka_unit_test(test_P21_slow_person),
	};

	if (argc != 3 && argc != 4)
		return 2;
	if (argc == 4)
		cmocka_set_test_filter(argv[3]);
	host_module = argv[1];
	host_stage = argv[2];
	return cmocka_run_group_tests(tests, setup, teardown);
}
