/* SPDX-License-Identifier: Apache-2.0 */
/* workers.h - a few NSS children with a watchdog; one that does not answer is killed.
 */
#pragma once

#include <event2/event.h>

#include "rbacd/directory/nss_worker.h"

struct workers;

/* @reply: borrowed; for NSS_TIMED_OUT and NSS_FAILED only kind and status count. */
typedef void (*workers_done_fn)(void *arg, uint64_t tag, const struct nss_reply *reply);

enum workers_class {
	WORKERS_URGENT = 0,
	WORKERS_NORMAL,
	WORKERS_LATER,
	WORKERS_CLASSES
};

_must_check_ int workers_new(struct event_base *base, workers_done_fn done, void *arg,
			     struct workers **ret);
/* workers_free() - kills the children. */
void workers_free(struct workers *w);

/*
 * workers_ask() - queue one question; done() comes from the loop, once, within about
 * WORKERS_LIMIT_MS for normal ones. -ENOBUFS: too many wait.
 */
#define WORKERS_LIMIT_MS 1900
_must_check_ int workers_ask(struct workers *w, enum workers_class class,
			     enum nss_kind kind, const char *name, uint64_t tag);
/* workers_restarts() - how many children were killed or died. */
uint64_t workers_restarts(const struct workers *w);
