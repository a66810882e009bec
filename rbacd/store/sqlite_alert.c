/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_alert.c - what detections remember: when something was last seen, and alerts.
 */
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>

int store_seen_get(struct store *store, const uint8_t key[32], int64_t *ret_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEEN_GET);
	int r;

	query_blob(&q, key, 32);
	r = query_row(&q);
	if (r == 0)
		*ret_s = query_get_int(&q, 0, INT64_MIN, INT64_MAX);
	return r == 0 ? q.err : r;
}

static int seen_count(struct store *store, int64_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEEN_COUNT);
	int r = query_row(&q);

	if (r == 0)
		*ret = query_get_int(&q, 0, 0, INT64_MAX);
	return r == 0 ? q.err : r;
}

static int seen_write(struct store *store, enum store_sql id, const uint8_t key[32],
		      int64_t at_s)
{
	_cleanup_query_ struct query q = query_open(store, id);

	query_blob(&q, key, 32);
	query_int(&q, at_s);
	return query_write(&q);
}

int store_seen_put(struct store *store, const uint8_t key[32], int64_t at_s)
{
	int64_t before, n = 0;
	int r = store_seen_get(store, key, &before);

	if (r == 0)
		return seen_write(store, SQL_SEEN_UPDATE, key, at_s);
	if (r == STORE_E_NONE)
		r = seen_count(store, &n);
	if (r == 0 && n >= STORE_SEEN_MAX)
		return STORE_E_LIMIT;
	return r == 0 ? seen_write(store, SQL_SEEN_INSERT, key, at_s) : r;
}

int store_seen_prune(struct store *store, int64_t before_s, int64_t keep_n)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEEN_PRUNE);

	query_int(&q, before_s);
	query_int(&q, keep_n);
	return query_write(&q);
}

/* ---------------------------------------------------------------- alerts */

int store_alert_put(struct store *store, const struct store_alert *a)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ALERT_PUT);
	_cleanup_query_ struct query old = query_open(store, SQL_ALERT_PRUNE);
	int r;

	query_int(&q, (int64_t)a->seq);
	query_int(&q, a->at_s);
	query_int(&q, a->sev);
	query_text(&q, a->name);
	query_text(&q, a->subject);
	query_text(&q, a->evidence);
	r = query_write(&q);
	if (r != 0)
		return r;
	query_int(&old, STORE_ALERTS_MAX);
	return query_write(&old);
}

static int read_alert(struct query *q, struct store_alert *ret)
{
	ret->seq = (uint64_t)query_get_int(q, 0, 1, INT64_MAX);
	ret->at_s = query_get_int(q, 1, INT64_MIN, INT64_MAX);
	ret->sev = (int)query_get_int(q, 2, 1, 4);
	query_get_text(q, 3, ret->name, sizeof(ret->name));
	query_get_text(q, 4, ret->subject, sizeof(ret->subject));
	query_get_text(q, 5, ret->evidence, sizeof(ret->evidence));
	ret->acked_s = query_get_int(q, 6, 0, INT64_MAX);
	query_get_text(q, 7, ret->acked_by, sizeof(ret->acked_by));
	return q->err;
}

int store_alert_each(struct store *store, int (*fn)(const struct store_alert *, void *),
		     void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ALERT_EACH);
	struct store_alert a = {0};
	int r;

	while ((r = query_row(&q)) == 0) {
		r = read_alert(&q, &a);
		if (r == 0)
			r = fn(&a, arg);
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}

int store_alert_open(struct store *store, const char *name, bool *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ALERT_OPEN);
	int r;

	query_text(&q, name);
	r = query_row(&q);
	if (r == 0)
		*ret = query_get_int(&q, 0, 0, 1) != 0;
	return r == 0 ? q.err : r;
}

int store_alert_ack(struct store *store, uint64_t seq, int64_t now_s, const char *by)
{
	_cleanup_query_ struct query q = query_open(store, SQL_ALERT_ACK);
	int r;

	if (seq > INT64_MAX)
		return STORE_E_NONE;
	query_int(&q, (int64_t)seq);
	query_int(&q, now_s);
	query_text(&q, by);
	r = query_write(&q);
	return r == 0 && sqlite3_changes(store->db) == 0 ? STORE_E_NONE : r;
}

int store_factor_count(struct store *store, struct store_factor_counts *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FACTOR_COUNTS);
	struct store_factor_counts n;
	int r = query_row(&q);

	if (r != 0)
		return r;
	n.pending = (uint64_t)query_get_int(&q, 0, 0, INT64_MAX);
	n.active = (uint64_t)query_get_int(&q, 1, 0, INT64_MAX);
	n.disabled = (uint64_t)query_get_int(&q, 2, 0, INT64_MAX);
	n.people = (uint64_t)query_get_int(&q, 3, 0, INT64_MAX);
	n.people_disabled = (uint64_t)query_get_int(&q, 4, 0, INT64_MAX);
	n.alerts_open = (uint64_t)query_get_int(&q, 5, 0, INT64_MAX);
	if (q.err == 0)
		*ret = n;
	return q.err;
}
