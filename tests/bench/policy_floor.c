/* SPDX-License-Identifier: Apache-2.0 */
/* policy_floor.c - decisions with bitsets alone. */
#include "tests/bench/policy_floor.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *s)
{
	uint64_t h = 1469598103934665603u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 1099511628211u;
	return h ^ h >> 29;
}

static struct table table_make(const char *names, size_t stride, uint32_t n)
{
	struct table t = {7, NULL, names, stride};

	while (t.mask + 1 < 2 * n)
		t.mask = 2 * t.mask + 1;
	t.slot = data_must(malloc(sizeof(*t.slot) * ((size_t)t.mask + 1)));
	memset(t.slot, 0xff, sizeof(*t.slot) * ((size_t)t.mask + 1));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)hash(names + i * stride) & t.mask;

		while (t.slot[k] >= 0)
			k = (k + 1) & t.mask;
		t.slot[k] = (int32_t)i;
	}
	return t;
}

uint32_t table_get(const struct table *t, const char *s)
{
	uint32_t k = (uint32_t)hash(s) & t->mask;

	while (strcmp(t->names + (size_t)t->slot[k] * t->stride, s) != 0)
		k = (k + 1) & t->mask;
	return (uint32_t)t->slot[k];
}

static void set_bits(uint64_t *bits, size_t words, const struct list *l, uint32_t role)
{
	for (uint32_t i = 0; i < l->n; i++)
		bits[l->v[i] * words + role / 64] |= (uint64_t)1 << role % 64;
}

void floor_make(struct floor *f, const struct data *d)
{
	memset(f, 0, sizeof(*f));
	f->words = (d->n_roles + 63) / 64;

	f->by_group = data_must(calloc(f->words * d->n_groups, 8));
	f->by_vm = data_must(calloc(f->words * d->n_vms, 8));
	f->by_priv = data_must(calloc(f->words * N_PRIVS, 8));
	for (uint32_t i = 0; i < d->n_roles; i++) {
		set_bits(f->by_group, f->words, &d->groups[i], i);
		set_bits(f->by_vm, f->words, &d->vms[i], i);
		set_bits(f->by_priv, f->words, &d->what[i], i);
	}
	for (uint32_t i = 0; i < N_PRIVS; i++)
		snprintf(f->priv_names[i], sizeof(f->priv_names[i]), "%s",
			 data_privs[i]);
	f->privs = table_make(f->priv_names[0], sizeof(f->priv_names[0]), N_PRIVS);
	f->users = table_make(d->user_name[0], sizeof(*d->user_name), d->n_users);
	f->vms = table_make(d->vm_name[0], sizeof(*d->vm_name), d->n_vms);
}

void floor_done(struct floor *f)
{
	free(f->by_group);
	free(f->by_vm);
	free(f->by_priv);
	free(f->users.slot);
	free(f->vms.slot);
	free(f->privs.slot);
}

bool floor_decide(const struct floor *f, const struct data *d, const struct query *q)
{
	const struct list *member =
		&d->member[table_get(&f->users, d->user_name[q->user])];
	const uint64_t *vm =
		f->by_vm + table_get(&f->vms, d->vm_name[q->vm]) * f->words;
	const uint64_t *priv =
		f->by_priv + table_get(&f->privs, f->priv_names[q->priv]) * f->words;

	for (size_t w = 0; w < f->words; w++) {
		uint64_t m = vm[w] & priv[w];

		for (uint32_t g = 0; m && g < member->n; g++)
			if (m & f->by_group[member->v[g] * f->words + w])
				return true;
	}
	return false;
}
