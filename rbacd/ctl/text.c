/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - escaping for terminals, JSON and CSV; times. stdio errors are main's to
 * check. */

#include "rbacd/ctl/text.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

size_t text_next(const char *p, size_t len, uint32_t *ret_cp)
{
	const uint8_t *b = (const uint8_t *)p;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = b[0] < 0x80	 ? 1
		   : b[0] < 0xc2 ? 0
		   : b[0] < 0xe0 ? 2
		   : b[0] < 0xf0 ? 3
		   : b[0] < 0xf5 ? 4
				 : 0;
	uint32_t cp = n > 1 ? b[0] & (0x7fu >> n) : b[0];

	*ret_cp = UINT32_MAX;
	if (n == 0 || n > len)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 1;
		cp = cp << 6 | (b[i] & 0x3fu);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return 1;
	*ret_cp = cp;
	return n;
}

bool text_unsafe(uint32_t cp)
{
	/* Controls, line separators, and what Unicode calls ignorable by default: two
	 * names that differ in it alone look the same. */
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{0, 0x1f},	    {0x7f, 0x9f},	 {0xad, 0xad},
		{0x34f, 0x34f},	    {0x61c, 0x61c},	 {0x115f, 0x1160},
		{0x17b4, 0x17b5},   {0x180b, 0x180f},	 {0x200b, 0x200f},
		{0x2028, 0x202e},   {0x2060, 0x206f},	 {0x2800, 0x2800},
		{0x3164, 0x3164},   {0xfe00, 0xfe0f},	 {0xfeff, 0xfeff},
		{0xffa0, 0xffa0},   {0xfff0, 0xfffb},	 {0x1bca0, 0x1bca3},
		{0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(unsafe) && cp >= unsafe[i].first; i++)
		if (cp <= unsafe[i].last)
			return true;
	return false;
}

/* Escapes one code point, or one malformed byte; returns its columns. */
static size_t escape(uint32_t cp, uint8_t byte, FILE *out)
{
	char buf[16];
	int n;

	if (cp == UINT32_MAX || cp < 0x80)
		n = snprintf(buf, sizeof(buf), "\\x%02x", cp == UINT32_MAX ? byte : cp);
	else
		n = snprintf(buf, sizeof(buf), "\\u{%" PRIx32 "}", cp);
	if (out)
		(void)fputs(buf, out);
	return (size_t)n;
}

size_t text_print(const char *p, size_t len, FILE *out)
{
	size_t columns = 0, n;
	uint32_t cp;

	for (size_t i = 0; i < len; i += n) {
		n = text_next(p + i, len - i, &cp);
		if (cp == UINT32_MAX || text_unsafe(cp)) {
			columns += escape(cp, (uint8_t)p[i], out);
			continue;
		}
		if (out)
			(void)fwrite(p + i, 1, n, out);
		columns++;
	}
	return columns;
}

void text_line(const char *before, const char *text, FILE *out)
{
	(void)fputs(before, out); /* who writes checks the stream */
	(void)text_print(text, strlen(text), out);
	(void)fputc('\n', out);
}

/* A code point as it may stand in JSON, or a malformed byte. */
static void json_point(uint32_t cp, const char *p, size_t n, FILE *out)
{
	if (cp == UINT32_MAX)
		(void)fputs("\\ufffd", out);
	else if (text_unsafe(cp) && cp > 0xffff) /* as a surrogate pair */
		(void)fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32,
			      0xd800 + ((cp - 0x10000) >> 10),
			      0xdc00 + ((cp - 0x10000) & 0x3ff));
	else if (text_unsafe(cp))
		(void)fprintf(out, "\\u%04" PRIx32, cp);
	else
		(void)fwrite(p, 1, n, out);
}

void text_json(const char *p, size_t len, FILE *out)
{
	uint32_t cp;
	size_t n;

	(void)fputc('"', out);
	for (size_t i = 0; i < len; i += n) {
		n = text_next(p + i, len - i, &cp);
		if (cp == '"' || cp == '\\')
			(void)fputc('\\', out);
		json_point(cp, p + i, n, out);
	}
	(void)fputc('"', out);
}

void text_json_whole(const char *p, size_t len, FILE *out)
{
	uint32_t cp;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = text_next(p + i, len - i, &cp);
		json_point(cp, p + i, n, out);
	}
}

void text_csv(const char *p, size_t len, FILE *out)
{
	(void)fputc('"', out);
	if (len > 0 && (strchr("=+-@", p[0]) != NULL && p[0]))
		(void)fputc('\'', out);
	while (len > 0) {
		const char *quote = memchr(p, '"', len);
		size_t n = quote ? (size_t)(quote - p) : len;

		(void)text_print(p, n, out); /* its columns do not matter here */
		if (quote)
			(void)fputs("\"\"", out);
		n += quote != NULL;
		p += n;
		len -= n;
	}
	(void)fputc('"', out);
}

const char *text_time(int64_t s, char buf[TEXT_TIME_MAX])
{
	time_t t = (time_t)s;
	struct tm tm;

	if (s < 0 || s > INT64_C(253402300799) || !gmtime_r(&t, &tm) ||
	    strftime(buf, TEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(buf, TEXT_TIME_MAX, "%" PRId64, s); /* always fits */
	return buf;
}

#define DURATION_MAX_S INT64_C(10000000000) /* 300 years, in microseconds too */

int text_parse_duration(const char *text, int64_t *ret)
{
	static const struct {
		const char *unit;
		int64_t s;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	char *end;
	long long v;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0 || v > DURATION_MAX_S)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_eq(end, units[i].unit) && v <= DURATION_MAX_S / units[i].s) {
			*ret = v * units[i].s;
			return 0;
		}
	return -EINVAL;
}

/* strptime() takes a 31st of June, and timegm() makes it the 1st of July. */
static bool to_seconds(const struct tm *given, int64_t *ret)
{
	struct tm tm = *given;

	*ret = timegm(&tm);
	return tm.tm_mday == given->tm_mday && tm.tm_sec == given->tm_sec;
}

int text_parse_time(const char *text, int64_t now_s, int64_t *ret)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M",
					    "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%S",
					    "%Y-%m-%dT%H:%M:%SZ"};
	int64_t back;

	if (text_parse_duration(text, &back) == 0) {
		*ret = now_s - back;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end)
			return to_seconds(&tm, ret) ? 0 : -EINVAL;
	}
	return -EINVAL;
}
