/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sessions.h - open sessions, and the seats of logins that are allowed and not open
 * yet: what `limits` count.
 *
 * Between the decision and the session's begin a login has a seat, written in the
 * decision's own transaction. So of logins at the same moment no more are allowed than
 * may be open. The session takes the seat's place; a login that never gets so far gives
 * it up after LIMIT_SEAT_S.
 */
#pragma once

#include "rbacd/server.h"

struct request;

/* sessions_count() - the person's open sessions and taken seats, when a limit could ask
 * for them. @session: audit session the request comes from. What cannot be read is not
 * known. */
void sessions_count(struct server *server, const struct policy *policy,
		    const char *person, uint32_t session, struct policy_sessions *ret);

/* sessions_reserve() - a seat for what @d allows, under its public id, if a limit
 * counts it. Return: 0; otherwise it must not be allowed. */
_must_check_ int sessions_reserve(struct request *r, const struct policy_decision *d,
				  const char *id);

/* sessions_open(), sessions_close() - what the session phase reports.
 * Return: 0; otherwise the turn is lost. */
_must_check_ int sessions_open(struct request *r);
_must_check_ int sessions_close(struct request *r);
