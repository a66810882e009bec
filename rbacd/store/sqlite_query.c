/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_query.c - one prepared statement in use, and SQLite's errors as ours. */
#include "rbacd/store/sqlite_internal.h"

#include <assert.h>
#include <errno.h>

int store_error(struct store *store, int rc)
{
	int sys = store->db ? sqlite3_system_errno(store->db) : 0;
	int ext = store->db ? sqlite3_extended_errcode(store->db) : rc;

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return STORE_E_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STORE_E_CORRUPT;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return sys > 0 ? -sys : -EACCES;
	case SQLITE_CONSTRAINT:
		return -EINVAL;
	case SQLITE_TOOBIG:
		return -E2BIG;
	}
	/* A failed flush leaves the disk unknown, whatever errno says: never "full". */
	if ((rc & 0xff) == SQLITE_IOERR && sys == ENOSPC && ext != SQLITE_IOERR_FSYNC &&
	    ext != SQLITE_IOERR_DIR_FSYNC)
		return STORE_E_FULL;
	return -EIO;
}

struct query query_open(struct store *store, enum store_sql id)
{
	return (struct query){.store = store, .st = store->st[id]};
}

void query_int(struct query *q, int64_t v)
{
	int rc = sqlite3_bind_int64(q->st, ++q->at, v);

	if (rc != SQLITE_OK && q->err == 0)
		q->err = store_error(q->store, rc);
}

/* Bound without a copy: the caller's text outlives the statement's use. */
void query_text(struct query *q, const char *s)
{
	int rc = sqlite3_bind_text(q->st, ++q->at, s ? s : "", -1, SQLITE_STATIC);

	if (rc != SQLITE_OK && q->err == 0)
		q->err = store_error(q->store, rc);
}

void query_blob(struct query *q, const void *p, size_t len)
{
	int rc = sqlite3_bind_blob64(q->st, ++q->at, p, len, SQLITE_STATIC);

	if (rc != SQLITE_OK && q->err == 0)
		q->err = store_error(q->store, rc);
}

int query_row(struct query *q)
{
	int rc;

	if (q->err != 0)
		return q->err;
	rc = sqlite3_step(q->st);
	if (rc == SQLITE_ROW)
		return 0;
	if (rc == SQLITE_DONE)
		return STORE_E_NONE;
	return q->err = store_error(q->store, rc);
}

int query_write(struct query *q)
{
	int r;

	if (q->store->read_only)
		return -EROFS;
	r = store_begin(q->store);
	if (r != 0)
		return r;
	if (q->store->tx_err != 0)
		return q->store->tx_err;
	r = query_row(q);
	assert(r != 0); /* no statement that writes returns rows */
	if (r == STORE_E_NONE)
		return 0;
	/*
	 * SQLite may have rolled the whole transaction back by itself; what follows in
	 * this turn must not slip into a transaction of its own. Only a broken
	 * constraint undoes no more than its statement.
	 */
	if (r != -EINVAL)
		q->store->tx_err = r;
	return r;
}

int64_t query_get_int(struct query *q, int column, int64_t min, int64_t max)
{
	int64_t v = sqlite3_column_int64(q->st, column);

	if (v < min || v > max) {
		q->err = STORE_E_CORRUPT;
		return min;
	}
	return v;
}

void query_get_text(struct query *q, int column, char *buf, size_t cap)
{
	const unsigned char *s = sqlite3_column_text(q->st, column);
	size_t len = s ? (size_t)sqlite3_column_bytes(q->st, column) : 0;

	if (!s || len >= cap || memchr(s, '\0', len)) {
		q->err = STORE_E_CORRUPT;
		buf[0] = '\0';
		return;
	}
	memcpy(buf, s, len);
	buf[len] = '\0';
}

size_t query_get_blob(struct query *q, int column, void *buf, size_t cap)
{
	const void *p = sqlite3_column_blob(q->st, column);
	size_t len = (size_t)sqlite3_column_bytes(q->st, column);

	if (len > cap) {
		q->err = STORE_E_CORRUPT;
		return 0;
	}
	if (len > 0)
		memcpy(buf, p, len);
	return len;
}

void query_done(struct query *q)
{
	(void)sqlite3_reset(q->st); /* repeats the step's error, which was returned */
	(void)sqlite3_clear_bindings(q->st); /* always SQLITE_OK */
}
