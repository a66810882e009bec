/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - the wall clock beside the time since boot. */
#include "rbacd/clock/guard.h"

void clock_guard_adopt(struct clock_guard *g, int64_t wall_s, int64_t boot_s)
{
	g->ahead_s = wall_s - boot_s;
}

void clock_guard_start(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
		       int64_t last_s, bool distrusted)
{
	clock_guard_adopt(g, last_s > wall_s ? last_s : wall_s, boot_s);
	g->age_s = g->ahead_s;
	g->distrusted = distrusted;
}

void clock_guard_resume(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
			const struct clock_age *kept)
{
	int64_t away_s = wall_s > kept->wall_s ? wall_s - kept->wall_s : 0;

	if (away_s > CLOCK_AWAY_S)
		away_s = CLOCK_AWAY_S;
	g->age_s = kept->aged_s + away_s - boot_s;
}

int64_t clock_guard_aged(const struct clock_guard *g, int64_t boot_s)
{
	return g->age_s + boot_s;
}

bool clock_guard_see(struct clock_guard *g, int64_t wall_s, int64_t boot_s,
		     int64_t *ret_back_s)
{
	int64_t ahead_s = wall_s - boot_s;

	if (g->ahead_s < ahead_s)
		g->ahead_s = ahead_s;
	*ret_back_s = g->ahead_s - ahead_s;
	if (*ret_back_s <= CLOCK_BACK_S)
		return false;
	g->distrusted = true;
	return true;
}
