/* SPDX-License-Identifier: Apache-2.0 */
/* test_evidence.c - checkpoints, segments, retention and proofs over a log in time. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "rbacd/audit/audit_internal.h"
#include "rbacd/audit/reader.h"
#include "rbacd/audit/retention.h"
#include "rbacd/audit/segment.h"

#define NOW_US INT64_C(1790000000000000)
#define SEC    INT64_C(1000000)
#define DAY    (86400 * SEC)

struct world {
	struct fixture *f;
	struct signer *signer;
	struct audit *a;
	int64_t now_us;
	char dir[96];
	struct audit_retention keep;
};

static void open_log(struct world *w)
{
	const struct audit_options opt = {.host = "vm7",
					  .signer = w->signer,
					  .dir = w->dir,
					  .retention = w->keep};
	struct diags diag = DIAGS_INIT;

	assert_int_equal(audit_open(w->f->store, w->f->seal, &opt, &w->a, &diag), 0);
	diags_done(&diag);
}

static void commit(struct world *w)
{
	assert_int_equal(store_commit(w->f->store), 0);
	audit_committed(w->a);
}

static void start(struct world *w)
{
	open_log(w);
	assert_int_equal(audit_start(w->a, w->now_us), 0);
	commit(w);
}

static int setup(void **state)
{
	static const uint8_t seed[32] = {5};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->f = fixture_new();
	w->now_us = NOW_US;
	(void)snprintf(w->dir, sizeof(w->dir), "%s/audit", w->f->dir);
	assert_int_equal(signer_new(seed, "vm7/vmsec", &w->signer), 0);
	start(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	audit_close(w->a);
	signer_free(w->signer);
	fixture_free(w->f);
	free(w);
	return 0;
}

static void append(struct world *w, int n, int64_t step_us)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = "auth";
	ev.user = "alice";
	for (int i = 0; i < n; i++) {
		w->now_us += step_us;
		assert_int_equal(audit_append(w->a, &ev, w->now_us, id), 0);
	}
	commit(w);
}

static void tick(struct world *w, int n)
{
	for (int i = 0; i < n; i++) {
		w->now_us += SEC;
		assert_int_equal(audit_tick(w->a, w->now_us), 0);
		commit(w);
	}
}

static struct audit_verify_options options(const struct world *w)
{
	return (struct audit_verify_options){
		.store = w->f->store,
		.seal = w->f->seal,
		.dir = w->dir,
		.vkey = signer_vkey(w->signer),
		.now_us = w->now_us,
	};
}

static void sound(const struct world *w, struct audit_verify *v)
{
	struct audit_verify_options opt = options(w);

	if (audit_verify_log(&opt, v) != 0)
		fail_msg("record %llu: %s", (unsigned long long)v->bad_seq, v->why);
}

static void broken(const struct world *w, uint64_t seq, const char *why)
{
	struct audit_verify_options opt = options(w);
	struct audit_verify v = {0};

	assert_int_equal(audit_verify_log(&opt, &v), 1);
	if (v.bad_seq != seq || !strstr(v.why, why))
		fail_msg("record %llu: %s", (unsigned long long)v.bad_seq, v.why);
}

static void sql(const struct world *w, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(w->f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---------------------------------------------------------------- checkpoints */

static void test_due(void **state)
{
	struct world *w = *state;
	struct audit_verify v;

	append(w, 2500, 1000); /* by number */
	sound(w, &v);
	assert_int_equal(v.n_checkpoints, 3); /* 1, 1001, 2001 */
	assert_int_equal(v.signed_seq, 2001);
	tick(w, 61); /* by time */
	sound(w, &v);
	assert_int_equal(v.signed_seq, 2501);
	for (int i = 0; i < 5; i++)
		append(w, 1, 50 * SEC); /* two of them never share one */
	tick(w, 61);
	sound(w, &v);
	assert_true(v.n_checkpoints >= 6);
}

static void test_missing(void **state)
{
	struct world *w = *state;
	struct audit_verify v;
	struct audit_verify_options opt;

	append(w, 4500, 1000);
	tick(w, 61);
	sound(w, &v);
	sql(w, "CREATE TABLE keep AS SELECT * FROM checkpoint");
	sql(w, "DELETE FROM checkpoint WHERE seq = 2001");
	broken(w, 2002, "missing");
	sql(w, "DELETE FROM checkpoint");
	broken(w, 1, "no checkpoint");
	sql(w, "INSERT INTO checkpoint SELECT * FROM keep");
	sql(w, "DELETE FROM checkpoint WHERE seq > 3000");
	broken(w, 3002, "missing"); /* 2,001 is the newest left */
	sql(w, "INSERT OR REPLACE INTO checkpoint SELECT * FROM keep");
	sql(w, "UPDATE checkpoint SET note = (SELECT note FROM keep WHERE seq = 1001)"
	       " WHERE seq = 2001");
	broken(w, 1002, "not those");
	sql(w, "INSERT OR REPLACE INTO checkpoint SELECT * FROM keep");
	sound(w, &v);
	append(w, 1, 1000);
	opt = options(w);
	opt.now_us += 299 * SEC;
	assert_int_equal(audit_verify_log(&opt, &v), 0);
	opt.now_us += 2 * SEC;
	assert_int_equal(audit_verify_log(&opt, &v), 1);
	assert_non_null(strstr(v.why, "unsigned for longer"));
	assert_int_equal(v.bad_seq, 4502);
}

static void test_every_bit_of_the_newest(void **state)
{
	struct world *w = *state;
	struct audit_verify_options opt;
	struct audit_verify v;
	char text[160];

	append(w, 20, 1000);
	tick(w, 61);
	sql(w, "CREATE TABLE keep AS SELECT * FROM checkpoint");
	opt = options(w);
	for (int i = 0; i < 160; i += 3) {
		(void)snprintf(
			text, sizeof(text),
			"UPDATE checkpoint SET note = CAST(substr(note, 1, %d) ||"
			" '%%' || substr(note, %d) AS BLOB) WHERE seq = 21",
			i, i + 2);
		sql(w, text);
		assert_int_equal(audit_verify_log(&opt, &v), 1);
		assert_true(v.bad_seq <= 2 || v.bad_seq == 21);
		sql(w, "INSERT OR REPLACE INTO checkpoint SELECT * FROM keep");
	}
}

/* Signed by somebody else's key: not this log. */
static void test_other_key(void **state)
{
	static const uint8_t seed[32] = {6};
	struct world *w = *state;
	struct signer *mine = w->signer, *other = NULL;
	struct audit_verify v;

	append(w, 20, 1000);
	tick(w, 61);
	assert_int_equal(signer_new(seed, "vm7/vmsec", &other), 0);
	w->signer = other;
	broken(w, 21, "key");
	/* Renewed in order, the log names both: the new key vouches for the old. */
	audit_close(w->a);
	start(w);
	append(w, 20, 1000);
	tick(w, 61);
	sound(w, &v);
	w->signer = mine;
	broken(w, 42, "key");
	signer_free(other);
}

/* A turn that is lost takes its checkpoint with it; nothing of it is published. */
static void test_rolled_back(void **state)
{
	struct world *w = *state;
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];
	struct audit_verify v;

	append(w, 999, 1000);
	ev.ev = "auth";
	for (int i = 0; i < 5; i++)
		assert_int_equal(audit_append(w->a, &ev, w->now_us + i, id), 0);
	store_rollback(w->f->store);
	audit_rolled_back(w->a);
	sound(w, &v);
	assert_int_equal(v.signed_seq, 1);
	append(w, 10, 1000);
	sound(w, &v);
	assert_int_equal(v.signed_seq, 1001);
}

/* ---------------------------------------------------------------- set back */

static void copy_db(const struct world *w, const char *name, bool back)
{
	char cmd[300], path[200];
	struct diags diag = DIAGS_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", w->f->dir, name);
	if (!back) {
		assert_int_equal(store_backup(w->f->store, path, &diag), 0);
		return;
	}
	(void)snprintf(cmd, sizeof(cmd), "%s-wal", w->f->path);
	(void)unlink(cmd);
	assert_int_equal(rename(path, w->f->path), 0);
}

static void test_set_back(void **state)
{
	static const uint8_t seed[32] = {9};
	struct world *w = *state;
	struct audit_status st;
	struct audit_verify v;
	uint64_t *segments = NULL;
	size_t n = 0;

	append(w, 20, 1000);
	tick(w, 61);
	copy_db(w, "backup", false);
	append(w, 20, 1000);
	tick(w, 61);
	audit_close(w->a);
	store_close(w->f->store);
	copy_db(w, "backup", true);
	fixture_open_store(w->f);
	start(w);
	audit_status(w->a, &st);
	assert_non_null(st.problem); /* two histories under one key: never */
	assert_int_equal(st.signed_seq, 21);
	append(w, 50, 1000); /* beyond what was published */
	tick(w, 400);
	audit_status(w->a, &st);
	assert_int_equal(st.signed_seq, 21);
	broken(w, 22, "unsigned for longer");
	/* The file of the other past is kept beside. */
	assert_int_equal(segment_list(w->dir, &segments, &n), 0);
	assert_int_equal(n, 1);
	free(segments);
	/* A new key begins anew. */
	audit_close(w->a);
	signer_free(w->signer);
	assert_int_equal(signer_new(seed, "vm7/vmsec", &w->signer), 0);
	start(w);
	audit_status(w->a, &st);
	assert_null(st.problem);
	append(w, 1, 1000);
	tick(w, 61);
	sound(w, &v);
}

/* What was signed must still be there, line by line, or rbacd does not start. */
static void test_start_refuses(void **state)
{
	struct world *w = *state;
	const struct audit_options opt = {.host = "vm7", .signer = w->signer};
	struct diags diag = DIAGS_INIT;
	struct audit *a = NULL;

	append(w, 20, 1000);
	tick(w, 61);
	append(w, 5, 1000);
	sql(w, "CREATE TABLE keep AS SELECT * FROM meta");
	sql(w, "UPDATE meta SET value = CAST(substr(value, 1, 20) || x'00' ||"
	       " substr(value, 22) AS BLOB) WHERE name = 'audit-signed'");
	assert_int_equal(audit_open(w->f->store, w->f->seal, &opt, &a, &diag),
			 STORE_E_CORRUPT);
	sql(w, "INSERT OR REPLACE INTO meta SELECT * FROM keep");
	sql(w, "UPDATE audit SET line = CAST(replace(CAST(line AS TEXT), 'alice',"
	       " 'mally') AS BLOB) WHERE seq = 23");
	assert_int_equal(audit_open(w->f->store, w->f->seal, &opt, &a, &diag),
			 STORE_E_CORRUPT);
	diags_done(&diag);
}

/* A log of a version without a tree gets one, and says so. */
static void test_migrated(void **state)
{
	struct world *w = *state;
	struct store_head head;
	struct audit_verify v;
	char path[200];

	append(w, 3000, 1000);
	audit_close(w->a);
	/* As the first version left it. */
	assert_int_equal(store_audit_head(w->f->store, &head), 0);
	head.tree_len = 0;
	assert_int_equal(chain_head_mac(w->f->seal, &head, head.mac), 0);
	sql(w, "DELETE FROM checkpoint; DELETE FROM meta;"
	       "UPDATE head SET tree = x''");
	{
		sqlite3 *db = NULL;
		sqlite3_stmt *st = NULL;

		assert_int_equal(sqlite3_open(w->f->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_prepare_v2(db, "UPDATE head SET mac = ?1", -1,
						    &st, NULL),
				 SQLITE_OK);
		(void)sqlite3_bind_blob(st, 1, head.mac, 32, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(st), SQLITE_DONE);
		(void)sqlite3_finalize(st);
		(void)sqlite3_close(db);
	}
	(void)snprintf(path, sizeof(path), "%s/checkpoint", w->dir);
	assert_int_equal(unlink(path), 0);
	store_close(w->f->store); /* it knows the head that it wrote */
	fixture_open_store(w->f);
	start(w);
	append(w, 1, 1000);
	tick(w, 61);
	sound(w, &v);
	assert_int_equal(v.n_records, 3004); /* log.key, 3,000, log.tree, log.key, 1 */
}

/* ---------------------------------------------------------------- segments */

/* 80 days with a few records each; ticks long enough for every step. */
static void live(struct world *w, int days)
{
	for (int d = 0; d < days; d++) {
		w->now_us += DAY;
		append(w, 5, SEC);
		for (int i = 0; i < 4; i++) {
			w->now_us += 61 * SEC;
			tick(w, 1);
		}
	}
}

static void restart(struct world *w, int64_t keep_days, int64_t online_days)
{
	audit_close(w->a);
	w->keep = (struct audit_retention){keep_days * 86400, online_days * 86400,
					   "clock_off"};
	start(w);
}

static void test_retention(void **state)
{
	const struct store_alert alert = {.seq = 3, .sev = 1, .name = "clock_off"};
	struct world *w = *state;
	struct audit_verify v;
	uint64_t first = 0, *segments = NULL;
	size_t n = 0;

	restart(w, 40, 20);
	live(w, 19);
	sound(w, &v);
	assert_int_equal(v.first_seq, 1);
	live(w, 20); /* the database lets go of what segments hold */
	assert_int_equal(store_audit_first(w->f->store, &first), 0);
	assert_true(first > 1);
	sound(w, &v);
	assert_int_equal(v.first_seq, 1);
	live(w, 40); /* and the segments go too */
	sound(w, &v);
	assert_true(v.first_seq > 1);
	assert_int_equal(segment_list(w->dir, &segments, &n), 0);
	assert_int_equal(segments[0], v.first_seq);
	free(segments);
	first = v.first_seq;
	restart(w, 40, 20);
	sound(w, &v);
	assert_int_equal(v.first_seq, first);
	/* Held: nothing goes. */
	assert_int_equal(audit_hold_set(w->f->store, true), 0);
	commit(w);
	live(w, 30);
	sound(w, &v);
	assert_int_equal(v.first_seq, first);
	assert_int_equal(audit_hold_set(w->f->store, false), 0);
	commit(w);
	live(w, 3);
	sound(w, &v);
	assert_true(v.first_seq > first);
	/* The clock jumped, and nobody has looked yet: nothing goes either. */
	first = v.first_seq;
	assert_int_equal(store_alert_put(w->f->store, &alert), 0);
	commit(w);
	live(w, 30);
	sound(w, &v);
	assert_int_equal(v.first_seq, first);
	assert_int_equal(store_alert_ack(w->f->store, alert.seq, 1, "uid:0"), 0);
	commit(w);
	live(w, 3);
	sound(w, &v);
	assert_true(v.first_seq > first);
	/* What was pruned is vouched for by its record and by the key. */
	sql(w, "UPDATE meta SET value = CAST(substr(value, 1, 40) || x'00' ||"
	       " substr(value, 42) AS BLOB) WHERE name = 'audit-base'");
	broken(w, 1, "vouched");
}

/* One byte of each closed segment, and whole lines; the record is named. */
static void test_segment_edits(void **state)
{
	struct world *w = *state;
	struct audit_verify v;
	uint64_t first = 0;
	char path[200], *text;
	_cleanup_free_ char *copy = NULL;
	size_t len, line = 1;
	FILE *f;

	restart(w, 400, 10);
	live(w, 30);
	sound(w, &v);
	assert_int_equal(store_audit_first(w->f->store, &first), 0);
	assert_true(first > 20);
	(void)snprintf(path, sizeof(path), "%s/audit-000000000001.jsonl", w->dir);
	text = calloc(1, 1 << 20);
	copy = text;
	f = fopen(path, "re");
	assert_non_null(f);
	len = fread(text, 1, 1 << 20, f);
	(void)fclose(f);
	for (size_t i = 0; i < len; i++) {
		line += i > 0 && text[i - 1] == '\n';
		if (i % 37 != 0)
			continue;
		text[i] ^= 1;
		f = fopen(path, "we");
		assert_int_equal(fwrite(text, 1, len, f), len);
		(void)fclose(f);
		if (line < first)
			broken(w, line, "");
		text[i] ^= 1;
	}
	assert_int_equal(truncate(path, (off_t)len / 2), 0);
	{
		struct audit_verify_options opt = options(w);

		assert_int_equal(audit_verify_log(&opt, &v), 1);
	}
}

/* root reads the folder of rbacd: only files are opened, and nothing is waited for. */
static void test_segment_file(void **state)
{
	char dir[] = "/tmp/vmsec-test-XXXXXX", path[3][96], name[SEGMENT_NAME_MAX];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (unsigned i = 0; i < 3; i++) {
		segment_name(i + 1, name);
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	}
	f = fopen(path[0], "we");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(symlink(path[0], path[1]), 0);
	assert_int_equal(mkfifo(path[2], 0600), 0);
	f = segment_file(dir, 1);
	assert_non_null(f);
	(void)fclose(f);
	assert_null(segment_file(dir, 2));
	assert_int_equal(errno, ELOOP);
	assert_null(segment_file(dir, 3));
	assert_int_equal(errno, EINVAL);
	assert_null(segment_file(dir, 4));
	assert_int_equal(errno, ENOENT);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(unlink(path[i]), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Torn, missing or full: the open segment is a copy and is made whole again. */
static void test_torn(void **state)
{
	struct world *w = *state;
	struct audit_verify v;
	char path[200];
	struct stat st;

	append(w, 100, 1000);
	tick(w, 1);
	(void)snprintf(path, sizeof(path), "%s/audit-000000000001.jsonl", w->dir);
	assert_int_equal(stat(path, &st), 0);
	for (off_t cut = 1; cut < st.st_size; cut += st.st_size / 23) {
		audit_close(w->a);
		assert_int_equal(truncate(path, st.st_size - cut), 0);
		start(w);
		tick(w, 1);
		assert_int_equal(segment_seq(w->a->segment), 101);
	}
	audit_close(w->a);
	assert_int_equal(unlink(path), 0);
	start(w);
	tick(w, 1);
	assert_int_equal(segment_seq(w->a->segment), 101);
	sound(w, &v);
}

/* ---------------------------------------------------------------- crashes */

/* kill -9 while segments are cut, closed and dropped: what is left verifies, goes on.
 */
static void test_killed(void **state)
{
	struct world *w = *state;
	struct store_head head;
	struct audit_verify v;
	unsigned long long us = 1;

	restart(w, 12, 4);
	/* 25 rounds, and more where a busy machine let none come as far as dropping
	 * some */
	for (int round = 0; round < 25 || (v.first_seq == 1 && round < 400); round++) {
		pid_t pid;

		audit_close(w->a);
		store_close(w->f->store);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			fixture_open_store(w->f);
			open_log(w);
			live(w, 100000);
			_exit(0);
		}
		us = us * 6364136223846793005u + 1442695040888963407u;
		(void)usleep((useconds_t)(us >> 40) % 40000);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		fixture_open_store(w->f);
		assert_int_equal(store_audit_head(w->f->store, &head), 0);
		w->now_us = (head.ts_s + 1) * SEC;
		start(w);
		tick(w, 62);
		sound(w, &v);
	}
	assert_true(v.first_seq > 1);
}

/* A disk that is full at any point of it: nothing torn, and it goes on with room. */
static void test_full_disk(void **state)
{
	struct world *w = *state;
	char mnt[80], ballast[128];
	struct audit_verify v;
	int fd, full = 0;

	(void)snprintf(mnt, sizeof(mnt), "%s/full", w->f->dir);
	assert_int_equal(mkdir(mnt, 0700), 0);
	if (geteuid() != 0 || mount("tmpfs", mnt, "tmpfs", 0, "size=6m") != 0) {
		print_message("no file system of one's own: not root\n");
		skip();
	}
	audit_close(w->a);
	(void)snprintf(w->dir, sizeof(w->dir), "%s/audit", mnt);
	w->keep = (struct audit_retention){12 * 86400, 4 * 86400, NULL};
	start(w);
	(void)snprintf(ballast, sizeof(ballast), "%s/ballast", mnt);
	for (int round = 0; round < 30; round++) {
		/* All but a few hundred bytes to a few pages of the segments' disk. */
		fd = open(ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		while (write(fd, mnt, sizeof(mnt)) > 0)
			;
		full++;
		assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - round * 700),
				 0);
		live(w, 3);
		sound(w, &v);
		(void)close(fd);
		assert_int_equal(unlink(ballast), 0);
		live(w, 3);
		sound(w, &v);
		assert_true(segment_seq(w->a->segment) + 10 >= w->a->durable.seq);
	}
	assert_true(full == 30 && v.first_seq > 1);
	audit_close(w->a);
	w->a = NULL;
	assert_int_equal(umount(mnt), 0);
}

/* ---------------------------------------------------------------- proofs */

static void test_proofs(void **state)
{
	struct world *w = *state;
	struct audit_verify_options opt;
	struct audit_verify v;
	const char *why = "";
	unsigned n_spelled = 0;
	uint64_t seq = 0;

	restart(w, 40, 20);
	live(w, 90);
	sound(w, &v);
	for (uint64_t want = v.first_seq; want <= v.signed_seq; want += 7) {
		_cleanup_free_ char *text = NULL;
		char *digit;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		opt = options(w);
		assert_int_equal(audit_prove(&opt, want, out), 0);
		(void)fclose(out);
		assert_int_equal(audit_check_proof(text, len, opt.vkey, &seq, &why), 0);
		assert_int_equal(seq, want);
		/* The same number in another spelling: 42 as 3< (3 tens and 12). */
		digit = strchr(strstr(text, "\nindex ") + 1, '\n') - 2;
		if (*digit > '0' && *digit <= '9') {
			digit[0]--;
			digit[1] = (char)(digit[1] + 10);
			assert_int_equal(audit_check_proof(text, len, opt.vkey, &seq,
							   &why),
					 -EBADMSG);
			digit[0]++;
			digit[1] = (char)(digit[1] - 10);
			n_spelled++;
		}
		for (size_t i = 0; i < len; i += 11) {
			text[i] ^= 4;
			assert_int_equal(audit_check_proof(text, len, opt.vkey, &seq,
							   &why),
					 -EBADMSG);
			text[i] ^= 4;
		}
		assert_int_equal(audit_check_proof(text, len / 2, opt.vkey, &seq, &why),
				 -EBADMSG);
	}
	assert_true(n_spelled > 0);
	opt = options(w);
	assert_int_equal(audit_prove(&opt, v.first_seq - 1, stdout), STORE_E_NONE);
	assert_int_equal(audit_prove(&opt, v.last_seq + 1, stdout), STORE_E_NONE);
}

/* ---------------------------------------------------------------- reading */

static int count_view(const struct audit_view *view, void *arg)
{
	(void)view;
	++*(uint64_t *)arg;
	return 0;
}

static void test_period(void **state)
{
	struct world *w = *state;
	struct audit_reader *r = NULL;
	struct audit_coverage cov;
	uint64_t n = 0, all = 0;

	restart(w, 400, 10);
	live(w, 40);
	assert_int_equal(audit_reader_open(w->f->store, w->dir, &r), 0);
	assert_int_equal(audit_reader_first(r), 1);
	assert_int_equal(audit_reader_period(r, INT64_MIN, INT64_MAX, count_view, &all,
					     &cov),
			 0);
	assert_int_equal(all, audit_reader_last(r));
	assert_int_equal(cov.n_missing + cov.n_bad, 0);
	assert_true(cov.n_gaps >= 39);
	assert_int_equal(audit_reader_period(r, NOW_US + 9 * DAY, NOW_US + 12 * DAY,
					     count_view, &n, &cov),
			 0);
	assert_in_range(n, 10, 40);
	assert_int_equal(cov.n_records, n);
	audit_reader_close(r);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_due),
		CASE(test_missing),
		CASE(test_every_bit_of_the_newest),
		CASE(test_other_key),
		CASE(test_rolled_back),
		CASE(test_set_back),
		CASE(test_start_refuses),
		CASE(test_migrated),
		CASE(test_retention),
		CASE(test_segment_edits),
		cmocka_unit_test(test_segment_file),
		CASE(test_torn),
		CASE(test_killed),
		CASE(test_full_disk),
		CASE(test_proofs),
		CASE(test_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
