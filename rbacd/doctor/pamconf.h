/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pamconf.h - a service's stacks as libpam would read them.
 *
 * In: a folder like /etc, the name of a service. Out: for each of the four types the
 * lines in order, with includes put in place, substacks marked by level, and each
 * control as one action for each return code. Nothing is loaded or run.
 * Source: pam.conf(5), libpam's pam_handlers.c.
 */
#pragma once

#include "policy/diag.h"

#define PAMCONF_CODES	  32 /* return codes of Linux-PAM, PAM_SUCCESS is 0 */
#define PAMCONF_LINES_MAX 512
#define PAMCONF_DEPTH_MAX 16

enum pamconf_type {
	PAMCONF_AUTH,
	PAMCONF_ACCOUNT,
	PAMCONF_PASSWORD,
	PAMCONF_SESSION,
	PAMCONF_TYPES
};

enum pamconf_kind {
	PAMCONF_MODULE,
	PAMCONF_SUBSTACK,  /* the lines of a deeper level follow */
	PAMCONF_MUST_FAIL, /* libpam cannot read the line and lets it fail */
};

/* What a return code does; a positive number skips so many lines. */
enum pamconf_action {
	PAMCONF_IGNORE = 0,
	PAMCONF_OK = -1,
	PAMCONF_DONE = -2,
	PAMCONF_BAD = -3,
	PAMCONF_DIE = -4,
	PAMCONF_RESET = -5,
};

struct pamconf_line {
	char *file; /* owned; relative to the folder: "pam.d/sshd" */
	unsigned line;
	unsigned level; /* 0, or the depth of substacks */
	enum pamconf_kind kind;
	char *control; /* owned; as written */
	int actions[PAMCONF_CODES];
	char *module; /* owned; "pam_unix.so", without its folder */
	char *path;   /* owned; as written */
	char *args;   /* owned; one blank between two */
	char *text;   /* owned; the whole line, without its comment */
};

struct pamconf_stack {
	struct pamconf_line *v; /* owned */
	size_t n;
	bool from_other; /* the service says nothing of this type: pam.d/other does */
};

struct pamconf {
	struct pamconf_stack stack[PAMCONF_TYPES];
	bool found;   /* the service has a file of its own */
	bool refused; /* libpam would refuse to start: @diag says why */
};

#define PAMCONF_INIT                                                                   \
	{                                                                              \
		0                                                                      \
	}

/*
 * pamconf_read() - read one service.
 * @root: what stands for "/"; pam.d is looked for in its etc/, then in usr/lib/.
 * @diag: lines that libpam cannot read, includes that are missing.
 * Return: 0, also when there were diagnostics; negative errno.
 */
_must_check_ int pamconf_read(const char *root, const char *service,
			      struct pamconf *ret, struct diags *diag);
/*
 * pamconf_read_text() - the same for a service whose own file would be @text; what it
 * includes is read from the folder.
 */
_must_check_ int pamconf_read_text(const char *root, const char *service,
				   const char *text, struct pamconf *ret,
				   struct diags *diag);
void pamconf_done(struct pamconf *conf); /* PAMCONF_INIT is accepted */

/* pamconf_is_module() - true for "pam_unix.so" where @name is "pam_unix". */
bool pamconf_is_module(const struct pamconf_line *line, const char *name);
/* pamconf_has_arg() - true when one of the line's arguments is @arg. */
bool pamconf_has_arg(const struct pamconf_line *line, const char *arg);
/* pamconf_code_name() - "success", "new_authtok_reqd", …; @code below PAMCONF_CODES. */
const char *pamconf_code_name(int code);
const char *pamconf_type_name(enum pamconf_type type);

#define _cleanup_pamconf_ _cleanup_(pamconf_done)
