/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pamwalk.h - every way through a stack: can somebody get past our line?
 *
 * In: one stack of pamconf.h. Out: for each question a way through it that shows the
 * fault, or nothing. The walk follows libpam's rules for each code that a module may
 * return; it is complete, because a stack has few states. A module is taken to return
 * anything, except for those whose answer is known (pam_permit, pam_deny).
 * Source: libpam's pam_dispatch.c.
 */
#pragma once

#include "rbacd/doctor/pamconf.h"

#define PAMWALK_WAY_MAX 24

/* One line that was run (or the rule that ended the stack) and what it returned. */
struct pamwalk_step {
	size_t line; /* index into the stack */
	int code;
};

struct pamwalk_way {
	bool exists;
	size_t n;
	struct pamwalk_step
		step[PAMWALK_WAY_MAX]; /* the last ones when there are more */
	size_t blame; /* index of the line that takes the way past us */
	int result;   /* what the stack returns: PAM_SUCCESS or PAM_NEW_AUTHTOK_REQD */
};

struct pamwalk {
	/* The stack grants, and our line was never asked. */
	struct pamwalk_way past;
	/* The stack grants, and our line had refused. */
	struct pamwalk_way dropped;
	/* Our line is asked, and no first factor was proven before it. */
	struct pamwalk_way unproven;
	/* Our line grants and the stack ends: what follows is never run. */
	struct pamwalk_way ends;
	/* A rescue line took root on a console past us. */
	bool rescue;
	/* A way exists on which our line grants and the stack grants. */
	bool opens;
};

/* What the lines around ours mean; a service is judged by its name. */
struct pamwalk_rules {
	enum pamconf_type type;
	bool console; /* pam.d/login: the rescue line is meant to be here */
	bool su;      /* auth: pam_rootok stands for root itself */
	bool sshd;    /* auth: pam_exec may look at SSH_AUTH_INFO_0 */
};

/*
 * pamwalk_stack() - walk one stack.
 * Return: 0 and *ret; -E2BIG when it has more states than one of any use; -ENOMEM.
 */
_must_check_ int pamwalk_stack(const struct pamconf_stack *stack,
			       const struct pamwalk_rules *rules, struct pamwalk *ret);

/*
 * pamwalk_replay() - one way: what an account or password stack returns when line i
 * answers codes[i]. @ret_ran: for each line whether it was run; NULL: not wanted.
 * Return: PAM_SUCCESS, PAM_NEW_AUTHTOK_REQD, or PAM_AUTH_ERR for every refusal.
 */
int pamwalk_replay(const struct pamconf_stack *stack, const int *codes, bool *ret_ran);

/* pamwalk_is_ours() - the line has pam_vmsec ask rbacd; combined=split only asks the
 * person, and decides nothing. */
bool pamwalk_is_ours(const struct pamconf_line *line);
/*
 * pamwalk_is_rescue() - pam_succeed_if lets root pass, as docs/guide/rescue.md has it.
 * @ret_wide: it names a terminal that is no local or serial console, or none at all.
 */
bool pamwalk_is_rescue(const struct pamconf_line *line, bool *ret_wide);
