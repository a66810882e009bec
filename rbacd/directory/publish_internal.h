/* SPDX-License-Identifier: Apache-2.0 */
/* publish_internal.h - shared by publish.c (build), changes.c (compare) and
 * guard.c (hold). */
#pragma once

#include "rbacd/directory/publish.h"

/* One account that differs from what was published. */
struct change {
	char *login; /* owned, as all here */
	char *id;
	uint32_t *old_groups, *groups; /* sorted target indices */
	size_t n_old, n_groups;
	uint32_t uid, flags;
	int64_t expires_s;
	bool gone, known; /* known: it was published before */
	bool skip;	  /* the guard holds it */
	bool told;	  /* the server said so of this one alone */
	bool other;	  /* another person has taken the login */
};

struct changes {
	struct change *v; /* owned; sorted by login once collected */
	size_t n, cap;
};

/* A target as it is published. */
struct target {
	struct snapshot_group g; /* name, dn, pin borrowed from the targets */
	char id[SNAPSHOT_ID_MAX + 1];
	bool known;	  /* it was published before, for the same dn and pin */
	bool frozen;	  /* it has become another object: nobody is added */
	bool guarded;	  /* privileged, by configuration */
	int64_t window_s; /* new members since then */
	size_t n_new;
};

struct publish {
	const struct config_ldap *config;	   /* borrowed */
	struct snapshot *whole, *change, *targets; /* counted; NULL: none */
	struct snapshot *named; /* counted; the targets that @t borrows from */
	struct target *t;	/* owned, one a target */
	size_t n_targets;
	uint32_t *remap; /* owned: group of the published snapshot to target, or NONE */
	uint64_t serial;
	bool retargeted; /* the published groups are not the targets */
	bool compare_all;
	bool accept, rejected;
	char held[256];
	enum publish_scope held_scope;
};

#define PUBLISH_NONE UINT32_MAX

/* changes_collect() - every account that differs, sorted; @all: look at everybody.
 * @result: for events; NULL: none. */
_must_check_ int changes_collect(struct publish *p, struct ldap_map *m, bool all,
				 struct changes *changes,
				 struct publish_result *result);
const struct change *changes_find(const struct changes *c, const char *login);
void changes_done(struct changes *c);

/* publish_newest() - the newest published state of the groups, or NULL. */
const struct snapshot *publish_newest(const struct publish *p);
/* publish_old_groups() - published groups of @a as targets, sorted, in @buf. */
size_t publish_old_groups(const struct publish *p, const struct snapshot_account *a,
			  uint32_t *buf);

/* publish_count_members() - published people who are in a group of the policy. */
size_t publish_count_members(const struct publish *p);

/* guard_check() - decide what of @c waits; fills events. @total: people published. */
void guard_check(struct publish *p, struct changes *c, enum publish_scope scope,
		 size_t total, int64_t now_s, struct publish_result *ret);
void publish_event(struct publish_result *ret, const char *name, const char *fmt, ...)
	_printf_(3, 4);
