/* SPDX-License-Identifier: Apache-2.0 */
/* talk.h - one exchange with rbacd, which drives it; the module only relays. */
#pragma once

#include <security/pam_modules.h>

#include "rbacd/wire/wire.h"

struct talk {
	pam_handle_t *pamh; /* borrowed */
	const char *socket; /* borrowed */
	/* borrowed: answers the first question, and nobody is asked; NULL: ask */
	const struct secret *ready;
	uint64_t budget_ns; /* longest wait for rbacd, the person's time not counted */
	bool use_authtok;   /* PW_CHANGE: PAM_AUTHTOK is the answer, asked for or not */
	bool try_authtok; /* PW_CHANGE: PAM_AUTHTOK is the first answer, if it is there
			   */
	/* set by talk_run() */
	bool asked;    /* a prompt was shown */
	bool answered; /* the last question got an answer that ALLOW may follow */
	bool failed;   /* the last conversation failed */
};

/*
 * talk_run() - BEGIN, prompts, RESULT.
 * @begin: complete but for its deadline.
 * @ret:   a result whose nonce is that of @begin; written only on success.
 * Return: 0; -ENOMEM; -ECANCELED when the conversation failed and rbacd did not take
 * note of it; other negative errno: no decision (unreachable, late, malformed, not to
 *         be trusted).
 */
_must_check_ int talk_run(struct talk *t, struct wire_begin *begin,
			  struct wire_result_msg *ret);
/* talk_problem() - the reason behind a negative errno, for the log. Static text. */
const char *talk_problem(int error);
