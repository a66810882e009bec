/* SPDX-License-Identifier: Apache-2.0 */
/* standing.c - locks and reviews of the store, as decisions read them. */

#include "rbacd/standing.h"

#include <errno.h>

#include "policy/arena.h"
#include "policy/view.h"
#include "rbacd/log.h"

struct standing {
	struct arena arena;    /* owns all that state points to */
	struct policy *policy; /* counted; what the indices belong to; may be NULL */
	struct policy_state state;
	uint64_t n_lost_turns; /* of the server, when this was read */
};

struct reader {
	struct standing *st;
	struct policy_lock *locks; /* borrowed from the arena */
	size_t n;
};

void standing_free(struct standing *st)
{
	if (!st)
		return;
	policy_unref(st->policy);
	arena_done(&st->arena);
	free(st);
}

static void standing_freep(struct standing **st)
{
	standing_free(*st);
}

static const char *keep(struct standing *st, const char *text)
{
	return arena_strndup(&st->arena, text, strlen(text));
}

/* Role locks need to know which grants carry the role; without them all are locked. */
static int read_grants(struct standing *st, struct policy_lock *lock)
{
	size_t n = st->policy ? policy_grant_count(st->policy) : 0;
	uint64_t *bits = arena_array(&st->arena, n / 64 + 1, sizeof(*bits));
	int rc;

	if (!bits)
		return -ENOMEM;
	if (!st->policy)
		return 0;
	rc = policy_lock_grants(st->policy, lock->name, bits);
	lock->grants = bits; /* an unknown role: nobody holds it */
	return rc < 0 ? rc : 0;
}

static int read_lock(const struct store_lock *row, void *arg)
{
	struct reader *r = arg;
	struct policy_lock *lock;
	const char *text = keep(r->st, row->what);

	if (!text || r->n == STORE_LOCKS_MAX)
		return -ENOMEM;
	lock = &r->locks[r->n++];
	*lock = (struct policy_lock){.name = text};
	/* What cannot be read locks everything: its kind is none of ours. */
	if (policy_lock_parse(text, lock) != 0)
		log_err("the lock %s cannot be read: it locks everything", text);
	lock->until_s = row->until_s;
	if (*row->person)
		lock->id = keep(r->st, row->person);
	return lock->kind == POLICY_LOCK_ROLE ? read_grants(r->st, lock) : 0;
}

static int read_locks(struct server *s, struct standing *st)
{
	struct reader r = {.st = st};
	int rc;

	r.locks = arena_array(&st->arena, STORE_LOCKS_MAX, sizeof(*r.locks));
	if (!r.locks)
		return -ENOMEM;
	rc = store_lock_each(s->store, read_lock, &r);
	st->state.locks = r.locks;
	st->state.n_locks = r.n;
	return rc;
}

static int read_review(struct server *s, const char *grant, int64_t *ret_s)
{
	struct store_review review;
	int rc = store_review_get(s->store, grant, &review);

	if (rc == STORE_E_NONE) {
		review = (struct store_review){.at_s = server_now_s(), .seen = true};
		rc = store_review_put(s->store, grant, &review);
	}
	if (rc == 0)
		*ret_s = review.at_s;
	return rc;
}

static int read_reviews(struct server *s, struct standing *st)
{
	size_t n = st->policy ? policy_grant_count(st->policy) : 0;
	int64_t *at = arena_array(&st->arena, n + 1, sizeof(*at));
	struct policy_rule rule;
	int rc = 0;

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < n && rc == 0; i++)
		if (policy_grant_at(st->policy, i, &rule) && rule.review_every_s > 0)
			rc = read_review(s, rule.id, &at[i]);
	st->state.reviewed_s = at;
	st->state.n_reviewed = n;
	return rc;
}

int standing_refresh(struct server *s)
{
	_cleanup_(standing_freep) struct standing *st = calloc(1, sizeof(*st));
	int rc;

	if (!st)
		return -ENOMEM;
	st->n_lost_turns = s->stats.n_lost_turns;
	st->policy = s->policy ? policy_ref(s->policy) : NULL;
	rc = read_locks(s, st);
	if (rc == 0)
		rc = read_reviews(s, st);
	if (rc != 0)
		return rc > 0 ? -EIO : rc;
	standing_free(s->standing);
	s->standing = STEAL(st);
	return 0;
}

static bool same_policy(const struct policy *a, const struct policy *b)
{
	return a == b || (a && b && str_eq(policy_sha256(a), policy_sha256(b)));
}

const struct policy_state *standing_state(const struct server *s,
					  const struct policy *policy)
{
	/* A lock of no kind that never ends: it refuses everybody. */
	static const struct policy_lock all = {.name = "", .until_s = INT64_MAX};
	static const struct policy_state locked = {.locks = &all, .n_locks = 1};
	const struct standing *st = s->standing;

	return st && same_policy(st->policy, policy) ? &st->state : &locked;
}

bool standing_overdue(const struct server *s, size_t i, const struct policy_rule *rule)
{
	const struct policy_state *state = standing_state(s, s->policy);
	int64_t since = policy_grant_baseline(s->policy, i);

	if (rule->review_every_s == 0)
		return false;
	if (i < state->n_reviewed && state->reviewed_s[i] > since)
		since = state->reviewed_s[i];
	return since == INT64_MIN || server_now_s() >= since + rule->review_every_s;
}

int standing_tick(struct server *s)
{
	/* A turn that was lost may have been read from before it was rolled back. */
	if (s->standing && s->standing->n_lost_turns == s->stats.n_lost_turns)
		return 0;
	return standing_refresh(s);
}
