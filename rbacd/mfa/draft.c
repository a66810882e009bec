/* SPDX-License-Identifier: Apache-2.0 */
/* draft.c - a first factor between being shown and being proven. */

#include "rbacd/mfa/draft.h"

#include <errno.h>

#include "rbacd/mfa/factor.h"
#include "rbacd/mfa/mfa_internal.h"
#include "rbacd/mfa/otp.h"

/* The draft as a row that is not stored. */
static const struct store_factor shape = {.kind = STORE_FACTOR_TOTP,
					  .status = STORE_FACTOR_PENDING,
					  .hash = STORE_SHA1,
					  .digits = 6,
					  .period_s = 30,
					  .last_step = -1};

void mfa_draft_done(struct mfa_draft *d)
{
	explicit_bzero(d, sizeof(*d));
}

int mfa_draft_make(const char *login, const char *issuer, struct mfa_draft *ret)
{
	_cleanup_(mfa_draft_done) struct mfa_draft d = {
		.seed.len = otp_seed_len(shape.hash)};
	int rc = seal_random(d.seed.bytes, d.seed.len);

	if (rc == 0)
		rc = otpauth_uri(&shape, login, issuer, &d.seed, d.uri);
	if (rc == 0)
		*ret = d;
	return rc;
}

int mfa_draft_possible(struct mfa *m, const char *person)
{
	struct store_factor f[STORE_FACTORS_MAX];
	struct store_person p;
	size_t n = 0;
	int rc = store_person_get(m->store, person, &p);

	if (rc == STORE_E_NONE)
		return 0;
	if (rc == 0 && p.disabled)
		return MFA_E_DISABLED;
	if (rc == 0)
		rc = store_factor_list(m->store, person, f, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (f[i].status != STORE_FACTOR_PENDING)
			rc = MFA_E_EXISTS;
	return rc;
}

static int drop_pending(struct mfa *m, const char *person)
{
	struct store_factor f[STORE_FACTORS_MAX];
	size_t n = 0;
	int rc = store_factor_list(m->store, person, f, &n);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = store_factor_delete(m->store, f[i].id);
	return rc;
}

static int add(struct mfa *m, const struct mfa_draft *d, const char *person,
	       const char *login, const struct otp_match *match, int64_t now_s,
	       struct mfa_enrolment *e)
{
	const struct factor_spec spec = {.kind = shape.kind,
					 .hash = shape.hash,
					 .digits = shape.digits,
					 .period_s = shape.period_s,
					 .last_step = match->step,
					 .secret = &d->seed};
	struct store_factor f;
	int rc = factor_add(m, person, login, &spec, now_s, &f);

	if (rc != 0)
		return rc;
	(void)snprintf(e->name, sizeof(e->name), "%s", f.name);
	f.drift = (int16_t)match->delta;
	return f.drift == 0 ? 0 : store_factor_put(m->store, &f);
}

int mfa_draft_activate(struct mfa *m, const struct mfa_draft *d, const char *person,
		       const char *login, const struct secret *code, int64_t now_s,
		       struct mfa_enrolment *ret)
{
	_cleanup_(mfa_enrolment_done) struct mfa_enrolment e = MFA_ENROLMENT_INIT;
	struct otp_match match = {.found = false};
	int rc = otp_check(&shape, &d->seed, code, now_s, &match);

	if (rc == 0 && !match.found)
		return MFA_E_WRONG;
	if (rc == 0)
		rc = store_begin(m->store);
	if (rc == 0)
		rc = mfa_draft_possible(m, person);
	if (rc != 0)
		return rc;
	rc = drop_pending(m, person);
	if (rc == 0)
		rc = add(m, d, person, login, &match, now_s, &e);
	if (rc == 0)
		rc = mfa_new_recovery_codes(m, person, now_s, &e);
	if (rc == 0) {
		memcpy(e.uri, d->uri, sizeof(e.uri));
		e.has_recovery = true;
		*ret = e;
	}
	return rc == MFA_E_SAME || rc == MFA_E_LIMIT ? -EEXIST : rc;
}
