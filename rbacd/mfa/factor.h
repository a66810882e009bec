/* SPDX-License-Identifier: Apache-2.0 */
/*
 * factor.h - a person's named factors: added, listed, set right, removed. What people
 * type at a login is mfa.h's business.
 *
 * Every change happens in the turn's transaction; the caller writes its record.
 */
#pragma once

#include "rbacd/mfa/mfa.h"

#define FACTOR_SEED_MIN 10 /* bytes of an imported seed: 80 bits; ours have 160 */
#define FACTOR_SEED_MAX 128
#define FACTOR_KEY_LEN	32 /* SHA-256 of a public key */

struct factor_spec {
	const char *name; /* factor_name_ok(); NULL: the first free of totp, totp-2 … */
	enum store_factor_kind kind;
	enum store_hash hash; /* KEY: STORE_SHA256 */
	uint8_t digits;	      /* 6 or 8; KEY: 0 */
	uint16_t period_s;    /* TOTP: 30 or 60; 0 otherwise */
	int64_t last_step;    /* used up to here: TOTP step, HOTP counter; -1: none */
	const struct secret
		*secret; /* seed, or a key's fingerprint; NULL: a new seed */
	bool pending;	 /* a right code is wanted before it counts */
};

/*
 * factor_add() - the one way a factor comes to be; the person's row is made if needed.
 * Never replaces anything. @ret: as stored, sealed; may be NULL.
 * Return: 0; -EINVAL: a spec outside the limits above; MFA_E_EXISTS: the name is taken;
 * MFA_E_SAME: this secret is one of the person's factors already (it would make one
 * code good for two logins); MFA_E_LIMIT: STORE_FACTORS_MAX.
 */
_must_check_ int factor_add(struct mfa *mfa, const char *person, const char *login,
			    const struct factor_spec *spec, int64_t now_s,
			    struct store_factor *ret);

/* factor_possible() - what factor_add() would say of @secret; nothing is changed.
 * Return: 0; MFA_E_SAME; MFA_E_LIMIT. */
_must_check_ int factor_possible(struct mfa *mfa, const char *person,
				 const struct secret *secret);

/* factor_name_ok() - 1 to 32 of A-Z a-z 0-9 . _ - beginning with a letter or digit. */
bool factor_name_ok(const char *name);
/* factor_kind_name(), factor_status_name() - "totp" …, "active" …; static. */
const char *factor_kind_name(enum store_factor_kind kind);
const char *factor_status_name(enum store_factor_status status);
/* factor_hash_name() - "sha1" …; static. */
const char *factor_hash_name(enum store_hash hash);

/* factor_find() - by name. Return: 0; MFA_E_NOT_ENROLLED: none of that name. */
_must_check_ int factor_find(struct mfa *mfa, const char *person, const char *name,
			     struct store_factor *ret);
/*
 * factor_remove() - this factor alone, and what was proven with any of them.
 * Return: 0 and the number of active ones left; MFA_E_NOT_ENROLLED.
 */
_must_check_ int factor_remove(struct mfa *mfa, const char *person, const char *name,
			       size_t *ret_left);
/*
 * factor_resync() - set the drift or the counter by two consecutive unused codes.
 * @first, @second: of @name; both are used up.
 * Return: 0 and @ret_delta, how far it was off; MFA_E_NOT_ENROLLED; MFA_E_WRONG.
 */
_must_check_ int factor_resync(struct mfa *mfa, const char *person, const char *name,
			       const struct secret *first, const struct secret *second,
			       int64_t now_s, int64_t *ret_delta);
/*
 * factor_unlock() - end the delay, the run of wrong codes and what strangers spent. The
 * person's year goes on, and who is disabled must be bound again. @ahead_s: as in an
 * attempt. Return: 0; MFA_E_NOT_ENROLLED; MFA_E_DISABLED; MFA_E_YEAR: the year's
 * guesses are spent, only a reset helps.
 */
_must_check_ int factor_unlock(struct mfa *mfa, const char *person, int64_t now_s,
			       int64_t ahead_s);
