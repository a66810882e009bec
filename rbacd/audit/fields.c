/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c - the fields of a record: names in their order, and values taken out. */
#include "rbacd/audit/audit_internal.h"

static const struct {
	const char *name;
	const char *token; /* as it stands in a line: "name": */
	size_t len;	   /* of the token */
} names[AUDIT_KEYS] = {
#define KEY(key, text) [key] = {text, "\"" text "\":", sizeof(text) + 2}
	KEY(AUDIT_V, "v"),
	KEY(AUDIT_SEQ, "seq"),
	KEY(AUDIT_PREV, "prev"),
	KEY(AUDIT_TS, "ts"),
	KEY(AUDIT_CLOCK, "clock"),
	KEY(AUDIT_EV, "ev"),
	KEY(AUDIT_SEV, "sev"),
	KEY(AUDIT_ID, "id"),
	KEY(AUDIT_CORR, "corr"),
	KEY(AUDIT_HOST, "host"),
	KEY(AUDIT_COMP, "comp"),
	KEY(AUDIT_SW, "sw"),
	KEY(AUDIT_OUTCOME, "outcome"),
	KEY(AUDIT_REASON, "reason"),
	KEY(AUDIT_USER, "user"),
	KEY(AUDIT_UNKNOWN_USER, "unknown_user"),
	KEY(AUDIT_UID, "uid"),
	KEY(AUDIT_ACTOR, "actor"),
	KEY(AUDIT_SVC, "svc"),
	KEY(AUDIT_TTY, "tty"),
	KEY(AUDIT_SRC, "src"),
	KEY(AUDIT_RHOST_NAME, "rhost_name"),
	KEY(AUDIT_VM, "vm"),
	KEY(AUDIT_PRIV, "priv"),
	KEY(AUDIT_TARGET, "target"),
	KEY(AUDIT_DEC, "dec"),
	KEY(AUDIT_RULE, "rule"),
	KEY(AUDIT_PATH, "path"),
	KEY(AUDIT_POLICY_SERIAL, "policy_serial"),
	KEY(AUDIT_POLICY_SHA, "policy_sha"),
	KEY(AUDIT_DEC_SRC, "dec_src"),
	KEY(AUDIT_SNAPSHOT_AGE_S, "snapshot_age_s"),
	KEY(AUDIT_LAT_US, "lat_us"),
	KEY(AUDIT_MFA_METHOD, "mfa_method"),
	KEY(AUDIT_CRED, "cred"),
	KEY(AUDIT_T_DELTA, "t_delta"),
	KEY(AUDIT_FAILS, "fails"),
	KEY(AUDIT_SESS, "sess"),
	KEY(AUDIT_EXPIRES, "expires"),
	KEY(AUDIT_OP, "op"),
	KEY(AUDIT_OBJECT, "object"),
	KEY(AUDIT_BEFORE_SHA, "before_sha"),
	KEY(AUDIT_AFTER_SHA, "after_sha"),
	KEY(AUDIT_REASON_TEXT, "reason_text"),
	KEY(AUDIT_COUNT, "count"),
#undef KEY
};

const char *audit_key_name(enum audit_key key)
{
	return names[key].name;
}

int audit_key_at(const char *p, size_t left, int from, size_t *ret_len)
{
	for (int i = from; i < AUDIT_KEYS; i++) {
		const char *token = names[i].token;

		/* Most differ in the first two letters: a call costs more than those.
		 */
		if (left >= names[i].len && p[1] == token[1] && p[2] == token[2] &&
		    memcmp(p, token, names[i].len) == 0) {
			*ret_len = names[i].len;
			return i;
		}
	}
	return -1;
}

bool audit_is(const struct audit_view *view, enum audit_key key, const char *text)
{
	const struct audit_text *t = &view->f[key];

	return t->p && t->len == strlen(text) && memcmp(t->p, text, t->len) == 0;
}

int64_t audit_int(const struct audit_view *view, enum audit_key key, int64_t absent)
{
	const struct audit_text *t = &view->f[key];
	bool minus = t->p && t->len > 0 && t->p[0] == '-';
	uint64_t v = 0;

	if (!t->p)
		return absent;
	for (size_t i = minus; i < t->len; i++) /* canonical: the reader saw to it */
		v = v * 10 + (uint64_t)(t->p[i] - '0');
	return minus ? -(int64_t)v : (int64_t)v;
}

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
	return v;
}

/* One character at @p, escaped or not, as UTF-8; the bytes of the line it took. */
static size_t take_char(const char *p, size_t left, char out[4], size_t *ret_len)
{
	uint32_t c;
	size_t took = 6;

	if (p[0] != '\\') {
		*ret_len = audit_utf8((const uint8_t *)p, left, &c);
		*ret_len = *ret_len ? *ret_len : 1;
		memcpy(out, p, *ret_len);
		return *ret_len;
	}
	if (p[1] != 'u') {
		out[0] = p[1];
		*ret_len = 1;
		return 2;
	}
	c = hex4(p + 2);
	if (c >= 0xd800 && c < 0xdc00 && left >= 12) {
		c = 0x10000 + ((c - 0xd800) << 10 | (hex4(p + 8) & 0x3ff));
		took = 12;
	}
	*ret_len = audit_put_utf8(c, out);
	return took;
}

size_t audit_get(const struct audit_view *view, enum audit_key key, char *buf,
		 size_t cap)
{
	const struct audit_text *t = &view->f[key];
	size_t used = 0, n = 0;
	char c[4];

	for (size_t i = 0; t->p && i < t->len; used += n) {
		i += take_char(t->p + i, t->len - i, c, &n);
		if (used + n + 1 > cap)
			break;
		memcpy(buf + used, c, n);
	}
	if (cap > 0)
		buf[used] = '\0';
	return used;
}
