/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_combined.c - password and code in one answer: what is asked, what leaves the
 * process, and that a split alone opens nothing. Usage: as test_module.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/module/host.h"

#define SPLIT  "auth requisite %M timeout=2 combined=split digits=6\n"
#define PW     "auth requisite %S want=secret\n"
#define VERIFY "auth requisite %M timeout=2 combined=verify first_factor=stack\n"
#define ACCT   "account requisite %M timeout=2\n"

static struct daemon d;

static const struct daemon_script judge_one = {.judge = true,
					       .n_prompts = 1,
					       .give_handle = true};

static int setup(void **state)
{
	(void)state;
	daemon_start(&d);
	host_conf(&d, "other", "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_conf_drop(&d, "other");
	host_conf_drop(&d, "x");
	daemon_stop(&d);
	return 0;
}

/* Auth and, when that said yes, account; on one handle. */
static int log_in(struct host *host, int *ret_account)
{
	pam_handle_t *pamh = host_start(&d, "x", "alice", host);
	int r = pam_authenticate(pamh, 0);

	if (ret_account)
		*ret_account = pam_acct_mgmt(pamh, 0);
	assert_int_equal(pam_end(pamh, r), PAM_SUCCESS);
	return r;
}

static void test_answers(void **state)
{
	static const struct {
		const char *typed;
		int want;
		unsigned n_connections;
		enum wire_answer_kind kind;
		const char *code;
	} rows[] = {
		{"secret123456", PAM_SUCCESS, 1, WIRE_ANSWER_CODE, "123456"},
		{"secret654321", PAM_AUTH_ERR, 1, WIRE_ANSWER_CODE, "654321"},
		/* a wrong password: the code is not looked at */
		{"Secret123456", PAM_AUTH_ERR, 0, 0, NULL},
		{"secret 123456", PAM_AUTH_ERR, 0, 0, NULL},
		{"secret1234567", PAM_AUTH_ERR, 0, 0, NULL},
		{"secret12345a", PAM_AUTH_ERR, 0, 0, NULL},
		{"secret-123-456", PAM_AUTH_ERR, 0, 0, NULL},
		/* a code alone is no password */
		{"123456", PAM_AUTH_ERR, 0, 0, NULL},
		{"", PAM_AUTH_ERR, 0, 0, NULL},
		/* a password alone */
		{"secret", PAM_AUTH_ERR, 1, WIRE_ANSWER_EMPTY, ""},
		{"\b\n\r\177INCORRECT", PAM_AUTH_ERR, 0, 0, NULL},
	};

	(void)state;
	host_conf(&d, "x", SPLIT PW VERIFY ACCT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host = {.answer = rows[i].typed};
		struct daemon_seen seen;
		int r;

		daemon_script_set(&d, &judge_one);
		r = log_in(&host, NULL);
		seen = daemon_seen_get(&d);
		if (r != rows[i].want || seen.n_connections != rows[i].n_connections)
			fail_msg("row %zu: %d after %u connections", i, r,
				 seen.n_connections);
		assert_int_equal(host.n_prompts, 1);
		assert_false(host.echoes & 1);
		if (!rows[i].code)
			continue;
		assert_int_equal(seen.answers[0].kind, rows[i].kind);
		assert_int_equal(seen.answers[0].text.len, strlen(rows[i].code));
		assert_memory_equal(seen.answers[0].text.bytes, rows[i].code,
				    strlen(rows[i].code));
		/* proven, and there is nobody for a second question */
		assert_int_equal(seen.begin.flags, WIRE_FLAG_FIRST_FACTOR);
	}
}

static void test_eight_digits(void **state)
{
	struct host host = {.answer = "secret12345678"};

	(void)state;
	host_conf(&d, "x",
		  "auth requisite %M timeout=2 combined=split digits=8\n" PW VERIFY);
	daemon_script_set(&d, &judge_one);
	assert_int_equal(log_in(&host, NULL), PAM_AUTH_ERR);
	assert_memory_equal(daemon_seen_get(&d).answers[0].text.bytes, "12345678", 8);
}

/* P4, P6: an answer that was split is no proof of anything. */
static void test_P6_split_alone(void **state)
{
	static const struct {
		const char *stack, *typed;
		int auth, account;
		unsigned n_connections;
	} rows[] = {
		{SPLIT ACCT, "secret123456", PAM_SUCCESS, PAM_PERM_DENIED, 0},
		{SPLIT PW ACCT, "secret123456", PAM_SUCCESS, PAM_PERM_DENIED, 0},
		{SPLIT PW ACCT, "secret", PAM_SUCCESS, PAM_PERM_DENIED, 0},
		{PW VERIFY ACCT, "123456", PAM_AUTHTOK_RECOVERY_ERR, PAM_SUCCESS, 1},
		{VERIFY ACCT, "123456", PAM_AUTH_ERR, PAM_SUCCESS, 1},
		{SPLIT PW VERIFY ACCT, "secret654321", PAM_AUTH_ERR, PAM_PERM_DENIED,
		 1},
		{SPLIT PW VERIFY ACCT, "secret123456", PAM_SUCCESS, PAM_SUCCESS, 2},
		/* the code is good once */
		{SPLIT PW VERIFY VERIFY ACCT, "secret123456", PAM_AUTH_ERR, PAM_SUCCESS,
		 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host = {.answer = rows[i].typed};
		int account;
		int r;

		host_conf(&d, "x", rows[i].stack);
		daemon_script_set(&d, &judge_one);
		host.answers[1] = "123456"; /* where account asks */
		r = log_in(&host, &account);
		if (r != rows[i].auth ||
		    daemon_seen_get(&d).n_connections != rows[i].n_connections ||
		    (account == PAM_SUCCESS) != (rows[i].account == PAM_SUCCESS))
			fail_msg("row %zu: %d, %d after %u connections", i, r, account,
				 daemon_seen_get(&d).n_connections);
	}
}

/* A second try on one handle begins anew. */
static void test_again(void **state)
{
	struct host host = {.answers = {"secret654321", "secret123456", "123456"}};
	pam_handle_t *pamh;

	(void)state;
	host_conf(&d, "x", SPLIT PW VERIFY ACCT);
	daemon_script_set(&d, &judge_one);
	pamh = host_start(&d, "x", "alice", &host);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

/* There is nobody for another question; what rbacd says after one is no success. */
static void test_P5_one_question(void **state)
{
	static const struct {
		enum wire_style styles[2];
		unsigned n_prompts;
		int want;
	} rows[] = {
		{{0}, 0, PAM_SUCCESS},
		{{WIRE_STYLE_HIDDEN}, 1, PAM_SUCCESS},
		{{WIRE_STYLE_OPTIONAL}, 1, PAM_SUCCESS},
		{{WIRE_STYLE_PAGE}, 1, PAM_AUTHINFO_UNAVAIL},
		{{WIRE_STYLE_HIDDEN, WIRE_STYLE_HIDDEN}, 2, PAM_AUTHINFO_UNAVAIL},
		{{WIRE_STYLE_HIDDEN, WIRE_STYLE_PAGE}, 2, PAM_AUTHINFO_UNAVAIL},
	};

	(void)state;
	host_conf(&d, "x", SPLIT PW VERIFY);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct daemon_script s = {.n_prompts = rows[i].n_prompts,
					  .result = WIRE_RESULT_ALLOW};
		struct host host = {.answer = "secret123456"};

		memcpy(s.styles, rows[i].styles, sizeof(rows[i].styles));
		daemon_script_set(&d, &s);
		assert_int_equal(log_in(&host, NULL), rows[i].want);
		assert_int_equal(host.n_prompts, 1);
	}
}

static void test_P5_conversation_fails(void **state)
{
	static const struct {
		enum conv_mode mode;
		int want;
	} rows[] = {{CONV_NONE, PAM_CONV_ERR},	  {CONV_ERR, PAM_CONV_ERR},
		    {CONV_BUF, PAM_CONV_ERR},	  {CONV_AGAIN, PAM_CONV_ERR},
		    {CONV_NO_RESP, PAM_CONV_ERR}, {CONV_NULL_TEXT, PAM_CONV_ERR},
		    {CONV_HUGE, PAM_AUTH_ERR}};

	(void)state;
	host_conf(&d, "x", SPLIT PW VERIFY ACCT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host host = {.mode = rows[i].mode};

		daemon_script_set(&d, &judge_one);
		assert_int_equal(log_in(&host, NULL), rows[i].want);
		assert_int_equal(daemon_seen_get(&d).n_connections, 0);
	}
}

static void test_P15_options(void **state)
{
	static const char *const bad[] = {
		"auth requisite %M combined=split\n",
		"auth requisite %M digits=6\n",
		"auth requisite %M combined=split digits=7\n",
		"auth requisite %M combined=split digits=\n",
		"auth requisite %M combined=verify digits=6\n",
		"auth requisite %M combined=both digits=6\n",
		"auth requisite %M combined=\n",
	};
	struct host host = {.answer = "secret123456"};
	pam_handle_t *pamh;

	(void)state;
	daemon_script_set(&d, &judge_one);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		host_conf(&d, "x", bad[i]);
		assert_int_equal(log_in(&host, NULL), PAM_SYSTEM_ERR);
	}
	host_conf(&d, "x", "account required %M combined=verify\n");
	pamh = host_start(&d, "x", "alice", &host);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SYSTEM_ERR);
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
	assert_int_equal(host.n_prompts, 0);
	assert_int_equal(daemon_seen_get(&d).n_connections, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_eight_digits),
		cmocka_unit_test(test_P6_split_alone),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_P5_one_question),
		cmocka_unit_test(test_P5_conversation_fails),
		cmocka_unit_test(test_P15_options),
	};

	if (argc != 3)
		return 2;
	host_module = argv[1];
	host_stage = argv[2];
	return cmocka_run_group_tests(tests, setup, teardown);
}
