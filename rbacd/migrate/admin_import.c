/* SPDX-License-Identifier: Apache-2.0 */
/* admin_import.c - a second factor that another program made, for a person we know. */
#include <errno.h>

#include "rbacd/admin_internal.h"
#include "rbacd/mfa/factor.h"
#include "rbacd/mfa/otp.h"
#include "rbacd/mfa/recovery.h"
#include "rbacd/migrate/migrate.h"

#define CODE_LEN 8
#define UID_NONE UINT32_MAX

struct import {
	struct migrate_entry e; /* secret */
	uint32_t owner;		/* of the file; UID_NONE: nobody's in particular */
	bool dry;
};

static void import_done(struct import *im)
{
	explicit_bzero(im, sizeof(*im));
}

/* ---------------------------------------------------------------- arguments */

static bool read_codes(const char *text, struct migrate_entry *e)
{
	while (text && *text) {
		size_t n = strspn(text, "0123456789");

		if (n != CODE_LEN || e->n_codes == MIGRATE_CODES_MAX ||
		    (text[n] != ',' && text[n] != '\0'))
			return false;
		memcpy(e->codes[e->n_codes++], text, n);
		text += n + (text[n] == ',');
	}
	return true;
}

/* False: END says what is wrong. */
static bool read_import(struct admin_req *req, struct import *im)
{
	const char *uri = admin_arg(req, "uri");
	int64_t skew, owner;

	migrate_uri(uri, strlen(uri), &im->e);
	im->dry = admin_arg(req, "dry-run") != NULL;
	if (admin_arg_number(req, "skew", 0, 2 * MIGRATE_SKEW_MAX, MIGRATE_SKEW_MAX,
			     &skew) != 0 ||
	    admin_arg_number(req, "owner", 0, UINT32_MAX - 1, UID_NONE, &owner) != 0)
		return false;
	im->e.skew = (int)skew - MIGRATE_SKEW_MAX;
	im->owner = (uint32_t)owner;
	if (im->e.skip)
		admin_end(req, ADMIN_USAGE, "%s", im->e.skip);
	else if (!read_codes(admin_arg(req, "codes"), &im->e))
		admin_end(req, ADMIN_USAGE, "codes must be of eight digits each.");
	else
		return true;
	return false;
}

/* ---------------------------------------------------------------- checks */

/* Whoever can write the file would choose the person's second factor. */
static bool owner_ok(struct admin_req *req, const struct import *im)
{
	const struct identity_person *p = &req->person;

	if (im->owner == UID_NONE || im->owner == 0 || im->owner == p->uid)
		return true;
	admin_end(req, ADMIN_NO, "the file belongs to uid %u, not to %s", im->owner,
		  p->login);
	return false;
}

/* What the import would meet; nothing is changed. False: END says so. */
static bool possible(struct admin_req *req, const struct import *im)
{
	struct mfa *mfa = req->server->mfa;
	struct mfa_status m = {0};
	int r = admin_mfa_status(req->server, req->person.id, &m);

	if (r == 0 && m.disabled) {
		admin_end(req, ADMIN_NO,
			  "the second factor of %s is disabled: rbacctl reset first",
			  req->person.login);
		return false;
	}
	if (r == 0)
		r = factor_possible(mfa, req->person.id, &im->e.seed);
	if (r != 0 && !admin_factor_refused(req, r, ""))
		admin_unreadable(req, r);
	return r == 0;
}

/* ---------------------------------------------------------------- the change */

/*
 * A code that the other program has accepted, or still may, is none here: the factor
 * begins behind every step that the phone can have shown by now.
 */
static int add(struct admin_req *req, const struct import *im, struct store_factor *ret)
{
	const struct migrate_entry *e = &im->e;
	int64_t now_s = server_now_s();
	bool totp = e->kind == STORE_FACTOR_TOTP;
	struct factor_spec spec = {.kind = e->kind,
				   .hash = e->hash,
				   .digits = e->digits,
				   .period_s = e->period_s,
				   .last_step = e->last_step,
				   .secret = &e->seed};
	int r;

	if (totp)
		spec.last_step =
			now_s / e->period_s + (e->skew > 0 ? e->skew : 0) + OTP_WINDOW;
	r = factor_add(req->server->mfa, req->person.id, req->person.login, &spec,
		       now_s, ret);
	if (r != 0 || !totp || e->skew == 0)
		return r;
	ret->drift = (int16_t)e->skew;
	return store_factor_put(req->server->store, ret);
}

static int add_codes(struct admin_req *req, const struct import *im)
{
	const struct server *s = req->server;
	int r = 0;

	/* One that is there already, used or not, stays as it is. */
	for (size_t i = 0; r == 0 && i < im->e.n_codes; i++)
		r = recovery_store(s->store, s->seal, req->person.id,
				   STORE_CODE_RECOVERY, im->e.codes[i], 1, 0,
				   server_now_s());
	return r;
}

static void import(struct admin_req *req, const struct import *im)
{
	const char *from = admin_arg(req, "from");
	char text[160];
	struct store_factor f = {0};
	struct admin_change change = {.ev = "admin.import",
				      .op = "import",
				      .user = req->person.login,
				      .id = req->person.id,
				      .object = f.name,
				      .why = text,
				      .sev = AUDIT_WARNING};
	int r = add(req, im, &f);

	if (r == 0)
		r = add_codes(req, im);
	if (r != 0) {
		admin_failed(req, "the factor could not be stored", r);
		return;
	}
	(void)snprintf(text, sizeof(text), "from %.100s, %zu recovery codes",
		       from ? from : "otpauth", im->e.n_codes); /* fits */
	if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK, "imported as %s", f.name);
}

void admin_run_import(struct admin_req *req)
{
	_cleanup_(import_done) struct import im = {.owner = UID_NONE};

	if (!read_import(req, &im) || !admin_person_ok(req) || !owner_ok(req, &im) ||
	    !possible(req, &im))
		return;
	if (im.dry)
		admin_end(req, ADMIN_OK, "%s", "would be imported");
	else
		import(req, &im);
}
