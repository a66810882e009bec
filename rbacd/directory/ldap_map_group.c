/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_map_group.c - groups, who is below them, and which of them must be read. */

#include <errno.h>

#include "rbacd/directory/ldap_map_internal.h"

struct group *group_find(const struct ldap_map *m, const struct ldap_id *id)
{
	struct table_link *l =
		table_find(&m->groups, table_hash(m->seed, id->v, sizeof(id->v)));

	for (; l; l = table_find_next(l))
		if (memcmp(table_entry(l, struct group)->id.v, id->v, sizeof(id->v)) ==
		    0)
			return table_entry(l, struct group);
	return NULL;
}

/* -------------------------------------------------------------------- walks */

int walk_start(struct ldap_map *m)
{
	if (m->walk.cap < m->groups.n) {
		struct group **v = reallocarray(m->walk.v, m->groups.n + 64,
						sizeof(struct group *));

		if (!v)
			return -ENOMEM;
		m->walk.v = v;
		m->walk.cap = m->groups.n + 64;
	}
	m->walk.n = 0;
	m->epoch++;
	return 0;
}

void walk_push(struct ldap_map *m, struct group *g, uint32_t depth)
{
	if (g->epoch == m->epoch)
		return; /* a cycle, or a second way */
	g->epoch = m->epoch;
	g->depth = depth;
	m->walk.v[m->walk.n++] = g;
}

/* The people right behind a node; a group behind it joins the walk. */
static void mark_node(struct ldap_map *m, const struct node *n)
{
	enum hook_kind kind = n->key[0] == NODE_DN	? HOOK_DN
			      : n->key[0] == NODE_LOGIN ? HOOK_LOGIN
							: HOOK_SID;

	for (struct person *p = n->people; p; p = p->hooks[kind].next)
		name_mark(m, p->name);
	if (kind == HOOK_DN && n->group)
		walk_push(m, n->group, 0);
}

static void mark_walk(struct ldap_map *m)
{
	for (size_t i = 0; i < m->walk.n; i++) {
		const struct group *g = m->walk.v[i];

		for (size_t j = 0; j < g->n_members; j++)
			mark_node(m, g->members[j]);
		if (g->sid)
			mark_node(m, g->sid);
	}
}

/* Without memory for the walk everybody is looked at again: slow, never wrong. */
static bool walk_or_mark_all(struct ldap_map *m)
{
	if (walk_start(m) == 0)
		return true;
	for (struct table_link *l = table_next(&m->names, NULL); l;
	     l = table_next(&m->names, l))
		name_mark(m, table_entry(l, struct name));
	return false;
}

void map_mark_below(struct ldap_map *m, struct group *g)
{
	if ((g->n_members == 0 && !g->sid) || !walk_or_mark_all(m))
		return;
	walk_push(m, g, 0);
	mark_walk(m);
}

void node_mark(struct ldap_map *m, const struct node *n)
{
	if (!n->group) { /* a person: no walk */
		mark_node(m, n);
		return;
	}
	m->closure_stale = true;
	if (!walk_or_mark_all(m))
		return;
	mark_node(m, n);
	mark_walk(m);
}

/* -------------------------------------------------------------------- wanted */

void group_want(struct ldap_map *m, struct group *g)
{
	if (g->wanted)
		return;
	g->wanted = true;
	g->next_wanted = m->wanted;
	m->wanted = g;
	m->n_wanted++;
}

void group_unwant(struct ldap_map *m, struct group *g)
{
	struct group **at = &m->wanted;

	if (!g->wanted)
		return;
	while (*at != g)
		at = &(*at)->next_wanted;
	*at = g->next_wanted;
	g->wanted = false;
	m->n_wanted--;
}

bool ldap_map_next_wanted(struct ldap_map *m, struct ldap_wanted *ret)
{
	struct group *g;

	if (map_follow(m) != 0 || !m->wanted)
		return false;
	g = m->wanted;
	group_unwant(m, g);
	*ret = (struct ldap_wanted){.id = g->id, .dn = g->dn};
	return true;
}

void ldap_map_want_all(struct ldap_map *m)
{
	for (struct table_link *l = table_next(&m->groups, NULL); l;
	     l = table_next(&m->groups, l)) {
		struct group *g = table_entry(l, struct group);

		if (g->followed)
			group_want(m, g);
	}
}

size_t ldap_map_want_stale(struct ldap_map *m)
{
	size_t n = 0;

	for (struct table_link *l = table_next(&m->groups, NULL); l;
	     l = table_next(&m->groups, l)) {
		struct group *g = table_entry(l, struct group);

		if (!g->followed || g->stale_since == 0 || g->too_large)
			continue;
		group_want(m, g);
		n++;
	}
	return n;
}

/* --------------------------------------------------------------- coming, going */

void group_drop_list(struct ldap_map *m, struct group *g)
{
	for (size_t i = 0; i < g->n_members; i++) {
		node_remove_parent(g->members[i], g);
		node_put(m, g->members[i]);
	}
	m->n_edges -= g->n_members;
	free(STEAL(g->members));
	free(STEAL(g->subs));
	g->n_members = g->n_subs = 0;
	g->has_list = g->too_large = g->unreadable = false;
	g->stale_since = 0;
}

/* Out of every place that knows it by its name; its list stays. */
void group_leave(struct ldap_map *m, struct group *g)
{
	map_mark_below(m, g);
	m->targets_stale = true;
	m->closure_stale = true;
	if (g->name) {
		struct group **at = &g->name->group;

		while (*at != g)
			at = &(*at)->name_next;
		*at = g->name_next;
		g->name_next = NULL;
	}
	if (g->node && g->node->group == g)
		node_set_group(m, g->node, NULL);
	if (g->sid)
		node_set_group(m, g->sid, NULL);
	node_put(m, STEAL(g->name));
	node_put(m, STEAL(g->node));
	node_put(m, STEAL(g->sid));
	free(STEAL(g->dn));
}

void group_free(struct ldap_map *m, struct group *g)
{
	group_leave(m, g);
	group_unwant(m, g);
	group_drop_list(m, g);
	for (struct target *t = g->targets; t; t = t->next_same)
		t->group = NULL;
	if (m->reading.group == g)
		m->reading.group = NULL;
	table_remove(&m->groups, &g->link);
	free(g);
}
