/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_sql.c - every SQL text of the store: the schema and the statements. */
#include "rbacd/store/sqlite_internal.h"

/*
 * STRICT tables keep the declared types even in a file written by somebody else. Names
 * are compared byte by byte (BINARY collation), never folded.
 */
const char store_sql_schema[] =
	"CREATE TABLE meta(name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE person(id TEXT NOT NULL PRIMARY KEY, login TEXT NOT NULL,"
	" fails INTEGER NOT NULL, fails_told INTEGER NOT NULL,"
	" next_try_s INTEGER NOT NULL, disabled INTEGER NOT NULL,"
	" created_s INTEGER NOT NULL, last_ok_s INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"
	"CREATE TABLE fail_day(person TEXT NOT NULL REFERENCES person ON DELETE "
	"CASCADE,"
	" day INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(person, day))"
	" STRICT, WITHOUT ROWID;"
	/* AUTOINCREMENT: an id is never given twice, so a sealed seed fits one row
	   only. */
	"CREATE TABLE factor(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" person TEXT NOT NULL REFERENCES person ON DELETE CASCADE, name TEXT NOT NULL,"
	" status INTEGER NOT NULL, hash INTEGER NOT NULL, digits INTEGER NOT NULL,"
	" period_s INTEGER NOT NULL, drift INTEGER NOT NULL, last_step INTEGER NOT "
	"NULL,"
	" created_s INTEGER NOT NULL, last_ok_s INTEGER NOT NULL, sealed BLOB NOT NULL,"
	" UNIQUE(person, name)) STRICT;"
	"CREATE TABLE code(person TEXT NOT NULL REFERENCES person ON DELETE CASCADE,"
	" mac BLOB NOT NULL, kind INTEGER NOT NULL, uses INTEGER NOT NULL,"
	" expires_s INTEGER NOT NULL, created_s INTEGER NOT NULL,"
	" PRIMARY KEY(person, mac)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE budget(key BLOB NOT NULL PRIMARY KEY, fails INTEGER NOT NULL,"
	" next_try_s INTEGER NOT NULL, touched_s INTEGER NOT NULL) STRICT, WITHOUT "
	"ROWID;"
	"CREATE TABLE proof(person TEXT NOT NULL, vm TEXT NOT NULL, origin TEXT NOT "
	"NULL,"
	" at_s INTEGER NOT NULL, method INTEGER NOT NULL,"
	" PRIMARY KEY(person, vm, origin)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE session(boot TEXT NOT NULL, session INTEGER NOT NULL,"
	" person TEXT NOT NULL, origin TEXT NOT NULL, vmsec_id TEXT NOT NULL,"
	" opened_s INTEGER NOT NULL, PRIMARY KEY(boot, session)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE audit(seq INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;"
	"CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), seq INTEGER NOT "
	"NULL,"
	" hash BLOB NOT NULL, mac BLOB NOT NULL, ts_s INTEGER NOT NULL) STRICT;";

const char *const store_sql_migration[STORE_SCHEMA_VERSION - 1] = {
	"ALTER TABLE head ADD COLUMN tree BLOB NOT NULL DEFAULT x'';"
	"CREATE TABLE checkpoint(seq INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;"
	"CREATE TABLE seen(key BLOB NOT NULL PRIMARY KEY, at_s INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE alert(seq INTEGER PRIMARY KEY, at_s INTEGER NOT NULL,"
	" sev INTEGER NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,"
	" evidence TEXT NOT NULL, acked_s INTEGER NOT NULL, acked_by TEXT NOT NULL)"
	" STRICT;",
	"CREATE TABLE lock(what TEXT NOT NULL PRIMARY KEY, person TEXT NOT NULL,"
	" until_s INTEGER NOT NULL, at_s INTEGER NOT NULL, who TEXT NOT NULL,"
	" why TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE review(id TEXT NOT NULL PRIMARY KEY, at_s INTEGER NOT NULL,"
	" seen INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE activation(n INTEGER PRIMARY KEY AUTOINCREMENT,"
	" sha TEXT NOT NULL UNIQUE, serial INTEGER NOT NULL, at_s INTEGER NOT NULL)"
	" STRICT;",
	"ALTER TABLE session ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE factor ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;",
	"CREATE TABLE password(person TEXT NOT NULL PRIMARY KEY, login TEXT NOT NULL,"
	" seen_s INTEGER NOT NULL, changed_s INTEGER NOT NULL, forced INTEGER NOT NULL,"
	" forced_s INTEGER NOT NULL, forced_by TEXT NOT NULL, forced_why TEXT NOT NULL,"
	" ticket_s INTEGER NOT NULL, ticket BLOB NOT NULL, ticket_other INTEGER NOT "
	"NULL,"
	" pending TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE password_old(n INTEGER PRIMARY KEY AUTOINCREMENT,"
	" person TEXT NOT NULL REFERENCES password ON DELETE CASCADE,"
	" hash TEXT NOT NULL) STRICT;"
	"CREATE INDEX password_old_person ON password_old(person);",
	"CREATE TABLE seat(boot TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL,"
	" until_s INTEGER NOT NULL, pid INTEGER NOT NULL, PRIMARY KEY(boot, id))"
	" STRICT, WITHOUT ROWID;",
};

const struct store_table store_sql_checked[] = {
	{"meta", 1},	     {"person", 1},	{"fail_day", 1},   {"factor", 1},
	{"code", 1},	     {"budget", 1},	{"proof", 1},	   {"session", 1},
	{"head", 1},	     {"checkpoint", 2}, {"seen", 2},	   {"alert", 2},
	{"lock", 3},	     {"review", 3},	{"activation", 3}, {"password", 6},
	{"password_old", 6}, {"seat", 7}};
const size_t store_sql_n_checked = ARRAY_SIZE(store_sql_checked);

const char *const store_sql_text[SQL_N] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_PERSON_GET] =
		"SELECT login, fails, fails_told, next_try_s, disabled, created_s,"
		" last_ok_s, id FROM person WHERE id = ?1",
	[SQL_PERSON_PUT] =
		"INSERT INTO person(id, login, fails, fails_told, next_try_s, disabled,"
		" created_s, last_ok_s) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT(id) DO UPDATE SET login = ?2, fails = ?3, fails_told = "
		"?4,"
		" next_try_s = ?5, disabled = ?6, created_s = ?7, last_ok_s = ?8",
	[SQL_PERSON_DELETE] = "DELETE FROM person WHERE id = ?1",
	[SQL_PERSON_EACH] =
		"SELECT login, fails, fails_told, next_try_s, disabled, created_s,"
		" last_ok_s, id FROM person ORDER BY login, id",
	[SQL_FAIL_ADD] = "INSERT INTO fail_day(person, day, n) VALUES(?1, ?2, 1)"
			 " ON CONFLICT(person, day) DO UPDATE SET n = n + 1",
	[SQL_FAIL_SUM] = "SELECT coalesce(sum(n), 0) FROM fail_day WHERE person = ?1 "
			 "AND day >= ?2",
	[SQL_FAIL_PRUNE] = "DELETE FROM fail_day WHERE person = ?1 AND day < ?2",
	[SQL_FACTOR_LIST] =
		"SELECT id, name, status, hash, digits, period_s, drift, last_step,"
		" created_s, last_ok_s, sealed, kind FROM factor WHERE person = ?1"
		" ORDER BY name",
	[SQL_FACTOR_COUNT] = "SELECT count(*) FROM factor WHERE person = ?1",
	[SQL_FACTOR_INSERT] = "INSERT INTO factor(person, name, status, hash, digits, "
			      "period_s, drift,"
			      " last_step, created_s, last_ok_s, sealed, kind)"
			      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
			      " ?12)",
	/* The watermark never moves back, whatever the caller holds. */
	[SQL_FACTOR_UPDATE] =
		"UPDATE factor SET name = ?2, status = ?3, hash = ?4, digits = ?5,"
		" period_s = ?6, drift = ?7, last_step = max(last_step, ?8),"
		" created_s = ?9, last_ok_s = ?10, sealed = ?11, kind = ?12"
		" WHERE id = ?13 AND person = ?1",
	[SQL_FACTOR_DELETE] = "DELETE FROM factor WHERE id = ?1",
	[SQL_FACTOR_ACCEPT] =
		"UPDATE factor SET last_step = ?2, drift = ?3, last_ok_s = ?4"
		" WHERE id = ?1 AND last_step < ?2",
	[SQL_CODE_ADD] =
		"INSERT INTO code(person, mac, kind, uses, expires_s, created_s)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(person, mac) DO NOTHING",
	[SQL_CODE_GET] =
		"SELECT kind, uses FROM code WHERE person = ?1 AND mac = ?2 AND"
		" uses > 0 AND (expires_s = 0 OR expires_s > ?3)",
	[SQL_CODE_TAKE] =
		"UPDATE code SET uses = uses - 1 WHERE person = ?1 AND mac = ?2 AND"
		" uses > 0 AND (expires_s = 0 OR expires_s > ?3)",
	[SQL_CODE_CLEAR] = "DELETE FROM code WHERE person = ?1 AND kind = ?2",
	[SQL_CODE_CLEAR_ENDING] = "DELETE FROM code WHERE expires_s <> 0",
	[SQL_CODE_LEFT] =
		"SELECT coalesce(sum(uses), 0) FROM code WHERE person = ?1 AND"
		" kind = 1",
	[SQL_BUDGET_GET] =
		"SELECT fails, next_try_s, touched_s FROM budget WHERE key = ?1",
	[SQL_BUDGET_COUNT] = "SELECT count(*) FROM budget",
	[SQL_BUDGET_UPDATE] =
		"UPDATE budget SET fails = ?2, next_try_s = ?3, touched_s = ?4"
		" WHERE key = ?1",
	[SQL_BUDGET_INSERT] = "INSERT INTO budget(key, fails, next_try_s, touched_s)"
			      " VALUES(?1, ?2, ?3, ?4)",
	[SQL_BUDGET_PRUNE] =
		"DELETE FROM budget WHERE touched_s < ?1 AND next_try_s < ?1",
	[SQL_PROOF_PUT] = "INSERT INTO proof(person, vm, origin, at_s, method)"
			  " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(person, vm, origin)"
			  " DO UPDATE SET at_s = ?4, method = ?5",
	[SQL_PROOF_GET] =
		"SELECT at_s, method FROM proof WHERE person = ?1 AND vm = ?2 AND"
		" origin = ?3",
	[SQL_PROOF_CLEAR] = "DELETE FROM proof WHERE person = ?1",
	[SQL_PROOF_CLEAR_ALL] = "DELETE FROM proof",
	[SQL_PROOF_EACH] =
		"SELECT person, vm, origin, at_s, method FROM proof WHERE ?1 = '' OR"
		" person = ?1 ORDER BY at_s DESC, person, vm, origin",
	[SQL_PROOF_PRUNE] = "DELETE FROM proof WHERE at_s < ?1",
	[SQL_SESSION_PUT] =
		"INSERT INTO session(boot, session, person, origin, vmsec_id, "
		"opened_s, pid)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(boot, session) DO "
		"UPDATE SET"
		" person = ?3, origin = ?4, vmsec_id = ?5, opened_s = ?6, pid = ?7",
	[SQL_SESSION_GET] = "SELECT person, origin, vmsec_id, opened_s FROM session"
			    " WHERE boot = ?1 AND session = ?2",
	[SQL_SESSION_DELETE] = "DELETE FROM session WHERE boot = ?1 AND session = ?2",
	[SQL_SESSION_COUNT] = "SELECT pid FROM session WHERE boot = ?1 AND person = ?2",
	[SQL_SEAT_PUT] = "INSERT OR REPLACE INTO seat(boot, id, person, until_s, pid)"
			 " VALUES(?1, ?2, ?3, ?4, 0)",
	[SQL_SEAT_OPEN] = "UPDATE seat SET until_s = ?4, pid = ?5"
			  " WHERE boot = ?1 AND id = ?2 AND person = ?3",
	[SQL_SEAT_DELETE] =
		"DELETE FROM seat WHERE boot = ?1 AND id = ?2 AND person = ?3",
	[SQL_SEAT_COUNT] = "SELECT pid FROM seat"
			   " WHERE boot = ?1 AND person = ?2 AND until_s > ?3",
	[SQL_SEAT_PRUNE] = "DELETE FROM seat WHERE boot <> ?1 OR until_s <= ?2",
	[SQL_LOCK_PUT] =
		"INSERT INTO lock(what, person, until_s, at_s, who, why)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(what) DO UPDATE SET"
		" person = ?2, until_s = ?3, at_s = ?4, who = ?5, why = ?6",
	[SQL_LOCK_DELETE] = "DELETE FROM lock WHERE what = ?1",
	[SQL_LOCK_PRUNE] = "DELETE FROM lock WHERE until_s <= ?1",
	[SQL_LOCK_EACH] =
		"SELECT what, person, until_s, at_s, who, why FROM lock ORDER BY what",
	[SQL_LOCK_COUNT] = "SELECT count(*) FROM lock",
	[SQL_REVIEW_GET] = "SELECT at_s, seen, who, why FROM review WHERE id = ?1",
	[SQL_REVIEW_PUT] = "INSERT INTO review(id, at_s, seen, who, why) VALUES(?1, "
			   "?2, ?3, ?4, ?5)"
			   " ON CONFLICT(id) DO UPDATE SET at_s = ?2, seen = ?3, who = "
			   "?4, why = ?5",
	[SQL_ACTIVATION_GET] = "SELECT at_s FROM activation WHERE sha = ?1",
	[SQL_ACTIVATION_LAST] =
		"SELECT sha, serial, at_s FROM activation ORDER BY n DESC LIMIT 1",
	/* REPLACE gives a returning policy a new number: it is the last one again. */
	[SQL_ACTIVATION_PUT] = "INSERT OR REPLACE INTO activation(sha, serial, at_s) "
			       "VALUES(?1, ?2, ?3)",
	[SQL_PASSWORD_GET] =
		"SELECT login, seen_s, changed_s, forced, forced_s, forced_by, "
		"forced_why,"
		" ticket_s, ticket, ticket_other, pending, person FROM password"
		" WHERE person = ?1",
	[SQL_PASSWORD_PUT] =
		"INSERT INTO password(person, login, seen_s, changed_s, forced, "
		"forced_s,"
		" forced_by, forced_why, ticket_s, ticket, ticket_other, pending)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT(person) DO UPDATE SET login = ?2, seen_s = ?3,"
		" changed_s = ?4, forced = ?5, forced_s = ?6, forced_by = ?7,"
		" forced_why = ?8, ticket_s = ?9, ticket = ?10, ticket_other = ?11,"
		" pending = ?12",
	[SQL_PASSWORD_EACH] =
		"SELECT login, seen_s, changed_s, forced, forced_s, forced_by, "
		"forced_why,"
		" ticket_s, ticket, ticket_other, pending, person FROM password"
		" ORDER BY login, person",
	[SQL_PASSWORD_OLD_LIST] = "SELECT hash FROM password_old WHERE person = ?1"
				  " ORDER BY n DESC LIMIT ?2",
	[SQL_PASSWORD_OLD_ADD] =
		"INSERT INTO password_old(person, hash) VALUES(?1, ?2)",
	[SQL_PASSWORD_OLD_PRUNE] =
		"DELETE FROM password_old WHERE person = ?1 AND n NOT IN (SELECT n"
		" FROM password_old WHERE person = ?1 ORDER BY n DESC LIMIT ?2)",
	[SQL_SESSION_PRUNE] = "DELETE FROM session WHERE boot <> ?1",
	[SQL_AUDIT_APPEND] = "INSERT INTO audit(seq, line) VALUES(?1, ?2)",
	[SQL_AUDIT_EACH] = "SELECT seq, line FROM audit WHERE seq >= ?1 ORDER BY seq",
	[SQL_AUDIT_GET] = "SELECT line FROM audit WHERE seq = ?1",
	[SQL_AUDIT_FIRST] = "SELECT min(seq) FROM audit",
	[SQL_AUDIT_PRUNE] = "DELETE FROM audit WHERE seq < ?1",
	[SQL_CHECKPOINT_PUT] = "INSERT INTO checkpoint(seq, note) VALUES(?1, ?2)",
	[SQL_CHECKPOINT_EACH] =
		"SELECT seq, note FROM checkpoint WHERE seq >= ?1 ORDER BY seq",
	[SQL_CHECKPOINT_LAST] =
		"SELECT seq, note FROM checkpoint WHERE seq <= ?1 ORDER BY seq DESC"
		" LIMIT 1",
	[SQL_CHECKPOINT_PRUNE] = "DELETE FROM checkpoint WHERE seq < ?1",
	[SQL_SEEN_GET] = "SELECT at_s FROM seen WHERE key = ?1",
	[SQL_SEEN_COUNT] = "SELECT count(*) FROM seen",
	[SQL_SEEN_UPDATE] = "UPDATE seen SET at_s = ?2 WHERE key = ?1",
	[SQL_SEEN_INSERT] = "INSERT INTO seen(key, at_s) VALUES(?1, ?2)",
	[SQL_SEEN_PRUNE] = "DELETE FROM seen WHERE at_s < ?1 AND"
			   " (SELECT count(*) FROM seen) > ?2",
	[SQL_ALERT_PUT] =
		"INSERT INTO alert(seq, at_s, sev, name, subject, evidence, acked_s,"
		" acked_by) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, '')",
	[SQL_ALERT_EACH] =
		"SELECT seq, at_s, sev, name, subject, evidence, acked_s, acked_by"
		" FROM alert ORDER BY seq DESC",
	[SQL_ALERT_OPEN] =
		"SELECT EXISTS(SELECT 1 FROM alert WHERE name = ?1 AND acked_s = 0)",
	[SQL_ALERT_ACK] =
		"UPDATE alert SET acked_s = ?2, acked_by = ?3 WHERE seq = ?1 AND"
		" acked_s = 0",
	/* The bound of the table: the order in which store.h says that they go. */
	[SQL_ALERT_PRUNE] =
		"DELETE FROM alert WHERE seq IN (SELECT seq FROM alert LEFT JOIN"
		" (SELECT name AS kind, count(*) AS n_open FROM alert WHERE acked_s = 0"
		" GROUP BY name) ON kind = name ORDER BY acked_s = 0, n_open DESC, sev,"
		" seq LIMIT max(0, (SELECT count(*) FROM alert) - ?1))",
	[SQL_FACTOR_COUNTS] = "SELECT (SELECT count(*) FROM factor WHERE status = 1),"
			      " (SELECT count(*) FROM factor WHERE status = 2),"
			      " (SELECT count(*) FROM factor WHERE status = 3),"
			      " (SELECT count(*) FROM person),"
			      " (SELECT count(*) FROM person WHERE disabled <> 0),"
			      " (SELECT count(*) FROM alert WHERE acked_s = 0)",
	[SQL_HEAD_GET] = "SELECT seq, hash, mac, ts_s, tree FROM head WHERE one = 1",
	[SQL_HEAD_PUT] = "INSERT INTO head(one, seq, hash, mac, ts_s, tree)"
			 " VALUES(1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT(one) DO UPDATE SET"
			 " seq = ?1, hash = ?2, mac = ?3, ts_s = ?4, tree = ?5",
	[SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
	[SQL_META_PUT] = "INSERT INTO meta(name, value) VALUES(?1, ?2)"
			 " ON CONFLICT(name) DO UPDATE SET value = ?2",
};
