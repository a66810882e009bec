/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c - the log in order, in short transactions, and what a period covers. */
#include "rbacd/audit/reader.h"

#include <errno.h>

#include "rbacd/audit/audit_internal.h"
#include "rbacd/audit/segment.h"

#define BATCH  4096 /* records a transaction */
#define DAY_US (86400 * INT64_C(1000000))

struct audit_reader {
	struct store *store; /* borrowed */
	const char *dir;     /* borrowed; NULL */
	uint64_t *segments;  /* owned; first record of each, in order */
	size_t n_segments;
	uint64_t first, last;
	uint64_t db_first; /* before it there are only segments */
};

void audit_reader_close(struct audit_reader *reader)
{
	if (!reader)
		return;
	free(reader->segments);
	free(reader);
}

int audit_reader_open(struct store *store, const char *dir, struct audit_reader **ret)
{
	_cleanup_reader_ struct audit_reader *r = calloc(1, sizeof(*r));
	struct store_head head = {0};
	int rc;

	if (!r)
		return -ENOMEM;
	r->store = store;
	r->dir = dir;
	rc = store_audit_head(store, &head);
	if (rc == 0)
		rc = store_audit_first(store, &r->db_first);
	if (rc == 0 && dir)
		rc = segment_list(dir, &r->segments, &r->n_segments);
	if (rc == -ENOENT)
		rc = 0; /* no segment yet */
	if (rc != 0)
		return rc;
	r->last = head.seq;
	r->first = r->db_first;
	if (r->n_segments > 0 && (r->first == 0 || r->segments[0] < r->first))
		r->first = r->segments[0];
	*ret = STEAL(r);
	return 0;
}

uint64_t audit_reader_first(const struct audit_reader *reader)
{
	return reader->first;
}

uint64_t audit_reader_last(const struct audit_reader *reader)
{
	return reader->last;
}

/* ---------------------------------------------------------------- in order */

struct batch {
	audit_line_fn *fn;
	void *arg;
	uint64_t to, next;
	size_t left;
	int rc; /* what fn returned */
};

enum { BATCH_END = 1, BATCH_STOP = 2 };

static int batch_line(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct batch *b = arg;

	if (seq > b->to)
		return BATCH_STOP;
	b->rc = b->fn(seq, line, len, b->arg);
	b->next = seq + 1;
	if (b->rc != 0)
		return BATCH_STOP;
	return --b->left == 0 ? BATCH_END : 0;
}

/* A segment's lines from b->next on, as far as the next one or the database goes. */
static int each_in_segment(const struct audit_reader *r, size_t i, uint64_t end,
			   struct batch *b)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *in = NULL;
	uint64_t seq = r->segments[i];
	size_t cap = 0;
	ssize_t n;
	int rc = 0;

	in = segment_file(r->dir, seq);
	if (!in)
		return -errno;
	for (; rc == 0 && seq < end; seq++) {
		n = getline(&line, &cap, in);
		if (n <= 0)
			return ferror(in) ? -EIO : 0; /* shorter: the caller sees it */
		b->left = 2;
		if (seq >= b->next)
			rc = batch_line(seq, line, (size_t)n - (line[n - 1] == '\n'),
					b);
	}
	return rc;
}

static int each_segment(const struct audit_reader *r, struct batch *b)
{
	uint64_t end;
	int rc = 0;

	for (size_t i = 0; i < r->n_segments && rc == 0; i++) {
		end = i + 1 < r->n_segments ? r->segments[i + 1] : r->last + 1;
		if (r->db_first > 0 && end > r->db_first)
			end = r->db_first;
		if (b->next < end && b->next <= b->to)
			rc = each_in_segment(r, i, end, b);
	}
	return rc;
}

int audit_reader_each(struct audit_reader *reader, uint64_t from, uint64_t to,
		      audit_line_fn *fn, void *arg)
{
	struct batch b = {.fn = fn, .arg = arg, .to = to, .next = from};
	int rc = 0;

	if (reader->db_first == 0 || from < reader->db_first)
		rc = each_segment(reader, &b);
	if (rc == 0 && b.rc == 0)
		do {
			b.left = BATCH;
			rc = store_audit_each(reader->store, b.next, batch_line, &b);
		} while (rc == BATCH_END && b.left == 0);
	return rc < 0 || rc == STORE_E_CORRUPT ? rc : b.rc;
}

/* ---------------------------------------------------------------- by time */

static int note_time(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct audit_view v;
	const char *why;

	(void)seq;
	if (audit_view_parse(line, len, &v, &why) != 0)
		return 0; /* a damaged record: the next one will do */
	*(int64_t *)arg = v.ts_us;
	return 1;
}

int audit_reader_find(struct audit_reader *reader, int64_t ts_us, uint64_t *ret_seq)
{
	uint64_t lo = reader->first, hi = reader->last + 1;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		int64_t at = INT64_MAX;
		int rc = audit_reader_each(reader, mid, hi, note_time, &at);

		if (rc < 0 || rc == STORE_E_CORRUPT)
			return rc;
		if (at < ts_us)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_seq = lo;
	return 0;
}

static void note_silence(struct audit_coverage *cov, int64_t from_us, int64_t to_us)
{
	if (to_us - from_us <= AUDIT_SILENT_US)
		return;
	if (cov->n_gaps++ < AUDIT_GAPS_MAX)
		cov->gaps[cov->n_gaps - 1] =
			(struct audit_gap){from_us, to_us, cov->stopped};
	cov->n_unexplained += !cov->stopped;
	cov->gap_us += to_us - from_us;
}

void audit_coverage_end(struct audit_coverage *cov, int64_t from_us, int64_t to_us)
{
	note_silence(cov, cov->n_records > 0 ? cov->last_us : from_us, to_us);
}

void audit_coverage_add(struct audit_coverage *cov, const struct audit_view *v)
{
	if (cov->n_records == 0) {
		cov->first_seq = v->seq;
		cov->first_us = v->ts_us;
	} else {
		cov->n_missing += v->seq - cov->last_seq - 1;
		note_silence(cov, cov->last_us, v->ts_us);
	}
	cov->n_records++;
	cov->n_clock_back += v->clock_back;
	cov->last_seq = v->seq;
	cov->last_us = v->ts_us;
	cov->stopped = audit_is(v, AUDIT_EV, "daemon.stop");
}

struct period {
	int64_t from_us, to_us;
	audit_view_fn *fn;
	void *arg;
	struct audit_coverage *cov;
};

static int period_line(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct period *p = arg;
	struct audit_view v;
	const char *why;

	(void)seq;
	if (audit_view_parse(line, len, &v, &why) != 0) {
		p->cov->n_bad++;
		return 0;
	}
	if (v.ts_us < p->from_us || v.ts_us >= p->to_us)
		return 0;
	audit_coverage_add(p->cov, &v);
	return p->fn(&v, p->arg);
}

int audit_reader_period(struct audit_reader *reader, int64_t from_us, int64_t to_us,
			audit_view_fn *fn, void *arg, struct audit_coverage *cov)
{
	struct period p = {from_us, to_us, fn, arg, cov};
	uint64_t from = 1, to = 0;
	int rc = 0;

	*cov = (struct audit_coverage){0};
	if (from_us > INT64_MIN + DAY_US)
		rc = audit_reader_find(reader, from_us - DAY_US, &from);
	if (rc == 0)
		rc = audit_reader_find(reader,
				       to_us < INT64_MAX - DAY_US ? to_us + DAY_US
								  : INT64_MAX,
				       &to);
	return rc == 0 ? audit_reader_each(reader, from, to, period_line, &p) : rc;
}
