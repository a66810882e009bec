/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - what a process of vmsec may still ask of the kernel once it has started:
 * a list of system calls, and the folders, ports and signals that remain.
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

/* Who is to be shut in. A child's profile only adds to what its parent gave up. */
enum sandbox_profile {
	SANDBOX_DECIDE =
		1, /* rbacd: its own files, unix sockets, children without exec */
	SANDBOX_DIRECTORY, /* rbacd-dir and its children: reads, and the network */
	SANDBOX_LOCAL,	   /* rbacd-dir with a people file: no network, no children */
	SANDBOX_WORK,	   /* a child that computes: reads files, answers on a pipe */
};

/* What becomes of a call that is not on the list. */
enum sandbox_mode {
	SANDBOX_REFUSE = 1, /* it fails with EPERM and is in the kernel's log */
	SANDBOX_KILL,	    /* the process dies of SIGSYS */
	SANDBOX_OFF,	    /* nothing is installed */
};

#define SANDBOX_PATHS_MAX 12
#define SANDBOX_PORTS_MAX 16

/* Paths are borrowed; what does not exist is left out, because it cannot be opened
 * either. A rule is for the file or folder that has the name now, and all below. */
struct sandbox {
	enum sandbox_profile profile;
	enum sandbox_mode mode;
	const char *read[SANDBOX_PATHS_MAX];
	const char *write[SANDBOX_PATHS_MAX]; /* made, changed and removed there */
	uint16_t ports[SANDBOX_PORTS_MAX];    /* TCP, to connect to; 0 ends the list */
	bool any_port;			      /* modules of others decide where to */
};

struct sandbox_state {
	bool calls;   /* the list of system calls is in force */
	int landlock; /* version of the kernel's Landlock; 0: there is none */
};

/*
 * sandbox_enter() - give up everything that @box does not name, for good and for all
 * children to come. Needs no_new_privs. The calling process has one thread.
 * Landlock is best effort: an older kernel confines less, one without it nothing.
 * Return: 0 and *ret; negative errno with a diagnostic: do not go on.
 */
_must_check_ int sandbox_enter(const struct sandbox *box, struct sandbox_state *ret,
			       struct diags *diag);

/* sandbox_parent() - the folder of @path, in @buf: a file that is replaced by rename
 * is found again only below it. Return: @buf. */
const char *sandbox_parent(const char *path, char *buf, size_t cap);

/* sandbox_describe() - "system calls listed, landlock 7" in @buf. Return: @buf. */
const char *sandbox_describe(const struct sandbox_state *state, char *buf, size_t cap);
