/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_files.h - the audit log as rbacctl reads it: directly and read-only, so that it
 * can be checked without asking the daemon that wrote it.
 */
#pragma once

#include "rbacd/audit/audit.h"
#include "rbacd/ctl/ctl.h"

struct log_files {
	struct store *store; /* owned */
	struct seal *seal;   /* owned; NULL without the key */
	const char *dir;     /* borrowed from the configuration */
	char vkey[256];	     /* verifier key; "" not read */
};

/*
 * log_files_open() - the configured database, and with @with_key the master key and the
 * verifier key. Return: 0; CTL_NO, CTL_INTEGRITY: told already.
 */
_must_check_ int log_files_open(struct ctl *ctl, bool with_key, struct log_files *ret);
void log_files_close(struct log_files *log);

#define _cleanup_log_ _cleanup_(log_files_close)

/* log_files_vkey() - the verifier key of the configured signing key. As above. */
_must_check_ int log_files_vkey(struct ctl *ctl, char *buf, size_t cap);

/* log_files_options() - for audit_verify_log() and audit_prove(); borrowed from @log.
 */
struct audit_verify_options log_files_options(const struct log_files *log);

/* log_read_number() - a record's number, from 1. Return: 0; CTL_USAGE: told. */
_must_check_ int log_read_number(struct ctl *ctl, const char *what, const char *text,
				 uint64_t *ret);
