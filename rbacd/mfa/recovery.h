/* SPDX-License-Identifier: Apache-2.0 */
/* recovery.h - recovery and bypass codes: made once, kept as keyed MACs. */
#pragma once

#include "rbacd/mfa/mfa.h"

#define RECOVERY_DIGITS 8 /* of a code that another program made and printed */

/* recovery_make() - a new random code as people type it; secret. */
_must_check_ int recovery_make(char ret[MFA_CODE_TEXT]);

/* recovery_mac() - what is stored of @code (16 normalised characters) for @person. */
_must_check_ int recovery_mac(const struct seal *seal, const char *person,
			      const char *code, size_t len, uint8_t ret[32]);

/*
 * recovery_store() - keep @text's MAC; the text itself is for the person alone.
 * @text: as recovery_make(), or eight digits of another program.
 */
_must_check_ int recovery_store(struct store *store, const struct seal *seal,
				const char *person, enum store_code_kind kind,
				const char *text, uint32_t uses, int64_t expires_s,
				int64_t now_s);
