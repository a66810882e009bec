/* SPDX-License-Identifier: Apache-2.0 */
/* test_mfa.c - vectors, single use, both budgets, what a stranger can and cannot do. */
#include "tests/unit/mfa/world.h"

#include <errno.h>

#include "rbacd/mfa/lockout.h"
#include "rbacd/mfa/recovery.h"
#include "rbacd/mfa/otp.h"

/* RFC 6238 appendix B, all three hashes, eight digits. */
static void test_rfc6238(void **state)
{
	static const struct {
		enum store_hash hash;
		int64_t at;
		const char *code;
	} v[] = {
		{STORE_SHA1, 59, "94287082"},
		{STORE_SHA256, 59, "46119246"},
		{STORE_SHA512, 59, "90693936"},
		{STORE_SHA1, 1111111109, "07081804"},
		{STORE_SHA256, 1111111109, "68084774"},
		{STORE_SHA512, 1111111109, "25091201"},
		{STORE_SHA1, 1234567890, "89005924"},
		{STORE_SHA256, 1234567890, "91819424"},
		{STORE_SHA512, 1234567890, "93441116"},
		{STORE_SHA1, 2000000000, "69279037"},
		{STORE_SHA256, 2000000000, "90698825"},
		{STORE_SHA512, 2000000000, "38618901"},
		{STORE_SHA1, 20000000000, "65353130"},
		{STORE_SHA256, 20000000000, "77737706"},
		{STORE_SHA512, 20000000000, "47863826"},
	};
	static const char digits[] = "12345678901234567890";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct store_factor f = {.kind = STORE_FACTOR_TOTP,
					 .hash = v[i].hash,
					 .digits = 8,
					 .period_s = 30};
		struct secret seed = {.len = otp_seed_len(v[i].hash)};
		struct secret code = text_secret(v[i].code);
		struct otp_match m;

		for (size_t k = 0; k < seed.len; k++)
			seed.bytes[k] = (uint8_t)digits[k % 20];
		for (int off = -3; off <= 3; off++) {
			if (v[i].at + 30 * off < 30)
				continue; /* a window before 1970 */
			assert_int_equal(otp_check(&f, &seed, &code, v[i].at + 30 * off,
						   &m),
					 0);
			assert_int_equal(m.found, off >= -1 && off <= 1);
			if (m.found)
				assert_int_equal(m.step, v[i].at / 30);
		}
	}
}

/* RFC 4226 appendix D: the counter is the step. */
static void test_rfc4226(void **state)
{
	static const char *const code[] = {"755224", "287082", "359152", "969429",
					   "338314", "254676", "287922", "162583",
					   "399871", "520489"};
	struct store_factor f = {.kind = STORE_FACTOR_TOTP,
				 .hash = STORE_SHA1,
				 .digits = 6,
				 .period_s = 30};
	struct secret seed = text_secret("12345678901234567890");
	struct otp_match m;

	(void)state;
	for (int64_t i = 1; i < 10; i++) {
		struct secret c = text_secret(code[i]);

		assert_int_equal(otp_check(&f, &seed, &c, 30 * i, &m), 0);
		assert_true(m.found);
		assert_int_equal(m.step, i);
	}
}

/* O1 at this level: of 64 attempts with one code exactly one is accepted, none counts.
 */
static void test_single_use(void **state)
{
	struct world *w = *state;
	struct secret code = phone(&w->seed, NOW);
	int accepted = 0;

	for (int i = 0; i < 64; i++) {
		struct mfa_result r = login_as(w, code, NOW);

		accepted += r.outcome == MFA_ACCEPTED;
		if (r.outcome != MFA_ACCEPTED) {
			assert_refused(r, "otp_replay");
			assert_true(r.alert);
			assert_false(r.locked);
		}
		assert_int_equal(r.fails, 0);
	}
	assert_int_equal(accepted, 1);
	/* The one before is burnt as well, the next one is not; a clock set back opens
	 * none. */
	assert_refused(login_as(w, phone(&w->seed, NOW - 30), NOW), "otp_replay");
	assert_refused(login_as(w, code, NOW - 30), "otp_replay");
	assert_int_equal(login_as(w, phone(&w->seed, NOW + 30), NOW + 30).outcome,
			 MFA_ACCEPTED);
}

static void test_budget_proven(void **state)
{
	struct world *w = *state;
	struct secret bad = wrong(&w->seed, NOW), good;
	struct mfa_result r;
	int64_t now = NOW;

	for (uint32_t i = 1; i <= 5; i++) {
		r = login_as(w, bad, now);
		assert_refused(r, "bad_otp");
		assert_int_equal(r.fails, i);
		assert_int_equal(r.locked, i == 5);
	}
	/* Within the delay not even a right code is looked at, and waiting is not
	 * extended. */
	good = phone(&w->seed, now);
	for (int i = 0; i < 50; i++)
		assert_refused(login_as(w, good, now + 29), "factor_locked");
	good = phone(&w->seed, now + 30);
	r = login_as(w, good, now + 30);
	assert_int_equal(r.outcome, MFA_ACCEPTED);
	assert_int_equal(r.told, 5);
	assert_int_equal(r.fails, 0);
}

static void test_delays(void **state)
{
	static const int64_t want[] = {0,   0,	 0,   0,   0,	 30,   60,
				       120, 240, 480, 960, 1920, 3600, 3600};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(lockout_delay_s(i, LOCKOUT_FREE), want[i]);
	assert_int_equal(lockout_delay_s(UINT32_MAX, LOCKOUT_FREE), 3600);
	assert_true(lockout_waits(NOW + 3600, NOW));
	assert_false(lockout_waits(NOW, NOW));
	assert_false(lockout_waits(NOW + 3601, NOW)); /* a clock that was ahead */
}

static void test_hundred(void **state)
{
	struct world *w = *state;
	int64_t now = NOW;
	struct mfa_result r = {0};

	for (int i = 0; i < 100; i++, now += 3601)
		r = login_as(w, wrong(&w->seed, now), now);
	assert_true(r.alert);
	assert_refused(login_as(w, phone(&w->seed, now), now), "factor_disabled");
	/* Bound again, it works again. */
	assert_int_equal(mfa_reset(w->mfa, "id:alice"), 0);
	enrol(w, "id:alice", "alice");
	assert_int_equal(login_as(w, phone(&w->seed, NOW), NOW).outcome, MFA_ACCEPTED);
}

/*
 * O4: a year of the most patient guesser, who lets the owner log in whenever the
 * hundred come near. Looked at: at most 300 guesses, each right with 3 in a million.
 */
static void test_year(void **state)
{
	struct world *w = *state;
	int64_t now = NOW;
	unsigned looked = 0, runs = 0;

	while (now < NOW + 364 * DAY && looked < 1000) {
		struct mfa_result r = login_as(w, text_secret("xxxxxx"), now);

		if (str_eq(r.reason, "bad_otp"))
			looked++;
		if (r.fails == 50) {
			now += 3700;
			(void)login_as(w, phone(&w->seed, now), now);
			runs++;
		}
		now += 3700;
	}
	assert_int_equal(looked, LOCKOUT_YEAR);
	assert_true(runs >= 5);
	print_message("guesses looked at in a year: %u, chance %.5f\n", looked,
		      looked * 3e-6);
	assert_true(looked * 3e-6 <= 1e-3);
	assert_refused(login_as(w, phone(&w->seed, now), now), "factor_locked");
	now += 2 * 366 * DAY;
	assert_int_equal(login_as(w, phone(&w->seed, now), now).outcome, MFA_ACCEPTED);
}

/* O8: ten thousand attempts of strangers move nothing of the person's. */
static void test_strangers(void **state)
{
	struct world *w = *state;
	struct store_person before, after;
	struct mfa_result r;
	char origin[40];

	assert_int_equal(store_person_get(w->f->store, "id:alice", &before), 0);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(origin, sizeof(origin), "10.0.%d.%d", i / 256 % 4,
			       i % 256);
		r = try_as(w, "id:alice", text_secret("xxxxxx"), false, NOW, origin);
		assert_int_equal(r.outcome, MFA_REFUSED);
		assert_false(r.locked);
	}
	assert_int_equal(store_person_get(w->f->store, "id:alice", &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(login_as(w, phone(&w->seed, NOW), NOW).outcome, MFA_ACCEPTED);
}

/* Once a source's budget is spent even the right code is refused there, but only there.
 */
static void test_source_budget(void **state)
{
	struct world *w = *state;
	struct secret good = phone(&w->seed, NOW);

	for (uint32_t i = 0; i < LOCKOUT_SOURCE_FREE; i++)
		assert_refused(try_as(w, "id:alice", text_secret("xxxxxx"), false, NOW,
				      "10.9.9.9"),
			       "bad_otp");
	assert_refused(try_as(w, "id:alice", good, false, NOW, "10.9.9.9"),
		       "rate_limited");
	assert_int_equal(try_as(w, "id:alice", good, false, NOW, "10.9.9.8").outcome,
			 MFA_ACCEPTED);
}

static bool has_pair_row(struct world *w, const char *login, const char *origin)
{
	const struct seal_part part[] = {{"login", 5},
					 {login, strlen(login)},
					 {origin, strlen(origin)}};
	struct store_budget b;
	uint8_t key[32];

	assert_int_equal(seal_mac(w->f->seal, "budget-person-source", part, 3, key), 0);
	assert_int_equal(store_budget_get(w->f->store, key, &b), 0);
	return b.touched_s != 0;
}

/* O6: a source that waits already cannot fill the table of budgets with names. */
static void test_names_of_one_source(void **state)
{
	struct world *w = *state;
	struct secret code = text_secret("123456");
	char login[16];
	unsigned rows = 0;

	for (unsigned i = 0; i < 5 * LOCKOUT_SOURCE_TOTAL; i++) {
		struct mfa_attempt a = {.login = login,
					.origin = "10.7.7.7",
					.accept = BOTH,
					.kind = WIRE_ANSWER_CODE,
					.text = &code,
					.now_s = NOW};
		struct mfa_result r;

		(void)snprintf(login, sizeof(login), "u%u", i);
		assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
		assert_int_equal(r.outcome, MFA_REFUSED);
		rows += has_pair_row(w, login, "10.7.7.7");
	}
	assert_int_equal(rows, LOCKOUT_SOURCE_TOTAL);
}

/* O6: the table of budgets is full: whom it cannot count it refuses, whoever has a row
 * goes on, and behind a first factor nobody notices. */
static void test_full_table(void **state)
{
	struct world *w = *state;
	struct store_budget b = {.touched_s = NOW, .next_try_s = NOW};
	int r = 0;

	assert_refused(try_as(w, "id:alice", text_secret("xxxxxx"), false, NOW,
			      "10.1.1.1"),
		       "bad_otp");
	assert_int_equal(store_begin(w->f->store), 0);
	for (uint32_t i = 0; r == 0; i++) {
		memcpy(b.key, &i, sizeof(i));
		r = store_budget_put(w->f->store, &b);
	}
	assert_int_equal(r, STORE_E_LIMIT);
	assert_int_equal(store_commit(w->f->store), 0);
	assert_refused(try_as(w, "id:alice", phone(&w->seed, NOW), false, NOW,
			      "10.1.1.2"),
		       "rate_limited");
	assert_refused(try_as(w, NULL, text_secret("123456"), false, NOW, "10.1.1.3"),
		       "rate_limited");
	assert_int_equal(try_as(w, "id:alice", phone(&w->seed, NOW + 30), false,
				NOW + 30, "10.1.1.1")
				 .outcome,
			 MFA_ACCEPTED);
	assert_int_equal(login_as(w, phone(&w->seed, NOW + 60), NOW + 60).outcome,
			 MFA_ACCEPTED);
}

/* A stranger at a shared console closes it for the name tried, for nobody else. */
static void test_console(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 500; i++)
		(void)try_as(w, NULL, text_secret("xxxxxx"), false, NOW, "local");
	assert_int_equal(try_as(w, "id:alice", phone(&w->seed, NOW), false, NOW,
				"local")
				 .outcome,
			 MFA_ACCEPTED);
}

/* P9: nobody, the unenrolled, the dummy: never accepted, also by chance. */
static void test_never(void **state)
{
	struct world *w = *state;
	struct secret c = text_secret("000000");

	for (int i = 0; i < 1000; i++) {
		(void)snprintf((char *)c.bytes, sizeof(c.bytes), "%06d", i);
		assert_refused(try_as(w, NULL, c, true, NOW + i, "local"),
			       "unknown_user");
		assert_int_equal(try_as(w, "id:bob", c, true, NOW + i, "local").outcome,
				 MFA_REFUSED);
	}
	/* Alice's code is not Bob's. */
	assert_refused(try_as(w, "id:bob", phone(&w->seed, NOW), true, NOW, "local"),
		       "not_enrolled");
}

static void test_pending_opens_nothing(void **state)
{
	static const struct mfa_enrol_options opt = {.issuer = "x",
						     .kind = STORE_FACTOR_TOTP,
						     .hash = STORE_SHA1,
						     .digits = 6,
						     .period_s = 30};
	struct world *w = *state;
	struct mfa_enrolment e;
	struct secret seed, code, rec = {.len = 0};

	assert_int_equal(mfa_enrol_begin(w->mfa, "id:alice", "alice", &opt, NOW, &e),
			 MFA_E_EXISTS);
	assert_int_equal(mfa_enrol_begin(w->mfa, "id:bob", "bob", &opt, NOW, &e), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	seed_of(e.uri, &seed);
	assert_refused(try_as(w, "id:bob", phone(&seed, NOW), true, NOW, "local"),
		       "not_enrolled");
	assert_int_equal(code_classify(e.recovery[0], strlen(e.recovery[0]), &rec),
			 WIRE_ANSWER_RECOVERY);
	assert_int_equal(try_as(w, "id:bob", rec, true, NOW, "local").outcome,
			 MFA_REFUSED);
	code = wrong(&seed, NOW);
	assert_int_equal(mfa_enrol_confirm(w->mfa, "id:bob", &code, NOW), MFA_E_WRONG);
	code = phone(&seed, NOW);
	assert_int_equal(mfa_enrol_confirm(w->mfa, "id:bob", &code, NOW), 0);
	assert_refused(try_as(w, "id:bob", code, true, NOW, "local"), "otp_replay");
}

static void test_recovery(void **state)
{
	struct world *w = *state;
	struct secret norm = {.len = 0};
	struct mfa_result r;

	for (uint32_t i = 0; i < MFA_RECOVERY_CODES; i++) {
		assert_int_equal(code_classify(w->e.recovery[i], 19, &norm),
				 WIRE_ANSWER_RECOVERY);
		assert_int_equal(try_as(w, "id:bob", norm, true, NOW, "local").outcome,
				 MFA_REFUSED);
		r = login_as(w, norm, NOW);
		assert_int_equal(r.outcome, MFA_ACCEPTED);
		assert_int_equal(r.method, POLICY_METHOD_RECOVERY);
		assert_true(r.alert);
		assert_int_equal(r.recovery_left, MFA_RECOVERY_CODES - 1 - i);
		assert_refused(login_as(w, norm, NOW), "bad_otp");
		(void)login_as(w, phone(&w->seed, NOW + 30 * i), NOW + 30 * i);
	}
}

static void test_bypass(void **state)
{
	struct world *w = *state;
	char text[MFA_CODE_TEXT];
	struct secret norm = {.len = 0};

	assert_int_equal(mfa_bypass(w->mfa, "id:alice", "alice", 0, NOW + 60, NOW,
				    text),
			 -EINVAL);
	assert_int_equal(mfa_bypass(w->mfa, "id:alice", "alice", 1, NOW + 60, NOW,
				    text),
			 0);
	assert_int_equal(code_classify(text, 19, &norm), WIRE_ANSWER_RECOVERY);
	assert_refused(login_as(w, norm, NOW + 60), "bad_otp");
	assert_int_equal(login_as(w, norm, NOW + 59).outcome, MFA_ACCEPTED);
	assert_refused(login_as(w, norm, NOW + 59), "bad_otp");
}

/* A method that the policy does not take is refused unused and uncounted. */
static void test_accept_mask(void **state)
{
	struct world *w = *state;
	struct secret code = phone(&w->seed, NOW);
	struct mfa_attempt a = {.person = "id:alice",
				.login = "alice",
				.origin = "local",
				.proven = true,
				.accept = POLICY_METHOD_RECOVERY,
				.kind = WIRE_ANSWER_CODE,
				.text = &code,
				.now_s = NOW};
	struct mfa_result r;

	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	assert_refused(r, "mfa_required");
	assert_int_equal(r.fails, 0);
	a.accept = 0;
	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	assert_refused(r, "mfa_required");
	a.accept = POLICY_METHOD_TOTP;
	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	assert_int_equal(r.outcome, MFA_ACCEPTED);
}

/* P22: a password at the prompt is not a guess, however often; nor is a broken prompt.
 */
static void test_blind(void **state)
{
	struct world *w = *state;
	struct mfa_attempt a = {.person = "id:alice",
				.login = "alice",
				.origin = "192.0.2.7",
				.accept = BOTH,
				.now_s = NOW};
	static const enum wire_answer_kind kinds[] = {WIRE_ANSWER_BLIND,
						      WIRE_ANSWER_EMPTY,
						      WIRE_ANSWER_FAILED};
	struct secret none = SECRET_INIT;
	struct mfa_result r;

	a.text = &none;
	for (int i = 0; i < 300; i++) {
		a.kind = kinds[i % 3];
		a.proven = i % 2 == 0;
		assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
		assert_int_equal(r.outcome, MFA_REFUSED);
		assert_int_equal(r.fails, 0);
	}
	assert_int_equal(store_commit(w->f->store), 0);
	assert_int_equal(try_as(w, "id:alice", phone(&w->seed, NOW), false, NOW,
				"192.0.2.7")
				 .outcome,
			 MFA_ACCEPTED);
}

static void test_swapped_seed(void **state)
{
	struct world *w = *state;
	struct store_factor a[STORE_FACTORS_MAX], b[STORE_FACTORS_MAX];
	struct secret out = SECRET_INIT;
	struct mfa_result r;
	struct mfa_attempt t = {.person = "id:bob",
				.login = "bob",
				.origin = "local",
				.proven = true,
				.accept = BOTH,
				.kind = WIRE_ANSWER_CODE,
				.now_s = NOW};
	struct secret code = phone(&w->seed, NOW);
	size_t n;

	assert_int_equal(store_factor_list(w->f->store, "id:alice", a, &n), 0);
	enrol(w, "id:bob", "bob");
	assert_int_equal(store_factor_list(w->f->store, "id:bob", b, &n), 0);
	memcpy(b[0].sealed, a[0].sealed, sizeof(b[0].sealed));
	assert_int_equal(otp_open(w->f->seal, &b[0], &out), SEAL_E_FORGED);
	assert_int_equal(store_factor_put(w->f->store, &b[0]), 0);
	t.text = &code;
	assert_int_equal(mfa_verify(w->mfa, &t, &r), 0);
	assert_refused(r, "internal");
	store_rollback(w->f->store);
}

static void test_uri(void **state)
{
	struct world *w = *state;

	assert_non_null(strstr(w->e.uri, "otpauth://totp/vm%20sec:alice?secret="));
	assert_non_null(strstr(w->e.uri, "&issuer=vm%20sec"));
	assert_null(strchr(w->e.uri, ' '));
	assert_int_equal(w->seed.len, 20);
	mfa_enrolment_done(&w->e);
	assert_int_equal(w->e.uri[0], 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc6238),
		cmocka_unit_test(test_rfc4226),
		CASE(test_single_use),
		CASE(test_budget_proven),
		cmocka_unit_test(test_delays),
		CASE(test_hundred),
		CASE(test_year),
		CASE(test_strangers),
		CASE(test_source_budget),
		CASE(test_names_of_one_source),
		CASE(test_full_table),
		CASE(test_console),
		CASE(test_never),
		CASE(test_pending_opens_nothing),
		CASE(test_recovery),
		CASE(test_bypass),
		CASE(test_accept_mask),
		CASE(test_blind),
		CASE(test_swapped_seed),
		CASE(test_uri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
