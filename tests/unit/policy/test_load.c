/* SPDX-License-Identifier: Apache-2.0 */
/* test_load.c - what is refused, where, and in which words; damage never opens doors.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

#define HEAD  "vmsec_policy: 1\n"
#define ROLES "roles: {r: {privileges: [ssh]}}\nvm_sets: {all: {every: true}}\n"
#define GRANT(extra)                                                                   \
	HEAD ROLES "grants:\n  - {id: g, to: [a], roles: [r], vms: [all]" extra "}\n"
#define DENY(extra) HEAD ROLES "denies:\n  - {id: d, to: [a], vms: [all]" extra "}\n"

static const struct policy_host host = {.name = "host1"};

static int load(const char *text, size_t len, struct policy **p, struct diags *diag)
{
	struct policy_source src = {.name = "p.yaml", .buf = text, .len = len};

	return policy_load_sources(&src, 1, &host, p, diag);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *msg;
	} cases[] = {
		{"roles: {}\n", 1, 1, "vmsec_policy: 1"},
		{"vmsec_policy: 2\n", 1, 15, "version"},
		{HEAD "serail: 1\n", 2, 1, "did you mean 'serial'"},
		{HEAD "seperation: []\n", 2, 1, "did you mean 'separation'"},
		{HEAD "serial: -1\n", 2, 9, "whole number"},
		{HEAD "roles: {r: {privileges: [sshh]}}\n", 2, 26,
		 "did you mean 'ssh'"},
		{HEAD "roles: {r: {privileges: [\"sudo:bob\"]}}\n", 2, 26,
		 "sudo's target"},
		{HEAD "roles: {r: {privileges: [\"su:-x\"]}}\n", 2, 26, "not a login"},
		{HEAD "roles: {a: {includes: [b]}, b: {includes: [a]}}\n", 2, 9,
		 "includes itself"},
		{HEAD "roles: {a: {includes: [x1]}}\n", 2, 24, "unknown role 'x1'"},
		{HEAD "vm_sets: {s: {not: {label: {env: [\"a b\"]}}}}\n", 2, 34,
		 "no VM can have this label"},
		{HEAD "vm_sets: {s: {label: {\"e\\nv\": [a]}}}\n", 2, 31,
		 "no VM can have this label"},
		{HEAD "services: {sshd: batch}\n", 2, 18, "cannot be a batch service"},
		{HEAD "users: {u: {}}\n", 2, 9, "pinned"},
		{HEAD "users: {u: {id: i}, v: {id: i}}\n", 2, 21, "same id"},
		{HEAD "inventory: {Web: {}}\n", 2, 13, "lower case"},
		{HEAD "inventory: {\"w[5-1]\": {}}\n", 2, 13, "not a range"},
		{HEAD "inventory: {\"w[01-100]\": {}}\n", 2, 13, "not a range"},
		{HEAD "inventory: {\"w[1-9]\": {}, w3: {}}\n", 2, 27,
		 "already defined"},
		{HEAD "vm_sets: {s: {not: {all: []}}}\n", 2, 20, "every VM"},
		{HEAD "vm_sets: {s: {every: yes}}\n", 2, 22, "true or false"},
		{HEAD "vm_sets: {s: {name: a, every: true}}\n", 2, 14, "one key"},
		{GRANT(", when: {mfa: {accept: []}}"), 5, 67, "'accept' is empty"},
		{GRANT(", when: {mfa: {accept: [sms]}}"), 5, 68, "totp, recovery"},
		{GRANT(", when: {mfa: nome}"), 5, 58, "must be a map"},
		{GRANT(", when: {from: [10.0.0.1/8]}"), 5, 60, "bits set"},
		{GRANT(", when: {from: [host.example]}"), 5, 60, "must be an address"},
		{GRANT(", when: {from: [\"::ffff:1.2.3.4\"]}"), 5, 60,
		 "must be an address"},
		{GRANT(", when: {from: []}"), 5, 59, "'from' is empty"},
		{GRANT(", valid: {until: 2026-02-30}"), 5, 61, "must be a date"},
		{GRANT(", valid: {from: 2026-02-02, until: 2026-02-02}"), 5, 79,
		 "after 'from'"},
		{GRANT(", privileges: [ssh]"), 5, 46, "unknown key 'privileges'"},
		{HEAD ROLES
		 "grants: [{id: g, to: [\"user:x\"], roles: [r], vms: [all]}]\n",
		 4, 23, "people named directly are pinned"},
		{HEAD ROLES "grants: [{id: g, to: [\"*\"], roles: [r], vms: [all]}]\n",
		 4, 23, "not a name"},
		{HEAD ROLES "grants: [{id: g, to: [], roles: [r], vms: [all]}]\n", 4,
		 22, "'to' is empty"},
		{HEAD ROLES "grants: [{id: g, to: [a], roles: [r], vms: [al]}]\n", 4,
		 45, "did you mean 'all'"},
		{DENY(""), 5, 5, "no 'privileges'"},
		{DENY(", privileges: [ssh], when: {mfa: none}"), 5, 60,
		 "unknown key 'mfa'"},
		{HEAD "defaults: {tz: Mars/Olympus}\n", 2, 16, "unknown time zone"},
		{HEAD "defaults: {mfa: {max_age: 5}}\n", 2, 27, "duration"},
	};

	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diags diag = DIAGS_INIT;
		struct policy *p = NULL;
		int r = load(cases[i].text, strlen(cases[i].text), &p, &diag);
		bool found = false;

		for (size_t k = 0; k < diag.n; k++)
			found |= diag.v[k].line == cases[i].line &&
				 diag.v[k].column == cases[i].column &&
				 strstr(diag.v[k].msg, cases[i].msg);
		if (r != POLICY_E_INVALID || !found || p) {
			print_error("case %zu, r=%d:\n%s", i, r, cases[i].text);
			diags_print(&diag, stderr);
		}
		failed += r != POLICY_E_INVALID || !found || p;
		diags_done(&diag);
	}
	assert_int_equal(failed, 0);
}

static void test_all_listed(void **state)
{
	static const char text[] = HEAD "roles: {a: {privileges: [x1, x2]}}\nmode: 1\n";
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(load(text, strlen(text), &p, &diag), POLICY_E_INVALID);
	assert_int_equal(diag.n, 3);
	diags_done(&diag);
}

static void test_duplicate_across_files(void **state)
{
	const struct policy_source src[] = {
		{"a.yaml", HEAD "roles: {r: {}}\n",
		 sizeof(HEAD "roles: {r: {}}\n") - 1},
		{"b.yaml", HEAD "roles: {r: {}}\n",
		 sizeof(HEAD "roles: {r: {}}\n") - 1},
	};
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(policy_load_sources(src, 2, &host, &p, &diag),
			 POLICY_E_INVALID);
	assert_int_equal(diag.n, 1);
	assert_non_null(strstr(diag.v[0].msg, "already defined"));
	diags_done(&diag);
}

/* ---------------------------------------------------------------- damage */

static const char whole[] =
	HEAD "serial: 7\n"
	     "users: {bob: {id: id-bob}}\n"
	     "roles: {r: {privileges: [ssh, \"su:pg\"]}, s: {includes: [r], "
	     "privileges: [sudo]}}\n"
	     "vm_sets: {here: {name: \"host?\"}, none: {not: {every: true}}}\n"
	     "grants:\n"
	     "  - {id: g1, to: [a, user:bob], roles: [r], vms: [here], when: {mfa: "
	     "{accept: [totp]}, from: [10.0.0.0/8], time: {between: "
	     "\"22:00-06:00\"}}, review: {every: 9d}}\n"
	     "  - {id: g2, to: [b], roles: [s], vms: [none]}\n"
	     "denies:\n"
	     "  - {id: d1, to: [c], privileges: [\"*\"], vms: [here], when: {time: "
	     "{days: [sun]}}}\n"
	     "separation: [{id: s1, never_both: [role:r, role:s]}]\n"
	     "limits: [{to: [b], max_sessions: 2, max_session_time: 8h}]\n"
	     "break_glass: [{id: z1, to: [local:root], vms: [here], privileges: "
	     "[console], alert: page}]\n"
	     "mode: {monitor: [none]}\n"
	     "tests: [{user_in: [a], do: ssh, at: 2026-01-01T00:00Z, want: deny}]\n";

static bool someone_enters(const struct policy *p)
{
	static const char *const privileges[] = {"ssh", "sudo", "su", "console"};
	uint32_t none = 0;
	struct policy_subject s = {.login = "eve",
				   .id = "id-eve",
				   .known = true,
				   .enabled = true,
				   .directory = true,
				   .groups = &none};
	bool entered = false;

	for (size_t i = 0; i < ARRAY_SIZE(privileges); i++) {
		struct policy_request req = {.subject = &s,
					     .vm = "host1",
					     .target = "pg",
					     .privilege = privileges[i],
					     .now_s = 1};
		struct policy_decision d;

		req.mfa.state = POLICY_MFA_PROOF;
		req.mfa.method = POLICY_METHOD_TOTP;
		req.mfa.same_transaction = true;
		policy_decide(p, &req, &d);
		entered |= d.verdict == POLICY_ALLOW;
	}
	return entered;
}

static unsigned n_damaged;

static void check_damaged(const char *text, size_t len)
{
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;
	int r = load(text, len, &p, &diag);

	assert_true(r == 0 || (r == POLICY_E_INVALID && diags_failed(&diag)));
	assert_true(r == 0 || !p);
	n_damaged++;
	/* Nobody named eve, and nobody in no group, is in this policy. */
	assert_true(!p || !someone_enters(p));
	policy_unref(p);
	diags_done(&diag);
}

static void test_damage(void **state)
{
	static const char bytes[] = "\0\n:,[]{}*\"'#ax0\xff";
	char copy[sizeof(whole)];
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(load(whole, sizeof(whole) - 1, &p, &diag), 0);
	policy_unref(p);
	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		check_damaged(whole, n);
	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		for (size_t k = 0; k < sizeof(bytes) - 1; k++) {
			memcpy(copy, whole, sizeof(whole));
			copy[i] = bytes[k];
			check_damaged(copy, sizeof(whole) - 1);
		}
	assert_true(n_damaged >= 10000);
}

/* Refusing first, granting last: what is cut off its end never gives more to anybody.
 */
static void test_cut(void **state)
{
	static const char text[] = HEAD
		"denies: [{id: d, to: [b], privileges: [ssh], vms: [here]}]\n"
		"separation: [{id: s, never_both: [role:r, role:q]}]\n"
		"limits: [{to: [c], max_sessions: 1}]\n"
		"vm_sets: {here: {every: true}}\n"
		"roles: {r: {privileges: [ssh]}, q: {privileges: [web]}}\n"
		"grants:\n"
		"  - {id: g2, to: [e], roles: [q], vms: [here], when: {mfa: none}}\n"
		"  - {id: g1, to: [a, b, c, e], roles: [r], vms: [here], when: {mfa: "
		"none}}\n";
	static const char *const names[] = {"a", "b", "c", "e", "f"};
	static const bool may[] = {true, false, false, false, false};
	unsigned n_loaded = 0;

	(void)state;
	for (size_t n = sizeof(text) - 1; n > 0; n--) {
		struct diags diag = DIAGS_INIT;
		struct policy *p = NULL;
		int r = load(text, n, &p, &diag);

		n_loaded += r == 0;
		for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
			uint32_t group = 0;
			struct policy_subject s = {.login = "eve",
						   .id = "id-eve",
						   .known = true,
						   .enabled = true,
						   .directory = true,
						   .groups = &group};
			struct policy_request req = {.subject = &s,
						     .vm = "host1",
						     .privilege = "ssh",
						     .now_s = 1};
			struct policy_decision d;

			s.n_groups = policy_group_find(p, names[i], &group) == 0;
			policy_decide(p, &req, &d);
			if (d.verdict == POLICY_ALLOW)
				assert_true(may[i]);
		}
		policy_unref(p);
		diags_done(&diag);
	}
	assert_true(n_loaded > 3); /* some do load */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_all_listed),
		cmocka_unit_test(test_duplicate_across_files),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
