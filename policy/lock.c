/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - operational locks: as text, and whether one refuses a request. */
#include <errno.h>

#include "policy/decide.h"

static const char *const kind_names[] = {
	[POLICY_LOCK_USER] = "user",	 [POLICY_LOCK_GROUP] = "group",
	[POLICY_LOCK_ROLE] = "role",	 [POLICY_LOCK_VM] = "vm",
	[POLICY_LOCK_FACTOR] = "factor",
};

void policy_lock_text(const struct policy_lock *lock, char buf[POLICY_LOCK_TEXT_MAX])
{
	bool known = lock->kind >= POLICY_LOCK_USER && lock->kind <= POLICY_LOCK_FACTOR;

	(void)snprintf(buf, POLICY_LOCK_TEXT_MAX, "%s:%s",
		       known ? kind_names[lock->kind] : "unknown", lock->name);
}

static unsigned method_of(const char *name)
{
	for (unsigned m = POLICY_METHOD_TOTP; m <= POLICY_METHOD_SECURITY_KEY; m <<= 1)
		if (str_eq(name, policy_method_name((enum policy_method)m)))
			return m;
	return 0;
}

static bool name_ok(enum policy_lock_kind kind, const char *name)
{
	size_t len = strlen(name);

	switch (kind) {
	case POLICY_LOCK_USER:
		return policy_login_valid(name, len);
	case POLICY_LOCK_GROUP:
	case POLICY_LOCK_ROLE:
		return len >= 1 && len <= POLICY_NAME_MAX;
	case POLICY_LOCK_VM:
		return len >= 1 && len <= POLICY_VM_MAX;
	case POLICY_LOCK_FACTOR:
		return method_of(name) != 0;
	}
	return false;
}

int policy_lock_parse(const char *text, struct policy_lock *ret)
{
	struct policy_lock lock = {.kind = POLICY_LOCK_USER, .name = text};

	for (size_t k = POLICY_LOCK_USER; k < ARRAY_SIZE(kind_names); k++) {
		size_t len = strlen(kind_names[k]);
		const char *after = str_after(text, kind_names[k]);

		if (after && text[len] == ':') {
			lock.kind = (enum policy_lock_kind)k;
			lock.name = after + 1;
		}
	}
	if (!name_ok(lock.kind, lock.name))
		return POLICY_E_INVALID;
	*ret = lock;
	return 0;
}

int policy_lock_grants(const struct policy *p, const char *role, uint64_t *ret)
{
	uint32_t wanted = names_find(&p->roles, role);
	_cleanup_free_ bool *has = calloc(p->roles.n + 1u, sizeof(*has));

	if (!has)
		return -ENOMEM;
	memset(ret, 0, (p->grants.n + 63) / 64 * sizeof(*ret));
	for (uint32_t i = 0; i < p->roles.n; i++) {
		uint32_t k = p->role_order[i];
		const struct index_list *inc = &p->role_info[k].includes;

		has[k] = k == wanted;
		for (uint32_t j = 0; j < inc->n; j++)
			has[k] |= has[inc->v[j]];
	}
	for (uint32_t i = 0; i < p->grants.n; i++)
		for (uint32_t j = 0; j < p->grants.v[i].roles.n; j++)
			if (has[p->grants.v[i].roles.v[j]])
				ret[i / 64] |= UINT64_C(1) << (i % 64);
	return wanted == NAMES_NONE ? POLICY_E_UNKNOWN : 0;
}

/* Does a grant of the role, valid now, name the subject here? Doubt is a yes. */
struct holder {
	struct decide d; /* first: what the walk hands on */
	const uint64_t *grants;
	bool found;
};

static void try_holder(struct decide *d, const struct rule *r)
{
	struct holder *h = (struct holder *)d;
	size_t i = (size_t)(r - d->p->grants.v);
	uint32_t ignored;

	if ((h->grants[i / 64] >> (i % 64) & 1) && grant_valid(d, r) &&
	    !grant_suspended(d, r) &&
	    match_list(&r->to, true, &d->subject, &ignored) != MATCH_NO)
		h->found = true;
}

static bool holds(const struct decide *d, const struct policy_lock *lock)
{
	struct holder h = {.d = *d, .grants = lock->grants};

	if (!lock->grants)
		return true; /* nobody worked out whom it means */
	decide_walk_grants(&h.d, true, try_holder);
	return h.found;
}

static bool in_group(const struct decide *d, const char *name)
{
	uint32_t group = names_find(&d->p->groups, name), ignored;
	const struct index_list to = {&group, 1};

	return group != NAMES_NONE &&
	       match_list(&to, true, &d->subject, &ignored) != MATCH_NO;
}

static bool locks(struct decide *d, const struct policy_lock *lock)
{
	const struct policy_subject *s = d->req->subject;

	switch (lock->kind) {
	case POLICY_LOCK_USER:
		return str_eq(lock->name, s->login) || str_eq(lock->id, s->id);
	case POLICY_LOCK_GROUP:
		return in_group(d, lock->name);
	case POLICY_LOCK_ROLE:
		return holds(d, lock);
	case POLICY_LOCK_VM:
		return str_eq(lock->name, d->req->vm);
	case POLICY_LOCK_FACTOR:
		d->locked_methods |= method_of(lock->name);
		return false;
	}
	return true; /* not one of ours: nothing is known about whom it means */
}

const struct policy_lock *lock_find(struct decide *d)
{
	const struct policy_state *state = d->req->state;

	for (size_t i = 0; state && i < state->n_locks; i++)
		if (d->req->now_s < state->locks[i].until_s &&
		    locks(d, &state->locks[i]))
			return &state->locks[i];
	return NULL;
}
