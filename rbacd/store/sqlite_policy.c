/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_policy.c - what stands beside the policy: locks, reviews, activations. */
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>

static int count_locks(struct store *store, int64_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_LOCK_COUNT);
	int r = query_row(&q);

	if (r == 0)
		*ret = query_get_int(&q, 0, 0, INT64_MAX);
	return r == 0 ? q.err : r;
}

int store_lock_put(struct store *store, const struct store_lock *lock)
{
	_cleanup_query_ struct query q = query_open(store, SQL_LOCK_PUT);
	int64_t n = 0;
	int r = count_locks(store, &n);

	if (r != 0)
		return r;
	if (n >= STORE_LOCKS_MAX)
		return STORE_E_LIMIT;
	query_text(&q, lock->what);
	query_text(&q, lock->person);
	query_int(&q, lock->until_s);
	query_int(&q, lock->at_s);
	query_text(&q, lock->by);
	query_text(&q, lock->why);
	return query_write(&q);
}

int store_lock_delete(struct store *store, const char *what)
{
	_cleanup_query_ struct query q = query_open(store, SQL_LOCK_DELETE);
	int r;

	query_text(&q, what);
	r = query_write(&q);
	if (r != 0)
		return r;
	return sqlite3_changes(store->db) > 0 ? 0 : STORE_E_NONE;
}

int store_lock_prune(struct store *store, int64_t now_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_LOCK_PRUNE);

	query_int(&q, now_s);
	return query_write(&q);
}

int store_lock_each(struct store *store,
		    int (*fn)(const struct store_lock *lock, void *arg), void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_LOCK_EACH);
	int r;

	while ((r = query_row(&q)) == 0) {
		struct store_lock lock = {0};

		query_get_text(&q, 0, lock.what, sizeof(lock.what));
		query_get_text(&q, 1, lock.person, sizeof(lock.person));
		lock.until_s = query_get_int(&q, 2, INT64_MIN, INT64_MAX);
		lock.at_s = query_get_int(&q, 3, INT64_MIN, INT64_MAX);
		query_get_text(&q, 4, lock.by, sizeof(lock.by));
		query_get_text(&q, 5, lock.why, sizeof(lock.why));
		r = q.err != 0 ? q.err : fn(&lock, arg);
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}

/* ---------------------------------------------------------------- reviews */

int store_review_get(struct store *store, const char *grant, struct store_review *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_REVIEW_GET);
	struct store_review v = {0};
	int r;

	query_text(&q, grant);
	r = query_row(&q);
	if (r != 0)
		return r;
	v.at_s = query_get_int(&q, 0, INT64_MIN, INT64_MAX);
	v.seen = query_get_int(&q, 1, 0, 1) == 1;
	query_get_text(&q, 2, v.by, sizeof(v.by));
	query_get_text(&q, 3, v.why, sizeof(v.why));
	if (q.err == 0)
		*ret = v;
	return q.err;
}

int store_review_put(struct store *store, const char *grant,
		     const struct store_review *review)
{
	_cleanup_query_ struct query q = query_open(store, SQL_REVIEW_PUT);

	query_text(&q, grant);
	query_int(&q, review->at_s);
	query_int(&q, review->seen);
	query_text(&q, review->by);
	query_text(&q, review->why);
	return query_write(&q);
}

/* ---------------------------------------------------------------- activations */

int store_activation_get(struct store *store, const char *sha, int64_t *ret_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ACTIVATION_GET);
	int r;

	query_text(&q, sha);
	r = query_row(&q);
	if (r == 0)
		*ret_s = query_get_int(&q, 0, INT64_MIN, INT64_MAX);
	return r == 0 ? q.err : r;
}

int store_activation_last(struct store *store, struct store_activation *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ACTIVATION_LAST);
	struct store_activation a = {0};
	int r = query_row(&q);

	if (r != 0)
		return r;
	query_get_text(&q, 0, a.sha, sizeof(a.sha));
	a.serial = (uint64_t)query_get_int(&q, 1, 0, INT64_MAX);
	a.at_s = query_get_int(&q, 2, INT64_MIN, INT64_MAX);
	if (q.err == 0)
		*ret = a;
	return q.err;
}

int store_activation_put(struct store *store, const struct store_activation *a)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ACTIVATION_PUT);

	query_text(&q, a->sha);
	query_int(&q, (int64_t)a->serial);
	query_int(&q, a->at_s);
	return query_write(&q);
}
