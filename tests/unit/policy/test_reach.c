/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_reach.c - what can be reached, against the decision asked for each VM, each
 * privilege and many origins.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/reach.h"
#include "tests/unit/policy/good_policy.h"

#define NOW_S 1700000000

static const char text[] =
	"vmsec_policy: 1\n"
	"users: {oncall: {id: id-1}}\n"
	"inventory:\n"
	"  web[1-9]: {labels: {tier: web}}\n"
	"  db[1-4]: {labels: {tier: db}}\n"
	"  bastion: {labels: {tier: edge}}\n"
	"vm_sets:\n"
	"  web: {label: {tier: [web]}}\n"
	"  db: {label: {tier: [db]}}\n"
	"  all: {every: true}\n"
	"roles:\n"
	"  viewer: {privileges: [ssh]}\n"
	"  admin: {includes: [viewer], privileges: [sudo, su]}\n"
	"  dba: {privileges: [\"su:pg\", \"su:root\"]}\n"
	"grants:\n"
	"  - {id: g-web, to: [admins], roles: [admin], vms: [web]}\n"
	"  - {id: g-db, to: [dbas], roles: [dba], vms: [db, \"vm:web3\"]}\n"
	"  - {id: g-all, to: [viewers], roles: [viewer], vms: [all], when: {mfa: "
	"none}}\n"
	"  - {id: g-net, to: [net], roles: [viewer], vms: [db], when: {from: "
	"[10.0.0.0/8]}}\n"
	"  - {id: g-old, to: [admins], roles: [dba], vms: [all], valid: {until: "
	"2001-01-01}}\n"
	"  - {id: g-user, to: [\"user:oncall\"], roles: [admin], vms: "
	"[\"vm:bastion\"]}\n"
	"  - {id: g-key, to: [keys], roles: [viewer], vms: [web], when: {mfa: {accept: "
	"[security-key]}}}\n"
	"denies:\n"
	"  - {id: d-out, to: [out], privileges: [\"*\"], vms: [db]}\n"
	"  - {id: d-pg, to: [nopg], privileges: [\"su:pg\"], vms: [all]}\n"
	"  - {id: d-half, to: [net], privileges: [ssh], vms: [\"vm:db1\"], when: "
	"{from: "
	"[10.0.0.0/9]}}\n"
	"  - {id: d-low, to: [net], privileges: [ssh], vms: [\"vm:db2\"], when: {from: "
	"[10.0.0.0/9]}}\n"
	"  - {id: d-high, to: [net], privileges: [ssh], vms: [\"vm:db2\"], when: "
	"{from: "
	"[10.128.0.0/9]}}\n"
	"  - {id: d-v6, to: [viewers], privileges: [ssh], vms: [\"vm:web9\"], when: "
	"{from: "
	"[\"::/0\", local]}}\n"
	"  - {id: d-none, to: [viewers], privileges: [ssh], vms: [\"vm:web8\"], when: "
	"{from: [\"::/0\", local, 0.0.0.0/0]}}\n";

static const char *const origins[] = {"10.0.0.1",   "10.127.255.255", "10.128.0.0",
				      "10.200.0.1", "192.0.2.1",      "2001:db8::1"};

struct fixture {
	struct policy *p;
	struct policy_privileges *privs;
	struct policy_reach *reach;
};

static struct fixture fx;

static int setup_text(const char *policy)
{
	const struct policy_host host = {.name = "bastion"};

	fx.p = good_policy(policy, &host);
	assert_int_equal(policy_privileges_new(fx.p, NULL, &fx.privs), 0);
	assert_int_equal(policy_reach_new(fx.p, fx.privs, NOW_S, &fx.reach), 0);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_text(text);
}

static int teardown(void **state)
{
	(void)state;
	policy_reach_free(fx.reach);
	policy_privileges_free(fx.privs);
	policy_unref(fx.p);
	return 0;
}

struct person {
	struct policy_subject s;
	uint32_t groups[16];
};

static void person_init(struct person *p, const char *login, const char *id,
			unsigned mask)
{
	*p = (struct person){.s = {.login = login,
				   .id = id,
				   .known = true,
				   .enabled = true,
				   .directory = true,
				   .groups = p->groups}};
	for (unsigned i = 0; i < policy_group_count(fx.p); i++)
		if (mask >> i & 1)
			p->groups[p->s.n_groups++] = i;
}

static bool decide_at(struct policy_request *req, const char *origin)
{
	const enum policy_method methods[] = {POLICY_METHOD_TOTP,
					      POLICY_METHOD_SECURITY_KEY};
	struct policy_decision d;

	if (!origin)
		req->origin.kind = POLICY_ORIGIN_LOCAL;
	else
		assert_int_equal(policy_origin_parse(origin, &req->origin), 0);
	req->mfa.state = POLICY_MFA_PROOF;
	req->mfa.same_transaction = true;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		req->mfa.method = methods[i];
		policy_decide(fx.p, req, &d);
		if (d.verdict == POLICY_ALLOW && !d.would_deny)
			return true;
	}
	return false;
}

/* The slow way: everywhere, one after the other. */
static bool decide_somewhere(const struct policy_subject *s, size_t vm, size_t priv)
{
	struct policy_request req = {.subject = s,
				     .vm = policy_vm_at(fx.p, vm),
				     .now_s = NOW_S,
				     .assume = POLICY_ASSUME_STATE};

	policy_privileges_request(fx.privs, priv, &req);
	if (decide_at(&req, NULL))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++)
		if (decide_at(&req, origins[i]))
			return true;
	return false;
}

/* Counts the pairs; each is checked against the slow way. */
static size_t compare(const struct policy_subject *s)
{
	bool seen[32][16] = {{false}};
	const struct policy_opening *o;
	size_t n, total = 0;

	assert_int_equal(policy_reach_subject(fx.reach, s, &o, &n), 0);
	for (size_t i = 0; i < n; i++) {
		size_t n_vms;
		const uint32_t *vms = policy_reach_vms(fx.reach, o[i].class, &n_vms);

		for (size_t k = 0; k < n_vms; k++) {
			assert_false(seen[vms[k]][o[i].privilege]);
			seen[vms[k]][o[i].privilege] = true;
			assert_int_equal(policy_reach_class_of(fx.reach, vms[k]),
					 o[i].class);
		}
		total += n_vms;
	}
	for (size_t vm = 0; vm < policy_vm_count(fx.p); vm++)
		for (size_t k = 0; k < policy_privileges_count(fx.privs); k++)
			if (seen[vm][k] != decide_somewhere(s, vm, k))
				fail_msg("groups %zu, %s, %s: reach says %d",
					 s->n_groups, policy_vm_at(fx.p, vm),
					 policy_privileges_at(fx.privs, k)->text,
					 seen[vm][k]);
	return total;
}

static void test_every_set_of_groups(void **state)
{
	size_t n = policy_group_count(fx.p), total = 0;
	struct person p;

	(void)state;
	assert_int_equal(n, 7);
	for (unsigned mask = 0; mask < 1u << n; mask++) {
		person_init(&p, "ann", "x", mask);
		total += compare(&p.s);
		person_init(&p, "oncall", "id-1", mask);
		total += compare(&p.s);
	}
	assert_true(total > 5000);
}

static void test_states_of_a_person(void **state)
{
	const uint32_t all[] = {0, 1, 2, 3, 4, 5, 6};
	struct person p;

	(void)state;
	person_init(&p, "ann", "x", 0x7f);
	p.s.known = false;
	assert_int_equal(compare(&p.s), 0);
	person_init(&p, "ann", "x", 0x7f);
	p.s.enabled = false;
	assert_int_equal(compare(&p.s), 0);
	person_init(&p, "ann", "x", 0x7f);
	p.s.expires_s = NOW_S;
	assert_int_equal(compare(&p.s), 0);
	person_init(&p, "ann", "x", 0x7f);
	p.s.unknown = all;
	p.s.n_unknown = ARRAY_SIZE(all);
	assert_int_equal(compare(&p.s), 0);
	person_init(&p, "root", NULL, 0);
	p.s.directory = false;
	p.s.local = true;
	assert_int_equal(compare(&p.s), policy_vm_count(fx.p)); /* batch */
}

static uint32_t vm_index(const char *name)
{
	for (size_t i = 0; i < policy_vm_count(fx.p); i++)
		if (str_eq(policy_vm_at(fx.p, i), name))
			return (uint32_t)i;
	fail_msg("no VM %s", name);
	return 0;
}

static void test_focus(void **state)
{
	const struct policy_opening *o;
	struct person p;
	uint32_t group;
	size_t n;

	(void)state;
	assert_int_equal(policy_group_find(fx.p, "admins", &group), 0);
	person_init(&p, "ann", "x", 1u << group);
	policy_reach_focus(fx.reach, policy_reach_class_of(fx.reach, vm_index("web5")));
	assert_int_equal(policy_reach_subject(fx.reach, &p.s, &o, &n), 0);
	assert_int_equal(n, 4); /* ssh sudo su su:pg */
	assert_string_equal(o[0].rule, "g-web");
	assert_string_equal(o[0].group, "admins");
	assert_string_equal(o[0].role, "admin");
	assert_true(o[0].mfa);
	policy_reach_focus(fx.reach, policy_reach_class_of(fx.reach, vm_index("db1")));
	assert_int_equal(policy_reach_subject(fx.reach, &p.s, &o, &n), 0);
	assert_int_equal(n, 0);
	policy_reach_focus(fx.reach, POLICY_REACH_ALL);
	assert_int_equal(compare(&p.s), 36);
}

/* Denies that together cover every origin of a grant close it; one half does not. */
static void test_conditional_denies(void **state)
{
	const struct {
		const char *group, *vm;
		bool open;
	} t[] = {{"net", "db1", true},	     {"net", "db2", false},
		 {"net", "db3", true},	     {"viewers", "web9", true},
		 {"viewers", "web8", false}, {"viewers", "web7", true}};
	struct person p;
	uint32_t group;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct policy_opening *o;
		size_t n;

		assert_int_equal(policy_group_find(fx.p, t[i].group, &group), 0);
		person_init(&p, "ann", "x", 1u << group);
		policy_reach_focus(fx.reach,
				   policy_reach_class_of(fx.reach, vm_index(t[i].vm)));
		assert_int_equal(policy_reach_subject(fx.reach, &p.s, &o, &n), 0);
		assert_int_equal(n, t[i].open);
	}
	policy_reach_focus(fx.reach, POLICY_REACH_ALL);
}

/* What is not a grant's doing: reviews, modes, the last resort. */
static void test_beside_grants(void **state)
{
	static const char watched[] =
		"vmsec_policy: 1\n"
		"users: {oncall: {id: id-1}}\n"
		"inventory: {h1: {}, h2: {}, lab: {}}\n"
		"vm_sets: {all: {every: true}}\n"
		"roles: {viewer: {privileges: [ssh]}}\n"
		"grants:\n"
		"  - {id: g-rev, to: [a], roles: [viewer], vms: [all], when: {mfa: "
		"none},\n"
		"     review: {every: 90d, overdue: suspend}}\n"
		"denies:\n"
		"  - {id: d, to: [\"local:root\"], privileges: [console], vms: "
		"[\"vm:h2\"]}\n"
		"break_glass:\n"
		"  - {id: b-root, to: [\"local:root\"], vms: [\"vm:h1\", \"vm:h2\"],\n"
		"     privileges: [console], alert: page}\n"
		"  - {id: b-oncall, to: [\"user:oncall\"], vms: [\"vm:lab\"],\n"
		"     privileges: [console], mfa: none, alert: log}\n"
		"mode: {monitor: [\"vm:lab\"]}\n";
	const struct fixture before = fx;
	struct person p;

	(void)state;
	assert_int_equal(setup_text(watched), 0);
	person_init(&p, "ann", "x", 1); /* overdue or not, on all three */
	assert_int_equal(compare(&p.s), 3);
	person_init(&p, "eve", "y", 0); /* the lab lets her in and opens nothing */
	assert_int_equal(compare(&p.s), 0);
	person_init(&p, "oncall", "id-1", 0);
	assert_int_equal(compare(&p.s), 1);
	person_init(&p, "root", NULL, 0);
	p.s.directory = false;
	p.s.local = true;
	assert_int_equal(compare(&p.s), 3 + 1); /* batch, and the console of h1 */
	(void)teardown(NULL);
	fx = before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_set_of_groups),
		cmocka_unit_test(test_states_of_a_person),
		cmocka_unit_test(test_focus),
		cmocka_unit_test(test_conditional_denies),
		cmocka_unit_test(test_beside_grants),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
