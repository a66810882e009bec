/* SPDX-License-Identifier: Apache-2.0 */
/* otpauth.c - a factor as the address that phones read. */

#include "rbacd/mfa/otpauth.h"

#include <errno.h>

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

int otpauth_uri(const struct store_factor *f, const char *login, const char *issuer,
		const struct secret *seed, char ret[OTPAUTH_MAX])
{
	struct text t = {.buf = ret, .cap = OTPAUTH_MAX};
	char tail[96], counter[40] = "";
	bool hotp = f->kind == STORE_FACTOR_HOTP;

	if (hotp)
		(void)snprintf(counter, sizeof(counter), "&counter=%lld",
			       (long long)f->last_step + 1); /* the next one */
	text_puts(&t, hotp ? "otpauth://hotp/" : "otpauth://totp/");
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
		       f->period_s == 60 ? "&period=60" : "", counter);
	text_puts(&t, tail);
	return text_ok(&t) ? 0 : -EMSGSIZE;
}
