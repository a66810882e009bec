/* SPDX-License-Identifier: Apache-2.0 */
/* admin_clock.c - the call by which an administrator vouches for the time. */
#include "rbacd/admin_internal.h"
#include "rbacd/clock/clock.h"

void admin_run_clock_accept(struct admin_req *req)
{
	struct server *s = req->server;
	bool done = false;
	char actor[32];
	int rc;

	if (!admin_why_ok(req))
		return;
	(void)snprintf(actor, sizeof(actor), "uid:%u", conn_peer_uid(req->conn));
	rc = clock_accept(s, actor, admin_arg(req, "why"), &done);
	if (rc != 0)
		admin_failed(req, "the clock could not be accepted", rc);
	else if (clock_unsure(s))
		admin_end(
			req, ADMIN_NO,
			"The configuration wants the clock synchronised (require_sync)"
			", and the kernel does not say that it is.");
	else
		admin_end(req, ADMIN_OK, "%s",
			  done ? "The time is accepted: time-based codes hold, and "
				 "what is "
				 "kept ages by it."
			       : "The clock is trusted: there is nothing to accept.");
}
