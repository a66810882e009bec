/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activate.h - how a policy becomes the one that decides: checked, recorded, switched
 * in one turn; and given back when that turn is lost. Public face: server.h.
 *
 *   policy on disk --> activate_run() --> record + switch --> activate_end(kept)
 *                                                                 | kept and different
 *                                                                 v
 *                                               tally --> record "policy.changes"
 */
#pragma once

#include "rbacd/server.h"

/* What the record of an activation says. */
struct activate_note {
	const char *actor;
	const char *op;	    /* "rollback", "try", "confirm", "return"; NULL */
	const char *before; /* sha256 of what was active; NULL: what runs */
	const char *after;  /* sha256 of what is active now; NULL: it was refused */
	const char *text;   /* why it was refused, or what it changes; NULL */
};

/* What the turn's end does with an activation; zero: there is none in this turn. */
struct activate_turn {
	bool switched;		   /* what ran before this turn: */
	struct policy *policy;	   /* counted */
	struct policy_trial trial; /* its policy is counted */
	int64_t loaded_s;
	bool remembered;      /* this policy is the one of the next start */
	bool same;	      /* and was the last one, too */
	struct policy *count; /* counted: compare it with this; NULL: no need */
	char count_sha[65], op[16], actor[32]; /* for that record */
};

/*
 * activate_run() - load and check the policy that @c names, record what becomes of it
 * and let it decide. Return: 0; POLICY_E_INVALID with diagnostics and the running one
 * stays; negative errno.
 */
_must_check_ int activate_run(struct server *s, const struct config *c,
			      const char *actor, bool rollback, struct diags *diag);

/* activate_end() - the turn's end: @kept, or what ran before it runs again. */
void activate_end(struct server *s, bool kept);

/* activate_tick() - once a second: goes on counting. Return: 0; else the turn is
 * lost.
 */
_must_check_ int activate_tick(struct server *s);
/* activate_free() - what the server holds of this folder. */
void activate_free(struct server *s);

/* For the files of this folder and reload.c. Return: 0, or what ends the turn. */
_must_check_ int activate_load(const struct config *c, const char *path,
			       struct policy **ret, struct diags *diag);
_must_check_ int activate_check_serial(struct server *s, const struct policy *next,
				       bool rollback, struct diags *diag);
_must_check_ int activate_record(struct server *s, const struct activate_note *note);
/* activate_switch() - record, then let @next (a reference is taken) decide. */
_must_check_ int activate_switch(struct server *s, struct policy *next,
				 const struct activate_note *note);
/* activate_keep_undo() - before anything that this turn's loss must take back. */
_must_check_ int activate_keep_undo(struct server *s);
_must_check_ int activate_remember(struct server *s);
void activate_end_trial(struct server *s);
/* activate_refuse() - record the refusal and pass @rc on. */
_must_check_ int activate_refuse(struct server *s, const char *actor,
				 const struct diags *diag, int rc);
