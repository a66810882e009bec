/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_pam.c - what the walk through each service's stacks means for people. */
#include <dirent.h>
#include <errno.h>
#include <security/_pam_types.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "rbacd/doctor/doctor_pam_internal.h"
#include "rbacd/doctor/pamwalk.h"

#define SERVICES_MAX 256
#define WAY_TEXT_MAX 512

/* One service under examination. */
struct exam {
	struct doctor *d;
	const char *service;
	const struct pamconf *conf;
	bool wanted; /* people log in by it: to be without us is worth a note */
};

static bool is_service(const struct exam *e, const char *a, const char *b)
{
	return str_eq(e->service, a) || (b && str_eq(e->service, b));
}

/* Services that run jobs: nobody is there to be asked. */
static bool is_batch(const struct exam *e)
{
	return is_service(e, "cron", "crond") || is_service(e, "atd", "systemd-user");
}

static bool is_sshd(const struct exam *e)
{
	if (str_eq(e->service, "sshd"))
		return true;
	for (size_t i = 0; e->d->config && i < e->d->config->n_sshd_services; i++)
		if (str_eq(e->service, e->d->config->sshd_services[i]))
			return true;
	return false;
}

static void place(char buf[DOCTOR_TEXT_MAX], const struct pamconf_line *line)
{
	(void)doctor_text(buf, "%s:%u", line->file, line->line);
}

void doctor_at_line(struct doctor *d, enum doctor_severity severity, const char *id,
		    const struct pamconf_line *line, const char *what, const char *why,
		    const char *fix)
{
	char where[DOCTOR_TEXT_MAX];

	place(where, line);
	doctor_add(d, severity, id, where, what, why, fix);
}

static void at_line(const struct exam *e, enum doctor_severity severity, const char *id,
		    const struct pamconf_line *line, const char *what, const char *why,
		    const char *fix)
{
	doctor_at_line(e->d, severity, id, line, what, why, fix);
}

static void at_service(const struct exam *e, enum doctor_severity severity,
		       const char *id, const char *what, const char *why,
		       const char *fix)
{
	char where[DOCTOR_TEXT_MAX];

	doctor_add(e->d, severity, id, doctor_text(where, "/etc/pam.d/%s", e->service),
		   what, why, fix);
}

/* "pam_unix.so (line 3) returns success, then …": how somebody gets there. */
static void tell_way(char buf[WAY_TEXT_MAX], const struct pamconf_stack *stack,
		     const struct pamwalk_way *way)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < way->n && used + 1 < WAY_TEXT_MAX; i++) {
		const struct pamconf_line *line = &stack->v[way->step[i].line];
		int n = snprintf(buf + used, WAY_TEXT_MAX - used, "%s%s:%u %s %s",
				 i ? ", " : "", strrchr(line->file, '/') + 1,
				 line->line, line->module,
				 pamconf_code_name(way->step[i].code));

		used += n > 0 ? (size_t)n : 0;
	}
}

static size_t find_ours(const struct pamconf_stack *stack)
{
	size_t i = 0;

	while (i < stack->n && !pamwalk_is_ours(&stack->v[i]))
		i++;
	return i;
}

static bool has_ours(const struct pamconf_stack *stack)
{
	return find_ours(stack) < stack->n;
}

static bool is_one_of(const char *const *words, size_t n, const char *arg, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == len && memcmp(arg, words[i], len) == 0)
			return true;
	return false;
}

static bool known_option(const char *arg, size_t len, bool password)
{
	static const char *const of_passwords[] = {"use_authtok", "try_first_pass",
						   "confirm"};
	static const char *const whole[] = {
		"first_factor=stack", "enrol=text", "timeout=1", "timeout=2",
		"timeout=3",	      "timeout=4",  "timeout=5", "combined=split",
		"combined=verify",    "digits=6",   "digits=8"};

	if (is_one_of(whole, ARRAY_SIZE(whole), arg, len) ||
	    (password && is_one_of(of_passwords, ARRAY_SIZE(of_passwords), arg, len)))
		return true;
	return len > strlen("socket=/") && memcmp(arg, "socket=/", 8) == 0;
}

static void check_options(const struct exam *e, const struct pamconf_line *line,
			  bool password)
{
	char what[DOCTOR_TEXT_MAX];

	for (const char *p = line->args; *p;) {
		size_t len = strcspn(p, " ");

		if (!known_option(p, len, password))
			at_line(e, DOCTOR_ERROR, "pam-option", line,
				doctor_text(what, "pam_vmsec does not know '%.*s'",
					    (int)len, p),
				"an option that is not understood refuses every login "
				"of this service",
				"remove it; pam_vmsec(8) lists the options");
		p += len;
		p += *p == ' ';
	}
}

static void check_module_file(const struct exam *e, const struct pamconf_line *line)
{
	static const char *const folders[] = {"/lib/security", "/usr/lib/security",
					      "/usr/lib64/security",
					      "/usr/lib/x86_64-linux-gnu/security",
					      "/usr/lib/aarch64-linux-gnu/security"};
	char path[4096];

	if (line->path[0] == '/') {
		(void)snprintf(path, sizeof(path), "%s%s", e->d->root, line->path);
		if (access(path, F_OK) == 0)
			return;
	}
	for (size_t i = 0; line->path[0] != '/' && i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s/%s", e->d->root, folders[i],
			       line->path);
		if (access(path, F_OK) == 0)
			return;
	}
	at_line(e, DOCTOR_ERROR, "pam-module-missing", line,
		"the module of this line is not installed",
		"libpam lets the line fail: nobody gets in by this service",
		"install vmsec again, or take the line out: rbacctl pam disable");
}

/* Lines of ours in one stack: options, file, not in a common file: but passwords are
 * changed by many programs, and all the same way. */
static void check_our_lines(const struct exam *e, enum pamconf_type type)
{
	const struct pamconf_stack *stack = &e->conf->stack[type];
	bool password = type == PAMCONF_PASSWORD;

	for (size_t i = 0; i < stack->n; i++) {
		const struct pamconf_line *line = &stack->v[i];

		if (!pamconf_is_module(line, "pam_vmsec"))
			continue;
		check_options(e, line, password);
		check_module_file(e, line);
		if (password)
			continue;
		if (strstr(line->file, "/common-") || strstr(line->file, "system-auth"))
			at_line(e, DOCTOR_WARNING, "pam-common", line,
				"our line stands in a file that other services include",
				"cron, cockpit and every later package get it too, and "
				"pam-auth-update or authselect may take it away",
				"put it into the service's own file");
	}
}

static void check_dropped(const struct exam *e, enum pamconf_type type,
			  const struct pamwalk *walk)
{
	const struct pamconf_stack *stack = &e->conf->stack[type];
	char way[WAY_TEXT_MAX], what[DOCTOR_TEXT_MAX];

	if (!walk->dropped.exists)
		return;
	tell_way(way, stack, &walk->dropped);
	at_line(e, type == PAMCONF_ACCOUNT ? DOCTOR_CRITICAL : DOCTOR_ERROR,
		type == PAMCONF_ACCOUNT ? "pam-account-dropped" : "pam-auth-dropped",
		&stack->v[find_ours(stack)],
		doctor_text(what, "a refusal of ours is not the last word: %s", way),
		type == PAMCONF_ACCOUNT
			? "people whom the policy refuses get in"
			: "a wrong code passes here; the account line still refuses "
			  "who needs one",
		type == PAMCONF_ACCOUNT
			? "write the line as: account requisite pam_vmsec.so"
			: "write the line as: auth requisite pam_vmsec.so");
}

static void check_past(const struct exam *e, enum pamconf_type type,
		       const struct pamwalk *walk)
{
	const struct pamconf_stack *stack = &e->conf->stack[type];
	char way[WAY_TEXT_MAX], what[DOCTOR_TEXT_MAX];
	bool expired = walk->past.result == PAM_NEW_AUTHTOK_REQD;

	if (!walk->past.exists)
		return;
	tell_way(way, stack, &walk->past);
	at_line(e, type == PAMCONF_ACCOUNT ? DOCTOR_CRITICAL : DOCTOR_ERROR,
		type == PAMCONF_ACCOUNT ? "pam-account-bypass" : "pam-auth-bypass",
		&stack->v[walk->past.blame],
		doctor_text(what, "this line leads past ours: %s", way),
		type == PAMCONF_ACCOUNT
			? (expired ? "whoever has an expired password gets in without "
				     "a decision"
				   : "whoever takes this way gets in without a "
				     "decision")
			: "whoever takes this way gives no code, and is then refused "
			  "by the account line if one is needed",
		type == PAMCONF_ACCOUNT
			? "make ours the first account line of the file"
			: "let the line be requisite, or jump to ours and not past it");
}

static void check_account_place(const struct exam *e)
{
	const struct pamconf_stack *stack = &e->conf->stack[PAMCONF_ACCOUNT];
	size_t ours = find_ours(stack);
	bool wide;

	for (size_t i = 0; i < ours; i++) {
		if (pamwalk_is_rescue(&stack->v[i], &wide) ||
		    stack->v[i].kind == PAMCONF_SUBSTACK)
			continue;
		at_line(e, DOCTOR_WARNING, "pam-account-late", &stack->v[ours],
			"other account lines come before ours",
			"the next change of one of them can lead past ours",
			"make ours the first account line of the file");
		return;
	}
}

static void check_account(const struct exam *e, const struct pamwalk *walk)
{
	const struct pamconf_stack *stack = &e->conf->stack[PAMCONF_ACCOUNT];

	if (!has_ours(stack)) {
		at_service(e, DOCTOR_CRITICAL, "pam-account-missing",
			   "there is no account line of ours",
			   "the account line is the one that decides: a login by key "
			   "and sudo's timestamp run no other",
			   "add, as the first account line: account requisite "
			   "pam_vmsec.so");
		return;
	}
	check_past(e, PAMCONF_ACCOUNT, walk);
	check_dropped(e, PAMCONF_ACCOUNT, walk);
	if (!walk->past.exists)
		check_account_place(e);
	if (walk->ends.exists)
		at_line(e, DOCTOR_ERROR, "pam-account-ends",
			&stack->v[walk->ends.blame],
			"when ours grants, the account lines behind it are not run",
			"nologin, pam_access and the expiry of passwords are left out",
			"write requisite instead");
	if (!walk->opens)
		at_line(e, DOCTOR_ERROR, "pam-account-closed",
			&stack->v[find_ours(stack)],
			"nobody can get through these account lines",
			"everybody is kept out",
			"look at the lines that always fail, above and below ours");
}

static void check_first_factor(const struct exam *e, const struct pamwalk *walk)
{
	const struct pamconf_stack *stack = &e->conf->stack[PAMCONF_AUTH];
	const struct pamconf_line *ours = &stack->v[find_ours(stack)];
	char way[WAY_TEXT_MAX], what[DOCTOR_TEXT_MAX];

	if (!walk->unproven.exists)
		return;
	tell_way(way, stack, &walk->unproven);
	if (pamconf_has_arg(ours, "first_factor=stack")) {
		at_line(e, DOCTOR_CRITICAL, "pam-first-factor", ours,
			doctor_text(what,
				    "first_factor=stack is not true here: our line is "
				    "reached after %s",
				    *way ? way : "nothing at all"),
			"strangers could lock a person's factor, and a remembered "
			"proof would be a login without a password",
			"put a requisite password line before ours, or remove "
			"first_factor=stack");
		return;
	}
	if (!is_sshd(e))
		at_line(e, DOCTOR_WARNING, "pam-code-alone", ours,
			doctor_text(what, "a code alone passes these auth lines: %s",
				    *way ? way : "no line is before ours"),
			"a stolen phone is then enough",
			"put a requisite password line before ours and add "
			"first_factor=stack");
}

/* Each split is followed by its verify, and nothing is verified that was not split. */
static void check_combined(const struct exam *e, const struct pamconf_stack *stack)
{
	const struct pamconf_line *open = NULL, *wrong = NULL;

	for (size_t i = 0; i < stack->n && !wrong; i++) {
		const struct pamconf_line *line = &stack->v[i];

		if (!pamconf_is_module(line, "pam_vmsec"))
			continue;
		if (pamconf_has_arg(line, "combined=split")) {
			wrong = open;
			open = line;
		} else {
			wrong = pamconf_has_arg(line, "combined=verify") == !open
					? line
					: NULL;
			open = NULL;
		}
	}
	wrong = wrong ? wrong : open;
	if (wrong)
		at_line(e, DOCTOR_ERROR, "pam-combined", wrong,
			"combined=split and combined=verify do not follow each other",
			"the code of the answer is never checked, or there is none: "
			"our lines refuse everybody",
			"write: combined=split digits=6, then pam_unix.so "
			"use_first_pass, then combined=verify first_factor=stack");
}

static void check_auth(const struct exam *e, const struct pamwalk *walk)
{
	const struct pamconf_stack *stack = &e->conf->stack[PAMCONF_AUTH];

	if (!has_ours(stack)) {
		at_service(e, DOCTOR_WARNING, "pam-auth-missing",
			   "there is no auth line of ours",
			   "nobody is asked for a code before the account line; who "
			   "needs one is refused, or asked there",
			   "add, after the line that asks for the password: auth "
			   "requisite pam_vmsec.so first_factor=stack");
		return;
	}
	check_past(e, PAMCONF_AUTH, walk);
	check_dropped(e, PAMCONF_AUTH, walk);
	check_first_factor(e, walk);
	if (!walk->opens)
		at_line(e, DOCTOR_ERROR, "pam-auth-closed", &stack->v[find_ours(stack)],
			"nobody can get through these auth lines",
			"everybody is kept out",
			"look at the lines that always fail, above and below ours");
}

/* A right password must not clear the count of failures while the code is open. */
static void check_faillock(const struct exam *e)
{
	const struct pamconf_stack *stack = &e->conf->stack[PAMCONF_AUTH];
	size_t ours = find_ours(stack);

	for (size_t i = 0; i < stack->n; i++) {
		const struct pamconf_line *line = &stack->v[i];

		if (!pamconf_is_module(line, "pam_faillock"))
			continue;
		if (i < ours && pamconf_has_arg(line, "authsucc"))
			at_line(e, DOCTOR_WARNING, "pam-faillock", line,
				"pam_faillock counts the login as good before the code",
				"a right password clears its count, whatever the code",
				"put the authsucc line behind ours");
		if (i > ours && pamconf_has_arg(line, "preauth"))
			at_line(e, DOCTOR_WARNING, "pam-faillock", line,
				"pam_faillock looks for a lock after ours",
				"a locked person is still asked for a code, and can "
				"use it up",
				"put the preauth line at the top");
	}
}

static void check_rescue_lines(const struct exam *e, enum pamconf_type type)
{
	const struct pamconf_stack *stack = &e->conf->stack[type];
	size_t ours = find_ours(stack);
	bool wide;

	for (size_t i = 0; i < ours && ours < stack->n; i++) {
		const struct pamconf_line *line = &stack->v[i];

		if (!pamwalk_is_rescue(line, &wide) || line->actions[PAM_SUCCESS] <= 0)
			continue;
		if (!str_eq(e->service, "login"))
			at_line(e, DOCTOR_CRITICAL, "pam-rescue-place", line,
				"root is let past our line in this service",
				"rescue belongs to the console alone: here it can be "
				"reached from outside",
				"remove the line; it belongs in /etc/pam.d/login only");
		else if (wide)
			at_line(e, DOCTOR_CRITICAL, "pam-rescue-wide", line,
				"the rescue line does not name consoles alone",
				"root gets past our line on terminals that a network "
				"can reach",
				"list tty1…tty6, ttyS0, hvc0 and console, nothing "
				"else");
	}
}

static void check_session(const struct exam *e)
{
	const struct pamconf_stack *stack = &e->conf->stack[PAMCONF_SESSION];
	size_t ours = find_ours(stack), i = 0;

	if (ours == stack->n) {
		at_service(e, DOCTOR_WARNING, "pam-session-missing",
			   "there is no session line of ours",
			   "sudo and su do not learn where the login came from, and "
			   "rescue logins raise no alert",
			   "add after pam_loginuid: session optional pam_vmsec.so");
		return;
	}
	while (i < stack->n && !pamconf_is_module(&stack->v[i], "pam_loginuid"))
		i++;
	if (i > ours && (is_sshd(e) || is_service(e, "login", NULL)))
		at_line(e, DOCTOR_WARNING, "pam-session-order", &stack->v[ours],
			i < stack->n ? "our session line comes before pam_loginuid"
				     : "there is no pam_loginuid line before ours",
			"the audit session does not exist yet: sudo and su do not "
			"learn where the login came from",
			"put: session required pam_loginuid.so before our line");
}

static int walk_type(const struct exam *e, enum pamconf_type type, struct pamwalk *ret)
{
	const struct pamwalk_rules rules = {.type = type,
					    .console = str_eq(e->service, "login"),
					    .su = is_service(e, "su", "su-l"),
					    .sshd = is_sshd(e)};
	int r = pamwalk_stack(&e->conf->stack[type], &rules, ret);

	if (r != 0)
		at_service(e, DOCTOR_ERROR, "pam-too-large",
			   "these lines have too many ways through them to check",
			   "what cannot be checked cannot be trusted",
			   "make the file simpler");
	return r;
}

static void check_rescue_missing(const struct exam *e, const struct pamwalk *account)
{
	if (!str_eq(e->service, "login") || account->rescue)
		return;
	at_service(e, DOCTOR_WARNING, "pam-rescue-missing",
		   "there is no rescue line for root on the console",
		   "when rbacd cannot answer, nobody can log in to mend it",
		   "take both pam_succeed_if lines of the example for login");
}

static void examine(const struct exam *e)
{
	struct pamwalk auth, account;

	if (!has_ours(&e->conf->stack[PAMCONF_AUTH]) &&
	    !has_ours(&e->conf->stack[PAMCONF_ACCOUNT]) &&
	    !has_ours(&e->conf->stack[PAMCONF_SESSION])) {
		if (has_ours(&e->conf->stack[PAMCONF_PASSWORD])) {
			check_our_lines(e, PAMCONF_PASSWORD);
			doctor_password(e->d, e->service,
					&e->conf->stack[PAMCONF_PASSWORD]);
		}
		if (e->wanted)
			at_service(e, DOCTOR_NOTE, "pam-off",
				   "vmsec is not switched on for this service",
				   "whoever comes this way is not checked",
				   "rbacctl pam preview shows the lines");
		return;
	}
	for (int t = 0; t < PAMCONF_TYPES; t++)
		check_our_lines(e, (enum pamconf_type)t);
	doctor_password(e->d, e->service, &e->conf->stack[PAMCONF_PASSWORD]);
	check_combined(e, &e->conf->stack[PAMCONF_AUTH]);
	check_rescue_lines(e, PAMCONF_AUTH);
	check_rescue_lines(e, PAMCONF_ACCOUNT);
	if (walk_type(e, PAMCONF_ACCOUNT, &account) == 0) {
		check_account(e, &account);
		check_rescue_missing(e, &account);
	}
	if (is_batch(e))
		return;
	if (walk_type(e, PAMCONF_AUTH, &auth) == 0)
		check_auth(e, &auth);
	check_faillock(e);
	check_session(e);
}

static void tell_diags(const struct exam *e, const struct diags *diag)
{
	char where[DOCTOR_TEXT_MAX];

	for (size_t i = 0; i < diag->n; i++)
		doctor_add(e->d, DOCTOR_ERROR, "pam-syntax",
			   doctor_text(where, "%s:%u",
				       diag->v[i].file ? diag->v[i].file : "",
				       diag->v[i].line),
			   diag->v[i].msg, "nobody gets through a line that fails",
			   "correct the line; pam.conf(5)");
}

static int check_service(struct doctor *d, const char *name, bool wanted)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct exam e = {.d = d,
			       .service = name,
			       .conf = &conf,
			       .wanted = wanted};
	bool ours = false;
	int r = pamconf_read(d->root, name, &conf, &diag);

	if (r != 0 || !conf.found)
		return r;
	for (int t = 0; t < PAMCONF_TYPES; t++)
		ours = ours || has_ours(&conf.stack[t]);
	if (!ours && !wanted)
		return 0;
	d->n_checks++;
	tell_diags(&e, &diag);
	examine(&e);
	return 0;
}

static int by_name(const struct dirent *e)
{
	return e->d_name[0] != '.' && !str_eq(e->d_name, "other") &&
	       !str_after(e->d_name, "common-") &&
	       !str_after(e->d_name, "password-auth") &&
	       !str_after(e->d_name, "system-auth") && !strchr(e->d_name, '~') &&
	       !strchr(e->d_name, '.');
}

int doctor_pam(struct doctor *d)
{
	static const char *const wanted[] = {"sshd",   "login", "sudo",
					     "sudo-i", "su",	"su-l"};
	struct dirent **names = NULL;
	char path[4096];
	int n, r = 0;

	(void)snprintf(path, sizeof(path), "%s/etc/pam.d", d->root);
	n = scandir(path, &names, by_name, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		bool want = false;

		for (size_t k = 0; k < ARRAY_SIZE(wanted); k++)
			want = want || str_eq(names[i]->d_name, wanted[k]);
		if (r == 0 && i < SERVICES_MAX)
			r = check_service(d, names[i]->d_name, want);
		free(names[i]);
	}
	free(names);
	return r;
}
