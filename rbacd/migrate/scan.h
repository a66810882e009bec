/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - lines, words and numbers of a text of unknown origin. */
#pragma once

#include "rbacd/migrate/migrate.h"

struct span {
	const char *p; /* borrowed; not ended by NUL */
	size_t len;
};

/* scan_line() - cut the next line off @rest, without its end; false: no more. */
bool scan_line(struct span *rest, struct span *ret);
/* scan_word() - cut the next word (no blanks) off @rest; false: no more. */
bool scan_word(struct span *rest, struct span *ret);
/* scan_after() - cut @prefix off; false: it does not begin so. */
bool scan_after(struct span *s, const char *prefix);
/* scan_is() - the same bytes; scan_same() - ASCII letters of either case. */
bool scan_is(struct span s, const char *text);
bool scan_same(struct span s, const char *text);
/* scan_number() - decimal digits alone, at most @max. */
bool scan_number(struct span s, int64_t max, int64_t *ret);
/* scan_plain() - nothing but printable ASCII and blanks. */
bool scan_plain(struct span s);
/* scan_login() - into @e; false: no login that could exist. */
bool scan_login(struct span s, struct migrate_entry *e);

/* Into a secret of FACTOR_SEED_MAX bytes at most; false: malformed or too long. */
bool scan_base32(struct span s, struct secret *ret);
bool scan_hex(struct span s, struct secret *ret);
bool scan_base64(struct span s, struct secret *ret);

/* scan_seed() - set e->skip when the seed is of no use: empty, too short, too long. */
void scan_seed(struct migrate_entry *e, bool read);
