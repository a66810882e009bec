/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_export.c - seeds leave vmsec: for one person, or all, to whoever holds sudo on
 * this VM and proves it with a code of this moment.
 */
#include <errno.h>

#include "rbacd/admin_internal.h"
#include "rbacd/mfa/otp.h"
#include "rbacd/mfa/otpauth.h"
#include "rbacd/sessions.h"
#include "rbacd/standing.h"
#include "rbacd/wire/code.h"

#define EXPORT_MAX 5000 /* factors in one answer */

struct export
{
	struct admin_req *req;
	const char *of; /* a login; NULL: everybody */
	int64_t n, n_left_out;
	bool full;
};

/* ---------------------------------------------------------------- who may */

/* May this person become root here, with a code just given? */
static bool holds_sudo(struct admin_req *req)
{
	struct server *s = req->server;
	struct policy_subject subject;
	struct policy_decision d;
	struct policy_request q = {
		.subject = &subject,
		.vm = s->config->vm,
		.privilege = "sudo",
		.origin = {.kind = POLICY_ORIGIN_LOCAL},
		.mfa = {.state = POLICY_MFA_PROOF,
			.method = POLICY_METHOD_TOTP,
			.same_transaction = true},
		.now_s = server_now_s(),
		.state = standing_state(s, s->policy),
		.clock_unsynced = clock_unsure(s),
	};

	sessions_count(s, s->policy, req->person.id, UINT32_MAX, &q.sessions);
	identity_person_subject(&req->person, config_max_stale(s->config, q.privilege),
				&subject);
	policy_decide(s->policy, &q, &d);
	return d.verdict == POLICY_ALLOW && !d.would_deny;
}

/* Counted as any other try; a wrong one is a record. False: END says so. */
static bool code_ok(struct admin_req *req)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;
	const char *text = admin_arg(req, "code");
	struct mfa_attempt a = {.person = req->person.id,
				.login = req->person.login,
				.origin = "local",
				.proven = true,
				.accept = POLICY_METHOD_TOTP,
				.text = &code,
				.now_s = server_now_s(),
				.ahead_s = clock_ahead_s(req->server)};
	struct admin_change change = {.ev = "admin.export",
				      .op = "export",
				      .user = req->person.login,
				      .id = req->person.id,
				      .sev = AUDIT_ALERT};
	struct mfa_result m = {.outcome = MFA_REFUSED, .reason = "internal"};
	int r;

	a.kind = code_classify(text, strlen(text), &code);
	if (a.kind != WIRE_ANSWER_CODE) {
		admin_end(req, ADMIN_NO, "A code is six or eight digits.");
		return false;
	}
	r = clock_check(req->server);
	a.clock_unsure = clock_unsure(req->server);
	if (r == 0)
		r = mfa_verify(req->server->mfa, &a, &m);
	if (r != 0) {
		admin_failed(req, "the code could not be checked", r);
		return false;
	}
	if (m.outcome == MFA_ACCEPTED)
		return true;
	change.reason = m.reason;
	if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_NO, "The code is not accepted (%s).", m.reason);
	return false;
}

/* ---------------------------------------------------------------- what leaves */

static int send_factor(struct export *x, const struct store_person *p,
		       const struct store_factor *f)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	char uri[OTPAUTH_MAX];
	struct admin_row row;
	int r;

	if (f->status != STORE_FACTOR_ACTIVE || f->kind == STORE_FACTOR_KEY)
		return 0;
	r = otp_open(x->req->server->seal, f, &seed);
	if (r == 0)
		r = otpauth_uri(f, p->login, x->req->server->config->issuer, &seed,
				uri);
	if (r == SEAL_E_FORGED || r == -EMSGSIZE) {
		x->n_left_out++;
		return 0;
	}
	if (r != 0)
		return r;
	admin_row_begin(&row, "otpauth");
	wire_put_cell_text(&row.w, "user", p->login);
	wire_put_cell_text(&row.w, "factor", f->name);
	wire_put_cell_text(&row.w, "uri", uri);
	admin_row_send(x->req, &row);
	explicit_bzero(uri, sizeof(uri));
	x->n++;
	return 0;
}

static int each_person(const struct store_person *p, void *arg)
{
	struct store_factor f[STORE_FACTORS_MAX];
	struct export *x = arg;
	size_t n = 0;
	int r;

	if (x->of && !str_eq(x->of, p->login))
		return 0;
	r = store_factor_list(x->req->server->store, p->id, f, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		x->full = x->n == EXPORT_MAX;
		r = x->full ? 1 : send_factor(x, p, &f[i]);
	}
	explicit_bzero(f, sizeof(f));
	return r;
}

void admin_run_export(struct admin_req *req)
{
	struct export x = {.req = req, .of = admin_arg(req, "of")};
	struct admin_change change = {.ev = "admin.export",
				      .op = "export",
				      .user = req->person.login,
				      .id = req->person.id,
				      .object = x.of ? x.of : "everybody",
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_ALERT};
	int r;

	if (!admin_why_ok(req) || !admin_person_ok(req) || !code_ok(req))
		return;
	if (!req->server->policy || !holds_sudo(req)) {
		change.reason = "no_grant";
		if (admin_record(req, &change) == 0)
			admin_end(
				req, ADMIN_NO,
				"Only who may become root here by the policy may take "
				"seeds out.");
		return;
	}
	if (admin_record(req, &change) != 0)
		return;
	r = store_person_each(req->server->store, each_person, &x);
	if (r < 0 || r > 1)
		admin_unreadable(req, r);
	else if (x.full)
		admin_end(req, ADMIN_NO,
			  "These are the first %d: take the others by person.",
			  EXPORT_MAX);
	else
		admin_end(req, x.n_left_out ? ADMIN_NO : ADMIN_OK,
			  "%lld factors, %lld left out.", (long long)x.n,
			  (long long)x.n_left_out);
}
