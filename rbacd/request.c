/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c - THE PIPELINE: identity -> policy -> mfa -> audit -> reply.
 *
 * One function a stage. Two places decide: stage_auth() whether a code is needed and
 * stage_account() whether the person may; both end in request_end(), where the record
 * is appended before the answer is queued. Nothing leaves before the turn's commit.
 */

#include "rbacd/request.h"

#include <errno.h>

#include "rbacd/authz.h"
#include "rbacd/handle.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/server.h"
#include "rbacd/wire/client.h"

struct request {
	struct server *server;		/* borrowed */
	struct conn *conn;		/* borrowed; it owns us */
	struct policy *policy;		/* counted: one generation from start to end */
	struct identity_ticket *ticket; /* a parked look-up, or NULL */
	struct identity_person person;
	struct wire_begin begin;
	struct authz_facts facts;
	struct policy_mfa mfa; /* what the account phase may rely on */
	char corr[16];	       /* shared by auth, account and log lines */
	uint64_t arrived_ns;   /* of the frame being answered */
	uint32_t turn;	       /* prompts sent */
};

static void stage_identified(struct request *r);

/* What one stage concluded; request_end() turns it into a record and a reply. */
struct outcome {
	enum policy_verdict verdict; /* ALLOW leaves only from request_end() */
	enum wire_result refusal;    /* when not ALLOW */
	const char *reason;	     /* audit identifier; NULL when allowed */
	const char *text;	     /* for the person, or NULL */
	const struct policy_decision *decision; /* or NULL */
	const struct mfa_result *mfa;		/* or NULL */
	const char *how; /* without a code: "remembered", "not_required", "root" */
	bool equalise;	 /* a refusal whose time must tell nothing */
	bool stranger;	 /* before a proven first factor: coalesced */
};

/* ---------------------------------------------------------------- reply */

static void queue_result(struct conn *c, const struct wire_result_msg *m)
{
	uint8_t buf[1024];
	size_t len;

	if (wire_encode_result(m, buf, sizeof(buf), &len) == 0)
		conn_queue(c, buf, len);
	conn_finish(c);
}

void request_refuse(struct conn *c, const struct wire_begin *begin,
		    enum wire_result result)
{
	struct wire_result_msg m = {.result = result};

	memcpy(m.nonce, begin->nonce, sizeof(m.nonce));
	queue_result(c, &m);
}

/* Failures leave at a whole number of steps after they arrived: the sum of what was
 * done in between, known or unknown user, disappears in the rounding. A common grid for
 * all requests would not do: the mean over many tries would still show the difference.
 */
static uint64_t equal_due(uint64_t arrived_ns)
{
	const uint64_t step = LIMIT_EQUAL_STEP_MS * 1000000u;
	uint64_t spent = wire_now_ns() - arrived_ns;

	return arrived_ns + (spent / step + 1) * step;
}

/* ---------------------------------------------------------------- audit */

/* Group and role for an allow; near misses for a denial. */
static const char *decision_path(const struct policy_decision *d, char *buf, size_t cap)
{
	size_t n = 0;
	int w;

	buf[0] = '\0';
	if (d->verdict == POLICY_ALLOW) {
		(void)snprintf(buf, cap, "%s -> %s", d->group ? d->group : "-",
			       d->role ? d->role : "-");
		return buf;
	}
	for (size_t i = 0; i < d->n_near && n + 1 < cap; i++) {
		w = snprintf(buf + n, cap - n, "%s%s: %s", i ? "; " : "",
			     d->near[i].rule, policy_reason_name(d->near[i].reason));
		if (w < 0 || (size_t)w >= cap - n)
			break;
		n += (size_t)w;
	}
	return buf;
}

static void fill_decision(struct audit_event *ev, const struct request *r,
			  const struct outcome *o, char *path, size_t cap)
{
	if (r->policy) {
		ev->policy_serial = (int64_t)policy_serial(r->policy);
		ev->policy_sha = policy_sha256(r->policy);
	}
	if (!o->decision)
		return;
	ev->rule = o->decision->rule;
	ev->path = decision_path(o->decision, path, cap);
}

static void fill_subject(struct audit_event *ev, const struct request *r, char *actor,
			 size_t cap)
{
	if (r->person.known) {
		ev->user = r->person.login;
		ev->uid = r->person.id;
	} else {
		ev->unknown_user = r->facts.subject;
	}
	ev->svc = r->begin.service;
	ev->tty = r->begin.tty;
	ev->src = r->facts.origin_text;
	ev->rhost_name = r->begin.rhost;
	ev->dec_src = r->person.source;
	ev->snapshot_age_s = r->person.age_s;
	if (r->begin.loginuid != AUTHZ_UNSET)
		(void)snprintf(actor, cap, "uid:%u", r->begin.loginuid);
	else if (*r->begin.ruser)
		(void)snprintf(actor, cap, "ruser:%.64s", r->begin.ruser);
	ev->actor = actor;
}

static const char *event_name(enum wire_op op)
{
	switch (op) {
	case WIRE_OP_AUTH:
		return "auth";
	case WIRE_OP_ACCOUNT:
		return "account";
	case WIRE_OP_OPEN:
		return "session.open";
	case WIRE_OP_CLOSE:
		return "session.close";
	case WIRE_OP_CRED:
		return "cred";
	}
	return "unknown";
}

/* Appends the record of this outcome; id is "" when a stranger's failure was counted.
 */
static int audit_outcome(struct request *r, const struct outcome *o, char id[])
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char path[512] = "", actor[80] = "", sess[16];
	int64_t now_us = server_now_us();

	ev.ev = event_name(r->begin.op);
	ev.corr = r->corr;
	ev.vm = r->server->config->vm;
	ev.priv = r->facts.privilege;
	ev.target = r->facts.target;
	ev.outcome = o->verdict == POLICY_ALLOW ? AUDIT_SUCCESS : AUDIT_FAILURE;
	ev.dec = o->verdict == POLICY_ALLOW ? "allow" : "deny";
	ev.reason = o->reason;
	ev.mfa_method = o->how;
	ev.lat_us = (int64_t)((wire_now_ns() - r->arrived_ns) / 1000u);
	if (r->begin.session != AUTHZ_UNSET) {
		(void)snprintf(sess, sizeof(sess), "%u", r->begin.session);
		ev.sess = sess;
	}
	fill_subject(&ev, r, actor, sizeof(actor));
	fill_decision(&ev, r, o, path, sizeof(path));
	if (o->mfa) {
		if (o->mfa->outcome == MFA_ACCEPTED)
			ev.mfa_method = policy_method_name(o->mfa->method);
		ev.cred = o->mfa->cred;
		ev.t_delta = o->mfa->t_delta;
		ev.fails = r->facts.proven ? (int64_t)o->mfa->fails : -1;
		ev.sev = o->mfa->alert ? AUDIT_ALERT : AUDIT_INFO;
	}
	return o->stranger ? audit_append_stranger(r->server->audit, &ev, now_us, id)
			   : audit_append(r->server->audit, &ev, now_us, id);
}

static void log_outcome(const struct request *r, const struct outcome *o,
			const char *id)
{
	char user[LOG_QUOTED_MAX];

	log_info("req=%s stage=%s user=%s svc=%s priv=%s src=%s id=%s : %s%s%s",
		 r->corr, event_name(r->begin.op), log_quote(r->facts.subject, user),
		 r->begin.service, r->facts.privilege, r->facts.origin_text, id,
		 o->verdict == POLICY_ALLOW ? "allow" : "deny", o->reason ? " " : "",
		 o->reason ? o->reason : "");
}

/* The auth phase hands the account phase a handle, with the code's proof if there was
 * one. */
static int issue_handle(struct request *r, const struct outcome *o,
			struct wire_result_msg *m)
{
	struct handle_facts f = {.pid = conn_peer_pid(r->conn)};

	(void)snprintf(f.user, sizeof(f.user), "%s", r->begin.user);
	(void)snprintf(f.service, sizeof(f.service), "%s", r->begin.service);
	(void)snprintf(f.person, sizeof(f.person), "%s", r->person.id);
	(void)snprintf(f.corr, sizeof(f.corr), "%s", r->corr);
	if (o->mfa && o->mfa->outcome == MFA_ACCEPTED) {
		f.has_code = true;
		f.method = o->mfa->method;
	}
	m->has_handle = true;
	return handle_issue(r->server->handles, &f, wire_now_ns(), m->handle);
}

/*
 * The one gate: record first, then the answer. ALLOW is queued here and nowhere else,
 * and only when the record is part of the turn that must be durable before the reply
 * leaves.
 */
static void request_end(struct request *r, const struct outcome *o)
{
	struct wire_result_msg m = {.result = WIRE_RESULT_UNAVAILABLE};
	int rc;

	memcpy(m.nonce, r->begin.nonce, sizeof(m.nonce));
	rc = audit_outcome(r, o, m.id);
	if (rc == 0 && o->verdict == POLICY_ALLOW && r->begin.op == WIRE_OP_AUTH)
		rc = issue_handle(r, o, &m);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		m.has_handle = false;
	} else {
		m.result = o->verdict == POLICY_ALLOW ? WIRE_RESULT_ALLOW : o->refusal;
		if (o->text)
			(void)snprintf(m.text, sizeof(m.text), "%s", o->text);
		if (o->verdict == POLICY_ALLOW)
			r->server->stats.n_allow++;
		else
			r->server->stats.n_deny++;
	}
	log_outcome(r, o, m.id);
	if (o->equalise)
		m.id[0] = '\0'; /* whether a record was made tells of earlier tries */
	if (o->equalise)
		conn_delay(r->conn, equal_due(r->arrived_ns));
	queue_result(r->conn, &m);
}

/* A session phase or another report: recorded, neither granted nor denied. */
static void end_noted(struct request *r)
{
	struct wire_result_msg m = {.result = WIRE_RESULT_NOTED};

	memcpy(m.nonce, r->begin.nonce, sizeof(m.nonce));
	r->server->stats.n_noted++;
	queue_result(r->conn, &m);
}

/* ---------------------------------------------------------------- policy */

/* The most recent proof the policy may weigh: of this transaction, else a remembered
 * one. */
static void read_proof(struct request *r)
{
	struct store_proof p;
	int64_t age_s;

	if (r->mfa.state == POLICY_MFA_PROOF ||
	    r->facts.origin.kind == POLICY_ORIGIN_UNKNOWN)
		return;
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

static void stage_policy(struct request *r, const struct policy_mfa *mfa,
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
	};

	identity_person_subject(&r->person, &subject);
	policy_decide(r->policy, &q, ret);
}

/* Root asking for su or sudo could setuid anyway: allowed, and recorded. */
static bool is_root_itself(const struct request *r)
{
	return r->facts.by_root && r->person.known && r->person.local &&
	       r->person.uid == 0;
}

/* ---------------------------------------------------------------- mfa */

static void ask_for_code(struct request *r)
{
	uint8_t buf[1024];
	char text[512];
	struct wire_prompt p = {.turn = ++r->turn,
				.style = WIRE_STYLE_HIDDEN,
				.text = text};
	size_t len;

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
	p.text_len = strlen(text);
	memcpy(p.nonce, r->begin.nonce, sizeof(p.nonce));
	if (wire_encode_prompt(&p, buf, sizeof(buf), &len) != 0) {
		conn_finish(r->conn);
		return;
	}
	if (!r->facts.proven && r->begin.op == WIRE_OP_AUTH)
		conn_delay(r->conn, equal_due(r->arrived_ns));
	conn_queue(r->conn, buf, len);
}

static int remember(struct request *r, enum policy_method method)
{
	struct store_proof p = {.at_s = server_now_s(), .method = method};

	if (r->facts.origin.kind == POLICY_ORIGIN_UNKNOWN)
		return 0; /* nothing to find it by */
	(void)snprintf(p.person, sizeof(p.person), "%s", r->person.id);
	(void)snprintf(p.vm, sizeof(p.vm), "%s", r->server->config->vm);
	(void)snprintf(p.origin, sizeof(p.origin), "%s", r->facts.origin_text);
	return store_proof_put(r->server->store, &p);
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
		.origin = r->facts.origin_text,
		.proven = r->facts.proven,
		.kind = a->kind,
		.text = &a->text,
		.now_s = server_now_s(),
	};
	int rc;

	/* What this person's grants would take. Somebody without a grant is asked and
	 * checked the same way, so that the prompt tells nobody what they may do. */
	stage_policy(r, &assumed, &d);
	attempt.accept =
		d.accept ? d.accept : POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	rc = mfa_verify(r->server->mfa, &attempt, ret);
	if (rc == 0 && ret->outcome == MFA_ACCEPTED)
		rc = remember(r, ret->method);
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
		.stranger = !ok && !r->facts.proven,
	};

	if (ok)
		o.text = told_text(r, m, text, sizeof(text));
	request_end(r, &o);
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
	stage_policy(r, &r->mfa, &d);
	if (!r->facts.proven || (d.verdict != POLICY_ALLOW && !is_root_itself(r))) {
		ask_for_code(r);
		return;
	}
	o.how = d.mfa_required ? "remembered" : "not_required";
	request_end(r, &o);
}

/* The refusal in words, with what to quote; the person has passed a first factor. */
static const char *refusal_text(const struct request *r,
				const struct policy_decision *d, char *buf, size_t cap)
{
	if (d->message)
		(void)snprintf(buf, cap, "Access to %s refused: %s",
			       r->server->config->vm, d->message);
	else if (d->mfa_would_help)
		(void)snprintf(buf, cap, "Access to %s needs a one-time code (%s).",
			       r->server->config->vm, policy_reason_name(d->reason));
	else
		(void)snprintf(buf, cap, "Access to %s refused: %s.",
			       r->server->config->vm, policy_reason_name(d->reason));
	return buf;
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
		o.text = refusal_text(r, d, text, sizeof(text));
	} else if (!m) {
		o.how = !d->mfa_required	  ? "not_required"
			: r->mfa.same_transaction ? policy_method_name(r->mfa.method)
						  : "remembered";
	}
	request_end(r, &o);
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
	memcpy(r->corr, f.corr, sizeof(r->corr));
	if (f.has_code)
		r->mfa = (struct policy_mfa){.state = POLICY_MFA_PROOF,
					     .method = f.method,
					     .same_transaction = true};
}

/* Account: may this person, with what has been proven? The authority for every login.
 */
static void stage_account(struct request *r)
{
	struct policy_decision d;

	read_handle(r);
	read_proof(r);
	stage_policy(r, &r->mfa, &d);
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
		request_end(r, &o);
		return;
	}
	r->mfa = (struct policy_mfa){.state = POLICY_MFA_PROOF,
				     .method = m->method,
				     .same_transaction = true};
	stage_policy(r, &r->mfa, &d);
	end_account(r, &d, m);
}

/* ---------------------------------------------------------------- sessions */

static int map_session(struct request *r)
{
	struct store_session s = {.session = r->begin.session,
				  .opened_s = server_now_s()};

	if (!r->facts.is_login || r->begin.session == AUTHZ_UNSET || !r->person.known ||
	    r->begin.loginuid != r->person.uid)
		return 0; /* sudo, su, cron, or no audit session: nothing to inherit */
	(void)snprintf(s.boot, sizeof(s.boot), "%s", r->server->boot_id);
	(void)snprintf(s.person, sizeof(s.person), "%s", r->person.id);
	(void)snprintf(s.origin, sizeof(s.origin), "%s", r->facts.origin_text);
	(void)snprintf(s.vmsec_id, sizeof(s.vmsec_id), "%s", r->begin.vmsec_id);
	return store_session_put(r->server->store, &s);
}

static int record_session(struct request *r)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1], actor[80] = "", sess[16];

	ev.ev = event_name(r->begin.op);
	ev.corr = r->corr;
	ev.outcome = AUDIT_SUCCESS;
	ev.vm = r->server->config->vm;
	ev.priv = r->facts.privilege;
	ev.object = r->begin.vmsec_id;
	if (r->begin.flags & WIRE_FLAG_RESCUE) {
		ev.sev = AUDIT_ALERT;
		ev.op = "rescue";
	}
	(void)snprintf(sess, sizeof(sess), "%u", r->begin.session);
	ev.sess = r->begin.session == AUTHZ_UNSET ? NULL : sess;
	fill_subject(&ev, r, actor, sizeof(actor));
	return audit_append(r->server->audit, &ev, server_now_us(), id);
}

static void stage_session(struct request *r)
{
	int rc = 0;

	if (r->begin.op == WIRE_OP_OPEN)
		rc = map_session(r);
	else if (r->facts.is_login && r->begin.session != AUTHZ_UNSET)
		rc = store_session_delete(r->server->store, r->server->boot_id,
					  r->begin.session);
	if (rc == 0 || rc == STORE_E_NONE)
		rc = record_session(r);
	if (rc != 0)
		server_turn_lost(r->server, rc);
	end_noted(r);
}

/* ---------------------------------------------------------------- life */

static bool too_late(struct request *r, uint64_t deadline_ns)
{
	if (wire_now_ns() < deadline_ns && !conn_peer_gone(r->conn))
		return false;
	r->server->stats.n_dropped_late++;
	log_info("req=%s : dropped, its client has given up", r->corr);
	conn_finish(r->conn);
	return true;
}

static void stage_identified(struct request *r)
{
	if (too_late(r, r->begin.deadline_ns))
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

bool request_answer(struct request *r, const struct wire_answer *a)
{
	struct mfa_result m = {.outcome = MFA_REFUSED};
	struct outcome failed = {.refusal = WIRE_RESULT_CONV_FAILED,
				 .reason = "mfa_required",
				 .stranger = !r->facts.proven};
	int rc;

	r->arrived_ns = wire_now_ns();
	if (memcmp(a->nonce, r->begin.nonce, WIRE_NONCE_LEN) != 0 || r->turn == 0 ||
	    a->turn != r->turn || r->ticket) {
		conn_finish(r->conn);
		return false;
	}
	if (too_late(r, a->deadline_ns))
		return false;
	if (a->kind == WIRE_ANSWER_FAILED) { /* no conversation: not a guess */
		request_end(r, &failed);
		return false;
	}
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
	identity_person_done(&r->person);
	policy_unref(r->policy);
	free(r);
}
