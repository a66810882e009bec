/* SPDX-License-Identifier: Apache-2.0 */
/* totp.c - RFC 6238 by liboath: sealed seeds, the window, drift. Knows no budget. */
#include "rbacd/mfa/totp.h"

#include <errno.h>
#include <liboath/oath.h>
#include <openssl/crypto.h>

#define PURPOSE	 "totp-seed"
#define STEP_MAX (INT64_C(1) << 40)

size_t totp_seed_len(enum store_hash hash)
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

/* What the seed is bound to besides purpose, format and key: two rows cannot be
 * swapped. */
struct binding {
	uint8_t params[12];
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
	b->part[0] = (struct seal_part){f->person, strlen(f->person)};
	b->part[1] = (struct seal_part){f->name, strlen(f->name)};
	b->part[2] = (struct seal_part){b->params, sizeof(b->params)};
}

int totp_seal(const struct seal *seal, struct store_factor *f,
	      const struct secret *seed)
{
	struct binding b;

	bind_factor(f, &b);
	return seal_encrypt(seal, PURPOSE, b.part, ARRAY_SIZE(b.part), seed, f->sealed,
			    sizeof(f->sealed), &f->sealed_len);
}

int totp_open(const struct seal *seal, const struct store_factor *f, struct secret *ret)
{
	struct binding b;

	bind_factor(f, &b);
	return seal_decrypt(seal, PURPOSE, b.part, ARRAY_SIZE(b.part), f->sealed,
			    f->sealed_len, ret);
}

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

static int step_value(const struct secret *seed, enum store_hash hash, unsigned digits,
		      int64_t step, char ret[9])
{
	if (step < 0 || step > STEP_MAX || (digits != 6 && digits != 8))
		return -ERANGE;
	/* Time in units of one step; an offset of 0 seconds. */
	return oath_totp_generate2((const char *)seed->bytes, seed->len, (time_t)step,
				   1, 0, digits, hash_flag(hash), ret) == OATH_OK
		       ? 0
		       : -EIO;
}

static void wipe_text(char (*text)[9])
{
	explicit_bzero(*text, sizeof(*text));
}

/*
 * No early exit and no branch on a secret but the last: all steps are computed and
 * compared whatever the first ones say. The highest matching step wins, it burns the
 * most.
 */
int totp_check(const struct store_factor *f, const struct secret *seed,
	       const struct secret *code, int64_t now_s, struct totp_match *ret)
{
	_cleanup_(wipe_text) char want[9] = {0};
	struct totp_match m = {0};
	int64_t base;
	int r;

	if (f->period_s == 0 || now_s < 0 || (f->digits != 6 && f->digits != 8))
		return -EINVAL;
	base = now_s / f->period_s + f->drift;
	for (int64_t i = -TOTP_WINDOW; i <= TOTP_WINDOW; i++) {
		bool same;

		r = step_value(seed, f->hash, f->digits, base + i, want);
		if (r != 0)
			return r;
		same = CRYPTO_memcmp(want, code->bytes, f->digits) == 0 &&
		       code->len == f->digits;
		m.found |= same;
		m.step = same ? base + i : m.step;
		m.delta = same ? i : m.delta;
	}
	*ret = m;
	return 0;
}
