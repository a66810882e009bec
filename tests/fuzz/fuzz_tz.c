/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tz.c - any bytes as a TZif file: a day starts within a day of its start in UTC,
 * and a clock on the wall is never more than a day off.
 */
#include <assert.h>

#include "policy/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_day(const struct tz_zone *z, int y, int m, int d)
{
	int64_t utc = tz_days(y, m, d) * 86400;
	int64_t at = tz_zone_day_start(z, y, m, d), local = tz_zone_local(z, utc);

	assert(at > utc - 3 * 86400 && at < utc + 3 * 86400);
	assert(local > utc - 2 * 86400 && local < utc + 2 * 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_done) struct arena a = ARENA_INIT;
	uint8_t *copy = malloc(size ? size : 1);
	const struct tz_zone *z = NULL;

	assert(copy); /* of its own, so that a read beyond the end is seen */
	if (size > 0)
		memcpy(copy, data, size);
	if (tz_zone_parse(copy, size, &a, &z) == 0) {
		one_day(z, 1970, 1, 1);
		one_day(z, 2026, 3, 29);
		one_day(z, 2026, 10, 25);
		one_day(z, 2400, 2, 29);
		one_day(z, 9999, 12, 31);
	} else {
		assert(!z); /* untouched */
	}
	free(copy);
	return 0;
}
