/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.c - who is in, and who is on the way in. */

#include "rbacd/sessions.h"

#include <errno.h>
#include <signal.h>

#include "policy/view.h"
#include "rbacd/limits.h"
#include "rbacd/request_internal.h"

/*
 * A login whose process was killed never says that it ended, and must not keep its
 * person out. rbacd may not signal anybody, so a process that is there answers EPERM. A
 * number given anew counts as open: too few sessions are let in, never too many.
 */
static bool session_alive(int32_t pid)
{
	return pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH;
}

void sessions_count(struct server *s, const struct policy *policy, const char *person,
		    uint32_t session, struct policy_sessions *ret)
{
	const struct store_seat of = {.boot = s->boot_id, .id = "", .person = person};
	struct policy_sessions v = {.known = true, .age_s = -1};
	struct store_session row;
	uint32_t n_seats;

	*ret = (struct policy_sessions){0};
	if (!policy || policy_limit_count(policy) == 0)
		return; /* nobody asks */
	if (store_session_count(s->store, s->boot_id, person, session_alive,
				&v.n_open) != 0 ||
	    store_seat_count(s->store, &of, server_now_s(), session_alive, &n_seats) !=
		    0)
		return;
	v.n_open += n_seats;
	if (session != UINT32_MAX &&
	    store_session_get(s->store, s->boot_id, session, &row) == 0 &&
	    str_eq(row.person, person))
		v.age_s = server_now_s() - row.opened_s;
	*ret = v;
}

static struct store_seat seat_of(const struct request *r, const char *id)
{
	return (struct store_seat){.boot = r->server->boot_id,
				   .id = id,
				   .person = r->person.id};
}

int sessions_reserve(struct request *r, const struct policy_decision *d, const char *id)
{
	const struct store_seat seat = seat_of(r, id);
	int64_t now_s = server_now_s();
	int rc;

	if (d->max_sessions == 0 || !policy_privilege_session(r->facts.privilege))
		return 0;
	rc = store_seat_prune(r->server->store, r->server->boot_id, now_s);
	if (rc != 0)
		return rc;
	return store_seat_put(r->server->store, &seat, now_s + LIMIT_SEAT_S);
}

/* A login that the kernel gave an audit session of its own: sudo and su inherit it. */
static bool has_session(const struct request *r)
{
	return r->facts.is_login && r->begin.session != AUTHZ_UNSET &&
	       r->person.known && r->begin.loginuid == r->person.uid;
}

static int map_session(struct request *r)
{
	struct store_session s = {.session = r->begin.session,
				  .opened_s = server_now_s(),
				  .pid = conn_peer_pid(r->conn)};

	(void)snprintf(s.boot, sizeof(s.boot), "%s", r->server->boot_id);
	(void)snprintf(s.person, sizeof(s.person), "%s", r->person.id);
	(void)snprintf(s.origin, sizeof(s.origin), "%s", r->facts.origin_text);
	(void)snprintf(s.vmsec_id, sizeof(s.vmsec_id), "%s", r->begin.vmsec_id);
	return store_session_put(r->server->store, &s);
}

int sessions_open(struct request *r)
{
	const struct store_seat seat = seat_of(r, r->begin.vmsec_id);
	int rc = has_session(r) ? map_session(r) : 0;

	if (rc != 0 || !*seat.id || !policy_privilege_session(r->facts.privilege))
		return rc;
	/* Without an audit session the seat itself is the session, while its process
	 * lives. */
	if (has_session(r))
		return store_seat_delete(r->server->store, &seat);
	return store_seat_open(r->server->store, &seat, conn_peer_pid(r->conn));
}

int sessions_close(struct request *r)
{
	const struct store_seat seat = seat_of(r, r->begin.vmsec_id);
	int rc = 0;

	if (r->facts.is_login && r->begin.session != AUTHZ_UNSET)
		rc = store_session_delete(r->server->store, r->server->boot_id,
					  r->begin.session);
	if (rc != 0 || !*seat.id || !policy_privilege_session(r->facts.privilege))
		return rc;
	return store_seat_delete(r->server->store, &seat);
}
