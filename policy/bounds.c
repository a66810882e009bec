/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds.c - reads what bounds grants from outside: separation, limits and mode; and
 * finds which grants carry a separated role.
 */
#include "policy/load.h"

#include <errno.h>

/* The lists of this name in all files; every item is one entry. */
static size_t count_entries(struct loader *l, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_docs; i++) {
		const struct yaml_node *list = yaml_get(yaml_root(l->docs[i]), key);

		if (list &&
		    check_kind(l, (struct at){l->docs[i], list}, YAML_LIST, key))
			n += list->n_items;
	}
	if (n > POLICY_ITEMS_MAX)
		diags_add(l->diag, NULL, 0, 0, NULL, "'%s' has more than %d entries",
			  key, POLICY_ITEMS_MAX);
	return n > POLICY_ITEMS_MAX ? 0 : n;
}

size_t bounds_each(struct loader *l, const char *key,
		   void (*read)(struct loader *l, struct at at, size_t i, size_t n))
{
	size_t n = count_entries(l, key), k = 0;

	for (size_t i = 0; i < l->n_docs && n > 0; i++) {
		const struct yaml_node *list = yaml_get(yaml_root(l->docs[i]), key);

		if (!list)
			continue;
		for (const struct yaml_node *e = list->first; e && l->err == 0;
		     e = e->next, k++) {
			struct at at = {l->docs[i], e};

			if (check_kind(l, at, YAML_MAP, key))
				read(l, at, k, n);
		}
	}
	return n;
}

/* ------------------------------------------------------------ separation */

/* role:NAME, all of them different. */
static void read_never_both(struct loader *l, struct at at,
			    struct model_separation *sep)
{
	const struct yaml_node *list = rules_get_list(l, at, "never_both");
	struct index_list *roles = &sep->roles;

	if (!list)
		return;
	roles->v = loader_alloc(l, list->n_items, sizeof(*roles->v));
	for (const struct yaml_node *i = list->first; i && roles->v; i = i->next) {
		struct at item = {at.doc, i};
		const char *name =
			i->kind == YAML_SCALAR ? str_after(i->text, "role:") : NULL;
		uint32_t found = NAMES_NONE;

		if (name)
			found = check_reference(l, item, &l->p->roles, name, "role");
		else
			loader_error(l, item, "must be role:NAME");
		if (found != NAMES_NONE)
			roles->v[roles->n++] = found;
	}
	index_list_sort(roles);
	if (roles->n < list->n_items || roles->n < 2)
		loader_error(l, (struct at){at.doc, list},
			     "'never_both' needs two or more different roles");
}

static void read_separations(struct loader *l)
{
	static const char *const keys[] = {"id", "never_both", NULL};
	const struct decls *d = &l->decls[SECTION_SEPARATION];
	struct model_separation *v = loader_alloc(l, d->n, sizeof(*v));

	for (size_t i = 0; i < d->n && v && l->err == 0; i++) {
		struct at at = {d->v[i].doc, d->v[i].node};

		yaml_check_keys(at.doc, at.node, keys, l->diag);
		v[i].id = d->v[i].name;
		v[i].where = loader_where(l, at);
		read_never_both(l, at, &v[i]);
	}
	l->p->separations = v;
	l->p->n_separations = v ? (uint32_t)d->n : 0;
}

/* Gives each separated role a slot: the bits of a decision are over these only. */
static bool number_slots(struct loader *l, uint32_t *slot_of)
{
	struct policy *p = l->p;

	for (uint32_t i = 0; i < p->roles.n; i++)
		slot_of[i] = NAMES_NONE;
	for (uint32_t i = 0; i < p->n_separations; i++) {
		struct model_separation *sep = &p->separations[i];

		sep->slots.v = loader_alloc(l, sep->roles.n, sizeof(*sep->slots.v));
		for (uint32_t k = 0; k < sep->roles.n && sep->slots.v; k++) {
			uint32_t *slot = &slot_of[sep->roles.v[k]];

			if (*slot == NAMES_NONE)
				*slot = p->n_slots++;
			sep->slots.v[sep->slots.n++] = *slot;
		}
	}
	if (p->n_slots > POLICY_SEPARATED_MAX)
		diags_add(l->diag, NULL, 0, 0, NULL,
			  "the separations name more than %d roles",
			  POLICY_SEPARATED_MAX);
	return p->n_slots > 0 && p->n_slots <= POLICY_SEPARATED_MAX && l->err == 0;
}

/* Slots of every role with what it includes, in an order in which those come first. */
static void close_slots(const struct policy *p, const uint32_t *slot_of, uint64_t *bits,
			size_t words)
{
	for (uint32_t i = 0; i < p->roles.n; i++) {
		uint32_t k = p->role_order[i];
		const struct index_list *inc = &p->role_info[k].includes;

		if (slot_of[k] != NAMES_NONE)
			bits[k * words + slot_of[k] / 64] |= UINT64_C(1)
							     << (slot_of[k] % 64);
		for (uint32_t j = 0; j < inc->n; j++)
			for (size_t w = 0; w < words; w++)
				bits[k * words + w] |= bits[inc->v[j] * words + w];
	}
}

static void mark_grant(struct loader *l, struct rule *rule, const uint64_t *bits,
		       size_t words)
{
	uint64_t all[POLICY_SEPARATED_MAX / 64] = {0};
	size_t n = 0;

	for (uint32_t i = 0; i < rule->roles.n; i++)
		for (size_t w = 0; w < words; w++)
			all[w] |= bits[rule->roles.v[i] * words + w];
	for (size_t w = 0; w < words; w++)
		n += (size_t)__builtin_popcountll(all[w]);
	if (n == 0)
		return;
	rule->separated.v = loader_alloc(l, n, sizeof(*rule->separated.v));
	for (uint32_t s = 0; s < l->p->n_slots && rule->separated.v; s++)
		if (all[s / 64] >> (s % 64) & 1)
			rule->separated.v[rule->separated.n++] = s;
}

static void mark_grants(struct loader *l)
{
	struct policy *p = l->p;
	_cleanup_free_ uint32_t *slot_of = calloc(p->roles.n + 1u, sizeof(*slot_of));
	_cleanup_free_ uint64_t *bits = NULL;
	size_t words;

	if (!slot_of) {
		l->err = -ENOMEM;
		return;
	}
	if (!number_slots(l, slot_of))
		return;
	words = (p->n_slots + 63) / 64;
	bits = calloc(p->roles.n + 1u, words * sizeof(*bits));
	if (!bits) {
		l->err = -ENOMEM;
		return;
	}
	close_slots(p, slot_of, bits, words);
	for (uint32_t i = 0; i < p->grants.n; i++)
		mark_grant(l, &p->grants.v[i], bits, words);
}

/* ---------------------------------------------------------------- limits */

static int compare_limits(const void *a, const void *b)
{
	const struct model_limit *x = a, *y = b;
	int c = index_list_compare(&x->to, &y->to);

	if (c == 0 && x->max_sessions != y->max_sessions)
		c = x->max_sessions < y->max_sessions ? -1 : 1;
	if (c == 0 && x->max_session_s != y->max_session_s)
		c = x->max_session_s < y->max_session_s ? -1 : 1;
	return c;
}

static void read_limit(struct loader *l, struct at at, size_t i, size_t n)
{
	static const char *const keys[] = {"to", "max_sessions", "max_session_time",
					   NULL};
	const struct yaml_node *sessions = yaml_get(at.node, "max_sessions");
	const struct yaml_node *time = yaml_get(at.node, "max_session_time");
	struct model_limit *limit;
	uint64_t v = 0;

	if (!l->p->limits)
		l->p->limits = loader_alloc(l, n, sizeof(*l->p->limits));
	if (!l->p->limits)
		return;
	limit = &l->p->limits[i];
	limit->where = loader_where(l, at);
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	rules_read_to(l, at, &limit->to);
	if (sessions && yaml_get_u64(at.doc, sessions, 1000000, &v, l->diag) == 0 &&
	    v == 0)
		loader_error(l, (struct at){at.doc, sessions},
			     "must be 1 or more; a deny says that nobody may");
	limit->max_sessions = (uint32_t)v;
	if (time &&
	    yaml_get_duration(at.doc, time, &limit->max_session_s, l->diag) == 0 &&
	    limit->max_session_s == 0)
		loader_error(l, (struct at){at.doc, time}, "must be more than 0");
	if (!sessions && !time)
		loader_error(l, at,
			     "a limit needs 'max_sessions' or 'max_session_time'");
}

/* ------------------------------------------------------------------ mode */

static void read_mode(struct loader *l, struct at at)
{
	static const char *const keys[] = {"default", "monitor", NULL};
	const struct yaml_node *n = yaml_get(at.node, "default");

	if (!check_kind(l, at, YAML_MAP, "mode"))
		return;
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	if (n && n->kind == YAML_SCALAR && str_eq(n->text, "monitor"))
		l->p->monitor_default = true;
	else if (n && (n->kind != YAML_SCALAR || !str_eq(n->text, "enforce")))
		loader_error(l, (struct at){at.doc, n}, "must be enforce or monitor");
	if (yaml_get(at.node, "monitor"))
		rules_read_vms(l, at, "monitor", &l->p->monitor);
	else if (!n)
		loader_error(l, at, "'mode' needs 'default' or 'monitor'");
}

void bounds_define_all(struct loader *l)
{
	struct policy *p = l->p;

	read_separations(l);
	if (p->n_separations > 0 && l->err == 0)
		mark_grants(l);
	p->n_limits = (uint32_t)bounds_each(l, "limits", read_limit);
	if (p->limits && p->n_limits > 1)
		qsort(p->limits, p->n_limits, sizeof(*p->limits), compare_limits);
	for (size_t i = 0; i < l->n_docs && l->err == 0; i++) {
		const struct yaml_node *n = yaml_get(yaml_root(l->docs[i]), "mode");

		if (n)
			read_mode(l, (struct at){l->docs[i], n});
	}
}
