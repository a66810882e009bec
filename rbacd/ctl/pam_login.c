/* SPDX-License-Identifier: Apache-2.0 */
/* pam_login.c - libpam with this terminal as the person. */
#include "rbacd/ctl/pam_login.h"

#include <security/pam_appl.h>
#include <stdlib.h>

#include "rbacd/ctl/prompt.h"

#define ANSWER_MAX 512

struct terminal {
	FILE *in, *out;
};

static char *ask(const struct terminal *t, const char *prompt, bool echo)
{
	char line[ANSWER_MAX] = "", *answer = NULL;

	if (prompt_read(t->in, t->out, prompt, echo, line, sizeof(line)))
		answer = strdup(line);
	explicit_bzero(line, sizeof(line));
	return answer;
}

static void drop(struct pam_response *r, int n)
{
	for (int i = 0; i < n; i++) {
		if (r[i].resp)
			explicit_bzero(r[i].resp, strlen(r[i].resp));
		free(r[i].resp);
	}
	free(r);
}

static int converse(int n, const struct pam_message **msg, struct pam_response **ret,
		    void *arg)
{
	const struct terminal *t = arg;
	struct pam_response *r;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	r = calloc((size_t)n, sizeof(*r));
	if (!r)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		int style = msg[i]->msg_style;

		if (style != PAM_PROMPT_ECHO_ON && style != PAM_PROMPT_ECHO_OFF) {
			(void)fprintf(t->out, "%s\n", msg[i]->msg);
			continue;
		}
		r[i].resp = ask(t, msg[i]->msg, style == PAM_PROMPT_ECHO_ON);
		if (!r[i].resp) {
			drop(r, n);
			return PAM_CONV_ERR;
		}
	}
	*ret = r;
	return PAM_SUCCESS;
}

int pam_login_try(const char *service, const char *user, const char *from, FILE *in,
		  FILE *out, FILE *err)
{
	struct terminal t = {.in = in, .out = out};
	const struct pam_conv conv = {converse, &t};
	pam_handle_t *pamh = NULL;
	const char *step = "start";
	int r = pam_start(service, user, &conv, &pamh);

	if (r == PAM_SUCCESS && from) {
		char connection[128];

		/* As sshd tells it; our module believes only what is in PAM's own. */
		(void)snprintf(connection, sizeof(connection),
			       "SSH_CONNECTION=%s 1 127.0.0.1 22", from);
		r = pam_set_item(pamh, PAM_RHOST, from);
		if (r == PAM_SUCCESS)
			r = pam_putenv(pamh, connection);
	}
	if (r == PAM_SUCCESS) {
		step = "the auth lines";
		r = pam_authenticate(pamh, 0);
	}
	if (r == PAM_SUCCESS) {
		step = "the account lines";
		r = pam_acct_mgmt(pamh, 0);
	}
	(void)fprintf(r == PAM_SUCCESS ? out : err, "%s %s: %s\n", service,
		      r == PAM_SUCCESS ? "would let in" : step,
		      r == PAM_SUCCESS ? user : pam_strerror(pamh, r));
	if (pamh)
		(void)pam_end(pamh, r);
	return r == PAM_SUCCESS ? 0 : 1;
}

struct listener {
	FILE *out;
	bool asked;
};

/* Shows what is said, and answers nothing. */
static int listen_only(int n, const struct pam_message **msg, struct pam_response **ret,
		       void *arg)
{
	struct listener *l = arg;

	for (int i = 0; i < n && !l->asked; i++) {
		(void)fprintf(l->out, "%s\n", msg[i]->msg);
		l->asked = msg[i]->msg_style == PAM_PROMPT_ECHO_ON ||
			   msg[i]->msg_style == PAM_PROMPT_ECHO_OFF;
	}
	if (l->asked || n <= 0)
		return PAM_CONV_ERR;
	*ret = calloc((size_t)n, sizeof(**ret));
	return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

int pam_change_try(const char *service, const char *user, FILE *out, FILE *err)
{
	struct listener l = {.out = out};
	const struct pam_conv conv = {listen_only, &l};
	pam_handle_t *pamh = NULL;
	int r = pam_start(service, user, &conv, &pamh);

	if (r == PAM_SUCCESS)
		r = pam_chauthtok(pamh, 0);
	if (l.asked)
		(void)fprintf(out, "%s asks %s for a new password; nothing was set\n",
			      service, user);
	else
		(void)fprintf(err, "%s: the password lines: %s\n", service,
			      pam_strerror(pamh, r));
	if (pamh)
		(void)pam_end(pamh, r);
	return l.asked ? 0 : 1;
}
