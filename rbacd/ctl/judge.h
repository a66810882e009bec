/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - a policy with the people it is about: what most policy tools begin with. */
#pragma once

#include "policy/reach.h"
#include "rbacd/ctl/population.h"

struct ctl;
struct ctl_args;

struct judge {
	struct policy *policy; /* counted */
	struct population pop;
	struct people people;
	struct policy_privileges *privs; /* owned */
	struct policy_reach *reach;	 /* owned */
};

void judge_done(struct judge *j);
#define _cleanup_judge_ _cleanup_(judge_done)

/*
 * judge_open() - load a policy and its people, of --people or the configured source.
 * @path: NULL: the configured policy.
 * Return: 0; enum ctl_exit, everything told.
 */
_must_check_ int judge_open(struct ctl *ctl, const struct ctl_args *args,
			    const char *path, struct judge *ret);
