/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_queue.h - records that a program is to hear of as soon as they are durable. The
 * record itself is the program's input: what it says is what the log says.
 */
#pragma once

#include "rbacd/audit/view.h"
#include "rbacd/hook_process.h"
#include "rbacd/server.h"

#define HOOK_QUEUE_MAX 64

struct hook_queue {
	uint64_t seq[HOOK_QUEUE_MAX];
	size_t n;
	uint64_t lost; /* there was no room for */
};

/* hook_queue_add() - the record of this number, perhaps of a turn not yet durable. */
void hook_queue_add(struct hook_queue *q, uint64_t seq);

/*
 * hook_queue_run() - hand on what is durable by now.
 * @process: NULL: nobody listens, the queue is emptied.
 * @wanted: asked again, of the record: its turn may have been lost, and the number
 * given to another.
 */
void hook_queue_run(struct hook_queue *q, struct server *server,
		    struct hook_process *process,
		    bool (*wanted)(const struct audit_view *));
