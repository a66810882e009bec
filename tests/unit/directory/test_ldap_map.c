/* SPDX-License-Identifier: Apache-2.0 */
/* Entries to accounts: who is in which of the policy's groups, after every change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/directory/ldap_fixture.h"

static struct ldap_map *map;
static const struct ldap_schema *schema;
static char said[4096]; /* "alice:0,2 bob: -carol" */

static int note(void *arg, const char *login, const struct snapshot_account *a)
{
	size_t at = strlen(said);

	(void)arg;
	at += (size_t)snprintf(said + at, sizeof(said) - at, "%s%s%s", at ? " " : "",
			       a ? "" : "-", login);
	if (!a)
		return 0;
	at += (size_t)snprintf(said + at, sizeof(said) - at,
			       a->flags & SNAPSHOT_DISABLED ? "!" : ":");
	for (size_t i = 0; i < a->n_groups; i++)
		at += (size_t)snprintf(said + at, sizeof(said) - at, "%s%u",
				       i ? "," : "", a->groups[i]);
	return 0;
}

static const char *changes(void)
{
	said[0] = '\0';
	assert_int_equal(ldap_map_take_dirty(map, note, NULL), 0);
	return said;
}

static bool has(const char *what)
{
	char all[sizeof(said) + 2], one[256];

	said[0] = '\0';
	assert_int_equal(ldap_map_each(map, note, NULL), 0);
	(void)snprintf(all, sizeof(all), " %s ", said);
	(void)snprintf(one, sizeof(one), " %s ", what);
	return strstr(all, one) != NULL;
}

static void start(const char *preset, const char *const *targets, size_t n)
{
	struct ldap_map_options o = {.users_base = USERS, .groups_base = GROUPS};
	_cleanup_snapshot_ struct snapshot *s = targets_of(targets, n);

	schema = ldap_schema_find(preset);
	assert_non_null(schema);
	o.schema = schema;
	o.seed = 7;
	assert_non_null(s);
	assert_int_equal(ldap_map_new(&o, &map), 0);
	assert_int_equal(ldap_map_set_targets(map, s), 0);
}

static int teardown(void **state)
{
	(void)state;
	ldap_map_free(map);
	map = NULL;
	return 0;
}

static int user(unsigned id, const char *login, const char *uid)
{
	struct made m;
	char dn[256];

	(void)snprintf(dn, sizeof(dn), "uid=%s," USERS, login);
	made_new(&m, id, dn);
	made_text(&m, schema->login, login);
	made_text(&m, "uidNumber", uid);
	return ldap_map_put(map, LDAP_KIND_USER, &m.e);
}

static int group(unsigned id, const char *name)
{
	struct made m;
	char dn[256];

	(void)snprintf(dn, sizeof(dn), "cn=%s," GROUPS, name);
	made_new(&m, id, dn);
	made_text(&m, schema->group_name, name);
	return ldap_map_put(map, LDAP_KIND_GROUP, &m.e);
}

/* One answer with all members: "u:alice" a person's DN, "g:ops" a group's, else raw. */
static int members_of(unsigned id, const char *attr, const char *const *list, size_t n)
{
	struct ldap_id gid = id_of(id);
	char text[16][256];
	uint64_t next = 1;
	struct made m;
	int r;

	made_new(&m, id, "cn=any," GROUPS);
	made_attr(&m, attr);
	for (size_t i = 0; i < n; i++) {
		const char *rest = list[i] + 2;

		if (list[i][0] == 'u' && list[i][1] == ':')
			(void)snprintf(text[i], 256, "UID=%s, OU=People,DC=X", rest);
		else if (list[i][0] == 'g' && list[i][1] == ':')
			(void)snprintf(text[i], 256, "cn=%s," GROUPS, rest);
		else
			(void)snprintf(text[i], 256, "%s", list[i]);
		made_value(&m, text[i], strlen(text[i]));
	}
	r = ldap_map_members_begin(map, &gid);
	if (r == 0)
		r = ldap_map_members_add(map, &m.e, &next);
	if (r == 0)
		assert_int_equal(next, 0);
	return ldap_map_members_end(map, LDAP_READ_DONE, 1000) == 0 ? r : -1;
}

#define MEMBERS(id, ...)                                                               \
	assert_int_equal(members_of(id, "member", (const char *const[]){__VA_ARGS__},  \
				    ARRAY_SIZE(((const char *const[]){__VA_ARGS__}))), \
			 0)
#define START(preset, ...)                                                             \
	start(preset, (const char *const[]){__VA_ARGS__},                              \
	      ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static struct snapshot_group target(size_t i)
{
	struct snapshot_group g;

	ldap_map_group(map, i, 1100, &g);
	return g;
}

static size_t wanted(void)
{
	struct ldap_wanted w;
	size_t n = 0;

	while (ldap_map_next_wanted(map, &w))
		n++;
	return n;
}

/* -------------------------------------------------------------- members */

static void test_members(void **state)
{
	(void)state;
	START("rfc2307bis", "admins", "ops");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(user(2, "bob", "2002"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(group(11, "ops"), 0);
	assert_int_equal(group(12, "other"), 0);
	assert_false(target(0).complete);
	assert_int_equal(wanted(), 2); /* other is not the policy's */
	MEMBERS(10, "u:alice");
	MEMBERS(11, "u:alice", "u:bob", "u:nobody", "cn=x,dc=elsewhere");
	assert_true(has("alice:0,1") && has("bob:1"));
	assert_true(target(0).complete);
	assert_int_equal(target(1).n_members, 2);
	assert_string_equal(changes(), "");
	MEMBERS(11, "u:bob");
	assert_string_equal(changes(), "alice:0");
	assert_int_equal(target(1).n_members, 1);
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_string_equal(changes(), ""); /* nothing new */
	assert_int_equal(user(3, "nobody", "2003"), 0);
	MEMBERS(11, "u:bob", "u:nobody");
	assert_string_equal(changes(), "nobody:1");
}

static void test_forms(void **state)
{
	const char *const unique[] = {"uid=alice," USERS "#'01'B"};
	const char *const uids[] = {"alice", "Alice", ""};

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(wanted(), 1);
	assert_int_equal(members_of(10, "uniqueMember", unique, 1), 0);
	assert_true(has("alice:0"));
	ldap_map_free(map);
	START("rfc2307", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(wanted(), 1);
	assert_int_equal(members_of(10, "memberUid", uids, 3), 0);
	assert_true(has("alice:0"));
	assert_int_equal(members_of(10, "memberUid", uids + 1, 2), 0);
	assert_true(has("alice:")); /* memberUid knows capital letters */
}

static void test_nested(void **state)
{
	(void)state;
	START("rfc2307bis", "top");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "top"), 0);
	assert_int_equal(group(11, "mid"), 0);
	assert_int_equal(group(12, "low"), 0);
	assert_int_equal(wanted(), 1);
	MEMBERS(10, "g:mid");
	assert_int_equal(wanted(), 1);
	MEMBERS(11, "g:low", "g:top"); /* a cycle */
	assert_int_equal(wanted(), 1);
	assert_false(target(0).complete);
	MEMBERS(12, "u:alice");
	assert_true(target(0).complete);
	assert_true(has("alice:0"));
	assert_int_equal(target(0).n_members, 1);
	MEMBERS(10, "u:nobody"); /* the closure shrinks */
	assert_string_equal(changes(), "alice:");
	MEMBERS(10, "g:mid");
	assert_int_equal(wanted(), 1); /* its list was given up */
}

static void test_too_deep(void **state)
{
	char name[32], sub[32];
	const char *const list[] = {sub};

	(void)state;
	START("rfc2307bis", "n0", "n2");
	assert_int_equal(user(1, "alice", "2001"), 0);
	for (unsigned i = 0; i < 19; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(group(100 + i, name), 0);
	}
	for (unsigned i = 0; i < 18; i++) {
		(void)wanted();
		(void)snprintf(sub, sizeof(sub), "g:n%u", i + 1);
		assert_int_equal(members_of(100 + i, "member", list, 1), 0);
	}
	(void)wanted();
	MEMBERS(118, "u:alice");
	assert_true(has("alice:1")); /* 18 below n0, 16 below n2 */
	assert_false(target(0).complete);
	assert_string_equal(ldap_map_problem(map, 0), "nested deeper than 16");
	assert_true(target(1).complete);
}

/* ------------------------------------------------------------ incomplete */

static void test_kept(void **state)
{
	struct ldap_id id = id_of(10);

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(wanted(), 1);
	assert_int_equal(ldap_map_members_begin(map, &id), 0);
	assert_int_equal(ldap_map_members_end(map, LDAP_READ_CUT, 1000), 0);
	assert_false(target(0).complete); /* none yet */
	MEMBERS(10, "u:alice");
	assert_int_equal(target(0).age_s, 0);
	assert_int_equal(ldap_map_members_begin(map, &id), 0);
	assert_int_equal(ldap_map_members_end(map, LDAP_READ_TOO_LARGE, 1000), 0);
	assert_int_equal(ldap_map_members_begin(map, &id), 0);
	assert_int_equal(ldap_map_members_end(map, LDAP_READ_CUT, 1050), 0);
	assert_true(target(0).complete);
	assert_int_equal(target(0).age_s, 100); /* since the first failure */
	assert_true(has("alice:0"));
	assert_int_equal(members_of(10, "member", (const char *const[]){"garbage"}, 1),
			 0);
	assert_true(has("alice:0"));
	assert_string_equal(ldap_map_problem(map, 0), "its members cannot be read");
	assert_int_equal(members_of(10, "member;lang-de",
				    (const char *const[]){"u:bob"}, 1),
			 0);
	assert_true(has("alice:0"));
	MEMBERS(10, "u:bob");
	assert_int_equal(target(0).age_s, 0);
	assert_null(ldap_map_problem(map, 0));
	assert_true(has("alice:"));
}

static int range(const char *attr, const char *const *list, size_t n, uint64_t *ret)
{
	struct made m;

	made_new(&m, 10, "cn=admins," GROUPS);
	made_text(&m, "member", NULL); /* AD sends it empty beside the range */
	made_attr(&m, attr);
	for (size_t i = 0; i < n; i++)
		made_value(&m, list[i], strlen(list[i]));
	return ldap_map_members_add(map, &m.e, ret);
}

static void test_ranges(void **state)
{
	const char *const a[] = {"uid=alice," USERS, "uid=bob," USERS};
	const char *const b[] = {"uid=carol," USERS};
	static const char *const wrong[][2] = {
		{"member;range=1-2", "member;range=2-*"}, /* does not start at 0 */
		{"member;range=0-1", "member;range=3-*"}, /* a hole */
		{"member;range=0-1", "member"},		  /* the rest does not come */
		{"member;range=0-5", "member;range=6-*"}, /* shorter than it says */
		{"member;range=0-1x", "member;range=2-*"},
		{"member;range=1-0", "member;range=1-*"},
	};
	struct ldap_id id = id_of(10);
	uint64_t next;

	(void)state;
	START("ad", "admins");
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(wanted(), 1);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(ldap_map_members_begin(map, &id), 0);
		assert_int_equal(range(wrong[i][0], a, 2, &next), 0);
		assert_int_equal(range(wrong[i][1], b, 1, &next), 0);
		assert_int_equal(ldap_map_members_end(map, LDAP_READ_DONE, 1), 0);
		if (target(0).complete)
			fail_msg("range %zu taken", i);
	}
	assert_int_equal(ldap_map_members_begin(map, &id), 0);
	assert_int_equal(range("member;range=0-1", a, 2, &next), 0);
	assert_int_equal(next, 2);
	assert_int_equal(ldap_map_members_end(map, LDAP_READ_DONE, 1), 0);
	assert_false(target(0).complete); /* the last part is missing */
	assert_int_equal(ldap_map_members_begin(map, &id), 0);
	assert_int_equal(range("member;Range=0-1", a, 2, &next), 0);
	assert_int_equal(range("member;range=2-*", b, 1, &next), 0);
	assert_int_equal(next, 0);
	assert_int_equal(ldap_map_members_end(map, LDAP_READ_DONE, 1), 0);
	assert_true(target(0).complete);
}

static void test_million(void **state)
{
	struct ldap_id id = id_of(10);
	char dn[64];
	uint64_t next;
	int r = 0;

	(void)state;
	START("rfc2307bis", "admins", "ops");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(group(11, "ops"), 0);
	assert_int_equal(wanted(), 2);
	assert_int_equal(ldap_map_members_begin(map, &id), 0);
	for (unsigned i = 0; r == 0 && i < LDAP_MEMBERS_MAX; i++) {
		struct made m;

		made_new(&m, 10, "cn=admins," GROUPS);
		(void)snprintf(dn, sizeof(dn), "uid=ghost%u," USERS, i);
		made_text(&m, "member", dn);
		r = ldap_map_members_add(map, &m.e, &next);
	}
	assert_int_equal(r, LDAP_MAP_E_FULL);
	assert_int_equal(ldap_map_members_end(map, LDAP_READ_DONE, 5), 0);
	assert_false(target(0).complete);
	assert_string_equal(ldap_map_problem(map, 0), "too large");
	MEMBERS(11, "u:alice");
	assert_true(target(1).complete);
	assert_true(has("alice:1"));
}

/* --------------------------------------------------------------- identity */

static void test_pins(void **state)
{
	static const char pin[] =
		"admins||ENTRYUUID:000a0000-0000-0000-0000-000000000000";

	(void)state;
	START("rfc2307bis", pin, "bad||objectGUID:1", "ops|CN=Ops, " GROUPS);
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(11, "admins"), 0); /* the right name, another object */
	assert_int_equal(wanted(), 0);
	assert_string_equal(ldap_map_problem(map, 0), "no group with this id");
	assert_false(target(1).complete);
	assert_int_equal(group(10, "whatever"), 0);
	assert_int_equal(group(12, "ops"), 0);
	assert_int_equal(wanted(), 2);
	MEMBERS(10, "u:alice");
	MEMBERS(12, "u:alice");
	assert_true(has("alice:0,2"));
	assert_string_equal(target(0).id,
			    "entryUUID:000a0000-0000-0000-0000-000000000000");
	assert_int_equal(group(10, "renamed"), 0);
	assert_true(has("alice:0,2"));
	assert_int_equal(group(12, "renamed2"), 0); /* asked for by dn */
	assert_string_equal(changes(), "alice:0");
	assert_int_equal(group(13, "ops"), 0); /* made anew: no members known */
	assert_false(target(2).complete);
}

static void test_recreated(void **state)
{
	struct ldap_id id = id_of(1);

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(wanted(), 1);
	MEMBERS(10, "u:alice");
	assert_true(has("alice:0"));
	assert_int_equal(user(2, "alice", "2009"), 0); /* the same DN, a new object */
	assert_string_equal(changes(), "alice:0");
	assert_int_equal(ldap_map_delete(map, LDAP_KIND_USER, &id), 0);
	assert_string_equal(changes(), "");
	assert_int_equal(group(11, "admins"), 0);
	assert_string_equal(changes(), "alice:"); /* of another id: nothing inherited */
	id = id_of(2);
	assert_int_equal(ldap_map_delete(map, LDAP_KIND_USER, &id), 0);
	assert_string_equal(changes(), "-alice");
}

static void test_same_name(void **state)
{
	struct made m;

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(group(10, "admins"), 0);
	made_new(&m, 11, "cn=ADMINS,ou=evil," GROUPS);
	made_text(&m, "cn", "Admins");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_GROUP, &m.e), 0);
	assert_false(target(0).complete);
	assert_string_equal(ldap_map_problem(map, 0), "several groups have this name");
	m.id = id_of(10);
	assert_int_equal(ldap_map_delete(map, LDAP_KIND_GROUP, &m.id), 0);
	assert_null(strstr(ldap_map_problem(map, 0), "several"));
	made_new(&m, 12, "cn=admins,ou=elsewhere,dc=x");
	made_text(&m, "cn", "admins");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_GROUP, &m.e), LDAP_MAP_E_DROPPED);
}

/* What was left out may be the group that a rule means: then it is unknown, not empty,
 * or the rules that deny its members would be off. */
static void test_left_out_group_is_unknown(void **state)
{
	struct made m;

	(void)state;
	START("rfc2307bis", "ghosts", "ops|cn=ops," GROUPS);
	assert_int_equal(group(10, "ops"), 0);
	assert_true(target(0).complete);
	made_new(&m, 11,
		 "cn=ops , " GROUPS); /* the same name to us, not to the server */
	made_text(&m, "cn", "ops");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_GROUP, &m.e), LDAP_MAP_E_DROPPED);
	assert_false(target(1).complete);
	assert_false(target(0).complete);
	ldap_map_refresh_begin(map, LDAP_KIND_GROUP);
	ldap_map_refresh_keep(map, LDAP_KIND_GROUP); /* a refresh that lists little */
	assert_false(target(1).complete);
	ldap_map_refresh_begin(map, LDAP_KIND_GROUP);
	assert_int_equal(ldap_map_refresh_end(map, LDAP_KIND_GROUP), 0);
	assert_true(target(1).complete); /* none of them is there any more */
	made_new(&m, 12, "cn=ghosts,ou=elsewhere,dc=x");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_GROUP, &m.e), LDAP_MAP_E_DROPPED);
	assert_true(target(0).complete); /* nobody asked for that tree */
	made_new(&m, 13, "cn=ghosts," GROUPS);
	made_text(&m, "entryUUID", "00000000-0000-0000-0000-000000000000");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_GROUP, &m.e), LDAP_MAP_E_DROPPED);
	assert_false(target(0).complete);
}

static size_t n_drops;
static enum ldap_drop last_drop;

static void dropped(void *arg, const char *dn, const char *login, enum ldap_drop why)
{
	(void)arg;
	assert_non_null(dn);
	assert_non_null(login);
	assert_string_not_equal(ldap_drop_name(why), "unknown");
	last_drop = why;
	n_drops++;
}

static enum ldap_drop drop(void)
{
	assert_string_not_equal(changes(), "never");
	n_drops = 0;
	last_drop = 0;
	ldap_map_take_drops(map, dropped, NULL);
	return last_drop;
}

static void test_logins(void **state)
{
	_cleanup_snapshot_ struct snapshot *local = local_of("root");
	struct ldap_map_stats s;
	struct made m;

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(ldap_map_set_local(map, local), 0);
	assert_int_equal(user(1, "Root", "2001"), 0);
	assert_int_equal(drop(), LDAP_DROP_LOCAL_NAME);
	assert_int_equal(user(2, "alice", "2002"), 0);
	assert_true(has("alice:"));
	made_new(&m, 3, "uid=x,ou=other," USERS);
	made_text(&m, "uid", "ALICE");
	made_text(&m, "uidNumber", "2003");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), 0);
	assert_string_equal(changes(), "-alice"); /* neither of the two */
	assert_int_equal(drop(), LDAP_DROP_TWICE);
	assert_int_equal(n_drops, 0 + 2);
	ldap_map_stats(map, &s);
	assert_int_equal(s.n_people, 0);
	assert_int_equal(s.n_dropped, 3);
	m.id = id_of(2);
	assert_int_equal(ldap_map_delete(map, LDAP_KIND_USER, &m.id), 0);
	assert_string_equal(changes(), "ALICE:");
	assert_int_equal(user(5, "daemon1", "999"), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_SYSTEM_UID);
	assert_int_equal(user(5, "zero", "0"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "neg", "-1"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "nobody", "65534"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "dyn", "61184"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "wrap", "4294967296"), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_SYSTEM_UID);
	assert_int_equal(user(5, "text", "12ab"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "none", NULL), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_NO_UID);
	assert_int_equal(user(5, "bad name", "2001"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "caf\xc3\xa9", "2001"), LDAP_MAP_E_DROPPED);
	assert_int_equal(user(5, "../x", "2001"), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_NO_LOGIN);
}

static void test_odd_entries(void **state)
{
	struct made m;

	(void)state;
	START("rfc2307bis", "admins");
	made_new(&m, 1, "uid=a," USERS);
	made_text(&m, "uid", "a");
	made_value(&m, "b", 1);
	made_text(&m, "uidNumber", "2001");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_NO_LOGIN);
	made_new(&m, 1, "uid=a," USERS);
	made_text(&m, "entryUUID", "00020000-0000-0000-0000-000000000000");
	made_text(&m, "uid", "a");
	made_text(&m, "uidNumber", "2001");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_ID_DIFFERS);
	m.e.id = NULL;
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), 0);
	assert_true(has("a:"));
	m.e.dn = "uid=a,ou=people,dc=y";
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_BAD_DN);
	assert_false(has("a:"));
	m.e.dn = "uid=a," USERS;
	m.values[0].len--;
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_NO_ID);
}

/* Names that one server tells apart and our normal form does not: nobody. */
static void test_same_dn(void **state)
{
	struct made m;

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(wanted(), 1);
	MEMBERS(10, "u:alice");
	assert_true(has("alice:0"));
	made_new(&m, 2, "uid=alice , " USERS);
	made_text(&m, "uid", "mallory");
	made_text(&m, "uidNumber", "2002");
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_ID_TWICE);
	assert_false(has("mallory:0"));
	assert_false(has("alice:0"));
}

/* ---------------------------------------------------------------- refresh */

static void test_refresh(void **state)
{
	struct ldap_id one = id_of(1), four = id_of(4);

	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(user(2, "bob", "2002"), 0);
	assert_int_equal(user(3, "carol", "2003"), 0);
	assert_true(has("bob:"));
	ldap_map_refresh_begin(map, LDAP_KIND_USER);
	assert_true(ldap_map_present(map, LDAP_KIND_USER, &one));
	assert_false(ldap_map_present(map, LDAP_KIND_USER, &four));
	assert_int_equal(user(2, "bob", "2002"), 0);
	assert_int_equal(ldap_map_absent(map, LDAP_KIND_USER), 1);
	assert_true(has("carol:")); /* not before the end */
	assert_int_equal(ldap_map_refresh_end(map, LDAP_KIND_USER), 0);
	assert_string_equal(changes(), "-carol");
	ldap_map_refresh_begin(map, LDAP_KIND_USER);
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(user(1, "mallory", "2001"), LDAP_MAP_E_DROPPED);
	assert_int_equal(drop(), LDAP_DROP_ID_TWICE);
}

static void test_retarget(void **state)
{
	const char *const more[] = {"ops", "zz"};
	_cleanup_snapshot_ struct snapshot *s = targets_of(more, 2);

	(void)state;
	START("rfc2307bis", "admins", "ops");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(group(10, "admins"), 0);
	assert_int_equal(group(11, "ops"), 0);
	assert_int_equal(wanted(), 2);
	MEMBERS(10, "u:alice");
	MEMBERS(11, "u:alice");
	assert_true(has("alice:0,1"));
	assert_int_equal(ldap_map_set_targets(map, s), 0);
	assert_int_equal(wanted(), 0); /* ops is known: no gap */
	assert_true(target(0).complete);
	assert_string_equal(changes(), "alice:0");
	assert_string_equal(ldap_map_problem(map, 1), "no group of this name");
}

/* ----------------------------------------------------------------- status */

static int with(const char *preset, const char *attr, const char *value)
{
	struct made m;
	int r;

	START(preset, "admins");
	made_new(&m, 1, "uid=a," USERS);
	made_text(&m, schema->login, "a");
	made_text(&m, "uidNumber", "2001");
	if (!str_eq(attr, "userAccountControl") && str_eq(preset, "ad"))
		made_text(&m, "userAccountControl", "512");
	made_text(&m, attr, value);
	r = ldap_map_put(map, LDAP_KIND_USER, &m.e);
	return r;
}

static int64_t expires;

static int note_expiry(void *arg, const char *login, const struct snapshot_account *a)
{
	(void)arg;
	(void)login;
	expires = a->flags & SNAPSHOT_DISABLED ? -1 : a->expires_s;
	return 0;
}

static void test_status(void **state)
{
	static const struct {
		const char *preset, *attr, *value;
		int64_t wanted; /* 0 never, -1 off, -2 dropped */
	} table[] = {
		{"rfc2307", "shadowExpire", "-1", 0},
		{"rfc2307", "shadowExpire", "0", -1},
		{"rfc2307", "shadowExpire", "20000", 20000 * INT64_C(86400)},
		{"rfc2307", "shadowExpire", "-2", -2},
		{"rfc2307", "shadowExpire", "soon", -2},
		{"rfc2307bis", "pwdAccountLockedTime", "000001010000Z", -1},
		{"rfc2307bis", "pwdAccountLockedTime", "20260101000000Z", -1},
		{"rfc2307bis", "nsAccountLock", "TRUE", 0}, /* of another server */
		{"ipa", "nsAccountLock", "TRUE", -1},
		{"ipa", "nsaccountlock", "true", -1},
		{"ipa", "nsAccountLock", "false", 0},
		{"ipa", "nsAccountLock", "", -2},
		{"ipa", "nsAccountLock", "maybe", -2},
		{"ipa", "krbPrincipalExpiration", "20300101000000Z", 1893456000},
		{"ipa", "krbPrincipalExpiration", "19690101000000Z", -1},
		{"ipa", "krbPrincipalExpiration", "20301301000000Z", -2},
		{"ad", "userAccountControl", "512", 0},
		{"ad", "userAccountControl", "514", -1},
		{"ad", "userAccountControl", "528", -1},
		{"ad", "userAccountControl", "66048", 0},
		{"ad", "userAccountControl", "4096", -2}, /* a machine */
		{"ad", "userAccountControl", "x", -2},
		{"ad", "userAccountControl", NULL, -2},
		{"ad", "accountExpires", "0", 0},
		{"ad", "accountExpires", "9223372036854775807", 0},
		{"ad", "accountExpires", "133801632000000000", 1735689600},
		{"ad", "accountExpires", "1", -1},
		{"ad", "accountExpires", "9223372036854775808", -2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int r = with(table[i].preset, table[i].attr, table[i].value);

		expires = -2;
		assert_int_equal(ldap_map_each(map, note_expiry, NULL), 0);
		if (expires != table[i].wanted || (r == 0) != (table[i].wanted != -2))
			fail_msg("%s %s %s: %lld", table[i].preset, table[i].attr,
				 table[i].value ? table[i].value : "-",
				 (long long)expires);
		ldap_map_free(map);
		map = NULL;
	}
}

static void test_primary_group(void **state)
{
	/* S-1-5-21-1-1000 and S-1-5-21-1-513 */
	static const uint8_t person[] = {1, 3, 0, 0, 0, 0, 0,	5, 21, 0,
					 0, 0, 1, 0, 0, 0, 232, 3, 0,  0};
	static const uint8_t users[] = {1, 3, 0, 0, 0, 0, 0, 5, 21, 0,
					0, 0, 1, 0, 0, 0, 1, 2, 0,  0};
	struct made m;

	(void)state;
	START("ad", "users");
	made_new(&m, 1, "cn=A," USERS);
	made_text(&m, "sAMAccountName", "a");
	made_text(&m, "userAccountControl", "512");
	made_text(&m, "primaryGroupID", "513");
	made_attr(&m, "objectSid");
	made_value(&m, person, sizeof(person));
	assert_int_equal(ldap_map_put(map, LDAP_KIND_USER, &m.e), 0);
	assert_true(has("a:"));
	made_new(&m, 10, "cn=Users," GROUPS);
	made_text(&m, "sAMAccountName", "Users");
	made_attr(&m, "objectSid");
	made_value(&m, users, sizeof(users));
	assert_int_equal(ldap_map_put(map, LDAP_KIND_GROUP, &m.e), 0);
	assert_int_equal(wanted(), 1);
	assert_int_equal(members_of(10, "member", NULL, 0), 0);
	assert_true(has("a:0"));
	assert_int_equal(target(0).n_members, 1);
	m.id = id_of(10);
	assert_int_equal(ldap_map_delete(map, LDAP_KIND_GROUP, &m.id), 0);
	assert_string_equal(changes(), "a:");
}

/* ------------------------------------------------------------------- ids */

static void test_ids(void **state)
{
	struct ldap_id id;
	char text[LDAP_ID_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(id.v); i++)
		id.v[i] = (uint8_t)(i * 17);
	ldap_id_text(ldap_schema_find("rfc2307"), &id, text);
	assert_string_equal(text, "entryUUID:00112233-4455-6677-8899-aabbccddeeff");
	ldap_id_text(ldap_schema_find("ipa"), &id, text);
	assert_string_equal(text, "nsUniqueId:00112233-44556677-8899aabb-ccddeeff");
	ldap_id_text(ldap_schema_find("ad"), &id, text);
	assert_string_equal(text, "objectGUID:33221100-5544-7766-8899-aabbccddeeff");
	assert_null(ldap_schema_find("custom"));
}

static int refuse(void *arg, const char *login, const struct snapshot_account *a)
{
	(void)arg;
	(void)login;
	(void)a;
	return 42;
}

static void test_tell_failures(void **state)
{
	(void)state;
	START("rfc2307bis", "admins");
	assert_int_equal(user(1, "alice", "2001"), 0);
	assert_int_equal(ldap_map_take_dirty(map, refuse, NULL), 42);
	assert_string_equal(changes(), "alice:"); /* nothing is lost */
	assert_int_equal(user(1, "alicia", "2001"), 0);
	assert_int_equal(ldap_map_take_dirty(map, refuse, NULL), 42);
	(void)changes();
	assert_non_null(strstr(said, "-alice"));
	assert_non_null(strstr(said, "alicia:"));
	assert_int_equal(ldap_map_dirty(map), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_members, teardown),
		cmocka_unit_test_teardown(test_forms, teardown),
		cmocka_unit_test_teardown(test_nested, teardown),
		cmocka_unit_test_teardown(test_too_deep, teardown),
		cmocka_unit_test_teardown(test_kept, teardown),
		cmocka_unit_test_teardown(test_ranges, teardown),
		cmocka_unit_test_teardown(test_million, teardown),
		cmocka_unit_test_teardown(test_pins, teardown),
		cmocka_unit_test_teardown(test_recreated, teardown),
		cmocka_unit_test_teardown(test_same_name, teardown),
		cmocka_unit_test_teardown(test_left_out_group_is_unknown, teardown),
		cmocka_unit_test_teardown(test_logins, teardown),
		cmocka_unit_test_teardown(test_odd_entries, teardown),
		cmocka_unit_test_teardown(test_same_dn, teardown),
		cmocka_unit_test_teardown(test_refresh, teardown),
		cmocka_unit_test_teardown(test_retarget, teardown),
		cmocka_unit_test_teardown(test_tell_failures, teardown),
		cmocka_unit_test_teardown(test_status, teardown),
		cmocka_unit_test_teardown(test_primary_group, teardown),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
