/* SPDX-License-Identifier: Apache-2.0 */
/* generate.c - random policies and requests, and the policies' YAML. */
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
		generate_rule(&m->rules[i], rng_below(rng, 4) == 0, i, rng);
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
	r->now_s = DAY0_S + (int64_t)rng_below(rng, 20) * 86400 + rng_below(rng, 3) - 1;
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
}

/* ------------------------------------------------------------------ YAML */

static void emit_expr(const struct m_set *s, unsigned at, FILE *out)
{
	static const char *const keys[] = {"env", "tier"};
	static const char *const lists[] = {"[]", "[x]", "[y]", "[y, x]"};
	const struct m_expr *e = &s->v[at];

	if (e->kind == M_EVERY) {
		fputs("{every: true}", out);
	} else if (e->kind == M_LABEL) {
		fprintf(out, "{label: {%s: %s}}", keys[e->key], lists[e->values]);
	} else if (e->kind == M_NAME && e->vm == N_VMS) {
		fputs("{name: \"v?.a\"}", out);
	} else if (e->kind == M_NAME) {
		fprintf(out, "{name: v%u.%s}", e->vm, e->vm < 3 ? "a" : "b");
	} else if (e->kind == M_NOT) {
		fputs("{not: ", out);
		emit_expr(s, e->a, out);
		fputs("}", out);
	} else if (e->kind == M_EMPTY) {
		fputs("{}", out);
	} else {
		fprintf(out, "{%s: [", e->kind == M_ALL ? "all" : "any");
		emit_expr(s, e->a, out);
		fputs(", ", out);
		emit_expr(s, e->b, out);
		fputs("]}", out);
	}
}

struct list {
	FILE *out;
	const char *comma;
};

static void item(struct list *l, const char *prefix, const char *name, int number)
{
	fprintf(l->out, "%s\"%s%s", l->comma, prefix, name);
	if (number >= 0)
		fprintf(l->out, "%d", number);
	fputc('"', l->out);
	l->comma = ", ";
}

static void emit_privs(unsigned privs, unsigned targets, bool star, FILE *out)
{
	struct list l = {out, ""};

	fputs("[", out);
	for (unsigned i = 0; i < N_PRIVS; i++)
		if (privs >> i & 1)
			item(&l, "", priv_names[i], -1);
	for (unsigned i = 0; i < N_TARGETS; i++)
		if (targets >> i & 1)
			item(&l, "su:", target_names[i], -1);
	if (star)
		item(&l, "", "*", -1);
	fputs("]", out);
}

static void emit_names(const char *prefix, unsigned mask, unsigned n, FILE *out)
{
	struct list l = {out, ""};

	fputs("[", out);
	for (unsigned i = 0; i < n; i++)
		if (mask >> i & 1)
			item(&l, prefix, "", (int)i);
	fputs("]", out);
}

void emit_head(const struct m_policy *m, FILE *out)
{
	static const char *const values[] = {"x", "y"};

	fprintf(out, "vmsec_policy: 1\ndefaults: {tz: UTC%s}\n",
		m->defaults_none ? ", mfa: none" : "");
	fputs("services: {openvpn: vpn}\nusers:\n", out);
	for (unsigned i = 0; i < N_USERS; i++)
		fprintf(out, "  u%u: {id: id-%u}\n", i, i);
	fputs("inventory:\n", out);
	for (unsigned i = 0; i < N_VMS; i++) {
		fprintf(out, "  v%u.%s: {labels: {", i, i < 3 ? "a" : "b");
		if (m->env[i] < 2)
			fprintf(out, "env: %s%s", values[m->env[i]],
				m->tier[i] < 2 ? ", " : "");
		if (m->tier[i] < 2)
			fprintf(out, "tier: %s", values[m->tier[i]]);
		fputs("}}\n", out);
	}
	fputs("vm_sets:\n", out);
	for (unsigned i = 0; i < N_SETS; i++) {
		fprintf(out, "  s%u: ", i);
		emit_expr(&m->sets[i], 0, out);
		fputc('\n', out);
	}
	fputs("roles:\n", out);
	for (unsigned i = 0; i < N_ROLES; i++) {
		fprintf(out, "  r%u: {includes: ", i);
		emit_names("r", m->roles[i].includes, N_ROLES, out);
		fputs(", privileges: ", out);
		emit_privs(m->roles[i].privs, m->roles[i].targets, false, out);
		fputs("}\n", out);
	}
}

static void emit_ages(const char *key, const int *age, FILE *out)
{
	const char *comma = "";

	fprintf(out, ", %s: {", key);
	for (unsigned i = 0; i < N_PRIVS; i++) {
		if (age[i] < 0)
			continue;
		fprintf(out, "%s%s: %dm", comma, priv_names[i], age[i]);
		comma = ", ";
	}
	fputs("}", out);
}

static void emit_when(const struct m_rule *r, FILE *out)
{
	struct list l = {out, ""};

	fputs(", when: {", out);
	if (!r->deny && r->mfa == MFA_NONE)
		fputs("mfa: none, ", out);
	if (!r->deny && r->mfa == MFA_GIVEN) {
		static const char *const names[] = {"totp", "recovery", "security-key"};

		fputs("mfa: {accept: [", out);
		for (unsigned i = 0; i < 3; i++)
			if ((r->accept ? r->accept : 1) >> i & 1)
				item(&l, "", names[i], -1);
		fputs("]", out);
		if (r->scalar_age >= 0)
			fprintf(out, ", max_age: %dm", r->scalar_age);
		else
			emit_ages("max_age", r->age, out);
		emit_ages("fresh", r->fresh, out);
		fputs("}, ", out);
	}
	if (r->from) {
		l.comma = "";
		fputs("from: [", out);
		for (unsigned i = 0; i < N_FROM; i++)
			if (r->from >> i & 1)
				item(&l, "", from_texts[i], -1);
		fputs("]", out);
	}
	fputs("}", out);
}

static void emit_rule(const struct m_rule *r, FILE *out)
{
	struct list l = {out, ""};

	fprintf(out, "  - {id: %s, to: [", r->id);
	for (unsigned i = 0; i < N_GROUPS; i++)
		if (r->groups >> i & 1)
			item(&l, "g", "", (int)i);
	for (unsigned i = 0; i < N_USERS; i++)
		if (r->users >> i & 1)
			item(&l, "user:u", "", (int)i);
	for (unsigned i = 0; i < N_LOCALS; i++)
		if (r->locals >> i & 1)
			item(&l, "local:l", "", (int)i);
	fputs("], vms: [", out);
	l.comma = "";
	for (unsigned i = 0; i < N_SETS; i++)
		if (r->sets >> i & 1)
			item(&l, "s", "", (int)i);
	for (unsigned i = 0; i < N_VMS; i++)
		if (r->vms >> i & 1)
			item(&l, "vm:",
			     i == 0   ? "v0.a"
			     : i == 1 ? "v1.a"
			     : i == 2 ? "v2.a"
			     : i == 3 ? "v3.b"
				      : "v4.b",
			     -1);
	fputs("]", out);
	if (r->roles) {
		fputs(", roles: ", out);
		emit_names("r", r->roles, N_ROLES, out);
	}
	if (r->privs || r->targets || r->star) {
		fputs(", privileges: ", out);
		emit_privs(r->privs, r->targets, r->star, out);
	}
	emit_when(r, out);
	if (r->from_day >= 0 || r->until_day >= 0) {
		fputs(", valid: {", out);
		if (r->from_day >= 0)
			fprintf(out, "from: 2026-01-%02d%s", r->from_day + 1,
				r->until_day >= 0 ? ", " : "");
		if (r->until_day >= 0)
			fprintf(out, "until: 2026-01-%02d", r->until_day + 1);
		fputs("}", out);
	}
	fputs("}\n", out);
}

void emit_rules(const struct m_policy *m, unsigned mask, uint64_t rng, FILE *out)
{
	unsigned order[RULES_MAX];

	for (unsigned i = 0; i < m->n_rules; i++)
		order[i] = i;
	for (unsigned i = m->n_rules; i > 1 && rng != 0; i--) {
		unsigned k = rng_below(&rng, i), t = order[i - 1];

		order[i - 1] = order[k];
		order[k] = t;
	}
	for (int deny = 0; deny < 2; deny++) {
		bool head = false;

		for (unsigned i = 0; i < m->n_rules; i++) {
			const struct m_rule *r = &m->rules[order[i]];

			if (!(mask >> order[i] & 1) || r->deny != (deny == 1))
				continue;
			if (!head)
				fputs(deny ? "denies:\n" : "grants:\n", out);
			head = true;
			emit_rule(r, out);
		}
	}
}
