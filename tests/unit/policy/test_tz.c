/* SPDX-License-Identifier: Apache-2.0 */
/* test_tz.c - when days begin, at the edges of daylight saving time. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/tz.h"

static void test_days(void **state)
{
	static const struct {
		const char *zone;
		int y, m, d;
		int64_t want;
	} cases[] = {
		{"UTC", 2026, 1, 1, 1767225600},
		{"Europe/Berlin", 2026, 1, 1, 1767222000},
		{"Europe/Berlin", 2026, 3, 29, 1774738800}, /* clocks change at 02:00 */
		{"Europe/Berlin", 2026, 3, 30, 1774821600},
		{"Europe/Berlin", 2026, 10, 26, 1792969200},
		{"Europe/Berlin", 2060, 7, 1, 2855858400},   /* from the footer */
		{"America/Havana", 2026, 3, 8, 1772946000},  /* 00:00 is skipped */
		{"America/Havana", 2026, 11, 1, 1793505600}, /* 00:00 happens twice */
		{"Asia/Kathmandu", 2026, 6, 1, 1780251300},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t s = 0;

		assert_int_equal(tz_day_start(cases[i].zone, cases[i].y, cases[i].m,
					      cases[i].d, &s),
				 0);
		if (s != cases[i].want)
			print_error("%s %d-%d-%d: %lld\n", cases[i].zone, cases[i].y,
				    cases[i].m, cases[i].d, (long long)s);
		assert_int_equal(s, cases[i].want);
	}
}

static void test_bad_zones(void **state)
{
	static const char *const zones[] = {
		"",	    "/etc/passwd",   "../../etc/passwd",
		"Europe",   "Europe/../UTC", "Mars/Olympus",
		"zone.tab", "Europe/Berlin "};
	int64_t s = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		assert_int_equal(tz_day_start(zones[i], 2026, 1, 1, &s), TZ_E_UNKNOWN);
	assert_int_equal(s, 7);
}

/* Every truncation of a zone file is refused, without reading past its end. */
static void test_truncated(void **state)
{
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "re");
	static uint8_t buf[8192];
	int64_t s;
	size_t len;

	(void)state;
	assert_non_null(f);
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	assert_int_equal(tz_parse_day_start(buf, len, 2026, 1, 1, &s), 0);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, buf, n);
		assert_int_equal(tz_parse_day_start(copy, n, 2026, 1, 1, &s),
				 TZ_E_UNKNOWN);
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		buf[i] ^= 0x55; /* must not crash; any answer will do */
		assert_true(tz_parse_day_start(buf, len, 2060, 1, 1, &s) >= 0);
		buf[i] ^= 0x55;
	}
}

/* A TZif file of one type, UTC, and @footer; Return: what its parser says. */
static int with_footer(const char *footer)
{
	static const uint8_t head[44] = {[0] = 'T', 'Z',      'i',     'f',
					 '2',	    [39] = 1, [43] = 4};
	static const uint8_t type[10] = {0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0};
	uint8_t buf[256];
	size_t n = 0;
	int64_t s;

	for (int i = 0; i < 2; i++) {
		memcpy(buf + n, head, sizeof(head));
		memcpy(buf + n + sizeof(head), type, sizeof(type));
		n += sizeof(head) + sizeof(type);
	}
	n += (size_t)snprintf((char *)buf + n, sizeof(buf) - n, "\n%s\n", footer);
	return tz_parse_day_start(buf, n, 2026, 1, 1, &s);
}

static void test_footer(void **state)
{
	static const char *const good[] = {"CET-1", "CET-1CEST,M3.5.0,M10.5.0/3",
					   "<+1345>-13:45"};
	static const char *const bad[] = {
		"CET-153",	     "CET99", "CET-1CEST-153,J1,J2",
		"CET-1CEST99,J1,J2", "CET",   "CET-1CEST"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(with_footer(good[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(with_footer(bad[i]), TZ_E_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_bad_zones),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_footer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
