/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - source file: people.yaml to a whole snapshot, and /etc/passwd to another. */
#pragma once

#include "policy/diag.h"
#include "rbacd/directory/snapshot.h"

struct file_input {
	const char *path;		/* borrowed, as all */
	const struct snapshot *targets; /* groups the policy names */
	const struct snapshot *local;	/* accounts that people must not take */
	int64_t now_s;
	void (*problem)(void *arg, const char *text); /* an account was left out */
	void *arg;
};

/*
 * file_build() - read the people file and build a sealed snapshot of source "file".
 * Every target is complete: the file is the whole directory. Return: 0 and *ret_fd;
 * YAML_E_INVALID with diagnostics, nothing of it is used; -errno.
 */
_must_check_ int file_build(const struct file_input *in, int *ret_fd,
			    struct diags *diag);

/* file_build_local() - the accounts of passwd(5) @path as a snapshot of source "local".
 */
_must_check_ int file_build_local(const char *path, int64_t now_s, int *ret_fd,
				  size_t *ret_skipped);
