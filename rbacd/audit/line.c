/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - a stored line back to what the chain needs; refuses everything not
 * canonical. */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <time.h>

struct scan {
	const char *p;
	const char *end;
	const char *why; /* static; set by the first error */
};

struct text {
	const char *p; /* borrowed from the line, escapes as they are */
	size_t len;
};

static bool fail(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static bool take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return fail(s, "not a canonical JSON object");
	s->p++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool take_escape(struct scan *s)
{
	if (s->end - s->p >= 2 && (s->p[1] == '"' || s->p[1] == '\\')) {
		s->p += 2;
		return true;
	}
	if (s->end - s->p < 6 || s->p[1] != 'u' || !is_hex(s->p[2]) ||
	    !is_hex(s->p[3]) || !is_hex(s->p[4]) || !is_hex(s->p[5]))
		return fail(s, "bad escape");
	s->p += 6;
	return true;
}

static bool take_string(struct scan *s, struct text *ret)
{
	const char *from;

	if (!take(s, '"'))
		return false;
	from = s->p;
	while (s->p < s->end && *s->p != '"') {
		if ((unsigned char)*s->p < 0x20 || *s->p == 0x7f)
			return fail(s, "raw control byte");
		if (*s->p != '\\')
			s->p++;
		else if (!take_escape(s))
			return false;
	}
	*ret = (struct text){from, (size_t)(s->p - from)};
	return take(s, '"');
}

/* Canonical whole numbers only: no leading zero, no plus, no fraction, 64 bits. */
static bool take_int(struct scan *s, int64_t *ret)
{
	bool minus = s->p < s->end && *s->p == '-';
	uint64_t v = 0;
	const char *from;

	if (minus)
		s->p++;
	from = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		if (v > INT64_MAX / 10)
			return fail(s, "number out of range");
		v = v * 10 + (uint64_t)(*s->p++ - '0');
	}
	if (s->p == from || (*from == '0' && (s->p - from > 1 || minus)) ||
	    v > INT64_MAX)
		return fail(s, "not a canonical number");
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool take_unknown_user(struct scan *s)
{
	static const char head[] = "{\"hash\":";
	static const char len_key[] = ",\"len\":";
	struct text hash = {0};
	int64_t len = 0;

	for (size_t i = 0; i < sizeof(head) - 1; i++)
		if (!take(s, head[i]))
			return false;
	if (!take_string(s, &hash))
		return false;
	for (size_t i = 0; i < sizeof(len_key) - 1; i++)
		if (!take(s, len_key[i]))
			return false;
	if (!take_int(s, &len) || !take(s, '}'))
		return false;
	return hash.len == 16 && len > 0 ? true : fail(s, "bad unknown_user");
}

static bool text_eq(const struct text *t, const char *s)
{
	return t->len == strlen(s) && memcmp(t->p, s, t->len) == 0;
}

static bool read_hash(struct scan *s, const struct text *t, uint8_t ret[AUDIT_HASH_LEN])
{
	if (t->len != 2 * AUDIT_HASH_LEN)
		return fail(s, "prev is not a SHA-256");
	for (size_t i = 0; i < AUDIT_HASH_LEN; i++) {
		char a = t->p[2 * i], b = t->p[2 * i + 1];

		if (!is_hex(a) || !is_hex(b))
			return fail(s, "prev is not a SHA-256");
		ret[i] = (uint8_t)((a <= '9' ? a - '0' : a - 'a' + 10) << 4 |
				   (b <= '9' ? b - '0' : b - 'a' + 10));
	}
	return true;
}

static int digits(const char *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* Back through audit_time(): a time that prints differently is not canonical. */
static bool read_time(struct scan *s, const struct text *t, int64_t *ret)
{
	char again[AUDIT_TIME_LEN + 1];
	struct tm tm = {0};
	int us;

	if (t->len != AUDIT_TIME_LEN)
		return fail(s, "bad ts");
	tm.tm_year = digits(t->p, 4) - 1900;
	tm.tm_mon = digits(t->p + 5, 2) - 1;
	tm.tm_mday = digits(t->p + 8, 2);
	tm.tm_hour = digits(t->p + 11, 2);
	tm.tm_min = digits(t->p + 14, 2);
	tm.tm_sec = digits(t->p + 17, 2);
	us = digits(t->p + 20, 6);
	if (us < 0 || tm.tm_year < 70)
		return fail(s, "bad ts");
	*ret = (int64_t)timegm(&tm) * 1000000 + us;
	if (audit_time(*ret, again) != 0 || memcmp(again, t->p, AUDIT_TIME_LEN) != 0)
		return fail(s, "bad ts");
	return true;
}

static bool take_value(struct scan *s, const struct text *key, struct audit_parsed *out)
{
	struct text t = {0};
	int64_t v = 0;

	if (text_eq(key, "unknown_user"))
		return take_unknown_user(s);
	if (s->p < s->end && *s->p != '"') {
		if (!take_int(s, &v))
			return false;
		if (text_eq(key, "seq"))
			out->seq = v > 0 ? (uint64_t)v : 0;
		if (text_eq(key, "v") && v != 1)
			return fail(s, "unknown version");
		return true;
	}
	if (!take_string(s, &t))
		return false;
	if (text_eq(key, "prev"))
		return read_hash(s, &t, out->prev);
	if (text_eq(key, "ts"))
		return read_time(s, &t, &out->ts_us);
	if (text_eq(key, "clock"))
		out->clock_back = true;
	return true;
}

/* Strictly ascending ranks: in order, none twice; the first four are never absent. */
static bool take_member(struct scan *s, int *rank, struct audit_parsed *out)
{
	struct text key = {0};
	int r;

	if (!take_string(s, &key) || !take(s, ':'))
		return false;
	r = audit_key_rank(key.p, key.len);
	if (r < 0)
		return fail(s, "unknown key");
	if (r <= *rank || (*rank < 3 && r != *rank + 1))
		return fail(s, "key out of order, twice or missing");
	*rank = r;
	return take_value(s, &key, out);
}

static bool take_object(struct scan *s, struct audit_parsed *out)
{
	int rank = -1;

	if (!take(s, '{'))
		return false;
	do {
		if (!take_member(s, &rank, out))
			return false;
	} while (s->p < s->end && *s->p == ',' && s->p++);
	if (!take(s, '}'))
		return false;
	if (s->p != s->end)
		return fail(s, "bytes after the record");
	return rank >= 3 && out->seq > 0 ? true : fail(s, "seq, prev or ts missing");
}

int audit_parse_line(const char *line, size_t len, struct audit_parsed *ret,
		     const char **ret_why)
{
	struct scan s = {.p = line, .end = line + len};
	struct audit_parsed out = {0};

	if (len > AUDIT_LINE_MAX) {
		*ret_why = "longer than a record may be";
		return -EBADMSG;
	}
	if (!take_object(&s, &out)) {
		*ret_why = s.why;
		return -EBADMSG;
	}
	*ret = out;
	return 0;
}
