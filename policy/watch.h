/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - how far something long has come, for whoever waits before a terminal. */
#pragma once

#include <stddef.h>

struct policy_watch {
	void (*at)(void *arg, size_t done, size_t of);
	void *arg;
};

/* policy_watch_at() - tell it, now and then; a NULL watch is nobody. */
static inline void policy_watch_at(const struct policy_watch *watch, size_t done,
				   size_t of)
{
	if (watch && (done % 64 == 0 || done == of))
		watch->at(watch->arg, done, of);
}
