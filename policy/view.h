/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - the compiled model, read only: what lint, graphs, reports and diffs list.
 *
 * Everything is borrowed from the policy and lives as long as it. Lists are sorted by
 * name; indices are those of the policy_*_at() functions.
 */
#pragma once

#include "policy/policy.h"

/* Where an entry stands; @file NULL: nowhere, it was made up (this host). */
struct policy_where {
	const char *file;
	unsigned line, column; /* from 1 */
};

struct policy_indices {
	const uint32_t *v; /* ascending */
	size_t n;
};

struct policy_texts {
	const char *const *v; /* ascending */
	size_t n;
};

enum policy_overdue { POLICY_OVERDUE_WARN = 1, POLICY_OVERDUE_SUSPEND };

/* A grant, a deny or a break_glass entry. */
struct policy_rule {
	const char *id;
	struct policy_where where;
	struct policy_indices to;    /* policy_principal_at() */
	struct policy_indices roles; /* policy_role_at(); as written */
	struct policy_indices sets;  /* policy_set_at() */
	struct policy_texts vms;     /* vm:NAME, without "vm:" */
	uint64_t privileges;	  /* bits of policy_privilege_at(); UINT64_MAX: all */
	struct policy_texts su;	  /* targets of su:TARGET */
	unsigned accept;	  /* enum policy_method; 0: asks for no factor */
	const int32_t *max_age_s; /* by privilege; NULL when it asks for none */
	size_t n_from;		  /* entries of `from:`; 0: anywhere */
	const char *tz, *days, *between;      /* of `time:`; tz NULL: at any time */
	const char *valid_from, *valid_until; /* as written; NULL: no bound */
	int64_t valid_from_s, valid_until_s;  /* INT64_MIN and 0: no bound */
	int64_t review_every_s;		      /* 0: none */
	enum policy_overdue overdue;
	const char *owner, *why, *message; /* NULL: none */
};

size_t policy_grant_count(const struct policy *policy);
size_t policy_deny_count(const struct policy *policy);
size_t policy_break_glass_count(const struct policy *policy);
/* policy_*_at() - false beyond the end; *ret is written completely when true. */
bool policy_grant_at(const struct policy *policy, size_t i, struct policy_rule *ret);
bool policy_deny_at(const struct policy *policy, size_t i, struct policy_rule *ret);
bool policy_break_glass_at(const struct policy *policy, size_t i,
			   struct policy_rule *ret);
/* policy_grant_find() - the index of a grant, SIZE_MAX for an unknown id. */
size_t policy_grant_find(const struct policy *policy, const char *id);
/* policy_grant_baseline() - review counts from here when it was never reviewed:
 * `valid.from`, or INT64_MIN. */
int64_t policy_grant_baseline(const struct policy *policy, size_t i);

/* Groups, then "user:NAME", then "local:NAME"; the first policy_group_count() of them
 * are groups. NULL beyond the end, as below. */
uint32_t policy_principal_count(const struct policy *policy);
const char *policy_principal_at(const struct policy *policy, size_t i);
/* policy_user_id() - the pin of "user:NAME"; NULL for anything else. */
const char *policy_user_id(const struct policy *policy, size_t principal);

/* policy_group_where() - the alias' map under `groups:`; false: it has none. */
bool policy_group_where(const struct policy *policy, size_t i,
			struct policy_where *ret);

size_t policy_privilege_count(const struct policy *policy);
const char *policy_privilege_at(const struct policy *policy, size_t i);

struct policy_role {
	const char *name;
	struct policy_where where;
	struct policy_indices includes; /* as written */
	uint64_t own, all;		/* privileges; the second with its includes */
	struct policy_texts own_su, all_su;
};

size_t policy_role_count(const struct policy *policy);
bool policy_role_at(const struct policy *policy, size_t i, struct policy_role *ret);

struct policy_set {
	const char *name;
	struct policy_where where;
};

size_t policy_set_count(const struct policy *policy);
bool policy_set_at(const struct policy *policy, size_t i, struct policy_set *ret);

/*
 * Who is in a set: selectors are evaluated anew, not kept. One object for many
 * questions; @ret: room for policy_vm_count() indices, ascending.
 */
struct policy_members;

_must_check_ int policy_members_new(const struct policy *policy,
				    struct policy_members **ret); /* 0 or -ENOMEM */
void policy_members_free(struct policy_members *m);		  /* NULL is a no-op */
_must_check_ int policy_members_set(struct policy_members *m, size_t set, uint32_t *ret,
				    size_t *ret_n);
_must_check_ int policy_members_rule(struct policy_members *m,
				     const struct policy_rule *rule, uint32_t *ret,
				     size_t *ret_n);

static inline void policy_members_freep(struct policy_members **m)
{
	policy_members_free(*m);
}

#define _cleanup_members_ _cleanup_(policy_members_freep)

struct policy_vm {
	const char *name;
	struct policy_where where;
	const struct policy_label *labels; /* sorted by key */
	size_t n_labels;
	const char *owner; /* NULL: none */
	bool monitor;	   /* `mode:` says monitor */
};

bool policy_vm_info(const struct policy *policy, size_t i, struct policy_vm *ret);

struct policy_separation {
	const char *id;
	struct policy_where where;
	struct policy_indices roles; /* no two of them on one VM */
};

size_t policy_separation_count(const struct policy *policy);
bool policy_separation_at(const struct policy *policy, size_t i,
			  struct policy_separation *ret);

struct policy_limit {
	struct policy_where where;
	struct policy_indices to; /* policy_principal_at() */
	uint32_t max_sessions;	  /* 0: no limit */
	int64_t max_session_s;	  /* 0: no limit */
};

size_t policy_limit_count(const struct policy *policy);
bool policy_limit_at(const struct policy *policy, size_t i, struct policy_limit *ret);

/* An entry of `enrolment:`. */
struct policy_enrolment {
	struct policy_where where;
	struct policy_indices to;
	bool at_first_login;
	bool optional;	   /* may be put off until the end */
	const char *until; /* as written; NULL: no end */
	int64_t until_s;   /* 0: no end */
};

/* policy_enrolment_at() - the @i-th; false beyond the last. */
bool policy_enrolment_at(const struct policy *policy, size_t i,
			 struct policy_enrolment *ret);

/* policy_password_where() - where `password:` stands; false without it. */
bool policy_password_where(const struct policy *policy, struct policy_where *ret);

/* A number of `password:`, and what its preset says. 0: off. */
struct policy_password_number {
	const char *name; /* "min_length" */
	bool days;
	bool forbidden; /* the preset's standard does not allow it */
	int32_t preset, value;
	bool less_is_stricter;
};

/* policy_password_number() - the @i-th; false beyond the last, and without a section.
 */
bool policy_password_number(const struct policy *policy, size_t i,
			    struct policy_password_number *ret);

/* An entry of `tests:`, and what came of it. */
struct policy_test {
	struct policy_where where;
	const char *text; /* "user_in [db-admins], vm db01, do ssh": one line */
	enum policy_verdict want;
	const char *want_by;	 /* rule id; NULL: not asked */
	const char *want_reason; /* policy_reason_name(); NULL: not asked */
	bool passed;
	struct policy_decision got; /* under enforcement, also on monitored VMs */
};

/* policy_test_at() - likewise. */
bool policy_test_at(const struct policy *policy, size_t i, struct policy_test *ret);
