/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h - pipeline stage "identity": who is this login, and in which policy
 * groups.
 *
 * Holds what rbacd-dir handed over (whole snapshots; per person entries of the nss
 * source; the local accounts) and the link to it. Only a request's own look-up may park
 * it.
 */
#pragma once

#include <event2/event.h>

#include "policy/policy.h"
#include "rbacd/config.h"

struct identity;

enum { IDENTITY_E_PENDING = 1 };

/* What is known of one login; a copy that stays valid whatever arrives later. */
struct identity_person {
	char login[POLICY_NAME_MAX + 1];
	char id[161];
	bool known, enabled, local, directory;
	uint32_t uid; /* UINT32_MAX when unknown */
	int64_t expires_s;
	uint32_t *groups, *unknown; /* owned; policy group indices, sorted */
	size_t n_groups, n_unknown;
	int64_t age_s;	    /* of the data, -1 none */
	const char *source; /* static: "nss", "file", "ldap", "local", "none" */
	bool stale; /* directory data older than max_stale: groups are all unknown */
};

#define IDENTITY_PERSON_INIT                                                           \
	{                                                                              \
		.uid = UINT32_MAX, .age_s = -1, .source = "none"                       \
	}
void identity_person_done(struct identity_person *p);
/* identity_person_copy() - @ret must be empty. Return: 0; -ENOMEM. */
_must_check_ int identity_person_copy(const struct identity_person *p,
				      struct identity_person *ret);
/* identity_person_subject() - the policy's view; borrows from @p. @max_s: how old the
 * directory's data may be for the privilege that is asked. */
void identity_person_subject(const struct identity_person *p, int64_t max_s,
			     struct policy_subject *ret);

/*
 * identity_new() - start without any data; attaches an accept event for rbacd-dir.
 * @listen_fd: listening dir.sock, owned from here on.
 * @dir_uid:   the only peer uid accepted there besides 0.
 */
_must_check_ int identity_new(struct event_base *base, const struct config *config,
			      int listen_fd, uint32_t dir_uid, struct identity **ret);
void identity_free(struct identity *identity);

/* identity_set_clock() - @told (borrowed) gets what rbacd-dir says of the clock. For a
 * rbacd that may not ask the kernel itself (ProtectClock= of its unit). */
void identity_set_clock(struct identity *identity, bool *told);

/*
 * identity_await() - from now on, and for as long as a look-up may take, whoever asks
 * waits until rbacd-dir has said who there is. For the start: else each restart would
 * refuse those who come first.
 */
void identity_await(struct identity *identity);

struct seal;
/*
 * identity_keep() - source ldap: keep the last snapshot in @dir (borrowed), under a
 * MAC, and begin with the one that is there. One that is missing or forged is no error:
 * nobody of the directory is known until rbacd-dir has connected.
 */
_must_check_ int identity_keep(struct identity *identity, const struct seal *seal,
			       const char *dir);
/* identity_keep_again() - write it anew: the master key is another one. */
void identity_keep_again(struct identity *identity);

/* What rbacd-dir has to say for the audit log: "offline", "online", "guard", … */
typedef void (*identity_notice_fn)(void *arg, const char *event, const char *text);
void identity_set_notice(struct identity *identity, identity_notice_fn fn, void *arg);

/* identity_order() - tell rbacd-dir to accept or reject what the guard holds.
 * Return: 0; -ENOTCONN; -ENOMEM. */
_must_check_ int identity_order(struct identity *identity, const char *what);

/*
 * identity_set_policy() - a new policy is active: its groups become the targets that
 * rbacd-dir follows; memberships already known are mapped by group name; a group not
 * yet answered for is unknown. Takes a reference.
 */
_must_check_ int identity_set_policy(struct identity *identity, struct policy *policy);

/*
 * identity_follow_also() - have rbacd-dir speak of the groups of another policy, too,
 * which decides nothing. NULL ends it. Takes a reference.
 */
void identity_follow_also(struct identity *identity, struct policy *policy);

struct population;
struct snapshot;
/* identity_lists() - the source lists its people; else look-ups are all there is. */
bool identity_lists(const struct identity *identity);
/* identity_speaks() - the data at hand speaks of all groups that are followed. */
bool identity_speaks(const struct identity *identity);
/*
 * identity_population() - everybody, as references that stay what they are.
 * @ret_change: what changed since @ret->people was made; NULL: nothing.
 * Return: 0; -ENODATA: nothing has come yet.
 */
_must_check_ int identity_population(struct identity *identity, int64_t now_s,
				     struct population *ret,
				     struct snapshot **ret_change);

struct identity_ticket; /* a parked look-up */
typedef void (*identity_done_fn)(void *arg, int error, const struct identity_person *p);

/*
 * identity_lookup() - find a login under the active policy.
 * @now_s: wall clock, for ages.
 * Return: 0 and *ret at once (known or not; caller calls identity_person_done()); or
 *         IDENTITY_E_PENDING and *ret_ticket: @done is called exactly once, from the
 * event loop and never from inside this call, within LIMIT_LOOKUP_MS, unless cancelled;
 *         negative errno.
 * While rbacd-dir is away for no longer than that, who asks waits for it.
 * An invalid login (policy_login_valid()) is unknown at once, but unknown valid names
 * take the same look-up as known ones.
 */
_must_check_ int identity_lookup(struct identity *identity, const char *login,
				 int64_t now_s, identity_done_fn done, void *arg,
				 struct identity_person *ret,
				 struct identity_ticket **ret_ticket);
void identity_cancel(struct identity_ticket *ticket); /* NULL is a no-op */

/* identity_pending() - look-ups that rbacd-dir has not answered yet. */
size_t identity_pending(const struct identity *identity);

/* identity_local_uid() - uid of an account of /etc/passwd; false when there is none. */
bool identity_local_uid(const struct identity *identity, const char *login,
			uint32_t *ret);

/*
 * identity_count() - people of the directory in any of @policy's groups that @wanted
 * marks, by policy_group_at(). false: they are not known in full, or not yet.
 */
bool identity_count(const struct identity *identity, const struct policy *policy,
		    const bool *wanted, size_t *ret);

struct identity_status {
	const char *source;
	bool connected;
	int64_t age_s; /* newest whole snapshot or answer, -1 none */
	size_t n_people, n_groups, n_incomplete, n_local;
	uint64_t n_lookups, n_timeouts,
		n_restarts;    /* restarts: times the link was lost */
	char problem[256];     /* last PROBLEM text, "" none */
	size_t snapshot_bytes; /* of a whole snapshot and its change */
	size_t n_facts;	       /* source ldap: how following goes, as rbacd-dir says */
};
void identity_status(const struct identity *identity, int64_t now_s,
		     struct identity_status *ret);
/* identity_find_fact() - the text of the fact @name; "": none. Borrowed as below. */
const char *identity_find_fact(const struct identity *identity, const char *name);
/* identity_fact() - fact @i as "name" and text; borrowed until the next turn. */
void identity_fact(const struct identity *identity, size_t i, const char **ret_name,
		   const char **ret_text);

/* One group of the policy as the directory has it. */
struct identity_group {
	const char *name, *id; /* borrowed; id "": no such group */
	bool usable;
	int64_t age_s; /* of its list */
	uint32_t n_members;
};
/* identity_group() - group @i of the policy; false: no snapshot speaks of it. */
bool identity_group(const struct identity *identity, size_t i, int64_t now_s,
		    struct identity_group *ret);
