/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.h - who gains and who loses what from one policy to another: exact, from what
 * everybody can reach under each (reach.h). People, VMs and privileges are matched by
 * name; somebody or something that one side lacks has nothing there.
 */
#pragma once

#include "policy/reach.h"
#include "policy/watch.h"

/* One policy with the people it judges. */
struct policy_side {
	const struct policy *policy;	     /* borrowed */
	const struct policy_subject *people; /* borrowed; sorted by login, each once */
	size_t n_people;
};

/* VMs of which each side says one thing: a class of the old and one of the new. */
struct policy_spot {
	const char *const
		*vms; /* names, ascending; borrowed until policy_diff() returns */
	size_t n_vms;
};

struct policy_change {
	const char *login;     /* borrowed from a side */
	bool gained;	       /* else lost */
	const char *privilege; /* "ssh", "su:postgres"; borrowed until policy_diff()
				  returns */
	struct policy_spot where;
	const char
		*rule; /* gained: the grant that opens it; lost: that did. borrowed */
};

/*
 * policy_diff() - tell every change: by login, the lost before the gained.
 * @tell: is called with NULL after the last change of each person who has one; returns
 * 0 to go on, anything else ends the diff and is returned. Cost: reach of everybody
 * under both, and O(1) for what did not change. Return: 0; -ENOMEM; what @tell
 * returned.
 */
_must_check_ int policy_diff(const struct policy_side *before,
			     const struct policy_side *after, int64_t now_s,
			     int (*tell)(void *arg, const struct policy_change *change),
			     void *arg);

/* policy_diff_watched() - the same, old and new side in @sides, told how far it is. */
_must_check_ int policy_diff_watched(const struct policy_side sides[2], int64_t now_s,
				     int (*tell)(void *arg,
						 const struct policy_change *change),
				     void *arg, const struct policy_watch *watch);
