/* SPDX-License-Identifier: Apache-2.0 */
/* nss.c - source nss of rbacd-dir: what the children found, as answers for rbacd. */

#include "rbacd/directory/nss.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/queue.h>
#include <time.h>

#include "rbacd/directory/workers.h"
#include "rbacd/log.h"

#define REFRESH_S   60
#define TARGETS_MAX 8000	/* below the workers' queue */
#define BLOCK_MAX   (60u << 10) /* an answer is one frame */
#define HOLD_MS	    500		/* people wait for groups nobody ever resolved */

enum { STATE_ANSWERED = 1, STATE_FAILED = 2, STATE_TIMED_OUT = 3 };

struct target {
	char *name; /* owned */
	bool resolved, exists, reported;
	bool open; /* asked for the first time, no reply yet */
	uint32_t gid;
	int64_t boot_s; /* when it was resolved last */
};

struct ask {
	TAILQ_ENTRY(ask) next;
	uint64_t ticket; /* 0: nobody waits any more */
	bool asked;	 /* the workers hold a pointer to it */
	char login[SNAPSHOT_LOGIN_MAX + 1];
};

struct nss {
	struct workers *workers;   /* owned */
	struct event *refresh;	   /* owned */
	struct event *hold;	   /* owned; ends the wait for n_open */
	const struct nss_ops *ops; /* static */
	void *arg;		   /* borrowed */
	int64_t max_stale_s;
	struct snapshot *local; /* counted; NULL: none yet */
	struct target *targets; /* owned; in the order of their names */
	size_t n_targets, n_open;
	bool group_reported; /* the last problem told was about a group */
	uint32_t generation; /* answers about older targets are dropped */
	TAILQ_HEAD(ask_list, ask) asks;
};

static int64_t clock_s(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec;
}

_printf_(2, 3) static void report(struct nss *nss, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	nss->group_reported = false;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut text is still a text */
	va_end(ap);
	nss->ops->problem(nss->arg, text);
}

/* --------------------------------------------------------------- waiting */

static int ask_person(struct nss *nss, struct ask *ask)
{
	ask->asked = true;
	return workers_ask(nss->workers, WORKERS_NORMAL, NSS_USER, ask->login,
			   (uintptr_t)ask);
}

/* Asks for those who waited for the groups. */
static void release(struct nss *nss)
{
	struct ask *ask, *next;

	for (ask = TAILQ_FIRST(&nss->asks); ask; ask = next) {
		next = TAILQ_NEXT(ask, next);
		if (ask->asked || (ask->ticket != 0 && ask_person(nss, ask) == 0))
			continue;
		if (ask->ticket != 0)
			nss->ops->answer(nss->arg, ask->ticket, STATE_FAILED, NULL, 0);
		TAILQ_REMOVE(&nss->asks, ask, next);
		free(ask);
	}
}

static void on_hold(evutil_socket_t fd, short what, void *arg)
{
	struct nss *nss = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < nss->n_targets; i++)
		nss->targets[i].open = false;
	nss->n_open = 0;
	release(nss);
}

/*
 * A person who is answered before the groups were resolved for the first time would be
 * refused for groups that are unknown: so each waits for them, a little.
 */
static void hold(struct nss *nss)
{
	const struct timeval tv = {.tv_usec = HOLD_MS * 1000};

	nss->n_open = 0;
	for (size_t i = 0; i < nss->n_targets; i++) {
		nss->targets[i].open = !nss->targets[i].resolved;
		nss->n_open += nss->targets[i].open;
	}
	if (nss->n_open == 0)
		release(nss);
	else if (evtimer_add(nss->hold, &tv) != 0)
		on_hold(-1, 0, nss);
}

/* --------------------------------------------------------------- targets */

static void targets_free(struct target *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].name);
	free(v);
}

static bool all_groups_fine(const struct nss *nss)
{
	for (size_t i = 0; i < nss->n_targets; i++)
		if (nss->targets[i].reported)
			return false;
	return true;
}

static void on_group(struct nss *nss, uint64_t tag, const struct nss_reply *reply)
{
	struct target *t;

	if (tag >> 32 != nss->generation || (uint32_t)tag >= nss->n_targets)
		return;
	t = &nss->targets[(uint32_t)tag];
	nss->n_open -= t->open;
	t->open = false;
	/* Another spelling is no answer: neither this group's members nor "nobody". */
	if (reply->status == NSS_FAILED || reply->status == NSS_TIMED_OUT ||
	    (reply->status == NSS_FOUND && !str_eq(reply->name, t->name))) {
		if (!t->reported)
			report(nss,
			       "group %s cannot be resolved; until it can, its "
			       "members are unknown",
			       t->name);
		t->reported = nss->group_reported = true;
		return; /* what was known stays, and grows old */
	}
	t->resolved = true;
	t->boot_s = clock_s(CLOCK_BOOTTIME);
	t->exists = reply->status == NSS_FOUND;
	t->gid = t->exists ? reply->gid : 0;
	if (!t->exists && !t->reported) {
		report(nss, "the policy names group %s, which does not exist here",
		       t->name);
		nss->group_reported = true;
	}
	t->reported = !t->exists;
	if (nss->group_reported && t->exists && all_groups_fine(nss)) {
		nss->ops->problem(nss->arg, ""); /* what was said last is over */
		nss->group_reported = false;
	}
}

static int ask_targets(struct nss *nss, enum workers_class class)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < nss->n_targets; i++)
		r = workers_ask(nss->workers, class, NSS_GROUP, nss->targets[i].name,
				(uint64_t)nss->generation << 32 | i);
	return r;
}

static void on_refresh(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	/* A full queue: the groups grow older and are tried again in a minute. */
	(void)ask_targets(arg, WORKERS_LATER);
}

static int by_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct target *)item)->name);
}

/* What the old list knew of a group of that name goes on to be known. */
static void inherit(const struct nss *nss, struct target *t)
{
	const struct target *old = NULL;

	if (nss->n_targets > 0)
		old = bsearch(t->name, nss->targets, nss->n_targets, sizeof(*old),
			      by_name);
	if (!old)
		return;
	t->resolved = old->resolved;
	t->exists = old->exists;
	t->reported = old->reported;
	t->gid = old->gid;
	t->boot_s = old->boot_s;
}

int nss_set_targets(struct nss *nss, const struct snapshot *s)
{
	size_t n = snapshot_group_count(s);
	struct target *v;
	struct snapshot_group g;

	if (n > TARGETS_MAX)
		return -E2BIG;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		snapshot_group_at(s, i, &g);
		v[i].name = strdup(g.name);
		if (!v[i].name) {
			targets_free(v, n);
			return -ENOMEM;
		}
		inherit(nss, &v[i]);
	}
	targets_free(nss->targets, nss->n_targets);
	nss->targets = v;
	nss->n_targets = n;
	nss->generation++;
	hold(nss);
	return ask_targets(nss, WORKERS_URGENT);
}

/* ---------------------------------------------------------------- people */

static bool has_gid(const struct nss_reply *r, uint32_t gid)
{
	for (size_t i = 0; i < r->n_gids; i++)
		if (r->gids[i] == gid)
			return true;
	return false;
}

static bool is_usable(const struct nss *nss, const struct target *t)
{
	return t->resolved && clock_s(CLOCK_BOOTTIME) - t->boot_s <= nss->max_stale_s;
}

/* Adds all targets; the person's own go to @mine. */
static int add_groups(const struct nss *nss, const struct nss_reply *r,
		      struct snapshot_builder *b, uint32_t *mine, size_t *ret_n)
{
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < nss->n_targets; i++) {
		const struct target *t = &nss->targets[i];
		bool usable = is_usable(nss, t);
		uint32_t index;

		/* The list of a group that resolves is as fresh as this answer. */
		rc = snapshot_add_group(b, t->name, usable, 0, &index);
		if (rc == 0 && usable && t->exists && has_gid(r, t->gid))
			mine[n++] = index;
	}
	*ret_n = n;
	return rc;
}

/*
 * What kind of account the system's answer makes. Return: its flags, or 0 for one that
 * must not exist for rbacd, with @ret_why.
 */
static uint32_t classify(const struct nss *nss, const char *login,
			 const struct nss_reply *r, const char **ret_why)
{
	struct snapshot_account a;
	bool local = nss->local && snapshot_find(nss->local, login, &a);

	*ret_why = "the system spells it otherwise";
	if (!str_eq(r->name, login))
		return 0;
	*ret_why = "its uid differs from /etc/passwd's";
	if (local && a.uid != r->uid)
		return 0;
	if (r->uid >= SNAPSHOT_PEOPLE_MIN && !snapshot_uid_reserved(r->uid))
		return SNAPSHOT_DIRECTORY | (local ? (uint32_t)SNAPSHOT_LOCAL : 0);
	*ret_why = "a directory must not make system accounts";
	return local ? SNAPSHOT_LOCAL : 0;
}

static int add_person(const struct nss *nss, const char *login,
		      const struct nss_reply *r, uint32_t flags,
		      struct snapshot_builder *b)
{
	_cleanup_free_ uint32_t *mine = calloc(nss->n_targets + 1, sizeof(*mine));
	char id[SNAPSHOT_ID_MAX + 1];
	struct snapshot_account a = {.login = login,
				     .id = id,
				     .uid = r->uid,
				     .flags = flags,
				     .groups = mine};
	int rc;

	if (!mine)
		return -ENOMEM;
	/* With the name: a uid given to somebody else inherits nothing. */
	(void)snprintf(id, sizeof(id), "unix:%u:%s", r->uid, login);
	rc = add_groups(nss, r, b, mine, &a.n_groups);
	if (!(flags & SNAPSHOT_DIRECTORY))
		a.n_groups = 0;
	return rc == 0 ? snapshot_add_account(b, &a) : rc;
}

static int build_answer(struct nss *nss, const char *login, const struct nss_reply *r,
			void **ret, size_t *ret_len)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	const char *why = "";
	uint32_t flags = 0;
	int rc = snapshot_builder_new("nss", clock_s(CLOCK_REALTIME), &b);

	if (rc == 0 && r->status == NSS_FOUND) {
		flags = classify(nss, login, r, &why);
		if (flags != 0)
			rc = add_person(nss, login, r, flags, b);
		else
			report(nss, "account %s is left out: %s", login, why);
	}
	return rc == 0 ? snapshot_build_bytes(b, ret, ret_len) : rc;
}

static void answer(struct nss *nss, const struct ask *ask, const struct nss_reply *r)
{
	_cleanup_free_ void *block = NULL;
	size_t len = 0;
	int rc = -EIO;

	if (r->status == NSS_TIMED_OUT) {
		nss->ops->answer(nss->arg, ask->ticket, STATE_TIMED_OUT, NULL, 0);
		return;
	}
	if (r->status != NSS_FAILED)
		rc = build_answer(nss, ask->login, r, &block, &len);
	if (rc == 0 && len > BLOCK_MAX) {
		report(nss, "the policy names too many groups for source nss");
		rc = -E2BIG;
	}
	if (rc == 0)
		nss->ops->answer(nss->arg, ask->ticket, STATE_ANSWERED, block, len);
	else
		nss->ops->answer(nss->arg, ask->ticket, STATE_FAILED, NULL, 0);
}

static void on_done(void *arg, uint64_t tag, const struct nss_reply *reply)
{
	struct nss *nss = arg;
	struct ask *ask;

	if (reply->kind == NSS_GROUP) {
		on_group(nss, tag, reply);
		if (nss->n_open == 0)
			release(nss);
		return;
	}
	ask = (struct ask *)(uintptr_t)tag;
	if (nss->n_open > 0) { /* the groups changed meanwhile: again, with them */
		ask->asked = false;
		return;
	}
	TAILQ_REMOVE(&nss->asks, ask, next);
	if (ask->ticket != 0)
		answer(nss, ask, reply);
	free(ask);
}

int nss_lookup(struct nss *nss, uint64_t ticket, const char *login)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	int r;

	if (!ask)
		return -ENOMEM;
	ask->ticket = ticket;
	(void)snprintf(ask->login, sizeof(ask->login), "%s", login); /* valid: fits */
	r = nss->n_open > 0 ? 0 : ask_person(nss, ask);
	if (r == 0)
		TAILQ_INSERT_TAIL(&nss->asks, ask, next);
	else
		free(ask);
	return r;
}

void nss_forget(struct nss *nss)
{
	struct ask *ask;

	for (ask = TAILQ_FIRST(&nss->asks); ask; ask = TAILQ_NEXT(ask, next))
		ask->ticket = 0;
}

/* ------------------------------------------------------------------ life */

int nss_new(struct event_base *base, int64_t max_stale_s, const struct nss_ops *ops,
	    void *arg, struct nss **ret)
{
	const struct timeval every = {.tv_sec = REFRESH_S};
	struct nss *nss = calloc(1, sizeof(*nss));
	int r;

	if (!nss)
		return -ENOMEM;
	nss->ops = ops;
	nss->arg = arg;
	nss->max_stale_s = max_stale_s;
	TAILQ_INIT(&nss->asks);
	r = workers_new(base, on_done, nss, &nss->workers);
	nss->refresh = event_new(base, -1, EV_PERSIST, on_refresh, nss);
	nss->hold = evtimer_new(base, on_hold, nss);
	if (r == 0 &&
	    (!nss->hold || !nss->refresh || event_add(nss->refresh, &every) != 0))
		r = -ENOMEM;
	if (r != 0) {
		nss_free(nss);
		return r;
	}
	*ret = nss;
	return 0;
}

void nss_free(struct nss *nss)
{
	struct ask *ask;

	if (!nss)
		return;
	workers_free(nss->workers);
	while ((ask = TAILQ_FIRST(&nss->asks)) != NULL) {
		TAILQ_REMOVE(&nss->asks, ask, next);
		free(ask);
	}
	if (nss->refresh)
		event_free(nss->refresh);
	if (nss->hold)
		event_free(nss->hold);
	snapshot_unref(nss->local);
	targets_free(nss->targets, nss->n_targets);
	free(nss);
}

void nss_set_local(struct nss *nss, struct snapshot *local)
{
	snapshot_unref(nss->local);
	nss->local = snapshot_ref(local);
}
