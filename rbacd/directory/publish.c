/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c - the map's accounts, compared with the published ones and built. */

#include "rbacd/directory/publish.h"

#include <errno.h>
#include <stdarg.h>

#include "rbacd/directory/publish_internal.h"

#define CHANGE_MAX 2000 /* accounts in a change; more make a whole snapshot */

void publish_event(struct publish_result *ret, const char *name, const char *fmt, ...)
{
	struct publish_event *e;
	va_list ap;

	if (ret->n_events == PUBLISH_EVENTS_MAX)
		return; /* the log has the others */
	e = &ret->events[ret->n_events++];
	e->name = name;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap); /* cut on purpose */
	va_end(ap);
}

/* ---------------------------------------------------------------------- life */

int publish_new(const struct config_ldap *config, struct publish **ret)
{
	struct publish *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->config = config;
	p->compare_all = true;
	*ret = p;
	return 0;
}

void publish_free(struct publish *p)
{
	if (!p)
		return;
	snapshot_unref(p->whole);
	snapshot_unref(p->change);
	snapshot_unref(p->targets);
	snapshot_unref(p->named);
	free(p->t);
	free(p->remap);
	free(p);
}

void publish_set_last(struct publish *p, struct snapshot *whole,
		      struct snapshot *change)
{
	snapshot_unref(p->whole);
	snapshot_unref(p->change);
	p->whole = whole ? snapshot_ref(whole) : NULL;
	p->change = whole && change ? snapshot_ref(change) : NULL;
	if (p->change)
		p->serial = snapshot_serial(p->change);
	else if (p->whole)
		p->serial = snapshot_serial(p->whole);
	p->retargeted = p->compare_all = true;
}

void publish_set_targets(struct publish *p, struct snapshot *targets)
{
	snapshot_unref(p->targets);
	p->targets = snapshot_ref(targets);
	p->retargeted = p->compare_all = true;
}

const char *publish_held(const struct publish *p)
{
	return p->held;
}

void publish_accept(struct publish *p)
{
	if (!*p->held)
		return;
	p->accept = p->compare_all = true;
	p->rejected = false;
}

void publish_forget_orders(struct publish *p)
{
	p->accept = false;
}

void publish_reject(struct publish *p)
{
	p->rejected = true;
}

bool publish_rejected(const struct publish *p)
{
	return p->rejected && *p->held;
}

/* ------------------------------------------------------------------- targets */

static bool is_guarded(const struct publish *p, const char *name)
{
	for (size_t i = 0; i < p->config->n_guard_groups; i++)
		if (str_eq(p->config->guard_groups[i], name))
			return true;
	return false;
}

/* The newest published state of the groups. */
const struct snapshot *publish_newest(const struct publish *p)
{
	return p->change ? p->change : p->whole;
}

static void take_window(const struct target *old, size_t n, struct target *t)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(old[i].g.name, t->g.name)) {
			t->window_s = old[i].window_s;
			t->n_new = old[i].n_new;
		}
}

static int map_published(struct publish *p)
{
	const struct snapshot *old = publish_newest(p);
	size_t n = old ? snapshot_group_count(old) : 0;
	uint32_t *remap = calloc(n + 1, sizeof(*remap));
	struct snapshot_group g;
	uint32_t at;

	if (!remap)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		snapshot_group_at(old, i, &g);
		remap[i] = PUBLISH_NONE;
		if (!snapshot_group_index(p->targets, &g, &at))
			continue;
		remap[i] = at;
		p->t[at].known = true;
		(void)snprintf(p->t[at].id, sizeof(p->t[at].id), "%s", g.id);
	}
	free(p->remap);
	p->remap = remap;
	return 0;
}

/* One entry a target; what was published for it is found by name, dn and pin. */
static int read_targets(struct publish *p)
{
	size_t n = snapshot_group_count(p->targets);
	_cleanup_free_ struct target *old = p->t;
	size_t n_old = p->n_targets;

	p->t = calloc(n + 1, sizeof(*p->t));
	p->n_targets = p->t ? n : 0;
	if (!p->t)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		snapshot_group_at(p->targets, i, &p->t[i].g);
		p->t[i].guarded = is_guarded(p, p->t[i].g.name);
		take_window(old, n_old, &p->t[i]);
	}
	snapshot_unref(p->named);
	p->named = snapshot_ref(p->targets);
	return map_published(p);
}

/* The groups as they are now. A name that another object has taken is not believed; the
 * object that had it is remembered while there is none. */
static void refresh_targets(struct publish *p, struct ldap_map *m, int64_t now_s,
			    struct publish_result *ret)
{
	for (size_t i = 0; i < p->n_targets; i++) {
		struct target *t = &p->t[i];
		struct snapshot_group g;
		bool pinned;

		ldap_map_group(m, i, now_s, &g);
		pinned = *t->g.pin != '\0';
		t->g.complete = g.complete;
		t->g.age_s = g.age_s;
		t->g.n_members = g.n_members;
		if (!*g.id || str_eq(g.id, t->id))
			t->frozen = false;
		else if (!*t->id || pinned || p->accept)
			(void)snprintf(t->id, sizeof(t->id), "%s", g.id);
		else if (!t->frozen) {
			t->frozen = true;
			publish_event(ret, "group",
				      "group '%.64s' was %.70s and is now %.70s",
				      t->g.name, t->id, g.id);
		}
		if (p->accept)
			t->frozen = false;
	}
}

/* --------------------------------------------------------------------- build */

static int add_groups(const struct publish *p, struct snapshot_builder *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_targets; i++) {
		struct snapshot_group g = p->t[i].g;

		g.id = p->t[i].id;
		r = snapshot_add_found(b, &g, NULL);
	}
	return r;
}

static int add_published(struct publish *p, struct snapshot_builder *b,
			 const struct snapshot_account *a, uint32_t *buf)
{
	struct snapshot_account n = *a;

	n.n_groups = publish_old_groups(p, a, buf);
	n.groups = buf;
	return snapshot_add_account(b, &n);
}

static int add_changed(struct snapshot_builder *b, const struct change *c)
{
	struct snapshot_account a = {.login = c->login,
				     .id = c->id,
				     .uid = c->uid,
				     .flags = c->gone ? 0 : c->flags,
				     .expires_s = c->expires_s,
				     .groups = c->groups,
				     .n_groups = c->gone ? 0 : c->n_groups};

	return snapshot_add_account(b, &a);
}

static bool overridden(const struct changes *c, const char *login)
{
	const struct change *found = changes_find(c, login);

	return found && !found->skip;
}

/* Accounts of @s that nothing newer speaks of. @under: a newer snapshot, or NULL. */
static int add_rest(struct publish *p, struct snapshot_builder *b,
		    const struct snapshot *s, const struct snapshot *under,
		    const struct changes *c, bool with_gone)
{
	_cleanup_free_ uint32_t *buf =
		calloc(snapshot_group_count(s) + 1, sizeof(*buf));
	struct snapshot_account a;
	size_t at;
	int r = buf ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < snapshot_account_count(s); i++) {
		snapshot_account_at(s, i, &a);
		if ((under && snapshot_index(under, a.login, &at)) ||
		    overridden(c, a.login) || (a.flags == 0 && !with_gone))
			continue;
		r = add_published(p, b, &a, buf);
	}
	return r;
}

static int add_changes(struct snapshot_builder *b, const struct changes *c,
		       bool with_gone)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n; i++)
		if (!c->v[i].skip && (!c->v[i].gone || with_gone))
			r = add_changed(b, &c->v[i]);
	return r;
}

static int build(struct publish *p, const struct changes *c, bool whole, int64_t now_s,
		 int *ret_fd)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	int r = snapshot_builder_new("ldap", now_s, &b);

	if (r == 0) {
		snapshot_builder_number(b, p->serial + 1,
					whole ? 0 : snapshot_serial(p->whole));
		r = add_groups(p, b);
	}
	if (r == 0 && whole && p->whole)
		r = add_rest(p, b, p->whole, p->change, c, false);
	if (r == 0 && p->change)
		r = add_rest(p, b, p->change, NULL, c, !whole);
	if (r == 0)
		r = add_changes(b, c, !whole);
	return r == 0 ? snapshot_build_fd(b, ret_fd) : r;
}

/* What was built is from now on what is published. */
static int adopt(struct publish *p, int fd, bool whole)
{
	struct snapshot *s;
	int r = snapshot_from_fd(fd, &s);

	if (r != 0)
		return r < 0 ? r : -EINVAL;
	snapshot_unref(p->change);
	p->change = NULL;
	if (whole) {
		snapshot_unref(p->whole);
		p->whole = s;
	} else {
		p->change = s;
	}
	p->serial = snapshot_serial(s);
	p->retargeted = false;
	return map_published(p);
}

static bool needs_whole(const struct publish *p, const struct changes *c)
{
	size_t n = c->n + (p->change ? snapshot_account_count(p->change) : 0);

	return !p->whole || p->retargeted || n > CHANGE_MAX;
}

static int finish(struct publish *p, const struct changes *c, int64_t now_s,
		  struct publish_result *ret)
{
	int r;

	ret->whole = needs_whole(p, c);
	r = build(p, c, ret->whole, now_s, &ret->fd);
	if (r == 0)
		r = adopt(p, ret->fd, ret->whole);
	if (r == 0)
		return 0;
	if (ret->fd >= 0)
		(void)close(ret->fd); /* a memfd */
	ret->fd = -1;
	return r;
}

static size_t count_published(const struct publish *p)
{
	size_t n = p->whole ? snapshot_account_count(p->whole) : 0;
	struct snapshot_account a;
	size_t at;

	for (size_t i = 0; p->change && i < snapshot_account_count(p->change); i++) {
		bool old;

		snapshot_account_at(p->change, i, &a);
		old = snapshot_index(p->whole, a.login, &at);
		n += a.flags != 0 && !old;
		n -= a.flags == 0 && old;
	}
	return n;
}

static bool is_member(const struct publish *p, const struct snapshot_account *a)
{
	for (size_t i = 0; i < a->n_groups; i++)
		if (p->remap[a->groups[i]] != PUBLISH_NONE)
			return true;
	return false;
}

size_t publish_count_members(const struct publish *p)
{
	struct snapshot_account a;
	size_t n = 0, at;

	for (size_t i = 0; p->whole && i < snapshot_account_count(p->whole); i++) {
		snapshot_account_at(p->whole, i, &a);
		n += is_member(p, &a) &&
		     !(p->change && snapshot_index(p->change, a.login, &at));
	}
	for (size_t i = 0; p->change && i < snapshot_account_count(p->change); i++) {
		snapshot_account_at(p->change, i, &a);
		n += is_member(p, &a);
	}
	return n;
}

/*
 * While something is held all is compared again, and what the server says of one person
 * would be held with the rest. So these are marked: their losses apply.
 */
static int collect(struct publish *p, struct ldap_map *m, bool all, bool one_by_one,
		   struct changes *c, struct publish_result *ret)
{
	_cleanup_(changes_done) struct changes told = {0};
	int r = all && one_by_one ? changes_collect(p, m, false, &told, ret) : 0;

	if (r == 0)
		r = changes_collect(p, m, all, c, all && one_by_one ? NULL : ret);
	for (size_t i = 0; r == 0 && i < c->n; i++)
		c->v[i].told = changes_find(&told, c->v[i].login) != NULL;
	return r;
}

int publish_update(struct publish *p, struct ldap_map *m, enum publish_scope scope,
		   int64_t now_s, struct publish_result *ret)
{
	_cleanup_(changes_done) struct changes c = {0};
	bool all, one_by_one = scope == PUBLISH_CHANGES && !p->compare_all;
	int r = 0;

	*ret = (struct publish_result){.fd = -1};
	if (!p->targets)
		return 0;
	if (*p->held && p->held_scope > scope)
		scope = p->held_scope;
	if (p->retargeted)
		r = read_targets(p);
	all = scope != PUBLISH_CHANGES || p->compare_all || *p->held;
	p->compare_all = true; /* until this one is through */
	if (r == 0) {
		refresh_targets(p, m, now_s, ret);
		r = collect(p, m, all, one_by_one, &c, ret);
	}
	if (r != 0)
		return r;
	guard_check(p, &c, scope, count_published(p), now_s, ret);
	p->accept = false;
	ret->n_changed = c.n;
	r = finish(p, &c, now_s, ret);
	p->compare_all = r != 0;
	return r;
}

int publish_confirm(struct publish *p, struct ldap_map *m, int64_t now_s,
		    struct publish_result *ret)
{
	return publish_update(p, m, PUBLISH_CHANGES, now_s, ret);
}
