/* SPDX-License-Identifier: Apache-2.0 */
/* lint_internal.h - what the lint_*.c files share: every rule with the VMs it holds. */
#pragma once

#include "policy/lint.h"
#include "policy/model.h"

struct lint_rule {
	struct policy_rule r;
	const struct rule *rule; /* borrowed: the same with its networks */
	bool deny;
	uint64_t *vms; /* owned; bits */
	size_t n_vms, n_people;
	size_t stamp; /* person counted last, + 1 */
};

struct lint {
	const struct policy_lint_input *in;
	struct lint_rule *rules; /* owned; grants, then denies */
	size_t n_grants, n_rules;
	size_t words;	/* of VM bits */
	uint32_t *room; /* owned; a list of VMs */
	size_t *steps;	/* borrowed: done so far, of: */
	size_t n_steps;
};

/* lint_step() - a person or a grant is done, for whoever watches. */
static inline void lint_step(const struct lint *l)
{
	policy_watch_at(l->in->watch, ++*l->steps, l->n_steps);
}

/* lint_say() - one finding about an entry. */
void lint_say(const struct lint *l, enum policy_lint_severity severity,
	      const char *code, const char *id, const struct policy_where *where,
	      const char *fmt, ...) _printf_(6, 7);

/* lint_pairs() - duplicate, subsumed and shadowed grants. */
void lint_pairs(const struct lint *l);
/* lint_from() - networks that are too wide, inside another, or taken back by a deny. */
void lint_from(const struct lint *l);
/* lint_from_within() - whoever comes from a network of @a comes from one of @b. */
bool lint_from_within(const struct rule *a, const struct rule *b);
/* lint_people() - people who left and are still in groups, or are not there at all. */
_must_check_ int lint_people(const struct lint *l);
/* lint_names() - sets, roles and groups that nothing uses. */
_must_check_ int lint_names(const struct lint *l);
/* lint_password() - what the rules for passwords come to. */
void lint_password(const struct lint *l);
/* lint_separation() - people who hold two roles that nobody may hold together. */
_must_check_ int lint_separation(const struct lint *l);

/* lint_principals() - the principals of the policy that @s surely is, ascending within
 * each kind. @ret: room for all principals. Return: how many. */
size_t lint_principals(const struct policy *policy, const struct policy_subject *s,
		       uint32_t *ret);

static inline bool lint_has(const struct policy_indices *list, uint32_t x)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i] == x)
			return true;
	return false;
}
