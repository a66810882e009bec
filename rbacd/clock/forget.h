/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forget.h - once an hour: what is too old to matter leaves the database.
 *
 * Too old by the wall clock and by the time by which things age, both: what a clock set
 * ahead made old for a moment is still wanted when it is put right.
 */
#pragma once

#include "policy/base.h"

struct server;

/* forget_locks() - those that are over, at once. Return: 0; else the turn is lost. */
_must_check_ int forget_locks(struct server *server);

/* forget_tick() - once a second. Return: 0; else the turn is lost. */
_must_check_ int forget_tick(struct server *server);
