/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - does a rule's part match a request? Shared by decide.c and explain.c. */
#pragma once

#include "policy/model.h"
#include "policy/reach.h"

#define MATCH_NAMED_MAX 3 /* user by name, user by id, local */

/* A subject as principals of the policy. */
struct match_subject {
	const struct policy_subject *s; /* borrowed */
	const uint32_t *groups;		/* borrowed; ascending */
	size_t n_groups;
	const uint32_t *unknown; /* borrowed; ascending */
	size_t n_unknown;
	/* For grants: user:NAME with name and pin, local:NAME. */
	uint32_t grant_named[MATCH_NAMED_MAX];
	size_t n_grant_named;
	/* For denies either the name or the pin is enough. */
	uint32_t deny_named[MATCH_NAMED_MAX];
	size_t n_deny_named;
	/*
	 * No id: the person may be anyone who was renamed, so a deny of any user:NAME
	 * may mean him. Principals from users_from to users_end - 1, else equal.
	 */
	uint32_t users_from, users_end;
};

enum match { MATCH_NO = 0, MATCH_UNKNOWN = 1, MATCH_YES = 2 };

void match_subject_init(struct match_subject *m, const struct policy *p,
			const struct policy_subject *s);

/*
 * match_to() - does the rule name the subject?
 * @ret: the principal that matched, the smallest; NAMES_NONE for MATCH_NO.
 */
enum match match_to(const struct rule *r, const struct match_subject *m, uint32_t *ret);

/* match_list() - the same for a list of principals; @against: a deny, lock or limit,
 * where doubt counts against the subject. */
enum match match_list(const struct index_list *to, bool against,
		      const struct match_subject *m, uint32_t *ret);

/* match_privilege() - @i is the index of @req->privilege in the policy. */
bool match_privilege(const struct policy *p, const struct rule *r, uint32_t i,
		     const struct policy_request *req);

/* match_role_privilege() - the same for one role of a grant. */
bool match_role_privilege(const struct policy *p, const struct model_role *role,
			  uint32_t i, const struct policy_request *req);

/*
 * match_privileges() - what each of @rules may open or close, apart from who asks, from
 * where and when: into @bits, zeroed, one word for 64 of @privs and so on, rule by
 * rule.
 */
void match_privileges(const struct policy *p, const struct rules *rules,
		      const struct policy_privileges *privs, uint64_t *bits);

/* match_prefix() - the first @bits of both 16-byte addresses are the same. */
bool match_prefix(const uint8_t *a, const uint8_t *b, unsigned bits);

/* match_from() - MATCH_UNKNOWN for an unknown origin; MATCH_YES without `from:`. */
enum match match_from(const struct rule *r, const struct policy_request *req);

/* match_time() - MATCH_UNKNOWN while the clock is not certain; MATCH_YES without
 * `time:`. */
enum match match_time(const struct rule *r, const struct policy_request *req);

/*
 * match_mfa() - REASON_NONE when the proof is enough for this privilege.
 * @locked: enum policy_method bits that prove nothing at the moment.
 */
enum policy_reason match_mfa(const struct rule *r, uint32_t privilege,
			     const struct policy_request *req, unsigned locked);

/* match_asks_mfa() - the rule wants a proof. */
static inline bool match_asks_mfa(const struct rule *r)
{
	return r->mfa && r->mfa->accept != 0;
}

/* match_accept() - the methods that the rule accepts and no lock holds. */
static inline unsigned match_accept(const struct rule *r, unsigned locked)
{
	return r->mfa ? r->mfa->accept & ~locked : 0;
}

/* match_has_when() - the rule holds at some places or times only. */
static inline bool match_has_when(const struct rule *r)
{
	return r->n_from > 0 || r->time;
}

/*
 * match_somewhere() - is there an origin from which @req, with any proof, is allowed?
 * Hours stay assumed as in @req. @class: of its VM. @ret: that decision.
 */
bool match_somewhere(const struct policy *p, uint32_t class,
		     const struct policy_request *req, struct policy_decision *ret);
