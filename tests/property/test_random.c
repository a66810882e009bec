/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_random.c - properties of decisions on random policies.
 * Arguments: [seed [policies [requests of each]]]. The seed is printed.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/property/model.h"

static uint64_t seed = 20261121;
#ifdef __SANITIZE_ADDRESS__
static unsigned n_policies = 60, n_requests = 2500;
#else
static unsigned n_policies = 400, n_requests = 2500;
#endif

struct texts {
	char *buf[2];
	size_t len[2];
};

static struct policy *load(const struct texts *t, size_t n)
{
	struct policy_source src[2];
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;
	int r;

	for (size_t i = 0; i < n; i++)
		src[i] = (struct policy_source){i ? "b.yaml" : "a.yaml", t->buf[i],
						t->len[i]};
	r = policy_load_sources(src, n, NULL, &p, &diag);
	if (r != 0) {
		diags_print(&diag, stdout);
		printf("%s\n", t->buf[0]);
	}
	diags_done(&diag);
	assert_int_equal(r, 0);
	return p;
}

static void texts_done(struct texts *t)
{
	free(t->buf[0]);
	free(t->buf[1]);
}

/* Rules of @mask; those of @second go to a second file. */
static struct policy *build_mode(const struct m_policy *m, unsigned mask,
				 unsigned second, uint64_t order, bool mode)
{
	struct texts t = {0};
	FILE *f = open_memstream(&t.buf[0], &t.len[0]);
	FILE *g = open_memstream(&t.buf[1], &t.len[1]);
	struct policy *p;

	assert_non_null(f);
	assert_non_null(g);
	emit_head(m, f);
	emit_rules(m, mask & ~second, order, f);
	fputs("vmsec_policy: 1\n", g);
	emit_rules(m, mask & second, order, g);
	emit_bounds(m, mode, g);
	fclose(f);
	fclose(g);
	p = load(&t, 2);
	texts_done(&t);
	return p;
}

static struct policy *build(const struct m_policy *m, unsigned mask, unsigned second,
			    uint64_t order)
{
	return build_mode(m, mask, second, order, true);
}

static struct policy *reload_printed(const struct policy *p)
{
	struct texts t = {0};
	FILE *f = open_memstream(&t.buf[0], &t.len[0]);
	struct policy *again;

	assert_non_null(f);
	assert_int_equal(policy_print(p, f), 0);
	fclose(f);
	again = load(&t, 1);
	texts_done(&t);
	return again;
}

static void decide(const struct policy *p, struct m_request *q,
		   struct policy_decision *d)
{
	request_bind(q, p);
	policy_decide(p, &q->req, d);
}

static bool same_rule(const char *a, const char *b)
{
	return (!a && !b) || str_eq(a, b);
}

static void assert_same(const struct policy_decision *a,
			const struct policy_decision *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->reason, b->reason);
	assert_true(same_rule(a->rule, b->rule));
	assert_int_equal(a->mfa_would_help, b->mfa_would_help);
	assert_int_equal(a->mfa_required, b->mfa_required);
	assert_int_equal(a->would_deny, b->would_deny);
	assert_int_equal(a->break_glass, b->break_glass);
	assert_int_equal(a->review_overdue, b->review_overdue);
}

static void assert_same_full(const struct policy_decision *a,
			     const struct policy_decision *b)
{
	assert_same(a, b);
	assert_true(same_rule(a->group, b->group) && same_rule(a->role, b->role));
	assert_int_equal(a->accept, b->accept);
	assert_int_equal(a->max_age_s, b->max_age_s);
	assert_int_equal(a->valid_until_s, b->valid_until_s);
	assert_int_equal(a->max_sessions, b->max_sessions);
	assert_int_equal(a->max_session_s, b->max_session_s);
	assert_int_equal(a->n_near, b->n_near);
	for (size_t i = 0; i < a->n_near; i++) {
		assert_string_equal(a->near[i].rule, b->near[i].rule);
		assert_int_equal(a->near[i].reason, b->near[i].reason);
		assert_int_equal(a->near[i].need_s, b->near[i].need_s);
		assert_int_equal(a->near[i].have_s, b->near[i].have_s);
		assert_true(same_rule(a->near[i].other, b->near[i].other));
	}
}

struct variants {
	struct policy *p, *shuffled, *printed, *more_grant, *more_deny, *enforced;
	unsigned added; /* roles that the added grant carries */
	struct policy *alone[RULES_MAX];
};

static void check_alone(const struct m_policy *m, const struct variants *v,
			struct m_request *q, const struct policy_decision *d)
{
	struct policy_decision one;

	for (unsigned i = 0; i < m->n_rules && d->rule; i++) {
		if (!str_eq(m->rules[i].id, d->rule))
			continue;
		decide(v->alone[i], q, &one);
		assert_int_equal(one.verdict, d->verdict);
		assert_int_equal(one.reason, d->reason);
		assert_true(same_rule(one.rule, d->rule));
	}
}

/*
 * Less is known about the request: never more is allowed. Separation is the exception
 * that the language makes: a membership that is not known does not count as held, so it
 * cannot exclude another.
 */
static void check_unknown(const struct m_policy *m, const struct variants *v,
			  const struct m_request *q, const struct policy_decision *d,
			  uint64_t *rng)
{
	struct m_request less = *q;
	struct policy_decision one;

	switch (rng_below(rng, 8)) {
	case 0:
		if (m->seps[0] || m->seps[1])
			return;
		less.unknown_mask |= rng_below(rng, 1u << N_GROUPS);
		break;
	case 1:
		less.req.origin.kind = POLICY_ORIGIN_UNKNOWN;
		break;
	case 2:
		less.req.mfa.state = POLICY_MFA_NONE;
		break;
	case 3:
		less.req.target = NULL;
		break;
	case 4:
		less.req.clock_unsynced = true;
		break;
	case 5:
		less.req.sessions = (struct policy_sessions){0};
		break;
	case 6:
		if (m->seps[0] || m->seps[1] || less.state.n_locks > 0)
			return;
		less.req.state = NULL;
		break;
	default:
		if (m->seps[0] || m->seps[1])
			return;
		less.subject.id = NULL;
	}
	decide(v->p, &less, &one);
	if (one.verdict == POLICY_ALLOW)
		assert_int_equal(d->verdict, POLICY_ALLOW);
}

/* A grant can make somebody a holder of a locked role, or a locked group known. */
static bool lock_depends(const struct m_request *q)
{
	for (size_t i = 0; i < q->state.n_locks; i++)
		if (q->locks[i].kind == POLICY_LOCK_ROLE ||
		    q->locks[i].kind == POLICY_LOCK_GROUP)
			return true;
	return false;
}

/* More grants give more, unless a separation or a lock names what they carry. */
static void check_more_grant(const struct m_policy *m, const struct variants *v,
			     struct m_request *q, const struct policy_decision *d)
{
	struct policy_decision e;

	if (((m->seps[0] | m->seps[1]) & v->added) || lock_depends(q))
		return;
	decide(v->more_grant, q, &e);
	if (d->verdict == POLICY_ALLOW && !d->would_deny)
		assert_true(e.verdict == POLICY_ALLOW && !e.would_deny);
	if (d->verdict == POLICY_ALLOW)
		assert_int_equal(e.verdict, POLICY_ALLOW);
}

/* Another group takes access only through what names it against the person. */
static void check_membership(const struct m_policy *m, const struct variants *v,
			     const struct m_request *q, const struct policy_decision *d,
			     uint64_t *rng)
{
	unsigned group = 1u << rng_below(rng, N_GROUPS);
	struct m_request more = *q;
	struct policy_decision e;

	if (q->unknown_mask & group)
		return;
	more.group_mask |= group;
	decide(v->p, &more, &e);
	if (d->verdict != POLICY_ALLOW || e.verdict == POLICY_ALLOW)
		return;
	assert_true(
		e.reason == POLICY_REASON_DENIED || e.reason == POLICY_REASON_LOCKED ||
		e.reason == POLICY_REASON_SESSION_LIMIT || m->seps[0] || m->seps[1]);
}

/* Watching allows whatever enforcement allows, and says what it would not. */
static void check_monitor(const struct variants *v, struct m_request *q,
			  const struct policy_decision *d)
{
	struct policy_decision e;

	decide(v->enforced, q, &e);
	assert_false(e.would_deny || e.monitor);
	assert_int_equal(e.reason, d->reason);
	assert_true(same_rule(e.rule, d->rule));
	if (e.verdict == POLICY_ALLOW)
		assert_int_equal(d->verdict, POLICY_ALLOW);
	else if (d->verdict == POLICY_ALLOW)
		assert_true(d->would_deny && d->monitor);
}

static void check_request(const struct m_policy *m, const struct variants *v,
			  struct m_request *q, uint64_t *rng)
{
	struct policy_decision d, e;

	naive_decide(m, q, &e);
	decide(v->p, q, &d);
	assert_same(&d, &e);
	decide(v->shuffled, q, &e);
	assert_same_full(&d, &e);
	decide(v->printed, q, &e);
	assert_same_full(&d, &e);
	decide(v->more_deny, q, &e);
	if (e.verdict == POLICY_ALLOW)
		assert_int_equal(d.verdict, POLICY_ALLOW);
	check_more_grant(m, v, q, &d);
	check_membership(m, v, q, &d, rng);
	check_monitor(v, q, &d);
	check_alone(m, v, q, &d);
	check_unknown(m, v, q, &d, rng);
	if (d.mfa_would_help) {
		struct m_request with = *q;

		with.req.mfa.state = POLICY_MFA_ASSUMED;
		decide(v->p, &with, &e);
		assert_int_equal(e.verdict, POLICY_ALLOW);
	}
}

static void variants_make(struct variants *v, const struct m_policy *m, uint64_t *rng)
{
	unsigned all = (1u << m->n_rules) - 1;
	struct m_policy more = *m;

	v->p = build(m, all, 0, 0);
	v->shuffled = build(m, all, rng_below(rng, all + 1), rng_next(rng) | 1);
	v->printed = reload_printed(v->p);
	assert_string_equal(policy_sha256(v->p), policy_sha256(v->shuffled));
	assert_string_equal(policy_sha256(v->p), policy_sha256(v->printed));
	more.n_rules++;
	generate_rule(&more.rules[m->n_rules], true, 90, rng);
	v->more_deny = build(&more, all << 1 | 1, 0, 0);
	generate_rule(&more.rules[m->n_rules], false, 91, rng);
	v->more_grant = build(&more, all << 1 | 1, 0, 0);
	v->added = naive_carries(&more, &more.rules[m->n_rules]);
	v->enforced = build_mode(m, all, 0, 0, false);
	for (unsigned i = 0; i < m->n_rules; i++)
		v->alone[i] = build(m, 1u << i, 0, 0);
}

static void variants_done(struct variants *v, unsigned n_rules)
{
	policy_unref(v->p);
	policy_unref(v->shuffled);
	policy_unref(v->printed);
	policy_unref(v->more_deny);
	policy_unref(v->more_grant);
	policy_unref(v->enforced);
	for (unsigned i = 0; i < n_rules; i++)
		policy_unref(v->alone[i]);
}

static void test_properties(void **state)
{
	uint64_t rng = seed;
	uint64_t n_allowed = 0, n_total = 0;

	(void)state;
	for (unsigned i = 0; i < n_policies; i++) {
		struct variants v = {0};
		struct m_policy m;

		generate_policy(&m, &rng);
		variants_make(&v, &m, &rng);
		for (unsigned k = 0; k < n_requests; k++) {
			struct m_request q;
			struct policy_decision d;

			generate_request(&q, &rng);
			check_request(&m, &v, &q, &rng);
			decide(v.p, &q, &d);
			n_allowed += d.verdict == POLICY_ALLOW;
			n_total++;
		}
		variants_done(&v, m.n_rules);
	}
	printf("seed %llu: %llu requests, %llu allowed\n", (unsigned long long)seed,
	       (unsigned long long)n_total, (unsigned long long)n_allowed);
	/* A generator that allows nothing, or all, tests nothing. */
	assert_true(n_allowed * 50 > n_total && n_allowed * 2 < n_total);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_properties)};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		n_policies = (unsigned)strtoul(argv[2], NULL, 0);
	if (argc > 3)
		n_requests = (unsigned)strtoul(argv[3], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
