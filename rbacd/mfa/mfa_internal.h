/* SPDX-License-Identifier: Apache-2.0 */
/* mfa_internal.h - the context that verification and enrolment share. */
#pragma once

#include "rbacd/mfa/mfa.h"

struct mfa {
	struct store *store;	 /* borrowed */
	const struct seal *seal; /* borrowed */
	struct secret
		dummy; /* random seed for people without a factor; never accepted */
};
