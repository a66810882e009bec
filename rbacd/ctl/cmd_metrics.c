/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_metrics.c - metrics: rbacd's text, and the states that the database holds. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "rbacd/ctl/log_files.h"

#define TEMP_SUFFIX ".new" /* node_exporter reads *.prom only */

static int print_daemon(struct ctl *ctl, FILE *out)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	const struct out_table *t;
	int r;

	ctl_call_init(&call, "metrics");
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	t = out_find(&answer.set, "metrics");
	for (const struct out_row *row = t ? t->first : NULL; row; row = row->next) {
		const struct out_cell *c = out_cell(row, "text");

		if (c && c->text)
			(void)fwrite(c->text, 1, c->len, out); /* asked at the end */
	}
	return answer.code;
}

/* Read here and not in the daemon: it looks at every factor. */
static int print_people(struct ctl *ctl, FILE *out)
{
	_cleanup_log_ struct log_files log = {0};
	struct store_factor_counts n = {0};
	int r = log_files_open(ctl, false, &log);

	if (r != 0)
		return r;
	r = store_factor_count(log.store, &n);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "the factors could not be read: error %d.",
				r);
	(void)fprintf(out,
		      "# HELP vmsec_factors Second factors by state.\n"
		      "# TYPE vmsec_factors gauge\n"
		      "vmsec_factors{state=\"pending\"} %" PRIu64 "\n"
		      "vmsec_factors{state=\"active\"} %" PRIu64 "\n"
		      "vmsec_factors{state=\"disabled\"} %" PRIu64 "\n"
		      "# HELP vmsec_people People known, by state.\n"
		      "# TYPE vmsec_people gauge\n"
		      "vmsec_people{state=\"enabled\"} %" PRIu64 "\n"
		      "vmsec_people{state=\"disabled\"} %" PRIu64 "\n"
		      "# HELP vmsec_alerts_open Alerts that nobody has acknowledged.\n"
		      "# TYPE vmsec_alerts_open gauge\n"
		      "vmsec_alerts_open %" PRIu64 "\n",
		      n.pending, n.active, n.disabled, n.people - n.people_disabled,
		      n.people_disabled, n.alerts_open);
	return 0;
}

static int print_all(struct ctl *ctl, FILE *out)
{
	int r = print_daemon(ctl, out);

	return r == 0 ? print_people(ctl, out) : r;
}

/* Whole or not at all: a reader never sees half of it. */
static int write_textfile(struct ctl *ctl, const char *path)
{
	_cleanup_free_ char *temp = NULL;
	bool failed;
	FILE *out;
	int fd, r;

	if (asprintf(&temp, "%s" TEMP_SUFFIX, path) < 0) {
		temp = NULL;
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	}
	/* The folder may be another's: what lies there, a pipe or a link, is not
	 * opened.
	 */
	(void)unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	/* Not the umask: the exporter is somebody else, and there is no secret in it.
	 */
	out = fd >= 0 && fchmod(fd, 0644) == 0 ? fdopen(fd, "w") : NULL;
	if (!out) {
		(void)ctl_fail(ctl, CTL_NO, "%s: %s.", temp, strerror(errno));
		if (fd >= 0 && close(fd) == 0)
			(void)unlink(temp); /* ours, and empty */
		return CTL_NO;
	}
	r = print_all(ctl, out);
	failed = ferror(out) != 0;
	if ((fclose(out) != 0 || failed) && r == 0)
		r = ctl_fail(ctl, CTL_NO, "%s: %s.", temp, strerror(errno));
	if (r == 0 && rename(temp, path) != 0)
		r = ctl_fail(ctl, CTL_NO, "%s: %s.", path, strerror(errno));
	if (r != 0)
		(void)unlink(temp); /* ours */
	return r;
}

int cmd_metrics(struct ctl *ctl, const struct ctl_args *args)
{
	const char *path = ctl_arg(args, "textfile");

	return path ? write_textfile(ctl, path) : print_all(ctl, ctl->out);
}
