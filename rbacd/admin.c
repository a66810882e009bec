/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.c - calls on admin.sock and user.sock: dispatch, arguments, a call's life.
 *
 * A call that names a person is parked while rbacd-dir answers; the loop goes on.
 */

#include "rbacd/admin.h"

#include <errno.h>
#include <stdarg.h>

#include "rbacd/admin_internal.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"

#define ON_ADMIN (1u << CONN_ADMIN)
#define ON_USER	 (1u << CONN_USER)

struct admin_verb {
	const char *name;
	unsigned kinds;	     /* sockets it may arrive on */
	bool person;	     /* `user` is looked up first, when it is given */
	unsigned n_required; /* the first so many of @args */
	const char *args[8]; /* everything it takes; any other argument is refused */
	admin_run_fn run;
};

static const struct admin_verb admin_verbs[] = {
	{"status", ON_ADMIN, false, 0, {NULL}, admin_run_status},
	{"reload", ON_ADMIN, false, 0, {"rollback"}, admin_run_reload},
	{"policy-try",
	 ON_ADMIN,
	 false,
	 5,
	 {"path", "sha256", "before", "changes", "within"},
	 admin_run_policy_try},
	{"policy-confirm", ON_ADMIN, false, 0, {NULL}, admin_run_policy_confirm},
	{"users", ON_ADMIN, false, 0, {"from"}, admin_run_users},
	{"enrol-begin",
	 ON_ADMIN,
	 true,
	 1,
	 {"user", "algorithm", "digits", "period", "issuer", "name", "kind"},
	 admin_run_enrol_begin},
	{"enrol-confirm", ON_ADMIN, true, 2, {"user", "code"}, admin_run_enrol_confirm},
	{"disable", ON_ADMIN, true, 0, {"user", "id", "why"}, admin_run_disable},
	{"reset", ON_ADMIN, true, 0, {"user", "id", "why"}, admin_run_reset},
	{"factors", ON_ADMIN, true, 0, {"user", "id"}, admin_run_factors},
	{"factor-unlock",
	 ON_ADMIN,
	 true,
	 0,
	 {"user", "id", "why"},
	 admin_run_factor_unlock},
	{"factor-resync",
	 ON_ADMIN,
	 true,
	 3,
	 {"name", "first", "second", "user", "id", "why"},
	 admin_run_factor_resync},
	{"factor-remove",
	 ON_ADMIN,
	 true,
	 1,
	 {"name", "user", "id", "why"},
	 admin_run_factor_remove},
	{"enrol-key", ON_ADMIN, true, 2, {"user", "key", "name"}, admin_run_enrol_key},
	{"proofs", ON_ADMIN, true, 0, {"user", "id"}, admin_run_proofs},
	{"proofs-revoke",
	 ON_ADMIN,
	 true,
	 0,
	 {"user", "id", "all", "why"},
	 admin_run_proofs_revoke},
	{"bypass", ON_ADMIN, true, 4, {"user", "uses", "for", "why"}, admin_run_bypass},
	{"explain",
	 ON_ADMIN,
	 true,
	 3,
	 {"user", "vm", "privilege", "source", "target", "method"},
	 admin_run_explain},
	{"report-snapshot",
	 ON_ADMIN,
	 false,
	 2,
	 {"name", "sha256"},
	 admin_run_report_snapshot},
	{"audit-hold", ON_ADMIN, false, 1, {"state", "why"}, admin_run_hold},
	{"alert-ack", ON_ADMIN, false, 1, {"seq", "why"}, admin_run_alert_ack},
	{"metrics", ON_ADMIN, false, 0, {NULL}, admin_run_metrics},
	{"record", ON_ADMIN, false, 1, {"id"}, admin_run_record},
	{"directory", ON_ADMIN, false, 0, {"do", "why"}, admin_run_directory},
	{"lock", ON_ADMIN, true, 3, {"what", "for", "why", "user"}, admin_run_lock},
	{"unlock", ON_ADMIN, false, 2, {"what", "why"}, admin_run_unlock},
	{"locks", ON_ADMIN, false, 0, {NULL}, admin_run_locks},
	{"reviewed", ON_ADMIN, false, 2, {"grant", "why"}, admin_run_reviewed},
	{"import",
	 ON_ADMIN,
	 true,
	 2,
	 {"user", "uri", "codes", "skew", "owner", "from", "dry-run"},
	 admin_run_import},
	{"export", ON_ADMIN, true, 2, {"user", "code", "of", "why"}, admin_run_export},
	{"clock-accept", ON_ADMIN, false, 0, {"why"}, admin_run_clock_accept},
	{"key-status", ON_ADMIN, false, 0, {NULL}, admin_run_key_status},
	{"key-rotate", ON_ADMIN, false, 1, {"key", "why"}, admin_run_key_rotate},
	{"password-expire",
	 ON_ADMIN,
	 true,
	 2,
	 {"user", "why"},
	 admin_run_password_expire},
	{"password-status", ON_ADMIN, true, 0, {"user"}, admin_run_password_status},
	{"my-status", ON_USER, true, 1, {"user"}, admin_run_my_status},
};

/* ---------------------------------------------------------------- answers */

void admin_row_begin(struct admin_row *row, const char *table)
{
	wire_writer_begin(&row->w, row->buf, sizeof(row->buf), WIRE_ROW);
	wire_put_text(&row->w, WIRE_T_TABLE, table);
}

void admin_row_send(struct admin_req *req, struct admin_row *row)
{
	size_t len = 0;

	if (wire_writer_end(&row->w, &len) != 0)
		req->incomplete = true;
	else if (req->conn)
		conn_queue(req->conn, row->buf, len);
	explicit_bzero(row->buf, sizeof(row->buf));
}

void admin_end(struct admin_req *req, enum admin_exit code, const char *fmt, ...)
{
	static const char cut[] =
		"The answer is incomplete: a row was too long to send.";
	struct wire_writer w;
	uint8_t buf[2048];
	char text[1024];
	size_t len;
	va_list ap;

	if (req->ended)
		return;
	req->ended = true;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut sentence still tells */
	va_end(ap);
	if (code == ADMIN_OK && req->incomplete)
		code = ADMIN_NO;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_END);
	wire_put_u32(&w, WIRE_T_EXIT, (uint32_t)code);
	if (req->incomplete)
		wire_put_text(&w, WIRE_T_MESSAGE, cut);
	else if (*text)
		wire_put_text(&w, WIRE_T_MESSAGE, text);
	if (!req->conn)
		return;
	if (wire_writer_end(&w, &len) == 0)
		conn_queue(req->conn, buf, len);
	conn_finish(req->conn);
}

/* ---------------------------------------------------------------- arguments */

const char *admin_arg(const struct admin_req *req, const char *name)
{
	const char *v = wire_call_arg(&req->call, name);

	return v && *v ? v : NULL;
}

int admin_arg_number(struct admin_req *req, const char *name, int64_t min, int64_t max,
		     int64_t fallback, int64_t *ret)
{
	const char *text = admin_arg(req, name);
	char *end = NULL;
	long long v;

	if (!text) {
		*ret = fallback;
		return 0;
	}
	errno = 0;
	v = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
	if (!end || *end || errno != 0 || v < min || v > max) {
		admin_end(req, ADMIN_USAGE, "%s must be a number from %lld to %lld.",
			  name, (long long)min, (long long)max);
		return -EINVAL;
	}
	*ret = v;
	return 0;
}

static bool takes_arg(const struct admin_verb *verb, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verb->args) && verb->args[i]; i++)
		if (str_eq(verb->args[i], name))
			return true;
	return false;
}

/* False: refused, and END says which argument. */
static bool args_ok(struct admin_req *req)
{
	char quoted[LOG_QUOTED_MAX];

	for (size_t i = 0; i < req->call.n_args; i++)
		if (!takes_arg(req->verb, req->call.args[i].name)) {
			admin_end(req, ADMIN_USAGE, "%s takes no argument %s.",
				  req->verb->name,
				  log_quote(req->call.args[i].name, quoted));
			return false;
		}
	for (unsigned i = 0; i < req->verb->n_required; i++)
		if (!admin_arg(req, req->verb->args[i])) {
			admin_end(req, ADMIN_USAGE, "%s needs the argument %s.",
				  req->verb->name, req->verb->args[i]);
			return false;
		}
	return true;
}

static const struct admin_verb *find_verb(const char *name, enum conn_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(admin_verbs); i++)
		if (str_eq(admin_verbs[i].name, name) &&
		    (admin_verbs[i].kinds & 1u << kind))
			return &admin_verbs[i];
	return NULL;
}

/* ---------------------------------------------------------------- changes of state */

void admin_failed(struct admin_req *req, const char *what, int error)
{
	server_turn_lost(req->server, error);
	if (error == STORE_E_FULL)
		admin_end(req, ADMIN_NO,
			  "%s: the disk of the database is full, nothing was changed. "
			  "Make "
			  "room, then try again.",
			  what);
	else
		admin_end(req, ADMIN_NO,
			  "%s: internal error %d, nothing was changed. Look at rbacd's "
			  "log.",
			  what, error);
}

void admin_unreadable(struct admin_req *req, int error)
{
	admin_end(
		req, ADMIN_NO,
		"The people of the database could not be read (error %d). See: rbacctl "
		"status",
		error);
}

int admin_record(struct admin_req *req, const struct admin_change *change)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char actor[32], id[AUDIT_ID_MAX + 1];
	uint32_t uid = req->conn ? conn_peer_uid(req->conn) : UINT32_MAX;
	int r;

	(void)snprintf(actor, sizeof(actor), "uid:%u", uid); /* always fits */
	ev.ev = change->ev;
	ev.sev = change->sev;
	ev.outcome = change->reason ? AUDIT_FAILURE : AUDIT_SUCCESS;
	ev.reason = change->reason;
	ev.user = change->user;
	ev.uid = change->id;
	ev.actor = actor;
	ev.op = change->op;
	ev.object = change->object ? change->object : change->id;
	ev.reason_text = change->why;
	r = audit_append(req->server->audit, &ev, server_now_us(), id);
	if (r != 0)
		admin_failed(req, "the audit record could not be written", r);
	return r;
}

/* ---------------------------------------------------------------- a call's life */

static void req_free(struct admin_req *req)
{
	identity_cancel(req->ticket);
	identity_person_done(&req->person);
	explicit_bzero(req, sizeof(*req));
	free(req);
}

static void on_gone(void *arg)
{
	req_free(arg);
}

static void run(struct admin_req *req)
{
	req->verb->run(req);
	/* A handler that answers nothing is a bug; the caller must not wait for it. */
	admin_end(req, ADMIN_NO, "%s gave no answer.", req->verb->name);
	explicit_bzero(&req->call, sizeof(req->call));
}

static void copy_person(struct identity_person *dst, const struct identity_person *src)
{
	*dst = *src;
	dst->groups = NULL;
	dst->unknown = NULL;
	dst->n_groups = dst->n_unknown = 0;
}

static int copy_list(uint32_t **ret, size_t *ret_n, const uint32_t *from, size_t n)
{
	if (n == 0)
		return 0;
	*ret = calloc(n, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, from, n * sizeof(**ret));
	*ret_n = n;
	return 0;
}

static void on_person(void *arg, int error, const struct identity_person *p)
{
	struct admin_req *req = arg;

	req->ticket = NULL;
	if (error == 0 && p) {
		copy_person(&req->person, p);
		error = copy_list(&req->person.groups, &req->person.n_groups, p->groups,
				  p->n_groups);
		if (error == 0)
			error = copy_list(&req->person.unknown, &req->person.n_unknown,
					  p->unknown, p->n_unknown);
	}
	if (error != 0 || !p)
		admin_end(req, ADMIN_NO,
			  "The directory did not answer about %s (error %d). Is "
			  "rbacd-dir "
			  "running? See: rbacctl status",
			  admin_arg(req, "user"), error);
	else
		run(req);
}

/*
 * Anybody may ask user.sock about any name, and hang up; a look-up goes on without him.
 * So his come after everybody else's: logins wait for the same rbacd-dir.
 */
static bool must_wait(const struct admin_req *req)
{
	return conn_get_kind(req->conn) == CONN_USER &&
	       identity_pending(req->server->identity) >= LIMIT_USER_LOOKUPS;
}

/* Looks the named person up, now or later, and runs the verb. True: parked. */
static bool with_person(struct admin_req *req, const char *login)
{
	int r;

	if (must_wait(req)) {
		admin_end(req, ADMIN_NO, "Too busy at the moment. Try again later.");
		return false;
	}
	r = identity_lookup(req->server->identity, login, server_now_s(), on_person,
			    req, &req->person, &req->ticket);

	if (r == 0) {
		run(req);
		return false;
	}
	if (r == IDENTITY_E_PENDING) {
		req->parked = true;
		conn_on_gone(req->conn, on_gone, req);
		return true;
	}
	admin_end(req, ADMIN_NO, "%s could not be looked up: internal error %d.", login,
		  r);
	return false;
}

void admin_call(struct server *server, struct conn *c, const struct wire_call *call)
{
	struct admin_req *req = calloc(1, sizeof(*req));
	const char *login;
	bool parked = false;

	if (!req) { /* no memory even to say so: the caller sees the connection end */
		conn_finish(c);
		return;
	}
	req->server = server;
	req->conn = c;
	req->call = *call;
	req->person = (struct identity_person)IDENTITY_PERSON_INIT;
	req->verb = find_verb(call->verb, conn_get_kind(c));
	if (!req->verb)
		admin_end(req, ADMIN_USAGE,
			  "This rbacd (" VMSEC_VERSION
			  ") does not know this call here.");
	else if (args_ok(req)) {
		login = req->verb->person ? admin_arg(req, "user") : NULL;
		if (login)
			parked = with_person(req, login);
		else
			run(req);
	}
	if (!parked)
		req_free(req);
}
