/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h - pipeline stage "password": what chauthtok asks, and a password's age at
 * login.
 *
 * A change has three steps, each an entry point of its own: may it be changed
 * (PW_CHECK), is the new one good (PW_CHANGE, up to PASSWORD_TRIES times), and that the
 * stack really changed it (PW_CHANGED, with the ticket of the step before). Only the
 * third touches history and age.
 */
#pragma once

#include "rbacd/request_internal.h"

#define PASSWORD_NO_SECTION                                                            \
	"The policy has no 'password' section: none can be changed through vmsec."
#define PASSWORD_TRIES	  3
#define PASSWORD_TICKET_S 600 /* from a good password to its change */

/* password_begin() - one of the three steps; may end the request or ask. */
void password_begin(struct request *r);

/* password_answer() - a new password was typed. False: the request is over. */
bool password_answer(struct request *r, const struct wire_answer *a);

struct password_try;
/* password_try_free() - forget a change that is under way; NULL is a no-op. */
void password_try_free(struct password_try *t);

/*
 * password_at_login() - account phase, allowed: must the password be changed first, or
 * soon? Only where the login rests on one: ssh without a key, console, desktop.
 * @o: new_password, reason and text are set.
 * Return: 0; otherwise the caller gives the turn up.
 */
_must_check_ int password_at_login(struct request *r, struct outcome *o, char *buf,
				   size_t cap);
