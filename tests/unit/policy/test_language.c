/* SPDX-License-Identifier: Apache-2.0 */
/* test_language.c - windows of time, bounds, tests: what is refused, and what holds. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "policy/view.h"

#define HEAD                                                                           \
	"vmsec_policy: 1\n"                                                            \
	"roles: {r: {privileges: [ssh]}, q: {privileges: [web]}}\n"                    \
	"vm_sets: {all: {every: true}}\n"
#define GRANT(extra)                                                                   \
	HEAD "grants: [{id: g, to: [a], roles: [r], vms: [all], " extra "}]\n"
#define TIME(time) GRANT("when: {mfa: none, time: {" time "}}")

static const struct policy_host host = {.name = "host1"};

static struct policy *load(const char *text, struct diags *diag)
{
	struct policy_source src = {.name = "p.yaml", .buf = text, .len = strlen(text)};
	struct policy *p = NULL;
	int r = policy_load_sources(&src, 1, &host, &p, diag);

	assert_true((r == 0) == (p != NULL));
	return p;
}

static struct policy *load_good(const char *text)
{
	struct diags diag = DIAGS_INIT;
	struct policy *p = load(text, &diag);

	diags_print(&diag, stderr);
	assert_non_null(p);
	return p;
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *msg;
	} cases[] = {
		{TIME(""), 4, 75, "needs 'days' or 'between'"},
		{TIME("days: []"), 4, 82, "'days' is empty"},
		{TIME("days: [mo]"), 4, 83, "must be mon, tue"},
		{TIME("between: \"7:00-20:00\""), 4, 85, "two times of day"},
		{TIME("between: \"07:00-07:00\""), 4, 85, "two times of day"},
		{TIME("between: \"07:00-24:01\""), 4, 85, "two times of day"},
		{TIME("between: \"24:00-07:00\""), 4, 85, "two times of day"},
		{TIME("days: [mon], tz: Mars/X"), 4, 93, "unknown time zone 'Mars/X'"},
		{TIME("day: [mon]"), 4, 76, "did you mean 'days'"},
		{GRANT("review: {}"), 4, 59, "needs 'every'"},
		{GRANT("review: {every: 1h}"), 4, 67, "a day or more"},
		{GRANT("review: {every: 9d, overdue: maybe}"), 4, 80,
		 "warn or suspend"},
		{HEAD "separation: [{id: s, never_both: [role:r]}]\n", 4, 34,
		 "two or more different roles"},
		{HEAD "separation: [{id: s, never_both: [role:r, role:r]}]\n", 4, 34,
		 "two or more different roles"},
		{HEAD "separation: [{id: s, never_both: [role:r, q]}]\n", 4, 43,
		 "must be role:NAME"},
		{HEAD "limits: [{to: [a]}]\n", 4, 10, "needs 'max_sessions'"},
		{HEAD "limits: [{to: [a], max_sessions: 0}]\n", 4, 34, "1 or more"},
		{HEAD "limits: [{max_sessions: 1}]\n", 4, 10, "no 'to'"},
		{HEAD "mode: {monitor: [nil]}\n", 4, 18, "unknown vm_set 'nil'"},
		{HEAD "mode: {default: off}\n", 4, 17, "enforce or monitor"},
		{HEAD "mode: {}\n", 4, 7, "needs 'default' or 'monitor'"},
		{HEAD "break_glass: [{id: z, to: [a], vms: [all], privileges: "
		      "[console], alert: page}]\n",
		 4, 15, "does without groups"},
		{HEAD "break_glass: [{id: z, to: [\"local:x\"], vms: [all], "
		      "privileges: [ssh], alert: page}]\n",
		 4, 65, "console only"},
		{HEAD "break_glass: [{id: z, to: [\"local:x\"], vms: [all], "
		      "privileges: [console]}]\n",
		 4, 15, "needs 'alert'"},
		{HEAD "password: {preset: nist}\n", 4, 20, "must be nist-800-63b-4"},
		{HEAD "password: {preset: \"strictest-of(cis, nist-800-63b-4)\"}\n", 4,
		 20, "NIST forbids"},
		{HEAD "password: {preset: cis, min_length: 8}\n", 4, 37, "weaker than"},
		{HEAD "password: {preset: nist-800-63b-4, max_age: 90d}\n", 4, 45,
		 "forbids 'max_age'"},
		{HEAD "password: {preset: cis, max_age: 36h}\n", 4, 34, "whole days"},
		{HEAD "enrolment: [{to: [a], at_first_login: true}]\n", 4, 13,
		 "needs an end"},
		{HEAD "enrolment: [{to: [a]}]\n", 4, 13, "no 'at_first_login'"},
		{HEAD "enrolment: [{to: [a], at_first_login: false, optional: true}]\n",
		 4, 56, "can be put off"},
		{GRANT("why: x") "tests: [{user_in: [b], do: ssh, at: "
				 "2026-01-01T00:00Z, "
				 "want: deny}]\n",
		 5, 20, "unknown group 'b'"},
		{GRANT("why: x") "tests: [{user_in: [a], do: ssh, want: deny}]\n", 5, 9,
		 "no 'at'"},
		{GRANT("why: x") "tests: [{user_in: [a], do: ssh, at: "
				 "2026-01-01T00:00, "
				 "want: deny}]\n",
		 5, 37, "must be a time such as"},
		{GRANT("why: x") "tests: [{user_in: [a], do: ssh, at: "
				 "2026-01-01T00:00Z, "
				 "want: allow, by: g}]\n",
		 5, 9, "test failed: expected allow by g, got deny (mfa_required)"},
	};
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diags diag = DIAGS_INIT;
		struct policy *p = load(cases[i].text, &diag);
		bool found = false;

		for (size_t k = 0; k < diag.n; k++)
			found |= diag.v[k].line == cases[i].line &&
				 diag.v[k].column == cases[i].column &&
				 strstr(diag.v[k].msg, cases[i].msg);
		if (!found || p) {
			print_error("case %zu:\n%s", i, cases[i].text);
			diags_print(&diag, stderr);
			failed++;
		}
		policy_unref(p);
		diags_done(&diag);
	}
	assert_int_equal(failed, 0);
}

/* ------------------------------------------------------------------ time */

static struct policy_decision ask_at(const struct policy *p, int64_t now_s)
{
	const uint32_t group = 0;
	const struct policy_subject s = {.login = "ann",
					 .id = "id-ann",
					 .known = true,
					 .enabled = true,
					 .directory = true,
					 .groups = &group,
					 .n_groups = 1};
	const struct policy_request req = {.subject = &s,
					   .vm = "host1",
					   .privilege = "ssh",
					   .now_s = now_s};
	struct policy_decision d;

	policy_decide(p, &req, &d);
	return d;
}

/* Europe/Berlin: 2026-03-29 01:00 UTC goes from 02:00 to 03:00, 2026-10-25 01:00 UTC
 * from 03:00 back to 02:00. */
#define SPRING_S 1774746000
#define AUTUMN_S 1792890000

static void test_windows(void **state)
{
	static const struct {
		const char *time;
		struct {
			int64_t now_s;
			bool open;
		} at[6];
	} cases[] = {
		/* half-open: 1795159800 is Fri 2026-11-20 07:30 UTC, 08:30 in Berlin */
		{"tz: Europe/Berlin, between: \"08:30-08:31\"",
		 {{1795159799, false},
		  {1795159800, true},
		  {1795159859, true},
		  {1795159860, false}}},
		/* over midnight belongs to the day on which it starts: Friday's */
		{"tz: UTC, days: [fri], between: \"22:00-06:00\"",
		 {{1795132800, false},		   /* Fri 00:00 */
		  {1795132800 + 22 * 3600, true},  /* Fri 22:00 */
		  {1795132800 + 29 * 3600, true},  /* Sat 05:00 */
		  {1795132800 + 30 * 3600, false}, /* Sat 06:00 */
		  {1795132800 + 46 * 3600, false}}},
		/* the hour that is skipped never comes */
		{"tz: Europe/Berlin, days: [sun], between: \"02:00-03:00\"",
		 {{SPRING_S - 1, false}, {SPRING_S, false}, {SPRING_S + 3599, false}}},
		{"tz: Europe/Berlin, days: [sun], between: \"01:59-03:01\"",
		 {{SPRING_S - 61, false},
		  {SPRING_S - 60, true},
		  {SPRING_S + 59, true},
		  {SPRING_S + 60, false}}},
		/* the one that is repeated comes twice */
		{"tz: Europe/Berlin, days: [sun], between: \"02:00-03:00\"",
		 {{AUTUMN_S - 3601, false},
		  {AUTUMN_S - 3600, true},
		  {AUTUMN_S - 1, true},
		  {AUTUMN_S, true},
		  {AUTUMN_S + 3599, true},
		  {AUTUMN_S + 3600, false}}},
		/* to midnight */
		{"tz: UTC, days: [fri], between: \"20:00-24:00\"",
		 {{1795132800 + 20 * 3600 - 1, false},
		  {1795132800 + 20 * 3600, true},
		  {1795132800 + 86399, true},
		  {1795132800 + 86400, false}}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];
		struct policy *p;

		(void)snprintf(text, sizeof(text), TIME("%s"), cases[i].time);
		p = load_good(text);
		for (size_t k = 0; k < 6 && cases[i].at[k].now_s; k++) {
			struct policy_decision d = ask_at(p, cases[i].at[k].now_s);

			if ((d.verdict == POLICY_ALLOW) != cases[i].at[k].open)
				print_error("%s at %lld\n", cases[i].time,
					    (long long)cases[i].at[k].now_s);
			assert_int_equal(d.verdict == POLICY_ALLOW,
					 cases[i].at[k].open);
			if (!cases[i].at[k].open)
				assert_int_equal(d.reason, POLICY_REASON_OUTSIDE_HOURS);
		}
		policy_unref(p);
	}
}

/* ------------------------------------------------------------------ near */

static void test_figures(void **state)
{
	struct policy *p = load_good(
		HEAD
		"grants:\n"
		"  - {id: g, to: [a], roles: [r], vms: [all], review: {every: 9d, "
		"overdue: suspend}, valid: {from: 2026-01-01}}\n"
		"  - {id: h, to: [a], roles: [r], vms: [all], when: {mfa: {accept: "
		"[totp], max_age: 8h}}}\n");
	const uint32_t group = 0;
	const struct policy_subject s = {.login = "ann",
					 .id = "id-ann",
					 .known = true,
					 .enabled = true,
					 .directory = true,
					 .groups = &group,
					 .n_groups = 1};
	const struct policy_request req = {.subject = &s,
					   .vm = "host1",
					   .privilege = "ssh",
					   .now_s = 1795159800,
					   .mfa = {POLICY_MFA_PROOF, POLICY_METHOD_TOTP,
						   33120, false}};
	struct policy_decision d;

	(void)state;
	policy_decide(p, &req, &d);
	assert_int_equal(d.n_near, 2);
	assert_string_equal(d.near[0].rule, "h");
	assert_int_equal(d.near[0].need_s, 8 * 3600);
	assert_int_equal(d.near[0].have_s, 33120);
	assert_int_equal(d.near[1].reason, POLICY_REASON_REVIEW_OVERDUE);
	assert_int_equal(d.near[1].need_s, 1767225600 + 9 * 86400);
	policy_unref(p);
}

/* ---------------------------------------------------------------- explain */

/* The caller frees it. */
static char *explain(const char *policy, const struct policy_request *req)
{
	struct policy *p = load_good(policy);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(policy_explain(p, req, out), 0);
	assert_int_equal(fclose(out), 0);
	policy_unref(p);
	return text;
}

static void test_sentences(void **state)
{
	static const struct {
		const char *policy;
		const char *says[3];
	} cases[] = {
		{TIME("tz: Europe/Berlin, days: [mon], between: \"07:00-20:00\""),
		 {"refused (outside_hours)",
		  "holds mon, 07:00-20:00 (Europe/Berlin); there it is Fri 08:30",
		  "another hour"}},
		{GRANT("when: {mfa: none}, review: {every: 9d, overdue: suspend}, "
		       "valid: {from: 2026-01-01}"),
		 {"review_overdue", "due at 2026-01-10 00:00 UTC", "policy reviewed"}},
		{HEAD "grants: [{id: g, to: [a], roles: [r, q], vms: [all]}]\n"
		      "separation: [{id: two, never_both: [role:r, role:q]}]\n",
		 {"separation", "separation 'two' excludes", "giving up one"}},
		{GRANT("when: {mfa: none}") "limits: [{to: [a], max_sessions: 2}]\n",
		 {"session_limit", "2 of 2 sessions are open", "another session"}},
		{HEAD "mode: {default: monitor}\n"
		      "groups: {a: {}}\n",
		 {"let pass, the VM is in monitor mode (no_grant)", "No grant names",
		  "membership"}},
		{GRANT("when: {mfa: none}, review: {every: 9d}, valid: {from: "
		       "2026-01-01}") "limits: [{to: [a], max_sessions: 3, "
				      "max_session_time: 8h}]\n",
		 {": allowed", "overdue for review", "At most 3 sessions"}},
	};
	const uint32_t group = 0;
	const struct policy_subject s = {.login = "ann",
					 .id = "id-ann",
					 .known = true,
					 .enabled = true,
					 .directory = true,
					 .groups = &group,
					 .n_groups = 1};
	struct policy_lock lock = {POLICY_LOCK_USER, "ann", NULL, INT64_C(1795160000),
				   NULL};
	struct policy_state locked = {.locks = &lock, .n_locks = 1};
	struct policy_request req = {.subject = &s,
				     .vm = "host1",
				     .privilege = "ssh",
				     .now_s = 1795159800,
				     .sessions = {true, 2, 0}};
	_cleanup_free_ char *because = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = explain(cases[i].policy, &req);

		for (size_t k = 0; k < 3; k++)
			if (!strstr(text, cases[i].says[k]))
				fail_msg("case %zu says nothing of '%s':\n%s", i,
					 cases[i].says[k], text);
	}
	req.state = &locked;
	because = explain(TIME("days: [fri]"), &req);
	assert_non_null(strstr(because, "The lock of user:ann holds until 2026-11-20"));
}

/* ------------------------------------------------------------------ locks */

static void test_lock_texts(void **state)
{
	static const char *const good[] = {"user:ann", "group:db-admins", "role:r",
					   "vm:db01.example", "factor:totp"};
	static const char *const bad[] = {"",	 "user:", "group:",	"planet:mars",
					  "-rf", "a b",	  "factor:sms", "vm:"};
	struct policy_lock lock;
	char text[POLICY_LOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(policy_lock_parse(good[i], &lock), 0);
		policy_lock_text(&lock, text);
		assert_string_equal(text, good[i]);
	}
	assert_int_equal(policy_lock_parse("ann", &lock), 0);
	assert_int_equal(lock.kind, POLICY_LOCK_USER);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(policy_lock_parse(bad[i], &lock), POLICY_E_INVALID);
}

/* ------------------------------------------------------------------ view */

static void test_view(void **state)
{
	struct policy *p =
		load_good(GRANT("when: {time: {days: [fri, mon]}}, review: {every: "
				"9d}") "mode: "
				       "{monitor: [all]}\n"
				       "tests: [{user_in: [a], do: ssh, at: "
				       "2026-01-01T00:00Z, want: deny, "
				       "reason: outside_hours}]\n");
	struct policy_rule rule;
	struct policy_test test;
	struct policy_vm vm;

	(void)state;
	assert_true(policy_grant_at(p, 0, &rule));
	assert_false(policy_grant_at(p, 1, &rule));
	assert_string_equal(rule.where.file, "p.yaml");
	assert_int_equal(rule.where.line, 4);
	assert_int_equal(rule.where.column, 10);
	assert_string_equal(rule.days, "mon,fri");
	assert_string_equal(rule.between, "00:00-24:00");
	assert_int_equal(rule.review_every_s, 9 * 86400);
	assert_int_equal(policy_grant_find(p, "g"), 0);
	assert_int_equal(policy_grant_find(p, "x"), SIZE_MAX);
	assert_true(policy_vm_info(p, 0, &vm));
	assert_true(vm.monitor);
	assert_true(policy_test_at(p, 0, &test));
	assert_true(test.passed);
	policy_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	   cmocka_unit_test(test_windows),
		cmocka_unit_test(test_sentences),  cmocka_unit_test(test_figures),
		cmocka_unit_test(test_lock_texts), cmocka_unit_test(test_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
