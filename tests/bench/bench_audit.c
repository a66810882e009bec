/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_audit.c - appending with chain, tree and checkpoints beside the same
 * transaction without them; verifying and reading a log. usage: bench_audit FOLDER
 * [RECORDS]
 */
#include <assert.h>
#include <time.h>

#include "rbacd/audit/audit_internal.h"
#include "rbacd/audit/reader.h"

#define NOW_US INT64_C(1790000000000000)

static double seconds(void)
{
	struct timespec ts;

	assert(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct log {
	struct store *store;
	struct audit *audit;
	char path[300], dir[300];
};

static void open_log(struct log *l, const char *folder, const char *name,
		     const struct seal *seal, const struct signer *signer)
{
	struct diags diag = DIAGS_INIT;
	struct store_options so = {.path = l->path};
	struct audit_options ao = {.host = "db01.example", .signer = signer};

	(void)snprintf(l->path, sizeof(l->path), "%s/%s.db", folder, name);
	assert(store_open(&so, &l->store, &diag) == 0);
	assert(audit_open(l->store, seal, &ao, &l->audit, &diag) == 0);
	assert(audit_start(l->audit, NOW_US) == 0 && store_commit(l->store) == 0);
	audit_committed(l->audit);
	diags_done(&diag);
}

static struct audit_event event(void)
{
	struct audit_event ev = AUDIT_EVENT_INIT;

	ev.ev = "account";
	ev.corr = "7f3a9c0011223344";
	ev.outcome = AUDIT_SUCCESS;
	ev.user = "alice";
	ev.uid = "uuid:5b8c6c1e-4a44-4d1c-9a0e-0d3b5a6f9f10";
	ev.svc = "sshd";
	ev.src = "192.0.2.10";
	ev.vm = "db01.example";
	ev.priv = "ssh";
	ev.dec = "allow";
	ev.rule = "admins-everywhere";
	ev.path = "admins -> admin";
	ev.policy_sha =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	ev.policy_serial = 12;
	ev.mfa_method = "totp";
	ev.lat_us = 412;
	return ev;
}

/* @n transactions of one record; with the log, or only its line, written as a row. */
static double append(struct log *l, size_t n, bool with_log, int64_t *now_us)
{
	static const struct store_head none;
	struct audit_event ev = event();
	char id[AUDIT_ID_MAX + 1], line[AUDIT_LINE_MAX + 1];
	struct audit_stamp st = {.id = "12345678-ABCD", .host = "db01.example"};
	struct store_head head = none;
	size_t len = 0;
	double from = seconds();

	for (size_t i = 0; i < n; i++) {
		*now_us += 1000;
		if (with_log) {
			assert(audit_append(l->audit, &ev, *now_us, id) == 0);
		} else {
			head.seq = st.seq = (uint64_t)*now_us;
			st.now_us = *now_us;
			assert(audit_render(&ev, &st, line, &len) == 0);
			assert(store_audit_append(l->store, head.seq, line, len,
						  &head) == 0);
		}
		assert(store_commit(l->store) == 0);
		if (with_log)
			audit_committed(l->audit);
		store_idle(l->store);
	}
	return (seconds() - from) / (double)n;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void bench_append(const char *folder, const struct seal *seal,
			 const struct signer *signer)
{
	enum { ROUNDS = 101, EACH = 50 };
	struct log with = {0}, without = {0};
	double a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
	int64_t now_a = NOW_US, now_b = 1000;

	open_log(&with, folder, "with", seal, signer);
	open_log(&without, folder, "without", seal, NULL);
	store_seal_heads(without.store, NULL, NULL); /* nor the head's MAC */
	for (int i = 0; i < ROUNDS; i++) {	     /* by turns: the disk has moods */
		a[i] = append(&with, EACH, true, &now_a);
		b[i] = append(&without, EACH, false, &now_b);
		ratio[i] = a[i] / b[i];
	}
	(void)printf("append: %.1f us a transaction, %.1f us without chain, tree and "
		     "checkpoints: %.2f times\n",
		     median(a, ROUNDS) * 1e6, median(b, ROUNDS) * 1e6,
		     median(ratio, ROUNDS));
	audit_close(with.audit);
	audit_close(without.audit);
	store_close(with.store);
	store_close(without.store);
}

static int count_view(const struct audit_view *view, void *arg)
{
	*(uint64_t *)arg += view->f[AUDIT_USER].p != NULL;
	return 0;
}

static void bench_read(const char *folder, const struct seal *seal,
		       const struct signer *signer, size_t n)
{
	struct log l = {0};
	struct audit_event ev = event();
	char id[AUDIT_ID_MAX + 1];
	struct audit_verify_options opt = {.seal = seal, .vkey = signer_vkey(signer)};
	struct audit_reader *reader = NULL;
	struct audit_coverage cov;
	struct audit_verify v;
	uint64_t seen = 0;
	double from, cpu;

	open_log(&l, folder, "read", seal, signer);
	opt.store = l.store;
	opt.now_us = NOW_US;
	for (size_t i = 0; i < n; i++) {
		opt.now_us += 100000;
		assert(audit_append(l.audit, &ev, opt.now_us, id) == 0);
		if (i % 1000 == 999) {
			assert(store_commit(l.store) == 0);
			audit_committed(l.audit);
			store_idle(l.store);
		}
	}
	assert(audit_stop(l.audit) == 0 && store_commit(l.store) == 0);
	audit_committed(l.audit);
	from = seconds();
	cpu = (double)clock();
	assert(audit_verify_log(&opt, &v) == 0 && v.n_records >= n);
	cpu = ((double)clock() - cpu) / CLOCKS_PER_SEC;
	(void)printf("verify: %.0f records/s (%.0f a second of processor), %llu "
		     "checkpoints\n",
		     (double)n / (seconds() - from), (double)n / cpu,
		     (unsigned long long)v.n_checkpoints);
	assert(audit_reader_open(l.store, NULL, &reader) == 0);
	from = seconds();
	cpu = (double)clock();
	assert(audit_reader_period(reader, INT64_MIN, INT64_MAX, count_view, &seen,
				   &cov) == 0);
	cpu = ((double)clock() - cpu) / CLOCKS_PER_SEC;
	assert(seen >= n);
	(void)printf("read: %.0f records/s (%.0f a second of processor)\n",
		     (double)n / (seconds() - from), (double)n / cpu);
	audit_reader_close(reader);
	audit_close(l.audit);
	store_close(l.store);
}

int main(int argc, char **argv)
{
	static const uint8_t master[32] = {9}, seed[32] = {3};
	struct signer *signer = NULL;
	struct seal *seal = NULL;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench_audit FOLDER [RECORDS]\n");
		return 2;
	}
	assert(seal_new(master, &seal) == 0);
	assert(signer_new(seed, "db01.example/vmsec", &signer) == 0);
	bench_append(argv[1], seal, signer);
	bench_read(argv[1], seal, signer,
		   argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000);
	signer_free(signer);
	seal_free(seal);
	return 0;
}
