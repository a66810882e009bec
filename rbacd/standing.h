/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing.h - what stands beside the policy and decides with it: locks and reviews,
 * read from the store into the form that policy_decide() takes.
 */
#pragma once

#include "policy/view.h"
#include "rbacd/server.h"

struct standing;

/*
 * standing_refresh() - read locks and reviews again; after a change of either or of the
 * policy. A grant that `review:` names and that was never seen gets its baseline.
 * Return: 0; otherwise nothing can be decided any more: end the turn as lost.
 */
_must_check_ int standing_refresh(struct server *server);
void standing_free(struct standing *standing); /* NULL is a no-op */

/*
 * standing_state() - for decisions by @policy; never NULL. State of another policy
 * than @policy, or none at all, locks everything.
 */
const struct policy_state *standing_state(const struct server *server,
					  const struct policy *policy);

/* standing_overdue() - grant @i of the active policy waits for a review. */
bool standing_overdue(const struct server *server, size_t i,
		      const struct policy_rule *rule);

/* standing_tick() - once a second: reads again what a lost turn left. Return: as
 * refresh. */
_must_check_ int standing_tick(struct server *server);
