/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - THE PIPELINE: request in -> identity -> policy -> mfa -> audit -> reply.
 *
 * request.c calls the stages in this order and nothing else does.
 */
#pragma once

#include "rbacd/conn.h"
#include "rbacd/wire/msg.h"

struct request;

/*
 * request_begin() - start a PAM transaction; may answer at once, ask, or park for a
 * look-up. A deadline that has passed ends the connection, uncounted.
 * Return: the request, owned by the connection (request_free()), also when its reply is
 *         queued already; NULL when memory is short, the refusal is queued.
 */
struct request *request_begin(struct server *server, struct conn *c,
			      const struct wire_begin *begin);

/* request_answer() - the person's answer; wiped by the caller. False: the request is
 * over. */
bool request_answer(struct request *r, const struct wire_answer *answer);

/* request_free() - forget it, whatever its state; NULL is a no-op. */
void request_free(struct request *r);

/* request_refuse() - one RESULT that denies, for callers without a request (caps). */
void request_refuse(struct conn *c, const struct wire_begin *begin,
		    enum wire_result result);
