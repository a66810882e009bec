/* SPDX-License-Identifier: Apache-2.0 */
/* admin_explain.c - why somebody may or may not, now; and the record of a past answer.
 */

#include <errno.h>

#include "policy/memtext.h"
#include "rbacd/admin_internal.h"
#include "rbacd/log.h"
#include "rbacd/sessions.h"
#include "rbacd/standing.h"

/* What the caller asked, with the storage its strings need. */
struct question {
	struct policy_subject subject;
	struct policy_request req;
	char privilege[WIRE_ARG_MAX + 1];
};

/* "su:postgres" is privilege su with target postgres, as roles write it. */
static int read_privilege(struct admin_req *req, struct question *q)
{
	const char *target = admin_arg(req, "target");
	char *colon;

	(void)snprintf(q->privilege, sizeof(q->privilege), "%s",
		       admin_arg(req, "privilege")); /* the same limit */
	colon = strchr(q->privilege, ':');
	if (colon) {
		if (target && !str_eq(target, colon + 1)) {
			admin_end(req, ADMIN_USAGE,
				  "privilege and target name two different accounts.");
			return -EINVAL;
		}
		*colon = '\0';
		target = colon + 1;
	}
	q->req.privilege = q->privilege;
	if (!str_eq(q->privilege, "su") && target) {
		admin_end(req, ADMIN_USAGE, "Only su has a target.");
		return -EINVAL;
	}
	if (str_eq(q->privilege, "su"))
		q->req.target = target ? target : "root";
	return 0;
}

static int read_origin(struct admin_req *req, struct question *q)
{
	const char *source = admin_arg(req, "source");
	char quoted[LOG_QUOTED_MAX];

	if (!source)
		return 0;
	if (str_eq(source, "local")) {
		q->req.origin.kind = POLICY_ORIGIN_LOCAL;
		return 0;
	}
	if (policy_origin_parse(source, &q->req.origin) == 0)
		return 0;
	admin_end(req, ADMIN_USAGE,
		  "%s is neither a numeric address nor the word local; names are never "
		  "resolved.",
		  log_quote(source, quoted));
	return -EINVAL;
}

static int read_method(struct admin_req *req, struct question *q)
{
	const char *method = admin_arg(req, "method");

	q->req.mfa.state = POLICY_MFA_NONE;
	if (!method)
		return 0;
	if (str_eq(method, "any")) {
		q->req.mfa.state = POLICY_MFA_ASSUMED;
		return 0;
	}
	q->req.mfa.state = POLICY_MFA_PROOF;
	q->req.mfa.same_transaction = true;
	if (str_eq(method, "totp"))
		q->req.mfa.method = POLICY_METHOD_TOTP;
	else if (str_eq(method, "recovery"))
		q->req.mfa.method = POLICY_METHOD_RECOVERY;
	else if (str_eq(method, "security-key"))
		q->req.mfa.method = POLICY_METHOD_SECURITY_KEY;
	else {
		admin_end(req, ADMIN_USAGE,
			  "method must be any, totp, recovery or security-key.");
		return -EINVAL;
	}
	return 0;
}

static int read_question(struct admin_req *req, struct question *q)
{
	uint32_t uid;

	q->req.subject = &q->subject;
	q->req.vm = admin_arg(req, "vm");
	q->req.now_s = server_now_s();
	q->req.state = standing_state(req->server, req->server->policy);
	q->req.clock_unsynced = clock_unsure(req->server);
	sessions_count(req->server, req->server->policy, req->person.id, UINT32_MAX,
		       &q->req.sessions);
	q->req.sessions.age_s = 0; /* as if asked from a session just opened */
	if (read_privilege(req, q) != 0 || read_origin(req, q) != 0 ||
	    read_method(req, q) != 0)
		return -EINVAL;
	identity_person_subject(&req->person,
				config_max_stale(req->server->config, q->req.privilege),
				&q->subject);
	/* An account that is not in /etc/passwd is never uid 0: such logins are
	 * dropped. */
	q->req.target_uid0 =
		q->req.target &&
		(str_eq(q->req.target, "root") ||
		 (identity_local_uid(req->server->identity, q->req.target, &uid) &&
		  uid == 0));
	return 0;
}

static void send_line(struct admin_req *req, const char *text)
{
	struct admin_row row;

	admin_row_begin(&row, "explanation");
	wire_put_cell_text(&row.w, "text", text);
	admin_row_send(req, &row);
}

static int send_explanation(struct admin_req *req, const struct question *q)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	char *line, *next;
	int r = memtext_open(&m);

	if (r == 0)
		r = policy_explain(req->server->policy, &q->req, m.out);
	if (r == 0)
		r = memtext_take(&m, &text, &len);
	if (r != 0)
		return r;
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		send_line(req, line);
	}
	return 0;
}

static void send_decision(struct admin_req *req, const struct question *q,
			  const struct policy_decision *d)
{
	struct admin_row row;

	admin_row_begin(&row, "decision");
	wire_put_cell_text(&row.w, "verdict",
			   d->verdict == POLICY_ALLOW ? "allow" : "deny");
	wire_put_cell_text(&row.w, "user", admin_arg(req, "user"));
	wire_put_cell_text(&row.w, "vm", q->req.vm);
	wire_put_cell_text(&row.w, "privilege", q->req.privilege);
	wire_put_cell_text(&row.w, "target", q->req.target);
	wire_put_cell_text(&row.w, "reason",
			   d->verdict == POLICY_ALLOW ? NULL
						      : policy_reason_name(d->reason));
	wire_put_cell_text(&row.w, "rule", d->rule);
	wire_put_cell_text(&row.w, "group", d->group);
	wire_put_cell_text(&row.w, "role", d->role);
	wire_put_cell_bool(&row.w, "mfa_required", d->mfa_required);
	wire_put_cell_bool(&row.w, "code_would_help", d->mfa_would_help);
	wire_put_cell_time(&row.w, "valid_until", d->valid_until_s);
	wire_put_cell_bool(&row.w, "would_deny", d->would_deny);
	wire_put_cell_bool(&row.w, "break_glass", d->break_glass);
	admin_row_send(req, &row);
}

/* Each near miss with its figures; the sentences say the same to people. */
static void send_near(struct admin_req *req, const struct policy_decision *d)
{
	struct admin_row row;

	for (size_t i = 0; i < d->n_near; i++) {
		const struct policy_near *near = &d->near[i];

		admin_row_begin(&row, "near");
		wire_put_cell_text(&row.w, "rule", near->rule);
		wire_put_cell_text(&row.w, "reason", policy_reason_name(near->reason));
		wire_put_cell_int(&row.w, "need", near->need_s);
		wire_put_cell_int(&row.w, "have", near->have_s);
		wire_put_cell_text(&row.w, "separation", near->other);
		admin_row_send(req, &row);
	}
}

/* The policy says what is allowed; whether the person could give a code is another
 * thing. */
static void send_factor(struct admin_req *req, const struct policy_decision *d)
{
	const struct identity_person *p = &req->person;
	struct mfa_status m = {0};
	char line[256];

	if (!p->known || !(d->mfa_required || d->mfa_would_help))
		return;
	if (admin_mfa_status(req->server, p->id, &m) != 0) {
		send_line(req, "The state of the second factor could not be read.");
		return;
	}
	if (m.disabled)
		(void)snprintf(
			line, sizeof(line),
			"The second factor of %s is disabled: no code is accepted. "
			"rbacctl reset, then enrol.",
			p->login);
	else if (!m.enrolled)
		(void)snprintf(
			line, sizeof(line),
			"%s has no active second factor, so there is no code to give. "
			"rbacctl enrol %s",
			p->login, p->login);
	else if (m.locked)
		(void)snprintf(line, sizeof(line),
			       "%s must wait %lld s before the next code is looked at, "
			       "after %u wrong ones.",
			       p->login, (long long)(m.next_try_s - server_now_s()),
			       m.fails);
	else
		return;
	send_line(req, line);
}

void admin_run_explain(struct admin_req *req)
{
	struct question *q = calloc(1, sizeof(*q));
	struct policy_decision d;
	int r;

	if (!q) {
		admin_end(req, ADMIN_NO, "Out of memory.");
		return;
	}
	if (read_question(req, q) == 0) {
		policy_decide(req->server->policy, &q->req, &d);
		send_decision(req, q, &d);
		send_near(req, &d);
		r = send_explanation(req, q);
		send_factor(req, &d);
		if (r != 0)
			admin_end(req, ADMIN_NO, "The explanation failed: error %d.",
				  r);
		else
			admin_end(req, d.verdict == POLICY_ALLOW ? ADMIN_OK : ADMIN_NO,
				  "%s", "");
	}
	free(q);
}

/* ---------------------------------------------------------------- one record */

void admin_run_record(struct admin_req *req)
{
	const char *id = admin_arg(req, "id");
	struct admin_row row;
	char line[AUDIT_LINE_MAX + 1], quoted[LOG_QUOTED_MAX];
	size_t len = 0;
	uint64_t seq = 0;
	int r;

	if (audit_parse_id(req->server->seal, id, &seq) != 0) {
		admin_end(req, ADMIN_NO,
			  "%s is not a decision id of this host: its check characters "
			  "are "
			  "wrong. Copy it again from the message or the log.",
			  log_quote(id, quoted));
		return;
	}
	r = store_audit_get(req->server->store, seq, line, sizeof(line), &len);
	if (r == 0) {
		admin_row_begin(&row, "record");
		wire_put_cell_json(&row.w, "record", line, len);
		admin_row_send(req, &row);
		admin_end(req, ADMIN_OK, "%s", "");
	} else if (r == STORE_E_NONE) {
		/* Perhaps in a segment: files are rbacctl's to read, logins wait here.
		 */
		admin_row_begin(&row, "record");
		wire_put_cell_int(&row.w, "seq", (int64_t)seq);
		admin_row_send(req, &row);
		admin_end(req, ADMIN_NO, "The database has no record %llu.",
			  (unsigned long long)seq);
	} else {
		admin_end(
			req, ADMIN_INTEGRITY,
			"Record %llu could not be read (error %d). Run: rbacctl audit "
			"verify",
			(unsigned long long)seq, r);
	}
}
