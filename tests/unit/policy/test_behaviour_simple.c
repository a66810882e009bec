/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_behaviour_simple.c - the 18 cases of SSSD's simple access provider. An allow
 * list is a grant, a deny list a deny. Where we differ: with both lists empty nobody
 * enters, where SSSD lets everybody in; and names differ by case, always.
 */
#include "tests/unit/policy/behaviour.h"

#define ALLOW	 .verdict = POLICY_ALLOW
#define NO_GRANT .reason = "no_grant"
#define DENIED	 .rule = "deny", .reason = "denied"
#define U1(...)	 ASK("u1", "g1,all", __VA_ARGS__)
#define U2(...)	 ASK("u2", "g2,all", __VA_ARGS__)
#define U3(...)	 ASK("u3", "all", __VA_ARGS__)
#define ASK(name, in, ...)                                                             \
	.login = name, .groups = in, .vm = "client1", .service = "sshd", __VA_ARGS__

#define HEAD                                                                           \
	"users: {u1: {id: id-u1}, u2: {id: id-u2}}\n"                                  \
	"roles: {user: {privileges: [ssh]}}\n"
#define GRANT(to) "grants: [{id: grant, to: [" to "], roles: [user], vms: [every]}]\n"
#define DENY(to)                                                                       \
	"denies: [{id: deny, to: [" to "], privileges: [\"*\"], vms: [every]}]\n"
#define USERS "\"user:u1\", \"user:u2\""

static const struct behaviour cases[] = {
	{"1 both empty", HEAD, U1(NO_GRANT)},
	{"2 allow empty", HEAD GRANT("all") DENY(USERS), U1(DENIED)},
	{"2 allow empty, not denied", U3(ALLOW, .rule = "grant")},
	{"3 deny empty", HEAD GRANT(USERS), U1(ALLOW, .rule = "grant")},
	{"3 deny empty, not allowed", U3(NO_GRANT)},
	{"4 both set", HEAD GRANT(USERS) DENY(USERS), U1(DENIED)},
	{"4 both set, in neither", U3(NO_GRANT)},
	{"5 wrong case", HEAD GRANT(USERS), ASK("U1", "", NO_GRANT, .id = "id-u1")},
	{"6 wrong case where the domain folds", ASK("U1", "", NO_GRANT, .id = "id-u1")},
	{"6 a deny reaches the person under any spelling",
	 HEAD GRANT("all") DENY(USERS), ASK("U1", "all", DENIED, .id = "id-u1")},
	{"7 unknown user", HEAD GRANT(USERS), ASK("foo", "", NO_GRANT)},
	{"8 space in a login", "users: {\"space user\": {id: i}}\n",
	 .refused = "not a"},
	{"8 space, asked", HEAD GRANT(USERS),
	 ASK("space user", "", .reason = "unknown_user")},
	{"9 group, allow empty", HEAD GRANT("all") DENY("g1, g2"), U1(DENIED)},
	{"9 group, allow empty, not denied", U3(ALLOW, .rule = "grant")},
	{"10 group, deny empty", HEAD GRANT("g1, g2"), U1(ALLOW, .rule = "grant")},
	{"10 group, deny empty, not allowed", U3(NO_GRANT)},
	{"11 group, both set", HEAD GRANT("g1, g2") DENY("g1, g2"), U1(DENIED)},
	{"11 group, both set, in neither", U3(NO_GRANT)},
	{"12 group, wrong case", HEAD GRANT("G1, G2"), U1(NO_GRANT)},
	{"13 group, wrong case where the domain folds", U1(NO_GRANT)},
	{"14 space in a group", HEAD GRANT("space group, another space"),
	 ASK("u1", "g1,space group", ALLOW, .rule = "grant")},
	{"15 unparseable allow user", HEAD GRANT("\"user:\""),
	 .refused = "people named directly are pinned"},
	{"16 unparseable deny user", HEAD GRANT("all") DENY("\"user:\""),
	 .refused = "people named directly are pinned"},
	{"17 unparseable allow group", HEAD GRANT("\"\""), .refused = "not a name"},
	{"18 unparseable deny group", HEAD GRANT("all") DENY("g1, \"\""),
	 .refused = "not a name"},
};

static void test_simple(void **state)
{
	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_simple)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
