/* SPDX-License-Identifier: Apache-2.0 */
/* test_clock.c - what a clock that is set ahead, and back again, cannot delete. */
#include "tests/unit/store/fixture.h"

#include <time.h>

#include "rbacd/clock/forget.h"
#include "rbacd/server.h"

#define DAY INT64_C(86400)

static int64_t wrong_s;	      /* the wall clock's error */
static char last_ev[32];      /* recorded last */
static const uint8_t key[32]; /* of whoever it is */

int64_t server_now_s(void)
{
	return (int64_t)time(NULL) + wrong_s;
}

int64_t server_now_us(void)
{
	return server_now_s() * 1000000;
}

int audit_append(struct audit *audit, const struct audit_event *ev, int64_t now_us,
		 char ret_id[AUDIT_ID_MAX + 1])
{
	(void)audit;
	(void)now_us;
	(void)snprintf(last_ev, sizeof(last_ev), "%s", ev->ev);
	ret_id[0] = '\0';
	return 0;
}

void audit_clock_unsynced(struct audit *audit, bool unsynced)
{
	(void)audit;
	(void)unsynced;
}

struct world {
	struct fixture *f;
	struct config config;
	struct server server;
};

static void end_turn(struct world *w, bool kept)
{
	if (kept)
		assert_int_equal(store_commit(w->f->store), 0);
	else
		store_rollback(w->f->store);
	clock_end_turn(&w->server, kept);
}

/* rbacd, begun anew on the same database. */
static void start(struct world *w)
{
	w->server = (struct server){.store = w->f->store, .config = &w->config};
	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(clock_start(&w->server), 0);
	end_turn(w, true);
}

static void put_all(struct world *w)
{
	const struct store_budget budget = {.fails = 9,
					    .next_try_s = server_now_s(),
					    .touched_s = server_now_s()};
	const struct store_proof proof = {.person = "p",
					  .vm = "v",
					  .origin = "local",
					  .at_s = server_now_s(),
					  .method = POLICY_METHOD_TOTP};
	const struct store_lock lock = {.what = "user:p",
					.until_s = server_now_s() + DAY};

	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(store_budget_put(w->f->store, &budget), 0);
	assert_int_equal(store_proof_put(w->f->store, &proof), 0);
	assert_int_equal(store_lock_put(w->f->store, &lock), 0);
	end_turn(w, true);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	wrong_s = 0;
	w->f = fixture_new();
	start(w);
	put_all(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fixture_free(w->f);
	free(w);
	return 0;
}

static int count_one(const struct store_lock *lock, void *arg)
{
	(void)lock;
	++*(unsigned *)arg;
	return 0;
}

/* Of budget, proof and lock: how many are there still. */
static unsigned kept(struct world *w)
{
	struct store_budget budget;
	struct store_proof proof;
	unsigned n = 0;

	assert_int_equal(store_lock_each(w->f->store, count_one, &n), 0);
	assert_int_equal(store_budget_get(w->f->store, key, &budget), 0);
	n += budget.fails == 9;
	n += store_proof_get(w->f->store, "p", "v", "local", &proof) == 0;
	return n;
}

static void check(struct world *w)
{
	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(clock_check(&w->server), 0);
	end_turn(w, true);
}

static void forget(struct world *w)
{
	w->server.clock.forget_s = 0; /* the hour is over */
	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(forget_tick(&w->server), 0);
	end_turn(w, true);
}

static void vouch(struct world *w, bool lost)
{
	bool done = false;

	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(clock_accept(&w->server, "uid:0", "why", &done), 0);
	assert_true(done);
	assert_string_equal(last_ev, "clock.accept");
	end_turn(w, !lost);
}

static void ahead_deletes_nothing(void **state)
{
	struct world *w = *state;

	forget(w);
	assert_int_equal(kept(w), 3);
	wrong_s = 500 * DAY;
	forget(w);
	assert_int_equal(kept(w), 3);
	assert_in_range(clock_ahead_s(&w->server), 500 * DAY - 2, 500 * DAY + 2);
	start(w); /* nor does a restart: it believes in thirty days */
	assert_in_range(clock_ahead_s(&w->server), 500 * DAY - 2, 500 * DAY + 2);
	forget(w);
	assert_int_equal(kept(w), 3);
	wrong_s = 0;
	forget(w);
	assert_int_equal(kept(w), 3);
}

/* Who was away for long, and says so. */
static void accepted_time_counts(void **state)
{
	struct world *w = *state;

	wrong_s = 500 * DAY;
	vouch(w, true);
	assert_in_range(clock_ahead_s(&w->server), 500 * DAY - 2, 500 * DAY + 2);
	assert_false(clock_unsure(&w->server)); /* it was not, and is not */
	vouch(w, false);
	assert_in_range(clock_ahead_s(&w->server), 0, 2);
	forget(w);
	assert_int_equal(kept(w), 0);
	start(w);
	assert_in_range(clock_ahead_s(&w->server), 0, 2);
}

static void back_deletes_nothing_early(void **state)
{
	struct world *w = *state;

	wrong_s = 3 * DAY;
	check(w);
	put_all(w); /* stamped by the clock that is ahead */
	wrong_s = 0;
	check(w);
	assert_true(w->server.clock.guard.distrusted);
	forget(w);
	assert_int_equal(kept(w), 2); /* the proof is void */
}

static void once_an_hour(void **state)
{
	struct world *w = *state;

	forget(w);
	wrong_s = 500 * DAY;
	vouch(w, false);
	w->server.clock.forget_s = clock_aged_s(&w->server) + 60;
	assert_int_equal(forget_tick(&w->server), 0);
	assert_int_equal(kept(w), 3);
}

static void damaged_age_ends(void **state)
{
	struct world *w = *state;

	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(store_meta_put(w->f->store, "clock-age", "short", 5), 0);
	end_turn(w, true);
	assert_int_equal(clock_start(&w->server), STORE_E_CORRUPT);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ahead_deletes_nothing),	  CASE(accepted_time_counts),
		CASE(back_deletes_nothing_early), CASE(once_an_hour),
		CASE(damaged_age_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
