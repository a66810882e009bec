/* SPDX-License-Identifier: Apache-2.0 */
/* admin_people.c - calls about people's second factors: enrol, disable, reset, bypass.
 */

#include <errno.h>
#include <inttypes.h>

#include "rbacd/admin_internal.h"
#include "rbacd/enrol/pending.h"
#include "rbacd/handle.h"
#include "rbacd/log.h"
#include "rbacd/mfa/factor.h"
#include "rbacd/wire/code.h"

struct login_scan {
	const char *login;
	struct admin_subject *found;
	size_t n;
};

static int copy_text(char *dst, size_t cap, const char *src)
{
	size_t len = strlen(src);

	if (len >= cap)
		return -ENAMETOOLONG;
	memcpy(dst, src, len + 1);
	return 0;
}

static int scan_login(const struct store_person *p, void *arg)
{
	struct login_scan *scan = arg;

	if (!str_eq(p->login, scan->login))
		return 0;
	if (scan->n++ > 0)
		return 0;
	(void)copy_text(scan->found->id, sizeof(scan->found->id),
			p->id); /* same size */
	(void)copy_text(scan->found->login, sizeof(scan->found->login), p->login);
	return 0;
}

static int subject_by_id(struct admin_req *req, const char *id,
			 struct admin_subject *ret)
{
	struct store_person p;
	char quoted[LOG_QUOTED_MAX];
	int r = strlen(id) > STORE_ID_MAX
			? STORE_E_NONE
			: store_person_get(req->server->store, id, &p);

	if (r == STORE_E_NONE) {
		admin_end(
			req, ADMIN_NO,
			"Nobody with the id %s has a second factor here. See: rbacctl "
			"users",
			log_quote(id, quoted));
		return -ENOENT;
	}
	if (r != 0) {
		admin_unreadable(req, r);
		return -EIO;
	}
	(void)copy_text(ret->id, sizeof(ret->id), p.id); /* the same sizes */
	(void)copy_text(ret->login, sizeof(ret->login), p.login);
	return 0;
}

/* The person has left the directory: what is kept under that login? */
static int subject_by_login(struct admin_req *req, const char *login,
			    struct admin_subject *ret)
{
	struct login_scan scan = {.login = login, .found = ret};
	char quoted[LOG_QUOTED_MAX];
	int r = store_person_each(req->server->store, scan_login, &scan);

	if (r != 0) {
		admin_unreadable(req, r);
		return -EIO;
	}
	if (scan.n == 1)
		return 0;
	if (scan.n == 0)
		admin_end(req, ADMIN_NO,
			  "The directory (source %s) knows nobody called %s, and "
			  "nobody of "
			  "that name is enrolled.",
			  req->person.source, log_quote(login, quoted));
	else
		admin_end(req, ADMIN_NO,
			  "%zu people were enrolled as %s and none of them is in the "
			  "directory: say which one with --id (see: rbacctl users).",
			  scan.n, log_quote(login, quoted));
	return -ENOENT;
}

int admin_find_subject(struct admin_req *req, struct admin_subject *ret)
{
	const char *id = admin_arg(req, "id");
	const char *login = admin_arg(req, "user");

	if (!id == !login) {
		admin_end(req, ADMIN_USAGE, "%s needs a user or an id, not both.",
			  req->call.verb);
		return -EINVAL;
	}
	if (id)
		return subject_by_id(req, id, ret);
	if (!req->person.known)
		return subject_by_login(req, login, ret);
	if (copy_text(ret->id, sizeof(ret->id), req->person.id) != 0 ||
	    copy_text(ret->login, sizeof(ret->login), req->person.login) != 0) {
		admin_end(req, ADMIN_NO, "The person's id is too long to be stored.");
		return -ENAMETOOLONG;
	}
	return 0;
}

bool admin_person_ok(struct admin_req *req)
{
	char quoted[LOG_QUOTED_MAX];

	if (!req->person.known)
		admin_end(req, ADMIN_NO,
			  "The directory (source %s) knows nobody called %s. Check the "
			  "spelling; capital letters count.",
			  req->person.source,
			  log_quote(admin_arg(req, "user"), quoted));
	else if (!req->person.enabled)
		admin_end(req, ADMIN_NO,
			  "The account of %s is disabled in the directory.",
			  req->person.login);
	else
		return true;
	return false;
}

bool admin_why_ok(struct admin_req *req)
{
	const char *why = admin_arg(req, "why");

	if (why && strlen(why) > ADMIN_WHY_MAX) {
		admin_end(req, ADMIN_USAGE, "The reason is longer than %d bytes.",
			  ADMIN_WHY_MAX);
		return false;
	}
	return true;
}

int admin_about(struct admin_req *req, const char *ev, struct admin_subject *who,
		struct admin_change *ret)
{
	*who = (struct admin_subject){.id = ""};
	if (!admin_why_ok(req))
		return -EINVAL;
	*ret = (struct admin_change){.ev = ev,
				     .op = str_after(ev, "admin."),
				     .user = who->login,
				     .id = who->id,
				     .why = admin_arg(req, "why"),
				     .sev = AUDIT_WARNING};
	return admin_find_subject(req, who);
}

/* ---------------------------------------------------------------- enrol */

static int enrol_hash(struct admin_req *req, enum store_hash *ret)
{
	static const struct {
		const char *name;
		enum store_hash hash;
	} names[] = {{"sha1", STORE_SHA1},
		     {"sha256", STORE_SHA256},
		     {"sha512", STORE_SHA512}};
	const char *name = admin_arg(req, "algorithm");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(name ? name : "sha1", names[i].name)) {
			*ret = names[i].hash;
			return 0;
		}
	admin_end(req, ADMIN_USAGE, "algorithm must be sha1, sha256 or sha512.");
	return -EINVAL;
}

/* A name says that the factor comes beside those that are there. */
static int enrol_beside(struct admin_req *req, struct mfa_enrol_options *ret)
{
	const char *kind = admin_arg(req, "kind");

	ret->name = admin_arg(req, "name");
	ret->kind = str_eq(kind, "hotp") ? STORE_FACTOR_HOTP : STORE_FACTOR_TOTP;
	if (kind && !str_eq(kind, factor_kind_name(ret->kind))) {
		admin_end(req, ADMIN_USAGE, "kind must be totp or hotp.");
		return -EINVAL;
	}
	if (ret->kind == STORE_FACTOR_HOTP && admin_arg(req, "period")) {
		admin_end(req, ADMIN_USAGE, "hotp counts; it has no period.");
		return -EINVAL;
	}
	if (ret->kind == STORE_FACTOR_HOTP)
		ret->period_s = 0;
	if (!ret->name || factor_name_ok(ret->name))
		return 0;
	admin_end(req, ADMIN_USAGE,
		  "name must be 1 to 32 of A-Z a-z 0-9 . _ - and begin with a letter "
		  "or digit.");
	return -EINVAL;
}

static int enrol_options(struct admin_req *req, struct mfa_enrol_options *ret)
{
	int64_t digits, period;

	ret->issuer = admin_arg(req, "issuer");
	if (!ret->issuer)
		ret->issuer = req->server->config->issuer;
	if (strlen(ret->issuer) > ADMIN_ISSUER_MAX || strchr(ret->issuer, ':')) {
		admin_end(req, ADMIN_USAGE,
			  "issuer must be at most %d bytes and without a colon.",
			  ADMIN_ISSUER_MAX);
		return -EINVAL;
	}
	if (enrol_hash(req, &ret->hash) != 0 ||
	    admin_arg_number(req, "digits", 6, 8, 6, &digits) != 0 ||
	    admin_arg_number(req, "period", 30, 60, 30, &period) != 0)
		return -EINVAL;
	if (digits == 7 || (period != 30 && period != 60)) {
		admin_end(req, ADMIN_USAGE, "digits must be 6 or 8, period 30 or 60.");
		return -EINVAL;
	}
	ret->digits = (uint8_t)digits;
	ret->period_s = (uint16_t)period;
	return enrol_beside(req, ret);
}

static void send_enrolment(struct admin_req *req, const struct mfa_enrolment *e,
			   const struct mfa_enrol_options *opt)
{
	struct admin_row row;

	admin_row_begin(&row, "enrolment");
	wire_put_cell_text(&row.w, "user", req->person.login);
	wire_put_cell_text(&row.w, "id", req->person.id);
	wire_put_cell_text(&row.w, "issuer", opt->issuer);
	wire_put_cell_int(&row.w, "digits", opt->digits);
	wire_put_cell_int(&row.w, "period", opt->period_s);
	wire_put_cell_text(&row.w, "uri", e->uri);
	wire_put_cell_text(&row.w, "factor", e->name);
	admin_row_send(req, &row);
	for (size_t i = 0; e->has_recovery && i < MFA_RECOVERY_CODES; i++) {
		admin_row_begin(&row, "recovery");
		wire_put_cell_text(&row.w, "code", e->recovery[i]);
		admin_row_send(req, &row);
	}
}

void admin_run_enrol_begin(struct admin_req *req)
{
	struct mfa_enrol_options opt = {.kind = STORE_FACTOR_TOTP};
	_cleanup_(mfa_enrolment_done) struct mfa_enrolment e = MFA_ENROLMENT_INIT;
	const struct identity_person *p = &req->person;
	const struct admin_change change = {.ev = "admin.enrol",
					    .op = "enrol",
					    .user = p->login,
					    .id = p->id,
					    .sev = AUDIT_NOTICE};
	int r;

	if (!admin_person_ok(req) || enrol_options(req, &opt) != 0)
		return;
	r = mfa_enrol_begin(req->server->mfa, p->id, p->login, &opt, server_now_s(),
			    &e);
	if (r == MFA_E_EXISTS && !opt.name) {
		admin_end(req, ADMIN_NO,
			  "%s has an active second factor already. To add another: "
			  "--name NAME; to replace it: rbacctl reset %s, then enrol "
			  "again.",
			  p->login, p->login);
		return;
	}
	if (admin_factor_refused(req, r, opt.name))
		return;
	if (r != 0) {
		admin_failed(req, "the enrolment could not be stored", r);
		return;
	}
	if (admin_record(req, &change) != 0)
		return;
	send_enrolment(req, &e, &opt);
	admin_end(req, ADMIN_OK,
		  "%s is not enrolled before one right code has confirmed it.",
		  p->login);
}

static void end_confirm(struct admin_req *req, int r)
{
	const char *login = req->person.login;
	struct admin_change change = {.ev = "admin.enrol_confirm",
				      .op = "enrol_confirm",
				      .user = login,
				      .id = req->person.id,
				      .reason = r == 0 ? NULL : "bad_otp",
				      .sev = AUDIT_NOTICE};

	if (admin_record(req, &change) != 0)
		return;
	if (r == 0)
		admin_end(req, ADMIN_OK, "%s is enrolled.", login);
	else
		admin_end(req, ADMIN_NO,
			  "That is not the code which belongs to the new key. Wait for "
			  "the "
			  "next one; the clocks of the phone and of this host must "
			  "agree.");
}

void admin_run_enrol_confirm(struct admin_req *req)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;
	const char *text = admin_arg(req, "code");
	int r;

	if (!admin_person_ok(req))
		return;
	if (code_classify(text, strlen(text), &code) != WIRE_ANSWER_CODE) {
		admin_end(req, ADMIN_NO,
			  "A code is the 6 or 8 digits that the app shows now.");
		return;
	}
	r = mfa_enrol_confirm(req->server->mfa, req->person.id, &code, server_now_s());
	if (r == MFA_E_NOT_ENROLLED)
		admin_end(req, ADMIN_NO,
			  "%s has no enrolment that waits for a code. Begin with: "
			  "rbacctl "
			  "enrol %s",
			  req->person.login, req->person.login);
	else if (r == 0 || r == MFA_E_WRONG)
		end_confirm(req, r);
	else
		admin_failed(req, "the enrolment could not be confirmed", r);
}

/* ---------------------------------------------------------------- disable, reset */

void admin_run_disable(struct admin_req *req)
{
	struct admin_subject who;
	struct admin_change change;
	int r;

	if (admin_about(req, "admin.disable", &who, &change) != 0)
		return;
	r = mfa_disable(req->server->mfa, who.id);
	if (r == MFA_E_NOT_ENROLLED || r == STORE_E_NONE) {
		admin_end(req, ADMIN_NO, "%s has no second factor to disable.",
			  who.login);
		return;
	}
	if (r != 0) {
		admin_failed(req, "the second factor could not be disabled", r);
		return;
	}
	handle_forget(req->server->handles, who.id);
	pending_forget(req->server->pendings, who.id);
	if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK,
			  "No code of %s is accepted any more. Sessions that are open "
			  "stay "
			  "open. To give access back: rbacctl reset %s, then enrol.",
			  who.login, who.login);
}

void admin_run_reset(struct admin_req *req)
{
	struct admin_subject who;
	struct store_person kept;
	struct admin_change change;
	int r;

	if (admin_about(req, "admin.reset", &who, &change) != 0)
		return;
	r = store_person_get(req->server->store, who.id, &kept);
	if (r == 0)
		r = mfa_reset(req->server->mfa, who.id);
	if (r == MFA_E_NOT_ENROLLED || r == STORE_E_NONE) {
		admin_end(req, ADMIN_NO, "%s has no second factor to reset.",
			  who.login);
		return;
	}
	if (r != 0) {
		admin_failed(req, "the second factor could not be reset", r);
		return;
	}
	handle_forget(req->server->handles, who.id);
	pending_forget(req->server->pendings, who.id);
	if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK,
			  "Factors, codes, counters and remembered proofs of %s are "
			  "gone. "
			  "Next: rbacctl enrol %s",
			  who.login, who.login);
}

/* ---------------------------------------------------------------- bypass */

static void send_bypass(struct admin_req *req, const char *code, int64_t uses,
			int64_t expires_s)
{
	struct admin_row row;

	admin_row_begin(&row, "bypass");
	wire_put_cell_text(&row.w, "user", req->person.login);
	wire_put_cell_text(&row.w, "code", code);
	wire_put_cell_int(&row.w, "uses", uses);
	wire_put_cell_time(&row.w, "expires", expires_s);
	admin_row_send(req, &row);
}

/* A bypass stands in for a working factor; it never replaces an enrolment or a reset.
 */
static bool stands_in(struct admin_req *req)
{
	const char *login = req->person.login;
	struct mfa_status m = {0};
	int r = admin_mfa_status(req->server, req->person.id, &m);

	if (r != 0)
		admin_unreadable(req, r);
	else if (m.disabled)
		admin_end(req, ADMIN_NO,
			  "The second factor of %s is disabled, so no code would be "
			  "accepted. Use: rbacctl reset %s, then enrol.",
			  login, login);
	else if (!m.enrolled)
		admin_end(
			req, ADMIN_NO,
			"%s has no active second factor, so there is none to stand in "
			"for. Enrol instead: rbacctl enrol %s",
			login, login);
	else
		return true;
	return false;
}

void admin_run_bypass(struct admin_req *req)
{
	const struct identity_person *p = &req->person;
	struct admin_change change = {.ev = "admin.bypass",
				      .op = "bypass",
				      .user = p->login,
				      .id = p->id,
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_ALERT};
	char code[MFA_CODE_TEXT] = "";
	int64_t uses, for_s, now_s = server_now_s();
	int r;

	if (!admin_person_ok(req) || !admin_why_ok(req) ||
	    admin_arg_number(req, "uses", 1, ADMIN_USES_MAX, 1, &uses) != 0 ||
	    admin_arg_number(req, "for", 60, ADMIN_BYPASS_MAX_S, 3600, &for_s) != 0)
		return;
	if (!stands_in(req))
		return;
	r = mfa_bypass(req->server->mfa, p->id, p->login, (uint32_t)uses, now_s + for_s,
		       now_s, code);
	if (r != 0)
		admin_failed(req, "the code could not be stored", r);
	else if (admin_record(req, &change) == 0) {
		send_bypass(req, code, uses, now_s + for_s);
		admin_end(req, ADMIN_OK,
			  "Whoever has this code and %s's first factor gets in. Tell "
			  "it to "
			  "the person only.",
			  p->login);
	}
	explicit_bzero(code, sizeof(code));
}

/* ---------------------------------------------------------------- users */

struct users_page {
	struct admin_req *req;
	int64_t from, at, sent;
};

static void put_mfa(struct admin_row *row, const struct mfa_status *m)
{
	wire_put_cell_bool(&row->w, "enrolled", m->enrolled);
	wire_put_cell_bool(&row->w, "pending", m->pending);
	wire_put_cell_bool(&row->w, "disabled", m->disabled);
	wire_put_cell_bool(&row->w, "locked", m->locked);
	wire_put_cell_time(&row->w, "next_try", m->locked ? m->next_try_s : 0);
}

static int send_user(const struct store_person *p, void *arg)
{
	struct users_page *page = arg;
	struct mfa_status m = {0};
	struct admin_row row;
	int r;

	if (page->at++ < page->from)
		return 0;
	if (page->sent == ADMIN_PAGE_MAX)
		return 1;
	r = admin_mfa_status(page->req->server, p->id, &m);
	if (r != 0)
		return r < 0 ? r : -EIO;
	admin_row_begin(&row, "users");
	wire_put_cell_text(&row.w, "login", p->login);
	wire_put_cell_text(&row.w, "id", p->id);
	put_mfa(&row, &m);
	wire_put_cell_int(&row.w, "fails", m.fails);
	wire_put_cell_int(&row.w, "year_fails", m.year_fails);
	wire_put_cell_int(&row.w, "recovery_left", m.recovery_left);
	wire_put_cell_time(&row.w, "last_ok", m.last_ok_s);
	admin_row_send(page->req, &row);
	page->sent++;
	return 0;
}

void admin_run_users(struct admin_req *req)
{
	struct users_page page = {.req = req};
	int r;

	if (admin_arg_number(req, "from", 0, ADMIN_SCAN_MAX, 0, &page.from) != 0)
		return;
	r = store_person_each(req->server->store, send_user, &page);
	if (r == 1) {
		struct admin_row row;

		admin_row_begin(&row, "more");
		wire_put_cell_int(&row.w, "from", page.from + page.sent);
		admin_row_send(req, &row);
	}
	if (r == 0 || r == 1)
		admin_end(req, ADMIN_OK, "%s", "");
	else
		admin_unreadable(req, r);
}

/* ---------------------------------------------------------------- one's own state */

/*
 * The caller names a login and the kernel the uid; both must be the same person. A
 * wrong name gets one answer, whether it exists or not.
 */
void admin_run_my_status(struct admin_req *req)
{
	const struct identity_person *p = &req->person;
	uint32_t uid = conn_peer_uid(req->conn);
	struct mfa_status m = {0};
	struct admin_row row;
	int r;

	if (!p->known || p->uid != uid || uid == UINT32_MAX) {
		admin_end(req, ADMIN_NO,
			  "Your uid is %" PRIu32
			  ", and that is not the login you named.",
			  uid);
		return;
	}
	r = admin_mfa_status(req->server, p->id, &m);
	if (r != 0) {
		admin_end(req, ADMIN_NO,
			  "Your state could not be read. Try again later.");
		return;
	}
	admin_row_begin(&row, "my_status");
	wire_put_cell_text(&row.w, "login", p->login);
	put_mfa(&row, &m);
	wire_put_cell_int(&row.w, "recovery_left", m.recovery_left);
	wire_put_cell_time(&row.w, "last_ok", m.last_ok_s);
	admin_row_send(req, &row);
	admin_end(req, ADMIN_OK, "%s",
		  m.enrolled ? ""
			     : "You have no second factor. Ask your administrator.");
}
