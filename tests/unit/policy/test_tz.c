/* SPDX-License-Identifier: Apache-2.0 */
/* test_tz.c - when days begin, at the edges of daylight saving time. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "policy/tz.h"

static int day_start(const char *zone, int y, int m, int d, int64_t *ret)
{
	_cleanup_(arena_done) struct arena a = ARENA_INIT;
	const struct tz_zone *z;
	int r = tz_zone_load(zone, &a, &z);

	if (r == 0)
		*ret = tz_zone_day_start(z, y, m, d);
	return r;
}

static int parse_day_start(const uint8_t *buf, size_t len, int y, int m, int d,
			   int64_t *ret)
{
	_cleanup_(arena_done) struct arena a = ARENA_INIT;
	const struct tz_zone *z;
	int r = tz_zone_parse(buf, len, &a, &z);

	if (r == 0)
		*ret = tz_zone_day_start(z, y, m, d);
	return r;
}

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

		assert_int_equal(day_start(cases[i].zone, cases[i].y, cases[i].m,
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
		assert_int_equal(day_start(zones[i], 2026, 1, 1, &s), TZ_E_UNKNOWN);
	assert_int_equal(s, 7);
}

/* The C library reads the same files; it is asked in between and at every edge. */
static void compare_with_libc(const char *name, const struct tz_zone *z)
{
	const int64_t step = 1800, from = 1771200000, years = 2 * 366 * INT64_C(86400);
	int64_t before = INT64_MIN;

	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
	for (int64_t t = from; t < from + years; t += step) {
		for (int64_t u = t - 1; u <= t; u++) {
			time_t tt = (time_t)u;
			struct tm tm;

			assert_non_null(localtime_r(&tt, &tm));
			assert_int_equal(tz_zone_local(z, u), u + tm.tm_gmtoff);
		}
		before = t;
	}
	assert_true(before > from);
}

static void test_local(void **state)
{
	static const char *const zones[] = {"UTC",
					    "Europe/Berlin",
					    "America/New_York",
					    "Asia/Kolkata",
					    "Australia/Lord_Howe",
					    "America/Havana",
					    "Africa/Casablanca",
					    "Pacific/Apia",
					    "Europe/Dublin"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		_cleanup_(arena_done) struct arena a = ARENA_INIT;
		const struct tz_zone *z;

		assert_int_equal(tz_zone_load(zones[i], &a, &z), 0);
		compare_with_libc(zones[i], z);
	}
}

/* Rules without an end repeat with the calendar: 400 years later is the same hour. */
static void test_far_future(void **state)
{
	const int64_t cycle = INT64_C(146097) * 86400;
	_cleanup_(arena_done) struct arena a = ARENA_INIT;
	const struct tz_zone *z;

	(void)state;
	assert_int_equal(tz_zone_load("Europe/Berlin", &a, &z), 0);
	for (int64_t t = 4102444800; t < 4102444800 + 366 * 86400; t += 3600) {
		int64_t offset = tz_zone_local(z, t) - t;

		assert_int_equal(tz_zone_local(z, t + cycle) - t - cycle, offset);
		assert_int_equal(tz_zone_local(z, t + 9 * cycle) - t - 9 * cycle,
				 offset);
	}
	assert_int_equal(tz_zone_day_start(z, 9999, 7, 1),
			 tz_zone_day_start(z, 2399, 7, 1) + 19 * cycle);
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
	assert_int_equal(parse_day_start(buf, len, 2026, 1, 1, &s), 0);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, buf, n);
		assert_int_equal(parse_day_start(copy, n, 2026, 1, 1, &s),
				 TZ_E_UNKNOWN);
		free(copy);
	}
	for (size_t i = 0; i < len; i++) {
		buf[i] ^= 0x55; /* must not crash; any answer will do */
		assert_true(parse_day_start(buf, len, 2060, 1, 1, &s) >= 0);
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
	return parse_day_start(buf, n, 2026, 1, 1, &s);
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
		cmocka_unit_test(test_days),	  cmocka_unit_test(test_bad_zones),
		cmocka_unit_test(test_local),	  cmocka_unit_test(test_far_future),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_footer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
