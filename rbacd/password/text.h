/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - a password as Unicode text: code points after NFC, as people count them. */
#pragma once

#include "policy/base.h"

/* crypt(3) takes no more: what is longer could be set and never used. */
#define PASSWORD_BYTES_MAX 511
/* In code points: no folding of so many bytes is longer. */
#define PASSWORD_TEXT_MAX 2048

struct password_text {
	size_t n;
	int32_t cp[PASSWORD_TEXT_MAX];
};

static inline void password_text_done(struct password_text *t)
{
	explicit_bzero(t, sizeof(*t));
}
#define _cleanup_password_text_ _cleanup_(password_text_done)

enum { PASSWORD_E_LONG = 1, PASSWORD_E_TEXT = 2 };

/*
 * password_text_read() - @len bytes of UTF-8 in Unicode's form NFC.
 * @fold: without the difference of capital and small letters.
 * Return: 0; PASSWORD_E_LONG; PASSWORD_E_TEXT: no UTF-8, or with a control character, a
 * line separator or a code point that is no character. Nothing is allocated.
 */
_must_check_ int password_text_read(const char *bytes, size_t len, bool fold,
				    struct password_text *ret);

/* password_text_utf8() - back to bytes. Return: how many; 0 when @cap is too small. */
size_t password_text_utf8(const struct password_text *t, char *buf, size_t cap);

/* password_text_trim() - only letters, their marks and digits stay. */
void password_text_trim(struct password_text *t);

/* password_text_count() - how many are letters, how many are digits, in any script. */
void password_text_count(const struct password_text *t, size_t *ret_letters,
			 size_t *ret_digits);
