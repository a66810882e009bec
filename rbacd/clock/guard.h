/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - does the wall clock still tell the time? It is compared with the time since
 * boot, which nobody can set. Pure: both are parameters.
 */
#pragma once

#include "policy/base.h"

#define CLOCK_BACK_S 90 /* set back further: not to be trusted */

struct clock_guard {
	int64_t ahead_s; /* wall time minus time since boot, the most seen */
	bool distrusted; /* set back, and nobody has said that it is right now */
};

/*
 * clock_guard_start() - @last_s: wall time of the last record, 0: none; a start before
 * it is a clock that was set back. @distrusted: as it was left.
 */
void clock_guard_start(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
		       int64_t last_s, bool distrusted);

/*
 * clock_guard_see() - true, and by how much, when the wall clock is set back: it is
 * distrusted from here on. True each time until clock_guard_adopt().
 */
bool clock_guard_see(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
		     int64_t *ret_back_s);

/* clock_guard_adopt() - the present time is what later ones are compared with. */
void clock_guard_adopt(struct clock_guard *g, int64_t wall_s, int64_t boot_s);
