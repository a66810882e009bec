/* SPDX-License-Identifier: Apache-2.0 */
/* factor.c - a person's named factors, beside the login. */

#include "rbacd/mfa/factor.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "rbacd/mfa/budget.h"
#include "rbacd/mfa/mfa_internal.h"
#include "rbacd/mfa/otp.h"

/* ---------------------------------------------------------------- names */

bool factor_name_ok(const char *name)
{
	static const char alnum[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789";
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof(((struct store_factor *)0)->name) ||
	    !strchr(alnum, name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!strchr(alnum, name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

const char *factor_kind_name(enum store_factor_kind kind)
{
	switch (kind) {
	case STORE_FACTOR_TOTP:
		return "totp";
	case STORE_FACTOR_HOTP:
		return "hotp";
	case STORE_FACTOR_KEY:
		return "security-key";
	}
	return "?";
}

const char *factor_status_name(enum store_factor_status status)
{
	switch (status) {
	case STORE_FACTOR_PENDING:
		return "pending";
	case STORE_FACTOR_ACTIVE:
		return "active";
	case STORE_FACTOR_DISABLED:
		return "disabled";
	}
	return "?";
}

const char *factor_hash_name(enum store_hash hash)
{
	switch (hash) {
	case STORE_SHA1:
		return "sha1";
	case STORE_SHA256:
		return "sha256";
	case STORE_SHA512:
		return "sha512";
	}
	return "?";
}

/* ---------------------------------------------------------------- the person */

int mfa_person_row(struct mfa *m, const char *person, const char *login, int64_t now_s)
{
	struct store_person p;
	int rc = store_person_get(m->store, person, &p);

	if (rc != STORE_E_NONE)
		return rc;
	p = (struct store_person){.created_s = now_s};
	if (snprintf(p.id, sizeof(p.id), "%s", person) >= (int)sizeof(p.id) ||
	    snprintf(p.login, sizeof(p.login), "%s", login) >= (int)sizeof(p.login))
		return -EINVAL;
	return store_person_put(m->store, &p);
}

/* The factors of one person, wiped with their holder. */
struct factors {
	struct store_factor f[STORE_FACTORS_MAX];
	size_t n;
};

static int factors_read(struct mfa *m, const char *person, struct factors *ret)
{
	int rc = store_begin(m->store);

	return rc == 0 ? store_factor_list(m->store, person, ret->f, &ret->n) : rc;
}

static const struct store_factor *by_name(const struct factors *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->f[i].name, name))
			return &all->f[i];
	return NULL;
}

int factor_find(struct mfa *m, const char *person, const char *name,
		struct store_factor *ret)
{
	const struct store_factor *f;
	struct factors all;
	int rc = factors_read(m, person, &all);

	if (rc != 0)
		return rc;
	f = by_name(&all, name);
	if (!f)
		return MFA_E_NOT_ENROLLED;
	*ret = *f;
	return 0;
}

/* ---------------------------------------------------------------- add */

static bool spec_ok(const struct factor_spec *s)
{
	size_t len = s->secret ? s->secret->len : otp_seed_len(s->hash);
	bool seed = len >= FACTOR_SEED_MIN && len <= FACTOR_SEED_MAX &&
		    (s->digits == 6 || s->digits == 8);

	if ((s->name && !factor_name_ok(s->name)) || otp_seed_len(s->hash) == 0 ||
	    s->last_step < -1)
		return false;
	switch (s->kind) {
	case STORE_FACTOR_TOTP:
		return seed && (s->period_s == 30 || s->period_s == 60);
	case STORE_FACTOR_HOTP:
		return seed && s->period_s == 0;
	case STORE_FACTOR_KEY:
		return s->secret && len == FACTOR_KEY_LEN && s->digits == 0 &&
		       s->period_s == 0 && s->hash == STORE_SHA256 && !s->pending;
	}
	return false;
}

/* The name wanted, or the first free of its kind. */
static int pick_name(const struct factor_spec *s, const struct factors *all,
		     char ret[33])
{
	if (s->name)
		(void)snprintf(ret, 33, "%s", s->name); /* factor_name_ok() */
	else
		(void)snprintf(ret, 33, "%s", factor_kind_name(s->kind));
	for (unsigned i = 2; !s->name && by_name(all, ret); i++)
		(void)snprintf(ret, 33, "%s-%u", factor_kind_name(s->kind), i);
	return by_name(all, ret) ? MFA_E_EXISTS : 0;
}

/* Two factors of one seed would accept one code twice. A row that does not open is
 * nobody's secret. */
static int check_same(struct mfa *m, const struct factors *all,
		      const struct secret *secret)
{
	for (size_t i = 0; i < all->n; i++) {
		_cleanup_secret_ struct secret other = SECRET_INIT;
		int rc = otp_open(m->seal, &all->f[i], &other);

		if (rc != 0 && rc != SEAL_E_FORGED)
			return rc;
		if (rc == 0 && other.len == secret->len &&
		    CRYPTO_memcmp(other.bytes, secret->bytes, secret->len) == 0)
			return MFA_E_SAME;
	}
	return 0;
}

int factor_possible(struct mfa *m, const char *person, const struct secret *secret)
{
	struct factors all;
	int rc = factors_read(m, person, &all);

	if (rc == 0 && all.n == STORE_FACTORS_MAX)
		rc = MFA_E_LIMIT;
	if (rc == 0)
		rc = check_same(m, &all, secret);
	explicit_bzero(&all, sizeof(all));
	return rc;
}

static int seal_new_factor(struct mfa *m, const struct factor_spec *s,
			   const struct factors *all, struct store_factor *f)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	int rc = 0;

	if (s->secret) {
		seed = *s->secret;
	} else {
		seed.len = otp_seed_len(s->hash);
		rc = seal_random(seed.bytes, seed.len);
	}
	if (rc == 0)
		rc = check_same(m, all, &seed);
	return rc == 0 ? otp_seal(m->seal, f, &seed) : rc;
}

int factor_add(struct mfa *m, const char *person, const char *login,
	       const struct factor_spec *s, int64_t now_s, struct store_factor *ret)
{
	struct store_factor f = {.kind = s->kind,
				 .status = s->pending ? STORE_FACTOR_PENDING
						      : STORE_FACTOR_ACTIVE,
				 .hash = s->hash,
				 .digits = s->digits,
				 .period_s = s->period_s,
				 .last_step = s->last_step,
				 .created_s = now_s};
	struct factors all = {.n = 0};
	int rc = factors_read(m, person, &all);

	if (!spec_ok(s) || strlen(person) > STORE_ID_MAX)
		return -EINVAL;
	(void)snprintf(f.person, sizeof(f.person), "%s", person);
	if (rc == 0 && all.n >= STORE_FACTORS_MAX)
		rc = MFA_E_LIMIT;
	if (rc == 0)
		rc = pick_name(s, &all, f.name);
	if (rc == 0)
		rc = seal_new_factor(m, s, &all, &f);
	if (rc == 0)
		rc = mfa_person_row(m, person, login, now_s);
	if (rc == 0)
		rc = store_factor_put(m->store, &f);
	if (rc == 0 && ret)
		*ret = f;
	return rc;
}

/* ---------------------------------------------------------------- set right */

int factor_remove(struct mfa *m, const char *person, const char *name, size_t *ret_left)
{
	struct factors all = {.n = 0};
	const struct store_factor *f;
	size_t left = 0;
	int rc = factors_read(m, person, &all);

	if (rc != 0)
		return rc;
	f = by_name(&all, name);
	if (!f)
		return MFA_E_NOT_ENROLLED;
	for (size_t i = 0; i < all.n; i++)
		left += &all.f[i] != f && all.f[i].status == STORE_FACTOR_ACTIVE;
	rc = store_factor_delete(m->store, f->id);
	if (rc == 0)
		rc = store_proof_clear(m->store, person);
	if (rc == 0)
		*ret_left = left;
	return rc;
}

int factor_resync(struct mfa *m, const char *person, const char *name,
		  const struct secret *first, const struct secret *second,
		  int64_t now_s, int64_t *ret_delta)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	struct otp_match match = {.found = false};
	struct store_factor f;
	int rc = factor_find(m, person, name, &f);

	if (rc == 0 && f.kind == STORE_FACTOR_KEY)
		return MFA_E_WRONG;
	if (rc == 0 && f.status == STORE_FACTOR_PENDING)
		return MFA_E_NOT_ENROLLED;
	if (rc == 0)
		rc = otp_open(m->seal, &f, &seed);
	if (rc == SEAL_E_FORGED)
		return -EBADMSG;
	if (rc == 0)
		rc = otp_resync(&f, &seed, first, second, now_s, &match);
	if (rc == 0 && !match.found)
		return MFA_E_WRONG;
	if (rc != 0)
		return rc;
	if (f.kind == STORE_FACTOR_TOTP)
		f.drift = (int16_t)(f.drift + match.delta);
	f.last_step = match.step;
	f.status = STORE_FACTOR_ACTIVE; /* after a restore a counter may be unknown */
	rc = store_factor_put(m->store, &f);
	if (rc == 0)
		*ret_delta = match.delta;
	return rc;
}

int factor_unlock(struct mfa *m, const char *person, int64_t now_s, int64_t ahead_s)
{
	struct mfa_status st = {0};
	struct store_person p;
	int rc = store_begin(m->store);

	if (rc == 0)
		rc = store_person_get(m->store, person, &p);
	if (rc == STORE_E_NONE)
		return MFA_E_NOT_ENROLLED;
	if (rc == 0 && p.disabled)
		return MFA_E_DISABLED;
	if (rc == 0) {
		p.fails = 0;
		p.next_try_s = 0;
		rc = store_person_put(m->store, &p);
	}
	if (rc == 0)
		rc = budget_forgive(m, person);
	if (rc == 0)
		rc = mfa_status(m, person, now_s, ahead_s, &st);
	return rc == 0 && st.locked ? MFA_E_YEAR : rc;
}
