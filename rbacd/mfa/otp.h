/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otp.h - the codes of one factor, RFC 6238 (time) and RFC 4226 (counter): every code
 * of the window is computed and compared, whatever the first ones say.
 */
#pragma once

#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"

#define OTP_WINDOW	 1    /* TOTP: steps to either side */
#define OTP_DRIFT_MAX	 10   /* TOTP: steps learnt from successes */
#define OTP_AHEAD	 5    /* HOTP: buttons pressed in vain */
#define OTP_RESYNC_STEPS 120  /* TOTP: to either side */
#define OTP_RESYNC_AHEAD 1000 /* HOTP */

struct otp_match {
	bool found;
	int64_t step;  /* absolute step, or counter, of the matching code */
	int64_t delta; /* from the one that was expected */
};

/*
 * otp_check() - compare @code with every step of the window: TOTP around @now_s plus
 * drift and around @now_s, HOTP from the last accepted counter (which is then a replay)
 * on. No code fits a security key.
 * @seed: the factor's seed, or a random one for nobody.
 * Return: 0 and *ret, found or not; -EINVAL for a factor with impossible parameters.
 */
_must_check_ int otp_check(const struct store_factor *f, const struct secret *seed,
			   const struct secret *code, int64_t now_s,
			   struct otp_match *ret);

/*
 * otp_resync() - find two consecutive codes, none of them used, in a window so wide
 * that a single one would prove little.
 * @ret: of the second code; delta from the expected one. Return: as otp_check().
 */
_must_check_ int otp_resync(const struct store_factor *f, const struct secret *seed,
			    const struct secret *first, const struct secret *second,
			    int64_t now_s, struct otp_match *ret);

/* otp_codes() - how many codes of @f are right at one moment: what a guess is worth. */
unsigned otp_codes(const struct store_factor *f);

/* otp_seed_len() - 20, 32 or 64 bytes for the hash. */
size_t otp_seed_len(enum store_hash hash);

/* otp_seal(), otp_open() - the secret at rest, bound to person, name, kind, parameters
 * and key. */
_must_check_ int otp_seal(const struct seal *seal, struct store_factor *f,
			  const struct secret *seed);
_must_check_ int otp_open(const struct seal *seal, const struct store_factor *f,
			  struct secret *ret);
