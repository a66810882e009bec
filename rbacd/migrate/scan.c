/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - cutting a text into lines, words and values. */
#include "rbacd/migrate/scan.h"

#define SEED_MIN 10 /* bytes, as factor.h */
#define SEED_MAX 128

bool scan_line(struct span *rest, struct span *ret)
{
	const char *end = rest->len > 0 ? memchr(rest->p, '\n', rest->len) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->len;

	if (rest->len == 0)
		return false;
	*ret = (struct span){rest->p, n};
	rest->p += n + (end != NULL);
	rest->len -= n + (end != NULL);
	if (ret->len > 0 && ret->p[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool scan_word(struct span *rest, struct span *ret)
{
	while (rest->len > 0 && is_blank(*rest->p)) {
		rest->p++;
		rest->len--;
	}
	*ret = (struct span){rest->p, 0};
	while (ret->len < rest->len && !is_blank(rest->p[ret->len]))
		ret->len++;
	rest->p += ret->len;
	rest->len -= ret->len;
	return ret->len > 0;
}

bool scan_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool scan_same(struct span s, const char *text)
{
	if (s.len != strlen(text))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (small(s.p[i]) != small(text[i]))
			return false;
	return true;
}

bool scan_after(struct span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->len < n || !scan_is((struct span){s->p, n}, prefix))
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

bool scan_number(struct span s, int64_t max, int64_t *ret)
{
	int64_t v = 0;

	if (s.len == 0 || s.len > 18)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

bool scan_plain(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] > 0x7e)
			return false;
	return true;
}

bool scan_login(struct span s, struct migrate_entry *e)
{
	if (s.len == 0 || s.len >= sizeof(e->login) || !scan_plain(s))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (is_blank(s.p[i]) || s.p[i] == '/' || s.p[i] == ':')
			return false;
	memcpy(e->login, s.p, s.len);
	e->login[s.len] = '\0';
	return true;
}

/* ---------------------------------------------------------------- bytes */

static int value_of(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* @bits of each character; padding ends it, and nothing follows padding. */
static bool decode(struct span s, const char *alphabet, unsigned bits, bool fold,
		   struct secret *ret)
{
	uint32_t have = 0;
	unsigned n = 0;

	ret->len = 0;
	while (s.len > 0 && s.p[s.len - 1] == '=')
		s.len--;
	for (size_t i = 0; i < s.len; i++) {
		char c = fold && s.p[i] >= 'a' && s.p[i] <= 'z'
				 ? (char)(s.p[i] - 'a' + 'A')
				 : s.p[i];
		int v = value_of(alphabet, c);

		if (v < 0 || ret->len == SEED_MAX)
			return false;
		have = (have << bits | (uint32_t)v) & 0xffff;
		n += bits;
		if (n >= 8) {
			n -= 8;
			ret->bytes[ret->len++] = (uint8_t)(have >> n);
		}
	}
	return n < bits; /* a whole character that gives no byte */
}

bool scan_base32(struct span s, struct secret *ret)
{
	return decode(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, true, ret);
}

bool scan_hex(struct span s, struct secret *ret)
{
	return s.len % 2 == 0 && decode(s, "0123456789ABCDEF", 4, true, ret);
}

bool scan_base64(struct span s, struct secret *ret)
{
	return decode(s,
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		      "0123456789+/",
		      6, false, ret);
}

void scan_seed(struct migrate_entry *e, bool read)
{
	if (e->skip)
		return;
	if (!read)
		e->skip = "the secret cannot be read";
	else if (e->seed.len < SEED_MIN)
		e->skip = "the secret has fewer than 80 bits";
	else if (e->seed.len > SEED_MAX)
		e->skip = "the secret is too long";
}
