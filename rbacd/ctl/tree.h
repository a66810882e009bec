/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - rbacctl's command tree: parsing, help and completion from one structure.
 *
 * The tree is constant data (commands*.c); nothing else knows which commands exist.
 */
#pragma once

#include <stdio.h>

#include "policy/base.h"

#define CTL_OPTIONS_MAX 16 /* of one command, with the global ones */
#define CTL_POS_MAX	4
#define CTL_WORDS_MAX	4096 /* of a command whose last word repeats */
#define CTL_VALUES_MAX	8

/* Exit codes of rbacctl. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_NO = 1,		 /* findings, a refusal, something failed */
	CTL_INCOMPLETE = 2,	 /* data is missing: what was said is not all */
	CTL_INTEGRITY = 3,	 /* the audit log or the database is damaged */
	CTL_UNREACHABLE = 4,	 /* rbacd does not answer */
	CTL_DOCTOR_ERROR = 5,	 /* doctor: something keeps people out */
	CTL_DOCTOR_CRITICAL = 6, /* doctor: something lets people in */
	CTL_USAGE = 64, /* EX_USAGE: the command line is wrong; nothing was done */
};

struct ctl_option {
	const char *name;    /* without "--" */
	const char *metavar; /* NULL: a flag */
	const char *help;
	char letter;			    /* 0: none */
	const char *values[CTL_VALUES_MAX]; /* the only ones allowed; empty: any */
};

struct ctl_args;
struct ctl;

struct ctl_command {
	const char *name;
	const char *help;		  /* one line */
	const char *more;		  /* a paragraph below it, or NULL */
	const char *pos[CTL_POS_MAX];	  /* "USER", "[PATH]", "PATH..." repeats; or the
					     fixed     words "bash|zsh" */
	const struct ctl_option *options; /* ended by a NULL name; NULL: none */
	const struct ctl_command *sub;	  /* ended by a NULL name; NULL: a leaf */
	int (*run)(struct ctl *ctl, const struct ctl_args *args); /* leaves only */
	bool text_only; /* --json is refused: what it prints has a form of its own */
};

/* A parsed command line; everything borrowed from argv and the tree. */
struct ctl_args {
	const struct ctl_command *path[4]; /* root first */
	size_t depth;
	const char *pos[CTL_WORDS_MAX];
	size_t n_pos;
	struct {
		const struct ctl_option *option;
		const char *value; /* "" for a flag */
	} given[CTL_OPTIONS_MAX];
	size_t n_given;
	bool help; /* --help was seen; nothing more was checked */
};

extern const struct ctl_command ctl_root;	     /* commands.c */
extern const struct ctl_option ctl_global_options[]; /* accepted by every command */

/*
 * ctl_parse() - match argv against the tree; options may stand anywhere, "--" ends
 * them.
 * @err: receives one message with "did you mean" on failure.
 * Return: 0 and *ret, whose last path entry is a leaf unless @help; CTL_USAGE.
 */
_must_check_ int ctl_parse(const struct ctl_command *root, int argc, char *const *argv,
			   FILE *err, struct ctl_args *ret);

/* ctl_arg() - an option's value ("" for a flag), or NULL when it was not given. */
const char *ctl_arg(const struct ctl_args *args, const char *name);

/* ctl_leaf() - the command that was chosen last. */
const struct ctl_command *ctl_leaf(const struct ctl_args *args);

/* ctl_help() - the help of the command that @args ends with. */
void ctl_help(const struct ctl_args *args, FILE *out);

/* ctl_complete_bash(), ctl_complete_zsh() - write a completion script for the tree. */
void ctl_complete_bash(const struct ctl_command *root, FILE *out);
void ctl_complete_zsh(const struct ctl_command *root, FILE *out);
