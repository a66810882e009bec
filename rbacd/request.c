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
#include "rbacd/password/flow.h"
#include "rbacd/sessions.h"
#include "rbacd/standing.h"
#include "rbacd/wire/client.h"

static void stage_identified(struct request *r);

/* ---------------------------------------------------------------- policy */

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

/* ---------------------------------------------------------------- prompts */

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

/* ---------------------------------------------------------------- stages */

/*
 * Auth: is a code needed? Asked whenever the outcome depends on one, whenever the
 * answer is no anyway, and always when the first factor is not proven.
 */
static void stage_auth(struct request *r)
{
	struct policy_decision d;
	struct outcome o = {.verdict = POLICY_ALLOW, .decision = &d};

	request_recall(r);
	request_decide(r, &r->mfa, &d);
	if (request_end_key(r, &d))
		return;
	r->watched = d.would_deny && request_is_watched(r, &d);
	if (!r->facts.proven || (d.verdict != POLICY_ALLOW && !is_root_itself(r)) ||
	    (d.would_deny && (!r->watched || request_has_codes(r)))) {
		if (!enrol_begin(r))
			request_ask_code(r);
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
	request_recall(r);
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
		request_ask_code(r);
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
	rc = request_verify(r, a, &m);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
	} else if (r->begin.op == WIRE_OP_AUTH) {
		request_end_code(r, &m);
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
