/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simple.h - a password with one byte for each character. libpwquality and libcrack
 * count bytes: so a character outside ASCII is one for them too, the same one each
 * time, and a neighbour of its neighbours.
 */
#pragma once

#include "rbacd/password/text.h"

struct simple_text {
	char fresh[PASSWORD_TEXT_MAX + 1];
	char old[PASSWORD_TEXT_MAX + 1];
	bool has_old; /* it was given, and it is text */
	bool same;    /* the two are the same text */
};

static inline void simple_done(struct simple_text *s)
{
	explicit_bzero(s, sizeof(*s));
}
#define _cleanup_simple_ _cleanup_(simple_done)

/* simple_read() - @old: the current password, or NULL. */
void simple_read(struct simple_text *s, const struct password_text *fresh,
		 const char *old);
