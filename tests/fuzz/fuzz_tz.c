/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tz.c - any bytes as a TZif file: a day starts within a day of its start in UTC.
 */
#include <assert.h>

#include "policy/tz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_day(const uint8_t *data, size_t size, int y, int m, int d)
{
	int64_t at = INT64_MIN, utc = tz_days(y, m, d) * 86400;
	int r = tz_parse_day_start(data, size, y, m, d, &at);

	if (r != 0)
		assert(at == INT64_MIN); /* untouched */
	else
		assert(at > utc - 3 * 86400 && at < utc + 3 * 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert(copy); /* of its own, so that a read beyond the end is seen */
	if (size > 0)
		memcpy(copy, data, size);
	one_day(copy, size, 1970, 1, 1);
	one_day(copy, size, 2026, 3, 29);
	one_day(copy, size, 2026, 10, 25);
	one_day(copy, size, 2400, 2, 29);
	free(copy);
	return 0;
}
