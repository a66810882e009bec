/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_pam_internal.h - what the checks of pam.d share. */
#pragma once

#include "rbacd/doctor/doctor.h"

/* doctor_at_line() - a finding about one line of pam.d. */
void doctor_at_line(struct doctor *d, enum doctor_severity severity, const char *id,
		    const struct pamconf_line *line, const char *what, const char *why,
		    const char *fix);

/* doctor_password() - the password lines of one service; nothing without ours. */
void doctor_password(struct doctor *d, const char *service,
		     const struct pamconf_stack *stack);
