/* SPDX-License-Identifier: Apache-2.0 */
/* follow_internal.h - shared by follow.c (the process), session.c (one connection),
 * poll.c (a server without LDAP sync) and dir_test.c. */
#pragma once

#include <event2/event.h>

#include "rbacd/directory/follow.h"
#include "rbacd/directory/ldap_conn.h"
#include "rbacd/directory/ldap_sync.h"
#include "rbacd/directory/link.h"
#include "rbacd/directory/publish.h"

#define STAMP_MAX	  127
#define FOLLOW_SPREAD_MAX 1000

/* The newest stamp seen of one kind of entry; "" none. */
struct stamp_seen {
	char text[STAMP_MAX + 1];
	uint64_t number; /* uSNChanged */
};

struct follow {
	const struct config_ldap *config; /* borrowed */
	const struct secret *password;	  /* borrowed */
	struct ldap_schema schema;	  /* the preset with the configured changes */
	volatile uint64_t *beat;	  /* shared with the parent */
	struct event_base *base;	  /* owned, as what follows */
	struct link *link;
	struct snapshot *targets, *local; /* counted */
	struct ldap_map *map;
	struct publish *publish;
	struct ldap_conn *conn; /* NULL: not connected */
	size_t uri;		/* the one in use */

	struct ldap_sync sync[2]; /* people, groups */
	struct stamp_seen seen[2];
	char dsa[LDAP_DN_MAX + 1]; /* whose stamps these are */

	bool lost;		/* the parent is gone */
	bool retarget, relocal; /* new ones have come */
	bool swept;		/* the next update compares everybody after a refresh */
	bool update;		/* publish even if nothing is dirty */
	bool no_sync;		/* this server refused LDAP sync for our bases */
	bool busy;		/* this round found something to do */
	bool online;		/* this connection has published */
	int64_t polled_s, compared_s, probed_s, sent_s, again_s;
	unsigned
		spread; /* by chance, to FOLLOW_SPREAD_MAX: hosts do not ask together */
	int64_t heard_s;    /* the last message of LDAP sync */
	int64_t changed_ns; /* when the change that is on its way arrived; 0: none */
	int64_t lag_ms, last_change_s, confirmed_s;
	struct ldap_id suspect; /* group whose answer ended a connection */
	unsigned n_suspect;
	unsigned n_reloads; /* of this connection */
	char state[16], why[LDAP_CONN_WHY_MAX + 1], facts[2048];
};

/* Monotonic and wall clock, seconds. */
int64_t follow_now_s(void);
int64_t follow_wall_s(void);
int64_t follow_now_ns(void);

/* follow_turn() - serve the parent, wait for @fd (-1: none) at most @ms. */
void follow_turn(struct follow *f, int fd, int ms);
/* follow_notice() - an event for the audit log. */
void follow_notice(struct follow *f, const char *event, const char *fmt, ...)
	_printf_(3, 4);
void follow_send_facts(struct follow *f);
void follow_send_snapshot(struct follow *f, int fd);

/* session_open() - connect to the URI in turn. Return: 0; LDAP_CONN_E_FAILED. */
_must_check_ int session_open(struct follow *f);
/* session_run() - follow until the connection or the parent is lost. Never 0. */
_must_check_ int session_run(struct follow *f);
/* session_load() - read everything once and the members of all followed groups. */
_must_check_ int session_load(struct follow *f);
void session_close(struct follow *f);

/* session_syncs() - this connection follows by LDAP sync, not by polling. */
bool session_syncs(const struct follow *f);
/* session_search() - the search of one kind of entry; @attrs: room for all. */
void session_search(const struct follow *f, enum ldap_kind kind,
		    const char *attrs[LDAP_ATTRS_MAX + 1], struct ldap_search *ret);
_must_check_ int session_members(struct follow *f);

/* poll_load() - all entries of both kinds; poll_changes() - those changed since. */
_must_check_ int poll_load(struct follow *f);
_must_check_ int poll_changes(struct follow *f);
