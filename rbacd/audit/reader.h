/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - the whole log in order: closed segments first, then the database.
 *
 * Read-only and beside a running rbacd: the database is read in short transactions, so
 * that a long report never holds its WAL back.
 */
#pragma once

#include "policy/diag.h"
#include "rbacd/audit/view.h"
#include "rbacd/store/store.h"

struct audit_reader;

/*
 * audit_reader_open() - find out what there is.
 * @store: borrowed, read-only.
 * @dir: folder of the segments, borrowed; NULL: the database alone.
 * Return: 0; STORE_E_CORRUPT, negative errno.
 */
_must_check_ int audit_reader_open(struct store *store, const char *dir,
				   struct audit_reader **ret);
void audit_reader_close(struct audit_reader *reader);

static inline void audit_reader_closep(struct audit_reader **reader)
{
	audit_reader_close(*reader);
}

#define _cleanup_reader_ _cleanup_(audit_reader_closep)

/* First and last record that can be read; 0 and 0: none. */
uint64_t audit_reader_first(const struct audit_reader *reader);
uint64_t audit_reader_last(const struct audit_reader *reader);

/* @line without its newline, valid during the call. Non-zero stops the reading. */
typedef int audit_line_fn(uint64_t seq, const char *line, size_t len, void *arg);

/*
 * audit_reader_each() - the raw lines of records @from to @to, in order.
 * Return: 0; what @fn returned; STORE_E_CORRUPT, negative errno.
 */
_must_check_ int audit_reader_each(struct audit_reader *reader, uint64_t from,
				   uint64_t to, audit_line_fn *fn, void *arg);

/*
 * audit_reader_find() - the first record at or after @ts_us, by halving; last + 1 when
 * none is. Where the clock was set back it may be off by as much; see
 * audit_reader_period().
 */
_must_check_ int audit_reader_find(struct audit_reader *reader, int64_t ts_us,
				   uint64_t *ret_seq);

/* What a period's records cover. Feed it with audit_coverage_add(), in order. */
#define AUDIT_GAPS_MAX 32
#define AUDIT_SILENT_US                                                                \
	(6 * 60 * INT64_C(1000000)) /* a heartbeat comes every 5 min                   \
				     */
struct audit_gap {
	int64_t from_us, to_us; /* nothing was recorded between */
	bool stopped;		/* rbacd said that it ended */
};
struct audit_coverage {
	uint64_t n_records, first_seq, last_seq;
	int64_t first_us, last_us;
	uint64_t n_missing; /* sequence numbers that are not there */
	uint64_t n_bad;	    /* lines that could not be read */
	uint64_t n_clock_back;
	uint64_t n_gaps;	/* may be more than gaps[] holds */
	uint64_t n_unexplained; /* of them: rbacd did not say that it ends */
	int64_t gap_us;		/* together */
	struct audit_gap gaps[AUDIT_GAPS_MAX];
	bool stopped; /* the last record said that rbacd ends */
};
void audit_coverage_add(struct audit_coverage *cov, const struct audit_view *view);
/* audit_coverage_end() - after the last record of a period: silence up to its end
 * counts, too; without any record all of it. */
void audit_coverage_end(struct audit_coverage *cov, int64_t from_us, int64_t to_us);

/*
 * audit_reader_period() - every record with from_us <= ts < to_us, read, in order.
 * @cov: filled; also with the lines that could not be read, which @fn does not get.
 * Looks a day further back and forward than halving says, so that a clock set back by
 * less than that hides nothing.
 * Return: as audit_reader_each().
 */
_must_check_ int audit_reader_period(struct audit_reader *reader, int64_t from_us,
				     int64_t to_us, audit_view_fn *fn, void *arg,
				     struct audit_coverage *cov);
