/* SPDX-License-Identifier: Apache-2.0 */
/* test_record.c - audit records read back: JSON, damage, sentences. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "rbacd/ctl/record.h"

static const char line[] =
	"{\"v\":1,\"seq\":42,\"prev\":\"00\",\"ts\":\"2026-11-21T01:50:44.123456Z\","
	"\"ev\":\"account\",\"outcome\":\"failure\",\"reason\":\"no_grant\","
	"\"user\":\"al\\u00efce\\u001b[31m\",\"unknown_user\":{\"hash\":\"a}b\","
	"\"len\":3},"
	"\"svc\":\"sshd\",\"src\":\"10.0.0.1\",\"vm\":\"db01\",\"priv\":\"ssh\","
	"\"dec\":\"deny\",\"path\":\"dba: mfa_stale\",\"fails\":-1}";

static void test_parse(void **state)
{
	struct record rec;

	(void)state;
	assert_int_equal(record_parse(line, strlen(line), &rec), 0);
	assert_string_equal(record_get(&rec, "seq"), "42");
	assert_string_equal(record_get(&rec, "user"), "al\xc3\xaf"
						      "ce\033[31m");
	assert_string_equal(record_get(&rec, "unknown_user"),
			    "{\"hash\":\"a}b\",\"len\":3}");
	assert_string_equal(record_get(&rec, "fails"), "-1");
	assert_null(record_get(&rec, "target"));
}

static void test_damage(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"a\":}",
		"{\"a\":1,}",
		"{\"a\":1} x",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\n\"}",
		"{\"a\":{\"b\":1}",
		"{\"a\":[[[[[[[[[1]]]]]]]]]}",
		"{\"a\" 1}",
		"{a:1}",
	};
	struct record rec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(record_parse(bad[i], strlen(bad[i]), &rec), -EINVAL);
	for (size_t cut = 0; cut < strlen(line); cut++)
		assert_int_equal(record_parse(line, cut, &rec), -EINVAL);
}

/* Every single changed byte is read or refused, never out of bounds (sanitizers watch).
 */
static void test_flips(void **state)
{
	struct record rec;
	char copy[sizeof(line)];

	(void)state;
	for (size_t i = 0; i < strlen(line); i++)
		for (unsigned b = 0; b < 256; b++) {
			int r;

			memcpy(copy, line, sizeof(line));
			copy[i] = (char)b;
			r = record_parse(copy, strlen(line), &rec);
			assert_true(r == 0 || r == -EINVAL);
		}
}

static char *explain(const char *text)
{
	struct record rec;
	char *out_text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&out_text, &n);

	assert_non_null(out);
	assert_int_equal(record_parse(text, strlen(text), &rec), 0);
	record_explain(&rec, out);
	assert_int_equal(fclose(out), 0);
	return out_text;
}

static void test_sentences(void **state)
{
	char *text = explain(line);

	(void)state;
	assert_string_equal(text, "On 2026-11-21T01:50:44Z al\xc3\xaf"
				  "ce\\x1b[31m was refused ssh on db01 from "
				  "10.0.0.1 (account, service sshd, record 42).\n"
				  "Reason: no_grant - No grant of the policy gives "
				  "this privilege on this VM.\n"
				  "Near misses: dba: mfa_stale\n"
				  "Wrong codes in a row: -1\n");
	free(text);
	text = explain(
		"{\"seq\":7,\"ts\":\"2026-11-21T01:50:44.1Z\",\"ev\":\"admin.bypass\","
		"\"outcome\":\"success\",\"user\":\"bob\",\"actor\":\"uid:0\","
		"\"op\":\"bypass\",\"reason_text\":\"lost phone\"}");
	assert_non_null(strstr(text, "admin.bypass, about bob: success"));
	assert_non_null(strstr(text, "Asked by: uid:0\nWhy: lost phone\n"));
	free(text);
	text = explain(
		"{\"seq\":7,\"dec\":\"allow\",\"user\":\"bob\",\"rule\":\"dba-prod\","
		"\"path\":\"db-admins -> dba\"}");
	assert_non_null(strstr(text, "bob was allowed"));
	assert_non_null(strstr(text, "Path: db-admins -> dba\n"));
	free(text);
}

/* A line that somebody wrote into the database himself. */
static void test_hostile(void **state)
{
	char *text = explain("{\"ts\":\"\\u001b[2J2026\",\"ev\":\"\\u009b1m\","
			     "\"seq\":1,\"reason\":\"\\u001b\"}");

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\xc2\x9b"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	cmocka_unit_test(test_damage),
		cmocka_unit_test(test_flips),	cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
