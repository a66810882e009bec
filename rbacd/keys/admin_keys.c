/* SPDX-License-Identifier: Apache-2.0 */
/* admin_keys.c - calls about the master key: which one counts, and another one. */
#include <errno.h>
#include <inttypes.h>

#include "rbacd/admin_internal.h"
#include "rbacd/keys/rotation.h"

static void send_key(struct admin_req *req, const struct keyring_counts *n)
{
	struct admin_row row;

	admin_row_begin(&row, "key");
	wire_put_cell_text(&row.w, "key", seal_key_id(req->server->seal));
	wire_put_cell_int(&row.w, "factors", (int64_t)n->n_factors);
	wire_put_cell_int(&row.w, "unreadable", (int64_t)n->n_foreign);
	admin_row_send(req, &row);
}

void admin_run_key_status(struct admin_req *req)
{
	struct keyring_counts n = {0};
	int r = keyring_count(req->server->store, req->server->seal, &n);

	if (r != 0) {
		admin_unreadable(req, r);
		return;
	}
	send_key(req, &n);
	admin_end(req, ADMIN_OK, "%s", "");
}

static bool read_key(struct admin_req *req, struct secret *ret)
{
	_cleanup_secret_ struct secret text = SECRET_INIT;
	const char *arg = admin_arg(req, "key");

	text.len = strlen(arg);
	if (text.len == 64)
		memcpy(text.bytes, arg, text.len);
	if (text.len == 64 && seal_parse_key(&text, ret) == 0)
		return true;
	admin_end(req, ADMIN_USAGE, "key must be 64 hex digits.");
	return false;
}

/* Only root: whoever rotates must also leave the key where rbacd finds it. */
void admin_run_key_rotate(struct admin_req *req)
{
	_cleanup_secret_ struct secret key = SECRET_INIT;
	char before[24], text[80];
	struct admin_change change = {.ev = "admin.key",
				      .op = "rotate",
				      .object = text,
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_WARNING};
	struct keyring_counts n = {0};
	int r;

	if (conn_peer_uid(req->conn) != 0) {
		admin_end(req, ADMIN_NO, "Only root can rotate the master key.");
		return;
	}
	if (!admin_why_ok(req) || !read_key(req, &key))
		return;
	(void)snprintf(before, sizeof(before), "%s", seal_key_id(req->server->seal));
	r = rotation_run(req->server, &key, &n);
	if (r == ROTATION_E_SAME || r == ROTATION_E_BUSY) {
		admin_end(req, ADMIN_NO,
			  r == ROTATION_E_SAME ? "That is the master key in use."
					       : "A rotation goes on. Try again.");
		return;
	}
	if (r != 0) {
		admin_failed(req, "the master key could not be rotated", r);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s to %s", before,
		       seal_key_id(req->server->seal)); /* fits */
	if (admin_record(req, &change) != 0)
		return;
	send_key(req, &n);
	admin_end(req, ADMIN_OK,
		  "%" PRIu64 " factors are sealed under master key %s now.%s",
		  n.n_factors, seal_key_id(req->server->seal),
		  n.n_foreign > 0 ? " Some opened before under no key, and do not now."
				  : "");
}
