/* SPDX-License-Identifier: Apache-2.0 */
/* good_policy.h - a policy from a text that has to be one. */
#pragma once

#include "policy/policy.h"

/* good_policy() - @host: borrowed; NULL: no host. The test fails with the diagnostics.
 */
static inline struct policy *good_policy(const char *text,
					 const struct policy_host *host)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct policy_source src = {"t.yaml", text, strlen(text)};
	struct policy *p = NULL;
	int r = policy_load_sources(&src, 1, host, &p, &diag);

	diags_print(&diag, stderr);
	assert_int_equal(r, 0);
	return p;
}
