/* SPDX-License-Identifier: Apache-2.0 */
/* selector.c - reads the selectors under vm_sets; vmset.c evaluates them. */
#include "policy/load.h"

static bool pattern_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-' || c == '*' || c == '?';
}

static bool check_pattern(struct loader *l, struct at at, const char *text)
{
	size_t len = strlen(text);
	bool ok = len >= 1 && len <= POLICY_VM_MAX;

	for (size_t i = 0; ok && i < len; i++)
		ok = pattern_char(text[i]);
	if (!ok) {
		loader_error(l, at, "'%s' is not a VM name or a pattern with * and ?",
			     text);
		return false;
	}
	if (!strpbrk(text, "*?") && l->p->has_inventory)
		return check_reference(l, at, &l->p->vms, text, "VM") != NAMES_NONE;
	return true; /* without an inventory other hosts are not known here */
}

static struct vm_expr *expr_new(struct loader *l, enum vm_expr_kind kind, size_t n_kids)
{
	struct vm_expr *e = loader_alloc(l, 1, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	e->kids = loader_alloc(l, n_kids, sizeof(struct vm_expr *));
	return e->kids ? e : NULL;
}

/* Reads a text or a list of texts. */
static bool read_texts(struct loader *l, struct at at, struct text_list *ret)
{
	const struct yaml_node *first = at.node;
	size_t n = 1;

	if (at.node->kind == YAML_LIST) {
		first = at.node->first;
		n = at.node->n_items;
	}
	ret->v = loader_alloc(l, n, sizeof(*ret->v));
	for (; first && ret->v;
	     first = at.node->kind == YAML_LIST ? first->next : NULL) {
		if (first->kind != YAML_SCALAR || first->len == 0) {
			loader_error(l, (struct at){at.doc, first}, "must be text");
			return false;
		}
		ret->v[ret->n] = loader_text(l, first->text);
		ret->n += ret->v[ret->n] != NULL;
	}
	text_list_sort(ret);
	return ret->v != NULL;
}

static struct vm_expr *read_name(struct loader *l, struct at at)
{
	struct vm_expr *e = expr_new(l, VM_NAME, 0);

	if (!e || !read_texts(l, at, &e->texts))
		return NULL;
	for (uint32_t i = 0; i < e->texts.n; i++)
		if (!check_pattern(l, at, e->texts.v[i]))
			return NULL;
	return e;
}

/* A label that no VM can have is a mistake; under `not` it would be every VM. */
static bool labels_ok(struct loader *l, struct at at, const struct text_list *values)
{
	bool good = check_label(at.node->key);

	for (uint32_t i = 0; i < values->n; i++)
		good = good && check_label(values->v[i]);
	if (!good)
		loader_error(l, at,
			     "no VM can have this label: KEY and VALUE hold no "
			     "blanks");
	return good;
}

/* Several keys: and. None: nothing. */
static struct vm_expr *read_label(struct loader *l, struct at at)
{
	struct vm_expr *all;

	if (!check_kind(l, at, YAML_MAP, "label"))
		return NULL;
	all = expr_new(l, VM_ALL, at.node->n_items);
	for (const struct yaml_node *i = at.node->first; i && all; i = i->next) {
		struct vm_expr *e = expr_new(l, VM_LABEL, 0);

		if (!e || !read_texts(l, (struct at){at.doc, i}, &e->texts))
			return NULL;
		if (!labels_ok(l, (struct at){at.doc, i}, &e->texts))
			return NULL;
		e->key = loader_text(l, i->key);
		all->kids[all->n_kids++] = e;
	}
	return all && all->n_kids == 1 ? all->kids[0] : all;
}

static bool expr_is_empty(const struct vm_expr *e)
{
	uint32_t n_empty = 0;

	for (uint32_t i = 0; i < e->n_kids; i++)
		n_empty += expr_is_empty(e->kids[i]);
	switch (e->kind) {
	case VM_ALL:
		return e->n_kids == 0 || n_empty > 0;
	case VM_ANY:
		return e->n_kids == n_empty;
	case VM_LABEL:
	case VM_NAME:
		return e->texts.n == 0;
	case VM_NOT:
	case VM_EVERY:
		return false;
	}
	return false;
}

static struct vm_expr *read_expr(struct loader *l, struct at at, unsigned depth);

static struct vm_expr *read_list(struct loader *l, struct at at, enum vm_expr_kind kind,
				 unsigned depth)
{
	struct vm_expr *e;

	if (!check_kind(l, at, YAML_LIST, kind == VM_ALL ? "all" : "any"))
		return NULL;
	e = expr_new(l, kind, at.node->n_items);
	for (const struct yaml_node *i = at.node->first; i && e; i = i->next) {
		struct vm_expr *kid = read_expr(l, (struct at){at.doc, i}, depth + 1);

		if (!kid)
			return NULL;
		e->kids[e->n_kids++] = kid;
	}
	return e;
}

static struct vm_expr *read_not(struct loader *l, struct at at, unsigned depth)
{
	struct vm_expr *e = expr_new(l, VM_NOT, 1), *kid = read_expr(l, at, depth + 1);

	if (!e || !kid)
		return NULL;
	if (expr_is_empty(kid)) {
		loader_error(l, at,
			     "'not' of an empty selector would be every VM; write "
			     "'every: true'");
		return NULL;
	}
	e->kids[e->n_kids++] = kid;
	return e;
}

static struct vm_expr *read_every(struct loader *l, struct at at)
{
	bool every;

	if (yaml_get_bool(at.doc, at.node, &every, l->diag) != 0)
		return NULL;
	return expr_new(l, every ? VM_EVERY : VM_ANY, 0);
}

static struct vm_expr *read_expr(struct loader *l, struct at at, unsigned depth)
{
	static const char *const keys[] = {"all",  "any",   "not", "label",
					   "name", "every", NULL};
	const struct yaml_node *n = at.node;
	struct at item = {at.doc, n->first};

	if (depth > POLICY_SET_DEPTH_MAX) {
		loader_error(l, at, "selectors nest at most %d deep",
			     POLICY_SET_DEPTH_MAX);
		return NULL;
	}
	if (!check_kind(l, at, YAML_MAP, "selector"))
		return NULL;
	if (n->n_items == 0)
		return expr_new(l, VM_ANY, 0); /* selects nothing */
	if (n->n_items > 1) {
		loader_error(
			l, at,
			"a selector has one key; join several with 'all' or 'any'");
		return NULL;
	}
	if (str_eq(n->first->key, "all"))
		return read_list(l, item, VM_ALL, depth);
	if (str_eq(n->first->key, "any"))
		return read_list(l, item, VM_ANY, depth);
	if (str_eq(n->first->key, "not"))
		return read_not(l, item, depth);
	if (str_eq(n->first->key, "label"))
		return read_label(l, item);
	if (str_eq(n->first->key, "name"))
		return read_name(l, item);
	if (str_eq(n->first->key, "every"))
		return read_every(l, item);
	yaml_check_keys(at.doc, n, keys, l->diag);
	return NULL;
}

void selector_define_all(struct loader *l)
{
	const struct decls *d = &l->decls[SECTION_SETS];
	struct vm_expr **v = loader_alloc(l, d->n, sizeof(struct vm_expr *));
	struct policy_where *where = loader_alloc(l, d->n, sizeof(*where));

	for (size_t i = 0; i < d->n && v && where && l->err == 0; i++) {
		struct at at = {d->v[i].doc, d->v[i].node};

		where[i] = loader_where(l, at);
		v[i] = read_expr(l, at, 1);
	}
	l->p->set_expr = v;
	l->p->set_where = where;
}
