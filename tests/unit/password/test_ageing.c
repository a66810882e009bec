/* SPDX-License-Identifier: Apache-2.0 */
/* test_ageing.c - when a password must be changed, and when it may not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rbacd/password/ageing.h"

#define DAY INT64_C(86400)
#define T   INT64_C(1800000000) /* of the change */

static const struct password_rules pci = {.preset = "pci-dss-4",
					  .max_age_d = 90,
					  .warn_d = 14};
static const struct password_rules cis = {.preset = "cis",
					  .max_age_d = 365,
					  .min_age_d = 1,
					  .warn_d = 7};
static const struct password_rules nist = {.preset = "nist-800-63b-4"};
static const struct password_rules none;

static void test_table(void **state)
{
	static const struct {
		const struct password_rules *rules;
		int64_t changed_s, seen_s;
		uint32_t forced;
		int64_t now_s;
		enum ageing_why why;
		int64_t left_d;
		bool warn;
	} rows[] = {
		{&pci, T, 0, 0, T, AGEING_NONE, 90, false},
		{&pci, T, 0, 0, T + 76 * DAY - 1, AGEING_NONE, 15, false},
		{&pci, T, 0, 0, T + 76 * DAY, AGEING_NONE, 14, true},
		{&pci, T, 0, 0, T + 90 * DAY - 1, AGEING_NONE, 1, true},
		{&pci, T, 0, 0, T + 90 * DAY, AGEING_EXPIRED, 0, false},
		{&pci, T, 0, 0, T + 9000 * DAY, AGEING_EXPIRED, 0, false},
		/* never changed: since it was seen first */
		{&pci, 0, T, 0, T + 90 * DAY - 1, AGEING_NONE, 1, true},
		{&pci, 0, T, 0, T + 90 * DAY, AGEING_EXPIRED, 0, false},
		/* the clock was set back: as if it were new */
		{&pci, T, 0, 0, T - 400 * DAY, AGEING_NONE, 90, false},
		{&cis, T, 0, 0, T + 358 * DAY, AGEING_NONE, 7, true},
		{&cis, T, 0, 0, T + 365 * DAY, AGEING_EXPIRED, 0, false},
		/* nist: no rotation, ever */
		{&nist, T, 0, 0, T + 9000 * DAY, AGEING_NONE, -1, false},
		/* a mark holds under all rules and without; it is the reason that is
		   told */
		{&nist, T, 0, AGEING_DEMANDED, T, AGEING_DEMANDED, -1, false},
		{&nist, T, 0, AGEING_RESET, T, AGEING_RESET, -1, false},
		{&none, T, 0, AGEING_RESET, T, AGEING_RESET, -1, false},
		{&pci, T, 0, AGEING_RESET, T + 90 * DAY, AGEING_RESET, 0, false},
		{&pci, T, 0, AGEING_DEMANDED, T + 80 * DAY, AGEING_DEMANDED, 10, false},
		/* of a later version */
		{&pci, T, 0, 77, T, AGEING_DEMANDED, 90, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct store_password p = {.changed_s = rows[i].changed_s,
						 .seen_s = rows[i].seen_s,
						 .forced = rows[i].forced};
		struct ageing a;

		ageing_read(rows[i].rules, &p, rows[i].now_s, &a);
		assert_int_equal(a.why, rows[i].why);
		assert_int_equal(a.left_d, rows[i].left_d);
		assert_int_equal(a.warn, rows[i].warn);
	}
}

static void test_unknown(void **state)
{
	struct ageing a;

	(void)state;
	ageing_read(&pci, NULL, T, &a);
	assert_int_equal(a.why, AGEING_NONE);
	assert_int_equal(a.age_d, -1);
	assert_false(ageing_too_young(&cis, NULL, T));
}

static void test_too_young(void **state)
{
	struct store_password p = {.changed_s = T};

	(void)state;
	assert_true(ageing_too_young(&cis, &p, T));
	assert_true(ageing_too_young(&cis, &p, T + DAY - 1));
	assert_true(ageing_too_young(&cis, &p, T - 5 * DAY)); /* set back */
	assert_false(ageing_too_young(&cis, &p, T + DAY));
	assert_false(ageing_too_young(&pci, &p, T));
	p.forced = AGEING_DEMANDED; /* whoever must change it, may */
	assert_false(ageing_too_young(&cis, &p, T));
	p = (struct store_password){.seen_s = T};
	assert_false(ageing_too_young(&cis, &p, T));
}

static void test_words(void **state)
{
	(void)state;
	assert_null(ageing_reason(AGEING_NONE));
	assert_string_equal(ageing_reason(AGEING_EXPIRED), "pw_expired");
	assert_string_equal(ageing_reason(AGEING_RESET), "pw_reset");
	assert_string_equal(ageing_reason(AGEING_DEMANDED), "pw_demanded");
	assert_string_equal(ageing_reason((enum ageing_why)77), "pw_demanded");
	for (int why = AGEING_EXPIRED; why <= AGEING_DEMANDED; why++)
		assert_true(strlen(ageing_text((enum ageing_why)why)) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_too_young),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
