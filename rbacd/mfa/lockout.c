/* SPDX-License-Identifier: Apache-2.0 */
/* lockout.c - the arithmetic of both budgets; what is stored, the caller decides. */
#include "rbacd/mfa/lockout.h"

int64_t lockout_delay_s(uint32_t fails, uint32_t free)
{
	int64_t delay = LOCKOUT_FIRST_S;

	if (fails < free)
		return 0;
	for (uint32_t i = free; i < fails && delay < LOCKOUT_LONGEST_S; i++)
		delay *= 2;
	return delay < LOCKOUT_LONGEST_S ? delay : LOCKOUT_LONGEST_S;
}

/*
 * A wait longer than the longest delay comes from a clock that was ahead: it is over,
 * else one wrong clock locks everybody out for as long. The count of failures stays.
 */
bool lockout_waits(int64_t next_try_s, int64_t now_s)
{
	return next_try_s > now_s && next_try_s - now_s <= LOCKOUT_LONGEST_S;
}

uint32_t lockout_year_cap(unsigned codes)
{
	return codes > 3 ? LOCKOUT_YEAR * 3 / codes : LOCKOUT_YEAR;
}

/* More than a whole bucket ahead: the clock was, and nothing is known. */
static int64_t in_bucket_s(int64_t empty_s, int64_t now_s)
{
	return empty_s > now_s && empty_s - now_s <= (LOCKOUT_YEAR / 2 + 1) *
							     (int64_t)LOCKOUT_DRIP_S
		       ? empty_s - now_s
		       : 0;
}

bool lockout_bucket_full(int64_t empty_s, uint32_t size, int64_t now_s)
{
	return in_bucket_s(empty_s, now_s) > (size - 1) * (int64_t)LOCKOUT_DRIP_S;
}

int64_t lockout_bucket_add(int64_t empty_s, int64_t now_s)
{
	return now_s + in_bucket_s(empty_s, now_s) + LOCKOUT_DRIP_S;
}

static int64_t next_try(uint32_t fails, uint32_t free, int64_t now_s)
{
	int64_t delay = lockout_delay_s(fails, free);

	return delay > 0 ? now_s + delay : 0;
}

void lockout_fail(struct store_person *p, int64_t now_s)
{
	p->fails += p->fails < UINT32_MAX;
	p->fails_told += p->fails_told < UINT32_MAX;
	p->next_try_s = next_try(p->fails, LOCKOUT_FREE, now_s);
	p->disabled = p->disabled || p->fails >= LOCKOUT_CONSECUTIVE;
}

void lockout_success(struct store_person *p, int64_t now_s)
{
	p->fails = 0;
	p->fails_told = 0;
	p->next_try_s = 0;
	p->last_ok_s = now_s;
}

void lockout_budget_fail(struct store_budget *b, uint32_t free, int64_t now_s,
			 int64_t aged_s)
{
	if (aged_s - b->touched_s > LOCKOUT_FORGET_S)
		b->fails = 0;
	b->fails += b->fails < UINT32_MAX;
	b->next_try_s = next_try(b->fails, free, now_s);
	b->touched_s = aged_s;
}
