/* SPDX-License-Identifier: Apache-2.0 */
/* define.c - second pass: groups, users, services, inventory and roles. */
#include "policy/load.h"

#include <errno.h>

#include "policy/service.h"

/* -------------------------------------------------------------- services */

static bool service_ok(struct loader *l, const struct decl *d)
{
	const struct yaml_node *n = d->node;
	const char *known = service_builtin(d->name);
	size_t len = strlen(d->name);
	bool ok = len >= 1 && len <= POLICY_NAME_MAX;

	for (size_t i = 0; ok && i < len; i++)
		ok = policy_login_valid(d->name + i, 1) || d->name[i] == '-' ||
		     d->name[i] == '.' || d->name[i] == '@' || d->name[i] == '+';
	if (!ok) {
		yaml_error_key(d->doc, n, l->diag,
			       "'%s' is not the name of a PAM service", d->name);
		return false;
	}
	if (n->kind != YAML_SCALAR || !check_privilege_name(n->text)) {
		loader_error(
			l, (struct at){d->doc, n},
			"must be a privilege: a-z 0-9 _ -, starting with a letter");
		return false;
	}
	if (str_eq(n->text, "batch") && known && !str_eq(known, "batch")) {
		/* batch needs no grant: this would open the service to every local user
		 */
		loader_error(l, (struct at){d->doc, n},
			     "'%s' cannot be a batch service", d->name);
		return false;
	}
	return true;
}

static void name_privileges(struct loader *l)
{
	const struct decls *d = &l->decls[SECTION_SERVICES];
	const char **v = loader_alloc(l, d->n + 16, sizeof(*v));
	size_t n = 0;

	if (!v)
		return;
	for (unsigned i = 0; service_builtin_privilege(i); i++)
		v[n++] = service_builtin_privilege(i);
	for (size_t i = 0; i < d->n; i++) {
		if (!service_ok(l, &d->v[i]))
			continue;
		v[n] = loader_text(l, d->v[i].node->text);
		n += v[n] != NULL;
	}
	if (names_build(&l->p->privileges, &l->p->arena, v, n) != 0)
		l->err = -ENOMEM;
	if (l->p->privileges.n > POLICY_PRIVILEGES_MAX)
		diags_add(l->diag, NULL, 0, 0, NULL,
			  "the services name more than %d privileges",
			  POLICY_PRIVILEGES_MAX);
}

void define_services(struct loader *l)
{
	const struct decls *d = &l->decls[SECTION_SERVICES];
	struct policy *p = l->p;

	name_privileges(l);
	p->service_privilege = loader_alloc(l, d->n, sizeof(*p->service_privilege));
	if (l->err != 0)
		return;
	if (p->privileges.n > POLICY_PRIVILEGES_MAX) {
		p->privileges.n = POLICY_PRIVILEGES_MAX;
		l->err = POLICY_E_INVALID;
		return;
	}
	p->priv_su = names_find(&p->privileges, "su");
	p->priv_sudo = names_find(&p->privileges, "sudo");
	p->priv_batch = names_find(&p->privileges, "batch");
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].node->kind == YAML_SCALAR)
			p->service_privilege[i] =
				names_find(&p->privileges, d->v[i].node->text);
}

/* ------------------------------------------------------ groups and users */

/* Reads the entry's text @key into @ret; NULL when it is absent or bad. */
static const char *read_pin(struct loader *l, const struct decl *d, const char *key)
{
	const struct yaml_node *n = yaml_get(d->node, key);

	return n ? check_text(l, (struct at){d->doc, n}, key) : NULL;
}

static void define_groups(struct loader *l)
{
	static const char *const keys[] = {"dn", "id", NULL};
	const struct decls *d = &l->decls[SECTION_GROUPS];
	struct policy_group *info = loader_alloc(l, d->n, sizeof(*info));
	struct policy_where *where = loader_alloc(l, d->n, sizeof(*where));

	for (size_t i = 0; i < d->n && info && where; i++) {
		info[i].name = l->p->groups.v[i];
		where[i] = loader_where(l, (struct at){d->v[i].doc, d->v[i].node});
		if (!d->v[i].node ||
		    !check_kind(l, (struct at){d->v[i].doc, d->v[i].node}, YAML_MAP,
				"group"))
			continue;
		yaml_check_keys(d->v[i].doc, d->v[i].node, keys, l->diag);
		info[i].dn = read_pin(l, &d->v[i], "dn");
		info[i].id = read_pin(l, &d->v[i], "id");
	}
	l->p->group_info = info;
	l->p->group_where = where;
}

static void define_user(struct loader *l, const struct decl *d, const char **ret_id)
{
	static const char *const keys[] = {"id", NULL};
	struct at at = {d->doc, d->node};

	if (!policy_login_valid(d->name, strlen(d->name)))
		yaml_error_key(d->doc, d->node, l->diag, "'%s' is not a login",
			       d->name);
	if (!check_kind(l, at, YAML_MAP, d->name))
		return;
	yaml_check_keys(d->doc, d->node, keys, l->diag);
	*ret_id = read_pin(l, d, "id");
	if (!yaml_get(d->node, "id"))
		yaml_error_key(d->doc, d->node, l->diag,
			       "people named directly are pinned: '%s' needs an 'id'",
			       d->name);
}

/* Pins are found by id too: a deny must reach a person who was renamed. */
static void index_ids(struct loader *l)
{
	struct policy *p = l->p;
	const struct decls *d = &l->decls[SECTION_USERS];
	const char **v = loader_alloc(l, d->n, sizeof(*v));
	size_t n = 0;

	p->id_user = loader_alloc(l, d->n, sizeof(*p->id_user));
	if (!v || !p->id_user)
		return;
	for (size_t i = 0; i < d->n; i++)
		if (p->user_ids[i])
			v[n++] = p->user_ids[i];
	if (names_build(&p->ids, &p->arena, v, n) != 0) {
		l->err = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < p->ids.n; i++)
		p->id_user[i] = NAMES_NONE;
	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t k = names_find(&p->ids, p->user_ids[i]);

		if (k == NAMES_NONE)
			continue;
		if (p->id_user[k] != NAMES_NONE)
			yaml_error_key(d->v[i].doc, d->v[i].node, l->diag,
				       "'%s' has the same id as '%s'", d->v[i].name,
				       p->users.v[p->id_user[k]]);
		p->id_user[k] = i;
	}
}

static void define_users(struct loader *l)
{
	const struct decls *d = &l->decls[SECTION_USERS];
	struct policy *p = l->p;

	p->user_ids = loader_alloc(l, d->n, sizeof(*p->user_ids));
	for (size_t i = 0; i < d->n && l->err == 0; i++)
		define_user(l, &d->v[i], &p->user_ids[i]);
	if (l->err == 0)
		index_ids(l);
}

static const char *joined(struct loader *l, const char *prefix, const char *name)
{
	char text[POLICY_NAME_MAX + 16];

	(void)snprintf(text, sizeof(text), "%s%s", prefix,
		       name); /* names are bounded */
	return loader_text(l, text);
}

static void define_principals(struct loader *l)
{
	struct policy *p = l->p;
	uint32_t n = 0;
	const char **v = loader_alloc(l, policy_principal_count(p), sizeof(*v));

	for (uint32_t i = 0; v && i < p->groups.n; i++)
		v[n++] = p->groups.v[i];
	for (uint32_t i = 0; v && i < p->users.n; i++)
		v[n++] = joined(l, "user:", p->users.v[i]);
	for (uint32_t i = 0; v && i < p->locals.n; i++)
		v[n++] = joined(l, "local:", p->locals.v[i]);
	p->principal_text = v;
}

/* ------------------------------------------------------------- inventory */

static int compare_labels(const void *a, const void *b)
{
	const struct policy_label *x = a, *y = b;

	return strcmp(x->key, y->key);
}

bool check_label(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= POLICY_NAME_MAX && !strpbrk(text, " \t\n\"'");
}

static void read_labels(struct loader *l, struct at at, struct model_vm *vm)
{
	if (!check_kind(l, at, YAML_MAP, "labels"))
		return;
	vm->labels = loader_alloc(l, at.node->n_items, sizeof(*vm->labels));
	for (const struct yaml_node *i = at.node->first; i && vm->labels; i = i->next) {
		struct at item = {at.doc, i};
		struct policy_label label;

		if (i->kind != YAML_SCALAR || !check_label(i->text) ||
		    !check_label(i->key)) {
			loader_error(l, item,
				     "a label is KEY: VALUE, 1-%d bytes, no blanks",
				     POLICY_NAME_MAX);
			continue;
		}
		label.key = loader_text(l, i->key);
		label.value = loader_text(l, i->text);
		vm->labels[vm->n_labels++] = label;
	}
	if (vm->labels && vm->n_labels > 1)
		qsort(vm->labels, vm->n_labels, sizeof(*vm->labels), compare_labels);
}

static void define_vm(struct loader *l, const struct decl *d, struct model_vm *vm)
{
	static const char *const keys[] = {"labels", "owner", NULL};
	const struct yaml_node *n;

	if (!check_kind(l, (struct at){d->doc, d->node}, YAML_MAP, d->name))
		return;
	yaml_check_keys(d->doc, d->node, keys, l->diag);
	n = yaml_get(d->node, "labels");
	if (n)
		read_labels(l, (struct at){d->doc, n}, vm);
	n = yaml_get(d->node, "owner");
	if (n)
		vm->owner = check_text(l, (struct at){d->doc, n}, "owner");
}

static void define_host(struct loader *l, struct model_vm *vm)
{
	const struct policy_host *h = l->host;

	vm->labels = loader_alloc(l, h->n_labels, sizeof(*vm->labels));
	for (size_t i = 0; i < h->n_labels && vm->labels; i++) {
		if (!check_label(h->labels[i].key) ||
		    !check_label(h->labels[i].value)) {
			diags_add(l->diag, NULL, 0, 0, NULL,
				  "this host's label '%s' is not KEY: VALUE without "
				  "blanks",
				  h->labels[i].key);
			continue;
		}
		vm->labels[vm->n_labels].key = loader_text(l, h->labels[i].key);
		vm->labels[vm->n_labels++].value = loader_text(l, h->labels[i].value);
	}
	if (vm->labels && vm->n_labels > 1)
		qsort(vm->labels, vm->n_labels, sizeof(*vm->labels), compare_labels);
}

/* A range shares its labels, but the index of selectors holds each VM's. */
static bool labels_fit(struct loader *l, const struct decl *d,
		       const struct model_vm *vm)
{
	l->n_labels += vm->n_labels;
	if (l->n_labels <= POLICY_LABELS_MAX)
		return true;
	loader_error(l, (struct at){d->doc, d->node},
		     "the VMs have more than %d labels together", POLICY_LABELS_MAX);
	return false;
}

static void define_vms(struct loader *l)
{
	const struct decls *d = &l->decls[SECTION_VMS];
	struct model_vm *v = loader_alloc(l, d->n, sizeof(*v));
	struct policy_where *where = loader_alloc(l, d->n, sizeof(*where));
	const struct yaml_node *last = NULL;

	for (size_t i = 0; i < d->n && v && where && l->err == 0; i++) {
		where[i] = loader_where(l, (struct at){d->v[i].doc, d->v[i].node});
		/* The VMs of a range stand together and share what they have. */
		if (i > 0 && last && d->v[i].node == last)
			v[i] = v[i - 1];
		else if (d->v[i].node)
			define_vm(l, &d->v[i], &v[i]);
		else
			define_host(l, &v[i]);
		last = d->v[i].node;
		if (last && !labels_fit(l, &d->v[i], &v[i]))
			break;
	}
	l->p->vm_info = v;
	l->p->vm_where = where;
}

/* ----------------------------------------------------------------- roles */

static void read_role_privileges(struct loader *l, struct at at, struct model_role *r)
{
	if (!check_kind(l, at, YAML_LIST, "privileges"))
		return;
	r->own_su.v = loader_alloc(l, at.node->n_items, sizeof(*r->own_su.v));
	for (const struct yaml_node *i = at.node->first; i && r->own_su.v; i = i->next)
		check_privilege(l, (struct at){at.doc, i}, &r->own_privileges,
				&r->own_su);
	text_list_sort(&r->own_su);
}

static void define_roles(struct loader *l)
{
	static const char *const keys[] = {"includes", "privileges", NULL};
	const struct decls *d = &l->decls[SECTION_ROLES];
	struct model_role *v = loader_alloc(l, d->n, sizeof(*v));
	struct policy_where *where = loader_alloc(l, d->n, sizeof(*where));

	for (size_t i = 0; i < d->n && v && where && l->err == 0; i++) {
		const struct yaml_node *n = d->v[i].node;
		struct at at = {d->v[i].doc, n};

		where[i] = loader_where(l, at);
		if (!check_kind(l, at, YAML_MAP, d->v[i].name))
			continue;
		yaml_check_keys(at.doc, n, keys, l->diag);
		at.node = yaml_get(n, "includes");
		if (at.node)
			check_references(l, at, &l->p->roles, "role", &v[i].includes);
		at.node = yaml_get(n, "privileges");
		if (at.node)
			read_role_privileges(l, at, &v[i]);
	}
	l->p->role_info = v;
	l->p->role_where = where;
}

void define_all(struct loader *l)
{
	define_groups(l);
	define_users(l);
	define_principals(l);
	define_vms(l);
	define_roles(l);
}
