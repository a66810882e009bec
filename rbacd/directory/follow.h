/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.h - the child of rbacd-dir that talks LDAP: follows the directory and hands
 * finished snapshots to its parent. The only process that calls libldap.
 */
#pragma once

#include "rbacd/config.h"
#include "rbacd/directory/snapshot.h"

struct follow_options {
	const struct config_ldap *config; /* borrowed, as all here */
	const struct secret *password;
	struct snapshot *targets, *local; /* what is known at the start */
	struct snapshot *whole, *change;  /* what rbacd has; NULL: nothing */
	size_t first;		 /* the server to begin with, modulo their number */
	volatile uint64_t *beat; /* shared with the parent: counts steps forward */
};

/* follow_run() - until the link on @fd ends; returns the exit status. */
int follow_run(const struct follow_options *o, int fd);

/*
 * follow_test() - connect and load once, print to @out what was found and what is
 * wrong. Return: 0; 1 there is trouble; negative errno.
 */
int follow_test(const struct follow_options *o, FILE *out);
