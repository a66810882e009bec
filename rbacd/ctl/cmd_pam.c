/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pam.c - pam preview, enable, confirm, revert, disable. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/pam_login.h"
#include "rbacd/ctl/text.h"
#include "rbacd/doctor/pamedit.h"
#include "rbacd/doctor/pamfile.h"

#define WITHIN_S     60
#define WITHIN_MIN_S 2
#define WITHIN_MAX_S 3600

static const struct pamfile_dirs dirs = {.pam = "/etc/pam.d",
					 .save = VMSEC_SYSCONFDIR "/rbacd/pam"};

/* What one command changes; texts owned. */
struct plan {
	struct pamfile_change change[PAMFILE_SERVICES_MAX];
	char *before[PAMFILE_SERVICES_MAX], *after[PAMFILE_SERVICES_MAX];
	bool rules[PAMFILE_SERVICES_MAX]; /* lines for new passwords */
	size_t n;
};

static void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->before[i]);
		free(p->after[i]);
	}
}

#define _cleanup_plan_ _cleanup_(plan_done)

static int64_t boot_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts); /* cannot fail */
	return ts.tv_sec;
}

static int plan_error(struct ctl *ctl, const char *service, int r, struct diags *diag)
{
	diags_print(diag, ctl->err);
	switch (r) {
	case PAMEDIT_E_THERE:
		return ctl_fail(ctl, CTL_NO,
				"/etc/pam.d/%s names pam_vmsec already; rbacctl pam "
				"disable %s takes our lines out",
				service, service);
	case PAMEDIT_E_NO_PLACE:
		return ctl_fail(ctl, CTL_NO, "nothing was changed.");
	case -ENOENT:
		return ctl_fail(ctl, CTL_NO, "there is no /etc/pam.d/%s", service);
	default:
		errno = r < 0 ? -r : EINVAL;
		return ctl_fail(ctl, CTL_NO, "/etc/pam.d/%s: %m", service);
	}
}

static int plan_add(struct ctl *ctl, const struct ctl_args *args, const char *service,
		    bool remove, struct plan *plan)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct pamedit_profile *profile = NULL;
	size_t i = plan->n;
	int r;

	if (!remove && pamedit_find(service, ctl_arg(args, "profile"), &profile) != 0)
		return ctl_fail(ctl, CTL_USAGE,
				"no such profile: services are sshd, login, sudo, su, "
				"cockpit, gdm-password, passwd, chpasswd; profiles of "
				"%s: %s",
				service, pamedit_names(service));
	if (!pamfile_service_valid(service))
		return ctl_fail(ctl, CTL_USAGE, "that is no name of a service");
	plan->before[i] = plan->after[i] = NULL;
	plan->rules[i] = profile && pamedit_is_rules(profile);
	plan->n++;
	r = pamfile_read(&dirs, service, &plan->before[i], &diag);
	/* pamfile's and pamedit's codes overlap: only one of them can be refused. */
	if (r == PAMFILE_E_REFUSED)
		return plan_error(ctl, service, PAMEDIT_E_NO_PLACE, &diag);
	if (r == 0)
		r = remove ? pamedit_remove(plan->before[i], &plan->after[i])
			   : pamedit_add("", service, profile, plan->before[i],
					 &plan->after[i], &diag);
	if (remove && (r == PAMEDIT_E_NOT_THERE || r == -ENOENT)) {
		free(STEAL(plan->before[i]));
		plan->n--;
		(void)fprintf(ctl->out, "/etc/pam.d/%s has no lines of ours.\n",
			      service);
		return CTL_OK;
	}
	if (r != 0)
		return plan_error(ctl, service, r, &diag);
	plan->change[i] = (struct pamfile_change){.service = service,
						  .before = plan->before[i],
						  .after = plan->after[i]};
	return CTL_OK;
}

static int make_plan(struct ctl *ctl, const struct ctl_args *args, bool remove,
		     struct plan *plan)
{
	for (size_t i = 0; i < args->n_pos; i++) {
		int r = plan_add(ctl, args, args->pos[i], remove, plan);

		if (r != CTL_OK)
			return r;
	}
	return CTL_OK;
}

static void show_plan(struct ctl *ctl, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/etc/pam.d/%.40s",
			       plan->change[i].service);
		pamedit_diff(path, plan->before[i], plan->after[i], ctl->out);
	}
	(void)fflush(ctl->out); /* main checks the stream */
}

int cmd_pam_preview(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_plan_ struct plan plan = {0};
	int r = make_plan(ctl, args, false, &plan);

	if (r == CTL_OK)
		show_plan(ctl, &plan);
	return r;
}

static int write_plan(struct ctl *ctl, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		int r = pamfile_write(&dirs, plan->change[i].service, plan->after[i]);

		if (r != 0) {
			errno = -r;
			return ctl_fail(ctl, CTL_NO, "/etc/pam.d/%s: %m",
					plan->change[i].service);
		}
	}
	return CTL_OK;
}

/* Our child of its own session: the terminal may go, the way back stays. */
_Noreturn static void wait_and_revert(int64_t until_s)
{
	(void)setsid(); /* already a leader is as good */
	(void)close(0);
	(void)close(1);
	(void)close(2);
	while (boot_s() < until_s)
		(void)clock_nanosleep(CLOCK_BOOTTIME, 0,
				      &(struct timespec){.tv_sec = 1}, NULL);
	if (pamfile_revert(&dirs, until_s) == 0) {
		openlog("rbacctl", LOG_PID, LOG_AUTHPRIV);
		syslog(LOG_ALERT, "pam enable was not confirmed: taken back");
	}
	_exit(0);
}

static int start_timer(struct ctl *ctl, int64_t until_s)
{
	pid_t pid = fork();

	if (pid < 0)
		return ctl_fail(ctl, CTL_NO, "no way back can be prepared: %m");
	if (pid == 0) {
		/* Twice, so that nobody waits for it. */
		pid = fork();
		if (pid == 0)
			wait_and_revert(until_s);
		_exit(pid < 0 ? 1 : 0);
	}
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? CTL_OK
			   : ctl_fail(ctl, CTL_NO, "no way back can be prepared");
}

static int take_back(struct ctl *ctl, int64_t until_s)
{
	int r = pamfile_revert(&dirs, until_s);

	if (r == 0 || r == PAMFILE_E_NONE)
		return ctl_fail(ctl, CTL_NO,
				"taken back: /etc/pam.d is as it was before");
	errno = -r;
	return ctl_fail(ctl, CTL_NO,
			"NOT taken back: %m. Copy the files of %s to %s by hand, now",
			dirs.save, dirs.pam);
}

/* Somebody at a terminal proves that a login works, before the others need it; that a
 * new password is asked for needs nobody. */
static int try_login(struct ctl *ctl, const struct ctl_args *args,
		     const struct plan *plan)
{
	const char *user = ctl_arg(args, "user");

	if (ctl_arg(args, "no-login"))
		return CTL_OK;
	for (size_t i = 0; i < plan->n; i++) {
		const char *service = plan->change[i].service;

		if (!user || (!ctl->in_tty && !plan->rules[i])) {
			(void)fprintf(ctl->err,
				      "%s was not tried: it needs --user LOGIN%s. Try "
				      "it from another terminal.\n",
				      service, plan->rules[i] ? "" : " and a terminal");
			continue;
		}
		(void)fprintf(ctl->out, "Test %s of %s by %s:\n",
			      plan->rules[i] ? "change" : "login", user, service);
		if ((plan->rules[i]
			     ? pam_change_try(service, user, ctl->out, ctl->err)
			     : pam_login_try(service, user, ctl_arg(args, "from"),
					     ctl->in, ctl->out, ctl->err)) != 0)
			return CTL_NO;
	}
	return CTL_OK;
}

static bool agreed(struct ctl *ctl, const struct ctl_args *args)
{
	char answer[8];

	if (ctl_arg(args, "yes"))
		return true;
	if (!ctl->in_tty)
		return false;
	(void)fprintf(ctl->out, "\nMake this change? [y/N] ");
	(void)fflush(ctl->out); /* main checks the stream */
	return fgets(answer, sizeof(answer), ctl->in) && answer[0] == 'y';
}

int cmd_pam_enable(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_plan_ struct plan plan = {0};
	const struct pamfile_login login = pamfile_login_now();
	const char *within = ctl_arg(args, "within");
	int64_t within_s = WITHIN_S, until_s;
	int r;

	if (within && (text_parse_duration(within, &within_s) != 0 ||
		       within_s < WITHIN_MIN_S || within_s > WITHIN_MAX_S))
		return ctl_fail(ctl, CTL_USAGE, "--within takes 2s to 1h");
	r = make_plan(ctl, args, false, &plan);
	if (r != CTL_OK)
		return r;
	show_plan(ctl, &plan);
	if (!agreed(ctl, args))
		return ctl_fail(ctl, CTL_NO, "nothing was changed (--yes agrees).");
	until_s = boot_s() + within_s;
	r = pamfile_begin(&dirs, plan.change, plan.n, &login, until_s);
	if (r == PAMFILE_E_PENDING)
		return ctl_fail(ctl, CTL_NO,
				"another change waits for rbacctl pam confirm");
	if (r != 0) {
		errno = -r;
		return ctl_fail(ctl, CTL_NO, "%s: %m; nothing was changed", dirs.save);
	}
	if (start_timer(ctl, until_s) != CTL_OK || write_plan(ctl, &plan) != CTL_OK ||
	    try_login(ctl, args, &plan) != CTL_OK)
		return take_back(ctl, until_s);
	(void)fprintf(
		ctl->out,
		"\nIt is active. Keep this terminal open, log in from a NEW one, and "
		"there run, within %" PRId64 " seconds:\n\n    rbacctl pam confirm\n\n"
		"Otherwise everything is taken back by itself.\n",
		within_s);
	return CTL_OK;
}

int cmd_pam_confirm(struct ctl *ctl, const struct ctl_args *args)
{
	const struct pamfile_login login = pamfile_login_now();
	int r = pamfile_confirm(&dirs, &login);

	(void)args;
	switch (r) {
	case 0:
		return ctl_done(ctl, "Confirmed: the change stays.");
	case PAMFILE_E_NONE:
		return ctl_fail(ctl, CTL_NO,
				"nothing waits for a confirmation; it may have been "
				"taken back: rbacctl doctor");
	case PAMFILE_E_SAME_LOGIN:
		return ctl_fail(ctl, CTL_NO,
				"this is the login that made the change, and proves "
				"nothing: log in again and confirm from there");
	default:
		errno = r < 0 ? -r : EINVAL;
		return ctl_fail(ctl, CTL_NO, "%s: %m", dirs.save);
	}
}

int cmd_pam_revert(struct ctl *ctl, const struct ctl_args *args)
{
	int r = pamfile_revert(&dirs, ctl_arg(args, "boot") ? PAMFILE_OTHER_BOOT
							    : PAMFILE_ANY);

	if (r == PAMFILE_E_NONE)
		return ctl_done(ctl, "Nothing waits for a confirmation.");
	if (r != 0) {
		errno = -r;
		return ctl_fail(ctl, CTL_NO, "%s: %m", dirs.save);
	}
	return ctl_done(ctl, "Taken back: /etc/pam.d is as it was before.");
}

int cmd_pam_disable(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_plan_ struct plan plan = {0};
	int r = make_plan(ctl, args, true, &plan);

	if (r != CTL_OK || plan.n == 0)
		return r;
	show_plan(ctl, &plan);
	if (!agreed(ctl, args))
		return ctl_fail(ctl, CTL_NO, "nothing was changed (--yes agrees).");
	return write_plan(ctl, &plan);
}
