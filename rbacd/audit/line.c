/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - a stored line back to its fields; refuses everything not canonical. */
#include "rbacd/audit/audit_internal.h"

#include <endian.h>
#include <errno.h>

struct scan {
	const char *p;
	const char *end;
	const char *why; /* static; set by the first error */
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

/*
 * Of the next eight bytes, how many are printable ASCII without a quote or a backslash.
 * A borrow may flag a byte too many, but only behind one that is flagged rightly.
 */
static size_t plain_run(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t v, quote, back, del, flags;

	memcpy(&v, p, 8);
	v = le64toh(v); /* the first byte lowest */
	quote = v ^ ones * '"';
	back = v ^ ones * '\\';
	del = v ^ ones * 0x7f;
	flags = ((v - ones * 0x20) | (quote - ones) | (back - ones) | (del - ones) |
		 v) &
		high;
	return flags ? (size_t)__builtin_ctzll(flags) / 8 : 8;
}

static bool take_special(struct scan *s)
{
	uint32_t c;
	size_t n;

	if (*s->p == '\\')
		return take_escape(s);
	n = audit_utf8((const uint8_t *)s->p, (size_t)(s->end - s->p), &c);
	if (n == 0)
		return fail(s, "not UTF-8");
	if (c < 0x20 || c == 0x7f)
		return fail(s, "raw control byte");
	s->p += n;
	return true;
}

static bool take_string(struct scan *s, struct audit_text *ret)
{
	const char *from;

	if (!take(s, '"'))
		return false;
	from = s->p;
	while (s->p < s->end) {
		if (s->end - s->p >= 8) {
			size_t n = plain_run(s->p);

			s->p += n;
			if (n == 8)
				continue;
		}
		if (*s->p == '"')
			break;
		if (*s->p >= 0x20 && *s->p < 0x7f && *s->p != '\\')
			s->p++;
		else if (!take_special(s))
			return false;
	}
	*ret = (struct audit_text){from, (size_t)(s->p - from)};
	return take(s, '"');
}

/* Canonical whole numbers only: no leading zero, no plus, no fraction, 64 bits. */
static bool take_int(struct scan *s, struct audit_text *ret)
{
	const char *from = s->p, *first;
	bool minus = s->p < s->end && *s->p == '-';
	uint64_t v = 0;

	if (minus)
		s->p++;
	first = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		if (v > INT64_MAX / 10)
			return fail(s, "number out of range");
		v = v * 10 + (uint64_t)(*s->p++ - '0');
	}
	if (s->p == first || (*first == '0' && (s->p - first > 1 || minus)) ||
	    v > INT64_MAX)
		return fail(s, "not a canonical number");
	*ret = (struct audit_text){from, (size_t)(s->p - from)};
	return true;
}

static bool take_literal(struct scan *s, const char *text)
{
	for (; *text; text++)
		if (!take(s, *text))
			return false;
	return true;
}

static bool take_unknown_user(struct scan *s, struct audit_text *ret)
{
	const char *from = s->p;
	struct audit_text hash = {0}, len = {0};

	if (!take_literal(s, "{\"hash\":") || !take_string(s, &hash) ||
	    !take_literal(s, ",\"len\":") || !take_int(s, &len) || !take(s, '}'))
		return false;
	*ret = (struct audit_text){from, (size_t)(s->p - from)};
	return hash.len == 16 && len.p[0] >= '1' && len.p[0] <= '9'
		       ? true
		       : fail(s, "bad unknown_user");
}

/*
 * Eight hex digits as four bytes; non-zero for anything else. All eight at once,
 * without a branch: it runs eight times for every record.
 */
static uint64_t hex8(const char *p, uint8_t ret[4])
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t v, n, pairs;
	uint32_t bytes;

	memcpy(&v, p, 8);
	v = le64toh(v); /* the first digit lowest */
	n = (v & ones * 15) + 9 * (v >> 6 & ones);
	pairs = (n << 4 | n >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	pairs = (pairs | pairs >> 8) & UINT64_C(0x0000ffff0000ffff);
	bytes = htole32((uint32_t)(pairs | pairs >> 16));
	memcpy(ret, &bytes, 4);
	/* Below 16, and written back, 10 to 15 as letters, it is what was read. */
	return (n & ones * 0xf0) |
	       (v ^ (n + ones * '0' + 39 * ((n + ones * 6) >> 4 & ones)));
}

static bool read_hash(struct scan *s, const struct audit_text *t,
		      uint8_t ret[AUDIT_HASH_LEN])
{
	uint64_t bad = 0;

	if (t->len != 2 * AUDIT_HASH_LEN)
		return fail(s, "prev is not a SHA-256");
	for (size_t i = 0; i < AUDIT_HASH_LEN; i += 4)
		bad |= hex8(t->p + 2 * i, ret + i);
	return bad ? fail(s, "prev is not a SHA-256") : true;
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

/* Days since 1970 of a date in the Gregorian calendar; -1: there is no such day. */
static int64_t days(int y, int m, int d)
{
	static const int before[] = {0,	  31,  59,  90,	 120, 151,
				     181, 212, 243, 273, 304, 334};
	static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	int past = y - 1;

	if (y < 1970 || m < 1 || m > 12 || d < 1 ||
	    d > length[m - 1] + (m == 2 && leap))
		return -1;
	return (int64_t)past * 365 + past / 4 - past / 100 + past / 400 - 719162 +
	       before[m - 1] + (m > 2 && leap) + d - 1;
}

/* As audit_time() prints it, and nothing else. */
static bool read_time(struct scan *s, const struct audit_text *t, int64_t *ret)
{
	static const char form[] = "0000-00-00T00:00:00.000000Z";
	int h, m, sec, us;
	int64_t day;

	if (t->len != AUDIT_TIME_LEN)
		return fail(s, "bad ts");
	for (size_t i = 0; i < AUDIT_TIME_LEN; i++)
		if (form[i] != '0' && t->p[i] != form[i])
			return fail(s, "bad ts");
	day = days(digits(t->p, 4), digits(t->p + 5, 2), digits(t->p + 8, 2));
	h = digits(t->p + 11, 2);
	m = digits(t->p + 14, 2);
	sec = digits(t->p + 17, 2);
	us = digits(t->p + 20, 6);
	if (day < 0 || h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59 ||
	    us < 0)
		return fail(s, "bad ts");
	*ret = ((day * 24 + h) * 60 + m) * INT64_C(60000000) + sec * INT64_C(1000000) +
	       us;
	return true;
}

static bool is_number(int key)
{
	return key == AUDIT_V || key == AUDIT_SEQ || key == AUDIT_POLICY_SERIAL ||
	       key == AUDIT_SNAPSHOT_AGE_S || key == AUDIT_LAT_US ||
	       key == AUDIT_T_DELTA || key == AUDIT_FAILS || key == AUDIT_COUNT;
}

static bool take_value(struct scan *s, int key, struct audit_view *out)
{
	struct audit_text *t = &out->f[key];

	if (key == AUDIT_UNKNOWN_USER)
		return take_unknown_user(s, t);
	if (!is_number(key))
		return take_string(s, t);
	return take_int(s, t);
}

/* Why no key that may stand here was found. */
static bool fail_key(struct scan *s)
{
	struct audit_text key = {0};
	const char *from = s->p;
	size_t len;

	if (!take_string(s, &key) || !take(s, ':'))
		return false;
	return fail(s, audit_key_at(from, (size_t)(s->end - from), 0, &len) < 0
			       ? "unknown key"
			       : "key out of order or twice");
}

/* Strictly ascending: in order, none twice; the first four are never absent. */
static bool take_member(struct scan *s, int *last, struct audit_view *out)
{
	size_t len;
	int k = audit_key_at(s->p, (size_t)(s->end - s->p), *last + 1, &len);

	if (k < 0)
		return fail_key(s);
	if (*last < AUDIT_TS && k != *last + 1)
		return fail(s, "v, seq, prev or ts missing");
	*last = k;
	s->p += len;
	return take_value(s, k, out);
}

static bool take_object(struct scan *s, struct audit_view *out)
{
	int last = -1;

	if (!take(s, '{'))
		return false;
	do {
		if (!take_member(s, &last, out))
			return false;
	} while (s->p < s->end && *s->p == ',' && s->p++);
	if (!take(s, '}'))
		return false;
	if (s->p != s->end)
		return fail(s, "bytes after the record");
	return last >= AUDIT_TS ? true : fail(s, "v, seq, prev or ts missing");
}

static bool take_head(struct scan *s, struct audit_view *out)
{
	int64_t seq = audit_int(out, AUDIT_SEQ, 0);

	if (!audit_is(out, AUDIT_V, "1"))
		return fail(s, "unknown version");
	if (seq <= 0)
		return fail(s, "bad seq");
	if (out->f[AUDIT_CLOCK].p && !audit_is(out, AUDIT_CLOCK, "back") &&
	    !audit_is(out, AUDIT_CLOCK, "unsynced"))
		return fail(s, "bad clock");
	out->seq = (uint64_t)seq;
	out->clock_back = audit_is(out, AUDIT_CLOCK, "back");
	return read_hash(s, &out->f[AUDIT_PREV], out->prev) &&
	       read_time(s, &out->f[AUDIT_TS], &out->ts_us);
}

int audit_view_parse(const char *line, size_t len, struct audit_view *ret,
		     const char **ret_why)
{
	struct scan s = {.p = line, .end = line + len};

	if (len > AUDIT_LINE_MAX) {
		*ret_why = "longer than a record may be";
		return -EBADMSG;
	}
	memset(ret->f, 0, sizeof(ret->f));
	if (!take_object(&s, ret) || !take_head(&s, ret)) {
		*ret_why = s.why;
		return -EBADMSG;
	}
	return 0;
}
