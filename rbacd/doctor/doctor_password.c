/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_password.c - the lines that judge a new password, change it and confirm it. */
#include "rbacd/doctor/doctor_pam_internal.h"

#include <security/_pam_types.h>

#include "rbacd/doctor/pamedit.h"
#include "rbacd/doctor/pamfile.h"
#include "rbacd/doctor/pamrules.h"

static void check_token(struct doctor *d, const struct pamconf_line *line)
{
	if (!pamrules_asks(line) || pamconf_has_arg(line, "use_authtok"))
		return;
	doctor_at_line(d, DOCTOR_CRITICAL, "pam-password-token", line,
		       "this module asks for a new password of its own",
		       "what is set was never judged",
		       "add use_authtok to its arguments");
}

static void check_refusal(struct doctor *d, const struct pamconf_line *judge)
{
	if (judge->actions[PAM_AUTHTOK_ERR] == PAMCONF_DIE ||
	    judge->actions[PAM_AUTHTOK_ERR] == PAMCONF_BAD)
		return;
	doctor_at_line(d, DOCTOR_CRITICAL, "pam-password-dropped", judge,
		       "the control of this line drops its refusal",
		       "a password that was refused is set all the same",
		       "make it: password requisite pam_vmsec.so");
}

static void check_confirmation(struct doctor *d, const struct pamconf_stack *stack,
			       const struct pamrules *at)
{
	if (at->judge == PAMRULES_NOWHERE)
		doctor_at_line(d, DOCTOR_ERROR, "pam-password-confirm",
			       &stack->v[at->confirm],
			       "it confirms a change that no line of ours judged",
			       "every change of a password fails",
			       "put before it: password requisite pam_vmsec.so");
	else if (at->confirm == PAMRULES_NOWHERE || at->confirm < at->judge)
		doctor_at_line(d, DOCTOR_ERROR, "pam-password-confirm",
			       &stack->v[at->judge],
			       "nobody tells rbacd that the password was changed",
			       "history and age stand still, and whoever must change "
			       "a password is asked again at every login",
			       "put behind the modules that change it: password "
			       "required pam_vmsec.so confirm");
	else if (at->changer != PAMRULES_NOWHERE && !pamrules_confirmed(stack, at))
		doctor_at_line(
			d, DOCTOR_ERROR, "pam-password-confirm", &stack->v[at->confirm],
			"the lines before it skip this line after a change, or "
			"run it although nothing was changed",
			"rbacd believes in a change that was none, or asks for "
			"one again at every login",
			"make the line that changes it requisite, or as in "
			"pam_vmsec(8): [success=1 default=ignore], and behind it "
			"password requisite pam_deny.so");
}

/* pam-auth-update changes common-password, and not what stands for it. */
static void check_stale(struct doctor *d, const char *service,
			const struct pamconf_line *judge)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_free_ char *text = NULL;
	char folder[DOCTOR_TEXT_MAX], fix[DOCTOR_TEXT_MAX];
	struct pamfile_dirs dirs = {.pam = folder};
	bool stale = false;

	(void)snprintf(folder, sizeof(folder), "%s/etc/pam.d", d->root);
	/* What cannot be read was told by others. */
	if (pamfile_read(&dirs, service, &text, &diag) != 0 ||
	    pamedit_is_stale(d->root, service, text, &stale) != 0 || !stale)
		return;
	doctor_at_line(
		d, DOCTOR_WARNING, "pam-password-stale", judge,
		"the files that our lines stand for have changed since",
		"a module that was put there, or taken out, changes nothing here",
		doctor_text(fix,
			    "rbacctl pam disable %s, then rbacctl pam enable "
			    "--profile rules %s",
			    service, service));
}

void doctor_password(struct doctor *d, const char *service,
		     const struct pamconf_stack *stack)
{
	struct pamrules at;

	pamrules_find(stack, &at);
	if (at.judge != PAMRULES_NOWHERE) {
		check_refusal(d, &stack->v[at.judge]);
		check_stale(d, service, &stack->v[at.judge]);
		for (size_t i = at.judge; i < stack->n; i++)
			check_token(d, &stack->v[i]);
	}
	if (at.judge != PAMRULES_NOWHERE || at.confirm != PAMRULES_NOWHERE)
		check_confirmation(d, stack, &at);
}
