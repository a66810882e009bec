/* SPDX-License-Identifier: Apache-2.0 */
/* test_factor.c - factors of all kinds beside each other: added, set right, removed. */
#include "tests/unit/mfa/world.h"

#include <errno.h>

#include "rbacd/mfa/key.h"
#include "rbacd/mfa/lockout.h"
#include "rbacd/mfa/otp.h"
#include "rbacd/mfa/recovery.h"

#define ALICE "id:alice"
#define KEY                                                                            \
	"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABA" \
	"gMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAAAABHNzaDo="
#define KEY_TEXT                                                                       \
	"SHA256:/p0CbeE3dk2SyW1OXXsThGc12ezDVD8eGw2/vtztDfk" /* ssh-keygen -l */

static const struct secret rfc_seed = {.len = 20, .bytes = "12345678901234567890"};

static int add(struct world *w, const struct factor_spec *spec)
{
	int rc = factor_add(w->mfa, ALICE, "alice", spec, NOW, NULL);

	if (rc == 0)
		assert_int_equal(store_commit(w->f->store), 0);
	else
		store_rollback(w->f->store);
	return rc;
}

static struct factor_spec hotp(const char *name)
{
	return (struct factor_spec){.name = name,
				    .kind = STORE_FACTOR_HOTP,
				    .hash = STORE_SHA1,
				    .digits = 6,
				    .last_step = -1,
				    .secret = &rfc_seed};
}

static struct secret counter_code(int64_t counter)
{
	char text[9];

	assert_int_equal(oath_hotp_generate((const char *)rfc_seed.bytes, rfc_seed.len,
					    (uint64_t)counter, 6, false,
					    OATH_HOTP_DYNAMIC_TRUNCATION, text),
			 OATH_OK);
	return text_secret(text);
}

static struct store_factor get(struct world *w, const char *name)
{
	struct store_factor f;

	assert_int_equal(factor_find(w->mfa, ALICE, name, &f), 0);
	return f;
}

static void assert_accepted(struct mfa_result r, const char *cred)
{
	assert_int_equal(r.outcome, MFA_ACCEPTED);
	assert_string_equal(r.cred, cred);
}

/* ---------------------------------------------------------------- adding */

static void test_limits(void **state)
{
	static const struct secret shortest = {.len = FACTOR_SEED_MIN};
	static const struct secret too_short = {.len = FACTOR_SEED_MIN - 1};
	static const struct secret too_long = {.len = FACTOR_SEED_MAX + 1};
	static const struct factor_spec bad[] = {
		{NULL, STORE_FACTOR_TOTP, STORE_SHA1, 7, 30, -1, NULL, false},
		{NULL, STORE_FACTOR_TOTP, STORE_SHA1, 6, 0, -1, NULL, false},
		{NULL, STORE_FACTOR_TOTP, STORE_SHA1, 6, 45, -1, NULL, false},
		{NULL, STORE_FACTOR_TOTP, (enum store_hash)0, 6, 30, -1, NULL, false},
		{NULL, STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -2, NULL, false},
		{NULL, STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -1, &too_short, false},
		{NULL, STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -1, &too_long, false},
		{NULL, STORE_FACTOR_HOTP, STORE_SHA1, 6, 30, -1, NULL, false},
		{NULL, STORE_FACTOR_KEY, STORE_SHA256, 0, 0, -1, NULL, false},
		{NULL, STORE_FACTOR_KEY, STORE_SHA256, 0, 0, -1, &shortest, false},
		{NULL, (enum store_factor_kind)4, STORE_SHA1, 6, 30, -1, NULL, false},
		{"", STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -1, NULL, false},
		{"-x", STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -1, NULL, false},
		{"a b", STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -1, NULL, false},
		{"a\x1b", STORE_FACTOR_TOTP, STORE_SHA1, 6, 30, -1, NULL, false},
		{"a23456789012345678901234567890123", STORE_FACTOR_TOTP, STORE_SHA1, 6,
		 30, -1, NULL, false},
	};
	const struct factor_spec good = {NULL, STORE_FACTOR_TOTP, STORE_SHA512, 8, 60,
					 -1,   &shortest,	  false};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(add(w, &bad[i]), -EINVAL);
	assert_int_equal(add(w, &good), 0);
	assert_string_equal(get(w, "totp-2").name, "totp-2"); /* the first is alice's */
}

static void test_never_replaces(void **state)
{
	struct world *w = *state;
	struct factor_spec spec = hotp("token");
	struct secret seed = w->seed;
	struct factor_spec again = {NULL,	STORE_FACTOR_TOTP,
				    STORE_SHA1, 6,
				    60,		-1,
				    &seed,	false};

	assert_int_equal(add(w, &spec), 0);
	assert_int_equal(add(w, &spec), MFA_E_EXISTS);
	spec.name = "other";
	assert_int_equal(add(w, &spec), MFA_E_SAME);
	assert_int_equal(add(w, &again), MFA_E_SAME); /* whatever else differs */
	again.secret = NULL;
	for (int i = 2; i < STORE_FACTORS_MAX; i++)
		assert_int_equal(add(w, &again), 0);
	assert_int_equal(add(w, &again), MFA_E_LIMIT);
}

/* A row keeps its meaning: kind, parameters and name are sealed with the seed. */
static void test_sealed_meaning(void **state)
{
	struct world *w = *state;
	struct factor_spec spec = hotp("token");
	struct store_factor f, changed;
	struct secret out;

	assert_int_equal(add(w, &spec), 0);
	f = get(w, "token");
	assert_int_equal(otp_open(w->f->seal, &f, &out), 0);
	for (int i = 0; i < 5; i++) {
		changed = f;
		if (i == 0)
			changed.kind = STORE_FACTOR_TOTP;
		else if (i == 1)
			changed.kind = STORE_FACTOR_KEY;
		else if (i == 2)
			changed.digits = 8;
		else if (i == 3)
			changed.period_s = 30;
		else
			changed.name[0] = 'T';
		assert_int_equal(otp_open(w->f->seal, &changed, &out), SEAL_E_FORGED);
	}
	/* A row with parameters that cannot be refuses its owner and fails nobody. */
	changed = f;
	changed.digits = 7;
	assert_int_equal(store_factor_put(w->f->store, &changed), 0);
	assert_refused(login_as(w, phone(&w->seed, NOW), NOW), "internal");
}

/* ---------------------------------------------------------------- counters */

/* RFC 4226 appendix D through the whole of verification, look-ahead and replay. */
static void test_hotp(void **state)
{
	struct world *w = *state;
	struct factor_spec spec = hotp("token");
	struct mfa_result r;

	assert_int_equal(add(w, &spec), 0);
	r = login_as(w, text_secret("755224"), NOW);
	assert_accepted(r, "token");
	assert_int_equal(r.method, POLICY_METHOD_TOTP);
	assert_int_equal(r.t_delta, 0);
	assert_refused(login_as(w, text_secret("755224"), NOW), "otp_replay");
	assert_int_equal(get(w, "token").last_step, 0);
	/* Pressed in vain four times: the fifth is still right, the sixth not. */
	assert_refused(login_as(w, counter_code(OTP_AHEAD + 1), NOW), "bad_otp");
	r = login_as(w, counter_code(OTP_AHEAD), NOW);
	assert_accepted(r, "token");
	assert_int_equal(r.t_delta, OTP_AHEAD - 1);
	assert_int_equal(get(w, "token").last_step, OTP_AHEAD);
	for (int64_t c = 1; c < OTP_AHEAD; c++) /* skipped ones are gone */
		assert_refused(login_as(w, counter_code(c), NOW), "bad_otp");
	assert_int_equal(get(w, "token").drift, 0);
}

static int resync(struct world *w, const char *name, struct secret a, struct secret b,
		  int64_t *delta)
{
	int rc = factor_resync(w->mfa, ALICE, name, &a, &b, NOW, delta);

	assert_int_equal(store_commit(w->f->store), 0);
	return rc;
}

static void test_resync_hotp(void **state)
{
	struct world *w = *state;
	struct factor_spec spec = hotp("token");
	int64_t d = 0;

	assert_int_equal(add(w, &spec), 0);
	assert_int_equal(resync(w, "none", counter_code(7), counter_code(8), &d),
			 MFA_E_NOT_ENROLLED);
	assert_int_equal(resync(w, "token", counter_code(7), counter_code(9), &d),
			 MFA_E_WRONG);
	assert_int_equal(resync(w, "token", counter_code(8), counter_code(7), &d),
			 MFA_E_WRONG);
	assert_int_equal(resync(w, "token", counter_code(7), counter_code(7), &d),
			 MFA_E_WRONG);
	assert_int_equal(resync(w, "token", counter_code(OTP_RESYNC_AHEAD + 2),
				counter_code(OTP_RESYNC_AHEAD + 3), &d),
			 MFA_E_WRONG);
	assert_int_equal(resync(w, "token", counter_code(700), counter_code(701), &d),
			 0);
	assert_int_equal(d, 701);
	assert_refused(login_as(w, counter_code(701), NOW), "otp_replay");
	assert_accepted(login_as(w, counter_code(702), NOW), "token");
	/* Codes of the past set nothing back. */
	assert_int_equal(resync(w, "token", counter_code(700), counter_code(701), &d),
			 MFA_E_WRONG);
}

/* A phone that is 40 minutes off: refused, set right, and good from then on. */
static void test_resync_totp(void **state)
{
	struct world *w = *state;
	const int64_t off = 2400;
	int64_t d = 0;

	assert_refused(login_as(w, phone(&w->seed, NOW + off), NOW), "bad_otp");
	assert_int_equal(resync(w, "totp", phone(&w->seed, NOW + off),
				phone(&w->seed, NOW + off), &d),
			 MFA_E_WRONG);
	assert_int_equal(resync(w, "totp", phone(&w->seed, NOW + off),
				phone(&w->seed, NOW + off + 30), &d),
			 0);
	assert_int_equal(get(w, "totp").drift, d);
	assert_refused(login_as(w, phone(&w->seed, NOW + off + 30), NOW + 30),
		       "otp_replay");
	for (int i = 2; i < 40; i++) { /* runs fast, a step in ten: learnt no further */
		int64_t now = NOW + 300 * i;

		(void)login_as(w, phone(&w->seed, now + off + 30), now);
		assert_true(get(w, "totp").drift <= d);
	}
	assert_accepted(login_as(w, phone(&w->seed, NOW + DAY + off), NOW + DAY),
			"totp");
}

/* A slow phone is followed a step at a time, by successes alone and ten steps at most.
 */
static void test_drift(void **state)
{
	struct world *w = *state;
	int64_t now = NOW;

	assert_refused(login_as(w, phone(&w->seed, now - 60), now), "bad_otp");
	assert_int_equal(get(w, "totp").drift, 0);
	for (int i = 1; i <= OTP_DRIFT_MAX + 3; i++) {
		struct mfa_result r;

		now += 300;
		r = login_as(w, phone(&w->seed, now - 30 * i), now);
		assert_int_equal(r.outcome == MFA_ACCEPTED, i <= OTP_DRIFT_MAX + 1);
		assert_int_equal(get(w, "totp").drift,
				 -(i < OTP_DRIFT_MAX ? i : OTP_DRIFT_MAX));
	}
	/* It was this host's clock, and that has been put right. */
	now += 3600;
	assert_accepted(login_as(w, phone(&w->seed, now), now), "totp");
	assert_int_equal(get(w, "totp").drift, 0);
}

/* ---------------------------------------------------------------- several */

static void test_two_factors(void **state)
{
	static const struct mfa_enrol_options opt = {.issuer = "x",
						     .name = "tablet",
						     .kind = STORE_FACTOR_TOTP,
						     .hash = STORE_SHA1,
						     .digits = 6,
						     .period_s = 30};
	struct mfa_enrol_options plain = opt;
	struct world *w = *state;
	struct mfa_enrolment e;
	struct mfa_status st;
	struct secret seed, code;

	plain.name = NULL;
	assert_int_equal(mfa_enrol_begin(w->mfa, ALICE, "alice", &plain, NOW, &e),
			 MFA_E_EXISTS);
	assert_int_equal(mfa_enrol_begin(w->mfa, ALICE, "alice", &opt, NOW, &e), 0);
	assert_false(e.has_recovery); /* those on paper stay good */
	assert_string_equal(e.name, "tablet");
	seed_of(e.uri, &seed);
	assert_refused(login_as(w, phone(&seed, NOW), NOW), "bad_otp"); /* pending */
	code = phone(&seed, NOW - 30);
	assert_int_equal(mfa_enrol_confirm(w->mfa, ALICE, &code, NOW), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	assert_accepted(login_as(w, phone(&seed, NOW), NOW), "tablet");
	assert_accepted(login_as(w, phone(&w->seed, NOW), NOW), "totp");
	assert_refused(login_as(w, phone(&seed, NOW), NOW), "otp_replay");
	assert_refused(login_as(w, phone(&w->seed, NOW), NOW), "otp_replay");
	assert_int_equal(mfa_status(w->mfa, ALICE, NOW, 0, &st), 0);
	assert_int_equal(st.year_cap, LOCKOUT_YEAR / 2);
	assert_int_equal(st.recovery_left, MFA_RECOVERY_CODES);
}

/* What a guess is worth and how many there are: never more than 900 in a million. */
static void test_worth(void **state)
{
	(void)state;
	assert_int_equal(lockout_year_cap(0), LOCKOUT_YEAR);
	assert_int_equal(lockout_year_cap(3), LOCKOUT_YEAR);
	assert_int_equal(lockout_year_cap(6), LOCKOUT_YEAR / 2);
	for (unsigned codes = 1; codes <= OTP_AHEAD * STORE_FACTORS_MAX; codes++)
		assert_true(lockout_year_cap(codes) * codes <= 900);
}

static void test_remove(void **state)
{
	struct world *w = *state;
	struct factor_spec spec = hotp("token");
	struct store_proof p = {.person = ALICE, .vm = "vm", .origin = "local"}, got;
	size_t left = 9;

	assert_int_equal(add(w, &spec), 0);
	assert_int_equal(store_proof_put(w->f->store, &p), 0);
	assert_int_equal(factor_remove(w->mfa, ALICE, "none", &left),
			 MFA_E_NOT_ENROLLED);
	assert_int_equal(factor_remove(w->mfa, ALICE, "token", &left), 0);
	assert_int_equal(left, 1);
	assert_int_equal(store_proof_get(w->f->store, ALICE, "vm", "local", &got),
			 STORE_E_NONE);
	assert_refused(login_as(w, counter_code(0), NOW), "bad_otp");
	assert_int_equal(factor_remove(w->mfa, ALICE, "totp", &left), 0);
	assert_int_equal(left, 0);
	assert_refused(login_as(w, phone(&w->seed, NOW), NOW), "not_enrolled");
}

static void test_unlock(void **state)
{
	struct world *w = *state;
	struct secret bad = wrong(&w->seed, NOW);
	int64_t now = NOW;

	assert_int_equal(factor_unlock(w->mfa, "id:bob", NOW, 0), MFA_E_NOT_ENROLLED);
	for (int i = 0; i < 5; i++)
		(void)login_as(w, bad, NOW);
	assert_refused(login_as(w, phone(&w->seed, NOW), NOW), "factor_locked");
	assert_int_equal(factor_unlock(w->mfa, ALICE, NOW, 0), 0);
	assert_int_equal(login_as(w, phone(&w->seed, NOW), NOW).told, 5);
	/* The year is not given back, nor is what was disabled. */
	for (int i = 0; i < LOCKOUT_YEAR - 5; i++, now += 60) {
		(void)login_as(w, text_secret("xxxxxx"), now);
		assert_int_equal(factor_unlock(w->mfa, ALICE, now, 0) == 0,
				 i < LOCKOUT_YEAR - 6);
	}
	assert_int_equal(factor_unlock(w->mfa, ALICE, now, 0), MFA_E_YEAR);
	assert_refused(login_as(w, phone(&w->seed, now), now), "factor_locked");
	assert_int_equal(mfa_disable(w->mfa, ALICE), 0);
	assert_int_equal(factor_unlock(w->mfa, ALICE, now, 0), MFA_E_DISABLED);
}

/* ---------------------------------------------------------------- other codes */

/* Recovery codes of another program: eight digits, once each. */
static void test_scratch(void **state)
{
	struct world *w = *state;
	struct secret code = text_secret("73512846");
	struct mfa_attempt a = {.person = ALICE,
				.login = "alice",
				.origin = "local",
				.proven = true,
				.accept = POLICY_METHOD_TOTP,
				.kind = WIRE_ANSWER_CODE,
				.text = &code,
				.now_s = NOW};
	struct mfa_result r;

	assert_int_equal(recovery_store(w->f->store, w->f->seal, ALICE,
					STORE_CODE_RECOVERY, "73512846", 1, 0, NOW),
			 0);
	assert_int_equal(store_commit(w->f->store), 0);
	assert_refused(try_as(w, "id:bob", code, true, NOW, "local"), "not_enrolled");
	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0); /* the policy takes none */
	assert_refused(r, "bad_otp");
	r = login_as(w, code, NOW);
	assert_accepted(r, "recovery");
	assert_int_equal(r.method, POLICY_METHOD_RECOVERY);
	assert_true(r.alert);
	assert_refused(login_as(w, code, NOW), "bad_otp");
}

static void test_fingerprint(void **state)
{
	static const char *const bad[] = {
		"",
		"sk-ssh-ed25519@openssh.com",
		"sk-ssh-ed25519@openssh.com ",
		"sk-ssh-ed25519@openssh.com AAAA",
		"ssh-ed25519 AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABA"
		"gMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAAAABHNzaDo=",
		"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29*",
	};
	char text[KEY_FINGERPRINT_MAX], long_key[8192] = "";
	uint8_t fp[FACTOR_KEY_LEN];

	(void)state;
	assert_true(key_fingerprint(KEY " alice@phone\n", fp));
	key_fingerprint_text(fp, text);
	assert_string_equal(text, KEY_TEXT);
	assert_true(key_is_fido(KEY));
	assert_false(key_is_fido("ssh-ed25519 AAAA"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(key_fingerprint(bad[i], fp));
	(void)snprintf(long_key, sizeof(long_key), "%s", KEY);
	for (size_t n = strlen(long_key) - 1; n < sizeof(long_key) - 1; n++)
		long_key[n] = 'A';
	assert_false(key_fingerprint(long_key, fp));
}

/* Any text at all: no other one than the key's own has its fingerprint. */
static void test_fingerprint_of_anything(void **state)
{
	uint8_t own[FACTOR_KEY_LEN], fp[FACTOR_KEY_LEN];
	unsigned seed = 7, accepted = 0;

	(void)state;
	assert_true(key_fingerprint(KEY, own));
	for (int i = 0; i < 200000; i++) {
		char text[] = KEY;

		for (unsigned n = 0; n <= (seed >> 16) % 3; n++) {
			seed = seed * 1103515245u + 12345u;
			text[(seed >> 16) % (sizeof(text) - 1)] =
				(char)(seed >> 8 & 0xff);
		}
		if (!key_fingerprint(text, fp) || strcmp(text, KEY) == 0)
			continue;
		accepted++;
		assert_memory_not_equal(fp, own, sizeof(fp));
	}
	assert_true(accepted > 0); /* another key, well-formed */
}

static struct mfa_result use_key(struct world *w, const char *id, const char *info)
{
	struct mfa_result r;

	assert_int_equal(mfa_key(w->mfa, id, info, NOW, &r), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	return r;
}

static void test_key(void **state)
{
	struct world *w = *state;
	struct secret fp = {.len = FACTOR_KEY_LEN};
	struct factor_spec spec = {
		"yubi", STORE_FACTOR_KEY, STORE_SHA256, 0, 0, -1, &fp, false};
	struct store_factor f;
	struct mfa_status st;
	size_t left;

	assert_true(key_fingerprint(KEY, fp.bytes));
	assert_int_equal(use_key(w, ALICE, "publickey " KEY "\n").outcome, MFA_REFUSED);
	assert_int_equal(add(w, &spec), 0);
	assert_accepted(use_key(w, ALICE, "publickey " KEY "\n"), "yubi");
	assert_accepted(use_key(w, ALICE, "password\npublickey " KEY), "yubi");
	assert_int_equal(use_key(w, "id:bob", "publickey " KEY "\n").outcome,
			 MFA_REFUSED);
	/* Only a key that sshd says was used, whole, and of its own type. */
	assert_int_equal(use_key(w, ALICE, "hostbased " KEY "\n").outcome, MFA_REFUSED);
	assert_int_equal(use_key(w, ALICE, KEY "\n").outcome, MFA_REFUSED);
	assert_int_equal(use_key(w, ALICE, "").outcome, MFA_REFUSED);
	/* No code fits it, and it costs no guesses. */
	assert_int_equal(mfa_status(w->mfa, ALICE, NOW, 0, &st), 0);
	assert_int_equal(st.year_cap, LOCKOUT_YEAR);
	assert_int_equal(factor_remove(w->mfa, ALICE, "totp", &left), 0);
	assert_refused(login_as(w, text_secret("123456"), NOW), "not_enrolled");
	/* Another person's row, copied: nothing. */
	f = get(w, "yubi");
	f.id = 0;
	(void)snprintf(f.person, sizeof(f.person), "id:bob");
	enrol(w, "id:bob", "bob");
	assert_int_equal(store_factor_put(w->f->store, &f), 0);
	assert_int_equal(use_key(w, "id:bob", "publickey " KEY "\n").outcome,
			 MFA_REFUSED);
	assert_int_equal(mfa_disable(w->mfa, ALICE), 0);
	assert_int_equal(use_key(w, ALICE, "publickey " KEY "\n").outcome, MFA_REFUSED);
}

/* The key that opens ends the run of wrong codes, and tells of them. */
static void test_key_tells(void **state)
{
	struct world *w = *state;
	struct secret fp = {.len = FACTOR_KEY_LEN};
	struct factor_spec spec = {
		"yubi", STORE_FACTOR_KEY, STORE_SHA256, 0, 0, -1, &fp, false};

	assert_true(key_fingerprint(KEY, fp.bytes));
	assert_int_equal(add(w, &spec), 0);
	for (int i = 0; i < 3; i++)
		(void)login_as(w, wrong(&w->seed, NOW), NOW);
	assert_int_equal(use_key(w, ALICE, "publickey " KEY "\n").told, 3);
	assert_int_equal(use_key(w, ALICE, "publickey " KEY "\n").told, 0);
}

/* What a database that was set back does not know: a code of a phone that is fast, used
 * since. The next one behind all that the phone has shown opens. */
static void test_burnt(void **state)
{
	struct world *w = *state;
	struct store_factor f;

	assert_int_equal(factor_find(w->mfa, ALICE, "totp", &f), 0);
	f.drift = OTP_RESYNC_STEPS;
	assert_int_equal(store_factor_put(w->f->store, &f), 0);
	assert_int_equal(store_burn(w->f->store, NOW), 0);
	for (int64_t step = -OTP_WINDOW; step <= OTP_WINDOW; step++) {
		int64_t shown_s = NOW + 30 * (OTP_RESYNC_STEPS + step);

		assert_refused(login_as(w, phone(&w->seed, shown_s), NOW),
			       "otp_replay");
	}
	assert_int_equal(login_as(w,
				  phone(&w->seed, NOW + 30 * (OTP_RESYNC_STEPS + 13)),
				  NOW + 30 * 13)
				 .outcome,
			 MFA_ACCEPTED);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_burnt),
		CASE(test_limits),
		CASE(test_never_replaces),
		CASE(test_sealed_meaning),
		CASE(test_hotp),
		CASE(test_resync_hotp),
		CASE(test_resync_totp),
		CASE(test_drift),
		CASE(test_two_factors),
		cmocka_unit_test(test_worth),
		CASE(test_remove),
		CASE(test_unlock),
		CASE(test_scratch),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_fingerprint_of_anything),
		CASE(test_key),
		CASE(test_key_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
