/* SPDX-License-Identifier: Apache-2.0 */
/* test_sessions.c - how many logins of a person are in, or on their way in. */
#include "tests/unit/store/fixture.h"

#include <unistd.h>

#include "rbacd/limits.h"
#include "rbacd/request_internal.h"
#include "rbacd/sessions.h"

static int64_t now_s;
static int32_t peer_pid;

int64_t server_now_s(void)
{
	return now_s;
}

int32_t conn_peer_pid(const struct conn *c)
{
	(void)c;
	return peer_pid;
}

struct world {
	struct fixture *f;
	struct server server;
	struct request r;
};

static int setup(void **state)
{
	static const char text[] =
		"vmsec_policy: 1\nservices: {vpn: vpn}\n"
		"limits: [{to: [staff], max_sessions: 2}]\n"
		"roles: {r: {privileges: [ssh]}}\n"
		"grants: [{id: g, to: [staff], roles: [r], vms: [vm:vm1]}]\n";
	struct policy_source src = {"p.yaml", text, sizeof(text) - 1};
	struct policy_host host = {.name = "vm1"};
	struct diags d = DIAGS_INIT;
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	now_s = 1800000000;
	peer_pid = getpid();
	w->f = fixture_new();
	w->server.store = w->f->store;
	(void)snprintf(w->server.boot_id, sizeof(w->server.boot_id), "boot");
	assert_int_equal(policy_load_sources(&src, 1, &host, &w->r.policy, &d), 0);
	diags_done(&d);
	w->r.server = &w->server;
	w->r.person.known = true;
	w->r.person.uid = 1000;
	(void)snprintf(w->r.person.id, sizeof(w->r.person.id), "u:1");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	policy_unref(w->r.policy);
	fixture_free(w->f);
	free(w);
	return 0;
}

/* What the policy's limit would see. */
static uint32_t count(struct world *w)
{
	struct policy_sessions v;

	sessions_count(&w->server, w->r.policy, w->r.person.id, UINT32_MAX, &v);
	assert_true(v.known);
	return v.n_open;
}

static void come_as(struct world *w, const char *privilege, uint32_t session)
{
	(void)snprintf(w->r.facts.privilege, sizeof(w->r.facts.privilege), "%s",
		       privilege);
	w->r.facts.is_login = str_eq(privilege, "ssh");
	w->r.begin.session = session;
	w->r.begin.loginuid = session == AUTHZ_UNSET ? AUTHZ_UNSET : 1000;
}

static int reserve(struct world *w, const char *id)
{
	const struct policy_decision d = {.verdict = POLICY_ALLOW, .max_sessions = 2};

	return sessions_reserve(&w->r, &d, id);
}

static void set_id(struct world *w, const char *id)
{
	(void)snprintf(w->r.begin.vmsec_id, sizeof(w->r.begin.vmsec_id), "%s", id);
}

/* Two logins that were both decided before either opened: each counts. */
static void allowed_counts_before_it_opens(void **state)
{
	struct world *w = *state;

	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(count(w), 0);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	assert_int_equal(count(w), 1);
	assert_int_equal(reserve(w, "2-bbbb"), 0);
	assert_int_equal(count(w), 2);
}

static void session_takes_the_seat(void **state)
{
	struct world *w = *state;

	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	come_as(w, "ssh", 7);
	set_id(w, "1-aaaa");
	assert_int_equal(sessions_open(&w->r), 0);
	assert_int_equal(count(w), 1);
	assert_int_equal(sessions_close(&w->r), 0);
	assert_int_equal(count(w), 0);
}

/* A login that fails after its decision gives the seat up by itself, not at once. */
static void seat_ends(void **state)
{
	struct world *w = *state;

	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	now_s += LIMIT_SEAT_S - 1;
	assert_int_equal(count(w), 1);
	now_s += 1;
	assert_int_equal(count(w), 0);
}

/* No audit session, or a privilege that has none: the process stands for it. */
static void without_audit_session_the_process_counts(void **state)
{
	static const char *const privileges[] = {"ssh", "vpn"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(privileges); i++) {
		come_as(w, privileges[i], AUTHZ_UNSET);
		assert_int_equal(reserve(w, "1-aaaa"), 0);
		set_id(w, "1-aaaa");
		assert_int_equal(sessions_open(&w->r), 0);
		now_s += 10 * LIMIT_SEAT_S;
		assert_int_equal(count(w), 1);
		assert_int_equal(sessions_close(&w->r), 0);
		assert_int_equal(count(w), 0);
	}
	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(reserve(w, "2-bbbb"), 0);
	set_id(w, "2-bbbb");
	peer_pid = INT32_MAX; /* above any pid_max: nobody */
	assert_int_equal(sessions_open(&w->r), 0);
	assert_int_equal(count(w), 0);
}

/* Another id, or the id of somebody else's login, frees nothing. */
static void only_the_own_seat_is_freed(void **state)
{
	struct world *w = *state;

	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	set_id(w, "3-cccc");
	assert_int_equal(sessions_open(&w->r), 0);
	assert_int_equal(sessions_close(&w->r), 0);
	assert_int_equal(count(w), 1);
	(void)snprintf(w->r.person.id, sizeof(w->r.person.id), "u:2");
	set_id(w, "1-aaaa");
	assert_int_equal(count(w), 0);
	assert_int_equal(sessions_open(&w->r), 0);
	assert_int_equal(sessions_close(&w->r), 0);
	(void)snprintf(w->r.person.id, sizeof(w->r.person.id), "u:1");
	assert_int_equal(count(w), 1);
}

/* sudo in a session, and its end, are no login; nor is who is under no limit. */
static void only_logins_under_a_limit_sit(void **state)
{
	const struct policy_decision free_of_limits = {.verdict = POLICY_ALLOW};
	struct world *w = *state;

	come_as(w, "sudo", 7);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	assert_int_equal(count(w), 0);
	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(sessions_reserve(&w->r, &free_of_limits, "2-bbbb"), 0);
	assert_int_equal(count(w), 0);
	assert_int_equal(reserve(w, "3-cccc"), 0);
	come_as(w, "sudo", 7);
	set_id(w, "3-cccc");
	assert_int_equal(sessions_open(&w->r), 0);
	assert_int_equal(sessions_close(&w->r), 0);
	assert_int_equal(count(w), 1);
}

/* What is not durable is not taken: a lost turn loses the seat with its answer. */
static void lost_turn_frees_the_seat(void **state)
{
	struct world *w = *state;

	come_as(w, "ssh", AUTHZ_UNSET);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	store_rollback(w->f->store);
	assert_int_equal(count(w), 0);
	assert_int_equal(reserve(w, "1-aaaa"), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	assert_int_equal(store_seat_prune(w->f->store, "boot", now_s), 0);
	assert_int_equal(count(w), 1);
	assert_int_equal(store_seat_prune(w->f->store, "another boot", now_s), 0);
	assert_int_equal(count(w), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(allowed_counts_before_it_opens),
		CASE(session_takes_the_seat),
		CASE(seat_ends),
		CASE(without_audit_session_the_process_counts),
		CASE(only_the_own_seat_is_freed),
		CASE(only_logins_under_a_limit_sit),
		CASE(lost_turn_frees_the_seat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
