/* SPDX-License-Identifier: Apache-2.0 */
/* mfa_internal.h - the context that verification and enrolment share. */
#pragma once

#include "rbacd/mfa/mfa.h"

struct mfa {
	struct store *store;	 /* borrowed */
	const struct seal *seal; /* borrowed */
	struct secret
		dummy; /* random seed for people without a factor; never accepted */
};

/* mfa_aged_s() - the time by which failures age. */
static inline int64_t mfa_aged_s(const struct mfa_attempt *a)
{
	return a->now_s - a->ahead_s;
}

/* mfa_new_recovery_codes() - a new set into @e; those of before are void. */
_must_check_ int mfa_new_recovery_codes(struct mfa *m, const char *person,
					int64_t now_s, struct mfa_enrolment *e);

/* mfa_person_row() - the person's row, new when there is none. */
_must_check_ int mfa_person_row(struct mfa *m, const char *person, const char *login,
				int64_t now_s);
