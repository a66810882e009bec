/* SPDX-License-Identifier: Apache-2.0 */
/* pam_login.h - one login through libpam, at this terminal, that opens nothing. */
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
