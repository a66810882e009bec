/* SPDX-License-Identifier: Apache-2.0 */
/* test_draft.c - a first factor comes into being whole, or not at all. */
#include "tests/unit/store/fixture.h"

#include <liboath/oath.h>

#include "rbacd/mfa/draft.h"
#include "rbacd/mfa/factor.h"

#define NOW INT64_C(1790000010)
#define ME  "id:ada"

struct world {
	struct fixture *f;
	struct mfa *mfa;
	struct mfa_draft draft;
	struct mfa_enrolment e;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->f = fixture_new();
	assert_int_equal(mfa_new(w->f->store, w->f->seal, &w->mfa), 0);
	assert_int_equal(mfa_draft_make("ada", "vm sec", &w->draft), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	mfa_free(w->mfa);
	fixture_free(w->f);
	free(w);
	return 0;
}

static struct secret phone(const struct mfa_draft *d, int64_t now_s)
{
	struct secret s = {.len = 6};
	char text[9];

	assert_int_equal(oath_totp_generate((const char *)d->seed.bytes, d->seed.len,
					    (time_t)now_s, 30, 0, 6, text),
			 OATH_OK);
	memcpy(s.bytes, text, 6);
	return s;
}

static int activate(struct world *w, const struct secret *code)
{
	return mfa_draft_activate(w->mfa, &w->draft, ME, "ada", code, NOW, &w->e);
}

static size_t count(struct world *w, struct store_factor f[STORE_FACTORS_MAX])
{
	size_t n = 99;

	assert_int_equal(store_factor_list(w->f->store, ME, f, &n), 0);
	return n;
}

static struct mfa_result verify(struct world *w, const struct secret *code)
{
	struct mfa_attempt a = {.person = ME,
				.login = "ada",
				.origin = "local",
				.proven = true,
				.accept = POLICY_METHOD_TOTP,
				.kind = WIRE_ANSWER_CODE,
				.text = code,
				.now_s = NOW};
	struct mfa_result r;

	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	return r;
}

static void test_shape(void **state)
{
	struct world *w = *state;
	struct mfa_draft other;

	assert_int_equal(w->draft.seed.len, 20);
	assert_int_equal(mfa_draft_make("ada", "vm sec", &other), 0);
	assert_memory_not_equal(other.seed.bytes, w->draft.seed.bytes, 20);
	assert_memory_equal(w->draft.uri, "otpauth://totp/vm%20sec:ada?secret=", 35);
	assert_string_equal(w->draft.uri + 35 + 32, "&issuer=vm%20sec");
	mfa_draft_done(&other);
	assert_int_equal(other.seed.bytes[0] | other.uri[0], 0);
}

static void test_wrong_code_stores_nothing(void **state)
{
	struct world *w = *state;
	struct secret late = phone(&w->draft, NOW - 120);
	struct secret eight = {.len = 8, .bytes = "00000000"};
	struct store_factor f[STORE_FACTORS_MAX];
	struct store_person p;

	assert_int_equal(activate(w, &late), MFA_E_WRONG);
	assert_int_equal(activate(w, &eight), MFA_E_WRONG);
	assert_false(store_dirty(w->f->store));
	assert_int_equal(store_person_get(w->f->store, ME, &p), STORE_E_NONE);
	assert_int_equal(count(w, f), 0);
	assert_string_equal(w->e.name, "");
}

/* Each step of the window is right, and used up with everything before it. */
static void test_right_code(void **state)
{
	struct world *w = *state;

	for (int step = -1; step <= 1; step++) {
		struct secret code = phone(&w->draft, NOW + 30 * step);
		struct store_factor f[STORE_FACTORS_MAX];
		struct mfa_result r;
		uint32_t left;

		assert_int_equal(mfa_reset(w->mfa, ME), 0);
		assert_int_equal(mfa_draft_possible(w->mfa, ME), 0);
		assert_int_equal(activate(w, &code), 0);
		assert_int_equal(mfa_draft_possible(w->mfa, ME), MFA_E_EXISTS);
		assert_int_equal(count(w, f), 1);
		assert_int_equal(f[0].status, STORE_FACTOR_ACTIVE);
		assert_int_equal(f[0].last_step, NOW / 30 + step);
		assert_int_equal(f[0].drift, step);
		assert_string_equal(f[0].name, w->e.name);
		assert_int_equal(store_code_left(w->f->store, ME, &left), 0);
		assert_int_equal(left, MFA_RECOVERY_CODES);
		assert_string_equal(w->e.uri, w->draft.uri);
		r = verify(w, &code);
		assert_int_equal(r.outcome, MFA_REFUSED);
		assert_string_equal(r.reason, "otp_replay");
	}
}

/* All of it is in the turn: what is given up leaves nothing. */
static void test_rolled_back(void **state)
{
	struct world *w = *state;
	struct secret code = phone(&w->draft, NOW);
	struct store_factor f[STORE_FACTORS_MAX];
	struct store_person p;
	uint32_t left;

	assert_int_equal(activate(w, &code), 0);
	store_rollback(w->f->store);
	assert_int_equal(count(w, f), 0);
	assert_int_equal(store_person_get(w->f->store, ME, &p), STORE_E_NONE);
	assert_int_equal(store_code_left(w->f->store, ME, &left), 0);
	assert_int_equal(left, 0);
}

/* What an administrator began is replaced; what is active never is. */
static void test_beside_others(void **state)
{
	static const struct mfa_enrol_options opt = {.issuer = "vmsec",
						     .kind = STORE_FACTOR_TOTP,
						     .hash = STORE_SHA1,
						     .digits = 6,
						     .period_s = 30};
	struct world *w = *state;
	struct secret code = phone(&w->draft, NOW);
	struct store_factor f[STORE_FACTORS_MAX];
	struct mfa_enrolment e;

	assert_int_equal(mfa_enrol_begin(w->mfa, ME, "ada", &opt, NOW, &e), 0);
	assert_int_equal(mfa_draft_possible(w->mfa, ME), 0);
	assert_int_equal(activate(w, &code), 0);
	assert_int_equal(count(w, f), 1);
	assert_int_equal(mfa_enrol_confirm(w->mfa, ME, &code, NOW), MFA_E_NOT_ENROLLED);
	assert_int_equal(activate(w, &code), MFA_E_EXISTS);
	assert_int_equal(count(w, f), 1);
	assert_int_equal(mfa_disable(w->mfa, ME), 0);
	assert_int_equal(mfa_draft_possible(w->mfa, ME), MFA_E_DISABLED);
	assert_int_equal(activate(w, &code), MFA_E_DISABLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_code_stores_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_right_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rolled_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beside_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
