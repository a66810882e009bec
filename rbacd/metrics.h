/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - counters and a histogram of decisions, as Prometheus text. */
#pragma once

#include "rbacd/server.h"

struct metrics;

_must_check_ int metrics_new(struct metrics **ret);
void metrics_free(struct metrics *metrics);

/* metrics_event() - count a decision; other events are not counted. */
void metrics_event(struct metrics *metrics, const struct audit_event *ev);

/*
 * metrics_print() - everything rbacd knows, in the text format 0.0.4: names end in
 * their unit, counters in _total. The caller asks ferror().
 */
void metrics_print(const struct server *server, FILE *out);
