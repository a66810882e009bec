/* SPDX-License-Identifier: Apache-2.0 */
/* segment.h - the files of the log: their names, for writer and readers. */
#pragma once

#include "policy/base.h"

#define SEGMENT_NAME_MAX 40

/* segment_name() - "audit-000000000001.jsonl": the first record in it. */
void segment_name(uint64_t first, char ret[SEGMENT_NAME_MAX]);
/* segment_parse_name() - back to the first record; 0: not a segment. */
uint64_t segment_parse_name(const char *name);
/*
 * segment_file() - a segment, for reading; owned by the caller. root reads what rbacd
 * wrote: a link, a pipe or a device is not opened. NULL: errno says why.
 */
_must_check_ FILE *segment_file(const char *dir, uint64_t first);
/* segment_list() - the segments of a folder in order. @ret: owned by the caller.
 * Return: 0; negative errno. */
_must_check_ int segment_list(const char *dir, uint64_t **ret, size_t *ret_n);
