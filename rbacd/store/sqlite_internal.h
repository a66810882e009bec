/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_internal.h - what the files of store/ share: the handle, the prepared
 * statements and a small cursor over one of them. Nobody outside store/ includes it.
 */
#pragma once

#include <sqlite3.h>

#include "rbacd/store/store.h"

#define STORE_SCHEMA_VERSION 7
#define STORE_APPLICATION_ID 0x766d7363 /* "vmsc" */

/* One prepared statement each; the text stands in sqlite_sql.c under the same name. */
enum store_sql {
	SQL_BEGIN,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_PERSON_GET,
	SQL_PERSON_PUT,
	SQL_PERSON_DELETE,
	SQL_PERSON_EACH,
	SQL_FAIL_ADD,
	SQL_FAIL_SUM,
	SQL_FAIL_PRUNE,
	SQL_FACTOR_LIST,
	SQL_FACTOR_COUNT,
	SQL_FACTOR_INSERT,
	SQL_FACTOR_UPDATE,
	SQL_FACTOR_DELETE,
	SQL_FACTOR_ACCEPT,
	SQL_CODE_ADD,
	SQL_CODE_GET,
	SQL_CODE_TAKE,
	SQL_CODE_CLEAR,
	SQL_CODE_CLEAR_ENDING,
	SQL_CODE_LEFT,
	SQL_BUDGET_GET,
	SQL_BUDGET_COUNT,
	SQL_BUDGET_UPDATE,
	SQL_BUDGET_INSERT,
	SQL_BUDGET_PRUNE,
	SQL_PROOF_PUT,
	SQL_PROOF_GET,
	SQL_PROOF_CLEAR,
	SQL_PROOF_CLEAR_ALL,
	SQL_PROOF_EACH,
	SQL_PROOF_PRUNE,
	SQL_SESSION_PUT,
	SQL_SESSION_GET,
	SQL_SESSION_DELETE,
	SQL_SESSION_PRUNE,
	SQL_SESSION_COUNT,
	SQL_SEAT_PUT,
	SQL_SEAT_OPEN,
	SQL_SEAT_DELETE,
	SQL_SEAT_COUNT,
	SQL_SEAT_PRUNE,
	SQL_LOCK_PUT,
	SQL_LOCK_DELETE,
	SQL_LOCK_PRUNE,
	SQL_LOCK_EACH,
	SQL_LOCK_COUNT,
	SQL_REVIEW_GET,
	SQL_REVIEW_PUT,
	SQL_ACTIVATION_GET,
	SQL_ACTIVATION_LAST,
	SQL_ACTIVATION_PUT,
	SQL_PASSWORD_GET,
	SQL_PASSWORD_PUT,
	SQL_PASSWORD_EACH,
	SQL_PASSWORD_OLD_LIST,
	SQL_PASSWORD_OLD_ADD,
	SQL_PASSWORD_OLD_PRUNE,
	SQL_AUDIT_APPEND,
	SQL_AUDIT_EACH,
	SQL_AUDIT_GET,
	SQL_AUDIT_FIRST,
	SQL_AUDIT_PRUNE,
	SQL_CHECKPOINT_PUT,
	SQL_CHECKPOINT_EACH,
	SQL_CHECKPOINT_LAST,
	SQL_CHECKPOINT_PRUNE,
	SQL_SEEN_GET,
	SQL_SEEN_COUNT,
	SQL_SEEN_UPDATE,
	SQL_SEEN_INSERT,
	SQL_SEEN_PRUNE,
	SQL_ALERT_PUT,
	SQL_ALERT_EACH,
	SQL_ALERT_OPEN,
	SQL_ALERT_ACK,
	SQL_ALERT_PRUNE,
	SQL_FACTOR_COUNTS,
	SQL_HEAD_GET,
	SQL_HEAD_PUT,
	SQL_META_GET,
	SQL_META_PUT,
	SQL_N,
};

extern const char *const store_sql_text[SQL_N];
extern const char store_sql_schema[]; /* of version 1 */
/* What makes version i + 2 of version i + 1. */
extern const char *const store_sql_migration[STORE_SCHEMA_VERSION - 1];
/* Tables checked page by page at start; the audit lines are checked by their chain. */
struct store_table {
	const char *name;
	int since; /* version */
};
extern const struct store_table store_sql_checked[];
extern const size_t store_sql_n_checked;

struct store {
	sqlite3 *db;
	sqlite3_stmt *st[SQL_N]; /* owned */
	char *path;		 /* owned; resolved */
	int lock_fd;		 /* the writer's exclusive lock; -1 when read_only */
	bool read_only;
	bool in_tx;
	int tx_err;	   /* a write of this turn failed: the turn is lost */
	bool head_pending; /* head is newer than its row; written by the commit */
	bool head_known;   /* head is the row's */
	struct store_head head;
	store_seal_fn *seal_head; /* static; NULL: heads come sealed */
	void *seal_arg;		  /* borrowed */
	int wal_pages;		  /* in the WAL after the last commit */
	int64_t n_budgets;	  /* rows of the bounded table; -1: count again */
};

/* store_error() - an SQLite result as one of ours: STORE_E_FULL, _CORRUPT or -errno. */
_must_check_ int store_error(struct store *store, int rc);

/*
 * A statement in use. Bind in order, then step; the first error sticks and is returned
 * by the step, columns that do not fit their buffer make it STORE_E_CORRUPT.
 */
struct query {
	struct store *store; /* borrowed */
	sqlite3_stmt *st;    /* borrowed from store */
	int at;		     /* last bound parameter */
	int err;
};

struct query query_open(struct store *store, enum store_sql id);
void query_int(struct query *q, int64_t v);
void query_text(struct query *q, const char *s);
void query_blob(struct query *q, const void *p, size_t len);
/* query_row() - 0: a row is there; STORE_E_NONE: no more. */
_must_check_ int query_row(struct query *q);
/* query_write() - join the turn's transaction and run a statement that returns no row.
 */
_must_check_ int query_write(struct query *q);
int64_t query_get_int(struct query *q, int column, int64_t min, int64_t max);
void query_get_text(struct query *q, int column, char *buf, size_t cap);
size_t query_get_blob(struct query *q, int column, void *buf, size_t cap);
void query_done(struct query *q);

#define _cleanup_query_ _cleanup_(query_done)

/* store_head_write() - the pending head into its row; part of the commit. */
_must_check_ int store_head_write(struct store *store);

/* store_lock() - the one writer: an exclusive lock on "<path>.lock". -EBUSY: taken. */
_must_check_ int store_lock(const char *path, struct diags *diag, int *ret_fd);
/*
 * store_resolve() - the folder resolved and checked (ours or root's, not writable by
 * others), the last component appended as it is.
 * @ret: owned by the caller.
 */
_must_check_ int store_resolve(const char *path, struct diags *diag, char **ret);
/* store_check_tables() - application id, version and the pages of the state tables. */
_must_check_ int store_check_tables(sqlite3 *db, const char *path, struct diags *diag);
