/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.c - a consistent copy of the live database, and the way back.
 *
 * A restored database is older than what happened since: every code of that time would
 * open again. So a restore burns them: the watermark of each factor is raised beyond
 * the present step, and codes that the present file knows as used are used.
 */
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PAGES_AT_A_TIME 256

static void db_closep(sqlite3 **db)
{
	(void)sqlite3_close(*db); /* our statements are finalised: never busy */
}

static int sqlite_errno(int rc)
{
	struct store none = {0};

	return store_error(&none, rc);
}

/* A new file of our own; an existing one is never overwritten. */
static int create_file(const char *path, struct diags *diag)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		int e = errno;

		diags_add(diag, path, 0, 0, NULL, "cannot create the file: %s",
			  strerror(e));
		return -e;
	}
	(void)close(fd); /* empty */
	return 0;
}

static int sync_path(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int sync_folder(const char *path)
{
	_cleanup_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));

	return dir ? sync_path(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY) : -ENOMEM;
}

static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int rc;

	if (!b)
		return sqlite3_errcode(to);
	do
		rc = sqlite3_backup_step(b, PAGES_AT_A_TIME);
	while (rc == SQLITE_OK);
	(void)sqlite3_backup_finish(b); /* repeats rc */
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int open_plain(const char *path, int flags, sqlite3 **ret)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOFOLLOW, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc != SQLITE_OK) {
		(void)sqlite3_close(db);
		return rc;
	}
	*ret = db;
	return SQLITE_OK;
}

/* One file without a WAL beside it, whole and flushed. */
static int copy_db(sqlite3 *from, const char *path)
{
	_cleanup_(db_closep) sqlite3 *to = NULL;
	int rc = open_plain(path, SQLITE_OPEN_READWRITE, &to);

	if (rc == SQLITE_OK)
		rc = copy_pages(from, to);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	return rc;
}

int store_backup(struct store *store, const char *path, struct diags *diag)
{
	_cleanup_free_ char *full = NULL;
	int r = store_resolve(path, diag, &full);

	if (r == 0)
		r = create_file(full, diag);
	if (r != 0)
		return r;
	r = copy_db(store->db, full);
	if (r != SQLITE_OK) {
		diags_add(diag, full, 0, 0, NULL, "the backup failed: %s",
			  sqlite3_errstr(r));
		(void)unlink(full); /* ours, made above; half a backup is none */
		return sqlite_errno(r);
	}
	r = sync_path(full, O_RDONLY);
	return r != 0 ? r : sync_folder(full);
}

/*
 * Burn in the restored copy. @old, when readable, is attached: its watermarks, used
 * codes and failures count as well.
 */
static const char burn_always[] =
	"UPDATE factor SET last_step = max(last_step, ?1 / period_s + 12 +"
	" max(drift, 0)) WHERE period_s > 0";
/* How often a counter was used since, nobody knows: two codes set it right. */
static const char burn_without_old[] =
	"DELETE FROM main.code; UPDATE main.factor SET status = 3 WHERE status = 2 AND"
	" period_s = 0 AND digits > 0";
static const char *const burn_with_old[] = {
	/* A factor that is gone or another today must not come back. */
	"DELETE FROM main.factor WHERE NOT EXISTS (SELECT 1 FROM old.factor o WHERE"
	" o.person = main.factor.person AND o.sealed = main.factor.sealed)",
	"UPDATE main.factor SET last_step = max(last_step, coalesce((SELECT "
	"o.last_step FROM"
	" old.factor o WHERE o.person = main.factor.person AND o.sealed ="
	" main.factor.sealed), last_step))",
	"DELETE FROM main.code WHERE NOT EXISTS (SELECT 1 FROM old.code o WHERE "
	"o.person ="
	" main.code.person AND o.mac = main.code.mac)",
	"UPDATE main.code SET uses = min(uses, coalesce((SELECT o.uses FROM old.code o "
	"WHERE"
	" o.person = main.code.person AND o.mac = main.code.mac), 0))",
	"UPDATE main.person SET disabled = max(disabled, coalesce((SELECT o.disabled "
	"FROM"
	" old.person o WHERE o.id = main.person.id), 0)), fails = max(fails, "
	"coalesce((SELECT"
	" o.fails FROM old.person o WHERE o.id = main.person.id), 0)), next_try_s ="
	" max(next_try_s, coalesce((SELECT o.next_try_s FROM old.person o WHERE o.id ="
	" main.person.id), 0))",
	"INSERT INTO main.fail_day(person, day, n) SELECT o.person, o.day, o.n FROM"
	" old.fail_day o WHERE EXISTS (SELECT 1 FROM main.person p WHERE p.id = "
	"o.person)"
	" ON CONFLICT(person, day) DO UPDATE SET n = max(n, excluded.n)",
};
static const char burn_rest[] =
	"DELETE FROM main.proof; DELETE FROM main.session; DELETE FROM main.seat;";

/* The anchor belongs to the database that is replaced, and goes with it. */
static const char forget_anchor[] =
	"UPDATE main.meta SET value = x'30' WHERE name = 'anchored'";

static int run_bound(sqlite3 *db, const char *sql, const char *text, int64_t num)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = text ? sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC)
			  : sqlite3_bind_int64(st, 1, num);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	(void)sqlite3_finalize(st); /* repeats rc */
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int store_burn(struct store *store, int64_t at_s)
{
	int r = store_begin(store);
	int rc = SQLITE_OK;

	if (r != 0)
		return r;
	rc = run_bound(store->db, burn_always, NULL, at_s);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, burn_without_old, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, burn_rest, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : store_error(store, rc);
}

static int burn_from_old(sqlite3 *db)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_SIZE(burn_with_old); i++)
		rc = sqlite3_exec(db, burn_with_old[i], NULL, NULL, NULL);
	return rc;
}

static bool old_readable(const char *path)
{
	_cleanup_(db_closep) sqlite3 *db = NULL;
	_cleanup_diags_ struct diags ignored = DIAGS_INIT;

	return access(path, F_OK) == 0 &&
	       open_plain(path, SQLITE_OPEN_READWRITE, &db) == SQLITE_OK &&
	       store_check_tables(db, path, &ignored) == SQLITE_OK;
}

static int burn(const char *path, const char *old, int64_t now_s, bool has_old)
{
	_cleanup_(db_closep) sqlite3 *db = NULL;
	int rc = open_plain(path, SQLITE_OPEN_READWRITE, &db);

	if (rc == SQLITE_OK && has_old)
		rc = run_bound(db, "ATTACH ?1 AS old", old, 0);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = run_bound(db, burn_always, NULL, now_s);
	if (rc == SQLITE_OK)
		rc = has_old ? burn_from_old(db)
			     : sqlite3_exec(db, burn_without_old, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, burn_rest, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, forget_anchor, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

/* The backup itself is only read: it may lie on a medium that cannot be written. */
static int stage(const char *backup, const char *staged, struct diags *diag)
{
	_cleanup_(db_closep) sqlite3 *from = NULL;
	int rc = open_plain(backup, SQLITE_OPEN_READONLY, &from);
	int r;

	if (rc == SQLITE_OK)
		rc = store_check_tables(from, backup, diag);
	if (rc != SQLITE_OK) {
		diags_add(diag, backup, 0, 0, NULL, "not a usable backup: %s",
			  sqlite3_errstr(rc));
		return rc == SQLITE_OK ? 0 : sqlite_errno(rc);
	}
	r = create_file(staged, diag);
	if (r != 0)
		return r;
	rc = copy_db(from, staged);
	if (rc != SQLITE_OK)
		diags_add(diag, staged, 0, 0, NULL, "cannot copy the backup: %s",
			  sqlite3_errstr(rc));
	return rc == SQLITE_OK ? 0 : sqlite_errno(rc);
}

/* The database, then what belongs to it; a missing WAL is no error. */
static int rename_aside(const char *path, int64_t now_s)
{
	static const char *const tail[] = {"-wal", "-shm", ""};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tail); i++) {
		_cleanup_free_ char *from = NULL, *to = NULL;

		if (asprintf(&from, "%s%s", path, tail[i]) < 0)
			from = NULL;
		if (!from || asprintf(&to, "%s.before-%lld%s", path, (long long)now_s,
				      tail[i]) < 0)
			to = NULL;
		if (!to)
			return -ENOMEM;
		if (rename(from, to) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

static int swap(const char *path, const char *staged, int64_t now_s, struct diags *diag)
{
	int r = sync_path(staged, O_RDONLY);

	if (r == 0)
		r = rename_aside(path, now_s);
	if (r == 0 && rename(staged, path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_folder(path);
	if (r != 0)
		diags_add(diag, path, 0, 0, NULL,
			  "cannot put the restored database in place: %s; it is %s",
			  strerror(-r), staged);
	return r;
}

static int restore_locked(const char *path, const char *staged, const char *backup,
			  int64_t now_s, struct diags *diag)
{
	int r = stage(backup, staged, diag);
	int rc;

	if (r != 0)
		return r;
	rc = burn(staged, path, now_s, old_readable(path));
	if (rc != SQLITE_OK) {
		diags_add(diag, staged, 0, 0, NULL, "cannot burn the used codes: %s",
			  sqlite3_errstr(rc));
		return sqlite_errno(rc);
	}
	return swap(path, staged, now_s, diag);
}

int store_restore(const char *path, const char *backup, int64_t now_s,
		  struct diags *diag)
{
	_cleanup_free_ char *full = NULL, *staged = NULL, *from = NULL;
	_cleanup_close_ int lock = -1;
	int r = store_resolve(path, diag, &full);

	from = realpath(backup, NULL);
	if (!from) {
		diags_add(diag, backup, 0, 0, NULL, "cannot open the backup: %s",
			  strerror(errno));
		return -ENOENT;
	}
	if (r == 0)
		r = store_lock(full, diag, &lock);
	if (r != 0)
		return r;
	if (asprintf(&staged, "%s.restoring", full) < 0) {
		staged = NULL;
		return -ENOMEM;
	}
	(void)unlink(
		staged); /* left by a restore that was interrupted, under our lock */
	r = restore_locked(full, staged, from, now_s, diag);
	if (r != 0)
		(void)unlink(staged);
	return r;
}
