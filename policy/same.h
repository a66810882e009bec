/* SPDX-License-Identifier: Apache-2.0 */
/*
 * same.h - what two policies have in common, so that a diff asks about the rest only.
 *
 * A rule is the same when it says the same to the same principals on the same VMs. Who
 * is named by no changed rule, and is himself unchanged, reaches the same as before;
 * and on VMs that no changed rule holds nothing changes for anybody who is unchanged,
 * nor for a privilege that no changed rule there gives or takes.
 * Shared by the files of this folder only.
 */
#pragma once

#include "policy/model.h"
#include "policy/reach.h"

#define SAME_NO_CLASS UINT32_MAX /* these VMs are on one side only */

struct same {
	const struct policy *p[2];	       /* borrowed: the old, the new */
	const struct policy_privileges *privs; /* borrowed: of both */
	size_t words;			       /* of bits over the privileges */
	bool nothing;	      /* what all rules stand on differs: ask everything */
	bool vms;	      /* some VMs are on one side only */
	uint64_t *spot;	      /* owned, as all below; by spot: bits that may differ */
	uint64_t *class[2];   /* by class: the bits of all its spots */
	bool *principal[2];   /* named by a changed rule */
	uint32_t *group_twin; /* old group -> new, or NAMES_NONE */
	bool *changed[2];     /* by rule of the kind at hand, here or there */
	uint64_t *may[2];     /* by rule: what it may open or close */
	uint64_t *differs[2]; /* by rule: what of that is changed everywhere */
	uint32_t *rule_twin;  /* old rule -> new, likewise */
};

/*
 * same_init() - compare two policies.
 * @s: p and privs are set, the rest is 0.
 * @class: n_spots times the class of the same VMs in both, or SAME_NO_CLASS.
 * Return: 0; -ENOMEM. same_done() takes what either leaves.
 */
_must_check_ int same_init(struct same *s, const uint32_t (*class)[2], size_t n_spots);
void same_done(struct same *s);

/* same_person() - both say the same about this person's account and groups. */
bool same_person(const struct same *s, const struct policy_subject *before,
		 const struct policy_subject *after);

/* same_named() - a changed rule names the person on side @side, or may. */
bool same_named(const struct same *s, int side, const struct policy_subject *who);
