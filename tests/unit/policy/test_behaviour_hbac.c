/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_behaviour_hbac.c - the cases of SSSD's suite for host-based access control, and
 * where we differ on purpose: there is no "everybody", no case folding, no name of a
 * source host; and an incomplete rule is refused when the policy is loaded, where
 * libipa_hbac meets it during the decision and denies everybody.
 */
#include "tests/unit/policy/behaviour.h"

/* A row says what differs from the usual request. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define ALLOW	 .verdict = POLICY_ALLOW
#define NO_GRANT .reason = "no_grant"
#define ASK(...)                                                                       \
	.login = "testuser", .groups = "testgroup1,testgroup2", .vm = "client1",       \
	.service = "sshd", .from = "192.0.2.7", __VA_ARGS__
#define ROLES                                                                          \
	"roles: {ssh: {privileges: [ssh]}, ftp: {privileges: [ftp]},\n"                \
	"  all: {privileges: [ssh, ftp, telnet]}}\n"
#define USERS "users: {testuser: {id: id-testuser}, nosuchuser: {id: id-other}}\n"

static const struct behaviour cases[] = {
	{"allow_all",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all], vms: [every]}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_all: there is no everybody",
	 ROLES "grants: [{id: r, to: [\"*\"], roles: [all], vms: [every]}]\n",
	 .refused = "not a name"},
	{"allow_user",
	 ROLES USERS
	 "grants: [{id: r, to: [\"user:testuser\"], roles: [all], vms: [every]}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_user, deleted and made again", ASK(NO_GRANT, .id = "id-new")},
	{"allow_user, another",
	 ROLES USERS
	 "grants: [{id: r, to: [\"user:nosuchuser\"], roles: [all], vms: [every]}]\n",
	 ASK(NO_GRANT)},
	{"allow_user without a pin",
	 ROLES "grants: [{id: r, to: [\"user:testuser\"], roles: [all], vms: "
	       "[every]}]\n",
	 .refused = "people named directly are pinned"},
	{"allow_group",
	 ROLES "grants: [{id: r, to: [testgroup2], roles: [all], vms: [every]}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_group, its members not known",
	 ASK(.reason = "directory_incomplete", .groups = "", .unknown = "testgroup2")},
	{"allow_group, another",
	 ROLES "grants: [{id: r, to: [nosuchgroup], roles: [all], vms: [every]}]\n",
	 ASK(NO_GRANT)},
	{"allow_svc",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [ssh], vms: [every]}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_svc, another", ASK(NO_GRANT, .service = "vsftpd")},
	{"allow_svc, one that no policy maps",
	 ASK(.reason = "service_unknown", .service = "nosuchservice")},
	{"allow_svcgroup",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [ssh, ftp], vms: [every]}]\n",
	 ASK(ALLOW, .rule = "r", .service = "vsftpd")},
	{"allow_svcgroup, not in it", ASK(NO_GRANT, .service = "xinetd")},
	{"allow_host",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all], vms: "
	       "[\"vm:client1\"]}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_host, another", ASK(NO_GRANT, .vm = "client2")},
	{"allow_host, one that is not known",
	 ASK(.reason = "vm_unknown", .vm = "nosuchhost")},
	{"allow_srchost, by address",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all], vms: [every],\n"
	       "  when: {from: [192.0.2.7]}}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_srchost, another",
	 ASK(.reason = "src_not_allowed", .from = "192.0.2.8")},
	{"allow_srchost, not known", ASK(.reason = "src_not_allowed", .from = NULL)},
	{"allow_srchost, by name",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all], vms: [every],\n"
	       "  when: {from: [client.example.com]}}]\n",
	 .refused = "must be an address"},
	{"allow_srchostgroup",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all], vms: [every],\n"
	       "  when: {from: [192.0.2.0/29, 198.51.100.0/24]}}]\n",
	 ASK(ALLOW, .rule = "r")},
	{"allow_srchostgroup, another",
	 ASK(.reason = "src_not_allowed", .from = "192.0.2.8")},
	/* UTF-8: a login is ASCII, equal byte for byte, and is refused, never folded.
	 */
	{"allow_utf8, the rule",
	 "users: {\"\xc4\x8d"
	 "ech\": {id: i}}\n",
	 .refused = "not a"},
	{"allow_utf8, the request",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all], vms: [every]}]\n",
	 ASK(.reason = "unknown_user", .login = "\xc4\x8d"
						"ech")},
	{"allow_utf8, the dotless i",
	 ASK(.reason = "unknown_user", .login = "\xc4\xb1")},
	{"allow_utf8, the service",
	 ASK(.reason = "service_unknown", .service = "m\xc3\xbcnchen")},
	{"allow_utf8, the group's name",
	 ROLES "grants: [{id: r, to: [\"gr\xc3\xbc\"], roles: [all], vms: [every]}]\n",
	 .refused = "not a name"},
	{"case of a login",
	 ROLES USERS
	 "grants: [{id: r, to: [\"user:testuser\"], roles: [all], vms: [every]}]\n",
	 ASK(NO_GRANT, .login = "Testuser", .id = "id-testuser")},
	{"incomplete: no users",
	 ROLES "grants: [{id: r, roles: [all], vms: [every]}]\n", .refused = "no 'to'"},
	{"incomplete: no services",
	 ROLES "grants: [{id: r, to: [testgroup1], vms: [every]}]\n",
	 .refused = "no 'roles'"},
	{"incomplete: no hosts",
	 ROLES "grants: [{id: r, to: [testgroup1], roles: [all]}]\n",
	 .refused = "no 'vms'"},
	{"incomplete: beside a complete one",
	 ROLES "grants:\n"
	       "  - {id: r, to: [testgroup1], roles: [all], vms: [every]}\n"
	       "  - {id: s, to: [testgroup1], roles: [all], vms: []}\n",
	 .refused = "'vms' is empty"},
};

static void test_hbac(void **state)
{
	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hbac)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
