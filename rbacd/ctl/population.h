/* SPDX-License-Identifier: Apache-2.0 */
/*
 * population.h - the people that a tool judges: from the running rbacd, or from a file.
 *
 * A population is never silently short: what is missing is a sentence that the tool
 * prints, and reports end with exit status 2.
 */
#pragma once

#include "rbacd/tally/people.h"

struct ctl;
struct ctl_args;

/*
 * population_open() - with --people FILE everybody in it, and the local accounts that
 * the policies name; without it what the running rbacd knows.
 * @policies: n of them; their groups are looked up. Borrowed for the call.
 * Return: 0; enum ctl_exit, everything told.
 */
_must_check_ int population_open(struct ctl *ctl, const struct ctl_args *args,
				 const struct policy *const *policies, size_t n,
				 struct population *ret);

/* population_read() - the same from a people file; @passwd: NULL, or a snapshot of
 * local accounts (a reference is taken). Diagnostics as file_build(). */
_must_check_ int population_read(const char *path, const struct policy *const *policies,
				 size_t n, int64_t now_s, struct population *ret,
				 struct diags *diag);

struct seal;
/*
 * population_kept() - source ldap: the people whom rbacd keeps in its state folder
 * @dir. Return: 0; -ENOENT: it has kept none; -EBADMSG: changed, or made elsewhere;
 * -errno.
 */
_must_check_ int population_kept(const char *dir, const struct seal *seal,
				 struct snapshot **ret);

/* people_warn() - tell on standard error what is missing, if anything is. */
void people_warn(struct ctl *ctl, const struct people *people);
