/* SPDX-License-Identifier: Apache-2.0 */
/* admin_policy.c - which policy decides: reload, a try and its confirmation. */

#include "rbacd/admin_internal.h"

#define TRY_MIN_S 5
#define TRY_MAX_S 86400

static void send_diags(struct admin_req *req, const struct diags *diag)
{
	struct admin_row row;

	for (size_t i = 0; i < diag->n; i++) {
		const struct diag *d = &diag->v[i];

		admin_row_begin(&row, "diagnostics");
		wire_put_cell_text(&row.w, "file", d->file);
		wire_put_cell_int(&row.w, "line", d->line);
		wire_put_cell_int(&row.w, "column", d->column);
		wire_put_cell_text(&row.w, "message", d->msg);
		admin_row_send(req, &row);
	}
}

static void send_active(struct admin_req *req, const char *path)
{
	const struct policy *policy = req->server->policy;
	struct admin_row row;

	admin_row_begin(&row, "policy");
	wire_put_cell_text(&row.w, "path", path);
	wire_put_cell_int(&row.w, "serial", (int64_t)policy_serial(policy));
	wire_put_cell_text(&row.w, "sha256", policy_sha256(policy));
	admin_row_send(req, &row);
}

void admin_run_reload(struct admin_req *req)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct server *s = req->server;
	const char *rollback = admin_arg(req, "rollback");
	char actor[32];
	int r;

	if (rollback && !str_eq(rollback, "yes")) {
		admin_end(req, ADMIN_USAGE, "rollback must be yes.");
		return;
	}
	(void)snprintf(actor, sizeof(actor), "uid:%u",
		       conn_peer_uid(req->conn)); /* fits */
	r = server_reload(s, actor, rollback != NULL, &diag);
	send_diags(req, &diag);
	if (r == POLICY_E_INVALID) {
		admin_end(req, ADMIN_NO, "%s was not loaded; %s. Nothing has changed.",
			  s->config->policy,
			  s->policy ? "the policy loaded before goes on"
				    : "there is no valid policy, everybody is refused");
		return;
	}
	if (r < 0)
		server_turn_lost(s, r); /* half of its record may be in the turn */
	if (r != 0 || !s->policy) {
		admin_end(req, ADMIN_NO, "The policy could not be loaded: error %d.",
			  r);
		return;
	}
	send_active(req, s->config->policy);
	admin_end(req, ADMIN_OK, "The policy is active.");
}

/* ---------------------------------------------------------------- a try */

/* Whoever may write the configured policy, and nobody else: a path is taken here. */
static bool is_root(struct admin_req *req)
{
	if (conn_peer_uid(req->conn) == 0)
		return true;
	admin_end(req, ADMIN_NO, "Only root may do this.");
	return false;
}

static bool try_args(struct admin_req *req, struct policy_try *want)
{
	want->path = admin_arg(req, "path");
	want->sha = admin_arg(req, "sha256");
	want->before_sha = admin_arg(req, "before");
	want->text = admin_arg(req, "changes");
	if (admin_arg_number(req, "within", TRY_MIN_S, TRY_MAX_S, 0, &want->within_s) !=
	    0)
		return false;
	if (*want->path == '/' &&
	    strlen(want->path) < sizeof(req->server->trial.path) &&
	    strlen(want->text) <= TRIAL_TEXT_MAX)
		return true;
	admin_end(req, ADMIN_USAGE,
		  "path must be absolute, path and changes not long.");
	return false;
}

/* True: done, and the caller tells it. */
static bool went_well(struct admin_req *req, int r, const struct diags *diag)
{
	if (r == 0)
		return true;
	send_diags(req, diag);
	if (r > 0)
		admin_end(req, ADMIN_NO, "Refused. Nothing has changed.");
	else
		admin_failed(req, "the policy could not be changed", r);
	return false;
}

void admin_run_policy_try(struct admin_req *req)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct server *s = req->server;
	struct policy_try want;

	if (!is_root(req) || !try_args(req, &want) ||
	    !went_well(req, server_policy_try(s, "uid:0", &want, &diag), &diag))
		return;
	send_active(req, want.path);
	admin_end(req, ADMIN_OK,
		  "The policy is active for %d s. To keep it: rbacctl policy confirm",
		  server_trial_left_s(s));
}

void admin_run_policy_confirm(struct admin_req *req)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct server *s = req->server;

	if (!is_root(req) ||
	    !went_well(req, server_policy_confirm(s, "uid:0", &diag), &diag))
		return;
	send_active(req, s->config->policy);
	admin_end(req, ADMIN_OK, "The policy is confirmed and stays.");
}
