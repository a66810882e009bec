/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - an event as one canonical JSON line: fixed key order, bounded, escaped. */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <time.h>

static const char *const reasons[] = {
	"bad_otp",
	"otp_replay",
	"otp_window",
	"not_enrolled",
	"factor_locked",
	"factor_disabled",
	"blind_conversation",
	"acct_disabled",
	"acct_expired",
	"acct_dormant",
	"unknown_user",
	"no_grant",
	"grant_expired",
	"review_overdue",
	"outside_hours",
	"src_not_allowed",
	"vm_unknown",
	"service_unknown",
	"session_limit",
	"separation",
	"locked",
	"denied",
	"no_policy",
	"mfa_required",
	"mfa_stale",
	"policy_error",
	"directory_incomplete",
	"directory_stale",
	"clock_unsynced",
	"rate_limited",
	"exemption_expired",
	"pw_too_short",
	"pw_too_long",
	"pw_blocklisted",
	"pw_reused",
	"pw_class",
	"pw_similar",
	"pw_too_soon",
	"pw_empty",
	"pw_bad_text",
	"pw_repeat",
	"pw_sequence",
	"pw_same",
	"pw_dictionary",
	"pw_personal",
	"pw_mismatch",
	"pw_no_rules",
	"pw_unchecked",
	"pw_expired",
	"pw_reset",
	"pw_demanded",
	"pw_unconfirmed",
	"internal",
};

static const char *reason_find(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (str_eq(reasons[i], reason))
			return reasons[i];
	return NULL;
}

bool audit_reason_known(const char *reason)
{
	return reason_find(reason) != NULL;
}

const char *audit_reason(const char *reason)
{
	const char *known = reason_find(reason);

	return known ? known : "internal";
}

void audit_hex(const uint8_t *p, size_t len, char *ret)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digit[p[i] >> 4];
		ret[2 * i + 1] = digit[p[i] & 15];
	}
	ret[2 * len] = '\0';
}

/* @n decimal digits and the character after them. */
static char *put_digits(char *p, int v, int n, char after)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	p[n] = after;
	return p + n + 1;
}

/* By hand: it runs for every record, appended and verified. */
int audit_time(int64_t now_us, char ret[AUDIT_TIME_LEN + 1])
{
	time_t s = (time_t)(now_us / 1000000);
	struct tm tm;
	char *p = ret;

	if (now_us < 0 || !gmtime_r(&s, &tm) || tm.tm_year > 9999 - 1900)
		return -ERANGE;
	p = put_digits(p, tm.tm_year + 1900, 4, '-');
	p = put_digits(p, tm.tm_mon + 1, 2, '-');
	p = put_digits(p, tm.tm_mday, 2, 'T');
	p = put_digits(p, tm.tm_hour, 2, ':');
	p = put_digits(p, tm.tm_min, 2, ':');
	p = put_digits(p, tm.tm_sec, 2, '.');
	p = put_digits(p, (int)(now_us % 1000000), 6, 'Z');
	*p = '\0';
	return 0;
}

size_t audit_utf8(const uint8_t *p, size_t len, uint32_t *ret)
{
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
				 : 4;
	uint32_t c;

	if (n == 0 || p[0] > 0xf4 || n > len)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

size_t audit_put_utf8(uint32_t c, char out[4])
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	out[0] = (char)(lead[n] | c >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		out[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	return n;
}

/* What could move a cursor, hide, or turn the direction of the text around it. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c <= 0x9f) ||
	       c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffd) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0000 && c <= 0xe0fff);
}

static size_t put_unicode(uint32_t c, char out[13])
{
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c < 0x10000)
		return (size_t)snprintf(out, 13, "\\u%04x", c & 0xffff);
	c -= 0x10000;
	return (size_t)snprintf(out, 13, "\\u%04x\\u%04x", 0xd800 | (c >> 10 & 0x3ff),
				0xdc00 | (c & 0x3ff));
}

/* Printable ASCII that JSON takes as it is: nearly every byte of every record. */
static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static size_t plain_run(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && is_plain(p[n]))
		n++;
	return n;
}

size_t audit_escape(const char *text, size_t len, char *buf, size_t cap)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t used = 0, i = 0;

	if (cap == 0)
		return 0;
	while (i < len) {
		char esc[13];
		uint32_t c = 0;
		size_t run = plain_run(p + i, len - i);
		size_t n, need;
		bool raw;

		run = run < cap - 1 - used ? run : cap - 1 - used;
		memcpy(buf + used, p + i, run);
		used += run;
		i += run;
		if (i == len)
			break;
		n = audit_utf8(p + i, len - i, &c);
		raw = n > 0 && !is_unsafe(c);
		need = raw ? n : put_unicode(n > 0 ? c : 0xfffd, esc);
		if (used + need + 1 > cap)
			break;
		memcpy(buf + used, raw ? (const char *)p + i : esc, need);
		used += need;
		i += n > 0 ? n : 1;
	}
	buf[used] = '\0';
	return used;
}

/* A line under construction. @shrink halves the room of optional text at each round. */
struct out {
	char *buf;
	size_t len;
	size_t cap;
	unsigned shrink;
	bool full;
};

static void put_raw(struct out *o, const char *s, size_t len)
{
	if (o->full || o->len + len > o->cap) {
		o->full = true;
		return;
	}
	memcpy(o->buf + o->len, s, len);
	o->len += len;
}

/* Keys come in the order of enum audit_key; the line's parser refuses any other. */
static void put_key(struct out *o, const char *key)
{
	if (o->len > 1)
		put_raw(o, ",", 1);
	put_raw(o, "\"", 1);
	put_raw(o, key, strlen(key));
	put_raw(o, "\":", 2);
}

/* At most @max escaped bytes of @text. */
static void put_text(struct out *o, const char *key, const char *text, size_t max)
{
	size_t room, n;

	if (!text || text[0] == '\0' || max == 0)
		return;
	put_key(o, key);
	put_raw(o, "\"", 1);
	if (o->full)
		return;
	room = o->cap - o->len;
	n = audit_escape(text, strnlen(text, max), o->buf + o->len,
			 (max < room ? max : room) + 1);
	/* Cut by the end of the line and not by @max: shrink. No escape is over 12. */
	o->full = room < max && n + 12 > room;
	o->len += n;
	put_raw(o, "\"", 1);
}

/* Text that a person can do without: shrinks, and in the end is left out. */
static void put_optional(struct out *o, const char *key, const char *text, size_t max)
{
	put_text(o, key, text, max >> o->shrink);
}

/* By hand: snprintf() would be a fifth of a record. */
static void put_int(struct out *o, const char *key, int64_t v)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char num[24];
	size_t at = sizeof(num);

	do
		num[--at] = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		num[--at] = '-';
	put_key(o, key);
	put_raw(o, num + at, sizeof(num) - at);
}

static void put_number(struct out *o, const char *key, int64_t v)
{
	if (v >= 0)
		put_int(o, key, v);
}

static const char *sev_name(enum audit_sev sev)
{
	switch (sev) {
	case AUDIT_INFO:
		return "info";
	case AUDIT_NOTICE:
		return "notice";
	case AUDIT_WARNING:
		return "warning";
	case AUDIT_ALERT:
		return "alert";
	}
	return "alert";
}

static const char *outcome_name(enum audit_outcome outcome)
{
	switch (outcome) {
	case AUDIT_SUCCESS:
		return "success";
	case AUDIT_UNKNOWN:
		return "unknown";
	case AUDIT_FAILURE:
		return "failure";
	}
	return "failure";
}

static void put_head(struct out *o, const struct audit_event *ev,
		     const struct audit_stamp *st, const char *ts)
{
	char prev[2 * AUDIT_HASH_LEN + 1];

	audit_hex(st->prev, AUDIT_HASH_LEN, prev);
	put_int(o, "v", 1);
	put_int(o, "seq", (int64_t)st->seq);
	put_text(o, "prev", prev, 64);
	put_text(o, "ts", ts, AUDIT_TIME_LEN);
	put_text(o, "clock",
		 st->clock_back	      ? "back"
		 : st->clock_unsynced ? "unsynced"
				      : NULL,
		 8);
	put_text(o, "ev", ev->ev, 32);
	put_text(o, "sev", sev_name(ev->sev), 8);
	put_text(o, "id", st->id, AUDIT_ID_MAX);
	put_text(o, "corr", ev->corr, 32);
	put_text(o, "host", st->host, 128);
	put_text(o, "comp", "rbacd", 8);
	put_text(o, "sw", VMSEC_VERSION, 16);
	put_text(o, "outcome", outcome_name(ev->outcome), 8);
	if (ev->reason && ev->reason[0] != '\0')
		put_text(o, "reason", audit_reason(ev->reason), 24);
}

static void put_unknown_user(struct out *o, const struct audit_event *ev,
			     const struct audit_stamp *st)
{
	char val[64];
	int n;

	if (!ev->unknown_user || ev->unknown_user[0] == '\0' || !st->user_hash)
		return;
	n = snprintf(val, sizeof(val), "{\"hash\":\"%.16s\",\"len\":%zu}",
		     st->user_hash, strlen(ev->unknown_user));
	put_key(o, "unknown_user");
	put_raw(o, val, (size_t)n);
}

static void put_who(struct out *o, const struct audit_event *ev,
		    const struct audit_stamp *st)
{
	put_text(o, "user", ev->user, 64);
	put_unknown_user(o, ev, st);
	put_text(o, "uid", ev->uid, STORE_ID_MAX);
	put_optional(o, "actor", ev->actor, 96);
	put_text(o, "svc", ev->svc, 64);
	put_optional(o, "tty", ev->tty, 64);
	put_text(o, "src", ev->src, 64);
	put_optional(o, "rhost_name", ev->rhost_name, 128);
	put_text(o, "vm", ev->vm, 128);
	put_text(o, "priv", ev->priv, 32);
	put_optional(o, "target", ev->target, 64);
}

static void put_time(struct out *o, const char *key, int64_t at_s)
{
	char text[AUDIT_TIME_LEN + 1];

	if (at_s > 0 && at_s <= INT64_MAX / 1000000 &&
	    audit_time(at_s * 1000000, text) == 0)
		put_text(o, key, text, AUDIT_TIME_LEN);
}

static void put_what(struct out *o, const struct audit_event *ev)
{
	put_text(o, "dec", ev->dec, 16);
	put_text(o, "rule", ev->rule, 64);
	put_optional(o, "path", ev->path, 480);
	put_number(o, "policy_serial", ev->policy_serial);
	put_text(o, "policy_sha", ev->policy_sha, 64);
	put_text(o, "dec_src", ev->dec_src, 16);
	put_number(o, "snapshot_age_s", ev->snapshot_age_s);
	put_number(o, "lat_us", ev->lat_us);
	put_text(o, "mfa_method", ev->mfa_method, 16);
	put_text(o, "cred", ev->cred, 48);
	if (ev->t_delta != INT64_MIN)
		put_int(o, "t_delta", ev->t_delta);
	put_number(o, "fails", ev->fails);
	put_text(o, "sess", ev->sess, 40);
	put_time(o, "expires", ev->expires_s);
	put_text(o, "op", ev->op, 32);
	put_optional(o, "object", ev->object, 256);
	put_text(o, "before_sha", ev->before_sha, 64);
	put_text(o, "after_sha", ev->after_sha, 64);
	put_optional(o, "reason_text", ev->reason_text, 256);
	put_number(o, "count", ev->count);
}

int audit_render(const struct audit_event *ev, const struct audit_stamp *st,
		 char buf[AUDIT_LINE_MAX + 1], size_t *ret_len)
{
	char ts[AUDIT_TIME_LEN + 1];
	int r = audit_time(st->now_us, ts);

	if (r != 0)
		return r;
	for (unsigned shrink = 0; shrink < 10; shrink++) {
		struct out o = {.buf = buf, .cap = AUDIT_LINE_MAX, .shrink = shrink};

		put_raw(&o, "{", 1);
		put_head(&o, ev, st, ts);
		put_who(&o, ev, st);
		put_what(&o, ev);
		put_raw(&o, "}", 1);
		if (o.full)
			continue;
		buf[o.len] = '\0';
		*ret_len = o.len;
		return 0;
	}
	return -EMSGSIZE;
}
