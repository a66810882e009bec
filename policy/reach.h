/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.h - everything that one person can reach, and what opens it: exact, from
 * policy_decide(), but asked once for each class of VMs instead of once for each VM.
 *
 * VMs that the same rules hold form a class; what is true of one is true of all. "Can"
 * means: there is an origin and a proof with which policy_decide() allows it at the
 * hours of a grant, today, by a rule and not by a mode that only watches; reviews are
 * taken as done and no lock or session counts. The hours of a deny are taken as over: a
 * deny whose `time:` covers all hours of a grant does not close it here, so that more
 * may be listed than can be had, never less.
 */
#pragma once

#include "policy/policy.h"

/*
 * The privileges that are asked about: every one that the policies know, and su:TARGET
 * for each target they name. Plain su stands for an account that nobody names.
 */
struct policy_privilege {
	const char *name;   /* "ssh", "su" */
	const char *target; /* su only; "*" for plain su */
	const char *text;   /* "ssh", "su", "su:postgres" */
};

struct policy_privileges; /* immutable; sorted by text */

/*
 * policy_privileges_new() - @b: a second policy whose privileges are asked about too,
 * so that answers of both can be compared; NULL: none. Copies what it needs.
 */
_must_check_ int policy_privileges_new(const struct policy *a, const struct policy *b,
				       struct policy_privileges **ret);
void policy_privileges_free(struct policy_privileges *privs); /* NULL is a no-op */
size_t policy_privileges_count(const struct policy_privileges *privs);
const struct policy_privilege *
policy_privileges_at(const struct policy_privileges *privs, size_t i);
/* policy_privileges_find() - by text; SIZE_MAX for an unknown one. */
size_t policy_privileges_find(const struct policy_privileges *privs, const char *text);
/* policy_privileges_request() - name, target and uid 0 of privilege @i into @req. */
void policy_privileges_request(const struct policy_privileges *privs, size_t i,
			       struct policy_request *req);

static inline void policy_privileges_freep(struct policy_privileges **p)
{
	policy_privileges_free(*p);
}

#define _cleanup_privileges_ _cleanup_(policy_privileges_freep)

struct policy_reach; /* scratch room of one asker; not shared */

/*
 * policy_reach_new() - prepare to ask about many people.
 * @policy: borrowed; @privs: borrowed; @now_s: the day that `valid:` is judged by.
 * Return: 0; -ENOMEM.
 */
_must_check_ int policy_reach_new(const struct policy *policy,
				  const struct policy_privileges *privs, int64_t now_s,
				  struct policy_reach **ret);
void policy_reach_free(struct policy_reach *reach); /* NULL is a no-op */

static inline void policy_reach_freep(struct policy_reach **p)
{
	policy_reach_free(*p);
}

#define _cleanup_reach_ _cleanup_(policy_reach_freep)

/* policy_reach_classes(), policy_reach_vms() - a class' VMs, ascending indices of
 * policy_vm_at(); borrowed from @reach. */
size_t policy_reach_classes(const struct policy_reach *reach);
const uint32_t *policy_reach_vms(const struct policy_reach *reach, uint32_t class,
				 size_t *ret_n);
/* policy_reach_class_of() - the class of VM @vm. */
uint32_t policy_reach_class_of(const struct policy_reach *reach, uint32_t vm);

#define POLICY_REACH_ALL UINT32_MAX

/* policy_reach_focus() - ask about one class only, or all again. Cost: O(its grants).
 */
void policy_reach_focus(struct policy_reach *reach, uint32_t class);

/* One privilege on one class of VMs. */
struct policy_opening {
	uint32_t class;
	uint32_t privilege; /* policy_privileges_at() */
	/* The most favourable grant; NULL for batch of a local account, which needs
	 * none. All borrowed from the policy. */
	const char *rule, *group, *role;
	bool mfa;	       /* it asks for a second factor */
	int64_t valid_until_s; /* its end; 0: none */
};

/* policy_reach_only() - ask only about what is marked in @only (borrowed): class by
 * class, a bit for each privilege, in whole words; NULL: about all again. */
void policy_reach_only(struct policy_reach *reach, const uint64_t *only);

/*
 * policy_reach_subject() - all that @subject can reach.
 * Return: 0 and *ret[0..*ret_n), sorted by class and privilege, borrowed from @reach
 *         until the next call; -ENOMEM.
 * Cost: a decision for each class and privilege that a grant of the subject opens;
 * nothing for what none does. No allocation but for growth of the answer.
 */
_must_check_ int policy_reach_subject(struct policy_reach *reach,
				      const struct policy_subject *subject,
				      const struct policy_opening **ret, size_t *ret_n);
