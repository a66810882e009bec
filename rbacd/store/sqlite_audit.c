/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_audit.c - the audit log's rows: lines by sequence number, and the head. */
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>

/*
 * The head's row is written once a turn, by the commit: 256 records of a turn would
 * only overwrite it 256 times inside one transaction.
 */
int store_audit_append(struct store *store, uint64_t seq, const char *line, size_t len,
		       const struct store_head *head)
{
	_cleanup_query_ struct query q = query_open(store, SQL_AUDIT_APPEND);
	int r;

	if (seq == 0 || seq > INT64_MAX || head->seq != seq)
		return -EINVAL;
	query_int(&q, (int64_t)seq);
	query_blob(&q, line, len);
	r = query_write(&q);
	if (r != 0)
		return r;
	store->head = *head;
	store->head_pending = true;
	return 0;
}

static int read_head(struct query *q, struct store_head *ret)
{
	struct store_head h = {0};

	h.seq = (uint64_t)query_get_int(q, 0, 1, INT64_MAX);
	if (query_get_blob(q, 1, h.hash, sizeof(h.hash)) != sizeof(h.hash) ||
	    query_get_blob(q, 2, h.mac, sizeof(h.mac)) != sizeof(h.mac))
		q->err = STORE_E_CORRUPT;
	h.ts_s = query_get_int(q, 3, INT64_MIN, INT64_MAX);
	h.tree_len = query_get_blob(q, 4, h.tree, sizeof(h.tree));
	if (q->err == 0)
		*ret = h;
	return q->err;
}

int store_audit_head(struct store *store, struct store_head *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_HEAD_GET);
	int r;

	if (store->head_pending || store->head_known) {
		*ret = store->head;
		return 0;
	}
	r = query_row(&q);
	if (r == STORE_E_NONE) {
		*ret = (struct store_head){0};
		return 0;
	}
	return r != 0 ? r : read_head(&q, ret);
}

void store_seal_heads(struct store *store, store_seal_fn *fn, void *arg)
{
	store->seal_head = fn;
	store->seal_arg = arg;
}

int store_head_write(struct store *store)
{
	_cleanup_query_ struct query q = query_open(store, SQL_HEAD_PUT);
	int r = store->seal_head ? store->seal_head(store->seal_arg, &store->head) : 0;

	if (r != 0)
		return r;
	query_int(&q, (int64_t)store->head.seq);
	query_blob(&q, store->head.hash, sizeof(store->head.hash));
	query_blob(&q, store->head.mac, sizeof(store->head.mac));
	query_int(&q, store->head.ts_s);
	query_blob(&q, store->head.tree, store->head.tree_len);
	return query_write(&q);
}

int store_audit_each(struct store *store, uint64_t seq,
		     int (*fn)(uint64_t seq, const char *line, size_t len, void *arg),
		     void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_AUDIT_EACH);
	const void *line;
	int r;

	if (seq > INT64_MAX)
		return 0;
	query_int(&q, (int64_t)seq);
	while ((r = query_row(&q)) == 0) {
		line = sqlite3_column_blob(q.st, 1);
		r = fn((uint64_t)sqlite3_column_int64(q.st, 0), line ? line : "",
		       (size_t)sqlite3_column_bytes(q.st, 1), arg);
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}

int store_audit_get(struct store *store, uint64_t seq, char *buf, size_t cap,
		    size_t *ret_len)
{
	_cleanup_query_ struct query q = query_open(store, SQL_AUDIT_GET);
	size_t len;
	int r;

	if (seq == 0 || seq > INT64_MAX)
		return STORE_E_NONE;
	query_int(&q, (int64_t)seq);
	r = query_row(&q);
	if (r != 0)
		return r;
	len = query_get_blob(&q, 0, buf, cap);
	if (q.err == 0)
		*ret_len = len;
	return q.err;
}

int store_audit_first(struct store *store, uint64_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_AUDIT_FIRST);
	int r = query_row(&q);

	if (r != 0)
		return r;
	*ret = (uint64_t)query_get_int(&q, 0, 0, INT64_MAX);
	return q.err;
}

static int delete_before(struct store *store, enum store_sql id, uint64_t seq)
{
	_cleanup_query_ struct query q = query_open(store, id);

	query_int(&q, (int64_t)seq);
	return query_write(&q);
}

int store_audit_prune(struct store *store, uint64_t seq)
{
	int r = delete_before(store, SQL_AUDIT_PRUNE, seq);

	return r == 0 ? delete_before(store, SQL_CHECKPOINT_PRUNE, seq) : r;
}

/* ---------------------------------------------------------------- checkpoints */

int store_checkpoint_put(struct store *store, uint64_t seq, const char *note,
			 size_t len)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CHECKPOINT_PUT);

	if (seq > INT64_MAX || len > STORE_NOTE_MAX)
		return -EINVAL;
	query_int(&q, (int64_t)seq);
	query_blob(&q, note, len);
	return query_write(&q);
}

int store_checkpoint_last(struct store *store, uint64_t seq, uint64_t *ret_seq,
			  char *buf, size_t cap, size_t *ret_len)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CHECKPOINT_LAST);
	uint64_t at;
	size_t len;
	int r;

	query_int(&q, seq > INT64_MAX ? INT64_MAX : (int64_t)seq);
	r = query_row(&q);
	if (r != 0)
		return r;
	at = (uint64_t)query_get_int(&q, 0, 0, INT64_MAX);
	len = query_get_blob(&q, 1, buf, cap);
	if (q.err == 0) {
		*ret_seq = at;
		*ret_len = len;
	}
	return q.err;
}

int store_checkpoint_each(struct store *store, uint64_t seq,
			  int (*fn)(uint64_t seq, const char *note, size_t len,
				    void *arg),
			  void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CHECKPOINT_EACH);
	const void *note;
	int r;

	query_int(&q, seq > INT64_MAX ? INT64_MAX : (int64_t)seq);
	while ((r = query_row(&q)) == 0) {
		note = sqlite3_column_blob(q.st, 1);
		r = fn((uint64_t)sqlite3_column_int64(q.st, 0), note ? note : "",
		       (size_t)sqlite3_column_bytes(q.st, 1), arg);
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}
