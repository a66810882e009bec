/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_converse.c - conversations of more than one question: what may be followed by
 * ALLOW, and what never leaves the process. Usage: as test_module.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/module/host.h"

static struct daemon d;

static int setup(void **state)
{
	(void)state;
	daemon_start(&d);
	host_conf(&d, "other", "");
	host_conf(&d, "sshd",
		  "auth required %M timeout=2 first_factor=stack\n"
		  "account required %M timeout=2\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_conf_drop(&d, "other");
	host_conf_drop(&d, "sshd");
	daemon_stop(&d);
	return 0;
}

static int authenticate(struct host *host)
{
	pam_handle_t *pamh = host_start(&d, "sshd", "alice", host);
	int r = pam_authenticate(pamh, 0);

	assert_int_equal(pam_end(pamh, r), PAM_SUCCESS);
	return r;
}

#define H WIRE_STYLE_HIDDEN
#define O WIRE_STYLE_OPTIONAL
#define P WIRE_STYLE_PAGE

/* rbacd says ALLOW whatever happens; success needs a code, or an emptiness that was
 * asked for. */
static void test_P5_what_allow_may_follow(void **state)
{
	static const struct {
		enum wire_style styles[4];
		const char *answers[4];
		bool cancels;
		int want;
		enum wire_answer_kind last;
	} rows[] = {
		{{H}, {"123456"}, false, PAM_SUCCESS, WIRE_ANSWER_CODE},
		{{H}, {""}, false, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_EMPTY},
		{{O}, {""}, false, PAM_SUCCESS, WIRE_ANSWER_EMPTY},
		{{O}, {" - "}, false, PAM_SUCCESS, WIRE_ANSWER_EMPTY},
		{{O}, {"123456"}, false, PAM_SUCCESS, WIRE_ANSWER_CODE},
		{{O}, {"password"}, false, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_BLIND},
		{{O}, {"x"}, true, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_FAILED},
		/* a page answers nothing */
		{{P}, {""}, false, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_EMPTY},
		{{P}, {"123456"}, false, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_EMPTY},
		{{H, P}, {"123456", ""}, false, PAM_SUCCESS, WIRE_ANSWER_EMPTY},
		{{H, P}, {"123456", "ok"}, false, PAM_SUCCESS, WIRE_ANSWER_EMPTY},
		{{H, P},
		 {"password", ""},
		 false,
		 PAM_AUTHINFO_UNAVAIL,
		 WIRE_ANSWER_EMPTY},
		{{H, P}, {"", ""}, false, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_EMPTY},
		{{H, P},
		 {"123456", "x"},
		 true,
		 PAM_AUTHINFO_UNAVAIL,
		 WIRE_ANSWER_FAILED},
		{{P, H}, {"", "123456"}, false, PAM_SUCCESS, WIRE_ANSWER_CODE},
		/* the last question counts */
		{{H, H},
		 {"123456", "text"},
		 false,
		 PAM_AUTHINFO_UNAVAIL,
		 WIRE_ANSWER_BLIND},
		{{H, H}, {"text", "123456"}, false, PAM_SUCCESS, WIRE_ANSWER_CODE},
		{{O, H}, {"", ""}, false, PAM_AUTHINFO_UNAVAIL, WIRE_ANSWER_EMPTY},
		{{H, H, H, P},
		 {"text", "000000", "123456", ""},
		 false,
		 PAM_SUCCESS,
		 WIRE_ANSWER_EMPTY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct daemon_script s = {.result = WIRE_RESULT_ALLOW};
		struct host host = {.cancels = rows[i].cancels};
		struct daemon_seen seen;
		int r;

		for (; s.n_prompts < 4 && rows[i].styles[s.n_prompts]; s.n_prompts++) {
			s.styles[s.n_prompts] = rows[i].styles[s.n_prompts];
			host.answers[s.n_prompts] = rows[i].answers[s.n_prompts];
		}
		daemon_script_set(&d, &s);
		r = authenticate(&host);
		seen = daemon_seen_get(&d);
		if (r != rows[i].want || seen.n_answers != s.n_prompts)
			fail_msg("row %zu: %d, %u answers", i, r, seen.n_answers);
		assert_int_equal(seen.answers[s.n_prompts - 1].kind, rows[i].last);
		for (unsigned k = 0; k < s.n_prompts; k++) {
			bool page = s.styles[k] == P;

			assert_int_equal(host.echoes >> k & 1, page);
			if (page)
				assert_int_equal(seen.answers[k].text.len, 0);
		}
	}
}

/* What is typed at a page does not leave the process, be it a code or a password. */
static void test_P22_page_sends_nothing(void **state)
{
	static const char *const typed[] = {"123456", "AAAA-AAAA-AAAA-AAAA", "secret"};
	struct daemon_script s = {.n_prompts = 2,
				  .styles = {H, P},
				  .result = WIRE_RESULT_ALLOW};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		struct host host = {.answers = {"123456", typed[i]}};
		struct daemon_seen seen;

		daemon_script_set(&d, &s);
		assert_int_equal(authenticate(&host), PAM_SUCCESS);
		seen = daemon_seen_get(&d);
		assert_int_equal(seen.answers[1].kind, WIRE_ANSWER_EMPTY);
		assert_int_equal(seen.answers[1].text.len, 0);
	}
}

/* Each way a conversation can fail, at each of its questions. */
static void test_P5_every_question_fails(void **state)
{
	static const enum conv_mode modes[] = {CONV_ERR, CONV_BUF, CONV_AGAIN,
					       CONV_NO_RESP, CONV_NULL_TEXT};
	struct daemon_script s = {.n_prompts = 1, .result = WIRE_RESULT_ALLOW};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		for (size_t k = 0; k < 3; k++) {
			static const enum wire_style styles[] = {H, O, P};
			struct host host = {.mode = modes[i]};

			s.styles[0] = styles[k];
			daemon_script_set(&d, &s);
			assert_int_equal(authenticate(&host), PAM_AUTHINFO_UNAVAIL);
			assert_int_equal(daemon_seen_get(&d).answers[0].kind,
					 WIRE_ANSWER_FAILED);
		}
}

/* An answer is given once: a rbacd that goes away after it is not asked again. */
static void test_I10_lost_after_answer(void **state)
{
	struct daemon_script s = {.n_prompts = 1, .fault = DAEMON_DIES};
	struct host host = {.answer = "123456"};

	(void)state;
	daemon_script_set(&d, &s);
	assert_int_equal(authenticate(&host), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(host.n_prompts, 1);
	assert_int_equal(daemon_seen_get(&d).n_connections, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_P5_what_allow_may_follow),
		cmocka_unit_test(test_P22_page_sends_nothing),
		cmocka_unit_test(test_P5_every_question_fails),
		cmocka_unit_test(test_I10_lost_after_answer),
	};

	if (argc != 3)
		return 2;
	host_module = argv[1];
	host_stage = argv[2];
	return cmocka_run_group_tests(tests, setup, teardown);
}
