/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c - pipeline stages "audit" and "reply": a conclusion becomes record and
 * answer. */

#include "rbacd/request_internal.h"

#include "rbacd/handle.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/sessions.h"
#include "rbacd/wire/client.h"

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
uint64_t outcome_equal_due(uint64_t arrived_ns)
{
	const uint64_t step = LIMIT_EQUAL_STEP_MS * 1000000u;
	uint64_t spent = wire_now_ns() - arrived_ns;

	return arrived_ns + (spent / step + 1) * step;
}

/* ---------------------------------------------------------------- words */

/* What a refused person is told; the identifier is for the record. */
static const char *plain_words(enum policy_reason reason)
{
	switch (reason) {
	case POLICY_REASON_NO_GRANT:
		return "no role gives you this";
	case POLICY_REASON_GRANT_EXPIRED:
		return "your access has ended, or has not begun";
	case POLICY_REASON_SRC_NOT_ALLOWED:
		return "not from this place";
	case POLICY_REASON_ACCT_DISABLED:
		return "your account is disabled";
	case POLICY_REASON_ACCT_EXPIRED:
		return "your account has expired";
	case POLICY_REASON_MFA_REQUIRED:
	case POLICY_REASON_MFA_METHOD:
		return "a one-time code is needed";
	case POLICY_REASON_MFA_STALE:
		return "a new one-time code is needed";
	case POLICY_REASON_DENIED:
		return "a rule denies it";
	case POLICY_REASON_DIRECTORY_INCOMPLETE:
		return "your groups cannot be looked up at the moment";
	case POLICY_REASON_DIRECTORY_STALE:
		return "the directory has been out of reach for too long";
	case POLICY_REASON_NO_POLICY:
		return "there is no valid policy at the moment";
	case POLICY_REASON_SERVICE_UNKNOWN:
		return "the policy does not know this service";
	case POLICY_REASON_VM_UNKNOWN:
		return "the policy does not know this host";
	case POLICY_REASON_UNKNOWN_USER:
		return "the directory does not know you";
	case POLICY_REASON_CLOCK_UNSYNCED:
		return "this host's clock is not synchronised";
	case POLICY_REASON_LOCKED:
		return "it is locked for the moment";
	case POLICY_REASON_OUTSIDE_HOURS:
		return "not at this time";
	case POLICY_REASON_REVIEW_OVERDUE:
		return "your access waits for a review";
	case POLICY_REASON_SEPARATION:
		return "two of your roles exclude each other";
	case POLICY_REASON_SESSION_LIMIT:
		return "your sessions are at their limit";
	case POLICY_REASON_NONE:
		break;
	}
	return "an internal error";
}

const char *outcome_refusal_text(const struct request *r,
				 const struct policy_decision *d, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "Access to %.100s refused: %s.", r->server->config->vm,
		       d->message ? d->message : plain_words(d->reason));
	return buf;
}

/* ---------------------------------------------------------------- audit */

/* Group and role for an allow; near misses for a denial. */
static const char *decision_path(const struct policy_decision *d, char *buf, size_t cap)
{
	size_t n = 0;
	int w;

	buf[0] = '\0';
	if (d->verdict == POLICY_ALLOW && !d->would_deny) {
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

/* When what is allowed now ends by itself; 0: it does not. */
static int64_t decision_expires(const struct request *r,
				const struct policy_decision *d)
{
	int64_t ends_s = d->valid_until_s, session_s;

	if (d->max_session_s > 0 && policy_privilege_session(r->facts.privilege)) {
		session_s = server_now_s() + d->max_session_s;
		if (ends_s == 0 || session_s < ends_s)
			ends_s = session_s;
	}
	return ends_s;
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
	if (o->decision->would_deny && o->verdict == POLICY_ALLOW)
		ev->dec = "would_deny";
	if (o->decision->break_glass && o->verdict == POLICY_ALLOW) {
		ev->sev = AUDIT_ALERT;
		ev->op = "break_glass";
	}
	if (o->verdict == POLICY_ALLOW)
		ev->expires_s = decision_expires(r, o->decision);
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
	case WIRE_OP_PW_CHECK:
	case WIRE_OP_PW_CHANGE:
		return "password.new";
	case WIRE_OP_PW_CHANGED:
		return "password.changed";
	}
	return "unknown";
}

/* The id is "" when a stranger's failure was counted. */
int outcome_record(struct request *r, const struct outcome *o,
		   char id[AUDIT_ID_MAX + 1])
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
	if (str_eq(o->how, "skipped"))
		ev.op = o->how; /* to be seen at a glance */
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
		if (o->mfa->alert)
			ev.sev = AUDIT_ALERT;
		if (o->mfa->disabled)
			ev.op = "factor_disabled";
	}
	return o->stranger ? audit_append_stranger(r->server->audit, &ev, now_us, id)
			   : audit_append(r->server->audit, &ev, now_us, id);
}

static void log_outcome(const struct request *r, const struct outcome *o,
			const char *id)
{
	char user[LOG_QUOTED_MAX] = "(unknown)"; /* it may be a password */

	if (r->person.known)
		(void)log_quote(r->facts.subject, user);
	log_info("req=%s stage=%s user=%s svc=%s priv=%s src=%s id=%s : %s%s%s",
		 r->corr, event_name(r->begin.op), user, r->begin.service,
		 r->facts.privilege, r->facts.origin_text, id,
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
	f.skipped = o->skipped;
	m->has_handle = true;
	return handle_issue(r->server->handles, &f, wire_now_ns(), m->handle);
}

/* For the person; a refusal ends with what to quote to the administrator. */
static void put_text(struct wire_result_msg *m, const struct outcome *o)
{
	if (o->text && o->verdict != POLICY_ALLOW && *m->id && !o->plain)
		(void)snprintf(m->text, sizeof(m->text), "%.400s To ask why, quote %s.",
			       o->text, m->id);
	else if (o->text)
		(void)snprintf(m->text, sizeof(m->text), "%s", o->text);
}

static void put_result(struct request *r, const struct outcome *o,
		       struct wire_result_msg *m)
{
	put_text(m, o);
	if (o->verdict != POLICY_ALLOW) {
		m->result = o->refusal;
		r->server->stats.n_deny++;
		return;
	}
	m->result = o->new_password ? WIRE_RESULT_NEW_PASSWORD : WIRE_RESULT_ALLOW;
	if (o->handle) {
		m->has_handle = true;
		memcpy(m->handle, o->handle, sizeof(m->handle));
	}
	r->server->stats.n_allow++;
}

void outcome_end(struct request *r, const struct outcome *o)
{
	struct wire_result_msg m = {.result = WIRE_RESULT_UNAVAILABLE};
	int rc;

	memcpy(m.nonce, r->begin.nonce, sizeof(m.nonce));
	rc = outcome_record(r, o, m.id);
	if (rc == 0 && o->verdict == POLICY_ALLOW && r->begin.op == WIRE_OP_AUTH)
		rc = issue_handle(r, o, &m);
	if (rc == 0 && o->verdict == POLICY_ALLOW && r->begin.op == WIRE_OP_ACCOUNT &&
	    o->decision)
		rc = sessions_reserve(r, o->decision, m.id);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		m.has_handle = false;
	} else {
		put_result(r, o, &m);
	}
	log_outcome(r, o, m.id);
	if (o->equalise)
		m.id[0] = '\0'; /* whether a record was made tells of earlier tries */
	if (o->equalise)
		conn_delay(r->conn, outcome_equal_due(r->arrived_ns));
	queue_result(r->conn, &m);
}

int outcome_note(struct request *r, const char *what, const char *op, const char *cred)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1], actor[80] = "";

	ev.ev = what;
	ev.op = op;
	ev.cred = cred;
	ev.corr = r->corr;
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.vm = r->server->config->vm;
	ev.priv = r->facts.privilege;
	fill_subject(&ev, r, actor, sizeof(actor));
	return audit_append(r->server->audit, &ev, server_now_us(), id);
}

/* ---------------------------------------------------------------- sessions */

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

void outcome_session(struct request *r)
{
	struct wire_result_msg m = {.result = WIRE_RESULT_NOTED};
	int rc = record_session(r);

	if (rc != 0)
		server_turn_lost(r->server, rc);
	memcpy(m.nonce, r->begin.nonce, sizeof(m.nonce));
	r->server->stats.n_noted++;
	queue_result(r->conn, &m);
}
