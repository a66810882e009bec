/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_map_follow.c - the policy's groups found, and everything nested in them. */

#include <errno.h>
#include <strings.h>

#include "rbacd/directory/ldap_map_internal.h"

/* ------------------------------------------------------------------- targets */

static const char no_group[] = "no group of this name";
static const char no_dn[] = "no group with this dn";
static const char no_id[] = "no group with this id";
static const char bad_dn[] = "its dn is malformed";
static const char bad_id[] = "its id is not of this kind of directory";

/* "objectGUID:…": the attribute of this schema, then the id. */
static struct group *find_by_pin(const struct ldap_map *m, const char *pin,
				 const char **ret_problem)
{
	size_t len = strlen(m->schema->id);
	struct ldap_id id;
	struct group *g;

	if (strncasecmp(pin, m->schema->id, len) != 0 || pin[len] != ':' ||
	    !ldap_id_parse(m->schema->id_form, pin + len + 1, strlen(pin + len + 1),
			   &id)) {
		*ret_problem = bad_id;
		return NULL;
	}
	g = group_find(m, &id);
	*ret_problem = g ? NULL : no_id;
	return g;
}

static struct group *find_by_dn(const struct ldap_map *m, const char *text,
				const char **ret_problem)
{
	struct node *n;
	struct dn dn;

	*ret_problem = bad_dn;
	if (dn_read(text, strlen(text), &dn) != 0 || dn.len == 0)
		return NULL;
	n = node_find(m, NODE_DN, dn.text, dn.len);
	*ret_problem = n && n->group ? NULL : no_dn;
	return n ? n->group : NULL;
}

static struct group *find_by_name(const struct ldap_map *m, const char *name,
				  const char **ret_problem)
{
	char fold[SNAPSHOT_GROUP_MAX + 1];
	size_t len = dn_fold(name, strlen(name), fold, sizeof(fold));
	struct node *n = len == SIZE_MAX ? NULL : node_find(m, NODE_NAME, fold, len);
	struct group *g = n ? n->group : NULL;

	*ret_problem = !g	      ? no_group
		       : g->name_next ? "several groups have this name"
				      : NULL;
	return *ret_problem ? NULL : g;
}

static void target_find(struct ldap_map *m, struct target *t)
{
	struct group *g;

	if (t->ask.pin[0])
		g = find_by_pin(m, t->ask.pin, &t->problem);
	else if (t->ask.dn[0])
		g = find_by_dn(m, t->ask.dn, &t->problem);
	else
		g = find_by_name(m, t->ask.name, &t->problem);
	if (g != t->group) {
		if (t->group)
			map_mark_below(m, t->group);
		if (g)
			map_mark_below(m, g);
		m->closure_stale = true;
	}
	t->group = g;
	t->id[0] = '\0';
	if (g)
		ldap_id_text(m->schema, &g->id, t->id);
}

static void targets_unlink(struct ldap_map *m)
{
	for (size_t i = 0; i < m->n_targets; i++)
		if (m->targets[i].group)
			m->targets[i].group->targets = NULL;
}

static void targets_find(struct ldap_map *m)
{
	targets_unlink(m);
	for (size_t i = 0; i < m->n_targets; i++) {
		struct target *t = &m->targets[i];

		target_find(m, t);
		t->next_same = t->group ? t->group->targets : NULL;
		if (t->group)
			t->group->targets = t;
	}
	m->targets_stale = false;
	m->states_stale = true;
}

int ldap_map_set_targets(struct ldap_map *m, struct snapshot *targets)
{
	size_t n = snapshot_group_count(targets);
	struct target *v = calloc(n ? n : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		snapshot_group_at(targets, i, &v[i].ask);
	targets_unlink(m);
	for (struct table_link *l = table_next(&m->people, NULL); l;
	     l = table_next(&m->people, l)) {
		struct person *p = table_entry(l, struct person);

		person_unsettle(m, p); /* its indices are of the old targets */
		p->changed = true;
		name_mark(m, p->name);
	}
	free(m->targets);
	m->targets = v;
	m->n_targets = n;
	snapshot_unref(m->asked);
	m->asked = snapshot_ref(targets);
	m->targets_stale = m->closure_stale = true;
	return map_follow(m);
}

/* ------------------------------------------------------------------- closure */

/* The groups among the members of @g. */
static int find_subs(struct group *g)
{
	size_t n = 0;

	free(STEAL(g->subs));
	g->n_subs = 0;
	for (size_t i = 0; i < g->n_members; i++)
		n += g->members[i]->group && g->members[i]->key[0] == NODE_DN;
	if (n == 0)
		return 0;
	g->subs = calloc(n, sizeof(struct group *));
	if (!g->subs)
		return -ENOMEM;
	for (size_t i = 0; i < g->n_members; i++)
		if (g->members[i]->group && g->members[i]->key[0] == NODE_DN)
			g->subs[g->n_subs++] = g->members[i]->group;
	return 0;
}

static void follow_or_leave(struct ldap_map *m)
{
	for (struct table_link *l = table_next(&m->groups, NULL); l;
	     l = table_next(&m->groups, l)) {
		struct group *g = table_entry(l, struct group);

		if (g->epoch == m->epoch) {
			g->followed = true;
			if (!g->has_list && !g->stale_since)
				group_want(m, g);
		} else if (g->followed) {
			g->followed = false;
			group_unwant(m, g);
			group_drop_list(m, g);
		}
	}
}

static int closure(struct ldap_map *m)
{
	int r = walk_start(m);

	if (r != 0)
		return r;
	for (size_t i = 0; i < m->n_targets; i++)
		if (m->targets[i].group)
			walk_push(m, m->targets[i].group, 0);
	for (size_t i = 0; i < m->walk.n; i++) {
		struct group *g = m->walk.v[i];

		r = find_subs(g);
		if (r != 0)
			return r;
		for (size_t j = 0; g->depth < LDAP_DEPTH_MAX && j < g->n_subs; j++)
			walk_push(m, g->subs[j], g->depth + 1);
	}
	follow_or_leave(m);
	m->n_closure = m->walk.n;
	m->closure_stale = false;
	m->states_stale = true;
	return 0;
}

/* --------------------------------------------------------------------- states */

static const char *group_problem(const struct group *g)
{
	return g->too_large    ? "too large"
	       : g->unreadable ? "its members cannot be read"
	       : !g->has_list  ? "its members are not read yet"
			       : NULL;
}

/* All of the closure of @t: usable, and how old the oldest list is. */
static int target_state(struct ldap_map *m, struct target *t)
{
	int r = walk_start(m);

	if (r != 0)
		return r;
	t->complete = true;
	t->stale_since = 0;
	t->problem = NULL;
	walk_push(m, t->group, 0);
	for (size_t i = 0; i < m->walk.n; i++) {
		const struct group *g = m->walk.v[i];

		t->complete = t->complete && g->has_list;
		if (g->has_list && g->stale_since &&
		    (t->stale_since == 0 || g->stale_since < t->stale_since))
			t->stale_since = g->stale_since;
		if (!t->problem)
			t->problem = group_problem(g);
		for (size_t j = 0; j < g->n_subs; j++) {
			if (g->depth == LDAP_DEPTH_MAX &&
			    g->subs[j]->epoch != m->epoch) {
				t->problem = "nested deeper than 16";
				t->complete = false;
			} else {
				walk_push(m, g->subs[j], g->depth + 1);
			}
		}
	}
	return 0;
}

/* A group that is not there is empty; one that cannot be told is unknown, and so is one
 * that may have been left out. */
static int states(struct ldap_map *m)
{
	for (size_t i = 0; i < m->n_targets; i++) {
		struct target *t = &m->targets[i];
		int r = t->group ? target_state(m, t) : 0;

		if (r != 0)
			return r;
		if (t->group)
			continue;
		t->complete = !m->lost && !m->lost_before &&
			      (t->problem == no_group || t->problem == no_dn ||
			       t->problem == no_id);
		t->stale_since = 0;
	}
	m->states_stale = false;
	return 0;
}

int map_follow(struct ldap_map *m)
{
	int r = 0;

	if (m->targets_stale)
		targets_find(m);
	if (m->closure_stale)
		r = closure(m);
	if (r == 0 && m->states_stale)
		r = states(m);
	return r;
}
