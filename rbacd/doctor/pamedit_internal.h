/* SPDX-License-Identifier: Apache-2.0 */
/* pamedit_internal.h - what both kinds of edit share: lines and our markers. */
#pragma once

#include "rbacd/doctor/pamconf.h"
#include "rbacd/doctor/pamedit.h"

/* Behind it a line of the file that ours stand for. */
#define PAMEDIT_WAS "# vmsec: was "

#define PAMEDIT_LINES_MAX 512

/* A text's lines, each with its newline; borrowed. */
struct pamedit_lines {
	const char *p[PAMEDIT_LINES_MAX];
	size_t len[PAMEDIT_LINES_MAX];
	size_t n;
};

/* pamedit_split() - Return: 0; -E2BIG: too many lines. */
_must_check_ int pamedit_split(const char *text, struct pamedit_lines *ret);

/*
 * pamedit_read_line() - what line i alone brings, its includes among it.
 * Return: 0; negative errno.
 */
_must_check_ int pamedit_read_line(const char *root, const struct pamedit_lines *lines,
				   size_t i, struct pamconf *ret);
/* pamedit_brings() - the stack is the service's own and has lines. */
bool pamedit_brings(const struct pamconf *conf, enum pamconf_type type);

/*
 * pamedit_add_rules() - the text with the lines for new passwords: ours before and
 * behind the modules that change one, which get use_authtok. A line that includes
 * others is replaced by what it brings, because those files are not ours to change.
 * Return: 0 and *ret (free()); PAMEDIT_E_NO_PLACE; negative errno.
 */
_must_check_ int pamedit_add_rules(const char *root, const char *service,
				   const char *text, char **ret);
