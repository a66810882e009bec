/* SPDX-License-Identifier: Apache-2.0 */
/* The identity stage against a scripted rbacd-dir on a real socket. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#include "rbacd/directory/link.h"
#include "rbacd/directory/snapshot.h"
#include "rbacd/identity.h"
#include "rbacd/store/seal.h"

#define POLICY                                                                         \
	"vmsec_policy: 1\n"                                                            \
	"vm_sets: {all: {every: true}}\n"                                              \
	"roles: {r: {privileges: [ssh]}}\n"                                            \
	"grants:\n"                                                                    \
	"  - {id: g, to: [ops, dba], roles: [r], vms: [all]}\n"
#define POLICY_MORE                                                                    \
	"vmsec_policy: 1\n"                                                            \
	"vm_sets: {all: {every: true}}\n"                                              \
	"roles: {r: {privileges: [ssh]}}\n"                                            \
	"grants:\n"                                                                    \
	"  - {id: g, to: [aaa, ops], roles: [r], vms: [all]}\n"

/* Both ends: the stage under test, and the script that stands for rbacd-dir. */
struct world {
	struct event_base *base;
	struct config config;
	struct identity *identity;
	struct policy *policy;
	struct link *dir;
	char path[64];
	/* what the script saw */
	uint64_t tickets[64];
	char logins[64][65];
	size_t n_lookups, n_targets, n_lost;
	struct snapshot *targets;
	/* what the stage answered */
	struct identity_person person;
	int error;
	size_t n_done;
};

static int on_frame(void *arg, const struct wire_frame *f, int *fd)
{
	struct world *w = arg;
	struct wire_reader r;
	struct wire_field field;

	wire_reader_init(&r, f);
	if (f->type == WIRE_TARGETS) {
		snapshot_unref(w->targets);
		assert_int_equal(snapshot_from_fd(*fd, &w->targets), 0);
		w->n_targets++;
		return 0;
	}
	assert_int_equal(f->type, WIRE_LOOKUP);
	assert_true(w->n_lookups < ARRAY_SIZE(w->tickets));
	assert_int_equal(wire_next(&r, &field), 0);
	assert_int_equal(wire_get_u64(&field, &w->tickets[w->n_lookups]), 0);
	assert_int_equal(wire_next(&r, &field), 0);
	assert_int_equal(wire_get_text(&field, w->logins[w->n_lookups], 65), 0);
	w->n_lookups++;
	return 0;
}

static void on_lost(void *arg, const char *why)
{
	struct world *w = arg;

	(void)why;
	w->n_lost++;
	link_free(w->dir);
	w->dir = NULL;
}

static const struct link_ops ops = {.frame = on_frame, .lost = on_lost};

static void on_done(void *arg, int error, const struct identity_person *p)
{
	struct world *w = arg;

	identity_person_done(&w->person);
	w->error = error;
	w->n_done++;
	assert_int_equal(identity_person_copy(p, &w->person), 0);
}

static void turn(struct world *w)
{
	for (int i = 0; i < 20; i++)
		(void)event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static struct policy *load_policy(const char *text)
{
	const struct policy_source src = {.name = "t",
					  .buf = text,
					  .len = strlen(text)};
	const struct policy_host host = {.name = "vm"};
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	if (policy_load_sources(&src, 1, &host, &p, &diag) != 0) {
		diags_print(&diag, stderr);
		fail();
	}
	return p;
}

static void send_simple(struct world *w, enum wire_type type, enum wire_tag tag,
			const char *text, int fd)
{
	struct wire_writer wr;
	uint8_t buf[512];
	size_t len;

	wire_writer_begin(&wr, buf, sizeof(buf), type);
	if (text)
		wire_put_text(&wr, tag, text);
	assert_int_equal(wire_writer_end(&wr, &len), 0);
	assert_int_equal(link_send(w->dir, buf, len, fd), 0);
}

static void connect_dir(struct world *w, const char *source)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(sa.sun_path, w->path, strlen(w->path));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(link_new(w->base, fd, &ops, w, &w->dir), 0);
	if (source)
		send_simple(w, WIRE_HELLO, WIRE_T_SOURCE, source, -1);
	turn(w);
}

static void send_local(struct world *w)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	const struct snapshot_account v[] = {
		{.login = "root",
		 .id = "unix:0:root",
		 .uid = 0,
		 .flags = SNAPSHOT_LOCAL},
		{.login = "lola",
		 .id = "unix:1500:lola",
		 .uid = 1500,
		 .flags = SNAPSHOT_LOCAL},
		{.login = "toor",
		 .id = "unix:0:toor",
		 .uid = 0,
		 .flags = SNAPSHOT_LOCAL},
	};
	int fd;

	assert_int_equal(snapshot_builder_new("local", 0, &b), 0);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_int_equal(snapshot_add_account(b, &v[i]), 0);
	assert_int_equal(snapshot_build_fd(b, &fd), 0);
	send_simple(w, WIRE_SNAPSHOT, 0, NULL, fd);
	turn(w);
}

/* An answer: @login "" for nobody; in group ops; dba complete or not. */
static void answer(struct world *w, uint64_t ticket, const char *login, uint32_t uid,
		   bool dba_complete)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	_cleanup_free_ void *block = NULL;
	struct wire_writer wr;
	uint8_t buf[4096];
	uint32_t group;
	size_t len;

	assert_int_equal(snapshot_builder_new("nss", 0, &b), 0);
	assert_int_equal(snapshot_add_group(b, "ops", true, 0, &group), 0);
	assert_int_equal(snapshot_add_group(b, "dba", dba_complete, 0, NULL), 0);
	if (*login)
		assert_int_equal(
			snapshot_add_account(
				b,
				&(struct snapshot_account){.login = login,
							   .id = "unix:5000:x",
							   .uid = uid,
							   .flags = SNAPSHOT_DIRECTORY,
							   .groups = &group,
							   .n_groups = 1}),
			0);
	assert_int_equal(snapshot_build_bytes(b, &block, &len), 0);
	wire_writer_begin(&wr, buf, sizeof(buf), WIRE_ACCOUNT);
	wire_put_u64(&wr, WIRE_T_TICKET, ticket);
	wire_put_bytes(&wr, WIRE_T_BYTES, block, len);
	wire_put_u8(&wr, WIRE_T_STATE, 1);
	assert_int_equal(wire_writer_end(&wr, &len), 0);
	assert_int_equal(link_send(w->dir, buf, len, -1), 0);
	turn(w);
}

/* Of the same clock as identity.c: time() may be a tick behind it. */
static int64_t now_s(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &ts), 0);
	return (int64_t)ts.tv_sec;
}

static int lookup(struct world *w, const char *login, struct identity_ticket **ret)
{
	struct identity_person p = IDENTITY_PERSON_INIT;
	struct identity_ticket *t = NULL;
	int r = identity_lookup(w->identity, login, now_s(), on_done, w, &p, &t);

	if (r == 0) {
		identity_person_done(&w->person);
		w->person = p;
	}
	if (ret)
		*ret = t;
	return r;
}

static struct world *world_new(enum config_source source)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_non_null(w);
	w->person = (struct identity_person)IDENTITY_PERSON_INIT;
	w->config.source = source;
	w->config.max_stale_s = 3600;
	w->base = event_base_new();
	(void)snprintf(w->path, sizeof(w->path), "/tmp/vmsec-identity-%d",
		       (int)getpid());
	(void)unlink(w->path);
	memcpy(sa.sun_path, w->path, strlen(w->path));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(identity_new(w->base, &w->config, fd, (uint32_t)getuid(),
				      &w->identity),
			 0);
	w->policy = load_policy(POLICY);
	assert_int_equal(identity_set_policy(w->identity, w->policy), 0);
	return w;
}

static void world_free(struct world *w)
{
	identity_free(w->identity);
	link_free(w->dir);
	snapshot_unref(w->targets);
	policy_unref(w->policy);
	identity_person_done(&w->person);
	event_base_free(w->base);
	(void)unlink(w->path);
	free(w);
}

static uint32_t group_index(const struct world *w, const char *name)
{
	uint32_t i = 999;

	assert_int_equal(policy_group_find(w->policy, name, &i), 0);
	return i;
}

static void test_lookup_answered(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(w->n_targets, 1);
	assert_int_equal(snapshot_group_count(w->targets), 2);
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	turn(w);
	assert_int_equal(w->n_lookups, 1); /* shared */
	assert_string_equal(w->logins[0], "ann");
	assert_int_equal(w->n_done, 0);
	answer(w, w->tickets[0], "ann", 5000, false);
	assert_int_equal(w->n_done, 2);
	assert_int_equal(w->error, 0);
	assert_true(w->person.known && w->person.enabled && w->person.directory);
	assert_false(w->person.local);
	assert_int_equal(w->person.n_groups, 1);
	assert_int_equal(w->person.groups[0], group_index(w, "ops"));
	assert_int_equal(w->person.n_unknown, 1);
	assert_int_equal(w->person.unknown[0], group_index(w, "dba"));
	/* Fresh: at once, without a question. */
	assert_int_equal(lookup(w, "ann", NULL), 0);
	assert_true(w->person.known);
	assert_int_equal(w->n_lookups, 1);
	world_free(w);
}

static void test_nobody(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(lookup(w, "ghost", NULL), IDENTITY_E_PENDING);
	turn(w);
	answer(w, w->tickets[0], "", 0, true);
	assert_int_equal(w->n_done, 1);
	assert_false(w->person.known);
	assert_int_equal(lookup(w, "ghost", NULL), 0); /* for ten seconds */
	assert_false(w->person.known);
	assert_int_equal(lookup(w, "not valid", NULL), 0);
	assert_false(w->person.known);
	assert_int_equal(lookup(w, "-x", NULL), 0);
	assert_int_equal(lookup(w, "", NULL), 0);
	turn(w);
	assert_int_equal(w->n_lookups, 1);
	world_free(w);
}

/* Nobody comes back in time. */
static void time_out(struct world *w, size_t n_done)
{
	while (w->n_done < n_done)
		assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
}

/* D5: an upgrade starts rbacd and then rbacd-dir anew; logins fall in between. */
static void test_link_comes_back(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	turn(w);
	link_free(w->dir);
	w->dir = NULL;
	turn(w);
	assert_int_equal(lookup(w, "bob", NULL), IDENTITY_E_PENDING);
	turn(w);
	assert_int_equal(w->n_done, 0);
	connect_dir(w, "nss");
	assert_int_equal(w->n_lookups, 3); /* both are asked for */
	answer(w, w->tickets[1], "ann", 5000, true);
	assert_int_equal(w->n_done, 1);
	assert_true(w->person.known);
	answer(w, w->tickets[2], "bob", 5001, true);
	assert_int_equal(w->n_done, 2);
	assert_true(w->person.known);
	world_free(w);
}

static void test_somebody_else_ends_the_link(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	turn(w);
	answer(w, w->tickets[0], "eve", 5000, true);
	assert_int_equal(w->n_lost, 1);
	assert_int_equal(w->n_done, 0); /* as a lost link */
	time_out(w, 1);
	assert_false(w->person.known);
	world_free(w);
}

static void test_system_uid_ends_the_link(void **state)
{
	static const uint32_t bad[] = {999, 61184, 65519, 65534};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct world *w = world_new(CONFIG_SOURCE_NSS);

		connect_dir(w, "nss");
		assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
		turn(w);
		answer(w, w->tickets[0], "ann", bad[i], true);
		assert_int_equal(w->n_lost, 1);
		assert_false(w->person.known);
		world_free(w);
	}
}

static void test_not_connected(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	assert_int_equal(w->n_done, 0); /* never from inside */
	turn(w);
	assert_int_equal(w->n_done, 1);
	assert_false(w->person.known);
	world_free(w);
}

/* D5: after a start the first ones wait for rbacd-dir instead of being refused. */
static void test_awaited_nss(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	identity_await(w->identity);
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	turn(w);
	assert_int_equal(w->n_done, 0);
	connect_dir(w, "nss"); /* and is asked at once */
	send_local(w);
	assert_int_equal(w->n_lookups, 1);
	answer(w, w->tickets[0], "ann", 5000, false);
	assert_int_equal(w->n_done, 1);
	assert_true(w->person.known);
	world_free(w);
}

static void test_local(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);
	uint32_t uid = 7;

	(void)state;
	connect_dir(w, "nss");
	send_local(w);
	assert_int_equal(lookup(w, "root", NULL),
			 0); /* no question for system accounts */
	assert_true(w->person.known && w->person.enabled && w->person.local);
	assert_false(w->person.directory);
	assert_int_equal(w->person.uid, 0);
	assert_true(identity_local_uid(w->identity, "toor", &uid));
	assert_int_equal(uid, 0);
	assert_false(identity_local_uid(w->identity, "ann", &uid));
	/* A local person of whom nothing is known: every group is unknown. */
	assert_int_equal(lookup(w, "lola", NULL), IDENTITY_E_PENDING);
	turn(w);
	link_free(w->dir);
	w->dir = NULL;
	time_out(w, 1);
	assert_true(w->person.known && w->person.local && w->person.directory);
	assert_int_equal(w->person.n_groups, 0);
	assert_int_equal(w->person.n_unknown, 2);
	world_free(w);
}

static void test_local_beats_another_uid(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	send_local(w);
	assert_int_equal(lookup(w, "lola", NULL), IDENTITY_E_PENDING);
	turn(w);
	answer(w, w->tickets[0], "lola", 6000, true);
	assert_int_equal(w->n_done, 1);
	assert_int_equal(w->person.uid, 1500);
	assert_int_equal(w->person.n_groups, 0);
	assert_int_equal(w->person.n_unknown, 2);
	world_free(w);
}

static void test_stale_is_unknown(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);
	struct identity_person p = IDENTITY_PERSON_INIT;
	struct identity_ticket *t = NULL;

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	turn(w);
	answer(w, w->tickets[0], "ann", 5000, true);
	link_free(w->dir);
	w->dir = NULL;
	turn(w);
	/* Within max_stale the last entry answers. */
	assert_int_equal(identity_lookup(w->identity, "ann", now_s() + 3000, on_done, w,
					 &p, &t),
			 IDENTITY_E_PENDING);
	time_out(w, 2);
	assert_true(w->person.known);
	assert_int_equal(w->person.n_groups, 1);
	assert_true(w->person.age_s >= 3000);
	/* Beyond it nothing does. */
	assert_int_equal(identity_lookup(w->identity, "ann", now_s() + 3700, on_done, w,
					 &p, &t),
			 IDENTITY_E_PENDING);
	time_out(w, 3);
	assert_false(w->person.known);
	assert_true(w->person.stale);
	assert_int_equal(w->person.n_groups, 0);
	/* A clock set back makes nothing young. */
	assert_int_equal(identity_lookup(w->identity, "ann", now_s() - 90000, on_done,
					 w, &p, &t),
			 0);
	assert_true(p.age_s >= 2); /* by the clock since boot */
	identity_person_done(&p);
	world_free(w);
}

static void test_cancel(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);
	struct identity_ticket *a, *b;

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(lookup(w, "ann", &a), IDENTITY_E_PENDING);
	assert_int_equal(lookup(w, "ann", &b), IDENTITY_E_PENDING);
	identity_cancel(a);
	identity_cancel(NULL);
	turn(w);
	answer(w, w->tickets[0], "ann", 5000, true);
	assert_int_equal(w->n_done, 1);
	assert_int_equal(lookup(w, "bob", &a), IDENTITY_E_PENDING);
	identity_cancel(a);
	assert_int_equal(lookup(w, "carl", &a), IDENTITY_E_PENDING);
	world_free(w); /* with one parked: freed, not called */
}

static void test_timeout(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);
	struct identity_status st;
	struct timespec a, b;
	double took;

	(void)state;
	connect_dir(w, "nss");
	turn(w);
	assert_int_equal(lookup(w, "slow", NULL), IDENTITY_E_PENDING);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	while (w->n_done == 0)
		(void)event_base_loop(w->base, EVLOOP_ONCE);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	assert_true(took > 1.8 && took < 3);
	assert_false(w->person.known);
	answer(w, w->tickets[0], "slow", 5000, true); /* too late: no harm */
	assert_int_equal(w->n_done, 1);
	identity_status(w->identity, now_s(), &st);
	assert_int_equal(st.n_timeouts, 1);
	assert_true(st.connected);
	world_free(w);
}

static void test_new_policy(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	turn(w);
	answer(w, w->tickets[0], "ann", 5000, true);
	policy_unref(w->policy);
	w->policy = load_policy(POLICY_MORE);
	assert_int_equal(identity_set_policy(w->identity, w->policy), 0);
	turn(w);
	assert_int_equal(w->n_targets, 2);
	/* Looked up again, however fresh; without an answer the new group is unknown.
	 */
	assert_int_equal(lookup(w, "ann", NULL), IDENTITY_E_PENDING);
	link_free(w->dir);
	w->dir = NULL;
	time_out(w, 2);
	assert_true(w->person.known);
	assert_int_equal(w->person.n_groups, 1);
	assert_int_equal(w->person.groups[0], group_index(w, "ops"));
	assert_int_equal(w->person.n_unknown, 1);
	assert_int_equal(w->person.unknown[0], group_index(w, "aaa"));
	world_free(w);
}

static void send_whole(struct world *w, const char *source, int64_t made_s)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	const struct {
		const char *login;
		uint32_t uid;
	} v[] = {{"dora", 7001}, {"lola", 7002}, {"sys", 900}};
	uint32_t group;
	int fd;

	assert_int_equal(snapshot_builder_new(source, made_s, &b), 0);
	assert_int_equal(snapshot_add_group(b, "ops", true, 0, &group), 0);
	assert_int_equal(snapshot_add_group(b, "dba", true, 3000, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_int_equal(
			snapshot_add_account(
				b,
				&(struct snapshot_account){.login = v[i].login,
							   .id = v[i].login,
							   .uid = v[i].uid,
							   .flags = SNAPSHOT_DIRECTORY,
							   .groups = &group,
							   .n_groups = 1}),
			0);
	assert_int_equal(snapshot_build_fd(b, &fd), 0);
	send_simple(w, WIRE_SNAPSHOT, 0, NULL, fd);
	turn(w);
}

static void test_awaited_file(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_FILE);

	(void)state;
	identity_await(w->identity);
	assert_int_equal(lookup(w, "dora", NULL), IDENTITY_E_PENDING);
	assert_int_equal(lookup(w, "lola", NULL), IDENTITY_E_PENDING);
	connect_dir(w, "file");
	send_local(w);
	assert_int_equal(w->n_done, 0);
	send_whole(w, "file", now_s());
	assert_int_equal(w->n_done, 2);
	assert_int_equal(w->n_lookups, 0); /* nobody was asked for by name */
	assert_int_equal(lookup(w, "dora", NULL), 0);
	assert_true(w->person.known);
	world_free(w);
}

static void test_file(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_FILE);

	(void)state;
	assert_int_equal(lookup(w, "dora", NULL), 0);
	assert_false(w->person.known);
	connect_dir(w, "file");
	send_local(w);
	send_whole(w, "file", now_s());
	assert_int_equal(lookup(w, "dora", NULL), 0);
	assert_true(w->person.known && w->person.directory);
	assert_int_equal(w->person.n_groups, 1);
	assert_int_equal(w->person.n_unknown, 0);
	assert_string_equal(w->person.source, "file");
	assert_int_equal(lookup(w, "lola", NULL),
			 0); /* /etc/passwd's, groups do not count */
	assert_true(w->person.local);
	assert_false(w->person.directory);
	assert_int_equal(lookup(w, "sys", NULL), 0);
	assert_false(w->person.known);
	/* Ages add up per group: 3000 s then, 900 s since, max_stale 3600 s. */
	send_whole(w, "file", now_s() - 900);
	assert_int_equal(lookup(w, "dora", NULL), 0);
	assert_int_equal(w->person.n_groups, 1);
	assert_int_equal(w->person.n_unknown, 1);
	assert_int_equal(w->person.unknown[0], group_index(w, "dba"));
	send_whole(w, "file", now_s() - 4000);
	assert_int_equal(lookup(w, "dora", NULL), 0);
	assert_true(w->person.stale);
	assert_int_equal(w->person.n_groups, 0);
	assert_int_equal(w->person.n_unknown, 2);
	world_free(w);
}

/* "dora" with one to three changes by which names are told to look or sort alike. */
static void write_variant(unsigned seed, char buf[64])
{
	static const char *const marks[] = {" ",
					    "\t",
					    "\xc2\xa0",
					    "\xc2\xad", /* soft hyphen */
					    "\xe2\x80\x8b",
					    "\xe2\x80\x8d",
					    "\xef\xbb\xbf",
					    "\xcc\x81",
					    "\xe2\x80\xae",
					    ".",
					    "@vm",
					    "%20",
					    "\\",
					    "$",
					    "'",
					    "-"};
	static const char *const alike[] = {/* of d, o, r, a in turn */
					    "D", "\xef\xbd\x84", "\xd4\x81",
					    "O", "\xef\xbd\x8f", "\xd0\xbe",
					    "R", "\xef\xbd\x92", "\xd0\xb3",
					    "A", "\xef\xbd\x81", "\xd0\xb0"};
	static const char name[] = "dora";
	size_t n = 0;

	for (unsigned i = 0; i <= 4; i++) {
		unsigned roll = (seed = seed * 1103515245u + 12345u) >> 16;

		if (roll % 3 == 0)
			n += (size_t)snprintf(buf + n, 64 - n, "%s",
					      marks[roll / 3 % ARRAY_SIZE(marks)]);
		if (i < 4 && roll % 5 == 0)
			n += (size_t)snprintf(buf + n, 64 - n, "%s",
					      alike[3 * i + roll / 5 % 3]);
		else if (i < 4)
			n += (size_t)snprintf(buf + n, 64 - n, "%c", name[i]);
	}
}

/* O5: a name is the person's, byte for byte, or nobody's. */
static void test_name_variants(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_FILE);
	unsigned n = 0, same = 0;
	char text[64];

	(void)state;
	connect_dir(w, "file");
	send_local(w);
	send_whole(w, "file", now_s());
	for (unsigned seed = 1; n < 10000; seed++, n++) {
		bool is_dora;

		write_variant(seed, text);
		is_dora = strcmp(text, "dora") == 0;
		same += is_dora;
		assert_int_equal(lookup(w, text, NULL), 0);
		assert_int_equal(w->person.known, is_dora);
	}
	assert_true(same < n / 10);
	assert_int_equal(w->n_lookups, 0);
	world_free(w);
}

/* One snapshot of source ldap: a base of @n people, or a change with only @login. */
struct block {
	uint64_t serial, base;
	size_t n;
	const char *login;
	bool member, gone, other_groups;
};

static int build_block(const struct block *k)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	struct snapshot_account a = {.uid = 7001,
				     .flags = k->gone ? 0 : SNAPSHOT_DIRECTORY,
				     .n_groups = k->member};
	uint32_t group;
	char login[32];
	int fd;

	a.groups = &group;
	assert_int_equal(snapshot_builder_new("ldap", now_s(), &b), 0);
	snapshot_builder_number(b, k->serial, k->base);
	assert_int_equal(snapshot_add_group(b, "ops", true, 0, &group), 0);
	assert_int_equal(snapshot_add_group(b, k->other_groups ? "dbb" : "dba", true, 0,
					    NULL),
			 0);
	for (size_t i = 0; i < k->n || (i == 0 && k->login); i++) {
		(void)snprintf(login, sizeof(login), "p%zu", i);
		a.login = a.id = k->login ? k->login : login;
		assert_int_equal(snapshot_add_account(b, &a), 0);
	}
	assert_int_equal(snapshot_build_fd(b, &fd), 0);
	return fd;
}

static void send_block(struct world *w, const struct block *k)
{
	send_simple(w, WIRE_SNAPSHOT, 0, NULL, build_block(k));
	for (int i = 0; i < 20; i++) /* a large one is checked a slice a turn */
		turn(w);
}

static bool in_ops(struct world *w, const char *login)
{
	assert_int_equal(lookup(w, login, NULL), 0);
	return w->person.known && w->person.n_groups == 1;
}

static void test_base_and_change(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_LDAP);

	(void)state;
	connect_dir(w, "ldap");
	send_block(w, &(struct block){.serial = 5, .n = 3500, .member = true});
	assert_true(in_ops(w, "p7"));
	assert_true(in_ops(w, "p3499"));
	assert_string_equal(w->person.source, "ldap");
	send_block(w, &(struct block){.serial = 6, .base = 5, .login = "p7"});
	assert_false(in_ops(w, "p7"));
	assert_true(w->person.known);
	assert_true(in_ops(w, "p8"));
	/* The next change holds everything since the base: p7 is as he was there. */
	send_block(w, &(struct block){
			      .serial = 7, .base = 5, .login = "p8", .gone = true});
	assert_true(in_ops(w, "p7"));
	assert_int_equal(lookup(w, "p8", NULL), 0);
	assert_false(w->person.known);
	send_block(w, &(struct block){.serial = 8, .n = 10});
	assert_false(in_ops(w, "p7"));
	assert_int_equal(lookup(w, "p3499", NULL), 0);
	assert_false(w->person.known);
	world_free(w);
}

/* A change to something else, or with other groups, ends the link; data stays. */
static void test_change_must_fit(void **state)
{
	static const struct block bad[] = {
		{.serial = 6, .base = 4, .login = "p7"},
		{.serial = 6, .base = 5, .login = "p7", .other_groups = true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct world *w = world_new(CONFIG_SOURCE_LDAP);

		connect_dir(w, "ldap");
		send_block(w, &(struct block){.serial = 5, .n = 10, .member = true});
		send_block(w, &bad[i]);
		assert_true(in_ops(w, "p7"));
		assert_int_equal(w->n_lost, 1);
		world_free(w);
	}
}

/* The change comes while its base is still being checked. */
static void test_change_waits_for_its_base(void **state)
{
	const struct block base = {.serial = 5, .n = 3500, .member = true};
	const struct block change = {.serial = 6, .base = 5, .login = "p7"};
	struct world *w = world_new(CONFIG_SOURCE_LDAP);

	(void)state;
	connect_dir(w, "ldap");
	send_simple(w, WIRE_SNAPSHOT, 0, NULL, build_block(&base));
	send_block(w, &change);
	assert_true(in_ops(w, "p8"));
	assert_false(in_ops(w, "p7"));
	world_free(w);
}

static void test_stale_by_privilege(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_LDAP);
	struct policy_subject s;

	(void)state;
	connect_dir(w, "ldap");
	send_block(w, &(struct block){.serial = 5, .n = 10, .member = true});
	assert_true(in_ops(w, "p7"));
	w->person.age_s = 1000;
	identity_person_subject(&w->person, 900, &s);
	assert_true(s.stale);
	identity_person_subject(&w->person, 1000, &s);
	assert_false(s.stale);
	w->person.local = true; /* /etc/passwd is never old */
	identity_person_subject(&w->person, 900, &s);
	assert_false(s.stale);
	world_free(w);
}

static void send_list(struct world *w, enum wire_type type, const char *verb,
		      const char *arg)
{
	struct wire_writer wr;
	uint8_t buf[512];
	size_t len;

	wire_writer_begin(&wr, buf, sizeof(buf), type);
	if (verb)
		wire_put_text(&wr, WIRE_T_VERB, verb);
	wire_put_text(&wr, WIRE_T_ARG, arg);
	assert_int_equal(wire_writer_end(&wr, &len), 0);
	assert_int_equal(link_send(w->dir, buf, len, -1), 0);
	turn(w);
}

static void count_notice(void *arg, const char *event, const char *text)
{
	(void)event;
	assert_string_equal(text, "x");
	(*(unsigned *)arg)++;
}

static void send_clock(struct world *w, uint8_t state)
{
	struct wire_writer wr;
	uint8_t buf[64];
	size_t len;

	wire_writer_begin(&wr, buf, sizeof(buf), WIRE_CLOCK);
	wire_put_u8(&wr, WIRE_T_STATE, state);
	assert_int_equal(wire_writer_end(&wr, &len), 0);
	assert_int_equal(link_send(w->dir, buf, len, -1), 0);
	turn(w);
}

static void test_clock(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);
	bool told = false;

	(void)state;
	connect_dir(w, "nss");
	send_clock(w, 1); /* nobody asks */
	identity_set_clock(w->identity, &told);
	send_clock(w, 1);
	assert_true(told);
	send_clock(w, 2);
	assert_false(told);
	assert_int_equal(w->n_lost, 0);
	send_clock(w, 3);
	assert_false(told);
	assert_int_equal(w->n_lost, 1);
	world_free(w);
}

static void test_facts_and_notices(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_LDAP);
	struct identity_status st;
	const char *name, *text;
	unsigned n = 0;

	(void)state;
	identity_set_notice(w->identity, count_notice, &n);
	connect_dir(w, "ldap");
	send_list(w, WIRE_FACTS, NULL, "state=a=b");
	identity_status(w->identity, now_s(), &st);
	assert_int_equal(st.n_facts, 1);
	identity_fact(w->identity, 0, &name, &text);
	assert_string_equal(name, "state");
	assert_string_equal(text, "a=b");
	for (int i = 0; i < 100; i++) /* a flood does not fill the log */
		send_list(w, WIRE_NOTICE, "people", "text=x");
	assert_int_equal(n, 60);
	assert_int_equal(w->n_lost, 0);
	send_list(w, WIRE_FACTS, NULL, "St\"ate=x");
	assert_int_equal(w->n_lost, 1);
	identity_status(w->identity, now_s(), &st);
	assert_int_equal(st.n_facts, 0);
	world_free(w);
}

static struct seal *new_seal(uint8_t fill)
{
	uint8_t master[32];
	struct seal *seal;

	memset(master, fill, sizeof(master));
	assert_int_equal(seal_new(master, &seal), 0);
	return seal;
}

static void flip_byte(const char *dir, const char *name, off_t at)
{
	char path[128];
	uint8_t b;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

/* Return: 1 in ops, 0 known without, -1 unknown, after a start in @dir. */
static int started_in(const char *dir, const struct seal *seal, const char *login)
{
	struct world *w = world_new(CONFIG_SOURCE_LDAP);
	int r;

	assert_int_equal(identity_keep(w->identity, seal, dir), 0);
	assert_int_equal(lookup(w, login, NULL), 0);
	r = !w->person.known ? -1 : w->person.n_groups == 1;
	world_free(w);
	return r;
}

static void test_kept_over_a_restart(void **state)
{
	struct seal *seal = new_seal(1), *other = new_seal(2);
	struct world *w;
	char dir[] = "/tmp/vmsec-keep-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(started_in(dir, seal, "p7"), -1); /* nothing there: no error */
	w = world_new(CONFIG_SOURCE_LDAP);
	assert_int_equal(identity_keep(w->identity, seal, dir), 0);
	connect_dir(w, "ldap");
	send_block(w, &(struct block){.serial = 5, .n = 3500, .member = true});
	send_block(w, &(struct block){.serial = 6, .base = 5, .login = "p7"});
	world_free(w); /* writes what is not written */
	assert_int_equal(started_in(dir, seal, "p8"), 1);
	assert_int_equal(started_in(dir, seal, "p7"), 0);
	assert_int_equal(started_in(dir, other, "p8"), -1);
	flip_byte(dir, "directory.change", 40);
	assert_int_equal(started_in(dir, seal, "p8"), 1);
	flip_byte(dir, "directory.base", 5000);
	assert_int_equal(started_in(dir, seal, "p8"), -1);
	flip_byte(dir, "directory.base", 5000);
	flip_byte(dir, "directory.base", 3); /* the MAC itself */
	assert_int_equal(started_in(dir, seal, "p8"), -1);
	for (size_t i = 0; i < 2; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/directory.%s", dir,
			       i ? "base" : "change");
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
	seal_free(seal);
	seal_free(other);
}

static void run_for(struct world *w, int ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	assert_int_equal(event_base_loopexit(w->base, &tv), 0);
	assert_true(event_base_dispatch(w->base) >= 0);
}

static bool appears(struct world *w, const char *path)
{
	for (int i = 0; i < 100 && access(path, F_OK) != 0; i++)
		run_for(w, 100);
	return access(path, F_OK) == 0;
}

/* A writer that fails must not lose a removal for good. */
static void test_kept_after_a_failure(void **state)
{
	struct seal *seal = new_seal(1);
	struct world *w = world_new(CONFIG_SOURCE_LDAP);
	char dir[] = "/tmp/vmsec-keep-XXXXXX", path[2][64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path[0], sizeof(path[0]), "%s/directory.base", dir);
	(void)snprintf(path[1], sizeof(path[1]), "%s/directory.change", dir);
	assert_int_equal(identity_keep(w->identity, seal, dir), 0);
	connect_dir(w, "ldap");
	send_block(w, &(struct block){.serial = 5, .n = 10, .member = true});
	assert_true(appears(w, path[0]));
	assert_int_equal(mkdir(path[1], 0700), 0); /* in the way of the change */
	send_block(w, &(struct block){.serial = 6, .base = 5, .login = "p7"});
	run_for(w, 1000); /* the writer tries and fails */
	assert_int_equal(rmdir(path[1]), 0);
	assert_true(appears(w, path[1]));
	assert_int_equal(started_in(dir, seal, "p7"), 0);
	world_free(w);
	assert_int_equal(unlink(path[0]) | unlink(path[1]), 0);
	assert_int_equal(rmdir(dir), 0);
	seal_free(seal);
}

static void test_protocol_violations(void **state)
{
	static const char *const sources[] = {"file", "ldap", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct world *w = world_new(CONFIG_SOURCE_NSS);

		connect_dir(w, sources[i]);
		turn(w);
		assert_int_equal(w->n_lost, 1);
		world_free(w);
	}
	for (int i = 0; i < 5; i++) {
		struct world *w = world_new(CONFIG_SOURCE_NSS);

		connect_dir(w, i == 0 ? NULL : "nss");
		if (i == 0) /* before HELLO */
			send_simple(w, WIRE_PROBLEM, WIRE_T_PROBLEM, "x", -1);
		if (i == 1) /* without its descriptor */
			send_simple(w, WIRE_SNAPSHOT, 0, NULL, -1);
		if (i == 2) /* a descriptor nobody asked for */
			send_simple(w, WIRE_PROBLEM, WIRE_T_PROBLEM, "x",
				    open("/dev/null", O_RDONLY));
		if (i == 3) /* not a memfd */
			send_simple(w, WIRE_SNAPSHOT, 0, NULL,
				    open("/dev/null", O_RDONLY));
		if (i == 4)
			send_simple(w, WIRE_HELLO, WIRE_T_SOURCE, "nss", -1);
		turn(w);
		if (w->n_lost != 1)
			fail_msg("violation %d was accepted", i);
		world_free(w);
	}
}

static void test_whole_snapshot_in_nss(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);

	(void)state;
	connect_dir(w, "nss");
	send_whole(w, "file", now_s());
	assert_int_equal(w->n_lost, 1);
	world_free(w);
}

static void test_newer_link_wins(void **state)
{
	struct world *w = world_new(CONFIG_SOURCE_NSS);
	struct world second = {.base = w->base};
	struct identity_status st;

	(void)state;
	connect_dir(w, "nss");
	memcpy(second.path, w->path, sizeof(second.path));
	connect_dir(&second, "nss");
	assert_int_equal(w->n_lost, 1);
	assert_int_equal(second.n_lost, 0);
	assert_int_equal(second.n_targets, 1);
	identity_status(w->identity, now_s(), &st);
	assert_true(st.connected);
	assert_int_equal(st.n_restarts, 1);
	link_free(second.dir);
	snapshot_unref(second.targets);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup_answered),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_link_comes_back),
		cmocka_unit_test(test_somebody_else_ends_the_link),
		cmocka_unit_test(test_system_uid_ends_the_link),
		cmocka_unit_test(test_not_connected),
		cmocka_unit_test(test_awaited_nss),
		cmocka_unit_test(test_awaited_file),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_local_beats_another_uid),
		cmocka_unit_test(test_stale_is_unknown),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_new_policy),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_name_variants),
		cmocka_unit_test(test_base_and_change),
		cmocka_unit_test(test_change_must_fit),
		cmocka_unit_test(test_change_waits_for_its_base),
		cmocka_unit_test(test_stale_by_privilege),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_facts_and_notices),
		cmocka_unit_test(test_kept_over_a_restart),
		cmocka_unit_test(test_kept_after_a_failure),
		cmocka_unit_test(test_protocol_violations),
		cmocka_unit_test(test_whole_snapshot_in_nss),
		cmocka_unit_test(test_newer_link_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
