/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_policy.c - a decision beside what plain bitsets need for the same question, and
 * the time and memory of loading. Data: each role binds about 5 groups to about 50 VMs
 * with about 3 of 12 privileges; a person is in about 5 groups, low numbers more often.
 * Arguments: [rounds]. Ours also looks at an origin and the age of a proof.
 */
#include <malloc.h>
#include <time.h>

#include "policy/policy.h"

#define N_PRIVS	  12
#define N_QUERIES 20000
#define BATCH	  100
#define LIST_MAX  80

static const char *const privs[N_PRIVS] = {"ssh",      "sudo", "console", "desktop",
					   "web",      "boot", "halt",	  "copy",
					   "snapshot", "vpn",  "debug",	  "backup"};

struct list {
	uint32_t v[LIST_MAX];
	uint32_t n;
};

struct data {
	uint32_t n_roles, n_vms, n_users, n_groups;
	struct list *groups, *vms, *what; /* of each role */
	struct list *member;		  /* groups of each person */
	char (*vm_name)[12], (*user_name)[12];
};

struct query {
	uint32_t user, vm, priv;
};

static uint64_t rng = 20261121;

static uint64_t next(void)
{
	uint64_t z = (rng += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(next() % n);
}

static uint32_t skewed(uint32_t n)
{
	double r = (double)(next() >> 11) / 9007199254740992.0;

	return (uint32_t)(n * r * r);
}

/* Distinct and ascending. */
static void fill(struct list *l, uint32_t n, uint32_t want, uint32_t (*draw)(uint32_t))
{
	while (l->n < want) {
		uint32_t x = draw(n), at = 0;

		while (at < l->n && l->v[at] < x)
			at++;
		if (at < l->n && l->v[at] == x)
			continue;
		memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof(*l->v));
		l->v[at] = x;
		l->n++;
	}
}

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static struct data generate(uint32_t n_roles, uint32_t n_vms, uint32_t n_users)
{
	struct data d = {n_roles, n_vms, n_users, 5 * n_roles, NULL,
			 NULL,	  NULL,	 NULL,	  NULL,	       NULL};

	d.groups = must(calloc(n_roles, sizeof(*d.groups)));
	d.vms = must(calloc(n_roles, sizeof(*d.vms)));
	d.what = must(calloc(n_roles, sizeof(*d.what)));
	d.member = must(calloc(n_users, sizeof(*d.member)));
	d.vm_name = must(calloc(n_vms, sizeof(*d.vm_name)));
	d.user_name = must(calloc(n_users, sizeof(*d.user_name)));
	for (uint32_t i = 0; i < n_vms; i++)
		snprintf(d.vm_name[i], sizeof(*d.vm_name), "vm%05u", i);
	for (uint32_t i = 0; i < n_users; i++) {
		snprintf(d.user_name[i], sizeof(*d.user_name), "u%06u", i);
		fill(&d.member[i], d.n_groups, 2 + below(7), skewed);
	}
	for (uint32_t i = 0; i < n_roles; i++) {
		fill(&d.groups[i], d.n_groups, 3 + below(5), below);
		fill(&d.vms[i], n_vms, 30 + below(41), below);
		fill(&d.what[i], N_PRIVS, 2 + below(3), below);
	}
	return d;
}

static void data_done(struct data *d)
{
	free(d->groups);
	free(d->vms);
	free(d->what);
	free(d->member);
	free(d->vm_name);
	free(d->user_name);
}

/* ------------------------------------------------------------------ YAML */

static void put_list(FILE *f, const char *key, const struct list *l, const char *format)
{
	fprintf(f, "%s: [", key);
	for (uint32_t i = 0; i < l->n; i++) {
		char text[32];

		/* the formats are the two below */
		if (format[0] == 'g')
			snprintf(text, sizeof(text), "g%05u", l->v[i]);
		else
			snprintf(text, sizeof(text), "\"vm:vm%05u\"", l->v[i]);
		fprintf(f, "%s%s", i ? ", " : "", text);
	}
	fputs("]", f);
}

static char *write_yaml(const struct data *d, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = must(open_memstream(&text, ret_len));

	fputs("vmsec_policy: 1\nservices:\n", f);
	for (uint32_t i = 5; i < N_PRIVS; i++)
		fprintf(f, "  service-%s: %s\n", privs[i], privs[i]);
	fputs("inventory:\n", f);
	for (uint32_t i = 0; i < d->n_vms; i++)
		fprintf(f, "  %s: {}\n", d->vm_name[i]);
	fputs("roles:\n", f);
	for (uint32_t i = 0; i < d->n_roles; i++) {
		fprintf(f, "  role%04u: {privileges: [", i);
		for (uint32_t k = 0; k < d->what[i].n; k++)
			fprintf(f, "%s%s", k ? ", " : "", privs[d->what[i].v[k]]);
		fputs("]}\n", f);
	}
	fputs("grants:\n", f);
	for (uint32_t i = 0; i < d->n_roles; i++) {
		fprintf(f, "  - id: grant%04u\n    roles: [role%04u]\n    ", i, i);
		put_list(f, "to", &d->groups[i], "g");
		fputs("\n    ", f);
		put_list(f, "vms", &d->vms[i], "vm");
		fputs("\n    when: {mfa: {accept: [totp], max_age: 8h}, "
		      "from: [\"10.0.0.0/8\"]}\n",
		      f);
	}
	if (fclose(f) != 0)
		abort();
	return text;
}

/* ----------------------------------------------------------------- floor */

struct table {
	uint32_t mask;
	int32_t *slot;
	const char *names;
	size_t stride;
};

struct floor {
	size_t words;
	uint64_t *by_group, *by_vm, *by_priv;
	struct table users, vms, privs;
	char priv_names[N_PRIVS][12];
};

static uint64_t hash(const char *s)
{
	uint64_t h = 1469598103934665603u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 1099511628211u;
	return h ^ h >> 29;
}

static struct table table_make(const char *names, size_t stride, uint32_t n)
{
	struct table t = {7, NULL, names, stride};

	while (t.mask + 1 < 2 * n)
		t.mask = 2 * t.mask + 1;
	t.slot = must(malloc(sizeof(*t.slot) * ((size_t)t.mask + 1)));
	memset(t.slot, 0xff, sizeof(*t.slot) * ((size_t)t.mask + 1));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)hash(names + i * stride) & t.mask;

		while (t.slot[k] >= 0)
			k = (k + 1) & t.mask;
		t.slot[k] = (int32_t)i;
	}
	return t;
}

static uint32_t table_get(const struct table *t, const char *s)
{
	uint32_t k = (uint32_t)hash(s) & t->mask;

	while (strcmp(t->names + (size_t)t->slot[k] * t->stride, s) != 0)
		k = (k + 1) & t->mask;
	return (uint32_t)t->slot[k];
}

static void set_bits(uint64_t *bits, size_t words, const struct list *l, uint32_t role)
{
	for (uint32_t i = 0; i < l->n; i++)
		bits[l->v[i] * words + role / 64] |= (uint64_t)1 << role % 64;
}

static struct floor floor_make(const struct data *d)
{
	struct floor f = {.words = (d->n_roles + 63) / 64};

	f.by_group = must(calloc(f.words * d->n_groups, 8));
	f.by_vm = must(calloc(f.words * d->n_vms, 8));
	f.by_priv = must(calloc(f.words * N_PRIVS, 8));
	for (uint32_t i = 0; i < d->n_roles; i++) {
		set_bits(f.by_group, f.words, &d->groups[i], i);
		set_bits(f.by_vm, f.words, &d->vms[i], i);
		set_bits(f.by_priv, f.words, &d->what[i], i);
	}
	for (uint32_t i = 0; i < N_PRIVS; i++)
		snprintf(f.priv_names[i], sizeof(f.priv_names[i]), "%s", privs[i]);
	f.users = table_make(d->user_name[0], sizeof(*d->user_name), d->n_users);
	f.vms = table_make(d->vm_name[0], sizeof(*d->vm_name), d->n_vms);
	return f;
}

static void floor_done(struct floor *f)
{
	free(f->by_group);
	free(f->by_vm);
	free(f->by_priv);
	free(f->users.slot);
	free(f->vms.slot);
	free(f->privs.slot);
}

static bool floor_decide(const struct floor *f, const struct data *d,
			 const struct query *q)
{
	const struct list *member =
		&d->member[table_get(&f->users, d->user_name[q->user])];
	const uint64_t *vm =
		f->by_vm + table_get(&f->vms, d->vm_name[q->vm]) * f->words;
	const uint64_t *priv =
		f->by_priv + table_get(&f->privs, f->priv_names[q->priv]) * f->words;

	for (size_t w = 0; w < f->words; w++) {
		uint64_t m = vm[w] & priv[w];

		for (uint32_t g = 0; m && g < member->n; g++)
			if (m & f->by_group[member->v[g] * f->words + w])
				return true;
	}
	return false;
}

/* ------------------------------------------------------------------ ours */

/* The directory's part: name to groups. */
static bool our_decide(const struct policy *p, const struct data *d,
		       const struct floor *f, const struct list *groups,
		       const struct query *q)
{
	uint32_t user = table_get(&f->users, d->user_name[q->user]);
	struct policy_subject s = {.login = d->user_name[q->user],
				   .id = d->user_name[q->user],
				   .known = true,
				   .enabled = true,
				   .directory = true,
				   .groups = groups[user].v,
				   .n_groups = groups[user].n};
	struct policy_request req = {.subject = &s,
				     .vm = d->vm_name[q->vm],
				     .privilege = f->priv_names[q->priv],
				     .origin = {POLICY_ORIGIN_ADDR,
						{[10] = 0xff, [11] = 0xff, [12] = 10}},
				     .mfa = {POLICY_MFA_PROOF, POLICY_METHOD_TOTP, 600,
					     false},
				     .now_s = 1795000000};
	struct policy_decision r;

	policy_decide(p, &req, &r);
	return r.verdict == POLICY_ALLOW;
}

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

static void make_queries(const struct data *d, struct query *q)
{
	for (uint32_t i = 0; i < N_QUERIES; i++) {
		uint32_t role = below(d->n_roles);

		q[i] = (struct query){below(d->n_users), below(d->n_vms),
				      below(N_PRIVS)};
		if (i % 2 ==
		    0) /* a role of one of the person's groups, where there is one */
			for (uint32_t k = 0; k < 4000; k++) {
				const struct list *g = &d->groups[role];
				uint32_t u = below(d->n_users),
					 m = below(d->member[u].n);
				bool in = false;

				for (uint32_t j = 0; j < g->n; j++)
					in |= g->v[j] == d->member[u].v[m];
				if (!in)
					continue;
				q[i].user = u;
				q[i].vm = d->vms[role].v[below(d->vms[role].n)];
				q[i].priv = d->what[role].v[below(d->what[role].n)];
				break;
			}
	}
}

static void measure(const struct policy *p, const struct data *d, const char *name,
		    unsigned rounds)
{
	struct floor f = floor_make(d);
	struct list *groups = must(calloc(d->n_users, sizeof(*groups)));
	struct query *q = must(calloc(N_QUERIES, sizeof(*q)));
	size_t n = 0, max = (size_t)rounds * N_QUERIES / BATCH, wrong = 0, allowed = 0;
	double *ours = must(calloc(max, sizeof(*ours)));
	double *floor = must(calloc(max, sizeof(*floor)));

	f.privs = table_make(f.priv_names[0], sizeof(f.priv_names[0]), N_PRIVS);
	for (uint32_t u = 0; u < d->n_users; u++)
		for (uint32_t i = 0; i < d->member[u].n; i++) {
			char text[16];

			snprintf(text, sizeof(text), "g%05u", d->member[u].v[i]);
			if (policy_group_find(p, text, &groups[u].v[groups[u].n]) == 0)
				groups[u].n++; /* names of equal width: ascending */
		}
	make_queries(d, q);
	for (size_t k = 0; k < max; k++) {
		const struct query *b = q + k % (N_QUERIES / BATCH) * BATCH;
		bool x[BATCH], y[BATCH];
		double t0 = now_us(), t1, t2;

		for (size_t i = 0; i < BATCH; i++)
			x[i] = floor_decide(&f, d, &b[i]);
		t1 = now_us();
		for (size_t i = 0; i < BATCH; i++)
			y[i] = our_decide(p, d, &f, groups, &b[i]);
		t2 = now_us();
		floor[n] = (t1 - t0) / BATCH;
		ours[n++] = (t2 - t1) / BATCH;
		for (size_t i = 0; i < BATCH; i++) {
			wrong += x[i] != y[i];
			allowed += y[i];
		}
	}
	qsort(ours, n, sizeof(*ours), compare_double);
	qsort(floor, n, sizeof(*floor), compare_double);
	printf("%s: decision %.3f us, bitset floor %.3f us, ratio %.2f (goal 2.5); "
	       "allowed "
	       "%.0f %%, disagreements %zu\n",
	       name, ours[n / 2], floor[n / 2], ours[n / 2] / floor[n / 2],
	       100.0 * (double)allowed / (double)(n * BATCH), wrong);
	free(ours);
	free(floor);
	free(q);
	free(groups);
	floor_done(&f);
}

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

static int run(const char *name, uint32_t roles, uint32_t vms, uint32_t users,
	       unsigned rounds)
{
	struct data d = generate(roles, vms, users);
	struct policy_source src = {.name = "bench.yaml"};
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	char *text = write_yaml(&d, &src.len);
	size_t heap = heap_bytes();
	long peak;
	double t0;

	src.buf = text;
	reset_peak();
	peak = peak_kib();
	t0 = now_us();
	if (policy_load_sources(&src, 1, NULL, &p, &diag) != 0) {
		diags_print(&diag, stderr);
		return 1;
	}
	printf("%s: load and compile %.3f s of %zu KiB YAML (goal 0.5 s), peak +%ld "
	       "KiB (goal "
	       "65536), kept %zu KiB\n",
	       name, (now_us() - t0) / 1e6, src.len / 1024, peak_kib() - peak,
	       (heap_bytes() - heap) / 1024);
	measure(p, &d, name, rounds);
	free(text);
	data_done(&d);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 50;

	return run("small", 100, 1000, 10000, rounds) ||
	       run("large", 1000, 10000, 100000, rounds);
}
