/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_guard.c - clock histories against the real second factor: whatever the wall
 * clock did, no code is good twice; and when it is right again, people get in.
 */
#include "tests/unit/store/fixture.h"

#include <liboath/oath.h>

#include "rbacd/clock/guard.h"
#include "rbacd/mfa/factor.h"
#include "rbacd/mfa/recovery.h"

#define TRUE_START INT64_C(1790000010)
#define YEAR	   (365 * INT64_C(86400))
#define STEPS	   12
#define HISTORIES  10000
#define BOTH	   (POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY)

static int64_t seen(struct clock_guard *g, int64_t wall_s, int64_t boot_s)
{
	int64_t back_s = 0;

	return clock_guard_see(g, wall_s, boot_s, &back_s) ? back_s : 0;
}

static void test_back(void **state)
{
	struct clock_guard g;

	(void)state;
	clock_guard_start(&g, 1000, 10, 0, false);
	assert_int_equal(seen(&g, 1010, 20), 0);
	assert_int_equal(seen(&g, 1000, 100), 0); /* 90 s behind: still good */
	assert_false(g.distrusted);
}

static void test_limit(void **state)
{
	struct clock_guard g;

	(void)state;
	clock_guard_start(&g, 1000, 10, 0, false);
	assert_int_equal(seen(&g, 1000 - CLOCK_BACK_S, 10), 0);
	assert_false(g.distrusted);
	assert_int_equal(seen(&g, 1000 - CLOCK_BACK_S - 1, 10), CLOCK_BACK_S + 1);
	assert_true(g.distrusted);
	/* Until it is adopted it is seen again; in small steps it does not get by. */
	assert_int_equal(seen(&g, 1000 - CLOCK_BACK_S - 1, 10), CLOCK_BACK_S + 1);
	clock_guard_adopt(&g, 900, 10);
	assert_int_equal(seen(&g, 901, 11), 0);
	assert_true(g.distrusted); /* until somebody vouches for it */
	g.distrusted = false;
	for (int i = 1; i <= CLOCK_BACK_S; i++)
		assert_int_equal(seen(&g, 901 - i, 11), 0);
	assert_int_equal(seen(&g, 901 - CLOCK_BACK_S - 1, 11), CLOCK_BACK_S + 1);
}

static void test_start(void **state)
{
	struct clock_guard g;

	(void)state;
	clock_guard_start(&g, 1000, 5, 1000 + CLOCK_BACK_S, false);
	assert_int_equal(seen(&g, 1000, 5), 0);
	clock_guard_start(&g, 1000, 5, 1001 + CLOCK_BACK_S, false);
	assert_true(seen(&g, 1000, 5) > CLOCK_BACK_S);
	clock_guard_start(&g, 1000, 5, 900, true); /* as it was left */
	assert_int_equal(seen(&g, 1000, 5), 0);
	assert_true(g.distrusted);
}

/* Things age by what passes, whatever the clock says meanwhile. */
static void test_age(void **state)
{
	struct clock_age kept = {.aged_s = 1030, .wall_s = 5000};
	struct clock_guard g;

	(void)state;
	clock_guard_start(&g, 1000, 10, 0, false);
	assert_int_equal(clock_guard_aged(&g, 10), 1000);
	(void)seen(&g, 1000 + YEAR, 20);
	assert_int_equal(clock_guard_aged(&g, 20), 1010);
	(void)seen(&g, 500, 30);
	clock_guard_adopt(&g, 500, 30);
	assert_int_equal(clock_guard_aged(&g, 40), 1030);
	/* Away: as long as the clock says, within reason; never less than nothing. */
	clock_guard_start(&g, 5100, 2, 0, false);
	clock_guard_resume(&g, 5100, 2, &kept);
	assert_int_equal(clock_guard_aged(&g, 3), 1131);
	clock_guard_resume(&g, 5000 + YEAR, 2, &kept);
	assert_int_equal(clock_guard_aged(&g, 2), 1030 + CLOCK_AWAY_S);
	clock_guard_resume(&g, 4000, 2, &kept);
	assert_int_equal(clock_guard_aged(&g, 2), 1030);
	/* A start before the last record: from that on. */
	clock_guard_start(&g, 1000, 5, 2000, false);
	assert_int_equal(clock_guard_aged(&g, 5), 2000);
}

/* ---------------------------------------------------------------- histories */

struct world {
	struct fixture *f;
	struct mfa *mfa;
	struct secret seed;
	struct clock_guard guard;
	int64_t true_s, wrong_s; /* the time; what rbacd's clock is off */
	uint32_t n_accepted, n_refused_unsure;
	uint64_t rng;
	char used[64][7]; /* codes that were accepted in this history */
	int64_t used_at[64];
	size_t n_used;
};

static uint64_t next(struct world *w)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng;
}

static int64_t wall(const struct world *w)
{
	return w->true_s + w->wrong_s;
}

static int64_t boot(const struct world *w)
{
	return w->true_s - TRUE_START + 5;
}

static bool enter(struct world *w, const char *code)
{
	struct secret text = {.len = 6};
	struct mfa_attempt a = {.person = "p",
				.login = "p",
				.origin = "local",
				.proven = true,
				.accept = BOTH,
				.kind = WIRE_ANSWER_CODE,
				.text = &text,
				.now_s = wall(w)};
	struct mfa_result r;

	memcpy(text.bytes, code, 6);
	(void)seen(&w->guard, wall(w), boot(w));
	a.clock_unsure = w->guard.distrusted;
	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	w->n_refused_unsure += str_eq(r.reason, "clock_unsynced");
	return r.outcome == MFA_ACCEPTED;
}

/* The phone keeps the true time. */
static void phone(const struct world *w, char ret[8])
{
	assert_int_equal(oath_totp_generate((const char *)w->seed.bytes, w->seed.len,
					    (time_t)w->true_s, 30, 0, 6, ret),
			 OATH_OK);
}

/*
 * A wall clock that comes back to where it was makes old codes fit again: each is tried
 * at the time at which it was good, which is what a thief would wait for. A code that
 * by chance is also the right one of this moment is no replay.
 */
static void replay_all(struct world *w)
{
	struct world was = *w;
	char now[8];

	for (size_t i = 0; i < was.n_used; i++) {
		phone(w, now);
		if (memcmp(now, was.used[i], 6) == 0)
			continue;
		w->wrong_s = was.used_at[i] - w->true_s;
		assert_false(enter(w, was.used[i]));
		w->wrong_s = was.wrong_s;
		w->guard = was.guard; /* the tries alone move nothing */
	}
}

static void forgive(struct world *w)
{
	struct store_person p;

	assert_int_equal(store_person_get(w->f->store, "p", &p), 0);
	p.fails = p.fails_told = 0;
	p.next_try_s = 0;
	p.disabled = false;
	assert_int_equal(store_person_put(w->f->store, &p), 0);
	assert_int_equal(store_fail_prune(w->f->store, "p", INT64_MAX), 0);
}

static void log_in(struct world *w)
{
	char code[8];

	phone(w, code);
	if (!enter(w, code))
		return;
	w->n_accepted++;
	assert_true(w->n_used < ARRAY_SIZE(w->used));
	memcpy(w->used[w->n_used], code, 7);
	w->used_at[w->n_used++] = wall(w);
}

/* ±1 s to ±10 years, small and large alike often. */
static int64_t some_shift(struct world *w)
{
	static const int64_t size[] = {1,    30,    89,	  91,	    600,
				       3600, 86400, YEAR, 10 * YEAR};
	int64_t most = size[next(w) % ARRAY_SIZE(size)];
	int64_t by = 1 + (int64_t)(next(w) % (uint64_t)most);

	return next(w) % 2 ? by : -by;
}

/* The administrator, or synchronisation, after the clock was put right. */
static void correct(struct world *w)
{
	w->wrong_s = 0;
	(void)seen(&w->guard, wall(w), boot(w));
	clock_guard_adopt(&w->guard, wall(w), boot(w));
	w->guard.distrusted = false;
}

static void one_history(struct world *w)
{
	uint32_t before;

	w->n_used = 0;
	clock_guard_start(&w->guard, wall(w), boot(w), 0, false);
	for (int i = 0; i < STEPS; i++) {
		if (next(w) % 2)
			w->wrong_s += some_shift(w);
		if (w->wrong_s < -10 * YEAR || w->wrong_s > 10 * YEAR)
			w->wrong_s = 0;
		w->true_s += (int64_t)(next(w) % 90);
		log_in(w);
		if (next(w) % 4 == 0)
			correct(w);
		forgive(w); /* the budget is another test's */
	}
	replay_all(w);
	forgive(w);
	correct(w);
	before = w->n_accepted;
	for (int i = 0; i < 2 && w->n_accepted == before; i++) {
		w->true_s += 30; /* at most a minute */
		log_in(w);
	}
	assert_int_equal(w->n_accepted, before + 1);
	replay_all(w);
	forgive(w);
}

static void test_histories(void **state)
{
	struct world w = {.f = *state, .true_s = TRUE_START, .rng = 0x1234567887654321};
	struct factor_spec spec = {.kind = STORE_FACTOR_TOTP,
				   .hash = STORE_SHA1,
				   .digits = 6,
				   .period_s = 30,
				   .last_step = -1,
				   .secret = &w.seed};

	w.seed.len = 20;
	memset(w.seed.bytes, 's', 20);
	assert_int_equal(mfa_new(w.f->store, w.f->seal, &w.mfa), 0);
	assert_int_equal(factor_add(w.mfa, "p", "p", &spec, TRUE_START, NULL), 0);
	assert_int_equal(store_commit(w.f->store), 0);
	for (int i = 0; i < HISTORIES; i++) {
		one_history(&w);
		if (i % 1000 == 0) /* flushes prove nothing here */
			assert_int_equal(store_commit(w.f->store), 0);
	}
	print_message("%u logins in %d histories, %u refused for the clock\n",
		      w.n_accepted, HISTORIES, w.n_refused_unsure);
	assert_true(w.n_accepted > HISTORIES * 2);
	assert_true(w.n_refused_unsure > HISTORIES / 2);
	mfa_free(w.mfa);
}

/* ---------------------------------------------------------------- what is refused */

struct told {
	enum mfa_outcome outcome;
	const char *reason;
	uint32_t fails; /* of the person, after it */
};

static struct told try_unsure(struct world *w, const char *code, size_t len)
{
	struct secret text = {.len = len};
	struct mfa_attempt a = {.person = "p",
				.login = "p",
				.origin = "local",
				.proven = true,
				.accept = BOTH,
				.clock_unsure = true,
				.kind = WIRE_ANSWER_CODE,
				.text = &text,
				.now_s = w->true_s};
	struct store_person p;
	struct mfa_result r;

	memcpy(text.bytes, code, len);
	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	assert_int_equal(store_person_get(w->f->store, "p", &p), 0);
	return (struct told){r.outcome, r.reason, p.fails};
}

static void add_factor(struct world *w, enum store_factor_kind kind, uint16_t period_s,
		       const struct secret *seed)
{
	struct factor_spec spec = {.kind = kind,
				   .hash = STORE_SHA1,
				   .digits = 6,
				   .period_s = period_s,
				   .last_step = -1,
				   .secret = seed};

	assert_int_equal(factor_add(w->mfa, "p", "p", &spec, TRUE_START, NULL), 0);
}

/* O7: no time-based code holds, and none of them is a guess; what needs no time does.
 */
static void test_unsure(void **state)
{
	struct world w = {.f = *state, .true_s = TRUE_START};
	struct secret counter = {.len = 20, .bytes = "12345678901234567890"};
	struct told t;
	char code[8];

	w.seed.len = 20;
	memset(w.seed.bytes, 's', 20);
	assert_int_equal(mfa_new(w.f->store, w.f->seal, &w.mfa), 0);
	add_factor(&w, STORE_FACTOR_TOTP, 30, &w.seed);
	assert_int_equal(recovery_store(w.f->store, w.f->seal, "p", STORE_CODE_RECOVERY,
					"13571357", 1, 0, TRUE_START),
			 0);
	phone(&w, code);
	for (int i = 0; i < 20; i++) {
		t = try_unsure(&w, i % 2 ? code : "000000", 6);
		assert_int_equal(t.outcome, MFA_REFUSED);
		assert_string_equal(t.reason, "clock_unsynced");
		assert_int_equal(t.fails, 0);
	}
	t = try_unsure(&w, "24682468", 8); /* a guess at a recovery code */
	assert_string_equal(t.reason, "bad_otp");
	assert_int_equal(t.fails, 1);
	t = try_unsure(&w, "13571357", 8);
	assert_int_equal(t.outcome, MFA_ACCEPTED);
	add_factor(&w, STORE_FACTOR_HOTP, 0, &counter);
	t = try_unsure(&w, "000000", 6); /* beside a counter it may be a guess */
	assert_string_equal(t.reason, "bad_otp");
	assert_int_equal(t.fails, 1);
	t = try_unsure(&w, code, 6);
	assert_int_equal(t.outcome, MFA_REFUSED);
	t = try_unsure(&w, "755224", 6); /* RFC 4226, counter 0 */
	assert_int_equal(t.outcome, MFA_ACCEPTED);
	mfa_free(w.mfa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_age),
		cmocka_unit_test_setup_teardown(test_unsure, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_histories, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
