/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_doctor.c - runs the checks of rbacd/doctor and shows what they found. */

#include <errno.h>

#include "policy/view.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"
#include "rbacd/doctor/doctor.h"
#include "rbacd/doctor/run.h"
#include "rbacd/doctor/sshd_match.h"

#define OUTPUT_MAX (256 * 1024)
#define RUN_MS	   5000
#define VERIFY_MS  10000

/* What rbacd says about itself. */
static void ask_daemon(struct ctl *ctl, struct doctor *d)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const struct out_table *hints;
	struct wire_call call;

	ctl_call_init(&call, "status");
	d->n_checks++;
	if (ctl_call(ctl, CTL_ADMIN, &call, &answer) != 0) {
		doctor_add(d, DOCTOR_ERROR, "rbacd", "", "rbacd does not answer",
			   "every service with our account line refuses everybody",
			   "systemctl status rbacd; rbacd --check");
		return;
	}
	hints = out_find(&answer.set, "hints");
	for (const struct out_row *r = hints ? hints->first : NULL; r; r = r->next) {
		const struct out_cell *severity = out_cell(r, "severity");
		const struct out_cell *text = out_cell(r, "text");

		if (text && text->text)
			doctor_add(d,
				   severity && severity->text &&
						   str_eq(severity->text, "problem")
					   ? DOCTOR_ERROR
					   : DOCTOR_NOTE,
				   "rbacd-status", "", text->text,
				   "rbacd says so itself", "rbacctl status");
	}
}

static bool accepts_keys(const struct policy *policy)
{
	struct policy_rule rule;
	bool found = false;

	for (size_t i = 0; policy_grant_at(policy, i, &rule); i++)
		found = found || (rule.accept & POLICY_METHOD_SECURITY_KEY);
	for (size_t i = 0; policy_break_glass_at(policy, i, &rule); i++)
		found = found || (rule.accept & POLICY_METHOD_SECURITY_KEY);
	return found;
}

/* What the policy needs of this machine. One that does not load is for `policy check`
 * to tell. */
static void ask_policy(struct doctor *d)
{
	const struct config *c = d->config;
	const struct policy_host host = {c->vm, c->labels, c->n_labels};
	_cleanup_diags_ struct diags ignored = DIAGS_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	struct password_rules rules;

	if (policy_load(c->policy, &host, &policy, &ignored) != 0)
		return;
	d->accepts_keys = accepts_keys(policy);
	policy_password(policy, &rules);
	doctor_lists(d, &rules);
}

static void ask_sshd(struct doctor *d)
{
	_cleanup_free_ char *settings = NULL;
	char *const argv[] = {(char[]){"/usr/sbin/sshd"}, (char[]){"-T"}, NULL};
	int r = run_output(argv, OUTPUT_MAX, RUN_MS, &settings);

	if (r == 0)
		doctor_sshd(d, settings);
	else if (r != -ENOENT)
		doctor_add(
			d, DOCTOR_WARNING, "sshd-config", "/etc/ssh/sshd_config",
			"sshd -T fails",
			"its settings cannot be judged, and sshd may not start again",
			"run it and read what it says");
}

/* Each Match block is asked for on its own: sshd -T alone shows none of them. */
static void ask_matches(struct doctor *d)
{
	_cleanup_free_ struct sshd_matches *m = malloc(sizeof(*m));

	if (!m) {
		d->lost = true;
		return;
	}
	sshd_match_read("", "/etc/ssh/sshd_config", m);
	for (size_t i = 0; i < m->n; i++) {
		_cleanup_free_ char *settings = NULL;
		char *const argv[] = {(char[]){"/usr/sbin/sshd"}, (char[]){"-T"},
				      (char[]){"-C"}, m->v[i].spec, NULL};

		if (*m->v[i].spec &&
		    run_output(argv, OUTPUT_MAX, RUN_MS, &settings) == 0)
			doctor_sshd_match(d, m->v[i].where, settings);
		else
			doctor_add(d, DOCTOR_NOTE, "sshd-match", m->v[i].where,
				   "nobody could be found to whom this block applies",
				   "what holds in it was not looked at",
				   "sshd -T -C user=…,host=…,addr=…");
	}
	if (m->more)
		doctor_add(d, DOCTOR_NOTE, "sshd-match", "/etc/ssh/sshd_config",
			   "there are more Match blocks than are looked at",
			   "what holds in the others is not known",
			   "sshd -T -C user=…,host=…,addr=…");
}

/* The chain of a day, and every checkpoint's signature. */
static void ask_log(struct doctor *d)
{
	_cleanup_free_ char *said = NULL;
	char *const argv[] = {
		(char[]){"/proc/self/exe"}, (char[]){"audit"},	(char[]){"verify"},
		(char[]){"--signatures"},   (char[]){"--tail"}, (char[]){"24h"},
		(char[]){"--config"},	    d->config->path,	NULL};
	int r = run_output(argv, OUTPUT_MAX, VERIFY_MS, &said);

	d->n_checks++;
	if (r == -EPROTO)
		doctor_add(
			d, DOCTOR_ERROR, "audit-chain", d->config->state_dir,
			"the audit log of the last day does not verify",
			"records were changed or are missing, or a checkpoint is not "
			"of this log's key",
			"rbacctl audit verify");
	else if (r == -ETIMEDOUT)
		doctor_add(d, DOCTOR_NOTE, "audit-chain", d->config->state_dir,
			   "the audit log of the last day is too long to verify here",
			   "whether it is whole is not known", "rbacctl audit verify");
}

static void ask_sudo(struct doctor *d)
{
	_cleanup_free_ char *version = NULL;
	char *const argv[] = {(char[]){"/usr/bin/sudo"}, (char[]){"-V"}, NULL};

	if (run_output(argv, OUTPUT_MAX, RUN_MS, &version) == 0)
		doctor_sudo(d, version);
}

static int add_row(struct out_set *set, const struct doctor_finding *f)
{
	const char *severity = doctor_severity_name(f->severity);
	struct out_row *row = out_add_row(set, "findings");

	if (!row || out_add_text(row, "severity", severity, strlen(severity)) != 0 ||
	    out_add_text(row, "id", f->id, strlen(f->id)) != 0 ||
	    out_add_text(row, "where", f->where, strlen(f->where)) != 0 ||
	    out_add_text(row, "what", f->what, strlen(f->what)) != 0 ||
	    out_add_text(row, "why", f->why, strlen(f->why)) != 0 ||
	    out_add_text(row, "fix", f->fix, strlen(f->fix)) != 0)
		return -ENOMEM;
	return 0;
}

static int show_rows(struct ctl *ctl, const struct doctor *d)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;

	for (size_t i = 0; i < d->n; i++)
		if (add_row(&set, &d->v[i]) != 0)
			return ctl_fail(ctl, CTL_NO, "out of memory");
	if (ctl->json)
		out_json_set(&set, "findings", ctl->out);
	else
		out_print_csv(out_find(&set, "findings"), ctl->out);
	return CTL_OK;
}

/* Names of files may be hostile: --root looks at anybody's. */
static void show_text(struct ctl *ctl, const struct doctor *d)
{
	for (int severity = DOCTOR_CRITICAL; severity >= DOCTOR_NOTE; severity--) {
		for (size_t i = 0; i < d->n; i++) {
			const struct doctor_finding *f = &d->v[i];

			if ((int)f->severity != severity)
				continue;
			(void)fprintf(ctl->out, "%s%s%s %s%s",
				      severity >= DOCTOR_ERROR ? ctl_red(ctl)
							       : ctl_bold(ctl),
				      doctor_severity_name(f->severity), ctl_plain(ctl),
				      f->id, *f->where ? "  " : "");
			text_line("", f->where, ctl->out);
			text_line("  ", f->what, ctl->out);
			text_line("  why: ", f->why, ctl->out);
			text_line("  fix: ", f->fix, ctl->out);
			(void)fputc('\n', ctl->out);
		}
	}
	(void)fprintf(ctl->out, "%zu subjects looked at, %zu findings.\n", d->n_checks,
		      d->n);
}

static int exit_code(const struct doctor *d)
{
	switch (doctor_worst(d)) {
	case DOCTOR_NOTE:
		return CTL_OK;
	case DOCTOR_WARNING:
		return CTL_NO;
	case DOCTOR_ERROR:
		return CTL_DOCTOR_ERROR;
	case DOCTOR_CRITICAL:
		return CTL_DOCTOR_CRITICAL;
	}
	return CTL_DOCTOR_CRITICAL;
}

int cmd_doctor(struct ctl *ctl, const struct ctl_args *args)
{
	const char *root = ctl_arg(args, "root");
	struct doctor d = {.root = root ? root : ""};
	int r;

	if (!root && ctl_need_config(ctl) == 0)
		d.config = ctl->config;
	r = doctor_pam(&d);
	if (r != 0)
		doctor_add(&d, DOCTOR_ERROR, "pam-dir", "/etc/pam.d",
			   "pam.d cannot be read", "nothing about logins is known",
			   "run as root");
	if (!root) {
		if (d.config)
			ask_policy(&d);
		ask_sshd(&d);
		ask_matches(&d);
		ask_sudo(&d);
		ask_daemon(ctl, &d);
		if (d.config)
			ask_log(&d);
		doctor_sandbox(&d);
		doctor_clock(&d);
		doctor_mac(&d);
		doctor_rescue(&d);
		doctor_files(&d);
	}
	r = CTL_OK;
	if (ctl->json || ctl->csv)
		r = show_rows(ctl, &d);
	else
		show_text(ctl, &d);
	r = r == CTL_OK ? exit_code(&d) : r;
	doctor_done(&d);
	return r;
}
