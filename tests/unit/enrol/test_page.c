/* SPDX-License-Identifier: Apache-2.0 */
/* test_page.c - every page fits 80 x 24, whatever the names; the picture is scanned in
 * test_qr.c and, from a real login's screen, in integration/enrol.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "rbacd/enrol/page.h"

#define KEY "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXQ"

static const char uri[] = "otpauth://totp/vmsec:ada?secret=" KEY "&issuer=vmsec";

/* Columns of the longest line that is no address, and rows. */
static size_t measure(const char *text, size_t *ret_rows)
{
	size_t columns = 0, longest = 0;
	bool address = false;

	*ret_rows = 1;
	for (const char *p = text; *p; p++) {
		address = address || memcmp(p, "otpauth:", 8) == 0;
		if (*p == '\n') {
			longest = !address && columns > longest ? columns : longest;
			columns = 0;
			address = false;
			++*ret_rows;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			columns++;
		}
		assert_true(*p == '\n' || (unsigned char)*p >= ' ');
	}
	return columns > longest ? columns : longest;
}

static void test_fits(void **state)
{
	static const char *const logins[] = {
		"a", "ada",
		"abcdefghijklmnopqrstuvwxyz0123456789.abcdefghijklmnopqrstuvwxyz0"};
	static const char *const dates[] = {NULL, "2026-12-31"};
	static char buf[ENROL_PAGE_MAX];
	size_t rows;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logins) * 2; i++) {
		struct enrol_page p = {.login = logins[i / 2],
				       .vm = "db01.prod.example",
				       .uri = uri,
				       .optional_until = dates[i % 2],
				       .again = i % 2};

		assert_int_equal(enrol_page_picture(&p, buf), 0);
		assert_in_range(measure(buf, &rows), 40, 80);
		assert_in_range(rows, 10, 24);
		assert_non_null(strstr(buf, "JBSW Y3DP EHPK 3PXP"));
		assert_non_null(strstr(buf, "JBSW Y3DP EHPK 3PXQ"));
		assert_int_equal(strstr(buf, "2026-12-31") != NULL, i % 2);
		assert_int_equal(enrol_page_text(&p, buf), 0);
		if (i < 4)
			assert_in_range(measure(buf, &rows), 40, 80);
		assert_non_null(strstr(buf, uri));
		assert_non_null(
			strstr(buf, "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXQ\n"));
		assert_int_equal(strstr(buf, "2026-12-31") != NULL, i % 2);
		assert_int_equal(strstr(buf, "not the code") != NULL, i % 2);
		assert_non_null(strstr(buf, "(db01.prod.example): "));
	}
}

/* 134 bytes fit 24 rows; what does not is told in words, never cut. */
static void test_long_addresses(void **state)
{
	static char buf[ENROL_PAGE_MAX];
	char text[256];
	struct enrol_page p = {.login = "ada", .vm = "h", .uri = text};
	size_t rows;

	(void)state;
	for (size_t len = 70; len <= 200; len++) {
		int rc;

		memset(text, 'x', len);
		memcpy(text, uri, strlen(uri) - 5);
		text[len] = '\0';
		rc = enrol_page_picture(&p, buf);
		if (len <= 134 || len == 200)
			assert_int_equal(rc, len <= 134 ? 0 : -EMSGSIZE);
		if (rc == 0) {
			assert_in_range(measure(buf, &rows), 40, 80);
			assert_in_range(rows, 10, 24);
		}
		assert_int_equal(enrol_page_text(&p, buf), 0);
		assert_non_null(strstr(buf, text));
	}
}

static void test_codes(void **state)
{
	static char buf[ENROL_PAGE_MAX];
	struct mfa_enrolment e = MFA_ENROLMENT_INIT;
	size_t rows;

	(void)state;
	for (int i = 0; i < MFA_RECOVERY_CODES; i++)
		(void)snprintf(e.recovery[i], MFA_CODE_TEXT, "AAA%c-AAAA-BBBB-CCCC",
			       65 + i);
	assert_int_equal(enrol_page_codes(&e, buf), 0);
	assert_in_range(measure(buf, &rows), 40, 80);
	assert_in_range(rows, 5, 24);
	for (int i = 0; i < MFA_RECOVERY_CODES; i++)
		assert_non_null(strstr(buf, e.recovery[i]));
}

/* A page that would be cut is none, and nothing of the key stays in the buffer. */
static void test_too_much(void **state)
{
	static char buf[ENROL_PAGE_MAX], vm[ENROL_PAGE_MAX];
	struct enrol_page p = {.login = "ada", .vm = vm, .uri = uri};

	(void)state;
	memset(vm, 'v', sizeof(vm) - 1);
	assert_int_equal(enrol_page_text(&p, buf), -EMSGSIZE);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
	assert_int_equal(enrol_page_picture(&p, buf), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_long_addresses),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
