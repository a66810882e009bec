/* SPDX-License-Identifier: Apache-2.0 */
/* welch.h - do two lots of times differ? */
#pragma once

#include <stddef.h>

struct moments {
	double mean, var;
	size_t n;
};

/* moments_below() - of those samples that are at most @limit. */
struct moments moments_below(const double *v, size_t n, double limit);

/* welch_t() - Welch's t of the samples of @a and @b, @n each, below @limit. */
double welch_t(const double *a, const double *b, size_t n, double limit);

/* welch_p95() - the 95th percentile of both together, so that both are cut at the same
 * place: a small shift cannot hide behind outliers. */
double welch_p95(const double *a, const double *b, size_t n);
