/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mfa.c - pipeline stage "mfa": check one answer, count it, consume what it used.
 *
 * Gather -> compare -> judge -> count. Everybody takes the same four steps: nobody of
 * that name, somebody without a factor and a wrong code differ in the verdict alone. A
 * verdict of ACCEPTED needs a stored factor or code of a known person; the dummy has
 * neither.
 */

#include "rbacd/mfa/mfa_internal.h"

#include <errno.h>

#include "rbacd/mfa/budget.h"
#include "rbacd/mfa/lockout.h"
#include "rbacd/mfa/recovery.h"
#include "rbacd/mfa/otp.h"

#define NOBODY "nobody" /* keys the look-ups of an unknown person; has no rows */

int mfa_new(struct store *store, const struct seal *seal, struct mfa **ret)
{
	struct mfa *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->store = store;
	m->seal = seal;
	m->dummy.len = otp_seed_len(STORE_SHA1);
	rc = seal_random(m->dummy.bytes, m->dummy.len);
	if (rc != 0) {
		mfa_free(m);
		return rc;
	}
	*ret = m;
	return 0;
}

void mfa_free(struct mfa *m)
{
	if (!m)
		return;
	secret_done(&m->dummy);
	free(m);
}

/* Everything an answer is judged by. */
struct scene {
	struct store_person person; /* zeroes for nobody */
	bool known;
	bool forged; /* a factor's row does not open: tampered with, or another key */
	struct store_factor factors[STORE_FACTORS_MAX];
	size_t n_factors, n_active;
	unsigned codes; /* how many are right at this moment, over all factors */
	uint32_t year_fails;
	struct budget budget; /* of strangers */
	struct otp_match match;
	int64_t matched_id; /* factor that the code fits; 0: none */
	size_t matched;
};

/* ---------------------------------------------------------------- gather */

static int gather(struct mfa *m, const struct mfa_attempt *a, struct scene *s)
{
	const char *id = a->person ? a->person : NOBODY;
	int64_t since = mfa_aged_s(a) / 86400 - LOCKOUT_YEAR_DAYS; /* no less */
	int rc = store_person_get(m->store, id, &s->person);

	s->known = rc == 0 && a->person;
	if (rc == 0 || rc == STORE_E_NONE)
		rc = store_factor_list(m->store, id, s->factors, &s->n_factors);
	if (rc == 0)
		rc = store_fail_sum(m->store, id, since, &s->year_fails);
	for (size_t i = 0; rc == 0 && i < s->n_factors; i++)
		if (s->factors[i].status == STORE_FACTOR_ACTIVE) {
			s->n_active++;
			s->codes += otp_codes(&s->factors[i]);
		}
	/* The budgets of a source bind, and are spent by, those not proven and those of
	 * whom nothing is stored. */
	return rc == 0 && !(a->proven && s->known) ? budget_read(m, a, &s->budget) : rc;
}

/* ---------------------------------------------------------------- compare */

static const struct secret no_code = {.len = 6, .bytes = "------"};
static const struct store_factor nobody = {.kind = STORE_FACTOR_TOTP,
					   .status = STORE_FACTOR_PENDING,
					   .hash = STORE_SHA1,
					   .digits = 6,
					   .period_s = 30};

static int compare_one(struct mfa *m, const struct mfa_attempt *a, struct scene *s,
		       size_t i)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	const struct store_factor *f = &s->factors[i];
	struct otp_match match = {.found = false};
	int rc = otp_open(m->seal, f, &seed);

	/* A row that was tampered with opens nothing and costs its owner the login; it
	 * is not a reason to refuse anybody else. */
	if (rc == SEAL_E_FORGED) {
		s->forged = true;
		seed = m->dummy;
		f = &nobody;
	} else if (rc != 0) {
		return rc;
	}
	rc = otp_check(f, &seed, a->kind == WIRE_ANSWER_CODE ? a->text : &no_code,
		       a->now_s, &match);
	if (rc == 0 && match.found && f->status == STORE_FACTOR_ACTIVE &&
	    s->matched_id == 0 && !(a->clock_unsure && f->kind == STORE_FACTOR_TOTP)) {
		s->match = match;
		s->matched = i;
		s->matched_id = f->id;
	}
	return rc;
}

/* All factors are tried; somebody without any costs the same as somebody with one. */
static int compare(struct mfa *m, const struct mfa_attempt *a, struct scene *s)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	struct store_factor made = nobody;
	struct otp_match ignored;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_factors; i++)
		rc = compare_one(m, a, s, i);
	if (s->forged)
		s->matched_id = 0;
	if (rc != 0 || s->n_factors > 0)
		return rc;
	rc = otp_seal(m->seal, &made, &m->dummy); /* as long as opening a real one */
	seed = m->dummy;
	return rc == 0 ? otp_check(&made, &seed,
				   a->kind == WIRE_ANSWER_CODE ? a->text : &no_code,
				   a->now_s, &ignored)
		       : rc;
}

/* ---------------------------------------------------------------- judge */

/* Why no code of this person is looked at right now; NULL: it is. */
static const char *closed(const struct mfa_attempt *a, const struct scene *s)
{
	if (s->known && s->person.disabled)
		return "factor_disabled";
	if (s->known && (lockout_waits(s->person.next_try_s, a->now_s) ||
			 s->year_fails >= lockout_year_cap(s->codes)))
		return "factor_locked";
	if (!a->proven && budget_spent(&s->budget, a, s->codes))
		return "rate_limited";
	return NULL;
}

static void accept_method(struct mfa_result *r, enum policy_method method,
			  const char *cred)
{
	r->outcome = MFA_ACCEPTED;
	r->reason = NULL;
	r->method = method;
	(void)snprintf(r->cred, sizeof(r->cred), "%s", cred);
}

/* Of one success; what an administrator set by a resync may only shrink. */
static int16_t learnt_drift(const struct store_factor *f, int64_t delta)
{
	int64_t drift = f->drift + delta;

	if (f->kind != STORE_FACTOR_TOTP)
		return 0;
	if (llabs(drift) > OTP_DRIFT_MAX && llabs(drift) > abs(f->drift))
		return f->drift;
	return (int16_t)drift;
}

static int judge_otp(struct mfa *m, const struct mfa_attempt *a, struct scene *s,
		     struct mfa_result *r)
{
	const struct store_factor *f = &s->factors[s->matched];
	int rc;

	if (s->matched_id == 0)
		return 0;
	if (!(a->accept & POLICY_METHOD_TOTP)) {
		r->reason = "mfa_required";
		return 0;
	}
	r->t_delta = s->match.delta;
	rc = store_factor_accept(m->store, s->matched_id, s->match.step,
				 learnt_drift(f, s->match.delta), a->now_s);
	if (rc == STORE_E_STALE) {
		r->reason = "otp_replay";
		r->alert = true;
		return 0;
	}
	if (rc == 0)
		accept_method(r, POLICY_METHOD_TOTP, f->name);
	return rc;
}

static int judge_recovery(struct mfa *m, const struct mfa_attempt *a,
			  const struct scene *s, bool open, struct mfa_result *r)
{
	const char *id = a->person && open ? a->person : NOBODY;
	enum store_code_kind kind;
	uint32_t left;
	uint8_t mac[32];
	int rc = recovery_mac(m->seal, id, (const char *)a->text->bytes, a->text->len,
			      mac);

	if (rc == 0)
		rc = store_code_use(m->store, id, mac, a->now_s, &kind, &left);
	if (rc == STORE_E_NONE)
		return 0;
	if (rc != 0)
		return rc;
	/* Of an enrolment that was never confirmed only a bypass code opens. */
	if (!s->known || !open || (s->n_active == 0 && kind != STORE_CODE_BYPASS))
		return 0;
	accept_method(r, POLICY_METHOD_RECOVERY,
		      kind == STORE_CODE_BYPASS ? "bypass" : "recovery");
	r->alert = true;
	return store_code_left(m->store, id, &r->recovery_left);
}

/*
 * The time is not certain, and the code looks like one that depends on it: it may be
 * right, so it is no guess. Beside a counter-based factor it could be a guess at that.
 */
static bool needs_time(const struct mfa_attempt *a, const struct scene *s)
{
	bool fits = false;

	if (!a->clock_unsure || a->kind != WIRE_ANSWER_CODE || s->matched_id != 0)
		return false;
	for (size_t i = 0; i < s->n_factors; i++) {
		const struct store_factor *f = &s->factors[i];

		if (f->status != STORE_FACTOR_ACTIVE)
			continue;
		if (f->kind == STORE_FACTOR_HOTP)
			return false;
		fits |= f->kind == STORE_FACTOR_TOTP && f->digits == a->text->len;
	}
	return fits;
}

/* Ours have a form of their own; those of other programs are eight digits. */
static bool is_recovery(const struct mfa_attempt *a)
{
	return a->kind == WIRE_ANSWER_RECOVERY ||
	       (a->kind == WIRE_ANSWER_CODE && a->text->len == RECOVERY_DIGITS &&
		(a->accept & POLICY_METHOD_RECOVERY));
}

/* The verdict; starts at a wrong code, and a closed gate never consumes anything. */
static int judge(struct mfa *m, const struct mfa_attempt *a, struct scene *s,
		 struct mfa_result *r)
{
	const char *shut = closed(a, s);
	int rc = 0;

	r->reason = "bad_otp";
	if (a->kind == WIRE_ANSWER_BLIND)
		r->reason = "blind_conversation";
	else if (shut)
		r->reason = shut;
	else if (!a->person)
		r->reason = "unknown_user";
	else if (s->forged)
		r->reason = "internal";
	else if (s->codes == 0)
		r->reason = "not_enrolled";
	else if (needs_time(a, s)) {
		r->reason = "clock_unsynced";
		return 0;
	}
	r->alert = s->forged;
	if (a->kind == WIRE_ANSWER_RECOVERY && !(a->accept & POLICY_METHOD_RECOVERY)) {
		r->reason = shut ? shut : "mfa_required";
		return 0;
	}
	if (a->kind == WIRE_ANSWER_CODE && !shut && a->person)
		rc = judge_otp(m, a, s, r);
	if (rc == 0 && s->matched_id == 0 && is_recovery(a))
		rc = judge_recovery(m, a, s, !shut, r);
	return rc;
}

/* ---------------------------------------------------------------- count */

/* Only a code that was looked at and was wrong is a guess. */
static bool is_guess(const struct mfa_result *r)
{
	return r->outcome != MFA_ACCEPTED && str_eq(r->reason, "bad_otp");
}

static int count_person(struct mfa *m, const struct mfa_attempt *a, struct scene *s,
			struct mfa_result *r)
{
	bool accepted = r->outcome == MFA_ACCEPTED;
	int rc = 0;

	r->told = s->person.fails_told;
	if (accepted)
		lockout_success(&s->person, a->now_s);
	else if (is_guess(r) && a->kind != WIRE_ANSWER_EMPTY) {
		int64_t day = mfa_aged_s(a) / 86400;

		lockout_fail(&s->person, a->now_s);
		r->disabled = s->person.disabled;
		r->alert = r->alert || r->disabled;
		s->year_fails++;
		rc = store_fail_add(m->store, s->person.id, day);
		if (rc == 0)
			rc = store_fail_prune(m->store, s->person.id,
					      day - LOCKOUT_YEAR_DAYS - 1);
	}
	r->fails = s->person.fails;
	r->locked = !accepted && closed(a, s) != NULL;
	return rc == 0 ? store_person_put(m->store, &s->person) : rc;
}

/* Every kind of refusal but a conversation that failed costs the source a try, so that
 * known and unknown names write the same rows. */
static int count_source(struct mfa *m, const struct mfa_attempt *a, struct scene *s,
			struct mfa_result *r)
{
	bool failed = r->outcome != MFA_ACCEPTED && !str_eq(r->reason, "otp_replay");
	int rc = budget_put(m, a, &s->budget, failed, s->codes);

	if (rc != STORE_E_LIMIT)
		return rc;
	/* The table is full: nobody who cannot be counted is let in. What was consumed
	 * stays consumed. */
	*r = (struct mfa_result){.outcome = MFA_REFUSED,
				 .reason = "rate_limited",
				 .t_delta = INT64_MIN};
	return 0;
}

int mfa_verify(struct mfa *m, const struct mfa_attempt *a, struct mfa_result *ret)
{
	struct mfa_result r = {.outcome = MFA_REFUSED,
			       .reason = "internal",
			       .t_delta = INT64_MIN};
	struct scene s = {.matched_id = 0};
	int rc;

	if (a->kind == WIRE_ANSWER_FAILED) {
		r.reason = "mfa_required";
		*ret = r;
		return 0;
	}
	rc = store_begin(m->store);
	if (rc == 0)
		rc = gather(m, a, &s);
	if (rc == 0)
		rc = compare(m, a, &s);
	if (rc == 0)
		rc = judge(m, a, &s, &r);
	if (rc == 0 && a->uncounted && a->proven && r.outcome != MFA_ACCEPTED)
		r.alert = false; /* nothing depends on it, so nothing is written */
	else if (rc == 0 && a->proven && s.known)
		rc = count_person(m, a, &s, &r);
	else if (rc == 0)
		rc = count_source(m, a, &s, &r);
	explicit_bzero(&s, sizeof(s));
	if (rc == 0 && r.outcome == MFA_ACCEPTED)
		rc = budget_at_home(m, a);
	if (rc == 0)
		*ret = r;
	return rc;
}

int mfa_status(struct mfa *m, const char *person, int64_t now_s, int64_t ahead_s,
	       struct mfa_status *ret)
{
	struct mfa_attempt a = {.person = person,
				.login = "",
				.origin = "unknown",
				.proven = true,
				.now_s = now_s,
				.ahead_s = ahead_s};
	struct scene s = {.matched_id = 0};
	struct mfa_status out = {.enrolled = false};
	int rc = gather(m, &a, &s);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < s.n_factors; i++)
		out.pending =
			out.pending || s.factors[i].status == STORE_FACTOR_PENDING;
	out.enrolled = s.n_active > 0;
	out.codes = s.codes > 0;
	out.year_cap = lockout_year_cap(s.codes);
	out.disabled = s.known && s.person.disabled;
	out.locked = str_eq(closed(&a, &s), "factor_locked");
	out.next_try_s = s.person.next_try_s;
	out.fails = s.person.fails;
	out.year_fails = s.year_fails;
	out.last_ok_s = s.person.last_ok_s;
	rc = store_code_left(m->store, person, &out.recovery_left);
	if (rc == 0)
		*ret = out;
	return rc;
}
