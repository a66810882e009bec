/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_behaviour_ipa.c - FreeIPA's functional matrix (hbacsvc_master_001 to 031): each
 * rule is asked for three people on three hosts with two services; what is not listed
 * must be denied. The directory flattens nested groups: user1 is in group1, which is in
 * group2. Host groups are labels or sets, service groups are roles; source hosts, which
 * FreeIPA has given up, are addresses.
 */
#include "tests/unit/policy/behaviour.h"

#define PEOPLE                                                                         \
	"users: {user1: {id: id-user1}, user2: {id: id-user2}}\n"                      \
	"roles: {sshd: {privileges: [ssh]}, ftp: {privileges: [ftp]},\n"               \
	"  both: {includes: [sshd, ftp]}, empty: {}}\n"
#define RULE(to, role, vms)                                                            \
	PEOPLE "grants: [{id: rule1, to: [" to "], roles: [" role "], vms: [" vms      \
	       "]}]\n"
#define USER1 "\"user:user1\""
#define C1    "\"vm:client1\""
#define C2    "\"vm:client2\""

static const char *const people[] = {"user1", "user2", "user3"};
static const char *const groups[] = {"group1,group2", "", "group3"};
static const char *const hosts[] = {"master", "client1", "client2"};
static const char *const services[] = {"sshd", "vsftpd"};

struct matrix {
	const char *name, *policy;
	const char *allowed[8]; /* "USER HOST SERVICE" */
};

static const struct matrix cases[] = {
	{"001 user, host, service", RULE(USER1, "sshd", C1), {"user1 client1 sshd"}},
	{"002 ftp on the master",
	 RULE(USER1, "ftp", "\"vm:master\""),
	 {"user1 master vsftpd"}},
	{"002_1 ftp removed", PEOPLE, {NULL}},
	{"003 service group",
	 RULE(USER1, "both", "\"vm:master\""),
	 {"user1 master sshd", "user1 master vsftpd"}},
	{"004 host group", RULE(USER1, "sshd", C2), {"user1 client2 sshd"}},
	{"005_1 user removed, another left",
	 RULE("\"user:user2\"", "sshd", C2),
	 {"user2 client2 sshd"}},
	{"007 host group, service group",
	 RULE(USER1, "both", C1 ", " C2),
	 {"user1 client1 sshd", "user1 client1 vsftpd", "user1 client2 sshd",
	  "user1 client2 vsftpd"}},
	{"008 group", RULE("group1", "sshd", C2), {"user1 client2 sshd"}},
	{"008_1 group removed", RULE("group4", "sshd", C2), {NULL}},
	{"009 group, service group",
	 RULE("group1", "both", C2),
	 {"user1 client2 sshd", "user1 client2 vsftpd"}},
	{"010 group, host group",
	 RULE("group1", "sshd", C1 ", " C2),
	 {"user1 client1 sshd", "user1 client2 sshd"}},
	{"011_1 service group removed", RULE("group1", "empty", C2), {NULL}},
	{"013 two groups, two hosts",
	 RULE("group1, group3", "sshd", C1 ", " C2),
	 {"user1 client1 sshd", "user1 client2 sshd", "user3 client1 sshd",
	  "user3 client2 sshd"}},
	{"015 nested group", RULE("group2", "sshd", C1), {"user1 client1 sshd"}},
	{"016 nested group, service group",
	 RULE("group2", "both", C1),
	 {"user1 client1 sshd", "user1 client1 vsftpd"}},
	{"020_1 rule removed", PEOPLE "grants: []\n", {NULL}},
	{"027 empty service group beside a service",
	 RULE(USER1, "sshd, empty", C1),
	 {"user1 client1 sshd"}},
	{"028 several services",
	 RULE(USER1, "sshd, ftp", C1),
	 {"user1 client1 sshd", "user1 client1 vsftpd"}},
	{"029 empty group beside a user",
	 RULE(USER1 ", group4", "sshd", C1),
	 {"user1 client1 sshd"}},
	{"030 empty group, host group and service group",
	 RULE(USER1 ", group4", "sshd, empty", C1 ", nothing"),
	 {"user1 client1 sshd"}},
	{"030 nothing but empty ones", RULE("group4", "empty", "nothing"), {NULL}},
	{"bug771706 empty service group alone", RULE(USER1, "empty", C1), {NULL}},
	{"bug771706 empty host group alone", RULE(USER1, "both", "nothing"), {NULL}},
	{"bug801769 host groups in host groups",
	 RULE(USER1, "sshd", "outer"),
	 {"user1 client1 sshd", "user1 client2 sshd"}},
};

static bool is_listed(const struct matrix *m, const char *what)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->allowed) && m->allowed[i]; i++)
		if (str_eq(m->allowed[i], what))
			return true;
	return false;
}

/* Eighteen requests; the policy is loaded with the first. */
static void run(const struct matrix *m)
{
	struct behaviour
		rows[ARRAY_SIZE(people) * ARRAY_SIZE(hosts) * ARRAY_SIZE(services)];
	char what[ARRAY_SIZE(rows)][40];
	size_t n = 0, n_listed = 0, n_found = 0;

	for (; n < ARRAY_SIZE(rows); n++) {
		size_t u = n % 3, h = n / 3 % 3, s = n / 9;
		bool listed;

		(void)snprintf(what[n], sizeof(what[n]), "%s %s %s", people[u],
			       hosts[h], services[s]);
		listed = is_listed(m, what[n]);
		n_found += listed;
		rows[n] = (struct behaviour){.name = what[n],
					     .policy = n == 0 ? m->policy : NULL,
					     .login = people[u],
					     .groups = groups[u],
					     .vm = hosts[h],
					     .service = services[s],
					     .verdict = listed ? POLICY_ALLOW
							       : POLICY_DENY,
					     .rule = listed ? "rule1" : NULL,
					     .reason = listed ? NULL : "no_grant"};
	}
	while (n_listed < ARRAY_SIZE(m->allowed) && m->allowed[n_listed])
		n_listed++;
	assert_int_equal(n_found, n_listed); /* no slip in the table */
	behaviour_run(rows, n);
}

static void test_matrix(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].name);
		run(&cases[i]);
	}
}

static void test_names(void **state)
{
	static const struct behaviour refused[] = {
		{"031 UTF-8 name of a rule",
		 PEOPLE "grants: [{id: \"\xc3\x8c\", to: [group1], roles: [sshd], vms: "
			"[every]}]\n",
		 .refused = "not a name"},
		{"001 a rule that is not there: two of one name",
		 PEOPLE "grants:\n"
			"  - {id: rule1, to: [group1], roles: [sshd], vms: [every]}\n"
			"  - {id: rule1, to: [group2], roles: [ftp], vms: [every]}\n",
		 .refused = "already defined"},
		{"a host group that is not there", RULE(USER1, "sshd", "nosuchgroup"),
		 .refused = "unknown vm_set"},
		{"a service group that is not there", RULE(USER1, "nosuchsvc", C1),
		 .refused = "unknown role"},
	};

	(void)state;
	behaviour_run(refused, ARRAY_SIZE(refused));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
