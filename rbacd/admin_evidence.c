/* SPDX-License-Identifier: Apache-2.0 */
/* admin_evidence.c - the legal hold, acknowledged alerts, metrics. */

#include <inttypes.h>

#include "policy/memtext.h"
#include "rbacd/admin_internal.h"

#include "rbacd/audit/retention.h"
#include "rbacd/metrics.h"

#define CHUNK 8192 /* of the metrics' text, a row */

void admin_run_hold(struct admin_req *req)
{
	const char *state = admin_arg(req, "state");
	bool hold = str_eq(state, "on");
	struct admin_change change = {.ev = "log.hold",
				      .op = hold ? "hold" : "release",
				      .object = state,
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_WARNING};
	int r;

	if (!hold && !str_eq(state, "off")) {
		admin_end(req, ADMIN_USAGE, "The hold is on or off.");
		return;
	}
	if (!admin_why_ok(req))
		return;
	r = audit_hold_set(req->server->store, hold);
	if (r != 0)
		admin_failed(req, "the hold could not be changed", r);
	else if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK, "%s",
			  hold ? "Nothing of the audit log is dropped any more."
			       : "What is older than audit: keep_days is dropped "
				 "again.");
}

void admin_run_alert_ack(struct admin_req *req)
{
	struct admin_change change = {.ev = "alert.ack",
				      .op = "ack",
				      .object = admin_arg(req, "seq"),
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_NOTICE};
	char by[32];
	int64_t seq = 0;
	int r;

	if (!admin_why_ok(req) ||
	    admin_arg_number(req, "seq", 1, INT64_MAX, 0, &seq) != 0)
		return;
	(void)snprintf(by, sizeof(by), "uid:%u", conn_peer_uid(req->conn)); /* fits */
	r = store_alert_ack(req->server->store, (uint64_t)seq, server_now_s(), by);
	if (r == STORE_E_NONE)
		admin_end(req, ADMIN_NO, "There is no open alert %" PRId64 ".", seq);
	else if (r != 0)
		admin_failed(req, "the alert could not be acknowledged", r);
	else if (admin_record(req, &change) == 0)
		admin_end(req, ADMIN_OK, "Alert %" PRId64 " is acknowledged.", seq);
}

void admin_run_metrics(struct admin_req *req)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *text = NULL;
	struct admin_row row;
	char chunk[CHUNK + 1];
	size_t len = 0;
	int r = memtext_open(&m);

	if (r == 0) {
		metrics_print(req->server, m.out);
		r = memtext_take(&m, &text, &len);
	}
	if (r != 0) {
		admin_end(req, ADMIN_NO, "Out of memory.");
		return;
	}
	for (size_t at = 0; at < len; at += CHUNK) {
		(void)snprintf(chunk, sizeof(chunk), "%.*s", CHUNK, text + at);
		admin_row_begin(&row, "metrics");
		wire_put_cell_text(&row.w, "text", chunk);
		admin_row_send(req, &row);
	}
	admin_end(req, ADMIN_OK, "%s", "");
}
