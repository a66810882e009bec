/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - /etc/rbacd/rbacd.yaml as a checked struct; read by rbacd, rbacd-dir,
 * rbacctl.
 */
#pragma once

#include "policy/diag.h"
#include "policy/policy.h"
#include "rbacd/sandbox/sandbox.h"

#define CONFIG_PATH VMSEC_SYSCONFDIR "/rbacd/rbacd.yaml"

#define CONFIG_USER "rbacd" /* default of user: */

enum config_source { CONFIG_SOURCE_NSS = 1, CONFIG_SOURCE_FILE, CONFIG_SOURCE_LDAP };

/* Data of the directory may be so old for this privilege. */
struct config_stale {
	char *privilege; /* owned */
	int64_t max_s;
};

enum config_bind { CONFIG_BIND_SIMPLE = 1, CONFIG_BIND_EXTERNAL };

/* source: ldap. Every string is owned; NULL: not given. */
struct config_ldap {
	char **uris; /* ldaps://, ldap:// (StartTLS always), ldapi://; tried in order */
	size_t n_uris;
	enum config_bind bind;
	char *bind_dn, *password_file;	/* simple */
	char *ca, *cert, *key;		/* TLS: the only CA; client certificate */
	char *schema;			/* rfc2307, rfc2307bis, ipa, ad, custom */
	char *users_base, *groups_base; /* never the root of the tree by default */
	char *users_filter, *users_login, *users_uid; /* in place of the schema's */
	char *groups_filter, *groups_name, *groups_member;
	int64_t poll_s;	       /* without LDAP sync: so often */
	int64_t reconcile_s;   /* everything is compared at least so often */
	unsigned guard_share;  /* percent of the accounts that may change at once */
	unsigned guard_growth; /* new members a guarded group may get at once */
	char **guard_groups;   /* privileged ones, by name in the policy */
	size_t n_guard_groups;
};

/* From which counts and times on a detection speaks; config_audit.c has the defaults.
 */
struct config_alerts {
	int64_t spray_users, spray_failures, spray_window; /* one source, many people */
	int64_t account_failures, account_failures_high, account_window;
	int64_t wrong_codes;	       /* in a row, after a right first factor */
	int64_t dormant, dormant_high; /* seconds since the last use of an account */
	int64_t first_use;	       /* seconds in which a privilege was not used */
	int64_t clock_off, clock_off_high; /* seconds the clock jumped by */
	int64_t directory_down;		   /* seconds without rbacd-dir */
	int64_t policy_widened;		   /* more people, or more VMs, get something */
	int64_t quiet; /* seconds in which the same alert is counted, not repeated */
};

/* audit: - every string is owned. */
struct config_audit {
	char *origin;  /* the log's name in checkpoints */
	char *key;     /* signing key */
	bool make_key; /* `key` is rbacd's own: made when it is missing */
	char *dir;     /* segments and the published checkpoint; below state */
	char *hook;    /* program run for an alert; NULL: none */
	int64_t keep_days, online_days;
	struct config_alerts alerts;
};

struct config {
	char *path;	      /* owned, as all strings here */
	char *user;	      /* rbacd's account: name in /etc/passwd or a number */
	char *directory_user; /* rbacd-dir's */
	char *vm;	      /* this host's name in the policy */
	struct policy_label *labels; /* owned with their strings */
	size_t n_labels;
	char *policy;	  /* file or folder */
	char *state_dir;  /* database */
	char *run_dir;	  /* sockets */
	char *anchor_dir; /* the last head of the log, apart from the state */
	char *key_file;	  /* master key */
	char *issuer;	  /* in the phone's app */
	char *notify;	  /* program told of changes of factors; NULL: none */
	enum config_source source;
	char *people;		    /* source file: path of the people file */
	int64_t max_stale_s;	    /* directory data older than this is unknown */
	struct config_stale *stale; /* owned; stricter ones, by privilege */
	size_t n_stale;
	struct config_ldap ldap;
	uint32_t *admins; /* further uids on admin.sock */
	size_t n_admins;
	char **sshd_services; /* PAM services whose SSH_AUTH_INFO_0 sshd itself set */
	size_t n_sshd_services;
	bool require_sync; /* clock: else an unsynchronised clock is trusted */
	struct config_audit audit;
	enum sandbox_mode sandbox;
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

/* config_source_name() - "nss", "file" or "ldap", static. */
const char *config_source_name(enum config_source source);

/* config_sandbox_name() - "refuse", "kill" or "off", static. */
const char *config_sandbox_name(enum sandbox_mode mode);

/* config_max_stale() - how old directory data may be for @privilege, seconds. */
int64_t config_max_stale(const struct config *config, const char *privilege);

/* config_db_path() - the database's path, in @buf. */
const char *config_db_path(const struct config *config, char *buf, size_t cap);

/* config_blocklist_path() - where the blocklist of passwords stands, in @buf. */
const char *config_blocklist_path(const struct config *config, char *buf, size_t cap);

static inline void config_freep(struct config **c)
{
	config_free(*c);
}

#define _cleanup_config_ _cleanup_(config_freep)
