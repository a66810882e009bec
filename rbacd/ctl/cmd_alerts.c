/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_alerts.c - alerts list, alerts ack, audit hold. */

#include <errno.h>

#include "rbacd/ctl/log_files.h"

struct listing {
	struct out_set set; /* owned */
	bool all;
	size_t n_open;
};

static int add_alert(const struct store_alert *a, void *arg)
{
	static const char *const sev[] = {"?", "info", "notice", "warning", "alert"};
	struct listing *l = arg;
	struct out_row *row;
	int r;

	l->n_open += a->acked_s == 0;
	if (a->acked_s != 0 && !l->all)
		return 0;
	row = out_add_row(&l->set, "alerts");
	if (!row)
		return -ENOMEM;
	r = out_add_number(row, "seq", WIRE_CELL_INT, (int64_t)a->seq);
	if (r == 0)
		r = out_add_number(row, "time", WIRE_CELL_TIME, a->at_s);
	if (r == 0)
		r = out_add_text(row, "severity", sev[a->sev], strlen(sev[a->sev]));
	if (r == 0)
		r = out_add_text(row, "alert", a->name, strlen(a->name));
	if (r == 0)
		r = out_add_text(row, "about", a->subject, strlen(a->subject));
	if (r == 0)
		r = out_add_text(row, "evidence", a->evidence, strlen(a->evidence));
	if (r == 0 && l->all)
		r = out_add_text(row, "acknowledged", a->acked_by, strlen(a->acked_by));
	return r;
}

int cmd_alerts_list(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_log_ struct log_files log = {0};
	struct listing l = {.all = ctl_arg(args, "all") != NULL};
	int r = log_files_open(ctl, false, &log);

	if (r != 0)
		return r;
	r = store_alert_each(log.store, add_alert, &l);
	if (r == 0 && ctl->json)
		out_json_set(&l.set, "alerts", ctl->out);
	else if (r == 0 && ctl->csv)
		out_print_csv(out_find(&l.set, "alerts"), ctl->out);
	else if (r == 0)
		out_print_table(out_find(&l.set, "alerts"), ctl->out);
	out_set_done(&l.set);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "the alerts could not be read: error %d.",
				r);
	return l.n_open > 0 ? CTL_NO : CTL_OK;
}

static int call(struct ctl *ctl, const char *verb, const char *name, const char *value,
		const char *why)
{
	struct wire_call call;

	ctl_call_init(&call, verb);
	ctl_call_add(&call, name, value);
	ctl_call_add(&call, "why", why);
	return ctl_call_told(ctl, &call);
}

int cmd_alerts_ack(struct ctl *ctl, const struct ctl_args *args)
{
	uint64_t seq = 0;
	int r = log_read_number(ctl, "SEQ", args->pos[0], &seq);

	return r == 0 ? call(ctl, "alert-ack", "seq", args->pos[0],
			     ctl_arg(args, "why"))
		      : r;
}

int cmd_audit_hold(struct ctl *ctl, const struct ctl_args *args)
{
	return call(ctl, "audit-hold", "state", args->pos[0], ctl_arg(args, "why"));
}
