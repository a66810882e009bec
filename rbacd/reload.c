/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - a new configuration and policy, all or nothing: what runs stays until both
 * are right. */

#include "rbacd/server.h"

#include <errno.h>

#include "rbacd/alert.h"
#include "rbacd/log.h"
#include "rbacd/standing.h"
#include "rbacd/wire/client.h"

/* What the record of an activation says. */
struct note {
	const char *actor;
	const char *op;	   /* "rollback", "try", "confirm", "return"; NULL */
	const char *after; /* sha256 of what is active now; NULL: it was refused */
	const char *text;  /* why it was refused, or what it changes; NULL */
};

#define NOT_COUNTED "who gains and who loses was not counted"

static int record_policy(struct server *s, const struct note *note)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	const struct policy *before = s->policy;
	char id[AUDIT_ID_MAX + 1];

	if (note->op && str_eq(note->op, "confirm"))
		before = s->trial.before; /* what runs is what was tried */
	ev.ev = note->after ? "policy.load" : "policy.refused";
	ev.sev = note->after ? AUDIT_NOTICE : AUDIT_WARNING;
	ev.outcome = note->after ? AUDIT_SUCCESS : AUDIT_FAILURE;
	ev.reason = note->after ? NULL : "policy_error";
	ev.actor = note->actor;
	ev.vm = s->config->vm;
	ev.object = s->config->policy;
	ev.op = note->op;
	ev.before_sha = before ? policy_sha256(before) : NULL;
	ev.after_sha = note->after;
	ev.policy_serial = s->policy ? (int64_t)policy_serial(s->policy) : -1;
	ev.reason_text = note->text;
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
	if (record_policy(s, &(struct note){.actor = actor, .text = s->policy_error}) !=
	    0)
		return -EIO;
	return rc;
}

static int load(const struct config *c, const char *path, struct policy **ret,
		struct diags *diag)
{
	struct policy_host host = {.name = c->vm,
				   .labels = c->labels,
				   .n_labels = c->n_labels};

	return policy_load(path, &host, ret, diag);
}

/* Records it, then makes @next (a reference is taken) the policy that decides. */
static int switch_to(struct server *s, struct policy *next, const struct note *note)
{
	int rc = record_policy(s, note);

	if (rc == 0)
		rc = identity_set_policy(s->identity, next);
	if (rc != 0)
		return rc < 0 ? rc : -EIO;
	if (!note->op || !str_eq(note->op, "return")) /* that was told when it came */
		alerts_policy(s->alerts, s->policy, next);
	policy_ref(next);
	policy_unref(s->policy);
	s->policy = next;
	s->policy_error[0] = '\0';
	s->policy_loaded_s = server_now_s();
	log_notice("policy active: serial %llu sha256 %s",
		   (unsigned long long)policy_serial(s->policy),
		   policy_sha256(s->policy));
	return 0;
}

/* What runs is no longer a try. */
static void end_trial(struct server *s)
{
	policy_unref(s->trial.before);
	s->trial = (struct policy_trial){0};
}

/* Loads and checks the policy that @c names, and records what became of it. */
static int activate(struct server *s, const struct config *c, const char *actor,
		    bool rollback, struct diags *diag)
{
	_cleanup_policy_ struct policy *next = NULL;
	struct note note = {.actor = actor, .text = NOT_COUNTED};
	bool back = false;
	int rc = load(c, c->policy, &next, diag);

	if (rc == 0)
		rc = check_serial(s, next, rollback, diag);
	if (rc != 0)
		return refuse(s, actor, diag, rc);
	rc = came_back(s, next, &back);
	note.op = back ? "rollback" : NULL;
	note.after = policy_sha256(next);
	if (rc == 0)
		rc = switch_to(s, next, &note);
	if (rc == 0) {
		end_trial(s);
		rc = remember_activation(s);
	}
	if (rc == 0)
		rc = standing_refresh(s);
	return rc > 0 ? -EIO : rc;
}

int server_load_policy(struct server *s, const char *actor, struct diags *diag)
{
	return activate(s, s->config, actor, false, diag);
}

/* ---------------------------------------------------------------- a try */

static int not_this(struct diags *diag, const char *path, const char *why)
{
	diags_add(diag, path, 0, 0, NULL, "%s", why);
	return POLICY_E_INVALID;
}

/* The caller judged two policies: those, and no others, are left and tried. */
static int check_trial(struct server *s, const struct policy_try *want,
		       const struct policy *next, struct diags *diag)
{
	if (s->trial.before)
		return not_this(diag, want->path,
				"another policy is being tried: confirm it, wait for "
				"its end, or rbacctl reload");
	if (!s->policy || !str_eq(policy_sha256(s->policy), want->before_sha))
		return not_this(diag, s->config->policy,
				"is not the policy that runs, so there is nothing safe "
				"to return to: rbacctl reload first");
	if (!str_eq(policy_sha256(next), want->sha))
		return not_this(diag, want->path, "was changed in between");
	if (str_eq(want->sha, want->before_sha))
		return not_this(diag, want->path, "is the policy that runs");
	return check_serial(s, next, false, diag);
}

/* Not an activation that is remembered: after a restart the configured policy, which
 * is the one of before, must load as if nothing had been. */
int server_policy_try(struct server *s, const char *actor,
		      const struct policy_try *want, struct diags *diag)
{
	_cleanup_policy_ struct policy *next = NULL;
	_cleanup_policy_ struct policy *before = NULL;
	struct note note = {.actor = actor, .op = "try", .text = want->text};
	int rc = load(s->config, want->path, &next, diag);

	if (rc == 0)
		rc = check_trial(s, want, next, diag);
	if (rc != 0)
		return rc;
	note.after = policy_sha256(next);
	before = policy_ref(s->policy);
	rc = switch_to(s, next, &note);
	if (rc != 0)
		return rc;
	s->trial.before = STEAL(before);
	s->trial.ends_ns = wire_now_ns() + (uint64_t)want->within_s * 1000000000u;
	(void)snprintf(s->trial.path, sizeof(s->trial.path), "%s", want->path);
	(void)snprintf(s->trial.text, sizeof(s->trial.text), "%s", want->text);
	rc = standing_refresh(s);
	return rc > 0 ? -EIO : rc;
}

int server_policy_confirm(struct server *s, const char *actor, struct diags *diag)
{
	_cleanup_policy_ struct policy *kept = NULL;
	struct note note = {.actor = actor, .op = "confirm", .text = s->trial.text};
	int rc;

	if (!s->trial.before)
		return not_this(diag, s->config->policy, "no policy is being tried");
	rc = load(s->config, s->config->policy, &kept, diag);
	if (rc == 0 && !str_eq(policy_sha256(kept), policy_sha256(s->policy)))
		rc = not_this(diag, s->config->policy,
			      "is not the policy that is being tried");
	if (rc != 0)
		return rc;
	note.after = policy_sha256(s->policy);
	rc = record_policy(s, &note);
	if (rc == 0)
		rc = remember_activation(s);
	if (rc == 0)
		end_trial(s);
	return rc > 0 ? -EIO : rc;
}

int server_trial_left_s(const struct server *s)
{
	uint64_t now_ns = wire_now_ns();

	if (!s->trial.before || now_ns >= s->trial.ends_ns)
		return 0;
	return (int)((s->trial.ends_ns - now_ns + 999999999u) / 1000000000u);
}

int server_trial_tick(struct server *s)
{
	struct note note = {.actor = "rbacd", .op = "return", .text = s->trial.text};
	int rc;

	if (!s->trial.before || server_trial_left_s(s) > 0)
		return 0;
	log_warning("the policy that was tried is not confirmed: the one of before "
		    "comes back");
	note.after = policy_sha256(s->trial.before);
	rc = switch_to(s, s->trial.before, &note);
	if (rc != 0)
		return rc; /* the next tick tries again */
	end_trial(s);
	rc = standing_refresh(s);
	return rc > 0 ? -EIO : rc;
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
		{"anchor", text_same(now->anchor_dir, next->anchor_dir)},
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
		return refuse(s, actor, diag, rc);
	rc = activate(s, next, actor, rollback, diag);
	if (rc == 0)
		adopt(s->config, next);
	return rc;
}
