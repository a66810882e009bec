/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - alphabets, lists, references and role closures; used by every reader. */
#include "policy/load.h"

#include <errno.h>

static bool is_lower_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_login_char(char c)
{
	return is_lower_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
	       c == '-';
}

bool policy_login_valid(const char *login, size_t len)
{
	if (!login || len < 1 || len > POLICY_NAME_MAX || login[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_login_char(login[i]))
			return false;
	return login[0] != '.' || (len != 1 && (len != 2 || login[1] != '.'));
}

bool check_vm_name(const char *text, size_t len)
{
	if (len < 1 || len > POLICY_VM_MAX || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_digit(text[i]) && text[i] != '.' && text[i] != '_' &&
		    text[i] != '-')
			return false;
	return true;
}

bool check_privilege_name(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > POLICY_NAME_MAX || text[0] < 'a' || text[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_digit(text[i]) && text[i] != '_' && text[i] != '-')
			return false;
	return true;
}

/*
 * Names of groups come from directories and may hold blanks; ':' separates prefixes and
 * '*' must not look like "everybody".
 */
bool check_name(struct loader *l, struct at at, const char *text, size_t len,
		const char *what)
{
	bool ok = len >= 1 && len <= POLICY_NAME_MAX && text[0] != ' ' &&
		  text[0] != '-' && text[len - 1] != ' ';

	for (size_t i = 0; ok && i < len; i++)
		ok = text[i] >= ' ' && text[i] < 0x7f &&
		     !strchr(":*?\"'[]{},", text[i]);
	if (!ok)
		yaml_error_key(at.doc, at.node, l->diag,
			       "'%s' is not a name for '%s': 1-%d printable ASCII "
			       "characters without quotes, brackets and : * ? ,",
			       text, what, POLICY_NAME_MAX);
	return ok;
}

bool check_kind(struct loader *l, struct at at, enum yaml_kind kind, const char *what)
{
	if (at.node->kind != kind) {
		loader_error(l, at, "'%s' must be a %s", what,
			     kind == YAML_MAP ? "map" : "list");
		return false;
	}
	return true;
}

const char *check_text(struct loader *l, struct at at, const char *what)
{
	if (at.node->kind != YAML_SCALAR || at.node->len == 0 ||
	    at.node->len > POLICY_TEXT_MAX || strpbrk(at.node->text, "\n\t")) {
		loader_error(l, at, "'%s' must be one line of text, at most %d bytes",
			     what, POLICY_TEXT_MAX);
		return NULL;
	}
	return loader_text(l, at.node->text);
}

uint32_t check_reference(struct loader *l, struct at at, const struct names *names,
			 const char *text, const char *what)
{
	uint32_t i = names_find(names, text);
	struct diag_nearest near;

	if (i != NAMES_NONE)
		return i;
	diag_nearest_init(&near, text);
	for (uint32_t k = 0; k < names->n && l->diag->n < DIAG_MAX; k++)
		diag_nearest_try(&near, names->v[k]);
	if (near.found)
		loader_error(l, at, "unknown %s '%s'; did you mean '%s'?", what, text,
			     near.found);
	else
		loader_error(l, at, "unknown %s '%s'", what, text);
	return NAMES_NONE;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void index_list_sort(struct index_list *list)
{
	uint32_t n = 0;

	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), compare_u32);
	for (uint32_t i = 0; i < list->n; i++)
		if (i == 0 || list->v[i] != list->v[n - 1])
			list->v[n++] = list->v[i];
	list->n = n;
}

int index_list_compare(const struct index_list *a, const struct index_list *b)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		if (a->v[i] != b->v[i])
			return a->v[i] < b->v[i] ? -1 : 1;
	return a->n < b->n ? -1 : a->n > b->n;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void text_list_sort(struct text_list *list)
{
	uint32_t n = 0;

	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), compare_text);
	for (uint32_t i = 0; i < list->n; i++)
		if (i == 0 || !str_eq(list->v[i], list->v[n - 1]))
			list->v[n++] = list->v[i];
	list->n = n;
}

void check_references(struct loader *l, struct at at, const struct names *names,
		      const char *what, struct index_list *ret)
{
	struct index_list list = {0};

	if (!check_kind(l, at, YAML_LIST, what))
		return;
	list.v = loader_alloc(l, at.node->n_items, sizeof(*list.v));
	if (!list.v)
		return;
	for (const struct yaml_node *i = at.node->first; i; i = i->next) {
		struct at item = {at.doc, i};
		uint32_t found;

		if (i->kind != YAML_SCALAR) {
			loader_error(l, item, "must be the name of a %s", what);
			continue;
		}
		found = check_reference(l, item, names, i->text, what);
		if (found != NAMES_NONE)
			list.v[list.n++] = found;
	}
	index_list_sort(&list);
	*ret = list;
}

/* ------------------------------------------------------------ privileges */

static void add_su_target(struct loader *l, struct at at, const char *target,
			  struct text_list *su)
{
	const char *copy;

	if (!policy_login_valid(target, strlen(target))) {
		loader_error(l, at, "'%s' is not a login", target);
		return;
	}
	copy = loader_text(l, target);
	if (copy)
		su->v[su->n++] = copy; /* room: one entry for each item of the list */
}

void check_privilege(struct loader *l, struct at at, uint64_t *bits,
		     struct text_list *su)
{
	const char *text = at.node->text, *target;
	uint32_t i;

	if (at.node->kind != YAML_SCALAR) {
		loader_error(l, at, "must be the name of a privilege");
		return;
	}
	target = str_after(text, "su:");
	if (target) {
		add_su_target(l, at, target, su);
		return;
	}
	if (str_after(text, "sudo:")) {
		loader_error(
			l, at,
			"'%s' cannot be enforced: PAM does not know sudo's target; use "
			"'sudo' and sudoers, or su:TARGET",
			text);
		return;
	}
	i = check_reference(l, at, &l->p->privileges, text, "privilege");
	if (i != NAMES_NONE)
		*bits |= (uint64_t)1 << i;
}

/* ---------------------------------------------------------------- roles */

struct closure {
	struct loader *l;
	uint8_t *state; /* owned; 0: new, 1: open, 2: done */
	uint32_t *stack;
	uint32_t *next; /* owned; how many includes of an open role are done */
	uint32_t n_closed;
};

static void closure_done(struct closure *c)
{
	free(c->state);
	free(c->stack);
	free(c->next);
}

bool check_su_room(struct loader *l, size_t n)
{
	bool told = l->n_su > POLICY_SU_MAX;

	l->n_su += n;
	if (l->n_su > POLICY_SU_MAX && !told)
		diags_add(l->diag, NULL, 0, 0, NULL,
			  "the roles and rules hold more than %d su targets",
			  POLICY_SU_MAX);
	return l->n_su <= POLICY_SU_MAX;
}

static void add_texts(struct text_list *to, const struct text_list *from)
{
	for (uint32_t i = 0; i < from->n; i++)
		to->v[to->n++] = from->v[i];
}

/* All its includes are complete. */
static void close_role(struct closure *c, uint32_t i)
{
	struct model_role *info = c->l->p->role_info, *r = &info[i];
	size_t n = r->own_su.n;

	r->privileges = r->own_privileges;
	for (uint32_t k = 0; k < r->includes.n; k++)
		n += info[r->includes.v[k]].su.n;
	if (!check_su_room(c->l, n))
		return;
	r->su.v = loader_alloc(c->l, n, sizeof(*r->su.v));
	if (!r->su.v)
		return;
	add_texts(&r->su, &r->own_su);
	for (uint32_t k = 0; k < r->includes.n; k++) {
		const struct model_role *inc = &info[r->includes.v[k]];

		r->privileges |= inc->privileges;
		add_texts(&r->su, &inc->su);
	}
	text_list_sort(&r->su);
}

static void report_cycle(struct closure *c, uint32_t again)
{
	struct loader *l = c->l;
	const struct decl *d = &l->decls[SECTION_ROLES].v[again];

	yaml_error_key(d->doc, d->node, l->diag, "the role '%s' includes itself",
		       d->name);
}

/* Depth first with its own stack: a chain of includes may be as long as the policy. */
static void close_from(struct closure *c, uint32_t start)
{
	const struct model_role *info = c->l->p->role_info;
	size_t depth = 0;

	c->stack[depth++] = start;
	c->state[start] = 1;
	while (depth > 0 && c->l->err == 0) {
		uint32_t i = c->stack[depth - 1], k;

		if (c->next[i] == info[i].includes.n) {
			close_role(c, i);
			c->l->p->role_order[c->n_closed++] = i;
			c->state[i] = 2;
			depth--;
			continue;
		}
		k = info[i].includes.v[c->next[i]++];
		if (c->state[k] == 1) {
			report_cycle(c, k);
		} else if (c->state[k] == 0) {
			c->state[k] = 1;
			c->stack[depth++] = k;
		}
	}
}

void check_roles(struct loader *l)
{
	size_t n = l->p->roles.n;
	_cleanup_(closure_done) struct closure c = {.l = l};

	c.state = calloc(n + 1, sizeof(*c.state));
	c.stack = calloc(n + 1, sizeof(*c.stack));
	c.next = calloc(n + 1, sizeof(*c.next));
	l->p->role_order = loader_alloc(l, n, sizeof(*l->p->role_order));
	if (!c.state || !c.stack || !c.next || !l->p->role_order) {
		l->err = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		if (c.state[i] == 0)
			close_from(&c, i);
}
