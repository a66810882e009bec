/* SPDX-License-Identifier: Apache-2.0 */
/* otpauth_read.c - otpauth://TYPE/[ISSUER:]ACCOUNT?secret=…&algorithm=… as phones read
 * it. */
#include "rbacd/migrate/scan.h"

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at =
		c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Percent-decoded into @buf; false: malformed, too long, or a NUL in it. */
static bool unescape(struct span s, char *buf, size_t cap, struct span *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int c = (unsigned char)s.p[i];

		if (c == '%') {
			int hi = i + 2 < s.len ? hex_digit(s.p[i + 1]) : -1;
			int lo = i + 2 < s.len ? hex_digit(s.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return false;
			c = hi << 4 | lo;
			i += 2;
		}
		if (c == 0 || n == cap)
			return false;
		buf[n++] = (char)c;
	}
	*ret = (struct span){buf, n};
	return true;
}

/* What stands before the first @c, cut off @s with it; all of it when there is none. */
static struct span cut(struct span *s, char c)
{
	const char *at = s->len > 0 ? memchr(s->p, c, s->len) : NULL;
	struct span ret = {s->p, at ? (size_t)(at - s->p) : s->len};

	s->p += ret.len + (at != NULL);
	s->len -= ret.len + (at != NULL);
	return ret;
}

static bool read_label(struct span label, struct migrate_entry *e)
{
	char buf[256];
	struct span all;

	if (!unescape(label, buf, sizeof(buf), &all))
		return false;
	if (memchr(all.p, ':', all.len))
		(void)cut(&all, ':'); /* the issuer */
	while (all.len > 0 && *all.p == ' ') {
		all.p++;
		all.len--;
	}
	return scan_login(all, e);
}

static bool read_hash(struct span v, struct migrate_entry *e)
{
	static const struct {
		const char *name;
		enum store_hash hash;
	} known[] = {{"SHA1", STORE_SHA1},
		     {"SHA256", STORE_SHA256},
		     {"SHA512", STORE_SHA512}};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (scan_same(v, known[i].name)) {
			e->hash = known[i].hash;
			return true;
		}
	return false;
}

/* False: a value that phones and we might read differently. */
static bool read_parameter(struct span name, struct span v, struct migrate_entry *e)
{
	int64_t n = 0;

	if (scan_is(name, "algorithm"))
		return read_hash(v, e);
	if (scan_is(name, "digits")) {
		if (!scan_number(v, 8, &n) || (n != 6 && n != 8))
			return false;
		e->digits = (uint8_t)n;
	} else if (scan_is(name, "period")) {
		if (!scan_number(v, 60, &n) || (n != 30 && n != 60))
			return false;
		e->period_s = (uint16_t)n;
	} else if (scan_is(name, "counter")) {
		if (!scan_number(v, INT32_MAX, &n))
			return false;
		e->last_step = n - 1;
	}
	return true; /* issuer, image and the like change no code */
}

static void read_query(struct span query, struct migrate_entry *e)
{
	bool seed = false, again = false;

	while (query.len > 0 && !e->skip) {
		struct span value = cut(&query, '&');
		struct span name = cut(&value, '=');

		if (scan_is(name, "secret")) {
			again |= seed;
			seed = scan_base32(value, &e->seed);
			if (!seed)
				e->skip = "the secret cannot be read";
		} else if (!read_parameter(name, value, e)) {
			e->skip = "a parameter that is not known here";
		}
	}
	if (again)
		e->skip = "two secrets";
	scan_seed(e, seed);
}

void migrate_uri(const char *text, size_t len, struct migrate_entry *ret)
{
	struct span s = {text, len};

	*ret = (struct migrate_entry){.line = 1,
				      .kind = STORE_FACTOR_TOTP,
				      .hash = STORE_SHA1,
				      .digits = 6,
				      .period_s = 30,
				      .last_step = -1};
	if (!scan_plain(s) || !scan_after(&s, "otpauth://")) {
		ret->skip = "no otpauth:// address";
		return;
	}
	if (scan_after(&s, "hotp/"))
		ret->kind = STORE_FACTOR_HOTP;
	else if (!scan_after(&s, "totp/"))
		ret->skip = "neither totp nor hotp";
	if (!ret->skip && !read_label(cut(&s, '?'), ret))
		ret->skip = "the account is no login";
	if (!ret->skip)
		read_query(s, ret);
	if (ret->kind == STORE_FACTOR_HOTP)
		ret->period_s = 0;
}

int migrate_otpauth(const char *text, size_t len, migrate_fn *fn, void *arg)
{
	struct span rest = {text, len}, line, word;
	int r = 0;

	for (unsigned n = 1; r == 0 && scan_line(&rest, &line); n++) {
		struct migrate_entry e;

		if (!scan_word(&line, &word) || *word.p == '#')
			continue;
		migrate_uri(word.p, word.len + line.len, &e);
		e.line = n;
		r = fn(&e, arg);
		explicit_bzero(&e, sizeof(e));
	}
	return r;
}
