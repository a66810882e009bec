/* SPDX-License-Identifier: Apache-2.0 */
/* test_code.c - the grammar at the code prompt (O14, P22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/wire/code.h"

static void test_grammar(void **state)
{
	static const struct {
		const char *text;
		enum wire_answer_kind want;
		const char *norm;
	} rows[] = {
		{"123456", WIRE_ANSWER_CODE, "123456"},
		{" 123 456 ", WIRE_ANSWER_CODE, "123456"},
		{"12-34-56-78", WIRE_ANSWER_CODE, "12345678"},
		{"000000", WIRE_ANSWER_CODE, "000000"},
		{"", WIRE_ANSWER_EMPTY, NULL},
		{" - -", WIRE_ANSWER_EMPTY, NULL},
		{"12345", WIRE_ANSWER_BLIND, NULL},
		{"1234567", WIRE_ANSWER_BLIND, NULL},
		{"123456789", WIRE_ANSWER_BLIND, NULL},
		{"12345a", WIRE_ANSWER_BLIND, NULL},
		{"+12345", WIRE_ANSWER_BLIND, NULL},
		{"123456\n", WIRE_ANSWER_BLIND, NULL},
		{"\t123456", WIRE_ANSWER_BLIND, NULL},
		{"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc"
		 "\x96",
		 WIRE_ANSWER_BLIND, NULL}, /* full-width digits */
		{"\b\n\r\177INCORRECT", WIRE_ANSWER_BLIND, NULL},
		{"correct horse battery", WIRE_ANSWER_BLIND, NULL},
		{"AAAA-AAAA-AAAA-AAAA", WIRE_ANSWER_RECOVERY, "AAAAAAAAAAAAAAAA"},
		{"aaaa aaaa aaaa aaaa", WIRE_ANSWER_RECOVERY, "AAAAAAAAAAAAAAAA"},
		{"AAAA-AAAA-AAAA-AAAB", WIRE_ANSWER_BLIND, NULL},
		{"AAAA-AAAA-AAAA-AAA1", WIRE_ANSWER_BLIND, NULL},
		{"AAAA-AAAA-AAAA-AAA", WIRE_ANSWER_BLIND, NULL},
		{"AAAA-AAAA-AAAA-AAAAA", WIRE_ANSWER_BLIND, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct secret s = {.len = 4, .bytes = "keep"};

		assert_int_equal(code_classify(rows[i].text, strlen(rows[i].text), &s),
				 rows[i].want);
		if (!rows[i].norm) {
			assert_int_equal(s.len, 4);
			assert_memory_equal(s.bytes, "keep", 4);
			continue;
		}
		assert_int_equal(s.len, strlen(rows[i].norm));
		assert_memory_equal(s.bytes, rows[i].norm, s.len);
	}
}

static void test_lengths(void **state)
{
	static char long_text[SECRET_MAX + 2];
	struct secret s;

	(void)state;
	memset(long_text, ' ', sizeof(long_text));
	memcpy(long_text, "123456", 6);
	assert_int_equal(code_classify(long_text, SECRET_MAX, &s), WIRE_ANSWER_CODE);
	assert_int_equal(code_classify(long_text, SECRET_MAX + 1, &s),
			 WIRE_ANSWER_BLIND);
	assert_int_equal(code_classify("123456\0x", 7, &s), WIRE_ANSWER_BLIND);
}

/* Luhn mod 32: every single wrong character is caught, so is nearly every exchange. */
static void test_check_char(void **state)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 500; round++) {
		char code[17] = {0};
		struct secret s;

		for (int i = 0; i < 15; i++) {
			x = x * 1664525 + 1013904223;
			code[i] = abc[x >> 27];
		}
		code[15] = code_check_char(code);
		assert_int_equal(code_classify(code, 16, &s), WIRE_ANSWER_RECOVERY);
		for (int i = 0; i < 16; i++) {
			char was = code[i];

			for (int k = 0; k < 32; k++) {
				if (abc[k] == was)
					continue;
				code[i] = abc[k];
				assert_int_equal(code_classify(code, 16, &s),
						 WIRE_ANSWER_BLIND);
			}
			code[i] = was;
		}
	}
	assert_int_equal(code_check_char("AAAAAAA1AAAAAAA"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_check_char),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
