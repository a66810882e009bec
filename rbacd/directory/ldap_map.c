/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_map.c - entries come, change and go. */

#include "rbacd/directory/ldap_map.h"

#include <errno.h>

#include "rbacd/directory/ldap_map_internal.h"

/* --------------------------------------------------------------------- drops */

const char *ldap_drop_name(enum ldap_drop why)
{
	static const char *const names[] = {
		[LDAP_DROP_LOCAL_NAME] = "its login is in /etc/passwd",
		[LDAP_DROP_SYSTEM_UID] = "its uid is one of the system's",
		[LDAP_DROP_TWICE] = "several entries have this login",
		[LDAP_DROP_ID_TWICE] = "several entries have this id or name",
		[LDAP_DROP_ID_DIFFERS] = "the server gives it two ids",
		[LDAP_DROP_NO_LOGIN] = "no usable login, or several",
		[LDAP_DROP_NO_UID] = "no usable uid, or several",
		[LDAP_DROP_NO_ID] = "no usable id, or several",
		[LDAP_DROP_BAD_DN] = "a name that is malformed or outside the base",
		[LDAP_DROP_BAD_STATUS] = "a status that cannot be read",
		[LDAP_DROP_LIMIT] = "a limit is reached",
	};

	return why < ARRAY_SIZE(names) && names[why] ? names[why] : "unknown";
}

void map_note_drop(struct ldap_map *m, const char *dn, const char *login,
		   enum ldap_drop why)
{
	struct drop *d;

	if (m->n_drops == LDAP_DROPS_KEPT)
		return;
	d = &m->drops[m->n_drops];
	*d = (struct drop){.dn = strdup(dn), .login = strdup(login), .why = why};
	if (d->dn && d->login) {
		m->n_drops++;
		return;
	}
	free(d->dn); /* without memory there is no story to tell */
	free(d->login);
}

void ldap_map_take_drops(struct ldap_map *m, ldap_dropped_fn fn, void *arg)
{
	for (size_t i = 0; i < m->n_drops; i++) {
		struct drop *d = &m->drops[i];

		fn(arg, d->dn, d->login, d->why);
		free(d->dn);
		free(d->login);
	}
	m->n_drops = 0;
}

/* -------------------------------------------------------------------- people */

static struct person *person_find(const struct ldap_map *m, const struct ldap_id *id)
{
	struct table_link *l =
		table_find(&m->people, table_hash(m->seed, id->v, sizeof(id->v)));

	for (; l; l = table_find_next(l))
		if (memcmp(table_entry(l, struct person)->id.v, id->v, sizeof(id->v)) ==
		    0)
			return table_entry(l, struct person);
	return NULL;
}

static int person_new(struct ldap_map *m, const struct ldap_id *id, struct person **ret)
{
	struct person *p;

	if (m->people.n >= LDAP_PEOPLE_MAX)
		return LDAP_MAP_E_FULL;
	p = calloc(1, sizeof(*p));
	if (!p || table_room(&m->people) != 0) {
		free(p);
		return -ENOMEM;
	}
	p->id = *id;
	p->why = LDAP_DROP_LIMIT;
	m->n_stubs++;
	table_add(&m->people, &p->link, table_hash(m->seed, id->v, sizeof(id->v)));
	*ret = p;
	return 0;
}

/* Nothing is known but the id, and @why there is no more. */
static void person_clear(struct ldap_map *m, struct person *p, enum ldap_drop why)
{
	person_unsettle(m, p);
	name_release(m, p);
	for (size_t i = 0; i < HOOKS; i++)
		node_detach(m, p, (enum hook_kind)i);
	free(STEAL(p->login));
	m->n_stubs += !p->why;
	p->why = why;
	p->raw_dn = 0;
}

static void person_free(struct ldap_map *m, struct person *p)
{
	person_clear(m, p, LDAP_DROP_LIMIT);
	m->n_stubs--;
	table_remove(&m->people, &p->link);
	free(p);
}

static int hook(struct ldap_map *m, struct person *p, enum hook_kind kind,
		const void *key, size_t len)
{
	static const enum node_kind kinds[] = {
		[HOOK_DN] = NODE_DN,
		[HOOK_LOGIN] = NODE_LOGIN,
		[HOOK_SID] = NODE_SID,
	};
	struct node *n = NULL;
	int r = node_get(m, kinds[kind], key, len, &n);

	if (r == 0)
		node_attach(m, n, p, kind);
	return r;
}

/* All hooks and the login; what fails leaves a person who is nobody. */
static int person_hook(struct ldap_map *m, struct person *p, const struct dn *dn,
		       const struct ldap_person *say)
{
	int r;

	p->login = strdup(say->login);
	if (!p->login)
		return -ENOMEM;
	r = hook(m, p, HOOK_DN, dn->text, dn->len);
	if (r == 0 && (m->schema->members & LDAP_MEMBER_UID))
		r = hook(m, p, HOOK_LOGIN, p->login, strlen(p->login));
	if (r == 0 && say->primary.len > 0)
		r = hook(m, p, HOOK_SID, say->primary.bytes, say->primary.len);
	if (r == 0)
		r = name_claim(m, p);
	return r;
}

static bool same_sid(const struct node *n, const struct ldap_sid *sid)
{
	return n ? n->len == sid->len && memcmp(n->key + 1, sid->bytes, sid->len) == 0
		 : sid->len == 0;
}

static bool person_same(const struct person *p, uint64_t raw,
			const struct ldap_person *say)
{
	return !p->why && p->raw_dn == raw && str_eq(p->login, say->login) &&
	       p->uid == say->uid && p->flags == say->flags &&
	       p->expires_s == say->expires_s &&
	       same_sid(p->hooks[HOOK_SID].node, &say->primary);
}

/*
 * Somebody else has this DN already. With the same bytes he was replaced and we were
 * not told; otherwise only the server can tell the two apart, so neither is anybody.
 */
static int take_dn(struct ldap_map *m, struct person *p, const struct dn *dn,
		   uint64_t raw)
{
	struct node *n = node_find(m, NODE_DN, dn->text, dn->len);
	struct person *holder = n ? n->people : NULL;

	if (!holder || holder == p)
		return 0;
	if (holder->raw_dn == raw && !(m->refreshing[LDAP_KIND_USER] && holder->seen)) {
		person_free(m, holder);
		return 0;
	}
	person_clear(m, holder, LDAP_DROP_ID_TWICE);
	return LDAP_DROP_ID_TWICE;
}

static int person_put(struct ldap_map *m, const struct ldap_id *id, const struct dn *dn,
		      const struct ldap_entry *e)
{
	uint64_t raw = table_hash(m->seed, e->dn, strlen(e->dn));
	struct person *p = person_find(m, id);
	struct ldap_person say;
	int why = ldap_entry_person(m->schema, e, &say), r = 0;

	if (!p)
		r = person_new(m, id, &p);
	if (r != 0)
		return r;
	if (m->refreshing[LDAP_KIND_USER] && p->seen && p->raw_dn != raw)
		why = LDAP_DROP_ID_TWICE;
	p->seen = true;
	if (why == 0)
		why = take_dn(m, p, dn, raw);
	if (why == 0 && person_same(p, raw, &say))
		return 0;
	person_clear(m, p, (enum ldap_drop)why);
	p->raw_dn = raw;
	if (why != 0) {
		map_note_drop(m, e->dn, say.login, (enum ldap_drop)why);
		return LDAP_MAP_E_DROPPED;
	}
	m->n_stubs--;
	p->uid = say.uid;
	p->flags = say.flags;
	p->expires_s = say.expires_s;
	p->changed = true;
	r = person_hook(m, p, dn, &say);
	if (r != 0) {
		person_clear(m, p, LDAP_DROP_LIMIT);
		map_note_drop(m, e->dn, say.login, LDAP_DROP_LIMIT);
	}
	return r;
}

/* -------------------------------------------------------------------- groups */

static int group_new(struct ldap_map *m, const struct ldap_id *id, struct group **ret)
{
	struct group *g;

	if (m->groups.n >= LDAP_GROUPS_MAX)
		return LDAP_MAP_E_FULL;
	g = calloc(1, sizeof(*g));
	if (!g || table_room(&m->groups) != 0) {
		free(g);
		return -ENOMEM;
	}
	g->id = *id;
	table_add(&m->groups, &g->link, table_hash(m->seed, id->v, sizeof(id->v)));
	*ret = g;
	return 0;
}

static int group_enter(struct ldap_map *m, struct group *g, const struct dn *dn,
		       const struct ldap_entry *e, const struct ldap_group *say)
{
	struct node *sid = NULL;
	int r;

	g->dn = strdup(e->dn);
	if (!g->dn)
		return -ENOMEM;
	r = node_get(m, NODE_DN, dn->text, dn->len, &g->node);
	if (r == 0 && say->sid.len > 0)
		r = node_get(m, NODE_SID, say->sid.bytes, say->sid.len, &sid);
	if (r == 0 && say->name[0])
		r = node_get(m, NODE_NAME, say->name, strlen(say->name), &g->name);
	if (r != 0) {
		node_put(m, sid);
		return r;
	}
	node_set_group(m, g->node, g);
	if (g->name) {
		g->name_next = g->name->group;
		node_set_group(m, g->name, g);
	}
	if (sid && sid->group) { /* the first one has it: never two */
		node_put(m, sid);
	} else if (sid) {
		g->sid = sid;
		node_set_group(m, sid, g);
	}
	m->targets_stale = true;
	m->closure_stale = m->closure_stale || g->node->n_parents > 0 || g->followed;
	map_mark_below(m, g);
	return 0;
}

static bool group_same(const struct group *g, const struct ldap_entry *e,
		       const struct ldap_group *say)
{
	size_t len = strlen(say->name);

	return str_eq(g->dn, e->dn) &&
	       (g->name ? g->name->len == len &&
				  memcmp(g->name->key + 1, say->name, len) == 0
			: len == 0) &&
	       (!g->sid || same_sid(g->sid, &say->sid));
}

static int group_put(struct ldap_map *m, const struct ldap_id *id, const struct dn *dn,
		     const struct ldap_entry *e)
{
	struct node *n = node_find(m, NODE_DN, dn->text, dn->len);
	struct group *g = group_find(m, id), *holder = n ? n->group : NULL;
	struct ldap_group say;
	int r = 0;

	ldap_entry_group(m->schema, e, &say);
	if (holder && holder != g) {
		bool twice = !str_eq(holder->dn, e->dn) ||
			     (m->refreshing[LDAP_KIND_GROUP] && holder->seen);

		group_free(m, holder); /* replaced, or not to be told apart */
		if (twice) {
			if (g)
				group_free(m, g);
			map_note_drop(m, e->dn, "", LDAP_DROP_ID_TWICE);
			return LDAP_MAP_E_DROPPED;
		}
	}
	if (!g)
		r = group_new(m, id, &g);
	if (r != 0)
		return r;
	g->seen = true;
	if (g->followed)
		group_want(m, g);
	if (group_same(g, e, &say))
		return 0;
	group_leave(m, g);
	r = group_enter(m, g, dn, e, &say);
	if (r != 0)
		group_free(m, g);
	return r;
}

/* ------------------------------------------------------------------- entries */

static int forget(struct ldap_map *m, enum ldap_kind kind, const struct ldap_id *id)
{
	struct person *p = kind == LDAP_KIND_USER ? person_find(m, id) : NULL;
	struct group *g = kind == LDAP_KIND_GROUP ? group_find(m, id) : NULL;

	if (p)
		person_free(m, p);
	if (g)
		group_free(m, g);
	return 0;
}

int ldap_map_delete(struct ldap_map *m, enum ldap_kind kind, const struct ldap_id *id)
{
	return forget(m, kind, id);
}

static void lose_group(struct ldap_map *m, enum ldap_kind kind, bool lost)
{
	if (kind != LDAP_KIND_GROUP || !lost)
		return;
	m->lost = true;
	m->states_stale = true;
}

int ldap_map_put(struct ldap_map *m, enum ldap_kind kind, const struct ldap_entry *e)
{
	const struct dn *base =
		kind == LDAP_KIND_USER ? &m->users_base : &m->groups_base;
	struct ldap_id id;
	struct dn dn;
	int why = ldap_entry_id(m->schema, e, &id), r;

	if (why != 0) {
		lose_group(m, kind, true);
		map_note_drop(m, e->dn, "", (enum ldap_drop)why);
		r = e->id ? forget(m, kind, e->id) : 0;
		return r != 0 ? r : LDAP_MAP_E_DROPPED;
	}
	why = dn_read(e->dn, strlen(e->dn), &dn) != 0;
	if (why || !dn_is_below(&dn, base)) {
		lose_group(m, kind, why);
		map_note_drop(m, e->dn, "", LDAP_DROP_BAD_DN);
		r = forget(m, kind, &id);
		return r != 0 ? r : LDAP_MAP_E_DROPPED;
	}
	r = kind == LDAP_KIND_USER ? person_put(m, &id, &dn, e)
				   : group_put(m, &id, &dn, e);
	lose_group(m, kind, r > 0);
	return r;
}

/* ------------------------------------------------------------------- refresh */

void ldap_map_refresh_begin(struct ldap_map *m, enum ldap_kind kind)
{
	const struct table *t = kind == LDAP_KIND_USER ? &m->people : &m->groups;

	m->refreshing[kind] = true;
	if (kind == LDAP_KIND_GROUP) {
		m->lost_before = m->lost_before || m->lost;
		m->lost = false;
	}
	for (struct table_link *l = table_next(t, NULL); l; l = table_next(t, l)) {
		if (kind == LDAP_KIND_USER)
			table_entry(l, struct person)->seen = false;
		else
			table_entry(l, struct group)->seen = false;
	}
}

/* Who was dropped because of somebody else may be usable now: he is read again. */
bool ldap_map_present(struct ldap_map *m, enum ldap_kind kind, const struct ldap_id *id)
{
	struct person *p = kind == LDAP_KIND_USER ? person_find(m, id) : NULL;
	struct group *g = kind == LDAP_KIND_GROUP ? group_find(m, id) : NULL;

	if (p && p->why != LDAP_DROP_ID_TWICE && p->why != LDAP_DROP_LIMIT)
		p->seen = true;
	if (g)
		g->seen = true;
	return (p && p->seen) || g;
}

static bool unseen(const struct table_link *l, enum ldap_kind kind)
{
	return kind == LDAP_KIND_USER ? !((const struct person *)(const void *)l)->seen
				      : !((const struct group *)(const void *)l)->seen;
}

size_t ldap_map_absent(const struct ldap_map *m, enum ldap_kind kind)
{
	const struct table *t = kind == LDAP_KIND_USER ? &m->people : &m->groups;
	size_t n = 0;

	for (struct table_link *l = table_next(t, NULL); l; l = table_next(t, l))
		n += unseen(l, kind);
	return n;
}

int ldap_map_refresh_end(struct ldap_map *m, enum ldap_kind kind)
{
	const struct table *t = kind == LDAP_KIND_USER ? &m->people : &m->groups;

	for (struct table_link *l = table_next(t, NULL), *next; l; l = next) {
		next = table_next(t, l);
		if (!unseen(l, kind))
			continue;
		if (kind == LDAP_KIND_USER)
			person_free(m, table_entry(l, struct person));
		else
			group_free(m, table_entry(l, struct group));
	}
	m->refreshing[kind] = false;
	if (kind == LDAP_KIND_GROUP) { /* all was said anew */
		m->lost_before = false;
		m->states_stale = true;
	}
	return 0;
}

void ldap_map_refresh_keep(struct ldap_map *m, enum ldap_kind kind)
{
	m->refreshing[kind] = false;
}

/* ---------------------------------------------------------------- life, local */

int ldap_map_set_local(struct ldap_map *m, struct snapshot *local)
{
	struct table_link *next;

	for (struct table_link *l = table_next(&m->names, NULL); l; l = next) {
		struct name *n = table_entry(l, struct name);

		next = table_next(&m->names, l);
		if (n->local)
			name_mark(m, n);
		n->local = false;
		name_forget_if_empty(m, n);
	}
	for (size_t i = 0; i < snapshot_account_count(local); i++) {
		struct snapshot_account a;
		struct name *n = NULL;
		int r;

		snapshot_account_at(local, i, &a);
		r = name_get(m, a.login, &n);
		if (r != 0)
			return r;
		n->local = true;
		name_mark(m, n);
	}
	snapshot_unref(m->local);
	m->local = snapshot_ref(local);
	return 0;
}

static int read_base(const char *text, struct dn *ret)
{
	return dn_read(text, strlen(text), ret) != 0 || ret->len == 0 ? -EINVAL : 0;
}

int ldap_map_new(const struct ldap_map_options *o, struct ldap_map **ret)
{
	struct ldap_map *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->schema = o->schema;
	m->seed = o->seed;
	r = read_base(o->users_base, &m->users_base);
	if (r == 0)
		r = read_base(o->groups_base, &m->groups_base);
	if (r != 0) {
		free(m);
		return r;
	}
	*ret = m;
	return 0;
}

static void ignore_drop(void *arg, const char *dn, const char *login,
			enum ldap_drop why)
{
	(void)arg;
	(void)dn;
	(void)login;
	(void)why;
}

void ldap_map_free(struct ldap_map *m)
{
	struct table_link *l;

	if (!m)
		return;
	members_abort(m);
	while ((l = table_next(&m->people, NULL)))
		person_free(m, table_entry(l, struct person));
	while ((l = table_next(&m->groups, NULL)))
		group_free(m, table_entry(l, struct group));
	while ((l = table_next(&m->names, NULL))) {
		struct name *n = table_entry(l, struct name);

		table_remove(&m->names, l);
		free(n->told);
		free(n);
	}
	ldap_map_take_drops(m, ignore_drop, NULL);
	table_done(&m->people);
	table_done(&m->groups);
	table_done(&m->nodes);
	table_done(&m->names);
	snapshot_unref(m->asked);
	snapshot_unref(m->local);
	free(m->targets);
	free(m->walk.v);
	free(m);
}
