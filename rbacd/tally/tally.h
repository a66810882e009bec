/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally.h - who gains and who loses by an activation, for the audit log.
 *
 * Counted once the directory speaks of the groups of both policies, by a short-lived
 * child: a hundred thousand people under two policies take longer than a login may
 * wait.
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/tally/people.h"

struct tally;

/* Strings borrowed for the call. */
struct tally_change {
	struct policy *before, *after; /* references are taken */
	const char *before_sha;	       /* for the record; NULL: there was none */
	const char *op;		       /* "start", "reload", "rollback" */
	const char *actor;
};

/* What became of it. @text is the caller's until the next call. */
struct tally_result {
	char before_sha[65], after_sha[65]; /* "" for none */
	char op[16], actor[32];
	char text[160]; /* the counts, or why there are none */
};

_must_check_ int tally_new(struct tally **ret);
void tally_free(struct tally *t); /* NULL is a no-op; ends a child */

/*
 * tally_begin() - count this activation from now on.
 * @ret: of the one that was being counted, which is given up.
 * Return: 0; 1 and *ret is written.
 */
int tally_begin(struct tally *t, const struct tally_change *change, uint64_t now_ns,
		struct tally_result *ret);

/* tally_wants() - the policy whose groups the directory must speak of, too; NULL: none.
 */
struct policy *tally_wants(const struct tally *t);

/* What the counting needs of the directory; asked for when it looks ready. */
struct tally_source {
	bool answered; /* it speaks of the groups of both policies */
	/* References are the callee's; @change NULL: none. Return: 0; negative errno.
	 */
	int (*take)(void *arg, struct population *ret, struct snapshot **ret_change);
	void *arg;
};

/*
 * tally_tick() - once a second. Return: 0; 1 and *ret is written: that activation is
 * over, counted or not.
 */
int tally_tick(struct tally *t, const struct tally_source *source, uint64_t now_ns,
	       struct tally_result *ret);
