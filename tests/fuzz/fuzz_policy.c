/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_policy.c - any bytes as a policy: what loads must print, load again under the
 * same digest and decide the same.
 */
#include <stdlib.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct policy_label labels[] = {{"env", "prod"}, {"tier", "db"}};
static const struct policy_host host = {"host1", labels, ARRAY_SIZE(labels)};

static struct policy *load(const char *buf, size_t len)
{
	struct policy_source src = {.name = "fuzz.yaml", .buf = buf, .len = len};
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;
	int r = policy_load_sources(&src, 1, &host, &p, &diag);

	if ((r == 0) != (p != NULL) || (r > 0 && !diags_failed(&diag)))
		abort();
	diags_done(&diag);
	return p;
}

static void compare(const struct policy *a, const struct policy *b, unsigned k)
{
	static const char *const privileges[] = {"ssh", "sudo", "su", "console",
						 "batch"};
	static const char *const logins[] = {"alice", "oncall", "root"};
	uint32_t groups[] = {0, 1, 2};
	struct policy_subject s = {.login = logins[k % 3],
				   .id = k % 5 ? "id-1" : NULL,
				   .known = true,
				   .enabled = true,
				   .local = k % 4 == 0,
				   .directory = k % 4 != 1,
				   .groups = groups};
	struct policy_request req = {.subject = &s,
				     .privilege = privileges[k % 5],
				     .target = k % 2 ? "postgres" : "root",
				     .now_s = 1795000000};
	static const struct policy_lock locks[] = {
		{.kind = POLICY_LOCK_GROUP, .name = "g", .until_s = INT64_MAX},
		{.kind = POLICY_LOCK_FACTOR, .name = "totp", .until_s = INT64_MAX}};
	const struct policy_state state = {.locks = locks, .n_locks = k % 3};
	struct policy_decision x, y;

	req.state = k % 2 ? &state : NULL;
	req.clock_unsynced = k % 11 == 0;
	req.sessions = (struct policy_sessions){k % 3 != 0, k % 4, k * 900 - 1};
	req.assume = k % 13 ? 0 : k % 16;
	req.now_s += k * 40009; /* all hours and days */
	s.n_groups = policy_group_count(a) < k % 4 ? policy_group_count(a) : k % 4;
	req.vm = policy_vm_at(a, k % 7);
	req.origin.kind = (enum policy_origin_kind)(k % 3);
	req.mfa.state = (enum policy_mfa_state)(k / 3 % 3);
	req.mfa.method = POLICY_METHOD_TOTP;
	policy_decide(a, &req, &x);
	policy_decide(b, &req, &y);
	if (x.verdict != y.verdict || x.reason != y.reason || x.n_near != y.n_near)
		abort();
	if ((x.rule != NULL) != (y.rule != NULL) || (x.rule && !str_eq(x.rule, y.rule)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_policy_ struct policy *p = load((const char *)data, size);
	_cleanup_policy_ struct policy *again = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!p)
		return 0;
	out = open_memstream(&text, &len);
	if (!out || policy_print(p, out) != 0 || fclose(out) != 0)
		abort();
	again = load(text, len);
	if (!again || !str_eq(policy_sha256(p), policy_sha256(again)))
		abort();
	for (unsigned k = 0; k < 60; k++)
		compare(p, again, k);
	return 0;
}
