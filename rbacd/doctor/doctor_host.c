/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_host.c - what surrounds the stacks: sshd, files, clock, rescue, sudo, MAC. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include "rbacd/doctor/doctor.h"

#define LOG_TAIL_BYTES (256 * 1024)

/* The value of "key value" at the start of a line; false: the key is not there. */
static bool setting(const char *settings, const char *key, char ret[DOCTOR_TEXT_MAX])
{
	size_t len = strlen(key);

	for (const char *p = settings; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, len) != 0 || p[len] != ' ')
			continue;
		p += len + 1;
		(void)doctor_text(ret, "%.*s", (int)strcspn(p, "\n"), p);
		return true;
	}
	return false;
}

static bool is_set(const char *settings, const char *key, const char *value)
{
	char found[DOCTOR_TEXT_MAX];

	return setting(settings, key, found) && str_eq(found, value);
}

static void sshd_finding(struct doctor *d, enum doctor_severity severity,
			 const char *id, const char *what, const char *why,
			 const char *fix)
{
	doctor_add(d, severity, id, "/etc/ssh/sshd_config", what, why, fix);
}

static void sshd_methods(struct doctor *d, const char *settings)
{
	char methods[DOCTOR_TEXT_MAX];

	if (!setting(settings, "authenticationmethods", methods) ||
	    str_eq(methods, "any")) {
		sshd_finding(d, DOCTOR_WARNING, "sshd-methods",
			     "AuthenticationMethods is not set",
			     "a login by key alone is never asked for a code; who "
			     "needs one is refused",
			     "AuthenticationMethods publickey,keyboard-interactive:pam "
			     "keyboard-interactive:pam");
		return;
	}
	for (const char *p = methods; *p;) {
		size_t len = strcspn(p, " ");
		char what[DOCTOR_TEXT_MAX], one[DOCTOR_TEXT_MAX];

		(void)doctor_text(one, "%.*s", (int)len, p);
		if (!strstr(one, "keyboard-interactive"))
			sshd_finding(d, DOCTOR_WARNING, "sshd-methods",
				     doctor_text(what,
						 "the way '%s' ends without a question",
						 one),
				     "nobody is asked for a code on it; who needs one "
				     "is refused",
				     "append ,keyboard-interactive:pam, or keep it in "
				     "a Match block for automation");
		p += len;
		p += *p == ' ';
	}
}

static void sshd_limits(struct doctor *d, const char *settings)
{
	char value[DOCTOR_TEXT_MAX];

	if (setting(settings, "maxauthtries", value) && strtol(value, NULL, 10) < 3)
		sshd_finding(d, DOCTOR_WARNING, "sshd-tries", "MaxAuthTries is below 3",
			     "a client that offers two keys is sent away before it is "
			     "asked for a code",
			     "MaxAuthTries 3");
	if (!setting(settings, "logingracetime", value))
		return;
	if (str_eq(value, "0"))
		sshd_finding(d, DOCTOR_WARNING, "sshd-grace",
			     "LoginGraceTime is 0: for ever",
			     "strangers can keep connections open until nobody else "
			     "gets one",
			     "LoginGraceTime 60");
	else if (strtol(value, NULL, 10) < 30)
		sshd_finding(d, DOCTOR_WARNING, "sshd-grace",
			     "LoginGraceTime is below 30 seconds",
			     "people have to wait for the next code longer than that",
			     "LoginGraceTime 60");
}

static bool sshd_verifies(const char *settings)
{
	char value[DOCTOR_TEXT_MAX];

	return setting(settings, "pubkeyauthoptions", value) &&
	       strstr(value, "verify-required");
}

void doctor_sshd(struct doctor *d, const char *settings)
{
	d->n_checks++;
	if (!is_set(settings, "usepam", "yes"))
		sshd_finding(d, DOCTOR_CRITICAL, "sshd-usepam", "UsePAM is off",
			     "sshd asks nobody: every login by key gets in without a "
			     "decision",
			     "UsePAM yes");
	if (is_set(settings, "permitemptypasswords", "yes"))
		sshd_finding(d, DOCTOR_CRITICAL, "sshd-empty",
			     "PermitEmptyPasswords is on",
			     "an account without a password has no first factor",
			     "PermitEmptyPasswords no");
	if (!is_set(settings, "kbdinteractiveauthentication", "yes"))
		sshd_finding(d, DOCTOR_ERROR, "sshd-kbdint",
			     "KbdInteractiveAuthentication is off",
			     "sshd cannot ask for a code: who needs one is kept out",
			     "KbdInteractiveAuthentication yes");
	if (is_set(settings, "passwordauthentication", "yes"))
		sshd_finding(d, DOCTOR_WARNING, "sshd-password",
			     "PasswordAuthentication is on",
			     "this method answers every question with the password "
			     "and can never give a code",
			     "PasswordAuthentication no; passwords come through "
			     "keyboard-interactive");
	if (is_set(settings, "permitrootlogin", "yes"))
		sshd_finding(d, DOCTOR_WARNING, "sshd-root", "PermitRootLogin is yes",
			     "the log shows root and not who it was",
			     "PermitRootLogin no");
	if (d->accepts_keys && !sshd_verifies(settings))
		sshd_finding(d, DOCTOR_WARNING, "sshd-verify",
			     "PubkeyAuthOptions lacks verify-required, and the policy "
			     "accepts security-key",
			     "whoever holds a person's FIDO key needs neither its PIN "
			     "nor a finger: one factor, not two",
			     "PubkeyAuthOptions verify-required");
	sshd_methods(d, settings);
	sshd_limits(d, settings);
}

static bool known(const struct doctor *d, const struct doctor_finding *f)
{
	for (size_t i = 0; i < d->n; i++)
		if (str_eq(d->v[i].id, f->id) && str_eq(d->v[i].what, f->what))
			return true;
	return false;
}

/* What keeps a block from asking is often its purpose: automation has nobody to ask. */
static bool may_be_meant(const struct doctor_finding *f)
{
	return str_eq(f->id, "sshd-methods") || str_eq(f->id, "sshd-kbdint");
}

void doctor_sshd_match(struct doctor *d, const char *where, const char *settings)
{
	struct doctor block = {.root = d->root,
			       .config = d->config,
			       .accepts_keys = d->accepts_keys};

	doctor_sshd(&block, settings);
	d->n_checks++;
	d->lost |= block.lost;
	for (size_t i = 0; i < block.n; i++) {
		const struct doctor_finding *f = &block.v[i];

		if (!known(d, f))
			doctor_add(d, may_be_meant(f) ? DOCTOR_NOTE : f->severity,
				   f->id, where, f->what, f->why, f->fix);
	}
	doctor_done(&block);
}

void doctor_sandbox(struct doctor *d)
{
	if (!d->config)
		return;
	d->n_checks++;
	if (d->config->sandbox == SANDBOX_OFF)
		doctor_add(
			d, DOCTOR_WARNING, "sandbox-off", d->config->path,
			"sandbox is off",
			"a daemon that is taken over can do whatever its account can",
			"sandbox: refuse, unless an NSS module needs more");
}

/* What a file may be at most; root's unless @anyone. */
struct rule {
	const char *id;
	mode_t forbidden;
	bool anyone;
	bool optional;
	const char *why;
};

static void check_file(struct doctor *d, const char *path, const struct rule *rule)
{
	char full[4096], what[DOCTOR_TEXT_MAX], fix[DOCTOR_TEXT_MAX];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s%s", d->root, path);
	if (lstat(full, &st) != 0) {
		if (!rule->optional)
			doctor_add(d, DOCTOR_ERROR, rule->id, path,
				   doctor_text(what, "cannot be read: %m"),
				   "rbacd needs it to answer",
				   "install vmsec again, or see rbacd(8)");
		return;
	}
	d->n_checks++;
	if (!rule->anyone && st.st_uid != 0)
		doctor_add(d, DOCTOR_CRITICAL, rule->id, path,
			   doctor_text(what, "belongs to uid %u", st.st_uid), rule->why,
			   doctor_text(fix, "chown root %s", path));
	if ((st.st_mode & rule->forbidden) != 0 && !S_ISLNK(st.st_mode))
		doctor_add(d, DOCTOR_CRITICAL, rule->id, path,
			   doctor_text(what, "has the mode %04o", st.st_mode & 07777),
			   rule->why,
			   doctor_text(fix, "chmod %04o %s",
				       st.st_mode & 07777 & ~rule->forbidden, path));
}

/* A key beside the database is in every copy of it. */
static void check_key_place(struct doctor *d)
{
	const char *rest = str_after(d->config->key_file, d->config->state_dir);

	if (rest && rest[0] == '/')
		doctor_add(d, DOCTOR_WARNING, "key-place", d->config->key_file,
			   "the master key lies in the state folder",
			   "whoever copies the database for a backup copies the key "
			   "that opens it",
			   "move it out of the folder and set key_file, or use a "
			   "systemd credential");
}

void doctor_files(struct doctor *d)
{
	static const struct rule pam = {"pam-mode", 0022, false, false,
					"whoever writes there decides who gets in"};
	static const struct rule conf = {"config-mode", 0022, false, false,
					 "whoever writes there decides who gets in"};
	static const struct rule key = {"key-mode", 0377, false, true,
					"whoever reads it can open every seed"};
	static const struct rule state = {"state-mode", 0077, true, false,
					  "seeds and the log are nobody else's"};
	static const struct rule sock = {"socket-mode", 0077, false, true,
					 "whoever puts a socket there answers for "
					 "rbacd"};
	char path[4096];

	check_file(d, "/etc/pam.d", &pam);
	if (!d->config)
		return;
	check_file(d, d->config->path, &conf);
	check_file(d, d->config->policy, &conf);
	check_file(d, d->config->key_file, &key);
	check_file(d, d->config->state_dir, &state);
	(void)snprintf(path, sizeof(path), "%s/pam", d->config->run_dir);
	check_file(d, path, &sock);
	check_key_place(d);
}

void doctor_clock(struct doctor *d)
{
	struct timex tx = {0};

	d->n_checks++;
	if (adjtimex(&tx) >= 0 && (tx.status & STA_UNSYNC) != 0)
		doctor_add(d, DOCTOR_WARNING, "clock", "",
			   "the kernel says that the clock is not synchronised",
			   "codes fit the clock to 30 seconds: a minute off keeps "
			   "everybody out",
			   "start systemd-timesyncd or chrony");
}

void doctor_rescue(struct doctor *d)
{
	_cleanup_fclose_ FILE *in = NULL;
	char path[4096], line[4096];
	bool found = false;

	(void)snprintf(path, sizeof(path), "%s/etc/shadow", d->root);
	in = fopen(path, "re");
	if (!in)
		return;
	d->n_checks++;
	while (!found && fgets(line, sizeof(line), in)) {
		const char *hash = str_after(line, "root:");

		if (!hash)
			continue;
		found = true;
		if (hash[0] == ':')
			doctor_add(d, DOCTOR_CRITICAL, "rescue-empty", "/etc/shadow",
				   "root has an empty password",
				   "anybody at the console is root", "passwd root");
		else if (hash[0] == '*' || hash[0] == '!')
			doctor_add(d, DOCTOR_WARNING, "rescue-locked", "/etc/shadow",
				   "root has no password that works",
				   "when rbacd cannot answer, the rescue line lets "
				   "nobody in",
				   "passwd root, and keep it where you reach it at "
				   "night");
	}
	explicit_bzero(line, sizeof(line));
}

void doctor_sudo(struct doctor *d, const char *version)
{
	static const char label[] = "Authentication timestamp timeout: ";
	const char *p = strstr(version, label);
	char what[DOCTOR_TEXT_MAX];
	double minutes;

	d->n_checks++;
	if (!p)
		return;
	minutes = strtod(p + strlen(label), NULL);
	if (minutes >= 0 && minutes <= 15)
		return;
	doctor_add(d, DOCTOR_WARNING, "sudo-timestamp", "/etc/sudoers",
		   minutes < 0 ? "sudo never asks for the password again"
			       : doctor_text(what, "sudo asks again after %.0f minutes",
					     minutes),
		   "only our account line stands between a forgotten terminal and "
		   "root",
		   "Defaults timestamp_timeout=15");
}

static bool names_us(const char *line)
{
	return (strstr(line, "avc:  denied") || strstr(line, "apparmor=\"DENIED\"")) &&
	       (strstr(line, "rbacd") || strstr(line, "pam_vmsec"));
}

void doctor_mac(struct doctor *d)
{
	static const char *const logs[] = {"/var/log/audit/audit.log",
					   "/var/log/kern.log"};

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		_cleanup_fclose_ FILE *in = NULL;
		char path[4096], line[4096], what[DOCTOR_TEXT_MAX];
		unsigned n = 0;

		(void)snprintf(path, sizeof(path), "%s%s", d->root, logs[i]);
		in = fopen(path, "re");
		if (!in)
			continue;
		d->n_checks++;
		if (fseek(in, -LOG_TAIL_BYTES, SEEK_END) != 0)
			rewind(in); /* it is shorter than that */
		while (fgets(line, sizeof(line), in))
			n += names_us(line);
		if (n > 0)
			doctor_add(d, DOCTOR_ERROR, "mac-denied", logs[i],
				   doctor_text(what, "%u refusals name vmsec", n),
				   "what SELinux or AppArmor refuses, rbacd cannot "
				   "answer",
				   "ausearch -m avc -c rbacd, or aa-logprof");
	}
}
