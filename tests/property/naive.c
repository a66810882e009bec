/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naive.c - the second evaluator: every rule, every part, in the order of the text of
 * docs/design/policy.md; no index, no sharing with policy/.
 */
#include "tests/property/model.h"

#include <string.h>

static bool expr_has(const struct m_policy *m, const struct m_set *s, unsigned at,
		     unsigned vm)
{
	const struct m_expr *e = &s->v[at];

	switch (e->kind) {
	case M_EVERY:
		return true;
	case M_EMPTY:
		return false;
	case M_LABEL: {
		unsigned v = e->key == 0 ? m->env[vm] : m->tier[vm];

		return v < 2 && (e->values >> v & 1);
	}
	case M_NAME:
		return e->vm == N_VMS ? vm < 3 : e->vm == vm;
	case M_ALL:
		return expr_has(m, s, e->a, vm) && expr_has(m, s, e->b, vm);
	case M_ANY:
		return expr_has(m, s, e->a, vm) || expr_has(m, s, e->b, vm);
	case M_NOT:
		return !expr_has(m, s, e->a, vm);
	}
	return false;
}

static bool rule_has_vm(const struct m_policy *m, const struct m_rule *r, unsigned vm)
{
	if (r->vms >> vm & 1)
		return true;
	for (unsigned i = 0; i < N_SETS; i++)
		if ((r->sets >> i & 1) && expr_has(m, &m->sets[i], 0, vm))
			return true;
	return false;
}

static void role_closure(const struct m_policy *m, unsigned roles, unsigned *privs,
			 unsigned *targets)
{
	for (int i = N_ROLES - 1; i >= 0; i--) {
		if (!(roles >> i & 1))
			continue;
		roles |= m->roles[i].includes; /* only smaller numbers */
		*privs |= m->roles[i].privs;
		*targets |= m->roles[i].targets;
	}
}

static bool rule_has_priv(const struct m_policy *m, const struct m_rule *r, unsigned p,
			  const struct policy_request *q)
{
	unsigned privs = r->privs, targets = r->targets;
	bool root = q->target && (q->target_uid0 || strcmp(q->target, "root") == 0);

	role_closure(m, r->roles, &privs, &targets);
	if (r->star)
		return true;
	if (p != P_SU)
		return privs >> p & 1;
	for (unsigned i = 0; i < N_TARGETS; i++) {
		if (!(targets >> i & 1))
			continue;
		if (q->target && strcmp(q->target, target_names[i]) == 0)
			return true;
		if (r->deny && (!q->target || (q->target_uid0 && i == 1)))
			return true;
	}
	if (r->deny)
		return privs >> P_SU & 1;
	return (privs >> P_SU & 1) && q->target && !root;
}

unsigned naive_carries(const struct m_policy *m, const struct m_rule *r)
{
	unsigned roles = r->roles;

	for (int i = N_ROLES - 1; i >= 0; i--)
		if (roles >> i & 1)
			roles |= m->roles[i].includes; /* only smaller numbers */
	return roles;
}

enum tri { NO, UNKNOWN, YES };

/* @against: a deny, a limit: doubt counts against the person. */
static enum tri rule_names(const struct m_rule *r, bool against,
			   const struct m_request *q)
{
	const struct policy_subject *s = &q->subject;

	for (unsigned i = 0; i < N_LOCALS && s->local; i++) {
		char name[4] = {'l', (char)('0' + i), 0};

		if ((r->locals >> i & 1) && strcmp(name, s->login) == 0)
			return YES;
	}
	if (!s->directory)
		return NO;
	for (unsigned i = 0; i < N_USERS; i++) {
		char name[4] = {'u', (char)('0' + i), 0};
		char id[8] = {'i', 'd', '-', (char)('0' + i), 0};
		bool by_name = strcmp(name, s->login) == 0;
		bool by_id = s->id && strcmp(id, s->id) == 0;

		if (!(r->users >> i & 1))
			continue;
		if (against ? by_name || by_id : by_name && by_id)
			return YES;
	}
	if (r->groups & q->group_mask & ~q->unknown_mask)
		return YES;
	if (against && r->users && !s->id)
		return UNKNOWN; /* anyone may have been renamed to this login */
	return r->groups & q->unknown_mask ? UNKNOWN : NO;
}

/* The networks of from_texts, written out by hand. */
static bool from_has(unsigned i, const uint8_t *a)
{
	bool v4 = a[10] == 0xff && a[11] == 0xff && a[0] == 0;

	switch (i) {
	case 0:
		return v4 && a[12] == 10;
	case 1:
		return v4 && a[12] == 10 && a[13] == 1 && a[14] == 2 && a[15] == 3;
	case 2:
		return a[0] == 0x20 && a[1] == 1 && a[2] == 0x0d && a[3] == 0xb8;
	case 4:
		return v4;
	case 5:
		return !v4;
	default:
		return false;
	}
}

static enum tri rule_from(const struct m_rule *r, const struct policy_origin *o)
{
	if (!r->from)
		return YES;
	if (o->kind == POLICY_ORIGIN_LOCAL)
		return r->from >> 3 & 1 ? YES : NO;
	if (o->kind != POLICY_ORIGIN_ADDR)
		return UNKNOWN;
	for (unsigned i = 0; i < N_FROM; i++)
		if ((r->from >> i & 1) && from_has(i, o->addr))
			return YES;
	return NO;
}

static enum tri rule_time(const struct m_rule *r, const struct policy_request *q)
{
	bool summer = q->now_s >= SPRING_S && q->now_s < AUTUMN_S;
	int64_t local = q->now_s + (r->berlin ? (summer ? 7200 : 3600) : 0);
	unsigned day = (unsigned)((local - DAY0_S + 700 * 86400) / 86400 + 3) % 7;
	unsigned hour = (unsigned)(local % 86400 / 3600);

	/* 2026-01-01 is a Thursday, and 700 days are whole weeks. */
	if (!r->days)
		return YES;
	if (q->clock_unsynced)
		return UNKNOWN;
	for (unsigned h = 0; h < 24; h++) { /* hours that the window has been open */
		unsigned start = (hour + 24 - h) % 24;
		unsigned started = h > hour ? (day + 6) % 7 : day;
		unsigned length = (r->until_h + 24 - r->from_h) % 24;

		if (length == 0)
			length = 24;
		if (start == r->from_h && h < length && (r->days >> started & 1))
			return YES;
	}
	return NO;
}

static bool is_valid(const struct m_rule *r, int64_t now)
{
	return (r->from_day < 0 || now >= DAY0_S + 86400 * (int64_t)r->from_day) &&
	       (r->until_day < 0 || now < DAY0_S + 86400 * (int64_t)r->until_day);
}

static bool is_overdue(const struct m_rule *r, const struct m_request *q)
{
	int64_t since = q->req.state ? review_of(r->id, q->review_seed) : 0;

	if (!r->review_d || (q->req.assume & POLICY_ASSUME_STATE))
		return false;
	if (r->from_day >= 0 && DAY0_S + 86400 * (int64_t)r->from_day > since)
		since = DAY0_S + 86400 * (int64_t)r->from_day;
	return since == 0 || q->req.now_s >= since + 86400 * (int64_t)r->review_d;
}

/* Granted, apart from how and when it is asked for. */
static bool stands(const struct m_rule *r, const struct m_request *q)
{
	return !r->deny && !r->glass && is_valid(r, q->req.now_s) &&
	       !(r->suspend && is_overdue(r, q));
}

/* Roles that may not be held beside another one that is held, too. */
static unsigned excluded(const struct m_policy *m, const struct m_request *q,
			 unsigned vm)
{
	unsigned held = 0, out = 0;

	for (unsigned i = 0; i < m->n_rules; i++) {
		const struct m_rule *r = &m->rules[i];

		if (stands(r, q) && rule_has_vm(m, r, vm) &&
		    rule_names(r, false, q) == YES)
			held |= naive_carries(m, r);
	}
	for (unsigned i = 0; i < N_SEPS; i++)
		if (__builtin_popcount(held & m->seps[i]) >= 2)
			out |= held & m->seps[i];
	return out;
}

static unsigned locked_methods(const struct m_request *q)
{
	static const char *const methods[] = {"totp", "recovery", "security-key"};
	unsigned locked = 0;

	for (size_t i = 0; q->req.state && i < q->state.n_locks; i++)
		for (unsigned k = 0; k < 3; k++)
			if (q->locks[i].kind == POLICY_LOCK_FACTOR &&
			    q->req.now_s < q->locks[i].until_s &&
			    strcmp(q->lock_names[i], methods[k]) == 0)
				locked |= 1u << k;
	return locked;
}

static unsigned named_groups(const struct m_policy *m)
{
	unsigned groups = 0;

	for (unsigned i = 0; i < m->n_rules; i++)
		groups |= m->rules[i].groups;
	for (unsigned i = 0; i < N_LIMITS; i++)
		groups |= m->limits[i].groups;
	return groups;
}

static bool lock_holds(const struct m_policy *m, const struct m_request *q, unsigned vm,
		       unsigned i)
{
	unsigned n = (unsigned)(q->lock_names[i][1] - '0');

	switch (q->locks[i].kind) {
	case POLICY_LOCK_USER:
		return strcmp(q->lock_names[i], q->login) == 0;
	case POLICY_LOCK_GROUP:
		return q->subject.directory &&
		       ((q->group_mask | q->unknown_mask) >> n & 1) &&
		       (named_groups(m) >> n & 1);
	case POLICY_LOCK_ROLE:
		for (unsigned k = 0; k < m->n_rules; k++)
			if (stands(&m->rules[k], q) &&
			    rule_has_vm(m, &m->rules[k], vm) &&
			    (naive_carries(m, &m->rules[k]) >> n & 1) &&
			    rule_names(&m->rules[k], true, q) != NO)
				return true;
		return false;
	case POLICY_LOCK_VM:
		return strcmp(q->lock_names[i], q->req.vm) == 0;
	case POLICY_LOCK_FACTOR:
		return false;
	}
	return true;
}

static bool is_locked(const struct m_policy *m, const struct m_request *q, unsigned vm)
{
	for (unsigned i = 0; q->req.state && i < q->state.n_locks; i++)
		if (q->req.now_s < q->locks[i].until_s && lock_holds(m, q, vm, i))
			return true;
	return false;
}

static bool is_over_limit(const struct m_policy *m, const struct m_request *q,
			  unsigned p)
{
	const struct policy_sessions *have = &q->req.sessions;
	bool over = false;

	for (unsigned i = 0; i < N_LIMITS; i++) {
		const struct m_limit *l = &m->limits[i];
		const struct m_rule who = {.groups = l->groups,
					   .users = l->users,
					   .locals = l->locals};

		if (rule_names(&who, true, q) == NO)
			continue;
		if (p == P_SU || p == P_SUDO)
			over |= l->hours && (!have->known || have->age_s < 0 ||
					     have->age_s >= 3600 * (int64_t)l->hours);
		else if (p != P_BATCH)
			over |= l->sessions &&
				(!have->known || have->n_open >= l->sessions);
	}
	return over && !(q->req.assume & POLICY_ASSUME_STATE);
}

static bool asks_mfa(const struct m_policy *m, const struct m_rule *r)
{
	return r->mfa == MFA_GIVEN || (r->mfa == MFA_DEFAULT && !m->defaults_none);
}

static unsigned accepted(const struct m_rule *r, const struct m_request *q)
{
	unsigned accept = r->accept ? r->accept : POLICY_METHOD_TOTP;

	if (r->mfa == MFA_DEFAULT)
		accept = POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	return accept & ~locked_methods(q);
}

static int64_t max_age(const struct m_rule *r, unsigned p)
{
	int age = p == P_SU || p == P_SUDO ? 15 : 0;

	if (r->mfa == MFA_DEFAULT)
		return age * 60;
	if (r->scalar_age >= 0)
		age = r->scalar_age;
	else if (r->age[p] >= 0)
		age = r->age[p];
	if (r->fresh[p] >= 0 && r->fresh[p] < age)
		age = r->fresh[p];
	return (int64_t)age * 60;
}

static enum policy_reason mfa_reason(const struct m_policy *m, const struct m_rule *r,
				     unsigned p, const struct m_request *q)
{
	const struct policy_mfa *mfa = &q->req.mfa;

	if (!asks_mfa(m, r))
		return POLICY_REASON_NONE;
	if (mfa->state == POLICY_MFA_NONE)
		return POLICY_REASON_MFA_REQUIRED;
	if (mfa->state == POLICY_MFA_ASSUMED)
		return accepted(r, q) & 3 ? POLICY_REASON_NONE
					  : POLICY_REASON_MFA_METHOD;
	if (!(accepted(r, q) & mfa->method))
		return POLICY_REASON_MFA_METHOD;
	if (mfa->same_transaction)
		return POLICY_REASON_NONE;
	if (mfa->age_s >= 0 && max_age(r, p) > 0 && mfa->age_s <= max_age(r, p))
		return POLICY_REASON_NONE;
	return POLICY_REASON_MFA_STALE;
}

static enum policy_reason grant_reason(const struct m_policy *m, const struct m_rule *r,
				       unsigned p, const struct m_request *q,
				       unsigned out)
{
	if (rule_names(r, false, q) == UNKNOWN)
		return POLICY_REASON_DIRECTORY_INCOMPLETE;
	if (!is_valid(r, q->req.now_s))
		return POLICY_REASON_GRANT_EXPIRED;
	if (r->suspend && is_overdue(r, q))
		return POLICY_REASON_REVIEW_OVERDUE;
	if (naive_carries(m, r) & out)
		return POLICY_REASON_SEPARATION;
	if (rule_from(r, &q->req.origin) != YES ||
	    (r->glass && q->req.origin.kind != POLICY_ORIGIN_LOCAL))
		return POLICY_REASON_SRC_NOT_ALLOWED;
	if (rule_time(r, &q->req) == UNKNOWN)
		return POLICY_REASON_CLOCK_UNSYNCED;
	if (rule_time(r, &q->req) == NO)
		return POLICY_REASON_OUTSIDE_HOURS;
	return mfa_reason(m, r, p, q);
}

static int usefulness(enum policy_reason reason, unsigned accept)
{
	static const enum policy_reason order[] = {
		POLICY_REASON_NO_GRANT,	     POLICY_REASON_DIRECTORY_INCOMPLETE,
		POLICY_REASON_GRANT_EXPIRED, POLICY_REASON_REVIEW_OVERDUE,
		POLICY_REASON_SEPARATION,    POLICY_REASON_SRC_NOT_ALLOWED,
		POLICY_REASON_OUTSIDE_HOURS, POLICY_REASON_CLOCK_UNSYNCED,
		POLICY_REASON_MFA_METHOD,    POLICY_REASON_MFA_REQUIRED,
		POLICY_REASON_MFA_STALE};

	for (int i = 0; i < 11; i++)
		if (order[i] == reason)
			return i >= 8 && (accept & 3) ? i + 20 : i;
	return -1;
}

static bool better(const struct m_policy *m, const struct m_rule *a,
		   const struct m_rule *b)
{
	int end_a = a->until_day < 0 ? 1000 : a->until_day;
	int end_b = b->until_day < 0 ? 1000 : b->until_day;

	if (end_a != end_b)
		return end_a > end_b;
	if (asks_mfa(m, a) != asks_mfa(m, b))
		return !asks_mfa(m, a);
	return strcmp(a->id, b->id) < 0;
}

static void naive_denies(const struct m_policy *m, const struct m_request *q,
			 unsigned vm, unsigned p, struct policy_decision *ret)
{
	for (unsigned i = 0; i < m->n_rules; i++) {
		const struct m_rule *r = &m->rules[i];
		enum tri named = rule_names(r, true, q);
		enum policy_reason reason =
			named == YES ? POLICY_REASON_DENIED
				     : POLICY_REASON_DIRECTORY_INCOMPLETE;

		if (!r->deny || named == NO || !rule_has_vm(m, r, vm) ||
		    !rule_has_priv(m, r, p, &q->req) ||
		    rule_from(r, &q->req.origin) == NO || rule_time(r, &q->req) == NO)
			continue;
		if (!ret->rule ||
		    (reason == POLICY_REASON_DENIED && ret->reason != reason) ||
		    (reason == ret->reason && strcmp(r->id, ret->rule) < 0)) {
			ret->rule = r->id;
			ret->reason = reason;
		}
	}
}

/* Of the grants, or of the break_glass entries, the best and the nearest. */
struct choice {
	const struct m_rule *best;
	int most;
	enum policy_reason reason;
};

static void choose(const struct m_policy *m, const struct m_request *q, unsigned vm,
		   unsigned p, bool glass, struct choice *c)
{
	unsigned out = excluded(m, q, vm);

	for (unsigned i = 0; i < m->n_rules; i++) {
		const struct m_rule *r = &m->rules[i];
		enum policy_reason reason;
		int use;

		if (r->deny || r->glass != glass || rule_names(r, false, q) == NO ||
		    !rule_has_vm(m, r, vm) ||
		    !(glass ? p == P_CONSOLE : rule_has_priv(m, r, p, &q->req)))
			continue;
		reason = grant_reason(m, r, p, q, out);
		if (reason == POLICY_REASON_NONE) {
			c->best = !c->best || better(m, r, c->best) ? r : c->best;
			continue;
		}
		use = usefulness(reason, accepted(r, q));
		if (use > c->most) {
			c->most = use;
			c->reason = reason;
		}
	}
}

static void naive_grants(const struct m_policy *m, const struct m_request *q,
			 unsigned vm, unsigned p, struct policy_decision *ret)
{
	struct choice c = {.reason = POLICY_REASON_NO_GRANT};

	choose(m, q, vm, p, false, &c);
	if (!c.best)
		choose(m, q, vm, p, true, &c);
	ret->reason = c.reason;
	ret->mfa_would_help = !c.best && c.most >= 20 && !is_over_limit(m, q, p) &&
			      q->req.mfa.state != POLICY_MFA_ASSUMED;
	if (!c.best)
		return;
	if (is_over_limit(m, q, p)) {
		ret->reason = POLICY_REASON_SESSION_LIMIT;
		return;
	}
	ret->verdict = POLICY_ALLOW;
	ret->reason = POLICY_REASON_NONE;
	ret->rule = c.best->id;
	ret->mfa_required = asks_mfa(m, c.best);
	ret->break_glass = c.best->glass;
	ret->review_overdue = !c.best->glass && is_overdue(c.best, q);
}

static bool is_monitored(const struct m_policy *m, unsigned vm)
{
	const struct m_rule set = {.sets = m->monitor_sets, .vms = m->monitor_vms};

	return m->monitor_default || rule_has_vm(m, &set, vm);
}

void naive_decide(const struct m_policy *m, const struct m_request *q,
		  struct policy_decision *ret)
{
	const struct policy_subject *s = &q->subject;
	unsigned vm = 0, p = 0;

	memset(ret, 0, sizeof(*ret));
	vm = q->req.vm[0] == 'v' ? (unsigned)(q->req.vm[1] - '0') : N_VMS;
	while (p < N_PRIVS && strcmp(priv_names[p], q->req.privilege) != 0)
		p++;
	if (vm == N_VMS)
		ret->reason = POLICY_REASON_VM_UNKNOWN;
	else if (p == N_PRIVS)
		ret->reason = POLICY_REASON_SERVICE_UNKNOWN;
	else if (!s->known)
		ret->reason = POLICY_REASON_UNKNOWN_USER;
	else if (!s->enabled)
		ret->reason = POLICY_REASON_ACCT_DISABLED;
	else if (s->expires_s != 0 && q->req.now_s >= s->expires_s)
		ret->reason = POLICY_REASON_ACCT_EXPIRED;
	if (ret->reason != POLICY_REASON_NONE)
		return;
	if (is_locked(m, q, vm)) {
		ret->reason = POLICY_REASON_LOCKED;
		return;
	}
	naive_denies(m, q, vm, p, ret);
	if (ret->rule)
		return;
	if (p == P_BATCH && s->local)
		ret->verdict = POLICY_ALLOW;
	else
		naive_grants(m, q, vm, p, ret);
	if (ret->verdict != POLICY_ALLOW && is_monitored(m, vm)) {
		ret->verdict = POLICY_ALLOW;
		ret->would_deny = true;
	}
}
