/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.c - the database as a whole: open, the turn's transaction, checkpoint, close.
 */
#include "policy/memtext.h"
#include "rbacd/store/sqlite_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define WAL_PAGE_BYTES 4096
#define WAL_IDLE_PAGES ((1 << 20) / WAL_PAGE_BYTES)  /* worth it when idle */
#define WAL_MAX_PAGES  ((16 << 20) / WAL_PAGE_BYTES) /* worth it at any time */
#define WAL_PREALLOC   (2 << 20)
#define BUSY_READ_MS   2000
#define BUSY_OPEN_MS   5000 /* a reader may be mending the index of who was killed */

static int check_folder(const char *dir, struct diags *diag)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int e = errno;

		diags_add(diag, dir, 0, 0, NULL, "cannot open the folder: %s",
			  strerror(e));
		return -e;
	}
	if (st.st_uid != geteuid() && geteuid() != 0 && access(dir, X_OK) != 0) {
		diags_add(diag, dir, 0, 0, NULL, "not yours to read: run me as root");
		return -EACCES;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0) ||
	    (st.st_mode & 0022) != 0) {
		diags_add(diag, dir, 0, 0, NULL,
			  "the folder must belong to rbacd or root and not be writable "
			  "by "
			  "group or others; chmod 0700 it");
		return -EPERM;
	}
	return 0;
}

int store_resolve(const char *path, struct diags *diag, char **ret)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	_cleanup_free_ char *dir = NULL, *full = NULL, *out = NULL;
	size_t cap;
	int r;

	dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path))
		    : strdup(".");
	if (!dir)
		return -ENOMEM;
	full = realpath(dir, NULL);
	if (!full) {
		r = -errno;
		diags_add(diag, dir, 0, 0, NULL, "cannot open the folder: %s",
			  strerror(-r));
		return r;
	}
	r = check_folder(full, diag);
	if (r != 0)
		return r;
	cap = strlen(full) + strlen(base) + 2;
	out = malloc(cap);
	if (!out)
		return -ENOMEM;
	(void)snprintf(out, cap, "%s/%s", full, base); /* it fits */
	*ret = STEAL(out);
	return 0;
}

/* The file itself: regular, one of ours, closed to everybody else. */
static int check_file(const char *path, int flags, struct diags *diag)
{
	_cleanup_close_ int fd =
		open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		     0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int e = errno;

		diags_add(diag, path, 0, 0, NULL, "cannot open the database: %s",
			  strerror(e));
		return e == ENOSPC ? STORE_E_FULL : -e;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0077) != 0 ||
	    (st.st_uid != geteuid() && geteuid() != 0)) {
		diags_add(
			diag, path, 0, 0, NULL,
			"the database must be a regular file of rbacd with mode 0600");
		return -EPERM;
	}
	return 0;
}

static int give_to_folder(int fd, const char *path)
{
	_cleanup_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	struct stat st;

	if (!dir) {
		errno = ENOMEM;
		return -1;
	}
	/* The folder's owner may have made a hard link to a file that is not his. */
	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
		errno = EMLINK;
		return -1;
	}
	if (stat(dir[0] ? dir : "/", &st) < 0)
		return -1;
	return fchown(fd, st.st_uid, st.st_gid);
}

int store_lock(const char *path, struct diags *diag, int *ret_fd)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	int e;

	if (asprintf(&name, "%s.lock", path) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		e = errno;
		diags_add(diag, name, 0, 0, NULL, "cannot open the lock file: %s",
			  strerror(e));
		return -e;
	}
	/* Made by root (restore), it must still be rbacd's to open: the folder's
	 * owner's. */
	if (geteuid() == 0 && give_to_folder(fd, path) < 0) {
		e = errno;
		diags_add(diag, name, 0, 0, NULL, "cannot hand the lock file over: %s",
			  strerror(e));
		return -e;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		e = errno;
		diags_add(
			diag, path, 0, 0, NULL, "%s",
			e == EWOULDBLOCK
				? "another rbacd has this database open; stop it first"
				: strerror(e));
		return e == EWOULDBLOCK ? -EBUSY : -e;
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/*
 * Overwriting blocks that exist flushes faster than growing a file, so the WAL is
 * written out once and then reused for ever (persistent, never truncated). Zeros are an
 * empty WAL.
 */
static void preallocate_wal(const char *path)
{
	static const uint8_t zeros[64 * 1024];
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	off_t done = 0;

	if (asprintf(&name, "%s-wal", path) < 0) {
		name = NULL;
		return;
	}
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return; /* there already, or SQLite will say what is wrong */
	while (done < WAL_PREALLOC) {
		ssize_t n = write(fd, zeros, sizeof(zeros));

		if (n <= 0)
			break;
		done += n;
	}
	/* No room for a reserve, or no flush: start with an empty WAL instead. */
	if ((done < WAL_PREALLOC || fsync(fd) < 0) && ftruncate(fd, 0) < 0)
		(void)unlink(name); /* SQLite creates its own */
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *store = arg;

	(void)db;
	(void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

static int exec_sql(struct store *store, const char *sql)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_error(store, rc);
}

static int open_db(struct store *store)
{
	int flags = SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		    (store->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int rc = sqlite3_open_v2(store->path, &store->db, flags, NULL);
	int on = 1;

	if (rc != SQLITE_OK)
		return store_error(store, rc);
	(void)sqlite3_busy_timeout(store->db, BUSY_OPEN_MS);
	(void)sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, 1 << 20);
	rc = sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
				       NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_PERSIST_WAL,
					  &on);
	if (rc != SQLITE_OK)
		return store_error(store, rc);
	return exec_sql(store, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
			       "PRAGMA mmap_size = 0; PRAGMA cache_size = -512;"
			       "PRAGMA cell_size_check = ON;");
}

static int get_pragma(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			*ret = sqlite3_column_int64(st, 0);
	}
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int check_table(sqlite3 *db, const char *path, const char *table,
		       struct diags *diag)
{
	_cleanup_free_ char *sql = NULL;
	sqlite3_stmt *st = NULL;
	const char *said = NULL;
	int rc;

	if (asprintf(&sql, "PRAGMA quick_check(%s)", table) < 0) {
		sql = NULL;
		return SQLITE_NOMEM;
	}
	rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		said = (const char *)sqlite3_column_text(st, 0);
	if (rc == SQLITE_ROW && str_eq(said, "ok")) {
		rc = SQLITE_OK;
	} else if (rc == SQLITE_ROW) {
		diags_add(diag, path, 0, 0, NULL, "damaged: table %s: %s", table,
			  said ? said : "unreadable");
		rc = SQLITE_CORRUPT;
	}
	(void)sqlite3_finalize(st);
	return rc;
}

int store_check_tables(sqlite3 *db, const char *path, struct diags *diag)
{
	int64_t app = 0, version = 0;
	int rc = get_pragma(db, "PRAGMA application_id", &app);

	if (rc == SQLITE_OK)
		rc = get_pragma(db, "PRAGMA user_version", &version);
	if (rc != SQLITE_OK)
		return rc;
	if (app != STORE_APPLICATION_ID) {
		diags_add(diag, path, 0, 0, NULL, "not a vmsec database");
		return SQLITE_NOTADB;
	}
	if (version < 1 || version > STORE_SCHEMA_VERSION) {
		diags_add(diag, path, 0, 0, NULL,
			  "schema version %lld, this program knows versions 1 to %d",
			  (long long)version, STORE_SCHEMA_VERSION);
		return SQLITE_NOTADB;
	}
	for (size_t i = 0; i < store_sql_n_checked && rc == SQLITE_OK; i++)
		if (store_sql_checked[i].since <= version)
			rc = check_table(db, path, store_sql_checked[i].name, diag);
	return rc;
}

/* From @version (0: no table yet) to the current one, whole or not at all. */
static int migrate(struct store *store, int64_t version)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *sql = NULL;
	size_t len = 0;
	int r = memtext_open(&m);

	if (r != 0)
		return r;
	(void)fputs("BEGIN IMMEDIATE;", m.out); /* memtext_take() tells */
	if (version == 0)
		(void)fputs(store_sql_schema, m.out);
	for (size_t i = version > 0 ? (size_t)version - 1 : 0;
	     i < ARRAY_SIZE(store_sql_migration); i++)
		(void)fputs(store_sql_migration[i], m.out);
	(void)fprintf(m.out,
		      "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
		      STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
	r = memtext_take(&m, &sql, &len);
	return r == 0 ? exec_sql(store, sql) : r;
}

static int check_version(struct store *store, struct diags *diag)
{
	int64_t version = 0;
	int rc = get_pragma(store->db, "PRAGMA user_version", &version);

	if (rc != SQLITE_OK)
		return store_error(store, rc);
	if (version == STORE_SCHEMA_VERSION)
		return 0;
	if (!store->read_only)
		return migrate(store, version);
	diags_add(
		diag, store->path, 0, 0, NULL,
		"made by an older version: start rbacd once, it brings it up to date");
	return -EPROTO;
}

/* A file without a single page is new; anything else must be a whole database of ours.
 */
static int prepare_schema(struct store *store, struct diags *diag)
{
	int64_t pages = -1;
	int r = get_pragma(store->db, "PRAGMA page_count", &pages);

	if (r != SQLITE_OK)
		return store_error(store, r);
	if (!store->read_only) {
		r = exec_sql(store,
			     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			     "PRAGMA wal_autocheckpoint = 0;");
		if (r != 0)
			return r;
		(void)sqlite3_wal_hook(store->db, on_wal, store);
	}
	if (pages == 0 && !store->read_only)
		r = migrate(store, 0);
	if (r != 0)
		return r;
	r = store_check_tables(store->db, store->path, diag);
	return r == SQLITE_OK ? check_version(store, diag) : store_error(store, r);
}

static int prepare_statements(struct store *store)
{
	for (size_t i = 0; i < SQL_N; i++) {
		int rc = sqlite3_prepare_v3(store->db, store_sql_text[i], -1,
					    SQLITE_PREPARE_PERSISTENT, &store->st[i],
					    NULL);

		if (rc != SQLITE_OK)
			return store_error(store, rc);
	}
	return 0;
}

static void explain_open(const struct store *store, int r, struct diags *diag)
{
	const char *said = store->db ? sqlite3_errmsg(store->db) : "out of memory";

	if (r == STORE_E_CORRUPT)
		diags_add(
			diag, store->path, 0, 0, NULL,
			"the database cannot be used (%s); rbacd refuses to start. Way "
			"back: stop rbacd, then \"rbacctl restore BACKUP\"",
			said);
	else if (r == STORE_E_FULL)
		diags_add(diag, store->path, 0, 0, NULL,
			  "no space left for the database; free some and start again");
	else if (r != 0)
		diags_add(diag, store->path, 0, 0, NULL, "cannot open the database: %s",
			  r == -EIO || !store->db ? said : strerror(-r));
}

static int open_checked(struct store *store, struct diags *diag)
{
	int r = open_db(store);

	if (r == 0)
		r = prepare_schema(store, diag);
	if (r == 0)
		r = prepare_statements(store);
	/* From here on the one writer waits for nobody: its loop would stand still. */
	if (r == 0)
		(void)sqlite3_busy_timeout(store->db,
					   store->read_only ? BUSY_READ_MS : 0);
	explain_open(store, r, diag);
	return r;
}

static void closep(struct store **store)
{
	store_close(*store);
}

int store_open(const struct store_options *opt, struct store **ret, struct diags *diag)
{
	_cleanup_(closep) struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->lock_fd = -1;
	store->n_budgets = -1;
	store->read_only = opt->read_only;
	r = store_resolve(opt->path, diag, &store->path);
	assert(r != 0 || store->path);
	if (r == 0 && !store->read_only)
		r = store_lock(store->path, diag, &store->lock_fd);
	if (r == 0)
		r = check_file(store->path,
			       opt->read_only ? O_RDONLY : O_RDWR | O_CREAT, diag);
	if (r != 0)
		return r;
	if (!store->read_only)
		preallocate_wal(store->path);
	r = open_checked(store, diag);
	if (r == 0)
		*ret = STEAL(store);
	return r;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->in_tx)
		store_rollback(store);
	for (size_t i = 0; i < SQL_N; i++)
		(void)sqlite3_finalize(store->st[i]); /* repeats a step's error */
	(void)sqlite3_close(store->db); /* no statement is left: never busy */
	if (store->lock_fd >= 0)
		(void)close(store->lock_fd);
	free(store->path);
	free(store);
}

static int run_plain(struct store *store, enum store_sql id)
{
	_cleanup_query_ struct query q = query_open(store, id);
	int r = query_row(&q);

	return r == STORE_E_NONE ? 0 : r;
}

int store_begin(struct store *store)
{
	int r;

	if (store->in_tx)
		return 0;
	r = run_plain(store, store->read_only ? SQL_BEGIN_READ : SQL_BEGIN);
	if (r == 0) {
		store->in_tx = true;
		store->tx_err = 0;
	}
	return r;
}

bool store_dirty(const struct store *store)
{
	return store->in_tx;
}

int store_commit(struct store *store)
{
	int r;

	if (!store->in_tx)
		return 0;
	r = store->tx_err;
	if (r == 0 && store->head_pending)
		r = store_head_write(store);
	if (r == 0)
		r = run_plain(store, SQL_COMMIT);
	if (r != 0) {
		store_rollback(store);
		return r;
	}
	store->in_tx = false;
	store->head_known |= store->head_pending;
	store->head_pending = false;
	return 0;
}

void store_rollback(struct store *store)
{
	/* SQLite may have rolled back by itself; then there is nothing left to undo. */
	if (!sqlite3_get_autocommit(store->db))
		(void)run_plain(store, SQL_ROLLBACK);
	store->in_tx = false;
	store->tx_err = 0;
	store->head_pending = store->head_known = false;
	store->n_budgets = -1;
}

void store_idle(struct store *store)
{
	int in_wal = 0, moved = 0;

	if (store->read_only || store->in_tx || store->wal_pages < WAL_IDLE_PAGES)
		return;
	/* A reader in the way leaves the rest for the next time; nothing is lost. */
	if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
				      &in_wal, &moved) == SQLITE_OK &&
	    moved == in_wal)
		store->wal_pages = 0;
}

bool store_wal_over(const struct store *store)
{
	return store->wal_pages >= WAL_MAX_PAGES;
}

const char *store_path(const struct store *store)
{
	return store->path;
}

int store_free_percent(const struct store *store)
{
	struct statvfs v;

	if (statvfs(store->path, &v) < 0 || v.f_blocks == 0)
		return 0; /* unknown is full */
	return (int)(v.f_bavail * 100 / v.f_blocks);
}
