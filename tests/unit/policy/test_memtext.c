/* SPDX-License-Identifier: Apache-2.0 */
/* test_memtext.c - a text in memory is whole, or an error, whichever allocation fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int to_pass; /* allocations of the text that succeed before one fails */

static void *failing_realloc(void *p, size_t n)
{
	return to_pass-- == 0 ? NULL : realloc(p, n);
}

static void *failing_calloc(size_t n, size_t size)
{
	return to_pass-- == 0 ? NULL : calloc(n, size);
}

#define realloc failing_realloc
#define calloc	failing_calloc
#include "policy/memtext.h"
#undef realloc
#undef calloc

#define LINES 20000

/* Return: what memtext_take() said; a text it gave is the whole one. */
static int write_lines(int pass, int lines)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *text = NULL;
	char want[16];
	size_t len = 0, at = 0;
	int r;

	to_pass = -1;
	assert_int_equal(memtext_open(&m), 0);
	to_pass = pass;
	for (int i = 0; i < lines; i++)
		(void)fprintf(m.out, "%d\n", i);
	r = memtext_take(&m, &text, &len);
	if (r != 0) {
		assert_null(text);
		return r;
	}
	for (int i = 0; i < lines; i++) {
		size_t n = (size_t)snprintf(want, sizeof(want), "%d\n", i);

		assert_memory_equal(text + at, want, n);
		at += n;
	}
	assert_int_equal(at, len);
	assert_int_equal(text[len], '\0');
	return 0;
}

static void test_whole(void **state)
{
	(void)state;
	assert_int_equal(write_lines(-1, 0), 0);
	assert_int_equal(write_lines(-1, 1), 0);
	assert_int_equal(write_lines(-1, LINES), 0);
}

/* One allocation fails and all others succeed: the hole must not go unseen. */
static void test_one_fails(void **state)
{
	int n = 0;

	(void)state;
	while (write_lines(n, LINES) == -ENOMEM)
		n++;
	assert_in_range(n, 3, 40); /* it grows by doubling */
	assert_int_equal(write_lines(0, 0), -ENOMEM);
}

static void test_dropped(void **state)
{
	_cleanup_memtext_ struct memtext never = MEMTEXT_INIT;
	_cleanup_memtext_ struct memtext open = MEMTEXT_INIT;

	(void)state;
	(void)never;
	to_pass = -1;
	assert_int_equal(memtext_open(&open), 0);
	(void)fputs("never taken", open.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_one_fails),
		cmocka_unit_test(test_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
