/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert.h - what the detections found becomes a record, a row of the alert list and,
 * if one is configured, a run of the hook program.
 */
#pragma once

#include "rbacd/server.h"

struct alerts;

/* alerts_new() - after audit_open(): begins to observe the log. */
_must_check_ int alerts_new(struct server *server, struct alerts **ret);
void alerts_free(struct alerts *alerts);

/*
 * alerts_idle() - how long the account of @uid was not used here; INT64_MAX: never.
 * Return: 0; otherwise it is not known, also when @alerts is NULL.
 */
_must_check_ int alerts_idle(struct alerts *alerts, const char *uid, int64_t now_s,
			     int64_t *ret_idle_s);

/*
 * alerts_tick() - once a second: look at clock and directory, record what was found,
 * run the hook for what is durable by now.
 * Return: 0; the turn's error.
 */
_must_check_ int alerts_tick(struct alerts *alerts);

/*
 * alerts_policy() - the policy @after is about to take the place of @before (NULL:
 * nothing ran). Who gains by it is counted as soon as the directory has their groups,
 * within a minute; what cannot be counted or compared is told as well.
 */
struct policy;
void alerts_policy(struct alerts *alerts, const struct policy *before,
		   struct policy *after);

struct alerts_stats {
	uint64_t raised, lost, hook_failed;
};
void alerts_get_stats(const struct alerts *alerts, struct alerts_stats *ret);
