/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people.h - everybody of a directory and of this host, as one policy sees them: what
 * diffs, reports and counts go through.
 *
 * A population is never silently short: what is missing is a sentence.
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/directory/snapshot.h"

/* Where the people came from; both snapshots may be missing. */
struct population {
	struct snapshot *people; /* counted; the directory's */
	struct snapshot *local;	 /* counted; the accounts of /etc/passwd */
	char source[16];	 /* "file", "ldap", "nss" */
	bool whole;		 /* the source lists everybody it has */
	size_t n_left_out;	 /* people of whom not everything is known */
	int64_t now_s;		 /* ages are judged by this */
	int64_t max_stale_s; /* older lists are unknown; INT64_MAX: any age will do */
};

#define POPULATION_INIT                                                                \
	{                                                                              \
		0                                                                      \
	}
void population_done(struct population *pop);
#define _cleanup_population_ _cleanup_(population_done)

/* Everybody as one policy sees them; the same rules as a login's (identity.c). */
struct people {
	struct policy_subject *v; /* owned; by login; strings borrowed from the
				     population */
	size_t n;
	uint32_t *lists;	 /* owned; what the subjects' lists point into */
	size_t n_groups_unknown; /* groups of the policy without a usable list */
	bool complete;
	char why[512]; /* sentences that say what is missing; "" when complete */
};

void people_done(struct people *people);
#define _cleanup_people_ _cleanup_(people_done)

/* people_make() - @ret borrows from @pop. Return: 0; -ENOMEM. */
_must_check_ int people_make(const struct population *pop, const struct policy *policy,
			     struct people *ret);

/* people_find() - by login; NULL when nobody is called so. */
const struct policy_subject *people_find(const struct people *people,
					 const char *login);
