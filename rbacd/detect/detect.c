/* SPDX-License-Identifier: Apache-2.0 */
/* detect.c - the detections: what each looks at, and when it speaks. */
#include "rbacd/detect/detect.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>

#include "rbacd/detect/window.h"

#define QUEUE_MAX    64
#define ACCEPTED_MAX 1024 /* people whose last accepted code's source is known */
#define RECENT_MAX   1024 /* uses that need not be looked up */
#define USE_EVERY_S  3600 /* a use is written down again after that */
#define TURN_MAX_S   60	  /* what is older was committed, or lost, turns ago */
#define A_MINUTE     10	  /* alerts of one kind: strangers cannot fill the log */
#define DAY_S	     86400

struct accepted {
	char user[65], src[65];
};

struct recent {
	uint8_t key[32];
	int64_t at_s; /* as the store has it */
};

struct detect {
	EVP_MD *md; /* owned; fetched once, a fetch costs more than a hash */
	const struct config_alerts *limits; /* borrowed */
	struct store *store;		    /* borrowed */
	int64_t since_s;
	struct window *sources, *accounts, *quiet; /* owned */
	struct accepted accepted[ACCEPTED_MAX];
	struct recent recent[RECENT_MAX];
	struct detect_alert queue[QUEUE_MAX];
	size_t first, n;
	int64_t minute_s;
	unsigned n_minute[DETECT_N];
	uint64_t lost;
};

static const char *const names[DETECT_N] = {
	[DETECT_REPLAY] = "replay",
	[DETECT_SPRAY] = "spray",
	[DETECT_ACCOUNT] = "account_failures",
	[DETECT_WRONG_CODES] = "wrong_codes",
	[DETECT_DORMANT] = "dormant_account",
	[DETECT_FIRST_USE] = "first_use",
	[DETECT_BREAK_GLASS] = "break_glass",
	[DETECT_LOG] = "log_integrity",
	[DETECT_CLOCK] = "clock_off",
	[DETECT_DIRECTORY] = "directory_down",
	[DETECT_POLICY] = "policy_widened",
};

const char *detect_name(enum detection what)
{
	return what < DETECT_N ? names[what] : "unknown";
}

void detect_free(struct detect *d)
{
	if (!d)
		return;
	window_free(d->sources);
	window_free(d->accounts);
	window_free(d->quiet);
	EVP_MD_free(d->md);
	free(d);
}

static void freep(struct detect **d)
{
	detect_free(*d);
}

int detect_new(const struct config_alerts *limits, struct store *store, int64_t since_s,
	       struct detect **ret)
{
	_cleanup_(freep) struct detect *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->limits = limits;
	d->store = store;
	d->since_s = since_s;
	d->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!d->md)
		return -ENOMEM;
	r = window_new(&d->sources);
	if (r == 0)
		r = window_new(&d->accounts);
	if (r == 0)
		r = window_new(&d->quiet);
	if (r == 0)
		*ret = STEAL(d);
	return r;
}

/* ---------------------------------------------------------------- the queue */

/* Each kind has its own room, so that noise of one kind hides no other. */
static bool has_room(struct detect *d, enum detection what, int64_t now_s)
{
	if (now_s - d->minute_s >= 60 || now_s < d->minute_s) {
		d->minute_s = now_s;
		memset(d->n_minute, 0, sizeof(d->n_minute));
	}
	if (d->n == QUEUE_MAX || d->n_minute[what] == A_MINUTE)
		return false;
	d->n_minute[what]++;
	return true;
}

/* More severe is another matter: it is not held back by the milder one. */
void detect_raise(struct detect *d, const struct detect_alert *alert, int64_t now_s)
{
	char key[160 + DETECT_TEXT_MAX];
	uint32_t n;

	(void)snprintf(key, sizeof(key), "%d %d %s %s %s", (int)alert->what,
		       (int)alert->sev, alert->user, alert->src,
		       alert->what == DETECT_POLICY ? alert->evidence : ""); /* fits */
	n = window_add(d->quiet, key, "", now_s, d->limits->quiet).n;
	if (n > 1)
		return;
	if (!has_room(d, alert->what, now_s)) {
		d->lost++;
		return;
	}
	d->queue[(d->first + d->n++) % QUEUE_MAX] = *alert;
}

bool detect_next(struct detect *d, struct detect_alert *ret)
{
	if (d->n == 0)
		return false;
	*ret = d->queue[d->first];
	d->first = (d->first + 1) % QUEUE_MAX;
	d->n--;
	return true;
}

uint64_t detect_lost(const struct detect *d)
{
	return d->lost;
}

static void raise_event(struct detect *d, enum detection what, enum audit_sev sev,
			const struct audit_event *ev, int64_t now_s, const char *fmt,
			...) _printf_(6, 7);

static void raise_event(struct detect *d, enum detection what, enum audit_sev sev,
			const struct audit_event *ev, int64_t now_s, const char *fmt,
			...)
{
	struct detect_alert a = {.what = what, .sev = sev};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(a.evidence, sizeof(a.evidence), fmt, ap); /* a cut tells too */
	va_end(ap);
	/* About a source, whoever was tried; about a person, wherever from. */
	if (what != DETECT_SPRAY)
		(void)snprintf(a.user, sizeof(a.user), "%s", ev->user ? ev->user : "");
	if (what == DETECT_SPRAY || what == DETECT_REPLAY)
		(void)snprintf(a.src, sizeof(a.src), "%s", ev->src ? ev->src : "");
	detect_raise(d, &a, now_s);
}

/* ---------------------------------------------------------------- failures */

static const char *who(const struct audit_event *ev)
{
	return ev->user ? ev->user : ev->unknown_user ? ev->unknown_user : "";
}

static void see_failure(struct detect *d, const struct audit_event *ev, int64_t now_s)
{
	const struct config_alerts *l = d->limits;
	struct window_count c;

	/* sudo on the host itself has no source, and a source of nobody is no spray. */
	if (ev->src && *ev->src && !str_eq(ev->src, "local")) {
		c = window_add(d->sources, ev->src, who(ev), now_s, l->spray_window);
		if (c.n >= l->spray_failures &&
		    (c.distinct > l->spray_users || c.distinct == WINDOW_DISTINCT))
			raise_event(d, DETECT_SPRAY, AUDIT_ALERT, ev, now_s,
				    "%u failures for %u%s names from %s", c.n,
				    c.distinct,
				    c.distinct == WINDOW_DISTINCT ? " or more" : "",
				    ev->src);
	}
	if (!ev->user)
		return;
	c = window_add(d->accounts, ev->user, "", now_s, l->account_window);
	if (c.n >= l->account_failures_high)
		raise_event(d, DETECT_ACCOUNT, AUDIT_ALERT, ev, now_s,
			    "%u failures of %s", c.n, ev->user);
	else if (c.n >= l->account_failures)
		raise_event(d, DETECT_ACCOUNT, AUDIT_WARNING, ev, now_s,
			    "%u failures of %s", c.n, ev->user);
	if (str_eq(ev->reason, "bad_otp") && ev->fails >= l->wrong_codes)
		raise_event(d, DETECT_WRONG_CODES, AUDIT_ALERT, ev, now_s,
			    "%lld wrong codes in a row of %s, whose first factor was "
			    "right",
			    (long long)ev->fails, ev->user);
}

/* ---------------------------------------------------------------- replays */

static struct accepted *accepted_of(struct detect *d, const char *user)
{
	uint32_t h = 2166136261u; /* a collision forgets a source, it invents none */

	for (const char *p = user; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	return &d->accepted[h % ACCEPTED_MAX];
}

static void see_code(struct detect *d, const struct audit_event *ev, int64_t now_s)
{
	struct accepted *a;

	if (!ev->user || !ev->src)
		return;
	a = accepted_of(d, ev->user);
	if (ev->outcome == AUDIT_SUCCESS && ev->mfa_method && *ev->mfa_method) {
		(void)snprintf(a->user, sizeof(a->user), "%s", ev->user);
		(void)snprintf(a->src, sizeof(a->src), "%s", ev->src);
	} else if (str_eq(ev->reason, "otp_replay") && str_eq(a->user, ev->user) &&
		   !str_eq(a->src, ev->src)) {
		raise_event(d, DETECT_REPLAY, AUDIT_ALERT, ev, now_s,
			    "a code of %s that was used from %s was tried from %s",
			    ev->user, a->src, ev->src);
	}
}

/* ---------------------------------------------------------------- use */

static int use_key(const struct detect *d, const char *kind,
		   const struct audit_event *ev, uint8_t ret[32])
{
	char text[400];
	int n = snprintf(text, sizeof(text), "%s%c%s%c%s%c%s", kind, 0, ev->uid, 0,
			 ev->priv && *kind == 'p' ? ev->priv : "", 0,
			 ev->target && *kind == 'p' ? ev->target : "");

	if (n < 0 || (size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	return EVP_Digest(text, (size_t)n, ret, NULL, d->md, NULL) == 1 ? 0 : -EIO;
}

static bool is_recent(int64_t idle_s)
{
	return idle_s >= 0 && idle_s < USE_EVERY_S;
}

/*
 * When the store last saw @key. What is recent is not written again, so it need not be
 * read again either. Only what an earlier turn wrote is kept: this one may be lost yet.
 */
static int last_use(struct detect *d, const uint8_t key[32], int64_t now_s,
		    int64_t *ret_s)
{
	struct recent *known = &d->recent[(key[0] << 8 | key[1]) % RECENT_MAX];
	int64_t at_s = 0;
	int r;

	if (is_recent(now_s - known->at_s) && memcmp(known->key, key, 32) == 0) {
		*ret_s = known->at_s;
		return 0;
	}
	r = store_seen_get(d->store, key, &at_s);
	if (r != 0)
		return r;
	if (is_recent(now_s - at_s) && now_s - at_s >= TURN_MAX_S) {
		memcpy(known->key, key, 32);
		known->at_s = at_s;
	}
	*ret_s = at_s;
	return 0;
}

/* @ret_idle_s: since the last use; INT64_MAX: never seen. Notes this one. */
static int note_use(struct detect *d, const char *kind, const struct audit_event *ev,
		    int64_t now_s, int64_t *ret_idle_s)
{
	uint8_t key[32];
	int64_t at = 0;
	int r = use_key(d, kind, ev, key);

	*ret_idle_s = INT64_MAX;
	if (r == 0)
		r = last_use(d, key, now_s, &at);
	if (r == 0)
		*ret_idle_s = now_s - at;
	if (r != 0 && r != STORE_E_NONE)
		return r;
	if (r == 0 && is_recent(*ret_idle_s))
		return 0;
	r = store_seen_put(d->store, key, now_s);
	return r == STORE_E_LIMIT ? 0 : r; /* full: nothing new is remembered */
}

int detect_idle(struct detect *d, const char *uid, int64_t now_s, int64_t *ret_idle_s)
{
	const struct audit_event ev = {.uid = uid};
	uint8_t key[32];
	int64_t at = 0;
	int r = use_key(d, "account", &ev, key);

	if (r == 0)
		r = last_use(d, key, now_s, &at);
	if (r != 0 && r != STORE_E_NONE)
		return r;
	*ret_idle_s = r == 0 ? now_s - at : INT64_MAX;
	return 0;
}

static bool is_raised_privilege(const struct audit_event *ev)
{
	return ev->priv && (str_eq(ev->priv, "su") || str_eq(ev->priv, "sudo") ||
			    str_eq(ev->priv, "console"));
}

static int see_use(struct detect *d, const struct audit_event *ev, int64_t now_s)
{
	const struct config_alerts *l = d->limits;
	int64_t idle_s;
	int r = note_use(d, "account", ev, now_s, &idle_s);

	if (r != 0)
		return r;
	if (idle_s != INT64_MAX && idle_s >= l->dormant)
		raise_event(d, DETECT_DORMANT,
			    idle_s >= l->dormant_high ? AUDIT_ALERT : AUDIT_WARNING, ev,
			    now_s, "%s was used after %lld days", ev->user,
			    (long long)(idle_s / DAY_S));
	if (!is_raised_privilege(ev))
		return 0;
	r = note_use(d, "privilege", ev, now_s, &idle_s);
	/* Before uses were known for that long, everything would be the first. */
	if (r != 0 || idle_s < l->first_use || now_s - d->since_s < l->first_use)
		return r;
	raise_event(d, DETECT_FIRST_USE, AUDIT_WARNING, ev, now_s,
		    "%s used %s%s%s for the first time in %lld days", ev->user,
		    ev->priv, ev->target && *ev->target ? " to " : "",
		    ev->target ? ev->target : "", (long long)(l->first_use / DAY_S));
	return 0;
}

/* ---------------------------------------------------------------- always */

/* @stage: auth or account, where a login or a step-up is decided. */
static void see_special(struct detect *d, const struct audit_event *ev, bool stage,
			int64_t now_s)
{
	if (str_eq(ev->ev, "session.open") && ev->sev == AUDIT_ALERT)
		raise_event(d, DETECT_BREAK_GLASS, AUDIT_ALERT, ev, now_s,
			    "a session was opened past vmsec, by the rescue line");
	if (str_eq(ev->ev, "admin.bypass") && ev->outcome == AUDIT_SUCCESS)
		raise_event(d, DETECT_BREAK_GLASS, AUDIT_ALERT, ev, now_s,
			    "a bypass code was made for %s by %s",
			    ev->user ? ev->user : "?", ev->actor ? ev->actor : "?");
	if (stage && str_eq(ev->cred, "bypass"))
		raise_event(d, DETECT_BREAK_GLASS, AUDIT_ALERT, ev, now_s,
			    "a bypass code of %s was used", ev->user ? ev->user : "?");
	if (str_eq(ev->op, "break_glass") && ev->outcome == AUDIT_SUCCESS)
		raise_event(d, DETECT_BREAK_GLASS, AUDIT_ALERT, ev, now_s,
			    "%s used %s by break_glass %s", ev->user ? ev->user : "?",
			    ev->priv ? ev->priv : "?", ev->rule ? ev->rule : "?");
	if (str_eq(ev->ev, "log.unsigned") || str_eq(ev->ev, "state.set_back"))
		raise_event(d, DETECT_LOG, AUDIT_ALERT, ev, now_s, "%s",
			    ev->reason_text ? ev->reason_text : "nothing is signed");
	if (str_eq(ev->ev, "clock.back"))
		raise_event(d, DETECT_CLOCK, AUDIT_ALERT, ev, now_s, "the clock was %s",
			    ev->reason_text ? ev->reason_text : "set back");
}

int detect_event(struct detect *d, const struct audit_event *ev, int64_t now_s)
{
	bool stage = str_eq(ev->ev, "auth") || str_eq(ev->ev, "account");

	if (str_eq(ev->ev, "alert"))
		return 0; /* never about itself */
	see_special(d, ev, stage, now_s);
	if (!stage)
		return 0;
	see_code(d, ev, now_s);
	if (ev->outcome != AUDIT_SUCCESS)
		see_failure(d, ev, now_s);
	else if (str_eq(ev->ev, "account") && ev->uid && ev->user)
		return see_use(d, ev, now_s);
	return 0;
}
