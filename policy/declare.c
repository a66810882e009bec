/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declare.c - first pass over the files: which names exist, each only once. The second
 * pass can then resolve every reference where it stands, in any order of the files.
 */
#include "policy/load.h"

#include <errno.h>

static const char *const top_keys[] = {
	"vmsec_policy", "serial",     "defaults", "groups",   "users",
	"services",	"inventory",  "vm_sets",  "roles",    "grants",
	"denies",	"separation", "limits",	  "password", "enrolment",
	"break_glass",	"mode",	      "tests",	  NULL};

static void check_version(struct loader *l, const struct yaml_doc *doc)
{
	const struct yaml_node *root = yaml_root(doc),
			       *v = yaml_get(root, "vmsec_policy");

	if (!v)
		yaml_error(
			doc, root, l->diag,
			"the file must say 'vmsec_policy: 1', the language's version");
	else if (v->kind != YAML_SCALAR || !str_eq(v->text, "1"))
		yaml_error(doc, v, l->diag,
			   "this version of the language is not known");
}

static bool once(struct loader *l, const struct yaml_doc *doc,
		 const struct yaml_node *n, const struct yaml_doc **first)
{
	if (*first) {
		yaml_error_key(doc, n, l->diag, "'%s' is already given in %s", n->key,
			       yaml_name(*first));
		return false;
	}
	*first = doc;
	return true;
}

/* ---------------------------------------------------------- map sections */

static void declare_map(struct loader *l, enum section s, const struct yaml_doc *doc,
			const struct yaml_node *map, const char *what)
{
	if (!check_kind(l, (struct at){doc, map}, YAML_MAP, what))
		return;
	for (const struct yaml_node *i = map->first; i; i = i->next) {
		if (s == SECTION_SERVICES || s == SECTION_VMS ||
		    check_name(l, (struct at){doc, i}, i->key, strlen(i->key), what))
			loader_add(l, s, i->key, strlen(i->key), doc, i);
	}
}

struct range {
	const char *prefix;
	size_t prefix_len;
	const char *suffix;
	unsigned long from, to;
	int width; /* digits when zero-padded, else 0 */
};

static bool read_number(const char **s, unsigned long *ret, int *ret_digits)
{
	const char *p = *s;
	unsigned long v = 0;

	while (*p >= '0' && *p <= '9' && p - *s < 7)
		v = v * 10 + (unsigned long)(*p++ - '0');
	if (p == *s || (*p >= '0' && *p <= '9'))
		return false;
	*ret_digits = (int)(p - *s);
	*s = p;
	*ret = v;
	return true;
}

static bool read_range(const char *text, struct range *r)
{
	const char *s = strchr(text, '[');
	int from_digits, to_digits;
	bool padded;

	r->prefix = text;
	r->prefix_len = (size_t)(s - text);
	s++;
	padded = s[0] == '0' && s[1] != '-'; /* "0" alone is no padding */
	if (!read_number(&s, &r->from, &from_digits) || *s++ != '-')
		return false;
	if (!read_number(&s, &r->to, &to_digits) || *s++ != ']' || r->from > r->to)
		return false;
	r->suffix = s;
	r->width = padded ? from_digits : 0;
	/* web[01-100] would leave open whether it means web01 or web001 */
	return !strchr(s, '[') && (!padded || from_digits == to_digits);
}

static void declare_vm(struct loader *l, const struct yaml_doc *doc,
		       const struct yaml_node *n, const char *name, size_t len)
{
	if (!check_vm_name(name, len))
		yaml_error_key(
			doc, n, l->diag,
			"'%.*s' is not a VM name: 1-%d of a-z 0-9 . _ -, in lower case",
			(int)len, name, POLICY_VM_MAX);
	else if (l->decls[SECTION_VMS].n == POLICY_VMS_MAX)
		yaml_error_key(doc, n, l->diag, "more than %d VMs", POLICY_VMS_MAX);
	else
		loader_add(l, SECTION_VMS, name, len, doc, n);
}

static void declare_range(struct loader *l, const struct yaml_doc *doc,
			  const struct yaml_node *n)
{
	char name[POLICY_VM_MAX + 2];
	struct range r;
	int len;

	if (!read_range(n->key, &r)) {
		yaml_error_key(
			doc, n, l->diag,
			"'%s' is not a range: one [FROM-TO] a name, such as web[01-40]",
			n->key);
		return;
	}
	if (r.to - r.from >= POLICY_VMS_MAX) {
		yaml_error_key(doc, n, l->diag, "more than %d VMs", POLICY_VMS_MAX);
		return;
	}
	for (unsigned long i = r.from; i <= r.to && l->err == 0; i++) {
		len = snprintf(name, sizeof(name), "%.*s%0*lu%s", (int)r.prefix_len,
			       r.prefix, r.width, i, r.suffix);
		if (len < 0 || (size_t)len >= sizeof(name)) {
			yaml_error_key(doc, n, l->diag, "the name is too long");
			return;
		}
		if (!check_vm_name(name, (size_t)len) ||
		    l->decls[SECTION_VMS].n == POLICY_VMS_MAX) {
			declare_vm(l, doc, n, name, (size_t)len);
			return; /* one diagnostic is enough */
		}
		declare_vm(l, doc, n, name, (size_t)len);
	}
}

static void declare_inventory(struct loader *l, const struct yaml_doc *doc,
			      const struct yaml_node *map)
{
	if (!check_kind(l, (struct at){doc, map}, YAML_MAP, "inventory"))
		return;
	l->p->has_inventory = true;
	for (const struct yaml_node *i = map->first; i && l->err == 0; i = i->next) {
		if (strpbrk(i->key, "[]") && strchr(i->key, '['))
			declare_range(l, doc, i);
		else
			declare_vm(l, doc, i, i->key, strlen(i->key));
	}
}

/* ----------------------------------------------------------------- rules */

/* A group needs no entry of its own: mentioning it is enough. */
static void mention(struct loader *l, const struct yaml_doc *doc,
		    const struct yaml_node *to)
{
	struct at at = {doc, to};
	const char *login;

	if (to->kind != YAML_SCALAR)
		return; /* reported when the rule is read */
	login = str_after(to->text, "local:");
	if (login) {
		if (policy_login_valid(login, strlen(login)))
			loader_add(l, SECTION_LOCALS, login, strlen(login), doc, NULL);
		else
			loader_error(l, at, "'%s' is not a login", login);
		return;
	}
	if (!strchr(to->text, ':') && check_name(l, at, to->text, to->len, "group"))
		loader_add(l, SECTION_GROUPS, to->text, to->len, doc, NULL);
}

static void mention_to(struct loader *l, const struct yaml_doc *doc,
		       const struct yaml_node *entry)
{
	const struct yaml_node *to = yaml_get(entry, "to");

	if (to && to->kind == YAML_LIST)
		for (const struct yaml_node *t = to->first; t; t = t->next)
			mention(l, doc, t);
}

static void declare_rules(struct loader *l, enum section s, const struct yaml_doc *doc,
			  const struct yaml_node *list, const char *what)
{
	if (!check_kind(l, (struct at){doc, list}, YAML_LIST, what))
		return;
	for (const struct yaml_node *i = list->first; i && l->err == 0; i = i->next) {
		const struct yaml_node *id;
		struct at at = {doc, i};

		if (i->kind != YAML_MAP) {
			loader_error(l, at, "an entry of '%s' must be a map with an id",
				     what);
			continue;
		}
		id = yaml_get(i, "id");
		if (!id || id->kind != YAML_SCALAR) {
			loader_error(l, at, "the entry has no 'id'");
			continue;
		}
		if (check_name(l, (struct at){doc, id}, id->text, id->len, "rule"))
			loader_add(l, s, id->text, id->len, doc, i);
		mention_to(l, doc, i);
	}
}

/* Entries without an id: what is wrong with them is said when they are read. */
static void mention_all(struct loader *l, const struct yaml_doc *doc,
			const struct yaml_node *list)
{
	if (!list || list->kind != YAML_LIST)
		return;
	for (const struct yaml_node *i = list->first; i && l->err == 0; i = i->next)
		if (i->kind == YAML_MAP)
			mention_to(l, doc, i);
}

/* ------------------------------------------------------------- documents */

static void declare_doc(struct loader *l, const struct yaml_doc *doc)
{
	static const struct {
		const char *key;
		enum section section;
		bool list;
	} keys[] = {
		{"groups", SECTION_GROUPS, false},
		{"users", SECTION_USERS, false},
		{"services", SECTION_SERVICES, false},
		{"vm_sets", SECTION_SETS, false},
		{"roles", SECTION_ROLES, false},
		{"grants", SECTION_GRANTS, true},
		{"denies", SECTION_DENIES, true},
		{"break_glass", SECTION_GLASS, true},
		{"separation", SECTION_SEPARATION, true},
	};
	const struct yaml_node *root = yaml_root(doc), *n;

	if (root->kind != YAML_MAP) {
		yaml_error(doc, root, l->diag, "a policy is a map of keys");
		return;
	}
	check_version(l, doc);
	yaml_check_keys(doc, root, top_keys, l->diag);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		n = yaml_get(root, keys[i].key);
		if (!n)
			continue;
		if (keys[i].list)
			declare_rules(l, keys[i].section, doc, n, keys[i].key);
		else
			declare_map(l, keys[i].section, doc, n, keys[i].key);
	}
	n = yaml_get(root, "inventory");
	if (n)
		declare_inventory(l, doc, n);
	mention_all(l, doc, yaml_get(root, "limits"));
	mention_all(l, doc, yaml_get(root, "enrolment"));
}

static void declare_single(struct loader *l)
{
	static const char *const keys[] = {"defaults", "password", "mode"};
	const struct yaml_doc *serial = NULL, *first[ARRAY_SIZE(keys)] = {NULL};

	for (size_t i = 0; i < l->n_docs; i++) {
		const struct yaml_doc *doc = l->docs[i];
		const struct yaml_node *n = yaml_get(yaml_root(doc), "serial");

		if (n && once(l, doc, n, &serial) &&
		    yaml_get_u64(doc, n, INT64_MAX, &l->p->serial, l->diag) == 0)
			l->p->has_serial = true;
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			n = yaml_get(yaml_root(doc), keys[k]);
			if (n) /* its reader comes later */
				(void)once(l, doc, n, &first[k]);
		}
	}
}

/* The host itself is the inventory of a policy that has none. */
static void declare_host(struct loader *l)
{
	const char *name = l->host ? l->host->name : NULL;

	if (l->p->has_inventory || !name)
		return;
	if (!check_vm_name(name, strlen(name))) {
		diags_add(l->diag, NULL, 0, 0, NULL,
			  "this host's name '%s' is not a VM name: 1-%d of a-z 0-9 . _ "
			  "-, "
			  "in lower case",
			  name, POLICY_VM_MAX);
		return;
	}
	loader_add(l, SECTION_VMS, name, strlen(name), NULL, NULL);
}

static int compare_decls(const void *a, const void *b)
{
	const struct decl *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (c != 0)
		return c;
	return (x->node == NULL) - (y->node == NULL); /* definitions first */
}

static void check_repeated(struct loader *l, const struct decl *a, const struct decl *b)
{
	const struct decl *first = a, *second = b;

	if (!a->node || !b->node)
		return; /* one of them only mentions the name */
	if (a->doc == b->doc && a->node->line > b->node->line) {
		first = b;
		second = a;
	}
	yaml_error_key(second->doc, second->node, l->diag,
		       "'%s' is already defined in %s, line %u", second->name,
		       yaml_name(first->doc), first->node->line);
}

/* Sorts, reports repetitions and keeps one of each. */
static void settle(struct loader *l, struct decls *d, struct names *names, size_t max)
{
	const char **v;
	size_t n = 0;

	if (d->n > 1)
		qsort(d->v, d->n, sizeof(*d->v), compare_decls);
	for (size_t i = 0; i < d->n; i++) {
		if (n > 0 && str_eq(d->v[n - 1].name, d->v[i].name))
			check_repeated(l, &d->v[n - 1], &d->v[i]);
		else
			d->v[n++] = d->v[i];
	}
	d->n = n;
	if (n > max)
		diags_add(l->diag, NULL, 0, 0, NULL, "the policy has more than %zu %s",
			  max, "entries of one kind");
	v = loader_alloc(l, n, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < n; i++)
		v[i] = d->v[i].name;
	if (names && names_build(names, &l->p->arena, v, n) != 0)
		l->err = -ENOMEM;
}

/* A rule's id stands in the log without saying which kind of rule it is. */
static void check_rule_ids(struct loader *l, enum section a, enum section b)
{
	const struct decls *x = &l->decls[a], *y = &l->decls[b];
	size_t i = 0, j = 0;

	while (i < x->n && j < y->n) {
		int c = strcmp(x->v[i].name, y->v[j].name);

		if (c == 0)
			check_repeated(l, &x->v[i], &y->v[j]);
		i += c <= 0;
		j += c >= 0;
	}
}

void declare_all(struct loader *l)
{
	struct policy *p = l->p;
	struct decls *d = l->decls;

	for (size_t i = 0; i < l->n_docs && l->err == 0; i++)
		declare_doc(l, l->docs[i]);
	declare_single(l);
	declare_host(l);
	if (l->err != 0)
		return;
	settle(l, &d[SECTION_GROUPS], &p->groups, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_USERS], &p->users, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_LOCALS], &p->locals, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_SERVICES], &p->services, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_VMS], &p->vms, POLICY_VMS_MAX);
	settle(l, &d[SECTION_SETS], &p->sets, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_ROLES], &p->roles, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_GRANTS], NULL, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_DENIES], NULL, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_GLASS], NULL, POLICY_ITEMS_MAX);
	settle(l, &d[SECTION_SEPARATION], NULL, POLICY_ITEMS_MAX);
	check_rule_ids(l, SECTION_GRANTS, SECTION_DENIES);
	check_rule_ids(l, SECTION_GRANTS, SECTION_GLASS);
	check_rule_ids(l, SECTION_DENIES, SECTION_GLASS);
}
