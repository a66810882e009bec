/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.c - bind, disable and forget second factors. */

#include "rbacd/mfa/mfa_internal.h"

#include <errno.h>

#include "rbacd/mfa/factor.h"
#include "rbacd/mfa/otp.h"
#include "rbacd/mfa/otpauth.h"
#include "rbacd/mfa/recovery.h"

void mfa_enrolment_done(struct mfa_enrolment *e)
{
	explicit_bzero(e, sizeof(*e));
}

/* ---------------------------------------------------------------- enrol */

/* Pending ones are replaced. MFA_E_EXISTS: another factor is there, and @name does not
 * say that this one comes beside it. */
static int drop_pending(struct mfa *m, const char *person, const char *name,
			bool *ret_first)
{
	struct store_factor f[STORE_FACTORS_MAX];
	bool first = true;
	size_t n;
	int rc = store_factor_list(m->store, person, f, &n);

	for (size_t i = 0; rc == 0 && i < n; i++)
		first = first && f[i].status == STORE_FACTOR_PENDING;
	if (rc == 0 && !first && !name)
		return MFA_E_EXISTS;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (f[i].status == STORE_FACTOR_PENDING)
			rc = store_factor_delete(m->store, f[i].id);
	if (rc == 0)
		*ret_first = first;
	return rc;
}

int mfa_new_recovery_codes(struct mfa *m, const char *person, int64_t now_s,
			   struct mfa_enrolment *e)
{
	int rc = store_code_clear(m->store, person, STORE_CODE_RECOVERY);

	for (size_t i = 0; rc == 0 && i < MFA_RECOVERY_CODES; i++) {
		rc = recovery_make(e->recovery[i]);
		if (rc == 0)
			rc = recovery_store(m->store, m->seal, person,
					    STORE_CODE_RECOVERY, e->recovery[i], 1, 0,
					    now_s);
	}
	return rc;
}

static int new_factor(struct mfa *m, const char *person, const char *login,
		      const struct mfa_enrol_options *opt, int64_t now_s,
		      struct mfa_enrolment *e)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	const struct factor_spec spec = {.name = opt->name,
					 .kind = opt->kind,
					 .hash = opt->hash,
					 .digits = opt->digits,
					 .period_s = opt->period_s,
					 .last_step = -1,
					 .pending = true};
	struct store_factor f;
	int rc = factor_add(m, person, login, &spec, now_s, &f);

	if (rc == 0)
		rc = otp_open(m->seal, &f, &seed);
	if (rc == 0)
		rc = otpauth_uri(&f, login, opt->issuer, &seed, e->uri);
	if (rc == 0)
		(void)snprintf(e->name, sizeof(e->name), "%s", f.name);
	return rc;
}

int mfa_enrol_begin(struct mfa *m, const char *person, const char *login,
		    const struct mfa_enrol_options *opt, int64_t now_s,
		    struct mfa_enrolment *ret)
{
	_cleanup_(mfa_enrolment_done) struct mfa_enrolment e = MFA_ENROLMENT_INIT;
	int rc = opt->kind == STORE_FACTOR_KEY ? -EINVAL : store_begin(m->store);

	if (rc == 0)
		rc = drop_pending(m, person, opt->name, &e.has_recovery);
	if (rc == 0)
		rc = new_factor(m, person, login, opt, now_s, &e);
	if (rc == 0 && e.has_recovery)
		rc = mfa_new_recovery_codes(m, person, now_s, &e);
	if (rc == 0)
		*ret = e;
	return rc;
}

/* The pending factor, or MFA_E_NOT_ENROLLED. */
static int find_pending(struct mfa *m, const char *person, struct store_factor *ret)
{
	struct store_factor f[STORE_FACTORS_MAX];
	size_t n;
	int rc = store_factor_list(m->store, person, f, &n);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (f[i].status == STORE_FACTOR_PENDING) {
			*ret = f[i];
			return 0;
		}
	return rc == 0 ? MFA_E_NOT_ENROLLED : rc;
}

int mfa_enrol_confirm(struct mfa *m, const char *person, const struct secret *code,
		      int64_t now_s)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	struct otp_match match;
	struct store_factor f;
	int rc = store_begin(m->store);

	if (rc == 0)
		rc = find_pending(m, person, &f);
	if (rc == 0)
		rc = otp_open(m->seal, &f, &seed);
	if (rc == SEAL_E_FORGED)
		return -EBADMSG;
	if (rc == 0)
		rc = otp_check(&f, &seed, code, now_s, &match);
	if (rc != 0)
		return rc;
	if (!match.found)
		return MFA_E_WRONG;
	f.status = STORE_FACTOR_ACTIVE;
	f.last_step = match.step; /* the code is used up */
	if (f.kind == STORE_FACTOR_TOTP)
		f.drift = (int16_t)match.delta;
	return store_factor_put(m->store, &f);
}

int mfa_disable(struct mfa *m, const char *person)
{
	struct store_person p;
	int rc = store_begin(m->store);

	if (rc == 0)
		rc = store_person_get(m->store, person, &p);
	if (rc == STORE_E_NONE)
		return MFA_E_NOT_ENROLLED;
	if (rc != 0)
		return rc;
	p.disabled = true;
	rc = store_proof_clear(m->store, person);
	return rc == 0 ? store_person_put(m->store, &p) : rc;
}

int mfa_reset(struct mfa *m, const char *person)
{
	int rc = store_begin(m->store);

	return rc == 0 ? store_person_delete(m->store, person) : rc;
}

int mfa_bypass(struct mfa *m, const char *person, const char *login, uint32_t uses,
	       int64_t expires_s, int64_t now_s, char ret_code[MFA_CODE_TEXT])
{
	char code[MFA_CODE_TEXT];
	int rc = store_begin(m->store);

	if (uses == 0 || expires_s <= now_s)
		return -EINVAL;
	if (rc == 0)
		rc = mfa_person_row(m, person, login, now_s);
	if (rc == 0)
		rc = recovery_make(code);
	if (rc == 0)
		rc = recovery_store(m->store, m->seal, person, STORE_CODE_BYPASS, code,
				    uses, expires_s, now_s);
	if (rc == 0)
		memcpy(ret_code, code, sizeof(code));
	explicit_bzero(code, sizeof(code));
	return rc;
}
