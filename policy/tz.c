/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tz.c - a reader of TZif files: a zone as one table of changes, made while a policy is
 * loaded, so that decisions need neither files nor TZ.
 */
#include "policy/tz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define ZONEINFO      "/usr/share/zoneinfo"
#define TZ_FILE_MAX   (256u << 10)
#define TZ_HEADER     44
#define TZ_OFFSET_MAX (26 * 3600) /* RFC 8536 bounds offsets to about a day */
#define DAY_S	      86400
#define FIRST_YEAR    1970
#define LAST_YEAR     2500 /* of the table; later ones repeat every 400 years */
#define CYCLE_S	      (INT64_C(146097) * DAY_S)

/* From @at on, local time is UTC + @offset. */
struct change {
	int64_t at;
	int32_t offset;
};

struct tz_zone {
	int32_t first;	  /* offset before the first change */
	struct change *v; /* owned by the arena; ascending */
	uint32_t n, cap;
};

int64_t tz_days(int y, int m, int d)
{
	/* Howard Hinnant's days_from_civil: years start in March. */
	int64_t yy = m <= 2 ? y - 1 : y, era = yy / 400, yoe = yy - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool zone_add(struct tz_zone *z, int64_t at, int32_t offset)
{
	if (at <= 0) {
		z->first = offset;
		return true;
	}
	if (z->n > 0 && at == z->v[z->n - 1].at) {
		z->v[z->n - 1].offset = offset; /* the end of one rule starts another */
		return true;
	}
	if (z->n == z->cap || (z->n > 0 && at < z->v[z->n - 1].at))
		return false;
	z->v[z->n++] = (struct change){at, offset};
	return true;
}

/* ---------------------------------------------------------------- footer */

/* POSIX TZ: std offset [dst [offset] , rule , rule] */
struct footer_rule {
	char kind; /* 'M', 'J' or 'N' (zero-based day) */
	int month, week, day;
	int32_t time_s;
};

struct footer {
	int32_t std, dst; /* seconds east of UTC */
	bool has_dst;
	struct footer_rule start, end;
};

static bool foot_number(const char **s, int max, int *ret)
{
	int v = 0, digits = 0;

	while (**s >= '0' && **s <= '9' && digits++ < 4)
		v = v * 10 + (*(*s)++ - '0');
	*ret = v;
	return digits > 0 && v <= max;
}

static bool foot_name(const char **s)
{
	const char *start = *s;
	bool quoted = *start == '<';

	while (**s &&
	       (quoted ? **s != '>'
		       : ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z'))))
		(*s)++;
	if (quoted) {
		if (**s != '>')
			return false;
		(*s)++;
	}
	return *s - start >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool foot_time(const char **s, int32_t *ret)
{
	int sign = **s == '-' ? -1 : 1, h, m = 0, sec = 0;

	if (**s == '-' || **s == '+')
		(*s)++;
	if (!foot_number(s, 167, &h))
		return false;
	if (**s == ':') {
		(*s)++;
		if (!foot_number(s, 59, &m))
			return false;
	}
	if (**s == ':') {
		(*s)++;
		if (!foot_number(s, 59, &sec))
			return false;
	}
	*ret = sign * (h * 3600 + m * 60 + sec);
	return true;
}

/* The same as an offset: POSIX counts west of Greenwich. */
static bool foot_offset(const char **s, int32_t *ret)
{
	int32_t west;

	if (!foot_time(s, &west) || west <= -TZ_OFFSET_MAX || west >= TZ_OFFSET_MAX)
		return false;
	*ret = -west;
	return true;
}

static bool foot_rule(const char **s, struct footer_rule *r)
{
	if (*(*s)++ != ',')
		return false;
	r->kind = **s == 'M' || **s == 'J' ? *(*s)++ : 'N';
	r->time_s = 2 * 3600;
	if (r->kind != 'M') {
		if (!foot_number(s, 365, &r->day) || (r->kind == 'J' && r->day == 0))
			return false;
	} else if (!foot_number(s, 12, &r->month) || r->month == 0 || *(*s)++ != '.' ||
		   !foot_number(s, 5, &r->week) || r->week == 0 || *(*s)++ != '.' ||
		   !foot_number(s, 6, &r->day)) {
		return false;
	}
	if (**s == '/') {
		(*s)++;
		return foot_time(s, &r->time_s);
	}
	return true;
}

static bool foot_parse(const char *s, struct footer *f)
{
	*f = (struct footer){0};
	if (!foot_name(&s) || !foot_offset(&s, &f->std))
		return false;
	if (*s == '\0')
		return true;
	if (!foot_name(&s))
		return false;
	f->has_dst = true;
	f->dst = f->std + 3600;
	if (*s && *s != ',' && !foot_offset(&s, &f->dst))
		return false;
	return foot_rule(&s, &f->start) && foot_rule(&s, &f->end) && *s == '\0';
}

static bool is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Local seconds since 1970 at which the rule fires in year @y. */
static int64_t foot_local(const struct footer_rule *r, int y)
{
	int64_t day = tz_days(y, 1, 1), first, n;

	if (r->kind == 'J') {
		day += r->day - 1 + (is_leap(y) && r->day >= 60);
	} else if (r->kind == 'N') {
		day += r->day;
	} else {
		first = tz_days(y, r->month, 1);
		n = r->month == 12 ? tz_days(y + 1, 1, 1) : tz_days(y, r->month + 1, 1);
		/* 1970-01-01 was a Thursday */
		day = first + (r->day - (first + 4) % 7 + 7) % 7 + 7 * (r->week - 1);
		if (day >= n)
			day -= 7;
	}
	return day * DAY_S + r->time_s;
}

/* Adds the footer's changes after @after, the last one in the table. */
static bool zone_add_footer(struct tz_zone *z, const struct footer *f, int64_t after)
{
	if (!f->has_dst)
		return zone_add(z, after, f->std);
	for (int y = FIRST_YEAR - 1; y <= LAST_YEAR; y++) {
		struct change a = {foot_local(&f->start, y) - f->std, f->dst};
		struct change b = {foot_local(&f->end, y) - f->dst, f->std};
		struct change early = a.at < b.at ? a : b, late = a.at < b.at ? b : a;

		if ((early.at > after && !zone_add(z, early.at, early.offset)) ||
		    (late.at > after && !zone_add(z, late.at, late.offset)))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ file */

struct tzif {
	const uint8_t *buf;
	size_t len;
	uint32_t isutc, isstd, leap, times, types, chars;
};

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t get_i64(const uint8_t *p)
{
	return (int64_t)((uint64_t)get_u32(p) << 32 | get_u32(p + 4));
}

static bool read_header(struct tzif *t, const uint8_t *buf, size_t len)
{
	if (len < TZ_HEADER || memcmp(buf, "TZif", 4) != 0)
		return false;
	*t = (struct tzif){.buf = buf + TZ_HEADER,
			   .len = len - TZ_HEADER,
			   .isutc = get_u32(buf + 20),
			   .isstd = get_u32(buf + 24),
			   .leap = get_u32(buf + 28),
			   .times = get_u32(buf + 32),
			   .types = get_u32(buf + 36),
			   .chars = get_u32(buf + 40)};
	/* A zone that counts leap seconds ("right/…") means another clock than ours. */
	return t->types > 0 && t->types <= 256 && t->isutc <= 256 && t->isstd <= 256 &&
	       t->leap == 0 && t->times <= 10000 && t->chars <= 10000;
}

static size_t body_len(const struct tzif *t, size_t width)
{
	return t->times * (width + 1) + t->types * 6 + t->chars +
	       t->leap * (width + 4) + t->isstd + t->isutc;
}

static bool type_offset(const struct tzif *t, uint32_t type, int32_t *ret)
{
	const uint8_t *types = t->buf + (size_t)t->times * 9;
	int32_t offset;

	if (type >= t->types)
		return false;
	offset = (int32_t)get_u32(types + (size_t)type * 6);
	*ret = offset;
	return offset > -TZ_OFFSET_MAX && offset < TZ_OFFSET_MAX;
}

/* The text between the two newlines that end the file, into @ret. */
static bool read_footer(const struct tzif *t, char *ret, size_t size)
{
	size_t at = body_len(t, 8), n;
	const uint8_t *end;

	if (at >= t->len || t->buf[at] != '\n')
		return false;
	end = memchr(t->buf + at + 1, '\n', t->len - at - 1);
	if (!end)
		return false;
	n = (size_t)(end - (t->buf + at + 1));
	if (n >= size)
		return false;
	memcpy(ret, t->buf + at + 1, n);
	ret[n] = '\0';
	return strlen(ret) == n;
}

static bool read_changes(const struct tzif *t, struct tz_zone *z)
{
	char text[128];
	struct footer f;
	int64_t last = INT64_MIN;
	int32_t offset;

	if (!type_offset(t, 0, &z->first))
		return false;
	for (uint32_t i = 0; i < t->times; i++) {
		int64_t at = get_i64(t->buf + (size_t)i * 8);

		if (i > 0 && at <= last)
			return false;
		last = at;
		if (!type_offset(t, t->buf[(size_t)t->times * 8 + i], &offset) ||
		    !zone_add(z, at, offset))
			return false;
	}
	if (!read_footer(t, text, sizeof(text)))
		return false;
	if (text[0] == '\0')
		return true; /* the last change holds for ever */
	return foot_parse(text, &f) && zone_add_footer(z, &f, last);
}

static struct tz_zone *zone_new(struct arena *a, uint32_t cap)
{
	struct tz_zone *z = arena_alloc(a, sizeof(*z));

	if (!z)
		return NULL;
	z->cap = cap;
	z->v = arena_array(a, cap, sizeof(*z->v));
	return z->v ? z : NULL;
}

int tz_zone_parse(const uint8_t *buf, size_t len, struct arena *a,
		  const struct tz_zone **ret)
{
	struct tz_zone *z;
	struct tzif t;
	size_t skip;

	if (!read_header(&t, buf, len) || buf[4] < '2')
		return TZ_E_UNKNOWN; /* version 1 ends in 2038 */
	skip = TZ_HEADER + body_len(&t, 4);
	if (skip > len || !read_header(&t, buf + skip, len - skip) ||
	    body_len(&t, 8) > t.len)
		return TZ_E_UNKNOWN;
	z = zone_new(a, t.times + 2 * (LAST_YEAR - FIRST_YEAR + 2));
	if (!z)
		return -ENOMEM;
	if (!read_changes(&t, z))
		return TZ_E_UNKNOWN;
	*ret = z;
	return 0;
}

static bool zone_ok(const char *zone)
{
	size_t len = strlen(zone);

	if (len < 1 || len > 64 || zone[0] == '/' || zone[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		bool alnum = (zone[i] >= 'a' && zone[i] <= 'z') ||
			     (zone[i] >= 'A' && zone[i] <= 'Z') ||
			     (zone[i] >= '0' && zone[i] <= '9');

		if (!alnum && !strchr("/_+-", zone[i]))
			return false; /* no dot: no way out of the folder */
	}
	return true;
}

static int read_zone(const char *zone, uint8_t **ret_buf, size_t *ret_len)
{
	char path[128];
	_cleanup_close_ int fd = -1;
	_cleanup_free_ uint8_t *buf = NULL;
	struct stat st;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", ZONEINFO,
		       zone); /* 64 bytes at most */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)TZ_FILE_MAX)
		return TZ_E_UNKNOWN;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	n = read(fd, buf, (size_t)st.st_size);
	if (n != st.st_size)
		return TZ_E_UNKNOWN;
	*ret_len = (size_t)n;
	*ret_buf = STEAL(buf);
	return 0;
}

int tz_zone_load(const char *name, struct arena *a, const struct tz_zone **ret)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t len;
	int r;

	if (!zone_ok(name))
		return TZ_E_UNKNOWN;
	if (str_eq(name, "UTC")) {
		*ret = zone_new(a, 0);
		return *ret ? 0 : -ENOMEM;
	}
	r = read_zone(name, &buf, &len);
	return r != 0 ? r : tz_zone_parse(buf, len, a, ret);
}

/* ------------------------------------------------------------------ use */

int64_t tz_zone_day_start(const struct tz_zone *z, int y, int m, int d)
{
	int cycles = y > LAST_YEAR - 1 ? (y - LAST_YEAR) / 400 + 1 : 0;
	int64_t local = tz_days(y - 400 * cycles, m, d) * DAY_S, start = INT64_MIN;
	int32_t offset = z->first;

	/* The first instant whose local time is not before midnight. */
	for (uint32_t i = 0; i <= z->n; i++) {
		int64_t end = i < z->n ? z->v[i].at : INT64_MAX;
		int64_t t = local - offset > start ? local - offset : start;

		if (t < end)
			return t + cycles * CYCLE_S;
		start = end;
		offset = z->v[i].offset;
	}
	return INT64_MAX; /* not reached: the last part has no end */
}

int64_t tz_zone_local(const struct tz_zone *z, int64_t utc_s)
{
	const int64_t end = tz_days(LAST_YEAR, 1, 1) * DAY_S;
	int64_t t = utc_s;
	uint32_t lo = 0, hi = z->n;

	if (t >= end)
		t -= ((t - end) / CYCLE_S + 1) * CYCLE_S;
	while (lo < hi) { /* how many changes lie at or before t */
		uint32_t mid = lo + (hi - lo) / 2;

		if (z->v[mid].at <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return utc_s + (lo == 0 ? z->first : z->v[lo - 1].offset);
}
