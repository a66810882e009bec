/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pamfile.h - files of pam.d exchanged safely, and put back unless somebody confirms.
 *
 * /etc/rbacd/pam holds what is needed to go back: the originals, and ".pending" while a
 * change waits for its confirmation. It is on disk, so that a power cut within the
 * minute cannot make the change stay.
 */
#pragma once

#include "policy/diag.h"

#define PAMFILE_BYTES_MAX    65536
#define PAMFILE_SERVICES_MAX 4
#define PAMFILE_SERVICE_MAX  32

enum {
	PAMFILE_E_REFUSED = 1, /* link, owner, mode or size: @diag */
	PAMFILE_E_NONE,	       /* nothing is pending */
	PAMFILE_E_PENDING,     /* another change waits for its confirmation */
	PAMFILE_E_SAME_LOGIN,  /* confirmed from the login that made the change */
};

enum { PAMFILE_ANY = -1, PAMFILE_OTHER_BOOT = -2 };

struct pamfile_dirs {
	const char *pam;  /* "/etc/pam.d" */
	const char *save; /* "/etc/rbacd/pam" */
};

/* One login: what tells it from another one. */
struct pamfile_login {
	uint32_t audit; /* /proc/self/sessionid; UINT32_MAX: the kernel has none */
	int32_t sid;	/* getsid() */
};

struct pamfile_change {
	const char *service; /* borrowed */
	const char *before;  /* borrowed; saved */
	const char *after;   /* borrowed */
};

/* pamfile_service_valid() - a plain file name of [a-z0-9_-]. */
bool pamfile_service_valid(const char *service);

/*
 * pamfile_read() - the text of a service's file: a regular file of root's that nobody
 * else may write.
 * Return: 0 and *ret (free()); PAMFILE_E_REFUSED; -ENOENT; negative errno.
 */
_must_check_ int pamfile_read(const struct pamfile_dirs *dirs, const char *service,
			      char **ret, struct diags *diag);

/*
 * pamfile_write() - replace by rename: the same owner, mode and SELinux label, flushed.
 * At any moment the file is the old one or the new one.
 */
_must_check_ int pamfile_write(const struct pamfile_dirs *dirs, const char *service,
			       const char *text);

/*
 * pamfile_begin() - save the originals and note that @login has changed them; nothing
 * in pam.d is touched yet. @until_s: CLOCK_BOOTTIME after which pamfile_revert() goes
 * back. Return: 0; PAMFILE_E_PENDING; negative errno.
 */
_must_check_ int pamfile_begin(const struct pamfile_dirs *dirs,
			       const struct pamfile_change *change, size_t n,
			       const struct pamfile_login *login, int64_t until_s);

/* pamfile_login_now() - this process's login. */
struct pamfile_login pamfile_login_now(void);

/*
 * pamfile_confirm() - the change stays.
 * @login: must be another login than the one that made it.
 * Return: 0; PAMFILE_E_NONE; PAMFILE_E_SAME_LOGIN; negative errno.
 */
_must_check_ int pamfile_confirm(const struct pamfile_dirs *dirs,
				 const struct pamfile_login *login);

/*
 * pamfile_revert() - put the originals back and forget the change.
 * @until_s: only the change with this end; PAMFILE_ANY: whichever waits;
 *           PAMFILE_OTHER_BOOT: one that was made before the machine's last start.
 * Return: 0; PAMFILE_E_NONE; negative errno (what could be put back is).
 */
_must_check_ int pamfile_revert(const struct pamfile_dirs *dirs, int64_t until_s);
