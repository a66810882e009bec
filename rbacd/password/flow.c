/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c - chauthtok's three steps, and a password's age at login. */
#include "rbacd/password/flow.h"

#include <errno.h>
#include <openssl/sha.h>

#include "rbacd/log.h"
#include "rbacd/password/ageing.h"
#include "rbacd/password/quality.h"
#include "rbacd/password/worker.h"

#define PASSWD_PATH "/etc/passwd"

struct password_try {
	struct password_rules rules; /* borrowed from the request's policy */
	struct worker_job *job;	     /* the candidate is being checked; else NULL */
	uint64_t deadline_ns;
	unsigned n_tries;
};

void password_try_free(struct password_try *t)
{
	if (t)
		worker_cancel(t->job);
	free(t);
}

/* ---------------------------------------------------------------- what is known */

static void read_rules(const struct request *r, struct password_rules *ret)
{
	*ret = (struct password_rules){0};
	if (r->policy)
		policy_password(r->policy, ret);
}

/* Nothing is known of most people: a row as of now. */
static int read_row(const struct request *r, struct store_password *ret)
{
	int rc = store_password_get(r->server->store, r->person.id, ret);

	if (rc == STORE_E_NONE) {
		*ret = (struct store_password){.seen_s = server_now_s()};
		(void)snprintf(ret->person, sizeof(ret->person), "%s", r->person.id);
		rc = 0;
	}
	(void)snprintf(ret->login, sizeof(ret->login), "%s", r->person.login);
	return rc;
}

/* A login forces it, and logins are root's: anybody may say passwd -k. */
static bool is_forced(const struct request *r)
{
	return r->begin.ruid == 0 && (r->begin.flags & WIRE_FLAG_EXPIRED);
}

/* Root sets the password of somebody else, who must then choose one. Through sudo one
 * may well set one's own; a forced change is the person's, though sshd runs it as root.
 */
static bool set_by_other(const struct request *r)
{
	return r->begin.ruid == 0 && !is_forced(r) && r->person.uid != 0 &&
	       r->begin.loginuid != r->person.uid;
}

static enum password_reason may_change(const struct request *r,
				       const struct password_rules *rules,
				       const struct store_password *row)
{
	if (!rules->preset)
		return PASSWORD_NO_RULES;
	if (!set_by_other(r) && !is_forced(r) &&
	    ageing_too_young(rules, row, server_now_s()))
		return PASSWORD_TOO_YOUNG;
	return PASSWORD_FITS;
}

/* ---------------------------------------------------------------- answers */

static void lost(struct request *r, int rc)
{
	server_turn_lost(r->server, rc);
	request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
}

static void end_refused(struct request *r, const struct password_rules *rules,
			enum password_reason reason)
{
	char text[QUALITY_TEXT_MAX];
	struct outcome o = {.refusal = WIRE_RESULT_FORBIDDEN,
			    .reason = quality_reason_name(reason),
			    .text = text,
			    .plain = true};

	quality_reason_text(reason, rules, text);
	outcome_end(r, &o);
}

static void end_unknown(struct request *r)
{
	struct outcome o = {.refusal = WIRE_RESULT_FORBIDDEN, .reason = "unknown_user"};

	outcome_end(r, &o);
}

/* Text for the person. False: the request is over. */
static bool say(struct request *r, enum wire_style style, const char *text)
{
	struct wire_prompt p = {.style = style, .text = text, .text_len = strlen(text)};
	uint8_t buf[1024];
	size_t len;

	memcpy(p.nonce, r->begin.nonce, sizeof(p.nonce));
	if (wire_encode_prompt(&p, buf, sizeof(buf), &len) != 0) {
		conn_finish(r->conn);
		return false;
	}
	conn_queue(r->conn, buf, len);
	return true;
}

static bool ask(struct request *r)
{
	if (request_ask(r, WIRE_STYLE_NEW_PASSWORD, "New password: ") == 0)
		return true;
	conn_finish(r->conn);
	return false;
}

/* ---------------------------------------------------------------- may it, new one */

static void stage_check(struct request *r)
{
	struct store_password row;
	struct password_rules rules;
	enum password_reason reason;
	int rc = read_row(r, &row);

	if (rc != 0) {
		lost(r, rc);
		return;
	}
	read_rules(r, &rules);
	reason = may_change(r, &rules, &row);
	if (reason == PASSWORD_FITS)
		request_refuse(r->conn, &r->begin, WIRE_RESULT_NOTED);
	else
		end_refused(r, &rules, reason);
}

static void stage_change(struct request *r)
{
	char text[QUALITY_TEXT_MAX];
	struct store_password row;
	enum password_reason reason;
	int rc = read_row(r, &row);

	if (rc == 0)
		r->password = calloc(1, sizeof(*r->password));
	if (rc == 0 && !r->password)
		rc = -ENOMEM;
	if (rc != 0) {
		lost(r, rc);
		return;
	}
	read_rules(r, &r->password->rules);
	reason = may_change(r, &r->password->rules, &row);
	if (reason != PASSWORD_FITS) {
		end_refused(r, &r->password->rules, reason);
		return;
	}
	quality_guidance(&r->password->rules, text);
	if ((r->begin.flags & WIRE_FLAG_TOKEN) || !*text ||
	    say(r, WIRE_STYLE_TEXT, text))
		(void)ask(r);
}

/* ---------------------------------------------------------------- one candidate */

/* Refused: told, and asked again if there is a try left. False: it is over. */
static bool end_try(struct request *r, enum password_reason reason)
{
	struct password_try *t = r->password;
	char text[QUALITY_TEXT_MAX], id[AUDIT_ID_MAX + 1];
	struct outcome o = {.reason = quality_reason_name(reason)};
	int rc;

	if (++t->n_tries >= PASSWORD_TRIES || (r->begin.flags & WIRE_FLAG_TOKEN)) {
		end_refused(r, &t->rules, reason);
		return false;
	}
	rc = outcome_record(r, &o, id);
	if (rc != 0) {
		lost(r, rc);
		return false;
	}
	quality_reason_text(reason, &t->rules, text);
	return say(r, WIRE_STYLE_ERROR, text) && ask(r);
}

/* Good. The ticket is what the third step shows; only its digest is kept. */
static void end_good(struct request *r, const char *hash)
{
	struct store_password row;
	uint8_t ticket[WIRE_HANDLE_LEN];
	struct outcome o = {.verdict = POLICY_ALLOW, .handle = ticket};
	int rc = read_row(r, &row);

	if (rc == 0)
		rc = seal_random(ticket, sizeof(ticket));
	if (rc == 0) {
		(void)SHA256(ticket, sizeof(ticket), row.ticket);
		row.ticket_s = server_now_s();
		row.ticket_other = set_by_other(r);
		(void)snprintf(row.pending, sizeof(row.pending), "%s", hash);
		rc = store_password_put(r->server->store, &row);
	}
	if (rc == 0)
		outcome_end(r, &o);
	else
		lost(r, rc);
	explicit_bzero(ticket, sizeof(ticket));
}

static void on_checked(void *arg, int error, const struct worker_result *result)
{
	struct request *r = arg;
	enum password_reason reason = error == 0 ? result->reason : PASSWORD_UNCHECKED;

	r->password->job = NULL;
	if (request_too_late(r, r->password->deadline_ns))
		return;
	if (reason == PASSWORD_FITS)
		end_good(r, result->hash);
	else if (error != 0)
		end_refused(r, &r->password->rules,
			    reason); /* another try is no help */
	else
		(void)end_try(r, reason);
}

static int check(struct request *r, const struct wire_answer *a)
{
	struct password_try *t = r->password;
	struct worker_task *task = calloc(1, sizeof(*task));
	int rc;

	if (!task)
		return -ENOMEM;
	task->rules = t->rules;
	task->candidate = a->text;
	task->old = a->old;
	task->local = r->person.local;
	task->passwd = PASSWD_PATH;
	(void)snprintf(task->blocklist, sizeof(task->blocklist), "%s/blocklist",
		       r->server->config->state_dir);
	(void)snprintf(task->user, sizeof(task->user), "%s", r->person.login);
	(void)snprintf(task->host, sizeof(task->host), "%s", r->server->config->vm);
	rc = store_password_old(r->server->store, r->person.id, t->rules.history,
				task->former, &task->n_former);
	if (rc == 0)
		rc = worker_ask(r->server->passwords, task, on_checked, r, &t->job);
	worker_task_done(task);
	free(task);
	return rc;
}

bool password_answer(struct request *r, const struct wire_answer *a)
{
	int rc;

	switch (a->kind) {
	case WIRE_ANSWER_EMPTY:
		return end_try(r, PASSWORD_EMPTY);
	case WIRE_ANSWER_BLIND:
		return end_try(r, PASSWORD_MISMATCH);
	case WIRE_ANSWER_FAILED: /* nothing was typed, nothing has changed */
		request_refuse(r->conn, &r->begin, WIRE_RESULT_CONV_FAILED);
		return false;
	case WIRE_ANSWER_PASSWORD:
		break;
	case WIRE_ANSWER_CODE:
	case WIRE_ANSWER_RECOVERY:
		conn_finish(r->conn); /* no module of ours answers so */
		return false;
	}
	if (!r->password || r->password->job) {
		conn_finish(r->conn);
		return false;
	}
	r->password->deadline_ns = a->deadline_ns;
	rc = check(r, a);
	if (rc == 0)
		return true;
	if (rc == -EAGAIN || rc == -ENOMEM)
		end_refused(r, &r->password->rules, PASSWORD_UNCHECKED);
	else
		lost(r, rc);
	return false;
}

/* ---------------------------------------------------------------- it was changed */

static bool ticket_fits(const struct request *r, const struct store_password *row)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int64_t age_s = server_now_s() - row->ticket_s;

	if (!r->begin.has_handle || row->ticket_s == 0 || age_s < 0 ||
	    age_s > PASSWORD_TICKET_S)
		return false;
	(void)SHA256(r->begin.handle, sizeof(r->begin.handle), digest);
	/* A digest of 128 random bits: its bytes tell nothing by the time they take. */
	return memcmp(digest, row->ticket, sizeof(digest)) == 0;
}

static int keep_change(struct request *r, struct store_password *row)
{
	struct store *store = r->server->store;
	struct password_rules rules;
	char hash[STORE_CRYPT_MAX + 1];
	int rc;

	read_rules(r, &rules);
	memcpy(hash, row->pending, sizeof(hash));
	row->changed_s = server_now_s();
	row->forced = row->ticket_other ? AGEING_RESET : AGEING_NONE;
	row->forced_s = row->ticket_other ? row->changed_s : 0;
	row->forced_by[0] = row->forced_why[0] = '\0';
	if (row->ticket_other)
		(void)snprintf(row->forced_by, sizeof(row->forced_by), "uid:%u",
			       r->begin.loginuid != AUTHZ_UNSET ? r->begin.loginuid
								: r->begin.ruid);
	row->ticket_s = 0;
	memset(row->ticket, 0, sizeof(row->ticket));
	row->ticket_other = false;
	row->pending[0] = '\0';
	rc = store_password_put(store, row);
	/* rules that went away since are no order to forget */
	if (rc == 0 && *hash && rules.history > 0)
		rc = store_password_old_add(store, row->person, hash, rules.history);
	return rc;
}

static void stage_changed(struct request *r)
{
	struct outcome bad = {.refusal = WIRE_RESULT_FORBIDDEN,
			      .reason = "pw_unconfirmed",
			      .plain = true,
			      .text = "The change of the password was not noted: it "
				      "will be asked for again."};
	struct outcome good = {.verdict = POLICY_ALLOW};
	struct store_password row;
	char id[AUDIT_ID_MAX + 1];
	int rc = store_begin(r->server->store);

	if (rc == 0)
		rc = read_row(r, &row);
	if (rc == 0 && !ticket_fits(r, &row)) {
		outcome_end(r, &bad);
		return;
	}
	if (rc == 0)
		rc = keep_change(r, &row);
	if (rc == 0)
		rc = outcome_record(r, &good, id);
	if (rc == 0)
		request_refuse(r->conn, &r->begin, WIRE_RESULT_NOTED);
	else
		lost(r, rc);
}

void password_begin(struct request *r)
{
	if (!r->person.known)
		end_unknown(r);
	else if (r->begin.op == WIRE_OP_PW_CHECK)
		stage_check(r);
	else if (r->begin.op == WIRE_OP_PW_CHANGE)
		stage_change(r);
	else
		stage_changed(r);
}

/* ---------------------------------------------------------------- at login */

static bool rests_on_password(const struct request *r)
{
	if (str_eq(r->facts.privilege, "ssh"))
		return r->facts.from_sshd && r->authenticated && !r->facts.by_key;
	return str_eq(r->facts.privilege, "console") ||
	       str_eq(r->facts.privilege, "desktop");
}

int password_at_login(struct request *r, struct outcome *o, char *buf, size_t cap)
{
	struct password_rules rules;
	struct store_password row;
	struct ageing a;
	int rc;

	if (!rests_on_password(r))
		return 0;
	read_rules(r, &rules);
	rc = store_password_get(r->server->store, r->person.id, &row);
	if (rc == STORE_E_NONE && rules.max_age_d > 0) { /* its age counts from now */
		rc = read_row(r, &row);
		return rc == 0 ? store_password_put(r->server->store, &row) : rc;
	}
	if (rc != 0)
		return rc == STORE_E_NONE ? 0 : rc;
	ageing_read(&rules, &row, server_now_s(), &a);
	if (a.why != AGEING_NONE) {
		o->new_password = true;
		o->reason = ageing_reason(a.why);
		o->text = ageing_text(a.why);
	} else if (a.warn) {
		(void)snprintf(buf, cap, "Your password expires in %lld day%s.",
			       (long long)a.left_d, a.left_d == 1 ? "" : "s");
		o->text = buf;
	}
	return 0;
}
