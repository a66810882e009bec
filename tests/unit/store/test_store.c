/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c - the turn's transaction, single use, limits, crashes, corruption. */
#include "tests/unit/store/fixture.h"
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

static void put_person(struct store *s, const char *id)
{
	struct store_person p = {.created_s = 1};

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.login, sizeof(p.login), "%s", id);
	assert_int_equal(store_person_put(s, &p), 0);
}

static struct store_factor put_factor(struct store *s, const char *person)
{
	struct store_factor f = {.name = "totp",
				 .status = STORE_FACTOR_ACTIVE,
				 .kind = STORE_FACTOR_TOTP,
				 .hash = STORE_SHA1,
				 .digits = 6,
				 .period_s = 30,
				 .last_step = -1,
				 .sealed_len = 3,
				 .sealed = "abc"};

	(void)snprintf(f.person, sizeof(f.person), "%s", person);
	assert_int_equal(store_factor_put(s, &f), 0);
	assert_true(f.id > 0);
	return f;
}

static void test_people(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	struct store_person p = {0};
	struct store_factor f[STORE_FACTORS_MAX];
	size_t n = 9;

	assert_int_equal(store_person_get(s, "a", &p), STORE_E_NONE);
	put_person(s, "a");
	(void)put_factor(s, "a");
	assert_int_equal(store_person_get(s, "A", &p), STORE_E_NONE); /* never folded */
	assert_int_equal(store_person_get(s, "a", &p), 0);
	p.fails = 7;
	assert_int_equal(store_person_put(s, &p), 0); /* keeps what hangs on it */
	assert_int_equal(store_factor_list(s, "a", f, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_person_delete(s, "a"), 0);
	assert_int_equal(store_factor_list(s, "a", f, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_commit(s), 0);
}

static void test_single_use(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	struct store_factor f, back[STORE_FACTORS_MAX];
	size_t n;

	put_person(s, "a");
	f = put_factor(s, "a");
	assert_int_equal(store_factor_accept(s, f.id, 10, 0, 1), 0);
	for (int step = 0; step <= 10; step++)
		assert_int_equal(store_factor_accept(s, f.id, step, 0, 1),
				 STORE_E_STALE);
	assert_int_equal(store_factor_accept(s, f.id, 11, 1, 1), 0);
	/* A stale copy of the row does not move the watermark back. */
	f.last_step = -1;
	assert_int_equal(store_factor_put(s, &f), 0);
	assert_int_equal(store_factor_accept(s, f.id, 11, 0, 1), STORE_E_STALE);
	assert_int_equal(store_factor_list(s, "a", back, &n), 0);
	assert_int_equal(back[0].last_step, 11);
	assert_int_equal(store_commit(s), 0);
}

static void test_limits(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	struct store_factor f = {.status = STORE_FACTOR_ACTIVE,
				 .kind = STORE_FACTOR_TOTP,
				 .hash = STORE_SHA1,
				 .digits = 6,
				 .period_s = 30};
	struct store_budget b = {.touched_s = 5};
	int r = 0;

	put_person(s, "a");
	(void)snprintf(f.person, sizeof(f.person), "a");
	for (int i = 0; i <= STORE_FACTORS_MAX; i++) {
		f.id = 0;
		(void)snprintf(f.name, sizeof(f.name), "f%d", i);
		r = store_factor_put(s, &f);
		assert_int_equal(r, i < STORE_FACTORS_MAX ? 0 : STORE_E_LIMIT);
	}
	for (uint32_t i = 0; i < STORE_BUDGETS_MAX; i++) {
		memcpy(b.key, &i, sizeof(i));
		assert_int_equal(store_budget_put(s, &b), 0);
	}
	b.key[31] = 1;
	assert_int_equal(store_budget_put(s, &b), STORE_E_LIMIT);
	b.key[31] = 0;
	assert_int_equal(store_budget_put(s, &b), 0); /* known keys keep their slot */
	assert_int_equal(store_budget_prune(s, 6), 0);
	b.key[31] = 1;
	assert_int_equal(store_budget_put(s, &b), 0);
	store_rollback(s);
}

static void test_codes(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	static const uint8_t mac[32] = {1}, other[32] = {2};
	enum store_code_kind kind;
	uint32_t left;

	put_person(s, "a");
	put_person(s, "b");
	assert_int_equal(store_code_add(s, "a", STORE_CODE_BYPASS, mac, 2, 100, 1), 0);
	assert_int_equal(store_code_use(s, "b", mac, 1, &kind, &left), STORE_E_NONE);
	assert_int_equal(store_code_use(s, "a", other, 1, &kind, &left), STORE_E_NONE);
	assert_int_equal(store_code_use(s, "a", mac, 100, &kind, &left), STORE_E_NONE);
	assert_int_equal(store_code_use(s, "a", mac, 99, &kind, &left), 0);
	assert_int_equal(left, 1);
	assert_int_equal(store_code_use(s, "a", mac, 99, &kind, &left), 0);
	assert_int_equal(store_code_use(s, "a", mac, 99, &kind, &left), STORE_E_NONE);
	store_rollback(s);
}

static void test_second_writer(void **state)
{
	struct fixture *f = *state;
	struct store_options opt = {.path = f->path};
	struct diags diag = DIAGS_INIT;
	struct store *second = NULL;

	assert_int_equal(store_open(&opt, &second, &diag), -EBUSY);
	assert_non_null(strstr(diag.v[0].msg, "another rbacd"));
	diags_done(&diag);
}

static void test_reader(void **state)
{
	struct fixture *f = *state;
	struct store_options opt = {.path = f->path, .read_only = true};
	struct diags diag = DIAGS_INIT;
	struct store *reader = NULL;
	struct store_person p;

	put_person(f->store, "a");
	assert_int_equal(store_open(&opt, &reader, &diag), 0);
	assert_int_equal(store_person_get(reader, "a", &p), STORE_E_NONE);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_person_get(reader, "a", &p), 0);
	assert_int_equal(store_person_put(reader, &p), -EROFS);
	assert_int_equal(store_begin(reader), 0);
	assert_int_equal(store_person_get(reader, "a", &p), 0);
	put_person(f->store, "b"); /* a reader never stops the writer */
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_person_get(reader, "b", &p), STORE_E_NONE);
	store_rollback(reader);
	assert_int_equal(store_person_get(reader, "b", &p), 0);
	store_close(reader);
	diags_done(&diag);
}

/* Killed between begin and commit, again and again: committed turns only, always whole.
 */
static void test_crash(void **state)
{
	struct fixture *f = *state;
	struct store_person p;
	int status;

	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			fixture_open_store(f);
			put_person(f->store, "kept");
			if (store_commit(f->store) != 0)
				_exit(1);
			put_person(f->store, "lost");
			(void)raise(SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		fixture_open_store(f);
		assert_int_equal(store_person_get(f->store, "kept", &p), 0);
		assert_int_equal(store_person_get(f->store, "lost", &p), STORE_E_NONE);
		store_close(f->store);
		f->store = NULL;
	}
}

/* In the child: what SQLite holds while it reads a log again (wal.c, os_unix.c). */
static _Noreturn void read_log_again(const struct fixture *f, int ready)
{
	static const char nothing[136]; /* both copies of the index's header */
	struct flock locks = {.l_type = F_WRLCK, .l_start = 120, .l_len = 3};
	const struct timespec moment = {.tv_nsec = 200000000};
	char shm[128];
	sqlite3 *db;
	int fd;

	(void)snprintf(shm, sizeof(shm), "%s-shm", f->path);
	if (sqlite3_open(f->path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, "SELECT * FROM person", NULL, NULL, NULL) != SQLITE_OK)
		_exit(1);
	fd = open(shm, O_RDWR);
	if (fcntl(fd, F_SETLK, &locks) != 0 ||
	    pwrite(fd, nothing, sizeof(nothing), 0) != sizeof(nothing) ||
	    write(ready, "", 1) != 1 || nanosleep(&moment, NULL) != 0)
		_exit(1);
	_exit(0);
}

/* rbacd was killed while it told readers where its log ends, and one of them is at
 * mending that: a reason to wait, and none not to start. */
static void test_start_beside_reader(void **state)
{
	struct fixture *f = *state;
	struct store_person p;
	int ready[2], status;
	char c;
	pid_t pid;

	put_person(f->store, "a");
	assert_int_equal(store_commit(f->store), 0);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		read_log_again(f, ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	fixture_open_store(f);
	assert_int_equal(store_person_get(f->store, "a", &p), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* A7: no space denies, keeps nothing of the turn, and goes on when there is space. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct store_head head = {.seq = 0};
	char big[2000], filler[128];
	struct store_head back;
	int r = 0, fd;

	if (geteuid() != 0 ||
	    mount("none", f->dir, "tmpfs", 0, "size=4m,mode=0700") != 0)
		skip();
	store_close(f->store);
	fixture_open_store(f);
	memset(big, 'x', sizeof(big));
	(void)snprintf(filler, sizeof(filler), "%s/filler", f->dir);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	while (write(fd, big, sizeof(big)) > 0)
		;
	(void)close(fd);
	while (r == 0 && head.seq < 100000) {
		for (int i = 0; r == 0 && i < 16; i++) {
			head.seq++;
			r = store_audit_append(f->store, head.seq, big, sizeof(big),
					       &head);
		}
		if (r == 0)
			r = store_commit(f->store);
	}
	assert_int_equal(r, STORE_E_FULL);
	store_rollback(f->store);
	assert_int_equal(store_audit_head(f->store, &back), 0);
	assert_int_equal(back.seq % 16, 0); /* whole turns only */
	assert_int_equal(unlink(filler), 0);
	head.seq = back.seq + 1;
	assert_int_equal(store_audit_append(f->store, head.seq, big, 10, &head), 0);
	assert_int_equal(store_commit(f->store), 0);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(umount(f->dir), 0);
}

/* After a failed write the rest of the turn cannot slip into a transaction of its own.
 */
static void test_lost_turn(void **state)
{
	struct store *s = ((struct fixture *)*state)->store;
	struct store_person p;

	put_person(s, "a");
	store_rollback(s);
	assert_int_equal(store_person_get(s, "a", &p), STORE_E_NONE);
	assert_false(store_dirty(s));
}

static void test_corrupt(void **state)
{
	struct fixture *f = *state;
	struct store_options opt = {.path = f->path};
	struct diags diag = DIAGS_INIT;
	static const char junk[4096] = "not a database";
	struct store *s = NULL;
	char wal[128];
	int fd;

	store_close(f->store);
	f->store = NULL;
	(void)snprintf(wal, sizeof(wal), "%s-wal", f->path);
	(void)unlink(wal);
	fd = open(f->path, O_WRONLY);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
	(void)close(fd);
	assert_int_equal(store_open(&opt, &s, &diag), STORE_E_CORRUPT);
	assert_string_equal(diag.v[0].file, f->path);
	assert_non_null(strstr(diag.v[0].msg, "rbacctl restore"));
	diags_done(&diag);
}

static void test_file_modes(void **state)
{
	struct fixture *f = *state;
	struct store_options opt = {.path = f->path};
	struct diags diag = DIAGS_INIT;
	struct store *s = NULL;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store_close(f->store);
	f->store = NULL;
	assert_int_equal(chmod(f->path, 0644), 0);
	assert_int_equal(store_open(&opt, &s, &diag), -EPERM);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(store_open(&opt, &s, &diag), -EPERM);
	assert_int_equal(chmod(f->dir, 0700), 0);
	diags_done(&diag);
}

/* F2: rbacd owns the folder, root restores in it: a hard link there must not hand over
 * the file at its other end. */
static void test_linked_lock(void **state)
{
	struct fixture *f = *state;
	struct store_options opt = {.path = f->path};
	struct diags diag = DIAGS_INIT;
	struct store *s = NULL;
	char lock[128], other[128];
	struct stat st;

	if (geteuid() != 0)
		skip();
	store_close(f->store);
	f->store = NULL;
	(void)snprintf(lock, sizeof(lock), "%s.lock", f->path);
	(void)snprintf(other, sizeof(other), "%s/shadow", f->dir);
	assert_int_equal(rename(lock, other), 0);
	assert_int_equal(chown(other, 0, 0), 0);
	assert_int_equal(link(other, lock), 0);
	assert_int_equal(chown(f->dir, 65534, 65534), 0);
	assert_int_equal(store_open(&opt, &s, &diag), -EMLINK);
	assert_null(s);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(chown(f->dir, 0, 0), 0);
	diags_done(&diag);
}

/* A restored backup never re-opens a code: used since, or around the present. */
static void restore_case(struct fixture *f, bool old_readable)
{
	static const uint8_t mac[32] = {1}, unused[32] = {2};
	struct store_factor fac, token, back[STORE_FACTORS_MAX];
	struct diags diag = DIAGS_INIT;
	enum store_code_kind kind;
	char backup[128];
	uint32_t left = 9;
	size_t n = 0;
	int fd;

	put_person(f->store, "a");
	fac = put_factor(f->store, "a");
	token = fac;
	token.id = 0;
	token.kind = STORE_FACTOR_HOTP;
	token.period_s = 0;
	token.sealed[0] ^= 1; /* rows are told apart by it */
	token.status = STORE_FACTOR_ACTIVE;
	(void)snprintf(token.name, sizeof(token.name), "z-token");
	assert_int_equal(store_factor_put(f->store, &token), 0);
	assert_int_equal(store_code_add(f->store, "a", STORE_CODE_RECOVERY, mac, 1, 0,
					1),
			 0);
	assert_int_equal(store_code_add(f->store, "a", STORE_CODE_RECOVERY, unused, 1,
					0, 1),
			 0);
	assert_int_equal(store_commit(f->store), 0);
	(void)snprintf(backup, sizeof(backup), "%s/backup.db", f->dir);
	assert_int_equal(store_backup(f->store, backup, &diag), 0);
	assert_int_equal(store_backup(f->store, backup, &diag), -EEXIST);
	assert_int_equal(store_restore(f->path, backup, 3000, &diag), -EBUSY);
	assert_int_equal(store_factor_accept(f->store, fac.id, 5000, 0, 1), 0);
	assert_int_equal(store_factor_accept(f->store, token.id, 41, 0, 1), 0);
	assert_int_equal(store_code_use(f->store, "a", mac, 2, &kind, &left), 0);
	assert_int_equal(store_commit(f->store), 0);
	store_close(f->store);
	f->store = NULL;
	if (!old_readable) {
		/* The WAL alone would still bring the pages back. */
		(void)snprintf(backup, sizeof(backup), "%s-wal", f->path);
		assert_int_equal(unlink(backup), 0);
		(void)snprintf(backup, sizeof(backup), "%s/backup.db", f->dir);
		fd = open(f->path, O_WRONLY | O_TRUNC);
		assert_int_equal(write(fd, "garbage", 7), 7);
		(void)close(fd);
	}
	assert_int_equal(store_restore(f->path, backup, 3000, &diag), 0);
	fixture_open_store(f);
	assert_int_equal(store_factor_list(f->store, "a", back, &n), 0);
	assert_int_equal(n, 2);
	assert_true(back[0].last_step > 3000 / 30);
	/* How far a counter went, only the old file knows. */
	assert_int_equal(back[1].kind, STORE_FACTOR_HOTP);
	assert_int_equal(back[1].last_step, old_readable ? 41 : token.last_step);
	assert_int_equal(back[1].status,
			 old_readable ? STORE_FACTOR_ACTIVE : STORE_FACTOR_DISABLED);
	if (old_readable)
		assert_int_equal(back[0].last_step, 5000);
	assert_int_equal(store_code_use(f->store, "a", mac, 2, &kind, &left),
			 STORE_E_NONE);
	assert_int_equal(store_code_use(f->store, "a", unused, 2, &kind, &left),
			 old_readable ? 0 : STORE_E_NONE);
	assert_int_equal(store_commit(f->store), 0);
	diags_done(&diag);
}

static void test_restore(void **state)
{
	restore_case(*state, true);
}

static void test_restore_without_old(void **state)
{
	restore_case(*state, false);
}

/* A database of version 1 is brought up to date, whole; its rows stay. */
static void test_migration(void **state)
{
	struct fixture *f = *state;
	struct store_options opt = {.path = f->path, .read_only = true};
	struct diags diag = DIAGS_INIT;
	struct store_head head;
	struct store *s = NULL;
	sqlite3 *db = NULL;
	struct store_factor list[STORE_FACTORS_MAX];
	uint64_t first = 0;
	size_t n = 0;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, store_sql_schema, NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
			     "PRAGMA journal_mode = WAL;"
			     "PRAGMA application_id = 0x766d7363; PRAGMA user_version ="
			     " 1; INSERT INTO audit VALUES(1, x'7b7d');"
			     "INSERT INTO person VALUES('p', 'p', 0, 0, 0, 0, 1, 1);"
			     "INSERT INTO factor VALUES(7, 'p', 'totp', 2, 1, 6, 30, 0,"
			     " 5, 1, 1, x'00');"
			     "INSERT INTO head VALUES(1, 1, zeroblob(32), "
			     "zeroblob(32), 5)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_int_equal(store_open(&opt, &s, &diag), -EPROTO); /* reads only */
	fixture_open_store(f);
	assert_int_equal(store_audit_head(f->store, &head), 0);
	assert_int_equal(head.ts_s, 5);
	assert_int_equal(head.tree_len, 0);
	assert_int_equal(store_audit_first(f->store, &first), 0);
	assert_int_equal(first, 1);
	assert_int_equal(store_factor_list(f->store, "p", list, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].kind, STORE_FACTOR_TOTP);
	assert_int_equal(list[0].last_step, 5);
	assert_int_equal(store_checkpoint_put(f->store, 1, "note", 4), 0);
	assert_int_equal(store_commit(f->store), 0);
	diags_done(&diag);
}

/* The bounded tables of the detections. */
static void test_alerts(void **state)
{
	struct fixture *f = *state;
	struct store_alert a = {.at_s = 7, .sev = 4, .name = "replay"};
	uint8_t key[32] = {1};
	int64_t at = 0;

	for (uint64_t i = 1; i <= STORE_ALERTS_MAX + 5; i++) {
		a.seq = i;
		assert_int_equal(store_alert_put(f->store, &a), 0);
	}
	assert_int_equal(store_alert_ack(f->store, 5, 9, "uid:0"), STORE_E_NONE);
	assert_int_equal(store_alert_ack(f->store, 6, 9, "uid:0"), 0);
	assert_int_equal(store_alert_ack(f->store, 6, 9, "uid:0"), STORE_E_NONE);
	assert_int_equal(store_seen_get(f->store, key, &at), STORE_E_NONE);
	assert_int_equal(store_seen_put(f->store, key, 5), 0);
	assert_int_equal(store_seen_put(f->store, key, 6), 0);
	assert_int_equal(store_seen_get(f->store, key, &at), 0);
	assert_int_equal(at, 6);
	assert_int_equal(store_commit(f->store), 0);
}

static int64_t raise_alert(struct store *s, const char *name, int sev)
{
	static uint64_t seq;
	struct store_alert a = {.sev = sev};

	a.seq = ++seq;
	(void)snprintf(a.name, sizeof(a.name), "%s", name);
	assert_int_equal(store_alert_put(s, &a), 0);
	return (int64_t)a.seq;
}

struct kinds {
	unsigned n, n_acked, n_noise, n_severe;
};

static int count_kinds(const struct store_alert *a, void *arg)
{
	struct kinds *k = arg;

	k->n++;
	k->n_acked += a->acked_s != 0;
	k->n_noise += str_eq(a->name, "spray");
	k->n_severe += str_eq(a->name, "spray") && a->sev == 4;
	return 0;
}

/* What is open and alone of its kind outlives any number of another. */
static void test_alert_room(void **state)
{
	struct fixture *f = *state;
	struct kinds k = {0};
	bool open = false;
	int64_t seq;

	(void)raise_alert(f->store, "clock_off", 3);
	(void)raise_alert(f->store, "spray", 4);
	seq = raise_alert(f->store, "clock_off", 3);
	assert_int_equal(store_alert_ack(f->store, (uint64_t)seq, 9, "uid:0"), 0);
	for (int i = 3; i < STORE_ALERTS_MAX; i++)
		(void)raise_alert(f->store, i % 2 ? "spray" : "account_failures", 3);
	assert_int_equal(store_alert_each(f->store, count_kinds, &k), 0);
	assert_int_equal(k.n, STORE_ALERTS_MAX);
	assert_int_equal(k.n_acked, 1);
	(void)raise_alert(f->store, "spray", 3); /* it takes that one's place */
	for (int i = 0; i < 2 * STORE_ALERTS_MAX; i++)
		(void)raise_alert(f->store, "spray", 3);
	k = (struct kinds){0};
	assert_int_equal(store_alert_each(f->store, count_kinds, &k), 0);
	assert_int_equal(k.n, STORE_ALERTS_MAX);
	assert_int_equal(k.n_acked, 0);
	assert_int_equal(k.n_severe, 1); /* the mild ones went before it */
	assert_int_equal(k.n_noise, STORE_ALERTS_MAX / 2 + 1);
	assert_int_equal(store_alert_open(f->store, "clock_off", &open), 0);
	assert_true(open);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_people),
		CASE(test_single_use),
		CASE(test_limits),
		CASE(test_codes),
		CASE(test_second_writer),
		CASE(test_reader),
		CASE(test_crash),
		CASE(test_start_beside_reader),
		CASE(test_full_disk),
		CASE(test_lost_turn),
		CASE(test_corrupt),
		CASE(test_file_modes),
		CASE(test_linked_lock),
		CASE(test_restore),
		CASE(test_restore_without_old),
		CASE(test_migration),
		CASE(test_alerts),
		CASE(test_alert_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
