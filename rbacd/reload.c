/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - a new configuration and policy, all or nothing: what runs stays until both
 * are right. */

#include "rbacd/server.h"

#include "rbacd/activate/activate.h"
#include "rbacd/log.h"

static bool text_same(const char *a, const char *b)
{
	return (!a && !b) || str_eq(a, b);
}

/* What was bound, opened or dropped to at the start cannot change under way. */
static bool only_reloadable(const struct config *now, const struct config *next,
			    struct diags *diag)
{
	const struct {
		const char *key;
		bool same;
	} fixed[] = {
		{"user", text_same(now->user, next->user)},
		{"vm: name", text_same(now->vm, next->vm)},
		{"state", text_same(now->state_dir, next->state_dir)},
		{"run", text_same(now->run_dir, next->run_dir)},
		{"key", text_same(now->key_file, next->key_file)},
		{"directory: user",
		 text_same(now->directory_user, next->directory_user)},
		{"directory: source", now->source == next->source},
		{"directory: people", text_same(now->people, next->people)},
		{"admins (from none to some, or back)",
		 (now->n_admins == 0) == (next->n_admins == 0)},
		{"anchor", text_same(now->anchor_dir, next->anchor_dir)},
		{"audit: key", text_same(now->audit.key, next->audit.key)},
		{"audit: origin", text_same(now->audit.origin, next->audit.origin)},
		{"audit: keep_days or online_days",
		 now->audit.keep_days == next->audit.keep_days &&
			 now->audit.online_days == next->audit.online_days},
		{"audit: alerts: hook", text_same(now->audit.hook, next->audit.hook)},
		{"notify", text_same(now->notify, next->notify)},
		{"sandbox", now->sandbox == next->sandbox},
		{"log: to", now->log_to_syslog == next->log_to_syslog},
	};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (fixed[i].same)
			continue;
		diags_add(diag, now->path, 0, 0, NULL,
			  "changing '%s' needs a restart of rbacd; nothing was changed",
			  fixed[i].key);
		ok = false;
	}
	return ok;
}

#define SWAP(a, b)                                                                     \
	do {                                                                           \
		__typeof__(a) swap_ = (a);                                             \
		(a) = (b);                                                             \
		(b) = swap_;                                                           \
	} while (0)

/* In place: the stages borrow the struct, not what is in these fields. */
static void adopt(struct config *now, struct config *next)
{
	SWAP(now->labels, next->labels);
	SWAP(now->n_labels, next->n_labels);
	SWAP(now->policy, next->policy);
	SWAP(now->issuer, next->issuer);
	SWAP(now->max_stale_s, next->max_stale_s);
	SWAP(now->stale, next->stale);
	SWAP(now->n_stale, next->n_stale);
	SWAP(now->admins, next->admins);
	SWAP(now->n_admins, next->n_admins);
	SWAP(now->sshd_services, next->sshd_services);
	SWAP(now->n_sshd_services, next->n_sshd_services);
	SWAP(now->log_level, next->log_level);
	SWAP(now->require_sync, next->require_sync);
	SWAP(now->audit.alerts, next->audit.alerts);
	log_open("rbacd", now->log_to_syslog, (enum log_level)now->log_level);
}

int server_reload(struct server *s, const char *actor, bool rollback,
		  struct diags *diag)
{
	_cleanup_config_ struct config *next = NULL;
	int rc = config_load(s->config->path, &next, diag);

	if (rc == 0 && !only_reloadable(s->config, next, diag))
		rc = POLICY_E_INVALID;
	if (rc != 0)
		return activate_refuse(s, actor, diag, rc);
	rc = activate_run(s, next, actor, rollback, diag);
	if (rc == 0)
		adopt(s->config, next);
	return rc;
}
