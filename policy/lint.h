/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint.h - what a valid policy does that nobody may have meant: numbers for every rule
 * and selector, and findings. Pure; the people are the caller's.
 */
#pragma once

#include "policy/view.h"
#include "policy/watch.h"

enum policy_lint_kind {
	POLICY_LINT_GRANT = 1,
	POLICY_LINT_DENY,
	POLICY_LINT_SET,
};

/* How much an entry hits. */
struct policy_lint_count {
	enum policy_lint_kind kind;
	const char *id; /* borrowed from the policy */
	struct policy_where where;
	size_t n_vms, n_people; /* a set has no people */
};

enum policy_lint_severity {
	POLICY_LINT_NOTE = 1, /* worth a look */
	POLICY_LINT_WARNING,
};

struct policy_lint_finding {
	enum policy_lint_severity severity;
	const char *code; /* static: "expired", "no-mfa" … */
	const char *id;	  /* the entry; "": none; borrowed from the policy or people */
	struct policy_where where; /* file NULL: it is about the people */
	const char *text;	   /* a sentence; borrowed for the call */
};

struct policy_lint_input {
	const struct policy *policy;	     /* borrowed, as all */
	const struct policy_subject *people; /* by login */
	size_t n_people;
	bool complete; /* they are all; else no rule is called dead for lack of people
			*/
	int64_t now_s;
	void (*count)(void *arg, const struct policy_lint_count *count);
	void (*finding)(void *arg, const struct policy_lint_finding *finding);
	void *arg;
	const struct policy_watch *watch; /* NULL: none */
};

/*
 * policy_lint() - tell all counts, then all findings: expired, dead (no VM, nobody),
 * no-mfa, no-owner, broad (every VM), duplicate, subsumed, shadowed; broad-from,
 * nested-from, overlap (networks); unused (set, role, group alias); left, empty,
 * unknown, no-access, same-id (people), passwords (the rules in force) and separation
 * (violated today).
 * Return: 0; -ENOMEM.
 */
_must_check_ int policy_lint(const struct policy_lint_input *in);
