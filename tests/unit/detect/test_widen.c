/* SPDX-License-Identifier: Apache-2.0 */
/* test_widen.c - what one policy opens that another did not. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/detect/widen.h"
#include "tests/unit/policy/good_policy.h"

#define NOW_S 1795000000
#define HEAD                                                                           \
	"vmsec_policy: 1\n"                                                            \
	"inventory: {web1: {}, web2: {}, web3: {}, db1: {}}\n"                         \
	"vm_sets: {web: {name: \"web*\"}, all: {every: true}}\n"                       \
	"roles:\n"                                                                     \
	"  user: {privileges: [ssh]}\n"                                                \
	"  admin: {includes: [user], privileges: [sudo]}\n"
#define GRANT(id, to, role, vms)                                                       \
	"  - {id: " id ", to: [" to "], roles: [" role "], vms: [" vms "]}\n"
#define BASE	GRANT("g1", "a", "user", "web")
#define PIN(id) "users: {eve: {id: \"" id "\"}}\n"
#define EVE	GRANT("g3", "\"user:eve\"", "user", "web")

static void test_table(void **state)
{
	static const struct {
		const char *what, *before, *after;
		size_t vms, groups, named;
	} table[] = {
		{"the same", HEAD "grants:\n" BASE, HEAD "grants:\n" BASE, 0, 0, 0},
		{"less", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" GRANT("g1", "a", "user", "\"vm:web1\""), 0, 0, 0},
		{"more VMs", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" GRANT("g1", "a", "user", "all"), 1, 1, 0},
		{"another privilege", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" GRANT("g1", "a", "admin", "web"), 3, 1, 0},
		{"another group", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" BASE GRANT("g2", "b, c", "user", "\"vm:db1\""), 1, 2,
		 0},
		{"the same by another grant", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" BASE GRANT("g2", "a", "user", "web"), 0, 0, 0},
		{"a deny is taken back",
		 HEAD "grants:\n" BASE
		      "denies: [{id: d, to: [a], privileges: [\"*\"], vms: [web]}]\n",
		 HEAD "grants:\n" BASE, 3, 1, 0},
		{"another object behind the name",
		 HEAD "groups: {a: {dn: \"cn=a,dc=x\"}}\ngrants:\n" BASE,
		 HEAD "groups: {a: {dn: \"cn=b,dc=x\"}}\ngrants:\n" BASE, 3, 1, 0},
		{"a person", HEAD "grants:\n" BASE,
		 HEAD PIN("x:1") "grants:\n" BASE EVE, 3, 0, 1},
		{"another person of that name", HEAD PIN("x:1") "grants:\n" EVE,
		 HEAD PIN("x:2") "grants:\n" EVE, 3, 0, 1},
		{"a local account", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" BASE GRANT("g4", "\"local:op\"", "user", "all"), 4, 0,
		 1},
		{"a new VM in a set", HEAD "grants:\n" BASE,
		 "vmsec_policy: 1\n"
		 "inventory: {web1: {}, web2: {}, web3: {}, web4: {}, db1: {}}\n"
		 "vm_sets: {web: {name: \"web*\"}}\n"
		 "roles: {user: {privileges: [ssh]}}\ngrants:\n" BASE,
		 1, 1, 0},
		{"a VM that only watches", HEAD "grants:\n" BASE,
		 HEAD "grants:\n" BASE "mode: {monitor: [\"vm:db1\"]}\n", 1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct policy *before = good_policy(table[i].before, NULL);
		struct policy *after = good_policy(table[i].after, NULL);
		_cleanup_widening_ struct widening w = {0};

		assert_int_equal(widening_find(before, after, NOW_S, &w), 0);
		if (w.n_vms != table[i].vms || w.n_groups != table[i].groups ||
		    w.n_named != table[i].named)
			fail_msg("%s: %zu VMs, %zu groups, %zu people", table[i].what,
				 w.n_vms, w.n_groups, w.n_named);
		policy_unref(before);
		policy_unref(after);
	}
}

/* The marks say which groups, by the newer policy's numbers. */
static void test_marks(void **state)
{
	struct policy *before = good_policy(HEAD "grants:\n" BASE, NULL);
	struct policy *after =
		good_policy(HEAD "grants:\n" BASE GRANT("g2", "b, d", "user", "all"),
			    NULL);
	_cleanup_widening_ struct widening w = {0};
	uint32_t at;

	(void)state;
	assert_int_equal(widening_find(before, after, NOW_S, &w), 0);
	assert_int_equal(policy_group_find(after, "a", &at), 0);
	assert_false(w.groups[at]);
	assert_int_equal(policy_group_find(after, "b", &at), 0);
	assert_true(w.groups[at]);
	assert_int_equal(policy_group_find(after, "d", &at), 0);
	assert_true(w.groups[at]);
	policy_unref(before);
	policy_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
