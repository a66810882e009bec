/* SPDX-License-Identifier: Apache-2.0 */
/* test_decide.c - decisions as a table: request, verdict, rule, reason. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

static const char text[] =
	"vmsec_policy: 1\n"
	"users: {oncall: {id: id-1}}\n"
	"roles:\n"
	"  viewer: {privileges: [ssh]}\n"
	"  admin: {includes: [viewer], privileges: [sudo, su]}\n"
	"  dba: {privileges: [\"su:pg\", \"su:root\"]}\n"
	"vm_sets: {here: {name: host1}}\n"
	"grants:\n"
	"  - {id: g-admin, to: [admins], roles: [admin], vms: [here]}\n"
	"  - {id: g-dba, to: [dbas], roles: [dba], vms: [here], when: {mfa: none}}\n"
	"  - {id: g-net, to: [net], roles: [viewer], vms: [here], when: {mfa: none, "
	"from: "
	"[10.0.0.0/8, local]}}\n"
	"  - {id: g-old, to: [old], roles: [viewer], vms: [here], when: {mfa: none}, "
	"valid: "
	"{until: 1990-01-01}}\n"
	"  - {id: g-user, to: [\"user:oncall\"], roles: [viewer], vms: [here], when: "
	"{mfa: "
	"none}}\n"
	"  - {id: g-root, to: [\"local:root\"], roles: [viewer], vms: [here], when: "
	"{mfa: "
	"none}}\n"
	"denies:\n"
	"  - {id: d-out, to: [out], privileges: [\"*\"], vms: [here], message: no}\n"
	"  - {id: d-root, to: [noroot], privileges: [\"su:root\"], vms: [here]}\n";

struct request {
	const char *login, *id, *groups, *unknown, *vm, *privilege, *target, *origin;
	enum policy_mfa_state mfa;
	int age_min; /* -1: same transaction */
	enum policy_verdict verdict;
	const char *rule;
	const char *reason;
	bool would_help, local, uid0;
};

#define R(...)                                                                         \
	{                                                                              \
		.login = "ann", .id = "x", .vm = "host1", __VA_ARGS__                  \
	}

static const struct request cases[] = {
	R(.groups = "admins", .privilege = "ssh", .reason = "mfa_required",
	  .would_help = true),
	R(.groups = "admins", .privilege = "ssh", .mfa = POLICY_MFA_PROOF, .age_min = 0,
	  .reason = "mfa_stale", .would_help = true),
	R(.groups = "admins", .privilege = "ssh", .mfa = POLICY_MFA_PROOF,
	  .age_min = -1, .verdict = POLICY_ALLOW, .rule = "g-admin", .reason = "none"),
	R(.groups = "admins", .privilege = "sudo", .mfa = POLICY_MFA_PROOF,
	  .age_min = 15, .verdict = POLICY_ALLOW, .rule = "g-admin", .reason = "none"),
	R(.groups = "admins", .privilege = "sudo", .mfa = POLICY_MFA_PROOF,
	  .age_min = 16, .reason = "mfa_stale", .would_help = true),
	R(.groups = "admins", .privilege = "su", .target = "bob",
	  .mfa = POLICY_MFA_ASSUMED, .verdict = POLICY_ALLOW, .rule = "g-admin",
	  .reason = "none"),
	R(.groups = "admins", .privilege = "su", .target = "root",
	  .mfa = POLICY_MFA_ASSUMED, .reason = "no_grant"),
	R(.groups = "admins", .privilege = "su", .target = "toor", .uid0 = true,
	  .mfa = POLICY_MFA_ASSUMED, .reason = "no_grant"),
	R(.groups = "admins", .privilege = "su", .mfa = POLICY_MFA_ASSUMED,
	  .reason = "no_grant"),
	R(.groups = "dbas", .privilege = "su", .target = "pg", .verdict = POLICY_ALLOW,
	  .rule = "g-dba", .reason = "none"),
	R(.groups = "dbas", .privilege = "su", .target = "bob", .reason = "no_grant"),
	R(.groups = "dbas noroot", .privilege = "su", .target = "root",
	  .rule = "d-root", .reason = "denied"),
	R(.groups = "net", .privilege = "ssh", .origin = "10.1.1.1",
	  .verdict = POLICY_ALLOW, .rule = "g-net", .reason = "none"),
	R(.groups = "net", .privilege = "ssh", .origin = "local",
	  .verdict = POLICY_ALLOW, .rule = "g-net", .reason = "none"),
	R(.groups = "net", .privilege = "ssh", .origin = "11.1.1.1",
	  .reason = "src_not_allowed"),
	R(.groups = "net", .privilege = "ssh", .reason = "src_not_allowed"),
	R(.groups = "old", .privilege = "ssh", .reason = "grant_expired"),
	R(.groups = "dbas out", .privilege = "su", .target = "pg", .rule = "d-out",
	  .reason = "denied"),
	R(.groups = "dbas", .unknown = "out", .privilege = "su", .target = "pg",
	  .rule = "d-out", .reason = "directory_incomplete"),
	R(.unknown = "dbas", .privilege = "su", .target = "pg",
	  .reason = "directory_incomplete"),
	R(.privilege = "ssh", .reason = "no_grant"),
	R(.privilege = "fly", .reason = "service_unknown"),
	{.login = "ann", .vm = "host2", .privilege = "ssh", .reason = "vm_unknown"},
	{.login = "-rf", .vm = "host1", .privilege = "ssh", .reason = "unknown_user"},
	{.login = "oncall",
	 .id = "id-1",
	 .vm = "host1",
	 .privilege = "ssh",
	 .verdict = POLICY_ALLOW,
	 .rule = "g-user",
	 .reason = "none"},
	{.login = "oncall",
	 .id = "id-2",
	 .vm = "host1",
	 .privilege = "ssh",
	 .reason = "no_grant"},
	{.login = "root",
	 .vm = "host1",
	 .privilege = "ssh",
	 .local = true,
	 .verdict = POLICY_ALLOW,
	 .rule = "g-root",
	 .reason = "none"},
	{.login = "root",
	 .id = "r",
	 .vm = "host1",
	 .privilege = "ssh",
	 .reason = "no_grant"},
	{.login = "cron",
	 .vm = "host1",
	 .privilege = "batch",
	 .local = true,
	 .verdict = POLICY_ALLOW,
	 .reason = "none"},
	R(.privilege = "batch", .reason = "no_grant"),
};

static size_t bind(const struct policy *p, const char *names, uint32_t *ret)
{
	static const char *const known[] = {"admins", "dbas", "net",
					    "noroot", "old",  "out"};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known) && names; i++)
		if (strstr(names, known[i]) &&
		    policy_group_find(p, known[i], &ret[n]) == 0)
			n++;
	return n;
}

static bool holds(const struct policy *p, const struct request *c)
{
	uint32_t groups[8], unknown[8];
	struct policy_subject s = {.login = c->login,
				   .id = c->id,
				   .known = true,
				   .enabled = true,
				   .local = c->local,
				   .directory = !c->local,
				   .groups = groups,
				   .unknown = unknown};
	struct policy_request req = {.subject = &s,
				     .vm = c->vm,
				     .privilege = c->privilege,
				     .target = c->target,
				     .target_uid0 = c->uid0,
				     .now_s = 1795000000};
	struct policy_decision d;

	s.n_groups = bind(p, c->groups, groups);
	s.n_unknown = bind(p, c->unknown, unknown);
	if (str_eq(c->origin, "local"))
		req.origin.kind = POLICY_ORIGIN_LOCAL;
	else if (c->origin)
		assert_int_equal(policy_origin_parse(c->origin, &req.origin), 0);
	req.mfa = (struct policy_mfa){c->mfa, POLICY_METHOD_TOTP, 60 * c->age_min,
				      c->age_min < 0};
	policy_decide(p, &req, &d);
	return d.verdict == c->verdict &&
	       (c->rule ? str_eq(c->rule, d.rule) : !d.rule) &&
	       str_eq(c->reason, policy_reason_name(d.reason)) &&
	       d.mfa_would_help == c->would_help;
}

static void test_table(void **state)
{
	const struct policy_host host = {.name = "host1"};
	const struct policy_source src = {"p.yaml", text, sizeof(text) - 1};
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;
	unsigned failed = 0;
	int r = policy_load_sources(&src, 1, &host, &p, &diag);

	(void)state;
	diags_print(&diag, stderr);
	assert_int_equal(r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (holds(p, &cases[i]))
			continue;
		print_error("case %zu: %s %s\n", i,
			    cases[i].groups ? cases[i].groups : "-",
			    cases[i].privilege);
		failed++;
	}
	assert_int_equal(failed, 0);
	policy_unref(p);
}

static void test_nothing_is_deny(void **state)
{
	const struct policy_request req = {.vm = "host1", .privilege = "ssh"};
	struct policy_decision d = {.verdict = POLICY_ALLOW};

	(void)state;
	policy_decide(NULL, &req, &d);
	assert_int_equal(d.verdict, POLICY_DENY);
	assert_int_equal(d.reason, POLICY_REASON_NO_POLICY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_nothing_is_deny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
