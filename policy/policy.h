/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - the whole public face of the policy library.
 *
 * YAML -> checked model -> compiled, immutable, counted policy -> decision. Pure: no
 * I/O but policy_load(), no clock, no logging, no globals. Zero is deny. The language
 * is described in docs/design/policy.md.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "policy/base.h"
#include "policy/diag.h"

#define POLICY_NAME_MAX 64 /* bytes of a login, group, role, set or rule id */
#define POLICY_VM_MAX	253
#define POLICY_NEAR_MAX 8 /* near misses a decision lists */

enum { POLICY_E_INVALID = 1, POLICY_E_UNKNOWN = 2 };

/* A verdict is compared with ==, never tested for truth; noise is not ALLOW. */
enum policy_verdict { POLICY_DENY = 0, POLICY_ALLOW = 0x25c3691e };

/* Why; policy_reason_name() gives the stable identifier used in the audit log. */
enum policy_reason {
	POLICY_REASON_NONE = 0, /* allowed */
	POLICY_REASON_NO_POLICY,
	POLICY_REASON_VM_UNKNOWN,
	POLICY_REASON_SERVICE_UNKNOWN,
	POLICY_REASON_UNKNOWN_USER,
	POLICY_REASON_ACCT_DISABLED,
	POLICY_REASON_ACCT_EXPIRED,
	POLICY_REASON_DENIED, /* an explicit deny rule; identifier "denied" */
	POLICY_REASON_DIRECTORY_INCOMPLETE,
	POLICY_REASON_NO_GRANT,
	POLICY_REASON_GRANT_EXPIRED, /* or not yet valid */
	POLICY_REASON_SRC_NOT_ALLOWED,
	POLICY_REASON_MFA_REQUIRED,
	POLICY_REASON_MFA_STALE,
	POLICY_REASON_MFA_METHOD,     /* this method is not accepted; identifier
					 "mfa_required" */
	POLICY_REASON_CLOCK_UNSYNCED, /* it is not known whether `time:` holds */
	POLICY_REASON_LOCKED,	      /* an operational lock: user, group, role or VM */
	POLICY_REASON_OUTSIDE_HOURS,  /* outside the hours of `time:` */
	POLICY_REASON_REVIEW_OVERDUE, /* suspended until somebody reviews the grant */
	POLICY_REASON_SEPARATION,     /* its role may not be held beside another */
	POLICY_REASON_SESSION_LIMIT,  /* max_sessions or max_session_time is reached */
	POLICY_REASON_DIRECTORY_STALE, /* what is known of the person is too old */
};

const char *policy_reason_name(enum policy_reason reason);

/* Second-factor methods, as bits. */
enum policy_method {
	POLICY_METHOD_TOTP = 1u << 0,
	POLICY_METHOD_RECOVERY = 1u << 1, /* recovery and bypass codes */
	POLICY_METHOD_SECURITY_KEY = 1u << 2,
};

const char *policy_method_name(enum policy_method method); /* "totp" … */

struct policy; /* compiled; immutable, counted */

struct policy_label {
	const char *key;   /* borrowed */
	const char *value; /* borrowed */
};

/* What the policy needs to know about the host it is loaded on. */
struct policy_host {
	const char *name; /* this VM; used when the policy has no inventory. borrowed */
	const struct policy_label *labels; /* borrowed */
	size_t n_labels;
};

/*
 * policy_load() - read a policy file, or every *.yaml of a folder, check and compile
 * it.
 * @path: file or folder; entries starting with '.' are left out. Each file must be
 *        regular, not writable by group or others, owned by root or this process.
 * @host: this host; borrowed for the call.
 * Return: 0 and *ret_policy with one reference; POLICY_E_INVALID with all diagnostics
 *         added and nothing else touched; negative errno.
 */
_must_check_ int policy_load(const char *path, const struct policy_host *host,
			     struct policy **ret_policy, struct diags *diag);

/*
 * policy_files() - what policy_load() reads at @path: itself, or the *.yaml of a folder
 * by name. @ret: owned, as each path; ended by NULL. Return: 0; negative errno.
 */
_must_check_ int policy_files(const char *path, char ***ret);
void policy_files_free(char **files); /* NULL is a no-op */

/* One policy file in memory, for tests, fuzzing and editors. */
struct policy_source {
	const char *name;
	const char *buf;
	size_t len;
};

/* policy_load_sources() - policy_load() for files already in memory. */
_must_check_ int policy_load_sources(const struct policy_source *src, size_t n_src,
				     const struct policy_host *host,
				     struct policy **ret_policy, struct diags *diag);

struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy); /* NULL is a no-op */

static inline void policy_unrefp(struct policy **p)
{
	policy_unref(*p);
}

#define _cleanup_policy_ _cleanup_(policy_unrefp)

/* policy_sha256() - 64 lower-case hex digits of the sha256 over the canonical form. */
const char *policy_sha256(const struct policy *policy);

/* policy_serial() - the serial, or 0 when the policy gives none. */
uint64_t policy_serial(const struct policy *policy);

/* policy_print() - write the canonical form; loading it again decides the same. */
_must_check_ int policy_print(const struct policy *policy, FILE *out);

/*
 * The groups that the policy names, in index order. A subject's memberships are given
 * as these indices. @name: as in `to:`; @dn, @id: the alias' pins, NULL when not given.
 */
struct policy_group {
	const char *name;
	const char *dn;
	const char *id;
};

size_t policy_group_count(const struct policy *policy);
const struct policy_group *policy_group_at(const struct policy *policy, size_t index);

/* policy_group_find() - 0 and *ret_index, or POLICY_E_UNKNOWN. */
_must_check_ int policy_group_find(const struct policy *policy, const char *name,
				   uint32_t *ret_index);

/* The people that the policy names directly: login and pinned id, in index order. */
struct policy_user {
	const char *login;
	const char *id;
};

size_t policy_user_count(const struct policy *policy);
struct policy_user policy_user_at(const struct policy *policy, size_t index);

/*
 * policy_service_privilege() - the privilege a PAM service asks for: the policy's
 * `services:` first, then the built-in table (sshd: ssh, login: console, …).
 * Return: 0 and *ret_privilege (borrowed); POLICY_E_UNKNOWN.
 */
_must_check_ int policy_service_privilege(const struct policy *policy,
					  const char *service,
					  const char **ret_privilege);

/* policy_vm_count(), policy_vm_at() - the inventory, for who-can and reports. */
size_t policy_vm_count(const struct policy *policy);
const char *policy_vm_at(const struct policy *policy, size_t index);

/*
 * policy_login_valid() - the alphabet and length rules of a login: 1-64 bytes of
 * [a-z0-9._-] and capital letters, no leading '-', not "." or "..", no trailing '$'.
 */
bool policy_login_valid(const char *login, size_t len);

struct policy_subject {
	const char *login; /* canonical; borrowed */
	const char *id;	   /* immutable id; borrowed; compared with `users:` pins */
	bool known;	   /* false: everything below is ignored, the answer is deny */
	bool enabled;	   /* false: acct_disabled */
	bool local;	   /* in /etc/passwd: matches local:NAME */
	bool directory;	   /* comes from the directory: matches user:NAME and groups */
	bool stale; /* the directory's data is too old for this privilege: deny */
	int64_t expires_s; /* account expiry, seconds UTC; 0: never */
	const uint32_t
		*groups; /* sorted indices of groups the subject is in; borrowed */
	size_t n_groups;
	const uint32_t *unknown; /* sorted indices of groups without a usable list */
	size_t n_unknown;
};

enum policy_origin_kind {
	POLICY_ORIGIN_UNKNOWN = 0,
	POLICY_ORIGIN_LOCAL, /* local or serial console */
	POLICY_ORIGIN_ADDR,
};

struct policy_origin {
	enum policy_origin_kind kind;
	uint8_t addr[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
};

/*
 * policy_origin_parse() - numeric IPv4 or IPv6 text (a %scope is dropped) to an origin.
 * Return: 0; POLICY_E_INVALID for anything else; names are never resolved.
 */
_must_check_ int policy_origin_parse(const char *text,
				     struct policy_origin *ret_origin);

enum policy_mfa_state {
	POLICY_MFA_NONE = 0,
	POLICY_MFA_PROOF,   /* a code was accepted @age_s ago by @method */
	POLICY_MFA_ASSUMED, /* "could it be allowed if a code were given now?" */
};

struct policy_mfa {
	enum policy_mfa_state state;
	enum policy_method method; /* PROOF only */
	int64_t age_s;		   /* PROOF: 0 when given in this very transaction */
	bool same_transaction;	   /* PROOF: satisfies any max_age, also 0 */
};

/*
 * Conditions to take as met, as bits: "could it ever be allowed?". A condition of a
 * grant that is assumed is true, and a deny that has it does not match.
 */
enum policy_assume {
	POLICY_ASSUME_FROM = 1u << 0,
	POLICY_ASSUME_TIME = 1u << 1, /* of day and week; `valid:` still counts */
	POLICY_ASSUME_MFA = 1u << 2,
	/* Reviews are in time and no session is open: without a daemon's state. */
	POLICY_ASSUME_STATE = 1u << 3,
};

/*
 * Operational locks: outside the policy, with an end. A lock of a group or a role whose
 * membership is not known locks; a locked method proves nothing.
 */
enum policy_lock_kind {
	POLICY_LOCK_USER = 1,
	POLICY_LOCK_GROUP,
	POLICY_LOCK_ROLE, /* whoever holds it on the VM, through a grant valid now */
	POLICY_LOCK_VM,
	POLICY_LOCK_FACTOR, /* a method: totp, recovery, security-key */
};

struct policy_lock {
	enum policy_lock_kind kind;
	const char *name; /* login, group, role, VM or method */
	const char *id;	  /* USER: immutable id; either matches. NULL: unknown */
	int64_t until_s;  /* the first second without it */
	/* ROLE: the grants that carry it, from policy_lock_grants(); NULL: not worked
	 * out, so it locks everybody. borrowed */
	const uint64_t *grants;
};

/*
 * policy_lock_grants() - the grants whose roles are or include @role.
 * @ret: bits by policy_grant_at(), in (policy_grant_count() + 63) / 64 words.
 * Return: 0; POLICY_E_UNKNOWN and no bits for a role that is not there; -ENOMEM.
 */
_must_check_ int policy_lock_grants(const struct policy *policy, const char *role,
				    uint64_t *ret);

#define POLICY_LOCK_TEXT_MAX 272
/* policy_lock_text() - "user:NAME", "group:NAME" …, as rbacctl takes it. */
void policy_lock_text(const struct policy_lock *lock, char buf[POLICY_LOCK_TEXT_MAX]);
/*
 * policy_lock_parse() - the reverse; a text without a prefix is a user. @ret borrows.
 * Return: 0; POLICY_E_INVALID for a kind or a name that cannot be.
 */
_must_check_ int policy_lock_parse(const char *text, struct policy_lock *ret);

/*
 * What decisions read besides the policy; kept by rbacd. NULL in a request: no locks,
 * and nothing is known of reviews, so a grant with `overdue: suspend` does not match.
 */
struct policy_state {
	const struct policy_lock *locks; /* borrowed */
	size_t n_locks;
	/* By policy_grant_at(): the last review or the first activation; 0: unknown. */
	const int64_t *reviewed_s; /* borrowed */
	size_t n_reviewed;
};

/* The sessions of the person; all zero: not known, which a limit refuses. */
struct policy_sessions {
	bool known;
	uint32_t n_open; /* by policy_privilege_session() privileges */
	int64_t age_s;	 /* sudo, su: of the session they come from; -1: unknown */
};

struct policy_request {
	const struct policy_subject *subject; /* borrowed */
	const char *vm;			      /* canonical VM name */
	const char *privilege;		      /* "ssh", "sudo", "su", … */
	const char *target;		      /* su: target account; else NULL */
	bool target_uid0;		      /* su: the target account has uid 0 */
	struct policy_origin origin;
	struct policy_mfa mfa;
	int64_t now_s;	     /* wall clock, seconds since 1970 UTC */
	bool clock_unsynced; /* the hour is not certain: `time:` is unknown */
	const struct policy_state *state; /* locks and reviews; borrowed; may be NULL */
	struct policy_sessions sessions;
	unsigned assume; /* enum policy_assume bits; 0 for whoever stands at the door */
};

struct policy_near {
	const char *rule; /* grant id; borrowed from the policy */
	enum policy_reason
		reason; /* the first condition that was not definitely true */
	/*
	 * Figures, seconds. MFA_STALE: greatest age and age. GRANT_EXPIRED: the bound
	 * that is not kept and now. REVIEW_OVERDUE: when it was due and now. Else 0.
	 */
	int64_t need_s, have_s;
	const char *other; /* SEPARATION: the id of the separation. borrowed */
};

struct policy_decision {
	enum policy_verdict verdict;
	enum policy_reason reason;
	const char *rule;    /* deciding grant or deny; NULL: none. borrowed */
	const char *message; /* a deny's message for the user; NULL: none. borrowed */
	const char
		*group; /* allow: the group, "user:NAME" or "local:NAME" that matched */
	const char *role;    /* allow: the role that carried the privilege */
	bool mfa_required;   /* allow: the deciding grant asked for MFA */
	bool mfa_would_help; /* deny: the same request with a code now would be allowed
			      */
	unsigned accept; /* enum policy_method bits of the deciding or nearest grant */
	int64_t max_age_s; /* how old a proof may be for this privilege under that grant
			    */
	int64_t valid_until_s; /* end of the deciding grant, 0: none */
	bool would_deny;     /* allow: only because the VM is in `mode: monitor`; reason
				and near misses say what enforcement would answer */
	bool monitor;	     /* the VM is in `mode: monitor` */
	bool break_glass;    /* allow: @rule is a break_glass entry: raise its alert */
	bool review_overdue; /* allow: the grant is overdue for review (`warn`) */
	const struct policy_lock *lock; /* LOCKED: which; borrowed from the state */
	/* What `limits` ask of this person; 0: no limit. */
	uint32_t max_sessions;
	int64_t max_session_s;
	size_t n_near;
	struct policy_near near[POLICY_NEAR_MAX];
};

/*
 * policy_decide() - decide one access request against a compiled policy.
 * @policy: NULL gives deny (no policy).
 * @req:    borrowed.
 * @ret:    always written, near[] up to n_near; strings borrowed from @policy.
 * Deny overrides; no match is deny; `batch` needs no grant for a known, enabled, local
 * account that no deny names. Cost: O(rules indexed for VM and privilege); no
 * allocation.
 */
void policy_decide(const struct policy *policy, const struct policy_request *req,
		   struct policy_decision *ret);

/* What `enrolment:` offers a person who has no second factor; zero: nothing. */
struct policy_offer {
	bool offered;		    /* may make one inside the login */
	int64_t optional_until_s;   /* may put it off until then; 0: may not */
	const char *optional_until; /* as written; borrowed from the policy; or NULL */
};

/*
 * policy_enrolment_offer() - by the entries that name the subject and have not ended.
 * A membership that is not known offers nothing. @policy: NULL offers nothing.
 */
void policy_enrolment_offer(const struct policy *policy,
			    const struct policy_subject *subject, int64_t now_s,
			    struct policy_offer *ret);

/*
 * policy_privilege_session() - the privilege opens a session of its own that `limits`
 * count: all but batch, su and sudo.
 */
bool policy_privilege_session(const char *privilege);

/*
 * policy_explain() - the decision in sentences: the verdict and its rule, each near
 * miss with the missing condition and figures, and what would have to change. Writes
 * lines to @out. Return: 0 or negative errno.
 */
_must_check_ int policy_explain(const struct policy *policy,
				const struct policy_request *req, FILE *out);

/* What the installation asks of passwords, from `password:`. A number of 0 is off. */
struct password_rules {
	const char *preset; /* NULL: the policy has no section; borrowed, as all here */
	bool mfa_everywhere; /* no rule lets in without a second factor: these numbers
				are those for that case, or for the other */
	uint32_t min_length, max_length; /* code points after NFC */
	uint32_t classes; /* >= 2: letter and digit, and so many of the four kinds */
	uint32_t max_repeat, max_sequence, min_different;
	bool blocklist;	  /* the whole password may not be in it */
	bool dictionary;  /* may not be based on a word */
	bool whole_words; /* personal words are refused as whole strings only */
	uint32_t history; /* how many former passwords may not come back */
	uint32_t max_age_d, min_age_d, warn_d; /* days */
	const char *const *words;	       /* of the organisation */
	size_t n_words;
};

/* policy_password() - the rules; all zero without a section. Valid as long as @policy.
 */
void policy_password(const struct policy *policy, struct password_rules *ret);
