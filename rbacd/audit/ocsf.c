/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsf.c - records as OCSF events, from one table.
 *
 * A stage that succeeded is not a logon: sshd's key and a right code are Preauth
 * (300206); only a session that opens is a Logon (300201), and so is every failure,
 * because it ends the attempt. What a person may do is an authorisation (300301).
 *
 * The texts of a record are JSON already: they are copied with their escapes.
 */
#include "rbacd/audit/ocsf.h"

#include <inttypes.h>

/* What a class needs beside the base attributes. */
enum shape { AUTHENTICATION, AUTHORIZE, ACCOUNT, ENTITY, APPLICATION, FINDING };

struct class
{
	const char *uid; /* class_uid */
	const char *name;
	const char *category_uid, *category;
};

static const struct class classes[] = {
	[AUTHENTICATION] = {"3002", "Authentication", "3",
			    "Identity & Access Management"},
	[AUTHORIZE] = {"3003", "Authorize Session", "3",
		       "Identity & Access Management"},
	[ACCOUNT] = {"3001", "Account Change", "3", "Identity & Access Management"},
	[ENTITY] = {"3004", "Entity Management", "3", "Identity & Access Management"},
	[APPLICATION] = {"6002", "Application Lifecycle", "6", "Application Activity"},
	[FINDING] = {"2004", "Detection Finding", "2", "Findings"},
};

struct activity {
	enum shape shape;
	int id;
	const char *name;
};

/* The mapping: an event's name (or its beginning, with a dot), when it went well, and
 * when not. The first line that fits counts; the last one fits all. */
static const struct {
	const char *ev;
	struct activity good, bad;
} mapping[] = {
	{"auth", {AUTHENTICATION, 6, "Preauth"}, {AUTHENTICATION, 1, "Logon"}},
	{"account", {AUTHORIZE, 1, "Assign Privileges"}, {AUTHENTICATION, 1, "Logon"}},
	{"session.open", {AUTHENTICATION, 1, "Logon"}, {AUTHENTICATION, 1, "Logon"}},
	{"session.close", {AUTHENTICATION, 2, "Logoff"}, {AUTHENTICATION, 2, "Logoff"}},
	{"admin.disable", {ACCOUNT, 5, "Disable"}, {ACCOUNT, 5, "Disable"}},
	{"admin.reset",
	 {ACCOUNT, 11, "MFA Factor Disable"},
	 {ACCOUNT, 11, "MFA Factor Disable"}},
	{"admin.remove_factor",
	 {ACCOUNT, 11, "MFA Factor Disable"},
	 {ACCOUNT, 11, "MFA Factor Disable"}},
	{"admin.enrol", {ACCOUNT, 99, "Other"}, {ACCOUNT, 99, "Other"}}, /* begun */
	{"admin.enrol_confirm",
	 {ACCOUNT, 10, "MFA Factor Enable"},
	 {ACCOUNT, 10, "MFA Factor Enable"}},
	{"admin.enrol_key",
	 {ACCOUNT, 10, "MFA Factor Enable"},
	 {ACCOUNT, 10, "MFA Factor Enable"}},
	{"enrol",
	 {ACCOUNT, 10, "MFA Factor Enable"},
	 {ACCOUNT, 10, "MFA Factor Enable"}},
	{"admin.unlock_factor", {ACCOUNT, 99, "Other"}, {ACCOUNT, 99, "Other"}},
	{"admin.resync", {ACCOUNT, 99, "Other"}, {ACCOUNT, 99, "Other"}},
	{"admin.revoke_proofs", {ACCOUNT, 99, "Other"}, {ACCOUNT, 99, "Other"}},
	{"admin.bypass",
	 {ACCOUNT, 10, "MFA Factor Enable"},
	 {ACCOUNT, 10, "MFA Factor Enable"}},
	{"policy.", {ENTITY, 3, "Update"}, {ENTITY, 3, "Update"}},
	{"daemon.start", {APPLICATION, 3, "Start"}, {APPLICATION, 3, "Start"}},
	{"daemon.stop", {APPLICATION, 4, "Stop"}, {APPLICATION, 4, "Stop"}},
	{"alert", {FINDING, 1, "Create"}, {FINDING, 1, "Create"}},
	{"", {APPLICATION, 99, "Other"}, {APPLICATION, 99, "Other"}},
};

static bool fits(const struct audit_text *ev, const char *want)
{
	size_t n = strlen(want);

	if (n == 0 || (want[n - 1] == '.' && ev->len > n))
		return memcmp(ev->p, want, n) == 0;
	return ev->len == n && memcmp(ev->p, want, n) == 0;
}

static const struct activity *find(const struct audit_view *v)
{
	const struct audit_text ev =
		v->f[AUDIT_EV].p ? v->f[AUDIT_EV] : (struct audit_text){"", 0};
	size_t i = 0;

	while (!fits(&ev, mapping[i].ev))
		i++;
	return audit_is(v, AUDIT_OUTCOME, "success") ? &mapping[i].good
						     : &mapping[i].bad;
}

/* ---------------------------------------------------------------- writing */

/* `"name":"the field",`; nothing when it is absent. */
static void put(FILE *out, const char *name, const struct audit_view *v,
		enum audit_key key)
{
	const struct audit_text *t = &v->f[key];

	if (t->p)
		(void)fprintf(out, "\"%s\":\"%.*s\",", name, (int)t->len, t->p);
}

/* The same, but the last of an object and always there. */
static void put_last(FILE *out, const char *name, const struct audit_view *v,
		     enum audit_key key, const char *absent)
{
	const struct audit_text *t = &v->f[key];

	(void)fprintf(out, "\"%s\":\"%.*s\"", name, t->p ? (int)t->len : 64,
		      t->p ? t->p : absent);
}

static int severity(const struct audit_view *v)
{
	return audit_is(v, AUDIT_SEV, "alert")	   ? 5
	       : audit_is(v, AUDIT_SEV, "warning") ? 3
	       : audit_is(v, AUDIT_SEV, "notice")  ? 2
						   : 1;
}

static void put_base(FILE *out, const struct audit_view *v, const struct activity *a)
{
	static const char *const names[] = {"Unknown", "Informational", "Low",
					    "Medium",  "High",		"Critical"};
	const struct class *c = &classes[a->shape];
	bool good = audit_is(v, AUDIT_OUTCOME, "success");

	(void)fprintf(out,
		      "{\"activity_id\":%d,\"activity_name\":\"%s\","
		      "\"category_uid\":%s,\"category_name\":\"%s\","
		      "\"class_uid\":%s,\"class_name\":\"%s\",\"type_uid\":%s%02d,"
		      "\"type_name\":\"%s: %s\",\"time\":%" PRId64
		      ",\"severity_id\":%d,\"severity\":\"%s\",\"status_id\":%d,"
		      "\"status\":\"%s\",",
		      a->id, a->name, c->category_uid, c->category, c->uid, c->name,
		      c->uid, a->id, c->name, a->name, v->ts_us / 1000, severity(v),
		      names[severity(v)], good ? 1 : 2, good ? "Success" : "Failure");
	put(out, "status_code", v, AUDIT_REASON);
	put(out, "status_detail", v, AUDIT_REASON_TEXT);
}

static void put_metadata(FILE *out, const struct audit_view *v)
{
	(void)fprintf(out,
		      "\"metadata\":{\"version\":\"" OCSF_VERSION
		      "\",\"product\":{\"name\":\"vmsec\",\"vendor_name\":\"vmsec\",");
	put_last(out, "version", v, AUDIT_SW, VMSEC_VERSION);
	(void)fputs("},\"log_name\":\"vmsec audit\",", out);
	put(out, "correlation_uid", v, AUDIT_CORR);
	put(out, "uid", v, AUDIT_ID);
	(void)fprintf(out, "\"sequence\":%" PRIu64 "}", v->seq);
}

/* Somebody unknown has no name here: the keyed hash of it is all there is. */
static void put_user(FILE *out, const char *name, const struct audit_view *v)
{
	const struct audit_text *unknown = &v->f[AUDIT_UNKNOWN_USER];

	(void)fprintf(out, ",\"%s\":{", name);
	put(out, "uid", v, AUDIT_UID);
	if (!v->f[AUDIT_USER].p && unknown->p)
		(void)fprintf(out, "\"name\":\"unknown:%.16s\"}", unknown->p + 9);
	else {
		put_last(out, "name", v, AUDIT_USER, "unknown");
		(void)fputc('}', out);
	}
}

static void put_source(FILE *out, const struct audit_view *v)
{
	const struct audit_text *src = &v->f[AUDIT_SRC];
	bool address = src->p &&
		       (memchr(src->p, '.', src->len) || memchr(src->p, ':', src->len));

	if (!src->p)
		return;
	(void)fputs(",\"src_endpoint\":{", out);
	put_last(out, address ? "ip" : "name", v, AUDIT_SRC, "");
	(void)fputc('}', out);
}

static void put_session(FILE *out, const struct audit_view *v)
{
	if (!v->f[AUDIT_SESS].p)
		return;
	(void)fputs(",\"session\":{", out);
	put_last(out, "uid", v, AUDIT_SESS, "");
	(void)fputc('}', out);
}

static void put_endpoint(FILE *out, const struct audit_view *v)
{
	(void)fputs(",\"dst_endpoint\":{", out);
	put_last(out, "hostname", v, v->f[AUDIT_VM].p ? AUDIT_VM : AUDIT_HOST,
		 "unknown");
	(void)fputc('}', out);
}

static void put_service(FILE *out, const struct audit_view *v)
{
	if (!v->f[AUDIT_SVC].p)
		return;
	(void)fputs(",\"service\":{", out);
	put_last(out, "name", v, AUDIT_SVC, "");
	(void)fputc('}', out);
}

static void put_entity(FILE *out, const struct audit_view *v)
{
	(void)fputs(",\"entity\":{\"type\":\"Policy\",", out);
	put(out, "uid", v, AUDIT_AFTER_SHA);
	put_last(out, "name", v, AUDIT_OBJECT, "policy");
	(void)fputc('}', out);
}

static void put_finding(FILE *out, const struct audit_view *v)
{
	(void)fputs(",\"finding_info\":{", out);
	put(out, "desc", v, AUDIT_REASON_TEXT);
	put(out, "title", v, AUDIT_OP);
	put_last(out, "uid", v, AUDIT_ID, "unknown");
	(void)fputc('}', out);
}

static void put_shape(FILE *out, const struct audit_view *v, enum shape shape)
{
	switch (shape) {
	case AUTHENTICATION:
		put_user(out, "user", v);
		put_endpoint(out, v);
		put_service(out, v);
		put_source(out, v);
		put_session(out, v);
		(void)fprintf(out, ",\"is_mfa\":%s",
			      v->f[AUDIT_MFA_METHOD].p ? "true" : "false");
		return;
	case AUTHORIZE:
		put_user(out, "user", v);
		put_endpoint(out, v);
		(void)fputs(",\"privileges\":[\"", out);
		if (v->f[AUDIT_PRIV].p)
			(void)fwrite(v->f[AUDIT_PRIV].p, 1, v->f[AUDIT_PRIV].len, out);
		(void)fputs("\"]", out);
		put_session(out, v);
		return;
	case ACCOUNT:
		put_user(out, "user", v);
		put_source(out, v);
		return;
	case ENTITY:
		put_entity(out, v);
		return;
	case FINDING:
		put_finding(out, v);
		return;
	case APPLICATION:
		(void)fputs(",\"app\":{\"name\":\"rbacd\",\"vendor_name\":\"vmsec\"}",
			    out);
		return;
	}
}

/* What decided, and the place in the chain: there is no attribute for either. */
static void put_unmapped(FILE *out, const struct audit_view *v)
{
	static const enum audit_key keys[] = {
		AUDIT_EV,	  AUDIT_DEC,	    AUDIT_RULE,	      AUDIT_PATH,
		AUDIT_PRIV,	  AUDIT_TARGET,	    AUDIT_ACTOR,      AUDIT_TTY,
		AUDIT_RHOST_NAME, AUDIT_POLICY_SHA, AUDIT_MFA_METHOD, AUDIT_CRED,
		AUDIT_OP,	  AUDIT_OBJECT,	    AUDIT_BEFORE_SHA, AUDIT_AFTER_SHA,
		AUDIT_DEC_SRC,
	};

	(void)fputs(",\"unmapped\":{", out);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		put(out, audit_key_name(keys[i]), v, keys[i]);
	put_last(out, "prev", v, AUDIT_PREV, "");
	(void)fputs("}}\n", out);
}

void audit_ocsf(const struct audit_view *view, FILE *out)
{
	const struct activity *a = find(view);

	put_base(out, view, a);
	put_metadata(out, view);
	put_shape(out, view, a->shape);
	put_unmapped(out, view);
}
