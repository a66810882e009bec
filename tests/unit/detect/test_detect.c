/* SPDX-License-Identifier: Apache-2.0 */
/* test_detect.c - each detection: what raises it, what just does not, and its bounds.
 */
#include "tests/unit/store/fixture.h"

#include <openssl/evp.h>

#include "rbacd/detect/detect.h"
#include "rbacd/detect/window.h"

#define NOW 1790000000
#define DAY 86400

static const struct config_alerts limits = {
	.spray_users = 10,
	.spray_failures = 30,
	.spray_window = 300,
	.account_failures = 5,
	.account_failures_high = 10,
	.account_window = 600,
	.wrong_codes = 10,
	.dormant = 45 * DAY,
	.dormant_high = 90 * DAY,
	.first_use = 90 * DAY,
	.quiet = 600,
};

struct world {
	struct fixture *f;
	struct detect *d;
	int64_t now_s;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->f = fixture_new();
	w->now_s = NOW;
	assert_int_equal(detect_new(&limits, w->f->store, NOW - 100 * DAY, &w->d), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	detect_free(w->d);
	fixture_free(w->f);
	free(w);
	return 0;
}

static struct audit_event failure(const char *user, const char *src)
{
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "auth";
	ev.reason = "bad_otp";
	ev.user = user;
	ev.src = src;
	return ev;
}

static void see(struct world *w, const struct audit_event *ev)
{
	assert_int_equal(detect_event(w->d, ev, w->now_s), 0);
}

static void raised(struct world *w, enum detection what, enum audit_sev sev)
{
	struct detect_alert a;

	if (!detect_next(w->d, &a))
		fail_msg("%s was not raised", detect_name(what));
	assert_string_equal(detect_name(a.what), detect_name(what));
	assert_int_equal(a.sev, sev);
	assert_true(a.evidence[0] != '\0');
}

static void silent(struct world *w)
{
	struct detect_alert a;

	if (detect_next(w->d, &a))
		fail_msg("%s: %s", detect_name(a.what), a.evidence);
}

static void test_spray(void **state)
{
	struct world *w = *state;
	struct audit_event ev = failure(NULL, "192.0.2.1");
	char name[16];

	for (int i = 0; i < 40; i++) { /* ten names are somebody with many accounts */
		(void)snprintf(name, sizeof(name), "n%d", i % 10);
		ev.unknown_user = name;
		see(w, &ev);
	}
	silent(w);
	ev.unknown_user = "n11";
	see(w, &ev);
	raised(w, DETECT_SPRAY, AUDIT_ALERT);
	see(w, &ev);
	silent(w); /* held back */
	w->now_s += 601;
	for (int i = 0; i < 29; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		ev.unknown_user = name;
		see(w, &ev);
	}
	silent(w); /* a window of its own, and 29 are too few */
	w->now_s += 299;
	see(w, &ev);
	raised(w, DETECT_SPRAY, AUDIT_ALERT);
	ev.src = "local";
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		see(w, &ev);
	}
	silent(w);
}

static void test_account(void **state)
{
	struct world *w = *state;
	struct audit_event ev = failure("alice", "192.0.2.1");

	for (int i = 0; i < 4; i++)
		see(w, &ev);
	silent(w);
	see(w, &ev);
	raised(w, DETECT_ACCOUNT, AUDIT_WARNING);
	for (int i = 0; i < 4; i++)
		see(w, &ev);
	silent(w);
	see(w, &ev);
	raised(w, DETECT_ACCOUNT, AUDIT_ALERT);
	ev.user = "bob";
	for (int i = 0; i < 4; i++)
		see(w, &ev);
	w->now_s += 600; /* the window ends */
	see(w, &ev);
	silent(w);
}

static void test_wrong_codes(void **state)
{
	struct world *w = *state;
	struct audit_event ev = failure("alice", "192.0.2.1");

	ev.fails = 9;
	see(w, &ev);
	silent(w);
	ev.fails = 10;
	see(w, &ev);
	raised(w, DETECT_WRONG_CODES, AUDIT_ALERT);
}

static void test_replay(void **state)
{
	struct world *w = *state;
	struct audit_event ev = failure("alice", "192.0.2.1");

	ev.reason = "otp_replay";
	see(w, &ev);
	silent(w); /* never accepted anywhere */
	ev.outcome = AUDIT_SUCCESS;
	ev.mfa_method = "totp";
	ev.reason = NULL;
	see(w, &ev);
	ev.outcome = AUDIT_FAILURE;
	ev.reason = "otp_replay";
	see(w, &ev);
	silent(w); /* typed twice */
	ev.src = "198.51.100.7";
	see(w, &ev);
	raised(w, DETECT_REPLAY, AUDIT_ALERT);
}

static struct audit_event use(const char *priv)
{
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "account";
	ev.outcome = AUDIT_SUCCESS;
	ev.user = "alice";
	ev.uid = "hr:1";
	ev.priv = priv;
	return ev;
}

static void test_dormant(void **state)
{
	struct world *w = *state;
	struct audit_event ev = use("ssh");

	see(w, &ev);
	silent(w); /* new, not dormant */
	w->now_s += 45 * DAY - 1;
	see(w, &ev);
	silent(w);
	w->now_s += 45 * DAY;
	see(w, &ev);
	raised(w, DETECT_DORMANT, AUDIT_WARNING);
	w->now_s += 90 * DAY;
	see(w, &ev);
	raised(w, DETECT_DORMANT, AUDIT_ALERT);
}

static void test_first_use(void **state)
{
	struct world *w = *state;
	struct audit_event ev = use("sudo");

	see(w, &ev);
	raised(w, DETECT_FIRST_USE, AUDIT_WARNING);
	w->now_s += DAY;
	see(w, &ev);
	silent(w);
	ev.priv = "su";
	ev.target = "postgres";
	see(w, &ev);
	raised(w, DETECT_FIRST_USE, AUDIT_WARNING);
	ev.target = "root";
	w->now_s += 601;
	see(w, &ev);
	raised(w, DETECT_FIRST_USE, AUDIT_WARNING);
	/* An installation of yesterday has seen nothing yet. */
	detect_free(w->d);
	assert_int_equal(detect_new(&limits, w->f->store, w->now_s - DAY, &w->d), 0);
	ev.target = "backup";
	see(w, &ev);
	silent(w);
}

/* A use, @committed or lost, at @now_s; whether the store knows any use afterwards. */
static bool is_kept(struct world *w, int64_t now_s, bool committed)
{
	struct audit_event ev = use("ssh");
	uint8_t key[32];
	int64_t at_s;

	EVP_Digest("account\0hr:1\0\0", 14, key, NULL, EVP_sha256(), NULL);
	w->now_s = now_s;
	assert_int_equal(store_begin(w->f->store), 0);
	see(w, &ev);
	if (committed)
		assert_int_equal(store_commit(w->f->store), 0);
	else
		store_rollback(w->f->store);
	return store_seen_get(w->f->store, key, &at_s) == 0;
}

static void test_recent(void **state)
{
	struct world *w = *state;
	struct audit_event ev = use("ssh");

	/* Of a lost turn nothing is remembered, though it was read back in the turn. */
	assert_int_equal(store_begin(w->f->store), 0);
	see(w, &ev);
	assert_false(is_kept(w, NOW + 1, false));
	assert_true(is_kept(w, NOW + 2, true));
	/* Read by a later turn, it is not asked for again within the hour... */
	assert_true(is_kept(w, NOW + 100, true));
	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(store_seen_prune(w->f->store, NOW + DAY, 0), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	assert_false(is_kept(w, NOW + 3601, true));
	/* ...and written again after it, or when the clock goes back. */
	assert_true(is_kept(w, NOW + 3602, true));
	assert_int_equal(store_begin(w->f->store), 0);
	assert_int_equal(store_seen_prune(w->f->store, NOW + DAY, 0), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	assert_true(is_kept(w, NOW - 1, true));
}

static void test_always(void **state)
{
	struct world *w = *state;
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "session.open";
	see(w, &ev);
	silent(w);
	ev.sev = AUDIT_ALERT;
	see(w, &ev);
	raised(w, DETECT_BREAK_GLASS, AUDIT_ALERT);
	ev.ev = "admin.bypass";
	ev.user = "alice";
	ev.outcome = AUDIT_SUCCESS;
	see(w, &ev);
	raised(w, DETECT_BREAK_GLASS, AUDIT_ALERT);
	ev.ev = "account"; /* a step-up: the code was asked for there */
	ev.user = "bob";
	ev.cred = "bypass";
	see(w, &ev);
	raised(w, DETECT_BREAK_GLASS, AUDIT_ALERT);
	ev.cred = NULL;
	ev.ev = "log.unsigned";
	see(w, &ev);
	raised(w, DETECT_LOG, AUDIT_ALERT);
	ev.ev = "clock.back";
	see(w, &ev);
	raised(w, DETECT_CLOCK, AUDIT_ALERT);
	ev.ev = "alert"; /* never about itself */
	see(w, &ev);
	silent(w);
}

/* The policy's last resort: who came in by it, not who was refused. */
static void test_break_glass(void **state)
{
	struct world *w = *state;
	struct audit_event ev = failure("carol", "local");

	ev.ev = "account";
	ev.priv = "console";
	ev.op = "break_glass";
	ev.sev = AUDIT_ALERT;
	see(w, &ev);
	silent(w);
	ev.reason = NULL;
	ev.outcome = AUDIT_SUCCESS;
	ev.rule = "rescue";
	see(w, &ev);
	raised(w, DETECT_BREAK_GLASS, AUDIT_ALERT);
	see(w, &ev);
	silent(w);
}

/* A flood of names, and a queue nobody empties: bounded, counted, alive. */
static void test_bounds(void **state)
{
	struct world *w = *state;
	struct audit_event ev = failure(NULL, NULL);
	char name[24];
	size_t n = 0;
	struct detect_alert a;

	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		ev.user = name;
		for (int k = 0; k < 6; k++)
			see(w, &ev);
	}
	/* Noise of one kind hides no other. */
	ev.ev = "log.unsigned";
	see(w, &ev);
	while (detect_next(w->d, &a))
		n++;
	assert_int_equal(n, 11);
	assert_int_equal(a.what, DETECT_LOG);
	ev.ev = "auth";
	ev.user = "somebody";
	w->now_s += 60;
	for (int k = 0; k < 6; k++)
		see(w, &ev);
	raised(w, DETECT_ACCOUNT, AUDIT_WARNING);
	assert_true(detect_lost(w->d) > 1000);
}

static void test_window(void **state)
{
	struct window *w = NULL;
	struct window_count c = {0};
	char text[16];

	(void)state;
	assert_int_equal(window_new(&w), 0);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "v%d", i);
		c = window_add(w, "key", text, NOW, 60);
	}
	assert_int_equal(c.n, 100);
	assert_int_equal(c.distinct, WINDOW_DISTINCT);
	assert_int_equal(window_add(w, "key", "", NOW + 59, 60).n, 101);
	assert_int_equal(window_add(w, "key", "", NOW + 60, 60).n, 1);
	/* Back in time: a new window, not one that lasts for years. */
	assert_int_equal(window_add(w, "key", "", NOW - 5, 60).n, 1);
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(text, sizeof(text), "k%d", i);
		assert_true(window_add(w, text, "", NOW, 60).n >= 1);
	}
	window_free(w);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_spray),
		CASE(test_account),
		CASE(test_wrong_codes),
		CASE(test_replay),
		CASE(test_dormant),
		CASE(test_first_use),
		CASE(test_recent),
		CASE(test_always),
		CASE(test_break_glass),
		CASE(test_bounds),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
