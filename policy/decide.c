/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c - the one decision: denies, then grants, then near misses. It starts at deny
 * and has one place that allows.
 */
#include "policy/decide.h"

#include "policy/vmset.h"

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
	enum match time;

	if (to != MATCH_YES)
		return POLICY_REASON_DIRECTORY_INCOMPLETE;
	if (!grant_valid(d, r))
		return POLICY_REASON_GRANT_EXPIRED;
	if (grant_suspended(d, r))
		return POLICY_REASON_REVIEW_OVERDUE;
	if (d->conflict && grant_dropped(d, r))
		return POLICY_REASON_SEPARATION;
	if (match_from(r, d->req) != MATCH_YES)
		return POLICY_REASON_SRC_NOT_ALLOWED;
	time = match_time(r, d->req);
	if (time != MATCH_YES)
		return time == MATCH_NO ? POLICY_REASON_OUTSIDE_HOURS
					: POLICY_REASON_CLOCK_UNSYNCED;
	return match_mfa(r, d->privilege, d->req, d->locked_methods);
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
			near_add(d, r, reason);
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
	if (to == MATCH_NO || match_from(r, d->req) == MATCH_NO ||
	    match_time(r, d->req) == MATCH_NO)
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

/* The subject's principals as up to three lists. */
struct principals {
	const uint32_t *v[3];
	size_t n[3];
};

static void walk_principals(struct decide *d, const struct rules *rules,
			    const struct principals *list, decide_try_fn *try)
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
		 const struct principals *list, decide_try_fn *try)
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

/* @against: people are found by name or id, as for denies. */
static void walk_for(struct decide *d, const struct rules *rules, bool against,
		     decide_try_fn *try)
{
	const struct match_subject *m = &d->subject;
	const struct principals list = {
		{m->groups, m->unknown, against ? m->deny_named : m->grant_named},
		{m->n_groups, m->n_unknown,
		 against ? m->n_deny_named : m->n_grant_named},
	};

	if (rules->n > 0)
		walk(d, rules, &list, try);
}

void decide_walk_grants(struct decide *d, bool against, decide_try_fn *try)
{
	walk_for(d, &d->p->grants, against, try);
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

/*
 * What `limits` allow this person, the least of all that name him, and whether that is
 * used up. They count sessions of their own; sudo and su end with the session they come
 * from.
 */
static bool over_limit(struct decide *d)
{
	const struct policy_sessions *have = &d->req->sessions;
	struct policy_decision *ret = d->ret;
	bool stepping =
		d->privilege == d->p->priv_su || d->privilege == d->p->priv_sudo;
	uint32_t ignored;

	ret->max_sessions = 0;
	ret->max_session_s = 0;
	if (d->privilege == d->p->priv_batch)
		return false;
	for (uint32_t i = 0; i < d->p->n_limits; i++) {
		const struct model_limit *l = &d->p->limits[i];

		if (match_list(&l->to, true, &d->subject, &ignored) == MATCH_NO)
			continue;
		if (l->max_sessions > 0 &&
		    (ret->max_sessions == 0 || l->max_sessions < ret->max_sessions))
			ret->max_sessions = l->max_sessions;
		if (l->max_session_s > 0 &&
		    (ret->max_session_s == 0 || l->max_session_s < ret->max_session_s))
			ret->max_session_s = l->max_session_s;
	}
	if (d->req->assume & POLICY_ASSUME_STATE)
		return false;
	if (stepping)
		return ret->max_session_s > 0 && (!have->known || have->age_s < 0 ||
						  have->age_s >= ret->max_session_s);
	return ret->max_sessions > 0 &&
	       (!have->known || have->n_open >= ret->max_sessions);
}

static void answer_over_limit(struct decide *d)
{
	struct policy_decision *ret = d->ret;
	bool stepping = !policy_privilege_session(d->req->privilege);

	ret->reason = POLICY_REASON_SESSION_LIMIT;
	ret->n_near = 1;
	ret->near[0] = (struct policy_near){
		.rule = d->best->id,
		.reason = POLICY_REASON_SESSION_LIMIT,
		.need_s = stepping ? ret->max_session_s : ret->max_sessions,
		.have_s = stepping ? d->req->sessions.age_s : d->req->sessions.n_open,
	};
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
	ret->accept = match_accept(r, d->locked_methods);
	ret->max_age_s = r->mfa->max_age[d->privilege];
	/* Conditions are looked at in order, the proof last: nothing else is missing.
	 */
	ret->mfa_would_help = near_wants_proof(ret->reason) &&
			      near_code_would_do(d, r) &&
			      d->req->mfa.state != POLICY_MFA_ASSUMED && !over_limit(d);
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
	ret->break_glass = r->alert != NULL;
	ret->review_overdue = grant_overdue(d, r);
	ret->rule = r->id;
	ret->group = d->p->principal_text[d->best_to];
	ret->role = carrying_role(d, r); /* NULL: break_glass */
	ret->valid_until_s = r->valid_until_s;
	if (match_asks_mfa(r)) {
		ret->mfa_required = true;
		ret->accept = match_accept(r, d->locked_methods);
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
	if (s->stale)
		return POLICY_REASON_DIRECTORY_STALE;
	return POLICY_REASON_NONE;
}

/* Cron and the like for accounts of the host itself: no grant, but denies hold. */
static bool is_local_batch(const struct decide *d)
{
	return d->privilege == d->p->priv_batch && d->req->subject->local;
}

/* Steps 4 to 7: what the grants give. */
static void weigh_grants(struct decide *d)
{
	if (d->p->n_separations > 0)
		grant_separate(d);
	decide_walk_grants(d, false, try_grant);
	if (!d->best) /* the last resort, so that an alert means that it was needed */
		walk_for(d, &d->p->glass, false, try_grant);
	if (!d->best)
		answer_no_grant(d);
	else if (over_limit(d))
		answer_over_limit(d);
	else
		answer_allow(d);
}

/* Step 8: on a VM that is only watched a missing grant is noted, not enforced. */
static void apply_mode(struct decide *d)
{
	struct policy_decision *ret = d->ret;

	ret->monitor = vmset_has(d->p->class_monitor, d->vm_class);
	if (!ret->monitor || ret->verdict == POLICY_ALLOW)
		return;
	ret->verdict = POLICY_ALLOW;
	ret->would_deny = true;
}

/* Of all that a decision reads these are the most likely to be far away: they come
 * while the VM and the privilege are looked up. */
static void fetch_subject(const struct policy_subject *s)
{
	if (!s)
		return;
	__builtin_prefetch(s->groups);
	__builtin_prefetch(s->login);
}

static void init(struct decide *d, const struct policy *policy,
		 const struct policy_request *req, struct policy_decision *ret)
{
	fetch_subject(req->subject);
	memset(ret, 0, offsetof(struct policy_decision, near));
	d->p = policy;
	d->req = req;
	d->ret = ret;
	d->locked_methods = 0;
	d->best = d->denied = NULL;
	d->best_to = NAMES_NONE;
	d->denied_how = MATCH_NO;
	d->conflict = false;
	d->near[0] = NULL;
}

void policy_decide(const struct policy *policy, const struct policy_request *req,
		   struct policy_decision *ret)
{
	struct decide d;

	init(&d, policy, req, ret);
	ret->reason = find_place(&d);
	if (ret->reason == POLICY_REASON_NONE)
		ret->reason = check_account(req);
	if (ret->reason != POLICY_REASON_NONE)
		return;
	match_subject_init(&d.subject, policy, req->subject);
	ret->lock = lock_find(&d);
	if (ret->lock) {
		ret->reason = POLICY_REASON_LOCKED;
		return;
	}
	walk_for(&d, &policy->denies, true, try_deny);
	if (d.denied) {
		answer_denied(&d);
		return;
	}
	if (is_local_batch(&d))
		answer_allow(&d);
	else
		weigh_grants(&d);
	apply_mode(&d);
}
