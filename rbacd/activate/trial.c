/* SPDX-License-Identifier: Apache-2.0 */
/* trial.c - a policy that decides for a while: it comes, returns or is kept. */

#include <errno.h>

#include "rbacd/activate/activate.h"
#include "rbacd/log.h"
#include "rbacd/standing.h"
#include "rbacd/wire/client.h"

static int not_this(struct diags *diag, const char *path, const char *why)
{
	diags_add(diag, path, 0, 0, NULL, "%s", why);
	return POLICY_E_INVALID;
}

/* The caller judged two policies: those, and no others, are left and tried. */
static int check_trial(struct server *s, const struct policy_try *want,
		       const struct policy *next, struct diags *diag)
{
	if (s->trial.before)
		return not_this(diag, want->path,
				"another policy is being tried: confirm it, wait for "
				"its end, or rbacctl reload");
	if (!s->policy || !str_eq(policy_sha256(s->policy), want->before_sha))
		return not_this(diag, s->config->policy,
				"is not the policy that runs, so there is nothing safe "
				"to return to: rbacctl reload first");
	if (!str_eq(policy_sha256(next), want->sha))
		return not_this(diag, want->path, "was changed in between");
	if (str_eq(want->sha, want->before_sha))
		return not_this(diag, want->path, "is the policy that runs");
	return activate_check_serial(s, next, false, diag);
}

/* Not an activation that is remembered: after a restart the configured policy, which
 * is the one of before, must load as if nothing had been. */
int server_policy_try(struct server *s, const char *actor,
		      const struct policy_try *want, struct diags *diag)
{
	_cleanup_policy_ struct policy *next = NULL;
	_cleanup_policy_ struct policy *before = NULL;
	struct activate_note note = {.actor = actor, .op = "try", .text = want->text};
	int rc = activate_load(s->config, want->path, &next, diag);

	if (rc == 0)
		rc = check_trial(s, want, next, diag);
	if (rc != 0)
		return rc;
	note.after = policy_sha256(next);
	before = policy_ref(s->policy);
	rc = activate_switch(s, next, &note);
	if (rc != 0)
		return rc;
	s->trial.before = STEAL(before);
	s->trial.ends_ns = wire_now_ns() + (uint64_t)want->within_s * 1000000000u;
	(void)snprintf(s->trial.path, sizeof(s->trial.path), "%s", want->path);
	(void)snprintf(s->trial.text, sizeof(s->trial.text), "%s", want->text);
	rc = standing_refresh(s);
	return rc > 0 ? -EIO : rc;
}

int server_policy_confirm(struct server *s, const char *actor, struct diags *diag)
{
	_cleanup_policy_ struct policy *kept = NULL;
	struct activate_note note = {.actor = actor,
				     .op = "confirm",
				     .text = s->trial.text};
	int rc;

	if (!s->trial.before)
		return not_this(diag, s->config->policy, "no policy is being tried");
	rc = activate_load(s->config, s->config->policy, &kept, diag);
	if (rc == 0 && !str_eq(policy_sha256(kept), policy_sha256(s->policy)))
		rc = not_this(diag, s->config->policy,
			      "is not the policy that is being tried");
	if (rc != 0)
		return rc;
	note.after = policy_sha256(s->policy);
	note.before = policy_sha256(s->trial.before); /* what runs is what was tried */
	rc = activate_keep_undo(s);
	if (rc == 0)
		rc = activate_record(s, &note);
	if (rc == 0)
		rc = activate_remember(s);
	if (rc == 0)
		activate_end_trial(s);
	return rc > 0 ? -EIO : rc;
}

int server_trial_left_s(const struct server *s)
{
	uint64_t now_ns = wire_now_ns();

	if (!s->trial.before || now_ns >= s->trial.ends_ns)
		return 0;
	return (int)((s->trial.ends_ns - now_ns + 999999999u) / 1000000000u);
}

int server_trial_tick(struct server *s)
{
	struct activate_note note = {.actor = "rbacd",
				     .op = "return",
				     .text = s->trial.text};
	int rc;

	if (!s->trial.before || server_trial_left_s(s) > 0)
		return 0;
	log_warning("the policy that was tried is not confirmed: the one of before "
		    "comes back");
	note.after = policy_sha256(s->trial.before);
	rc = activate_switch(s, s->trial.before, &note);
	if (rc != 0)
		return rc; /* the next tick tries again */
	activate_end_trial(s);
	rc = standing_refresh(s);
	return rc > 0 ? -EIO : rc;
}
