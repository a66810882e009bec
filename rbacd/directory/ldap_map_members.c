/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_map_members.c - one group's members: read aside, then put in place whole. */

#include <errno.h>

#include "rbacd/directory/ldap_map_internal.h"

void members_abort(struct ldap_map *m)
{
	for (size_t i = 0; i < m->reading.n; i++)
		node_put(m, m->reading.v[i]);
	free(m->reading.v);
	m->reading = (struct reading){.group = NULL};
}

int ldap_map_members_begin(struct ldap_map *m, const struct ldap_id *id)
{
	members_abort(m);
	m->reading.group = group_find(m, id);
	m->reading.open = true;
	return m->reading.group ? 0 : LDAP_MAP_E_DROPPED;
}

static int add_node(struct ldap_map *m, enum node_kind kind, const char *key,
		    size_t len)
{
	struct reading *rd = &m->reading;
	struct node **v;
	size_t was;
	int r;

	if (rd->n == rd->cap) {
		if (rd->n >= LDAP_MEMBERS_MAX || m->n_edges + rd->n >= LDAP_EDGES_MAX)
			return LDAP_MAP_E_FULL;
		rd->cap = rd->cap ? rd->cap * 2 : 64;
		v = reallocarray(rd->v, rd->cap, sizeof(struct node *));
		if (!v)
			return -ENOMEM;
		rd->v = v;
	}
	was = m->n_unknown;
	r = node_get(m, kind, key, len, &rd->v[rd->n]);
	if (r != 0)
		return r;
	rd->n++;
	rd->n_unknown += m->n_unknown - was;
	return rd->n_unknown > UNKNOWN_GROUP_MAX || m->n_unknown > UNKNOWN_MAX
		       ? LDAP_MAP_E_FULL
		       : 0;
}

/* A member elsewhere is nobody of ours and needs no place. */
static int add_dn(struct ldap_map *m, const struct ldap_value *v, bool unique)
{
	struct dn dn;

	if ((unique ? dn_read_unique(v->p, v->len, &dn) : dn_read(v->p, v->len, &dn)) !=
	    0) {
		m->reading.bad = true;
		return 0;
	}
	if (!dn_is_below(&dn, &m->users_base) && !dn_is_below(&dn, &m->groups_base))
		return 0;
	return add_node(m, NODE_DN, dn.text, dn.len);
}

static int add_value(struct ldap_map *m, enum ldap_member_form form,
		     const struct ldap_value *v)
{
	switch (form) {
	case LDAP_MEMBER_DN:
	case LDAP_MEMBER_UNIQUE:
		return add_dn(m, v, form == LDAP_MEMBER_UNIQUE);
	case LDAP_MEMBER_UID:
		if (v->len < 1 || v->len > SNAPSHOT_LOGIN_MAX)
			return 0; /* nobody can have this login */
		return add_node(m, NODE_LOGIN, v->p, v->len);
	case LDAP_MEMBER_PRIMARY:
		break; /* stands with the person */
	}
	return -EINVAL;
}

/* One attribute; a range must be the one that comes next, and as long as it says. */
static int add_attr(struct ldap_map *m, const struct ldap_attr *a, uint64_t expect,
		    uint64_t *ret_next)
{
	uint64_t start = 0, next = 0;
	int form = ldap_attr_members(m->schema, a, &start, &next), r = 0;
	bool range = strchr(a->name, ';');

	if (form == 0 || (a->n_values == 0 && !range))
		return 0;
	if (form < 0 || start != expect || (next != 0 && next - start != a->n_values)) {
		m->reading.bad = true;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < a->n_values; i++)
		r = add_value(m, (enum ldap_member_form)form, &a->values[i]);
	if (range)
		*ret_next = next;
	return r;
}

int ldap_map_members_add(struct ldap_map *m, const struct ldap_entry *e,
			 uint64_t *ret_next)
{
	struct reading *rd = &m->reading;
	const uint64_t none = UINT64_MAX;
	uint64_t next = none;
	struct ldap_id id;
	int r = 0;

	*ret_next = 0;
	if (!rd->group || ldap_entry_id(m->schema, e, &id) != 0 ||
	    memcmp(id.v, rd->group->id.v, sizeof(id.v)) != 0) {
		rd->bad = true; /* another object stands there now */
		return LDAP_MAP_E_DROPPED;
	}
	for (size_t i = 0; r == 0 && i < e->n_attrs; i++)
		r = add_attr(m, &e->attrs[i], rd->next, &next);
	if (r == LDAP_MAP_E_FULL) {
		struct group *g = rd->group;

		members_abort(m); /* its memory is needed elsewhere */
		rd->group = g;
		rd->open = rd->too_large = true;
		return r;
	}
	if (rd->next != 0 && next == none)
		rd->bad = true; /* the next part did not come */
	rd->next = next == none ? 0 : next;
	*ret_next = rd->bad ? 0 : rd->next;
	return r;
}

/* ------------------------------------------------------------------- in place */

static int compare_nodes(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct node *const *)a;
	uintptr_t y = (uintptr_t) * (struct node *const *)b;

	return (x > y) - (x < y);
}

static void sort_unique(struct ldap_map *m, struct reading *rd)
{
	size_t n = 0;

	if (rd->n > 0)
		qsort(rd->v, rd->n, sizeof(struct node *), compare_nodes);
	for (size_t i = 0; i < rd->n; i++) {
		if (n > 0 && rd->v[n - 1] == rd->v[i])
			node_put(m, rd->v[i]);
		else
			rd->v[n++] = rd->v[i];
	}
	rd->n = n;
}

/* Calls @fn for what is in @a and not in @b, both sorted. Return: how many, or less
 * when
 * @fn said no. */
static size_t each_only_in(struct node *const *a, size_t n_a, struct node *const *b,
			   size_t n_b, bool (*fn)(void *, struct node *), void *arg)
{
	size_t j = 0, done = 0;

	for (size_t i = 0; i < n_a; i++) {
		while (j < n_b && compare_nodes(&b[j], &a[i]) < 0)
			j++;
		if (j < n_b && b[j] == a[i])
			continue;
		if (!fn(arg, a[i]))
			return done;
		done++;
	}
	return done;
}

struct change {
	struct ldap_map *m;
	struct group *g;
	size_t left; /* how many may still be taken back */
	bool failed;
};

static bool link_new(void *arg, struct node *n)
{
	struct change *c = arg;

	c->failed = node_add_parent(n, c->g) != 0;
	return !c->failed;
}

static bool take_back(void *arg, struct node *n)
{
	struct change *c = arg;

	if (c->left == 0)
		return false;
	c->left--;
	node_remove_parent(n, c->g);
	return true;
}

static bool mark_one(void *arg, struct node *n)
{
	struct change *c = arg;

	node_mark(c->m, n);
	return true;
}

static bool unlink_old(void *arg, struct node *n)
{
	struct change *c = arg;

	node_mark(c->m, n);
	node_remove_parent(n, c->g);
	return true;
}

static int install(struct ldap_map *m, struct group *g)
{
	struct reading *rd = &m->reading;
	struct change c = {.m = m, .g = g};

	sort_unique(m, rd);
	c.left = each_only_in(rd->v, rd->n, g->members, g->n_members, link_new, &c);
	if (c.failed) {
		(void)each_only_in(rd->v, rd->n, g->members, g->n_members, take_back,
				   &c); /* stops where the links end */
		return -ENOMEM;
	}
	(void)each_only_in(rd->v, rd->n, g->members, g->n_members, mark_one, &c);
	(void)each_only_in(g->members, g->n_members, rd->v, rd->n, unlink_old, &c);
	for (size_t i = 0; i < g->n_members; i++)
		node_put(m, g->members[i]);
	free(g->members);
	m->n_edges += rd->n - g->n_members;
	g->members = STEAL(rd->v);
	g->n_members = rd->n;
	rd->n = 0;
	g->has_list = true;
	g->too_large = g->unreadable = false;
	g->stale_since = 0;
	return 0;
}

static void keep_old(struct group *g, enum ldap_read how, int64_t now_s)
{
	if (g->stale_since == 0)
		g->stale_since = now_s > 0 ? now_s : 1;
	g->too_large = how == LDAP_READ_TOO_LARGE;
	g->unreadable = how == LDAP_READ_CUT;
}

int ldap_map_members_end(struct ldap_map *m, enum ldap_read how, int64_t now_s)
{
	struct group *g = m->reading.group;
	int r = 0;

	if (how == LDAP_READ_DONE && (m->reading.bad || m->reading.next != 0))
		how = LDAP_READ_CUT;
	if (m->reading.too_large)
		how = LDAP_READ_TOO_LARGE;
	if (g && how == LDAP_READ_DONE && g->followed)
		r = install(m, g);
	if (g && (r != 0 || how != LDAP_READ_DONE))
		keep_old(g, how == LDAP_READ_DONE ? LDAP_READ_CUT : how, now_s);
	members_abort(m);
	m->states_stale = true;
	return r;
}
