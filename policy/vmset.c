/* SPDX-License-Identifier: Apache-2.0 */
/* vmset.c - selectors to bits, once when a policy is compiled. */
#include "policy/vmset.h"

#include <errno.h>

struct label_at {
	const char *key, *value; /* borrowed from the policy */
	uint32_t vm;
};

struct vmset_index {
	const struct policy *p;	 /* borrowed */
	struct label_at *labels; /* owned; sorted by key, value */
	size_t n_labels;
	uint64_t work; /* steps so far */
};

bool vmset_pattern_match(const char *pattern, const char *name, uint64_t *work)
{
	const char *star = NULL, *retry = NULL;

	for (; *name; ++*work) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern == *name || (*pattern == '?' && *name != '.')) {
			pattern++;
			name++;
		} else if (star && *retry != '.') {
			pattern = star; /* the star takes one character more */
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static int compare_labels(const void *a, const void *b)
{
	const struct label_at *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	if (c == 0)
		c = strcmp(x->value, y->value);
	if (c == 0)
		c = x->vm < y->vm ? -1 : x->vm > y->vm;
	return c;
}

int vmset_index_new(const struct policy *p, struct vmset_index **ret)
{
	struct vmset_index *idx = calloc(1, sizeof(*idx));
	size_t n = 0;

	if (!idx)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->vms.n; i++)
		n += p->vm_info[i].n_labels;
	idx->p = p;
	idx->labels = calloc(n + 1, sizeof(*idx->labels));
	if (!idx->labels) {
		vmset_index_free(idx);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < p->vms.n; i++) {
		const struct model_vm *vm = &p->vm_info[i];

		for (uint32_t k = 0; k < vm->n_labels; k++)
			idx->labels[idx->n_labels++] =
				(struct label_at){vm->labels[k].key,
						  vm->labels[k].value, i};
	}
	qsort(idx->labels, idx->n_labels, sizeof(*idx->labels), compare_labels);
	*ret = idx;
	return 0;
}

void vmset_index_rewind(struct vmset_index *idx)
{
	idx->work = 0;
}

void vmset_index_free(struct vmset_index *idx)
{
	if (!idx)
		return;
	free(idx->labels);
	free(idx);
}

/* First entry that is not before (key, value). */
static size_t label_first(const struct vmset_index *idx, const char *key,
			  const char *value)
{
	struct label_at want = {.key = key, .value = value};
	size_t lo = 0, hi = idx->n_labels;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_labels(&idx->labels[mid], &want) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void eval_label(struct vmset_index *idx, const struct vm_expr *e, uint64_t *ret)
{
	for (uint32_t i = 0; i < e->texts.n; i++) {
		size_t k = label_first(idx, e->key, e->texts.v[i]);

		for (; k < idx->n_labels && str_eq(idx->labels[k].key, e->key) &&
		       str_eq(idx->labels[k].value, e->texts.v[i]);
		     k++, idx->work++)
			vmset_set(ret, idx->labels[k].vm);
	}
}

/* Stops when the work is too much; the caller looks. */
static void eval_name(struct vmset_index *idx, const struct vm_expr *e, uint64_t *ret)
{
	const struct names *vms = &idx->p->vms;

	for (uint32_t i = 0; i < e->texts.n && idx->work <= POLICY_WORK_MAX; i++) {
		uint32_t found;

		if (strpbrk(e->texts.v[i], "*?")) {
			idx->work += vms->n;
			for (uint32_t k = 0; k < vms->n && idx->work <= POLICY_WORK_MAX;
			     k++)
				if (vmset_pattern_match(e->texts.v[i], vms->v[k],
							&idx->work))
					vmset_set(ret, k);
			continue;
		}
		found = names_find(vms, e->texts.v[i]);
		if (found != NAMES_NONE)
			vmset_set(ret, found);
	}
}

static void fill(const struct policy *p, uint64_t *bits)
{
	for (uint32_t i = 0; i < p->vms.n; i++)
		vmset_set(bits, i);
}

/* all, any and not; recursion is bounded by POLICY_SET_DEPTH_MAX. */
static int eval_kids(struct vmset_index *idx, const struct vm_expr *e, uint64_t *ret)
{
	size_t n = vmset_words(idx->p);
	_cleanup_free_ uint64_t *every = calloc(n + 1, sizeof(*every));
	_cleanup_free_ uint64_t *kid = calloc(n + 1, sizeof(*kid));
	int r;

	if (!every || !kid)
		return -ENOMEM;
	fill(idx->p, every);
	if (e->kind == VM_ALL && e->n_kids > 0)
		memcpy(ret, every, n * sizeof(*ret));
	for (uint32_t i = 0; i < e->n_kids; i++) {
		r = vmset_eval(idx, e->kids[i], kid);
		if (r != 0)
			return r;
		for (size_t w = 0; w < n; w++) {
			if (e->kind == VM_ALL)
				ret[w] &= kid[w];
			else if (e->kind == VM_ANY)
				ret[w] |= kid[w];
			else
				ret[w] = every[w] & ~kid[w];
		}
	}
	return 0;
}

/* A set of which a part is missing must not be used: under `not` it would be larger. */
static int within(const struct vmset_index *idx)
{
	return idx->work <= POLICY_WORK_MAX ? 0 : POLICY_E_INVALID;
}

int vmset_eval(struct vmset_index *idx, const struct vm_expr *expr, uint64_t *ret)
{
	size_t n = vmset_words(idx->p);

	idx->work += n + 1;
	if (idx->work > POLICY_WORK_MAX)
		return POLICY_E_INVALID;
	memset(ret, 0, n * sizeof(*ret));
	switch (expr->kind) {
	case VM_ALL:
	case VM_ANY:
	case VM_NOT:
		return eval_kids(idx, expr, ret);
	case VM_LABEL:
		eval_label(idx, expr, ret);
		return within(idx);
	case VM_NAME:
		eval_name(idx, expr, ret);
		return within(idx);
	case VM_EVERY:
		fill(idx->p, ret);
		return 0;
	}
	return POLICY_E_INVALID;
}
