/* SPDX-License-Identifier: Apache-2.0 */
/* transaction.c - one whole PAM transaction, as an application would run it. */
#include "tests/bench/transaction.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void responses_free(struct pam_response *r, int n)
{
	for (int i = 0; i < n; i++)
		free(r[i].resp);
	free(r);
}

static int converse(int n, const struct pam_message **msg, struct pam_response **resp,
		    void *arg)
{
	const struct transaction *t = arg;
	struct pam_response *r;

	if (!t->answer || n <= 0)
		return PAM_CONV_ERR;
	r = calloc((size_t)n, sizeof(*r));
	if (!r)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		if (msg[i]->msg_style != PAM_PROMPT_ECHO_OFF &&
		    msg[i]->msg_style != PAM_PROMPT_ECHO_ON)
			continue;
		r[i].resp = strdup(t->answer);
		if (!r[i].resp) {
			responses_free(r, n);
			return PAM_BUF_ERR;
		}
	}
	*resp = r;
	return PAM_SUCCESS;
}

static int put_env(pam_handle_t *h, const char *name, const char *value)
{
	char text[512];

	if (!value)
		return PAM_SUCCESS;
	if (snprintf(text, sizeof(text), "%s=%s", name, value) >= (int)sizeof(text))
		return PAM_BUF_ERR;
	return pam_putenv(h, text);
}

static int run_phases(pam_handle_t *h, const struct transaction *t)
{
	int rc = put_env(h, "SSH_CONNECTION", t->ssh_connection);

	if (rc == PAM_SUCCESS)
		rc = put_env(h, "SSH_AUTH_INFO_0", t->ssh_auth_info);
	if (rc == PAM_SUCCESS && t->auth)
		rc = pam_authenticate(h, 0);
	if (rc == PAM_SUCCESS && t->account)
		rc = pam_acct_mgmt(h, 0);
	return rc;
}

int transaction_run(const struct transaction *t)
{
	struct transaction copy = *t; /* the conversation's argument is not const */
	struct pam_conv conv = {.conv = converse, .appdata_ptr = &copy};
	pam_handle_t *h = NULL;
	int rc = pam_start_confdir(t->service, t->user, &conv, t->confdir, &h);

	if (rc != PAM_SUCCESS)
		return rc;
	rc = run_phases(h, t);
	(void)pam_end(h, rc); /* the result is known already */
	return rc;
}
