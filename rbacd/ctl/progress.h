/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.h - a bar on a terminal, once something takes longer than a moment. Nothing
 * is written where standard error is no terminal, or a program reads the answer.
 */
#pragma once

#include "policy/watch.h"
#include "rbacd/ctl/ctl.h"

struct progress {
	struct ctl *ctl;	    /* borrowed */
	const char *what;	    /* static */
	int64_t begun_ms, shown_ms; /* CLOCK_MONOTONIC */
	bool wanted, drawn;
	struct policy_watch watch; /* for what takes long */
};

/* progress_begin() - @what is going to take a while. progress_clear() ends it. */
void progress_begin(struct progress *p, struct ctl *ctl, const char *what);
/* progress_at() - @done of @of; for loops that know no watch. */
void progress_at(struct progress *p, size_t done, size_t of);
/* progress_clear() - take the bar away: something is about to be printed. */
void progress_clear(struct progress *p);

#define _cleanup_progress_ _cleanup_(progress_clear)
