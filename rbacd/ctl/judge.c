/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c - loads a policy and the people it is about, for the tools. */
#include "rbacd/ctl/judge.h"

#include "rbacd/ctl/ctl.h"

void judge_done(struct judge *j)
{
	policy_reach_free(j->reach);
	policy_privileges_free(j->privs);
	people_done(&j->people);
	population_done(&j->pop);
	policy_unref(j->policy);
}

int judge_open(struct ctl *ctl, const struct ctl_args *args, const char *path,
	       struct judge *ret)
{
	int r = ctl_policy_load(ctl, args, path, &ret->policy, &path);

	if (r == 0)
		r = population_open(ctl, args,
				    (const struct policy *const *)&ret->policy, 1,
				    &ret->pop);
	if (r != 0)
		return r;
	if (people_make(&ret->pop, ret->policy, &ret->people) != 0 ||
	    policy_privileges_new(ret->policy, NULL, &ret->privs) != 0 ||
	    policy_reach_new(ret->policy, ret->privs, ret->pop.now_s, &ret->reach) != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	return 0;
}
