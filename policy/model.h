/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - the inside of a policy: what the files say, resolved to indices, and the
 * index that decisions use. Shared by the files of this folder only.
 *
 * Everything hangs in the policy's arena and is immutable once policy_load() returns.
 * All lists are sorted by name, so that the order of files and keys has no meaning.
 */
#pragma once

#include "policy/arena.h"
#include "policy/limits.h"
#include "policy/names.h"
#include "policy/policy.h"
#include "policy/tz.h"
#include "policy/view.h"

struct index_list {
	uint32_t *v; /* ascending */
	uint32_t n;
};

struct text_list {
	const char **v; /* ascending */
	uint32_t n;
};

/* Lists of indices, one after the other: list i is v[off[i]] .. v[off[i + 1] - 1]. */
struct csr {
	uint32_t *off; /* n + 1 entries */
	uint32_t *v;
	uint32_t n;
};

enum vm_expr_kind { VM_ALL = 1, VM_ANY, VM_NOT, VM_LABEL, VM_NAME, VM_EVERY };

struct vm_expr {
	enum vm_expr_kind kind;
	struct vm_expr **kids; /* VM_ALL, VM_ANY, VM_NOT */
	uint32_t n_kids;
	const char *key;	/* VM_LABEL */
	struct text_list texts; /* VM_LABEL: values; VM_NAME: names and patterns */
};

struct model_vm {
	struct policy_label *labels; /* sorted by key */
	uint32_t n_labels;
	const char *owner; /* NULL: none */
};

struct model_role {
	struct index_list includes;
	uint64_t own_privileges, privileges; /* bits; the second with `includes` */
	struct text_list own_su, su;	     /* su:TARGET, likewise */
};

struct model_mfa {
	unsigned accept;  /* enum policy_method bits; 0: `mfa: none` */
	int32_t *max_age; /* by privilege index, seconds; NULL: none */
};

struct model_from {
	bool local; /* the console; else a network: */
	bool v4;
	uint8_t bits; /* of the 16-byte form */
	uint8_t addr[16];
	uint32_t outer; /* 1 + index of the narrowest network around it; 0: none */
};

/* `time:`: hours of the wall clock of a zone; over midnight when until <= from. */
struct model_time {
	const struct tz_zone *zone;
	const char *tz;	 /* as written or from defaults */
	uint8_t days;	 /* bit 0: Monday; of the day on which the window starts */
	uint16_t from_m; /* minutes since midnight */
	uint16_t until_m;
	const char *days_text, *between_text; /* canonical */
};

/* A grant, a deny or a break_glass entry. */
struct rule {
	/* what every decision reads, first */
	uint64_t privileges; /* bits */
	struct index_list to;
	struct text_list su; /* su:TARGET */
	bool deny;
	int64_t valid_from_s;	     /* INT64_MIN: no limit */
	int64_t valid_until_s;	     /* 0: no limit */
	const struct model_mfa *mfa; /* NULL: none (denies) */
	struct model_from *from;     /* by local, address, bits */
	uint32_t n_from;
	const struct model_time *time; /* NULL: any */
	int64_t review_every_s;	       /* 0: none */
	enum policy_overdue overdue;
	struct index_list separated; /* roles with their includes that a separation
					names, as slots */
	const char *id;
	/* what the index was made from, and texts */
	struct index_list roles;
	struct index_list sets;
	struct text_list vms;
	const char *from_text, *until_text; /* dates as written; NULL */
	const char *message, *owner, *why;  /* NULL: none */
	const char *alert;		    /* break_glass */
	struct policy_where where;
};

struct rules {
	struct rule *v; /* sorted by id */
	uint32_t n;
	struct csr by_class;	 /* VM class -> rules whose `vms` hold it */
	struct csr by_principal; /* principal -> rules that name it */
};

/* rules_find() - a rule by its id; NULL: none. */
const struct rule *rules_find(const struct rules *rules, const char *id);

struct model_separation {
	const char *id;
	struct index_list roles, slots;
	struct policy_where where;
};

struct model_limit {
	struct index_list to;
	uint32_t max_sessions;
	int64_t max_session_s;
	struct policy_where where;
};

struct model_enrolment {
	struct index_list to;
	bool at_first_login;
	bool optional; /* may be put off until the end */
	const char *until_text;
	int64_t until_s;
	struct policy_where where;
};

/* The numbers of a `password:` section; see password.c. */
#define MODEL_PASSWORD_N 11

struct model_password {
	const char *preset; /* NULL: no section */
	int32_t v[MODEL_PASSWORD_N];
	uint32_t given;		/* bits: written in the policy, not of the preset */
	struct text_list words; /* of the organisation; sorted */
	struct policy_where where;
};

struct model_test {
	struct index_list groups; /* user_in */
	const char *user, *local; /* NULL: not given */
	const char *vm, *privilege, *target;
	const char *from, *at;	 /* as written; NULL: not given */
	const char *by, *reason; /* NULL: not asked */
	const char *text;	 /* canonical */
	struct policy_origin origin;
	struct policy_mfa mfa;
	int64_t now_s;
	enum policy_verdict want;
	struct policy_where where;
};

struct policy {
	unsigned refs;
	struct arena arena;
	uint64_t serial;
	bool has_serial;
	const char *tz; /* NULL: UTC */
	const struct tz_zone *zone;
	char sha256[65];

	struct names privileges;
	uint32_t priv_su, priv_sudo, priv_batch;
	struct names services;
	uint32_t *service_privilege;

	/* Principals: groups, then user:NAME, then local:NAME. */
	struct names groups, users, locals;
	struct policy_group *group_info;
	struct policy_where *group_where; /* of aliases; file NULL: has none */
	const char **user_ids;		  /* pin of each user */
	struct names ids;		  /* pins, sorted */
	uint32_t *id_user;		  /* index in ids -> index in users */
	const char **principal_text;	  /* "NAME", "user:NAME", "local:NAME" */

	bool has_inventory;
	struct names vms;
	struct model_vm *vm_info;
	struct policy_where *vm_where;
	uint32_t *vm_class;

	struct names sets;
	struct vm_expr **set_expr;
	struct policy_where *set_where;

	struct names roles;
	struct model_role *role_info;
	struct policy_where *role_where;
	uint32_t *role_order; /* a role stands behind all that it includes */

	struct model_mfa default_mfa;
	struct rules grants, denies, glass;

	struct model_separation *separations; /* sorted by id */
	uint32_t n_separations;
	uint32_t n_slots; /* distinct roles in them */
	struct model_limit *limits;
	uint32_t n_limits;
	struct model_enrolment *enrolments;
	uint32_t n_enrolments;
	struct model_password password;
	struct model_test *tests; /* sorted by text */
	uint32_t n_tests;

	bool monitor_default;
	struct rule monitor;	 /* of `mode:`; only its sets and vms are used */
	uint64_t *class_monitor; /* bits by class */
};
