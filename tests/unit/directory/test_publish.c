/* SPDX-License-Identifier: Apache-2.0 */
/* What a map says becomes snapshots and changes; what the guard holds, and what not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/directory/publish.h"

/* ------------------------------------------------------- the map, played by us */

#define PEOPLE_MAX 4096

struct person {
	char login[16], id[32];
	uint32_t groups[4];
	size_t n_groups;
	bool here, dirty;
};

struct ldap_map {
	struct person v[PEOPLE_MAX];
	size_t n;
	const char *group_ids[2];
};

static struct ldap_map map;

static int tell(const struct person *p, ldap_account_fn fn, void *arg)
{
	struct snapshot_account a = {.login = p->login,
				     .id = p->id,
				     .uid = 5000,
				     .flags = SNAPSHOT_DIRECTORY,
				     .groups = p->groups,
				     .n_groups = p->n_groups};

	return fn(arg, p->login, p->here ? &a : NULL);
}

int ldap_map_each(struct ldap_map *m, ldap_account_fn fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n; i++) {
		m->v[i].dirty = false;
		if (m->v[i].here)
			r = tell(&m->v[i], fn, arg);
	}
	return r;
}

int ldap_map_take_dirty(struct ldap_map *m, ldap_account_fn fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n; i++)
		if (m->v[i].dirty) {
			m->v[i].dirty = false;
			r = tell(&m->v[i], fn, arg);
		}
	return r;
}

void ldap_map_group(struct ldap_map *m, size_t i, int64_t now_s,
		    struct snapshot_group *ret)
{
	(void)now_s;
	*ret = (struct snapshot_group){.name = "",
				       .dn = "",
				       .pin = "",
				       .id = m->group_ids[i],
				       .complete = true};
}

/* ------------------------------------------------------------------ helpers */

enum { ADMINS = 0, STAFF = 1 };

static char admins[] = "admins";
static char *guarded[] = {admins};
static const struct config_ldap config = {.guard_share = 30,
					  .guard_growth = 2,
					  .guard_groups = guarded,
					  .n_guard_groups = 1};

static struct person *person(size_t i)
{
	struct person *p = &map.v[i];

	if (i >= map.n) {
		map.n = i + 1;
		(void)snprintf(p->login, sizeof(p->login), "u%zu", i);
		(void)snprintf(p->id, sizeof(p->id), "entryUUID:%zu", i);
	}
	p->dirty = p->here = true;
	return p;
}

static void join(size_t i, uint32_t group)
{
	struct person *p = person(i);

	p->groups[p->n_groups++] = group;
}

static void leave_all(size_t i)
{
	person(i)->n_groups = 0;
}

/* People @from to @to, not included. */
static void all_join(size_t from, size_t to, uint32_t group)
{
	for (size_t i = from; i < to; i++)
		join(i, group);
}

static void all_leave(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		leave_all(i);
}

static struct snapshot *targets(bool staff, const char *pin_login)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	struct snapshot_account a = {.login = pin_login,
				     .id = "entryUUID:else",
				     .uid = UINT32_MAX};
	struct snapshot *s;
	void *block;
	size_t len;

	assert_int_equal(snapshot_builder_new("targets", 0, &b), 0);
	assert_int_equal(snapshot_add_group(b, "admins", true, 0, NULL), 0);
	if (staff)
		assert_int_equal(snapshot_add_group(b, "staff", true, 0, NULL), 0);
	if (pin_login)
		assert_int_equal(snapshot_add_account(b, &a), 0);
	assert_int_equal(snapshot_build_bytes(b, &block, &len), 0);
	assert_int_equal(snapshot_from_bytes(block, len, &s), 0);
	free(block);
	return s;
}

static struct publish *begin(bool staff, const char *pin_login)
{
	struct snapshot *t = targets(staff, pin_login);
	struct publish *p;

	map = (struct ldap_map){.group_ids = {"id:admins", "id:staff"}};
	assert_int_equal(publish_new(&config, &p), 0);
	publish_set_targets(p, t);
	snapshot_unref(t);
	return p;
}

static struct snapshot *whole, *change; /* what a reader has */

static struct publish_result update(struct publish *p, enum publish_scope scope,
				    int64_t now_s)
{
	struct publish_result r;
	struct snapshot *s;

	assert_int_equal(publish_update(p, &map, scope, now_s, &r), 0);
	if (r.fd < 0)
		return r;
	assert_int_equal(snapshot_from_fd(r.fd, &s), 0);
	(void)close(r.fd);
	assert_int_equal(snapshot_base(s) == 0, r.whole);
	snapshot_unref(change);
	change = NULL;
	if (r.whole) {
		snapshot_unref(whole);
		whole = s;
	} else {
		assert_int_equal(snapshot_base(s), snapshot_serial(whole));
		change = s;
	}
	return r;
}

static void finish(struct publish *p)
{
	publish_free(p);
	snapshot_unref(whole);
	snapshot_unref(change);
	whole = change = NULL;
}

/* As rbacd looks people up. Return: number of groups, -1 nobody. */
static int groups_of(size_t i)
{
	struct snapshot_account a;
	char login[16];

	(void)snprintf(login, sizeof(login), "u%zu", i);
	if (change && snapshot_find(change, login, &a))
		return a.flags ? (int)a.n_groups : -1;
	return snapshot_find(whole, login, &a) ? (int)a.n_groups : -1;
}

static bool said(const struct publish_result *r, const char *event)
{
	for (size_t i = 0; i < r->n_events; i++)
		if (str_eq(r->events[i].name, event))
			return true;
	return false;
}

/* ------------------------------------------------------------------- tests */

static void test_whole_then_changes(void **state)
{
	struct publish *p = begin(true, NULL);
	struct publish_result r;

	(void)state;
	all_join(0, 10, STAFF);
	r = update(p, PUBLISH_SWEPT, 100);
	assert_true(r.whole);
	assert_int_equal(r.n_changed, 10);
	leave_all(3);
	r = update(p, PUBLISH_CHANGES, 101);
	assert_false(r.whole);
	assert_int_equal(groups_of(3), 0);
	assert_int_equal(groups_of(4), 1);
	person(4)->here = false;
	r = update(p, PUBLISH_CHANGES, 102);
	assert_int_equal(groups_of(4), -1);
	assert_int_equal(groups_of(3), 0); /* a change holds all since the base */
	assert_int_equal(snapshot_made_s(change), 102);
	r = update(p, PUBLISH_CHANGES, 103); /* nothing: the same, as of now */
	assert_int_equal(r.n_changed, 0);
	assert_int_equal(snapshot_made_s(change), 103);
	assert_int_equal(groups_of(4), -1);
	join(20, STAFF); /* new, and gone again before a base knew of him */
	(void)update(p, PUBLISH_CHANGES, 104);
	assert_int_equal(groups_of(20), 1);
	person(20)->here = false;
	map.v[20].dirty = false;
	(void)update(p, PUBLISH_ALL, 105);
	assert_int_equal(groups_of(20), -1);
	finish(p);
}

static void test_many_changes_make_a_base(void **state)
{
	struct publish *p = begin(true, NULL);
	struct publish_result r;

	(void)state;
	for (size_t i = 0; i < 4000; i++)
		person(i);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(0, 2100);
	for (size_t i = 0; i < 2100; i++)
		(void)snprintf(map.v[i].id, sizeof(map.v[i].id), "entryUUID:x%zu", i);
	r = update(p, PUBLISH_CHANGES, 101);
	assert_true(r.whole);
	assert_int_equal(snapshot_account_count(whole), 4000);
	finish(p);
}

static void test_losses_of_a_sweep_wait(void **state)
{
	struct publish *p = begin(true, NULL);
	struct publish_result r;

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	for (size_t i = 0; i < 10; i++) /* an empty tree is served */
		map.v[i].here = false;
	r = update(p, PUBLISH_SWEPT, 101);
	assert_true(said(&r, "guard"));
	assert_true(*publish_held(p));
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(groups_of(i), 1);
	for (size_t i = 0; i < 9; i++) /* it comes back, one is really gone */
		map.v[i].here = true;
	r = update(p, PUBLISH_CHANGES, 102);
	assert_true(said(&r, "release"));
	assert_int_equal(groups_of(9), -1);
	assert_int_equal(groups_of(8), 1);
	finish(p);
}

static void test_lost_groups_of_a_sweep_wait(void **state)
{
	struct publish *p = begin(true, NULL);

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(0, 5);
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_int_equal(groups_of(0), 1);
	publish_reject(p);
	(void)update(p, PUBLISH_CHANGES, 102);
	assert_int_equal(groups_of(0), 1);
	publish_accept(p);
	(void)update(p, PUBLISH_CHANGES, 103);
	assert_int_equal(groups_of(0), 0);
	assert_string_equal(publish_held(p), "");
	finish(p);
}

/* What the server takes away by itself is applied, however much it is. */
static void test_told_losses_are_applied(void **state)
{
	struct publish *p = begin(true, NULL);
	struct publish_result r;

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(0, 10);
	r = update(p, PUBLISH_CHANGES, 101);
	assert_false(said(&r, "guard"));
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(groups_of(i), 0);
	finish(p);
}

/* Whoever can make many vanish must not delay the removal of another one. */
static void test_told_losses_are_applied_while_held(void **state)
{
	struct publish *p = begin(true, NULL);

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(0, 5);
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_string_not_equal(publish_held(p), "");
	leave_all(9);
	(void)update(p, PUBLISH_CHANGES, 102);
	assert_int_equal(groups_of(9), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(groups_of(i), 1);
	(void)update(p, PUBLISH_CHANGES, 103);
	assert_int_equal(groups_of(9), 0);
	assert_int_equal(groups_of(0), 1);
	assert_string_not_equal(publish_held(p), "");
	finish(p);
}

/* Most people of a directory are in none of the policy's groups: they must not make the
 * loss of all who are look small. */
static void test_lost_groups_are_compared_with_groups(void **state)
{
	struct publish *p = begin(true, NULL);

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		person(i);
	all_join(0, 40, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(0, 40); /* the groups' tree is served empty */
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_string_not_equal(publish_held(p), "");
	assert_int_equal(groups_of(0), 1);
	all_join(9, 40, STAFF); /* and comes back, without nine of them */
	(void)update(p, PUBLISH_SWEPT, 102);
	assert_string_equal(publish_held(p), "");
	assert_int_equal(groups_of(8), 0);
	assert_int_equal(groups_of(9), 1);
	all_leave(9, 21); /* 12 of 31 */
	(void)update(p, PUBLISH_SWEPT, 103);
	assert_int_equal(groups_of(9), 1);
	finish(p);
}

/* Few people with access: all at once waits, one of them does not. */
static void test_the_last_ones(void **state)
{
	struct publish *p = begin(true, NULL);

	(void)state;
	for (size_t i = 0; i < 100; i++)
		person(i);
	all_join(0, 3, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	leave_all(0);
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_int_equal(groups_of(0), 0);
	leave_all(1);
	leave_all(2);
	(void)update(p, PUBLISH_SWEPT, 102);
	assert_int_equal(groups_of(1), 1);
	assert_int_equal(groups_of(2), 1);
	publish_accept(p);
	(void)update(p, PUBLISH_CHANGES, 103);
	join(1, STAFF);
	(void)update(p, PUBLISH_CHANGES, 104);
	leave_all(1); /* the only one */
	(void)update(p, PUBLISH_SWEPT, 105);
	assert_int_equal(groups_of(1), 0);
	finish(p);
}

/* What is held for one person is not given to another who took his login. */
static void test_held_groups_are_not_inherited(void **state)
{
	struct publish *p = begin(true, NULL);
	struct snapshot_account a;

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(0, 10);
	(void)snprintf(map.v[3].id, sizeof(map.v[3].id), "entryUUID:thief");
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_string_not_equal(publish_held(p), "");
	assert_int_equal(groups_of(2), 1);
	assert_int_equal(groups_of(3), 0);
	assert_true(snapshot_find(change ? change : whole, "u3", &a));
	assert_string_equal(a.id, "entryUUID:thief");
	(void)update(p, PUBLISH_CHANGES, 102);
	assert_int_equal(groups_of(3), 0);
	finish(p);
}

/* An order is about what is held, never about what may come. */
static void test_accept_is_no_voucher(void **state)
{
	struct publish *p = begin(true, NULL);

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	publish_accept(p);
	for (size_t i = 0; i < 10; i++)
		map.v[i].here = false;
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_int_equal(groups_of(0), 1);
	publish_accept(p);
	publish_forget_orders(
		p); /* the connection is lost, the next says other things */
	(void)update(p, PUBLISH_SWEPT, 102);
	assert_int_equal(groups_of(0), 1);
	finish(p);
}

static void test_guarded_group_grows_slowly(void **state)
{
	struct publish *p = begin(true, NULL);
	struct publish_result r;

	(void)state;
	all_join(0, 100, STAFF);
	(void)update(p, PUBLISH_SWEPT, 1000);
	map.v[0].n_groups = map.v[1].n_groups = 0;
	join(0, ADMINS), join(0, STAFF);
	join(1, ADMINS), join(1, STAFF);
	r = update(p, PUBLISH_CHANGES, 1001);
	assert_false(said(&r, "guard"));
	assert_int_equal(groups_of(0), 2);
	/* One by one within ten minutes is no way around; a loss beside it holds. */
	map.v[2].n_groups = 0;
	join(2, ADMINS), join(2, STAFF);
	leave_all(0);
	r = update(p, PUBLISH_CHANGES, 1002);
	assert_true(said(&r, "guard"));
	assert_int_equal(groups_of(2), 1);
	assert_int_equal(groups_of(0), 0);
	r = update(p, PUBLISH_CHANGES, 1003);
	assert_int_equal(groups_of(2), 1);
	publish_accept(p);
	r = update(p, PUBLISH_CHANGES, 1004);
	assert_true(said(&r, "accepted"));
	assert_int_equal(groups_of(2), 2);
	finish(p);
}

static void test_many_gains_wait(void **state)
{
	struct publish *p = begin(true, NULL);

	(void)state;
	for (size_t i = 0; i < 20; i++)
		person(i);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_join(0, 12, STAFF);
	join(30, STAFF); /* somebody new among them */
	(void)update(p, PUBLISH_CHANGES, 101);
	assert_int_equal(groups_of(0), 0);
	assert_int_equal(groups_of(30), -1);
	finish(p);
}

static void test_another_object_gives_nothing(void **state)
{
	struct publish *p = begin(true, NULL);
	struct publish_result r;

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	map.group_ids[STAFF] = ""; /* deleted: everybody is out */
	all_leave(0, 10);
	(void)update(p, PUBLISH_CHANGES, 101);
	map.group_ids[STAFF] = "id:attacker"; /* and made again */
	join(1, STAFF);
	r = update(p, PUBLISH_CHANGES, 102);
	assert_true(said(&r, "group"));
	assert_true(said(&r, "guard"));
	assert_int_equal(groups_of(1), 0);
	publish_accept(p);
	(void)update(p, PUBLISH_CHANGES, 103);
	assert_int_equal(groups_of(1), 1);
	finish(p);
}

static void test_pinned_login_is_nobody_elses(void **state)
{
	struct publish *p = begin(true, "u1");
	struct publish_result r;

	(void)state;
	join(1, STAFF);
	join(2, STAFF);
	r = update(p, PUBLISH_SWEPT, 100);
	assert_true(said(&r, "people"));
	assert_int_equal(groups_of(1), -1);
	assert_int_equal(groups_of(2), 1);
	finish(p);
}

/* While something is held all is compared every few seconds; what was told once is not
 * told again each time. */
static void test_no_news_while_held(void **state)
{
	struct publish *p = begin(true, "u1");
	struct publish_result r;

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	all_leave(5, 10);
	(void)update(p, PUBLISH_SWEPT, 101);
	assert_string_not_equal(publish_held(p), "");
	r = update(p, PUBLISH_CHANGES, 102);
	assert_int_equal(r.n_events, 0);
	(void)person(1); /* something about him changed */
	r = update(p, PUBLISH_CHANGES, 103);
	assert_true(said(&r, "people"));
	finish(p);
}

/* A group that the policy names only now is no gain, and nothing else changes. */
static void test_new_targets(void **state)
{
	struct publish *p = begin(false, NULL);
	struct publish_result r;
	struct snapshot *t;

	(void)state;
	all_join(0, 20, ADMINS);
	(void)update(p, PUBLISH_SWEPT, 100);
	t = targets(true, NULL);
	publish_set_targets(p, t);
	snapshot_unref(t);
	all_join(0, 20, STAFF);
	r = update(p, PUBLISH_CHANGES, 101);
	assert_true(r.whole);
	assert_false(said(&r, "guard"));
	assert_int_equal(groups_of(7), 2);
	finish(p);
}

/* A new follower begins with what was published before it. */
static void test_compared_with_the_last(void **state)
{
	struct publish *p = begin(true, NULL), *next;
	struct publish_result r;
	struct snapshot *t = targets(true, NULL);

	(void)state;
	all_join(0, 10, STAFF);
	(void)update(p, PUBLISH_SWEPT, 100);
	leave_all(0);
	(void)update(p, PUBLISH_CHANGES, 101);
	assert_int_equal(publish_new(&config, &next), 0);
	publish_set_last(next, whole, change);
	publish_set_targets(next, t);
	snapshot_unref(t);
	for (size_t i = 0; i < 10; i++)
		map.v[i].here = false;
	r = update(next, PUBLISH_SWEPT, 102);
	assert_true(said(&r, "guard"));
	assert_int_equal(groups_of(0), 0);
	assert_int_equal(groups_of(5), 1);
	assert_true(snapshot_serial(whole) > 2);
	publish_free(p);
	finish(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_then_changes),
		cmocka_unit_test(test_many_changes_make_a_base),
		cmocka_unit_test(test_losses_of_a_sweep_wait),
		cmocka_unit_test(test_lost_groups_of_a_sweep_wait),
		cmocka_unit_test(test_told_losses_are_applied),
		cmocka_unit_test(test_told_losses_are_applied_while_held),
		cmocka_unit_test(test_lost_groups_are_compared_with_groups),
		cmocka_unit_test(test_the_last_ones),
		cmocka_unit_test(test_held_groups_are_not_inherited),
		cmocka_unit_test(test_accept_is_no_voucher),
		cmocka_unit_test(test_guarded_group_grows_slowly),
		cmocka_unit_test(test_many_gains_wait),
		cmocka_unit_test(test_another_object_gives_nothing),
		cmocka_unit_test(test_pinned_login_is_nobody_elses),
		cmocka_unit_test(test_no_news_while_held),
		cmocka_unit_test(test_new_targets),
		cmocka_unit_test(test_compared_with_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
