/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - what is wrong with this machine's set-up, why it matters, how to mend it.
 *
 * Each check reads files or the output of a program and adds findings; none changes
 * anything. A finding's id is stable and documented in rbacctl(1).
 */
#pragma once

#include "rbacd/config.h"
#include "rbacd/doctor/pamconf.h"

/* What it means for logins today. */
enum doctor_severity {
	DOCTOR_NOTE,	 /* worth knowing; no fault */
	DOCTOR_WARNING,	 /* works, and will surprise somebody */
	DOCTOR_ERROR,	 /* keeps people out who should get in, or a check is void */
	DOCTOR_CRITICAL, /* lets somebody in who should not get in */
};

struct doctor_finding {
	enum doctor_severity severity;
	const char *id;	 /* static */
	char *where;	 /* owned: "/etc/pam.d/sshd:7", or "" */
	char *what;	 /* owned */
	const char *why; /* static */
	char *fix;	 /* owned */
};

struct doctor {
	const char *root;	     /* borrowed; "" is this machine */
	const struct config *config; /* borrowed; NULL: could not be read */
	bool accepts_keys;	     /* the policy takes security-key somewhere */
	struct doctor_finding *v;    /* owned */
	size_t n;
	size_t n_checks; /* subjects that were looked at */
	bool lost;	 /* out of memory: findings are missing */
};

void doctor_done(struct doctor *d);

/*
 * doctor_add() - one finding; @where as "%s:%u" of file and line, or "".
 * doctor_addf() - the same with a formatted @what.
 */
void doctor_add(struct doctor *d, enum doctor_severity severity, const char *id,
		const char *where, const char *what, const char *why, const char *fix);
const char *doctor_severity_name(enum doctor_severity severity);
/* doctor_worst() - the severity of the gravest finding; DOCTOR_NOTE when none. */
enum doctor_severity doctor_worst(const struct doctor *d);

/* doctor_text() - printf into one of the caller's buffers, cut when too long. */
#define DOCTOR_TEXT_MAX 768
const char *doctor_text(char buf[DOCTOR_TEXT_MAX], const char *fmt, ...) _printf_(2, 3);

/*
 * doctor_pam() - every service in pam.d that names us, and sshd, login, sudo and su.
 * Return: 0; negative errno when pam.d cannot be read.
 */
_must_check_ int doctor_pam(struct doctor *d);

/*
 * doctor_sshd() - sshd's effective settings.
 * @settings: output of `sshd -T`, "key value" lines.
 */
void doctor_sshd(struct doctor *d, const char *settings);

/*
 * doctor_sshd_match() - what a Match block makes worse than it is everywhere; after
 * doctor_sshd(). @where: the block; @settings: output of `sshd -T -C` for it.
 */
void doctor_sshd_match(struct doctor *d, const char *where, const char *settings);
/* doctor_sandbox() - the daemons are shut in. */
void doctor_sandbox(struct doctor *d);

/* doctor_files() - owners and modes of configuration, keys, state, sockets, pam.d. */
void doctor_files(struct doctor *d);
/* doctor_clock() - is the kernel's clock synchronised? */
void doctor_clock(struct doctor *d);
/* doctor_rescue() - root has a local password that works. */
void doctor_rescue(struct doctor *d);
/* doctor_sudo() - sudo's own timestamp; @version: output of `sudo -V` as root. */
void doctor_sudo(struct doctor *d, const char *version);
/* doctor_mac() - refusals of SELinux or AppArmor that name us, in the audit logs. */
void doctor_mac(struct doctor *d);
/* doctor_lists() - the lists that @rules hold a new password against. Needs
 * @d->config. */
void doctor_lists(struct doctor *d, const struct password_rules *rules);
