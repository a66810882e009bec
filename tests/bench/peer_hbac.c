/* SPDX-License-Identifier: Apache-2.0 */
/* peer_hbac.c - libipa_hbac over the generated data; see peer_hbac_none.c. */
#include "tests/bench/peer_hbac.h"

#include <ipa_hbac.h>
#include <stdlib.h>
#include <string.h>

struct peer_hbac {
	const struct data *d;
	struct hbac_rule *rules;	   /* owned, one a role */
	struct hbac_rule_element *element; /* owned, four a role */
	struct hbac_rule **all;		   /* owned, NULL-terminated */
	struct hbac_rule ***of_vm;	   /* owned, likewise, one a VM */
	const char **names;		   /* owned; every list, NULL-terminated */
	size_t n_names;
	const char ***member; /* owned: groups of each person; lists in names */
};

static const char **add_list(struct peer_hbac *h, const struct list *l,
			     const char *base, size_t stride)
{
	const char **first = h->names + h->n_names;

	for (uint32_t i = 0; i < l->n; i++)
		h->names[h->n_names++] = base + l->v[i] * stride;
	h->names[h->n_names++] = NULL;
	return first;
}

static const char **add_privs(struct peer_hbac *h, const struct list *l)
{
	const char **first = h->names + h->n_names;

	for (uint32_t i = 0; i < l->n; i++)
		h->names[h->n_names++] = data_privs[l->v[i]];
	h->names[h->n_names++] = NULL;
	return first;
}

static void make_rule(struct peer_hbac *h, uint32_t role)
{
	const struct data *d = h->d;
	struct hbac_rule_element *e = &h->element[4 * role];

	e[0].groups =
		add_list(h, &d->groups[role], d->group_name[0], sizeof(*d->group_name));
	e[1].names = add_list(h, &d->vms[role], d->vm_name[0], sizeof(*d->vm_name));
	e[2].names = add_privs(h, &d->what[role]);
	e[3].category = HBAC_CATEGORY_ALL;
	h->rules[role] = (struct hbac_rule){.name = d->group_name[role],
					    .enabled = true,
					    .users = &e[0],
					    .targethosts = &e[1],
					    .services = &e[2],
					    .srchosts = &e[3]};
	h->all[role] = &h->rules[role];
}

static void index_vms(struct peer_hbac *h)
{
	const struct data *d = h->d;
	uint32_t *n = data_must(calloc(d->n_vms, sizeof(*n)));

	for (uint32_t r = 0; r < d->n_roles; r++)
		for (uint32_t i = 0; i < d->vms[r].n; i++)
			n[d->vms[r].v[i]]++;
	for (uint32_t v = 0; v < d->n_vms; v++)
		h->of_vm[v] = data_must(calloc(n[v] + 1, sizeof(struct hbac_rule *)));
	memset(n, 0, d->n_vms * sizeof(*n));
	for (uint32_t r = 0; r < d->n_roles; r++)
		for (uint32_t i = 0; i < d->vms[r].n; i++) {
			uint32_t v = d->vms[r].v[i];

			h->of_vm[v][n[v]++] = &h->rules[r];
		}
	free(n);
}

struct peer_hbac *peer_hbac_new(const struct data *d)
{
	struct peer_hbac *h = data_must(calloc(1, sizeof(*h)));
	size_t n = 4 * (size_t)d->n_roles + d->n_users;

	for (uint32_t r = 0; r < d->n_roles; r++)
		n += d->groups[r].n + d->vms[r].n + d->what[r].n;
	for (uint32_t u = 0; u < d->n_users; u++)
		n += d->member[u].n;
	h->d = d;
	h->names = data_must(calloc(n, sizeof(*h->names)));
	h->rules = data_must(calloc(d->n_roles, sizeof(*h->rules)));
	h->element = data_must(calloc(4 * (size_t)d->n_roles, sizeof(*h->element)));
	h->all = data_must(calloc(d->n_roles + 1, sizeof(struct hbac_rule *)));
	h->of_vm = data_must(calloc(d->n_vms, sizeof(struct hbac_rule **)));
	h->member = data_must(calloc(d->n_users, sizeof(const char **)));
	for (uint32_t r = 0; r < d->n_roles; r++)
		make_rule(h, r);
	for (uint32_t u = 0; u < d->n_users; u++)
		h->member[u] = add_list(h, &d->member[u], d->group_name[0],
					sizeof(*d->group_name));
	index_vms(h);
	return h;
}

void peer_hbac_free(struct peer_hbac *h)
{
	if (!h)
		return;
	for (uint32_t v = 0; v < h->d->n_vms; v++)
		free(h->of_vm[v]);
	free(h->of_vm);
	free(h->all);
	free(h->element);
	free(h->rules);
	free(h->names);
	free(h->member);
	free(h);
}

bool peer_hbac_decide(const struct peer_hbac *h, const struct query *q, bool all)
{
	const char *none[] = {NULL};
	struct hbac_request_element service = {data_privs[q->priv], none};
	struct hbac_request_element user = {h->d->user_name[q->user],
					    h->member[q->user]};
	struct hbac_request_element host = {h->d->vm_name[q->vm], none};
	struct hbac_request_element source = {"", none};
	struct hbac_eval_req req = {&service, &user, &host, &source, 1795000000};
	struct hbac_info *info = NULL;
	enum hbac_eval_result r =
		hbac_evaluate(all ? h->all : h->of_vm[q->vm], &req, &info);

	hbac_free_info(info);
	return r == HBAC_EVAL_ALLOW;
}
