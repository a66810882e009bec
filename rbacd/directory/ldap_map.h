/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_map.h - entries of a directory as accounts with policy groups. Pure: no libldap,
 * no clock, no log, no I/O.
 *
 * The follower puts in what the server says; the map keeps it and works out who
 * changed.
 *
 *   people   every entry below the users' base that the user filter matches
 *   groups   every entry below the groups' base: DN, id and name only (light)
 *   members  only of groups that a target names, and of the groups nested in those: the
 *            closure. The map says which to read (ldap_map_next_wanted()), the follower
 *            reads that one group; so a group that is too large or broken is known by
 *            name and harms nobody outside it, and a new policy needs no new search.
 *
 * An entry is known by its 16-byte immutable id. A change costs what it touches: people
 * whose groups or own entry changed become dirty, nobody else is looked at.
 */
#pragma once

#include "rbacd/directory/ldap_schema.h"
#include "rbacd/directory/snapshot.h"

enum {
	LDAP_MAP_E_DROPPED = 1, /* the entry says nothing usable; the reason is kept */
	LDAP_MAP_E_FULL = 2 /* a limit; nothing of the entry is kept, see problem() */
};

#define LDAP_DEPTH_MAX	 16	 /* nesting; deeper groups count as incomplete */
#define LDAP_MEMBERS_MAX 1000000 /* members of one group */
#define LDAP_PEOPLE_MAX	 1000000
#define LDAP_GROUPS_MAX	 200000
#define LDAP_EDGES_MAX	 8000000 /* memberships in all */
#define LDAP_DN_MAX	 1024	 /* bytes; longer ones are dropped */
#define LDAP_DROPS_KEPT	 64	 /* dropped entries remembered with their reason */

struct ldap_id {
	uint8_t v[16];
};

struct ldap_value {
	const void *p; /* borrowed; may hold NUL, need not end with one */
	size_t len;
};

struct ldap_attr {
	const char *name; /* as the server sent it: "member;range=0-1499"; any case */
	const struct ldap_value *values;
	size_t n_values;
};

struct ldap_entry {
	const char *dn;		  /* as the server sent it; borrowed, as all here */
	const struct ldap_id *id; /* of LDAP sync; NULL: the id attribute alone */
	const struct ldap_attr *attrs;
	size_t n_attrs;
};

enum ldap_kind { LDAP_KIND_USER = 1, LDAP_KIND_GROUP };

/* Why an entry is no account. The first five raise an alert. */
enum ldap_drop {
	LDAP_DROP_LOCAL_NAME = 1, /* the login is in /etc/passwd */
	LDAP_DROP_SYSTEM_UID,	  /* uid below 1000 or reserved */
	LDAP_DROP_TWICE,	  /* a second entry with this login: both are dropped */
	LDAP_DROP_ID_TWICE,	  /* a second entry with this id */
	LDAP_DROP_ID_DIFFERS,	  /* sync and entry name two ids */
	LDAP_DROP_NO_LOGIN,	  /* none, several, or not a login */
	LDAP_DROP_NO_UID,	  /* none, several, or not a number */
	LDAP_DROP_NO_ID,
	LDAP_DROP_BAD_DN,
	LDAP_DROP_BAD_STATUS, /* a status that cannot be read: nobody, to be safe */
	LDAP_DROP_LIMIT,
};
/* ldap_drop_name() - words for status and log, static. */
const char *ldap_drop_name(enum ldap_drop why);

/* Members were read up to here; see ldap_map_members_end(). */
enum ldap_read {
	LDAP_READ_DONE = 1, /* whole */
	LDAP_READ_CUT,	    /* part only, or failed: the last whole list stays */
	LDAP_READ_TOO_LARGE,
};

struct ldap_map;

/* @users_base, @groups_base: entries elsewhere are dropped, whoever sends them. */
struct ldap_map_options {
	const struct ldap_schema *schema; /* borrowed for the map's life, as all here */
	const char *users_base, *groups_base;
	uint64_t seed; /* random, so that nobody can choose names that slow us down */
};
_must_check_ int ldap_map_new(const struct ldap_map_options *o, struct ldap_map **ret);
void ldap_map_free(struct ldap_map *m); /* NULL is a no-op */

/*
 * ldap_map_set_targets() - the groups of the policy, as rbacd sent them: name, dn and
 * pin of each (snapshot.h). By pin: the group with this id, whatever it is called. By
 * dn: DN equality. Else by name: the one group of this name below the groups' base;
 * none or several leave the target without a group. @targets: referenced.
 * Member lists already read are kept; what is new becomes wanted.
 */
_must_check_ int ldap_map_set_targets(struct ldap_map *m, struct snapshot *targets);
/* ldap_map_set_local() - logins of /etc/passwd that no entry may take; referenced. */
_must_check_ int ldap_map_set_local(struct ldap_map *m, struct snapshot *local);

/*
 * ldap_map_put() - a new or changed entry, all its attributes. A group that changed and
 * is in the closure becomes wanted. Return: 0; LDAP_MAP_E_DROPPED (what was known under
 * this id is forgotten, too); LDAP_MAP_E_FULL; -ENOMEM.
 */
_must_check_ int ldap_map_put(struct ldap_map *m, enum ldap_kind kind,
			      const struct ldap_entry *e);
/* ldap_map_delete() - the entry with this id is gone; unknown ids are no error. */
_must_check_ int ldap_map_delete(struct ldap_map *m, enum ldap_kind kind,
				 const struct ldap_id *id);

/*
 * A refresh: begin; then put or present for everything there is; then absent tells how
 * many were not seen, and end forgets them. Without end nothing is forgotten.
 */
void ldap_map_refresh_begin(struct ldap_map *m, enum ldap_kind kind);
/* Return: false when the id is not known: it must be read. */
bool ldap_map_present(struct ldap_map *m, enum ldap_kind kind,
		      const struct ldap_id *id);
size_t ldap_map_absent(const struct ldap_map *m, enum ldap_kind kind);
_must_check_ int ldap_map_refresh_end(struct ldap_map *m, enum ldap_kind kind);
/* ldap_map_refresh_keep() - end it as well; who was not mentioned is unchanged. */
void ldap_map_refresh_keep(struct ldap_map *m, enum ldap_kind kind);

/* A group whose members must be read, or read again. Taken off the list. */
struct ldap_wanted {
	struct ldap_id id;
	const char *dn; /* borrowed until the next call that changes the map */
};
bool ldap_map_next_wanted(struct ldap_map *m, struct ldap_wanted *ret);
/* ldap_map_want_all() - every group of the closure is wanted again (reconcile). */
void ldap_map_want_all(struct ldap_map *m);
/* ldap_map_want_stale() - those of it whose last reading failed. Return: how many. */
size_t ldap_map_want_stale(struct ldap_map *m);

/*
 * The members of one group: begin, add for each answer (AD sends ranges), end.
 * ldap_map_members_add() takes member attributes from @e, other attributes are
 * ignored; *ret_next is the start of the next range, 0: this was the last.
 * ldap_map_members_end() puts the new list in place of the old one (DONE), keeps the
 * old one and remembers since when it is old (CUT, TOO_LARGE: incomplete if there is
 * none).
 */
_must_check_ int ldap_map_members_begin(struct ldap_map *m, const struct ldap_id *id);
_must_check_ int ldap_map_members_add(struct ldap_map *m, const struct ldap_entry *e,
				      uint64_t *ret_next);
_must_check_ int ldap_map_members_end(struct ldap_map *m, enum ldap_read how,
				      int64_t now_s);

/* ------------------------------------------------------------------- results */

/*
 * ldap_map_group() - target @i of ldap_map_set_targets(), same order: name, dn, pin as
 * given; id of the group found ("" none); complete; age_s at @now_s of the oldest list
 * in its closure (0: all current); n_members: people in it, direct and nested.
 */
void ldap_map_group(struct ldap_map *m, size_t i, int64_t now_s,
		    struct snapshot_group *ret);

/*
 * One account as it is now. @a: NULL when the account @login is gone (or dropped).
 * @a->groups: target indices, sorted; id: "entryUUID:…" in the schema's form, small
 * letters. All borrowed for the call.
 */
typedef int (*ldap_account_fn)(void *arg, const char *login,
			       const struct snapshot_account *a);
/* ldap_map_each() - every account. Stops at, and returns, what is not 0. */
_must_check_ int ldap_map_each(struct ldap_map *m, ldap_account_fn fn, void *arg);
/* ldap_map_take_dirty() - accounts that changed, came or went since the last call (or
 * since ldap_map_each()). Each login once. */
_must_check_ int ldap_map_take_dirty(struct ldap_map *m, ldap_account_fn fn, void *arg);
size_t ldap_map_dirty(const struct ldap_map *m);

struct ldap_map_stats {
	size_t n_people, n_groups; /* usable entries */
	size_t n_closure;	   /* groups whose members are followed */
	size_t n_wanted, n_dropped;
};
void ldap_map_stats(const struct ldap_map *m, struct ldap_map_stats *ret);

/* Entries dropped since the last call, at most LDAP_DROPS_KEPT with their reason. */
typedef void (*ldap_dropped_fn)(void *arg, const char *dn, const char *login,
				enum ldap_drop why);
void ldap_map_take_drops(struct ldap_map *m, ldap_dropped_fn fn, void *arg);

/* What is wrong with target @i in words ("no group of this name", "2 groups have this
 * name", "nested deeper than 16", "too large"), or NULL. */
const char *ldap_map_problem(struct ldap_map *m, size_t i);

/* ldap_id_text() - "entryUUID:…" for people and policies. */
#define LDAP_ID_TEXT_MAX 110
void ldap_id_text(const struct ldap_schema *s, const struct ldap_id *id,
		  char ret[LDAP_ID_TEXT_MAX + 1]);
