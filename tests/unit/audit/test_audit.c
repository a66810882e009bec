/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit.c - lines are canonical and bounded; the chain detects every edit. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <sqlite3.h>

#include "policy/policy.h"
#include "rbacd/audit/audit_internal.h"

#define NOW_US INT64_C(1790000000000000)

static struct audit *open_log(struct fixture *f)
{
	static const struct audit_options opt = {.host = "vm7"};
	struct diags diag = DIAGS_INIT;
	struct audit *a = NULL;

	assert_int_equal(audit_open(f->store, f->seal, &opt, &a, &diag), 0);
	diags_done(&diag);
	return a;
}

static struct audit_event event(void)
{
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "auth";
	ev.reason = "bad_otp";
	ev.user = "alice";
	ev.src = "192.0.2.10";
	return ev;
}

static void append(struct fixture *f, struct audit *a, int n)
{
	char id[AUDIT_ID_MAX + 1];

	for (int i = 0; i < n; i++) {
		struct audit_event ev = event();

		ev.count = i;
		assert_int_equal(audit_append(a, &ev, NOW_US + i * 1000, id), 0);
	}
	assert_int_equal(store_commit(f->store), 0);
	audit_committed(a);
}

static int verify(struct store *s, const struct fixture *f, struct audit_verify *ret)
{
	const struct audit_verify_options opt = {.store = s, .seal = f->seal};

	return audit_verify_log(&opt, ret);
}

/* Vectors made by hand with sha256sum over the lines without their newlines. */
static void test_vector(void **state)
{
	const char *data = getenv("VMSEC_DATA");
	char path[512], line[2048], hex[65] = "", want[65] = "";
	_cleanup_fclose_ FILE *in = NULL;
	struct chain *c = NULL;
	uint8_t hash[32];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/audit-vector.txt",
		       data ? data : "../shared/data");
	in = fopen(path, "re");
	if (!in) {
		print_message("%s is not there\n", path);
		skip();
	}
	assert_int_equal(chain_new(&c), 0);
	for (int i = 0; i < 3; i++) {
		assert_non_null(fgets(line, sizeof(line), in));
		line[strcspn(line, "\n")] = '\0';
		if (i > 0)
			assert_non_null(strstr(line, hex)); /* prev of the next line */
		assert_int_equal(chain_hash(c, line, strlen(line), hash), 0);
		audit_hex(hash, 32, hex);
	}
	assert_int_equal(fscanf(in, " chain head %64s", want), 1);
	assert_string_equal(hex, want);
	chain_free(c);
}

static void test_append_and_verify(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct audit_verify v;

	/* What has no record was wiped: a daemon that ran has said so. */
	assert_int_equal(verify(f->store, f, &v), 1);
	assert_int_equal(v.n_records, 0);
	assert_int_equal(v.bad_seq, 1);
	append(f, a, 50);
	assert_int_equal(audit_seq(a), 50);
	assert_int_equal(verify(f->store, f, &v), 0);
	assert_int_equal(v.n_records, 50);
	audit_close(a);
	a = open_log(f); /* goes on where it ended */
	append(f, a, 1);
	assert_int_equal(verify(f->store, f, &v), 0);
	assert_int_equal(v.n_records, 51);
	audit_close(a);
}

static void test_rolled_back(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct audit_event ev = event();
	struct audit_verify v;
	char id[AUDIT_ID_MAX + 1];

	append(f, a, 3);
	assert_int_equal(audit_append(a, &ev, NOW_US + 9000, id), 0);
	store_rollback(f->store);
	audit_rolled_back(a);
	append(f, a, 2);
	assert_int_equal(audit_seq(a), 5);
	assert_int_equal(verify(f->store, f, &v), 0);
	audit_close(a);
}

static void test_ids(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct audit_event ev = event();
	char id[AUDIT_ID_MAX + 1], bad[AUDIT_ID_MAX + 1];
	uint64_t seq = 0;

	assert_int_equal(audit_append(a, &ev, NOW_US, id), 0);
	assert_int_equal(audit_parse_id(f->seal, id, &seq), 0);
	assert_int_equal(seq, 1);
	for (size_t i = 0; i < strlen(id); i++) {
		memcpy(bad, id, sizeof(bad));
		bad[i] = bad[i] == '2' ? '3' : '2';
		assert_int_equal(audit_parse_id(f->seal, bad, &seq), -EINVAL);
	}
	assert_int_equal(audit_parse_id(f->seal, "", &seq), -EINVAL);
	assert_int_equal(audit_parse_id(f->seal, "99999999999999999999999", &seq),
			 -EINVAL);
	audit_close(a);
}

/* A8: whatever is typed, the line is one canonical JSON object of at most 2,048 bytes.
 */
static void test_hostile_text(void **state)
{
	struct audit_stamp st = {.seq = INT64_MAX, .now_us = NOW_US, .id = "1-AAAA"};
	static const char *const bits[] = {"\x1b[2J",
					   "\n",
					   "\"",
					   "\\",
					   "\xff",
					   "\xc3",
					   "\xe2\x80\xae",
					   "\xe2\x80\xa8",
					   "\xed\xa0\x80",
					   "\xc0\x80",
					   "\xf4\x90\x80\x80",
					   "\x7f",
					   "\xc2\x9b",
					   "\xf3\xa0\x80\x81",
					   "%n",
					   "a",
					   "\xc3\xa9"};
	char text[600], line[AUDIT_LINE_MAX + 1];
	struct audit_view rec;
	const char *why = "";
	size_t len = 0;

	(void)state;
	srandom(1);
	for (int round = 0; round < 20000; round++) {
		struct audit_event ev = event();
		size_t n = 0, want = (size_t)random() % 590;

		while (n < want) {
			const char *b = bits[(size_t)random() % ARRAY_SIZE(bits)];

			memcpy(text + n, b, strlen(b));
			n += strlen(b);
		}
		text[n] = '\0';
		ev.corr = ev.user = ev.uid = ev.actor = ev.svc = ev.tty = ev.src = text;
		ev.rhost_name = ev.vm = ev.priv = ev.target = ev.dec = ev.rule = text;
		ev.path = ev.policy_sha = ev.dec_src = ev.mfa_method = ev.cred = text;
		ev.sess = ev.op = ev.object = ev.before_sha = ev.after_sha = text;
		ev.reason_text = ev.ev = ev.reason = text;
		ev.policy_serial = ev.snapshot_age_s = ev.lat_us = ev.fails = INT64_MAX;
		ev.count = INT64_MAX;
		ev.t_delta = INT64_MIN + 1;
		ev.unknown_user = n > 0 ? text : NULL;
		st.host = text;
		st.user_hash = "0123456789abcdef";
		assert_int_equal(audit_render(&ev, &st, line, &len), 0);
		assert_true(len <= AUDIT_LINE_MAX && strlen(line) == len);
		if (audit_view_parse(line, len, &rec, &why) != 0)
			fail_msg("%s: %s", why, line);
		for (size_t i = 0; i < len; i++)
			assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	}
}

static void test_unknown_user_hidden(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1], line[AUDIT_LINE_MAX + 1] = "";
	size_t len;

	ev.ev = "auth";
	ev.unknown_user = "hunter2secret";
	assert_int_equal(audit_append(a, &ev, NOW_US, id), 0);
	assert_int_equal(store_audit_get(f->store, 1, line, sizeof(line) - 1, &len), 0);
	assert_null(strstr(line, "hunter2"));
	assert_non_null(strstr(line, "\"len\":13}"));
	audit_close(a);
}

static void test_reasons(void **state)
{
	(void)state;
	for (int r = POLICY_REASON_NO_POLICY; r <= POLICY_REASON_SESSION_LIMIT; r++)
		assert_true(
			audit_reason_known(policy_reason_name((enum policy_reason)r)));
	assert_false(audit_reason_known("none"));
	assert_false(audit_reason_known(NULL));
	assert_string_equal(audit_reason("made up"), "internal");
}

/* ---------------------------------------------------------------- edits */

static void sql(sqlite3 *db, const char *fmt, ...) _printf_(2, 3);

static void sql(sqlite3 *db, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&text, fmt, ap) > 0);
	va_end(ap);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
}

static void flip(sqlite3 *db, const char *table, const char *column, const char *where,
		 long row)
{
	sqlite3_blob *b = NULL;
	unsigned char c;
	int at;

	(void)where;
	assert_int_equal(sqlite3_blob_open(db, "main", table, column, row, 1, &b),
			 SQLITE_OK);
	at = (int)(random() % sqlite3_blob_bytes(b));
	assert_int_equal(sqlite3_blob_read(b, &c, 1, at), SQLITE_OK);
	c ^= (unsigned char)(1u << random() % 8);
	assert_int_equal(sqlite3_blob_write(b, &c, 1, at), SQLITE_OK);
	(void)sqlite3_blob_close(b);
}

/* One random edit by somebody who can write the file but has no master key. */
static void edit(sqlite3 *db, long n)
{
	long i = 1 + random() % n, j = 1 + random() % n;

	switch (random() % 8) {
	case 0:
	case 1:
		flip(db, "audit", "line", "", i);
		break;
	case 2:
		sql(db, "DELETE FROM audit WHERE seq = %ld", i);
		break;
	case 3: /* swap two */
		j = i == j ? i % n + 1 : j;
		sql(db,
		    "UPDATE audit SET line = CASE seq WHEN %ld THEN (SELECT line FROM "
		    "audit"
		    " WHERE seq = %ld) ELSE (SELECT line FROM audit WHERE seq = %ld) "
		    "END"
		    " WHERE seq IN (%ld, %ld)",
		    i, j, i, i, j);
		break;
	case 4: /* cut the tail */
		sql(db, "DELETE FROM audit WHERE seq >= %ld", i);
		break;
	case 5: /* duplicate at the end */
		sql(db, "INSERT INTO audit SELECT %ld, line FROM audit WHERE seq = %ld",
		    n + 1, i);
		break;
	case 6:
		flip(db, "head", random() % 2 ? "hash" : "mac", "", 1);
		break;
	default: /* cut the tail and point the head at what is left */
		sql(db, "DELETE FROM audit WHERE seq >= %ld", i);
		sql(db, "UPDATE head SET seq = %ld", i - 1 > 0 ? i - 1 : 1);
	}
}

/* A2: random edits of the stored log, every one detected, each undone after. */
static void test_every_edit(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct store_options opt = {.path = f->path, .read_only = true};
	struct diags diag = DIAGS_INIT;
	struct audit_verify v;
	struct store *s = NULL;
	sqlite3 *db = NULL;
	int missed = 0;
	const char *more = getenv("VMSEC_EDITS"); /* A2 in full: 100000 */
	long n_edits = more ? strtol(more, NULL, 10) : 2000;
	enum { N = 12 };

	append(f, a, N);
	audit_close(a);
	srandom(7);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(store_open(&opt, &s, &diag), 0);
	for (long i = 0; i < n_edits; i++) {
		sql(db, "CREATE TABLE IF NOT EXISTS keep AS SELECT * FROM audit");
		sql(db, "CREATE TABLE IF NOT EXISTS keep_head AS SELECT * FROM head");
		edit(db, N);
		missed += verify(s, f, &v) == 0;
		assert_true(v.why[0] != '\0');
		sql(db,
		    "BEGIN; DELETE FROM audit; INSERT INTO audit SELECT * FROM keep;"
		    "DELETE FROM head; INSERT INTO head SELECT * FROM keep_head; "
		    "COMMIT");
	}
	assert_int_equal(missed, 0);
	assert_int_equal(verify(s, f, &v), 0);
	(void)sqlite3_close(db);
	store_close(s);
	diags_done(&diag);
}

/* The same on lines in memory, where a flip costs nothing: every bit of a record. */
static void test_every_bit(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	char line[AUDIT_LINE_MAX + 1];
	struct chain *c = NULL;
	uint8_t was[32], now[32];
	size_t len = 0;

	append(f, a, 1);
	audit_close(a);
	assert_int_equal(store_audit_get(f->store, 1, line, sizeof(line), &len), 0);
	assert_int_equal(chain_new(&c), 0);
	assert_int_equal(chain_hash(c, line, len, was), 0);
	for (size_t i = 0; i < 8 * len; i++) {
		line[i / 8] = (char)(line[i / 8] ^ (1 << i % 8));
		assert_int_equal(chain_hash(c, line, len, now), 0);
		assert_memory_not_equal(was, now, 32);
		line[i / 8] = (char)(line[i / 8] ^ (1 << i % 8));
	}
	chain_free(c);
}

static void test_clock_back(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct audit_event ev = event();
	char id[AUDIT_ID_MAX + 1], line[AUDIT_LINE_MAX + 1] = "";
	struct audit_verify v;
	size_t len;

	assert_int_equal(audit_append(a, &ev, NOW_US, id), 0);
	assert_int_equal(audit_append(a, &ev, NOW_US - 5000000, id), 0);
	assert_int_equal(store_commit(f->store), 0);
	audit_committed(a);
	assert_int_equal(store_audit_get(f->store, 2, line, sizeof(line) - 1, &len), 0);
	assert_non_null(strstr(line, "\"clock\":\"back\""));
	assert_int_equal(verify(f->store, f, &v), 0);
	audit_close(a);
}

/* A damaged or foreign log refuses to open; another master key does not sign this head.
 */
static void test_open_refuses(void **state)
{
	static const uint8_t other[32] = {77};
	static const struct audit_options opt = {.host = "vm7"};
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct diags diag = DIAGS_INIT;
	struct seal *seal = NULL;

	append(f, a, 3);
	audit_close(a);
	assert_int_equal(seal_new(other, &seal), 0);
	assert_int_equal(audit_open(f->store, seal, &opt, &a, &diag), STORE_E_CORRUPT);
	assert_non_null(strstr(diag.v[0].msg, "rbacctl restore"));
	seal_free(seal);
	diags_done(&diag);
}

static void test_strangers(void **state)
{
	struct fixture *f = *state;
	struct audit *a = open_log(f);
	struct audit_event ev = event();
	char id[AUDIT_ID_MAX + 1], line[AUDIT_LINE_MAX + 1] = "", src[32];
	size_t len;
	uint64_t before;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(audit_append_stranger(a, &ev, NOW_US + i, id), 0);
	assert_int_equal(store_commit(f->store), 0);
	audit_committed(a);
	assert_int_equal(audit_seq(a), 1);
	assert_int_equal(audit_tick(a, NOW_US + 59000000), 0);
	assert_int_equal(store_commit(f->store), 0);
	audit_committed(a);
	assert_int_equal(audit_seq(a), 1);
	/* A lost turn owes its count again. */
	assert_int_equal(audit_tick(a, NOW_US + 61000000), 0);
	store_rollback(f->store);
	audit_rolled_back(a);
	assert_int_equal(audit_tick(a, NOW_US + 61000000), 0);
	assert_int_equal(store_commit(f->store), 0);
	audit_committed(a);
	assert_int_equal(audit_seq(a), 2);
	assert_int_equal(store_audit_get(f->store, 2, line, sizeof(line) - 1, &len), 0);
	assert_non_null(strstr(line, "\"count\":999}"));
	/* A flood from everywhere writes a bounded number of records. */
	before = audit_seq(a);
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(src, sizeof(src), "10.%d.%d.1", i / 256, i % 256);
		ev.src = src;
		assert_int_equal(audit_append_stranger(a, &ev, NOW_US + 70000000, id),
				 0);
	}
	assert_int_equal(store_commit(f->store), 0);
	audit_committed(a);
	assert_true(audit_seq(a) - before <= AUDIT_STRANGERS_MAX + 1);
	audit_close(a);
}

static const char zero[] =
	"0000000000000000000000000000000000000000000000000000000000000000";

static void test_parse_line_refuses(void **state)
{
	static const char *const tails[] = {"",
					    "}x",
					    ",\"v\":1}",
					    ",\"evil\":1}",
					    ",\"user\":\"\\x41\"}",
					    ",\"user\":\"a\nb\"}",
					    ",\"count\":01}",
					    ",\"count\":-0}",
					    ",\"count\":1.5}",
					    ",\"count\":99999999999999999999}",
					    ",\"user\":{\"a\":1}}",
					    ",\"user\":\"a}",
					    ",\"uid\":\"a\",\"user\":\"b\"}",
					    ",\"user\":\"b\",\"user\":\"b\"}",
					    ",}"};
	struct audit_view rec;
	const char *why = NULL;
	char line[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tails) + 1; i++) {
		int n = snprintf(line, sizeof(line),
				 "{\"v\":1,\"seq\":1,\"prev\":\"%s\",\"ts\":"
				 "\"2026-11-20T17:00:00.000000Z\"%s",
				 zero, i < ARRAY_SIZE(tails) ? tails[i] : "}");

		why = NULL;
		assert_int_equal(audit_view_parse(line, (size_t)n, &rec, &why),
				 i < ARRAY_SIZE(tails) ? -EBADMSG : 0);
		if (i < ARRAY_SIZE(tails))
			assert_non_null(why);
	}
}

/* Every byte at every place of prev: 0-9 and a-f are read as they are, nothing else. */
static void test_parse_prev(void **state)
{
	static const char digits[] = "0123456789abcdef";
	char line[256];
	size_t n = (size_t)snprintf(line, sizeof(line),
				    "{\"v\":1,\"seq\":1,\"prev\":\"%s\",\"ts\":"
				    "\"2026-11-20T17:00:00.000000Z\"}",
				    zero);
	char *prev = strstr(line, zero);
	struct audit_view rec;
	const char *why;

	(void)state;
	for (unsigned i = 0; i < 64 * 256; i++) {
		unsigned at = i / 256, c = i % 256, shift = at % 2 ? 0 : 4;
		const char *d = c ? strchr(digits, (int)c) : NULL;

		prev[at] = (char)c;
		assert_int_equal(audit_view_parse(line, n, &rec, &why),
				 d ? 0 : -EBADMSG);
		if (d)
			assert_int_equal(rec.prev[at / 2], (d - digits) << shift);
		prev[at] = '0';
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		CASE(test_append_and_verify),
		CASE(test_rolled_back),
		CASE(test_ids),
		cmocka_unit_test(test_hostile_text),
		CASE(test_unknown_user_hidden),
		cmocka_unit_test(test_reasons),
		CASE(test_every_edit),
		CASE(test_every_bit),
		CASE(test_clock_back),
		CASE(test_open_refuses),
		CASE(test_strangers),
		cmocka_unit_test(test_parse_line_refuses),
		cmocka_unit_test(test_parse_prev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
