/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quality.h - is a new password good enough? A pure function of rules, facts and the
 * candidate; the mapped blocklist is all it reads. It runs in the worker child.
 */
#pragma once

#include "policy/policy.h"

struct blocklist;

/* Why a password is refused. Zero and unknown values refuse; FITS is no flipped bit. */
enum password_reason {
	PASSWORD_UNCHECKED = 0, /* not looked at, or the check failed */
	PASSWORD_EMPTY,
	PASSWORD_TOO_SHORT,
	PASSWORD_TOO_LONG,
	PASSWORD_BAD_TEXT,    /* no UTF-8, or control characters */
	PASSWORD_FEW_CLASSES, /* kinds of characters are missing */
	PASSWORD_REPEATS,     /* one character too often in a row */
	PASSWORD_SEQUENCE,    /* abcd, 4321, or the same backwards */
	PASSWORD_SAME_AS_OLD, /* the current one */
	PASSWORD_TOO_SIMILAR, /* to the current one */
	PASSWORD_BLOCKED,     /* in the blocklist */
	PASSWORD_DICTIONARY,  /* based on a word of the dictionary */
	PASSWORD_PERSONAL,    /* user name, real name, host or organisation word */
	PASSWORD_IN_HISTORY,  /* used before; not of quality_check() */
	PASSWORD_TOO_YOUNG,   /* changed a short while ago; not of quality_check() */
	PASSWORD_MISMATCH,    /* typed twice, not the same; not of quality_check() */
	PASSWORD_NO_RULES, /* the policy has no `password:`; not of quality_check() */
	PASSWORD_REASON_N,
	PASSWORD_FITS = 0x2b7e1516,
};

/* What is known beside the candidate; NULL: not known. All borrowed. */
struct password_facts {
	const char *user;
	const char *real_name;
	const char *host;
	const char *old; /* the current password, when it was typed */
};

/*
 * quality_check() - judge a candidate.
 * @rules:     of the installation.
 * @candidate: @len bytes, any byte; not terminated.
 * @blocklist: NULL: none is there; refuses where the rules demand one.
 * @ret: PASSWORD_FITS or the first reason against it; written only on success.
 * Return: 0; negative errno, which refuses.
 */
_must_check_ int quality_check(const struct password_rules *rules,
			       const struct password_facts *facts,
			       const char *candidate, size_t len,
			       const struct blocklist *blocklist,
			       enum password_reason *ret);

/* quality_dictionary_folder() - where libcrack reads its dictionary, for a sandbox, in
 * @buf: distributions differ. */
const char *quality_dictionary_folder(char *buf, size_t cap);

/* quality_find_dictionary() - Return: 0 when it is there; negative errno. */
_must_check_ int quality_find_dictionary(void);

/* quality_listed() - is it in the list: as typed, in NFC, or without capital letters?
 * Return: 0 and *ret; negative errno. */
_must_check_ int quality_listed(const struct blocklist *blocklist,
				const char *candidate, size_t len, bool *ret);

/*
 * quality_reason_name() - the stable identifier of the audit log, in the order above:
 * pw_unchecked, pw_empty, pw_too_short, pw_too_long, pw_bad_text, pw_class, pw_repeat,
 * pw_sequence, pw_same, pw_similar, pw_blocklisted, pw_dictionary, pw_personal,
 * pw_reused, pw_too_soon, pw_mismatch, pw_no_rules.
 */
const char *quality_reason_name(enum password_reason reason);

#define QUALITY_TEXT_MAX 256
/* quality_reason_text() - a refusal as one sentence, with the rules' figures. */
void quality_reason_text(enum password_reason reason,
			 const struct password_rules *rules,
			 char buf[QUALITY_TEXT_MAX]);
/* quality_guidance() - what will be asked of a password, in one or two lines. */
void quality_guidance(const struct password_rules *rules, char buf[QUALITY_TEXT_MAX]);
