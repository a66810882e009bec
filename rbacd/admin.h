/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h - calls on admin.sock and user.sock: one table { verb, who may, handler }. */
#pragma once

#include "rbacd/conn.h"
#include "rbacd/wire/msg.h"

struct server;

/*
 * admin_call() - run one call and queue ROW* END on @c, then conn_finish(). May answer
 * later (a look-up). On user.sock only verbs marked for everyone run, about the peer's
 * own uid. A change of state and its record are part of the turn's transaction.
 */
void admin_call(struct server *server, struct conn *c, const struct wire_call *call);

/* admin_directory_notice() - an event of rbacd-dir into the audit log; @arg: the
 * server.
 */
void admin_directory_notice(void *arg, const char *event, const char *text);
