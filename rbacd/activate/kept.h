/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.h - the text of the active policy in the state folder, so that the next start
 * can tell what has changed. It decides nothing.
 */
#pragma once

#include "policy/policy.h"

/* kept_write() - by rename. Return: 0; negative errno. */
_must_check_ int kept_write(const char *dir, const struct policy *policy);

/* kept_read() - the policy of that sha256. Return: 0; -ENOENT: another one, or none. */
_must_check_ int kept_read(const char *dir, const char *sha,
			   const struct policy_host *host, struct policy **ret);

/* kept_is_there() - some policy is kept. */
bool kept_is_there(const char *dir);

/* kept_nothing() - a policy that opens nothing, to compare the first one with. */
_must_check_ int kept_nothing(const struct policy_host *host, struct policy **ret);
