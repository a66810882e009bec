/* SPDX-License-Identifier: Apache-2.0 */
/* tz.h - when a day begins in a zone of the tz database, without TZ or global state. */
#pragma once

#include <stdint.h>

#include "policy/base.h"

enum { TZ_E_UNKNOWN = 1 };

/*
 * tz_day_start() - the first instant of a calendar day in a zone.
 * @zone: tz database name ("Europe/Berlin"); "UTC" needs no database.
 * @y, @m, @d: a valid Gregorian date, 1970 to 9999.
 * Where 00:00 is skipped, the day starts with the first instant after the gap; where it
 * happens twice, with the first.
 * Source: RFC 8536 (TZif) for the files, POSIX.1 TZ for their footer.
 * Return: 0; TZ_E_UNKNOWN: no such zone, or its file is not valid; -ENOMEM.
 */
_must_check_ int tz_day_start(const char *zone, int y, int m, int d, int64_t *ret_s);

/* tz_parse_day_start() - the same for the bytes of a TZif file; for tests and fuzzing.
 */
_must_check_ int tz_parse_day_start(const uint8_t *buf, size_t len, int y, int m, int d,
				    int64_t *ret_s);

/* tz_days() - days from 1970-01-01 to a Gregorian date. */
int64_t tz_days(int y, int m, int d);
