/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terms.h - what a policy asks of people beside whom it lets in where (diff.h): the
 * conditions of its rules, what groups and services are bound to, separations, limits,
 * enrolment, passwords, mode.
 */
#pragma once

#include "policy/policy.h"

struct policy_term {
	const char *key;	    /* "grants.ops.from", "password.min_length" */
	const char *before, *after; /* as in a policy; NULL: nothing is said there */
};

/*
 * policy_terms_diff() - tell each that differs, by key. Of a rule, a group or a user
 * that only one side has nothing is told: diff.h says what comes of it.
 * @tell: what it is given is borrowed until it returns; 0 to go on, anything else ends
 * the diff and is returned. Cost: O(n log n) in what both print. Return: 0; -ENOMEM;
 * what @tell returned.
 */
_must_check_ int policy_terms_diff(const struct policy *before,
				   const struct policy *after,
				   int (*tell)(void *arg, const struct policy_term *t),
				   void *arg);
