/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.c - a decision in sentences. It asks policy_decide(), so what it says is what
 * is enforced; figures come from the rules that the decision names.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <time.h>

#include "policy/match.h"

/* Names come from the login, too: nothing of them may move a terminal. */
static void put_safe(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void put_age(FILE *out, int64_t s)
{
	if (s >= 86400)
		fprintf(out, "%lld d %lld h", (long long)(s / 86400),
			(long long)(s % 86400 / 3600));
	else if (s >= 3600)
		fprintf(out, "%lld h %lld min", (long long)(s / 3600),
			(long long)(s % 3600 / 60));
	else if (s >= 60)
		fprintf(out, "%lld min %lld s", (long long)(s / 60),
			(long long)(s % 60));
	else
		fprintf(out, "%lld s", (long long)s);
}

static void put_time(FILE *out, int64_t s)
{
	char text[32];
	time_t t = (time_t)s;
	struct tm tm;

	if (gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm) > 0)
		fputs(text, out);
	else
		fprintf(out, "second %lld", (long long)s);
}

static void put_methods(FILE *out, unsigned accept)
{
	const char *joint = "";

	for (unsigned m = POLICY_METHOD_TOTP; m <= POLICY_METHOD_SECURITY_KEY;
	     m <<= 1) {
		if (!(accept & m))
			continue;
		fprintf(out, "%s%s", joint, policy_method_name((enum policy_method)m));
		joint = " or ";
	}
}

static void put_origin(FILE *out, const struct policy_origin *o)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	bool v4 = memcmp(o->addr, mapped, sizeof(mapped)) == 0;

	if (o->kind == POLICY_ORIGIN_LOCAL)
		fputs("the local console", out);
	else if (o->kind == POLICY_ORIGIN_ADDR &&
		 inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? o->addr + 12 : o->addr, text,
			   sizeof(text)))
		fputs(text, out);
	else
		fputs("an unknown place", out);
}

static void put_mfa_need(FILE *out, const struct policy_request *req,
			 const struct rule *r, int32_t max_age)
{
	fputs("needs ", out);
	put_methods(out, r->mfa->accept);
	if (max_age == 0) {
		fputs(", given for this very request", out);
	} else {
		fputs(" at most ", out);
		put_age(out, max_age);
		fputs(" old", out);
	}
	if (req->mfa.state == POLICY_MFA_PROOF) {
		fprintf(out, "; the last proof is by %s, ",
			policy_method_name(req->mfa.method));
		put_age(out, req->mfa.age_s < 0 ? 0 : req->mfa.age_s);
		fputs(" old", out);
	} else {
		fputs("; there is no proof", out);
	}
}

static void put_validity(FILE *out, const struct policy_request *req,
			 const struct rule *r)
{
	if (req->now_s < r->valid_from_s) {
		fputs("is valid only from ", out);
		put_time(out, r->valid_from_s);
	} else {
		fputs("ended at ", out);
		put_time(out, r->valid_until_s);
	}
}

static void put_near(const struct policy *p, const struct policy_request *req,
		     const struct policy_near *near, FILE *out)
{
	const struct rule *r = rules_find(&p->grants, near->rule);
	uint32_t privilege = names_find(&p->privileges, req->privilege);

	if (!r || privilege == NAMES_NONE)
		return;
	fprintf(out, "  grant '%s' ", near->rule);
	if (near->reason == POLICY_REASON_GRANT_EXPIRED) {
		put_validity(out, req, r);
	} else if (near->reason == POLICY_REASON_SRC_NOT_ALLOWED) {
		fputs("does not allow access from ", out);
		put_origin(out, &req->origin);
	} else if (near->reason == POLICY_REASON_DIRECTORY_INCOMPLETE) {
		fputs("names a group whose members are not known at the moment", out);
	} else if (r->mfa) {
		put_mfa_need(out, req, r, r->mfa->max_age[privilege]);
	}
	fputs(".\n", out);
}

static void put_request(const struct policy_request *req, FILE *out)
{
	put_safe(out, req->subject && req->subject->login ? req->subject->login
							  : "(nobody)");
	fputs(" on ", out);
	put_safe(out, req->vm ? req->vm : "(no VM)");
	fputs(", ", out);
	put_safe(out, req->privilege ? req->privilege : "(nothing)");
	if (req->target) {
		fputs(":", out);
		put_safe(out, req->target);
	}
}

static const char *deny_sentence(enum policy_reason reason)
{
	switch (reason) {
	case POLICY_REASON_NO_POLICY:
		return "No policy is loaded.";
	case POLICY_REASON_VM_UNKNOWN:
		return "The inventory has no such VM.";
	case POLICY_REASON_SERVICE_UNKNOWN:
		return "No service asks for such a privilege.";
	case POLICY_REASON_UNKNOWN_USER:
		return "Nobody of that name is known.";
	case POLICY_REASON_ACCT_DISABLED:
		return "The account is disabled.";
	case POLICY_REASON_ACCT_EXPIRED:
		return "The account has expired.";
	case POLICY_REASON_NO_GRANT:
		return "No grant names this person, this VM and this privilege "
		       "together.";
	case POLICY_REASON_GRANT_EXPIRED:
	case POLICY_REASON_SRC_NOT_ALLOWED:
	case POLICY_REASON_MFA_REQUIRED:
	case POLICY_REASON_MFA_STALE:
	case POLICY_REASON_MFA_METHOD:
	case POLICY_REASON_CLOCK_UNSYNCED:
	case POLICY_REASON_OUTSIDE_HOURS:
	case POLICY_REASON_REVIEW_OVERDUE:
	case POLICY_REASON_SEPARATION:
		return "No grant holds in full. The nearest:";
	case POLICY_REASON_DIRECTORY_INCOMPLETE:
		return "The members of a group that matters are not known at the "
		       "moment.";
	case POLICY_REASON_DIRECTORY_STALE:
		return "What is known of the person is too old for this privilege.";
	case POLICY_REASON_SESSION_LIMIT:
		return "A limit on sessions is reached.";
	case POLICY_REASON_LOCKED:
	case POLICY_REASON_DENIED:
	case POLICY_REASON_NONE:
		return NULL;
	}
	return NULL;
}

static void explain_allow(const struct policy_decision *d, const struct policy *p,
			  FILE *out)
{
	const struct rule *r = d->rule ? rules_find(&p->grants, d->rule) : NULL;

	if (!r) {
		fputs("Batch work of a local account needs no grant.\n", out);
		return;
	}
	fprintf(out, "Grant '%s' holds: %s, role '%s'.\n", d->rule, d->group, d->role);
	if (d->mfa_required) {
		fputs("It asks for ", out);
		put_methods(out, d->accept);
		fputs(".\n", out);
	} else {
		fputs("It asks for no second factor.\n", out);
	}
	if (d->valid_until_s != 0) {
		fputs("It ends at ", out);
		put_time(out, d->valid_until_s);
		fputs(".\n", out);
	}
	if (r->why)
		fprintf(out, "Why it exists: %s\n", r->why);
	if (r->owner)
		fprintf(out, "Owner: %s\n", r->owner);
}

static void explain_change(const struct policy_decision *d, FILE *out)
{
	if (d->mfa_would_help)
		fputs("What would change it: a code now.\n", out);
	else if (d->reason == POLICY_REASON_NO_GRANT)
		fputs("What would change it: a grant, or membership in a group that "
		      "has one.\n",
		      out);
	else if (d->reason == POLICY_REASON_DENIED)
		fputs("What would change it: only a change of that deny.\n", out);
}

static void explain_deny(const struct policy *p, const struct policy_request *req,
			 const struct policy_decision *d, FILE *out)
{
	const char *sentence = deny_sentence(d->reason);

	if (sentence)
		fprintf(out, "%s\n", sentence);
	if (d->rule)
		fprintf(out, "Deny '%s' holds; a deny beats every grant.\n", d->rule);
	if (d->message)
		fprintf(out, "Its message: %s\n", d->message);
	for (size_t i = 0; i < d->n_near; i++)
		put_near(p, req, &d->near[i], out);
	explain_change(d, out);
}

int policy_explain(const struct policy *policy, const struct policy_request *req,
		   FILE *out)
{
	struct policy_decision d;

	policy_decide(policy, req, &d);
	put_request(req, out);
	if (d.verdict == POLICY_ALLOW) {
		fputs(": allowed\n", out);
		explain_allow(&d, policy, out);
	} else {
		fprintf(out, ": refused (%s)\n", policy_reason_name(d.reason));
		explain_deny(policy, req, &d, out);
	}
	return ferror(out) ? -EIO : 0;
}
