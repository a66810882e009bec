/* SPDX-License-Identifier: Apache-2.0 */
/* hook_queue.c - from durable records to a hook's process; once a second. */

#include "rbacd/hook_queue.h"

#include <errno.h>

#include "rbacd/log.h"

void hook_queue_add(struct hook_queue *q, uint64_t seq)
{
	if (q->n < HOOK_QUEUE_MAX)
		q->seq[q->n++] = seq;
	else
		q->lost++;
}

/* False: later, enough of them run. */
static bool hand_on(struct server *s, struct hook_process *process, uint64_t seq,
		    bool (*wanted)(const struct audit_view *))
{
	char line[AUDIT_LINE_MAX + 2];
	struct audit_view view;
	const char *why;
	size_t len = 0;
	int r;

	if (store_audit_get(s->store, seq, line, AUDIT_LINE_MAX, &len) != 0 ||
	    audit_view_parse(line, len, &view, &why) != 0 || !wanted(&view))
		return true;
	line[len++] = '\n';
	r = hook_process_run(process, line, len);
	if (r != 0 && r != -EAGAIN)
		log_err("the process of a hook is not there: %s", strerrordesc_np(-r));
	return r != -EAGAIN;
}

void hook_queue_run(struct hook_queue *q, struct server *s,
		    struct hook_process *process,
		    bool (*wanted)(const struct audit_view *))
{
	size_t done = process ? 0 : q->n;

	while (done < q->n && q->seq[done] <= audit_seq(s->audit) &&
	       hand_on(s, process, q->seq[done], wanted))
		done++;
	q->n -= done;
	memmove(q->seq, q->seq + done, q->n * sizeof(q->seq[0]));
}
