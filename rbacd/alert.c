/* SPDX-License-Identifier: Apache-2.0 */
/* alert.c - from a detection to a record, a row and the hook; once a second. */
#include "rbacd/alert.h"

#include <errno.h>

#include "rbacd/detect/detect.h"
#include "rbacd/detect/widen.h"
#include "rbacd/hook_queue.h"
#include "rbacd/metrics.h"
#include "rbacd/notify.h"
#include "rbacd/wire/client.h"

#define META_SINCE "detect-since"

struct alerts {
	struct server *server;		   /* borrowed */
	struct detect *detect;		   /* owned */
	struct hook_queue alerts, notices; /* records whose hook is to be run */
	int64_t ahead_s; /* wall clock minus time since boot, when it was told last */
	bool clock_known;
	int64_t last_s;		 /* of the last record before this start; 0: none */
	int64_t dir_down_s;	 /* since when, time since boot; -1: it is there */
	struct widening widened; /* owned; by @policy */
	struct policy *policy; /* counted; its people are still to count; NULL: none */
	int64_t policy_s;      /* since when, time since boot */
	uint64_t raised;
};

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	if (a->server->audit)
		audit_observe(a->server->audit, NULL, NULL);
	widening_done(&a->widened);
	policy_unref(a->policy);
	detect_free(a->detect);
	free(a);
}

static void freep(struct alerts **a)
{
	alerts_free(*a);
}

static int observe(void *arg, const struct audit_event *ev, int64_t now_us)
{
	struct alerts *a = arg;

	metrics_event(a->server->metrics, ev);
	if (notify_event(ev))
		hook_queue_add(&a->notices, audit_appended_seq(a->server->audit));
	return detect_event(a->detect, ev, now_us / 1000000);
}

/* From when on uses are known; written at the first start. */
static int read_since(struct server *s, int64_t *ret)
{
	int64_t since_s = server_now_s();
	size_t len = 0;
	int r = store_meta_get(s->store, META_SINCE, &since_s, sizeof(since_s), &len);

	if (r == STORE_E_NONE)
		r = store_meta_put(s->store, META_SINCE, &since_s, sizeof(since_s));
	else if (r == 0 && len != sizeof(since_s))
		r = STORE_E_CORRUPT;
	if (r == 0)
		*ret = since_s;
	return r;
}

int alerts_new(struct server *s, struct alerts **ret)
{
	_cleanup_(freep) struct alerts *a = calloc(1, sizeof(*a));
	struct audit_status st;
	int64_t since_s = 0;
	int r;

	if (!a)
		return -ENOMEM;
	a->server = s;
	a->dir_down_s = -1;
	r = read_since(s, &since_s);
	if (r == 0)
		r = detect_new(&s->config->audit.alerts, s->store, since_s, &a->detect);
	if (r != 0)
		return r;
	audit_observe(s->audit, observe, a);
	audit_status(s->audit, &st);
	a->last_s = st.ts_s;
	*ret = STEAL(a);
	return 0;
}

/* ---------------------------------------------------------------- watching */

static void raise_plain(struct alerts *a, enum detection what, enum audit_sev sev,
			const char *fmt, ...) _printf_(4, 5);

static void raise_plain(struct alerts *a, enum detection what, enum audit_sev sev,
			const char *fmt, ...)
{
	struct detect_alert alert = {.what = what, .sev = sev};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(alert.evidence, sizeof(alert.evidence), fmt,
			ap); /* cut: fine */
	va_end(ap);
	detect_raise(a->detect, &alert, server_now_s());
}

/* Forward too: set ahead, codes of tomorrow are good today. Small steps add up. */
static void watch_clock(struct alerts *a)
{
	const struct config_alerts *l = &a->server->config->audit.alerts;
	int64_t ahead_s = server_now_s() - clock_boot_s();
	int64_t jump_s = ahead_s - a->ahead_s;

	if (a->clock_known && llabs(jump_s) < l->clock_off)
		return;
	if (a->clock_known)
		raise_plain(a, DETECT_CLOCK,
			    llabs(jump_s) >= l->clock_off_high ? AUDIT_ALERT
							       : AUDIT_WARNING,
			    "the clock jumped by %lld s", (long long)jump_s);
	else if (a->last_s > 0 && server_now_s() - a->last_s >= CLOCK_AWAY_S)
		raise_plain(a, DETECT_CLOCK, AUDIT_WARNING,
			    "rbacd was away for %lld days, or the clock is ahead",
			    (long long)((server_now_s() - a->last_s) / 86400));
	a->ahead_s = ahead_s;
	a->clock_known = true;
}

static void watch_directory(struct alerts *a)
{
	const struct config_alerts *l = &a->server->config->audit.alerts;
	struct identity_status st;
	int64_t now_s = clock_boot_s();

	identity_status(a->server->identity, server_now_s(), &st);
	if (st.connected)
		a->dir_down_s = -1;
	else if (a->dir_down_s < 0)
		a->dir_down_s = now_s;
	else if (now_s - a->dir_down_s >= l->directory_down)
		raise_plain(a, DETECT_DIRECTORY, AUDIT_WARNING,
			    "rbacd-dir has not been there for %lld s",
			    (long long)(now_s - a->dir_down_s));
}

/* ---------------------------------------------------------------- policy */

#define COUNT_S 60 /* the directory gets so long to answer for new groups */

static void tell_widened(struct alerts *a, bool known, size_t n_people)
{
	int64_t limit = a->server->config->audit.alerts.policy_widened;
	size_t people = n_people + a->widened.n_named;

	if (known && (int64_t)people > limit)
		raise_plain(a, DETECT_POLICY, AUDIT_WARNING,
			    "policy %.12s gives something to up to %zu people, on %zu "
			    "VMs, that the one before did not",
			    policy_sha256(a->policy), people, a->widened.n_vms);
	else if (!known || (int64_t)a->widened.n_vms > limit)
		raise_plain(a, DETECT_POLICY, AUDIT_WARNING,
			    "policy %.12s gives something on %zu VMs that the one "
			    "before did not, to %zu groups and %zu people%s",
			    policy_sha256(a->policy), a->widened.n_vms,
			    a->widened.n_groups, a->widened.n_named,
			    known ? "" : "; who is in the groups is not known");
	widening_done(&a->widened);
	a->widened = (struct widening){0};
	policy_unref(a->policy);
	a->policy = NULL;
}

static void watch_policy(struct alerts *a)
{
	size_t n = 0;
	bool known;

	if (!a->policy)
		return;
	known = identity_count(a->server->identity, a->policy, a->widened.groups, &n);
	if (known || clock_boot_s() - a->policy_s >= COUNT_S ||
	    a->server->config->source == CONFIG_SOURCE_NSS) /* which lists nobody */
		tell_widened(a, known, n);
}

/* Nothing ran: the policy may have been exchanged while rbacd was away. */
static void tell_exchanged(struct alerts *a, const struct policy *after)
{
	struct store_activation last;
	int r = store_activation_last(a->server->store, &last);

	if (r == 0 && !str_eq(last.sha, policy_sha256(after)))
		raise_plain(a, DETECT_POLICY, AUDIT_WARNING,
			    "policy %.12s is another than %.12s, which was active "
			    "last: what it opens was not compared",
			    policy_sha256(after), last.sha);
}

void alerts_policy(struct alerts *a, const struct policy *before, struct policy *after)
{
	if (!a)
		return;
	if (a->policy) /* the next one came before its people were counted */
		tell_widened(a, false, 0);
	if (!before) {
		tell_exchanged(a, after);
		return;
	}
	if (str_eq(policy_sha256(before), policy_sha256(after)))
		return;
	if (widening_find(before, after, server_now_s(), &a->widened) != 0) {
		raise_plain(a, DETECT_POLICY, AUDIT_WARNING,
			    "policy %.12s could not be compared with the one before",
			    policy_sha256(after));
		return;
	}
	a->policy = policy_ref(after);
	a->policy_s = clock_boot_s();
	if (a->widened.n_groups == 0)
		tell_widened(a, true, 0);
	watch_policy(a); /* groups that were asked for already are known */
}

/* ---------------------------------------------------------------- recording */

static int record(struct alerts *a, const struct detect_alert *alert)
{
	struct server *s = a->server;
	struct store_alert row = {.at_s = server_now_s(), .sev = (int)alert->sev};
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];
	int r;

	ev.ev = "alert";
	ev.sev = alert->sev;
	ev.op = detect_name(alert->what);
	ev.user = alert->user;
	ev.src = alert->src;
	ev.vm = s->config->vm;
	ev.reason_text = alert->evidence;
	r = audit_append(s->audit, &ev, server_now_us(), id);
	if (r != 0)
		return r;
	row.seq = strtoull(id, NULL, 10); /* ours: the number comes first */
	(void)snprintf(row.name, sizeof(row.name), "%s", detect_name(alert->what));
	(void)snprintf(row.subject, sizeof(row.subject), "%.60s%s%.64s", alert->user,
		       *alert->user && *alert->src ? " " : "", alert->src);
	(void)snprintf(row.evidence, sizeof(row.evidence), "%s", alert->evidence);
	r = store_alert_put(s->store, &row);
	if (r != 0)
		return r;
	a->raised++;
	hook_queue_add(&a->alerts, row.seq);
	return 0;
}

/* ---------------------------------------------------------------- the hooks */

static bool is_alert(const struct audit_view *view)
{
	return audit_is(view, AUDIT_EV, "alert");
}

static void run_hooks(struct alerts *a)
{
	struct server *s = a->server;

	hook_queue_run(&a->alerts, s, s->hook, is_alert);
	hook_queue_run(&a->notices, s, s->notify, notify_record);
}

static uint64_t failures(struct hook_process *process)
{
	return process ? hook_process_failed(process) : 0;
}

int alerts_tick(struct alerts *a)
{
	struct detect_alert alert;
	int r = 0;

	run_hooks(a);
	watch_clock(a);
	watch_directory(a);
	watch_policy(a);
	while (r == 0 && detect_next(a->detect, &alert))
		r = record(a, &alert);
	return r;
}

void alerts_get_stats(const struct alerts *a, struct alerts_stats *ret)
{
	*ret = (struct alerts_stats){
		.raised = a->raised,
		.lost = a->alerts.lost + a->notices.lost + detect_lost(a->detect),
		.hook_failed = failures(a->server->hook) + failures(a->server->notify),
	};
}

int alerts_idle(struct alerts *a, const char *uid, int64_t now_s, int64_t *ret_idle_s)
{
	return a ? detect_idle(a->detect, uid, now_s, ret_idle_s) : -ENODATA;
}
