/* SPDX-License-Identifier: Apache-2.0 */
/* welch.c - moments, Welch's t, the place to cut. */
#include "tests/bench/welch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/measure.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct moments moments_below(const double *v, size_t n, double limit)
{
	struct moments m = {0};
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i] <= limit) {
			sum += v[i];
			m.n++;
		}
	m.mean = sum / (double)m.n;
	for (size_t i = 0; i < n; i++)
		if (v[i] <= limit)
			squares += (v[i] - m.mean) * (v[i] - m.mean);
	m.var = squares / (double)(m.n - 1);
	return m;
}

double welch_t(const double *a, const double *b, size_t n, double limit)
{
	struct moments x = moments_below(a, n, limit), y = moments_below(b, n, limit);

	return (x.mean - y.mean) / sqrt(x.var / (double)x.n + y.var / (double)y.n);
}

double welch_p95(const double *a, const double *b, size_t n)
{
	double *both = malloc(2 * n * sizeof(*both)), limit;

	if (!both)
		die("out of memory");
	memcpy(both, a, n * sizeof(*both));
	memcpy(both + n, b, n * sizeof(*both));
	qsort(both, 2 * n, sizeof(*both), by_value);
	limit = both[2 * n * 95 / 100];
	free(both);
	return limit;
}
