/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_map_result.c - who has which account with which of the policy's groups, now. */

#include <errno.h>

#include "rbacd/directory/ldap_map_internal.h"

/* ------------------------------------------------------------------- settling */

void person_unsettle(struct ldap_map *m, struct person *p)
{
	for (size_t i = 0; i < p->n_groups; i++)
		m->targets[p->groups[i]].n_people--;
	free(STEAL(p->groups));
	p->n_groups = 0;
}

static int compare_indices(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void push_parents(struct ldap_map *m, const struct node *n, uint32_t depth)
{
	for (uint32_t i = 0; n && i < n->n_parents; i++)
		if (n->parents[i]->followed)
			walk_push(m, n->parents[i], depth);
}

/* Up from the person through everything that lists him. */
static int walk_up(struct ldap_map *m, const struct person *p)
{
	const struct node *sid = p->hooks[HOOK_SID].node;
	int r = walk_start(m);

	if (r != 0)
		return r;
	push_parents(m, p->hooks[HOOK_DN].node, 0);
	push_parents(m, p->hooks[HOOK_LOGIN].node, 0);
	if (sid && sid->group && sid->group->followed)
		walk_push(m, sid->group, 0);
	for (size_t i = 0; i < m->walk.n; i++) {
		const struct group *g = m->walk.v[i];

		if (g->depth < LDAP_DEPTH_MAX)
			push_parents(m, g->node, g->depth + 1);
	}
	return 0;
}

/* Sorted indices of the targets of all groups of the walk; owned by the caller. */
static int walk_targets(const struct ldap_map *m, uint32_t **ret, size_t *ret_n)
{
	uint32_t *v = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->walk.n; i++)
		for (struct target *t = m->walk.v[i]->targets; t; t = t->next_same)
			n++;
	if (n > 0) {
		v = calloc(n, sizeof(*v));
		if (!v)
			return -ENOMEM;
		n = 0;
		for (size_t i = 0; i < m->walk.n; i++)
			for (struct target *t = m->walk.v[i]->targets; t;
			     t = t->next_same)
				v[n++] = (uint32_t)(t - m->targets);
		qsort(v, n, sizeof(*v), compare_indices);
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

/* Return: 0 the same as before, 1 other groups, -ENOMEM. */
static int person_settle(struct ldap_map *m, struct person *p)
{
	_cleanup_free_ uint32_t *v = NULL;
	size_t n = 0;
	int r = walk_up(m, p);

	if (r == 0)
		r = walk_targets(m, &v, &n);
	if (r != 0)
		return r;
	if (n == p->n_groups && (n == 0 || memcmp(v, p->groups, n * sizeof(*v)) == 0))
		return 0;
	person_unsettle(m, p);
	p->groups = STEAL(v);
	p->n_groups = n;
	for (size_t i = 0; i < n; i++)
		m->targets[p->groups[i]].n_people++;
	return 1;
}

/* Why nobody has this login, and who is told about it. */
static void name_judge(struct ldap_map *m, struct name *n)
{
	enum ldap_drop was = n->why;
	size_t claims = 0, counted = n->n_dropped;

	for (struct person *p = n->people; p; p = p->name_next)
		claims++;
	n->why = claims == 0  ? 0
		 : n->local   ? LDAP_DROP_LOCAL_NAME
		 : claims > 1 ? LDAP_DROP_TWICE
			      : 0;
	m->n_conflicts -= n->n_dropped;
	n->n_dropped = n->why ? claims : 0;
	m->n_conflicts += n->n_dropped;
	m->n_current -= n->current != NULL;
	n->current = n->why ? NULL : n->people;
	m->n_current += n->current != NULL;
	for (struct person *p = n->people; n->why && p; p = p->name_next) {
		person_unsettle(m, p);
		if (n->why != was || claims != counted)
			map_note_drop(m, p->hooks[HOOK_DN].node->key + 1, p->login,
				      n->why);
	}
}

static int name_settle(struct ldap_map *m, struct name *n)
{
	int r = 0;

	name_judge(m, n);
	if (n->current)
		r = person_settle(m, n->current);
	if (r < 0)
		return r;
	if (n->untold)
		return 0;
	if (!n->current && !n->told)
		return 0;
	if (n->current && r == 0 && !n->current->changed &&
	    str_eq(n->told, n->current->login))
		return 0;
	n->untold = true;
	n->next_untold = m->untold;
	m->untold = n;
	m->n_untold++;
	return 0;
}

int map_settle(struct ldap_map *m)
{
	int r = map_follow(m);

	while (r == 0 && m->dirty) {
		struct name *n = m->dirty;

		r = name_settle(m, n);
		if (r != 0)
			return r;
		m->dirty = n->next_dirty;
		m->n_dirty--;
		n->dirty = false;
		name_forget_if_empty(m, n);
	}
	return r;
}

/* -------------------------------------------------------------------- telling */

static int tell(struct ldap_map *m, const struct person *p, ldap_account_fn fn,
		void *arg)
{
	char id[LDAP_ID_TEXT_MAX + 1];
	struct snapshot_account a = {
		.login = p->login,
		.id = id,
		.uid = p->uid,
		.flags = p->flags,
		.expires_s = p->expires_s,
		.groups = p->groups,
		.n_groups = p->n_groups,
	};

	ldap_id_text(m->schema, &p->id, id);
	return fn(arg, p->login, &a);
}

/* What is known of @n becomes what is so now. */
static int tell_name(struct ldap_map *m, struct name *n, bool whole, ldap_account_fn fn,
		     void *arg)
{
	struct person *p = n->current;
	bool other = !p || !str_eq(n->told, p->login);
	_cleanup_free_ char *told = p && other ? strdup(p->login) : NULL;
	int r = 0;

	if (p && other && !told)
		return -ENOMEM;
	if (n->told && other && !whole)
		r = fn(arg, n->told, NULL);
	if (r == 0 && other)
		free(STEAL(n->told));
	if (r == 0 && p)
		r = tell(m, p, fn, arg);
	if (r != 0)
		return r;
	if (other)
		n->told = STEAL(told);
	if (p)
		p->changed = false;
	return 0;
}

static void untold_pop(struct ldap_map *m)
{
	struct name *n = m->untold;

	m->untold = n->next_untold;
	m->n_untold--;
	n->untold = false;
	name_forget_if_empty(m, n);
}

int ldap_map_each(struct ldap_map *m, ldap_account_fn fn, void *arg)
{
	int r = map_settle(m);

	for (struct table_link *l = table_next(&m->names, NULL); r == 0 && l;
	     l = table_next(&m->names, l))
		r = tell_name(m, table_entry(l, struct name), true, fn, arg);
	while (r == 0 && m->untold)
		untold_pop(m);
	return r;
}

int ldap_map_take_dirty(struct ldap_map *m, ldap_account_fn fn, void *arg)
{
	int r = map_settle(m);

	while (r == 0 && m->untold) {
		r = tell_name(m, m->untold, false, fn, arg);
		if (r == 0)
			untold_pop(m);
	}
	return r;
}

size_t ldap_map_dirty(const struct ldap_map *m)
{
	return m->n_untold + m->n_dirty;
}

/* --------------------------------------------------------------------- groups */

void ldap_map_group(struct ldap_map *m, size_t i, int64_t now_s,
		    struct snapshot_group *ret)
{
	bool settled = map_settle(m) == 0;
	const struct target *t = &m->targets[i];

	*ret = t->ask;
	ret->id = t->id;
	ret->complete = settled && t->complete;
	ret->age_s =
		t->stale_since && now_s > t->stale_since ? now_s - t->stale_since : 0;
	ret->n_members = t->n_people;
}

const char *ldap_map_problem(struct ldap_map *m, size_t i)
{
	return map_settle(m) == 0 ? m->targets[i].problem : "no memory";
}

void ldap_map_stats(const struct ldap_map *m, struct ldap_map_stats *ret)
{
	*ret = (struct ldap_map_stats){
		.n_people = m->n_current,
		.n_groups = m->groups.n,
		.n_closure = m->n_closure,
		.n_wanted = m->n_wanted,
		.n_dropped = m->n_stubs + m->n_conflicts,
	};
}
