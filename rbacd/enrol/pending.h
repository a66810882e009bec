/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending.h - keys that are on somebody's screen: one a person, bounded in number and
 * time, in memory alone.
 */
#pragma once

#include "rbacd/mfa/draft.h"

struct pending_table;

struct pending {
	struct pending_table *table; /* borrowed */
	struct pending *prev, *next; /* there */
	char person[STORE_ID_MAX + 1];
	struct mfa_draft draft;
	uint64_t ends_ns; /* CLOCK_MONOTONIC */
	unsigned n_asked; /* how often for a code */
	bool over;	  /* a newer one took its place, or the person was reset */
	bool active;	  /* stored; the recovery codes are on the screen */
	char name[33];	  /* of the factor that it became */
};

_must_check_ int pending_table_new(struct pending_table **ret);
void pending_table_free(struct pending_table *t); /* when none is left in it */

/*
 * pending_new() - for @person, until @now_ns + LIMIT_ENROL_MS; an older one of the same
 * person is over. Whoever was cut off begins again at once, and two keys must not both
 * come to life; nobody fills the table alone. Return: owned by the caller; NULL:
 * LIMIT_ENROLMENTS, or no memory.
 */
struct pending *pending_new(struct pending_table *t, const char *person,
			    uint64_t now_ns);
void pending_free(struct pending *p); /* wipes; NULL is a no-op */

/*
 * pending_forget() - what @person is making, or has just made, is worth nothing any
 * more: his factor was reset or disabled meanwhile. A NULL table is a no-op.
 */
void pending_forget(struct pending_table *t, const char *person);
