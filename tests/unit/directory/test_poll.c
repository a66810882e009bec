/* SPDX-License-Identifier: Apache-2.0 */
/* Polling: what is asked of a server, and of the one that takes its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rbacd/directory/follow_internal.h"
#include "tests/unit/directory/ldap_fixture.h"

static struct ldap_server server = {.dsa = "cn=dc1"};
static const char *usn; /* of everybody there */
static char asked[512]; /* the filter of the last search */

int64_t follow_now_s(void)
{
	return 1000;
}

const struct ldap_server *ldap_conn_server(const struct ldap_conn *c)
{
	(void)c;
	return &server;
}

int ldap_conn_fail(struct ldap_conn *c, const char *doing, int ldap_error)
{
	(void)c;
	(void)doing;
	(void)ldap_error;
	return LDAP_CONN_E_FAILED;
}

void session_search(const struct follow *f, enum ldap_kind kind,
		    const char *attrs[LDAP_ATTRS_MAX + 1], struct ldap_search *ret)
{
	(void)f;
	attrs[0] = NULL;
	*ret = (struct ldap_search){.base = kind == LDAP_KIND_USER ? USERS : GROUPS,
				    .filter = "(x=*)",
				    .attrs = attrs};
}

int ldap_conn_search(struct ldap_conn *c, const struct ldap_search *s, ldap_entry_fn fn,
		     void *arg)
{
	struct made m;

	(void)c;
	(void)snprintf(asked, sizeof(asked), "%s", s->filter);
	made_new(&m, 1, "cn=a," GROUPS);
	made_text(&m, "uSNChanged", usn);
	return fn(arg, &m.e);
}

/* A controller counts on its own: the next one's count may be far behind. */
static void test_another_controller(void **state)
{
	struct follow f = {.schema = *ldap_schema_find("ad")};
	struct ldap_map_options o = {.schema = &f.schema,
				     .users_base = USERS,
				     .groups_base = GROUPS,
				     .seed = 7};

	(void)state;
	assert_int_equal(ldap_map_new(&o, &f.map), 0);
	usn = "900000";
	assert_int_equal(poll_load(&f), 0);
	assert_int_equal(poll_changes(&f), 0);
	assert_string_equal(asked, "(&(x=*)(uSNChanged>=900001))");
	server = (struct ldap_server){.dsa = "cn=dc2"};
	usn = "5000";
	assert_int_equal(poll_changes(&f), 0);
	assert_string_equal(asked, "(x=*)"); /* everything */
	assert_int_equal(poll_changes(&f), 0);
	assert_string_equal(asked, "(&(x=*)(uSNChanged>=5001))");
	ldap_map_free(f.map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_another_controller)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
