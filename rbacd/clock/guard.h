/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - does the wall clock still tell the time? It is compared with the time since
 * boot, which nobody can set. Pure: both are parameters.
 *
 * Beside it runs the time by which things age: what is forgotten, or dropped, after a
 * while. It goes by the time since boot alone, so a clock that is set ahead, and back
 * again, ages nothing.
 */
#pragma once

#include "policy/base.h"

#define CLOCK_BACK_S 90		  /* set back further: not to be trusted */
#define CLOCK_AWAY_S (30 * 86400) /* longer away, or set ahead: nothing tells which */

/* The time by which things age, and the wall clock at that moment. */
struct clock_age {
	int64_t aged_s, wall_s;
};

struct clock_guard {
	int64_t ahead_s; /* wall time minus time since boot, the most seen */
	int64_t age_s;	 /* the time by which things age, minus time since boot */
	bool distrusted; /* set back, and nobody has said that it is right now */
};

/*
 * clock_guard_start() - @last_s: wall time of the last record, 0: none; a start before
 * it is a clock that was set back. @distrusted: as it was left. Things age from the
 * later of both on; clock_guard_resume() goes on where they were.
 */
void clock_guard_start(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
		       int64_t last_s, bool distrusted);

/*
 * clock_guard_see() - true, and by how much, when the wall clock is set back: it is
 * distrusted from here on. True each time until clock_guard_adopt().
 */
bool clock_guard_see(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
		     int64_t *ret_back_s);

/*
 * clock_guard_resume() - after a start. @kept: of the run before; how long that is ago
 * only the wall clock can tell, and it is believed up to CLOCK_AWAY_S.
 */
void clock_guard_resume(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
			const struct clock_age *kept);

/* clock_guard_aged() - the time by which things age; it never jumps. */
int64_t clock_guard_aged(const struct clock_guard *g, int64_t boot_s);

/* clock_guard_adopt() - the present time is what later ones are compared with. */
void clock_guard_adopt(struct clock_guard *g, int64_t wall_s, int64_t boot_s);
