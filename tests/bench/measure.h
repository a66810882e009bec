/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - samples of time and their quantiles, for benchmarks and fault tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct samples {
	uint64_t *v; /* owned */
	size_t n, cap;
};

/* measure_now_ns() - CLOCK_MONOTONIC. */
uint64_t measure_now_ns(void);

/* samples_add() - keep one; ends the program when memory is short. */
void samples_add(struct samples *s, uint64_t v);

/* samples_quantile() - sorts in place; 0 without samples. @q: 0 … 1. */
uint64_t samples_quantile(struct samples *s, double q);

/* samples_clear() - forget the samples, keep the memory. */
void samples_clear(struct samples *s);
void samples_done(struct samples *s);

/* die() - message to standard error, exit status 1. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
