/* SPDX-License-Identifier: Apache-2.0 */
/* test_pending.c - one key a person, a bounded number, a bounded time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/enrol/pending.h"
#include "rbacd/limits.h"

static void test_newest_counts(void **state)
{
	struct pending_table *t;
	struct pending *a, *b, *other;

	(void)state;
	assert_int_equal(pending_table_new(&t), 0);
	a = pending_new(t, "id:ada", 5);
	other = pending_new(t, "id:bob", 6);
	assert_false(a->over || other->over);
	assert_true(a->ends_ns == 5 + LIMIT_ENROL_MS * UINT64_C(1000000));
	b = pending_new(t, "id:ada", 7);
	assert_true(a->over);
	assert_false(b->over || other->over);
	pending_forget(t, "id:ada");
	assert_true(b->over);
	assert_false(other->over);
	pending_forget(NULL, "id:ada");
	pending_free(other); /* in the middle, then both ends */
	pending_free(a);
	pending_free(b);
	pending_free(NULL);
	pending_table_free(t);
}

static void test_bounded(void **state)
{
	struct pending *all[LIMIT_ENROLMENTS];
	struct pending_table *t;
	char id[16];

	(void)state;
	assert_int_equal(pending_table_new(&t), 0);
	/* one person's do not add up */
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = pending_new(t, "id:one", 0);
		assert_non_null(all[i]);
		memset(all[i]->draft.seed.bytes, 7, 20);
		if (i > 0) /* and the older ones are wiped at once */
			assert_int_equal(all[i - 1]->draft.seed.bytes[19], 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		pending_free(all[i]);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
			(void)snprintf(id, sizeof(id), "id:%zu", i);
			all[i] = pending_new(t, id, 0);
			assert_non_null(all[i]);
		}
		assert_null(pending_new(t, "id:more", 0));
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			pending_free(all[(i * 7) % ARRAY_SIZE(all)]);
	}
	pending_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_counts),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
