/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.c - the canonical form: everything sorted, resolved and quoted. Loading it
 * again decides the same; its sha256 names the policy in the log.
 */
#include "policy/print.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>

#include "policy/memtext.h"
#include "policy/model.h"
#include "policy/password.h"

/* Quoted, so that no YAML reader sees anything but text. */
static void put_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_key(FILE *out, const char *key, const char *text)
{
	if (!text)
		return;
	fprintf(out, ", %s: ", key);
	put_text(out, text);
}

void print_texts(FILE *out, const struct text_list *list)
{
	fputc('[', out);
	for (uint32_t i = 0; i < list->n; i++) {
		fputs(i > 0 ? ", " : "", out);
		put_text(out, list->v[i]);
	}
	fputc(']', out);
}

void print_names(FILE *out, const struct index_list *list, const char **names)
{
	fputc('[', out);
	for (uint32_t i = 0; i < list->n; i++) {
		fputs(i > 0 ? ", " : "", out);
		put_text(out, names[list->v[i]]);
	}
	fputc(']', out);
}

static void put_head(const struct policy *p, FILE *out)
{
	fputs("vmsec_policy: 1\n", out);
	if (p->has_serial)
		fprintf(out, "serial: %llu\n", (unsigned long long)p->serial);
	if (p->tz) {
		fputs("defaults: {tz: ", out);
		put_text(out, p->tz);
		fputs("}\n", out);
	}
}

static void put_subjects(const struct policy *p, FILE *out)
{
	fputs(p->groups.n > 0 ? "groups:\n" : "", out);
	for (uint32_t i = 0; i < p->groups.n; i++) {
		const struct policy_group *g = &p->group_info[i];

		fputs("  ", out);
		put_text(out, g->name);
		fputs(": {", out);
		if (g->dn) {
			fputs("dn: ", out);
			put_text(out, g->dn);
		}
		if (g->id) {
			fputs(g->dn ? ", id: " : "id: ", out);
			put_text(out, g->id);
		}
		fputs("}\n", out);
	}
	fputs(p->users.n > 0 ? "users:\n" : "", out);
	for (uint32_t i = 0; i < p->users.n; i++) {
		fputs("  ", out);
		put_text(out, p->users.v[i]);
		fputs(": {id: ", out);
		put_text(out, p->user_ids[i]);
		fputs("}\n", out);
	}
}

static void put_services(const struct policy *p, FILE *out)
{
	fputs(p->services.n > 0 ? "services:\n" : "", out);
	for (uint32_t i = 0; i < p->services.n; i++) {
		fputs("  ", out);
		put_text(out, p->services.v[i]);
		fputs(": ", out);
		put_text(out, p->privileges.v[p->service_privilege[i]]);
		fputc('\n', out);
	}
}

static void put_vm(const struct model_vm *vm, FILE *out)
{
	fputs("{labels: {", out);
	for (uint32_t i = 0; i < vm->n_labels; i++) {
		fputs(i > 0 ? ", " : "", out);
		put_text(out, vm->labels[i].key);
		fputs(": ", out);
		put_text(out, vm->labels[i].value);
	}
	fputs("}", out);
	put_key(out, "owner", vm->owner);
	fputs("}\n", out);
}

static void put_inventory(const struct policy *p, FILE *out)
{
	if (!p->has_inventory)
		return;
	fputs(p->vms.n > 0 ? "inventory:\n" : "inventory: {}\n", out);
	for (uint32_t i = 0; i < p->vms.n; i++) {
		fputs("  ", out);
		put_text(out, p->vms.v[i]);
		fputs(": ", out);
		put_vm(&p->vm_info[i], out);
	}
}

static void put_expr(const struct vm_expr *e, FILE *out)
{
	switch (e->kind) {
	case VM_ALL:
	case VM_ANY:
		fputs(e->kind == VM_ALL ? "{all: [" : "{any: [", out);
		for (uint32_t i = 0; i < e->n_kids; i++) {
			fputs(i > 0 ? ", " : "", out);
			put_expr(e->kids[i], out);
		}
		fputs("]}", out);
		return;
	case VM_NOT:
		fputs("{not: ", out);
		put_expr(e->kids[0], out);
		fputs("}", out);
		return;
	case VM_LABEL:
		fputs("{label: {", out);
		put_text(out, e->key);
		fputs(": ", out);
		print_texts(out, &e->texts);
		fputs("}}", out);
		return;
	case VM_NAME:
		fputs("{name: ", out);
		print_texts(out, &e->texts);
		fputs("}", out);
		return;
	case VM_EVERY:
		fputs("{every: true}", out);
		return;
	}
}

static void put_sets(const struct policy *p, FILE *out)
{
	fputs(p->sets.n > 0 ? "vm_sets:\n" : "", out);
	for (uint32_t i = 0; i < p->sets.n; i++) {
		fputs("  ", out);
		put_text(out, p->sets.v[i]);
		fputs(": ", out);
		put_expr(p->set_expr[i], out);
		fputc('\n', out);
	}
}

static void put_privileges(const struct policy *p, uint64_t bits,
			   const struct text_list *su, FILE *out)
{
	const char *comma = "";

	fputc('[', out);
	for (uint32_t i = 0; i < p->privileges.n; i++) {
		if (!(bits >> i & 1))
			continue;
		fputs(comma, out);
		put_text(out, p->privileges.v[i]);
		comma = ", ";
	}
	for (uint32_t i = 0; i < su->n; i++) {
		fprintf(out, "%s\"su:%s\"", comma, su->v[i]); /* a login */
		comma = ", ";
	}
	fputc(']', out);
}

static void put_roles(const struct policy *p, FILE *out)
{
	fputs(p->roles.n > 0 ? "roles:\n" : "", out);
	for (uint32_t i = 0; i < p->roles.n; i++) {
		const struct model_role *r = &p->role_info[i];

		fputs("  ", out);
		put_text(out, p->roles.v[i]);
		fputs(": {includes: ", out);
		print_names(out, &r->includes, p->roles.v);
		fputs(", privileges: ", out);
		put_privileges(p, r->own_privileges, &r->own_su, out);
		fputs("}\n", out);
	}
}

/* ----------------------------------------------------------------- rules */

void print_vms(const struct policy *p, const struct rule *r, FILE *out)
{
	const char *comma = "";

	fputc('[', out);
	for (uint32_t i = 0; i < r->sets.n; i++) {
		fputs(comma, out);
		put_text(out, p->sets.v[r->sets.v[i]]);
		comma = ", ";
	}
	for (uint32_t i = 0; i < r->vms.n; i++) {
		fprintf(out, "%s\"vm:%s\"", comma, r->vms.v[i]); /* a VM name */
		comma = ", ";
	}
	fputc(']', out);
}

void print_accept(unsigned accept, FILE *out)
{
	const char *comma = "";

	fputc('[', out);
	for (unsigned m = POLICY_METHOD_TOTP; m <= POLICY_METHOD_SECURITY_KEY;
	     m <<= 1) {
		if (!(accept & m))
			continue;
		fprintf(out, "%s%s", comma, policy_method_name((enum policy_method)m));
		comma = ", ";
	}
	fputc(']', out);
}

static void put_mfa(const struct policy *p, const struct rule *r, FILE *out)
{
	const char *comma = "";

	if (!r->mfa || r->mfa->accept == 0) {
		fputs("mfa: none", out);
		return;
	}
	fputs("mfa: {accept: ", out);
	print_accept(r->mfa->accept, out);
	fputs(", max_age: {", out);
	for (uint32_t i = 0; i < p->privileges.n; i++) {
		if (!(r->privileges >> i & 1) && !(i == p->priv_su && r->su.n > 0))
			continue;
		fprintf(out, "%s\"%s\": %ds", comma, p->privileges.v[i],
			r->mfa->max_age[i]);
		comma = ", ";
	}
	fputs("}}", out);
}

void print_network(const struct model_from *f, char ret[PRINT_NETWORK_MAX])
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(f->v4 ? AF_INET : AF_INET6, f->v4 ? f->addr + 12 : f->addr, text,
		       sizeof(text)))
		text[0] = '\0'; /* cannot happen; would not load again */
	if (f->local)
		(void)snprintf(ret, PRINT_NETWORK_MAX, "local");
	else
		(void)snprintf(ret, PRINT_NETWORK_MAX, "%s/%d", text,
			       f->v4 ? f->bits - 96 : f->bits);
}

void print_from(const struct rule *r, FILE *out)
{
	char text[PRINT_NETWORK_MAX];

	fputc('[', out);
	for (uint32_t i = 0; i < r->n_from; i++) {
		print_network(&r->from[i], text);
		fprintf(out, r->from[i].local ? "%s%s" : "%s\"%s\"", i > 0 ? ", " : "",
			text);
	}
	fputc(']', out);
}

void print_time(const struct model_time *t, FILE *out)
{
	fprintf(out, "{tz: \"%s\", days: [%s], between: \"%s\"}", t->tz, t->days_text,
		t->between_text);
}

static void put_when(const struct policy *p, const struct rule *r, FILE *out)
{
	const char *comma = "";

	if (r->deny && r->n_from == 0 && !r->time)
		return;
	fputs(", when: {", out);
	if (!r->deny) {
		put_mfa(p, r, out);
		comma = ", ";
	}
	if (r->n_from > 0) {
		fprintf(out, "%sfrom: ", comma);
		print_from(r, out);
		comma = ", ";
	}
	if (r->time) {
		fprintf(out, "%stime: ", comma);
		print_time(r->time, out);
	}
	fputc('}', out);
}

static void put_conditions(const struct policy *p, const struct rule *r, FILE *out)
{
	put_when(p, r, out);
	if (r->review_every_s > 0)
		fprintf(out, ", review: {every: %llds, overdue: %s}",
			(long long)r->review_every_s,
			r->overdue == POLICY_OVERDUE_SUSPEND ? "suspend" : "warn");
	if (!r->from_text && !r->until_text)
		return;
	fputs(", valid: {", out);
	if (r->from_text)
		fprintf(out, "from: \"%s\"%s", r->from_text, r->until_text ? ", " : "");
	if (r->until_text)
		fprintf(out, "until: \"%s\"", r->until_text);
	fputc('}', out);
}

static void put_glass(const struct policy *p, FILE *out)
{
	fputs(p->glass.n > 0 ? "break_glass:\n" : "", out);
	for (uint32_t i = 0; i < p->glass.n; i++) {
		const struct rule *r = &p->glass.v[i];

		fputs("  - {id: ", out);
		put_text(out, r->id);
		fputs(", to: ", out);
		print_names(out, &r->to, p->principal_text);
		fputs(", privileges: [\"console\"], ", out);
		put_mfa(p, r, out);
		fputs(", vms: ", out);
		print_vms(p, r, out);
		put_key(out, "alert", r->alert);
		put_key(out, "owner", r->owner);
		put_key(out, "why", r->why);
		fputs("}\n", out);
	}
}

static void put_rules(const struct policy *p, const struct rules *rules,
		      const char *key, FILE *out)
{
	if (rules->n > 0)
		fprintf(out, "%s:\n", key);
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];

		fputs("  - {id: ", out);
		put_text(out, r->id);
		fputs(", to: ", out);
		print_names(out, &r->to, p->principal_text);
		if (!r->deny) {
			fputs(", roles: ", out);
			print_names(out, &r->roles, p->roles.v);
		} else if (r->privileges == UINT64_MAX) {
			fputs(", privileges: [\"*\"]", out);
		} else {
			fputs(", privileges: ", out);
			put_privileges(p, r->privileges, &r->su, out);
		}
		fputs(", vms: ", out);
		print_vms(p, r, out);
		put_conditions(p, r, out);
		put_key(out, "message", r->message);
		put_key(out, "owner", r->owner);
		put_key(out, "why", r->why);
		fputs("}\n", out);
	}
}

/* ---------------------------------------------------------------- bounds */

static void put_separations(const struct policy *p, FILE *out)
{
	fputs(p->n_separations > 0 ? "separation:\n" : "", out);
	for (uint32_t i = 0; i < p->n_separations; i++) {
		const struct model_separation *sep = &p->separations[i];

		fputs("  - {id: ", out);
		put_text(out, sep->id);
		for (uint32_t k = 0; k < sep->roles.n; k++) {
			/* a name holds no quotes */
			fprintf(out, "%s\"role:%s\"", k == 0 ? ", never_both: [" : ", ",
				p->roles.v[sep->roles.v[k]]);
		}
		fputs("]}\n", out);
	}
}

static void put_limits(const struct policy *p, FILE *out)
{
	fputs(p->n_limits > 0 ? "limits:\n" : "", out);
	for (uint32_t i = 0; i < p->n_limits; i++) {
		const struct model_limit *l = &p->limits[i];

		fputs("  - {to: ", out);
		print_names(out, &l->to, p->principal_text);
		if (l->max_sessions > 0)
			fprintf(out, ", max_sessions: %u", l->max_sessions);
		if (l->max_session_s > 0)
			fprintf(out, ", max_session_time: %llds",
				(long long)l->max_session_s);
		fputs("}\n", out);
	}
}

static void put_enrolments(const struct policy *p, FILE *out)
{
	fputs(p->n_enrolments > 0 ? "enrolment:\n" : "", out);
	for (uint32_t i = 0; i < p->n_enrolments; i++) {
		const struct model_enrolment *e = &p->enrolments[i];

		fputs("  - {to: ", out);
		print_names(out, &e->to, p->principal_text);
		fprintf(out, ", at_first_login: %s",
			e->at_first_login ? "true" : "false");
		put_key(out, "until", e->until_text);
		fputs(e->optional ? ", optional: true}\n" : "}\n", out);
	}
}

static void put_mode(const struct policy *p, FILE *out)
{
	const struct rule *m = &p->monitor;

	if (!p->monitor_default && m->sets.n == 0 && m->vms.n == 0)
		return;
	fprintf(out, "mode: {default: %s", p->monitor_default ? "monitor" : "enforce");
	if (m->sets.n > 0 || m->vms.n > 0) {
		fputs(", monitor: ", out);
		print_vms(p, m, out);
	}
	fputs("}\n", out);
}

static void put_tests(const struct policy *p, FILE *out)
{
	fputs(p->n_tests > 0 ? "tests:\n" : "", out);
	for (uint32_t i = 0; i < p->n_tests; i++)
		fprintf(out, "  - %s\n", p->tests[i].text);
}

int policy_print(const struct policy *policy, FILE *out)
{
	put_head(policy, out);
	put_subjects(policy, out);
	put_services(policy, out);
	put_inventory(policy, out);
	put_sets(policy, out);
	put_roles(policy, out);
	put_rules(policy, &policy->grants, "grants", out);
	put_rules(policy, &policy->denies, "denies", out);
	put_glass(policy, out);
	put_separations(policy, out);
	put_limits(policy, out);
	put_enrolments(policy, out);
	password_print(&policy->password, out);
	put_mode(policy, out);
	put_tests(policy, out);
	return ferror(out) ? -EIO : 0;
}

static int print_to_memory(const struct policy *p, char **ret_text, size_t *ret_len)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	int r = memtext_open(&m);

	if (r == 0)
		r = policy_print(p, m.out);
	return r == 0 ? memtext_take(&m, ret_text, ret_len) : r;
}

int print_hash(struct policy *p)
{
	static const char hex[] = "0123456789abcdef";
	_cleanup_free_ char *text = NULL;
	unsigned char md[32];
	size_t len;
	int r;

	r = print_to_memory(p, &text, &len);
	if (r != 0)
		return r;
	if (EVP_Digest(text, len, md, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	for (size_t i = 0; i < sizeof(md); i++) {
		p->sha256[2 * i] = hex[md[i] >> 4];
		p->sha256[2 * i + 1] = hex[md[i] & 15];
	}
	return 0;
}
