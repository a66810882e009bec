/* SPDX-License-Identifier: Apache-2.0 */
/* forget.c - what is dropped, and after how long. */
#include "rbacd/clock/forget.h"

#include "rbacd/server.h"

#define EVERY_S	      3600
#define BUDGET_KEPT_S 86400
#define PROOF_KEPT_S  (366 * 86400) /* the longest `max_age` of a policy */
#define SEEN_KEPT_S   (400 * 86400)
/* So many of any age: who was away for years is not somebody new. */
#define SEEN_KEPT_N (STORE_SEEN_MAX / 2)

/* What is before it is past by both clocks. */
static int64_t past_s(const struct server *s)
{
	int64_t aged_s = clock_aged_s(s), now_s = server_now_s();

	return aged_s < now_s ? aged_s : now_s;
}

int forget_locks(struct server *s)
{
	return store_lock_prune(s->store, past_s(s));
}

int forget_tick(struct server *s)
{
	int64_t past = past_s(s);
	int rc;

	if (clock_aged_s(s) < s->clock.forget_s)
		return 0;
	rc = store_budget_prune(s->store, past - BUDGET_KEPT_S);
	if (rc == 0)
		rc = store_proof_prune(s->store, past - PROOF_KEPT_S);
	if (rc == 0)
		rc = store_seen_prune(s->store, past - SEEN_KEPT_S, SEEN_KEPT_N);
	if (rc == 0)
		rc = forget_locks(s);
	if (rc == 0)
		rc = clock_keep_age(s);
	if (rc == 0)
		s->clock.forget_s = clock_aged_s(s) + EVERY_S;
	return rc;
}
