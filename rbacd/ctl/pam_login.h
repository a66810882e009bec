/* SPDX-License-Identifier: Apache-2.0 */
/* pam_login.h - a login or a new password through libpam that opens and sets nothing.
 */
#pragma once

#include <stdio.h>

#include "policy/base.h"

/*
 * pam_login_try() - run the auth and account lines of a service and stop there.
 * @from: the address it is said to come from; NULL: none.
 * What the lines ask is asked on @in and @out, hidden answers without an echo.
 * Return: 0: they would let @user in; 1: they would not, told on @err.
 */
_must_check_ int pam_login_try(const char *service, const char *user, const char *from,
			       FILE *in, FILE *out, FILE *err);

/*
 * pam_change_try() - run the password lines of a service until somebody is asked for a
 * password, and stop there: our line has asked rbacd by then.
 * Return: 0: a password is asked for; 1: the lines end before, told on @err.
 */
_must_check_ int pam_change_try(const char *service, const char *user, FILE *out,
				FILE *err);
