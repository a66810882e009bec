/* SPDX-License-Identifier: Apache-2.0 */
/* admin_password.c - calls about passwords: demand a change, say how they stand. */

#include "rbacd/admin_internal.h"
#include "rbacd/log.h"
#include "rbacd/password/ageing.h"
#include "rbacd/password/flow.h"
#include "rbacd/password/worker.h"

#define TOLD_S (7 * 86400) /* so long a change without its confirmation is told */

static void read_rules(const struct server *s, struct password_rules *ret)
{
	*ret = (struct password_rules){0};
	if (s->policy)
		policy_password(s->policy, ret);
}

/* ---------------------------------------------------------------- expire */

static int demand(struct admin_req *req)
{
	struct store_password p;
	int r = store_password_get(req->server->store, req->person.id, &p);

	if (r == STORE_E_NONE) {
		p = (struct store_password){.seen_s = server_now_s()};
		(void)snprintf(p.person, sizeof(p.person), "%s", req->person.id);
	} else if (r != 0) {
		return r;
	}
	(void)snprintf(p.login, sizeof(p.login), "%s", req->person.login);
	p.forced = AGEING_DEMANDED;
	p.forced_s = server_now_s();
	(void)snprintf(p.forced_by, sizeof(p.forced_by), "uid:%u",
		       req->conn ? conn_peer_uid(req->conn) : UINT32_MAX);
	(void)snprintf(p.forced_why, sizeof(p.forced_why), "%s", admin_arg(req, "why"));
	return store_password_put(req->server->store, &p);
}

void admin_run_password_expire(struct admin_req *req)
{
	const struct admin_change change = {.ev = "admin.password",
					    .op = "expire",
					    .user = req->person.login,
					    .id = req->person.id,
					    .why = admin_arg(req, "why"),
					    .sev = AUDIT_NOTICE};
	struct password_rules rules;
	char quoted[LOG_QUOTED_MAX];
	int r;

	if (!admin_why_ok(req))
		return;
	read_rules(req->server, &rules);
	if (!req->person.known) {
		admin_end(req, ADMIN_NO,
			  "The directory (source %s) knows nobody called %s.",
			  req->person.source,
			  log_quote(admin_arg(req, "user"), quoted));
		return;
	}
	if (!rules.preset) {
		admin_end(req, ADMIN_NO,
			  "The policy has no 'password' section: nothing could check a "
			  "new password. See vmsec-policy(5).");
		return;
	}
	r = demand(req);
	if (r != 0)
		admin_failed(req, "the demand could not be stored", r);
	else if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK,
			  "%s must choose a new password at the next login with one. "
			  "Logins with a key go on.",
			  req->person.login);
}

/* ---------------------------------------------------------------- status */

struct listing {
	struct admin_req *req;
	struct password_rules rules;
	const char *user; /* NULL: everybody */
	size_t n;
};

static int send_password(const struct store_password *p, void *arg)
{
	struct listing *l = arg;
	struct admin_row row;
	struct ageing a;

	if (l->user && !str_eq(p->login, l->user) &&
	    !(l->req->person.known && str_eq(p->person, l->req->person.id)))
		return 0;
	l->n++;
	ageing_read(&l->rules, p, server_now_s(), &a);
	admin_row_begin(&row, "passwords");
	wire_put_cell_text(&row.w, "user", p->login);
	if (p->changed_s > 0)
		wire_put_cell_time(&row.w, "changed", p->changed_s);
	else
		wire_put_cell_text(&row.w, "changed", NULL);
	wire_put_cell_int(&row.w, "age_days", a.age_d);
	if (a.left_d >= 0)
		wire_put_cell_int(&row.w, "days_left", a.left_d);
	else
		wire_put_cell_text(&row.w, "days_left", NULL);
	wire_put_cell_text(&row.w, "demanded", ageing_reason(a.why));
	wire_put_cell_text(&row.w, "by", *p->forced_by ? p->forced_by : NULL);
	wire_put_cell_text(&row.w, "why", *p->forced_why ? p->forced_why : NULL);
	admin_row_send(l->req, &row);
	return 0;
}

void admin_run_password_status(struct admin_req *req)
{
	struct listing l = {.req = req, .user = admin_arg(req, "user")};
	char quoted[LOG_QUOTED_MAX];
	int r;

	read_rules(req->server, &l.rules);
	r = store_password_each(req->server->store, send_password, &l);
	if (r != 0)
		admin_end(req, ADMIN_NO, "The passwords could not be read (error %d).",
			  r);
	else if (l.user && l.n == 0)
		admin_end(req, ADMIN_NO, "vmsec has seen no password of %s yet.",
			  log_quote(l.user, quoted));
	else
		admin_end(req, ADMIN_OK, "%s",
			  l.rules.preset ? "" : PASSWORD_NO_SECTION);
}

/* ---------------------------------------------------------------- of rbacctl status */

static int count(const struct store_password *p, void *arg)
{
	struct admin_passwords *c = arg;
	int64_t since_s = server_now_s() - p->ticket_s;

	c->n++;
	c->n_demanded += p->forced != AGEING_NONE;
	c->n_unconfirmed +=
		p->ticket_s > 0 && since_s > PASSWORD_TICKET_S && since_s < TOLD_S;
	return 0;
}

int admin_send_passwords(struct admin_req *req, struct admin_passwords *ret)
{
	const struct server *s = req->server;
	struct password_rules rules;
	struct worker_stats stats;
	struct admin_row row;
	int r;

	*ret = (struct admin_passwords){0};
	r = store_password_each(s->store, count, ret);
	if (r != 0)
		return r;
	read_rules(s, &rules);
	ret->has_rules = rules.preset;
	worker_pool_stats(s->passwords, &stats);
	admin_row_begin(&row, "passwords");
	wire_put_cell_text(&row.w, "preset", rules.preset);
	wire_put_cell_int(&row.w, "known", (int64_t)ret->n);
	wire_put_cell_int(&row.w, "demanded", (int64_t)ret->n_demanded);
	wire_put_cell_int(&row.w, "unconfirmed", (int64_t)ret->n_unconfirmed);
	wire_put_cell_int(&row.w, "checked", (int64_t)stats.n_checked);
	wire_put_cell_int(&row.w, "failed", (int64_t)stats.n_failed);
	wire_put_cell_int(&row.w, "timed_out", (int64_t)stats.n_timed_out);
	wire_put_cell_int(&row.w, "waiting", (int64_t)stats.n_waiting);
	admin_row_send(req, &row);
	return 0;
}
