/* SPDX-License-Identifier: Apache-2.0 */
/* admin_report.c - the call that puts a kept snapshot's hash into the log. */
#include "rbacd/admin_internal.h"

#define NAME_MAX_LEN 64

/* "2026-11-21T050000Z.vmsec": digits, '-', 'T', 'Z', '.' and small letters. */
static bool name_ok(const char *name)
{
	return strlen(name) <= NAME_MAX_LEN &&
	       strspn(name, "0123456789-TZ.abcdefghijklmnopqrstuvwxyz") == strlen(name);
}

static bool sha256_ok(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

void admin_run_report_snapshot(struct admin_req *req)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	const char *name = admin_arg(req, "name"), *sha256 = admin_arg(req, "sha256");
	char actor[32], id[AUDIT_ID_MAX + 1];
	int r;

	if (!name_ok(name) || !sha256_ok(sha256)) {
		admin_end(req, ADMIN_USAGE, "This is no snapshot's name and sha256.");
		return;
	}
	(void)snprintf(actor, sizeof(actor), "uid:%u",
		       req->conn ? conn_peer_uid(req->conn) : UINT32_MAX); /* fits */
	ev.ev = "report.snapshot";
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.actor = actor;
	ev.op = "report.snapshot";
	ev.object = name;
	ev.after_sha = sha256;
	r = audit_append(req->server->audit, &ev, server_now_us(), id);
	if (r != 0) {
		admin_failed(req, "the audit record could not be written", r);
		return;
	}
	admin_end(req, ADMIN_OK, "%s is recorded.", name);
}
