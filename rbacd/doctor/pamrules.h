/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pamrules.h - the password lines of a service: who judges a new password, who changes
 * it, and does rbacd hear of a change exactly when there was one?
 */
#pragma once

#include "rbacd/doctor/pamwalk.h"

#define PAMRULES_NOWHERE SIZE_MAX

/* Indices into the stack, or PAMRULES_NOWHERE. */
struct pamrules {
	size_t judge;	/* the first line of ours that is no confirmation */
	size_t confirm; /* the last one */
	size_t changer; /* the last module behind the judge that sets a password */
};

void pamrules_find(const struct pamconf_stack *stack, struct pamrules *ret);

/*
 * pamrules_asks() - a module that changes or judges a password and, without
 * use_authtok, asks for one of its own.
 */
bool pamrules_asks(const struct pamconf_line *line);

/*
 * pamrules_confirmed() - wherever one module changes the password the confirmation is
 * reached and has the last word, and it is never reached when all of them refuse.
 * @at: as pamrules_find() gave it.
 */
bool pamrules_confirmed(const struct pamconf_stack *stack, const struct pamrules *at);
