/* SPDX-License-Identifier: Apache-2.0 */
/* tz.h - zones of the tz database as tables: no TZ, no global state, no file later. */
#pragma once

#include <stdint.h>

#include "policy/arena.h"
#include "policy/base.h"

enum { TZ_E_UNKNOWN = 1 };

struct tz_zone; /* immutable; lives in the arena it was loaded into */

/*
 * tz_zone_load() - read a zone of the tz database.
 * @name: "Europe/Berlin"; "UTC" needs no database.
 * Source: RFC 8536 (TZif) for the files, POSIX.1 TZ for their footer.
 * Return: 0; TZ_E_UNKNOWN: no such zone, or its file is not valid; -ENOMEM.
 */
_must_check_ int tz_zone_load(const char *name, struct arena *a,
			      const struct tz_zone **ret);

/* tz_zone_parse() - the same for the bytes of a TZif file; for tests and fuzzing. */
_must_check_ int tz_zone_parse(const uint8_t *buf, size_t len, struct arena *a,
			       const struct tz_zone **ret);

/*
 * tz_zone_day_start() - the first instant of a calendar day, UTC.
 * @y, @m, @d: a valid Gregorian date, 1970 to 9999.
 * Where 00:00 is skipped, the day starts with the first instant after the gap; where it
 * happens twice, with the first.
 */
int64_t tz_zone_day_start(const struct tz_zone *zone, int y, int m, int d);

/*
 * tz_zone_local() - what the clock on the wall shows at an instant, as seconds since
 * 1970-01-01 00:00 of that wall. Before 1970 the zone's first offset is used. Cost:
 * O(log changes).
 */
int64_t tz_zone_local(const struct tz_zone *zone, int64_t utc_s);

/* tz_days() - days from 1970-01-01 to a Gregorian date. */
int64_t tz_days(int y, int m, int d);
