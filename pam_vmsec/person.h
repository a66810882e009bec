/* SPDX-License-Identifier: Apache-2.0 */
/* person.h - the host's conversation function, which may answer anything at all. */
#pragma once

#include <security/pam_modules.h>

#include "rbacd/wire/wire.h"

/* person_reachable() - whether the host gave a conversation function. */
bool person_reachable(pam_handle_t *pamh);

/* person_tell() - show cleaned text; what becomes of it does not matter. */
void person_tell(pam_handle_t *pamh, int pam_style, const char *text, size_t len);

enum person_token {
	PERSON_TOKEN_NONE = 0, /* ask */
	PERSON_TOKEN_FIRST,    /* PAM_AUTHTOK where there is one, else ask */
	PERSON_TOKEN_ONLY,     /* PAM_AUTHTOK or nothing */
};

/*
 * person_ask_password() - a new password: typed twice, or what a module before us got.
 * @ret: text, and old if PAM_OLDAUTHTOK is known; written only for PASSWORD. One that
 *       was typed is PAM_AUTHTOK from here on.
 * Return: PASSWORD; EMPTY; BLIND: the two are not the same; FAILED: the conversation
 * failed, or it is longer than PAM allows.
 */
enum wire_answer_kind person_ask_password(pam_handle_t *pamh,
					  const struct wire_prompt *prompt,
					  enum person_token token,
					  struct wire_answer *ret);

/*
 * person_ask_whole() - one hidden prompt, and the answer as it is, terminated.
 * Return: PAM_SUCCESS; PAM_CONV_ERR; PAM_AUTH_ERR: empty, or longer than a secret.
 */
_must_check_ int person_ask_whole(pam_handle_t *pamh, const char *text,
				  struct secret *ret);

/*
 * person_ask() - one prompt, one message in one call.
 * @ret: the normalised code; written only for CODE and RECOVERY, never for a page,
 * whose answer is EMPTY whatever was typed. Every copy of the
 * answer that the host handed over is wiped. Return: what the answer was;
 * WIRE_ANSWER_FAILED for every way a conversation can fail.
 */
enum wire_answer_kind person_ask(pam_handle_t *pamh, const struct wire_prompt *prompt,
				 struct secret *ret);
