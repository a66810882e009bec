/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - what explain.c and explain_near.c share. */
#pragma once

#include "policy/match.h"

/* explain_age() - "9 h 12 min"; explain_time() - a moment, UTC; explain_methods() -
 * "totp or recovery". */
void explain_age(FILE *out, int64_t s);
void explain_time(FILE *out, int64_t s);
void explain_methods(FILE *out, unsigned accept);
/* explain_near() - one near miss as a line; nothing for a rule that is not there. */
void explain_near(const struct policy *p, const struct policy_request *req,
		  const struct policy_near *near, FILE *out);
