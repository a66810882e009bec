/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the follower: what it reads again, and when it gives up. The
 * server, the clock and the parent are ours. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rbacd/directory/follow_internal.h"
#include "tests/unit/directory/ldap_fixture.h"

#define CREW "cn=crew," GROUPS

static struct ldap_server server;
static struct follow f;
static int64_t now_s, end_s; /* the parent is gone at the end */
static int searched;	     /* reads of members so far */
static int fails;	     /* the next so many end the connection */
static const char *member;   /* in the group now */
static bool hidden;	     /* the group: by a right that was taken away */
static bool done;	     /* the server says the end of its refresh */
static int turns, loaded;

/* ------------------------------------------------------------- the process */

int64_t follow_now_s(void)
{
	return now_s;
}

int64_t follow_wall_s(void)
{
	return now_s;
}

int64_t follow_now_ns(void)
{
	return now_s * 1000000000;
}

void follow_turn(struct follow *x, int fd, int ms)
{
	(void)fd;
	now_s += ms > 0;
	x->lost = now_s >= end_s || ++turns == 200000; /* it spins */
}

void follow_notice(struct follow *x, const char *event, const char *fmt, ...)
{
	(void)x;
	(void)event;
	(void)fmt;
}

void follow_send_facts(struct follow *x)
{
	(void)x;
}

void follow_send_snapshot(struct follow *x, int fd)
{
	(void)x;
	(void)fd;
}

int publish_update(struct publish *p, struct ldap_map *m, enum publish_scope scope,
		   int64_t at_s, struct publish_result *ret)
{
	(void)p;
	(void)m;
	(void)scope;
	(void)at_s;
	*ret = (struct publish_result){.fd = -1};
	return 0;
}

void publish_set_targets(struct publish *p, struct snapshot *targets)
{
	(void)p;
	(void)targets;
}

int poll_load(struct follow *x)
{
	loaded++;
	x->polled_s = now_s;
	return 0;
}

int poll_changes(struct follow *x)
{
	x->polled_s = now_s;
	return 0;
}

/* -------------------------------------------------------------- the server */

int ldap_conn_open(const struct ldap_conn_options *o, struct ldap_conn **ret,
		   char why[LDAP_CONN_WHY_MAX + 1])
{
	(void)o;
	(void)ret;
	(void)why;
	return LDAP_CONN_E_FAILED;
}

void ldap_conn_close(struct ldap_conn *c)
{
	(void)c;
}

const struct ldap_server *ldap_conn_server(const struct ldap_conn *c)
{
	(void)c;
	return &server;
}

LDAP *ldap_conn_handle(const struct ldap_conn *c)
{
	(void)c;
	return NULL;
}

int ldap_conn_fd(const struct ldap_conn *c)
{
	(void)c;
	return -1;
}

const char *ldap_conn_why(const struct ldap_conn *c)
{
	(void)c;
	return "";
}

int ldap_conn_fail(struct ldap_conn *c, const char *doing, int ldap_error)
{
	(void)c;
	(void)doing;
	(void)ldap_error;
	return LDAP_CONN_E_FAILED;
}

int ldap_conn_next(struct ldap_conn *c, int msgid, int wait_ms, LDAPMessage **ret)
{
	(void)c;
	(void)msgid;
	(void)wait_ms;
	f.sync[0].refreshed = f.sync[1].refreshed = done;
	*ret = NULL;
	return 0;
}

int ldap_sync_start(struct ldap_sync *s, struct ldap_conn *c,
		    const struct ldap_search *search)
{
	(void)s;
	(void)c;
	(void)search;
	return 0;
}

int ldap_sync_take(struct ldap_sync *s, struct ldap_conn *c, LDAPMessage *m)
{
	(void)s;
	(void)c;
	(void)m;
	return 0;
}

void ldap_sync_forget(struct ldap_sync *s)
{
	(void)s;
}

/* The users' base, or the one group there is. */
int ldap_conn_search(struct ldap_conn *c, const struct ldap_search *s, ldap_entry_fn fn,
		     void *arg)
{
	struct made m;

	(void)c;
	made_new(&m, 1, s->base);
	if (str_eq(s->base, USERS))
		return fn(arg, &m.e);
	assert_string_equal(s->base, CREW);
	searched++;
	if (fails > 0) {
		fails--;
		return LDAP_CONN_E_FAILED;
	}
	if (hidden)
		return LDAP_CONN_E_NONE;
	made_text(&m, "member", member);
	return fn(arg, &m.e);
}

/* ------------------------------------------------------------------- fixture */

static void know(enum ldap_kind kind, unsigned id, const char *dn, const char *attr,
		 const char *name)
{
	struct made m;

	made_new(&m, id, dn);
	made_text(&m, attr, name);
	made_text(&m, "uidNumber", "5000");
	assert_int_equal(ldap_map_put(f.map, kind, &m.e), 0);
}

static int setup(void **state)
{
	static char users[] = USERS, groups[] = GROUPS, uri[] = "ldap://here";
	static char *uris[] = {uri};
	static const struct config_ldap config = {.users_base = users,
						  .groups_base = groups,
						  .uris = uris,
						  .n_uris = 1,
						  .poll_s = 10,
						  .reconcile_s = 86400};
	static const char *const names[] = {"crew"};
	struct ldap_map_options o = {.users_base = USERS, .groups_base = GROUPS};
	_cleanup_snapshot_ struct snapshot *t = targets_of(names, 1);

	(void)state;
	f = (struct follow){.config = &config};
	f.schema = *ldap_schema_find("rfc2307bis");
	f.config = &config;
	o.schema = &f.schema;
	assert_int_equal(ldap_map_new(&o, &f.map), 0);
	assert_int_equal(ldap_map_set_targets(f.map, t), 0);
	know(LDAP_KIND_USER, 7, "uid=fry," USERS, "uid", "fry");
	know(LDAP_KIND_GROUP, 1, CREW, "cn", "crew");
	server = (struct ldap_server){.sync = true};
	searched = fails = turns = loaded = 0;
	member = "uid=fry," USERS;
	done = true;
	hidden = false;
	now_s = 1000;
	end_s = 1200;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ldap_map_free(f.map);
	return 0;
}

static struct snapshot_group crew(void)
{
	struct snapshot_group g;

	ldap_map_group(f.map, 0, now_s, &g);
	return g;
}

/* --------------------------------------------------------------------- tests */

/* Two connections lost while it was read, a day apart: not the group's fault. */
static void test_a_group_that_was_read_is_not_suspect(void **state)
{
	(void)state;
	fails = 1;
	assert_int_equal(session_members(&f), LDAP_CONN_E_FAILED);
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), 0);
	fails = 1;
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), LDAP_CONN_E_FAILED);
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), 0);
	assert_int_equal(searched, 4);
	assert_int_equal(crew().age_s, 0);
	fails = 2; /* twice in a row it is */
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), LDAP_CONN_E_FAILED);
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), LDAP_CONN_E_FAILED);
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), 0);
	assert_int_equal(searched, 6);
}

/* A list with a member that makes no sense now may make sense soon. */
static void test_a_bad_list_is_read_again(void **state)
{
	(void)state;
	member = "cn=no name at all,,";
	assert_int_equal(session_members(&f), 0);
	assert_false(crew().complete);
	member = "uid=fry," USERS;
	assert_int_equal(session_run(&f), -EPIPE);
	assert_true(crew().complete);
	assert_int_equal(crew().n_members, 1);
	assert_int_equal(searched, 2); /* and not once more than needed */
}

/* Who is there the list of entries says, which is told of every deletion. A group that
 * cannot be read is not empty, and nobody would say so when it can be read again. */
static void test_a_hidden_group_is_read_again(void **state)
{
	(void)state;
	assert_int_equal(session_members(&f), 0);
	hidden = true;
	ldap_map_want_all(f.map);
	assert_int_equal(session_members(&f), 0);
	now_s += 10;
	assert_int_equal(crew().n_members, 1);
	assert_int_equal(crew().age_s, 10);
	hidden = false;
	assert_int_equal(session_run(&f), -EPIPE);
	assert_int_equal(crew().n_members, 1);
	assert_int_equal(crew().age_s, 0);
}

/* It takes the search and says nothing: another server may be well. */
static void test_a_silent_refresh_ends(void **state)
{
	(void)state;
	done = false;
	assert_int_equal(session_run(&f), LDAP_CONN_E_FAILED);
	assert_false(f.online);
	assert_true(now_s > 1030 && now_s < 1100);
	assert_true(turns < 200);
}

/* Thousands of hosts that came back together do not compare everything together. */
static void test_comparing_is_spread(void **state)
{
	(void)state;
	end_s = now_s + 86400 - 86400 / 8 + 60;
	f.spread = 0;
	assert_int_equal(session_run(&f), -EPIPE);
	assert_int_equal(loaded, 0);
	end_s = now_s + 86400 - 86400 / 8 + 60;
	turns = 0;
	f.lost = false;
	f.spread = FOLLOW_SPREAD_MAX;
	assert_int_equal(session_run(&f), -EPIPE);
	assert_int_equal(loaded, 1);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_group_that_was_read_is_not_suspect),
		T(test_a_bad_list_is_read_again),
		T(test_a_hidden_group_is_read_again),
		T(test_a_silent_refresh_ends),
		T(test_comparing_is_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
