/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c - chauthtok: may it be changed, is the new one good, and, on the line with
 * `confirm` behind the modules that change it, that they did. Changes nothing itself.
 */
#include <security/pam_ext.h>
#include <syslog.h>

#include "pam_vmsec/person.h"
#include "pam_vmsec/request.h"

#define EXPORT	    __attribute__((visibility("default")))
#define TICKET_NAME "vmsec_new_password"
#define PASSES	    (PAM_PRELIM_CHECK | PAM_UPDATE_AUTHTOK)
#define KNOWN_FLAGS (PAM_SILENT | PAM_CHANGE_EXPIRED_AUTHTOK | PASSES)

#define UNREACHABLE "Passwords cannot be changed at the moment: try again later."

struct ticket {
	uint8_t bytes[WIRE_HANDLE_LEN];
};

static void ticket_free(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	if (data)
		explicit_bzero(data, sizeof(struct ticket));
	free(data);
}

/* For the line with `confirm`, on this handle. */
static int keep_ticket(pam_handle_t *pamh, const struct wire_result_msg *m)
{
	struct ticket *t = m->has_handle ? malloc(sizeof(*t)) : NULL;

	if (!t)
		return PAM_BUF_ERR;
	memcpy(t->bytes, m->handle, sizeof(t->bytes));
	if (pam_set_data(pamh, TICKET_NAME, t, ticket_free) == PAM_SUCCESS)
		return PAM_SUCCESS;
	ticket_free(pamh, t, 0);
	return PAM_BUF_ERR;
}

/* The one table of this entry point. Everything it does not name is an error. */
static int verdict(const struct request *req, const struct talk *talk,
		   const struct wire_result_msg *m)
{
	bool change = req->begin.op == WIRE_OP_PW_CHANGE;

	if (change && m->result == WIRE_RESULT_ALLOW && talk->answered)
		return keep_ticket(req->pamh, m);
	if (!change && m->result == WIRE_RESULT_NOTED &&
	    (!talk->asked || talk->answered))
		return PAM_SUCCESS;
	if (m->result == WIRE_RESULT_FORBIDDEN && req->begin.op == WIRE_OP_PW_CHECK)
		return PAM_PERM_DENIED;
	if (m->result == WIRE_RESULT_UNAVAILABLE && req->begin.op == WIRE_OP_PW_CHECK)
		return PAM_TRY_AGAIN;
	return m->result == WIRE_RESULT_CONV_FAILED ? PAM_CONV_ERR : PAM_AUTHTOK_ERR;
}

static int ask(struct request *req)
{
	_cleanup_(request_result_done) struct wire_result_msg m = {0};
	struct talk talk = {.pamh = req->pamh,
			    .socket = req->args.socket,
			    .budget_ns = req->args.budget_ns,
			    .use_authtok = req->args.use_authtok,
			    .try_authtok = req->args.try_authtok};
	int r = talk_run(&talk, &req->begin, &m);

	if (r == 0) {
		request_tell(req, &m);
		return verdict(req, &talk, &m);
	}
	r = request_no_decision(req, r);
	if (r != PAM_AUTHINFO_UNAVAIL)
		return r;
	if (!(req->begin.flags & WIRE_FLAG_SILENT))
		person_tell(req->pamh, PAM_ERROR_MSG, UNREACHABLE,
			    sizeof(UNREACHABLE) - 1);
	return req->begin.op == WIRE_OP_PW_CHECK ? PAM_TRY_AGAIN : PAM_AUTHTOK_ERR;
}

/* Nobody behind us may use a password that was not found good. */
static int change(struct request *req)
{
	const void *token = NULL;
	int r;

	if (req->args.use_authtok &&
	    (pam_get_item(req->pamh, PAM_AUTHTOK, &token) != PAM_SUCCESS || !token)) {
		pam_syslog(req->pamh, LOG_ERR,
			   "use_authtok: no module before this one asked for a new "
			   "password");
		return PAM_AUTHTOK_ERR;
	}
	(void)pam_set_data(req->pamh, TICKET_NAME, NULL, NULL); /* of an earlier try */
	r = ask(req);
	if (r != PAM_SUCCESS &&
	    pam_set_item(req->pamh, PAM_AUTHTOK, NULL) != PAM_SUCCESS)
		pam_syslog(req->pamh, LOG_ERR,
			   "the refused password cannot be dropped");
	return r;
}

static int confirm(struct request *req)
{
	const void *data = NULL;
	const struct ticket *t;
	int r;

	if (pam_get_data(req->pamh, TICKET_NAME, &data) != PAM_SUCCESS || !data) {
		pam_syslog(req->pamh, LOG_ERR,
			   "confirm: no line of this module found a password good");
		return PAM_AUTHTOK_ERR;
	}
	t = data;
	req->begin.has_handle = true;
	memcpy(req->begin.handle, t->bytes, sizeof(t->bytes));
	r = ask(req);
	(void)pam_set_data(req->pamh, TICKET_NAME, NULL, NULL); /* used, or void */
	return r;
}

EXPORT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct request req = {.pamh = pamh,
			      .pam_flags = (unsigned)flags,
			      .begin.op = WIRE_OP_PW_CHECK};
	unsigned pass = req.pam_flags & PASSES;
	int r = request_check(&req, argc, argv, KNOWN_FLAGS);

	if (r != 0 || (pass != PAM_PRELIM_CHECK && pass != PAM_UPDATE_AUTHTOK))
		return PAM_SERVICE_ERR;
	if (pass == PAM_UPDATE_AUTHTOK)
		req.begin.op =
			req.args.confirm ? WIRE_OP_PW_CHANGED : WIRE_OP_PW_CHANGE;
	else if (req.args.confirm)
		return PAM_SUCCESS; /* nothing has been changed yet */
	if (req.pam_flags & PAM_CHANGE_EXPIRED_AUTHTOK)
		req.begin.flags |= WIRE_FLAG_EXPIRED;
	r = request_fill(&req, request_user(pamh));
	if (r != 0)
		return r;
	if (req.begin.op == WIRE_OP_PW_CHANGE)
		return change(&req);
	return req.begin.op == WIRE_OP_PW_CHANGED ? confirm(&req) : ask(&req);
}
