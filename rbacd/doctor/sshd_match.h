/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshd_match.h - for each Match block of sshd_config a connection to which it applies,
 * so that `sshd -T -C` can say what holds there.
 */
#pragma once

#include "policy/base.h"

#define SSHD_MATCH_MAX 64 /* blocks that are looked at */

struct sshd_match {
	char where[256]; /* "/etc/ssh/sshd_config:12 Match User backup" */
	char spec[1024]; /* for -C; "": none could be made up */
};

struct sshd_matches {
	struct sshd_match v[SSHD_MATCH_MAX];
	size_t n;
	bool more; /* there were others */
};

/*
 * sshd_match_read() - the blocks of @path and of what it includes.
 * @root: in front of every path; "" is this machine.
 * A pattern is met by its first alternative that is not negated, with x for its
 * wildcards; a group by a member that /etc/group names.
 */
void sshd_match_read(const char *root, const char *path, struct sshd_matches *ret);
