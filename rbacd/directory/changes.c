/* SPDX-License-Identifier: Apache-2.0 */
/* changes.c - what the map says and what was published last: the accounts that differ.
 */

#include <assert.h>
#include <errno.h>

#include "rbacd/directory/publish_internal.h"

static void change_done(struct change *c)
{
	free(c->login);
	free(c->id);
	free(c->old_groups);
	free(c->groups);
}

void changes_done(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		change_done(&c->v[i]);
	free(c->v);
}

struct collect {
	struct publish *p;
	struct changes *changes;
	struct publish_result *result; /* NULL: what is told was told before */
	uint8_t *seen; /* of the whole snapshot's accounts; NULL: not asked */
	uint32_t *buf; /* room for all targets */
};

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool find_published(const struct publish *p, const char *login,
			   struct snapshot_account *ret)
{
	if (p->change && snapshot_find(p->change, login, ret))
		return ret->flags != 0;
	return p->whole && snapshot_find(p->whole, login, ret);
}

/* The published groups as targets, sorted, in @buf. */
size_t publish_old_groups(const struct publish *p, const struct snapshot_account *a,
			  uint32_t *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_groups; i++)
		if (p->remap[a->groups[i]] != PUBLISH_NONE)
			buf[n++] = p->remap[a->groups[i]];
	if (p->retargeted && n > 1)
		qsort(buf, n, sizeof(*buf), by_number);
	return n;
}

static bool account_same(const struct snapshot_account *a,
			 const struct snapshot_account *b, const uint32_t *old,
			 size_t n_old)
{
	return a->uid == b->uid && a->flags == b->flags &&
	       a->expires_s == b->expires_s && str_eq(a->id, b->id) &&
	       a->n_groups == n_old &&
	       (n_old == 0 || memcmp(a->groups, old, n_old * sizeof(*old)) == 0);
}

static uint32_t *copy_groups(const uint32_t *v, size_t n, size_t room)
{
	uint32_t *copy = calloc(room + 1, sizeof(*copy));

	if (copy && n > 0)
		memcpy(copy, v, n * sizeof(*v));
	return copy;
}

static int add_change(struct collect *k, const char *login,
		      const struct snapshot_account *a,
		      const struct snapshot_account *old, size_t n_old)
{
	struct changes *c = k->changes;
	const struct snapshot_account *from = a ? a : old;
	struct change n = {.gone = !a,
			   .known = old != NULL,
			   .other = a && old && !str_eq(a->id, old->id),
			   .n_old = n_old};

	assert(from); /* nobody before and nobody now is no change */
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		void *v = reallocarray(c->v, cap, sizeof(*c->v));

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->cap = cap;
	}
	n.uid = from->uid;
	n.flags = from->flags;
	n.expires_s = from->expires_s;
	n.n_groups = a ? a->n_groups : 0;
	n.login = strdup(login);
	n.id = strdup(from->id);
	n.old_groups = copy_groups(k->buf, n_old, n_old);
	n.groups = copy_groups(a ? a->groups : NULL, n.n_groups, n.n_groups + n_old);
	c->v[c->n++] = n;
	return n.login && n.id && n.old_groups && n.groups ? 0 : -ENOMEM;
}

/* A login that the policy pins to somebody else is nobody's. */
static bool is_pinned_away(struct collect *k, const char *login, const char *id)
{
	struct snapshot_account pin;

	return snapshot_find(k->p->targets, login, &pin) && !str_eq(pin.id, id);
}

static int collect_one(void *arg, const char *login, const struct snapshot_account *a)
{
	struct collect *k = arg;
	struct snapshot_account old;
	bool had = find_published(k->p, login, &old);
	size_t n_old = had ? publish_old_groups(k->p, &old, k->buf) : 0;
	size_t at;

	if (a && is_pinned_away(k, login, a->id)) {
		if (k->result)
			publish_event(k->result, "people",
				      "%.64s (%.100s) has a login that the policy pins "
				      "to somebody else: left out",
				      login, a->id);
		a = NULL;
	}
	if (a && k->seen && k->p->whole && snapshot_index(k->p->whole, login, &at))
		k->seen[at] = 1;
	if (!a && !had)
		return 0;
	if (a && had && account_same(a, &old, k->buf, n_old))
		return 0;
	return add_change(k, login, a, had ? &old : NULL, n_old);
}

static int collect_vanished(struct collect *k)
{
	const struct publish *p = k->p;
	struct snapshot_account a;
	int r = 0;

	for (size_t i = 0; r == 0 && p->whole && i < snapshot_account_count(p->whole);
	     i++) {
		if (k->seen[i])
			continue;
		snapshot_account_at(p->whole, i, &a);
		r = collect_one(k, a.login, NULL);
	}
	return r;
}

static int by_login(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return strcmp(x->login, y->login);
}

const struct change *changes_find(const struct changes *c, const char *login)
{
	struct change key = {.login = (char *)(uintptr_t)login}; /* only compared */

	return c->n > 0 ? bsearch(&key, c->v, c->n, sizeof(*c->v), by_login) : NULL;
}

/* People who came after the whole snapshot was made and are gone again. */
static int collect_vanished_change(struct collect *k)
{
	const struct snapshot *s = k->p->change;
	struct snapshot_account a;
	size_t at;
	int r = 0;

	for (size_t i = 0; r == 0 && s && i < snapshot_account_count(s); i++) {
		snapshot_account_at(s, i, &a);
		if (a.flags == 0 || snapshot_index(k->p->whole, a.login, &at))
			continue;
		if (k->seen[snapshot_account_count(k->p->whole) + i])
			continue;
		r = collect_one(k, a.login, NULL);
	}
	return r;
}

static int mark_and_collect(void *arg, const char *login,
			    const struct snapshot_account *a)
{
	struct collect *k = arg;
	size_t at;

	if (a && k->p->change && snapshot_index(k->p->change, login, &at))
		k->seen[snapshot_account_count(k->p->whole) + at] = 1;
	return collect_one(arg, login, a);
}

static int collect_all(struct collect *k, struct ldap_map *m)
{
	const struct publish *p = k->p;
	size_t n = (p->whole ? snapshot_account_count(p->whole) : 0) +
		   (p->change ? snapshot_account_count(p->change) : 0);
	_cleanup_free_ uint8_t *seen = calloc(n + 1, 1);
	int r;

	if (!seen)
		return -ENOMEM;
	k->seen = seen;
	r = ldap_map_each(m, mark_and_collect, k);
	if (r == 0)
		r = collect_vanished(k);
	if (r == 0)
		r = collect_vanished_change(k);
	k->seen = NULL;
	return r;
}

int changes_collect(struct publish *p, struct ldap_map *m, bool all,
		    struct changes *changes, struct publish_result *result)
{
	_cleanup_free_ uint32_t *buf = NULL;
	struct collect k = {.p = p, .changes = changes, .result = result};
	size_t room = p->n_targets;
	int r;

	if (publish_newest(p) && snapshot_group_count(publish_newest(p)) > room)
		room = snapshot_group_count(publish_newest(p));
	buf = calloc(room + 1, sizeof(*buf));
	if (!buf)
		return -ENOMEM;
	k.buf = buf;
	r = all ? collect_all(&k, m) : ldap_map_take_dirty(m, collect_one, &k);
	if (r == 0 && changes->n > 0)
		qsort(changes->v, changes->n, sizeof(*changes->v), by_login);
	return r;
}
