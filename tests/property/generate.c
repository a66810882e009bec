/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c - random policies and requests. */
#include "tests/property/model.h"

#include <string.h>

const char *const priv_names[N_PRIVS] = {"batch", "console", "ssh",
					 "su",	  "sudo",    "vpn"};
const char *const target_names[N_TARGETS] = {"pg", "root", "toor"};
const char *const from_texts[N_FROM] = {"10.0.0.0/8", "10.1.2.3",  "2001:db8::/32",
					"local",      "0.0.0.0/0", "::/0"};
static const char *const addresses[] = {"10.1.2.3",    "10.9.9.9",
					"192.0.2.1",   "2001:db8::7",
					"2001:db9::7", "::ffff:10.1.2.3"};

uint64_t rng_next(uint64_t *rng)
{
	uint64_t z = (*rng += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned mask_of(uint64_t *rng, unsigned bits, unsigned one_in)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < bits; i++)
		if (rng_below(rng, one_in) == 0)
			mask |= 1u << i;
	return mask;
}

static unsigned generate_expr(struct m_set *s, unsigned depth, uint64_t *rng)
{
	unsigned at = s->n++;
	struct m_expr e = {.kind = (enum m_kind)rng_below(rng, depth > 1 ? 3 : 7)};

	e.key = rng_below(rng, 2);
	e.values = mask_of(rng, 2, 2);
	e.vm = rng_below(rng, N_VMS + 1);
	if (e.kind == M_ALL || e.kind == M_ANY || e.kind == M_NOT)
		e.a = generate_expr(s, depth + 1, rng);
	if (e.kind == M_ALL || e.kind == M_ANY)
		e.b = generate_expr(s, depth + 1, rng);
	/* not of something empty is refused at load */
	if (e.kind == M_NOT && s->v[e.a].kind != M_EVERY && s->v[e.a].kind != M_NAME)
		s->v[e.a] = (struct m_expr){.kind = M_NAME, .vm = e.vm};
	s->v[at] = e;
	return at;
}

static void generate_standing(struct m_rule *r, uint64_t *rng);

void generate_rule(struct m_rule *r, bool deny, unsigned number, uint64_t *rng)
{
	*r = (struct m_rule){.deny = deny,
			     .scalar_age = -1,
			     .from_day = -1,
			     .until_day = -1};
	(void)snprintf(r->id, sizeof(r->id), "%c%02u-%u", "abxy"[rng_below(rng, 4)],
		       number, rng_below(rng, 9));
	r->groups = mask_of(rng, N_GROUPS, deny ? 6 : 3);
	r->users = mask_of(rng, N_USERS, 5);
	r->locals = mask_of(rng, N_LOCALS, 5);
	if (!r->groups && !r->users && !r->locals)
		r->groups = 1u << rng_below(rng, N_GROUPS);
	r->roles = mask_of(rng, N_ROLES, deny ? 8 : 2);
	if (!deny && !r->roles)
		r->roles = 1u << rng_below(rng, N_ROLES);
	if (deny) {
		r->privs = mask_of(rng, N_PRIVS, 4);
		r->targets = mask_of(rng, N_TARGETS, 5);
		r->star = rng_below(rng, 6) == 0;
		if (!r->privs && !r->targets && !r->roles)
			r->privs = 1u << rng_below(rng, N_PRIVS);
	}
	r->sets = mask_of(rng, N_SETS, 3);
	r->vms = mask_of(rng, N_VMS, 5);
	if (!r->sets && !r->vms)
		r->vms = 1u << rng_below(rng, N_VMS);
	if (rng_below(rng, 3) == 0)
		r->from = mask_of(rng, N_FROM, 4);
	for (unsigned i = 0; i < N_PRIVS; i++) {
		r->age[i] = rng_below(rng, 2) ? (int)rng_below(rng, 4) * 20 : -1;
		r->fresh[i] = rng_below(rng, 4) ? -1 : (int)rng_below(rng, 3) * 15;
	}
	generate_standing(r, rng);
	if (deny)
		return;
	r->mfa = rng_below(rng, 3);
	r->accept = mask_of(rng, 3, 2);
	if (rng_below(rng, 2))
		r->scalar_age = (int)rng_below(rng, 4) * 20;
	if (rng_below(rng, 3) == 0)
		r->from_day = (int)rng_below(rng, 20);
	if (rng_below(rng, 3) == 0)
		r->until_day =
			r->from_day + 1 + (int)rng_below(rng, 10) + (r->from_day < 0);
}

/* What stands outside the circumstances of one request. */
static void generate_standing(struct m_rule *r, uint64_t *rng)
{
	if (rng_below(rng, 4) == 0) {
		r->days = 1 + rng_below(rng, 127);
		r->from_h = rng_below(rng, 24);
		r->until_h = (r->from_h + 1 + rng_below(rng, 23)) % 24;
		if (r->until_h == 0)
			r->until_h = 24;
		r->berlin = rng_below(rng, 2);
	}
	if (!r->deny && rng_below(rng, 5) == 0) {
		r->review_d = 1 + rng_below(rng, 30);
		r->suspend = rng_below(rng, 3) != 0;
	}
}

void generate_glass(struct m_rule *r, unsigned number, uint64_t *rng)
{
	generate_rule(r, false, number, rng);
	r->id[0] = 'z';
	r->glass = true;
	r->groups = r->roles = r->from = r->days = r->review_d = 0;
	r->from_day = r->until_day = -1;
	if (!r->users && !r->locals)
		r->locals = 1;
}

static void generate_bounds(struct m_policy *m, uint64_t *rng)
{
	for (unsigned i = 0; i < N_SEPS; i++) {
		unsigned a = rng_below(rng, N_ROLES), b = rng_below(rng, N_ROLES);

		if (rng_below(rng, 4) == 0 && a != b)
			m->seps[i] = 1u << a | 1u << b | mask_of(rng, N_ROLES, 8);
	}
	for (unsigned i = 0; i < N_LIMITS; i++) {
		struct m_limit *l = &m->limits[i];

		if (rng_below(rng, 4) != 0)
			continue;
		l->groups = 1u << rng_below(rng, N_GROUPS);
		l->users = mask_of(rng, N_USERS, 5);
		l->locals = mask_of(rng, N_LOCALS, 5);
		l->sessions = rng_below(rng, 4);
		l->hours = l->sessions ? rng_below(rng, 3) : 1 + rng_below(rng, 3);
	}
	if (rng_below(rng, 4) != 0)
		return;
	m->monitor_default = rng_below(rng, 4) == 0;
	m->monitor_sets = mask_of(rng, N_SETS, 4);
	m->monitor_vms = mask_of(rng, N_VMS, 4);
}

void generate_policy(struct m_policy *m, uint64_t *rng)
{
	memset(m, 0, sizeof(*m));
	for (unsigned i = 0; i < N_VMS; i++) {
		m->env[i] = rng_below(rng, 3);
		m->tier[i] = rng_below(rng, 3);
	}
	for (unsigned i = 0; i < N_SETS; i++)
		(void)generate_expr(&m->sets[i], 0, rng);
	for (unsigned i = 0; i < N_ROLES; i++) {
		m->roles[i].privs = mask_of(rng, N_PRIVS, 3);
		m->roles[i].targets = mask_of(rng, N_TARGETS, 4);
		if (m->roles[i].privs == 0) /* denying it would be refused */
			m->roles[i].privs = 1u << rng_below(rng, N_PRIVS);
		m->roles[i].includes = mask_of(rng, i, 3); /* downward: no cycle */
	}
	m->defaults_none = rng_below(rng, 4) == 0;
	m->n_rules = 1 + rng_below(rng, RULES_MAX - 4);
	for (unsigned i = 0; i < m->n_rules; i++)
		if (rng_below(rng, 12) == 0)
			generate_glass(&m->rules[i], i, rng);
		else
			generate_rule(&m->rules[i], rng_below(rng, 4) == 0, i, rng);
	generate_bounds(m, rng);
}

static void generate_origin(struct policy_origin *o, uint64_t *rng)
{
	*o = (struct policy_origin){.kind = POLICY_ORIGIN_UNKNOWN};
	if (rng_below(rng, 4) == 0)
		o->kind = POLICY_ORIGIN_LOCAL;
	else if (rng_below(rng, 5) != 0 &&
		 policy_origin_parse(addresses[rng_below(rng, 6)], o) != 0)
		o->kind = POLICY_ORIGIN_UNKNOWN;
}

int64_t review_of(const char *id, uint64_t seed)
{
	for (; *id; id++)
		seed = seed * 31 + (unsigned char)*id;
	if (rng_next(&seed) % 3 == 0)
		return 0;
	return DAY0_S - (int64_t)(rng_next(&seed) % 20) * 86400;
}

/* Around the new year, where `valid:` begins and ends, or where the clocks change. */
static int64_t generate_now(uint64_t *rng)
{
	const int64_t half_day = rng_below(rng, 43200);

	if (rng_below(rng, 3) != 0)
		return DAY0_S + (int64_t)rng_below(rng, 20) * 86400 +
		       (rng_below(rng, 2) ? half_day * 2
					  : (int64_t)rng_below(rng, 3) - 1);
	return (rng_below(rng, 2) ? SPRING_S : AUTUMN_S) +
	       (rng_below(rng, 2) ? half_day - 21600 : (int64_t)rng_below(rng, 3) - 1);
}

static void generate_state(struct m_request *q, uint64_t *rng)
{
	static const char prefix[] = "?ugrvf";
	static const char *const methods[] = {"totp", "recovery", "security-key"};

	q->review_seed = rng_next(rng);
	q->req.state = rng_below(rng, 8) ? &q->state : NULL;
	q->state.n_locks = rng_below(rng, 5) ? 0 : N_LOCKS;
	for (unsigned i = 0; i < N_LOCKS; i++) {
		struct policy_lock *l = &q->locks[i];
		unsigned kind = 1 + rng_below(rng, 5), n = rng_below(rng, 6);
		char *name = q->lock_names[i];

		l->kind = (enum policy_lock_kind)kind;
		l->until_s = q->req.now_s + (int64_t)rng_below(rng, 3) - 1;
		(void)snprintf(name, 16, "%c%u", prefix[kind], n);
		if (kind == POLICY_LOCK_VM)
			(void)snprintf(name, 16, "v%u.%s", n, n < 3 ? "a" : "b");
		if (kind == POLICY_LOCK_FACTOR)
			(void)snprintf(name, 16, "%s", methods[n % 3]);
	}
	q->req.clock_unsynced = rng_below(rng, 12) == 0;
	q->req.sessions.known = rng_below(rng, 8) != 0;
	q->req.sessions.n_open = rng_below(rng, 4);
	q->req.sessions.age_s = (int64_t)rng_below(rng, 6) * 1800 - 1;
	q->req.assume = rng_below(rng, 16) ? 0 : POLICY_ASSUME_STATE;
}

void generate_request(struct m_request *q, uint64_t *rng)
{
	static const char *const logins[] = {"u0", "u1", "u2", "l0", "l1", "other"};
	static const char *const vms[] = {"v0.a", "v1.a", "v2.a",
					  "v3.b", "v4.b", "nowhere"};
	struct policy_subject *s = &q->subject;
	struct policy_request *r = &q->req;
	unsigned who = rng_below(rng, 6);

	memset(q, 0, sizeof(*q));
	(void)snprintf(q->login, sizeof(q->login), "%s", logins[who]);
	(void)snprintf(q->id, sizeof(q->id), "id-%u", rng_below(rng, 3) ? who : 0);
	*s = (struct policy_subject){.login = q->login,
				     .id = rng_below(rng, 8) ? q->id : NULL};
	s->known = rng_below(rng, 40) != 0;
	s->enabled = rng_below(rng, 40) != 0;
	s->local = rng_below(rng, 3) == 0;
	s->directory = rng_below(rng, 5) != 0;
	s->expires_s = rng_below(rng, 20) ? 0 : DAY0_S + 86400 * rng_below(rng, 20);
	q->group_mask = mask_of(rng, N_GROUPS, 3);
	q->unknown_mask = rng_below(rng, 3) ? 0 : mask_of(rng, N_GROUPS, 6);
	r->subject = s;
	r->vm = vms[rng_below(rng, 16) ? rng_below(rng, 5) : 5];
	r->privilege = rng_below(rng, 30) ? priv_names[rng_below(rng, N_PRIVS)] : "fly";
	if (rng_below(rng, 8))
		r->target = rng_below(rng, 4) ? target_names[rng_below(rng, N_TARGETS)]
					      : "bob";
	r->target_uid0 = rng_below(rng, 5) == 0;
	generate_origin(&r->origin, rng);
	r->mfa.state = rng_below(rng, 3);
	r->mfa.method = 1u << rng_below(rng, 3);
	r->mfa.age_s = (int64_t)rng_below(rng, 70) * 60 - 60;
	r->mfa.same_transaction = rng_below(rng, 3) == 0;
	r->now_s = generate_now(rng);
	generate_state(q, rng);
}

/* Indices of grants are another policy's, too. */
static void bind_state(struct m_request *q, const struct policy *p)
{
	struct policy_rule r;

	for (size_t i = 0; policy_grant_at(p, i, &r); i++)
		q->reviewed[i] = review_of(r.id, q->review_seed);
	for (unsigned i = 0; i < N_LOCKS; i++) {
		struct policy_lock *l = &q->locks[i];

		l->name = q->lock_names[i];
		l->grants = NULL;
		if (l->kind == POLICY_LOCK_ROLE &&
		    policy_lock_grants(p, l->name, q->lock_grants[i]) >= 0)
			l->grants = q->lock_grants[i];
	}
	q->state.locks = q->locks;
	q->state.reviewed_s = q->reviewed;
	q->state.n_reviewed = policy_grant_count(p);
	q->req.state = q->req.state ? &q->state : NULL;
}

void request_bind(struct m_request *q, const struct policy *p)
{
	char name[8];
	size_t n = 0, n_unknown = 0;

	/* Groups are in order of their names, so the indices come out ascending. */
	for (unsigned i = 0; i < N_GROUPS; i++) {
		uint32_t index;

		(void)snprintf(name, sizeof(name), "g%u", i);
		if (policy_group_find(p, name, &index) != 0)
			continue;
		if (q->group_mask >> i & 1)
			q->groups[n++] = index;
		if (q->unknown_mask >> i & 1)
			q->unknown[n_unknown++] = index;
	}
	q->subject.login = q->login;
	if (q->subject.id)
		q->subject.id = q->id;
	q->subject.groups = q->groups;
	q->subject.n_groups = n;
	q->subject.unknown = q->unknown;
	q->subject.n_unknown = n_unknown;
	q->req.subject = &q->subject;
	bind_state(q, p);
}
