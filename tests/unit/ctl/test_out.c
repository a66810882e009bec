/* SPDX-License-Identifier: Apache-2.0 */
/* test_out.c - hostile text in tables, JSON and CSV; alignment; times. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "rbacd/ctl/out.h"
#include "rbacd/ctl/text.h"

typedef void (*text_fn)(const char *p, size_t len, FILE *out);

static void as_terminal(const char *p, size_t len, FILE *out)
{
	(void)text_print(p, len, out);
}

static void check(text_fn fn, const char *in, size_t len, const char *want)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	fn(in, len, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
	free(text);
}

static void test_terminal(void **state)
{
	(void)state;
	check(as_terminal, "plain", 5, "plain");
	check(as_terminal, "\033[31m", 5, "\\x1b[31m");
	check(as_terminal, "a\r\nb\x7f", 5, "a\\x0d\\x0ab\\x7f");
	check(as_terminal, "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f");
	check(as_terminal,
	      "\xc2\x9b"
	      "1m",
	      4, "\\u{9b}1m");				    /* a C1 control */
	check(as_terminal, "\xe2\x80\xae", 3, "\\u{202e}"); /* right to left override */
	check(as_terminal, "\xff\xfe", 2, "\\xff\\xfe");
	check(as_terminal, "\xc0\xaf", 2, "\\xc0\\xaf");	  /* overlong */
	check(as_terminal, "\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
	check(as_terminal, "\xe2\x82", 2, "\\xe2\\x82");	  /* cut */
}

static void test_json_text(void **state)
{
	(void)state;
	check(text_json, "a\"b\\c", 5, "\"a\\\"b\\\\c\"");
	check(text_json, "\n\t\0", 3, "\"\\u000a\\u0009\\u0000\"");
	check(text_json, "\xe2\x80\xa8", 3, "\"\\u2028\"");
	check(text_json, "\xff", 1, "\"\\ufffd\"");
	check(text_json, "\xf3\xa0\x80\x81", 4,
	      "\"\\udb40\\udc01\""); /* a tag character */
	check(text_json, "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"");
}

static void test_csv_text(void **state)
{
	static const char start[] = "=+-@";

	(void)state;
	for (size_t i = 0; start[i]; i++) {
		char in[] = {start[i], '1', '\0'};
		char want[] = {'"', '\'', start[i], '1', '"', '\0'};

		check(text_csv, in, 2, want);
	}
	check(text_csv, "a=1", 3, "\"a=1\"");
	check(text_csv, "say \"x\", y", 10, "\"say \"\"x\"\", y\"");
	check(text_csv, "", 0, "\"\"");
	check(text_csv, "\t=1", 3, "\"\\x09=1\"");
	check(text_csv, "a\x1b[2J\"\n", 7, "\"a\\x1b[2J\"\"\\x0a\"");
	check(text_csv, "\xff\xe2\x80\xae", 4, "\"\\xff\\u{202e}\"");
}

/* Two names that differ in one of these alone look the same. */
static void test_invisible(void **state)
{
	static const uint32_t hidden[] = {0xad,	  0x34f,   0x61c,   0x115f, 0x1160,
					  0x17b4, 0x180b,  0x180e,  0x200b, 0x2060,
					  0x2800, 0x3164,  0xfe0f,  0xffa0, 0xfff0,
					  0xfeff, 0x1bca0, 0x1d173, 0xe0001};
	static const uint32_t seen[] = {'a', '~', 0xa0, 0xe9, 0x3042, 0xac00, 0x1f600};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		assert_true(text_unsafe(hidden[i]));
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_false(text_unsafe(seen[i]));
	check(text_json, "\xf0\x9d\x85\xb3", 4, "\"\\ud834\\udd73\"");
	check(text_json, "root\xe3\x85\xa4", 7, "\"root\\u3164\"");
}

static void test_time(void **state)
{
	static const char *const never[] = {"2026-02-29",  "2026-02-30T10:00",
					    "2026-04-31",  "2026-11-21T10:00:60",
					    "2026-13-01",  "2026-11-21T24:00",
					    "1000000000d", "999999999999s"};
	char buf[TEXT_TIME_MAX];
	int64_t v = -1;

	(void)state;
	assert_string_equal(text_time(1795233600, buf), "2026-11-21T04:00:00Z");
	assert_string_equal(text_time(INT64_MAX, buf), "9223372036854775807");
	assert_int_equal(text_parse_time("2026-11-21", 0, &v), 0);
	assert_int_equal(v, 1795219200);
	assert_int_equal(text_parse_time("2026-11-21T04:00", 0, &v), 0);
	assert_int_equal(v, 1795233600);
	assert_int_equal(text_parse_time("2h", 10000, &v), 0);
	assert_int_equal(v, 2800);
	assert_int_equal(text_parse_time("2028-02-29", 0, &v), 0);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		v = -1;
		assert_int_equal(text_parse_time(never[i], 0, &v), -EINVAL);
	}
	assert_int_equal(text_parse_duration("1d", &v), 0);
	assert_int_equal(v, 86400);
	v = 7;
	assert_int_equal(text_parse_duration("-1h", &v), -EINVAL);
	assert_int_equal(text_parse_duration("1w", &v), -EINVAL);
	assert_int_equal(text_parse_duration("99999999999999999999", &v), -EINVAL);
	assert_int_equal(text_parse_time("2026-11-21 x", 0, &v), -EINVAL);
	assert_int_equal(text_parse_time("", 0, &v), -EINVAL);
	assert_int_equal(v, 7);
}

static void fill(struct out_set *set)
{
	static const char *const logins[] = {"al", "b\033]0;x", "=cmd"};

	for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
		struct out_row *row = out_add_row(set, "users");

		assert_non_null(row);
		assert_int_equal(out_add_text(row, "login", logins[i],
					      strlen(logins[i])),
				 0);
		assert_int_equal(out_add_number(row, "enrolled", WIRE_CELL_BOOL,
						i == 0),
				 0);
		assert_int_equal(out_add_number(row, "last", WIRE_CELL_TIME, 0), 0);
		assert_int_equal(out_add_number(row, "n", WIRE_CELL_INT, -1), 0);
	}
}

static char *render(const struct out_set *set, const char *how)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	const struct out_table *t = out_find(set, "users");

	assert_non_null(out);
	if (str_eq(how, "csv"))
		out_print_csv(t, out);
	else if (str_eq(how, "json"))
		out_json_set(set, "users empty", out);
	else
		out_print_table(t, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* A record's values stand in one column, also beside a name longer than most. */
static void test_record(void **state)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	struct out_row *row = out_add_row(&set, "one");
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_non_null(row);
	assert_non_null(out);
	assert_int_equal(out_add_number(row, "age", WIRE_CELL_INT, 7), 0);
	assert_int_equal(out_add_number(row, "incomplete_groups", WIRE_CELL_INT, 1), 0);
	out_print_record(out_find(&set, "one"), out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "  age               7\n"
				  "  incomplete_groups 1\n");
	free(text);
}

static void test_tables(void **state)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	char *text;

	(void)state;
	fill(&set);
	text = render(&set, "text");
	assert_string_equal(text, "login      enrolled  last  n\n"
				  "al         yes       -     -1\n"
				  "b\\x1b]0;x  no        -     -1\n"
				  "=cmd       no        -     -1\n");
	free(text);
	text = render(&set, "csv");
	assert_string_equal(text, "login,enrolled,last,n\r\n"
				  "\"al\",true,,-1\r\n"
				  "\"b\\x1b]0;x\",false,,-1\r\n"
				  "\"'=cmd\",false,,-1\r\n");
	free(text);
	text = render(&set, "json");
	assert_string_equal(text, "{\n\"users\": [\n"
				  "  {\"login\": \"al\", \"enrolled\": true, \"last\": "
				  "null, \"n\": -1},\n"
				  "  {\"login\": \"b\\u001b]0;x\", \"enrolled\": "
				  "false, \"last\": null, \"n\": "
				  "-1},\n"
				  "  {\"login\": \"=cmd\", \"enrolled\": false, "
				  "\"last\": null, \"n\": -1}\n],\n"
				  "\"empty\": []\n}\n");
	free(text);
}

/* A ROW frame arrives whole or not at all. */
static void test_frames(void **state)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	struct wire_writer w;
	struct wire_frame frame;
	uint8_t buf[512];
	size_t len, used;

	(void)state;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_ROW);
	wire_put_text(&w, WIRE_T_TABLE, "t");
	wire_put_cell_text(&w, "a", "x");
	wire_put_cell_text(&w, "b", NULL);
	wire_put_cell_int(&w, "c", -5);
	wire_put_cell_json(&w, "d", "{}", 2);
	assert_int_equal(wire_writer_end(&w, &len), 0);
	assert_int_equal(wire_frame_split(buf, len, WIRE_FRAME_MAX, &frame, &used), 0);
	assert_int_equal(out_add_frame(&set, &frame), 0);
	assert_string_equal(out_text(&set, "t", "a"), "x");
	assert_null(out_text(&set, "t", "b"));
	assert_int_equal(out_cell(out_find(&set, "t")->first, "c")->i, -5);
	for (size_t cut = 1; cut < frame.len; cut++) {
		struct wire_frame part = {.type = WIRE_ROW,
					  .body = frame.body,
					  .len = cut};
		_cleanup_out_ struct out_set other = OUT_SET_INIT;
		int r = out_add_frame(&other, &part);

		assert_true(r == 0 ||
			    r == -EPROTO); /* whole fields only are a short row */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminal),  cmocka_unit_test(test_json_text),
		cmocka_unit_test(test_csv_text),  cmocka_unit_test(test_time),
		cmocka_unit_test(test_invisible), cmocka_unit_test(test_record),
		cmocka_unit_test(test_tables),	  cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
