/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the guard in the daemon: what a clock that was set back costs, its records,
 * and the way out.
 *
 * Codes that were used need no help: their step never goes back. But what is kept with
 * a time becomes young again, and codes of the wrong time would be counted as guesses.
 * A clock set ahead makes all of it old at once: that goes by clock_aged_s().
 */
#pragma once

#include "rbacd/clock/guard.h"

struct server;

struct clock_watch {
	struct clock_guard guard;
	bool unsynced;		   /* the kernel does not say that it is synchronised */
	bool moved;		   /* this turn: set back */
	bool trusted;		   /* this turn: trusted again */
	struct clock_guard before; /* of @trusted, should the turn be lost */
	bool told;		   /* synchronised, as rbacd-dir said last */
	int64_t forget_s;	   /* forget.h: when next, by clock_aged_s() */
};

/* clock_boot_s() - time since boot, suspended or not: nobody can set it. */
int64_t clock_boot_s(void);

/* clock_start() - begin with the time of the last record, if that is later. */
_must_check_ int clock_start(struct server *server);

/*
 * clock_check() - look whether the wall clock was set back; then remembered proofs and
 * bypass codes are void, and time-based codes are refused. Recorded.
 * Return: 0; otherwise the caller gives the turn up: STORE_E_FULL, negative errno.
 */
_must_check_ int clock_check(struct server *server);

/* clock_tick() - once a second: check, and trust again when it is synchronised. */
_must_check_ int clock_tick(struct server *server);

/*
 * clock_accept() - an administrator says that the time is right: things age by it, too.
 * @actor, @why: for the record. Return: as clock_check(); with nothing to accept 0 and
 * *ret_done false.
 */
_must_check_ int clock_accept(struct server *server, const char *actor, const char *why,
			      bool *ret_done);

/*
 * clock_unsure() - nothing that depends on the time holds: it was set back, or the
 * configuration wants it synchronised and it is not.
 */
bool clock_unsure(const struct server *server);

/* clock_aged_s() - the time by which things age: guard.h. */
int64_t clock_aged_s(const struct server *server);
/* clock_ahead_s() - how far the wall clock is ahead of it; may be negative. */
int64_t clock_ahead_s(const struct server *server);
/* clock_keep_age() - write it down for the next start. */
_must_check_ int clock_keep_age(struct server *server);

/* clock_end_turn() - @kept: what the turn said of the clock is durable. */
void clock_end_turn(struct server *server, bool kept);

/* clock_synchronised() - does the kernel say so, to us or to rbacd-dir? */
bool clock_synchronised(const struct server *s);
