/* SPDX-License-Identifier: Apache-2.0 */
/* transaction.h - one whole PAM transaction, pam_start_confdir() to pam_end(). */
#pragma once

#include <stdbool.h>

struct transaction {
	const char *confdir;
	const char *service;
	const char *user;
	const char *answer;	    /* to every prompt; NULL: the conversation fails */
	const char *ssh_connection; /* of the PAM environment; NULL: none */
	const char *ssh_auth_info;  /* the same */
	bool auth, account;
};

/*
 * transaction_run() - run it.
 * Return: the PAM code of the last phase that was called, or of the first that failed.
 */
int transaction_run(const struct transaction *t);
