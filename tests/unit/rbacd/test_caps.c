/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/caps.h"

static void limit_holds_per_key(void **state)
{
	struct caps *c = NULL;
	struct caps_key a, b;

	(void)state;
	assert_int_equal(caps_new(8, &c), 0);
	a = caps_key(c, 'i', "alice", 5);
	b = caps_key(c, 's', "alice", 5); /* another kind is another key */
	assert_int_equal(caps_take(c, &a, 2), 0);
	assert_int_equal(caps_take(c, &a, 2), 0);
	assert_int_equal(caps_take(c, &a, 2), CAPS_E_OVER);
	assert_int_equal(caps_take(c, &b, 2), 0);
	caps_drop(c, &a);
	assert_int_equal(caps_take(c, &a, 2), 0);
	caps_free(c);
}

static void full_table_refuses_new_keys_only(void **state)
{
	struct caps *c = NULL;
	struct caps_key k, first;

	(void)state;
	assert_int_equal(caps_new(4, &c), 0);
	first = caps_key(c, 'i', "0", 1);
	for (char n = '0'; n < '4'; n++) {
		k = caps_key(c, 'i', &n, 1);
		assert_int_equal(caps_take(c, &k, 9), 0);
	}
	k = caps_key(c, 'i', "9", 1);
	assert_int_equal(caps_take(c, &k, 9), CAPS_E_OVER);
	assert_int_equal(caps_take(c, &first, 9), 0);
	caps_free(c);
}

static void no_key_always_passes(void **state)
{
	struct caps *c = NULL;
	struct caps_key none = {{0}};

	(void)state;
	assert_int_equal(caps_new(1, &c), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(caps_take(c, &none, 1), 0);
	caps_drop(c, &none);
	caps_free(c);
}

/* Deletion must not cut probe chains: against a plain array of counters. */
static void random_use_agrees_with_plain_counters(void **state)
{
	enum { KEYS = 300, LIMIT = 5 };
	struct caps *c = NULL;
	uint32_t plain[KEYS] = {0};
	unsigned seed = 7;

	(void)state;
	assert_int_equal(caps_new(KEYS, &c), 0);
	for (int i = 0; i < 200000; i++) {
		uint32_t n = (uint32_t)rand_r(&seed) % KEYS;
		struct caps_key k = caps_key(c, 'i', &n, sizeof(n));

		if (rand_r(&seed) % 2) {
			assert_int_equal(caps_take(c, &k, LIMIT) == 0,
					 plain[n] < LIMIT);
			plain[n] += plain[n] < LIMIT;
		} else if (plain[n] > 0) {
			caps_drop(c, &k);
			plain[n]--;
		}
	}
	caps_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limit_holds_per_key),
		cmocka_unit_test(full_table_refuses_new_keys_only),
		cmocka_unit_test(no_key_always_passes),
		cmocka_unit_test(random_use_agrees_with_plain_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
