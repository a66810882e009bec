/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_admin.c - every call against a real store, seal, log and second factor; the
 * connection, the directory and the turn are played by this file.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <liboath/oath.h>

#include "rbacd/password/worker.h"
#include "rbacd/limits.h"
#include "rbacd/admin.h"
#include "rbacd/standing.h"
#include "rbacd/ctl/out.h"
#include "rbacd/metrics.h"
#include "rbacd/server.h"

/* ---------------------------------------------------------------- played parts */

struct conn {
	enum conn_kind kind;
	uint32_t uid;
	bool finished;
	struct out_set rows;
	int code; /* END's; -1: none yet */
	char message[1024];
	void (*gone)(void *arg);
	void *gone_arg;
};

/* The real one needs the whole daemon. */
void metrics_print(const struct server *server, FILE *out)
{
	(void)server;
	(void)fputs("vmsec_test 1\n", out);
}

static int64_t clock_s = 1795233600;

int64_t server_now_s(void)
{
	return clock_s;
}

int64_t server_now_us(void)
{
	return clock_s * 1000000;
}

void server_turn_lost(struct server *server, int rc)
{
	server->turn_error = rc;
}

int server_reload(struct server *server, const char *actor, bool rollback,
		  struct diags *diag)
{
	(void)rollback;
	(void)server;
	assert_string_equal(actor, "uid:0");
	diags_add(diag, "p.yaml", 3, 7, NULL, "unknown key");
	return POLICY_E_INVALID;
}

int server_policy_try(struct server *server, const char *actor,
		      const struct policy_try *want, struct diags *diag)
{
	(void)server;
	assert_string_equal(actor, "uid:0");
	assert_int_equal(want->within_s, 300);
	diags_add(diag, want->path, 0, 0, NULL, "was changed in between");
	return POLICY_E_INVALID;
}

int server_policy_confirm(struct server *server, const char *actor, struct diags *diag)
{
	(void)server;
	assert_string_equal(actor, "uid:0");
	diags_add(diag, "p.yaml", 0, 0, NULL, "no policy is being tried");
	return POLICY_E_INVALID;
}

int server_trial_left_s(const struct server *server)
{
	(void)server;
	return 0;
}

enum conn_kind conn_get_kind(const struct conn *c)
{
	return c->kind;
}

uint32_t conn_peer_uid(const struct conn *c)
{
	return c->uid;
}

int32_t conn_peer_pid(const struct conn *c)
{
	(void)c;
	return 0;
}

void conn_queue(struct conn *c, const void *bytes, size_t len)
{
	struct wire_frame frame;
	struct wire_reader reader;
	struct wire_field f;
	uint32_t code;
	size_t used;

	assert_int_equal(wire_frame_split(bytes, len, WIRE_FRAME_MAX, &frame, &used),
			 0);
	assert_int_equal(used, len);
	assert_int_equal(c->code, -1); /* nothing follows END */
	if (frame.type == WIRE_ROW) {
		assert_int_equal(out_add_frame(&c->rows, &frame), 0);
		return;
	}
	assert_int_equal(frame.type, WIRE_END);
	wire_reader_init(&reader, &frame);
	assert_int_equal(wire_next(&reader, &f), 0);
	assert_int_equal(wire_get_u32(&f, &code), 0);
	c->code = (int)code;
	if (wire_next(&reader, &f) == 0)
		assert_int_equal(wire_get_text(&f, c->message, sizeof(c->message)), 0);
}

void conn_finish(struct conn *c)
{
	c->finished = true;
}

void conn_on_gone(struct conn *c, void (*fn)(void *arg), void *arg)
{
	c->gone = fn;
	c->gone_arg = arg;
}

void conn_get_stats(const struct conn_table *table, struct conn_stats *ret)
{
	(void)table;
	*ret = (struct conn_stats){.n_accepted = 5};
}

static size_t pending_lookups; /* what rbacd-dir has not answered */

struct identity_ticket {
	identity_done_fn done;
	void *arg;
	bool cancelled;
};

static struct {
	bool park;
	struct identity_ticket ticket;
} directory;

static void person_of(const char *login, struct identity_person *ret)
{
	static const struct {
		const char *login, *id;
		uint32_t uid;
		bool enabled;
	} people[] = {{"alice", "unix:1001:alice", 1001, true},
		      {"bob", "unix:1002:bob", 1002, false},
		      {"carol", "unix:1003:carol", 1003, true}};

	*ret = (struct identity_person)IDENTITY_PERSON_INIT;
	ret->source = "nss";
	for (size_t i = 0; i < ARRAY_SIZE(people); i++)
		if (str_eq(people[i].login, login)) {
			(void)snprintf(ret->login, sizeof(ret->login), "%s", login);
			(void)snprintf(ret->id, sizeof(ret->id), "%s", people[i].id);
			ret->known = ret->directory = true;
			ret->enabled = people[i].enabled;
			ret->uid = people[i].uid;
		}
}

void identity_person_done(struct identity_person *p)
{
	free(p->groups);
	free(p->unknown);
	p->groups = p->unknown = NULL;
}

void identity_person_subject(const struct identity_person *p, int64_t max_s,
			     struct policy_subject *ret)
{
	(void)max_s;
	*ret = (struct policy_subject){.login = p->login,
				       .id = p->id,
				       .known = p->known,
				       .enabled = p->enabled,
				       .local = p->local,
				       .directory = p->directory,
				       .groups = p->groups,
				       .n_groups = p->n_groups};
}

int64_t config_max_stale(const struct config *config, const char *privilege)
{
	(void)config;
	(void)privilege;
	return INT64_MAX;
}

int identity_order(struct identity *identity, const char *what)
{
	(void)identity;
	(void)what;
	return -ENOTCONN;
}

void identity_fact(const struct identity *identity, size_t i, const char **ret_name,
		   const char **ret_text)
{
	(void)identity;
	(void)i;
	*ret_name = *ret_text = "";
}

const char *identity_find_fact(const struct identity *identity, const char *name)
{
	(void)identity;
	(void)name;
	return "";
}

bool identity_group(const struct identity *identity, size_t i, int64_t now_s,
		    struct identity_group *ret)
{
	(void)identity;
	(void)i;
	(void)now_s;
	*ret = (struct identity_group){.name = "", .id = ""};
	return false;
}

void identity_keep_again(struct identity *identity)
{
	(void)identity;
}

size_t identity_pending(const struct identity *identity)
{
	(void)identity;
	return pending_lookups;
}

int identity_lookup(struct identity *identity, const char *login, int64_t now_s,
		    identity_done_fn done, void *arg, struct identity_person *ret,
		    struct identity_ticket **ret_ticket)
{
	(void)identity;
	(void)now_s;
	if (directory.park) {
		directory.ticket = (struct identity_ticket){.done = done, .arg = arg};
		*ret_ticket = &directory.ticket;
		return IDENTITY_E_PENDING;
	}
	person_of(login, ret);
	return 0;
}

void identity_cancel(struct identity_ticket *ticket)
{
	if (ticket)
		ticket->cancelled = true;
}

bool identity_local_uid(const struct identity *identity, const char *login,
			uint32_t *ret)
{
	(void)identity;
	*ret = 0;
	return str_eq(login, "toor");
}

void worker_pool_stats(const struct worker_pool *pool, struct worker_stats *ret)
{
	(void)pool;
	*ret = (struct worker_stats){.n_checked = 5};
}

void identity_status(const struct identity *identity, int64_t now_s,
		     struct identity_status *ret)
{
	(void)identity;
	(void)now_s;
	*ret = (struct identity_status){.source = "nss", .age_s = -1};
}

const char *config_db_path(const struct config *config, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s/rbacd.db", config->state_dir);
	return buf;
}

/* ---------------------------------------------------------------- the world */

struct world {
	char folder[64];
	struct config config;
	struct server server;
};

static char vm[] = "db01", issuer[] = "vmsec", policy_path[] = "/etc/rbacd/policy.d";

static const char policy_text[] =
	"vmsec_policy: 1\n"
	"inventory:\n"
	"  db01: {labels: {env: prod}}\n"
	"vm_sets:\n"
	"  all: {every: true}\n"
	"roles:\n"
	"  viewer: {privileges: [ssh]}\n"
	"  late: {privileges: [web]}\n"
	"users:\n"
	"  alice: {id: \"unix:1001:alice\"}\n"
	"grants:\n"
	"  - {id: g1, to: [user:alice], roles: [viewer], vms: [all]}\n"
	"  - {id: g2, to: [user:alice], roles: [late], vms: [all],"
	" review: {every: 1d, overdue: suspend}}\n"
	"password: {preset: pci-dss-4}\n";

static int setup(void **state)
{
	static const uint8_t master[32] = {1, 2, 3};
	struct world *w = calloc(1, sizeof(*w));
	struct policy_source src = {"p.yaml", policy_text, sizeof(policy_text) - 1};
	struct policy_host host = {.name = "db01"};
	struct diags diag = DIAGS_INIT;
	struct audit_options audit_opt = {.host = "db01"};
	char path[96];
	struct store_options opt = {.path = path};

	assert_non_null(w);
	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/vmsec-admin-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	w->config = (struct config){.vm = vm,
				    .issuer = issuer,
				    .policy = policy_path,
				    .state_dir = w->folder};
	w->server.config = &w->config;
	(void)config_db_path(&w->config, path, sizeof(path));
	assert_int_equal(store_open(&opt, &w->server.store, &diag), 0);
	assert_int_equal(seal_new(master, &w->server.seal), 0);
	assert_int_equal(audit_open(w->server.store, w->server.seal, &audit_opt,
				    &w->server.audit, &diag),
			 0);
	assert_int_equal(mfa_new(w->server.store, w->server.seal, &w->server.mfa), 0);
	assert_int_equal(policy_load_sources(&src, 1, &host, &w->server.policy, &diag),
			 0);
	assert_int_equal(standing_refresh(&w->server), 0);
	assert_int_equal(store_commit(w->server.store), 0);
	diags_done(&diag);
	memset(&directory, 0, sizeof(directory));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	static const char *const files[] = {"rbacd.db", "rbacd.db-wal", "rbacd.db-shm",
					    "rbacd.db.lock", "rbacd.lock"};
	char path[128];

	standing_free(w->server.standing);
	policy_unref(w->server.policy);
	mfa_free(w->server.mfa);
	audit_close(w->server.audit);
	seal_free(w->server.seal);
	store_close(w->server.store);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", w->folder, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(w->folder);
	free(w);
	return 0;
}

static struct conn *conn_new(enum conn_kind kind, uint32_t uid)
{
	struct conn *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->kind = kind;
	c->uid = uid;
	c->code = -1;
	return c;
}

static void conn_end(struct conn *c)
{
	if (c->gone)
		c->gone(c->gone_arg);
	out_set_done(&c->rows);
	free(c);
}

/* A call with up to six name, value pairs, and the end of its turn. */
static struct conn *call_on(struct world *w, struct conn *c, const char *verb,
			    const char *const pairs[])
{
	struct wire_call *call = calloc(1, sizeof(*call));

	assert_non_null(call);
	(void)snprintf(call->verb, sizeof(call->verb), "%s", verb);
	for (size_t i = 0; pairs[2 * i]; i++) {
		(void)snprintf(call->args[i].name, sizeof(call->args[i].name), "%s",
			       pairs[2 * i]);
		(void)snprintf(call->args[i].value, sizeof(call->args[i].value), "%s",
			       pairs[2 * i + 1]);
		call->n_args++;
	}
	admin_call(&w->server, c, call);
	free(call);
	assert_int_equal(w->server.turn_error, 0);
	assert_int_equal(store_commit(w->server.store), 0);
	audit_committed(w->server.audit);
	return c;
}

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL, NULL})
#define NO_PAIRS   ((const char *const[]){NULL, NULL})

static struct conn *call(struct world *w, const char *verb, const char *const pairs[])
{
	return call_on(w, conn_new(CONN_ADMIN, 0), verb, pairs);
}

/* Makes the call, checks END, forgets the rows. */
static void expect(struct world *w, const char *verb, const char *const pairs[],
		   int code, const char *says)
{
	struct conn *c = call(w, verb, pairs);

	if (c->code != code || !strstr(c->message, says))
		fail_msg("%s: END %d '%s'", verb, c->code, c->message);
	assert_true(c->finished);
	conn_end(c);
}

/* The code of @uri at clock_s, as a phone computes it. */
static void phone(const char *uri, char otp[8])
{
	const char *at = strstr(uri, "secret=");
	char *secret = NULL;
	size_t len = 0, n;
	char base32[128];

	assert_non_null(at);
	n = strspn(at + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	assert_true(n > 0 && n < sizeof(base32));
	memcpy(base32, at + 7, n);
	base32[n] = '\0';
	assert_int_equal(oath_base32_decode(base32, n, &secret, &len), OATH_OK);
	assert_int_equal(oath_totp_generate(secret, len, clock_s, 30, 0, 6, otp),
			 OATH_OK);
	free(secret);
}

static void last_line(struct world *w, char line[AUDIT_LINE_MAX + 1])
{
	size_t len = 0;

	assert_int_equal(store_audit_get(w->server.store, audit_seq(w->server.audit),
					 line, AUDIT_LINE_MAX + 1, &len),
			 0);
	line[len] = '\0';
}

static void enrol(struct world *w, const char *login)
{
	struct conn *c = call(w, "enrol-begin", PAIRS("user", login));
	char otp[8], line[AUDIT_LINE_MAX + 1];
	const char *uri = out_text(&c->rows, "enrolment", "uri");

	assert_int_equal(c->code, 0);
	assert_non_null(uri);
	assert_int_equal(out_find(&c->rows, "recovery")->n, MFA_RECOVERY_CODES);
	last_line(w, line);
	assert_non_null(strstr(line, "\"ev\":\"admin.enrol\""));
	assert_non_null(strstr(line, "\"actor\":\"uid:0\""));
	phone(uri, otp);
	assert_null(strstr(line, otp));
	conn_end(c);
	expect(w, "enrol-confirm", PAIRS("user", login, "code", otp), 0, "is enrolled");
	last_line(w, line);
	assert_non_null(strstr(line, "\"ev\":\"admin.enrol_confirm\""));
	assert_null(strstr(line, otp));
}

/* ---------------------------------------------------------------- tests */

static void test_enrol(void **state)
{
	struct world *w = *state;
	struct conn *c;

	enrol(w, "alice");
	expect(w, "enrol-begin", PAIRS("user", "alice"), 1, "already");
	expect(w, "enrol-begin", PAIRS("user", "bob"), 1, "disabled in the directory");
	expect(w, "enrol-begin", PAIRS("user", "nobody"), 1, "knows nobody called");
	c = call(w, "users", NO_PAIRS);
	assert_int_equal(c->code, 0);
	assert_string_equal(out_text(&c->rows, "users", "login"), "alice");
	assert_int_equal(out_cell(out_find(&c->rows, "users")->first, "enrolled")->i,
			 1);
	conn_end(c);
}

static void test_wrong_confirm(void **state)
{
	struct world *w = *state;
	char line[AUDIT_LINE_MAX + 1];
	struct conn *c = call(w, "enrol-begin", PAIRS("user", "alice"));
	char otp[8];

	phone(out_text(&c->rows, "enrolment", "uri"), otp);
	otp[0] = otp[0] == '9' ? '0' : (char)(otp[0] + 1);
	conn_end(c);
	expect(w, "enrol-confirm", PAIRS("user", "alice", "code", otp), 1,
	       "not the code");
	last_line(w, line);
	assert_non_null(strstr(line, "\"reason\":\"bad_otp\""));
	assert_non_null(strstr(line, "\"outcome\":\"failure\""));
	expect(w, "enrol-confirm", PAIRS("user", "alice", "code", "hunter2"), 1,
	       "digits");
	expect(w, "enrol-confirm", PAIRS("user", "carol", "code", otp), 1,
	       "no enrolment");
}

static void test_bad_calls(void **state)
{
	struct world *w = *state;
	uint64_t before = audit_seq(w->server.audit);

	expect(w, "nonsense", NO_PAIRS, 64, "does not know");
	expect(w, "status", PAIRS("user", "x"), 64, "takes no argument");
	expect(w, "enrol-begin", NO_PAIRS, 64, "needs the argument user");
	expect(w, "enrol-begin", PAIRS("user", "alice", "digits", "7"), 64, "6 or 8");
	expect(w, "enrol-begin", PAIRS("user", "alice", "digits", "-6"), 64,
	       "a number");
	expect(w, "enrol-begin", PAIRS("user", "alice", "period", "45"), 64,
	       "30 or 60");
	expect(w, "enrol-begin", PAIRS("user", "alice", "algorithm", "md5"), 64,
	       "sha1");
	expect(w, "enrol-begin", PAIRS("user", "alice", "issuer", "a:b"), 64, "colon");
	expect(w, "bypass", PAIRS("user", "alice", "uses", "1", "for", "60"), 64,
	       "why");
	expect(w, "bypass",
	       PAIRS("user", "alice", "uses", "0", "for", "60", "why", "x"), 64,
	       "uses");
	expect(w, "bypass",
	       PAIRS("user", "alice", "uses", "1", "for", "604801", "why", "x"), 64,
	       "for");
	expect(w, "disable", PAIRS("user", "alice", "id", "x"), 64, "not both");
	expect(w, "disable", NO_PAIRS, 64, "needs a user or an id");
	expect(w, "my-status", PAIRS("user", "alice"), 64, "does not know");
	assert_int_equal(audit_seq(w->server.audit), before);
}

static void test_lost_phone(void **state)
{
	struct world *w = *state;
	char line[AUDIT_LINE_MAX + 1], code[MFA_CODE_TEXT];
	struct conn *c;

	expect(w, "bypass",
	       PAIRS("user", "alice", "uses", "1", "for", "3600", "why", "x"), 1,
	       "none to stand in for");
	enrol(w, "alice");
	c = call(w, "bypass",
		 PAIRS("user", "alice", "uses", "1", "for", "3600", "why",
		       "lost \"it\""));
	assert_int_equal(c->code, 0);
	(void)snprintf(code, sizeof(code), "%s", out_text(&c->rows, "bypass", "code"));
	conn_end(c);
	assert_int_equal(strlen(code), MFA_CODE_TEXT - 1);
	last_line(w, line);
	assert_non_null(strstr(line, "\"sev\":\"alert\""));
	assert_non_null(strstr(line, "\"reason_text\":\"lost \\\"it\\\"\""));
	assert_null(strstr(line, code));
	expect(w, "disable", PAIRS("user", "alice", "why", "stolen"), 0,
	       "No code of alice");
	c = call(w, "users", NO_PAIRS);
	assert_int_equal(out_cell(out_find(&c->rows, "users")->first, "disabled")->i,
			 1);
	conn_end(c);
	expect(w, "reset", PAIRS("id", "unix:1001:alice"), 0, "are gone");
	expect(w, "reset", PAIRS("id", "unix:1001:alice"), 1, "Nobody with the id");
	expect(w, "reset", PAIRS("user", "alice"), 1, "no second factor to reset");
}

/* Somebody who has left the directory can still be cleared away by login. */
static void test_left(void **state)
{
	struct world *w = *state;
	struct store_person p = {.id = "unix:7:eve", .login = "eve"};

	assert_int_equal(store_begin(w->server.store), 0);
	assert_int_equal(store_person_put(w->server.store, &p), 0);
	expect(w, "reset", PAIRS("user", "eve"), 0, "of eve are gone");
	expect(w, "reset", PAIRS("user", "eve"), 1, "nobody of that name");
}

/* Strangers' questions come after the logins' own. */
static void test_busy_directory(void **state)
{
	struct world *w = *state;
	struct conn *c;

	pending_lookups = LIMIT_USER_LOOKUPS;
	c = call_on(w, conn_new(CONN_USER, 1001), "my-status", PAIRS("user", "alice"));
	assert_int_equal(c->code, 1);
	assert_non_null(strstr(c->message, "busy"));
	conn_end(c);
	c = call_on(w, conn_new(CONN_ADMIN, 0), "disable", PAIRS("user", "carol"));
	assert_null(strstr(c->message, "busy"));
	conn_end(c);
	pending_lookups = 0;
}

static void test_my_status(void **state)
{
	struct world *w = *state;
	struct conn *c = call_on(w, conn_new(CONN_USER, 1001), "my-status",
				 PAIRS("user", "alice"));
	char first[1024];

	assert_int_equal(c->code, 0);
	assert_null(out_cell(out_find(&c->rows, "my_status")->first, "fails"));
	conn_end(c);
	/* Another's name and nobody's name get the very same answer. */
	c = call_on(w, conn_new(CONN_USER, 1001), "my-status", PAIRS("user", "carol"));
	assert_int_equal(c->code, 1);
	(void)snprintf(first, sizeof(first), "%s", c->message);
	conn_end(c);
	c = call_on(w, conn_new(CONN_USER, 1001), "my-status", PAIRS("user", "nobody"));
	assert_int_equal(c->code, 1);
	assert_string_equal(c->message, first);
	assert_null(c->rows.first);
	conn_end(c);
	c = call_on(w, conn_new(CONN_USER, 0), "reset", PAIRS("user", "alice"));
	assert_int_equal(c->code, 64);
	conn_end(c);
}

static void test_explain(void **state)
{
	struct world *w = *state;
	struct conn *c = call(w, "explain",
			      PAIRS("user", "alice", "vm", "db01", "privilege", "ssh",
				    "method", "any"));

	assert_int_equal(c->code, 0);
	assert_string_equal(out_text(&c->rows, "decision", "verdict"), "allow");
	assert_string_equal(out_text(&c->rows, "decision", "rule"), "g1");
	conn_end(c);
	c = call(w, "explain",
		 PAIRS("user", "alice", "vm", "db01", "privilege", "ssh"));
	assert_int_equal(c->code, 1);
	assert_string_equal(out_text(&c->rows, "decision", "reason"), "mfa_required");
	assert_string_equal(out_text(&c->rows, "near", "rule"), "g1");
	assert_string_equal(out_text(&c->rows, "near", "reason"), "mfa_required");
	conn_end(c);
	c = call(w, "explain",
		 PAIRS("user", "carol", "vm", "db01", "privilege", "ssh", "method",
		       "any"));
	assert_int_equal(c->code, 1);
	assert_string_equal(out_text(&c->rows, "decision", "reason"), "no_grant");
	conn_end(c);
	expect(w, "explain",
	       PAIRS("user", "alice", "vm", "db01", "privilege", "ssh", "source",
		     "host"),
	       64, "never");
	expect(w, "explain", PAIRS("user", "alice", "vm", "db01", "privilege", "ssh:x"),
	       64, "Only su");
	expect(w, "record", PAIRS("id", "1-AAAA"), 1, "not a decision id");
}

/* "deny" and why, of alice asking for @privilege with a code. */
static void explain(struct world *w, const char *privilege, const char *reason)
{
	struct conn *c = call(w, "explain",
			      PAIRS("user", "alice", "vm", "db01", "privilege",
				    privilege, "method", "totp"));

	assert_int_equal(c->code, reason ? 1 : 0);
	if (reason)
		assert_string_equal(out_text(&c->rows, "decision", "reason"), reason);
	conn_end(c);
}

static void test_locks(void **state)
{
	static const char *const whats[] = {"alice", "role:viewer", "vm:db01",
					    "factor:totp"};
	static const char *const reasons[] = {"locked", "locked", "locked",
					      "mfa_required"};
	struct world *w = *state;
	struct conn *c;

	for (size_t i = 0; i < ARRAY_SIZE(whats); i++) {
		explain(w, "ssh", NULL);
		expect(w, "lock",
		       PAIRS("what", whats[i], "for", "3600", "why", "incident"), 0,
		       "is locked");
		explain(w, "ssh", reasons[i]);
		c = call(w, "locks", NO_PAIRS);
		assert_string_equal(out_text(&c->rows, "locks", "why"), "incident");
		conn_end(c);
		c = call(w, "status", NO_PAIRS);
		assert_string_equal(out_text(&c->rows, "locks", "by"), "uid:0");
		conn_end(c);
		expect(w, "unlock", PAIRS("what", whats[i], "why", "over"), 0,
		       "is unlocked");
		expect(w, "unlock", PAIRS("what", whats[i], "why", "over"), 1,
		       "is not locked");
	}
	explain(w, "ssh", NULL);
	expect(w, "lock", PAIRS("what", "alice", "for", "3600"), 64, "why");
	expect(w, "lock", PAIRS("what", "alice", "for", "5", "why", "x"), 64, "for");
	expect(w, "lock", PAIRS("what", "role:nil", "for", "60", "why", "x"), 1,
	       "names no");
	expect(w, "lock", PAIRS("what", "group:nil", "for", "60", "why", "x"), 1,
	       "names no");
	expect(w, "lock", PAIRS("what", "vm:nil", "for", "60", "why", "x"), 1,
	       "names no");
	expect(w, "lock", PAIRS("what", "factor:sms", "for", "60", "why", "x"), 64,
	       "is not");
}

/* A lock that has ended is gone; a turn that was lost leaves nothing behind. */
/* A demand is kept with who and why, shown, and counted; nobody unknown is marked. */
static void test_password_expire(void **state)
{
	struct world *w = *state;
	struct conn *c;

	expect(w, "password-status", PAIRS("user", "alice"), 1, "no password of");
	expect(w, "password-expire", PAIRS("user", "alice"), 64, "why");
	expect(w, "password-expire", PAIRS("user", "nobody", "why", "x"), 1,
	       "knows nobody");
	expect(w, "password-expire", PAIRS("user", "alice", "why", "in a breach"), 0,
	       "must choose");
	c = call(w, "password-status", PAIRS("user", "alice"));
	assert_string_equal(out_text(&c->rows, "passwords", "demanded"), "pw_demanded");
	assert_string_equal(out_text(&c->rows, "passwords", "why"), "in a breach");
	assert_string_equal(out_text(&c->rows, "passwords", "by"), "uid:0");
	conn_end(c);
	c = call(w, "status", NO_PAIRS);
	assert_string_equal(out_text(&c->rows, "passwords", "preset"), "pci-dss-4");
	conn_end(c);
}

static void test_lock_ends(void **state)
{
	struct world *w = *state;
	struct store_lock lock = {.what = "user:alice",
				  .until_s = server_now_s() + 100,
				  .by = "uid:0",
				  .why = "x"};
	struct conn *c;

	assert_int_equal(store_lock_put(w->server.store, &lock), 0);
	assert_int_equal(standing_refresh(&w->server), 0);
	store_rollback(w->server.store);
	assert_int_equal(standing_tick(&w->server), 0);
	explain(w, "ssh", "locked"); /* nobody said yet that the turn was lost */
	w->server.stats.n_lost_turns++;
	assert_int_equal(standing_tick(&w->server), 0);
	explain(w, "ssh", NULL);
	lock.until_s = server_now_s(); /* over by the time it is read */
	assert_int_equal(store_lock_put(w->server.store, &lock), 0);
	assert_int_equal(standing_refresh(&w->server), 0);
	explain(w, "ssh", NULL);
	c = call(w, "locks", NO_PAIRS);
	assert_null(out_find(&c->rows, "locks"));
	conn_end(c);
	/* Those that are over keep nobody from locking. */
	clock_guard_start(&w->server.clock.guard, server_now_s(), clock_boot_s(), 0,
			  false);
	for (int i = 0; i < STORE_LOCKS_MAX - 1; i++) {
		(void)snprintf(lock.what, sizeof(lock.what), "user:u%d", i);
		assert_int_equal(store_lock_put(w->server.store, &lock), 0);
	}
	expect(w, "lock", PAIRS("what", "alice", "for", "3600", "why", "x"), 0,
	       "is locked");
	expect(w, "lock", PAIRS("what", "bob", "for", "3600", "why", "x"), 0,
	       "is locked");
	expect(w, "unlock", PAIRS("what", "bob", "why", "x"), 0, "is unlocked");
	expect(w, "unlock", PAIRS("what", "alice", "why", "x"), 0, "is unlocked");
	explain(w, "ssh", NULL);
	/* A kind that nobody knows locks everybody. */
	(void)snprintf(lock.what, sizeof(lock.what), "planet:mars");
	lock.until_s = INT64_MAX;
	assert_int_equal(store_lock_put(w->server.store, &lock), 0);
	assert_int_equal(standing_refresh(&w->server), 0);
	explain(w, "ssh", "locked");
	/* And so does state of another policy than the one that decides. */
	assert_int_equal(standing_state(&w->server, NULL)->n_locks, 1);
	assert_int_equal(store_commit(w->server.store), 0);
}

static bool hinted(const struct conn *c, const char *text)
{
	const struct out_table *t = out_find(&c->rows, "hints");

	for (const struct out_row *r = t ? t->first : NULL; r; r = r->next)
		if (strstr(out_cell(r, "text")->text, text))
			return true;
	return false;
}

static void test_reviewed(void **state)
{
	struct store_review old = {.at_s = server_now_s() - 86400, .seen = true};
	struct world *w = *state;
	struct conn *c;

	explain(w, "web", NULL); /* first seen at the start of the test: a baseline */
	assert_int_equal(store_review_put(w->server.store, "g2", &old), 0);
	assert_int_equal(standing_refresh(&w->server), 0);
	explain(w, "web", "review_overdue");
	c = call(w, "status", NO_PAIRS);
	assert_true(hinted(c, "Grant g2 is overdue"));
	conn_end(c);
	expect(w, "reviewed", PAIRS("grant", "g1", "why", "x"), 1, "no grant");
	expect(w, "reviewed", PAIRS("grant", "g2"), 64, "why");
	expect(w, "reviewed", PAIRS("grant", "g2", "why", "still needed"), 0,
	       "is reviewed");
	explain(w, "web", NULL);
}

static void test_status(void **state)
{
	struct world *w = *state;
	struct conn *c = call(w, "status", NO_PAIRS);

	assert_int_equal(c->code, 1); /* rbacd-dir is not connected */
	assert_string_equal(out_text(&c->rows, "daemon", "version"), VMSEC_VERSION);
	assert_string_equal(out_text(&c->rows, "policy", "sha256"),
			    policy_sha256(w->server.policy));
	assert_string_equal(out_text(&c->rows, "hints", "severity"), "note");
	conn_end(c);
	c = call(w, "reload", NO_PAIRS);
	assert_int_equal(c->code, 1);
	assert_string_equal(out_text(&c->rows, "diagnostics", "message"),
			    "unknown key");
	conn_end(c);
}

#define TRY_NEW "path", "/p.yaml", "sha256", "a", "before", "b", "changes", "lost 0"

static void test_policy_try(void **state)
{
	struct world *w = *state;
	struct conn *c;

	expect(w, "policy-try", PAIRS(TRY_NEW), 64, "within");
	expect(w, "policy-try", PAIRS(TRY_NEW, "within", "4"), 64, "within");
	expect(w, "policy-try", PAIRS(TRY_NEW, "within", "86401"), 64, "within");
	expect(w, "policy-try",
	       PAIRS("path", "p.yaml", "sha256", "a", "before", "b", "changes", "c",
		     "within", "300"),
	       64, "absolute");
	expect(w, "policy-confirm", NO_PAIRS, 1, "Nothing has changed");
	c = call_on(w, conn_new(CONN_ADMIN, 1000), "policy-try",
		    PAIRS(TRY_NEW, "within", "300"));
	assert_int_equal(c->code, 1);
	assert_non_null(strstr(c->message, "Only root"));
	conn_end(c);
	c = call_on(w, conn_new(CONN_ADMIN, 1000), "policy-confirm", NO_PAIRS);
	assert_int_equal(c->code, 1);
	assert_non_null(strstr(c->message, "Only root"));
	conn_end(c);
	expect(w, "policy-try", PAIRS(TRY_NEW, "within", "300"), 1, "Nothing has");
}

/* A parked call is answered later, or cancelled when its connection goes. */
static void test_parked(void **state)
{
	struct world *w = *state;
	struct identity_person p;
	struct conn *c;

	directory.park = true;
	c = call(w, "enrol-begin", PAIRS("user", "alice"));
	assert_int_equal(c->code, -1);
	assert_false(c->finished);
	person_of("alice", &p);
	directory.ticket.done(directory.ticket.arg, 0, &p);
	assert_int_equal(c->code, 0);
	assert_int_equal(store_commit(w->server.store), 0);
	audit_committed(w->server.audit);
	conn_end(c);
	assert_false(directory.ticket.cancelled);

	c = call(w, "enrol-begin", PAIRS("user", "carol"));
	conn_end(c);
	assert_true(directory.ticket.cancelled);

	c = call(w, "reset", PAIRS("user", "alice"));
	directory.ticket.done(directory.ticket.arg, -ETIMEDOUT, NULL);
	assert_int_equal(c->code, 1);
	assert_non_null(strstr(c->message, "did not answer"));
	conn_end(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_enrol),		T(test_wrong_confirm), T(test_bad_calls),
		T(test_lost_phone),	T(test_left),	       T(test_my_status),
		T(test_busy_directory), T(test_explain),       T(test_password_expire),
		T(test_locks),		T(test_lock_ends),     T(test_reviewed),
		T(test_status),		T(test_policy_try),    T(test_parked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
