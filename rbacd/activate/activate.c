/* SPDX-License-Identifier: Apache-2.0 */
/* activate.c - from a policy on disk to the one that decides, and its records. */

#include "rbacd/activate/activate.h"

#include <errno.h>

#include "rbacd/activate/kept.h"
#include "rbacd/alert.h"
#include "rbacd/log.h"
#include "rbacd/standing.h"
#include "rbacd/tally/tally.h"
#include "rbacd/wire/client.h"

#define SAME	 "lost 0, gained 0: the same policy"
#define FOLLOWS	 "who gains and who loses follows as policy.changes"
#define NO_LIST	 "not counted: the directory lists nobody"
#define NOT_KEPT "not counted: the policy of before is not kept"

int activate_record(struct server *s, const struct activate_note *note)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = note->after ? "policy.load" : "policy.refused";
	ev.sev = note->after ? AUDIT_NOTICE : AUDIT_WARNING;
	ev.outcome = note->after ? AUDIT_SUCCESS : AUDIT_FAILURE;
	ev.reason = note->after ? NULL : "policy_error";
	ev.actor = note->actor;
	ev.vm = s->config->vm;
	ev.object = s->config->policy;
	ev.op = note->op;
	ev.before_sha = note->before ? note->before
			: s->policy  ? policy_sha256(s->policy)
				     : NULL;
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
int activate_check_serial(struct server *s, const struct policy *next, bool rollback,
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

int activate_remember(struct server *s)
{
	struct store_activation a = {.serial = policy_serial(s->policy),
				     .at_s = server_now_s()};

	(void)snprintf(a.sha, sizeof(a.sha), "%s", policy_sha256(s->policy));
	s->activation->remembered = true;
	return store_activation_put(s->store, &a);
}

int activate_refuse(struct server *s, const char *actor, const struct diags *diag,
		    int rc)
{
	const struct diag *first = diag->n ? &diag->v[0] : NULL;

	(void)snprintf(s->policy_error, sizeof(s->policy_error), "%s:%u:%u: %s",
		       first ? first->file : s->config->policy, first ? first->line : 0,
		       first ? first->column : 0,
		       first ? first->msg : "cannot be read");
	log_err("policy refused%s: %s", s->policy ? ", the running one stays" : "",
		s->policy_error);
	if (activate_record(s, &(struct activate_note){.actor = actor,
						       .text = s->policy_error}) != 0)
		return -EIO;
	return rc;
}

static struct policy_host host_of(const struct config *c)
{
	return (struct policy_host){.name = c->vm,
				    .labels = c->labels,
				    .n_labels = c->n_labels};
}

int activate_load(const struct config *c, const char *path, struct policy **ret,
		  struct diags *diag)
{
	const struct policy_host host = host_of(c);

	return policy_load(path, &host, ret, diag);
}

/* ---------------------------------------------------------------- the switch */

int activate_keep_undo(struct server *s)
{
	struct activate_turn *a = s->activation;

	if (!a)
		a = s->activation = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	if (a->switched)
		return 0; /* the turn's first is what was durable */
	a->switched = true;
	a->policy = s->policy ? policy_ref(s->policy) : NULL;
	a->trial = s->trial;
	if (a->trial.before)
		(void)policy_ref(a->trial.before); /* the copy's own */
	a->loaded_s = s->policy_loaded_s;
	return 0;
}

int activate_switch(struct server *s, struct policy *next,
		    const struct activate_note *note)
{
	int rc = activate_keep_undo(s);

	if (rc == 0)
		rc = activate_record(s, note);
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
void activate_end_trial(struct server *s)
{
	policy_unref(s->trial.before);
	s->trial = (struct policy_trial){0};
}

/* What was active last, and since when, as the records know it. */
struct before {
	struct policy *policy; /* counted; NULL: its text is not at hand */
	char sha[65];	       /* "" before the first one */
	bool returns;	       /* @next was active before, and another one since */
};

static void before_done(struct before *b)
{
	policy_unref(b->policy);
}

static int find_before(struct server *s, const struct policy *next, struct before *ret)
{
	const struct policy_host host = host_of(s->config);
	struct store_activation last;
	int64_t before_s;
	int rc = store_activation_last(s->store, &last);

	if (rc == STORE_E_NONE)
		return kept_nothing(&host, &ret->policy);
	if (rc != 0)
		return rc;
	(void)snprintf(ret->sha, sizeof(ret->sha), "%s",
		       s->policy ? policy_sha256(s->policy) : last.sha);
	if (s->policy)
		ret->policy = policy_ref(s->policy);
	else if (!str_eq(last.sha, policy_sha256(next)) &&
		 kept_read(s->config->state_dir, last.sha, &host, &ret->policy) != 0)
		ret->policy = NULL; /* not there: told in the record */
	if (str_eq(last.sha, policy_sha256(next)))
		return 0;
	rc = store_activation_get(s->store, policy_sha256(next), &before_s);
	ret->returns = rc == 0;
	return rc == STORE_E_NONE ? 0 : rc;
}

/* To be counted when the turn is durable. */
static void plan_count(struct server *s, struct before *b,
		       const struct activate_note *note)
{
	struct activate_turn *a = s->activation;
	const char *op = note->op ? note->op : a->policy ? "reload" : "start";

	policy_unref(a->count);
	a->count = STEAL(b->policy);
	(void)snprintf(a->count_sha, sizeof(a->count_sha), "%s", b->sha);
	(void)snprintf(a->op, sizeof(a->op), "%s", op);
	(void)snprintf(a->actor, sizeof(a->actor), "%s", note->actor);
}

static int become(struct server *s, struct policy *next, const char *actor)
{
	_cleanup_(before_done) struct before b = {0};
	struct activate_note note = {.actor = actor, .after = policy_sha256(next)};
	bool same, listed = identity_lists(s->identity);
	int rc = find_before(s, next, &b);

	if (rc != 0)
		return rc;
	same = str_eq(b.sha, note.after);
	note.op = b.returns ? "rollback" : NULL;
	note.before = *b.sha ? b.sha : NULL;
	note.text = same ? SAME : !listed ? NO_LIST : b.policy ? FOLLOWS : NOT_KEPT;
	rc = activate_switch(s, next, &note);
	if (rc != 0)
		return rc;
	activate_end_trial(s);
	if (!same && listed && b.policy)
		plan_count(s, &b, &note);
	rc = activate_remember(s);
	s->activation->same = same;
	return rc == 0 ? standing_refresh(s) : rc;
}

int activate_run(struct server *s, const struct config *c, const char *actor,
		 bool rollback, struct diags *diag)
{
	_cleanup_policy_ struct policy *next = NULL;
	int rc = activate_load(c, c->policy, &next, diag);

	if (rc == 0)
		rc = activate_check_serial(s, next, rollback, diag);
	if (rc != 0)
		return activate_refuse(s, actor, diag, rc);
	rc = become(s, next, actor);
	return rc > 0 ? -EIO : rc;
}

int server_load_policy(struct server *s, const char *actor, struct diags *diag)
{
	return activate_run(s, s->config, actor, false, diag);
}

/* ---------------------------------------------------------------- the turn's end */

static void drop(struct activate_turn *a)
{
	policy_unref(a->policy);
	policy_unref(a->trial.before);
	policy_unref(a->count);
	*a = (struct activate_turn){0};
}

void activate_free(struct server *s)
{
	if (s->activation)
		drop(s->activation);
	free(s->activation);
	s->activation = NULL;
	tally_free(s->tally);
	s->tally = NULL;
}

/* Its record is not in the log: it never happened. What stands beside the policy is of
 * the other one until the next tick, and refuses everybody. */
static void take_back(struct server *s, struct activate_turn *a)
{
	log_err("an activation could not be recorded: the policy of before decides");
	if (identity_set_policy(s->identity, a->policy) != 0) {
		log_err("out of memory: groups and policy would not fit each other");
		s->stop = s->broken = true;
	}
	policy_unref(s->policy);
	policy_unref(s->trial.before);
	s->policy = STEAL(a->policy);
	s->trial = a->trial;
	s->policy_loaded_s = a->loaded_s;
	a->trial = (struct policy_trial){0};
}

static int record_changes(struct server *s, const struct tally_result *r)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = "policy.changes";
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.actor = r->actor;
	ev.vm = s->config->vm;
	ev.object = s->config->policy;
	ev.op = r->op;
	ev.before_sha = *r->before_sha ? r->before_sha : NULL;
	ev.after_sha = r->after_sha;
	ev.reason_text = r->text;
	return audit_append(s->audit, &ev, server_now_us(), id);
}

static int begin_count(struct server *s, const struct activate_turn *a)
{
	const struct tally_change change = {.before = a->count,
					    .after = s->policy,
					    .before_sha =
						    *a->count_sha ? a->count_sha : NULL,
					    .op = a->op,
					    .actor = a->actor};
	struct tally_result given_up;
	int rc = s->tally ? 0 : tally_new(&s->tally);

	if (rc == 0 && tally_begin(s->tally, &change, wire_now_ns(), &given_up) != 0)
		rc = record_changes(s, &given_up);
	if (rc == 0)
		identity_follow_also(s->identity, tally_wants(s->tally));
	return rc;
}

void activate_end(struct server *s, bool kept)
{
	struct activate_turn *a = s->activation;
	int rc = 0;

	if (!a || !a->switched)
		return;
	if (!kept)
		take_back(s, a);
	if (kept && a->count)
		rc = begin_count(s, a);
	if (rc != 0)
		server_turn_lost(s, rc); /* of the next turn, which is empty */
	if (kept && a->remembered &&
	    !(a->same && kept_is_there(s->config->state_dir)) &&
	    kept_write(s->config->state_dir, s->policy) != 0)
		log_warning("the active policy could not be kept in %s: the next start "
			    "cannot tell what changed",
			    s->config->state_dir);
	drop(a);
}

/* ---------------------------------------------------------------- counting */

static int take_people(void *arg, struct population *ret, struct snapshot **ret_change)
{
	struct server *s = arg;

	return identity_population(s->identity, server_now_s(), ret, ret_change);
}

int activate_tick(struct server *s)
{
	struct tally_source source = {.take = take_people, .arg = s};
	struct tally_result result;
	int rc = 0;

	if (!s->tally || !tally_wants(s->tally))
		return 0;
	source.answered = identity_speaks(s->identity);
	if (tally_tick(s->tally, &source, wire_now_ns(), &result) != 0)
		rc = record_changes(s, &result);
	identity_follow_also(s->identity, tally_wants(s->tally));
	return rc;
}
