/* SPDX-License-Identifier: Apache-2.0 */
/* pamrules.c - the modules of password stacks, and what follows from their answers. */
#include "rbacd/doctor/pamrules.h"

#include <security/_pam_types.h>

static bool is_one_of(const struct pamconf_line *line, const char *const *names,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pamconf_is_module(line, names[i]))
			return true;
	return false;
}

static bool changes(const struct pamconf_line *line)
{
	static const char *const names[] = {"pam_unix", "pam_ldap", "pam_sss",
					    "pam_krb5", "pam_winbind"};

	return is_one_of(line, names, ARRAY_SIZE(names));
}

bool pamrules_asks(const struct pamconf_line *line)
{
	static const char *const judges[] = {"pam_pwquality", "pam_cracklib",
					     "pam_passwdqc"};

	return changes(line) || is_one_of(line, judges, ARRAY_SIZE(judges));
}

void pamrules_find(const struct pamconf_stack *stack, struct pamrules *ret)
{
	*ret = (struct pamrules){PAMRULES_NOWHERE, PAMRULES_NOWHERE, PAMRULES_NOWHERE};
	for (size_t i = 0; i < stack->n; i++) {
		const struct pamconf_line *line = &stack->v[i];

		if (ret->judge != PAMRULES_NOWHERE && changes(line))
			ret->changer = i;
		if (!pamconf_is_module(line, "pam_vmsec"))
			continue;
		if (pamconf_has_arg(line, "confirm"))
			ret->confirm = i;
		else if (ret->judge == PAMRULES_NOWHERE)
			ret->judge = i;
	}
}

/* One change: the module at @changer has set the password, the others answer @other. */
static bool change(const struct pamconf_stack *stack, size_t changer, int other,
		   const struct pamrules *at, int confirm, bool *ret_confirmed)
{
	int codes[PAMCONF_LINES_MAX] = {PAM_SUCCESS};
	bool ran[PAMCONF_LINES_MAX];

	for (size_t i = 0; i < stack->n; i++)
		if (pamconf_is_module(&stack->v[i], "pam_deny"))
			codes[i] = PAM_AUTHTOK_ERR;
		else if (changes(&stack->v[i]) && i != changer)
			codes[i] = other;
	codes[at->confirm] = confirm;
	confirm = pamwalk_replay(stack, codes, ran);
	*ret_confirmed = ran[at->confirm];
	return confirm == PAM_SUCCESS;
}

bool pamrules_confirmed(const struct pamconf_stack *stack, const struct pamrules *at)
{
	bool ran;

	if (at->confirm == PAMRULES_NOWHERE || at->changer == PAMRULES_NOWHERE)
		return false;
	for (size_t i = 0; i < stack->n; i++) {
		if (!changes(&stack->v[i]))
			continue;
		if (!change(stack, i, PAM_USER_UNKNOWN, at, PAM_SUCCESS, &ran) ||
		    !ran ||
		    change(stack, i, PAM_USER_UNKNOWN, at, PAM_AUTHTOK_ERR, &ran))
			return false;
	}
	/* PAM_IGNORE is no refusal, and the other one is for the account phase. */
	for (int code = PAM_SUCCESS + 1; code < PAMCONF_CODES; code++)
		if (code != PAM_IGNORE && code != PAM_NEW_AUTHTOK_REQD &&
		    (change(stack, PAMRULES_NOWHERE, code, at, PAM_SUCCESS, &ran) ||
		     ran))
			return false;
	return true;
}
