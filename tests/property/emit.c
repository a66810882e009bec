/* SPDX-License-Identifier: Apache-2.0 */
/* emit.c - a random policy as YAML. */
#include "tests/property/model.h"

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

static void emit_mfa(const struct m_rule *r, FILE *out)
{
	struct list l = {out, ""};

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
}

static void emit_time(const struct m_rule *r, FILE *out)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu",
					   "fri", "sat", "sun"};
	const char *comma = "";

	fprintf(out, "time: {%sdays: [", r->berlin ? "tz: Europe/Berlin, " : "");
	for (unsigned i = 0; i < 7; i++)
		if (r->days >> i & 1) {
			fprintf(out, "%s%s", comma, days[i]);
			comma = ", ";
		}
	fprintf(out, "], between: \"%02u:00-%02u:00\"}, ", r->from_h, r->until_h);
}

static void emit_when(const struct m_rule *r, FILE *out)
{
	struct list l = {out, ""};

	fputs(", when: {", out);
	emit_mfa(r, out);
	if (r->days)
		emit_time(r, out);
	if (r->from) {
		fputs("from: [", out);
		for (unsigned i = 0; i < N_FROM; i++)
			if (r->from >> i & 1)
				item(&l, "", from_texts[i], -1);
		fputs("]", out);
	}
	fputs("}", out);
}

static void emit_to(unsigned groups, unsigned users, unsigned locals, FILE *out)
{
	struct list l = {out, ""};

	fputs("to: [", out);
	for (unsigned i = 0; i < N_GROUPS; i++)
		if (groups >> i & 1)
			item(&l, "g", "", (int)i);
	for (unsigned i = 0; i < N_USERS; i++)
		if (users >> i & 1)
			item(&l, "user:u", "", (int)i);
	for (unsigned i = 0; i < N_LOCALS; i++)
		if (locals >> i & 1)
			item(&l, "local:l", "", (int)i);
	fputs("]", out);
}

static void emit_vms(unsigned sets, unsigned vms, FILE *out)
{
	static const char *const names[N_VMS] = {"v0.a", "v1.a", "v2.a", "v3.b",
						 "v4.b"};
	struct list l = {out, ""};

	fputs("[", out);
	for (unsigned i = 0; i < N_SETS; i++)
		if (sets >> i & 1)
			item(&l, "s", "", (int)i);
	for (unsigned i = 0; i < N_VMS; i++)
		if (vms >> i & 1)
			item(&l, "vm:", names[i], -1);
	fputs("]", out);
}

void emit_bounds(const struct m_policy *m, bool mode, FILE *out)
{
	const char *head = "separation:\n";

	for (unsigned i = 0; i < N_SEPS; i++) {
		if (!m->seps[i])
			continue;
		fprintf(out, "%s  - {id: s%u, never_both: ", head, i);
		emit_names("role:r", m->seps[i], N_ROLES, out);
		fputs("}\n", out);
		head = "";
	}
	head = "limits:\n";
	for (unsigned i = 0; i < N_LIMITS; i++) {
		const struct m_limit *l = &m->limits[i];

		if (!l->sessions && !l->hours)
			continue;
		fprintf(out, "%s  - {", head);
		emit_to(l->groups, l->users, l->locals, out);
		if (l->sessions)
			fprintf(out, ", max_sessions: %u", l->sessions);
		if (l->hours)
			fprintf(out, ", max_session_time: %uh", l->hours);
		fputs("}\n", out);
		head = "";
	}
	if (!mode || (!m->monitor_default && !m->monitor_sets && !m->monitor_vms))
		return;
	fprintf(out, "mode: {default: %s", m->monitor_default ? "monitor" : "enforce");
	if (m->monitor_sets || m->monitor_vms) {
		fputs(", monitor: ", out);
		emit_vms(m->monitor_sets, m->monitor_vms, out);
	}
	fputs("}\n", out);
}

static void emit_glass(const struct m_rule *r, FILE *out)
{
	fprintf(out, "  - {id: %s, ", r->id);
	emit_to(0, r->users, r->locals, out);
	fputs(", privileges: [console], alert: page, ", out);
	emit_mfa(r, out);
	fputs("vms: ", out);
	emit_vms(r->sets, r->vms, out);
	fputs("}\n", out);
}

static void emit_rule(const struct m_rule *r, FILE *out)
{
	fprintf(out, "  - {id: %s, ", r->id);
	emit_to(r->groups, r->users, r->locals, out);
	fputs(", vms: ", out);
	emit_vms(r->sets, r->vms, out);
	if (r->roles) {
		fputs(", roles: ", out);
		emit_names("r", r->roles, N_ROLES, out);
	}
	if (r->privs || r->targets || r->star) {
		fputs(", privileges: ", out);
		emit_privs(r->privs, r->targets, r->star, out);
	}
	emit_when(r, out);
	if (r->review_d)
		fprintf(out, ", review: {every: %ud, overdue: %s}", r->review_d,
			r->suspend ? "suspend" : "warn");
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
	unsigned order[RULES_MAX] = {0};

	for (unsigned i = 0; i < m->n_rules; i++)
		order[i] = i;
	for (unsigned i = m->n_rules; i > 1 && rng != 0; i--) {
		unsigned k = rng_below(&rng, i), t = order[i - 1];

		order[i - 1] = order[k];
		order[k] = t;
	}
	for (int kind = 0; kind < 3; kind++) {
		static const char *const heads[] = {"grants:\n", "denies:\n",
						    "break_glass:\n"};
		bool head = false;

		for (unsigned i = 0; i < m->n_rules; i++) {
			const struct m_rule *r = &m->rules[order[i]];

			if (!(mask >> order[i] & 1) || r->deny != (kind == 1) ||
			    r->glass != (kind == 2))
				continue;
			if (!head)
				fputs(heads[kind], out);
			head = true;
			if (r->glass)
				emit_glass(r, out);
			else
				emit_rule(r, out);
		}
	}
}
