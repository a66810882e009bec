/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.c - what a person can reach: the classes and privileges that his grants might
 * open are collected as bits, then policy_decide() is asked about each of them.
 */
#include "policy/reach.h"

#include <errno.h>

#include "policy/match.h"

struct policy_reach {
	const struct policy *p;		       /* borrowed */
	const struct policy_privileges *privs; /* borrowed */
	int64_t now_s;
	size_t n_privs, words;	  /* words of bits over the privileges */
	uint32_t n_classes;	  /* of VMs */
	struct csr class_vms;	  /* owned, as all below */
	struct csr grant_classes; /* grant -> classes it holds on */
	uint64_t *grant_bits;	  /* by grant: privileges it may open */
	uint64_t *class_bits;	  /* by class: privileges to ask about; else 0 */
	uint64_t *touched;	  /* classes with a bit set */
	bool *conditional;	  /* by class: a deny has conditions */
	uint32_t focus;
	const uint64_t *only;	    /* borrowed; by class: privileges; NULL: all */
	uint64_t *focus_principals; /* named by a grant of the class in focus */
	struct policy_opening *openings;
	size_t n, cap;
};

/* ---------------------------------------------------------------- preparing */

static int csr_alloc(struct csr *csr, uint32_t n_keys, size_t n)
{
	csr->n = n_keys;
	csr->off = calloc((size_t)n_keys + 2, sizeof(*csr->off));
	csr->v = calloc(n + 1, sizeof(*csr->v));
	return csr->off && csr->v ? 0 : -ENOMEM;
}

/* Offsets one ahead while filling, as in a counting sort. */
static void csr_sum(struct csr *csr)
{
	for (uint32_t k = 2; k < csr->n + 2; k++)
		csr->off[k] += csr->off[k - 1];
}

static int list_vms(struct policy_reach *r)
{
	const struct policy *p = r->p;

	if (csr_alloc(&r->class_vms, r->n_classes, p->vms.n) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->vms.n; i++)
		r->class_vms.off[p->vm_class[i] + 2]++;
	csr_sum(&r->class_vms);
	for (uint32_t i = 0; i < p->vms.n; i++)
		r->class_vms.v[r->class_vms.off[p->vm_class[i] + 1]++] = i;
	return 0;
}

static int list_grant_classes(struct policy_reach *r)
{
	const struct csr *by = &r->p->grants.by_class;
	size_t n = r->n_classes > 0 ? by->off[r->n_classes] : 0;
	struct csr *to = &r->grant_classes;

	if (csr_alloc(to, r->p->grants.n, n) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		to->off[by->v[i] + 2]++;
	csr_sum(to);
	for (uint32_t k = 0; k < r->n_classes; k++)
		for (uint32_t i = by->off[k]; i < by->off[k + 1]; i++)
			to->v[to->off[by->v[i] + 1]++] = k;
	return 0;
}

static void find_conditional(struct policy_reach *r)
{
	const struct rules *denies = &r->p->denies;

	for (uint32_t k = 0; k < r->n_classes; k++)
		for (uint32_t i = denies->by_class.off[k];
		     i < denies->by_class.off[k + 1]; i++)
			if (match_has_when(&denies->v[denies->by_class.v[i]]))
				r->conditional[k] = true;
}

static int prepare(struct policy_reach *r)
{
	size_t principals = policy_principal_count(r->p);

	r->n_privs = policy_privileges_count(r->privs);
	r->words = (r->n_privs + 63) / 64;
	r->n_classes = r->p->grants.by_class.n;
	r->focus = POLICY_REACH_ALL;
	r->grant_bits = calloc((size_t)r->p->grants.n * r->words + 1, sizeof(uint64_t));
	r->class_bits = calloc((size_t)r->n_classes * r->words + 1, sizeof(uint64_t));
	r->touched = calloc((size_t)r->n_classes / 64 + 1, sizeof(uint64_t));
	r->conditional = calloc((size_t)r->n_classes + 1, sizeof(bool));
	r->focus_principals = calloc(principals / 64 + 1, sizeof(uint64_t));
	if (!r->grant_bits || !r->class_bits || !r->touched || !r->conditional ||
	    !r->focus_principals || list_vms(r) != 0 || list_grant_classes(r) != 0)
		return -ENOMEM;
	match_privileges(r->p, &r->p->grants, r->privs, r->grant_bits);
	find_conditional(r);
	return 0;
}

int policy_reach_new(const struct policy *policy, const struct policy_privileges *privs,
		     int64_t now_s, struct policy_reach **ret)
{
	_cleanup_reach_ struct policy_reach *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->p = policy;
	r->privs = privs;
	r->now_s = now_s;
	if (prepare(r) != 0)
		return -ENOMEM;
	*ret = STEAL(r);
	return 0;
}

void policy_reach_free(struct policy_reach *r)
{
	if (!r)
		return;
	free(r->class_vms.off);
	free(r->class_vms.v);
	free(r->grant_classes.off);
	free(r->grant_classes.v);
	free(r->grant_bits);
	free(r->class_bits);
	free(r->touched);
	free(r->conditional);
	free(r->focus_principals);
	free(r->openings);
	free(r);
}

size_t policy_reach_classes(const struct policy_reach *r)
{
	return r->n_classes;
}

const uint32_t *policy_reach_vms(const struct policy_reach *r, uint32_t class,
				 size_t *ret_n)
{
	*ret_n = r->class_vms.off[class + 1] - r->class_vms.off[class];
	return r->class_vms.v + r->class_vms.off[class];
}

uint32_t policy_reach_class_of(const struct policy_reach *r, uint32_t vm)
{
	return r->p->vm_class[vm];
}

void policy_reach_focus(struct policy_reach *r, uint32_t class)
{
	const struct rules *grants = &r->p->grants;

	memset(r->focus_principals, 0,
	       (policy_principal_count(r->p) / 64 + 1) * sizeof(uint64_t));
	r->focus = class;
	if (class == POLICY_REACH_ALL)
		return;
	for (uint32_t i = grants->by_class.off[class];
	     i < grants->by_class.off[class + 1]; i++) {
		const struct index_list *to = &grants->v[grants->by_class.v[i]].to;

		for (uint32_t k = 0; k < to->n; k++)
			r->focus_principals[to->v[k] / 64] |= UINT64_C(1)
							      << (to->v[k] % 64);
	}
}

void policy_reach_only(struct policy_reach *r, const uint64_t *only)
{
	r->only = only;
}

/* ---------------------------------------------------------------- asking */

static void touch(struct policy_reach *r, uint32_t class, uint32_t grant)
{
	uint64_t any = 0;

	for (size_t w = 0; w < r->words; w++) {
		size_t at = class * r->words + w;
		uint64_t bits = r->grant_bits[grant * r->words + w] &
				(r->only ? r->only[at] : UINT64_MAX);

		r->class_bits[at] |= bits;
		any |= bits;
	}
	if (any)
		r->touched[class / 64] |= UINT64_C(1) << (class % 64);
}

static bool csr_holds(const struct csr *csr, uint32_t key, uint32_t x)
{
	uint32_t lo = csr->off[key], hi = csr->off[key + 1];

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (csr->v[mid] == x)
			return true;
		if (csr->v[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static void touch_principal(struct policy_reach *r, uint32_t principal)
{
	const struct csr *by = &r->p->grants.by_principal;

	if (r->focus != POLICY_REACH_ALL &&
	    !(r->focus_principals[principal / 64] >> (principal % 64) & 1))
		return;
	for (uint32_t i = by->off[principal]; i < by->off[principal + 1]; i++) {
		uint32_t g = by->v[i];

		if (r->focus != POLICY_REACH_ALL) {
			if (csr_holds(&r->grant_classes, g, r->focus))
				touch(r, r->focus, g);
			continue;
		}
		for (uint32_t k = r->grant_classes.off[g];
		     k < r->grant_classes.off[g + 1]; k++)
			touch(r, r->grant_classes.v[k], g);
	}
}

/* What no grant leads to: @rules hold it, or NULL: every class. */
static void touch_privilege(struct policy_reach *r, const char *name,
			    const struct rules *rules, uint32_t rule)
{
	size_t i = policy_privileges_find(r->privs, name);

	if (i == SIZE_MAX)
		return;
	for (uint32_t k = 0; k < r->n_classes; k++) {
		if ((r->focus != POLICY_REACH_ALL && k != r->focus) ||
		    (r->only && !(r->only[k * r->words + i / 64] >> (i % 64) & 1)) ||
		    (rules && !csr_holds(&rules->by_class, k, rule)))
			continue;
		r->touched[k / 64] |= UINT64_C(1) << (k % 64);
		r->class_bits[k * r->words + i / 64] |= UINT64_C(1) << (i % 64);
	}
}

/* break_glass names people only, and opens the console. */
static void touch_glass(struct policy_reach *r, uint32_t principal)
{
	const struct rules *glass = &r->p->glass;

	if (glass->n == 0)
		return;
	for (uint32_t i = glass->by_principal.off[principal];
	     i < glass->by_principal.off[principal + 1]; i++)
		touch_privilege(r, "console", glass, glass->by_principal.v[i]);
}

static void touch_subject(struct policy_reach *r, const struct policy_subject *s)
{
	struct match_subject m;

	match_subject_init(&m, r->p, s);
	for (size_t i = 0; i < m.n_groups; i++)
		touch_principal(r, m.groups[i]);
	for (size_t i = 0; i < m.n_grant_named; i++) {
		touch_principal(r, m.grant_named[i]);
		touch_glass(r, m.grant_named[i]);
	}
	if (s->local) /* batch of a local account needs no grant */
		touch_privilege(r, "batch", NULL, 0);
}

static int add_opening(struct policy_reach *r, uint32_t class, uint32_t privilege,
		       const struct policy_decision *d)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		struct policy_opening *grown =
			reallocarray(r->openings, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		r->openings = grown;
		r->cap = cap;
	}
	r->openings[r->n++] = (struct policy_opening){
		.class = class,
		.privilege = privilege,
		.rule = d->rule,
		.group = d->group,
		.role = d->role,
		.mfa = d->mfa_required,
		.valid_until_s = d->valid_until_s,
	};
	return 0;
}

static int ask(struct policy_reach *r, struct policy_request *req, uint32_t class,
	       uint32_t privilege)
{
	struct policy_decision d;

	policy_privileges_request(r->privs, privilege, req);
	req->assume = POLICY_ASSUME_FROM | POLICY_ASSUME_TIME | POLICY_ASSUME_MFA |
		      POLICY_ASSUME_STATE;
	policy_decide(r->p, req, &d);
	/* A mode that lets everybody in opens nothing: what the rules say counts. */
	if (d.verdict != POLICY_ALLOW || d.would_deny)
		return 0;
	/* A deny with conditions may cover all that the grants leave. */
	if (r->conditional[class] && !match_somewhere(r->p, class, req, &d))
		return 0;
	return add_opening(r, class, privilege, &d);
}

static int ask_class(struct policy_reach *r, struct policy_request *req, uint32_t class)
{
	uint64_t *bits = r->class_bits + class * r->words;
	int rc = 0;

	req->vm = r->p->vms.v[r->class_vms.v[r->class_vms.off[class]]];
	for (size_t w = 0; w < r->words; w++) {
		for (uint64_t b = bits[w]; b && rc == 0; b &= b - 1)
			rc = ask(r, req, class,
				 (uint32_t)(w * 64 + (size_t)__builtin_ctzll(b)));
		bits[w] = 0;
	}
	return rc;
}

int policy_reach_subject(struct policy_reach *r, const struct policy_subject *subject,
			 const struct policy_opening **ret, size_t *ret_n)
{
	struct policy_request req = {.subject = subject, .now_s = r->now_s};
	bool one_class = r->focus != POLICY_REACH_ALL;
	size_t first = one_class ? r->focus / 64 : 0;
	size_t last = one_class ? first : r->n_classes / 64;
	int rc = 0;

	r->n = 0;
	touch_subject(r, subject);
	for (size_t w = first; w <= last; w++) {
		/* To the end also after an error: all bits are 0 afterwards. */
		for (uint64_t b = r->touched[w]; b; b &= b - 1) {
			int one = ask_class(r, &req,
					    (uint32_t)(w * 64 +
						       (size_t)__builtin_ctzll(b)));

			rc = rc == 0 ? one : rc;
		}
		r->touched[w] = 0;
	}
	*ret = r->openings;
	*ret_n = rc == 0 ? r->n : 0;
	return rc;
}
