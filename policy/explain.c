/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.c - a decision in sentences. It asks policy_decide(), so what it says is what
 * is enforced; figures come from the rules that the decision names.
 */

#include "policy/explain.h"

#include <errno.h>

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

static void explain_limits(const struct policy_decision *d, FILE *out)
{
	if (d->max_sessions > 0)
		fprintf(out, "At most %u sessions at a time.\n", d->max_sessions);
	if (d->max_session_s > 0) {
		fputs("sudo and su from a session at most ", out);
		explain_age(out, d->max_session_s);
		fputs(" old.\n", out);
	}
}

static void explain_grant(const struct policy_decision *d, const struct rule *r,
			  FILE *out)
{
	fprintf(out, "Grant '%s' holds: %s, role '%s'.\n", d->rule, d->group, d->role);
	if (d->review_overdue)
		fputs("It is overdue for review.\n", out);
	if (d->valid_until_s != 0) {
		fputs("It ends at ", out);
		explain_time(out, d->valid_until_s);
		fputs(".\n", out);
	}
	if (r->why)
		fprintf(out, "Why it exists: %s\n", r->why);
	if (r->owner)
		fprintf(out, "Owner: %s\n", r->owner);
}

static void explain_allow(const struct policy_decision *d, const struct policy *p,
			  FILE *out)
{
	const struct rule *r = d->rule ? rules_find(&p->grants, d->rule) : NULL;

	if (r)
		explain_grant(d, r, out);
	else if (d->break_glass)
		fprintf(out, "break_glass '%s' holds: %s. Its use is an alert.\n",
			d->rule, d->group);
	else
		fputs("Batch work of a local account needs no grant.\n", out);
	if (d->mfa_required) {
		fputs("It asks for ", out);
		explain_methods(out, d->accept);
		fputs(".\n", out);
	} else if (d->rule) {
		fputs("It asks for no second factor.\n", out);
	}
	explain_limits(d, out);
}

/* What the person, or somebody for him, would have to do. */
static const char *change_sentence(const struct policy_decision *d)
{
	if (d->mfa_would_help)
		return "a code now.";
	switch (d->reason) {
	case POLICY_REASON_NO_GRANT:
		return "a grant, or membership in a group that has one.";
	case POLICY_REASON_DENIED:
		return "only a change of that deny.";
	case POLICY_REASON_LOCKED:
		return "the end of the lock, or rbacctl unlock.";
	case POLICY_REASON_OUTSIDE_HOURS:
		return "another hour.";
	case POLICY_REASON_SRC_NOT_ALLOWED:
		return "another place.";
	case POLICY_REASON_REVIEW_OVERDUE:
		return "rbacctl policy reviewed, by who owns the grant.";
	case POLICY_REASON_SEPARATION:
		return "giving up one of the two roles on this VM.";
	case POLICY_REASON_SESSION_LIMIT:
		return "the end of another session, or a new one.";
	case POLICY_REASON_CLOCK_UNSYNCED:
		return "a synchronised clock.";
	case POLICY_REASON_NONE:
	case POLICY_REASON_NO_POLICY:
	case POLICY_REASON_VM_UNKNOWN:
	case POLICY_REASON_SERVICE_UNKNOWN:
	case POLICY_REASON_UNKNOWN_USER:
	case POLICY_REASON_ACCT_DISABLED:
	case POLICY_REASON_ACCT_EXPIRED:
	case POLICY_REASON_DIRECTORY_INCOMPLETE:
	case POLICY_REASON_GRANT_EXPIRED:
	case POLICY_REASON_MFA_REQUIRED:
	case POLICY_REASON_MFA_STALE:
	case POLICY_REASON_MFA_METHOD:
	case POLICY_REASON_DIRECTORY_STALE:
		return NULL;
	}
	return NULL;
}

static void explain_lock(const struct policy_lock *lock, FILE *out)
{
	char text[POLICY_LOCK_TEXT_MAX];

	policy_lock_text(lock, text);
	fputs("The lock of ", out);
	put_safe(out, text);
	fputs(" holds until ", out);
	explain_time(out, lock->until_s);
	fputs("; a lock beats every grant.\n", out);
}

static void explain_deny(const struct policy *p, const struct policy_request *req,
			 const struct policy_decision *d, FILE *out)
{
	const char *sentence = deny_sentence(d->reason), *change = change_sentence(d);

	if (sentence)
		fprintf(out, "%s\n", sentence);
	if (d->lock)
		explain_lock(d->lock, out);
	if (d->rule)
		fprintf(out, "Deny '%s' holds; a deny beats every grant.\n", d->rule);
	if (d->message)
		fprintf(out, "Its message: %s\n", d->message);
	for (size_t i = 0; i < d->n_near; i++)
		explain_near(p, req, &d->near[i], out);
	if (change)
		fprintf(out, "What would change it: %s\n", change);
}

int policy_explain(const struct policy *policy, const struct policy_request *req,
		   FILE *out)
{
	struct policy_decision d;

	policy_decide(policy, req, &d);
	put_request(req, out);
	if (d.would_deny) {
		fprintf(out, ": let pass, the VM is in monitor mode (%s)\n",
			policy_reason_name(d.reason));
		explain_deny(policy, req, &d, out);
	} else if (d.verdict == POLICY_ALLOW) {
		fputs(": allowed\n", out);
		explain_allow(&d, policy, out);
	} else {
		fprintf(out, ": refused (%s)\n", policy_reason_name(d.reason));
		explain_deny(policy, req, &d, out);
	}
	return ferror(out) ? -EIO : 0;
}
