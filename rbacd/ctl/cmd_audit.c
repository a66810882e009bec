/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit.c - audit tail, show: the database is read directly and read-only.
 */

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "rbacd/audit/audit.h"
#include "rbacd/audit/reader.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/log_files.h"
#include "rbacd/ctl/record.h"
#include "rbacd/ctl/text.h"

#define TAIL_LINES     20
#define FOLLOW_WAIT_MS 500

/* ---------------------------------------------------------------- printing */

struct view {
	struct ctl *ctl;
	bool raw, follow;
	bool damaged;		    /* a record could not be read */
	const char *user, *outcome; /* NULL: any */
	int64_t since_s;	    /* INT64_MIN: any */
	uint64_t only_seq;	    /* 0: any */
	uint64_t last_seq;
	size_t n;
	struct out_set set;
	struct record rec;
};

static bool wanted(const struct view *v, uint64_t seq)
{
	int64_t at;
	char ts[24] = "";
	const char *full = record_get(&v->rec, "ts");

	if (v->only_seq != 0 && seq != v->only_seq)
		return false;
	if (v->user && !str_eq(record_get(&v->rec, "user"), v->user))
		return false;
	if (v->outcome && !str_eq(record_get(&v->rec, "outcome"), v->outcome))
		return false;
	if (v->since_s == INT64_MIN)
		return true;
	if (!full || strlen(full) < 19)
		return true; /* a record without a time is never hidden */
	(void)snprintf(ts, sizeof(ts), "%.19s", full); /* 19 bytes */
	return text_parse_time(ts, 0, &at) != 0 || at >= v->since_s;
}

static void show_json(struct view *v, const char *line, size_t len)
{
	(void)fputs(v->n == 0 ? "[\n" : ",\n", v->ctl->out); /* main checks */
	text_json_whole(line, len, v->ctl->out);
}

/* For audit_reader_each(). */
static int show_one(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct view *v = arg;
	struct ctl *ctl = v->ctl;
	int r = 0;

	v->last_seq = seq;
	if (record_parse(line, len, &v->rec) != 0) {
		v->damaged = true;
		(void)ctl_fail(ctl, CTL_INTEGRITY,
			       "record %" PRIu64
			       " is damaged. Run: rbacctl audit verify",
			       seq); /* the others are shown all the same */
		return 0;
	}
	if (!wanted(v, seq))
		return v->only_seq != 0 && seq > v->only_seq;
	if (v->raw) {
		if (ctl->out_tty) /* a line that somebody forged moves no cursor */
			text_json_whole(line, len, ctl->out);
		else
			(void)fwrite(line, 1, len, ctl->out);
		(void)fputc('\n', ctl->out);
	} else if (ctl->json) {
		show_json(v, line, len);
	} else if (v->follow) {
		record_print_line(&v->rec, ctl->out);
	} else if (v->only_seq != 0) {
		record_explain(&v->rec, ctl->out);
	} else {
		r = record_add_row(&v->rec, &v->set);
	}
	v->n++;
	return r;
}

/* @code: of the reading. Cut short, a list of JSON is still closed. */
static int finish_view(struct view *v, int code)
{
	struct ctl *ctl = v->ctl;

	if (ctl->json && !v->raw && (code == CTL_OK || v->n > 0))
		(void)fputs(v->n == 0 ? "[]\n" : "\n]\n", ctl->out);
	if (code != CTL_OK)
		return code;
	if (ctl->csv)
		out_print_csv(out_find(&v->set, "records"), ctl->out);
	else if (!ctl->json)
		out_print_table(out_find(&v->set, "records"), ctl->out);
	if (v->damaged)
		return CTL_INTEGRITY;
	if (v->n == 0 && !ctl->json)
		return ctl_fail(ctl, CTL_NO, "no such record.");
	return CTL_OK;
}

static int show_from(struct view *v, struct log_files *log, uint64_t seq)
{
	_cleanup_reader_ struct audit_reader *reader = NULL;
	int r = audit_reader_open(log->store, log->dir, &reader);

	if (r == 0)
		r = audit_reader_each(reader, seq, UINT64_MAX, show_one, v);
	if (r < 0 || r == STORE_E_CORRUPT)
		return ctl_fail(v->ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
				"reading the log failed after record %" PRIu64
				": error %d. Run: rbacctl audit verify",
				v->last_seq, r);
	return CTL_OK;
}

static struct view *view_new(struct ctl *ctl, const struct ctl_args *args)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->ctl = ctl;
	v->raw = ctl_arg(args, "raw") != NULL;
	v->follow = ctl_arg(args, "follow") != NULL;
	v->user = ctl_arg(args, "user");
	v->outcome = ctl_arg(args, "outcome");
	v->since_s = INT64_MIN;
	return v;
}

static void view_freep(struct view **v)
{
	if (*v)
		out_set_done(&(*v)->set);
	free(*v);
}

/* ---------------------------------------------------------------- tail */

/* Ends when standard output does, or by a signal. */
static int follow(struct view *v, struct log_files *log)
{
	const struct timespec wait = {.tv_nsec = FOLLOW_WAIT_MS * 1000000L};
	int r;

	for (;;) {
		r = show_from(v, log, v->last_seq + 1);
		if (r != CTL_OK || fflush(v->ctl->out) != 0)
			return r;
		(void)nanosleep(&wait, NULL); /* woken early only looks early */
	}
}

int cmd_audit_tail(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_log_ struct log_files log = {0};
	_cleanup_(view_freep) struct view *v = view_new(ctl, args);
	const char *lines = ctl_arg(args, "lines");
	struct store_head head = {0};
	uint64_t n = TAIL_LINES;
	int r;

	if (!v)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	if (lines && log_read_number(ctl, "--lines", lines, &n) != 0)
		return CTL_USAGE;
	if (v->follow && (ctl->json || ctl->csv))
		return ctl_fail(ctl, CTL_USAGE,
				"--follow goes with text or --raw only.");
	r = log_files_open(ctl, false, &log);
	if (r != 0)
		return r;
	r = store_audit_head(log.store, &head);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO,
				"the log's head could not be read: error %d.", r);
	v->last_seq = head.seq > n ? head.seq - n : 0;
	if (v->follow)
		return follow(v, &log);
	return finish_view(v, show_from(v, &log, v->last_seq + 1));
}

/* ---------------------------------------------------------------- show */

/* Return: 0; CTL_USAGE, CTL_NO: told. */
static int read_filters(struct ctl *ctl, const struct ctl_args *args,
			const struct log_files *log, struct view *v)
{
	const char *id = ctl_arg(args, "id");
	const char *seq = ctl_arg(args, "seq");
	const char *since = ctl_arg(args, "since");

	if (id && seq)
		return ctl_fail(ctl, CTL_USAGE, "--id and --seq exclude each other.");
	if (seq && log_read_number(ctl, "--seq", seq, &v->only_seq) != 0)
		return CTL_USAGE;
	if (since && text_parse_time(since, (int64_t)time(NULL), &v->since_s) != 0)
		return ctl_fail(
			ctl, CTL_USAGE,
			"--since %s is neither a date like 2026-11-21 nor a time back "
			"like 2h.",
			since);
	if (id && audit_parse_id(log->seal, id, &v->only_seq) != 0)
		return ctl_fail(
			ctl, CTL_NO,
			"%s is not a decision id of this host: its check characters "
			"are wrong.",
			id);
	return 0;
}

int cmd_audit_show(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_log_ struct log_files log = {0};
	_cleanup_(view_freep) struct view *v = view_new(ctl, args);
	int r;

	if (!v)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	r = log_files_open(ctl, ctl_arg(args, "id") != NULL, &log);
	if (r == 0)
		r = read_filters(ctl, args, &log, v);
	if (r != 0)
		return r;
	return finish_view(v, show_from(v, &log, v->only_seq != 0 ? v->only_seq : 1));
}
