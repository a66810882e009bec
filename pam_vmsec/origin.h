/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - who asks from where: the PAM items and kernel facts of a BEGIN. */
#pragma once

#include <security/pam_modules.h>

#include "rbacd/wire/wire.h"

/*
 * origin_fill() - nonce, service, items, SSH facts and audit session into @begin.
 * @begin: zeroed; op, flags, user, handle and deadline are the caller's.
 * Return: 0; -EINVAL for a service name that is missing or too long; negative errno
 *         when there is no randomness.
 */
_must_check_ int origin_fill(pam_handle_t *pamh, struct wire_begin *begin);
/* origin_decision_id() - VMSEC_ID of the PAM environment, or NULL. */
const char *origin_decision_id(pam_handle_t *pamh);
