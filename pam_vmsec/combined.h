/* SPDX-License-Identifier: Apache-2.0 */
/*
 * combined.h - password and code in one answer, for clients that can ask only once:
 *
 *   auth requisite pam_vmsec.so combined=split digits=6
 *   auth requisite pam_unix.so use_first_pass
 *   auth requisite pam_vmsec.so combined=verify first_factor=stack
 *
 * The password stays in the login process; the code waits on the PAM handle.
 */
#pragma once

#include <security/pam_modules.h>

#include "policy/base.h"

/*
 * combined_split() - ask, make the password PAM_AUTHTOK, keep the code. Talks to
 * nobody. An answer that does not end in @digits digits is a password as a whole.
 * PAM_SUCCESS says only that there was an answer: until combined_done() our account
 * line refuses. Return: PAM_SUCCESS; PAM_CONV_ERR; PAM_AUTH_ERR: nothing, or too much
 * was typed; PAM_BUF_ERR.
 */
_must_check_ int combined_split(pam_handle_t *pamh, unsigned digits);

/*
 * combined_take() - the code, once. Return: true; an empty one when the answer had
 * none; false: no line of combined=split ran.
 */
bool combined_take(pam_handle_t *pamh, struct secret *ret);

/* combined_done() - combined=verify was allowed. */
void combined_done(pam_handle_t *pamh);

/* combined_waits() - an answer was split, and its code never found right. */
bool combined_waits(pam_handle_t *pamh);
