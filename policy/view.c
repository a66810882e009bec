/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - the compiled model, read only. */
#include "policy/view.h"

#include <errno.h>

#include "policy/vmset.h"

static struct policy_indices indices(const struct index_list *list)
{
	return (struct policy_indices){list->v, list->n};
}

static struct policy_texts texts(const struct text_list *list)
{
	return (struct policy_texts){list->v, list->n};
}

static bool rule_at(const struct rules *rules, size_t i, struct policy_rule *ret)
{
	const struct rule *r;

	if (i >= rules->n)
		return false;
	r = &rules->v[i];
	*ret = (struct policy_rule){
		.id = r->id,
		.where = r->where,
		.to = indices(&r->to),
		.roles = indices(&r->roles),
		.sets = indices(&r->sets),
		.vms = texts(&r->vms),
		.privileges = r->privileges,
		.su = texts(&r->su),
		.accept = r->mfa ? r->mfa->accept : 0,
		.max_age_s = r->mfa && r->mfa->accept ? r->mfa->max_age : NULL,
		.n_from = r->n_from,
		.tz = r->time ? r->time->tz : NULL,
		.days = r->time ? r->time->days_text : NULL,
		.between = r->time ? r->time->between_text : NULL,
		.valid_from = r->from_text,
		.valid_until = r->until_text,
		.valid_from_s = r->valid_from_s,
		.valid_until_s = r->valid_until_s,
		.review_every_s = r->review_every_s,
		.overdue = r->overdue,
		.owner = r->owner,
		.why = r->why,
		.message = r->message,
	};
	return true;
}

size_t policy_grant_count(const struct policy *policy)
{
	return policy->grants.n;
}

size_t policy_deny_count(const struct policy *policy)
{
	return policy->denies.n;
}

size_t policy_break_glass_count(const struct policy *policy)
{
	return policy->glass.n;
}

bool policy_grant_at(const struct policy *policy, size_t i, struct policy_rule *ret)
{
	return rule_at(&policy->grants, i, ret);
}

bool policy_deny_at(const struct policy *policy, size_t i, struct policy_rule *ret)
{
	return rule_at(&policy->denies, i, ret);
}

bool policy_break_glass_at(const struct policy *policy, size_t i,
			   struct policy_rule *ret)
{
	return rule_at(&policy->glass, i, ret);
}

size_t policy_grant_find(const struct policy *policy, const char *id)
{
	const struct rule *r = rules_find(&policy->grants, id);

	return r ? (size_t)(r - policy->grants.v) : SIZE_MAX;
}

int64_t policy_grant_baseline(const struct policy *policy, size_t i)
{
	return i < policy->grants.n ? policy->grants.v[i].valid_from_s : INT64_MIN;
}

uint32_t policy_principal_count(const struct policy *policy)
{
	return policy->groups.n + policy->users.n + policy->locals.n;
}

const char *policy_principal_at(const struct policy *policy, size_t i)
{
	return i < policy_principal_count(policy) ? policy->principal_text[i] : NULL;
}

const char *policy_user_id(const struct policy *policy, size_t principal)
{
	size_t user = principal - policy->groups.n;

	return principal >= policy->groups.n && user < policy->users.n
		       ? policy->user_ids[user]
		       : NULL;
}

bool policy_group_where(const struct policy *policy, size_t i, struct policy_where *ret)
{
	if (i >= policy->groups.n || !policy->group_where[i].file)
		return false;
	*ret = policy->group_where[i];
	return true;
}

size_t policy_privilege_count(const struct policy *policy)
{
	return policy->privileges.n;
}

const char *policy_privilege_at(const struct policy *policy, size_t i)
{
	return i < policy->privileges.n ? policy->privileges.v[i] : NULL;
}

size_t policy_role_count(const struct policy *policy)
{
	return policy->roles.n;
}

bool policy_role_at(const struct policy *policy, size_t i, struct policy_role *ret)
{
	const struct model_role *r;

	if (i >= policy->roles.n)
		return false;
	r = &policy->role_info[i];
	*ret = (struct policy_role){
		.name = policy->roles.v[i],
		.where = policy->role_where[i],
		.includes = indices(&r->includes),
		.own = r->own_privileges,
		.all = r->privileges,
		.own_su = texts(&r->own_su),
		.all_su = texts(&r->su),
	};
	return true;
}

size_t policy_set_count(const struct policy *policy)
{
	return policy->sets.n;
}

bool policy_set_at(const struct policy *policy, size_t i, struct policy_set *ret)
{
	if (i >= policy->sets.n)
		return false;
	*ret = (struct policy_set){.name = policy->sets.v[i],
				   .where = policy->set_where[i]};
	return true;
}

bool policy_vm_info(const struct policy *policy, size_t i, struct policy_vm *ret)
{
	const struct model_vm *vm;

	if (i >= policy->vms.n)
		return false;
	vm = &policy->vm_info[i];
	*ret = (struct policy_vm){
		.name = policy->vms.v[i],
		.where = policy->vm_where[i],
		.labels = vm->labels,
		.n_labels = vm->n_labels,
		.owner = vm->owner,
		.monitor = vmset_has(policy->class_monitor, policy->vm_class[i]),
	};
	return true;
}

size_t policy_separation_count(const struct policy *policy)
{
	return policy->n_separations;
}

bool policy_separation_at(const struct policy *policy, size_t i,
			  struct policy_separation *ret)
{
	if (i >= policy->n_separations)
		return false;
	*ret = (struct policy_separation){
		.id = policy->separations[i].id,
		.where = policy->separations[i].where,
		.roles = indices(&policy->separations[i].roles),
	};
	return true;
}

size_t policy_limit_count(const struct policy *policy)
{
	return policy->n_limits;
}

bool policy_limit_at(const struct policy *policy, size_t i, struct policy_limit *ret)
{
	if (i >= policy->n_limits)
		return false;
	*ret = (struct policy_limit){
		.where = policy->limits[i].where,
		.to = indices(&policy->limits[i].to),
		.max_sessions = policy->limits[i].max_sessions,
		.max_session_s = policy->limits[i].max_session_s,
	};
	return true;
}

bool policy_enrolment_at(const struct policy *policy, size_t i,
			 struct policy_enrolment *ret)
{
	if (i >= policy->n_enrolments)
		return false;
	*ret = (struct policy_enrolment){
		.where = policy->enrolments[i].where,
		.to = indices(&policy->enrolments[i].to),
		.at_first_login = policy->enrolments[i].at_first_login,
		.optional = policy->enrolments[i].optional,
		.until = policy->enrolments[i].until_text,
		.until_s = policy->enrolments[i].until_s,
	};
	return true;
}

/* --------------------------------------------------------------- members */

struct policy_members {
	const struct policy *p;	 /* borrowed */
	struct vmset_index *idx; /* owned */
	uint64_t *bits, *all;	 /* owned */
};

int policy_members_new(const struct policy *policy, struct policy_members **ret)
{
	_cleanup_members_ struct policy_members *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->p = policy;
	m->bits = calloc(vmset_words(policy) + 1, sizeof(*m->bits));
	m->all = calloc(vmset_words(policy) + 1, sizeof(*m->all));
	if (!m->bits || !m->all)
		return -ENOMEM;
	r = vmset_index_new(policy, &m->idx);
	if (r == 0)
		*ret = STEAL(m);
	return r;
}

void policy_members_free(struct policy_members *m)
{
	if (!m)
		return;
	vmset_index_free(m->idx);
	free(m->bits);
	free(m->all);
	free(m);
}

/* Each question has the whole budget of work: together they may take more than a load.
 */
static int add_set(struct policy_members *m, size_t set)
{
	int r;

	vmset_index_rewind(m->idx);
	r = vmset_eval(m->idx, m->p->set_expr[set], m->bits);
	for (size_t w = 0; w < vmset_words(m->p) && r == 0; w++)
		m->all[w] |= m->bits[w];
	return r;
}

static void list_bits(const struct policy_members *m, uint32_t *ret, size_t *ret_n)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->p->vms.n; i++)
		if (vmset_has(m->all, i))
			ret[n++] = i;
	*ret_n = n;
}

static void start(struct policy_members *m)
{
	memset(m->all, 0, vmset_words(m->p) * sizeof(*m->all));
}

int policy_members_set(struct policy_members *m, size_t set, uint32_t *ret,
		       size_t *ret_n)
{
	int r;

	if (set >= m->p->sets.n)
		return POLICY_E_UNKNOWN;
	start(m);
	r = add_set(m, set);
	if (r == 0)
		list_bits(m, ret, ret_n);
	return r;
}

int policy_members_rule(struct policy_members *m, const struct policy_rule *rule,
			uint32_t *ret, size_t *ret_n)
{
	int r = 0;

	start(m);
	for (size_t i = 0; i < rule->sets.n && r == 0; i++)
		r = add_set(m, rule->sets.v[i]);
	for (size_t i = 0; i < rule->vms.n; i++) {
		uint32_t k = names_find(&m->p->vms, rule->vms.v[i]);

		if (k != NAMES_NONE)
			vmset_set(m->all, k);
	}
	if (r == 0)
		list_bits(m, ret, ret_n);
	return r;
}
