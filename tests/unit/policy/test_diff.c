/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_diff.c - every change between two policies, against the decision asked for each
 * person, VM and privilege under both.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/diff.h"
#include "policy/terms.h"
#include "tests/unit/policy/good_policy.h"

#define NOW_S 1795000000
#define HEAD                                                                           \
	"vmsec_policy: 1\n"                                                            \
	"vm_sets: {web: {name: \"web*\"}, db: {name: \"db*\"}, all: {every: true}}\n"  \
	"roles:\n"                                                                     \
	"  user: {privileges: [ssh]}\n"                                                \
	"  admin: {includes: [user], privileges: [sudo, \"su:pg\"]}\n"

/* The new one drops db3, adds web4, moves sudo, denies one group, opens another. */
static const char before[] =
	HEAD "inventory: {web1: {}, web2: {}, web3: {}, db1: {}, db2: {}, db3: {}}\n"
	     "grants:\n"
	     "  - {id: g1, to: [a], roles: [user], vms: [all]}\n"
	     "  - {id: g2, to: [b], roles: [admin], vms: [db]}\n"
	     "  - {id: g3, to: [c], roles: [admin], vms: [\"vm:web1\", \"vm:db1\"]}\n"
	     "denies:\n"
	     "  - {id: d1, to: [d], privileges: [\"*\"], vms: [all]}\n";
static const char after[] =
	HEAD "inventory: {web1: {}, web2: {}, web3: {}, web4: {}, db1: {}, db2: {}}\n"
	     "services: {vpn: vpn}\n"
	     "grants:\n"
	     "  - {id: g1, to: [a], roles: [user], vms: [web]}\n"
	     "  - {id: g2, to: [b], roles: [user], vms: [db]}\n"
	     "  - {id: g3, to: [c], roles: [admin], vms: [\"vm:web1\", \"vm:db1\"],\n"
	     "     when: {mfa: none, from: [10.0.0.0/8]}}\n"
	     "  - {id: g4, to: [e], roles: [admin], vms: [all], valid: {until: "
	     "2026-11-19}}\n"
	     "  - {id: g5, to: [f], roles: [admin], vms: [all], valid: {until: "
	     "2026-11-18}}\n"
	     "denies:\n"
	     "  - {id: d1, to: [d], privileges: [sudo], vms: [web]}\n";

static const char *const groups[] = {"a", "b", "c", "d", "e", "f"};
#define N_PEOPLE 64 /* one for each set of groups */

struct side {
	struct policy *policy;
	struct policy_subject people[N_PEOPLE];
	char login[N_PEOPLE][16];
	uint32_t lists[N_PEOPLE][ARRAY_SIZE(groups)];
	size_t n;
};

static int compare_index(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Everybody but @without. */
static void side_init(struct side *s, const char *text, int without)
{
	s->policy = good_policy(text, NULL);
	s->n = 0;
	for (int u = 0; u < N_PEOPLE; u++) {
		struct policy_subject *p = &s->people[s->n];

		if (u == without)
			continue;
		(void)snprintf(s->login[s->n], sizeof(s->login[0]), "p%02d", u);
		*p = (struct policy_subject){.login = s->login[s->n],
					     .id = "x",
					     .known = true,
					     .enabled = true,
					     .directory = true,
					     .groups = s->lists[s->n]};
		for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
			if (u >> g & 1 &&
			    policy_group_find(s->policy, groups[g],
					      &s->lists[s->n][p->n_groups]) == 0)
				p->n_groups++;
		qsort(s->lists[s->n], p->n_groups, sizeof(uint32_t), compare_index);
		s->n++;
	}
}

static bool decide(const struct side *s, const char *login, const char *vm,
		   const char *privilege)
{
	const char *target = str_after(privilege, "su:");
	struct policy_request req = {.vm = vm,
				     .privilege = target ? "su" : privilege,
				     .target = target,
				     .now_s = NOW_S,
				     .assume = POLICY_ASSUME_FROM | POLICY_ASSUME_MFA};
	struct policy_decision d;

	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->people[i].login, login))
			req.subject = &s->people[i];
	policy_decide(s->policy, &req, &d);
	return d.verdict == POLICY_ALLOW && !d.would_deny;
}

static const char *const vms[] = {"db1", "db2", "db3", "web1", "web2", "web3", "web4"};
static const char *const privileges[] = {"ssh", "sudo", "su:pg", "console", "vpn"};

struct seen {
	const struct side *side[2];
	uint8_t lost[N_PEOPLE][ARRAY_SIZE(vms)][ARRAY_SIZE(privileges)],
		gained[N_PEOPLE][ARRAY_SIZE(vms)][ARRAY_SIZE(privileges)];
	size_t n, people;
	char last[16];
};

static size_t find(const char *const *v, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], text))
			return i;
	fail_msg("unexpected %s", text);
	return 0;
}

static int note(void *arg, const struct policy_change *c)
{
	struct seen *s = arg;
	size_t u, k;

	if (!c) {
		s->people++;
		return 0;
	}
	assert_true(strcmp(s->last, c->login) <= 0);
	(void)snprintf(s->last, sizeof(s->last), "%s", c->login);
	u = (size_t)strtoul(c->login + 1, NULL, 10);
	k = find(privileges, ARRAY_SIZE(privileges), c->privilege);
	assert_non_null(c->rule);
	for (size_t i = 0; i < c->where.n_vms; i++) {
		size_t vm = find(vms, ARRAY_SIZE(vms), c->where.vms[i]);

		(c->gained ? s->gained : s->lost)[u][vm][k]++;
		s->n++;
	}
	return 0;
}

/* The slow way: everything, one after the other. */
static void compare(const struct side *a, const struct side *b, struct seen *s)
{
	struct policy_side x = {a->policy, a->people, a->n};
	struct policy_side y = {b->policy, b->people, b->n};

	*s = (struct seen){0};
	assert_int_equal(policy_diff(&x, &y, NOW_S, note, s), 0);
	for (size_t u = 0; u < N_PEOPLE; u++)
		for (size_t v = 0; v < ARRAY_SIZE(vms); v++)
			for (size_t k = 0; k < ARRAY_SIZE(privileges); k++) {
				char login[16];
				bool was, is;

				(void)snprintf(login, sizeof(login), "p%02zu", u);
				was = decide(a, login, vms[v], privileges[k]);
				is = decide(b, login, vms[v], privileges[k]);
				assert_int_equal(s->lost[u][v][k], was && !is);
				assert_int_equal(s->gained[u][v][k], is && !was);
			}
}

static void test_both_ways(void **state)
{
	static struct side a, b;
	static struct seen there, back;

	(void)state;
	side_init(&a, before, -1);
	side_init(&b, after, -1);
	compare(&a, &b, &there);
	compare(&b, &a, &back);
	assert_true(there.n > 300 && there.n == back.n);
	assert_memory_equal(there.lost, back.gained, sizeof(there.lost));
	policy_unref(a.policy);
	policy_unref(b.policy);
}

static void test_nothing(void **state)
{
	static struct side a, b;
	static struct seen s;

	(void)state;
	side_init(&a, before, -1);
	side_init(&b, before, -1);
	compare(&a, &b, &s);
	assert_int_equal(s.n + s.people, 0);
	policy_unref(a.policy);
	policy_unref(b.policy);
}

static void test_a_person_less(void **state)
{
	static struct side a, b;
	static struct seen s;

	(void)state;
	side_init(&a, before, -1);
	side_init(&b, before, 3); /* of a and b */
	compare(&a, &b, &s);
	assert_int_equal(s.people, 1);
	assert_int_equal(s.n, 6 + 2 * 3);
	policy_unref(a.policy);
	policy_unref(b.policy);
}

/* A new rule for a part of the VMs that one old rule holds: the others stay as they
 * are. */
static void test_a_part_of_a_class(void **state)
{
	static const char old[] =
		HEAD "inventory: {web1: {}, web2: {}, db1: {}}\n"
		     "grants:\n"
		     "  - {id: g1, to: [a], roles: [user], vms: [all]}\n";
	static const char more[] =
		HEAD "inventory: {web1: {}, web2: {}, db1: {}}\n"
		     "grants:\n"
		     "  - {id: g1, to: [a], roles: [user], vms: [all]}\n"
		     "  - {id: g2, to: [a, b], roles: [user], vms: [db]}\n";
	static struct side a, b;
	static struct seen there, back;

	(void)state;
	side_init(&a, old, -1);
	side_init(&b, more, -1);
	compare(&a, &b, &there);
	compare(&b, &a, &back);
	assert_int_equal(there.n, N_PEOPLE / 4); /* in b and not in a: db1 */
	assert_int_equal(back.n, N_PEOPLE / 4);
	policy_unref(a.policy);
	policy_unref(b.policy);
}

/* Lines of a policy, each in one of its forms or missing, on both sides at random. */
static char *random_policy(uint64_t *rng)
{
	static const char *const lines[][4] = {
		{"inventory: {web1: {}, web2: {}, web3: {}, db1: {}, db2: {}, db3: "
		 "{}}\n",
		 "inventory: {web1: {}, web2: {}, db1: {}, db3: {}}\n",
		 "inventory: {web1: {}, web2: {}, web3: {}, web4: {}, db1: {}, db2: "
		 "{}}\n"},
		{"services: {sshd: ssh}\n", "services: {sshd: ssh}\n",
		 "services: {sshd: ssh}\n", "services: {vpn: vpn}\n"},
		{"defaults: {mfa: none}\n", "defaults: {mfa: none}\n", ""},
		{"grants:\n  - {id: g0, to: [b, f], roles: [user], vms: [web]}\n",
		 "grants:\n  - {id: g0, to: [b, f], roles: [user], vms: [all]}\n",
		 "grants:\n  - {id: g0, to: [b, e], roles: [user], vms: [web]}\n"},
		{"", "  - {id: g1, to: [a], roles: [admin], vms: [all]}\n",
		 "  - {id: g1, to: [a], roles: [admin], vms: [all], when: {from: "
		 "[10.0.0.0/8]}}\n",
		 "  - {id: g1, to: [a], roles: [user], vms: [all]}\n"},
		{"", "  - {id: g2, to: [c], roles: [admin], vms: [db]}\n",
		 "  - {id: g2, to: [c], roles: [admin], vms: [db], valid: {until: "
		 "2001-01-01}}\n",
		 "  - {id: g3, to: [c], roles: [admin], vms: [db]}\n"},
		{"",
		 "  - {id: g4, to: [d, e], roles: [user], vms: [\"vm:db1\", web]}\n",
		 "  - {id: g4, to: [d, e], roles: [user], vms: [\"vm:web1\", db]}\n"},
		{"denies:\n  - {id: d0, to: [f], privileges: [sudo], vms: [all]}\n",
		 "denies:\n  - {id: d0, to: [f], privileges: [\"*\"], vms: [all]}\n",
		 "denies:\n  - {id: d0, to: [f], privileges: [sudo], vms: [db]}\n"},
		{"",
		 "  - {id: d1, to: [a, b], privileges: [ssh], vms: [\"vm:web1\"]}\n",
		 "  - {id: d1, to: [a], privileges: [ssh], vms: [\"vm:web1\"]}\n",
		 "  - {id: d1, to: [a], roles: [admin], vms: [\"vm:web1\", "
		 "\"vm:db1\"]}\n"},
		{"",
		 "separation: [{id: s, never_both: [\"role:user\", \"role:admin\"]}]\n",
		 "", "mode: {monitor: [db]}\n"},
	};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fputs(HEAD, f);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		size_t n = lines[i][3] ? 4 : 3;

		*rng = *rng * 6364136223846793005u + 1442695040888963407u;
		fputs(lines[i][(*rng >> 33) % n], f);
	}
	fclose(f);
	return text;
}

static void test_random(void **state)
{
	static struct side a, b;
	static struct seen s;
	uint64_t rng = 20261121;
	size_t rows = 0;

	(void)state;
	for (int i = 0; i < 60; i++) {
		_cleanup_free_ char *old = random_policy(&rng);
		_cleanup_free_ char *new = random_policy(&rng);

		side_init(&a, old, i % 5 == 0 ? i : -1);
		side_init(&b, new, i % 7 == 0 ? i : -1);
		compare(&a, &b, &s);
		rows += s.n;
		policy_unref(a.policy);
		policy_unref(b.policy);
	}
	assert_true(rows > 10000);
}

static int stop(void *arg, const struct policy_change *c)
{
	(void)arg;
	return c ? 7 : 0;
}

static void test_stopped(void **state)
{
	static struct side a, b;
	struct policy_side x, y;

	(void)state;
	side_init(&a, before, -1);
	side_init(&b, after, -1);
	x = (struct policy_side){a.policy, a.people, a.n};
	y = (struct policy_side){b.policy, b.people, b.n};
	assert_int_equal(policy_diff(&x, &y, NOW_S, stop, NULL), 7);
	policy_unref(a.policy);
	policy_unref(b.policy);
}

/* ---------------------------------------------------------------- terms */

struct told {
	char text[4096];
};

static int note_term(void *arg, const struct policy_term *t)
{
	struct told *told = arg;
	size_t n = strlen(told->text);

	(void)snprintf(told->text + n, sizeof(told->text) - n, "%s: %s -> %s\n", t->key,
		       t->before ? t->before : "-", t->after ? t->after : "-");
	return 0;
}

#define TERMS_HEAD                                                                     \
	"vmsec_policy: 1\n"                                                            \
	"roles: {user: {privileges: [ssh]}, admin: {privileges: [ssh, sudo]}}\n"       \
	"inventory: {vm1: {}, vm2: {}}\n"                                              \
	"vm_sets: {all: {every: true}}\n"

/* One row: a line of the old policy, the same of the new one, what is told. */
static const struct {
	const char *before, *after, *told;
} terms[] = {
	{"", "", ""},
	{"serial: 1\n", "serial: 2\n", ""},
	/* who gains and loses is the other comparison's */
	{"", "grants: [{id: g, to: [a], roles: [user], vms: [all]}]\n", ""},
	{"grants: [{id: g, to: [a], roles: [user], vms: [all]}]\n",
	 "grants: [{id: g, to: [b], roles: [admin], vms: [\"vm:vm1\"]}]\n", ""},
	{"grants: [{id: g, to: [a], roles: [user], vms: [all]}]\n",
	 "grants: [{id: g, to: [a], roles: [user], vms: [all], when: {mfa: none}}]\n",
	 "grants.g.mfa: [totp, recovery] -> none\n"},
	{"grants: [{id: g, to: [a], roles: [admin], vms: [all], when: {mfa: {accept: "
	 "[totp], max_age: 1h, fresh: {sudo: 5m}}}}]\n",
	 "grants: [{id: g, to: [a], roles: [user], vms: [all], when: {mfa: {accept: "
	 "[totp], max_age: 2h}, from: [10.0.0.0/8]}, valid: {until: 2030-01-01}}]\n",
	 "grants.g.from: - -> [\"10.0.0.0/8\"]\n"
	 "grants.g.max_age.ssh: 3600s -> 7200s\n"
	 "grants.g.valid.until: - -> 2030-01-01\n"},
	{"denies: [{id: d, to: [a], privileges: [ssh], vms: [all], when: {from: "
	 "[local]}}]\n",
	 "denies: [{id: d, to: [a], privileges: [ssh], vms: [all], when: {time: {tz: "
	 "UTC, "
	 "days: [sat], between: \"08:00-10:00\"}}}]\n",
	 "denies.d.from: [local] -> -\n"
	 "denies.d.time: - -> {tz: \"UTC\", days: [sat], between: \"08:00-10:00\"}\n"},
	{"groups: {a: {id: \"1\"}}\ngrants: [{id: g, to: [a], roles: [user], vms: "
	 "[all]}]\n",
	 "groups: {a: {id: \"2\"}}\ngrants: [{id: g, to: [a], roles: [user], vms: "
	 "[all]}]\n",
	 "groups.a.id: 1 -> 2\n"},
	{"services: {x: ssh}\n", "services: {x: sudo, y: ssh}\n",
	 "services.x: ssh -> sudo\nservices.y: - -> ssh\n"},
	{"limits: [{to: [a], max_sessions: 2}]\n",
	 "limits: [{to: [a], max_sessions: 3, max_session_time: 1h}]\n",
	 "limits.[\"a\"].max_session_time: - -> 3600s\n"
	 "limits.[\"a\"].max_sessions: 2 -> 3\n"},
	{"separation: [{id: s, never_both: [\"role:user\", \"role:admin\"]}]\n", "",
	 "separation.s.never_both: [\"admin\", \"user\"] -> -\n"},
	{"", "enrolment: [{to: [a], at_first_login: true, until: 2030-01-01}]\n",
	 "enrolment.[\"a\"].at_first_login: - -> true\n"
	 "enrolment.[\"a\"].optional: - -> false\n"
	 "enrolment.[\"a\"].until: - -> 2030-01-01\n"},
	{"enrolment: [{to: [a], at_first_login: true, until: 2030-01-01}]\n",
	 "enrolment: [{to: [a], at_first_login: true, until: 2031-01-01}]\n",
	 "enrolment.[\"a\"].until: 2030-01-01 -> 2031-01-01\n"},
	{"password: {preset: pci-dss-4}\n",
	 "password: {preset: pci-dss-4, min_length: 15}\n",
	 "password.min_length: 12 -> 15\n"},
	{"password: {preset: pci-dss-4, words: [acme]}\n",
	 "password: {preset: pci-dss-4}\n", "password.words: [\"acme\"] -> -\n"},
	{"mode: {monitor: [all]}\n", "mode: {default: monitor}\n",
	 "mode.default: enforce -> monitor\nmode.monitor: [\"all\"] -> []\n"},
};

static void test_terms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
		char text[2][1024];
		struct told told = {""};
		struct policy *p[2];

		(void)snprintf(text[0], 1024, TERMS_HEAD "%s", terms[i].before);
		(void)snprintf(text[1], 1024, TERMS_HEAD "%s", terms[i].after);
		p[0] = good_policy(text[0], NULL);
		p[1] = good_policy(text[1], NULL);
		assert_int_equal(policy_terms_diff(p[0], p[1], note_term, &told), 0);
		assert_string_equal(told.text, terms[i].told);
		policy_unref(p[0]);
		policy_unref(p[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_a_person_less),
		cmocka_unit_test(test_a_part_of_a_class),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
