/* SPDX-License-Identifier: Apache-2.0 */
/* rotation.h - another master key while rbacd runs: taken, and kept or given back with
 * the turn. */
#pragma once

#include "rbacd/keys/keyring.h"
#include "rbacd/server.h"

enum {
	ROTATION_E_SAME = 1, /* it is the key in use */
	ROTATION_E_BUSY = 2, /* this turn has rotated already */
};

/*
 * rotation_run() - seal everything under @key (32 bytes) in the turn's transaction, and
 * use it from here on. Cost: one pass over all factors; logins wait for it.
 * Return: 0; ROTATION_E_…; otherwise the caller gives the turn up: STORE_E_FULL,
 * STORE_E_CORRUPT, negative errno.
 */
_must_check_ int rotation_run(struct server *server, const struct secret *key,
			      struct keyring_counts *ret);

/* rotation_end() - the turn's end: @kept, or the key of before counts again. */
void rotation_end(struct server *server, bool kept);
