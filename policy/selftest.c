/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selftest.c - the tests that a policy carries: read, and run by the one decision
 * function. A test fixes everything that it asks about, also the time, so that it means
 * the same on every day and no restart can be refused by the calendar.
 */
#include "policy/selftest.h"

#include <errno.h>

#include "policy/memtext.h"
#include "policy/load.h"

/* ------------------------------------------------------------------ read */

/* The text under @key, or NULL. */
static const char *get_text(struct loader *l, struct at at, const char *key)
{
	const struct yaml_node *n = yaml_get(at.node, key);

	return n ? check_text(l, (struct at){at.doc, n}, key) : NULL;
}

static void read_who(struct loader *l, struct at at, struct model_test *t)
{
	const struct yaml_node *in = yaml_get(at.node, "user_in");

	if (in)
		check_references(l, (struct at){at.doc, in}, &l->p->groups, "group",
				 &t->groups);
	t->user = get_text(l, at, "user");
	if (t->user)
		(void)check_reference(l, (struct at){at.doc, yaml_get(at.node, "user")},
				      &l->p->users, t->user, "user");
	t->local = get_text(l, at, "local");
	if (t->local && !policy_login_valid(t->local, strlen(t->local)))
		loader_error(l, at, "'%s' is not a login", t->local);
	if (t->user && t->local)
		loader_error(l, at, "a test has one of 'user' and 'local'");
	if (!in && !t->user && !t->local)
		loader_error(l, at, "a test needs 'user_in', 'user' or 'local'");
}

static void read_vm(struct loader *l, struct at at, struct model_test *t)
{
	const struct yaml_node *n = yaml_get(at.node, "vm");

	t->vm = get_text(l, at, "vm");
	if (!l->p->has_inventory && n)
		loader_error(l, (struct at){at.doc, n},
			     "without an inventory the policy is about this host: "
			     "leave 'vm' out");
	else if (l->p->has_inventory && !n)
		loader_error(l, at, "the test has no 'vm'");
	else if (t->vm)
		(void)check_reference(l, (struct at){at.doc, n}, &l->p->vms, t->vm,
				      "VM");
}

static void read_do(struct loader *l, struct at at, struct model_test *t)
{
	const char *text = get_text(l, at, "do");

	if (!text) {
		loader_error(l, at, "the test has no 'do', such as ssh or su:postgres");
		return;
	}
	t->target = str_after(text, "su:");
	t->privilege = t->target ? "su" : text;
	(void)check_reference(l, (struct at){at.doc, yaml_get(at.node, "do")},
			      &l->p->privileges, t->privilege, "privilege");
}

static bool read_method(const char *text, enum policy_method *ret)
{
	for (unsigned m = POLICY_METHOD_TOTP; m <= POLICY_METHOD_SECURITY_KEY; m <<= 1)
		if (str_eq(text, policy_method_name((enum policy_method)m))) {
			*ret = (enum policy_method)m;
			return true;
		}
	return false;
}

static void read_proof(struct loader *l, struct at at, struct model_test *t)
{
	const char *text = get_text(l, at, "mfa");
	const struct yaml_node *age = yaml_get(at.node, "mfa_age");

	if (text && read_method(text, &t->mfa.method)) {
		t->mfa.state = POLICY_MFA_PROOF;
		t->mfa.same_transaction = !age;
	} else if (text && !str_eq(text, "none")) {
		loader_error(l, (struct at){at.doc, yaml_get(at.node, "mfa")},
			     "must be totp, recovery, security-key or none");
	}
	if (age && yaml_get_duration(at.doc, age, &t->mfa.age_s, l->diag) == 0 &&
	    t->mfa.state != POLICY_MFA_PROOF)
		loader_error(l, (struct at){at.doc, age}, "'mfa_age' needs 'mfa'");
}

static void read_circumstances(struct loader *l, struct at at, struct model_test *t)
{
	t->from = get_text(l, at, "from");
	t->at = get_text(l, at, "at");
	if (str_eq(t->from, "local"))
		t->origin.kind = POLICY_ORIGIN_LOCAL;
	else if (t->from && policy_origin_parse(t->from, &t->origin) != 0)
		loader_error(l, (struct at){at.doc, yaml_get(at.node, "from")},
			     "must be an address or local");
	if (!t->at)
		loader_error(l, at,
			     "the test has no 'at': it must mean the same every day");
	else if (!when_parse_instant(t->at, &t->now_s))
		loader_error(l, (struct at){at.doc, yaml_get(at.node, "at")},
			     "must be a time such as 2026-11-20T10:00+01:00");
}

static void read_wish(struct loader *l, struct at at, struct model_test *t)
{
	const char *want = get_text(l, at, "want");

	if (str_eq(want, "allow"))
		t->want = POLICY_ALLOW;
	else if (!str_eq(want, "deny"))
		loader_error(l, at, "a test needs 'want': allow or deny");
	t->by = get_text(l, at, "by");
	t->reason = get_text(l, at, "reason");
}

/* ----------------------------------------------------------------- text */

static void put_key(FILE *out, const char *key, const char *text)
{
	if (text)
		fprintf(out, ", %s: \"%s\"", key, text);
}

/* The canonical form; no value can hold a quote, or it was refused. */
static void put_test(const struct policy *p, const struct model_test *t, FILE *out)
{
	fprintf(out, "{do: \"%s%s%s\"", t->privilege, t->target ? ":" : "",
		t->target ? t->target : "");
	for (uint32_t i = 0; i < t->groups.n; i++)
		fprintf(out, "%s\"%s\"", i == 0 ? ", user_in: [" : ", ",
			p->groups.v[t->groups.v[i]]);
	fputs(t->groups.n > 0 ? "]" : "", out);
	if (t->groups.n == 0 && !t->user && !t->local)
		fputs(", user_in: []", out);
	put_key(out, "user", t->user);
	put_key(out, "local", t->local);
	put_key(out, "vm", t->vm);
	if (t->mfa.state == POLICY_MFA_PROOF)
		put_key(out, "mfa", policy_method_name(t->mfa.method));
	if (t->mfa.state == POLICY_MFA_PROOF && !t->mfa.same_transaction)
		fprintf(out, ", mfa_age: %llds", (long long)t->mfa.age_s);
	put_key(out, "from", t->from);
	put_key(out, "at", t->at);
	fprintf(out, ", want: %s", t->want == POLICY_ALLOW ? "allow" : "deny");
	put_key(out, "by", t->by);
	put_key(out, "reason", t->reason);
	fputs("}", out);
}

static const char *make_text(struct loader *l, const struct model_test *t)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = memtext_open(&m);

	if (r == 0) {
		put_test(l->p, t, m.out);
		r = memtext_take(&m, &text, &len);
	}
	if (r != 0) {
		l->err = r;
		return NULL;
	}
	return loader_text(l, text);
}

static bool is_plain(const char *text)
{
	return !text || !strpbrk(text, "\"\\");
}

static void read_test(struct loader *l, struct at at, size_t i, size_t n)
{
	static const char *const keys[] = {"user_in", "user",	 "local", "vm", "do",
					   "mfa",     "mfa_age", "from",  "at", "want",
					   "by",      "reason",	 NULL};
	size_t before = l->diag->n + l->diag->n_dropped;
	struct model_test *t;

	if (!l->p->tests)
		l->p->tests = loader_alloc(l, n, sizeof(*l->p->tests));
	if (!l->p->tests)
		return;
	t = &l->p->tests[i];
	t->where = loader_where(l, at);
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	read_who(l, at, t);
	read_vm(l, at, t);
	read_do(l, at, t);
	read_proof(l, at, t);
	read_circumstances(l, at, t);
	read_wish(l, at, t);
	if (!is_plain(t->by) || !is_plain(t->reason) || !is_plain(t->target))
		loader_error(l, at, "a test holds no quotes");
	if (l->diag->n + l->diag->n_dropped == before && l->err == 0)
		t->text = make_text(l, t);
}

static int compare_tests(const void *a, const void *b)
{
	const struct model_test *x = a, *y = b;

	return x->text && y->text ? strcmp(x->text, y->text) : 0;
}

void selftest_define_all(struct loader *l)
{
	struct policy *p = l->p;

	p->n_tests = (uint32_t)bounds_each(l, "tests", read_test);
	if (p->tests && p->n_tests > 1)
		qsort(p->tests, p->n_tests, sizeof(*p->tests), compare_tests);
}

/* ------------------------------------------------------------------- run */

static void ask(const struct policy *p, const struct model_test *t,
		struct policy_decision *ret)
{
	uint32_t user = names_find(&p->users, t->user);
	const struct policy_subject subject = {
		.login = t->user    ? t->user
			 : t->local ? t->local
				    : "somebody-of-these-groups",
		.id = user != NAMES_NONE ? p->user_ids[user] : "-",
		.known = true,
		.enabled = true,
		.local = t->local != NULL,
		.directory = !t->local || t->groups.n > 0,
		.groups = t->groups.v,
		.n_groups = t->groups.n,
	};
	const struct policy_request req = {
		.subject = &subject,
		.vm = t->vm ? t->vm : p->vms.v[0],
		.privilege = t->privilege,
		.target = t->target,
		.target_uid0 = str_eq(t->target, "root"),
		.origin = t->origin,
		.mfa = t->mfa,
		.now_s = t->now_s,
		.assume = POLICY_ASSUME_STATE,
	};

	policy_decide(p, &req, ret);
	if (ret->would_deny)
		ret->verdict = POLICY_DENY; /* the rules are tested, not the mode */
}

static bool passes(const struct model_test *t, const struct policy_decision *d)
{
	return d->verdict == t->want && (!t->by || str_eq(t->by, d->rule)) &&
	       (!t->reason || str_eq(t->reason, policy_reason_name(d->reason)));
}

/* A policy for other hosts has no VM here to ask about. */
static bool can_run(const struct policy *p, const struct model_test *t)
{
	return t->vm || p->vms.n == 1;
}

static void report(const struct model_test *t, const struct policy_decision *d,
		   struct diags *diag)
{
	diags_add(diag, t->where.file, t->where.line, t->where.column, NULL,
		  "test failed: expected %s%s%s%s%s, got %s%s%s (%s): %s",
		  t->want == POLICY_ALLOW ? "allow" : "deny", t->by ? " by " : "",
		  t->by ? t->by : "", t->reason ? " for " : "",
		  t->reason ? t->reason : "",
		  d->verdict == POLICY_ALLOW ? "allow" : "deny", d->rule ? " by " : "",
		  d->rule ? d->rule : "", policy_reason_name(d->reason), t->text);
}

int selftest_run(const struct policy *p, struct diags *diag)
{
	int r = 0;

	for (uint32_t i = 0; i < p->n_tests; i++) {
		const struct model_test *t = &p->tests[i];
		struct policy_decision d;

		if (!can_run(p, t))
			continue;
		ask(p, t, &d);
		if (!passes(t, &d)) {
			report(t, &d, diag);
			r = POLICY_E_INVALID;
		}
	}
	return r;
}

bool policy_test_at(const struct policy *policy, size_t i, struct policy_test *ret)
{
	const struct model_test *t;

	if (i >= policy->n_tests)
		return false;
	t = &policy->tests[i];
	*ret = (struct policy_test){.where = t->where,
				    .text = t->text,
				    .want = t->want,
				    .want_by = t->by,
				    .want_reason = t->reason};
	if (can_run(policy, t)) {
		ask(policy, t, &ret->got);
		ret->passed = passes(t, &ret->got);
	}
	return true;
}
