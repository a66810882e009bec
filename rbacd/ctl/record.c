/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - audit records for people: a small JSON reader, a table row, sentences. */

#include "rbacd/ctl/record.h"

#include <errno.h>

#include "rbacd/ctl/text.h"

#define NESTING_MAX 8

/* ---------------------------------------------------------------- reading */

struct reader {
	const char *p, *end;
	char *out, *out_end; /* where unescaped text goes */
};

static void skip_space(struct reader *r)
{
	while (r->p < r->end &&
	       (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char c)
{
	skip_space(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static int put(struct reader *r, char c)
{
	if (r->out == r->out_end)
		return -EINVAL;
	*r->out++ = c;
	return 0;
}

static int put_utf8(struct reader *r, uint32_t cp)
{
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	int rc = put(r, (char)(lead[n] | cp >> 6 * (n - 1)));

	for (size_t i = n - 1; i > 0 && rc == 0; i--)
		rc = put(r, (char)(0x80 | (cp >> 6 * (i - 1) & 0x3f)));
	return rc;
}

static int read_hex4(struct reader *r, uint32_t *ret)
{
	uint32_t v = 0;

	if (r->end - r->p < 4)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		char c = *r->p++;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

static int read_unicode(struct reader *r)
{
	uint32_t cp, low;

	if (read_hex4(r, &cp) != 0)
		return -EINVAL;
	if (cp >= 0xd800 && cp < 0xdc00) {
		if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
			return -EINVAL;
		r->p += 2;
		if (read_hex4(r, &low) != 0 || low < 0xdc00 || low > 0xdfff)
			return -EINVAL;
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	} else if (cp == 0 || (cp >= 0xdc00 && cp < 0xe000)) {
		return -EINVAL; /* NUL would cut the text; half a pair is none */
	}
	return put_utf8(r, cp);
}

static int read_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (r->p == r->end)
		return -EINVAL;
	if (*r->p == 'u') {
		r->p++;
		return read_unicode(r);
	}
	at = *r->p ? strchr(from, *r->p) : NULL;
	if (!at)
		return -EINVAL;
	r->p++;
	return put(r, to[at - from]);
}

/* The opening quote is taken; *ret is terminated. */
static int read_string(struct reader *r, const char **ret)
{
	int rc = 0;

	*ret = r->out;
	while (rc == 0 && r->p < r->end) {
		char c = *r->p++;

		if (c == '"')
			return put(r, '\0');
		if ((unsigned char)c < 0x20)
			return -EINVAL;
		rc = c == '\\' ? read_escape(r) : put(r, c);
	}
	return -EINVAL;
}

/* Numbers, words and nested values are kept as they are written. */
static int read_raw(struct reader *r, const char **ret)
{
	unsigned depth = 0;
	bool quoted = false;

	*ret = r->out;
	for (; r->p < r->end; r->p++) {
		char c = *r->p;

		if (!quoted && depth == 0 && (c == ',' || c == '}'))
			break;
		if (quoted && c == '\\') {
			if (put(r, c) != 0 || ++r->p == r->end)
				return -EINVAL;
			c = *r->p;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && (c == '{' || c == '[')) {
			if (++depth > NESTING_MAX)
				return -EINVAL;
		} else if (!quoted && (c == '}' || c == ']')) {
			depth--;
		}
		if (put(r, c) != 0)
			return -EINVAL;
	}
	if (quoted || depth != 0 || *ret == r->out)
		return -EINVAL;
	return put(r, '\0');
}

static int read_field(struct reader *r, struct record *rec)
{
	bool quoted;
	int rc;

	if (rec->n == RECORD_FIELDS_MAX || !take(r, '"') ||
	    read_string(r, &rec->fields[rec->n].key) != 0 || !take(r, ':'))
		return -EINVAL;
	quoted = take(r, '"');
	rec->fields[rec->n].quoted = quoted;
	rc = quoted ? read_string(r, &rec->fields[rec->n].value)
		    : read_raw(r, &rec->fields[rec->n].value);
	rec->n += rc == 0;
	return rc;
}

int record_parse(const char *line, size_t len, struct record *ret)
{
	struct reader r = {.p = line,
			   .end = line + len,
			   .out = ret->text,
			   .out_end = ret->text + sizeof(ret->text)};

	ret->n = 0;
	if (!take(&r, '{'))
		return -EINVAL;
	do {
		if (read_field(&r, ret) != 0)
			return -EINVAL;
	} while (take(&r, ','));
	if (!take(&r, '}'))
		return -EINVAL;
	skip_space(&r);
	return r.p == r.end ? 0 : -EINVAL;
}

const char *record_get(const struct record *rec, const char *key)
{
	for (size_t i = 0; i < rec->n; i++)
		if (str_eq(rec->fields[i].key, key))
			return rec->fields[i].value;
	return NULL;
}

/* ---------------------------------------------------------------- tables */

/* A row's columns: header, field, width when following; 0: as long as it is. */
static const struct {
	const char *name, *key;
	int width;
} columns[] = {
	{"seq", "seq", 7},	   {"time", "ts", 20},	 {"event", "ev", 19},
	{"outcome", "outcome", 8}, {"user", "user", 12}, {"priv", "priv", 8},
	{"vm", "vm", 18},	   {"src", "src", 20},	 {"reason", "reason", 18},
	{"rule", "rule", 16},	   {"op", "op", 10},	 {"id", "id", 0},
};

/* Seconds are enough for a table: "2026-11-21T01:50:44Z". */
static const char *short_time(const char *ts, char buf[24])
{
	if (!ts || strlen(ts) < 20)
		return ts;
	(void)snprintf(buf, 24, "%.19sZ", ts); /* 20 bytes */
	return buf;
}

int record_add_row(const struct record *rec, struct out_set *set)
{
	struct out_row *row = out_add_row(set, "records");
	char time[24];

	if (!row)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		const char *v = record_get(rec, columns[i].key);

		if (str_eq(columns[i].key, "ts"))
			v = short_time(v, time);
		if (!v)
			v = "";
		if (out_add_text(row, columns[i].name, v, strlen(v)) != 0)
			return -ENOMEM;
	}
	return 0;
}

void record_print_line(const struct record *rec, FILE *out)
{
	char time[24];

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		const char *v = record_get(rec, columns[i].key);
		size_t n;

		if (str_eq(columns[i].key, "ts"))
			v = short_time(v, time);
		n = text_print(v ? v : "-", v ? strlen(v) : 1, out);
		for (; (int)n < columns[i].width; n++)
			(void)fputc(' ', out); /* main checks the stream */
		(void)fputs(i + 1 < ARRAY_SIZE(columns) ? " " : "\n", out);
	}
}

/* ---------------------------------------------------------------- sentences */

static const struct {
	const char *reason, *text;
} meanings[] = {
	{"bad_otp",
	 "The code was wrong or missing. Phone and host must agree on the time."},
	{"otp_replay",
	 "This code had been used before. Each code works once; wait for the "
	 "next. If nobody typed it twice, somebody saw it: look at the source."},
	{"otp_window", "The code belongs to another time. Set the phone's clock."},
	{"not_enrolled", "There is no active second factor: rbacctl enrol USER"},
	{"factor_locked",
	 "Too many wrong codes: no code is looked at for a while. rbacctl "
	 "users shows until when; rbacctl reset USER ends it."},
	{"factor_disabled",
	 "The second factor is disabled: rbacctl reset USER, then enrol."},
	{"blind_conversation",
	 "The program answered our question with the password, or with "
	 "nothing a code looks like. For sshd use keyboard-interactive "
	 "instead of password authentication."},
	{"acct_disabled", "The account is disabled in the directory."},
	{"acct_expired", "The account has expired in the directory."},
	{"acct_dormant", "The account was not used for too long."},
	{"unknown_user", "The directory knows nobody of that name."},
	{"no_grant", "No grant of the policy gives this privilege on this VM."},
	{"grant_expired", "The grant that would fit is over, or has not begun."},
	{"outside_hours",
	 "The grant that would fit does not cover this time of the week."},
	{"src_not_allowed",
	 "The grant that would fit does not cover this source address."},
	{"vm_unknown", "The policy's inventory has no such VM."},
	{"service_unknown",
	 "No privilege belongs to this PAM service: see services: in the "
	 "policy."},
	{"denied", "A deny rule of the policy names this person."},
	{"locked", "A lock is in force."},
	{"mfa_required",
	 "A second factor was required and none was given. A login by key "
	 "alone never asks: sshd needs AuthenticationMethods "
	 "publickey,keyboard-interactive:pam."},
	{"mfa_stale", "The last code is too long ago for this privilege."},
	{"no_policy", "No valid policy was loaded: rbacctl policy check"},
	{"policy_error", "No valid policy was loaded: rbacctl policy check"},
	{"directory_incomplete",
	 "A group's member list could not be read, so grants that "
	 "name it gave nothing: rbacctl status"},
	{"directory_stale", "The directory data was too old: rbacctl status"},
	{"clock_unsynced", "The clock could not be trusted: rbacctl status"},
	{"rate_limited", "Too many failures from this source before a first factor was "
			 "proven."},
	{"pw_unchecked", "The new password could not be checked: look at rbacd's log."},
	{"pw_empty", "No new password was typed."},
	{"pw_mismatch", "The new password was typed twice, not the same."},
	{"pw_too_short", "The new password was too short."},
	{"pw_too_long", "The new password was too long."},
	{"pw_bad_text", "The new password was no text, or had control characters."},
	{"pw_class", "Kinds of characters were missing in the new password."},
	{"pw_repeat", "The new password repeated a character too often."},
	{"pw_sequence", "The new password had a run such as abcd or 4321."},
	{"pw_same", "The new password was the current one."},
	{"pw_similar", "The new password was too much like the current one."},
	{"pw_blocklisted", "The new password is a common or leaked one."},
	{"pw_dictionary", "The new password was based on a word of the dictionary."},
	{"pw_personal", "The new password was a name of the person, host or house."},
	{"pw_reused", "The new password had been used before."},
	{"pw_too_soon", "The password had been changed a short while ago."},
	{"pw_no_rules", "The policy had no 'password' section."},
	{"pw_unconfirmed",
	 "A changed password was reported without a ticket that holds: "
	 "what changed it was not judged here."},
	{"pw_expired", "The password was older than the policy allows."},
	{"pw_reset", "Somebody else had set the password."},
	{"pw_demanded",
	 "An administrator demanded a new password: rbacctl password status"},
	{"internal", "rbacd could not finish the request: look at its log."},
};

const char *record_reason(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (str_eq(meanings[i].reason, reason))
			return meanings[i].text;
	return NULL;
}

/* Prints @before, the field, @after; nothing when the field is absent. */
static void phrase(const struct record *rec, const char *before, const char *key,
		   const char *after, FILE *out)
{
	const char *v = record_get(rec, key);

	if (!v || !*v)
		return;
	(void)fputs(before, out);
	(void)text_print(v, strlen(v), out);
	(void)fputs(after, out);
}

/* "alice was refused ssh to postgres on db01 from 10.0.0.1" */
static void print_decision(const struct record *rec, FILE *out)
{
	bool allowed = str_eq(record_get(rec, "dec"), "allow");

	if (record_get(rec, "user"))
		phrase(rec, "", "user", "", out);
	else
		(void)fputs("somebody unknown", out); /* main checks the stream */
	(void)fputs(allowed ? " was allowed " : " was refused ", out);
	phrase(rec, "", "priv", "", out);
	phrase(rec, " to ", "target", "", out);
	phrase(rec, " on ", "vm", "", out);
	phrase(rec, " from ", "src", "", out);
	phrase(rec, " (", "ev", "", out);
}

/* "admin.reset, about alice: success" */
static void print_event(const struct record *rec, FILE *out)
{
	phrase(rec, "", "ev", "", out);
	phrase(rec, ", about ", "user", "", out);
	phrase(rec, ": ", "outcome", "", out);
	(void)fputs(" (host ", out);
	phrase(rec, "", "host", "", out);
}

void record_explain(const struct record *rec, FILE *out)
{
	const char *reason = record_get(rec, "reason");
	const char *meaning = record_reason(reason);
	char time[24];
	const char *ts = short_time(record_get(rec, "ts"), time);

	(void)fputs("On ", out); /* main checks the stream */
	(void)text_print(ts ? ts : "?", ts ? strlen(ts) : 1, out);
	(void)fputc(' ', out);
	if (record_get(rec, "dec"))
		print_decision(rec, out);
	else
		print_event(rec, out);
	phrase(rec, ", service ", "svc", "", out);
	phrase(rec, ", op ", "op", "", out);
	phrase(rec, ", record ", "seq", ").\n", out);
	phrase(rec, "Reason: ", "reason", "", out);
	if (meaning)
		(void)fprintf(out, " - %s", meaning);
	(void)fputs(reason ? "\n" : "", out);
	phrase(rec, "Rule: ", "rule", "\n", out);
	phrase(rec,
	       str_eq(record_get(rec, "dec"), "allow") ? "Path: " : "Near misses: ",
	       "path", "\n", out);
	phrase(rec, "Proof: ", "mfa_method", "\n", out);
	phrase(rec, "Wrong codes in a row: ", "fails", "\n", out);
	phrase(rec, "Asked by: ", "actor", "\n", out);
	phrase(rec, "Why: ", "reason_text", "\n", out);
	phrase(rec, "Policy: serial ", "policy_serial", "", out);
	phrase(rec, ", sha256 ", "policy_sha", "\n", out);
	phrase(rec, "Directory: ", "dec_src", "", out);
	phrase(rec, ", ", "snapshot_age_s", " s old\n", out);
}
