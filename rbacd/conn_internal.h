/* SPDX-License-Identifier: Apache-2.0 */
/* conn_internal.h - a connection and its table, for conn.c and accept.c. */
#pragma once

#include <event2/event_struct.h>

#include "rbacd/caps.h"
#include "rbacd/conn.h"
#include "rbacd/server.h"

struct conn {
	struct conn_table *table; /* borrowed */
	struct conn_list *list;	  /* the one it is in */
	struct conn *prev, *next; /* there, newest first */
	struct conn *next_ready;  /* table->ready */
	struct request *request;  /* owned; pam only */
	enum conn_kind kind;
	int fd;
	uint32_t peer_uid;
	int32_t peer_pid;
	bool ready, finish, began, watching;
	uint64_t opened_ns, due_ns;
	uint64_t pending_ms; /* 0: LIMIT_PENDING_MS */
	struct event ev_read, ev_write, ev_due;
	struct caps_key caps[3];
	uint8_t nonce[WIRE_NONCE_LEN];
	void (*gone)(void *arg);
	void *gone_arg;
	uint8_t *out; /* owned */
	size_t out_cap, out_len, out_sent,
		out_durable; /* durable: queued before this turn */
	size_t in_len;
	uint8_t *in; /* owned; NULL until a frame arrives in parts */
};

#define CONN_IN_BYTES (WIRE_FRAME_MAX_IN + 4)

struct conn_list {
	struct conn *newest, *oldest;
};

struct listener {
	struct listener *next;
	struct conn_table *table;
	enum conn_kind kind;
	int fd;
	struct event ev;
};

struct conn_table {
	struct server *server;		      /* borrowed */
	const struct conn_handlers *handlers; /* static */
	struct listener *listeners;
	struct conn_list silent[CONN_USER + 1]; /* by kind: no whole frame yet */
	struct conn_list began;
	struct conn *ready;
	struct caps *caps;
	struct caps *user_caps;
	size_t n[CONN_USER + 1];
	size_t n_asking;      /* of pam.sock: those that sent a BEGIN */
	size_t pam_max;	      /* LIMIT_PAM_CONNS or what the descriptor limit leaves */
	int spare_fd;	      /* given up for a moment to refuse politely at EMFILE */
	uint64_t cap_told_ns; /* when the log was told of a cap */
	struct conn_stats stats;
	uint8_t in[CONN_IN_BYTES]; /* of the connection being read; wiped after it */
};

/* conn_close() - the connection is over: unlink, wipe, free. */
void conn_close(struct conn *c);

/* conn_read_frames() - read and dispatch what is there. False: the connection is gone.
 */
bool conn_read_frames(struct conn *c);

/* conn_admit() - count a BEGIN against its caps. Return: 0; CAPS_E_OVER. */
_must_check_ int conn_admit(struct conn *c, const struct wire_begin *b);

/* conn_start() - take a fresh descriptor in, and read what it has already sent. */
void conn_start(struct conn_table *t, enum conn_kind kind, int fd,
		const struct ucred *peer);
