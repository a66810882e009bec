/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - what every entry point does before and after it talks to rbacd. */
#pragma once

#include "pam_vmsec/args.h"
#include "pam_vmsec/talk.h"

struct transaction; /* pam_vmsec.c */

struct request {
	pam_handle_t *pamh; /* borrowed */
	unsigned pam_flags;
	struct args args;
	struct transaction
		*next; /* owned: for the next phase, with the user as of now */
	struct wire_begin begin;
};

/*
 * request_check() - options and flags of the call; what is not understood is logged.
 * @known: flags that the entry point knows. Return: 0 or the PAM code to end with.
 */
_must_check_ int request_check(struct request *req, int argc, const char **argv,
			       unsigned known);
/* request_user() - PAM_USER. NULL: libpam does not tell, which is not nobody. */
const char *request_user(pam_handle_t *pamh);
/* request_fill() - user, origin and flags of the BEGIN. Return: as request_check(). */
_must_check_ int request_fill(struct request *req, const char *user);
/* request_no_decision() - log why there is none. Return: the PAM code. */
int request_no_decision(const struct request *req, int error);
/* request_tell() - show the text of a result. */
void request_tell(const struct request *req, const struct wire_result_msg *m);

/* request_result_done() - wipe a result. */
static inline void request_result_done(struct wire_result_msg *m)
{
	explicit_bzero(m, sizeof(*m));
}
