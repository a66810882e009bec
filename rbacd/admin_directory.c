/* SPDX-License-Identifier: Apache-2.0 */
/* admin_directory.c - the directory: its state, its guard's orders, its records. */

#include <errno.h>

#include "rbacd/admin_internal.h"
#include "rbacd/log.h"

/* ------------------------------------------------------------------- records */

void admin_directory_notice(void *arg, const char *event, const char *text)
{
	static const struct {
		const char *event, *ev;
		enum audit_sev sev;
		enum audit_outcome outcome;
	} kinds[] = {
		{"offline", "directory.outage", AUDIT_WARNING, AUDIT_FAILURE},
		{"online", "directory.recovery", AUDIT_NOTICE, AUDIT_SUCCESS},
		{"guard", "directory.held", AUDIT_ALERT, AUDIT_FAILURE},
		{"release", "directory.released", AUDIT_NOTICE, AUDIT_SUCCESS},
		{"accepted", "directory.accepted", AUDIT_WARNING, AUDIT_SUCCESS},
		{"people", "directory.account", AUDIT_ALERT, AUDIT_FAILURE},
		{"group", "directory.group", AUDIT_ALERT, AUDIT_FAILURE},
	};
	struct server *s = arg;
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1], quoted[LOG_QUOTED_MAX];
	int r;

	ev.ev = "directory.other";
	ev.sev = AUDIT_WARNING;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(kinds[i].event, event)) {
			ev.ev = kinds[i].ev;
			ev.sev = kinds[i].sev;
			ev.outcome = kinds[i].outcome;
		}
	ev.vm = s->config->vm;
	ev.dec_src = "ldap";
	ev.reason_text = text;
	log_warning("%s %s", ev.ev, log_quote(text, quoted));
	r = audit_append(s->audit, &ev, server_now_us(), id);
	if (r != 0)
		server_turn_lost(s, r);
}

/* -------------------------------------------------------------------- status */

static void send_facts(struct admin_req *req, const struct identity_status *d)
{
	const char *name, *text;
	struct admin_row row;

	admin_row_begin(&row, "directory");
	wire_put_cell_text(&row.w, "source", d->source);
	wire_put_cell_bool(&row.w, "connected", d->connected);
	if (d->age_s >= 0)
		wire_put_cell_int(&row.w, "age_s", d->age_s);
	else
		wire_put_cell_text(&row.w, "age_s", NULL);
	wire_put_cell_int(&row.w, "accounts", (int64_t)d->n_people);
	wire_put_cell_int(&row.w, "snapshot_bytes", (int64_t)d->snapshot_bytes);
	wire_put_cell_int(&row.w, "incomplete_groups", (int64_t)d->n_incomplete);
	for (size_t i = 0; i < d->n_facts; i++) {
		identity_fact(req->server->identity, i, &name, &text);
		wire_put_cell_text(&row.w, name, *text ? text : NULL);
	}
	wire_put_cell_text(&row.w, "problem", *d->problem ? d->problem : NULL);
	admin_row_send(req, &row);
}

static void send_groups(struct admin_req *req, size_t n, int64_t now_s)
{
	struct identity_group g;
	struct admin_row row;

	for (size_t i = 0; i < n; i++) {
		bool found = identity_group(req->server->identity, i, now_s, &g);

		admin_row_begin(&row, "groups");
		wire_put_cell_text(&row.w, "group", g.name);
		wire_put_cell_bool(&row.w, "complete", found && g.usable);
		wire_put_cell_int(&row.w, "people", g.n_members);
		wire_put_cell_int(&row.w, "age_s", g.age_s);
		wire_put_cell_text(&row.w, "id", *g.id ? g.id : NULL);
		admin_row_send(req, &row);
	}
}

static void send_status(struct admin_req *req)
{
	struct identity_status d;
	int64_t now_s = server_now_s();

	identity_status(req->server->identity, now_s, &d);
	send_facts(req, &d);
	send_groups(req, d.n_groups, now_s);
	if (!d.connected)
		admin_end(req, ADMIN_NO, "rbacd-dir is not connected.");
	else if (d.age_s < 0)
		admin_end(req, ADMIN_NO, "Nothing is known of the directory yet.");
	else
		admin_end(req, ADMIN_OK, "%s", "");
}

static void send_order(struct admin_req *req, const char *what)
{
	const struct admin_change change = {.ev = str_eq(what, "accept")
							  ? "admin.directory_accept"
							  : "admin.directory_reject",
					    .op = what,
					    .why = admin_arg(req, "why"),
					    .sev = AUDIT_WARNING};
	const struct identity *id = req->server->identity;
	int r;

	if (*identity_find_fact(id, "state") && !*identity_find_fact(id, "held")) {
		admin_end(req, ADMIN_NO, "The guard holds nothing.");
		return;
	}
	r = identity_order(req->server->identity, what);
	if (r == -ENOTCONN) {
		admin_end(
			req, ADMIN_NO,
			"There is nobody to tell: the source is not ldap, or rbacd-dir "
			"is not connected.");
		return;
	}
	if (r != 0) {
		admin_failed(req, "rbacd-dir could not be told", r);
		return;
	}
	if (admin_record(req, &change) != 0)
		return;
	admin_end(
		req, ADMIN_OK, "%s",
		str_eq(what, "accept")
			? "What the guard holds is applied: rbacctl directory status"
			: "The changes stay held until the directory is within bounds "
			  "again.");
}

void admin_run_directory(struct admin_req *req)
{
	const char *what = admin_arg(req, "do");

	if (!what)
		send_status(req);
	else if (str_eq(what, "accept") || str_eq(what, "reject"))
		send_order(req, what);
	else
		admin_end(req, ADMIN_USAGE, "do must be accept or reject.");
}
