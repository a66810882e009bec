/* SPDX-License-Identifier: Apache-2.0 */
/* decide.h - one decision while it is made; shared by decide.c, near.c, lock.c and
 * grant.c. */
#pragma once

#include "policy/match.h"

struct decide {
	const struct policy *p;
	const struct policy_request *req;
	uint32_t vm_class;
	uint32_t privilege;
	struct match_subject subject;
	unsigned locked_methods; /* enum policy_method bits */
	const struct rule *best; /* most favourable grant that is true */
	uint32_t best_to;
	const struct rule
		*denied; /* smallest id; a certain match before an unknown one */
	enum match denied_how;
	bool conflict; /* two held roles exclude each other: @dropped is filled */
	uint64_t held[POLICY_SEPARATED_MAX / 64];    /* slots, only with separations */
	uint64_t dropped[POLICY_SEPARATED_MAX / 64]; /* slots, only with @conflict */
	const struct rule *near[POLICY_NEAR_MAX];
	struct policy_decision *ret;
};

typedef void decide_try_fn(struct decide *d, const struct rule *r);

/* decide_walk_grants() - calls @try for each grant that may name the subject here.
 * @against: people are found by name or id, as for denies; else by both. */
void decide_walk_grants(struct decide *d, bool against, decide_try_fn *try);

/* grant.c: what a grant is worth apart from the request's circumstances. */
bool grant_valid(const struct decide *d, const struct rule *r);
/* grant_due() - when the grant is due for review; INT64_MAX: never, INT64_MIN: it is
 * not known since when it stands. */
int64_t grant_due(const struct decide *d, const struct rule *r);
bool grant_overdue(const struct decide *d, const struct rule *r);
/* grant_suspended() - overdue, and the policy says that this suspends it. */
bool grant_suspended(const struct decide *d, const struct rule *r);
/* grant_separate() - find the held roles that exclude each other on this VM. */
void grant_separate(struct decide *d);
/* grant_dropped() - the separation that drops the grant; NULL: none. */
const struct model_separation *grant_dropped(const struct decide *d,
					     const struct rule *r);

/* lock.c: the lock that refuses the request, NULL: none; sets d->locked_methods. */
const struct policy_lock *lock_find(struct decide *d);

/* near.c: the grants that came close, and how useful each is to know. */
void near_add(struct decide *d, const struct rule *r, enum policy_reason reason);
/* near_wants_proof() - only a proof is missing. */
bool near_wants_proof(enum policy_reason reason);
/* near_code_would_do() - a code that can be asked for is accepted. */
bool near_code_would_do(const struct decide *d, const struct rule *r);
