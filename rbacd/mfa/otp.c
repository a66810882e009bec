/* SPDX-License-Identifier: Apache-2.0 */
/* otp.c - RFC 6238 and 4226 by liboath: sealed seeds, windows. Knows no budget. */
#include "rbacd/mfa/otp.h"

#include <errno.h>
#include <liboath/oath.h>
#include <openssl/crypto.h>

#define PURPOSE	 "totp-seed"
#define STEP_MAX (INT64_C(1) << 40)

size_t otp_seed_len(enum store_hash hash)
{
	switch (hash) {
	case STORE_SHA1:
		return 20;
	case STORE_SHA256:
		return 32;
	case STORE_SHA512:
		return 64;
	}
	return 0;
}

/* ---------------------------------------------------------------- at rest */

/* What the seed is bound to besides purpose, format and key: two rows cannot be
 * swapped. The kind came later: of a TOTP factor it is the absence of one. */
struct binding {
	uint8_t params[13];
	struct seal_part part[3];
};

static void bind_factor(const struct store_factor *f, struct binding *b)
{
	b->params[0] = (uint8_t)f->hash;
	b->params[1] = f->digits;
	b->params[2] = (uint8_t)(f->period_s >> 8);
	b->params[3] = (uint8_t)f->period_s;
	for (int i = 0; i < 8; i++)
		b->params[4 + i] = (uint8_t)((uint64_t)f->created_s >> (56 - 8 * i));
	b->params[12] = (uint8_t)f->kind;
	b->part[0] = (struct seal_part){f->person, strlen(f->person)};
	b->part[1] = (struct seal_part){f->name, strlen(f->name)};
	b->part[2] =
		(struct seal_part){b->params,
				   sizeof(b->params) - (f->kind == STORE_FACTOR_TOTP)};
}

int otp_seal(const struct seal *seal, struct store_factor *f, const struct secret *seed)
{
	struct binding b;

	bind_factor(f, &b);
	return seal_encrypt(seal, PURPOSE, b.part, ARRAY_SIZE(b.part), seed, f->sealed,
			    sizeof(f->sealed), &f->sealed_len);
}

int otp_open(const struct seal *seal, const struct store_factor *f, struct secret *ret)
{
	struct binding b;

	bind_factor(f, &b);
	return seal_decrypt(seal, PURPOSE, b.part, ARRAY_SIZE(b.part), f->sealed,
			    f->sealed_len, ret);
}

/* ---------------------------------------------------------------- codes */

static int hash_flag(enum store_hash hash)
{
	switch (hash) {
	case STORE_SHA1:
		return 0;
	case STORE_SHA256:
		return OATH_TOTP_HMAC_SHA256;
	case STORE_SHA512:
		return OATH_TOTP_HMAC_SHA512;
	}
	return 0;
}

static int step_value(const struct store_factor *f, const struct secret *seed,
		      int64_t step, char ret[9])
{
	if (step < 0 || step > STEP_MAX)
		return -ERANGE;
	/* Time in units of one step, an offset of 0 seconds: a counter is the same. */
	return oath_totp_generate2((const char *)seed->bytes, seed->len, (time_t)step,
				   1, 0, f->digits, hash_flag(f->hash), ret) == OATH_OK
		       ? 0
		       : -EIO;
}

static void wipe_text(char (*text)[9])
{
	explicit_bzero(*text, sizeof(*text));
}

/* Steps [first, first + n) of which @expected is the likeliest. */
struct window {
	int64_t first, n, expected;
};

/* @aside: to either side of the time; @ahead: of the counter. */
static int window_of(const struct store_factor *f, int64_t now_s, int64_t aside,
		     int64_t ahead, struct window *ret)
{
	struct window w;

	if (now_s < 0 || (f->digits != 6 && f->digits != 8))
		return -EINVAL;
	switch (f->kind) {
	case STORE_FACTOR_TOTP:
		if (f->period_s == 0)
			return -EINVAL;
		w.expected = now_s / f->period_s + f->drift;
		w.first = w.expected - aside;
		w.n = 2 * aside + 1;
		*ret = w;
		return 0;
	case STORE_FACTOR_HOTP:
		w.expected = f->last_step + 1;
		w.first = f->last_step < 0 ? 0 : f->last_step;
		w.n = w.expected + ahead - w.first;
		*ret = w;
		return 0;
	case STORE_FACTOR_KEY:
		break;
	}
	return -EINVAL;
}

unsigned otp_codes(const struct store_factor *f)
{
	switch (f->kind) {
	case STORE_FACTOR_TOTP:
		/* The window around the drift, and what that around none adds. */
		return 2 * OTP_WINDOW + 1 +
		       (unsigned)(abs(f->drift) < 2 * OTP_WINDOW + 1
					  ? abs(f->drift)
					  : 2 * OTP_WINDOW + 1);
	case STORE_FACTOR_HOTP:
		return OTP_AHEAD;
	case STORE_FACTOR_KEY:
		return 0;
	}
	return 0;
}

static bool fits(const struct store_factor *f, const char want[9],
		 const struct secret *code)
{
	return (CRYPTO_memcmp(want, code->bytes, f->digits) == 0) &
	       (code->len == f->digits);
}

/* The steps of @w: computed and compared, each of them. The highest that fits counts,
 * it burns the most. */
static int check_window(const struct store_factor *f, const struct secret *seed,
			const struct secret *code, const struct window *w,
			struct otp_match *m)
{
	_cleanup_(wipe_text) char want[9] = {0};

	for (int64_t i = w->first; i < w->first + w->n; i++) {
		int r = step_value(f, seed, i, want);
		bool same = r == 0 && fits(f, want, code) && (!m->found || i > m->step);

		if (r != 0)
			return r;
		m->found |= same;
		m->step = same ? i : m->step;
		m->delta = same ? i - w->expected : m->delta;
	}
	return 0;
}

/*
 * No early exit and no branch on a secret but the last. TOTP has a second window,
 * around no drift at all: what was learnt may have been this host's own clock, and when
 * that is put right people must get in.
 */
int otp_check(const struct store_factor *f, const struct secret *seed,
	      const struct secret *code, int64_t now_s, struct otp_match *ret)
{
	struct otp_match m = {0};
	struct window w = {0};
	int r = f->kind == STORE_FACTOR_KEY
			? 0
			: window_of(f, now_s, OTP_WINDOW, OTP_AHEAD, &w);

	if (r == 0)
		r = check_window(f, seed, code, &w, &m);
	if (r == 0 && f->kind == STORE_FACTOR_TOTP) {
		w.first -= f->drift;
		r = check_window(f, seed, code, &w, &m);
	}
	if (r == 0)
		*ret = m;
	return r;
}

int otp_resync(const struct store_factor *f, const struct secret *seed,
	       const struct secret *first, const struct secret *second, int64_t now_s,
	       struct otp_match *ret)
{
	_cleanup_(wipe_text) char want[9] = {0};
	struct otp_match m = {0};
	bool before = false; /* the step before fits the first code, and is unused */
	struct window w = {0};
	int r = window_of(f, now_s, OTP_RESYNC_STEPS, OTP_RESYNC_AHEAD, &w);

	for (int64_t i = w.first; r == 0 && i < w.first + w.n; i++) {
		if (i < 0)
			continue;
		r = step_value(f, seed, i, want);
		if (r == 0 && before && fits(f, want, second))
			m = (struct otp_match){true, i, i - w.expected};
		before = r == 0 && i > f->last_step && fits(f, want, first);
	}
	if (r == 0)
		*ret = m;
	return r;
}
