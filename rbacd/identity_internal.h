/* SPDX-License-Identifier: Apache-2.0 */
/* identity_internal.h - shared by identity.c (data) and identity_lookup.c (the link).
 */
#pragma once

#include <sys/queue.h>

#include "rbacd/directory/link.h"
#include "rbacd/directory/snapshot.h"
#include "rbacd/identity.h"
#include "rbacd/people_cache.h"

#define IDENTITY_UNKNOWN_MAX 1024 /* names that nobody has, kept as long as fresh */
#define IDENTITY_LOOKUPS_MAX 4352 /* pending; over it a request fails */

struct lookup {
	TAILQ_ENTRY(lookup) next;
	struct identity *identity; /* borrowed */
	uint64_t ticket;
	char login[POLICY_NAME_MAX + 1];
	struct event *timer; /* owned */
	TAILQ_HEAD(ticket_list, identity_ticket) waiters;
};

#define IDENTITY_FACTS_MAX 16

struct keep; /* identity_keep.c */

/* A whole directory (sources file and ldap): a snapshot and the change to it. */
struct whole {
	struct snapshot *base;	 /* counted; NULL: none yet */
	struct snapshot *change; /* counted; NULL: none */
	uint32_t *map;		 /* owned; groups_map() of both */
	int base_fd, change_fd;	 /* owned; -1 */
	int64_t boot_s;		 /* when it was true, by CLOCK_BOOTTIME */
	struct snapshot *next;	 /* owned; a base whose accounts are still checked */
	int next_fd, next_change_fd; /* owned; -1 */
	struct event *checking;	     /* owned */
};

struct identity_fact {
	char text[320]; /* "name\0value" */
	size_t value;	/* where it begins */
};

struct identity {
	struct event_base *base;     /* borrowed */
	const struct config *config; /* borrowed */
	uint32_t dir_uid;
	int listen_fd;		/* owned */
	struct event *listener; /* owned */
	struct link *link;	/* owned; NULL: not connected */
	bool hello;		/* the link said what it is */
	bool *told_clock;	/* borrowed; NULL: nobody asks */
	uint64_t patient_ns; /* CLOCK_MONOTONIC; until then its first word is awaited */
	uint64_t return_ns;  /* CLOCK_MONOTONIC; until then a lost link is */
	struct policy *policy;	/* counted; NULL: none yet */
	struct policy *also;	/* counted; its groups are followed, too; NULL: none */
	struct snapshot *local; /* counted; NULL: none yet */
	struct whole whole;	/* sources file and ldap */
	struct keep *keep;	/* owned; NULL: nothing is kept */
	identity_notice_fn notice;
	int64_t notices_s; /* the minute in which n_notices came */
	unsigned n_notices;
	void *notice_arg;
	struct identity_fact facts[IDENTITY_FACTS_MAX];
	size_t n_facts;
	int64_t answer_boot_s;	       /* newest answer; -1 none */
	struct people_cache *people;   /* owned */
	struct people_cache *unknowns; /* owned */
	TAILQ_HEAD(lookup_list, lookup) lookups;
	size_t n_pending;
	uint64_t next_ticket;
	uint64_t n_lookups, n_timeouts, n_restarts;
	char problem[256];
};

int64_t identity_boot_s(void);

/* identity_answer() - compose what is known now, without asking anyone. */
_must_check_ int identity_answer(struct identity *identity, const char *login,
				 int64_t now_s, struct identity_person *ret);

/* identity_awaits() - whoever asks now waits: see identity_await(). */
bool identity_awaits(const struct identity *identity);
/* identity_wake() - answer those who waited, if what they waited for is there. */
void identity_wake(struct identity *identity);

/* identity_is_fresh() - true when identity_answer() needs no look-up before it. */
bool identity_is_fresh(struct identity *identity, const char *login, int64_t now_s);

/* identity_take_*() - data from rbacd-dir. Non-zero: the link must end. */
/* @fd: set to -1 when it is kept. */
_must_check_ int identity_take_snapshot(struct identity *identity, int *fd);
_must_check_ int identity_take_answer(struct identity *identity, const char *login,
				      const void *block, size_t len);

int64_t identity_wall_s(void);
/* identity_age() - the larger of two clocks' ages: setting one of them back makes
 * nothing young. */
int64_t identity_age(int64_t boot_s, int64_t wall_s, int64_t now_s);
bool identity_person_uid(uint32_t uid);

/* identity_whole.c: @fd as identity_take_snapshot(). */
_must_check_ int whole_init(struct identity *id);
void whole_done(struct whole *w);
_must_check_ int whole_take(struct identity *id, struct snapshot *s, int *fd);
_must_check_ int whole_answer(struct identity *id, const char *login, int64_t now_s,
			      struct identity_person *p);
/* whole_newest() - the change, or the base; NULL: nothing yet. */
const struct snapshot *whole_newest(const struct whole *w);
int64_t whole_age(const struct whole *w, int64_t now_s);
size_t whole_people(const struct whole *w);

/* identity_keep.c: write what is new, in the background. */
void keep_changed(struct keep *k, bool base);
void keep_free(struct keep *k);

/* identity_send_last() - what is known of the directory, for a new rbacd-dir. */
void identity_send_last(struct identity *identity);
/* identity_send_targets() - tell rbacd-dir which groups matter. */
void identity_send_targets(struct identity *identity);

/* identity_link_start(), identity_link_stop() - the listening socket and all look-ups.
 */
_must_check_ int identity_link_start(struct identity *identity);
void identity_link_stop(struct identity *identity);
