/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.c - bind, disable and forget second factors. */

#include "rbacd/mfa/mfa_internal.h"

#include <errno.h>

#include "rbacd/mfa/factor.h"
#include "rbacd/mfa/otp.h"
#include "rbacd/mfa/recovery.h"

void mfa_enrolment_done(struct mfa_enrolment *e)
{
	explicit_bzero(e, sizeof(*e));
}

/* ---------------------------------------------------------------- otpauth URI */

struct text {
	char *buf; /* borrowed */
	size_t cap, len;
};

static void text_put(struct text *t, const char *s, size_t n)
{
	if (t->len + n < t->cap)
		memcpy(t->buf + t->len, s, n);
	t->len += n; /* over the end: text_ok() tells */
}

static bool text_ok(struct text *t)
{
	if (t->len >= t->cap)
		return false;
	t->buf[t->len] = '\0';
	return true;
}

static void text_puts(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

/* RFC 3986 unreserved characters as they are, the rest in percent. */
static void text_percent(struct text *t, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._~";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char esc[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (strchr(plain, *s))
			text_put(t, s, 1);
		else
			text_put(t, esc, sizeof(esc));
	}
}

/* RFC 4648 base32 without padding. */
static void text_base32(struct text *t, const uint8_t *p, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (n += 8; n >= 5; n -= 5)
			text_put(t, &alphabet[bits >> (n - 5) & 31], 1);
	}
	if (n > 0)
		text_put(t, &alphabet[bits << (5 - n) & 31], 1);
}

static int make_uri(const struct store_factor *f, const char *login, const char *issuer,
		    const struct secret *seed, char *buf, size_t cap)
{
	struct text t = {.buf = buf, .cap = cap};
	char tail[96];
	bool counter = f->kind == STORE_FACTOR_HOTP;

	text_puts(&t, counter ? "otpauth://hotp/" : "otpauth://totp/");
	text_percent(&t, issuer);
	text_puts(&t, ":");
	text_percent(&t, login);
	text_puts(&t, "?secret=");
	text_base32(&t, seed->bytes, seed->len);
	text_puts(&t, "&issuer=");
	text_percent(&t, issuer);
	/* What phones take for granted is left out, which keeps the QR code small. */
	(void)snprintf(tail, sizeof(tail), "%s%s%s%s%s",
		       f->hash == STORE_SHA256 ? "&algorithm=SHA256" : "",
		       f->hash == STORE_SHA512 ? "&algorithm=SHA512" : "",
		       f->digits == 8 ? "&digits=8" : "",
		       f->period_s == 60 ? "&period=60" : "",
		       counter ? "&counter=0" : "");
	text_puts(&t, tail);
	return text_ok(&t) ? 0 : -EMSGSIZE;
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

static int new_recovery_codes(struct mfa *m, const char *person, int64_t now_s,
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
		rc = make_uri(&f, login, opt->issuer, &seed, e->uri, sizeof(e->uri));
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
		rc = new_recovery_codes(m, person, now_s, &e);
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

int mfa_disable(struct mfa *m, const char *person, int64_t now_s)
{
	struct store_person p;
	int rc = store_begin(m->store);

	(void)now_s; /* the record of the change carries the time */
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
