/* SPDX-License-Identifier: Apache-2.0 */
/* test_lint.c - what lint says of people, and that it says nothing it cannot know. The
 * rules about the policy alone: tests/policy/check_tools.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "policy/lint.h"

static const char text[] = "vmsec_policy: 1\n"
			   "inventory: {a: {}, b: {}}\n"
			   "users: {bob: {id: \"u:2\"}}\n"
			   "roles: {r: {privileges: [ssh]}}\n"
			   "grants:\n"
			   "  - {id: g, to: [crew, \"user:bob\", \"local:op\"], roles: "
			   "[r], vms: [\"vm:a\"],"
			   " owner: o}\n";

struct seen {
	char codes[512]; /* "code:id " … */
};

static void count(void *arg, const struct policy_lint_count *c)
{
	(void)arg;
	(void)c;
}

static void finding(void *arg, const struct policy_lint_finding *f)
{
	struct seen *s = arg;
	size_t n = strlen(s->codes);

	(void)snprintf(s->codes + n, sizeof(s->codes) - n, "%s:%s ", f->code, f->id);
}

static void expect(const struct policy_subject *people, size_t n, bool complete,
		   const char *want)
{
	struct policy_source src = {"p.yaml", text, sizeof(text) - 1};
	struct policy_host host = {.name = "a"};
	struct diags d = DIAGS_INIT;
	struct policy *p = NULL;
	struct seen seen = {""};
	struct policy_lint_input in = {.people = people,
				       .n_people = n,
				       .complete = complete,
				       .now_s = 1000,
				       .count = count,
				       .finding = finding,
				       .arg = &seen};

	assert_int_equal(policy_load_sources(&src, 1, &host, &p, &d), 0);
	in.policy = p;
	assert_int_equal(policy_lint(&in), 0);
	assert_string_equal(seen.codes, want);
	policy_unref(p);
	diags_done(&d);
}

#define DIRECTORY .known = true, .enabled = true, .directory = true

static const uint32_t crew[] = {0};
#define IN_CREW	   .groups = crew, .n_groups = 1
#define MAYBE_CREW .unknown = crew, .n_unknown = 1
#define OP                                                                             \
	{                                                                              \
		.login = "op", .id = "l:1", .known = true, .enabled = true,            \
		.local = true                                                          \
	}

static void all_is_well(void **state)
{
	const struct policy_subject people[] = {
		{.login = "alice", .id = "u:1", DIRECTORY, IN_CREW},
		{.login = "bob", .id = "u:2", DIRECTORY},
		OP,
	};

	(void)state;
	expect(people, 3, true, "");
}

static void a_shared_id_is_told(void **state)
{
	const struct policy_subject people[] = {
		{.login = "alice", .id = "u:2", DIRECTORY, IN_CREW},
		{.login = "bob", .id = "u:2", DIRECTORY},
		OP,
	};

	(void)state;
	expect(people, 3, true, "same-id:bob ");
}

/* Another person of that login is not who was meant. */
static void a_name_with_another_id_is_nobody(void **state)
{
	const struct policy_subject people[] = {
		{.login = "alice", .id = "u:1", DIRECTORY, IN_CREW},
		{.login = "bob", .id = "u:9", DIRECTORY},
	};

	(void)state;
	expect(people, 2, true, "unknown:g unknown:g no-access: ");
	expect(people, 2, false, "");
}

static void who_left_is_told_also_when_not_all_are_known(void **state)
{
	struct policy_subject people[] = {
		{.login = "alice", .id = "u:1", DIRECTORY, IN_CREW, .expires_s = 1001},
		{.login = "bob", .id = "u:2", DIRECTORY},
		OP,
	};

	(void)state;
	expect(people, 3, true, "");
	people[0].expires_s = 1000; /* it ends now */
	expect(people, 3, true, "left:g ");
	expect(people, 3, false, "left:g ");
	people[0].expires_s = 0;
	people[1].enabled = false;
	expect(people, 3, true, "left:g ");
}

static void a_group_without_a_list_is_not_called_empty(void **state)
{
	struct policy_subject people[] = {
		{.login = "bob", .id = "u:2", DIRECTORY, MAYBE_CREW},
		OP,
	};

	(void)state;
	expect(people, 2, true, "");
	people[0].n_unknown = 0;
	expect(people, 2, true, "empty:g ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(a_shared_id_is_told),
		cmocka_unit_test(a_name_with_another_id_is_nobody),
		cmocka_unit_test(who_left_is_told_also_when_not_all_are_known),
		cmocka_unit_test(a_group_without_a_list_is_not_called_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
