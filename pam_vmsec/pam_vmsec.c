/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pam_vmsec.c - the entry points of a login. A messenger: collects what PAM knows,
 * relays rbacd's prompts, maps one result to one PAM code. It holds no rule of its own.
 */
#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>

#include "pam_vmsec/combined.h"
#include "pam_vmsec/origin.h"
#include "pam_vmsec/person.h"
#include "pam_vmsec/request.h"
#include "pam_vmsec/text.h"

#define EXPORT		  __attribute__((visibility("default")))
#define DATA_NAME	  "vmsec_transaction"
#define ID_VAR		  "VMSEC_ID="
#define KNOWN_FLAGS	  (PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK)
#define SESSION_BUDGET_NS 1000000000u

/*
 * What auth leaves for account on the same PAM handle; account leaves it, without the
 * handle, for the session phase as the sign that a decision was asked for.
 */
struct transaction {
	bool has_handle;
	uint8_t handle[WIRE_HANDLE_LEN];
	char user[]; /* terminated */
};

static void transaction_free(pam_handle_t *pamh, void *data, int status)
{
	struct transaction *t = data;

	(void)pamh;
	(void)status; /* a forked child frees its own copy */
	if (t)
		explicit_bzero(t->handle, sizeof(t->handle));
	free(t);
}

static const struct transaction *transaction_get(pam_handle_t *pamh)
{
	const void *data = NULL;

	return pam_get_data(pamh, DATA_NAME, &data) == PAM_SUCCESS ? data : NULL;
}

/* Made before rbacd is asked: the host may change or free PAM_USER while it converses.
 */
static struct transaction *transaction_new(const char *user)
{
	size_t len = strlen(user);
	struct transaction *t = calloc(1, sizeof(*t) + len + 1);

	if (t)
		memcpy(t->user, user, len + 1);
	return t;
}

/* The one table from results to PAM codes. Everything it does not name denies. */
static const struct {
	enum wire_result result;
	int auth;
	int account;
} denials[] = {
	{WIRE_RESULT_AUTH_FAILED, PAM_AUTH_ERR, PAM_PERM_DENIED},
	{WIRE_RESULT_LOCKED, PAM_MAXTRIES, PAM_PERM_DENIED},
	{WIRE_RESULT_FORBIDDEN, PAM_PERM_DENIED, PAM_PERM_DENIED},
	{WIRE_RESULT_UNAVAILABLE, PAM_AUTHINFO_UNAVAIL, PAM_AUTHINFO_UNAVAIL},
	{WIRE_RESULT_CONV_FAILED, PAM_CONV_ERR, PAM_CONV_ERR},
	{WIRE_RESULT_NEW_PASSWORD, PAM_AUTH_ERR, PAM_PERM_DENIED},
};

static int verdict(const struct request *req, const struct talk *talk,
		   const struct wire_result_msg *m)
{
	/* an answer that was refused here grants nothing, whatever is said to it */
	bool grants = (!talk->asked || talk->answered) &&
		      memcmp(m->nonce, req->begin.nonce, sizeof(m->nonce)) == 0;

	/* a grant too: sshd goes on after it, and has the password changed */
	if (m->result == WIRE_RESULT_NEW_PASSWORD && grants &&
	    req->begin.op == WIRE_OP_ACCOUNT)
		return PAM_NEW_AUTHTOK_REQD;
	for (size_t i = 0; i < ARRAY_SIZE(denials); i++)
		if (m->result == denials[i].result)
			return req->begin.op == WIRE_OP_AUTH ? denials[i].auth
							     : denials[i].account;
	if (m->result == WIRE_RESULT_ALLOW && grants)
		return PAM_SUCCESS;
	pam_syslog(req->pamh, LOG_ERR, "rbacd: result %u makes no sense here: refusing",
		   (unsigned)m->result);
	return PAM_AUTHINFO_UNAVAIL;
}

/* VMSEC_ID is for people to quote; no decision reads it. */
static void publish_id(const struct request *req, const char *id)
{
	char var[sizeof(ID_VAR) + WIRE_ID_MAX] = ID_VAR;

	if (!id[0])
		return;
	memcpy(var + sizeof(ID_VAR) - 1, id, strlen(id) + 1);
	if (pam_putenv(req->pamh, var) != PAM_SUCCESS)
		pam_syslog(req->pamh, LOG_WARNING,
			   "VMSEC_ID is not set: out of memory");
}

/* What the next phase needs: after auth only what was accepted, after account a sign.
 */
static int remember(struct request *req, const struct wire_result_msg *m, int code)
{
	if (req->begin.op == WIRE_OP_AUTH) {
		if (code != PAM_SUCCESS)
			return code;
		req->next->has_handle = m->has_handle;
		memcpy(req->next->handle, m->handle, sizeof(m->handle));
	}
	if (pam_set_data(req->pamh, DATA_NAME, req->next, transaction_free) !=
	    PAM_SUCCESS)
		return PAM_BUF_ERR;
	(void)STEAL(req->next); /* the handle owns it now */
	return code;
}

static int ask(struct request *req)
{
	_cleanup_(request_result_done) struct wire_result_msg m = {0};
	_cleanup_secret_ struct secret code = SECRET_INIT;
	struct talk talk = {.pamh = req->pamh,
			    .socket = req->args.socket,
			    .budget_ns = req->args.budget_ns};
	int r;

	if (req->args.combined == ARGS_VERIFY) {
		if (!combined_take(req->pamh, &code)) {
			pam_syslog(req->pamh, LOG_ERR,
				   "combined=verify without combined=split: refusing");
			return PAM_AUTH_ERR;
		}
		talk.ready = &code;
	}
	r = talk_run(&talk, &req->begin, &m);
	if (r != 0)
		return request_no_decision(req, r);
	publish_id(req, m.id);
	request_tell(req, &m);
	r = remember(req, &m, verdict(req, &talk, &m));
	if (r == PAM_SUCCESS && talk.ready)
		combined_done(req->pamh);
	return r;
}

/* User, origin, flags. Return: 0 or the PAM code to end with. */
static int prepare(struct request *req, const char *user)
{
	if (user) {
		req->next = transaction_new(user);
		if (!req->next)
			return PAM_BUF_ERR;
	}
	return request_fill(req, user);
}

static void request_done(struct request *req)
{
	if (req->next)
		transaction_free(req->pamh, req->next, 0);
}

#define _cleanup_request_ _cleanup_(request_done)

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
			       const char **argv)
{
	_cleanup_request_ struct request req = {.pamh = pamh,
						.pam_flags = (unsigned)flags,
						.begin.op = WIRE_OP_AUTH};
	const char *user = NULL;
	int r;

	r = request_check(&req, argc, argv, KNOWN_FLAGS);
	if (r != 0)
		return r;
	/* an earlier attempt on this handle must not vouch for this one */
	(void)pam_set_data(pamh, DATA_NAME, NULL,
			   NULL); /* nothing there: nothing to drop */
	if (req.args.combined == ARGS_SPLIT)
		return combined_split(pamh, req.args.digits);
	/* libpam would call the missing conversation function for the name */
	user = request_user(pamh);
	if ((!user || !user[0]) && !person_reachable(pamh))
		return PAM_CONV_ERR;
	r = pam_get_user(pamh, &user, NULL);
	if (r != PAM_SUCCESS)
		return r == PAM_BUF_ERR ? PAM_BUF_ERR : PAM_CONV_ERR;
	r = prepare(&req, user);
	return r != 0 ? r : ask(&req);
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	_cleanup_request_ struct request req = {.pamh = pamh,
						.pam_flags = (unsigned)flags,
						.begin.op = WIRE_OP_ACCOUNT};
	const struct transaction *t = transaction_get(pamh);
	int r;

	r = request_check(&req, argc, argv, KNOWN_FLAGS);
	if (r == 0)
		r = prepare(&req, request_user(pamh));
	if (r != 0)
		return r;
	if (combined_waits(pamh)) {
		pam_syslog(pamh, LOG_ERR,
			   "combined=split without a combined=verify that said yes: "
			   "refusing");
		return PAM_PERM_DENIED;
	}
	if (t && !str_eq(t->user, req.next->user)) {
		pam_syslog(pamh, LOG_ERR,
			   "the user changed since authentication: refusing");
		return PAM_PERM_DENIED;
	}
	if (t && t->has_handle) {
		req.begin.has_handle = true;
		memcpy(req.begin.handle, t->handle, sizeof(t->handle));
	}
	return ask(&req);
}

/* A local root login that no decision of ours stands behind: the rescue line. */
static void report_rescue(const struct request *req)
{
	char tty[TEXT_LOG_MAX];

	if (!str_eq(req->begin.service, "login") || !str_eq(req->begin.user, "root"))
		return;
	text_escape(tty, req->begin.tty);
	pam_syslog(req->pamh, LOG_ALERT,
		   "rescue: root entered on '%s' without a decision", tty);
}

static void session_fill(struct request *req)
{
	const char *id = origin_decision_id(req->pamh);

	if (id && strnlen(id, WIRE_ID_MAX + 1) <= WIRE_ID_MAX)
		memcpy(req->begin.vmsec_id, id, strlen(id));
	if (!id && !transaction_get(req->pamh) && req->begin.op == WIRE_OP_OPEN) {
		req->begin.flags |= WIRE_FLAG_RESCUE;
		report_rescue(req);
	}
}

/* Best effort, short, silent: the session phase neither grants nor denies. */
static void report(pam_handle_t *pamh, int argc, const char **argv, enum wire_op op)
{
	_cleanup_request_ struct request req = {.pamh = pamh,
						.pam_flags = PAM_SILENT,
						.begin.op = op};
	_cleanup_(request_result_done) struct wire_result_msg m = {0};
	struct talk talk = {.pamh = pamh, .budget_ns = SESSION_BUDGET_NS};
	int r;

	if (args_parse(pamh, argc, argv, &req.args) != 0 ||
	    prepare(&req, request_user(pamh)) != 0)
		return; /* logged there */
	session_fill(&req);
	req.begin.flags &= ~(uint32_t)WIRE_FLAG_CAN_PROMPT;
	talk.socket = req.args.socket;
	r = talk_run(&talk, &req.begin, &m);
	if (r != 0)
		pam_syslog(pamh, LOG_NOTICE, "session not reported to rbacd: %s",
			   talk_problem(r));
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc,
			       const char **argv)
{
	(void)flags; /* nothing is shown, with PAM_SILENT or without */
	report(pamh, argc, argv, WIRE_OP_OPEN);
	return PAM_SUCCESS;
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc,
				const char **argv)
{
	(void)flags; /* as above */
	report(pamh, argc, argv, WIRE_OP_CLOSE);
	return PAM_SUCCESS;
}

/* sshd ignores its failure after a key and sudo calls it for the target user. */
EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
