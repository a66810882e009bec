/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrolment.c - whom `enrolment:` offers a second factor, and until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

#define DAY	 INT64_C(86400)
#define NOV_20	 (INT64_C(20777) * DAY) /* 2026-11-20 00:00 UTC */
#define DEC_1	 (INT64_C(20788) * DAY)
#define LAST_DAY (INT64_C(20818) * DAY) /* 2026-12-31 */

static const char text[] =
	"vmsec_policy: 1\n"
	"inventory: {h: {}}\n"
	"vm_sets: {all: {every: true}}\n"
	"roles: {r: {privileges: [ssh]}}\n"
	"users: {una: {id: \"id-una\"}}\n"
	"grants: [{id: g, to: [a, b, c], roles: [r], vms: [all]}]\n"
	"enrolment:\n"
	"  - {to: [a, \"user:una\", \"local:root\"], at_first_login: true, until: "
	"2026-12-31}\n"
	"  - {to: [b], at_first_login: true, until: 2026-12-01, optional: true}\n"
	"  - {to: [c], at_first_login: false}\n";

static int setup(void **state)
{
	struct policy_source src = {.name = "t.yaml",
				    .buf = text,
				    .len = sizeof(text) - 1};
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	assert_int_equal(policy_load_sources(&src, 1, NULL, &p, &diag), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	policy_unref(*state);
	return 0;
}

struct row {
	const char *login, *id;
	const char *groups[3], *unknown;
	bool stranger, off, local, not_directory, stale;
	int64_t expires_s, now_s;
	bool offered;
	int64_t optional_until_s;
};

static const struct row rows[] = {
	{"ada", "x", {"a"}, .now_s = NOV_20, .offered = true},
	{"ada", "x", {"a"}, .now_s = LAST_DAY - 1, .offered = true},
	{"ada", "x", {"a"}, .now_s = LAST_DAY},
	{"ada",
	 "x",
	 {"b"},
	 .now_s = DEC_1 - 1,
	 .offered = true,
	 .optional_until_s = DEC_1},
	{"ada", "x", {"b"}, .now_s = DEC_1},
	/* the longest offer and the longest delay, whatever the order */
	{"ada",
	 "x",
	 {"a", "b"},
	 .now_s = NOV_20,
	 .offered = true,
	 .optional_until_s = DEC_1},
	{"ada", "x", {"a", "b"}, .now_s = DEC_1, .offered = true},
	{"ada", "x", {"c"}, .now_s = NOV_20},
	{"ada", "x", {NULL}, .now_s = NOV_20},
	{"ada", "x", {NULL}, "a", .now_s = NOV_20}, /* perhaps a member: no */
	{"ada", "x", {"a"}, .stranger = true, .now_s = NOV_20},
	{"ada", "x", {"a"}, .off = true, .now_s = NOV_20},
	{"ada", "x", {"a"}, .stale = true, .now_s = NOV_20},
	{"ada", "x", {"a"}, .expires_s = NOV_20, .now_s = NOV_20},
	{"ada", "x", {"a"}, .expires_s = NOV_20 + 1, .now_s = NOV_20, .offered = true},
	{"una", "id-una", {NULL}, .now_s = NOV_20, .offered = true},
	{"una", "another", {NULL}, .now_s = NOV_20}, /* the pin, not the name */
	{"root",
	 "r",
	 {NULL},
	 .local = true,
	 .not_directory = true,
	 .now_s = NOV_20,
	 .offered = true},
	{"root", "r", {NULL}, .now_s = NOV_20},
};

static void test_offer(void **state)
{
	struct policy *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		uint32_t groups[3], unknown = 0;
		struct policy_subject s = {.login = r->login,
					   .id = r->id,
					   .known = !r->stranger,
					   .enabled = !r->off,
					   .local = r->local,
					   .directory = !r->not_directory,
					   .stale = r->stale,
					   .expires_s = r->expires_s,
					   .groups = groups,
					   .unknown = &unknown};
		struct policy_offer offer;

		while (s.n_groups < 3 && r->groups[s.n_groups]) {
			assert_int_equal(policy_group_find(p, r->groups[s.n_groups],
							   &groups[s.n_groups]),
					 0);
			s.n_groups++;
		}
		if (r->unknown) {
			assert_int_equal(policy_group_find(p, r->unknown, &unknown), 0);
			s.n_unknown = 1;
		}
		policy_enrolment_offer(p, &s, r->now_s, &offer);
		if (offer.offered != r->offered ||
		    offer.optional_until_s != r->optional_until_s)
			fail_msg("row %zu: offered %d, optional until %lld", i,
				 offer.offered, (long long)offer.optional_until_s);
		assert_int_equal(offer.optional_until != NULL,
				 offer.optional_until_s != 0);
		policy_enrolment_offer(NULL, &s, r->now_s, &offer);
		assert_false(offer.offered);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_offer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
