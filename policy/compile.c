/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile.c - the index of a policy: VMs that the same rules hold form a class, each
 * class has its list of rules, and so has each principal. A decision walks the shorter.
 */
#include "policy/compile.h"

#include <errno.h>

#include "policy/vmset.h"

struct compile {
	struct policy *p;
	struct vmset_index *idx; /* owned */
	uint64_t **set_bits;	 /* owned; one array a set */
	uint64_t *rule_bits;	 /* owned; VMs of the rule at hand */
	uint32_t n_classes;
	uint32_t *moved;      /* owned; by class: the class its members move to */
	uint32_t *moved_of;   /* owned; by class: rule number + 1 that set @moved */
	uint32_t *rep;	      /* owned; by class: one VM of it */
	uint32_t *size, *hit; /* owned; by class: VMs, and VMs the rule holds */
	uint64_t work;	      /* steps so far */
};

static void compile_done(struct compile *c)
{
	vmset_index_free(c->idx);
	if (c->set_bits)
		for (uint32_t i = 0; i < c->p->sets.n; i++)
			free(c->set_bits[i]);
	free(c->set_bits);
	free(c->rule_bits);
	free(c->moved);
	free(c->moved_of);
	free(c->rep);
	free(c->size);
	free(c->hit);
}

static int compile_init(struct compile *c)
{
	size_t n = (size_t)c->p->vms.n + 1;

	c->set_bits = calloc((size_t)c->p->sets.n + 1, sizeof(uint64_t *));
	c->rule_bits = calloc(vmset_words(c->p) + 1, sizeof(*c->rule_bits));
	c->moved = calloc(n, sizeof(*c->moved));
	c->moved_of = calloc(n, sizeof(*c->moved_of));
	c->rep = calloc(n, sizeof(*c->rep));
	c->size = calloc(n, sizeof(*c->size));
	c->hit = calloc(n, sizeof(*c->hit));
	if (!c->set_bits || !c->rule_bits || !c->moved || !c->moved_of || !c->rep ||
	    !c->size || !c->hit)
		return -ENOMEM;
	return vmset_index_new(c->p, &c->idx);
}

static int too_large(struct diags *diag, const char *what)
{
	diags_add(diag, NULL, 0, 0, NULL, "the policy is too large: %s", what);
	return POLICY_E_INVALID;
}

static int eval_sets(struct compile *c, struct diags *diag)
{
	size_t n = vmset_words(c->p);
	int r;

	if ((uint64_t)n * c->p->sets.n > POLICY_PAIRS_MAX)
		return too_large(diag, "sets times VMs");
	for (uint32_t i = 0; i < c->p->sets.n; i++) {
		c->set_bits[i] = calloc(n + 1, sizeof(uint64_t));
		if (!c->set_bits[i])
			return -ENOMEM;
		r = vmset_eval(c->idx, c->p->set_expr[i], c->set_bits[i]);
		if (r > 0)
			return too_large(diag,
					 "its selectors take too long to evaluate");
		if (r != 0)
			return r;
	}
	return 0;
}

/* The VMs of one rule, into c->rule_bits. */
static void rule_members(struct compile *c, const struct rule *rule)
{
	size_t n = vmset_words(c->p);

	memset(c->rule_bits, 0, n * sizeof(*c->rule_bits));
	for (uint32_t i = 0; i < rule->sets.n; i++) {
		const uint64_t *set = c->set_bits[rule->sets.v[i]];

		for (size_t w = 0; w < n; w++)
			c->rule_bits[w] |= set[w];
	}
	for (uint32_t i = 0; i < rule->vms.n; i++) {
		uint32_t k = names_find(&c->p->vms, rule->vms.v[i]);

		if (k != NAMES_NONE)
			vmset_set(c->rule_bits, k);
	}
}

#define FOR_EACH_BIT(i, bits, n_words)                                                 \
	for (size_t w_ = 0; w_ < (n_words); w_++)                                      \
		for (uint64_t b_ = (bits)[w_];                                         \
		     b_ &&                                                             \
		     ((i) = (uint32_t)(w_ * 64 + (size_t)__builtin_ctzll(b_)), true);  \
		     b_ &= b_ - 1)

/* Splits every class of which the rule holds a part only. */
static void refine(struct compile *c, uint32_t stamp)
{
	size_t n = vmset_words(c->p);
	uint32_t *class = c->p->vm_class, vm;

	FOR_EACH_BIT(vm, c->rule_bits, n)
	{
		uint32_t k = class[vm];

		c->hit[k] = c->moved_of[k] == stamp ? c->hit[k] + 1 : 1;
		c->moved_of[k] = stamp;
		c->moved[k] = NAMES_NONE;
	}
	FOR_EACH_BIT(vm, c->rule_bits, n)
	{
		uint32_t k = class[vm];

		if (c->moved_of[k] != stamp || c->hit[k] == c->size[k])
			continue; /* wholly inside */
		if (c->moved[k] == NAMES_NONE) {
			c->moved[k] = c->n_classes++;
			c->size[k] -= c->hit[k];
			c->size[c->moved[k]] = c->hit[k];
			c->hit[k] = UINT32_MAX; /* never equal to the new size */
		}
		class[vm] = c->moved[k];
	}
}

/* Many rules that hold nearly every VM would take the square of the policy's size. */
static bool rule_fits(struct compile *c, const struct rule *rule)
{
	size_t n = vmset_words(c->p);

	c->work += (uint64_t)rule->sets.n * n + n;
	for (size_t w = 0; w < n; w++)
		c->work += (uint64_t)__builtin_popcountll(c->rule_bits[w]);
	return c->work <= POLICY_WORK_MAX;
}

/* Return: false when it is too much. */
static bool refine_by(struct compile *c, const struct rules *rules, uint32_t *stamp)
{
	for (uint32_t i = 0; i < rules->n; i++) {
		rule_members(c, &rules->v[i]);
		if (!rule_fits(c, &rules->v[i]))
			return false;
		refine(c, ++*stamp);
	}
	return true;
}

static int make_classes(struct compile *c, struct diags *diag)
{
	struct policy *p = c->p;
	uint32_t stamp = 0;

	p->vm_class = arena_array(&p->arena, p->vms.n, sizeof(*p->vm_class));
	if (!p->vm_class)
		return -ENOMEM;
	c->n_classes = p->vms.n > 0;
	c->size[0] = p->vms.n;
	if (!refine_by(c, &p->grants, &stamp) || !refine_by(c, &p->denies, &stamp) ||
	    !refine_by(c, &p->glass, &stamp))
		return too_large(diag, "rules times VMs");
	rule_members(c, &p->monitor);
	refine(c, ++stamp);
	for (uint32_t i = 0; i < p->vms.n; i++)
		c->rep[p->vm_class[i]] = i;
	return 0;
}

/* -------------------------------------------------------------- lists */

struct pairs {
	uint64_t *v; /* owned; key << 32 | rule */
	size_t n, cap;
};

static void pairs_done(struct pairs *pairs)
{
	free(pairs->v);
}

static int pairs_add(struct pairs *pairs, uint32_t key, uint32_t rule)
{
	if (pairs->n == pairs->cap) {
		size_t cap = pairs->cap ? 2 * pairs->cap : 1024;
		uint64_t *grown;

		if (pairs->n >= POLICY_PAIRS_MAX)
			return POLICY_E_INVALID;
		grown = reallocarray(pairs->v, cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		pairs->v = grown;
		pairs->cap = cap;
	}
	pairs->v[pairs->n++] = (uint64_t)key << 32 | rule;
	return 0;
}

/* Pairs come in ascending order of rules, so counting by key keeps lists sorted. */
static int pairs_to_csr(const struct pairs *pairs, struct arena *a, uint32_t n_keys,
			struct csr *ret)
{
	struct csr csr = {.n = n_keys};

	csr.off = arena_array(a, (size_t)n_keys + 2, sizeof(*csr.off));
	csr.v = arena_array(a, pairs->n, sizeof(*csr.v));
	if (!csr.off || !csr.v)
		return -ENOMEM;
	for (size_t i = 0; i < pairs->n; i++)
		csr.off[(pairs->v[i] >> 32) + 2]++;
	for (uint32_t k = 2; k < n_keys + 2; k++)
		csr.off[k] += csr.off[k - 1];
	for (size_t i = 0; i < pairs->n; i++)
		csr.v[csr.off[(pairs->v[i] >> 32) + 1]++] = (uint32_t)pairs->v[i];
	*ret = csr;
	return 0;
}

static int list_by_class(struct compile *c, struct rules *rules)
{
	_cleanup_(pairs_done) struct pairs pairs = {0};
	int r = 0;

	for (uint32_t i = 0; i < rules->n && r == 0; i++) {
		uint32_t vm;

		rule_members(c, &rules->v[i]);
		FOR_EACH_BIT(vm, c->rule_bits, vmset_words(c->p))
		{
			uint32_t k = c->p->vm_class[vm];

			if (c->rep[k] == vm && r == 0)
				r = pairs_add(&pairs, k, i);
		}
	}
	return r != 0 ? r
		      : pairs_to_csr(&pairs, &c->p->arena, c->n_classes,
				     &rules->by_class);
}

static int list_by_principal(struct compile *c, struct rules *rules)
{
	_cleanup_(pairs_done) struct pairs pairs = {0};
	int r = 0;

	for (uint32_t i = 0; i < rules->n; i++)
		for (uint32_t k = 0; k < rules->v[i].to.n && r == 0; k++)
			r = pairs_add(&pairs, rules->v[i].to.v[k], i);
	return r != 0 ? r
		      : pairs_to_csr(&pairs, &c->p->arena, policy_principal_count(c->p),
				     &rules->by_principal);
}

static int list_rules(struct compile *c, struct rules *rules, struct diags *diag)
{
	int r = list_by_class(c, rules);

	if (r == 0)
		r = list_by_principal(c, rules);
	return r > 0 ? too_large(diag, "rules times VMs") : r;
}

static int list_monitored(struct compile *c)
{
	struct policy *p = c->p;
	uint64_t *bits = arena_array(&p->arena, c->n_classes / 64 + 1u, sizeof(*bits));

	if (!bits)
		return -ENOMEM;
	rule_members(c, &p->monitor);
	for (uint32_t k = 0; k < c->n_classes; k++)
		if (p->monitor_default || vmset_has(c->rule_bits, c->rep[k]))
			vmset_set(bits, k);
	p->class_monitor = bits;
	return 0;
}

int compile_index(struct policy *p, struct diags *diag)
{
	_cleanup_(compile_done) struct compile c = {.p = p};
	int r;

	r = compile_init(&c);
	if (r == 0)
		r = eval_sets(&c, diag);
	if (r == 0)
		r = make_classes(&c, diag);
	if (r == 0)
		r = list_rules(&c, &p->grants, diag);
	if (r == 0)
		r = list_rules(&c, &p->denies, diag);
	if (r == 0)
		r = list_rules(&c, &p->glass, diag);
	if (r == 0)
		r = list_monitored(&c);
	return r;
}

/* ------------------------------------------------------------ small faces */

uint64_t policy_serial(const struct policy *policy)
{
	return policy->serial;
}

const char *policy_sha256(const struct policy *policy)
{
	return policy->sha256;
}

size_t policy_group_count(const struct policy *policy)
{
	return policy->groups.n;
}

size_t policy_user_count(const struct policy *policy)
{
	return policy->users.n;
}

struct policy_user policy_user_at(const struct policy *policy, size_t index)
{
	return (struct policy_user){.login = policy->users.v[index],
				    .id = policy->user_ids[index]};
}

const struct policy_group *policy_group_at(const struct policy *policy, size_t index)
{
	return index < policy->groups.n ? &policy->group_info[index] : NULL;
}

int policy_group_find(const struct policy *policy, const char *name,
		      uint32_t *ret_index)
{
	uint32_t i = names_find(&policy->groups, name);

	if (i == NAMES_NONE)
		return POLICY_E_UNKNOWN;
	*ret_index = i;
	return 0;
}

size_t policy_vm_count(const struct policy *policy)
{
	return policy->vms.n;
}

const char *policy_vm_at(const struct policy *policy, size_t index)
{
	return index < policy->vms.n ? policy->vms.v[index] : NULL;
}
