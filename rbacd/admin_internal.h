/* SPDX-License-Identifier: Apache-2.0 */
/* admin_internal.h - what the admin_*.c files share: one call's life and its rows. */
#pragma once

#include "rbacd/admin.h"
#include "rbacd/server.h"

#define ADMIN_ROW_MAX	   16384
#define ADMIN_PAGE_MAX	   1000 /* people a single `users` call lists */
#define ADMIN_WHY_MAX	   200	/* bytes of a reason given by an administrator */
#define ADMIN_USES_MAX	   10	/* of one bypass code */
#define ADMIN_ISSUER_MAX   32	/* bytes: percent-encoded twice it must fit the URI */
#define ADMIN_BYPASS_MAX_S (7 * 86400)
#define ADMIN_SCAN_MAX	   1000000 /* people looked through for a login */

/* Exit status that END carries for rbacctl. */
enum admin_exit { ADMIN_OK = 0, ADMIN_NO = 1, ADMIN_INTEGRITY = 3, ADMIN_USAGE = 64 };

struct admin_verb;

struct admin_req {
	struct server *server;		/* borrowed */
	struct conn *conn;		/* borrowed; NULL when it has gone */
	const struct admin_verb *verb;	/* static; NULL: unknown */
	struct identity_ticket *ticket; /* pending look-up */
	struct identity_person person;	/* of verbs that name a person */
	struct wire_call call;		/* may hold a code: wiped */
	bool parked;	 /* freed by the connection's end, not by admin_call() */
	bool ended;	 /* END is queued */
	bool incomplete; /* a row could not be encoded */
};

typedef void (*admin_run_fn)(struct admin_req *req);

struct admin_row {
	struct wire_writer w;
	uint8_t buf[ADMIN_ROW_MAX];
};

/* admin_row_begin() - start a row of @table; cells are added with wire_put_cell_*(). */
void admin_row_begin(struct admin_row *row, const char *table);
/* admin_row_send() - queue it and wipe the buffer. */
void admin_row_send(struct admin_req *req, struct admin_row *row);

/* admin_end() - the one answer that closes the call: exit status, and what, where,
 * next. */
void admin_end(struct admin_req *req, enum admin_exit code, const char *fmt, ...)
	_printf_(3, 4);

/* admin_arg() - an argument's value, or NULL when absent or empty. */
const char *admin_arg(const struct admin_req *req, const char *name);

/*
 * admin_arg_number() - a decimal argument within [min, max].
 * Return: 0 and *ret (@fallback when absent); -EINVAL and the END is already queued.
 */
_must_check_ int admin_arg_number(struct admin_req *req, const char *name, int64_t min,
				  int64_t max, int64_t fallback, int64_t *ret);

/* What a change of state writes into the audit log. */
struct admin_change {
	const char *ev;	    /* "admin.enrol" */
	const char *op;	    /* "enrol" */
	const char *user;   /* login of the person it is about */
	const char *id;	    /* immutable id */
	const char *object; /* what it is about when it is no person; NULL: @id */
	const char *why;    /* reason_text, or NULL */
	const char *reason; /* failure: identifier of the closed list; NULL: success */
	enum audit_sev sev;
};

/*
 * admin_record() - append the record of a change to the turn's transaction.
 * Return: 0; otherwise the turn is marked lost and the END is queued: queue nothing
 * more.
 */
_must_check_ int admin_record(struct admin_req *req, const struct admin_change *change);

/* admin_failed() - a change failed half-way: the turn is lost, END says so. */
void admin_failed(struct admin_req *req, const char *what, int error);
/* admin_unreadable() - people could not be read; nothing was changed, the turn goes on.
 */
void admin_unreadable(struct admin_req *req, int error);

/* admin_why_ok() - the reason fits; else the END is queued. */
bool admin_why_ok(struct admin_req *req);

/* admin_mfa_status() - mfa_status() of now. */
_must_check_ int admin_mfa_status(const struct server *server, const char *person,
				  struct mfa_status *ret);

/* Whose state a call changes: from the directory, or from the store when they left it.
 */
struct admin_subject {
	char id[STORE_ID_MAX + 1];
	char login[STORE_LOGIN_MAX + 1];
};
/*
 * admin_find_subject() - by the arguments `user` or `id`, for calls that must also
 * reach people who have left. Return: 0; otherwise the END is queued.
 */
_must_check_ int admin_find_subject(struct admin_req *req, struct admin_subject *ret);
/*
 * admin_about() - whom a call changes, and the record of that: a warning, with the
 * reason that was given. @ev: "admin.reset"; its second half is the op. @ret: borrows
 * from @who. Return: 0; otherwise the END is queued.
 */
_must_check_ int admin_about(struct admin_req *req, const char *ev,
			     struct admin_subject *who, struct admin_change *ret);
/* admin_person_ok() - for calls that give access: the person is in the directory and
 * enabled; else the END is queued. */
bool admin_person_ok(struct admin_req *req);

/* admin_factor_refused() - true: @error of factor_add() is the person's to hear, and
 * the END is queued. @name: as it was wanted. */
bool admin_factor_refused(struct admin_req *req, int error, const char *name);

/* Handlers, by subject. */
void admin_run_status(struct admin_req *req);
void admin_run_reload(struct admin_req *req);
void admin_run_policy_try(struct admin_req *req);
void admin_run_policy_confirm(struct admin_req *req);
void admin_run_users(struct admin_req *req);
void admin_run_my_status(struct admin_req *req);
void admin_run_enrol_begin(struct admin_req *req);
void admin_run_enrol_confirm(struct admin_req *req);
void admin_run_disable(struct admin_req *req);
void admin_run_reset(struct admin_req *req);
void admin_run_bypass(struct admin_req *req);
void admin_run_factors(struct admin_req *req);
void admin_run_factor_unlock(struct admin_req *req);
void admin_run_factor_resync(struct admin_req *req);
void admin_run_factor_remove(struct admin_req *req);
void admin_run_enrol_key(struct admin_req *req);
void admin_run_proofs(struct admin_req *req);
void admin_run_proofs_revoke(struct admin_req *req);
void admin_run_lock(struct admin_req *req);
void admin_run_unlock(struct admin_req *req);
void admin_run_locks(struct admin_req *req);
void admin_run_reviewed(struct admin_req *req);
/* admin_send_locks() - a row of "locks" for each that holds; also in status. */
_must_check_ int admin_send_locks(struct admin_req *req);
void admin_run_explain(struct admin_req *req);
void admin_run_record(struct admin_req *req);
void admin_run_directory(struct admin_req *req);
void admin_run_report_snapshot(struct admin_req *req);
void admin_run_hold(struct admin_req *req);
void admin_run_alert_ack(struct admin_req *req);
void admin_run_password_expire(struct admin_req *req);
void admin_run_password_status(struct admin_req *req);

struct admin_passwords {
	size_t n, n_demanded;
	size_t n_unconfirmed; /* found good long ago, and nobody said that it changed */
	bool has_rules;
};
/* admin_send_passwords() - the row of `rbacctl status`. */
_must_check_ int admin_send_passwords(struct admin_req *req,
				      struct admin_passwords *ret);
void admin_run_metrics(struct admin_req *req);
void admin_run_import(struct admin_req *req);
void admin_run_export(struct admin_req *req);
void admin_run_clock_accept(struct admin_req *req);
void admin_run_key_status(struct admin_req *req);
void admin_run_key_rotate(struct admin_req *req);
