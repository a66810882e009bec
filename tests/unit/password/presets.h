/* SPDX-License-Identifier: Apache-2.0 */
/* presets.h - the rules of a preset as a policy gives them, for tests of the check. */
#pragma once

#include "policy/policy.h"

/*
 * preset_load() - @mfa: no rule lets in without a second factor. @more: further keys,
 * such as ", words: [a, b]". Return: the policy that @ret points into; the caller's.
 */
static inline struct policy *preset_load(const char *preset, bool mfa, const char *more,
					 struct password_rules *ret)
{
	char text[1024];
	struct diags diag = DIAGS_INIT;
	const struct policy_host host = {.name = "vm"};
	struct policy_source src = {"p.yaml", text, 0};
	struct policy *policy = NULL;

	src.len = (size_t)snprintf(text, sizeof(text),
				   "vmsec_policy: 1\nvm_sets: {all: {every: true}}\n"
				   "roles: {r: {privileges: [ssh]}}\n"
				   "grants:\n"
				   "  - {id: g, to: [a], roles: [r], vms: [all]%s}\n"
				   "password: {preset: \"%s\"%s}\n",
				   mfa ? "" : ", when: {mfa: none}", preset, more);
	if (policy_load_sources(&src, 1, &host, &policy, &diag) != 0) {
		diags_print(&diag, stderr);
		abort();
	}
	policy_password(policy, ret);
	return policy;
}
