/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_activate.c - a policy starts, is tried, returns, is kept; what a lost turn
 * takes back; and who gains and loses by it. Identity and standing are scripted here.
 */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "rbacd/activate/activate.h"
#include "rbacd/alert.h"
#include "rbacd/standing.h"
#include "rbacd/tally/tally.h"

static struct {
	bool listed, speaks;
	const struct policy *policy; /* what identity answers by */
	const struct policy *also;
	const char *members[4]; /* of the group "crew" */
	int turn_error;
} dir;

bool identity_lists(const struct identity *id)
{
	(void)id;
	return dir.listed;
}

bool identity_speaks(const struct identity *id)
{
	(void)id;
	return dir.speaks;
}

int identity_set_policy(struct identity *id, struct policy *policy)
{
	(void)id;
	dir.policy = policy;
	return 0;
}

void identity_follow_also(struct identity *id, struct policy *policy)
{
	(void)id;
	dir.also = policy;
}

int identity_population(struct identity *id, int64_t now_s, struct population *ret,
			struct snapshot **ret_change)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	_cleanup_free_ void *block = NULL;
	uint32_t crew;
	size_t len;

	(void)id;
	*ret = (struct population){.whole = true,
				   .now_s = now_s,
				   .max_stale_s = INT64_MAX};
	(void)snprintf(ret->source, sizeof(ret->source), "file");
	assert_int_equal(snapshot_builder_new("file", now_s, &b), 0);
	assert_int_equal(snapshot_add_group(b, "crew", true, 0, &crew), 0);
	for (size_t i = 0; i < ARRAY_SIZE(dir.members) && dir.members[i]; i++) {
		const struct snapshot_account a = {.login = dir.members[i],
						   .id = dir.members[i],
						   .uid = 5000 + (uint32_t)i,
						   .flags = SNAPSHOT_DIRECTORY,
						   .groups = &crew,
						   .n_groups = 1};

		assert_int_equal(snapshot_add_account(b, &a), 0);
	}
	assert_int_equal(snapshot_build_bytes(b, &block, &len), 0);
	assert_int_equal(snapshot_from_bytes(block, len, &ret->people), 0);
	*ret_change = NULL;
	return 0;
}

void alerts_policy(struct alerts *alerts, const struct policy *before,
		   struct policy *after)
{
	(void)alerts;
	(void)before;
	(void)after;
}

int standing_refresh(struct server *s)
{
	(void)s;
	return 0;
}

void server_turn_lost(struct server *s, int rc)
{
	(void)s;
	dir.turn_error = rc;
}

int64_t server_now_us(void)
{
	static int64_t now_us = INT64_C(1790000000000000);

	return now_us += 1000;
}

int64_t server_now_s(void)
{
	return server_now_us() / 1000000;
}

/* ---------------------------------------------------------------- the world */

struct world {
	struct fixture *f;
	struct server s;
	struct config c;
	char policy[96], other[96], vm[8];
	char record[2048]; /* the last one */
};

#define GRANT                                                                          \
	"roles: {r: {privileges: [ssh]}, w: {privileges: [ssh, sudo]}}\n"              \
	"grants: [{id: g, to: [crew], roles: [%s], vms: [\"vm:vm1\"]}]\n"

static void write_policy(const char *path, int serial, const char *role)
{
	_cleanup_fclose_ FILE *out = fopen(path, "we");

	assert_non_null(out);
	fprintf(out, "vmsec_policy: 1\nserial: %d\n" GRANT, serial, role);
	assert_int_equal(fchmod(fileno(out), 0600), 0);
}

static void open_server(struct world *w)
{
	static const struct audit_options opt = {.host = "vm1"};
	struct diags diag = DIAGS_INIT;

	w->s = (struct server){.store = w->f->store, .config = &w->c};
	assert_int_equal(audit_open(w->f->store, w->f->seal, &opt, &w->s.audit, &diag),
			 0);
	diags_done(&diag);
}

static void close_server(struct world *w)
{
	activate_free(&w->s);
	policy_unref(w->s.trial.before);
	policy_unref(w->s.policy);
	audit_close(w->s.audit);
}

/* rbacd again, with what it left. */
static void restart(struct world *w)
{
	close_server(w);
	open_server(w);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	memset(&dir, 0, sizeof(dir));
	dir.listed = dir.speaks = true;
	dir.members[0] = "alice";
	dir.members[1] = "bob";
	w->f = fixture_new();
	(void)snprintf(w->policy, sizeof(w->policy), "%s/p.yaml", w->f->dir);
	(void)snprintf(w->other, sizeof(w->other), "%s/q.yaml", w->f->dir);
	(void)snprintf(w->vm, sizeof(w->vm), "vm1");
	w->c.vm = w->vm;
	w->c.policy = w->policy;
	w->c.state_dir = w->f->dir;
	open_server(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close_server(w);
	fixture_free(w->f);
	free(w);
	return 0;
}

static int keep_line(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct world *w = arg;

	(void)seq;
	(void)snprintf(w->record, sizeof(w->record), "%.*s", (int)len, line);
	return 0;
}

/* The end of a turn, as server_end_turn(). */
static void end_turn(struct world *w, bool kept)
{
	if (kept) {
		assert_int_equal(store_commit(w->f->store), 0);
		activate_end(&w->s, true);
		audit_committed(w->s.audit);
	} else {
		store_rollback(w->f->store);
		activate_end(&w->s, false);
		audit_rolled_back(w->s.audit);
	}
	assert_int_equal(dir.turn_error, 0);
}

static bool said(struct world *w, const char *key, const char *value)
{
	char want[256];

	w->record[0] = '\0';
	assert_int_equal(store_audit_each(w->f->store, 1, keep_line, w), 0);
	(void)snprintf(want, sizeof(want), "\"%s\":\"%s\"", key, value);
	return strstr(w->record, want) != NULL;
}

static void start(struct world *w, int serial, const char *role)
{
	struct diags diag = DIAGS_INIT;

	write_policy(w->policy, serial, role);
	assert_int_equal(server_load_policy(&w->s, "start", &diag), 0);
	end_turn(w, true);
	diags_done(&diag);
}

/* Ticks until the count is told. */
static void count_out(struct world *w)
{
	for (int i = 0; tally_wants(w->s.tally); i++) {
		assert_int_equal(activate_tick(&w->s), 0);
		if (store_dirty(w->f->store))
			end_turn(w, true);
		assert_true(i < 10000000);
		(void)sched_yield();
	}
}

static void runs(struct world *w, const char *path)
{
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	assert_int_equal(activate_load(&w->c, path, &p, &diag), 0);
	assert_string_equal(policy_sha256(w->s.policy), policy_sha256(p));
	assert_ptr_equal(dir.policy, w->s.policy);
	policy_unref(p);
	diags_done(&diag);
}

static int try_it(struct world *w, int64_t within_s)
{
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;
	struct policy_try want = {.path = w->other,
				  .before_sha = policy_sha256(w->s.policy),
				  .text = "lost 1, gained 2",
				  .within_s = within_s};
	int r;

	assert_int_equal(activate_load(&w->c, w->other, &p, &diag), 0);
	want.sha = policy_sha256(p);
	r = server_policy_try(&w->s, "uid:0", &want, &diag);
	policy_unref(p);
	diags_done(&diag);
	return r;
}

static int confirm(struct world *w)
{
	struct diags diag = DIAGS_INIT;
	int r = server_policy_confirm(&w->s, "uid:0", &diag);

	diags_done(&diag);
	return r;
}

/* ---------------------------------------------------------------- counting */

static void first_policy_gains_everything(void **state)
{
	struct world *w = *state;

	start(w, 1, "r");
	assert_true(said(w, "ev", "policy.load"));
	assert_null(strstr(w->record, "before_sha"));
	assert_non_null(dir.also);
	count_out(w);
	assert_true(said(w, "ev", "policy.changes"));
	assert_true(said(w, "op", "start"));
	assert_true(said(w, "reason_text", "lost 0, gained 2, 2 people of 2"));
	assert_true(said(w, "after_sha", policy_sha256(w->s.policy)));
	assert_null(dir.also);
}

static void restart_knows_what_was_before(void **state)
{
	struct world *w = *state;
	char before[65];

	start(w, 1, "r");
	count_out(w);
	(void)snprintf(before, sizeof(before), "%s", policy_sha256(w->s.policy));
	restart(w);
	start(w, 1, "r");
	assert_true(said(w, "reason_text", "lost 0, gained 0: the same policy"));
	assert_true(said(w, "before_sha", before));
	assert_null(w->s.tally);
	restart(w);
	start(w, 2, "w");
	assert_true(said(w, "before_sha", before));
	count_out(w);
	assert_true(said(w, "op", "start"));
	assert_true(said(w, "before_sha", before));
	assert_true(said(w, "reason_text", "lost 0, gained 2, 2 people of 2"));
}

static void what_is_not_kept_is_not_counted(void **state)
{
	struct world *w = *state;
	char path[128];

	start(w, 1, "r");
	count_out(w);
	restart(w);
	(void)snprintf(path, sizeof(path), "%s/policy.active", w->f->dir);
	write_policy(path, 9, "w"); /* not what was active */
	start(w, 2, "w");
	assert_true(said(w, "reason_text",
			 "not counted: the policy of before is not kept"));
	assert_null(w->s.tally);
	restart(w);
	start(w, 3, "r"); /* the last start kept its own */
	count_out(w);
	assert_true(said(w, "reason_text", "lost 2, gained 0, 2 people of 2"));
}

static void reload_is_counted(void **state)
{
	struct world *w = *state;
	struct diags diag = DIAGS_INIT;

	start(w, 1, "r");
	count_out(w);
	write_policy(w->policy, 2, "w");
	assert_int_equal(server_load_policy(&w->s, "signal", &diag), 0);
	end_turn(w, true);
	dir.members[2] = "carol";
	count_out(w);
	assert_true(said(w, "op", "reload"));
	assert_true(said(w, "actor", "signal"));
	assert_true(said(w, "reason_text", "lost 0, gained 3, 3 people of 3"));
	diags_done(&diag);
}

static void nobody_can_be_listed(void **state)
{
	struct world *w = *state;

	dir.listed = dir.speaks = false;
	start(w, 1, "r");
	assert_true(said(w, "ev", "policy.load"));
	assert_true(said(w, "reason_text", "not counted: the directory lists nobody"));
	assert_null(w->s.tally);
}

/* Until the directory speaks of both policies' groups nothing is counted. */
static void the_directory_is_waited_for(void **state)
{
	struct world *w = *state;
	struct diags diag = DIAGS_INIT;

	dir.speaks = false;
	start(w, 1, "r");
	for (int i = 0; i < 100; i++)
		assert_int_equal(activate_tick(&w->s), 0);
	assert_false(store_dirty(w->f->store));
	assert_ptr_equal(dir.also, tally_wants(w->s.tally));
	write_policy(w->policy, 2, "w");
	assert_int_equal(server_load_policy(&w->s, "signal", &diag), 0);
	end_turn(w, true);
	end_turn(w, true);
	assert_true(said(w, "reason_text", "not counted: another activation came"));
	dir.speaks = true;
	count_out(w);
	assert_true(said(w, "reason_text", "lost 0, gained 2, 2 people of 2"));
	diags_done(&diag);
}

/* ---------------------------------------------------------------- lost turns */

static void lost_turn_takes_a_policy_back(void **state)
{
	struct world *w = *state;
	struct diags diag = DIAGS_INIT;

	start(w, 1, "r");
	count_out(w);
	write_policy(w->other, 2, "w");
	w->c.policy = w->other;
	assert_int_equal(server_load_policy(&w->s, "signal", &diag), 0);
	runs(w, w->other);
	end_turn(w, false);
	runs(w, w->policy);
	assert_null(tally_wants(w->s.tally));
	/* Nor is it remembered: the smaller serial is still right. */
	w->c.policy = w->policy;
	assert_int_equal(server_load_policy(&w->s, "signal", &diag), 0);
	end_turn(w, true);
	assert_true(said(w, "reason_text", "lost 0, gained 0: the same policy"));
	diags_done(&diag);
}

static void lost_turn_takes_a_try_back(void **state)
{
	struct world *w = *state;

	start(w, 1, "r");
	write_policy(w->other, 2, "w");
	assert_int_equal(try_it(w, 60), 0);
	assert_non_null(w->s.trial.before);
	end_turn(w, false);
	runs(w, w->policy);
	assert_null(w->s.trial.before);
	assert_int_equal(try_it(w, 60), 0);
	end_turn(w, true);
	runs(w, w->other);
	assert_true(said(w, "op", "try"));
}

static void lost_turn_takes_a_return_back(void **state)
{
	struct world *w = *state;

	start(w, 1, "r");
	write_policy(w->other, 2, "w");
	assert_int_equal(try_it(w, 0), 0);
	end_turn(w, true);
	for (int i = 0; i < 2; i++) { /* the disk is full, twice */
		assert_int_equal(server_trial_tick(&w->s), 0);
		end_turn(w, false);
		runs(w, w->other);
		assert_non_null(w->s.trial.before);
		assert_string_equal(w->s.trial.path, w->other);
	}
	assert_int_equal(server_trial_tick(&w->s), 0);
	end_turn(w, true);
	runs(w, w->policy);
	assert_null(w->s.trial.before);
	assert_true(said(w, "op", "return"));
	assert_true(said(w, "reason_text", "lost 1, gained 2"));
	assert_int_equal(server_trial_tick(&w->s), 0);
	assert_false(store_dirty(w->f->store));
}

static void lost_turn_takes_a_confirmation_back(void **state)
{
	struct world *w = *state;
	char before[65];

	start(w, 1, "r");
	(void)snprintf(before, sizeof(before), "%s", policy_sha256(w->s.policy));
	write_policy(w->other, 2, "w");
	assert_int_equal(try_it(w, 60), 0);
	end_turn(w, true);
	assert_int_equal(confirm(w), POLICY_E_INVALID); /* the file is not it yet */
	write_policy(w->policy, 2, "w");
	assert_int_equal(confirm(w), 0);
	end_turn(w, false);
	assert_non_null(w->s.trial.before);
	runs(w, w->other);
	assert_int_equal(confirm(w), 0);
	end_turn(w, true);
	assert_null(w->s.trial.before);
	assert_true(said(w, "op", "confirm"));
	assert_true(said(w, "before_sha", before));
	assert_int_equal(confirm(w), POLICY_E_INVALID); /* nothing is tried */
	restart(w);
	start(w, 2, "w"); /* it was kept: the next start finds it the same */
	assert_true(said(w, "reason_text", "lost 0, gained 0: the same policy"));
}

/* ---------------------------------------------------------------- a try */

static void a_try_is_of_what_was_judged(void **state)
{
	struct world *w = *state;
	struct diags diag = DIAGS_INIT;
	struct policy_try want = {.path = w->other, .text = "", .within_s = 60};
	char here[65], there[65];
	struct policy *p = NULL;

	start(w, 2, "r");
	write_policy(w->other, 3, "w");
	assert_int_equal(activate_load(&w->c, w->other, &p, &diag), 0);
	(void)snprintf(there, sizeof(there), "%s", policy_sha256(p));
	(void)snprintf(here, sizeof(here), "%s", policy_sha256(w->s.policy));
	policy_unref(p);
	want.sha = there;
	want.before_sha = there; /* compared with something else */
	assert_int_equal(server_policy_try(&w->s, "uid:0", &want, &diag),
			 POLICY_E_INVALID);
	want.before_sha = here;
	want.sha = here; /* judged another text */
	assert_int_equal(server_policy_try(&w->s, "uid:0", &want, &diag),
			 POLICY_E_INVALID);
	want.path = w->policy; /* what runs */
	assert_int_equal(server_policy_try(&w->s, "uid:0", &want, &diag),
			 POLICY_E_INVALID);
	write_policy(w->other, 1, "w"); /* an older serial */
	assert_int_equal(try_it(w, 60), POLICY_E_INVALID);
	assert_false(store_dirty(w->f->store));
	runs(w, w->policy);
	write_policy(w->other, 3, "w");
	assert_int_equal(try_it(w, 60), 0);
	end_turn(w, true);
	write_policy(w->other, 4, "r");
	assert_int_equal(try_it(w, 60), POLICY_E_INVALID); /* one at a time */
	assert_true(server_trial_left_s(&w->s) > 50);
	diags_done(&diag);
}

static void a_reload_ends_a_try(void **state)
{
	struct world *w = *state;
	struct diags diag = DIAGS_INIT;

	start(w, 1, "r");
	count_out(w);
	write_policy(w->other, 2, "w");
	assert_int_equal(try_it(w, 60), 0);
	end_turn(w, true);
	assert_int_equal(server_load_policy(&w->s, "uid:0", &diag), 0);
	end_turn(w, true);
	runs(w, w->policy);
	assert_null(w->s.trial.before);
	count_out(w);
	assert_true(said(w, "reason_text", "lost 2, gained 0, 2 people of 2"));
	diags_done(&diag);
}

static void a_refused_policy_changes_nothing(void **state)
{
	struct world *w = *state;
	struct diags diag = DIAGS_INIT;

	start(w, 5, "r");
	count_out(w);
	write_policy(w->other, 4, "w");
	w->c.policy = w->other;
	assert_int_equal(server_load_policy(&w->s, "uid:0", &diag), POLICY_E_INVALID);
	end_turn(w, true);
	runs(w, w->policy);
	assert_true(said(w, "ev", "policy.refused"));
	assert_null(tally_wants(w->s.tally));
	diags_done(&diag);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(first_policy_gains_everything),
		CASE(restart_knows_what_was_before),
		CASE(what_is_not_kept_is_not_counted),
		CASE(reload_is_counted),
		CASE(nobody_can_be_listed),
		CASE(the_directory_is_waited_for),
		CASE(lost_turn_takes_a_policy_back),
		CASE(lost_turn_takes_a_try_back),
		CASE(lost_turn_takes_a_return_back),
		CASE(lost_turn_takes_a_confirmation_back),
		CASE(a_try_is_of_what_was_judged),
		CASE(a_reload_ends_a_try),
		CASE(a_refused_policy_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
