/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish.h - what the map says, compared with what rbacd was told last: as a whole
 * snapshot or as a change to it, past the mass-change guard. No libldap, no clock.
 *
 * The guard compares, it does not guess. Too many accounts or memberships gone after a
 * comparison of everything (a cut answer, an empty tree): they stay, measured against
 * all people and against those who are in a group of the policy. Too many people
 * with new groups, too many new members of a guarded group within ten minutes, or a
 * group that has become another object: additions wait. What the directory takes away
 * by itself, one change after the other, is applied always. Until accept.
 */
#pragma once

#include "rbacd/config.h"
#include "rbacd/directory/ldap_map.h"

struct publish;

/* What an update did, for the audit log and status. */
struct publish_event {
	const char *name; /* static: "guard", "release", "people", "group" */
	char text[256];
};
#define PUBLISH_EVENTS_MAX 16

struct publish_result {
	int fd;	    /* owned by the caller: a sealed snapshot; -1: nothing to say */
	bool whole; /* it is no change to the last one */
	size_t n_changed;
	size_t n_events;
	struct publish_event events[PUBLISH_EVENTS_MAX];
};

_must_check_ int publish_new(const struct config_ldap *config, struct publish **ret);
void publish_free(struct publish *p); /* NULL is a no-op */

/* publish_set_last() - what rbacd has: a whole snapshot and the change to it, or NULL.
 */
void publish_set_last(struct publish *p, struct snapshot *whole,
		      struct snapshot *change);

/*
 * publish_set_targets() - the policy's groups, and the people it names with their pin
 * (an account each): somebody else under such a login is left out. Makes the next
 * update a whole one. Referenced.
 */
void publish_set_targets(struct publish *p, struct snapshot *targets);

enum publish_scope {
	PUBLISH_CHANGES = 1, /* what is dirty in the map */
	PUBLISH_ALL,	     /* compare everybody */
	PUBLISH_SWEPT, /* the same, and who is missing was not seen in a refresh */
};

/*
 * publish_update() - @ret is written always. Return: 0; -ENOMEM, -E2BIG: rbacd keeps
 * what it has, and the next update compares everybody.
 */
_must_check_ int publish_update(struct publish *p, struct ldap_map *m,
				enum publish_scope scope, int64_t now_s,
				struct publish_result *ret);
/* publish_confirm() - the same data, as of @now_s. */
_must_check_ int publish_confirm(struct publish *p, struct ldap_map *m, int64_t now_s,
				 struct publish_result *ret);

/* publish_held() - why additions or removals wait; "": they do not. */
const char *publish_held(const struct publish *p);
/* publish_accept() - the next update lets everything through; only while something is
 * held. publish_forget_orders() - but not one that another connection makes. */
void publish_accept(struct publish *p);
void publish_forget_orders(struct publish *p);
/* publish_reject() - keep waiting; publish_rejected() - an administrator said so. */
void publish_reject(struct publish *p);
bool publish_rejected(const struct publish *p);
