/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h - what strangers may try: tries behind no proven first factor are counted
 * for (person, source), for the source, and over a year for the person.
 *
 * The year's count is one for all sources from which the person was never let in, and
 * one for each of the others: whoever has many addresses gets no more guesses than one,
 * and closes to the person only the places where the person has never been.
 */
#pragma once

#include "rbacd/mfa/mfa.h"

struct budget {
	struct store_budget pair, whole; /* (person, source) and source */
	struct store_budget year;	 /* next_try_s: when it is empty again */
	bool home; /* the person was let in from this source before */
};

/* budget_read() - all that binds this attempt. */
_must_check_ int budget_read(struct mfa *m, const struct mfa_attempt *a,
			     struct budget *ret);
/* budget_spent() - true: not even a right code counts there now. @codes: how many are
 * right at one moment. */
bool budget_spent(const struct budget *b, const struct mfa_attempt *a, unsigned codes);
/*
 * budget_put() - count a failed try unless its source waits, or only touch the rows so
 * that every class writes the same. A full year counts no further.
 * Return: 0; STORE_E_LIMIT: the table is full and this try cannot be counted, so it is
 * to be refused.
 */
_must_check_ int budget_put(struct mfa *m, const struct mfa_attempt *a,
			    struct budget *b, bool failed, unsigned codes);
/* budget_at_home() - the person was let in: this source is one of theirs. */
_must_check_ int budget_at_home(struct mfa *m, const struct mfa_attempt *a);
/* budget_forgive() - the year of all other sources of @person begins anew. */
_must_check_ int budget_forgive(struct mfa *m, const char *person);
