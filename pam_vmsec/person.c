/* SPDX-License-Identifier: Apache-2.0 */
/* person.c - one message a conversation call; answers are judged here, then wiped. */
#include "pam_vmsec/person.h"

#include "pam_vmsec/text.h"
#include "rbacd/wire/code.h"

static const struct pam_conv *host_conv(pam_handle_t *pamh)
{
	const void *item = NULL;
	const struct pam_conv *conv;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS)
		return NULL;
	conv = item;
	return conv && conv->conv ? conv : NULL;
}

bool person_reachable(pam_handle_t *pamh)
{
	return host_conv(pamh);
}

/* The host allocated it; nobody else will wipe it. */
static void response_free(struct pam_response **resp)
{
	if (*resp && (*resp)->resp) {
		explicit_bzero((*resp)->resp, strlen((*resp)->resp));
		free((*resp)->resp);
	}
	free(*resp);
}

#define _cleanup_response_ _cleanup_(response_free)

/* One message. Return: the host's code, PAM_CONV_ERR when there is nobody to ask. */
static int converse(pam_handle_t *pamh, int style, const char *text, size_t len,
		    struct pam_response **ret_resp)
{
	const struct pam_conv *conv = host_conv(pamh);
	_cleanup_free_ char *clean = NULL;
	struct pam_message msg = {.msg_style = style};
	const struct pam_message *msgs = &msg;

	if (!conv)
		return PAM_CONV_ERR;
	clean = malloc(len + 1);
	if (!clean)
		return PAM_BUF_ERR;
	text_clean(clean, text, len);
	msg.msg = clean;
	return conv->conv(1, &msgs, ret_resp, conv->appdata_ptr);
}

void person_tell(pam_handle_t *pamh, int pam_style, const char *text, size_t len)
{
	_cleanup_response_ struct pam_response *resp = NULL;

	(void)converse(pamh, pam_style, text, len, &resp); /* nothing depends on it */
}

/* No early end: how many characters are right must not show in the time it takes. */
static bool equal_in_constant_time(const char *a, const char *b, size_t len)
{
	volatile unsigned char diff = 0;

	for (size_t i = 0; i < len; i++)
		diff = (unsigned char)(diff | (unsigned char)(a[i] ^ b[i]));
	return diff == 0;
}

/*
 * sshd's password method answers every hidden prompt with the password. Where libpam
 * does not tell it, the answer may be it.
 */
static bool is_password(pam_handle_t *pamh, const char *answer, size_t len)
{
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS)
		return true;
	if (!item)
		return false;
	return strlen(item) == len && equal_in_constant_time(answer, item, len);
}

int person_ask_whole(pam_handle_t *pamh, const char *text, struct secret *ret)
{
	_cleanup_response_ struct pam_response *resp = NULL;
	size_t len;

	if (converse(pamh, PAM_PROMPT_ECHO_OFF, text, strlen(text), &resp) !=
		    PAM_SUCCESS ||
	    !resp || !resp->resp)
		return PAM_CONV_ERR;
	len = strlen(resp->resp);
	if (len == 0 || len >= sizeof(ret->bytes))
		return PAM_AUTH_ERR;
	memcpy(ret->bytes, resp->resp, len + 1);
	ret->len = len;
	return PAM_SUCCESS;
}

enum wire_answer_kind person_ask(pam_handle_t *pamh, const struct wire_prompt *prompt,
				 struct secret *ret)
{
	_cleanup_response_ struct pam_response *resp = NULL;
	bool page = prompt->style == WIRE_STYLE_PAGE;
	int style = page || prompt->style == WIRE_STYLE_VISIBLE ? PAM_PROMPT_ECHO_ON
								: PAM_PROMPT_ECHO_OFF;
	size_t len;

	if (converse(pamh, style, prompt->text, prompt->text_len, &resp) !=
		    PAM_SUCCESS ||
	    !resp || !resp->resp)
		return WIRE_ANSWER_FAILED;
	len = strlen(resp->resp);
	if (len == 0 || page)
		return WIRE_ANSWER_EMPTY;
	if (is_password(pamh, resp->resp, len))
		return WIRE_ANSWER_BLIND;
	return code_classify(resp->resp, len, ret);
}

/* ---------------------------------------------------------------- new passwords */

static bool copy_secret(struct secret *ret, const char *text)
{
	size_t len = strnlen(text, SECRET_MAX);

	if (len == SECRET_MAX)
		return false;
	memcpy(ret->bytes, text, len + 1);
	ret->len = len;
	return true;
}

/* An item that holds a secret. Return: false when it is not set, or too long. */
static bool read_token(pam_handle_t *pamh, int type, struct secret *ret)
{
	const void *item = NULL;

	return pam_get_item(pamh, type, &item) == PAM_SUCCESS && item &&
	       copy_secret(ret, item);
}

static bool ask_hidden(pam_handle_t *pamh, const char *text, size_t len,
		       struct secret *ret)
{
	_cleanup_response_ struct pam_response *resp = NULL;

	return converse(pamh, PAM_PROMPT_ECHO_OFF, text, len, &resp) == PAM_SUCCESS &&
	       resp && resp->resp && copy_secret(ret, resp->resp);
}

static enum wire_answer_kind
ask_twice(pam_handle_t *pamh, const struct wire_prompt *prompt, struct secret *ret)
{
	static const char again[] = "Retype new password: ";
	_cleanup_secret_ struct secret first = SECRET_INIT, second = SECRET_INIT;

	if (!ask_hidden(pamh, prompt->text, prompt->text_len, &first))
		return WIRE_ANSWER_FAILED;
	if (first.len == 0)
		return WIRE_ANSWER_EMPTY;
	if (!ask_hidden(pamh, again, sizeof(again) - 1, &second))
		return WIRE_ANSWER_FAILED;
	if (first.len != second.len ||
	    !equal_in_constant_time((const char *)first.bytes,
				    (const char *)second.bytes, first.len))
		return WIRE_ANSWER_BLIND;
	if (pam_set_item(pamh, PAM_AUTHTOK, first.bytes) != PAM_SUCCESS)
		return WIRE_ANSWER_FAILED;
	*ret = first;
	return WIRE_ANSWER_PASSWORD;
}

enum wire_answer_kind person_ask_password(pam_handle_t *pamh,
					  const struct wire_prompt *prompt,
					  enum person_token token,
					  struct wire_answer *ret)
{
	enum wire_answer_kind kind = WIRE_ANSWER_FAILED;

	if (token != PERSON_TOKEN_NONE && read_token(pamh, PAM_AUTHTOK, &ret->text))
		kind = ret->text.len > 0 ? WIRE_ANSWER_PASSWORD : WIRE_ANSWER_EMPTY;
	else if (token != PERSON_TOKEN_ONLY)
		kind = ask_twice(pamh, prompt, &ret->text);
	if (kind == WIRE_ANSWER_PASSWORD)
		(void)read_token(pamh, PAM_OLDAUTHTOK, &ret->old); /* none: not known */
	return kind;
}
