/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - /etc/rbacd/rbacd.yaml as a checked struct; read by rbacd, rbacd-dir,
 * rbacctl.
 */
#pragma once

#include "policy/diag.h"
#include "policy/policy.h"

#define CONFIG_PATH VMSEC_SYSCONFDIR "/rbacd/rbacd.yaml"

#define CONFIG_USER "rbacd" /* default of user: */

enum config_source { CONFIG_SOURCE_NSS = 1, CONFIG_SOURCE_FILE };

struct config {
	char *path;	      /* owned, as all strings here */
	char *user;	      /* rbacd's account: name in /etc/passwd or a number */
	char *directory_user; /* rbacd-dir's */
	char *vm;	      /* this host's name in the policy */
	struct policy_label *labels; /* owned with their strings */
	size_t n_labels;
	char *policy;	 /* file or folder */
	char *state_dir; /* database */
	char *run_dir;	 /* sockets */
	char *key_file;	 /* master key */
	char *issuer;	 /* in the phone's app */
	enum config_source source;
	char *people;	     /* source file: path of the people file */
	int64_t max_stale_s; /* directory data older than this is unknown */
	uint32_t *admins;    /* further uids on admin.sock */
	size_t n_admins;
	char **sshd_services; /* PAM services whose SSH_AUTH_INFO_0 sshd itself set */
	size_t n_sshd_services;
	bool log_to_syslog;
	int log_level; /* enum log_level */
};

/*
 * config_load() - read and check; every key has a default, unknown keys are refused.
 * Return: 0 and *ret (free with config_free); YAML_E_INVALID with diagnostics; -errno.
 */
_must_check_ int config_load(const char *path, struct config **ret, struct diags *diag);
void config_free(struct config *config);

/* config_print() - the effective configuration as YAML that loads to the same. */
_must_check_ int config_print(const struct config *config, FILE *out);

/* config_db_path() - the database's path, in @buf. */
const char *config_db_path(const struct config *config, char *buf, size_t cap);

static inline void config_freep(struct config **c)
{
	config_free(*c);
}

#define _cleanup_config_ _cleanup_(config_freep)
