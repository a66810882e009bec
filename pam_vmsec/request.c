/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - from a PAM call to a BEGIN, and from a RESULT to the person. */
#include "pam_vmsec/request.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <syslog.h>

#include "pam_vmsec/origin.h"
#include "pam_vmsec/person.h"
#include "pam_vmsec/text.h"

int request_check(struct request *req, int argc, const char **argv, unsigned known)
{
	if (args_parse(req->pamh, argc, argv, &req->args) != 0)
		return PAM_SYSTEM_ERR; /* logged there, by name */
	if (req->args.combined && req->begin.op != WIRE_OP_AUTH) {
		pam_syslog(req->pamh, LOG_ERR,
			   "combined= stands on a line that is not auth: refusing");
		return PAM_SYSTEM_ERR;
	}
	if (req->begin.op < WIRE_OP_PW_CHECK &&
	    (req->args.use_authtok || req->args.try_authtok || req->args.confirm)) {
		pam_syslog(req->pamh, LOG_ERR,
			   "an option of password lines stands on another: refusing");
		return PAM_SYSTEM_ERR;
	}
	if (req->pam_flags & ~known) {
		pam_syslog(req->pamh, LOG_ERR, "unknown flags 0x%x: refusing",
			   req->pam_flags & ~known);
		return PAM_SYSTEM_ERR;
	}
	return 0;
}

const char *request_user(pam_handle_t *pamh)
{
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_USER, &item) != PAM_SUCCESS)
		return NULL;
	return item ? item : "";
}

static void set_flags(struct request *req)
{
	struct wire_begin *b = &req->begin;

	if (req->pam_flags & PAM_SILENT)
		b->flags |= WIRE_FLAG_SILENT;
	if (req->pam_flags & PAM_DISALLOW_NULL_AUTHTOK)
		b->flags |= WIRE_FLAG_NO_NULL_AUTHTOK;
	if (req->args.use_authtok)
		b->flags |= WIRE_FLAG_TOKEN;
	if (req->args.first_factor)
		b->flags |= WIRE_FLAG_FIRST_FACTOR;
	if (req->args.plain)
		b->flags |= WIRE_FLAG_PLAIN;
	if (person_reachable(req->pamh) && req->args.combined != ARGS_VERIFY)
		b->flags |= WIRE_FLAG_CAN_PROMPT;
}

int request_fill(struct request *req, const char *user)
{
	int r;

	if (!user) {
		pam_syslog(req->pamh, LOG_ERR, "the user cannot be read: refusing");
		return PAM_SYSTEM_ERR;
	}
	/* a longer name is as invalid to rbacd as its first part */
	memcpy(req->begin.user, user, strnlen(user, WIRE_NAME_MAX));
	r = origin_fill(req->pamh, &req->begin);
	if (r != 0) {
		pam_syslog(req->pamh, LOG_ERR, "%s: refusing",
			   r == -EINVAL ? "bad service name" : "no randomness");
		return PAM_SYSTEM_ERR;
	}
	set_flags(req);
	return 0;
}

int request_no_decision(const struct request *req, int error)
{
	char user[TEXT_LOG_MAX];

	text_escape(user, req->begin.user);
	if (error == -ECANCELED) {
		pam_syslog(req->pamh, LOG_NOTICE, "user='%s': no answer to the prompt",
			   user);
		return PAM_CONV_ERR;
	}
	pam_syslog(req->pamh, LOG_ERR, "user='%s': no decision from rbacd at %s: %s",
		   user, req->args.socket, talk_problem(error));
	return error == -ENOMEM ? PAM_BUF_ERR : PAM_AUTHINFO_UNAVAIL;
}

void request_tell(const struct request *req, const struct wire_result_msg *m)
{
	int style = m->result == WIRE_RESULT_ALLOW ? PAM_TEXT_INFO : PAM_ERROR_MSG;

	if (m->text[0] && !(req->begin.flags & WIRE_FLAG_SILENT))
		person_tell(req->pamh, style, m->text, strlen(m->text));
}
