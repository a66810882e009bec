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
	SECTION_GLASS,
	SECTION_SEPARATION,
	SECTION_N
};

struct loader {
	struct policy *p;
	const struct policy_host *host;
	struct yaml_doc **docs; /* owned */
	size_t n_docs;
	struct decls decls[SECTION_N];
	const char **doc_name; /* owned by the arena, by document; what `where` keeps */
	struct {
		const char *name;
		const struct tz_zone *zone;
	} zones[POLICY_ZONES_MAX]; /* read so far */
	size_t n_zones;
	uint64_t n_su;	   /* su targets of all roles and rules so far */
	uint64_t n_labels; /* of all VMs so far */
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

/* loader_where() - the position that is kept when the files are gone. */
struct policy_where loader_where(struct loader *l, struct at at);
/* loader_zone() - a time zone, each read once; NULL with a diagnostic. */
const struct tz_zone *loader_zone(struct loader *l, struct at at, const char *name);

/* declare.c: collects and names everything, so that later references resolve. */
void declare_all(struct loader *l);

/* define.c: groups, users, services, inventory, roles. */
void define_services(struct loader *l); /* needed by the others: first */
void define_all(struct loader *l);

/* selector.c: what stands under vm_sets. */
void selector_define_all(struct loader *l);

/* rules.c: defaults, grants, denies and break_glass. */
void rules_define_all(struct loader *l);
/* rules_read_to() - the non-empty list under `to` as principals. */
void rules_read_to(struct loader *l, struct at entry, struct index_list *ret);
/* rules_read_vms() - the non-empty list under @key as sets and vm:NAME of @rule. */
void rules_read_vms(struct loader *l, struct at entry, const char *key,
		    struct rule *rule);
/* rules_get_list() - the non-empty list under @key, or NULL with a diagnostic. */
const struct yaml_node *rules_get_list(struct loader *l, struct at entry,
				       const char *key);

/* bounds.c: separation, limits and mode. */
void bounds_define_all(struct loader *l);
/*
 * bounds_each() - calls @read for each entry, a map, of the lists called @key in all
 * files; @i counts them, @n is how many there are. Return: @n.
 */
size_t bounds_each(struct loader *l, const char *key,
		   void (*read)(struct loader *l, struct at at, size_t i, size_t n));

/* password.c: password and enrolment. */
void password_define_all(struct loader *l);

/* selftest.c: reads `tests:`. */
void selftest_define_all(struct loader *l);

/* rule_time.c: `time:`, `valid:` and `review:`. */
void when_read_time(struct loader *l, struct at at, struct rule *rule);
void when_read_valid(struct loader *l, struct at at, struct rule *rule);
void when_read_review(struct loader *l, struct at at, struct rule *rule);
/* A date such as 2026-11-01 in the policy's zone; its text, or NULL with a diagnostic.
 */
const char *when_read_date(struct loader *l, struct at at, int64_t *ret_s);
/* An instant such as 2026-11-20T10:00+01:00; false for anything else. */
bool when_parse_instant(const char *text, int64_t *ret_s);

/* rule_when.c: mfa and from under `when:`. */
void when_init_default_mfa(struct loader *l); /* what holds without `defaults:` */
void when_read_default_mfa(struct loader *l, struct at at);
void when_read_mfa(struct loader *l, struct at at, struct rule *rule);
void when_read_from(struct loader *l, struct at at, struct rule *rule);
/* `mfa: none`, also of a break_glass entry, is written so. */
bool when_is_none(const struct yaml_node *n);

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
/* check_su_room() - @n su targets more; false, told once, when that is too many. */
bool check_su_room(struct loader *l, size_t n);
/* Sorts and drops repetitions. */
void index_list_sort(struct index_list *list);
void text_list_sort(struct text_list *list);
/* Like strcmp(): item by item, then the shorter first. */
int index_list_compare(const struct index_list *a, const struct index_list *b);
