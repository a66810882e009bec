/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pamedit.h - our lines into a service's own file, and out of it again.
 *
 * In: the file's text and a profile. Out: the new text, in which every line of ours
 * lies between marker comments, and a line that ours stand for is kept there as a
 * comment; so taking them out gives back the text as it was. Where the auth line and
 * the confirmation go is not guessed: places are tried until the walk (pamwalk.h,
 * pamrules.h) finds nothing wrong with one.
 */
#pragma once

#include "policy/diag.h"

#define PAMEDIT_BEGIN "# vmsec: begin"
#define PAMEDIT_END   "# vmsec: end"

enum {
	PAMEDIT_E_THERE = 1, /* lines of ours of that kind are in the file already */
	PAMEDIT_E_NOT_THERE, /* there are none to take out */
	PAMEDIT_E_NO_PLACE,  /* no place for our lines is safe; @diag says why */
	PAMEDIT_E_UNKNOWN,   /* no such service or profile */
};

struct pamedit_profile; /* static */

/*
 * pamedit_find() - the profile of a service; @name NULL: its usual one.
 * Services: sshd (either, key, password), login, sudo, su, cockpit, gdm-password; and
 * for new passwords "rules": passwd, chpasswd, sshd, login, gdm-password.
 */
_must_check_ int pamedit_find(const char *service, const char *name,
			      const struct pamedit_profile **ret);
/* pamedit_is_rules() - it puts in password lines, and nothing that lets anybody in. */
bool pamedit_is_rules(const struct pamedit_profile *profile);
/* pamedit_names() - "either, key, password": what --profile may be for a service. */
const char *pamedit_names(const char *service);

/*
 * pamedit_add() - the text with our lines.
 * @root: where included files are read from.
 * Return: 0 and *ret (free()); PAMEDIT_E_…; negative errno.
 */
_must_check_ int pamedit_add(const char *root, const char *service,
			     const struct pamedit_profile *profile, const char *text,
			     char **ret, struct diags *diag);

/* pamedit_remove() - the text without them. Return: 0; PAMEDIT_E_NOT_THERE; -errno. */
_must_check_ int pamedit_remove(const char *text, char **ret);

/*
 * pamedit_is_stale() - the lines for new passwords stand for others, which have changed
 * since: put in anew they would not be the same.
 */
_must_check_ int pamedit_is_stale(const char *root, const char *service,
				  const char *text, bool *ret);

/* pamedit_diff() - both texts as a unified diff. */
void pamedit_diff(const char *path, const char *before, const char *after, FILE *out);
