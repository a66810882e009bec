/* SPDX-License-Identifier: Apache-2.0 */
/* behaviour.c - runs a table of cases. */
#include "tests/unit/policy/behaviour.h"

#include <time.h>

#define GROUPS_MAX 16

static struct policy *load(const char *text, struct diags *diag)
{
	_cleanup_free_ char *whole = NULL;
	struct policy_source src = {.name = "case.yaml"};
	struct policy *p = NULL;
	int len = asprintf(&whole, "%s%s", BEHAVIOUR_HEAD, text), r;

	assert_true(len > 0);
	src.buf = whole;
	src.len = (size_t)len;
	r = policy_load_sources(&src, 1, NULL, &p, diag);
	assert_true(r == 0 || r == POLICY_E_INVALID);
	assert_true((r == 0) == (p != NULL));
	return p;
}

static int64_t seconds(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d %H:%M", &tm);

	assert_true(end && *end == '\0');
	return timegm(&tm);
}

static int compare_index(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Groups that the policy does not name are nothing to it. */
static size_t bind(const struct policy *p, const char *names, uint32_t *ret)
{
	_cleanup_free_ char *copy = strdup(names ? names : "");
	size_t n = 0;

	assert_non_null(copy);
	for (char *at = copy, *name; (name = strsep(&at, ","));) {
		assert_true(n < GROUPS_MAX);
		if (*name && policy_group_find(p, name, &ret[n]) == 0)
			n++;
	}
	qsort(ret, n, sizeof(*ret), compare_index);
	return n;
}

static void decide(const struct policy *p, const struct behaviour *c,
		   struct policy_decision *ret)
{
	_cleanup_free_ char *id = NULL;
	uint32_t groups[GROUPS_MAX], unknown[GROUPS_MAX];
	struct policy_subject s = {.login = c->login,
				   .known = true,
				   .enabled = true,
				   .directory = true,
				   .groups = groups,
				   .unknown = unknown};
	struct policy_request req = {.subject = &s, .vm = c->vm, .target = c->target};

	assert_true(asprintf(&id, "id-%s", c->login) > 0);
	s.id = c->id ? c->id : id;
	s.expires_s = c->expires ? seconds(c->expires) : 0;
	s.n_groups = bind(p, c->groups, groups);
	s.n_unknown = bind(p, c->unknown, unknown);
	if (policy_service_privilege(p, c->service, &req.privilege) != 0)
		req.privilege = NULL;
	if (str_eq(c->from, "local"))
		req.origin.kind = POLICY_ORIGIN_LOCAL;
	else if (c->from)
		assert_int_equal(policy_origin_parse(c->from, &req.origin), 0);
	req.now_s = seconds(c->at ? c->at : "2026-11-20 10:00");
	policy_decide(p, &req, ret);
}

static bool holds(const struct policy *p, const struct behaviour *c)
{
	struct policy_decision d;
	const char *reason = c->reason ? c->reason : "none";
	bool ok;

	decide(p, c, &d);
	ok = d.verdict == c->verdict && str_eq(reason, policy_reason_name(d.reason)) &&
	     (c->rule ? str_eq(c->rule, d.rule) : !d.rule);
	if (!ok)
		print_error("%s: got %s, rule %s, reason %s\n", c->name,
			    d.verdict == POLICY_ALLOW ? "allow" : "deny",
			    d.rule ? d.rule : "-", policy_reason_name(d.reason));
	return ok;
}

static bool is_refused(const struct behaviour *c, const struct policy *p,
		       const struct diags *diag)
{
	for (size_t i = 0; i < diag->n && !p; i++)
		if (strstr(diag->v[i].msg, c->refused))
			return true;
	print_error("%s: not refused with '%s'\n", c->name, c->refused);
	return false;
}

void behaviour_run(const struct behaviour *cases, size_t n)
{
	struct policy *p = NULL;
	unsigned failed = 0;

	for (const struct behaviour *c = cases; c < cases + n; c++) {
		struct diags diag = DIAGS_INIT;

		if (c->policy) {
			policy_unref(p);
			p = load(c->policy, &diag);
		}
		if (c->refused) {
			failed += !is_refused(c, p, &diag);
		} else if (!p) {
			print_error("%s: the policy is refused\n", c->name);
			diags_print(&diag, stderr);
			failed++;
		} else {
			failed += !holds(p, c);
		}
		diags_done(&diag);
	}
	policy_unref(p);
	assert_int_equal(failed, 0);
}
