/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.c - a database with a log of so many days, and two snapshots: all made by the
 * product's own code from a seed, so that the same seed gives the same bytes.
 *
 * usage: world POLICY PEOPLE_BEFORE PEOPLE_NOW FOLDER DAYS DECISIONS_A_DAY
 * FOLDER gets rbacd.db, master.key, before.vmsec, now.vmsec. The last day is
 * 2026-11-20; before.vmsec is of 30 days earlier (half of DAYS when there are fewer).
 * With an audit.key in it the log is as rbacd's: signed each minute, old records only
 * in the segments below FOLDER/audit.
 */
#include <err.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "policy/reach.h"
#include "rbacd/audit/audit.h"
#include "rbacd/audit/note.h"
#include "rbacd/directory/file.h"
#include "rbacd/report/state.h"

#define DAY_S	    86400
#define END_S	    INT64_C(1795219200) /* 2026-11-21T00:00:00Z */
#define TURN	    500			/* records a commit */
#define HEARTBEAT_S 300

static const char *const master =
	"4c9184f37cff01bcdc32dc486ec36961b1a2c3d4e5f60718293a4b5c6d7e8f90\n";

struct world {
	const char *folder;
	struct policy *policy;
	struct snapshot *people[2]; /* before, now */
	struct store *store;
	struct seal *seal;
	struct signer *signer; /* NULL: there is no key, and no segment */
	struct audit *audit;
	struct policy_privileges *privs;
	struct policy_reach *reach;
	struct actor {
		const char *login, *id;
		struct way {
			const char *rule, *group, *role;
			uint32_t vm, privilege;
			bool mfa;
		} ways[8];
		size_t n_ways;
	} * actors;
	size_t n_actors;
	uint64_t random;
	int64_t last_s;
	unsigned turn;
};

static uint64_t next_random(struct world *w)
{
	uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t below(struct world *w, uint64_t n)
{
	return next_random(w) % n;
}

static void must(int r, const char *what)
{
	if (r != 0)
		errx(1, "%s: error %d", what, r);
}

static const char *in_folder(const struct world *w, const char *name)
{
	static char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	return path;
}

static void write_file(const char *path, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, p, len) != (ssize_t)len || close(fd) != 0)
		err(1, "%s", path);
}

/* ---------------------------------------------------------------- people */

static void skip_problem(void *arg, const char *text)
{
	(void)arg;
	(void)text; /* a system account of the data; the tests count who is left */
}

static struct snapshot *targets(const struct world *w)
{
	struct snapshot_builder *b;
	struct snapshot *s;
	size_t len;
	void *p;

	must(snapshot_builder_new("file", END_S, &b), "builder");
	for (size_t i = 0; i < policy_group_count(w->policy); i++) {
		uint32_t index;

		must(snapshot_add_group(b, policy_group_at(w->policy, i)->name, true, 0,
					&index),
		     "group");
	}
	must(snapshot_build_bytes(b, &p, &len), "targets");
	must(snapshot_from_bytes(p, len, &s), "targets");
	free(p);
	snapshot_builder_free(b);
	return s;
}

static struct snapshot *read_people(const struct world *w, const char *path,
				    int64_t now_s)
{
	struct diags diag = DIAGS_INIT;
	struct snapshot *groups = targets(w), *people;
	struct file_input in = {.path = path,
				.targets = groups,
				.now_s = now_s,
				.problem = skip_problem};
	int fd = -1;

	if (file_build(&in, &fd, &diag) != 0) {
		diags_print(&diag, stderr);
		errx(1, "%s", path);
	}
	must(snapshot_from_fd(fd, &people), path);
	(void)close(fd);
	snapshot_unref(groups);
	return people;
}

static struct population population_of(const struct world *w, int which, int64_t now_s)
{
	return (struct population){.people = w->people[which],
				   .source = "file",
				   .whole = true,
				   .now_s = now_s,
				   .max_stale_s = INT64_MAX};
}

/* Up to eight ways in a person, each by one VM, are what he uses. */
static void choose_ways(struct world *w, const struct policy_subject *s)
{
	const struct policy_opening *o;
	struct actor *a = &w->actors[w->n_actors];
	size_t n, n_vms;

	must(policy_reach_subject(w->reach, s, &o, &n), "reach");
	if (n == 0)
		return;
	*a = (struct actor){.login = s->login, .id = s->id};
	while (a->n_ways < ARRAY_SIZE(a->ways)) {
		const struct policy_opening *one = &o[below(w, n)];
		const uint32_t *vms = policy_reach_vms(w->reach, one->class, &n_vms);

		a->ways[a->n_ways++] = (struct way){.rule = one->rule,
						    .group = one->group,
						    .role = one->role,
						    .vm = vms[below(w, n_vms)],
						    .privilege = one->privilege,
						    .mfa = one->mfa};
	}
	w->n_actors++;
}

static void choose_actors(struct world *w)
{
	struct population pop = population_of(w, 1, END_S);
	struct people people;

	must(people_make(&pop, w->policy, &people), "people");
	must(policy_privileges_new(w->policy, NULL, &w->privs), "privileges");
	must(policy_reach_new(w->policy, w->privs, END_S, &w->reach), "reach");
	w->actors = calloc(people.n + 1, sizeof(*w->actors));
	for (size_t i = 0; i < people.n; i++)
		if (i % 6 != 5) /* the sixth never comes */
			choose_ways(w, &people.v[i]);
	people_done(&people);
}

static void enrol(struct world *w, int64_t now_s)
{
	for (size_t i = 0; i < w->n_actors; i++) {
		struct store_person p = {.created_s = now_s, .last_ok_s = now_s};
		struct store_factor f = {.name = "phone",
					 .kind = STORE_FACTOR_TOTP,
					 .status = STORE_FACTOR_ACTIVE,
					 .hash = STORE_SHA1,
					 .digits = 6,
					 .period_s = 30,
					 .drift = (int16_t)(i % 17 == 0 ? 2 : 0),
					 .last_step = now_s / 30,
					 .created_s = now_s,
					 .sealed_len = 1};

		if (i % 11 == 3)
			continue; /* not yet */
		(void)snprintf(p.id, sizeof(p.id), "%s", w->actors[i].id);
		(void)snprintf(p.login, sizeof(p.login), "%s", w->actors[i].login);
		(void)snprintf(f.person, sizeof(f.person), "%s", p.id);
		p.disabled = i % 41 == 7;
		must(store_person_put(w->store, &p), "person");
		must(store_factor_put(w->store, &f), "factor");
	}
}

/* ---------------------------------------------------------------- the log */

static void commit(struct world *w)
{
	if (w->signer)
		must(audit_tick(w->audit, w->last_s * 1000000), "tick");
	must(store_commit(w->store), "commit");
	audit_committed(w->audit);
	if (store_wal_over(w->store))
		store_idle(w->store);
	w->turn = 0;
}

static void append(struct world *w, const struct audit_event *ev, int64_t at_s)
{
	char id[AUDIT_ID_MAX + 1];

	must(audit_append(w->audit, ev, at_s * 1000000, id), "append");
	w->last_s = at_s;
	if (++w->turn == TURN)
		commit(w);
}

static void idle(struct world *w, int64_t until_s)
{
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "log.heartbeat";
	ev.outcome = AUDIT_SUCCESS;
	while (w->last_s + HEARTBEAT_S < until_s)
		append(w, &ev, w->last_s + HEARTBEAT_S);
}

static const char *source_of(struct world *w, char buf[48])
{
	(void)snprintf(buf, 48, "10.%u.%u.%u", (unsigned)below(w, 4),
		       (unsigned)below(w, 8), (unsigned)below(w, 20) + 1);
	return buf;
}

/* Refusals as they come: mostly wrong codes, now and then something worse. */
static void refuse(struct world *w, struct audit_event *ev)
{
	static const char *const reasons[] = {"bad_otp",       "bad_otp",
					      "bad_otp",       "no_grant",
					      "mfa_stale",     "factor_locked",
					      "outside_hours", "directory_stale",
					      "otp_replay"};
	uint64_t n = below(w, 60);

	ev->reason = reasons[n < 9 ? n : n % 5];
	ev->dec = "deny";
	ev->outcome = AUDIT_FAILURE;
	ev->rule = ev->path = NULL;
	if (n % 5 < 3)
		ev->ev = "auth";
	if (n == 20) {
		ev->unknown_user = "hunter2";
		ev->user = ev->uid = NULL;
		ev->reason = "unknown_user";
	}
}

static void decide(struct world *w, int64_t at_s)
{
	/* Few people do most: the square of a uniform number. */
	double u = (double)(next_random(w) >> 11) / 9007199254740992.0;
	const struct actor *a = &w->actors[(size_t)(u * u * (double)w->n_actors)];
	const struct way *way = &a->ways[below(w, a->n_ways)];
	const struct policy_privilege *p =
		policy_privileges_at(w->privs, way->privilege);
	struct audit_event ev = AUDIT_EVENT_INIT;
	char src[48], path[256];

	ev.ev = "account";
	ev.user = a->login;
	ev.uid = a->id;
	ev.svc = str_eq(p->name, "ssh") ? "sshd" : p->name;
	ev.src = source_of(w, src);
	ev.vm = policy_vm_at(w->policy, way->vm);
	ev.priv = p->name;
	ev.target = str_eq(p->target, "*") ? NULL : p->target;
	ev.dec = "allow";
	ev.outcome = AUDIT_SUCCESS;
	ev.rule = way->rule;
	(void)snprintf(path, sizeof(path), "%s -> %s", way->group, way->role);
	ev.path = path;
	ev.policy_sha = policy_sha256(w->policy);
	ev.dec_src = "file";
	ev.snapshot_age_s = (int64_t)below(w, 300);
	ev.lat_us = 200 + (int64_t)below(w, 900) * (below(w, 50) == 0 ? 30 : 1);
	ev.mfa_method = !way->mfa ? NULL : below(w, 8) == 0 ? "security-key" : "totp";
	if (below(w, 14) == 0)
		refuse(w, &ev);
	append(w, &ev, at_s);
}

static void administer(struct world *w, int64_t at_s)
{
	static const char *const whys[] = {"lost phone, CHG-4711",
					   "=HYPERLINK(\"http://evil.example\",\"x\")",
					   "<script>alert(1)</script>",
					   "\"; DROP TABLE\r\n@SUM(1+1)",
					   "\u202eevil\u2066",
					   "'><img src=x onerror=alert(1)>"};
	const struct actor *a = &w->actors[below(w, w->n_actors)];
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = below(w, 3) == 0 ? "admin.reset" : "admin.enrol_confirm";
	ev.op = ev.ev + strlen("admin.");
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.actor = "uid:0";
	ev.user = a->login;
	ev.uid = a->id;
	ev.object = a->id;
	ev.reason_text = whys[below(w, ARRAY_SIZE(whys))];
	append(w, &ev, at_s);
}

/* Most of a day's logins are between 8 and 18 o'clock, few at a week-end. */
static int64_t second_of_day(struct world *w)
{
	return below(w, 10) < 8 ? 28800 + (int64_t)below(w, 36000)
				: (int64_t)below(w, DAY_S);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void live_day(struct world *w, int64_t day_s, size_t n)
{
	bool weekend = (day_s / DAY_S + 3) % 7 >= 5;
	int64_t *at = calloc(n + 1, sizeof(*at));

	n = weekend ? n / 4 : n;
	for (size_t i = 0; i < n; i++)
		at[i] = day_s + second_of_day(w);
	qsort(at, n, sizeof(*at), by_time);
	for (size_t i = 0; i < n; i++) {
		idle(w, at[i]);
		if (below(w, 997) == 0)
			administer(w, at[i]);
		decide(w, at[i]);
	}
	free(at);
}

static void snapshot(struct world *w, int which, int64_t at_s, const char *name)
{
	const struct policy_host host = {.name = "vm7"};
	struct population pop = population_of(w, which, at_s);
	const struct state_input in = {.host = &host,
				       .policy = w->policy,
				       .pop = &pop,
				       .store = w->store,
				       .now_s = at_s};
	struct audit_event ev = AUDIT_EVENT_INIT;
	char sha256[65], *bytes;
	size_t len;

	commit(w);
	must(state_make(&in, &bytes, &len), "snapshot");
	must(state_sha256(bytes, len, sha256), "sha256");
	write_file(in_folder(w, name), bytes, len);
	free(bytes);
	ev.ev = ev.op = "report.snapshot";
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.actor = "uid:0";
	ev.object = name;
	ev.after_sha = sha256;
	append(w, &ev, at_s);
}

static void load_policy_event(struct world *w, int64_t at_s)
{
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "policy.load";
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.actor = "start";
	ev.after_sha = policy_sha256(w->policy);
	append(w, &ev, at_s);
}

static void open_all(struct world *w, char **argv)
{
	struct audit_options opt = {.host = "vm7",
				    .retention = {400 * DAY_S, 185 * DAY_S}};
	const struct policy_host host = {.name = "vm7"};
	struct diags diag = DIAGS_INIT;
	static char db[4096], dir[4096];

	w->folder = argv[4];
	write_file(in_folder(w, "master.key"), master, strlen(master));
	(void)chmod(in_folder(w, "master.key"), 0400);
	(void)snprintf(db, sizeof(db), "%s/rbacd.db", w->folder);
	(void)snprintf(dir, sizeof(dir), "%s/audit", w->folder);
	if (access(in_folder(w, "audit.key"), F_OK) == 0) {
		must(mkdir(dir, 0700), dir);
		must(signer_open(in_folder(w, "audit.key"), false, "vm7/vmsec",
				 &w->signer, &diag),
		     "audit.key");
		opt.dir = dir;
		opt.signer = w->signer;
	}
	if (policy_load(argv[1], &host, &w->policy, &diag) != 0 ||
	    store_open(&(struct store_options){.path = db}, &w->store, &diag) != 0 ||
	    seal_open(in_folder(w, "master.key"), 0, &w->seal, &diag) != 0 ||
	    audit_open(w->store, w->seal, &opt, &w->audit, &diag) != 0) {
		diags_print(&diag, stderr);
		errx(1, "%s: cannot be made", w->folder);
	}
}

int main(int argc, char **argv)
{
	struct world w = {.random = 20261120};
	int64_t days, before, start_s;
	size_t n;

	if (argc != 7)
		errx(2, "usage: world POLICY PEOPLE_BEFORE PEOPLE_NOW FOLDER DAYS N");
	(void)umask(077);
	days = strtol(argv[5], NULL, 10);
	n = strtoul(argv[6], NULL, 10);
	before = days > 30 ? 30 : days / 2;
	start_s = END_S - days * DAY_S;
	open_all(&w, argv);
	w.people[0] = read_people(&w, argv[2], END_S - before * DAY_S);
	w.people[1] = read_people(&w, argv[3], END_S);
	choose_actors(&w);
	enrol(&w, start_s);
	w.last_s = start_s;
	load_policy_event(&w, start_s);
	for (int64_t day = 0; day < days; day++) {
		if (day == days - before)
			snapshot(&w, 0, start_s + day * DAY_S, "before.vmsec");
		live_day(&w, start_s + day * DAY_S, n);
		idle(&w, start_s + (day + 1) * DAY_S);
	}
	snapshot(&w, 1, END_S, "now.vmsec");
	must(audit_stop(w.audit), "stop");
	commit(&w);
	free(w.actors);
	policy_reach_free(w.reach);
	policy_privileges_free(w.privs);
	snapshot_unref(w.people[0]);
	snapshot_unref(w.people[1]);
	policy_unref(w.policy);
	audit_close(w.audit);
	signer_free(w.signer);
	store_close(w.store);
	seal_free(w.seal);
	return 0;
}
