/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockout.h - how many guesses anybody gets: two budgets, in numbers only.
 *
 * The person's own moves only behind a proven first factor, so that a stranger cannot
 * lock anybody out; strangers spend the budgets of their source.
 */
#pragma once

#include "policy/base.h"
#include "rbacd/store/store.h"

#define LOCKOUT_FREE	     5	/* wrong codes without a delay */
#define LOCKOUT_FIRST_S	     30 /* then this long, doubling */
#define LOCKOUT_LONGEST_S    3600
#define LOCKOUT_CONSECUTIVE  100 /* then the factor is to be bound again */
#define LOCKOUT_YEAR	     300 /* wrong codes in 365 days, success does not reset */
#define LOCKOUT_YEAR_DAYS    365
#define LOCKOUT_SOURCE_FREE  10	   /* per (person, source), first factor unproven */
#define LOCKOUT_SOURCE_TOTAL 100   /* per source */
#define LOCKOUT_FORGET_S     86400 /* a stranger's count this old starts over */

/* lockout_delay_s() - the wait after the @fails-th wrong code, @free of them without.
 */
int64_t lockout_delay_s(uint32_t fails, uint32_t free);

/* lockout_waits() - true until @next_try_s; a clock that was set back ends it. */
bool lockout_waits(int64_t next_try_s, int64_t now_s);

/*
 * lockout_year_cap() - wrong codes in a year when @codes are right at one moment: 3 of
 * one TOTP factor, 6 of two, which halves it. The product of both, and so the chance of
 * a hit, is at most LOCKOUT_YEAR * 3.
 */
uint32_t lockout_year_cap(unsigned codes);

/*
 * A year's guesses of strangers: a bucket that loses one every LOCKOUT_DRIP_S. Filled
 * once and kept full it takes twice its size in a year. @empty_s: when it is empty.
 */
#define LOCKOUT_DRIP_S (365 * 86400 / (LOCKOUT_YEAR / 2))
/* lockout_bucket_full() - as lockout_waits(), a clock that was ahead ends it. */
bool lockout_bucket_full(int64_t empty_s, uint32_t size, int64_t now_s);
/* lockout_bucket_add() - one guess more. Return: the new @empty_s. */
int64_t lockout_bucket_add(int64_t empty_s, int64_t now_s);

/* lockout_fail() - count a wrong code against the person. */
void lockout_fail(struct store_person *p, int64_t now_s);

/* lockout_success() - an accepted code ends a run of wrong ones; the year goes on. */
void lockout_success(struct store_person *p, int64_t now_s);

/*
 * lockout_budget_fail() - count a stranger's try; @free: LOCKOUT_SOURCE_FREE or _TOTAL.
 * @aged_s: the time by which counts age.
 */
void lockout_budget_fail(struct store_budget *b, uint32_t free, int64_t now_s,
			 int64_t aged_s);
