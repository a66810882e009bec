/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin_text.c - ids go into a file where its groups stand, and nothing else moves.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "policy/view.h"
#include "rbacd/ctl/pin_text.h"

#define ID "entryUUID:5f0c"

static struct policy *load(const char *text)
{
	struct policy_source src = {"p.yaml", text, strlen(text)};
	struct policy_host host = {.name = "vm1"};
	struct diags d = DIAGS_INIT;
	struct policy *p = NULL;

	if (policy_load_sources(&src, 1, &host, &p, &d) != 0)
		diags_print(&d, stderr);
	diags_done(&d);
	assert_non_null(p);
	return p;
}

/* Pins every alias of @text that has no id; *ret is the caller's. */
static int pin_all(const char *text, char **ret, char **ret_diff)
{
	struct policy_source src = {"p.yaml", text, strlen(text)};
	struct policy *p = load(text);
	struct pin_place v[8], t;
	size_t n = 0, len = 0, diff_len;
	FILE *diff = open_memstream(ret_diff, &diff_len);
	int r;

	for (size_t i = 0; i < policy_group_count(p); i++) {
		struct policy_where w;

		if (policy_group_at(p, i)->id || !policy_group_where(p, i, &w))
			continue;
		v[n++] = (struct pin_place){w.line, w.column, ID};
	}
	for (size_t i = 1; i < n; i++) /* by place; the policy has them by name */
		for (size_t k = i; k > 0 && (v[k].line < v[k - 1].line ||
					     (v[k].line == v[k - 1].line &&
					      v[k].column < v[k - 1].column));
		     k--) {
			t = v[k];
			v[k] = v[k - 1];
			v[k - 1] = t;
		}
	r = pin_text(&src, v, n, diff, ret, &len);
	assert_int_equal(fclose(diff), 0);
	if (r == 0)
		assert_int_equal(len, strlen(*ret));
	policy_unref(p);
	return r;
}

static void each_way_to_write_an_alias(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{"groups: {a: {dn: \"cn=a\"}}\n",
		 "groups: {a: {id: \"" ID "\", dn: \"cn=a\"}}\n"},
		{"groups:\n  a: { dn: 'cn=a' }   # why\n",
		 "groups:\n  a: {id: \"" ID "\",  dn: 'cn=a' }   # why\n"},
		{"groups:\n  a: {}\n", "groups:\n  a: {id: \"" ID "\"}\n"},
		{"groups:\n    a:\n        # who\n        dn: cn=a\n",
		 "groups:\n    a:\n        # who\n        id: \"" ID
		 "\"\n        dn: cn=a\n"},
		{"groups: {a: {dn: cn=a}, b: {id: x}, c: {dn: cn=c}}\n",
		 "groups: {a: {id: \"" ID "\", dn: cn=a}, b: {id: x}, c: {id: \"" ID
		 "\", dn: cn=c}}\n"},
		{"groups:\r\n  a: {dn: cn=a}\r\n",
		 "groups:\r\n  a: {id: \"" ID "\", dn: cn=a}\r\n"},
		{"groups:\n  a: {\n    dn: cn=a}\n",
		 "groups:\n  a: {id: \"" ID "\", \n    dn: cn=a}\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char before[512], after[512];
		_cleanup_free_ char *text = NULL, *diff = NULL;
		struct policy *p;

		(void)snprintf(before, sizeof(before), "vmsec_policy: 1 # one\n%s",
			       cases[i].before);
		(void)snprintf(after, sizeof(after), "vmsec_policy: 1 # one\n%s",
			       cases[i].after);
		assert_int_equal(pin_all(before, &text, &diff), 0);
		assert_string_equal(text, after);
		p = load(text);
		for (size_t k = 0; k < policy_group_count(p); k++)
			assert_non_null(policy_group_at(p, k)->id);
		policy_unref(p);
	}
}

static void columns_are_characters(void **state)
{
	static const char text[] =
		"vmsec_policy: 1\n"
		"groups: {a: {dn: \"cn=gr\303\274n\"}, b: {dn: \"cn=b\"}}\n";
	_cleanup_free_ char *got = NULL, *diff = NULL;

	(void)state;
	assert_int_equal(pin_all(text, &got, &diff), 0);
	assert_string_equal(got, "vmsec_policy: 1\ngroups: {a: {id: \"" ID
				 "\", dn: \"cn=gr\303\274n\"}, b: {id: \"" ID
				 "\", dn: \"cn=b\"}}\n");
}

static void diff_shows_the_lines(void **state)
{
	static const char text[] = "vmsec_policy: 1\ngroups:\n  a:\n    dn: cn=a\n"
				   "  b: {dn: cn=b}\n";
	_cleanup_free_ char *got = NULL, *diff = NULL;

	(void)state;
	assert_int_equal(pin_all(text, &got, &diff), 0);
	assert_string_equal(diff, "--- p.yaml\n+++ p.yaml\n"
				  "@@ -3,0 +4 @@\n+    id: \"" ID "\"\n"
				  "@@ -5 +6 @@\n-  b: {dn: cn=b}\n"
				  "+  b: {id: \"" ID "\", dn: cn=b}\n");
}

static void what_does_not_fit_is_refused(void **state)
{
	static const char text[] = "a: b\n  c: {d: e}\n";
	static const struct pin_place bad[] = {
		{1, 4, ID},	   /* neither a brace nor a line's first key */
		{1, 9, ID},	   /* beyond the line */
		{9, 1, ID},	   /* beyond the file */
		{2, 6, "x\"}, y"}, /* would say something else */
		{2, 6, "x\\"},	   /* likewise */
		{2, 6, "x\ny"},	   {2, 6, ""},
	};
	const struct policy_source src = {"p.yaml", text, sizeof(text) - 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *diff = NULL;
		size_t len, diff_len;
		FILE *out = open_memstream(&diff, &diff_len);
		char *got = NULL;

		assert_int_equal(pin_text(&src, &bad[i], 1, out, &got, &len), -EINVAL);
		assert_null(got);
		assert_int_equal(fclose(out), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_write_an_alias),
		cmocka_unit_test(columns_are_characters),
		cmocka_unit_test(diff_shows_the_lines),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
