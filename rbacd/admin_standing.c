/* SPDX-License-Identifier: Apache-2.0 */
/* admin_standing.c - calls about what stands beside the policy: locks and reviews. */

#include <errno.h>

#include "policy/view.h"
#include "rbacd/admin_internal.h"
#include "rbacd/clock/forget.h"
#include "rbacd/log.h"
#include "rbacd/standing.h"

#define LOCK_MIN_S 60
#define LOCK_MAX_S (366 * 86400)

/* False: refused, END is queued. What stands beside the policy needs a reason. */
static bool why_given(struct admin_req *req)
{
	if (admin_arg(req, "why"))
		return admin_why_ok(req);
	admin_end(req, ADMIN_USAGE, "A reason of 1 to %d bytes is needed: --why TEXT.",
		  ADMIN_WHY_MAX);
	return false;
}

static bool vm_exists(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < policy_vm_count(p); i++)
		if (str_eq(policy_vm_at(p, i), name))
			return true;
	return false;
}

static bool role_exists(const struct policy *p, const char *name)
{
	struct policy_role role;

	for (size_t i = 0; policy_role_at(p, i, &role); i++)
		if (str_eq(role.name, name))
			return true;
	return false;
}

/* A lock that can match nobody would only look like one. */
static bool means_something(const struct server *s, const struct policy_lock *lock)
{
	uint32_t ignored;

	switch (lock->kind) {
	case POLICY_LOCK_USER:
	case POLICY_LOCK_FACTOR:
		return true;
	case POLICY_LOCK_GROUP:
		return s->policy &&
		       policy_group_find(s->policy, lock->name, &ignored) == 0;
	case POLICY_LOCK_ROLE:
		return s->policy && role_exists(s->policy, lock->name);
	case POLICY_LOCK_VM:
		return s->policy && vm_exists(s->policy, lock->name);
	}
	return false;
}

/* False: refused, END is queued. @text: the canonical form of the argument. */
static bool read_what(struct admin_req *req, struct policy_lock *lock,
		      char text[POLICY_LOCK_TEXT_MAX])
{
	const char *what = admin_arg(req, "what");
	char quoted[LOG_QUOTED_MAX];

	if (policy_lock_parse(what, lock) == 0) {
		policy_lock_text(lock, text);
		return true;
	}
	admin_end(req, ADMIN_USAGE,
		  "%s is not USER, group:NAME, role:NAME, vm:NAME or factor:METHOD "
		  "(totp, recovery, security-key).",
		  log_quote(what, quoted));
	return false;
}

/* Records a change and makes it hold at once. False: END is queued. */
static bool take_effect(struct admin_req *req, const char *op, const char *object)
{
	struct admin_change change = {.ev = "admin.lock",
				      .op = op,
				      .object = object,
				      .why = admin_arg(req, "why"),
				      .sev = AUDIT_NOTICE};
	int rc;

	if (admin_record(req, &change) != 0)
		return false;
	rc = standing_refresh(req->server);
	if (rc != 0)
		admin_failed(req, "locks and reviews could not be read", rc);
	return rc == 0;
}

static void fill_by(const struct admin_req *req, char *by, size_t cap)
{
	(void)snprintf(by, cap, "uid:%u", conn_peer_uid(req->conn)); /* fits */
}

/* Locks that are over make room. */
static int put_lock(struct server *s, const struct store_lock *row)
{
	int rc = store_lock_put(s->store, row);

	if (rc != STORE_E_LIMIT)
		return rc;
	rc = forget_locks(s);
	return rc == 0 ? store_lock_put(s->store, row) : rc;
}

void admin_run_lock(struct admin_req *req)
{
	struct store_lock row = {.at_s = server_now_s()};
	struct policy_lock lock;
	int64_t for_s;
	int rc;

	if (!why_given(req) || !read_what(req, &lock, row.what) ||
	    admin_arg_number(req, "for", LOCK_MIN_S, LOCK_MAX_S, 0, &for_s) != 0)
		return;
	if (!means_something(req->server, &lock)) {
		admin_end(req, ADMIN_NO,
			  "The active policy names no %s: nothing was locked.",
			  row.what);
		return;
	}
	if (req->person.known && lock.kind == POLICY_LOCK_USER)
		(void)snprintf(row.person, sizeof(row.person), "%s", req->person.id);
	fill_by(req, row.by, sizeof(row.by));
	(void)snprintf(row.why, sizeof(row.why), "%s", admin_arg(req, "why"));
	row.until_s = row.at_s + for_s;
	rc = put_lock(req->server, &row);
	if (rc == STORE_E_LIMIT)
		admin_end(req, ADMIN_NO, "There are %d locks already; unlock some.",
			  STORE_LOCKS_MAX);
	else if (rc != 0)
		admin_failed(req, "the lock could not be stored", rc);
	else if (take_effect(req, "lock", row.what))
		admin_end(req, ADMIN_OK,
			  "%s is locked for %lld s. Open sessions go on; end it "
			  "earlier with: rbacctl unlock %s --why TEXT",
			  row.what, (long long)for_s, row.what);
}

void admin_run_unlock(struct admin_req *req)
{
	char text[POLICY_LOCK_TEXT_MAX];
	struct policy_lock lock;
	int rc;

	if (!why_given(req) || !read_what(req, &lock, text))
		return;
	rc = store_lock_delete(req->server->store, text);
	if (rc == STORE_E_NONE)
		admin_end(req, ADMIN_NO, "%s is not locked.", text);
	else if (rc != 0)
		admin_failed(req, "the lock could not be removed", rc);
	else if (take_effect(req, "unlock", text))
		admin_end(req, ADMIN_OK, "%s is unlocked.", text);
}

static int send_lock(const struct store_lock *lock, void *arg)
{
	struct admin_row row;

	if (lock->until_s <= server_now_s())
		return 0; /* over; forget.c drops it */
	admin_row_begin(&row, "locks");
	wire_put_cell_text(&row.w, "what", lock->what);
	wire_put_cell_time(&row.w, "until", lock->until_s);
	wire_put_cell_text(&row.w, "by", lock->by);
	wire_put_cell_text(&row.w, "why", lock->why);
	admin_row_send(arg, &row);
	return 0;
}

int admin_send_locks(struct admin_req *req)
{
	return store_lock_each(req->server->store, send_lock, req);
}

void admin_run_locks(struct admin_req *req)
{
	int rc = admin_send_locks(req);

	if (rc != 0)
		admin_end(req, ADMIN_NO, "The locks could not be read (error %d).", rc);
	else
		admin_end(req, ADMIN_OK, "%s", "");
}

/* ---------------------------------------------------------------- reviews */

void admin_run_reviewed(struct admin_req *req)
{
	const struct policy *policy = req->server->policy;
	const char *grant = admin_arg(req, "grant");
	struct store_review review = {.at_s = server_now_s()};
	struct policy_rule rule = {0};
	char quoted[LOG_QUOTED_MAX];
	size_t i;
	int rc;

	if (!why_given(req))
		return;
	i = policy ? policy_grant_find(policy, grant) : SIZE_MAX;
	if (i == SIZE_MAX || !policy_grant_at(policy, i, &rule) ||
	    rule.review_every_s == 0) {
		admin_end(req, ADMIN_NO,
			  "The active policy has no grant %s with a 'review'.",
			  log_quote(grant, quoted));
		return;
	}
	fill_by(req, review.by, sizeof(review.by));
	(void)snprintf(review.why, sizeof(review.why), "%s", admin_arg(req, "why"));
	rc = store_review_put(req->server->store, grant, &review);
	if (rc != 0)
		admin_failed(req, "the review could not be stored", rc);
	else if (take_effect(req, "review", grant))
		admin_end(req, ADMIN_OK,
			  "Grant %s is reviewed; the next review is due in %lld days.",
			  grant, (long long)(rule.review_every_s / 86400));
}
