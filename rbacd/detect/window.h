/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - events counted by key in a window of time, in a table of fixed size. */
#pragma once

#include "policy/base.h"

#define WINDOW_KEYS	1024
#define WINDOW_DISTINCT 64 /* different values of a key that are told apart */

struct window;

_must_check_ int window_new(struct window **ret);
void window_free(struct window *window);

struct window_count {
	uint32_t n;	   /* events of this key in its window */
	uint32_t distinct; /* different values; WINDOW_DISTINCT: that many or more */
};

/*
 * window_add() - one more event of @key with @value ("" when that does not matter).
 * A window begins with its first event and lasts @window_s. In a full table the key
 * that was quiet for longest makes room.
 */
struct window_count window_add(struct window *window, const char *key,
			       const char *value, int64_t now_s, int64_t window_s);
