/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c - the one decision: denies, then grants, then near misses. It starts at deny
 * and has one place that allows.
 */
#include "policy/match.h"

struct decide {
	const struct policy *p;
	const struct policy_request *req;
	uint32_t vm_class;
	uint32_t privilege;
	struct match_subject subject;
	const struct rule *best; /* most favourable grant that is true */
	uint32_t best_to;
	const struct rule
		*denied; /* smallest id; a certain match before an unknown one */
	enum match denied_how;
	const struct rule *near[POLICY_NEAR_MAX];
	struct policy_decision *ret;
};

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
		return 0;
	}
	return 0;
}

static bool code_would_do(const struct rule *r)
{
	return (r->mfa->accept & (POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY)) != 0;
}

/* Near misses that a code would turn into access come first, then by rank and id. */
static unsigned near_rank(const struct rule *r, enum policy_reason reason)
{
	unsigned rank = reason_rank(reason);

	return rank >= RANK_MFA && code_would_do(r) ? rank + 16 : rank;
}

/* Keeps the best POLICY_NEAR_MAX, each rule once. Rules of one list lie in id order. */
static void add_near(struct decide *d, const struct rule *r, enum policy_reason reason)
{
	struct policy_decision *ret = d->ret;
	unsigned rank = near_rank(r, reason);
	size_t at = 0;

	while (at < ret->n_near) {
		unsigned other = near_rank(d->near[at], ret->near[at].reason);

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
}

/* Most time left, then no need of a code, then the smaller id. */
static bool more_favourable(const struct rule *a, const struct rule *b)
{
	uint64_t left_a = (uint64_t)a->valid_until_s - 1; /* 0, no end, is the most */
	uint64_t left_b = (uint64_t)b->valid_until_s - 1;

	if (left_a != left_b)
		return left_a > left_b;
	if (match_asks_mfa(a) != match_asks_mfa(b))
		return !match_asks_mfa(a);
	return a < b;
}

/* The first condition that is not certainly true. */
static enum policy_reason grant_reason(const struct decide *d, const struct rule *r,
				       enum match to)
{
	if (to != MATCH_YES)
		return POLICY_REASON_DIRECTORY_INCOMPLETE;
	if (d->req->now_s < r->valid_from_s ||
	    (r->valid_until_s != 0 && d->req->now_s >= r->valid_until_s))
		return POLICY_REASON_GRANT_EXPIRED;
	if (match_from(r, d->req) != MATCH_YES)
		return POLICY_REASON_SRC_NOT_ALLOWED;
	return match_mfa(r, d->privilege, d->req);
}

static void try_grant(struct decide *d, const struct rule *r)
{
	enum policy_reason reason;
	enum match to;
	uint32_t principal;

	if (!match_privilege(d->p, r, d->privilege, d->req))
		return;
	to = match_to(r, &d->subject, &principal);
	if (to == MATCH_NO)
		return;
	reason = grant_reason(d, r, to);
	if (reason != POLICY_REASON_NONE) {
		if (!d->best) /* nobody asks for near misses of an allow */
			add_near(d, r, reason);
		return;
	}
	if (!d->best || more_favourable(r, d->best)) {
		d->best = r;
		d->best_to = principal;
	}
}

static void try_deny(struct decide *d, const struct rule *r)
{
	enum match to;
	uint32_t principal;

	if (!match_privilege(d->p, r, d->privilege, d->req))
		return;
	to = match_to(r, &d->subject, &principal);
	if (to == MATCH_NO || match_from(r, d->req) == MATCH_NO)
		return;
	if (!d->denied || to > d->denied_how ||
	    (to == d->denied_how && r < d->denied)) {
		d->denied = r;
		d->denied_how = to;
	}
}

static bool csr_has(const struct csr *csr, uint32_t key, uint32_t x)
{
	uint32_t lo = csr->off[key], hi = csr->off[key + 1];

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (csr->v[mid] == x)
			return true;
		if (csr->v[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

typedef void try_fn(struct decide *d, const struct rule *r);

/* The subject's principals as up to three lists. */
struct principals {
	const uint32_t *v[3];
	size_t n[3];
};

static void walk_principals(struct decide *d, const struct rules *rules,
			    const struct principals *list, try_fn *try)
{
	const struct csr *by = &rules->by_principal;

	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < list->n[l]; i++) {
			uint32_t k = list->v[l][i];

			for (uint32_t j = by->off[k]; j < by->off[k + 1]; j++)
				if (csr_has(&rules->by_class, d->vm_class, by->v[j]))
					try(d, &rules->v[by->v[j]]);
		}
}

/* Rules that name the subject on this VM; both ways find the same ones. */
static void walk(struct decide *d, const struct rules *rules,
		 const struct principals *list, try_fn *try)
{
	const struct csr *by = &rules->by_class;
	uint32_t first = by->off[d->vm_class], end = by->off[d->vm_class + 1];
	size_t n = 0, limit = (end - first) / 4;

	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < list->n[l] && n < limit; i++) {
			uint32_t k = list->v[l][i];

			n += 1 + rules->by_principal.off[k + 1] -
			     rules->by_principal.off[k];
		}
	if (n < limit && d->subject.users_end == d->subject.users_from) {
		walk_principals(d, rules, list, try);
		return;
	}
	for (uint32_t i = first; i < end; i++)
		try(d, &rules->v[by->v[i]]);
}

static void walk_denies(struct decide *d)
{
	const struct match_subject *m = &d->subject;
	const struct principals list = {
		{m->groups, m->unknown, m->deny_named},
		{m->n_groups, m->n_unknown, m->n_deny_named},
	};

	if (d->p->denies.n > 0)
		walk(d, &d->p->denies, &list, try_deny);
}

static void walk_grants(struct decide *d)
{
	const struct match_subject *m = &d->subject;
	const struct principals list = {
		{m->groups, m->unknown, m->grant_named},
		{m->n_groups, m->n_unknown, m->n_grant_named},
	};

	if (d->p->grants.n > 0)
		walk(d, &d->p->grants, &list, try_grant);
}

/* ---------------------------------------------------------------- answers */

static void answer_denied(struct decide *d)
{
	d->ret->reason = d->denied_how == MATCH_YES
				 ? POLICY_REASON_DENIED
				 : POLICY_REASON_DIRECTORY_INCOMPLETE;
	d->ret->rule = d->denied->id;
	d->ret->message = d->denied->message;
}

static void answer_no_grant(struct decide *d)
{
	struct policy_decision *ret = d->ret;
	const struct rule *r = d->near[0];

	ret->reason = POLICY_REASON_NO_GRANT;
	if (ret->n_near == 0)
		return;
	ret->reason = ret->near[0].reason;
	if (!match_asks_mfa(r))
		return;
	ret->accept = r->mfa->accept;
	ret->max_age_s = r->mfa->max_age[d->privilege];
	/* Conditions are looked at in order, the proof last: nothing else is missing.
	 */
	ret->mfa_would_help = reason_rank(ret->reason) >= RANK_MFA &&
			      code_would_do(r) &&
			      d->req->mfa.state != POLICY_MFA_ASSUMED;
}

static const char *carrying_role(const struct decide *d, const struct rule *r)
{
	for (uint32_t i = 0; i < r->roles.n; i++) {
		uint32_t k = r->roles.v[i];

		if (match_role_privilege(d->p, &d->p->role_info[k], d->privilege,
					 d->req))
			return d->p->roles.v[k];
	}
	return NULL;
}

static void answer_allow(struct decide *d)
{
	struct policy_decision *ret = d->ret;
	const struct rule *r = d->best;

	ret->verdict = POLICY_ALLOW;
	ret->reason = POLICY_REASON_NONE;
	ret->n_near = 0;
	if (!r)
		return; /* batch */
	ret->rule = r->id;
	ret->group = d->p->principal_text[d->best_to];
	ret->role = carrying_role(d, r);
	ret->valid_until_s = r->valid_until_s;
	if (match_asks_mfa(r)) {
		ret->mfa_required = true;
		ret->accept = r->mfa->accept;
		ret->max_age_s = r->mfa->max_age[d->privilege];
	}
}

/* What is refused before any rule is read. */
static enum policy_reason find_place(struct decide *d)
{
	/* cppcheck-suppress ctuuninitvar ; policy_decide() has set d->p */
	const struct policy *p = d->p;
	uint32_t vm;

	if (!p)
		return POLICY_REASON_NO_POLICY;
	vm = names_find(&p->vms, d->req->vm);
	if (vm == NAMES_NONE)
		return POLICY_REASON_VM_UNKNOWN;
	d->vm_class = p->vm_class[vm];
	d->privilege = names_find(&p->privileges, d->req->privilege);
	return d->privilege == NAMES_NONE ? POLICY_REASON_SERVICE_UNKNOWN
					  : POLICY_REASON_NONE;
}

static enum policy_reason check_account(const struct policy_request *req)
{
	const struct policy_subject *s = req->subject;

	if (!s || !s->known || !s->login ||
	    !policy_login_valid(s->login, strlen(s->login)))
		return POLICY_REASON_UNKNOWN_USER;
	if (!s->enabled)
		return POLICY_REASON_ACCT_DISABLED;
	if (s->expires_s != 0 && req->now_s >= s->expires_s)
		return POLICY_REASON_ACCT_EXPIRED;
	return POLICY_REASON_NONE;
}

/* Cron and the like for accounts of the host itself: no grant, but denies hold. */
static bool is_local_batch(const struct decide *d)
{
	return d->privilege == d->p->priv_batch && d->req->subject->local;
}

void policy_decide(const struct policy *policy, const struct policy_request *req,
		   struct policy_decision *ret)
{
	struct decide d;

	memset(ret, 0, sizeof(*ret));
	d.p = policy;
	d.req = req;
	d.ret = ret;
	d.best = d.denied = NULL;
	d.best_to = NAMES_NONE;
	d.denied_how = MATCH_NO;
	d.near[0] = NULL;
	ret->reason = find_place(&d);
	if (ret->reason == POLICY_REASON_NONE)
		ret->reason = check_account(req);
	if (ret->reason != POLICY_REASON_NONE)
		return;
	match_subject_init(&d.subject, policy, req->subject);
	walk_denies(&d);
	if (d.denied) {
		answer_denied(&d);
		return;
	}
	if (!is_local_batch(&d))
		walk_grants(&d);
	if (d.best || is_local_batch(&d))
		answer_allow(&d);
	else
		answer_no_grant(&d);
}
