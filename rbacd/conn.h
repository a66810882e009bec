/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - pipeline stages "request in" and "reply": sockets, frames, caps, queued
 * replies.
 *
 * Nothing that is queued here leaves before the turn's store_commit().
 */
#pragma once

#include <event2/event.h>

#include "rbacd/wire/wire.h"

struct conn;
struct conn_table;
struct server;
struct request;
struct wire_call;

enum conn_kind { CONN_PAM = 1, CONN_ADMIN, CONN_USER };

/*
 * Who gets what arrives: set once by main.c, so that this file knows frames and not
 * what they mean.
 */
struct conn_handlers {
	/* A PAM transaction begins. Returns what belongs to it, owned by the connection
	 * and given back to @answer and @done; NULL when there is nothing to keep. */
	struct request *(*begin)(struct server *server, struct conn *c,
				 const struct wire_begin *begin);
	/* The person's answer; false: the request is over. */
	bool (*answer)(struct request *request, const struct wire_answer *answer);
	void (*done)(struct request *request); /* NULL is a no-op */
	/* A BEGIN over its caps: one RESULT that denies. */
	void (*refuse)(struct conn *c, const struct wire_begin *begin,
		       enum wire_result result);
	/* A call on admin.sock or user.sock. */
	void (*call)(struct server *server, struct conn *c,
		     const struct wire_call *call);
};

_must_check_ int conn_table_new(struct server *server,
				const struct conn_handlers *handlers,
				struct conn_table **ret); /* @handlers: static */
void conn_table_free(struct conn_table *table);
/* conn_listen() - accept on @fd (owned from here on) for the life of the table. */
_must_check_ int conn_listen(struct conn_table *table, enum conn_kind kind, int fd);

/* conn_queue() - copy one frame to the connection's outgoing queue. Out of memory or
 * over LIMIT_OUT_BYTES: the connection is dropped and nothing of it is sent. */
void conn_queue(struct conn *c, const void *frame, size_t len);
/* conn_finish() - close once what is queued has left. */
void conn_finish(struct conn *c);
/* conn_delay() - hold what is queued until CLOCK_MONOTONIC @due_ns (after the commit).
 */
void conn_delay(struct conn *c, uint64_t due_ns);
/* conn_wait() - from now on its peer may take @ms to answer, not LIMIT_PENDING_MS. */
void conn_wait(struct conn *c, uint64_t ms);
enum conn_kind conn_get_kind(const struct conn *c);
uint32_t conn_peer_uid(const struct conn *c);
int32_t conn_peer_pid(const struct conn *c);
/* conn_peer_gone() - true when the peer has hung up; asks the kernel. */
bool conn_peer_gone(const struct conn *c);
/* conn_on_gone() - @fn is called once when the connection goes, before it is freed. */
void conn_on_gone(struct conn *c, void (*fn)(void *arg), void *arg);

/* conn_flush_replies() - after the commit: send what is queued and due. */
void conn_flush_replies(struct conn_table *table);
/* conn_drop_replies() - the turn was lost: pam transactions get UNAVAILABLE, calls get
 * an END with @why; whatever they had queued in this turn is forgotten. */
void conn_drop_replies(struct conn_table *table, const char *why);

struct conn_stats {
	size_t n_pam, n_admin, n_user;
	uint64_t n_accepted, n_refused_cap, n_refused_peer, n_bad_frames, n_expired;
};
void conn_get_stats(const struct conn_table *table, struct conn_stats *ret);
