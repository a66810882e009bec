/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_guess.c - a year of guessing against the real code, by clocks that are moved:
 * the chance that one guess of a year is accepted, for every strategy that we know of.
 *
 * A guess that is looked at hits with as many chances in a million as codes are right
 * at that moment; the sum over the year is the bound that is checked.
 */
#include "tests/unit/mfa/world.h"

#include "rbacd/mfa/factor.h"
#include "rbacd/mfa/lockout.h"
#include "rbacd/mfa/otp.h"

#define YEAR_S (365 * DAY)
#define LIMIT  1e-3
#define HOME   "198.51.100.7"

struct guess {
	struct world *w;
	int64_t now_s;
	bool proven;
	unsigned codes;	 /* right at one moment */
	int64_t ahead_s; /* of the owner's phone */
	int64_t wrong_s; /* what rbacd's clock is ahead */
	uint64_t tried;	 /* attempts sent */
	uint64_t looked; /* of them compared with the real codes */
	uint64_t logins; /* of the owner, in between */
};

static void setup_guess(struct guess *g, struct world *w, bool proven)
{
	*g = (struct guess){.w = w, .now_s = NOW, .proven = proven, .codes = 3};
}

/* One wrong code. True: it was looked at. */
static bool guess(struct guess *g, const char *login, const char *origin)
{
	struct secret code = text_secret("xxxxxx");
	struct mfa_attempt a = {.person = "id:alice",
				.login = login,
				.origin = origin,
				.proven = g->proven,
				.accept = BOTH,
				.kind = WIRE_ANSWER_CODE,
				.text = &code,
				.now_s = g->now_s + g->wrong_s,
				.ahead_s = g->wrong_s};
	struct mfa_result r;
	bool looked;

	if (g->now_s >= NOW + YEAR_S)
		return false;
	assert_int_equal(mfa_verify(g->w->mfa, &a, &r), 0);
	assert_int_equal(r.outcome, MFA_REFUSED);
	looked = str_eq(r.reason, "bad_otp");
	g->tried++;
	g->looked += looked;
	return looked;
}

/* The owner, with a right code, from home. False: shut out. */
static bool owner(struct guess *g)
{
	struct secret code = phone(&g->w->seed, g->now_s + g->ahead_s);
	struct mfa_attempt a = {.person = "id:alice",
				.login = "alice",
				.origin = HOME,
				.proven = true,
				.accept = BOTH,
				.kind = WIRE_ANSWER_CODE,
				.text = &code,
				.now_s = g->now_s};
	struct mfa_result r;

	assert_int_equal(mfa_verify(g->w->mfa, &a, &r), 0);
	g->logins += r.outcome == MFA_ACCEPTED;
	return r.outcome == MFA_ACCEPTED;
}

static const char *source(uint64_t n, char buf[40])
{
	(void)snprintf(buf, 40, "10.%u.%u.%u", (unsigned)(n >> 16 & 255),
		       (unsigned)(n >> 8 & 255), (unsigned)(n & 255));
	return buf;
}

static void judge(const struct guess *g, const char *strategy)
{
	double p = (double)g->looked * g->codes * 1e-6;

	print_message("%-34s tried %6llu, looked at %3llu, chance %.5f\n", strategy,
		      (unsigned long long)g->tried, (unsigned long long)g->looked, p);
	assert_true(g->looked > 0); /* a strategy that tries nothing proves nothing */
	assert_true(p <= LIMIT);
	assert_int_equal(store_commit(g->w->f->store), 0);
}

/* ---------------------------------------------------------------- behind the password
 */

/* As fast as the delays allow; the owner ends each run before the hundredth. */
static void test_slow(void **state)
{
	struct guess g;

	setup_guess(&g, *state, true);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 60 && guess(&g, "alice", "10.0.0.1"); i++)
			g.now_s += LOCKOUT_LONGEST_S + 1;
		g.now_s += DAY;
		(void)owner(&g);
		g.now_s += 60;
	}
	judge(&g, "slow");
}

/* Sixty-four at one instant, again and again: only what is counted is looked at. */
static void test_parallel(void **state)
{
	struct guess g;
	unsigned most = 0;

	setup_guess(&g, *state, true);
	while (g.now_s < NOW + YEAR_S) {
		unsigned now = 0;

		for (int i = 0; i < 64; i++)
			now += guess(&g, "alice", "10.0.0.1");
		most = now > most ? now : most;
		g.now_s += 2 * DAY;
		(void)owner(&g);
		g.now_s += 60;
	}
	assert_int_equal(most, LOCKOUT_FREE);
	judge(&g, "parallel, 64 at once");
}

/* Four wrong ones after each of the owner's logins: no delay ever begins. */
static void test_between_logins(void **state)
{
	struct guess g;
	bool in = true;

	setup_guess(&g, *state, true);
	while (g.now_s < NOW + YEAR_S && in) {
		for (int i = 0; i < 4; i++)
			(void)guess(&g, "alice", "10.0.0.1");
		g.now_s += DAY / 8;
		in = owner(&g);
	}
	assert_false(in); /* the year's end is the owner's too: reset by a person */
	judge(&g, "between logins");
}

static void test_many_sources(void **state)
{
	struct guess g;
	char from[40];

	setup_guess(&g, *state, true);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 60; i++) {
			(void)guess(&g, "alice", source(g.tried, from));
			g.now_s += 600;
		}
		g.now_s += DAY;
		(void)owner(&g);
	}
	judge(&g, "many sources");
}

/* However the name is written: whom the directory knows is counted by id, and a name
 * that it does not know has no code. */
static void test_name_variants(void **state)
{
	static const char *const name[] = {"alice",
					   "alice ",
					   " alice",
					   "Alice",
					   "ALICE",
					   "a lice",
					   "alic\xc3\xa9",
					   "ali\xc2\xad"
					   "ce",
					   "\xef\xbd\x81lice",
					   "alice\xe2\x80\x8b"};
	struct world *w = *state;
	struct guess g;

	setup_guess(&g, w, true);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 60; i++) {
			(void)guess(&g, name[g.tried % ARRAY_SIZE(name)], "10.0.0.1");
			g.now_s += 600;
		}
		g.now_s += DAY;
		(void)owner(&g);
	}
	judge(&g, "name variants");
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		struct secret code = phone(&w->seed, g.now_s + 3600);
		struct mfa_attempt a = {.login = name[i],
					.origin = "10.0.0.2",
					.proven = true,
					.accept = BOTH,
					.kind = WIRE_ANSWER_CODE,
					.text = &code,
					.now_s = g.now_s + 3600};
		struct mfa_result r;

		assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
		assert_refused(r, "unknown_user");
	}
}

/* Every kind of factor beside each other: a guess is worth more, so there are fewer. */
static void test_all_factors(void **state)
{
	struct world *w = *state;
	const struct factor_spec spec[] = {
		{"b", STORE_FACTOR_TOTP, STORE_SHA256, 6, 30, -1, NULL, false},
		{"c", STORE_FACTOR_TOTP, STORE_SHA512, 6, 60, -1, NULL, false},
		{"d", STORE_FACTOR_HOTP, STORE_SHA1, 6, 0, -1, NULL, false},
	};
	struct guess g;

	setup_guess(&g, w, true);
	for (size_t i = 0; i < ARRAY_SIZE(spec); i++)
		assert_int_equal(factor_add(w->mfa, "id:alice", "alice", &spec[i], NOW,
					    NULL),
				 0);
	g.codes = 3 + 3 + 3 + OTP_AHEAD;
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 60; i++) {
			(void)guess(&g, "alice", "10.0.0.1");
			g.now_s += LOCKOUT_LONGEST_S + 1;
		}
		(void)owner(&g);
		g.now_s += DAY;
	}
	judge(&g, "four factors");
}

/* A phone five steps fast: the window around it and the one around the time are open.
 */
static void test_drifted(void **state)
{
	struct world *w = *state;
	struct store_factor f;
	struct guess g;

	setup_guess(&g, w, true);
	assert_int_equal(factor_find(w->mfa, "id:alice", "totp", &f), 0);
	f.drift = 5;
	assert_int_equal(store_factor_put(w->f->store, &f), 0);
	g.ahead_s = 150;
	g.codes = otp_codes(&f);
	assert_int_equal(g.codes, 6);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 60; i++) {
			(void)guess(&g, "alice", "10.0.0.1");
			g.now_s += LOCKOUT_LONGEST_S + 1;
		}
		(void)owner(&g);
		g.now_s += DAY;
	}
	assert_true(g.logins > 1);
	judge(&g, "a phone that is fast");
}

/* Who moves the network's time moves rbacd's clock two years ahead for one guess, and
 * back: nothing that was counted is forgotten by a year that never passed. */
static void ahead_and_back(struct guess *g, const char *origin)
{
	g->wrong_s = 2 * YEAR_S;
	(void)guess(g, "alice", origin);
	g->wrong_s = 0;
}

static void test_moved_clock(void **state)
{
	struct guess g;

	setup_guess(&g, *state, true);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 60; i++) {
			(void)guess(&g, "alice", "10.0.0.1");
			g.now_s += LOCKOUT_LONGEST_S + 1;
		}
		ahead_and_back(&g, "10.0.0.1");
		g.now_s += DAY;
		(void)owner(&g);
		g.now_s += 60;
	}
	judge(&g, "a clock moved ahead and back");
}

/* Nobody ends the run: the hundredth disables. */
static void test_alone(void **state)
{
	struct guess g;

	setup_guess(&g, *state, true);
	while (g.now_s < NOW + YEAR_S) {
		(void)guess(&g, "alice", "10.0.0.1");
		g.now_s += 6 * LOCKOUT_LONGEST_S;
	}
	assert_int_equal(g.looked, LOCKOUT_CONSECUTIVE);
	judge(&g, "an absent owner");
}

/* ---------------------------------------------------------------- before the password
 */

static void test_stranger_patient(void **state)
{
	struct guess g;

	setup_guess(&g, *state, false);
	while (g.now_s < NOW + YEAR_S) {
		for (unsigned i = 0; i < LOCKOUT_SOURCE_FREE; i++)
			(void)guess(&g, "alice", "10.0.0.1");
		g.now_s += LOCKOUT_FORGET_S + 1;
	}
	judge(&g, "stranger, a rest each day");
}

static void test_stranger_many(void **state)
{
	struct world *w = *state;
	struct guess g;
	char from[40];

	setup_guess(&g, w, false);
	(void)owner(&g);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 40; i++)
			(void)guess(&g, "alice", source(g.tried, from));
		g.now_s += DAY;
	}
	judge(&g, "stranger, a new source each time");
	g.now_s = NOW + YEAR_S - DAY;
	(void)guess(&g, "alice", "10.99.99.99");
	/* And the owner? Gets in wherever the password came first, and at home. */
	assert_true(owner(&g));
	g.now_s += 60;
	assert_int_equal(try_as(w, "id:alice", phone(&w->seed, g.now_s), false, g.now_s,
				HOME)
				 .outcome,
			 MFA_ACCEPTED);
	g.now_s += 60;
	assert_refused(try_as(w, "id:alice", phone(&w->seed, g.now_s), false, g.now_s,
			      "203.0.113.9"),
		       "rate_limited");
	assert_int_equal(factor_unlock(w->mfa, "id:alice", g.now_s, 0), 0);
	assert_int_equal(try_as(w, "id:alice", phone(&w->seed, g.now_s), false, g.now_s,
				"203.0.113.9")
				 .outcome,
			 MFA_ACCEPTED);
}

static void test_stranger_moved_clock(void **state)
{
	struct guess g;
	char from[40];

	setup_guess(&g, *state, false);
	while (g.now_s < NOW + YEAR_S) {
		for (int i = 0; i < 40; i++)
			(void)guess(&g, "alice", source(g.tried, from));
		ahead_and_back(&g, source(g.tried, from));
		g.now_s += DAY;
	}
	judge(&g, "stranger, a moved clock");
}

/* Behind the same address as the owner, whose visits keep it a home. */
static void test_stranger_at_home(void **state)
{
	struct guess g;

	setup_guess(&g, *state, false);
	while (g.now_s < NOW + YEAR_S) {
		for (unsigned i = 0; i < LOCKOUT_SOURCE_FREE; i++)
			(void)guess(&g, "alice", HOME);
		g.now_s += LOCKOUT_FORGET_S + 1;
		assert_true(owner(&g));
	}
	judge(&g, "stranger, behind the owner's address");
}

static void test_stranger_console(void **state)
{
	struct guess g;

	setup_guess(&g, *state, false);
	while (g.now_s < NOW + YEAR_S) {
		for (unsigned i = 0; i < LOCKOUT_SOURCE_FREE; i++)
			(void)guess(&g, "alice", "local");
		g.now_s += LOCKOUT_FORGET_S + 1;
	}
	judge(&g, "stranger, at the console");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_slow),
		CASE(test_parallel),
		CASE(test_between_logins),
		CASE(test_many_sources),
		CASE(test_name_variants),
		CASE(test_all_factors),
		CASE(test_drifted),
		CASE(test_moved_clock),
		CASE(test_alone),
		CASE(test_stranger_patient),
		CASE(test_stranger_many),
		CASE(test_stranger_moved_clock),
		CASE(test_stranger_at_home),
		CASE(test_stranger_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
