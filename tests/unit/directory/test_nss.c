/* SPDX-License-Identifier: Apache-2.0 */
/* Source nss: who is asked when. The children that ask NSS are played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <unistd.h>

#include "rbacd/directory/nss.h"
#include "rbacd/directory/workers.h"

#define GID 700u

static struct job {
	enum nss_kind kind;
	char name[32];
	uint64_t tag;
} jobs[16]; /* what the children were asked, oldest first */
static size_t n_jobs;

static workers_done_fn done;
static void *done_arg;

int workers_new(struct event_base *base, workers_done_fn fn, void *arg,
		struct workers **ret)
{
	(void)base;
	done = fn;
	done_arg = arg;
	*ret = NULL;
	return 0;
}

void workers_free(struct workers *w)
{
	(void)w;
}

int workers_ask(struct workers *w, enum workers_class class, enum nss_kind kind,
		const char *name, uint64_t tag)
{
	struct job *j = &jobs[n_jobs];

	(void)w;
	(void)class;
	if (n_jobs == 16)
		return -ENOBUFS;
	n_jobs++;
	*j = (struct job){.kind = kind, .tag = tag};
	(void)snprintf(j->name, sizeof(j->name), "%s", name);
	return 0;
}

/* The oldest question is answered. */
static void reply(enum nss_status status)
{
	static struct nss_reply r;
	struct job j = jobs[0];

	assert_true(n_jobs > 0);
	memmove(jobs, jobs + 1, --n_jobs * sizeof(*jobs));
	r = (struct nss_reply){.kind = j.kind,
			       .status = status,
			       .gid = GID,
			       .uid = 1234};
	(void)snprintf(r.name, sizeof(r.name), "%s", j.name);
	r.n_gids = j.kind == NSS_USER;
	r.gids[0] = GID;
	done(done_arg, j.tag, &r);
}

/* What rbacd is told. */
static struct {
	size_t n;
	uint64_t ticket;
	uint8_t state;
	size_t n_groups; /* of the person */
	bool complete;	 /* each group the policy names is known */
} told;

static void on_answer(void *arg, uint64_t ticket, uint8_t state, const void *block,
		      size_t len)
{
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a;
	struct snapshot_group g;

	(void)arg;
	told.n++;
	told.ticket = ticket;
	told.state = state;
	if (state != 1)
		return;
	assert_int_equal(snapshot_from_bytes(block, len, &s), 0);
	snapshot_account_at(s, 0, &a);
	told.n_groups = a.n_groups;
	told.complete = true;
	for (size_t i = 0; i < snapshot_group_count(s); i++) {
		snapshot_group_at(s, i, &g);
		told.complete = told.complete && g.complete;
	}
}

static void on_problem(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static struct event_base *base;
static struct nss *nss;

static int begin(void **state)
{
	static const struct nss_ops ops = {.answer = on_answer, .problem = on_problem};

	(void)state;
	memset(&told, 0, sizeof(told));
	n_jobs = 0;
	base = event_base_new();
	return nss_new(base, 3600, &ops, NULL, &nss);
}

static int end(void **state)
{
	(void)state;
	nss_free(nss);
	event_base_free(base);
	return 0;
}

static void targets(const char *a, const char *b)
{
	_cleanup_builder_ struct snapshot_builder *sb = NULL;
	_cleanup_snapshot_ struct snapshot *s = NULL;
	_cleanup_free_ void *block = NULL;
	uint32_t index;
	size_t len;

	assert_int_equal(snapshot_builder_new("targets", 1000, &sb), 0);
	assert_int_equal(snapshot_add_group(sb, a, true, 0, &index), 0);
	if (b)
		assert_int_equal(snapshot_add_group(sb, b, true, 0, &index), 0);
	assert_int_equal(snapshot_build_bytes(sb, &block, &len), 0);
	assert_int_equal(snapshot_from_bytes(block, len, &s), 0);
	assert_int_equal(nss_set_targets(nss, s), 0);
}

/* Of a login that waited for both daemons: the children answer in any order. */
static void test_people_wait_for_groups(void **state)
{
	(void)state;
	targets("admins", "robots");
	assert_int_equal(nss_lookup(nss, 7, "robot"), 0);
	assert_int_equal(n_jobs, 2); /* the groups */
	reply(NSS_FOUND);
	assert_int_equal(n_jobs, 1);
	reply(NSS_FAILED); /* also an answer */
	assert_int_equal(n_jobs, 1);
	reply(NSS_FOUND);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.ticket, 7);
	assert_int_equal(told.n_groups, 1);
	assert_false(told.complete); /* one failed */
}

static void test_known_groups_hold_nobody(void **state)
{
	(void)state;
	targets("admins", NULL);
	reply(NSS_FOUND);
	targets("admins", NULL);
	n_jobs = 0;
	assert_int_equal(nss_lookup(nss, 7, "robot"), 0);
	assert_int_equal(n_jobs, 1);
	reply(NSS_FOUND);
	assert_int_equal(told.n, 1);
	assert_true(told.complete);
}

/* The policy names another group while somebody is looked up. */
static void test_asked_again(void **state)
{
	(void)state;
	targets("admins", NULL);
	reply(NSS_FOUND);
	assert_int_equal(nss_lookup(nss, 7, "robot"), 0);
	targets("admins", "robots");
	reply(NSS_FOUND); /* the person */
	assert_int_equal(told.n, 0);
	reply(NSS_FOUND);
	reply(NSS_FOUND);
	assert_string_equal(jobs[0].name, "robot");
	reply(NSS_FOUND);
	assert_int_equal(told.n, 1);
	assert_true(told.complete);
}

/* A group that hangs does not keep out who needs none of it. */
static void test_not_for_long(void **state)
{
	(void)state;
	targets("admins", NULL);
	assert_int_equal(nss_lookup(nss, 7, "robot"), 0);
	while (n_jobs == 1)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_string_equal(jobs[1].name, "robot");
	reply(NSS_TIMED_OUT); /* the group, after all */
	reply(NSS_FOUND);
	assert_int_equal(told.n, 1);
	assert_false(told.complete);
}

static void test_gone_while_waiting(void **state)
{
	(void)state;
	targets("admins", NULL);
	assert_int_equal(nss_lookup(nss, 7, "robot"), 0);
	nss_forget(nss);
	reply(NSS_FOUND);
	assert_int_equal(n_jobs, 0);
	assert_int_equal(told.n, 0);
}

/* More than the children take. */
static void test_full_queue(void **state)
{
	(void)state;
	targets("admins", NULL);
	for (uint64_t t = 1; t <= 17; t++)
		assert_int_equal(nss_lookup(nss, t, "robot"), 0);
	reply(NSS_FOUND);
	assert_int_equal(n_jobs, 16);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.ticket, 17);
	assert_int_equal(told.state, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_people_wait_for_groups, begin,
						end),
		cmocka_unit_test_setup_teardown(test_known_groups_hold_nobody, begin,
						end),
		cmocka_unit_test_setup_teardown(test_asked_again, begin, end),
		cmocka_unit_test_setup_teardown(test_not_for_long, begin, end),
		cmocka_unit_test_setup_teardown(test_gone_while_waiting, begin, end),
		cmocka_unit_test_setup_teardown(test_full_queue, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
