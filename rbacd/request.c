/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c - THE PIPELINE: identity -> policy -> mfa -> audit -> reply.
 *
 * One function a stage. Two places decide: stage_auth() whether a code is needed and
 * stage_account() whether the person may; both end in outcome_end(), where the record
 * is appended before the answer is queued. Nothing leaves before the turn's commit.
 */

#include "rbacd/request_internal.h"

#include <errno.h>

#include "rbacd/enrol/enrol.h"
#include "rbacd/enrol/pending.h"
#include "rbacd/handle.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/mfa/key.h"
#include "rbacd/password/flow.h"
#include "rbacd/sessions.h"
#include "rbacd/standing.h"
#include "rbacd/wire/client.h"

static void stage_identified(struct request *r);

/* ---------------------------------------------------------------- policy */

/* The most recent proof the policy may weigh: of this transaction, else a remembered
 * one. */
static void read_proof(struct request *r)
{
	struct store_proof p;
	int64_t age_s;
	int rc;

	if (r->mfa.state == POLICY_MFA_PROOF ||
	    r->facts.origin.kind == POLICY_ORIGIN_UNKNOWN)
		return;
	rc = clock_check(r->server);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		return;
	}
	if (store_proof_get(r->server->store, r->person.id, r->server->config->vm,
			    r->facts.origin_text, &p) != 0)
		return;
	age_s = server_now_s() - p.at_s;
	if (age_s < 0)
		return; /* the clock went back: a proof from the future proves nothing
			 */
	r->mfa = (struct policy_mfa){.state = POLICY_MFA_PROOF,
				     .method = (enum policy_method)p.method,
				     .age_s = age_s};
}

void request_decide(struct request *r, const struct policy_mfa *mfa,
		    struct policy_decision *ret)
{
	struct policy_subject subject;
	struct policy_request q = {
		.subject = &subject,
		.vm = r->server->config->vm,
		.privilege = r->facts.privilege,
		.target = r->facts.target,
		.target_uid0 = r->facts.target_uid0,
		.origin = r->facts.origin,
		.mfa = *mfa,
		.now_s = server_now_s(),
		.state = standing_state(r->server, r->policy),
		.clock_unsynced = clock_unsure(r->server),
	};

	sessions_count(r->server, r->policy, r->person.id, r->begin.session,
		       &q.sessions);
	identity_person_subject(&r->person,
				config_max_stale(r->server->config, r->facts.privilege),
				&subject);
	policy_decide(r->policy, &q, ret);
}

/* Root asking for su or sudo could setuid anyway: allowed, and recorded. */
static bool is_root_itself(const struct request *r)
{
	return r->facts.by_root && r->person.known && r->person.local &&
	       r->person.uid == 0;
}

/* ---------------------------------------------------------------- mfa */

int request_ask(struct request *r, enum wire_style style, const char *text)
{
	uint8_t buf[WIRE_TEXT_MAX + 256];
	struct wire_prompt p = {.turn = r->turn + 1,
				.style = style,
				.text = text,
				.text_len = strlen(text)};
	size_t len;
	int rc;

	memcpy(p.nonce, r->begin.nonce, sizeof(p.nonce));
	rc = wire_encode_prompt(&p, buf, sizeof(buf), &len);
	if (rc != 0)
		return rc;
	r->turn++;
	conn_queue(r->conn, buf, len);
	explicit_bzero(buf, len); /* an enrolment's key may be in it */
	return 0;
}

static void ask_for_code(struct request *r)
{
	char text[512];

	/* su's PAM_USER is the target: say whose code is asked. Elsewhere a name would
	 * be the client's own text. The VM is named so that a code is not typed for
	 * another. */
	if (r->facts.target && r->person.known)
		(void)snprintf(text, sizeof(text),
			       "One-time code of %s (%s): ", r->person.login,
			       r->server->config->vm);
	else
		(void)snprintf(text, sizeof(text),
			       "One-time code (%s): ", r->server->config->vm);
	if (request_ask(r, WIRE_STYLE_HIDDEN, text) != 0) {
		conn_finish(r->conn);
		return;
	}
	if (!r->facts.proven && r->begin.op == WIRE_OP_AUTH)
		conn_delay(r->conn, outcome_equal_due(r->arrived_ns));
}

int request_remember(struct request *r, enum policy_method method)
{
	struct store_proof p = {.at_s = server_now_s(), .method = method};

	if (r->facts.origin.kind == POLICY_ORIGIN_UNKNOWN)
		return 0; /* nothing to find it by */
	(void)snprintf(p.person, sizeof(p.person), "%s", r->person.id);
	(void)snprintf(p.vm, sizeof(p.vm), "%s", r->server->config->vm);
	(void)snprintf(p.origin, sizeof(p.origin), "%s", r->facts.origin_text);
	return store_proof_put(r->server->store, &p);
}

/*
 * On a VM that is only watched nobody is kept out for want of a code. Only behind a
 * proven first factor, and only for somebody who is known: else a stack of our line
 * alone would be a shell with no factor. Locks and denies never get here.
 */
static bool is_watched(const struct request *r, const struct policy_decision *d)
{
	return d->monitor && d->verdict == POLICY_ALLOW && r->facts.proven &&
	       r->person.known;
}

/* Only who has a factor is asked there; not being able to tell counts as one. */
static bool has_factor(const struct request *r)
{
	struct mfa_status m;

	return mfa_status(r->server->mfa, r->person.id, server_now_s(), &m) != 0 ||
	       (m.codes && !m.disabled);
}

/* Verify and count the answer, inside the turn's transaction. */
static int stage_mfa(struct request *r, const struct wire_answer *a,
		     struct mfa_result *ret)
{
	struct policy_mfa assumed = {.state = POLICY_MFA_ASSUMED};
	struct policy_decision d;
	struct mfa_attempt attempt = {
		.person = r->person.known && r->person.enabled ? r->person.id : NULL,
		.login = r->facts.subject,
		.origin = r->facts.source_text,
		.proven = r->facts.proven,
		.kind = a->kind,
		.text = &a->text,
		.now_s = server_now_s(),
	};
	int rc;

	/* What this person's grants would take. Somebody without a grant is asked and
	 * checked the same way, so that the prompt tells nobody what they may do. */
	request_decide(r, &assumed, &d);
	attempt.clock_unsure = clock_unsure(r->server);
	attempt.uncounted = r->begin.op == WIRE_OP_AUTH && is_watched(r, &d);
	attempt.accept =
		d.accept ? d.accept : POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	rc = mfa_verify(r->server->mfa, &attempt, ret);
	if (rc == 0 && ret->outcome == MFA_ACCEPTED)
		rc = request_remember(r, ret->method);
	return rc;
}

/* ---------------------------------------------------------------- stages */

static const char *told_text(const struct request *r, const struct mfa_result *m,
			     char *buf, size_t cap)
{
	size_t n = 0;

	buf[0] = '\0';
	if (m->method == POLICY_METHOD_RECOVERY && str_eq(m->cred, "recovery"))
		n = (size_t)snprintf(buf, cap, "Recovery code used; %u left.%s",
				     m->recovery_left,
				     m->recovery_left <= 2 ? " Enrol again soon." : "");
	if (r->facts.proven && m->told > 0 && n < cap)
		(void)snprintf(buf + n, cap - n,
			       "%s%u wrong code%s since your last login.", n ? " " : "",
			       m->told, m->told == 1 ? "" : "s");
	return *buf ? buf : NULL;
}

/* A wrong or empty answer on a VM that is only watched: said, not enforced. */
static bool end_auth_watched(struct request *r, const struct mfa_result *m)
{
	struct policy_mfa none = {.state = POLICY_MFA_NONE};
	struct policy_decision d;
	struct outcome o = {.verdict = POLICY_ALLOW,
			    .decision = &d,
			    .reason = m->reason,
			    .how = "not_required"};

	if (m->outcome == MFA_ACCEPTED)
		return false;
	request_decide(r, &none, &d);
	if (!is_watched(r, &d))
		return false;
	d.would_deny = true;
	outcome_end(r, &o);
	return true;
}

/*
 * Nothing was tried while the person's codes are shut: whoever goes on knocking behind
 * a first factor is counted with the strangers. The wrong codes that shut them are
 * records, and the person's budget bounds those.
 */
static bool is_counted(const struct request *r, const struct mfa_result *m)
{
	return m->outcome != MFA_ACCEPTED &&
	       (!r->facts.proven || str_eq(m->reason, "factor_locked") ||
		str_eq(m->reason, "factor_disabled"));
}

static void end_auth_code(struct request *r, const struct mfa_result *m)
{
	bool ok = m->outcome == MFA_ACCEPTED;
	char text[256];
	struct outcome o = {
		.verdict = ok ? POLICY_ALLOW : POLICY_DENY,
		.refusal = m->locked && r->facts.proven ? WIRE_RESULT_LOCKED
							: WIRE_RESULT_AUTH_FAILED,
		.reason = ok ? NULL : m->reason,
		.mfa = m,
		.equalise = !ok,
		.stranger = is_counted(r, m),
	};

	if (end_auth_watched(r, m))
		return;
	if (r->dormant && str_eq(o.reason, "not_enrolled"))
		o.reason = "acct_dormant"; /* that is why nothing was offered */
	if (ok)
		o.text = told_text(r, m, text, sizeof(text));
	outcome_end(r, &o);
}

/*
 * An enrolled security key that sshd saw used is the second factor where the policy
 * takes one: then nothing is asked. Only sshd's own word counts, and only in the auth
 * phase, which a login by key alone never enters. False: go on.
 */
static bool end_auth_key(struct request *r, const struct policy_decision *before)
{
	struct policy_mfa proof = {.state = POLICY_MFA_PROOF,
				   .method = POLICY_METHOD_SECURITY_KEY,
				   .same_transaction = true};
	struct policy_decision d;
	struct mfa_result m;
	int rc;

	if (!r->facts.from_sshd || !r->facts.proven || !r->person.known ||
	    !r->person.enabled ||
	    (before->verdict == POLICY_ALLOW && !before->would_deny))
		return false;
	request_decide(r, &proof, &d);
	if (d.verdict != POLICY_ALLOW || d.would_deny)
		return false;
	rc = mfa_key(r->server->mfa, r->person.id, r->begin.ssh_auth_info,
		     server_now_s(), &m);
	if (rc == 0 && m.outcome != MFA_ACCEPTED)
		return false;
	if (rc == 0)
		rc = request_remember(r, m.method);
	if (rc == 0) {
		end_auth_code(r, &m);
		return true;
	}
	server_turn_lost(r->server, rc);
	request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
	return true;
}

/*
 * Auth: is a code needed? Asked whenever the outcome depends on one, whenever the
 * answer is no anyway, and always when the first factor is not proven.
 */
static void stage_auth(struct request *r)
{
	struct policy_decision d;
	struct outcome o = {.verdict = POLICY_ALLOW, .decision = &d};

	read_proof(r);
	request_decide(r, &r->mfa, &d);
	if (end_auth_key(r, &d))
		return;
	if (!r->facts.proven || (d.verdict != POLICY_ALLOW && !is_root_itself(r)) ||
	    (d.would_deny && has_factor(r))) {
		if (!enrol_begin(r))
			ask_for_code(r);
		return;
	}
	if (d.would_deny)
		o.reason = policy_reason_name(d.reason);
	o.how = d.mfa_required ? "remembered" : "not_required";
	outcome_end(r, &o);
}

static void end_account(struct request *r, const struct policy_decision *d,
			const struct mfa_result *m)
{
	char text[512];
	struct outcome o = {
		.verdict = d->verdict,
		.refusal = WIRE_RESULT_FORBIDDEN,
		.decision = d,
		.mfa = m,
	};

	if (is_root_itself(r)) {
		o.verdict = POLICY_ALLOW;
		o.how = "root";
	} else if (o.verdict != POLICY_ALLOW) {
		o.reason = policy_reason_name(d->reason);
		o.text = outcome_refusal_text(r, d, text, sizeof(text));
	} else if (!m) {
		o.how = !d->mfa_required	  ? "not_required"
			: r->skipped		  ? "skipped"
			: r->mfa.same_transaction ? policy_method_name(r->mfa.method)
						  : "remembered";
	}
	if (d->would_deny && o.verdict == POLICY_ALLOW)
		o.reason = policy_reason_name(d->reason);
	if (o.verdict == POLICY_ALLOW && !d->monitor) {
		int rc = password_at_login(r, &o, text, sizeof(text));

		if (rc != 0) {
			server_turn_lost(r->server, rc);
			request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
			return;
		}
	}
	outcome_end(r, &o);
}

/* A redeemed handle ties this account phase to the auth phase of the same process. */
static void read_handle(struct request *r)
{
	struct handle_facts f;

	if (!r->begin.has_handle ||
	    !handle_redeem(r->server->handles, r->begin.handle, r->begin.user,
			   r->begin.service, conn_peer_pid(r->conn), wire_now_ns(),
			   &f) ||
	    !str_eq(f.person, r->person.id))
		return;
	r->authenticated = true;
	memcpy(r->corr, f.corr, sizeof(r->corr));
	r->skipped = f.skipped;
	if (f.has_code)
		r->mfa = (struct policy_mfa){.state = POLICY_MFA_PROOF,
					     .method = f.method,
					     .same_transaction = true};
}

/* Account: may this person, with what has been proven? The authority for every login.
 */
static void stage_account(struct request *r)
{
	struct policy_mfa assumed = {.state = POLICY_MFA_ASSUMED};
	struct policy_decision d;
	int rc = store_begin(r->server->store);

	/* It ends in a record: reading inside its transaction saves a lock a read. */
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
		return;
	}
	read_handle(r);
	read_proof(r);
	request_decide(r, &r->mfa, &d);
	if (d.verdict == POLICY_ALLOW || !d.mfa_would_help)
		r->skipped = false;
	if (r->skipped && enrol_skippable(r)) {
		request_decide(r, &assumed, &d);
		end_account(r, &d, NULL);
		return;
	}
	if (d.verdict != POLICY_ALLOW && d.mfa_would_help && r->facts.can_step_up &&
	    !is_root_itself(r)) {
		ask_for_code(r);
		return;
	}
	end_account(r, &d, NULL);
}

/* The code of a step-up: then the same decision again, with the data now really there.
 */
static void end_step_up(struct request *r, const struct mfa_result *m)
{
	struct policy_decision d;
	struct outcome o = {
		.refusal = WIRE_RESULT_FORBIDDEN,
		.reason = m->reason,
		.mfa = m,
		.equalise = true,
		.stranger = !r->facts.proven,
	};

	if (m->outcome != MFA_ACCEPTED) {
		outcome_end(r, &o);
		return;
	}
	r->mfa = (struct policy_mfa){.state = POLICY_MFA_PROOF,
				     .method = m->method,
				     .same_transaction = true};
	request_decide(r, &r->mfa, &d);
	end_account(r, &d, m);
}

/* ---------------------------------------------------------------- sessions */

static void stage_session(struct request *r)
{
	int rc = 0;

	if (r->begin.op == WIRE_OP_OPEN)
		rc = sessions_open(r);
	else if (r->begin.op == WIRE_OP_CLOSE)
		rc = sessions_close(r);
	if (rc != 0)
		server_turn_lost(r->server, rc);
	outcome_session(r);
}

/* ---------------------------------------------------------------- life */

bool request_too_late(struct request *r, uint64_t deadline_ns)
{
	if (wire_now_ns() < deadline_ns && !conn_peer_gone(r->conn))
		return false;
	r->server->stats.n_dropped_late++;
	log_info("req=%s : dropped, its client has given up", r->corr);
	conn_finish(r->conn);
	return true;
}

/*
 * After a parked look-up person and policy must be of one generation: its groups are
 * indices into the policy that was active when it was answered. From here on the
 * request keeps that one. A request that was not parked has just read all of this.
 */
static bool same_generation(struct request *r)
{
	struct authz_facts now;

	if (r->policy != r->server->policy) {
		policy_unref(r->policy);
		r->policy = r->server->policy ? policy_ref(r->server->policy) : NULL;
	}
	authz_read(r->server, &r->begin, &now);
	if (!str_eq(now.subject, r->facts.subject)) {
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
		return false;
	}
	r->facts = now;
	return true;
}

static void stage_identified(struct request *r)
{
	if (request_too_late(r, r->begin.deadline_ns))
		return;
	switch (r->begin.op) {
	case WIRE_OP_AUTH:
		stage_auth(r);
		return;
	case WIRE_OP_ACCOUNT:
		stage_account(r);
		return;
	case WIRE_OP_OPEN:
	case WIRE_OP_CLOSE:
	case WIRE_OP_CRED:
		stage_session(r);
		return;
	case WIRE_OP_PW_CHECK:
	case WIRE_OP_PW_CHANGE:
	case WIRE_OP_PW_CHANGED:
		password_begin(r);
		return;
	}
	request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
}

/* A parked look-up came back. Without an answer the person is nobody, which denies. */
static void on_identity(void *arg, int error, const struct identity_person *p)
{
	struct request *r = arg;

	r->ticket = NULL;
	if (error == 0 && identity_person_copy(p, &r->person) != 0) {
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
		return;
	}
	if (same_generation(r))
		stage_identified(r);
}

static void stage_identity(struct request *r)
{
	int rc = identity_lookup(r->server->identity, r->facts.subject, server_now_s(),
				 on_identity, r, &r->person, &r->ticket);

	if (rc == 0)
		stage_identified(r);
	else if (rc != IDENTITY_E_PENDING)
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
}

struct request *request_begin(struct server *server, struct conn *c,
			      const struct wire_begin *begin)
{
	struct request *r = calloc(1, sizeof(*r));
	uint8_t id[6] = {0};

	if (!r) {
		request_refuse(c, begin, WIRE_RESULT_UNAVAILABLE);
		return NULL;
	}
	r->server = server;
	r->conn = c;
	r->begin = *begin;
	r->arrived_ns = wire_now_ns();
	r->person = (struct identity_person)IDENTITY_PERSON_INIT;
	r->policy = server->policy ? policy_ref(server->policy) : NULL;
	if (seal_random(id, sizeof(id)) != 0) {
		request_refuse(c, begin, WIRE_RESULT_UNAVAILABLE);
		return r;
	}
	(void)snprintf(r->corr, sizeof(r->corr), "%02x%02x%02x%02x%02x%02x", id[0],
		       id[1], id[2], id[3], id[4], id[5]);
	authz_read(server, &r->begin, &r->facts);
	stage_identity(r);
	return r;
}

/* The rules changed while the prompt was open: what was asked for is no longer known. A
 * reload of the same text changes nothing. */
static bool policy_changed(const struct request *r)
{
	const struct policy *now = r->server->policy;

	return r->policy != now &&
	       (!r->policy || !now ||
		!str_eq(policy_sha256(r->policy), policy_sha256(now)));
}

bool request_answer(struct request *r, const struct wire_answer *a)
{
	struct mfa_result m = {.outcome = MFA_REFUSED};
	struct outcome failed = {.refusal = WIRE_RESULT_CONV_FAILED,
				 .reason = "mfa_required",
				 .stranger = !r->facts.proven};
	struct outcome changed = {.refusal = WIRE_RESULT_FORBIDDEN,
				  .reason = "mfa_required",
				  .text = "The policy has just changed: try again."};
	int rc;

	r->arrived_ns = wire_now_ns();
	if (memcmp(a->nonce, r->begin.nonce, WIRE_NONCE_LEN) != 0 || r->turn == 0 ||
	    a->turn != r->turn || r->ticket ||
	    (a->kind == WIRE_ANSWER_PASSWORD && r->begin.op != WIRE_OP_PW_CHANGE)) {
		conn_finish(r->conn);
		return false;
	}
	if (request_too_late(r, a->deadline_ns))
		return false;
	if (r->begin.op == WIRE_OP_PW_CHANGE)
		return password_answer(r, a);
	if (a->kind == WIRE_ANSWER_FAILED) { /* no conversation: not a guess */
		outcome_end(r, &failed);
		return false;
	}
	if ((r->begin.op == WIRE_OP_ACCOUNT || r->pending) && policy_changed(r)) {
		outcome_end(r, &changed); /* the code is not looked at, nor spent */
		return false;
	}
	if (r->pending)
		return enrol_answer(r, a);
	rc = stage_mfa(r, a, &m);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
	} else if (r->begin.op == WIRE_OP_AUTH) {
		end_auth_code(r, &m);
	} else {
		end_step_up(r, &m);
	}
	return false;
}

void request_free(struct request *r)
{
	if (!r)
		return;
	identity_cancel(r->ticket);
	pending_free(r->pending);
	password_try_free(r->password);
	identity_person_done(&r->person);
	policy_unref(r->policy);
	free(r);
}
