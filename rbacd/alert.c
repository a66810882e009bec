/* SPDX-License-Identifier: Apache-2.0 */
/* alert.c - from a detection to a record, a row and the hook; once a second. */
#include "rbacd/alert.h"

#include <errno.h>
#include <time.h>

#include "rbacd/detect/detect.h"
#include "rbacd/hook_process.h"
#include "rbacd/log.h"
#include "rbacd/metrics.h"
#include "rbacd/wire/client.h"

#define META_SINCE "detect-since"
#define HOOKS_MAX  64 /* alerts that wait for their hook */

struct alerts {
	struct server *server;	   /* borrowed */
	struct detect *detect;	   /* owned */
	uint64_t hooks[HOOKS_MAX]; /* records whose hook is to be run */
	size_t n_hooks;
	int64_t ahead_s; /* wall clock minus time since boot, at the last tick */
	bool clock_known;
	int64_t dir_down_s; /* since when, time since boot; -1: it is there */
	uint64_t raised, lost;
};

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	if (a->server->audit)
		audit_observe(a->server->audit, NULL, NULL);
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
	*ret = STEAL(a);
	return 0;
}

/* ---------------------------------------------------------------- watching */

static int64_t boot_now_s(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec;
}

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

/* Forward too: set ahead, codes of tomorrow are good today. */
static void watch_clock(struct alerts *a)
{
	const struct config_alerts *l = &a->server->config->audit.alerts;
	int64_t ahead_s = server_now_s() - boot_now_s();
	int64_t jump_s = ahead_s - a->ahead_s;

	if (a->clock_known && llabs(jump_s) >= l->clock_off)
		raise_plain(a, DETECT_CLOCK,
			    llabs(jump_s) >= l->clock_off_high ? AUDIT_ALERT
							       : AUDIT_WARNING,
			    "the clock jumped by %lld s", (long long)jump_s);
	a->ahead_s = ahead_s;
	a->clock_known = true;
}

static void watch_directory(struct alerts *a)
{
	const struct config_alerts *l = &a->server->config->audit.alerts;
	struct identity_status st;
	int64_t now_s = boot_now_s();

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
	if (a->n_hooks < HOOKS_MAX)
		a->hooks[a->n_hooks++] = row.seq;
	else
		a->lost++;
	return 0;
}

/* ---------------------------------------------------------------- the hook */

/* The record itself is the input: what it says is what the log says. */
static bool run_hook(struct alerts *a, uint64_t seq)
{
	struct server *s = a->server;
	char line[AUDIT_LINE_MAX + 2];
	struct audit_view view;
	const char *why;
	size_t len = 0;
	int r;

	if (store_audit_get(s->store, seq, line, AUDIT_LINE_MAX, &len) != 0 ||
	    audit_view_parse(line, len, &view, &why) != 0 ||
	    !audit_is(&view, AUDIT_EV, "alert"))
		return true; /* its turn was lost, and with it the record */
	line[len++] = '\n';
	r = hook_process_run(s->hook, line, len);
	if (r != 0 && r != -EAGAIN)
		log_err("the process of the alert hook is not there: %s",
			strerrordesc_np(-r));
	return r != -EAGAIN;
}

static void run_hooks(struct alerts *a)
{
	size_t done = 0;

	if (!a->server->hook)
		done = a->n_hooks;
	while (done < a->n_hooks && a->hooks[done] <= audit_seq(a->server->audit) &&
	       run_hook(a, a->hooks[done]))
		done++;
	a->n_hooks -= done;
	memmove(a->hooks, a->hooks + done, a->n_hooks * sizeof(a->hooks[0]));
}

int alerts_tick(struct alerts *a)
{
	struct detect_alert alert;
	int r = 0;

	run_hooks(a);
	watch_clock(a);
	watch_directory(a);
	while (r == 0 && detect_next(a->detect, &alert))
		r = record(a, &alert);
	return r;
}

void alerts_get_stats(const struct alerts *a, struct alerts_stats *ret)
{
	*ret = (struct alerts_stats){
		.raised = a->raised,
		.lost = a->lost + detect_lost(a->detect),
		.hook_failed =
			a->server->hook ? hook_process_failed(a->server->hook) : 0,
	};
}

int alerts_idle(struct alerts *a, const char *uid, int64_t now_s, int64_t *ret_idle_s)
{
	return a ? detect_idle(a->detect, uid, now_s, ret_idle_s) : -ENODATA;
}
