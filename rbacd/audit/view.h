/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - one stored line, read: its fields where they stand, nothing copied.
 *
 * The same strict reader serves the verifier, the exports and the reports: a line that
 * is not canonical is refused, never half understood.
 */
#pragma once

#include "policy/base.h"

#define AUDIT_LINE_MAX 2048
#define AUDIT_HASH_LEN 32

/* Every top-level key, in the order of a line; names in fields.c. */
enum audit_key {
	AUDIT_V,
	AUDIT_SEQ,
	AUDIT_PREV,
	AUDIT_TS,
	AUDIT_CLOCK,
	AUDIT_EV,
	AUDIT_SEV,
	AUDIT_ID,
	AUDIT_CORR,
	AUDIT_HOST,
	AUDIT_COMP,
	AUDIT_SW,
	AUDIT_OUTCOME,
	AUDIT_REASON,
	AUDIT_USER,
	AUDIT_UNKNOWN_USER,
	AUDIT_UID,
	AUDIT_ACTOR,
	AUDIT_SVC,
	AUDIT_TTY,
	AUDIT_SRC,
	AUDIT_RHOST_NAME,
	AUDIT_VM,
	AUDIT_PRIV,
	AUDIT_TARGET,
	AUDIT_DEC,
	AUDIT_RULE,
	AUDIT_PATH,
	AUDIT_POLICY_SERIAL,
	AUDIT_POLICY_SHA,
	AUDIT_DEC_SRC,
	AUDIT_SNAPSHOT_AGE_S,
	AUDIT_LAT_US,
	AUDIT_MFA_METHOD,
	AUDIT_CRED,
	AUDIT_T_DELTA,
	AUDIT_FAILS,
	AUDIT_SESS,
	AUDIT_EXPIRES,
	AUDIT_OP,
	AUDIT_OBJECT,
	AUDIT_BEFORE_SHA,
	AUDIT_AFTER_SHA,
	AUDIT_REASON_TEXT,
	AUDIT_COUNT,
	AUDIT_KEYS,
};

/* Borrowed from the line; JSON escapes as they stand. NULL: the field is absent. */
struct audit_text {
	const char *p;
	size_t len;
};

struct audit_view {
	uint64_t seq;
	int64_t ts_us; /* microseconds since 1970 UTC */
	bool clock_back;
	uint8_t prev[AUDIT_HASH_LEN];
	struct audit_text f[AUDIT_KEYS]; /* numbers as their digits */
};

/*
 * audit_view_parse() - strict: one flat object (unknown_user alone nests), known keys
 * in the fixed order, v seq prev ts present, canonical numbers and time, valid UTF-8,
 * no raw control byte, nothing after it.
 * @line: borrowed by @ret.
 * Return: 0; -EBADMSG and *ret_why, static text.
 */
_must_check_ int audit_view_parse(const char *line, size_t len, struct audit_view *ret,
				  const char **ret_why);

/* A reader of records, in order. Non-zero stops the reading. */
typedef int audit_view_fn(const struct audit_view *view, void *arg);

/* audit_key_name() - "user" for AUDIT_USER; static. */
const char *audit_key_name(enum audit_key key);
/* audit_key_at() - the key, not before @from, whose `"name":` @p begins with; -1: none.
 */
int audit_key_at(const char *p, size_t left, int from, size_t *ret_len);

/* audit_is() - the field is there and is exactly @text (which needs no escape). */
bool audit_is(const struct audit_view *view, enum audit_key key, const char *text);
/* audit_int() - a number's value; @absent when the field is not there. */
int64_t audit_int(const struct audit_view *view, enum audit_key key, int64_t absent);
/*
 * audit_get() - the field as UTF-8 without escapes, cut at whole characters. What was
 * escaped because it is dangerous to show is dangerous again: escape for the output.
 * Return: bytes written without the NUL; 0 and "" when absent.
 */
size_t audit_get(const struct audit_view *view, enum audit_key key, char *buf,
		 size_t cap);
