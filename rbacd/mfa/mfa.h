/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mfa.h - the second factor's face: verify what somebody typed, enrol, reset.
 *
 * Every function that changes state does so inside the turn's transaction; no reply may
 * leave before store_commit(). Wall time is a parameter.
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"
#include "rbacd/wire/wire.h"

struct mfa;

_must_check_ int mfa_new(struct store *store, const struct seal *seal,
			 struct mfa **ret);
void mfa_free(struct mfa *mfa);

struct mfa_attempt {
	const char *person; /* immutable id; NULL: nobody of that name */
	const char *login;  /* as typed; keys the budget of nobody */
	const char *origin; /* an address, "local" or "unknown" */
	bool proven; /* the first factor is proven (mfa-and-password: First factor) */
	unsigned accept;   /* enum policy_method bits the policy would take */
	bool clock_unsure; /* no time-based code holds; such a code is no guess */
	bool uncounted;	   /* a wrong answer costs nothing: the VM is only watched */
	enum wire_answer_kind kind;
	const struct secret *text; /* normalised; CODE and RECOVERY only */
	int64_t now_s;
	int64_t ahead_s; /* of now_s: nothing is forgotten by a time that never passed
			  */
};

enum mfa_outcome {
	MFA_REFUSED = 0,
	MFA_ACCEPTED = 0x51c3,
};

struct mfa_result {
	enum mfa_outcome outcome;
	const char *reason;	   /* audit identifier: bad_otp otp_replay not_enrolled
				      factor_locked        factor_disabled blind_conversation
				      rate_limited unknown_user        mfa_required internal;
				      static;        NULL when accepted */
	bool locked;		   /* tell the host to stop asking; only when proven */
	enum policy_method method; /* accepted */
	char cred[48];		   /* factor name or "recovery", "bypass" */
	int64_t t_delta; /* steps off, accepted or replayed; INT64_MIN otherwise */
	uint32_t fails;	 /* consecutive wrong codes of the person after this attempt */
	uint32_t told;	 /* accepted: wrong codes since the last accepted one */
	uint32_t recovery_left; /* accepted by a recovery code: how many are left */
	bool alert;    /* recovery or bypass code used, factor just disabled, replay */
	bool disabled; /* by this very answer */
};

/*
 * mfa_verify() - check one answer, count it, and consume what it used, in the turn's
 * transaction. Unknown, unenrolled, disabled and wrong take the same path: the same
 * hashes, the same reads and writes; the dummy can never be accepted. A replay is
 * refused and not counted. FAILED (no conversation) is never counted. Return: 0 and
 * *ret; otherwise the caller denies: STORE_E_FULL, negative errno.
 */
_must_check_ int mfa_verify(struct mfa *mfa, const struct mfa_attempt *a,
			    struct mfa_result *ret);

struct mfa_status {
	bool enrolled; /* an active factor */
	bool codes;    /* one of them has codes: a prompt can be answered */
	bool pending;  /* enrolment begun, not confirmed */
	bool disabled;
	bool locked; /* delay in force */
	int64_t next_try_s;
	uint32_t fails, year_fails, year_cap, recovery_left;
	int64_t last_ok_s;
};
/* mfa_status() - @ahead_s: as in an attempt. */
_must_check_ int mfa_status(struct mfa *mfa, const char *person, int64_t now_s,
			    int64_t ahead_s, struct mfa_status *ret);

#define MFA_RECOVERY_CODES 10
#define MFA_CODE_TEXT	   20 /* "XXXX-XXXX-XXXX-XXXX" and NUL */

struct mfa_enrolment {
	char uri[512];	   /* otpauth://totp/…; secret */
	char name[33];	   /* of the factor */
	bool has_recovery; /* false: the codes that the person has stay good */
	char recovery[MFA_RECOVERY_CODES][MFA_CODE_TEXT];
};
#define MFA_ENROLMENT_INIT                                                             \
	{                                                                              \
		0                                                                      \
	}
void mfa_enrolment_done(struct mfa_enrolment *e); /* wipes */

enum {
	MFA_E_EXISTS = 16,
	MFA_E_WRONG = 17,
	MFA_E_NOT_ENROLLED = 18,
	MFA_E_SAME = 19,
	MFA_E_LIMIT = 20,
	MFA_E_DISABLED = 21,
	MFA_E_YEAR = 22
};

struct mfa_enrol_options {
	const char *issuer; /* shown by the phone's app */
	const char *name;   /* beside the factors that exist; NULL: the first one */
	enum store_factor_kind kind; /* TOTP or HOTP */
	enum store_hash hash;
	uint8_t digits;
	uint16_t period_s;
};

/*
 * mfa_enrol_begin() - new pending factor for @person; replaces an earlier pending one.
 * Recovery codes come with the first factor. Nothing is accepted at a login before it
 * is confirmed. Return: 0; MFA_E_EXISTS when an active factor exists and no name is
 * given, or that name is taken; MFA_E_LIMIT.
 */
_must_check_ int mfa_enrol_begin(struct mfa *mfa, const char *person, const char *login,
				 const struct mfa_enrol_options *opt, int64_t now_s,
				 struct mfa_enrolment *ret);
/* mfa_enrol_confirm() - one right code activates it (and is used up). MFA_E_WRONG. */
_must_check_ int mfa_enrol_confirm(struct mfa *mfa, const char *person,
				   const struct secret *code, int64_t now_s);
/* mfa_disable() - nothing is accepted until reset and a new enrolment. */
_must_check_ int mfa_disable(struct mfa *mfa, const char *person);
/* mfa_reset() - forget factors, codes, counters and proofs of the person. */
_must_check_ int mfa_reset(struct mfa *mfa, const char *person);
/* mfa_bypass() - one expiring code of @uses uses; @ret_code is a secret. */
_must_check_ int mfa_bypass(struct mfa *mfa, const char *person, const char *login,
			    uint32_t uses, int64_t expires_s, int64_t now_s,
			    char ret_code[MFA_CODE_TEXT]);
