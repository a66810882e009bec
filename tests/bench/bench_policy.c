/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_policy.c - a decision beside what plain bitsets need for the same question and
 * beside SSSD's libipa_hbac; the time and memory of loading; who may enter a VM; and
 * the exact difference of two policies. Ours also looks at an origin, the hours and the
 * age of a proof. Arguments: [rounds [FOLDER]]; FOLDER gets small.json and large.json
 * for peers in other languages.
 */
#include <malloc.h>
#include <time.h>

#include "policy/diff.h"
#include "tests/bench/peer_hbac.h"
#include "tests/bench/policy_data.h"
#include "tests/bench/policy_floor.h"

#define BATCH	   100
#define HOST_EACH  10 /* of a batch, every tenth question goes to libipa_hbac */
#define JSON_COUNT 2000
#define NOW_S	   1795000000 /* a Wednesday noon */
#define N_WHO	   50	      /* VMs that who-can is asked about */

struct subject {
	const char *name;
	double *us; /* owned; a sample a batch */
	size_t n, wrong;
};

struct bench {
	const char *name;
	struct data d;
	struct floor floor;
	struct query *q;	       /* owned */
	struct policy_subject *people; /* owned */
	uint32_t *lists; /* owned: their groups, as the policy counts them */
	struct policy *policy;
	struct peer_hbac *hbac; /* NULL: not there */
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(struct subject *s)
{
	if (s->n == 0)
		return 0;
	qsort(s->us, s->n, sizeof(*s->us), compare_double);
	return s->us[s->n / 2];
}

/* The directory's part, name to groups, is the floor's table for both. */
static bool our_decide(const struct bench *b, const struct query *q)
{
	uint32_t user = table_get(&b->floor.users, b->d.user_name[q->user]);
	struct policy_request req = {.subject = &b->people[user],
				     .vm = b->d.vm_name[q->vm],
				     .privilege = b->floor.priv_names[q->priv],
				     .origin = {POLICY_ORIGIN_ADDR,
						{[10] = 0xff, [11] = 0xff, [12] = 10}},
				     .mfa = {POLICY_MFA_PROOF, POLICY_METHOD_TOTP, 600,
					     false},
				     .now_s = NOW_S};
	struct policy_decision r;

	policy_decide(b->policy, &req, &r);
	return r.verdict == POLICY_ALLOW;
}

enum { FLOOR, OURS, HBAC_HOST, HBAC_ALL, N_SUBJECTS };

static bool ask(const struct bench *b, unsigned who, const struct query *q)
{
	if (who == FLOOR)
		return floor_decide(&b->floor, &b->d, q);
	if (who == OURS)
		return our_decide(b, q);
	return peer_hbac_decide(b->hbac, q, who == HBAC_ALL);
}

/* One sample of each; answers are compared with the floor's, off the clock. */
static void sample(const struct bench *b, unsigned who, const struct query *q,
		   size_t step, struct subject *s)
{
	bool answer[BATCH];
	double t0 = now_us();
	size_t n = 0;

	for (size_t i = 0; i < BATCH; i += step, n++)
		answer[i] = ask(b, who, &q[i]);
	s->us[s->n++] = (now_us() - t0) / (double)n;
	for (size_t i = 0; i < BATCH; i += step)
		s->wrong += answer[i] != floor_decide(&b->floor, &b->d, &q[i]);
}

static void report(struct bench *b, struct subject *s)
{
	double us[N_SUBJECTS];

	for (unsigned i = 0; i < N_SUBJECTS; i++)
		us[i] = median(&s[i]);
	printf("%s: decision %.3f us, bitset floor %.3f us, ratio %.2f (goal 2.5); "
	       "disagreements %zu\n",
	       b->name, us[OURS], us[FLOOR], us[OURS] / us[FLOOR], s[OURS].wrong);
	if (!b->hbac) {
		printf("%s: libipa_hbac: skipped, libipa-hbac-dev is not installed\n",
		       b->name);
		return;
	}
	for (unsigned i = HBAC_HOST; i <= HBAC_ALL; i++)
		printf("%s: libipa_hbac, %s: %.1f us, %.0f x ours%s; disagreements "
		       "%zu\n",
		       b->name, s[i].name, us[i], us[i] / us[OURS],
		       i == HBAC_HOST ? " (goal 40)" : "", s[i].wrong);
}

static void measure(struct bench *b, unsigned rounds)
{
	struct subject s[N_SUBJECTS] = {[FLOOR] = {.name = "bitsets"},
					[OURS] = {.name = "vmsec"},
					[HBAC_HOST] = {.name = "the host's rules"},
					[HBAC_ALL] = {.name = "all rules"}};
	size_t n = (size_t)rounds * N_QUERIES / BATCH;

	for (unsigned i = 0; i < N_SUBJECTS; i++)
		s[i].us = data_must(calloc(n, sizeof(*s[i].us)));
	for (size_t k = 0; k < n; k++) {
		const struct query *q = b->q + k % (N_QUERIES / BATCH) * BATCH;

		sample(b, FLOOR, q, 1, &s[FLOOR]);
		sample(b, OURS, q, 1, &s[OURS]);
		if (b->hbac && k % 4 == 0)
			sample(b, HBAC_HOST, q, HOST_EACH, &s[HBAC_HOST]);
		if (b->hbac && k % 40 == 0)
			sample(b, HBAC_ALL, q, BATCH / 2, &s[HBAC_ALL]);
	}
	report(b, s);
	for (unsigned i = 0; i < N_SUBJECTS; i++)
		free(s[i].us);
}

/* ------------------------------------------------------------------ load */

static size_t heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static long peak_kib(void)
{
	char line[128];
	long kib = 0;
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	return kib;
}

static void reset_peak(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/clear_refs", "we");

	if (f)
		fputs("5", f);
}

static int load(struct bench *b)
{
	struct policy_source src = {.name = "bench.yaml"};
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_free_ char *text = data_yaml(&b->d, &src.len);
	size_t heap = heap_bytes();
	long peak;
	double t0;

	src.buf = text;
	reset_peak();
	peak = peak_kib();
	t0 = now_us();
	if (policy_load_sources(&src, 1, NULL, &b->policy, &diag) != 0) {
		diags_print(&diag, stderr);
		return 1;
	}
	printf("%s: load and compile %.3f s of %zu KiB YAML (goal 0.5 s), peak +%ld "
	       "KiB (goal "
	       "65536), kept %zu KiB\n",
	       b->name, (now_us() - t0) / 1e6, src.len / 1024, peak_kib() - peak,
	       (heap_bytes() - heap) / 1024);
	return 0;
}

/* As rbacd keeps them: one array of people, one of all their groups. */
static void bind_people(struct bench *b)
{
	const struct data *d = &b->d;
	size_t n = 0;

	b->people = data_must(calloc(d->n_users, sizeof(*b->people)));
	b->lists = data_must(calloc((size_t)d->n_users * LIST_MAX, sizeof(*b->lists)));
	for (uint32_t u = 0; u < d->n_users; u++) {
		const struct list *m = &d->member[u];
		struct policy_subject *s = &b->people[u];

		*s = (struct policy_subject){.login = d->user_name[u],
					     .id = d->user_name[u],
					     .known = true,
					     .enabled = true,
					     .directory = true,
					     .groups = b->lists + n};
		/* names of equal width: ascending */
		for (uint32_t i = 0; i < m->n; i++)
			if (policy_group_find(b->policy, d->group_name[m->v[i]],
					      &b->lists[n + s->n_groups]) == 0)
				s->n_groups++;
		n += s->n_groups;
	}
}

static int write_json(const struct bench *b, const char *folder)
{
	_cleanup_free_ char *path = NULL;
	bool answers[JSON_COUNT];
	FILE *f;

	if (asprintf(&path, "%s/%s.json", folder, b->name) < 0)
		return 1;
	f = fopen(path, "we");
	if (!f) {
		perror(path);
		return 1;
	}
	for (size_t i = 0; i < JSON_COUNT; i++)
		answers[i] = floor_decide(&b->floor, &b->d, &b->q[i]);
	data_json(&b->d, b->q, answers, JSON_COUNT, f);
	return fclose(f) != 0;
}

/* --------------------------------------------------------------- who-can */

/* Everybody who may do anything on one VM, and the floor's count of the same. */
static size_t who_can(const struct bench *b, struct policy_reach *reach, uint32_t vm)
{
	size_t found = 0;

	policy_reach_focus(reach, policy_reach_class_of(reach, vm));
	for (uint32_t u = 0; u < b->d.n_users; u++) {
		const struct policy_opening *open;
		size_t n;

		if (policy_reach_subject(reach, &b->people[u], &open, &n) != 0)
			abort();
		found += n;
	}
	return found;
}

static size_t floor_who_can(const struct bench *b, uint32_t vm)
{
	size_t found = 0;

	for (uint32_t u = 0; u < b->d.n_users; u++)
		for (uint32_t k = 0; k < N_PRIVS; k++)
			found += floor_decide(&b->floor, &b->d,
					      &(struct query){u, vm, k});
	return found;
}

static void measure_who_can(const struct bench *b)
{
	_cleanup_privileges_ struct policy_privileges *privs = NULL;
	_cleanup_reach_ struct policy_reach *reach = NULL;
	struct subject s = {.us = data_must(calloc(N_WHO, sizeof(*s.us)))};
	size_t rows = 0;

	if (policy_privileges_new(b->policy, NULL, &privs) != 0 ||
	    policy_reach_new(b->policy, privs, NOW_S, &reach) != 0)
		abort();
	for (uint32_t i = 0; i < N_WHO; i++) {
		uint32_t vm = i * (b->d.n_vms / N_WHO);
		double t0 = now_us();
		size_t n = who_can(b, reach, vm);

		s.us[s.n++] = now_us() - t0;
		s.wrong += n != floor_who_can(b, vm);
		rows += n;
	}
	printf("%s: who-can, everybody and every privilege of a VM: %.2f ms (goal 10 "
	       "ms), "
	       "%zu rows a VM; disagreements %zu\n",
	       b->name, median(&s) / 1000, rows / N_WHO, s.wrong);
	free(s.us);
}

/* ------------------------------------------------------------------ diff */

struct counts {
	size_t lost, gained, people;
};

static int count(void *arg, const struct policy_change *c)
{
	struct counts *n = arg;

	if (!c)
		n->people++;
	else
		*(c->gained ? &n->gained : &n->lost) += c->where.n_vms;
	return 0;
}

static struct counts diff(const struct bench *a, const struct bench *b, double *ret_s)
{
	const struct policy_side x = {a->policy, a->people, a->d.n_users};
	const struct policy_side y = {b->policy, b->people, b->d.n_users};
	struct counts n = {0};
	double t0 = now_us();

	if (policy_diff(&x, &y, NOW_S, count, &n) != 0)
		abort();
	*ret_s = (now_us() - t0) / 1e6;
	return n;
}

/* A twentieth of the grants lose a privilege; the way back must count the same. */
static int measure_diff(const struct bench *b)
{
	struct bench other = {.name = "the same, changed", .d = b->d};
	struct list *what = data_must(calloc(b->d.n_roles, sizeof(*what)));
	struct counts there, back;
	double s, s_back;
	int r;

	memcpy(what, b->d.what, b->d.n_roles * sizeof(*what));
	for (uint32_t i = 0; i < b->d.n_roles; i += 20)
		what[i].n--;
	other.d.what = what;
	r = load(&other);
	if (r == 0) {
		bind_people(&other);
		there = diff(b, &other, &s);
		back = diff(&other, b, &s_back);
		printf("%s: exact diff: %.2f s (goal 5 s), %zu rows of %zu people; the "
		       "way "
		       "back %s\n",
		       b->name, s, there.lost + there.gained, there.people,
		       there.lost == back.gained && there.gained == back.lost
			       ? "counts the same"
			       : "DIFFERS");
	}
	policy_unref(other.policy);
	free(other.people);
	free(other.lists);
	free(what);
	return r;
}

static int run(const char *name, uint32_t roles, uint32_t vms, uint32_t users,
	       unsigned rounds, const char *folder)
{
	struct bench b = {.name = name, .d = data_generate(roles, vms, users)};
	int r = load(&b);

	if (r == 0) {
		floor_make(&b.floor, &b.d);
		b.hbac = peer_hbac_new(&b.d);
		b.q = data_must(calloc(N_QUERIES, sizeof(*b.q)));
		data_queries(&b.d, b.q);
		bind_people(&b);
		measure(&b, rounds);
		measure_who_can(&b);
		r = measure_diff(&b);
		if (r == 0 && folder)
			r = write_json(&b, folder);
		floor_done(&b.floor);
	}
	peer_hbac_free(b.hbac);
	policy_unref(b.policy);
	free(b.people);
	free(b.lists);
	free(b.q);
	data_done(&b.d);
	return r;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 50;
	const char *folder = argc > 2 ? argv[2] : NULL;

	return run("small", 100, 1000, 10000, rounds, folder) ||
	       run("large", 1000, 10000, 100000, rounds, folder);
}
