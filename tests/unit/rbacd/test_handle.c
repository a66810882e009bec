/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/handle.h"
#include "rbacd/limits.h"

#define S 1000000000ull

static const struct handle_facts alice = {.user = "alice",
					  .service = "sshd",
					  .pid = 42,
					  .person = "unix:1001:alice",
					  .has_code = true};

static void lives_once(void **state)
{
	struct handle_table *t = NULL;
	struct handle_facts f;
	uint8_t h[WIRE_HANDLE_LEN];

	(void)state;
	assert_int_equal(handle_table_new(&t), 0);
	assert_int_equal(handle_issue(t, &alice, 5 * S, h), 0);
	assert_true(handle_redeem(t, h, "alice", "sshd", 42, 6 * S, &f));
	assert_string_equal(f.person, "unix:1001:alice");
	assert_true(f.has_code);
	assert_false(handle_redeem(t, h, "alice", "sshd", 42, 6 * S, &f));
	handle_table_free(t);
}

static void bound_to_user_service_process_and_time(void **state)
{
	static const struct {
		const char *user, *service;
		int32_t pid;
		uint64_t at_ns;
	} wrong[] = {
		{"bob", "sshd", 42, 6 * S},
		{"alice", "sudo", 42, 6 * S},
		{"alice", "sshd", 43, 6 * S},
		{"alice", "sshd", 42, (5 + LIMIT_HANDLE_S) * S},
	};
	struct handle_table *t = NULL;
	struct handle_facts f;
	uint8_t h[WIRE_HANDLE_LEN];

	(void)state;
	assert_int_equal(handle_table_new(&t), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(handle_issue(t, &alice, 5 * S, h), 0);
		assert_false(handle_redeem(t, h, wrong[i].user, wrong[i].service,
					   wrong[i].pid, wrong[i].at_ns, &f));
		/* A wrong try uses it up: there is nothing left to try on. */
		assert_false(handle_redeem(t, h, "alice", "sshd", 42, 6 * S, &f));
	}
	handle_table_free(t);
}

static void unknown_handle_and_flood_deny(void **state)
{
	struct handle_table *t = NULL;
	struct handle_facts f;
	uint8_t h[WIRE_HANDLE_LEN] = {0}, first[WIRE_HANDLE_LEN];

	(void)state;
	assert_int_equal(handle_table_new(&t), 0);
	assert_false(handle_redeem(t, h, "alice", "sshd", 42, 6 * S, &f));
	assert_int_equal(handle_issue(t, &alice, 5 * S, first), 0);
	for (int i = 0; i < 40 * LIMIT_HANDLES / 8; i++)
		assert_int_equal(handle_issue(t, &alice, 6 * S, h), 0);
	assert_false(handle_redeem(t, first, "alice", "sshd", 42, 7 * S, &f));
	assert_true(handle_redeem(t, h, "alice", "sshd", 42, 7 * S, &f));
	handle_table_free(t);
}

/* A factor that was disabled proves nothing in the account phase either. */
static void forgotten_with_its_person(void **state)
{
	struct handle_facts f = alice, got;
	uint8_t mine[WIRE_HANDLE_LEN], other[WIRE_HANDLE_LEN];
	struct handle_table *t = NULL;

	(void)state;
	assert_int_equal(handle_table_new(&t), 0);
	handle_forget(t, f.person);
	handle_forget(NULL, f.person);
	assert_int_equal(handle_issue(t, &f, 1, mine), 0);
	(void)snprintf(f.person, sizeof(f.person), "somebody else");
	assert_int_equal(handle_issue(t, &f, 1, other), 0);
	handle_forget(t, alice.person);
	assert_false(handle_redeem(t, mine, f.user, f.service, f.pid, 2, &got));
	assert_true(handle_redeem(t, other, f.user, f.service, f.pid, 2, &got));
	handle_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_once),
		cmocka_unit_test(bound_to_user_service_process_and_time),
		cmocka_unit_test(unknown_handle_and_flood_deny),
		cmocka_unit_test(forgotten_with_its_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
