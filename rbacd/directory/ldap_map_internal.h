/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_map_internal.h - what the map is made of; ldap_map*.c only.
 *
 *   person ──hook──► node ◄──member── group      a node is a name that members are
 *     │                │                ▲        listed by: a DN, a login, or the SID
 * of ▼                └────── group ───┘        a primary group name (the login,
 * folded: who claims it, and what was last told about it)
 *
 * Nodes outlive what stands behind them: a member may be listed before its entry comes.
 * What must be worked out again is marked, and done by map_settle() before any answer.
 */
#pragma once

#include "rbacd/directory/dn.h"
#include "rbacd/directory/ldap_entry.h"
#include "rbacd/directory/table.h"

/* Members that no entry stands behind: in all, and in one group. */
#define UNKNOWN_MAX	  400000
#define UNKNOWN_GROUP_MAX 100000

struct group;
struct person;

enum node_kind { NODE_DN = 'd', NODE_LOGIN = 'u', NODE_SID = 's', NODE_NAME = 'n' };

struct node {
	struct table_link link;
	struct person *people; /* hooked here */
	struct group
		*group; /* DN: it; SID: its primary group; NAME: first of a chain */
	struct group **parents; /* owned list: the groups that list this node */
	uint32_t n_parents, parents_cap;
	uint32_t refs; /* hooks, groups and member lists */
	uint32_t len;
	char key[]; /* kind, then the text and NUL */
};

enum hook_kind { HOOK_DN, HOOK_LOGIN, HOOK_SID, HOOKS };

struct hook {
	struct node *node; /* counted; NULL: none */
	struct person *next, *prev;
};

struct name {
	struct table_link link;
	struct person *people;	/* who claims it, by name_next */
	struct person *current; /* the one who has it: not local, no other claims it */
	char *told;	    /* owned: the spelling last told; NULL: nothing is known */
	enum ldap_drop why; /* why nobody has it */
	size_t n_dropped;   /* claims counted in n_conflicts */
	bool local;	    /* of /etc/passwd: nobody may have it */
	bool dirty, untold;
	struct name *next_dirty, *next_untold;
	size_t len;
	char fold[];
};

struct person {
	struct table_link link;
	struct ldap_id id;
	uint64_t raw_dn; /* hash of the DN as it was sent */
	struct hook hooks[HOOKS];
	struct name *name; /* NULL: dropped */
	struct person *name_next;
	char *login; /* owned */
	uint32_t uid, flags;
	int64_t expires_s;
	uint32_t *groups; /* owned: targets, sorted; settled */
	size_t n_groups;
	enum ldap_drop why; /* 0: usable as far as the entry goes */
	bool seen;	    /* in this refresh */
	bool changed;	    /* other than its groups, and not told yet */
};

struct group {
	struct table_link link;
	struct ldap_id id;
	char *dn;			/* owned, as sent */
	struct node *node, *name, *sid; /* counted; name, sid: NULL: none */
	struct group *name_next;
	struct node **members; /* owned list, counted nodes, sorted by address */
	struct group **subs;   /* owned list: the groups among them */
	size_t n_members, n_subs;
	struct target *targets; /* by next_same */
	int64_t stale_since;	/* 0: the list is current */
	uint64_t epoch;		/* of the last walk that came here */
	uint32_t depth;		/* in that walk */
	bool has_list, followed, wanted, seen, too_large, unreadable;
	struct group *next_wanted;
};

struct target {
	struct snapshot_group ask; /* borrowed from the targets' snapshot */
	struct group *group;
	struct target *next_same;
	const char *problem; /* static */
	bool complete;
	int64_t stale_since;
	uint32_t n_people;
	char id[LDAP_ID_TEXT_MAX + 1];
};

struct reading {
	struct group *group; /* NULL: it is gone, or nothing is read */
	bool open, bad, too_large;
	uint64_t next; /* start of the range that must come */
	struct node **v;
	size_t n, cap, n_unknown;
};

struct walk { /* groups of one walk, in order */
	struct group **v;
	size_t n, cap;
};

struct drop {
	char *dn, *login; /* owned */
	enum ldap_drop why;
};

struct ldap_map {
	const struct ldap_schema *schema;
	struct dn users_base, groups_base;
	uint64_t seed;
	struct table people, groups, nodes, names;
	struct snapshot *asked, *local; /* counted */
	struct target *targets;
	size_t n_targets;
	struct name *dirty, *untold;
	struct group *wanted;
	struct reading reading;
	struct walk walk;
	uint64_t epoch;
	size_t n_edges, n_unknown, n_closure, n_wanted, n_dirty, n_untold;
	size_t n_current, n_stubs, n_conflicts;
	bool targets_stale, closure_stale, states_stale;
	bool refreshing[LDAP_KIND_GROUP + 1];
	/* Groups were left out, since the refresh began or before: what is not found
	 * may be one of them. */
	bool lost, lost_before;
	struct drop drops[LDAP_DROPS_KEPT];
	size_t n_drops;
};

/* ldap_map.c */
void map_note_drop(struct ldap_map *m, const char *dn, const char *login,
		   enum ldap_drop why);

/* ldap_map_node.c: nodes and names */
_must_check_ int node_get(struct ldap_map *m, enum node_kind kind, const void *key,
			  size_t len, struct node **ret);
struct node *node_find(const struct ldap_map *m, enum node_kind kind, const void *key,
		       size_t len);
void node_put(struct ldap_map *m, struct node *n); /* NULL is a no-op */
void node_attach(struct ldap_map *m, struct node *n, struct person *p,
		 enum hook_kind kind);
void node_detach(struct ldap_map *m, struct person *p, enum hook_kind kind);
void node_set_group(struct ldap_map *m, struct node *n, struct group *g);
_must_check_ int node_add_parent(struct node *n, struct group *g);
void node_remove_parent(struct node *n, struct group *g);
_must_check_ int name_claim(struct ldap_map *m, struct person *p);
void name_release(struct ldap_map *m, struct person *p);
void name_mark(struct ldap_map *m, struct name *name);
_must_check_ int name_get(struct ldap_map *m, const char *login, struct name **ret);
void name_forget_if_empty(struct ldap_map *m, struct name *name);

/* ldap_map_group.c: groups and who is below them */
struct group *group_find(const struct ldap_map *m, const struct ldap_id *id);
void group_free(struct ldap_map *m, struct group *g);
void group_leave(struct ldap_map *m, struct group *g);
void group_want(struct ldap_map *m, struct group *g);
void group_unwant(struct ldap_map *m, struct group *g);
void group_drop_list(struct ldap_map *m, struct group *g);
void map_mark_below(struct ldap_map *m, struct group *g);
/* Room in the walk for every group, and a new epoch. */
_must_check_ int walk_start(struct ldap_map *m);
void walk_push(struct ldap_map *m, struct group *g, uint32_t depth);

void node_mark(struct ldap_map *m, const struct node *n);

/* ldap_map_members.c */
void members_abort(struct ldap_map *m);

/* ldap_map_follow.c: targets, closure, what is known of them */
_must_check_ int map_follow(struct ldap_map *m);

/* ldap_map_result.c */
_must_check_ int map_settle(struct ldap_map *m);
void person_unsettle(struct ldap_map *m, struct person *p);
