/* SPDX-License-Identifier: Apache-2.0 */
/*
 * widen.h - what a policy opens that the one before did not: on how many VMs, and for
 * whom of those that it names. Pure; who is in a group is the caller's to count.
 */
#pragma once

#include "policy/policy.h"

struct widening {
	size_t n_vms;	 /* on which somebody gains something */
	bool *groups;	 /* owned; by policy_group_at() of the newer: it gains */
	size_t n_groups; /* that gain */
	size_t n_named;	 /* people named directly that gain */
};

/*
 * widening_find() - compare all that each group or person of `to:` reaches under both,
 * each as if nobody were in two groups: somebody who had it by another way is counted
 * too. Another object behind a group's name is another group. A VM that goes into
 * monitor mode lets everybody in. Conditions (hours, addresses, codes) are not
 * compared. Return: 0 and *ret (widening_done()); -ENOMEM.
 */
_must_check_ int widening_find(const struct policy *before, const struct policy *after,
			       int64_t now_s, struct widening *ret);
void widening_done(struct widening *w); /* a zeroed one is accepted */
#define _cleanup_widening_ _cleanup_(widening_done)
