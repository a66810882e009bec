/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of RFC 4533 as a server sends them, byte by byte over a socket: what they do
 * to the map and to the cookie, and that broken ones do nothing at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openldap.h>
#include <signal.h>
#include <sys/socket.h>

#include "rbacd/directory/ldap_sync.h"
#include "tests/unit/directory/ldap_fixture.h"

struct ldap_conn {
	LDAP *ld;
};

static struct ldap_conn conn;
static struct ldap_sync sync_;
static int server; /* the other end */

/* ----------------------------------------------- the connection, as far as used */

LDAP *ldap_conn_handle(const struct ldap_conn *c)
{
	return c->ld;
}

int ldap_conn_fail(struct ldap_conn *c, const char *doing, int ldap_error)
{
	(void)c;
	(void)doing;
	(void)ldap_error;
	return LDAP_CONN_E_FAILED;
}

void ldap_conn_deadline(struct ldap_conn *c, int ms)
{
	(void)c;
	(void)ms;
}

void ldap_conn_beat(struct ldap_conn *c)
{
	(void)c;
}

const struct ldap_server *ldap_conn_server(const struct ldap_conn *c)
{
	static const struct ldap_server none;

	(void)c;
	return &none;
}

/* ------------------------------------------------------------------ the server */

/* Sends what was built and gives it to the module under test. */
static int deliver(BerElement *ber)
{
	LDAPMessage *m = NULL;
	struct berval bytes;
	int r;

	assert_int_equal(ber_flatten2(ber, &bytes, 0), 0);
	assert_int_equal(write(server, bytes.bv_val, bytes.bv_len), bytes.bv_len);
	ber_free(ber, 1);
	assert_int_equal(ldap_conn_next(&conn, LDAP_RES_ANY, 2000, &m), 0);
	assert_non_null(m);
	r = ldap_sync_take(&sync_, &conn, m);
	ldap_msgfree(m);
	return r;
}

static BerElement *ber_new(void)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);

	assert_non_null(ber);
	return ber;
}

/* An entry with any bytes as its sync state; NULL: without one. */
static int entry_with(const char *dn, const char *login, const struct berval *state)
{
	BerElement *ber = ber_new();

	assert_true(ber_printf(ber, "{it{s{{s[s]}{s[s]}}}", sync_.msgid,
			       LDAP_RES_SEARCH_ENTRY, dn, "uid", login, "uidNumber",
			       "5000") >= 0);
	if (state)
		assert_true(ber_printf(ber, "t{{sO}}", LDAP_TAG_CONTROLS,
				       LDAP_CONTROL_SYNC_STATE, state) >= 0);
	assert_true(ber_printf(ber, "}") >= 0);
	return deliver(ber);
}

static int entry_at(const char *dn, const char *login, int what, unsigned id,
		    const char *cookie)
{
	struct ldap_id uuid = id_of(id);
	BerElement *ber = ber_new();
	struct berval state;
	int r;

	assert_true(ber_printf(ber, "{eo", what, uuid.v, (ber_len_t)16) >= 0);
	if (cookie)
		assert_true(ber_printf(ber, "s", cookie) >= 0);
	assert_true(ber_printf(ber, "}") >= 0);
	assert_int_equal(ber_flatten2(ber, &state, 0), 0);
	r = entry_with(dn, login, &state);
	ber_free(ber, 1);
	return r;
}

static int entry(const char *login, int what, unsigned id, const char *cookie)
{
	char dn[128];

	(void)snprintf(dn, sizeof(dn), "uid=%s," USERS, login);
	return entry_at(dn, login, what, id, cookie);
}

static int info(const void *value, size_t len)
{
	struct berval v = {.bv_val = (char *)(uintptr_t)value, .bv_len = len};
	BerElement *ber = ber_new();

	assert_true(ber_printf(ber, "{it{tstO}}", sync_.msgid, LDAP_RES_INTERMEDIATE,
			       LDAP_TAG_IM_RES_OID, LDAP_SYNC_INFO,
			       LDAP_TAG_IM_RES_VALUE, &v) >= 0);
	return deliver(ber);
}

static int phase(ber_tag_t tag, const char *cookie, bool done)
{
	BerElement *ber = ber_new();
	struct berval v;
	int r;

	assert_true(ber_printf(ber, "t{", tag) >= 0);
	if (cookie)
		assert_true(ber_printf(ber, "s", cookie) >= 0);
	if (!done)
		assert_true(ber_printf(ber, "b", 0) >= 0);
	assert_true(ber_printf(ber, "}") >= 0);
	assert_int_equal(ber_flatten2(ber, &v, 0), 0);
	r = info(v.bv_val, v.bv_len);
	ber_free(ber, 1);
	return r;
}

/* A set of one id of @len bytes, as bytes in @ret. */
static size_t id_set(unsigned id, ber_len_t len, bool deletes, uint8_t ret[128])
{
	uint8_t uuid[32] = {(uint8_t)(id >> 8), (uint8_t)id};
	BerElement *ber = ber_new();
	struct berval v;

	assert_true(ber_printf(ber, "t{sb[o]}", LDAP_TAG_SYNC_ID_SET, "ids",
			       (int)deletes, uuid, len) >= 0);
	assert_int_equal(ber_flatten2(ber, &v, 0), 0);
	assert_true(v.bv_len <= 128);
	memcpy(ret, v.bv_val, len = v.bv_len);
	ber_free(ber, 1);
	return len;
}

static int result(int error)
{
	BerElement *ber = ber_new();

	assert_true(ber_printf(ber, "{it{ess}}", sync_.msgid, LDAP_RES_SEARCH_RESULT,
			       error, "", "") >= 0);
	return deliver(ber);
}

/* --------------------------------------------------------------------- fixture */

static const char *const logins[] = {"alice", "bob", "carol"};

static int note(void *arg, const char *login, const struct snapshot_account *a)
{
	bool *here = arg;

	for (size_t i = 0; i < ARRAY_SIZE(logins); i++)
		here[i] = here[i] || (a && str_eq(login, logins[i]));
	return 0;
}

static bool people_are(const char *list)
{
	bool here[ARRAY_SIZE(logins)] = {false};
	char said[64] = "";

	assert_int_equal(ldap_map_each(sync_.map, note, here), 0);
	for (size_t i = 0; i < ARRAY_SIZE(logins); i++) {
		size_t at = strlen(said);

		if (here[i])
			(void)snprintf(said + at, sizeof(said) - at, "%s%s",
				       at ? " " : "", logins[i]);
	}
	return str_eq(said, list);
}

static bool cookie_is(const char *text)
{
	return text ? sync_.cookie.bv_len == strlen(text) &&
			       memcmp(sync_.cookie.bv_val, text, strlen(text)) == 0
		    : !sync_.cookie.bv_val;
}

static void search_again(void)
{
	static const char *const attrs[] = {"uid", "uidNumber", NULL};
	const struct ldap_search s = {.base = USERS,
				      .filter = "(uid=*)",
				      .scope = LDAP_SCOPE_SUBTREE,
				      .attrs = attrs};

	assert_int_equal(ldap_sync_start(&sync_, &conn, &s), 0);
}

static int setup(void **state)
{
	struct ldap_map_options o = {.schema = ldap_schema_find("rfc2307bis"),
				     .users_base = USERS,
				     .groups_base = GROUPS,
				     .seed = 7};
	const int version = LDAP_VERSION3;
	int pair[2];

	(void)state;
	assert_non_null(o.schema);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	server = pair[1];
	assert_int_equal(ldap_init_fd(pair[0], LDAP_PROTO_IPC, "ldapi://", &conn.ld),
			 0);
	assert_int_equal(ldap_set_option(conn.ld, LDAP_OPT_PROTOCOL_VERSION, &version),
			 0);
	sync_ = (struct ldap_sync){.kind = LDAP_KIND_USER};
	assert_int_equal(ldap_map_new(&o, &sync_.map), 0);
	search_again();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ldap_sync_forget(&sync_);
	ldap_map_free(sync_.map);
	(void)shutdown(server, SHUT_RDWR);
	(void)close(server);
	(void)ldap_unbind_ext(conn.ld, NULL, NULL);
	return 0;
}

/* alice, bob and carol are known, with the cookie "one"; the search begins again. */
static void resume(void)
{
	assert_int_equal(entry("alice", LDAP_SYNC_ADD, 1, NULL), 0);
	assert_int_equal(entry("bob", LDAP_SYNC_ADD, 2, NULL), 0);
	assert_int_equal(entry("carol", LDAP_SYNC_ADD, 3, NULL), 0);
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_DELETE, "one", true), 0);
	assert_true(sync_.refreshed && cookie_is("one"));
	search_again();
	assert_true(sync_.resumed && !sync_.refreshed);
}

/* ----------------------------------------------------------------------- tests */

static void test_first_refresh(void **state)
{
	(void)state;
	assert_int_equal(entry("alice", LDAP_SYNC_ADD, 1, NULL), 0);
	assert_false(sync_.refreshed);
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_PRESENT, NULL, false), 0);
	assert_false(sync_.refreshed);
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_DELETE, "one", true), 0);
	assert_true(sync_.refreshed && cookie_is("one") && people_are("alice"));
}

/* A cookie in the middle speaks of less than the server will say: resumed with it, what
 * was deleted before would never be forgotten. */
static void test_cookie_waits_for_the_end(void **state)
{
	(void)state;
	assert_int_equal(entry("alice", LDAP_SYNC_ADD, 1, "early"), 0);
	assert_true(cookie_is(NULL));
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_PRESENT, "middle", false), 0);
	assert_true(cookie_is(NULL));
	assert_int_equal(info("\x80\x03new", 5), 0);
	assert_true(cookie_is(NULL));
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_DELETE, "end", true), 0);
	assert_true(cookie_is("end"));
	assert_int_equal(info("\x80\x03new", 5), 0);
	assert_true(cookie_is("new"));
	assert_int_equal(entry("alice", LDAP_SYNC_DELETE, 1, "later"), 0);
	assert_true(cookie_is("later") && people_are(""));
}

static void test_interrupted_refresh_keeps_the_old_cookie(void **state)
{
	(void)state;
	resume();
	assert_int_equal(entry("alice", LDAP_SYNC_PRESENT, 1, "two"), 0);
	assert_true(cookie_is("one"));
	search_again(); /* the connection was lost: bob's deletion is still to come */
	assert_int_equal(entry("alice", LDAP_SYNC_PRESENT, 1, NULL), 0);
	assert_int_equal(entry("carol", LDAP_SYNC_PRESENT, 3, NULL), 0);
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_PRESENT, "two", true), 0);
	assert_true(cookie_is("two") && people_are("alice carol"));
}

static void test_deletions(void **state)
{
	uint8_t set[128];
	size_t n;

	(void)state;
	resume();
	n = id_set(2, 16, true, set);
	assert_int_equal(info(set, n), 0);
	assert_true(people_are("alice carol"));
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_DELETE, "two", true), 0);
	assert_true(people_are("alice carol")); /* not mentioned is unchanged */
	assert_int_equal(entry("carol", LDAP_SYNC_DELETE, 3, "three"), 0);
	assert_true(people_are("alice") && cookie_is("three"));
	n = id_set(9, 16, false, set); /* present, says the server; unknown here */
	assert_int_equal(info(set, n), LDAP_SYNC_E_RELOAD);
	assert_true(cookie_is("three"));
}

/* After a refresh that lists deletions only, no refresh is going on either. */
static void test_rename_after_delete_phase(void **state)
{
	(void)state;
	resume();
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_DELETE, "two", true), 0);
	assert_int_equal(entry("alice", LDAP_SYNC_MODIFY, 1, NULL), 0);
	assert_int_equal(entry_at("uid=alice,ou=b," USERS, "alice", LDAP_SYNC_MODIFY, 1,
				  NULL),
			 0);
	assert_true(people_are("alice bob carol"));
}

static void unmoved(void)
{
	assert_true(people_are("alice bob carol") && cookie_is("one"));
	assert_false(sync_.refreshed);
}

static void test_broken_info(void **state)
{
	uint8_t set[128];
	size_t n = id_set(2, 16, true, set);
	static const struct berval bad[] = {
		{0, (char *)(uintptr_t) ""},
		{2, (char *)(uintptr_t) "\xa4\x00"},  /* no such message */
		{3, (char *)(uintptr_t) "\x80\x05x"}, /* longer than it is */
		{2, (char *)(uintptr_t) "\xa1\x7f"},  /* the same, a phase */
		{6, (char *)(uintptr_t) "\xa2\x84\xff\xff\xff\xff"}, /* 4 GiB */
		{5, (char *)(uintptr_t) "\xa2\x03\x04\x05x"}, /* its cookie is longer */
		{4, (char *)(uintptr_t) "\xa1\x02\x01\x7f"},  /* its flag is longer */
		{4, (char *)(uintptr_t) "\xa3\x02\x04\x00"},  /* a set without a set */
	};

	(void)state;
	resume();
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(info(set, i), LDAP_CONN_E_FAILED);
		unmoved();
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(info(bad[i].bv_val, bad[i].bv_len),
				 LDAP_CONN_E_FAILED);
		unmoved();
	}
	for (ber_len_t len = 0; len < 20; len++) {
		if (len == 16)
			continue;
		n = id_set(2, len, true, set);
		assert_int_equal(info(set, n), LDAP_SYNC_E_RELOAD);
		unmoved();
	}
}

static void test_broken_state(void **state)
{
	static const char good[] = "\x30\x18\x0a\x01\x03\x04\x10\x00\x02\0\0\0\0\0\0\0"
				   "\0\0\0\0\0\0\0\x04\x01z"; /* delete bob */
	char b[sizeof(good)];
	struct berval v = {.bv_val = b};

	(void)state;
	resume();
	memcpy(b, good, sizeof(b));
	assert_int_equal(entry_with("uid=bob," USERS, "bob", NULL), LDAP_CONN_E_FAILED);
	for (v.bv_len = 0; v.bv_len < sizeof(good) - 1; v.bv_len++) {
		assert_int_equal(entry_with("uid=bob," USERS, "bob", &v),
				 LDAP_CONN_E_FAILED);
		unmoved();
	}
	for (int what = -128; what < 128; what++) {
		if (what >= LDAP_SYNC_PRESENT && what <= LDAP_SYNC_DELETE)
			continue;
		b[4] = (char)what;
		assert_int_equal(entry_with("uid=bob," USERS, "bob", &v),
				 LDAP_CONN_E_FAILED);
		unmoved();
	}
	b[4] = LDAP_SYNC_DELETE;
	b[6] = 0x0f; /* an id of 15 bytes */
	assert_int_equal(entry_with("uid=bob," USERS, "bob", &v), LDAP_CONN_E_FAILED);
	unmoved();
	b[6] = 0x10;
	assert_int_equal(entry_with("uid=bob," USERS, "bob", &v), 0);
	assert_true(people_are("alice carol"));
}

/* RFC 4511, 4: what follows the known fields of a sequence is to be ignored. */
static void test_trailing(void **state)
{
	(void)state;
	resume();
	assert_int_equal(info("\xa1\x06\x04\x01z\x85\x01q", 8), 0);
	assert_true(sync_.refreshed && cookie_is("z") && people_are("alice bob carol"));
}

static void test_results(void **state)
{
	(void)state;
	assert_int_equal(result(LDAP_SYNC_REFRESH_REQUIRED), LDAP_SYNC_E_RELOAD);
	search_again();
	assert_int_equal(result(LDAP_UNAVAILABLE_CRITICAL_EXTENSION), LDAP_SYNC_E_NONE);
	search_again();
	assert_int_equal(result(LDAP_SUCCESS), LDAP_CONN_E_FAILED);
	search_again();
	assert_int_equal(result(LDAP_SIZELIMIT_EXCEEDED), LDAP_CONN_E_FAILED);
	assert_false(sync_.refreshed);
}

/* The server no longer knows our cookie, whatever it calls that: restored from a backup
 * it says "unwilling". With the same cookie it would say so forever. */
static void test_refused_cookie(void **state)
{
	(void)state;
	resume();
	assert_int_equal(result(LDAP_UNWILLING_TO_PERFORM), LDAP_SYNC_E_RELOAD);
	search_again();
	assert_int_equal(result(LDAP_SUCCESS), LDAP_SYNC_E_RELOAD);
	search_again();
	assert_int_equal(phase(LDAP_TAG_SYNC_REFRESH_DELETE, "two", true), 0);
	assert_int_equal(result(LDAP_UNAVAILABLE), LDAP_CONN_E_FAILED);
}

/* An entry whose uidNumber comes after @n times "uid;lang-…", a name of @len bytes. */
static int entry_tagged(const char *login, unsigned id, int n, int len)
{
	struct ldap_id uuid = id_of(id);
	BerElement *ber = ber_new(), *value = ber_new();
	char name[256], dn[128];
	struct berval state;

	(void)snprintf(dn, sizeof(dn), "uid=%s," USERS, login);
	assert_true(ber_printf(ber, "{it{s{{s[s]}", sync_.msgid, LDAP_RES_SEARCH_ENTRY,
			       dn, "uid", login) >= 0);
	for (int i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "uid;lang-%0*d", len - 9, i);
		assert_true(ber_printf(ber, "{s[s]}", name, "root") >= 0);
	}
	assert_true(ber_printf(value, "{eo}", LDAP_SYNC_ADD, uuid.v, (ber_len_t)16) >=
		    0);
	assert_int_equal(ber_flatten2(value, &state, 0), 0);
	assert_true(ber_printf(ber, "{s[s]}}}t{{sO}}}", "uidNumber", "5000",
			       LDAP_TAG_CONTROLS, LDAP_CONTROL_SYNC_STATE,
			       &state) >= 0);
	ber_free(value, 1);
	return deliver(ber);
}

/* Whoever may write his own entry writes what he likes; everybody is followed on, he
 * too: what he adds must not hide that he is locked. */
static void test_tagged_attributes(void **state)
{
	(void)state;
	assert_int_equal(entry_tagged("alice", 1, 1, 200), 0);
	assert_int_equal(entry_tagged("bob", 2, 500, 127), 0);
	assert_int_equal(entry_tagged("carol", 3, 500, 250), 0);
	assert_true(people_are("alice bob carol"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_first_refresh),
		T(test_cookie_waits_for_the_end),
		T(test_interrupted_refresh_keeps_the_old_cookie),
		T(test_deletions),
		T(test_rename_after_delete_phase),
		T(test_broken_info),
		T(test_broken_state),
		T(test_trailing),
		T(test_results),
		T(test_refused_cookie),
		T(test_tagged_attributes),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* libldap says good-bye to a closed socket */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
