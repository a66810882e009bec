/* SPDX-License-Identifier: Apache-2.0 */
/* explain_near.c - near misses in sentences, with the figures that are missing. */
#include "policy/explain.h"

#include <arpa/inet.h>
#include <time.h>

void explain_age(FILE *out, int64_t s)
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

void explain_time(FILE *out, int64_t s)
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

void explain_methods(FILE *out, unsigned accept)
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
	explain_methods(out, r->mfa->accept);
	if (max_age == 0) {
		fputs(", given for this very request", out);
	} else {
		fputs(" at most ", out);
		explain_age(out, max_age);
		fputs(" old", out);
	}
	if (req->mfa.state == POLICY_MFA_PROOF) {
		fprintf(out, "; the last proof is by %s, ",
			policy_method_name(req->mfa.method));
		explain_age(out, req->mfa.age_s < 0 ? 0 : req->mfa.age_s);
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
		explain_time(out, r->valid_from_s);
	} else {
		fputs("ended at ", out);
		explain_time(out, r->valid_until_s);
	}
}

static void put_hours(FILE *out, const struct policy_request *req, const struct rule *r)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
					   "Fri", "Sat", "Sun"};
	int64_t local = tz_zone_local(r->time->zone, req->now_s);
	int64_t minute = local / 60 % 1440;

	fprintf(out, "holds %s, %s (%s); there it is %s %02d:%02d", r->time->days_text,
		r->time->between_text, r->time->tz, days[(local / 86400 + 3) % 7],
		(int)(minute / 60), (int)(minute % 60));
}

static void put_review(FILE *out, const struct policy_near *near)
{
	fputs("is suspended: its review was due", out);
	if (near->need_s > 0) {
		fputs(" at ", out);
		explain_time(out, near->need_s);
	}
}

static void put_limit(FILE *out, const struct policy_request *req,
		      const struct policy_near *near)
{
	fputs("holds, but ", out);
	if (!req->sessions.known) {
		fputs("how many sessions are open is not known", out);
	} else if (policy_privilege_session(req->privilege)) {
		fprintf(out, "%lld of %lld sessions are open", (long long)near->have_s,
			(long long)near->need_s);
	} else if (near->have_s < 0) {
		fputs("the session this comes from is not known", out);
	} else {
		fputs("the session is ", out);
		explain_age(out, near->have_s);
		fputs(" old, at most ", out);
		explain_age(out, near->need_s);
	}
}

void explain_near(const struct policy *p, const struct policy_request *req,
		  const struct policy_near *near, FILE *out)
{
	const struct rule *r = rules_find(&p->grants, near->rule);
	uint32_t privilege = names_find(&p->privileges, req->privilege);

	if (!r)
		r = rules_find(&p->glass, near->rule);
	if (!r || privilege == NAMES_NONE)
		return;
	fprintf(out, "  %s '%s' ", r->alert ? "break_glass" : "grant", near->rule);
	if (near->reason == POLICY_REASON_GRANT_EXPIRED) {
		put_validity(out, req, r);
	} else if (near->reason == POLICY_REASON_SRC_NOT_ALLOWED) {
		fputs("does not allow access from ", out);
		put_origin(out, &req->origin);
	} else if (near->reason == POLICY_REASON_DIRECTORY_INCOMPLETE) {
		fputs("names a group whose members are not known at the moment", out);
	} else if (near->reason == POLICY_REASON_OUTSIDE_HOURS) {
		put_hours(out, req, r);
	} else if (near->reason == POLICY_REASON_CLOCK_UNSYNCED) {
		fputs("holds at certain hours, and the clock is not synchronised", out);
	} else if (near->reason == POLICY_REASON_REVIEW_OVERDUE) {
		put_review(out, near);
	} else if (near->reason == POLICY_REASON_SEPARATION) {
		fprintf(out,
			"carries a role that separation '%s' excludes beside another",
			near->other ? near->other : "?");
	} else if (near->reason == POLICY_REASON_SESSION_LIMIT) {
		put_limit(out, req, near);
	} else if (r->mfa) {
		put_mfa_need(out, req, r, r->mfa->max_age[privilege]);
	}
	fputs(".\n", out);
}
