/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: what is built, what cannot be smuggled in, what is no filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rbacd/directory/ldap_filter.h"

static void test_build(void **state)
{
	struct ldap_filter f = LDAP_FILTER_INIT;

	(void)state;
	ldap_filter_open(&f, '&');
	ldap_filter_add(&f, "(objectClass=posixAccount)");
	ldap_filter_least(&f, "modifyTimestamp", "20260101000000Z", 15);
	ldap_filter_close(&f);
	assert_string_equal(ldap_filter_text(&f),
			    "(&(objectClass=posixAccount)"
			    "(modifyTimestamp>=20260101000000Z))");
}

static void test_escapes(void **state)
{
	struct ldap_filter f = LDAP_FILTER_INIT;

	(void)state;
	ldap_filter_equal(&f, "uid", "a*)(b\\\0|\xc3\xa9", 10);
	assert_string_equal(ldap_filter_text(&f),
			    "(uid=a\\2a\\29\\28b\\5c\\00\\7c\\c3\\a9)");
}

static void test_wrong_use(void **state)
{
	struct ldap_filter f = LDAP_FILTER_INIT, g = LDAP_FILTER_INIT;
	struct ldap_filter h = LDAP_FILTER_INIT, i = LDAP_FILTER_INIT;
	char *huge = calloc(1, LDAP_FILTER_TEXT_MAX + 1);

	(void)state;
	assert_null(ldap_filter_text(&f)); /* nothing */
	ldap_filter_open(&f, '&');
	assert_null(ldap_filter_text(&f)); /* not closed */
	ldap_filter_close(&f);
	assert_null(ldap_filter_text(&f)); /* empty: would be true for everything */
	ldap_filter_equal(&g, "uid=x)(cn", "a", 1);
	assert_null(ldap_filter_text(&g));
	ldap_filter_add(&h, "(a=b)(c=d)");
	assert_null(ldap_filter_text(&h));
	assert_non_null(huge);
	memset(huge, 'a', LDAP_FILTER_TEXT_MAX);
	ldap_filter_equal(&i, "uid", huge, LDAP_FILTER_TEXT_MAX);
	assert_null(ldap_filter_text(&i));
	ldap_filter_equal(&i, "uid", "b", 1);
	assert_null(ldap_filter_text(&i)); /* bad stays bad */
	free(huge);
}

static void test_valid(void **state)
{
	static const char *const good[] = {
		"(cn=*)",
		"(cn=a*b*c)",
		"(!(cn=a))",
		"(|(a=b)(&(c=d)(e<=f)))",
		"(cn~=x)",
		"(userAccountControl:1.2.840.113556.1.4.803:=2)",
		"(cn:dn:2.4.6.8.10:=x)",
		"(:caseExactMatch:=x)",
		"(cn=)",
		"(2.5.4.3=x)",
		"(cn=\\2a)",
		"(cn=\xc3\xa9)",
		"(cn;lang-de=x)",
	};
	static const char *const bad[] = {
		"",	     "cn=a",	"(cn=a",	 "(cn=a))",  "()",
		"(&)",	     "(cn)",	"(=a)",		 "(cn=a(b)", "(cn=\\2)",
		"(cn=\\zz)", "(cn=a)x", "(!)",		 "(cn=a\n)", "( cn=a)",
		"(&(a=b)x)", "(a b=c)", "(!(a=b)(c=d))", "(cn>a)",
	};
	char deep[64] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!ldap_filter_valid(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ldap_filter_valid(bad[i]))
			fail_msg("taken: %s", bad[i]);
	for (size_t i = 0; i < 2 * (LDAP_FILTER_DEPTH_MAX + 1); i += 2)
		memcpy(deep + i, "(!", 3);
	assert_false(ldap_filter_valid(deep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_wrong_use),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
