/* SPDX-License-Identifier: Apache-2.0 */
/* target.h - where a command writes: standard output, or a file that is whole. */
#pragma once

#include "rbacd/ctl/ctl.h"

struct target {
	struct ctl *ctl;      /* borrowed */
	const char *path;     /* borrowed; NULL: standard output */
	char temporary[4096]; /* a name beside @path */
	bool named;	      /* the file has it until it is whole */
	FILE *out;	      /* to write to */
};

/*
 * target_open() - begin to write.
 * @path: NULL: standard output; else a file that appears under this name only when
 * target_close() found it whole: a kill, a crash or a full disk leaves the old one,
 * and nothing beside it.
 * Return: 0; CTL_USAGE, CTL_NO: told.
 */
_must_check_ int target_open(struct ctl *ctl, const char *path, struct target *ret);

/*
 * target_close() - end it.
 * @code: what to return when all went well.
 * @whole: false: what was written is not to be kept.
 * Return: @code; CTL_NO: it could not be written, told.
 */
_must_check_ int target_close(struct target *t, int code, bool whole);
