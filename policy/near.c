/* SPDX-License-Identifier: Apache-2.0 */
/* near.c - near misses: the grants that came close, the most useful to know first. */
#include "policy/decide.h"

#define RANK_MFA 10 /* from here on only a proof is missing */

/* How useful a reason is to the person who was refused. */
static unsigned reason_rank(enum policy_reason reason)
{
	switch (reason) {
	case POLICY_REASON_MFA_STALE:
		return 12;
	case POLICY_REASON_MFA_REQUIRED:
		return 11;
	case POLICY_REASON_MFA_METHOD:
		return RANK_MFA;
	case POLICY_REASON_CLOCK_UNSYNCED:
		return 9;
	case POLICY_REASON_OUTSIDE_HOURS:
		return 8;
	case POLICY_REASON_SRC_NOT_ALLOWED:
		return 7;
	case POLICY_REASON_SEPARATION:
		return 6;
	case POLICY_REASON_REVIEW_OVERDUE:
		return 5;
	case POLICY_REASON_GRANT_EXPIRED:
		return 4;
	case POLICY_REASON_DIRECTORY_INCOMPLETE:
		return 3;
	case POLICY_REASON_SESSION_LIMIT:
	case POLICY_REASON_NO_GRANT:
	case POLICY_REASON_NONE:
	case POLICY_REASON_NO_POLICY:
	case POLICY_REASON_VM_UNKNOWN:
	case POLICY_REASON_SERVICE_UNKNOWN:
	case POLICY_REASON_UNKNOWN_USER:
	case POLICY_REASON_ACCT_DISABLED:
	case POLICY_REASON_ACCT_EXPIRED:
	case POLICY_REASON_DENIED:
	case POLICY_REASON_LOCKED:
	case POLICY_REASON_DIRECTORY_STALE:
		return 0;
	}
	return 0;
}

bool near_wants_proof(enum policy_reason reason)
{
	return reason_rank(reason) >= RANK_MFA;
}

bool near_code_would_do(const struct decide *d, const struct rule *r)
{
	return (match_accept(r, d->locked_methods) &
		(POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY)) != 0;
}

/* Near misses that a code would turn into access come first, then by rank and id. */
static unsigned near_rank(const struct decide *d, const struct rule *r,
			  enum policy_reason reason)
{
	unsigned rank = reason_rank(reason);

	return rank >= RANK_MFA && near_code_would_do(d, r) ? rank + 16 : rank;
}

static void add_figures(const struct decide *d, const struct rule *r,
			struct policy_near *near)
{
	const struct policy_request *req = d->req;
	const struct model_separation *sep;

	switch (near->reason) {
	case POLICY_REASON_MFA_STALE:
		near->need_s = r->mfa->max_age[d->privilege];
		near->have_s = req->mfa.age_s;
		return;
	case POLICY_REASON_GRANT_EXPIRED:
		near->need_s = req->now_s < r->valid_from_s ? r->valid_from_s
							    : r->valid_until_s;
		near->have_s = req->now_s;
		return;
	case POLICY_REASON_REVIEW_OVERDUE:
		near->need_s = grant_due(d, r);
		near->have_s = req->now_s;
		return;
	case POLICY_REASON_SEPARATION:
		sep = grant_dropped(d, r);
		near->other = sep ? sep->id : NULL;
		return;
	case POLICY_REASON_NONE:
	case POLICY_REASON_NO_POLICY:
	case POLICY_REASON_VM_UNKNOWN:
	case POLICY_REASON_SERVICE_UNKNOWN:
	case POLICY_REASON_UNKNOWN_USER:
	case POLICY_REASON_ACCT_DISABLED:
	case POLICY_REASON_ACCT_EXPIRED:
	case POLICY_REASON_DENIED:
	case POLICY_REASON_DIRECTORY_INCOMPLETE:
	case POLICY_REASON_NO_GRANT:
	case POLICY_REASON_SRC_NOT_ALLOWED:
	case POLICY_REASON_MFA_REQUIRED:
	case POLICY_REASON_MFA_METHOD:
	case POLICY_REASON_CLOCK_UNSYNCED:
	case POLICY_REASON_LOCKED:
	case POLICY_REASON_DIRECTORY_STALE:
	case POLICY_REASON_OUTSIDE_HOURS:
	case POLICY_REASON_SESSION_LIMIT:
		return;
	}
}

/* Keeps the best POLICY_NEAR_MAX, each rule once. Rules of one list lie in id order. */
void near_add(struct decide *d, const struct rule *r, enum policy_reason reason)
{
	struct policy_decision *ret = d->ret;
	unsigned rank = near_rank(d, r, reason);
	size_t at = 0;

	while (at < ret->n_near) {
		unsigned other = near_rank(d, d->near[at], ret->near[at].reason);

		if (d->near[at] == r)
			return;
		if (other < rank || (other == rank && d->near[at] > r))
			break;
		at++;
	}
	if (at == POLICY_NEAR_MAX)
		return;
	for (size_t i = at; i < ret->n_near; i++)
		if (d->near[i] == r)
			return;
	if (ret->n_near < POLICY_NEAR_MAX)
		ret->n_near++;
	for (size_t i = ret->n_near - 1; i > at; i--) {
		d->near[i] = d->near[i - 1];
		ret->near[i] = ret->near[i - 1];
	}
	d->near[at] = r;
	ret->near[at] = (struct policy_near){.rule = r->id, .reason = reason};
	add_figures(d, r, &ret->near[at]);
}
