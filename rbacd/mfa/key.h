/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - security keys: FIDO keys of SSH that an administrator enrolled, recognised by
 * the SHA-256 of the public key that sshd says was used. The "sk-" of a key's type
 * proves nothing by itself: software can claim it.
 */
#pragma once

#include "rbacd/mfa/factor.h"

#define KEY_TEXT_MAX	    52 /* "SHA256:" and 43 characters, as ssh-keygen -l */
#define KEY_FINGERPRINT_MAX (KEY_TEXT_MAX + 1)

/*
 * key_fingerprint() - of "TYPE BASE64[ COMMENT]", the first line of @text.
 * Return: true and *ret; false: malformed, or TYPE is not the one inside the key.
 */
bool key_fingerprint(const char *text, uint8_t ret[FACTOR_KEY_LEN]);
/* key_is_fido() - @text begins with the type of a FIDO key. */
bool key_is_fido(const char *text);
/* key_fingerprint_text() - "SHA256:…" as ssh-keygen prints it. */
void key_fingerprint_text(const uint8_t fp[FACTOR_KEY_LEN],
			  char ret[KEY_FINGERPRINT_MAX]);

/*
 * mfa_key() - is one of the keys that sshd names an enrolled one of @person?
 * @auth_info: SSH_AUTH_INFO_0 of a service that sshd itself runs.
 * A disabled person has no key. Delays do not bind it: nobody guesses a key. An
 * accepted one ends the run of wrong codes.
 * Return: 0 and *ret, accepted or refused; otherwise the caller denies.
 */
_must_check_ int mfa_key(struct mfa *mfa, const char *person, const char *auth_info,
			 int64_t now_s, struct mfa_result *ret);
