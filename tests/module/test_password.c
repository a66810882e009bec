/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_password.c - chauthtok: tries, tokens of other modules, hostile conversations
 * and daemons. Usage: test_password PAM_VMSEC_SO PAM_STAGE_SO, as root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "tests/module/host.h"

static struct daemon d;

static const char stack[] = "password required %M timeout=2\n"
			    "password required %S [want=" DAEMON_PASSWORD "]\n"
			    "password required %M timeout=2 confirm\n";

static int setup(void **state)
{
	(void)state;
	daemon_start(&d);
	host_conf(&d, "other", "");
	host_conf(&d, "passwd", stack);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_conf_drop(&d, "other");
	host_conf_drop(&d, "passwd");
	host_conf_drop(&d, "x");
	daemon_stop(&d);
	return 0;
}

static const struct daemon_script judge_three = {.judge = true,
						 .n_prompts = 3,
						 .give_handle = true};

static int change(const char *service, struct host *host, int flags)
{
	pam_handle_t *pamh = host_start(&d, service, "alice", host);
	int r = pam_chauthtok(pamh, flags);

	assert_int_equal(pam_end(pamh, r), PAM_SUCCESS);
	return r;
}

/* Three transactions; what follows sees the new password; the ticket comes back. */
static void test_change(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("passwd", &host, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.n_connections, 3);
	assert_int_equal(seen.begin.op, WIRE_OP_PW_CHANGED);
	assert_true(seen.begin.has_handle);
	assert_memory_equal(seen.begin.handle, daemon_handle, WIRE_HANDLE_LEN);
	assert_string_equal(seen.begin.user, "alice");
	assert_int_equal(seen.begin.flags, WIRE_FLAG_CAN_PROMPT);
	assert_int_equal(host.n_prompts, 2);
	assert_false(host.many);
}

static void test_flags(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};

	(void)state;
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("passwd", &host,
				PAM_CHANGE_EXPIRED_AUTHTOK | PAM_SILENT),
			 PAM_SUCCESS);
	assert_int_equal(daemon_seen_get(&d).begin.flags,
			 WIRE_FLAG_CAN_PROMPT | WIRE_FLAG_EXPIRED | WIRE_FLAG_SILENT);
	assert_int_equal(host.n_texts, 0);
}

/* The current password goes along where a module before us knows it. */
static void test_old(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};
	struct daemon_seen seen;

	(void)state;
	host_conf(&d, "x", "password required %S old=current\npassword required %M\n");
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("x", &host, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.n_answers, 1);
	assert_int_equal(seen.answers[0].old.len, 7);
	assert_memory_equal(seen.answers[0].old.bytes, "current", 7);
}

/* Not the same twice, too weak, nothing: each is a try, rbacd counts them. */
static void test_tries(void **state)
{
	struct host host = {.answers = {"one", "other", "weak", "weak", DAEMON_PASSWORD,
					DAEMON_PASSWORD}};
	struct host bad = {.answers = {"one", "other", "", "weak", "weak"}};
	struct daemon_seen seen;

	(void)state;
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("passwd", &host, 0), PAM_SUCCESS);
	assert_int_equal(host.n_prompts, 6);
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("passwd", &bad, 0), PAM_AUTHTOK_ERR);
	seen = daemon_seen_get(&d);
	assert_int_equal(seen.n_answers, 3);
	assert_int_equal(seen.answers[0].kind, WIRE_ANSWER_BLIND);
	assert_int_equal(seen.answers[0].text.len, 0); /* neither was sent */
	assert_int_equal(seen.answers[1].kind, WIRE_ANSWER_EMPTY);
	assert_int_equal(seen.answers[2].kind, WIRE_ANSWER_PASSWORD);
	assert_int_equal(seen.begin.op, WIRE_OP_PW_CHANGE); /* nothing to confirm */
}

static char *repeat(char c, size_t n)
{
	static char buf[1024];

	memset(buf, c, n);
	buf[n] = '\0';
	return buf;
}

/* Whatever a conversation does, and even if rbacd then said ALLOW. */
static void test_conversation_abuse(void **state)
{
	const struct {
		enum conv_mode mode;
		const char *answer;
		enum wire_answer_kind kind;
		int rc;
	} rows[] = {
		{CONV_NONE, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_ERR, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_BUF, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_AGAIN, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_NO_RESP, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_NULL_TEXT, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_HUGE, NULL, WIRE_ANSWER_FAILED, PAM_AUTHTOK_ERR},
		{CONV_GOOD, "", WIRE_ANSWER_EMPTY, PAM_AUTHTOK_ERR},
		{CONV_GOOD, repeat('x', SECRET_MAX), WIRE_ANSWER_FAILED,
		 PAM_AUTHTOK_ERR},
		/* bytes are rbacd's to judge, unchanged */
		{CONV_GOOD, "\b\n\r\177INCORRECT", WIRE_ANSWER_PASSWORD, PAM_SUCCESS},
		{CONV_GOOD, "\xff\xfe%n%s", WIRE_ANSWER_PASSWORD, PAM_SUCCESS},
		{CONV_GOOD, " 123456 ", WIRE_ANSWER_PASSWORD, PAM_SUCCESS},
	};
	struct daemon_script evil = {.n_prompts = 1,
				     .result = WIRE_RESULT_ALLOW,
				     .give_handle = true};
	struct daemon_script noted = {.result = WIRE_RESULT_NOTED};

	(void)state;
	host_conf(&d, "x", "password required %M timeout=1\n");
	daemon_script_set(&d, &noted);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host = {.mode = rows[i].mode, .answer = rows[i].answer};
		struct daemon_script s = evil;
		struct daemon_seen seen;

		s.by_op = true; /* the first pass is NOTED */
		daemon_script_set(&d, &s);
		assert_int_equal(change("x", &host, 0), rows[i].rc);
		seen = daemon_seen_get(&d);
		assert_int_equal(seen.n_answers, 1);
		assert_int_equal(seen.answers[0].kind, rows[i].kind);
		if (rows[i].kind == WIRE_ANSWER_PASSWORD) {
			assert_int_equal(seen.answers[0].text.len,
					 strlen(rows[i].answer));
			assert_memory_equal(seen.answers[0].text.bytes, rows[i].answer,
					    strlen(rows[i].answer));
		} else {
			assert_int_equal(seen.answers[0].text.len, 0);
		}
	}
}

/* The longest that PAM passes on is not cut. */
static void test_longest(void **state)
{
	struct host host = {.answer = repeat('y', SECRET_MAX - 1)};
	struct daemon_script s = {.n_prompts = 1,
				  .result = WIRE_RESULT_ALLOW,
				  .by_op = true,
				  .give_handle = true};

	(void)state;
	daemon_script_set(&d, &s);
	host_conf(&d, "x", "password required %M\n");
	assert_int_equal(change("x", &host, 0), PAM_SUCCESS);
	assert_int_equal(daemon_seen_get(&d).answers[0].text.len, SECRET_MAX - 1);
}

static void test_use_authtok(void **state)
{
	struct host host = {.answer = "never asked"};
	struct daemon_seen seen;

	(void)state;
	host_conf(&d, "x",
		  "password required %S [authtok=" DAEMON_PASSWORD "]\n"
		  "password required %M use_authtok\n");
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("x", &host, 0), PAM_SUCCESS);
	seen = daemon_seen_get(&d);
	assert_true(seen.begin.flags & WIRE_FLAG_TOKEN);
	assert_int_equal(host.n_prompts, 0);
	host_conf(&d, "x", "password required %M use_authtok\n");
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("x", &host, 0), PAM_AUTHTOK_ERR);
	assert_int_equal(daemon_seen_get(&d).begin.op, WIRE_OP_PW_CHECK);
	assert_int_equal(host.n_prompts, 0);
}

/* A refused token never reaches what follows, whatever the stack makes of our error. */
static void test_refused_token_is_dropped(void **state)
{
	struct host host = {.answer = "never asked"};

	(void)state;
	host_conf(&d, "x",
		  "password required %S authtok=weak\n"
		  "password optional %M use_authtok\n"
		  "password required %S want=weak\n");
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("x", &host, 0), PAM_AUTHTOK_RECOVERY_ERR);
	assert_int_equal(host.n_prompts, 0);
}

static void test_try_first_pass(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};

	(void)state;
	host_conf(&d, "x",
		  "password required %S authtok=weak\n"
		  "password required %M try_first_pass\n"
		  "password required %S [want=" DAEMON_PASSWORD "]\n");
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("x", &host, 0), PAM_SUCCESS);
	assert_int_equal(daemon_seen_get(&d).n_answers, 2);
	assert_int_equal(host.n_prompts, 2);
}

static void test_result_table(void **state)
{
	static const struct {
		enum wire_result result;
		int check, change;
	} rows[] = {
		{WIRE_RESULT_NONE, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR},
		{WIRE_RESULT_AUTH_FAILED, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR},
		{WIRE_RESULT_FORBIDDEN, PAM_PERM_DENIED, PAM_AUTHTOK_ERR},
		{WIRE_RESULT_UNAVAILABLE, PAM_TRY_AGAIN, PAM_AUTHTOK_ERR},
		{WIRE_RESULT_NEW_PASSWORD, PAM_AUTHTOK_ERR, PAM_AUTHTOK_ERR},
		{WIRE_RESULT_ALLOW, PAM_AUTHTOK_ERR, PAM_SUCCESS},
		{WIRE_RESULT_NOTED, PAM_SUCCESS, PAM_AUTHTOK_ERR},
	};

	(void)state;
	host_conf(&d, "x", "password required %M timeout=1\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host = {.answer = DAEMON_PASSWORD};
		struct daemon_script s = {.n_prompts = 1,
					  .give_handle = true,
					  .result = rows[i].result};

		daemon_script_set(&d, &s); /* the same to both passes */
		assert_int_equal(change("x", &host, 0), rows[i].check == PAM_SUCCESS
								? rows[i].change
								: rows[i].check);
		s.by_op = true;
		daemon_script_set(&d, &s);
		assert_int_equal(change("x", &host, 0), rows[i].change);
	}
}

/* A daemon that lies or ends: never success, and never a token left for others. */
static void test_faults(void **state)
{
	(void)state;
	host_conf(&d, "x",
		  "password optional %M timeout=1\n"
		  "password required %S [want=" DAEMON_PASSWORD "]\n");
	for (int fault = DAEMON_CLOSES; fault <= DAEMON_NEAR_ALLOW; fault++) {
		struct host host = {.answer = DAEMON_PASSWORD};
		struct daemon_script s = judge_three;

		if (fault == DAEMON_HANGS || fault == DAEMON_STALE_RESULT)
			continue; /* test_hang(); a stale one has another nonce */
		s.fault = (enum daemon_fault)fault;
		s.honest_check = true;
		daemon_script_set(&d, &s);
		assert_int_not_equal(change("x", &host, 0), PAM_SUCCESS);
	}
}

static void test_hang(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};
	struct daemon_script s = judge_three;

	(void)state;
	host_conf(&d, "x", "password required %M timeout=1\n");
	s.fault = DAEMON_HANGS;
	daemon_script_set(&d, &s);
	assert_int_equal(change("x", &host, 0), PAM_TRY_AGAIN);
	s.honest_check = true;
	daemon_script_set(&d, &s);
	assert_int_equal(change("x", &host, 0), PAM_AUTHTOK_ERR);
}

/* Without a ticket there is nothing to confirm, and nobody is asked. */
static void test_confirm_alone(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};
	struct daemon_script s = judge_three;

	(void)state;
	host_conf(&d, "x", "password required %M confirm\n");
	daemon_script_set(&d, &s);
	assert_int_equal(change("x", &host, 0), PAM_AUTHTOK_ERR);
	assert_int_equal(daemon_seen_get(&d).n_connections, 0);
	host_conf(&d, "x", "password required %M\npassword required %M confirm\n");
	s.give_handle = false;
	daemon_script_set(&d, &s);
	assert_int_not_equal(change("x", &host, 0), PAM_SUCCESS);
	assert_int_equal(daemon_seen_get(&d).begin.op, WIRE_OP_PW_CHANGE);
}

/* The module that changes it refused: the stack ends before the confirmation. */
static void test_not_changed(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};

	(void)state;
	host_conf(&d, "x",
		  "password requisite %M\npassword requisite %S answer=20\n"
		  "password required %M confirm\n");
	daemon_script_set(&d, &judge_three);
	assert_int_equal(change("x", &host, 0), PAM_AUTHTOK_ERR);
	assert_int_equal(daemon_seen_get(&d).begin.op, WIRE_OP_PW_CHANGE);
}

static void test_options(void **state)
{
	static const char *const bad[] = {"use_first_pass", "retry=3", "confirm=yes",
					  "try_first_passs", ""};
	struct host host = {.answer = DAEMON_PASSWORD};
	char text[128];
	pam_handle_t *pamh;

	(void)state;
	daemon_script_set(&d, &judge_three);
	for (size_t i = 0; *bad[i]; i++) {
		(void)snprintf(text, sizeof(text), "password required %%M %s\n",
			       bad[i]);
		host_conf(&d, "x", text);
		assert_int_equal(change("x", &host, 0), PAM_SERVICE_ERR);
	}
	host_conf(&d, "x", "auth required %M use_authtok\n");
	pamh = host_start(&d, "x", "alice", &host);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SYSTEM_ERR);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_int_equal(daemon_seen_get(&d).n_connections, 0);
}

/* A new password is asked for in a change alone, and there nothing else is. */
static void test_wrong_prompt(void **state)
{
	struct host host = {.answer = DAEMON_PASSWORD};
	struct daemon_script s = {.n_prompts = 1,
				  .result = WIRE_RESULT_ALLOW,
				  .by_op = true,
				  .give_handle = true,
				  .styles = {WIRE_STYLE_VISIBLE}};
	pam_handle_t *pamh;

	(void)state;
	host_conf(&d, "x", "password required %M timeout=1\nauth required %M\n");
	daemon_script_set(&d, &s);
	assert_int_equal(change("x", &host, 0), PAM_AUTHTOK_ERR);
	s.styles[0] = WIRE_STYLE_NEW_PASSWORD;
	daemon_script_set(&d, &s);
	pamh = host_start(&d, "x", "alice", &host);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_int_equal(host.n_prompts, 0);
}

/* ---- what is left in memory ---- */

/* Is the canary, kept here xor 0x55, anywhere in what this process may write? */
static unsigned count_in_memory(const unsigned char *masked, size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], *perms;
	unsigned n = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t from = strtoul(line, &perms, 16);
		uintptr_t to = strtoul(perms + 1, &perms, 16);

		if (perms[1] != 'r' || perms[2] != 'w' || strstr(line, "[vvar]"))
			continue;
		for (const volatile unsigned char *p = (unsigned char *)from;
		     p + len <= (unsigned char *)to; p++) {
			size_t i = 0;

			while (i < len && (p[i] ^ 0x55) == masked[i])
				i++;
			n += i == len;
		}
	}
	if (maps)
		(void)fclose(maps);
	return n;
}

/* The conversation makes the answer from the mask, so that no other copy exists. */
static unsigned char mask[24];
static unsigned n_left; /* answers before the good one */

static int masked_conv(int n, const struct pam_message **msg,
		       struct pam_response **resp, void *data)
{
	(void)n;
	(void)data;
	*resp = NULL;
	if (msg[0]->msg_style != PAM_PROMPT_ECHO_OFF)
		return PAM_SUCCESS;
	*resp = calloc(1, sizeof(**resp));
	(*resp)->resp = calloc(1, sizeof(mask) + 1);
	for (size_t i = 0; i < sizeof(mask); i++)
		((volatile char *)(*resp)->resp)[i] = (char)(mask[i] ^ 0x55);
	n_left++;
	return PAM_SUCCESS;
}

static int run_masked(int fd, int want)
{
	struct pam_conv conv = {.conv = masked_conv};
	pam_handle_t *pamh = NULL;
	int r;

	for (size_t i = 0; i < sizeof(mask); i++) {
		unsigned char c;

		if (read(fd, &c, 1) != 1)
			return 2;
		mask[i] = (unsigned char)(('!' + c % 90) ^ 0x55);
	}
	if (pam_start_confdir("x", "alice", &conv, d.dir, &pamh) != PAM_SUCCESS)
		return 3;
	r = pam_chauthtok(pamh, 0);
	(void)pam_end(pamh, r);
	if (n_left < 2 || r != want)
		return 4;
	return count_in_memory(mask, sizeof(mask)) == 0 ? 0 : 1;
}

static void canary(enum wire_result result, enum daemon_fault fault, int want)
{
	struct daemon_script s = {.n_prompts = 2,
				  .result = result,
				  .by_op = true,
				  .honest_check = true,
				  .fault = fault,
				  .give_handle = true};
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC), status = 0;
	pid_t pid;

	daemon_script_set(&d, &s);
	pid = fork(); /* the daemon's thread, and its copies, stay behind */
	if (pid == 0)
		_exit(run_masked(fd, want));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	base_closep(&fd);
}

static void test_wiped_on_every_path(void **state)
{
	volatile unsigned char plain[sizeof(mask)];

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* its shadow memory cannot be searched; module-release does it */
#endif
	for (size_t i = 0; i < sizeof(mask); i++) {
		plain[i] = (unsigned char)('A' + i);
		mask[i] = (unsigned char)(('A' + i) ^ 0x55);
	}
	assert_true(count_in_memory(mask, sizeof(mask)) >= 1); /* it would be found */
	(void)plain;
	host_conf(&d, "x", "password required %M timeout=1\n");
	canary(WIRE_RESULT_ALLOW, DAEMON_HONEST, PAM_SUCCESS);
	canary(WIRE_RESULT_FORBIDDEN, DAEMON_HONEST, PAM_AUTHTOK_ERR);
	canary(WIRE_RESULT_ALLOW, DAEMON_GARBAGE, PAM_AUTHTOK_ERR);
	canary(WIRE_RESULT_ALLOW, DAEMON_HANGS, PAM_AUTHTOK_ERR);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_conversation_abuse),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_use_authtok),
		cmocka_unit_test(test_refused_token_is_dropped),
		cmocka_unit_test(test_try_first_pass),
		cmocka_unit_test(test_result_table),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_confirm_alone),
		cmocka_unit_test(test_not_changed),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_prompt),
		cmocka_unit_test(test_wiped_on_every_path),
	};

	if (argc != 3)
		return 2;
	host_module = argv[1];
	host_stage = argv[2];
	return cmocka_run_group_tests(tests, setup, teardown);
}
