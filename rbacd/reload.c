/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - a new configuration and policy, all or nothing: what runs stays until both
 * are right. */

#include "rbacd/server.h"

#include <errno.h>

#include "rbacd/log.h"
#include "rbacd/standing.h"

static int record_policy(struct server *s, const char *actor, const char *after,
			 const char *op, const char *error)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = error ? "policy.refused" : "policy.load";
	ev.sev = error ? AUDIT_WARNING : AUDIT_NOTICE;
	ev.outcome = error ? AUDIT_FAILURE : AUDIT_SUCCESS;
	ev.reason = error ? "policy_error" : NULL;
	ev.actor = actor;
	ev.vm = s->config->vm;
	ev.object = s->config->policy;
	ev.op = op;
	ev.before_sha = s->policy ? policy_sha256(s->policy) : NULL;
	ev.after_sha = after;
	ev.policy_serial = s->policy ? (int64_t)policy_serial(s->policy) : -1;
	ev.reason_text = error;
	return audit_append(s->audit, &ev, server_now_us(), id);
}

/*
 * A different policy needs a larger serial than the one that was active last, so that
 * an old file cannot come back unseen, also not across a restart. Coming back on
 * purpose needs to be said, and only works for a policy that was active before.
 */
static int check_serial(struct server *s, const struct policy *next, bool rollback,
			struct diags *diag)
{
	struct store_activation last;
	int64_t before_s = 0;
	int rc = store_activation_last(s->store, &last);

	if (rc == STORE_E_NONE)
		return 0; /* the first policy of this database */
	if (rc == 0 && (str_eq(last.sha, policy_sha256(next)) || last.serial == 0 ||
			policy_serial(next) > last.serial))
		return 0;
	if (rc == 0 && rollback)
		rc = store_activation_get(s->store, policy_sha256(next), &before_s);
	else if (rc == 0)
		rc = STORE_E_NONE;
	if (rc != STORE_E_NONE)
		return rc > 0 ? -EIO : rc;
	diags_add(diag, s->config->policy, 0, 0, NULL,
		  "serial %llu must be larger than %llu of the policy that was active "
		  "last%s",
		  (unsigned long long)policy_serial(next),
		  (unsigned long long)last.serial,
		  rollback ? "; this one was never active, so it cannot come back"
			   : "; to return to an earlier policy: rbacctl reload "
			     "--rollback");
	return POLICY_E_INVALID;
}

/* Was it active before, and another one since? */
static int came_back(struct server *s, const struct policy *next, bool *ret)
{
	struct store_activation last;
	int64_t before_s;
	int rc = store_activation_last(s->store, &last);

	if (rc == 0 && !str_eq(last.sha, policy_sha256(next))) {
		rc = store_activation_get(s->store, policy_sha256(next), &before_s);
		*ret = rc == 0;
	}
	return rc == STORE_E_NONE ? 0 : rc;
}

static int remember_activation(struct server *s)
{
	struct store_activation a = {.serial = policy_serial(s->policy),
				     .at_s = server_now_s()};

	(void)snprintf(a.sha, sizeof(a.sha), "%s", policy_sha256(s->policy));
	return store_activation_put(s->store, &a);
}

static int refuse(struct server *s, const char *actor, const struct diags *diag, int rc)
{
	const struct diag *first = diag->n ? &diag->v[0] : NULL;

	(void)snprintf(s->policy_error, sizeof(s->policy_error), "%s:%u:%u: %s",
		       first ? first->file : s->config->policy, first ? first->line : 0,
		       first ? first->column : 0,
		       first ? first->msg : "cannot be read");
	log_err("policy refused%s: %s", s->policy ? ", the running one stays" : "",
		s->policy_error);
	if (record_policy(s, actor, NULL, NULL, s->policy_error) != 0)
		return -EIO;
	return rc;
}

/* Loads and checks the policy that @c names, and records what became of it. */
static int activate(struct server *s, const struct config *c, const char *actor,
		    bool rollback, struct diags *diag)
{
	_cleanup_policy_ struct policy *next = NULL;
	struct policy_host host = {.name = c->vm,
				   .labels = c->labels,
				   .n_labels = c->n_labels};
	bool back = false;
	int rc = policy_load(c->policy, &host, &next, diag);

	if (rc == 0)
		rc = check_serial(s, next, rollback, diag);
	if (rc != 0)
		return refuse(s, actor, diag, rc);
	rc = came_back(s, next, &back);
	if (rc == 0)
		rc = record_policy(s, actor, policy_sha256(next),
				   back ? "rollback" : NULL, NULL);
	if (rc == 0)
		rc = identity_set_policy(s->identity, next);
	if (rc != 0)
		return rc < 0 ? rc : -EIO;
	policy_unref(s->policy);
	s->policy = STEAL(next);
	s->policy_error[0] = '\0';
	s->policy_loaded_s = server_now_s();
	log_notice("policy active: serial %llu sha256 %s",
		   (unsigned long long)policy_serial(s->policy),
		   policy_sha256(s->policy));
	rc = remember_activation(s);
	if (rc == 0)
		rc = standing_refresh(s);
	return rc > 0 ? -EIO : rc;
}

int server_load_policy(struct server *s, const char *actor, struct diags *diag)
{
	return activate(s, s->config, actor, false, diag);
}

/* ---------------------------------------------------------------- configuration */

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
		{"audit: key", text_same(now->audit.key, next->audit.key)},
		{"audit: origin", text_same(now->audit.origin, next->audit.origin)},
		{"audit: keep_days or online_days",
		 now->audit.keep_days == next->audit.keep_days &&
			 now->audit.online_days == next->audit.online_days},
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
	SWAP(now->audit.hook, next->audit.hook);
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
		return refuse(s, actor, diag, rc);
	rc = activate(s, next, actor, rollback, diag);
	if (rc == 0)
		adopt(s->config, next);
	return rc;
}
