/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - the stages between YAML and a policy; shared by the files of this folder. */
#pragma once

#include "policy/model.h"
#include "policy/yaml.h"

/* One definition found in the files: its name and where it stands. */
struct decl {
	const char *name;	      /* owned by the arena */
	const struct yaml_doc *doc;   /* borrowed */
	const struct yaml_node *node; /* borrowed; NULL: only mentioned */
};

struct decls {
	struct decl *v; /* owned */
	size_t n, cap;
};

enum section {
	SECTION_GROUPS,
	SECTION_USERS,
	SECTION_LOCALS, /* not a key: every local:NAME that is mentioned */
	SECTION_SERVICES,
	SECTION_VMS,
	SECTION_SETS,
	SECTION_ROLES,
	SECTION_GRANTS,
	SECTION_DENIES,
	SECTION_N
};

struct loader {
	struct policy *p;
	const struct policy_host *host;
	struct yaml_doc **docs; /* owned */
	size_t n_docs;
	struct decls decls[SECTION_N];
	struct diags *diag;
	int err; /* first fatal error, negative errno; readers stop working */
};

/* A value that is being read. */
struct at {
	const struct yaml_doc *doc;
	const struct yaml_node *node;
};

/* loader_add() - remember a definition; sets l->err when memory is short. */
void loader_add(struct loader *l, enum section s, const char *name, size_t len,
		const struct yaml_doc *doc, const struct yaml_node *node);
void *loader_alloc(struct loader *l, size_t n, size_t size);
const char *loader_text(struct loader *l, const char *text);
/* loader_error() - a diagnostic at a value. */
void loader_error(struct loader *l, struct at at, const char *fmt, ...) _printf_(3, 4);

/* declare.c: collects and names everything, so that later references resolve. */
void declare_all(struct loader *l);

/* define.c: groups, users, services, inventory, roles. */
void define_services(struct loader *l); /* needed by the others: first */
void define_all(struct loader *l);

/* vmset.c: selectors. */
void vmset_define_all(struct loader *l);
/* A name or a pattern of VMs; false with a diagnostic when it is not valid. */
bool vmset_check_pattern(struct loader *l, struct at at, const char *text);

/* rules.c: defaults, grants and denies. */
void rules_define_all(struct loader *l);

/* rule_when.c: what stands under `when:` and `valid:`. */
void when_init_default_mfa(struct loader *l); /* what holds without `defaults:` */
void when_read_default_mfa(struct loader *l, struct at at);
void when_read_mfa(struct loader *l, struct at at, struct rule *rule);
void when_read_from(struct loader *l, struct at at, struct rule *rule);
void when_read_valid(struct loader *l, struct at at, struct rule *rule);

/* check.c: alphabets, lists and references. */
bool check_name(struct loader *l, struct at at, const char *text, size_t len,
		const char *what);
bool check_vm_name(const char *text, size_t len);
bool check_privilege_name(const char *text);
/* The node is a non-empty list (or map); false with a diagnostic. */
bool check_kind(struct loader *l, struct at at, enum yaml_kind kind, const char *what);
/* A text of bounded length without line breaks, or NULL with a diagnostic. */
const char *check_text(struct loader *l, struct at at, const char *what);
/* check_label() - a key or value that a label can have: not too long, no blanks. */
bool check_label(const char *text);
/* A reference; NAMES_NONE with a diagnostic and a suggestion. */
uint32_t check_reference(struct loader *l, struct at at, const struct names *names,
			 const char *text, const char *what);
/* A list of names, resolved. */
void check_references(struct loader *l, struct at at, const struct names *names,
		      const char *what, struct index_list *ret);
/* Adds a privilege such as ssh or su:postgres to a set; diagnostics for bad ones. */
void check_privilege(struct loader *l, struct at at, uint64_t *bits,
		     struct text_list *su);
void check_roles(struct loader *l);
/* Sorts and drops repetitions. */
void index_list_sort(struct index_list *list);
void text_list_sort(struct text_list *list);
