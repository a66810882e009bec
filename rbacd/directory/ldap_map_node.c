/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_map_node.c - the names that members are listed by, and the logins people claim.
 */

#include <errno.h>

#include "rbacd/directory/ldap_map_internal.h"

/* -------------------------------------------------------------------- nodes */

static bool is_unknown(const struct node *n)
{
	return n->key[0] != NODE_NAME && !n->people && !n->group;
}

static uint64_t node_hash(const struct ldap_map *m, enum node_kind kind,
			  const void *key, size_t len)
{
	return table_hash(m->seed + (uint64_t)kind, key, len);
}

struct node *node_find(const struct ldap_map *m, enum node_kind kind, const void *key,
		       size_t len)
{
	struct table_link *l = table_find(&m->nodes, node_hash(m, kind, key, len));

	for (; l; l = table_find_next(l)) {
		struct node *n = table_entry(l, struct node);

		if (n->key[0] == (char)kind && n->len == len &&
		    memcmp(n->key + 1, key, len) == 0)
			return n;
	}
	return NULL;
}

int node_get(struct ldap_map *m, enum node_kind kind, const void *key, size_t len,
	     struct node **ret)
{
	struct node *n = node_find(m, kind, key, len);

	if (!n) {
		n = calloc(1, sizeof(*n) + len + 2); /* kind and NUL */
		if (!n || table_room(&m->nodes) != 0) {
			free(n);
			return -ENOMEM;
		}
		n->key[0] = (char)kind;
		n->len = (uint32_t)len;
		memcpy(n->key + 1, key, len);
		table_add(&m->nodes, &n->link, node_hash(m, kind, key, len));
		m->n_unknown += is_unknown(n);
	}
	n->refs++;
	*ret = n;
	return 0;
}

void node_put(struct ldap_map *m, struct node *n)
{
	if (!n || --n->refs > 0)
		return;
	m->n_unknown -= is_unknown(n);
	table_remove(&m->nodes, &n->link);
	free(n->parents);
	free(n);
}

/* Takes over the caller's reference. */
void node_attach(struct ldap_map *m, struct node *n, struct person *p,
		 enum hook_kind kind)
{
	struct hook *h = &p->hooks[kind];

	m->n_unknown -= is_unknown(n);
	h->node = n;
	h->prev = NULL;
	h->next = n->people;
	if (h->next)
		h->next->hooks[kind].prev = p;
	n->people = p;
}

void node_detach(struct ldap_map *m, struct person *p, enum hook_kind kind)
{
	struct hook *h = &p->hooks[kind];

	if (!h->node)
		return;
	if (h->prev)
		h->prev->hooks[kind].next = h->next;
	else
		h->node->people = h->next;
	if (h->next)
		h->next->hooks[kind].prev = h->prev;
	m->n_unknown += is_unknown(h->node);
	node_put(m, h->node);
	*h = (struct hook){.node = NULL};
}

void node_set_group(struct ldap_map *m, struct node *n, struct group *g)
{
	m->n_unknown -= is_unknown(n);
	n->group = g;
	m->n_unknown += is_unknown(n);
}

int node_add_parent(struct node *n, struct group *g)
{
	if (n->n_parents == n->parents_cap) {
		uint32_t cap = n->parents_cap ? n->parents_cap * 2 : 1;
		struct group **v =
			reallocarray(n->parents, cap, sizeof(struct group *));

		if (!v)
			return -ENOMEM;
		n->parents = v;
		n->parents_cap = cap;
	}
	n->parents[n->n_parents++] = g;
	return 0;
}

void node_remove_parent(struct node *n, struct group *g)
{
	for (uint32_t i = 0; i < n->n_parents; i++)
		if (n->parents[i] == g) {
			n->parents[i] = n->parents[--n->n_parents];
			return;
		}
}

/* -------------------------------------------------------------------- names */

void name_mark(struct ldap_map *m, struct name *name)
{
	if (!name || name->dirty)
		return;
	name->dirty = true;
	m->n_dirty++;
	name->next_dirty = m->dirty;
	m->dirty = name;
}

static struct name *name_find(const struct ldap_map *m, const char *fold, size_t len)
{
	struct table_link *l = table_find(&m->names, table_hash(m->seed, fold, len));

	for (; l; l = table_find_next(l)) {
		struct name *n = table_entry(l, struct name);

		if (n->len == len && memcmp(n->fold, fold, len) == 0)
			return n;
	}
	return NULL;
}

int name_get(struct ldap_map *m, const char *login, struct name **ret)
{
	char fold[SNAPSHOT_LOGIN_MAX + 1];
	size_t len = dn_fold(login, strlen(login), fold, sizeof(fold));
	struct name *n = len == SIZE_MAX ? NULL : name_find(m, fold, len);

	if (len == SIZE_MAX)
		return -EINVAL; /* no login at all */
	if (!n) {
		n = calloc(1, sizeof(*n) + len + 1);
		if (!n || table_room(&m->names) != 0) {
			free(n);
			return -ENOMEM;
		}
		n->len = len;
		memcpy(n->fold, fold, len);
		table_add(&m->names, &n->link, table_hash(m->seed, fold, len));
	}
	*ret = n;
	return 0;
}

int name_claim(struct ldap_map *m, struct person *p)
{
	struct name *n = NULL;
	int r = name_get(m, p->login, &n);

	if (r != 0)
		return r;
	p->name = n;
	p->name_next = n->people;
	n->people = p;
	name_mark(m, n);
	return 0;
}

void name_release(struct ldap_map *m, struct person *p)
{
	struct person **at;

	if (!p->name)
		return;
	at = &p->name->people;
	while (*at != p)
		at = &(*at)->name_next;
	*at = p->name_next;
	if (p->name->current == p) {
		p->name->current = NULL;
		m->n_current--;
	}
	name_mark(m, p->name);
	p->name = NULL;
	p->name_next = NULL;
}

void name_forget_if_empty(struct ldap_map *m, struct name *name)
{
	if (name->people || name->told || name->local || name->dirty || name->untold)
		return;
	table_remove(&m->names, &name->link);
	free(name);
}
