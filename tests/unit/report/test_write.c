/* SPDX-License-Identifier: Apache-2.0 */
/* test_write.c - hostile names stay text in every format; what is missing is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/report/write.h"

static const char *const hostile[] = {
	"=HYPERLINK(\"http://evil.example\",\"x\")",
	"+cmd|' /C calc'!A0",
	"-2+3",
	"@SUM(1+1)*cmd|' /C calc'!A0",
	"\t=1+1",
	"\r=1+1",
	"a\r\n\"b\",\"c\"",
	"\"; DROP TABLE x; --",
	"<script>alert(1)</script>",
	"'><img src=x onerror=alert(1)>",
	"\" onmouseover=\"alert(1)",
	"</style><script>alert(1)</script>",
	"</td></table><h1>owned</h1>",
	"&lt;b&gt;",
	"javascript:alert(1)",
	"\xe2\x80\xaegnp.exe",
	"\xe2\x81\xa6hidden\xe2\x81\xa9",
	"\x1b[2J\x1b]0;owned\x07",
	"\xff\xfe\xc0\xaf",
	"a\xe2\x80\xa8"
	"b",
	"{{7*7}} ${7*7} `id`",
	"",
	" ",
	"ThisIsOneVeryLongNameWithoutAnySpaceThatMustBeBrokenSomewhereBecauseALineHasOn"
	"eHundredColumns"
	"AndThisNameHasManyMoreThanThat",
};

static const struct report_column columns[] = {
	{"name", "Name", REPORT_TEXT, false, false},
	{"kind", "Kind", REPORT_TEXT, true, false},
	{"n", "Number", REPORT_NUMBER, false, true},
	{"at", "Time", REPORT_TIME, false, false},
	{"decision", "Decision", REPORT_BLANK, false, false},
};

static void fill(struct report *r)
{
	struct report_table *t;

	report_init(r, "test", "Test", "Does it hold?");
	report_provenance(r, "host", "Host", hostile[8]);
	report_filter(r, hostile[9]);
	report_limit(r, hostile[10]);
	report_figure(r, "rows", hostile[12], 1234567, hostile[8], true);
	report_find(r, REPORT_HIGH, "bad", 3, "things", hostile[11]);
	report_find(r, REPORT_LOW, "none", 0, NULL, "never said");
	report_section(r, hostile[8], hostile[9]);
	t = REPORT_TABLE(r, "things", hostile[10], columns, .note = hostile[12]);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		report_row(t);
		report_put(t, hostile[i]);
		report_put(t, hostile[i % 3]);
		report_put_n(t, (int64_t)i * 1000 - 5);
		report_put_time(t, i % 2 ? 1790000000 : 0);
	}
	assert_int_equal(report_error(r), 0);
}

enum format { TEXT, CSV, JSON, HTML };

static char *write_report(const struct report *r, enum format format)
{
	struct report_frame frame;
	char *buf = NULL;
	size_t len;
	FILE *out = open_memstream(&buf, &len);
	int rc = 0;

	assert_non_null(out);
	assert_int_equal(report_frame(r, REPORT_MEDIUM, &frame), 0);
	if (format == TEXT)
		rc = report_write_text(r, &frame, out);
	else if (format == CSV)
		rc = report_write_csv(r, NULL, out);
	else if (format == JSON)
		report_write_json(r, &frame, out);
	else
		rc = report_write_html(r, &frame, out);
	assert_int_equal(rc, 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(buf), len); /* no NUL inside */
	return buf;
}

/* No control but newline, no bidi, valid UTF-8: checked byte by byte. */
static void assert_shown_safely(const char *text, bool crlf)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		assert_true(*p >= 0x20 || *p == '\n' || (crlf && *p == '\r'));
		assert_true(*p != 0x7f && *p != 0xff && *p != 0xfe && *p != 0xc0);
		if (p[0] == 0xe2 && p[1] == 0x80)
			assert_true(p[2] == 0xaf); /* our narrow blank in numbers */
		assert_false(p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa0);
	}
}

static void test_text(void **state)
{
	struct report r;
	char *text, *line;

	(void)state;
	fill(&r);
	text = write_report(&r, TEXT);
	assert_shown_safely(text, false);
	assert_null(strstr(text, "never said"));
	for (line = text; *line;) {
		size_t len = strcspn(line, "\n");

		assert_true(len <= REPORT_TEXT_COLUMNS);
		assert_true(len == 0 || line[len - 1] != ' ');
		line += len + 1;
	}
	free(text);
	report_done(&r);
}

/* RFC 4180 read back: fields of the first column, disarmed. */
static void test_csv(void **state)
{
	struct report r;
	char *text, *p;
	size_t rows = 0;

	(void)state;
	fill(&r);
	text = write_report(&r, CSV);
	assert_shown_safely(text, true);
	assert_memory_equal(text, "name,kind,n,at,decision\r\n", 25);
	for (p = text + 25; *p; rows++) {
		assert_true(*p == '"');
		assert_null(strchr("=+-@\t\r", p[1]));
		for (p++; !(p[0] == '"' && p[1] != '"'); p += p[0] == '"' ? 2 : 1)
			assert_true(*p != '\n' && *p != '\r' && *p);
		assert_true(p[1] == ',');
		p = strstr(p, "\r\n");
		assert_non_null(p);
		p += 2;
	}
	assert_int_equal(rows, ARRAY_SIZE(hostile));
	free(text);
	report_done(&r);
}

static void test_json(void **state)
{
	struct report r;
	struct report_frame frame;
	char *text;

	(void)state;
	fill(&r);
	text = write_report(&r, JSON);
	assert_shown_safely(text, false);
	assert_int_equal(report_frame(&r, REPORT_MEDIUM, &frame), 0);
	assert_non_null(strstr(text, frame.sha256));
	assert_non_null(strstr(text, "\"exit\": 1"));
	assert_non_null(strstr(text, "\"complete\": true"));
	free(text);
	report_done(&r);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

static void test_html(void **state)
{
	struct report r;
	char *text;

	(void)state;
	fill(&r);
	text = write_report(&r, HTML);
	assert_shown_safely(text, false);
	assert_int_equal(count(text, "<script"), 0);
	assert_int_equal(count(text, "<img"), 0);
	assert_int_equal(count(text, "<h1>"), 1);
	assert_int_equal(count(text, "</style>"), 1);
	assert_int_equal(count(text, " onmouseover=\""), 0);
	assert_int_equal(count(text, "javascript:"), 1); /* as text of a cell */
	assert_int_equal(count(text, "href=\"j"), 0);
	assert_int_equal(count(text, "style="), 0);
	assert_int_equal(count(text, "default-src 'none'"), 1);
	assert_non_null(strstr(text, "&lt;script&gt;"));
	assert_non_null(strstr(text, "&amp;lt;b&amp;gt;"));
	free(text);
	report_done(&r);
}

/* Missing data beats findings, a damaged log beats both; both are said first. */
static void test_result(void **state)
{
	static const enum format formats[] = {TEXT, JSON, HTML};
	struct report r;

	(void)state;
	fill(&r);
	assert_int_equal(report_exit(&r, REPORT_MEDIUM), REPORT_FINDINGS);
	assert_int_equal(report_exit(&r, REPORT_CRITICAL), REPORT_CLEAN);
	report_missing(&r, "One group is not known.");
	assert_int_equal(report_exit(&r, REPORT_CRITICAL), REPORT_INCOMPLETE);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char *text = write_report(&r, formats[i]);
		const char *said = strstr(text, "incomplete");

		assert_non_null(said);
		assert_non_null(strstr(text, "One group is not known."));
		assert_null(strstr(text, "no findings"));
		assert_true(formats[i] != TEXT || said - text < 600);
		free(text);
	}
	report_broken(&r, "Record 7 was changed.");
	assert_int_equal(report_exit(&r, REPORT_CRITICAL), REPORT_INTEGRITY);
	report_done(&r);
}

static void test_same_bytes(void **state)
{
	struct report a, b;

	(void)state;
	fill(&a);
	fill(&b);
	for (enum format f = TEXT; f <= HTML; f++) {
		char *x = write_report(&a, f), *y = write_report(&b, f);

		assert_string_equal(x, y);
		free(x);
		free(y);
	}
	report_done(&a);
	report_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),   cmocka_unit_test(test_csv),
		cmocka_unit_test(test_json),   cmocka_unit_test(test_html),
		cmocka_unit_test(test_result), cmocka_unit_test(test_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
