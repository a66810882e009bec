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
};

/* A grant or a deny. */
struct rule {
	/* what every decision reads, first */
	uint64_t privileges; /* bits */
	struct index_list to;
	struct text_list su; /* su:TARGET */
	bool deny;
	int64_t valid_from_s;	     /* INT64_MIN: no limit */
	int64_t valid_until_s;	     /* 0: no limit */
	const struct model_mfa *mfa; /* NULL: none (denies) */
	struct model_from *from;
	uint32_t n_from;
	const char *id;
	/* what the index was made from, and texts */
	struct index_list roles;
	struct index_list sets;
	struct text_list vms;
	const char *from_text, *until_text; /* dates as written; NULL */
	const char *message, *owner, *why;  /* NULL: none */
};

struct rules {
	struct rule *v; /* sorted by id */
	uint32_t n;
	struct csr by_class;	 /* VM class -> rules whose `vms` hold it */
	struct csr by_principal; /* principal -> rules that name it */
};

struct policy {
	unsigned refs;
	struct arena arena;
	uint64_t serial;
	bool has_serial;
	const char *tz; /* NULL: UTC */
	char sha256[65];

	struct names privileges;
	uint32_t priv_su, priv_batch;
	struct names services;
	uint32_t *service_privilege;

	/* Principals: groups, then user:NAME, then local:NAME. */
	struct names groups, users, locals;
	struct policy_group *group_info;
	const char **user_ids;	     /* pin of each user */
	struct names ids;	     /* pins, sorted */
	uint32_t *id_user;	     /* index in ids -> index in users */
	const char **principal_text; /* "NAME", "user:NAME", "local:NAME" */

	bool has_inventory;
	struct names vms;
	struct model_vm *vm_info;
	uint32_t *vm_class;

	struct names sets;
	struct vm_expr **set_expr;

	struct names roles;
	struct model_role *role_info;

	struct model_mfa default_mfa;
	struct rules grants, denies;
};

static inline uint32_t policy_principal_count(const struct policy *p)
{
	return p->groups.n + p->users.n + p->locals.n;
}
