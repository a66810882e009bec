/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_password.c - the lines that judge a new password, change it and confirm it. */
#include "rbacd/doctor/doctor_pam_internal.h"

#include <security/_pam_types.h>

enum { NOWHERE = PAMCONF_LINES_MAX };

static bool has_word(const struct pamconf_line *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = line->args; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* Modules that change a password, and would ask for one of their own. */
static bool is_changer(const struct pamconf_line *line)
{
	static const char *const modules[] = {"pam_unix", "pam_ldap", "pam_sss",
					      "pam_krb5", "pam_winbind"};

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (pamconf_is_module(line, modules[i]))
			return true;
	return false;
}

static void check_changer(struct doctor *d, const struct pamconf_line *line)
{
	if (has_word(line, "use_authtok"))
		return;
	doctor_at_line(d, DOCTOR_CRITICAL, "pam-password-token", line,
		       "this module asks for a new password of its own",
		       "it sets what was never judged",
		       "add use_authtok to its arguments");
}

static void check_confirmation(struct doctor *d, const struct pamconf_stack *stack,
			       size_t judge, size_t confirm)
{
	if (judge == NOWHERE)
		doctor_at_line(d, DOCTOR_ERROR, "pam-password-confirm",
			       &stack->v[confirm],
			       "it confirms a change that no line of ours judged",
			       "every change of a password fails",
			       "put before it: password requisite pam_vmsec.so");
	else if (confirm == NOWHERE || confirm < judge)
		doctor_at_line(d, DOCTOR_ERROR, "pam-password-confirm",
			       &stack->v[judge],
			       "nobody tells rbacd that the password was changed",
			       "history and age stand still, and whoever must change "
			       "a password is asked again at every login",
			       "put behind the modules that change it: password "
			       "required pam_vmsec.so confirm");
}

void doctor_password(struct doctor *d, const struct pamconf_stack *stack)
{
	size_t judge = NOWHERE, confirm = NOWHERE;

	for (size_t i = 0; i < stack->n; i++) {
		const struct pamconf_line *line = &stack->v[i];

		if (!pamconf_is_module(line, "pam_vmsec")) {
			if (judge != NOWHERE && is_changer(line))
				check_changer(d, line);
			continue;
		}
		if (has_word(line, "confirm"))
			confirm = i;
		else if (judge == NOWHERE)
			judge = i;
	}
	if (judge != NOWHERE &&
	    stack->v[judge].actions[PAM_AUTHTOK_ERR] != PAMCONF_DIE &&
	    stack->v[judge].actions[PAM_AUTHTOK_ERR] != PAMCONF_BAD)
		doctor_at_line(d, DOCTOR_CRITICAL, "pam-password-dropped",
			       &stack->v[judge],
			       "the control of this line drops its refusal",
			       "a password that was refused is set all the same",
			       "make it: password requisite pam_vmsec.so");
	if (judge != NOWHERE || confirm != NOWHERE)
		check_confirmation(d, stack, judge, confirm);
}
