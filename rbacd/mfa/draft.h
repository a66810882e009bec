/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h - a first factor that exists nowhere yet: its key is shown to the person, and
 * nothing of it is stored before a right code proves that it arrived.
 */
#pragma once

#include "rbacd/mfa/mfa.h"
#include "rbacd/mfa/otpauth.h"

struct mfa_draft {
	struct secret seed;
	char uri[OTPAUTH_MAX]; /* secret */
};
void mfa_draft_done(struct mfa_draft *d); /* wipes */

/* mfa_draft_make() - a new seed of 160 bits: TOTP, SHA-1, 6 digits, 30 s, which every
 * app knows. Return: 0; -EMSGSIZE; negative errno: no randomness. */
_must_check_ int mfa_draft_make(const char *login, const char *issuer,
				struct mfa_draft *ret);

/*
 * mfa_draft_activate() - a right code makes the draft the person's first factor and is
 * used up by that; new recovery codes come with it. All in the turn's transaction; a
 * pending factor of the person is replaced.
 * Return: 0 and *ret; nothing changed: MFA_E_WRONG; MFA_E_EXISTS: there is a factor by
 * now; MFA_E_DISABLED; otherwise the turn is lost.
 */
_must_check_ int mfa_draft_activate(struct mfa *mfa, const struct mfa_draft *d,
				    const char *person, const char *login,
				    const struct secret *code, int64_t now_s,
				    struct mfa_enrolment *ret);

/*
 * mfa_draft_possible() - may this person have a first factor now? Return: as above; 0,
 * MFA_E_EXISTS, MFA_E_DISABLED; otherwise it is not known.
 */
_must_check_ int mfa_draft_possible(struct mfa *mfa, const char *person);
