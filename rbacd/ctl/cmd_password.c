/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_password.c - password check: the rules against a candidate, here and now. */
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/prompt.h"
#include "rbacd/directory/local.h"
#include "rbacd/password/blocklist.h"
#include "rbacd/password/quality.h"

#define LINE_MAX_LEN 1024

/* Reads the candidate; the person at a terminal is told first what is asked. */
static bool ask(struct ctl *ctl, const struct password_rules *rules, char *line,
		size_t cap)
{
	char guidance[QUALITY_TEXT_MAX];

	if (!ctl->in_tty)
		return prompt_read(ctl->in, ctl->err, "", false, line, cap);
	quality_guidance(rules, guidance);
	(void)fprintf(ctl->err, "%s\n", guidance);
	return prompt_read(ctl->in, ctl->err, "Password (not shown): ", false, line,
			   cap);
}

static int show(struct ctl *ctl, const struct password_rules *rules,
		enum password_reason reason)
{
	char text[QUALITY_TEXT_MAX];

	quality_reason_text(reason, rules, text);
	if (ctl->json)
		(void)fprintf(ctl->out,
			      "{\"preset\": \"%s\", \"fits\": %s, \"reason\": \"%s\", "
			      "\"text\": \"%s\"}\n",
			      rules->preset, reason == PASSWORD_FITS ? "true" : "false",
			      reason == PASSWORD_FITS ? "none"
						      : quality_reason_name(reason),
			      text);
	else if (reason == PASSWORD_FITS)
		(void)fprintf(ctl->out, "The password fits %s.\n", rules->preset);
	else
		(void)fprintf(ctl->out, "Refused by %s: %s\n", rules->preset, text);
	return reason == PASSWORD_FITS ? CTL_OK : CTL_NO;
}

static int judge(struct ctl *ctl, const struct ctl_args *args,
		 const struct password_rules *rules, const char *candidate)
{
	struct password_facts facts = {.user = ctl_arg(args, "user"),
				       .real_name = ctl_arg(args, "name"),
				       .host = ctl->config->vm};
	struct local_account account = {0};
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_blocklist_ struct blocklist *b = NULL;
	enum password_reason reason = PASSWORD_UNCHECKED;
	char path[4096];
	int r = 0;

	if (facts.user && !facts.real_name &&
	    local_find("/etc/passwd", facts.user, &account) == 0)
		facts.real_name = account.real_name; /* as rbacd knows it */
	if (rules->blocklist)
		r = blocklist_open(config_blocklist_path(ctl->config, path,
							 sizeof(path)),
				   &b, &diag);
	diags_print(&diag, ctl->err);
	if (r == 0)
		r = quality_check(rules, &facts, candidate, strlen(candidate), b,
				  &reason);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO,
				"the password could not be checked, so it would be "
				"refused: %s.",
				strerror(-r));
	return show(ctl, rules, reason);
}

int cmd_password_check(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	struct password_rules rules;
	char line[LINE_MAX_LEN] = "";
	const char *path;
	int r;

	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	r = ctl_policy_load(ctl, args, ctl_arg(args, "policy"), &policy, &path);
	if (r != 0)
		return r;
	policy_password(policy, &rules);
	if (!rules.preset)
		return ctl_fail(ctl, CTL_NO,
				"%s has no 'password:', so vmsec asks nothing of "
				"passwords.",
				path);
	if (!ask(ctl, &rules, line, sizeof(line)))
		r = ctl_fail(ctl, CTL_NO, "nothing was typed.");
	else
		r = judge(ctl, args, &rules, line);
	explicit_bzero(line, sizeof(line));
	return r;
}
