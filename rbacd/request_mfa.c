/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_mfa.c - pipeline stage "mfa" of a request: what is remembered, the prompt,
 * the answer's verdict, and how an auth phase ends with it.
 */

#include "rbacd/request_internal.h"

#include "rbacd/mfa/key.h"

/* ---------------------------------------------------------------- proofs */

void request_recall(struct request *r)
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

/* ---------------------------------------------------------------- asking */

void request_ask_code(struct request *r)
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
	if (request_ask(r, r->watched ? WIRE_STYLE_OPTIONAL : WIRE_STYLE_HIDDEN,
			text) != 0) {
		conn_finish(r->conn);
		return;
	}
	if (!r->facts.proven && r->begin.op == WIRE_OP_AUTH)
		conn_delay(r->conn, outcome_equal_due(r->arrived_ns));
}

bool request_is_watched(const struct request *r, const struct policy_decision *d)
{
	return d->monitor && d->verdict == POLICY_ALLOW && r->facts.proven &&
	       r->person.known;
}

bool request_has_codes(const struct request *r)
{
	struct mfa_status m;

	return mfa_status(r->server->mfa, r->person.id, server_now_s(),
			  clock_ahead_s(r->server), &m) != 0 ||
	       (m.codes && !m.disabled);
}

int request_verify(struct request *r, const struct wire_answer *a,
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
		.ahead_s = clock_ahead_s(r->server),
	};
	int rc = clock_check(r->server); /* minutes may have passed since the prompt */

	if (rc != 0)
		return rc;
	/* What this person's grants would take. Somebody without a grant is asked and
	 * checked the same way, so that the prompt tells nobody what they may do. */
	request_decide(r, &assumed, &d);
	attempt.clock_unsure = clock_unsure(r->server);
	attempt.uncounted = r->watched && request_is_watched(r, &d);
	attempt.accept =
		d.accept ? d.accept : POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	rc = mfa_verify(r->server->mfa, &attempt, ret);
	if (rc == 0 && ret->outcome == MFA_ACCEPTED)
		rc = request_remember(r, ret->method);
	return rc;
}

/* ---------------------------------------------------------------- the end of auth */

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

/* A wrong or empty answer on a VM that is only watched: said, not enforced. To one that
 * cannot be a code the module takes no ALLOW. */
static bool end_auth_watched(struct request *r, const struct mfa_result *m)
{
	struct policy_mfa none = {.state = POLICY_MFA_NONE};
	struct policy_decision d;
	struct outcome o = {.verdict = POLICY_ALLOW,
			    .decision = &d,
			    .reason = m->reason,
			    .how = "not_required"};

	if (m->outcome == MFA_ACCEPTED || !r->watched ||
	    str_eq(m->reason, "blind_conversation"))
		return false;
	request_decide(r, &none, &d);
	if (!request_is_watched(r, &d))
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

void request_end_code(struct request *r, const struct mfa_result *m)
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
bool request_end_key(struct request *r, const struct policy_decision *before)
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
		request_end_code(r, &m);
		return true;
	}
	server_turn_lost(r->server, rc);
	request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
	return true;
}
