/* SPDX-License-Identifier: Apache-2.0 */
/* local.h - /etc/passwd read as a file; never through NSS. */
#pragma once

#include "policy/base.h"

enum { LOCAL_E_NONE = 1 };

struct local_account {
	char login[65];
	uint32_t uid, gid;
	char real_name[128]; /* up to the first comma; cut */
};

/*
 * local_find() - one account by name, or by number when @name is all digits (then login
 * may be empty if no such line exists).
 * @path: normally "/etc/passwd".
 * Return: 0; LOCAL_E_NONE; negative errno.
 */
_must_check_ int local_find(const char *path, const char *name,
			    struct local_account *ret);

/*
 * local_each() - every well-formed line, in file order; NIS +/- lines and malformed
 * lines are skipped and counted. Stops when @fn returns non-zero and returns that.
 */
_must_check_ int local_each(const char *path,
			    int (*fn)(const struct local_account *, void *), void *arg,
			    size_t *ret_skipped);
