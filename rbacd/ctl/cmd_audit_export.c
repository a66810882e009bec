/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_export.c - audit search and export: the whole log, segments and all. */

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "rbacd/audit/ocsf.h"
#include "rbacd/audit/reader.h"
#include "rbacd/ctl/log_files.h"
#include "rbacd/ctl/record.h"
#include "rbacd/ctl/target.h"
#include "rbacd/ctl/text.h"

#define FOLLOW_WAIT_MS 500
#define ROWS_MAX       100000 /* of a table; an export has no limit */

enum format { TABLE, JSONL, OCSF };

struct search {
	struct ctl *ctl; /* borrowed, as the texts */
	FILE *out;	 /* borrowed; of an export */
	enum format format;
	int64_t since_us, until_us;
	struct {
		enum audit_key key;
		const char *text; /* NULL: any */
	} want[8];
	size_t n_want, n;
	uint64_t last_seq;
	bool damaged;
	struct out_set set; /* owned */
	struct record rec;
};

/* ---------------------------------------------------------------- one record */

/* An escaped field may be longer than what it stands for, never shorter. */
static bool field_is(const struct audit_view *v, enum audit_key key, const char *text)
{
	char plain[1100];

	if (!v->f[key].p)
		return false;
	(void)audit_get(v, key, plain, sizeof(plain));
	return str_eq(plain, text);
}

static bool wanted(const struct search *s, const struct audit_view *v)
{
	if (v->ts_us < s->since_us || v->ts_us >= s->until_us)
		return false;
	for (size_t i = 0; i < s->n_want; i++)
		if (!field_is(v, s->want[i].key, s->want[i].text))
			return false;
	return true;
}

static int show(struct search *s, const struct audit_view *v, const char *line,
		size_t len)
{
	s->n++;
	if (s->format == OCSF) {
		audit_ocsf(v, s->out); /* whoever closes the stream checks it */
		return 0;
	}
	if (s->format == JSONL) {
		(void)fwrite(line, 1, len, s->out);
		(void)fputc('\n', s->out);
		return 0;
	}
	if (s->n > ROWS_MAX || record_parse(line, len, &s->rec) != 0)
		return -E2BIG;
	return record_add_row(&s->rec, &s->set);
}

static int each_line(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct search *s = arg;
	struct audit_view v;
	const char *why = "";

	s->last_seq = seq;
	if (audit_view_parse(line, len, &v, &why) == 0)
		return wanted(s, &v) ? show(s, &v, line, len) : 0;
	s->damaged = true;
	(void)ctl_fail(s->ctl, CTL_INTEGRITY,
		       "record %" PRIu64 " is damaged (%s). Run: rbacctl audit verify",
		       seq, why); /* the others are shown all the same */
	return 0;
}

/* ---------------------------------------------------------------- the log */

static int read_from(struct search *s, const struct log_files *log, uint64_t from)
{
	_cleanup_reader_ struct audit_reader *reader = NULL;
	int r = audit_reader_open(log->store, log->dir, &reader);

	if (r == 0 && from == 0 && s->since_us > INT64_MIN)
		r = audit_reader_find(reader, s->since_us - INT64_C(86400000000),
				      &from);
	if (r == 0)
		r = audit_reader_each(reader, from ? from : 1, UINT64_MAX, each_line,
				      s);
	if (r == -E2BIG)
		return ctl_fail(s->ctl, CTL_NO,
				"more than %d records: search closer, or use audit "
				"export.",
				ROWS_MAX);
	if (r != 0)
		return ctl_fail(s->ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
				"reading the log failed after record %" PRIu64
				": error %d. Run: rbacctl audit verify",
				s->last_seq, r);
	return 0;
}

/* Ends when standard output does, or by a signal. */
static int follow(struct search *s, const struct log_files *log)
{
	const struct timespec wait = {.tv_nsec = FOLLOW_WAIT_MS * 1000000L};
	int r = 0;

	while (r == 0 && fflush(s->out) == 0) {
		(void)nanosleep(&wait, NULL); /* woken early only looks early */
		r = read_from(s, log, s->last_seq + 1);
	}
	return r;
}

/* ---------------------------------------------------------------- arguments */

static int read_time(struct ctl *ctl, const struct ctl_args *args, const char *name,
		     int64_t *ret_us)
{
	const char *text = ctl_arg(args, name);
	int64_t s;

	if (!text)
		return 0;
	if (text_parse_time(text, (int64_t)time(NULL), &s) != 0)
		return ctl_fail(ctl, CTL_USAGE,
				"--%s %s is neither a date like 2026-11-21 nor a time "
				"back like 2h.",
				name, text);
	*ret_us = s * 1000000;
	return 0;
}

static int read_search(struct ctl *ctl, const struct ctl_args *args, struct search *s)
{
	static const struct {
		const char *option;
		enum audit_key key;
	} filters[] = {
		{"user", AUDIT_USER},	    {"vm", AUDIT_VM},
		{"event", AUDIT_EV},	    {"reason", AUDIT_REASON},
		{"source", AUDIT_SRC},	    {"rule", AUDIT_RULE},
		{"outcome", AUDIT_OUTCOME}, {"decision", AUDIT_DEC},
	};
	int r;

	s->ctl = ctl;
	s->since_us = INT64_MIN;
	s->until_us = INT64_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (ctl_arg(args, filters[i].option)) {
			s->want[s->n_want].key = filters[i].key;
			s->want[s->n_want++].text = ctl_arg(args, filters[i].option);
		}
	r = read_time(ctl, args, "since", &s->since_us);
	return r == 0 ? read_time(ctl, args, "until", &s->until_us) : r;
}

static void search_freep(struct search **s)
{
	if (*s)
		out_set_done(&(*s)->set);
	free(*s);
}

int cmd_audit_search(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(search_freep) struct search *s = calloc(1, sizeof(*s));
	_cleanup_log_ struct log_files log = {0};
	int r;

	if (!s)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	r = read_search(ctl, args, s);
	if (r == 0)
		r = log_files_open(ctl, false, &log);
	if (r == 0)
		r = read_from(s, &log, 0);
	if (r != 0)
		return r;
	if (ctl->json)
		out_json_set(&s->set, "records", ctl->out);
	else if (ctl->csv)
		out_print_csv(out_find(&s->set, "records"), ctl->out);
	else
		out_print_table(out_find(&s->set, "records"), ctl->out);
	if (s->damaged)
		return CTL_INTEGRITY;
	return s->n > 0 || ctl->json ? CTL_OK
				     : ctl_fail(ctl, CTL_NO, "no such record.");
}

/* To a file: whole, with damaged records told, or not at all. */
static int export_to(struct search *s, const struct ctl_args *args,
		     const struct log_files *log, uint64_t first)
{
	struct target t;
	int r = target_open(s->ctl, ctl_arg(args, "output"), &t);

	if (r != 0)
		return r;
	s->out = t.out;
	r = read_from(s, log, first);
	if (r == 0 && ctl_arg(args, "follow"))
		r = follow(s, log);
	return target_close(&t,
			    r != 0	 ? r
			    : s->damaged ? CTL_INTEGRITY
					 : CTL_OK,
			    r == 0);
}

int cmd_audit_export(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(search_freep) struct search *s = calloc(1, sizeof(*s));
	_cleanup_log_ struct log_files log = {0};
	const char *from = ctl_arg(args, "from");
	uint64_t first = 0;
	int r;

	if (!s)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	s->format = str_eq(ctl_arg(args, "format"), "ocsf") ? OCSF : JSONL;
	r = read_search(ctl, args, s);
	if (r == 0 && ctl_arg(args, "follow") && ctl_arg(args, "output"))
		r = ctl_fail(ctl, CTL_USAGE,
			     "--follow never ends, so it has no whole file: leave "
			     "--output out.");
	if (r == 0 && from)
		r = log_read_number(ctl, "--from", from, &first);
	if (r == 0)
		r = log_files_open(ctl, false, &log);
	return r != 0 ? r : export_to(s, args, &log, first);
}
