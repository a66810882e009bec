/* SPDX-License-Identifier: Apache-2.0 */
/* admin_factor.c - calls about a person's single factors and about remembered proofs.
 */

#include <errno.h>
#include <inttypes.h>

#include "rbacd/admin_internal.h"
#include "rbacd/handle.h"
#include "rbacd/mfa/key.h"
#include "rbacd/wire/code.h"

/* ---------------------------------------------------------------- list */

static void put_parameters(struct admin_row *row, const struct store_factor *f)
{
	bool code = f->kind != STORE_FACTOR_KEY;

	wire_put_cell_text(&row->w, "algorithm", code ? factor_hash_name(f->hash) : "");
	wire_put_cell_int(&row->w, "digits", f->digits);
	wire_put_cell_int(&row->w, "period", f->period_s);
	wire_put_cell_int(&row->w, "drift", f->drift);
}

static void send_factor(struct admin_req *req, const struct store_factor *f)
{
	struct admin_row row;

	admin_row_begin(&row, "factors");
	wire_put_cell_text(&row.w, "name", f->name);
	wire_put_cell_text(&row.w, "kind", factor_kind_name(f->kind));
	wire_put_cell_text(&row.w, "status", factor_status_name(f->status));
	put_parameters(&row, f);
	wire_put_cell_time(&row.w, "created", f->created_s);
	wire_put_cell_time(&row.w, "last_ok", f->last_ok_s);
	admin_row_send(req, &row);
}

static void send_state(struct admin_req *req, const struct admin_subject *who,
		       const struct mfa_status *m)
{
	struct admin_row row;

	admin_row_begin(&row, "state");
	wire_put_cell_text(&row.w, "user", who->login);
	wire_put_cell_text(&row.w, "id", who->id);
	wire_put_cell_bool(&row.w, "disabled", m->disabled);
	wire_put_cell_bool(&row.w, "locked", m->locked);
	wire_put_cell_time(&row.w, "next_try", m->locked ? m->next_try_s : 0);
	wire_put_cell_int(&row.w, "fails", m->fails);
	wire_put_cell_int(&row.w, "year_fails", m->year_fails);
	wire_put_cell_int(&row.w, "year_cap", m->year_cap);
	wire_put_cell_int(&row.w, "recovery_left", m->recovery_left);
	admin_row_send(req, &row);
}

int admin_mfa_status(const struct server *s, const char *person, struct mfa_status *ret)
{
	return mfa_status(s->mfa, person, server_now_s(), clock_ahead_s(s), ret);
}

void admin_run_factors(struct admin_req *req)
{
	struct store_factor list[STORE_FACTORS_MAX];
	struct admin_subject who = {0};
	struct mfa_status m = {0};
	size_t n = 0;
	int r;

	if (admin_find_subject(req, &who) != 0)
		return;
	r = store_factor_list(req->server->store, who.id, list, &n);
	if (r == 0)
		r = admin_mfa_status(req->server, who.id, &m);
	if (r != 0) {
		admin_unreadable(req, r);
		return;
	}
	for (size_t i = 0; i < n; i++)
		send_factor(req, &list[i]);
	explicit_bzero(list, sizeof(list));
	send_state(req, &who, &m);
	admin_end(req, ADMIN_OK, "%s", "");
}

/* ---------------------------------------------------------------- add a key */

bool admin_factor_refused(struct admin_req *req, int error, const char *name)
{
	const char *login = req->person.login;

	if (error == MFA_E_EXISTS)
		admin_end(req, ADMIN_NO, "%s has a factor called %s already.", login,
			  name);
	else if (error == MFA_E_SAME)
		admin_end(req, ADMIN_NO, "%s has this very key already.", login);
	else if (error == MFA_E_LIMIT)
		admin_end(req, ADMIN_NO,
			  "%s has %d factors, which is the limit. See: rbacctl factor "
			  "remove",
			  login, STORE_FACTORS_MAX);
	else
		return false;
	return true;
}

/* The public key as a factor's secret; false: END says what is wrong with it. */
static bool read_key(struct admin_req *req, struct secret *ret)
{
	const char *text = admin_arg(req, "key");

	ret->len = FACTOR_KEY_LEN;
	if (!key_is_fido(text))
		admin_end(
			req, ADMIN_USAGE,
			"That is not the public key of a FIDO security key: it begins "
			"with sk-ssh-ed25519@openssh.com or "
			"sk-ecdsa-sha2-nistp256@openssh.com.");
	else if (!key_fingerprint(text, ret->bytes))
		admin_end(req, ADMIN_USAGE, "The public key is damaged.");
	else
		return true;
	return false;
}

void admin_run_enrol_key(struct admin_req *req)
{
	const struct identity_person *p = &req->person;
	_cleanup_secret_ struct secret key = SECRET_INIT;
	struct factor_spec spec = {.name = admin_arg(req, "name"),
				   .kind = STORE_FACTOR_KEY,
				   .hash = STORE_SHA256,
				   .last_step = -1,
				   .secret = &key};
	struct admin_change change = {.ev = "admin.enrol_key",
				      .op = "enrol_key",
				      .user = p->login,
				      .id = p->id,
				      .sev = AUDIT_NOTICE};
	char text[KEY_FINGERPRINT_MAX];
	struct store_factor f;
	int r;

	if (!admin_person_ok(req) || !read_key(req, &key))
		return;
	if (spec.name && !factor_name_ok(spec.name)) {
		admin_end(req, ADMIN_USAGE, "That is no name for a factor.");
		return;
	}
	key_fingerprint_text(key.bytes, text);
	change.object = text;
	r = factor_add(req->server->mfa, p->id, p->login, &spec, server_now_s(), &f);
	if (admin_factor_refused(req, r, spec.name))
		return;
	if (r != 0)
		admin_failed(req, "the key could not be stored", r);
	else if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK,
			  "The key %s of %s is the factor %s. It counts where the "
			  "policy accepts security-key and sshd asks for "
			  "publickey,keyboard-interactive:pam.",
			  text, p->login, f.name);
}

/* ---------------------------------------------------------------- set right */

/* Nothing was changed; true: END says why. */
static bool not_there(struct admin_req *req, int error, const char *login)
{
	const char *name = admin_arg(req, "name");

	if (error != MFA_E_NOT_ENROLLED && error != STORE_E_NONE)
		return false;
	if (name)
		admin_end(
			req, ADMIN_NO,
			"%s has no factor %s that is in use. See: rbacctl factor list "
			"%s",
			login, name, login);
	else
		admin_end(req, ADMIN_NO, "%s has no second factor.", login);
	return true;
}

void admin_run_factor_unlock(struct admin_req *req)
{
	struct admin_subject who;
	struct admin_change change;
	int r;

	if (admin_about(req, "admin.unlock_factor", &who, &change) != 0)
		return;
	r = factor_unlock(req->server->mfa, who.id, server_now_s(),
			  clock_ahead_s(req->server));
	if (not_there(req, r, who.login))
		return;
	if (r == MFA_E_DISABLED)
		admin_end(
			req, ADMIN_NO,
			"The second factor of %s is disabled, not delayed: it must be "
			"bound again. Use: rbacctl reset %s, then enrol.",
			who.login, who.login);
	else if (r != 0 && r != MFA_E_YEAR)
		admin_failed(req, "the delay could not be ended", r);
	else if (admin_record(req, &change) == 0)
		admin_end(
			req, r == 0 ? ADMIN_OK : ADMIN_NO,
			r == 0 ? "The next code of %s is looked at."
			       : "The delay of %s has ended, but the wrong codes of a "
				 "year are spent: only a reset helps.",
			who.login);
}

static bool read_code(struct admin_req *req, const char *arg, struct secret *ret)
{
	const char *text = admin_arg(req, arg);

	if (code_classify(text, strlen(text), ret) == WIRE_ANSWER_CODE)
		return true;
	admin_end(req, ADMIN_NO, "A code is 6 or 8 digits.");
	return false;
}

void admin_run_factor_resync(struct admin_req *req)
{
	_cleanup_secret_ struct secret first = SECRET_INIT, second = SECRET_INIT;
	struct admin_subject who;
	struct admin_change change;
	int64_t delta = 0;
	int r;

	if (!read_code(req, "first", &first) || !read_code(req, "second", &second) ||
	    admin_about(req, "admin.resync", &who, &change) != 0)
		return;
	change.object = admin_arg(req, "name");
	r = factor_resync(req->server->mfa, who.id, change.object, &first, &second,
			  server_now_s(), &delta);
	if (not_there(req, r, who.login))
		return;
	if (r != 0 && r != MFA_E_WRONG) {
		admin_failed(req, "the factor could not be set right", r);
		return;
	}
	change.reason = r == 0 ? NULL : "bad_otp";
	if (admin_record(req, &change) != 0)
		return;
	if (r == 0)
		admin_end(req, ADMIN_OK,
			  "%s of %s was off by %" PRId64 " and is right now; both "
			  "codes are used up.",
			  change.object, who.login, delta);
	else
		admin_end(req, ADMIN_NO,
			  "Those are not two codes of %s that follow each other and "
			  "were not used before.",
			  change.object);
}

void admin_run_factor_remove(struct admin_req *req)
{
	struct admin_subject who;
	struct admin_change change;
	size_t left = 0;
	int r;

	if (admin_about(req, "admin.remove_factor", &who, &change) != 0)
		return;
	change.object = admin_arg(req, "name");
	r = factor_remove(req->server->mfa, who.id, change.object, &left);
	if (not_there(req, r, who.login))
		return;
	if (r != 0) {
		admin_failed(req, "the factor could not be removed", r);
		return;
	}
	handle_forget(req->server->handles, who.id);
	if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK,
			  "%s is gone, and all remembered proofs of %s. Active factors "
			  "left: %zu.",
			  change.object, who.login, left);
}

/* ---------------------------------------------------------------- proofs */

struct proofs_list {
	struct admin_req *req;
	int64_t now_s;
	unsigned sent;
};

static int send_proof(const struct store_proof *p, void *arg)
{
	struct proofs_list *list = arg;
	struct store_person who = {0};
	struct admin_row row;
	int r = store_person_get(list->req->server->store, p->person, &who);

	if (r != 0 && r != STORE_E_NONE)
		return r < 0 ? r : -EIO;
	if (list->sent++ == ADMIN_PAGE_MAX)
		return 1;
	admin_row_begin(&row, "proofs");
	wire_put_cell_text(&row.w, "user", who.login);
	wire_put_cell_text(&row.w, "id", p->person);
	wire_put_cell_text(&row.w, "vm", p->vm);
	wire_put_cell_text(&row.w, "from", p->origin);
	wire_put_cell_text(&row.w, "method",
			   policy_method_name((enum policy_method)p->method));
	wire_put_cell_time(&row.w, "at", p->at_s);
	wire_put_cell_int(&row.w, "age", list->now_s - p->at_s);
	admin_row_send(list->req, &row);
	return 0;
}

void admin_run_proofs(struct admin_req *req)
{
	struct proofs_list list = {.req = req, .now_s = server_now_s()};
	struct admin_subject who = {0};
	int r;

	if ((admin_arg(req, "user") || admin_arg(req, "id")) &&
	    admin_find_subject(req, &who) != 0)
		return;
	r = store_proof_each(req->server->store, who.id, send_proof, &list);
	if (r == 0 || r == 1)
		admin_end(req, ADMIN_OK, "%s",
			  r == 0 ? "" : "There are more; these are the newest.");
	else
		admin_unreadable(req, r);
}

void admin_run_proofs_revoke(struct admin_req *req)
{
	struct admin_subject who = {0};
	struct admin_change change = {.ev = "admin.revoke_proofs",
				      .op = "revoke_proofs",
				      .user = who.login,
				      .id = who.id,
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_WARNING};
	bool all = admin_arg(req, "all") != NULL;
	int r;

	if (all && (admin_arg(req, "user") || admin_arg(req, "id"))) {
		admin_end(req, ADMIN_USAGE, "A person or all of them, not both.");
		return;
	}
	if (!admin_why_ok(req) || (!all && admin_find_subject(req, &who) != 0))
		return;
	r = store_begin(req->server->store);
	if (r == 0)
		r = all ? store_proof_clear_all(req->server->store)
			: store_proof_clear(req->server->store, who.id);
	if (r != 0) {
		admin_failed(req, "the proofs could not be revoked", r);
		return;
	}
	handle_forget(req->server->handles, all ? NULL : who.id);
	if (all)
		change.object = "all";
	if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK,
			  "The next request that wants a code asks for one.");
}
