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

struct identity {
	struct event_base *base;     /* borrowed */
	const struct config *config; /* borrowed */
	uint32_t dir_uid;
	int listen_fd;		/* owned */
	struct event *listener; /* owned */
	struct link *link;	/* owned; NULL: not connected */
	bool hello;		/* the link said what it is */
	struct policy *policy;	/* counted; NULL: none yet */
	struct snapshot *local; /* counted; NULL: none yet */
	struct snapshot *whole; /* counted; source file */
	uint32_t *whole_map;	/* owned; identity_map() of whole */
	int64_t whole_boot_s;
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

/* identity_is_fresh() - true when identity_answer() needs no look-up before it. */
bool identity_is_fresh(struct identity *identity, const char *login, int64_t now_s);

/* identity_take_*() - data from rbacd-dir. Non-zero: the link must end. */
_must_check_ int identity_take_snapshot(struct identity *identity, int fd);
_must_check_ int identity_take_answer(struct identity *identity, const char *login,
				      const void *block, size_t len);

/* identity_send_targets() - tell rbacd-dir which groups matter. */
void identity_send_targets(struct identity *identity);

/* identity_link_start(), identity_link_stop() - the listening socket and all look-ups.
 */
_must_check_ int identity_link_start(struct identity *identity);
void identity_link_stop(struct identity *identity);
