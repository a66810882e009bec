/* SPDX-License-Identifier: Apache-2.0 */
/* test_password.c - what is kept of passwords: rows, order, how many former ones. */
#include "tests/unit/store/fixture.h"

static struct store_password row(const char *person)
{
	struct store_password p = {.seen_s = 5,
				   .forced = 2,
				   .forced_by = "uid:0",
				   .forced_why = "in a breach list",
				   .ticket_s = 9,
				   .ticket = {1, 2, 3},
				   .ticket_other = true,
				   .pending = "$y$j9T$x$y"};

	(void)snprintf(p.person, sizeof(p.person), "%s", person);
	(void)snprintf(p.login, sizeof(p.login), "%s", person);
	return p;
}

static int count(const struct store_password *p, void *arg)
{
	unsigned *n = arg;

	assert_true(p->login[0] == (char)('a' + *n)); /* in order */
	(*n)++;
	return 0;
}

static void test_rows(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	struct store_password b = row("b"), a = row("a"), back;
	unsigned n = 0;

	assert_int_equal(store_password_get(s, "b", &back), STORE_E_NONE);
	assert_int_equal(store_password_put(s, &b), 0);
	assert_int_equal(store_password_put(s, &a), 0);
	assert_int_equal(store_password_get(s, "b", &back), 0);
	assert_memory_equal(&back, &b, sizeof(b));
	b.changed_s = 11;
	b.forced = 0;
	assert_int_equal(store_password_put(s, &b), 0);
	assert_int_equal(store_password_get(s, "b", &back), 0);
	assert_memory_equal(&back, &b, sizeof(b));
	assert_int_equal(store_password_each(s, count, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(store_commit(s), 0);
}

/* The newest come first, no more than asked, no more than kept, of one person only. */
static void test_former(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	struct store_password a = row("a"), b = row("b");
	struct store_old old[STORE_OLD_MAX];
	char hash[16];
	size_t n = 9;

	assert_int_equal(store_password_put(s, &a), 0);
	assert_int_equal(store_password_put(s, &b), 0);
	assert_int_equal(store_password_old(s, "a", 24, old, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_password_old_add(s, "b", "other", 4), 0);
	for (int i = 0; i < 7; i++) {
		(void)snprintf(hash, sizeof(hash), "h%d", i);
		assert_int_equal(store_password_old_add(s, "a", hash, 4), 0);
	}
	assert_int_equal(store_password_old(s, "a", 24, old, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal(old[0].hash, "h6");
	assert_string_equal(old[3].hash, "h3");
	assert_int_equal(store_password_old(s, "a", 2, old, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(store_password_old(s, "a", 0, old, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_password_put(s, &a), 0); /* keeps what hangs on it */
	assert_int_equal(store_password_old(s, "a", 24, old, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(store_commit(s), 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {CASE(test_rows), CASE(test_former)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
