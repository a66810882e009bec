/* SPDX-License-Identifier: Apache-2.0 */
/* policy_data.c - generated roles, VMs, people and questions, in YAML and JSON. */
#include "tests/bench/policy_data.h"

#include <stdlib.h>
#include <string.h>

const char *const data_privs[N_PRIVS] = {"ssh",	     "sudo", "console", "desktop",
					 "web",	     "boot", "halt",	"copy",
					 "snapshot", "vpn",  "debug",	"backup"};

static uint64_t rng = 20261121;

static uint64_t next(void)
{
	uint64_t z = (rng += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(next() % n);
}

static uint32_t skewed(uint32_t n)
{
	double r = (double)(next() >> 11) / 9007199254740992.0;

	return (uint32_t)(n * r * r);
}

/* Distinct and ascending. */
static void fill(struct list *l, uint32_t n, uint32_t want, uint32_t (*draw)(uint32_t))
{
	while (l->n < want) {
		uint32_t x = draw(n), at = 0;

		while (at < l->n && l->v[at] < x)
			at++;
		if (at < l->n && l->v[at] == x)
			continue;
		memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof(*l->v));
		l->v[at] = x;
		l->n++;
	}
}

void *data_must(void *p)
{
	if (!p)
		abort();
	return p;
}

struct data data_generate(uint32_t n_roles, uint32_t n_vms, uint32_t n_users)
{
	struct data d = {.n_roles = n_roles,
			 .n_vms = n_vms,
			 .n_users = n_users,
			 .n_groups = 5 * n_roles};

	d.groups = data_must(calloc(n_roles, sizeof(*d.groups)));
	d.vms = data_must(calloc(n_roles, sizeof(*d.vms)));
	d.what = data_must(calloc(n_roles, sizeof(*d.what)));
	d.member = data_must(calloc(n_users, sizeof(*d.member)));
	d.vm_name = data_must(calloc(n_vms, sizeof(*d.vm_name)));
	d.user_name = data_must(calloc(n_users, sizeof(*d.user_name)));
	d.group_name = data_must(calloc(d.n_groups, sizeof(*d.group_name)));
	for (uint32_t i = 0; i < d.n_groups; i++)
		snprintf(d.group_name[i], sizeof(*d.group_name), "g%05u", i);
	for (uint32_t i = 0; i < n_vms; i++)
		snprintf(d.vm_name[i], sizeof(*d.vm_name), "vm%05u", i);
	for (uint32_t i = 0; i < n_users; i++) {
		snprintf(d.user_name[i], sizeof(*d.user_name), "u%06u", i);
		fill(&d.member[i], d.n_groups, 2 + below(7), skewed);
	}
	for (uint32_t i = 0; i < n_roles; i++) {
		fill(&d.groups[i], d.n_groups, 3 + below(5), below);
		fill(&d.vms[i], n_vms, 30 + below(41), below);
		fill(&d.what[i], N_PRIVS, 2 + below(3), below);
	}
	return d;
}

void data_done(struct data *d)
{
	free(d->groups);
	free(d->vms);
	free(d->what);
	free(d->member);
	free(d->vm_name);
	free(d->user_name);
	free(d->group_name);
}

void data_queries(const struct data *d, struct query *q)
{
	for (uint32_t i = 0; i < N_QUERIES; i++) {
		uint32_t role = below(d->n_roles);

		q[i] = (struct query){below(d->n_users), below(d->n_vms),
				      below(N_PRIVS)};
		if (i % 2 ==
		    0) /* a role of one of the person's groups, where there is one */
			for (uint32_t k = 0; k < 4000; k++) {
				const struct list *g = &d->groups[role];
				uint32_t u = below(d->n_users),
					 m = below(d->member[u].n);
				bool in = false;

				for (uint32_t j = 0; j < g->n; j++)
					in |= g->v[j] == d->member[u].v[m];
				if (!in)
					continue;
				q[i].user = u;
				q[i].vm = d->vms[role].v[below(d->vms[role].n)];
				q[i].priv = d->what[role].v[below(d->what[role].n)];
				break;
			}
	}
}

/* ------------------------------------------------------------------ YAML */

static void put_list(FILE *f, const char *key, const struct list *l, const char *format)
{
	fprintf(f, "%s: [", key);
	for (uint32_t i = 0; i < l->n; i++) {
		char text[32];

		/* the formats are the two below */
		if (format[0] == 'g')
			snprintf(text, sizeof(text), "g%05u", l->v[i]);
		else
			snprintf(text, sizeof(text), "\"vm:vm%05u\"", l->v[i]);
		fprintf(f, "%s%s", i ? ", " : "", text);
	}
	fputs("]", f);
}

char *data_yaml(const struct data *d, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = data_must(open_memstream(&text, ret_len));

	fputs("vmsec_policy: 1\nservices:\n", f);
	for (uint32_t i = 5; i < N_PRIVS; i++)
		fprintf(f, "  service-%s: %s\n", data_privs[i], data_privs[i]);
	fputs("inventory:\n", f);
	for (uint32_t i = 0; i < d->n_vms; i++)
		fprintf(f, "  %s: {}\n", d->vm_name[i]);
	fputs("roles:\n", f);
	for (uint32_t i = 0; i < d->n_roles; i++) {
		fprintf(f, "  role%04u: {privileges: [", i);
		for (uint32_t k = 0; k < d->what[i].n; k++)
			fprintf(f, "%s%s", k ? ", " : "", data_privs[d->what[i].v[k]]);
		fputs("]}\n", f);
	}
	fputs("grants:\n", f);
	for (uint32_t i = 0; i < d->n_roles; i++) {
		fprintf(f, "  - id: grant%04u\n    roles: [role%04u]\n    ", i, i);
		put_list(f, "to", &d->groups[i], "g");
		fputs("\n    ", f);
		put_list(f, "vms", &d->vms[i], "vm");
		fputs("\n    when: {mfa: {accept: [totp], max_age: 8h}, "
		      "from: [\"10.0.0.0/8\"], time: {tz: Europe/Berlin, days: "
		      "[mon, tue, wed, thu, fri], between: \"06:00-22:00\"}}\n",
		      f);
	}
	if (fclose(f) != 0)
		abort();
	return text;
}

/* ------------------------------------------------------------------ JSON */

static void json_names(FILE *out, const char *key, const char *names, size_t stride,
		       uint32_t n)
{
	fprintf(out, "\"%s\":[", key);
	for (uint32_t i = 0; i < n; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", names + i * stride);
	fputs("],\n", out);
}

static void json_lists(FILE *out, const char *key, const struct list *l, uint32_t n)
{
	fprintf(out, "\"%s\":[", key);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i ? ",[" : "[", out);
		for (uint32_t k = 0; k < l[i].n; k++)
			fprintf(out, "%s%u", k ? "," : "", l[i].v[k]);
		fputs("]", out);
	}
	fputs("],\n", out);
}

void data_json(const struct data *d, const struct query *q, const bool *answers,
	       size_t n, FILE *out)
{
	fputs("{", out);
	json_names(out, "vms", d->vm_name[0], sizeof(*d->vm_name), d->n_vms);
	json_names(out, "users", d->user_name[0], sizeof(*d->user_name), d->n_users);
	json_names(out, "groups", d->group_name[0], sizeof(*d->group_name),
		   d->n_groups);
	json_lists(out, "member", d->member, d->n_users);
	json_lists(out, "role_groups", d->groups, d->n_roles);
	json_lists(out, "role_vms", d->vms, d->n_roles);
	json_lists(out, "role_privs", d->what, d->n_roles);
	fputs("\"privs\":[", out);
	for (uint32_t i = 0; i < N_PRIVS; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", data_privs[i]);
	fputs("],\n\"queries\":[", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s[%u,%u,%u,%d]", i ? "," : "", q[i].user, q[i].vm,
			q[i].priv, answers[i]);
	fputs("]}\n", out);
}
