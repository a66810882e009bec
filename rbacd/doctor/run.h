/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - another program's output, bounded in time and size. */
#pragma once

#include "policy/base.h"

/*
 * run_output() - run a program without a shell, standard input empty, environment
 * "LC_ALL=C" and a plain PATH, and keep what it writes to standard output.
 * @argv:   argv[0] is an absolute path; NULL at the end.
 * @cap:    more output than that is an error.
 * @budget_ms: then it is killed.
 * Return: 0 with exit status 0 and *ret (NUL-terminated, free()); -ENOENT: not
 *         installed; -EPROTO: another exit status; -ETIMEDOUT; -E2BIG; -errno.
 */
_must_check_ int run_output(char *const argv[], size_t cap, int budget_ms, char **ret);
