/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_behaviour_engines.c - cases of two policy engines: Casbin's deny, cycle and
 * time, SpiceDB's exclusion and expiry.
 */
#include "tests/unit/policy/behaviour.h"

#define ALLOW(id) .verdict = POLICY_ALLOW, .rule = id
#define DENIED	  .rule = "banned", .reason = "denied"
#define NO_GRANT  .reason = "no_grant"
#define EXPIRED	  .reason = "grant_expired"

/* ---------------------------------------------------------------- Casbin */

/* data1 and data2 are hosts, read is ssh, write is ftp. */
#define CASBIN                                                                         \
	"users: {alice: {id: id-alice}, bob: {id: id-bob}}\n"                          \
	"roles: {read: {privileges: [ssh]}, write: {privileges: [ftp]},\n"             \
	"  both: {includes: [read, write]}}\n"
#define WHO(who, host, svc, ...)                                                       \
	.login = who, .groups = str_eq(who, "alice") ? "admin" : "", .vm = host,       \
	.service = svc, __VA_ARGS__

static void test_casbin_deny(void **state)
{
	/* rbac_with_deny: data2_admin reads and writes, but alice must not write */
	static const char policy[] = CASBIN
		"grants:\n"
		"  - {id: a1, to: [\"user:alice\"], roles: [read], vms: "
		"[\"vm:client1\"]}\n"
		"  - {id: b2, to: [\"user:bob\"], roles: [write], vms: "
		"[\"vm:client2\"]}\n"
		"  - {id: adm, to: [admin], roles: [both], vms: [\"vm:client2\"]}\n"
		"denies:\n"
		"  - {id: banned, to: [\"user:alice\"], privileges: [ftp],\n"
		"     vms: [\"vm:client2\"]}\n";
	const struct behaviour cases[] = {
		{"alice data1 read", policy,
		 WHO("alice", "client1", "sshd", ALLOW("a1"))},
		{"alice data1 write", WHO("alice", "client1", "vsftpd", NO_GRANT)},
		{"alice data2 read", WHO("alice", "client2", "sshd", ALLOW("adm"))},
		{"alice data2 write", WHO("alice", "client2", "vsftpd", DENIED)},
		{"bob data1 read", WHO("bob", "client1", "sshd", NO_GRANT)},
		{"bob data1 write", WHO("bob", "client1", "vsftpd", NO_GRANT)},
		{"bob data2 read", WHO("bob", "client2", "sshd", NO_GRANT)},
		{"bob data2 write", WHO("bob", "client2", "vsftpd", ALLOW("b2"))},
		/* rbac_with_not_deny allows whatever is not denied; we never do */
		{"only a deny",
		 CASBIN
		 "denies: [{id: banned, to: [\"user:alice\"], privileges: [ftp], "
		 "vms: [every]}]\n",
		 WHO("alice", "client2", "vsftpd", DENIED)},
		{"only a deny, of something else",
		 WHO("alice", "client2", "sshd", NO_GRANT)},
	};

	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

static void test_casbin_cycle(void **state)
{
	/* Casbin walks ten steps and stops; here a circle is no policy. */
	static const struct behaviour cases[] = {
		{"itself", "roles: {a: {includes: [a]}}\n",
		 .refused = "includes itself"},
		{"two", "roles: {a: {includes: [b]}, b: {includes: [a]}}\n",
		 .refused = "includes itself"},
		{"three, entered from outside",
		 "roles: {e: {includes: [a]}, a: {includes: [b]}, b: {includes: [c]},\n"
		 "  c: {includes: [a]}}\n",
		 .refused = "includes itself"},
		{"a diamond is no circle",
		 "roles: {top: {includes: [l, r]}, l: {includes: [b]}, r: {includes: "
		 "[b]},\n"
		 "  b: {privileges: [ssh]}}\n"
		 "grants: [{id: g, to: [admin], roles: [top], vms: [every]}]\n",
		 .login = "alice", .groups = "admin", .vm = "client1",
		 .service = "sshd", ALLOW("g")},
		{"twelve deep, where Casbin stops at ten",
		 "roles: {r1: {includes: [r2]}, r2: {includes: [r3]}, r3: {includes: "
		 "[r4]},\n"
		 "  r4: {includes: [r5]}, r5: {includes: [r6]}, r6: {includes: [r7]},\n"
		 "  r7: {includes: [r8]}, r8: {includes: [r9]}, r9: {includes: "
		 "[r10]},\n"
		 "  r10: {includes: [r11]}, r11: {includes: [r12]}, r12: {privileges: "
		 "[ssh]}}\n"
		 "grants: [{id: g, to: [admin], roles: [r1], vms: [every]}]\n",
		 .login = "alice", .groups = "admin", .vm = "client1",
		 .service = "sshd", ALLOW("g")},
	};

	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

static void test_casbin_time(void **state)
{
	/* rbac_with_temporal_roles: start and end of a role, "_" for open */
#define VALID(text)                                                                    \
	CASBIN "grants: [{id: g, to: [\"user:alice\"], roles: [read], vms: "           \
	       "[every]" text "}]\n"
	const struct behaviour cases[] = {
		{"data1: no time", VALID(""),
		 WHO("alice", "client1", "sshd", ALLOW("g"))},
		{"data2: over", VALID(", valid: {from: 1971-01-01, until: 1971-01-02}"),
		 WHO("alice", "client1", "sshd", EXPIRED)},
		{"data3: now", VALID(", valid: {from: 1971-01-01, until: 9999-12-30}"),
		 WHO("alice", "client1", "sshd", ALLOW("g"))},
		{"data5: open start", VALID(", valid: {until: 9999-12-30}"),
		 WHO("alice", "client1", "sshd", ALLOW("g"))},
		{"data6: open start, over", VALID(", valid: {until: 1971-01-02}"),
		 WHO("alice", "client1", "sshd", EXPIRED)},
		{"data7: open end", VALID(", valid: {from: 1971-01-01}"),
		 WHO("alice", "client1", "sshd", ALLOW("g"))},
		{"data8: not yet", VALID(", valid: {from: 9999-12-30}"),
		 WHO("alice", "client1", "sshd", EXPIRED)},
		{"the first minute",
		 VALID(", valid: {from: 2026-11-20, until: 2026-11-21}"),
		 WHO("alice", "client1", "sshd", ALLOW("g"), .at = "2026-11-20 00:00")},
		{"the minute before it",
		 WHO("alice", "client1", "sshd", EXPIRED, .at = "2026-11-19 23:59")},
		{"the last minute",
		 WHO("alice", "client1", "sshd", ALLOW("g"), .at = "2026-11-20 23:59")},
		{"the first without",
		 WHO("alice", "client1", "sshd", EXPIRED, .at = "2026-11-21 00:00")},
		{"data4: backwards",
		 VALID(", valid: {from: 2026-11-21, until: 2026-11-20}"),
		 .refused = "must be after 'from'"},
	};

	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

/* --------------------------------------------------------------- SpiceDB */

#define VIEW(host, who, in, ...)                                                       \
	.login = who, .groups = in, .vm = host, .service = "sshd", __VA_ARGS__

static void test_spicedb_exclusion(void **state)
{
	/* permission view = viewer - banned, on two resources */
	static const char policy[] =
		"roles: {view: {privileges: [ssh]}}\n"
		"grants:\n"
		"  - {id: g, to: [viewer], roles: [view], vms: [\"vm:client1\", "
		"\"vm:client2\"]}\n"
		"denies:\n"
		"  - {id: banned, to: [user], privileges: [\"*\"], vms: "
		"[\"vm:client1\"]}\n"
		"  - {id: banned2, to: [otherperson], privileges: [\"*\"], vms: "
		"[\"vm:client2\"]}\n";
	static const struct behaviour cases[] = {
		{"first: everybody is banned", policy,
		 VIEW("client1", "somegal", "user,viewer", DENIED)},
		{"first: no viewer either",
		 VIEW("client1", "anotheruser", "user", DENIED)},
		{"second: viewer",
		 VIEW("client2", "somegal", "user,viewer", ALLOW("g"))},
		{"second: banned, no viewer",
		 VIEW("client2", "otherperson", "user,otherperson", .rule = "banned2",
		      .reason = "denied")},
		{"second: banned viewer",
		 VIEW("client2", "otherperson", "user,viewer,otherperson",
		      .rule = "banned2", .reason = "denied")},
		{"second: neither", VIEW("client2", "editordude", "user", NO_GRANT)},
		{"whether banned cannot be known: excluded",
		 VIEW("client2", "somegal", "user,viewer", .unknown = "otherperson",
		      .rule = "banned2", .reason = "directory_incomplete")},
		{"whether viewer cannot be known: not included",
		 VIEW("client2", "somegal", "user", .unknown = "viewer",
		      .reason = "directory_incomplete")},
		/* caveated exclusion: the ban holds from outside only */
		{"caveat true",
		 "roles: {view: {privileges: [ssh]}}\n"
		 "grants: [{id: g, to: [viewer], roles: [view], vms: [every]}]\n"
		 "denies: [{id: banned, to: [user], privileges: [\"*\"], vms: "
		 "[every],\n"
		 "  when: {from: [192.0.2.0/24]}}]\n",
		 VIEW("client1", "tom", "user,viewer", DENIED, .from = "192.0.2.1")},
		{"caveat false", VIEW("client1", "tom", "user,viewer", ALLOW("g"),
				      .from = "192.0.3.1")},
		{"caveat without its context: excluded",
		 VIEW("client1", "tom", "user,viewer", DENIED)},
	};

	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

static void test_spicedb_expiry(void **state)
{
	/* A chain of two relations, each of which may be over: document -> folder is
	 * the grant, folder -> person is the account. */
	static const char policy[] =
		"roles: {view: {privileges: [ssh]}}\n"
		"grants:\n"
		"  - {id: old, to: [expired], roles: [view], vms: [\"vm:client1\"],\n"
		"     valid: {until: 2023-12-01}}\n"
		"  - {id: new, to: [notexpired], roles: [view], vms: "
		"[\"vm:client1\"],\n"
		"     valid: {until: 2323-12-01}}\n";
	static const struct behaviour cases[] = {
		{"both over", policy,
		 VIEW("client1", "tom", "expired", .reason = "acct_expired",
		      .expires = "2023-12-01 00:00")},
		{"the first over", VIEW("client1", "fred", "expired", EXPIRED,
					.expires = "2223-12-01 00:00")},
		{"the second over",
		 VIEW("client1", "sarah", "notexpired", .reason = "acct_expired",
		      .expires = "2023-12-01 00:00")},
		{"neither over", VIEW("client1", "tracy", "notexpired", ALLOW("new"),
				      .expires = "2223-12-01 00:00")},
		{"a way that is over does not close the other",
		 VIEW("client1", "tracy", "expired,notexpired", ALLOW("new"))},
		{"without an end", VIEW("client1", "ann", "notexpired", ALLOW("new"))},
		{"the account's last minute",
		 VIEW("client1", "ann", "notexpired", ALLOW("new"),
		      .expires = "2026-11-20 10:01")},
		{"the account's end",
		 VIEW("client1", "ann", "notexpired", .reason = "acct_expired",
		      .expires = "2026-11-20 10:00")},
	};

	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_casbin_deny),
		cmocka_unit_test(test_casbin_cycle),
		cmocka_unit_test(test_casbin_time),
		cmocka_unit_test(test_spicedb_exclusion),
		cmocka_unit_test(test_spicedb_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
