/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_behaviour_time.c - hours as administrators know them from pam_time, Casbin and
 * crontabs: edges, midnight, both changes of clocks, windows that never meet.
 */
#include "tests/unit/policy/behaviour.h"

#define GRANT(id, time)                                                                \
	"  - {id: " id ", to: [" id                                                    \
	"], roles: [user], vms: [every], when: {time: {" time "}}}\n"
#define HEAD "roles: {user: {privileges: [ssh]}}\n"
#define ASK(in, when, ...)                                                             \
	.login = "ann", .groups = in, .vm = "client1", .service = "sshd", .at = when,  \
	__VA_ARGS__
#define YES(id) .verdict = POLICY_ALLOW, .rule = id
#define NO	.reason = "outside_hours"

/* 20 November 2026 is a Friday. Berlin: UTC+1, from 29 March to 25 October 2026 +2. */
static const struct behaviour cases[] = {
	{"the first minute",
	 HEAD "grants:\n" GRANT("day", "tz: UTC, between: \"07:00-20:00\"")
		 GRANT("berlin", "tz: Europe/Berlin, between: \"02:00-03:00\"")
			 GRANT("night",
			       "tz: UTC, days: [fri], between: \"22:00-06:00\"")
				 GRANT("week", "days: [mon, tue, wed, thu, fri]")
					 GRANT("all", "between: \"00:00-24:00\""),
	 ASK("day", "2026-11-20 07:00", YES("day"))},
	{"the minute before", ASK("day", "2026-11-20 06:59", NO)},
	{"the last minute", ASK("day", "2026-11-20 19:59", YES("day"))},
	{"the end is outside", ASK("day", "2026-11-20 20:00", NO)},
	{"every day is every day", ASK("day", "2026-11-22 12:00", YES("day"))},
	{"00:00-24:00 is always: midnight", ASK("all", "2026-11-20 00:00", YES("all"))},
	{"00:00-24:00 is always: 23:59", ASK("all", "2026-11-20 23:59", YES("all"))},
	{"over midnight: the evening", ASK("night", "2026-11-20 22:00", YES("night"))},
	{"over midnight: the morning after",
	 ASK("night", "2026-11-21 05:59", YES("night"))},
	{"over midnight: its end", ASK("night", "2026-11-21 06:00", NO)},
	{"over midnight: the morning of its day", ASK("night", "2026-11-20 05:59", NO)},
	{"over midnight: the evening after", ASK("night", "2026-11-21 22:00", NO)},
	{"days alone: Friday's last minute",
	 ASK("week", "2026-11-20 23:59", YES("week"))},
	{"days alone: Saturday", ASK("week", "2026-11-21 00:00", NO)},
	{"days alone: Monday", ASK("week", "2026-11-23 00:00", YES("week"))},
	/* 29 March: 02:00 to 03:00 does not exist, so nobody enters */
	{"winter, 02:30", ASK("berlin", "2026-03-28 01:30", YES("berlin"))},
	{"the gap, before", ASK("berlin", "2026-03-29 00:59", NO)},
	{"the gap, after", ASK("berlin", "2026-03-29 01:00", NO)},
	{"summer, 02:30", ASK("berlin", "2026-03-30 00:30", YES("berlin"))},
	/* 25 October: 02:00 to 03:00 happens twice, both times it is open */
	{"the first 02:00", ASK("berlin", "2026-10-25 00:00", YES("berlin"))},
	{"the first 02:59", ASK("berlin", "2026-10-25 00:59", YES("berlin"))},
	{"the second 02:00", ASK("berlin", "2026-10-25 01:00", YES("berlin"))},
	{"the second 02:59", ASK("berlin", "2026-10-25 01:59", YES("berlin"))},
	{"03:00", ASK("berlin", "2026-10-25 02:00", NO)},
	/* windows that contradict each other open what each of them opens */
	{"two grants, one in its hours",
	 ASK("day,night", "2026-11-20 23:00", YES("night"))},
	{"two grants, neither", ASK("day,night", "2026-11-22 23:00", NO)},
	/* a deny with hours */
	{"the deny's hours",
	 HEAD "grants:\n" GRANT(
		 "all", "between: \"00:00-24:00\"") "denies: [{id: freeze, to: [all], "
						    "privileges: [\"*\"], vms: "
						    "[every], when:\n"
						    "  {time: {tz: UTC, days: [fri], "
						    "between: \"15:00-24:00\"}}}]\n",
	 ASK("all", "2026-11-20 15:00", .rule = "freeze", .reason = "denied")},
	{"until midnight",
	 ASK("all", "2026-11-20 23:59", .rule = "freeze", .reason = "denied")},
	{"before them", ASK("all", "2026-11-20 14:59", YES("all"))},
	{"after them", ASK("all", "2026-11-21 00:00", YES("all"))},
	{"a deny from somewhere at some time: both must hold",
	 HEAD
	 "grants:\n" GRANT("all",
			   "between: \"00:00-24:00\"") "denies: [{id: freeze, to: "
						       "[all], privileges: [\"*\"], "
						       "vms: [every], when:\n"
						       "  {from: [192.0.2.0/24], time: "
						       "{tz: UTC, days: [fri]}}}]\n",
	 ASK("all", "2026-11-20 15:00", .from = "192.0.2.1", .rule = "freeze",
	     .reason = "denied")},
	{"its hours, elsewhere",
	 ASK("all", "2026-11-20 15:00", .from = "192.0.3.1", YES("all"))},
	{"its hours, nobody knows where",
	 ASK("all", "2026-11-20 15:00", .rule = "freeze", .reason = "denied")},
	{"there, on another day",
	 ASK("all", "2026-11-21 15:00", .from = "192.0.2.1", YES("all"))},
	/* mistakes that other tools swallow */
	{"a window of no length",
	 HEAD "grants:\n" GRANT("x", "between: \"20:00-20:00\""),
	 .refused = "two times of day"},
	{"an end of 00:00", HEAD "grants:\n" GRANT("x", "between: \"20:00-00:00\""),
	 .refused = "two times of day"},
	{"no window at all", HEAD "grants:\n" GRANT("x", "tz: UTC"),
	 .refused = "needs 'days' or 'between'"},
	{"no day", HEAD "grants:\n" GRANT("x", "days: []"),
	 .refused = "'days' is empty"},
	{"an unknown day", HEAD "grants:\n" GRANT("x", "days: [Mo]"), .refused = "mon"},
};

static void test_time(void **state)
{
	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_time)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
