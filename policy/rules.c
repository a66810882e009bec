/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - second pass: defaults, grants, denies and break_glass. */
#include "policy/load.h"

static const char *const grant_keys[] = {"id",	  "to",	    "roles", "vms", "when",
					 "valid", "review", "owner", "why", NULL};
static const char *const deny_keys[] = {"id",  "to",	  "privileges", "roles",
					"vms", "message", "when",	NULL};

/* ------------------------------------------------------------------- to */

/* A principal's index, or NAMES_NONE with a diagnostic. */
static uint32_t read_principal(struct loader *l, struct at at)
{
	const struct policy *p = l->p;
	const char *text = at.node->text, *login;
	uint32_t i;

	login = str_after(text, "local:");
	if (login) {
		i = names_find(&p->locals, login);
		return i == NAMES_NONE ? i : p->groups.n + p->users.n + i;
	}
	login = str_after(text, "user:");
	if (login) {
		i = names_find(&p->users, login);
		if (i != NAMES_NONE)
			return p->groups.n + i;
		loader_error(
			l, at,
			"people named directly are pinned: add '%s' with its id under "
			"'users'",
			login);
		return NAMES_NONE;
	}
	if (strchr(text, ':')) {
		loader_error(l, at, "'%s' is not a group, user:NAME or local:NAME",
			     text);
		return NAMES_NONE;
	}
	return names_find(&p->groups, text);
}

const struct yaml_node *rules_get_list(struct loader *l, struct at rule,
				       const char *key)
{
	const struct yaml_node *n = yaml_get(rule.node, key);

	if (!n) {
		loader_error(l, rule, "the entry has no '%s'", key);
		return NULL;
	}
	if (!check_kind(l, (struct at){rule.doc, n}, YAML_LIST, key))
		return NULL;
	if (n->n_items == 0) {
		loader_error(l, (struct at){rule.doc, n}, "'%s' is empty", key);
		return NULL;
	}
	return n;
}

void rules_read_to(struct loader *l, struct at at, struct index_list *ret)
{
	const struct yaml_node *list = rules_get_list(l, at, "to");

	if (!list)
		return;
	ret->v = loader_alloc(l, list->n_items, sizeof(*ret->v));
	for (const struct yaml_node *i = list->first; i && ret->v; i = i->next) {
		struct at item = {at.doc, i};
		uint32_t found;

		if (i->kind != YAML_SCALAR) {
			loader_error(l, item,
				     "must be a group, user:NAME or local:NAME");
			continue;
		}
		found = read_principal(l, item);
		if (found != NAMES_NONE)
			ret->v[ret->n++] = found;
	}
	index_list_sort(ret);
}

/* ------------------------------------------------------------------ vms */

static void read_vm_name(struct loader *l, struct at at, const char *name,
			 struct rule *rule)
{
	if (!check_vm_name(name, strlen(name))) {
		loader_error(l, at, "'%s' is not a VM name", name);
		return;
	}
	if (l->p->has_inventory &&
	    check_reference(l, at, &l->p->vms, name, "VM") == NAMES_NONE)
		return;
	rule->vms.v[rule->vms.n] = loader_text(l, name);
	rule->vms.n += rule->vms.v[rule->vms.n] != NULL;
}

void rules_read_vms(struct loader *l, struct at at, const char *key, struct rule *rule)
{
	const struct yaml_node *list = rules_get_list(l, at, key);

	if (!list)
		return;
	rule->vms.v = loader_alloc(l, list->n_items, sizeof(*rule->vms.v));
	rule->sets.v = loader_alloc(l, list->n_items, sizeof(*rule->sets.v));
	for (const struct yaml_node *i = list->first; i && l->err == 0; i = i->next) {
		struct at item = {at.doc, i};
		const char *name;
		uint32_t found;

		if (i->kind != YAML_SCALAR) {
			loader_error(l, item, "must be the name of a set or vm:NAME");
			continue;
		}
		name = str_after(i->text, "vm:");
		if (name) {
			read_vm_name(l, item, name, rule);
			continue;
		}
		found = check_reference(l, item, &l->p->sets, i->text, "vm_set");
		if (found != NAMES_NONE)
			rule->sets.v[rule->sets.n++] = found;
	}
	text_list_sort(&rule->vms);
	index_list_sort(&rule->sets);
}

/* ----------------------------------------------------------- privileges */

/* Everything that the rule's roles carry, and room for @more su targets. */
static void add_roles(struct loader *l, struct rule *rule, size_t more)
{
	size_t n = more;

	for (uint32_t i = 0; i < rule->roles.n; i++)
		n += l->p->role_info[rule->roles.v[i]].su.n;
	if (!check_su_room(l, n))
		return;
	rule->su.v = loader_alloc(l, n, sizeof(*rule->su.v));
	for (uint32_t i = 0; i < rule->roles.n && rule->su.v; i++) {
		const struct model_role *r = &l->p->role_info[rule->roles.v[i]];

		rule->privileges |= r->privileges;
		for (uint32_t k = 0; k < r->su.n; k++)
			rule->su.v[rule->su.n++] = r->su.v[k];
	}
}

static void read_deny_privileges(struct loader *l, struct at at, struct rule *rule)
{
	for (const struct yaml_node *i = at.node->first; i && rule->su.v; i = i->next) {
		struct at item = {at.doc, i};

		if (i->kind == YAML_SCALAR && str_eq(i->text, "*"))
			rule->privileges = UINT64_MAX;
		else
			check_privilege(l, item, &rule->privileges, &rule->su);
	}
}

static void read_roles(struct loader *l, struct at at, struct rule *rule)
{
	const struct yaml_node *n = rules_get_list(l, at, "roles");

	if (n)
		check_references(l, (struct at){at.doc, n}, &l->p->roles, "role",
				 &rule->roles);
}

static void read_what(struct loader *l, struct at at, struct rule *rule)
{
	const struct yaml_node *privileges = NULL;

	if (!rule->deny || yaml_get(at.node, "roles"))
		read_roles(l, at, rule);
	if (rule->deny &&
	    (!yaml_get(at.node, "roles") || yaml_get(at.node, "privileges")))
		privileges = rules_get_list(l, at, "privileges");
	add_roles(l, rule, privileges ? privileges->n_items : 0);
	if (privileges)
		read_deny_privileges(l, (struct at){at.doc, privileges}, rule);
	text_list_sort(&rule->su);
	if (rule->deny && rule->roles.n > 0 && rule->privileges == 0 && rule->su.n == 0)
		loader_error(l, at,
			     "the deny's roles carry no privilege: it denies nothing");
}

/* ----------------------------------------------------------------- rules */

static void read_when(struct loader *l, struct at at, struct rule *rule)
{
	static const char *const grant_when[] = {"mfa", "from", "time", NULL};
	static const char *const deny_when[] = {"from", "time", NULL};
	struct at item = at;

	if (!check_kind(l, at, YAML_MAP, "when"))
		return;
	yaml_check_keys(at.doc, at.node, rule->deny ? deny_when : grant_when, l->diag);
	item.node = yaml_get(at.node, "mfa");
	if (item.node && !rule->deny)
		when_read_mfa(l, item, rule);
	item.node = yaml_get(at.node, "from");
	if (item.node)
		when_read_from(l, item, rule);
	item.node = yaml_get(at.node, "time");
	if (item.node)
		when_read_time(l, item, rule);
}

static const char *read_text(struct loader *l, struct at at, const char *key)
{
	const struct yaml_node *n = yaml_get(at.node, key);

	return n ? check_text(l, (struct at){at.doc, n}, key) : NULL;
}

static void read_rule(struct loader *l, struct at at, struct rule *rule)
{
	struct at item = at;

	yaml_check_keys(at.doc, at.node, rule->deny ? deny_keys : grant_keys, l->diag);
	rule->mfa = rule->deny ? NULL : &l->p->default_mfa;
	read_what(l, at, rule);
	item.node = yaml_get(at.node, "when");
	if (item.node)
		read_when(l, item, rule);
	if (rule->deny)
		return;
	item.node = yaml_get(at.node, "valid");
	if (item.node)
		when_read_valid(l, item, rule);
	item.node = yaml_get(at.node, "review");
	if (item.node)
		when_read_review(l, item, rule);
}

/*
 * The console waives groups and hours and nothing else, so people are named directly
 * and the place is fixed.
 */
static void read_glass(struct loader *l, struct at at, struct rule *rule)
{
	static const char *const keys[] = {"id",    "to",    "vms", "privileges", "mfa",
					   "alert", "owner", "why", NULL};
	const struct yaml_node *list = rules_get_list(l, at, "privileges"), *n;
	struct at item = at;

	yaml_check_keys(at.doc, at.node, keys, l->diag);
	for (uint32_t i = 0; i < rule->to.n; i++)
		if (rule->to.v[i] < l->p->groups.n)
			loader_error(l, at,
				     "break_glass does without groups: '%s' must be "
				     "user:NAME or local:NAME",
				     l->p->groups.v[rule->to.v[i]]);
	for (n = list ? list->first : NULL; n; n = n->next)
		if (n->kind != YAML_SCALAR || !str_eq(n->text, "console"))
			loader_error(l, (struct at){at.doc, n},
				     "break_glass is for the console only");
	rule->privileges = UINT64_C(1) << names_find(&l->p->privileges, "console");
	rule->from = loader_alloc(l, 1, sizeof(*rule->from));
	if (rule->from)
		rule->from[rule->n_from++].local = true;
	rule->mfa = &l->p->default_mfa;
	item.node = yaml_get(at.node, "mfa");
	if (item.node)
		when_read_mfa(l, item, rule);
	rule->alert = read_text(l, at, "alert");
	if (!rule->alert ||
	    (!str_eq(rule->alert, "page") && !str_eq(rule->alert, "log")))
		loader_error(l, at, "break_glass needs 'alert': page or log");
}

static void read_section(struct loader *l, enum section s, struct rules *rules)
{
	const struct decls *d = &l->decls[s];

	rules->v = loader_alloc(l, d->n, sizeof(*rules->v));
	rules->n = (uint32_t)d->n;
	for (size_t i = 0; i < d->n && l->err == 0; i++) {
		struct at at = {d->v[i].doc, d->v[i].node};
		struct rule *rule = &rules->v[i];

		rule->id = d->v[i].name;
		rule->deny = s == SECTION_DENIES;
		rule->valid_from_s = INT64_MIN;
		rule->where = loader_where(l, at);
		rules_read_to(l, at, &rule->to);
		rules_read_vms(l, at, "vms", rule);
		if (s == SECTION_GLASS)
			read_glass(l, at, rule);
		else
			read_rule(l, at, rule);
		rule->message = read_text(l, at, "message");
		rule->owner = read_text(l, at, "owner");
		rule->why = read_text(l, at, "why");
	}
}

/* -------------------------------------------------------------- defaults */

static void read_tz(struct loader *l, struct at at)
{
	if (at.node->kind != YAML_SCALAR) {
		loader_error(l, at, "'tz' must be a time zone such as Europe/Berlin");
		return;
	}
	l->p->zone = loader_zone(l, at, at.node->text);
	l->p->tz = loader_text(l, at.node->text);
}

static void read_defaults(struct loader *l, struct at at)
{
	static const char *const keys[] = {"mfa", "tz", NULL};
	struct at item = at;

	if (!check_kind(l, at, YAML_MAP, "defaults"))
		return;
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	item.node = yaml_get(at.node, "tz");
	if (item.node)
		read_tz(l, item);
	item.node = yaml_get(at.node, "mfa");
	if (item.node)
		when_read_default_mfa(l, item);
}

void rules_define_all(struct loader *l)
{
	when_init_default_mfa(l);
	for (size_t i = 0; i < l->n_docs && l->err == 0; i++) {
		const struct yaml_node *n = yaml_get(yaml_root(l->docs[i]), "defaults");

		if (n)
			read_defaults(l, (struct at){l->docs[i], n});
	}
	if (l->err == 0 && !l->p->zone)
		l->p->zone =
			loader_zone(l, (struct at){0}, "UTC"); /* no file: no error */
	if (l->err == 0)
		read_section(l, SECTION_GRANTS, &l->p->grants);
	if (l->err == 0)
		read_section(l, SECTION_DENIES, &l->p->denies);
	if (l->err == 0)
		read_section(l, SECTION_GLASS, &l->p->glass);
}
