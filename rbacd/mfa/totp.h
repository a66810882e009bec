/* SPDX-License-Identifier: Apache-2.0 */
/* totp.h - RFC 6238 codes of one factor around now; every step of the window is
 * computed. */
#pragma once

#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"

#define TOTP_WINDOW    1  /* steps to either side */
#define TOTP_DRIFT_MAX 10 /* steps learnt from successes */

struct totp_match {
	bool found;
	int64_t step;  /* absolute step of the matching code */
	int64_t delta; /* from the step that the drift leads to expect */
};

/*
 * totp_check() - compare @code with every step of the window around @now_s plus drift.
 * @seed: the factor's seed, or a random one for nobody.
 * Return: 0 and *ret, found or not; -EINVAL for a factor with impossible parameters.
 */
_must_check_ int totp_check(const struct store_factor *f, const struct secret *seed,
			    const struct secret *code, int64_t now_s,
			    struct totp_match *ret);

/* totp_seed_len() - 20, 32 or 64 bytes for the hash. */
size_t totp_seed_len(enum store_hash hash);

/* totp_seal(), totp_open() - the seed at rest, bound to person, name and key. */
_must_check_ int totp_seal(const struct seal *seal, struct store_factor *f,
			   const struct secret *seed);
_must_check_ int totp_open(const struct seal *seal, const struct store_factor *f,
			   struct secret *ret);
