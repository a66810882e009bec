/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dn.h - distinguished names: read per RFC 4514, written in one normal form.
 *
 * Two names are equal when their normal forms are the same bytes. The normal form is
 * itself a name of RFC 4514: types small and by their short name, several values of one
 * RDN sorted, values prepared by the matching rule of their type.
 *
 * caseIgnoreMatch (cn, ou, uid, dc and the like): UTF-8; letters of Latin, Greek
 * and Cyrillic small, blanks trimmed and joined. Not done of RFC 4518:
 * normalisation of composed letters. Where it would matter the names differ, so nobody
 * is taken for somebody else. All other types: the exact bytes.
 */
#pragma once

#include "policy/base.h"

enum { DN_E_INVALID = 1 };

#define DN_MAX	      1024		/* bytes of a name as a server writes it */
#define DN_NORMAL_MAX (3 * DN_MAX + 16) /* every byte may need an escape */
#define DN_RDNS_MAX   64

struct dn {
	size_t len;
	char text[DN_NORMAL_MAX + 1]; /* normal form; "" is the root of the tree */
};

/*
 * dn_read() - @len bytes, a name of RFC 4514; blanks around separators are allowed, old
 * forms (quotes, semicolons, "OID.") are not.
 * Return: 0; DN_E_INVALID, also for what is longer than DN_MAX.
 */
_must_check_ int dn_read(const char *text, size_t len, struct dn *ret);

/* dn_read_unique() - Name And Optional UID (RFC 4517 3.3.21): the name's part of it. */
_must_check_ int dn_read_unique(const char *text, size_t len, struct dn *ret);

/* dn_is_below() - @dn is @base or below it. The root is nobody's base: false. */
bool dn_is_below(const struct dn *dn, const struct dn *base);

/*
 * dn_fold() - a value as caseIgnoreMatch compares it, into @ret of @size bytes, ended
 * with NUL. Return: its length; SIZE_MAX when it is no UTF-8, holds NUL or is too long.
 */
size_t dn_fold(const char *text, size_t len, char *ret, size_t size);
