/* SPDX-License-Identifier: Apache-2.0 */
/* config_directory.c - the section `directory:` of rbacd.yaml. */

#include <errno.h>

#include "rbacd/config_internal.h"

#define MAX_STALE_S	   (24 * 3600)
#define PRIVILEGED_STALE_S (15 * 60) /* sudo and su, source ldap */
#define STALES_MAX	   16
#define URIS_MAX	   8
#define URI_MAX_LEN	   255
#define GUARD_GROUPS_MAX   64
#define DN_MAX_LEN	   1024
#define FILTER_MAX_LEN	   512
#define GUARD_SHARE	   30
#define GUARD_GROWTH	   10
#define POLL_S		   15
#define RECONCILE_S	   (24 * 3600)

/* ------------------------------------------------------------------ checks */

static bool begins(const char *text, const char *prefix)
{
	return strlen(text) > strlen(prefix) &&
	       memcmp(text, prefix, strlen(prefix)) == 0;
}

/* Only host and port: a base, filter or extension in the URI would say things twice. */
static const char *bad_uri(const char *text)
{
	static const char hosts[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-:[]";
	static const char paths[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-%";
	const char *rest = NULL;

	if (strlen(text) > URI_MAX_LEN)
		return "must be at most 255 bytes";
	if (begins(text, "ldapi://")) {
		rest = text + strlen("ldapi://");
		return rest[strspn(rest, paths)] == '\0'
			       ? NULL
			       : "must be ldapi:// and a path with %2f for each '/'";
	}
	if (begins(text, "ldaps://"))
		rest = text + strlen("ldaps://");
	else if (begins(text, "ldap://"))
		rest = text + strlen("ldap://");
	if (!rest || rest[strspn(rest, hosts)] != '\0')
		return "must be ldaps://HOST[:PORT], ldap://HOST[:PORT] (with "
		       "StartTLS) or ldapi://PATH, and nothing behind it";
	return NULL;
}

static const char *bad_dn(const char *text)
{
	if (!*text || strlen(text) > DN_MAX_LEN || config_has_control(text) ||
	    !strchr(text, '='))
		return "must be a DN such as ou=people,dc=example,dc=com; the root of "
		       "the tree is not a base";
	return NULL;
}

static const char *bad_filter(const char *text)
{
	size_t len = strlen(text);

	if (len < 3 || len > FILTER_MAX_LEN || text[0] != '(' || text[len - 1] != ')' ||
	    config_has_control(text))
		return "must be an LDAP filter in brackets";
	return NULL;
}

static const char *bad_attribute(const char *text)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-";

	if (!*text || strlen(text) > 63 || text[strspn(text, chars)] != '\0')
		return "must be an attribute's name";
	return NULL;
}

static const char *bad_group(const char *text)
{
	return !*text || strlen(text) > 255 || config_has_control(text)
		       ? "must be a group's name"
		       : NULL;
}

static const char *bad_schema(const char *text)
{
	static const char *const known[] = {"rfc2307", "rfc2307bis", "ipa", "ad",
					    "custom"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(text, known[i]))
			return NULL;
	return "must be rfc2307, rfc2307bis, ipa, ad or custom";
}

/* -------------------------------------------------------------------- read */

static const char *const source_names[] = {[CONFIG_SOURCE_NSS] = "nss",
					   [CONFIG_SOURCE_FILE] = "file",
					   [CONFIG_SOURCE_LDAP] = "ldap"};

const char *config_source_name(enum config_source source)
{
	return source_names[source];
}

static void read_source(struct config_reader *r, const struct yaml_node *n)
{
	if (!config_want_kind(r, n, YAML_SCALAR))
		return;
	for (size_t i = CONFIG_SOURCE_NSS; i < ARRAY_SIZE(source_names); i++)
		if (str_eq(n->text, source_names[i])) {
			r->config->source = (enum config_source)i;
			return;
		}
	yaml_error(r->doc, n, r->diag, "must be nss, file or ldap");
}

static void read_duration(struct config_reader *r, const struct yaml_node *n,
			  int64_t min_s, int64_t max_s, int64_t *ret)
{
	int64_t s;

	if (yaml_get_duration(r->doc, n, &s, r->diag) != 0)
		return; /* reported */
	if (s < min_s && min_s == 60)
		yaml_error(r->doc, n, r->diag, "must be at least 1m");
	else if (s < min_s || s > max_s)
		yaml_error(r->doc, n, r->diag, "must be from %llds to %llds",
			   (long long)min_s, (long long)max_s);
	else
		*ret = s;
}

static void read_stale(struct config_reader *r, const struct yaml_node *n)
{
	struct config *c = r->config;
	struct config_stale *s;

	if (str_eq(n->key, "default")) {
		read_duration(r, n, 60, INT64_MAX, &c->max_stale_s);
		return;
	}
	if (config_bad_name(n->key)) {
		yaml_error_key(r->doc, n, r->diag, "must be a privilege or default");
		return;
	}
	s = &c->stale[c->n_stale++];
	config_set_string(r, &s->privilege, n->key);
	read_duration(r, n, 60, INT64_MAX, &s->max_s);
}

/* One duration for all, or a map of privileges with `default`. */
static void read_max_stale(struct config_reader *r, const struct yaml_node *n)
{
	struct config *c = r->config;

	if (n->kind == YAML_SCALAR) {
		read_duration(r, n, 60, INT64_MAX, &c->max_stale_s);
		return;
	}
	if (!config_list_fits(r, n, YAML_MAP, STALES_MAX))
		return;
	c->stale = calloc(n->n_items + 1, sizeof(*c->stale));
	if (!c->stale) {
		r->error = -ENOMEM;
		return;
	}
	for (const struct yaml_node *i = n->first; i; i = i->next)
		read_stale(r, i);
}

static void read_list(struct config_reader *r, const struct yaml_node *map,
		      const char *key, size_t max, config_check_fn bad, char ***ret,
		      size_t *ret_n)
{
	const struct yaml_node *n = yaml_get(map, key);

	if (!n || !config_list_fits(r, n, YAML_LIST, max))
		return;
	*ret = calloc(n->n_items + 1, sizeof(**ret));
	if (!*ret) {
		r->error = -ENOMEM;
		return;
	}
	for (const struct yaml_node *i = n->first; i; i = i->next)
		if (config_check_text(r, i, bad) && r->error == 0)
			config_set_string(r, &(*ret)[(*ret_n)++], i->text);
}

static void read_bind(struct config_reader *r, const struct yaml_node *dir)
{
	static const char *const known[] = {"dn", "password_file", "sasl", NULL};
	const struct yaml_node *bind = config_section(r, dir, "bind", known);
	const struct yaml_node *sasl = yaml_get(bind, "sasl");
	struct config_ldap *l = &r->config->ldap;

	if (sasl && (sasl->kind != YAML_SCALAR || !str_eq(sasl->text, "external")))
		yaml_error(r->doc, sasl, r->diag, "must be external");
	config_read_text(r, bind, "dn", bad_dn, &l->bind_dn);
	config_read_text(r, bind, "password_file", config_bad_path, &l->password_file);
	if (sasl)
		l->bind = CONFIG_BIND_EXTERNAL;
	else if (l->bind_dn && l->password_file)
		l->bind = CONFIG_BIND_SIMPLE;
	if (bind && (sasl ? l->bind_dn || l->password_file : l->bind == 0))
		yaml_error(r->doc, bind, r->diag,
			   "must be {dn: ..., password_file: ...} or {sasl: "
			   "external}; nobody binds without a name and a password");
}

static void read_guard(struct config_reader *r, const struct yaml_node *dir)
{
	static const char *const known[] = {"share", "groups", "growth", NULL};
	const struct yaml_node *guard = config_section(r, dir, "guard", known);
	const struct yaml_node *share = yaml_get(guard, "share");
	const struct yaml_node *growth = yaml_get(guard, "growth");
	struct config_ldap *l = &r->config->ldap;
	uint64_t n;

	if (share && yaml_get_u64(r->doc, share, 100, &n, r->diag) == 0)
		l->guard_share = (unsigned)n;
	if (growth && yaml_get_u64(r->doc, growth, 1000000, &n, r->diag) == 0)
		l->guard_growth = (unsigned)n;
	read_list(r, guard, "groups", GUARD_GROUPS_MAX, bad_group, &l->guard_groups,
		  &l->n_guard_groups);
}

static void read_trees(struct config_reader *r, const struct yaml_node *dir)
{
	static const char *const user_keys[] = {"base", "filter", "login", "uid", NULL};
	static const char *const group_keys[] = {"base", "filter", "name", "member",
						 NULL};
	const struct yaml_node *users = config_section(r, dir, "users", user_keys);
	const struct yaml_node *groups = config_section(r, dir, "groups", group_keys);
	struct config_ldap *l = &r->config->ldap;

	config_read_text(r, users, "base", bad_dn, &l->users_base);
	config_read_text(r, users, "filter", bad_filter, &l->users_filter);
	config_read_text(r, users, "login", bad_attribute, &l->users_login);
	config_read_text(r, users, "uid", bad_attribute, &l->users_uid);
	config_read_text(r, groups, "base", bad_dn, &l->groups_base);
	config_read_text(r, groups, "filter", bad_filter, &l->groups_filter);
	config_read_text(r, groups, "name", bad_attribute, &l->groups_name);
	config_read_text(r, groups, "member", bad_attribute, &l->groups_member);
}

static void read_ldap(struct config_reader *r, const struct yaml_node *dir)
{
	static const char *const tls_keys[] = {"ca", "cert", "key", NULL};
	const struct yaml_node *tls = config_section(r, dir, "tls", tls_keys);
	const struct yaml_node *poll = yaml_get(dir, "poll");
	const struct yaml_node *reconcile = yaml_get(dir, "reconcile");
	struct config_ldap *l = &r->config->ldap;

	read_list(r, dir, "uris", URIS_MAX, bad_uri, &l->uris, &l->n_uris);
	read_bind(r, dir);
	config_read_text(r, tls, "ca", config_bad_path, &l->ca);
	config_read_text(r, tls, "cert", config_bad_path, &l->cert);
	config_read_text(r, tls, "key", config_bad_path, &l->key);
	config_read_text(r, dir, "schema", bad_schema, &l->schema);
	read_trees(r, dir);
	if (poll)
		read_duration(r, poll, 1, 3600, &l->poll_s);
	if (reconcile)
		read_duration(r, reconcile, 10, RECONCILE_S, &l->reconcile_s);
	read_guard(r, dir);
}

void config_directory_read(struct config_reader *r, const struct yaml_node *root)
{
	static const char *const known[] = {"source", "people", "user", "max_stale",
					    "uris",   "bind",	"tls",	"schema",
					    "users",  "groups", "poll", "reconcile",
					    "guard",  NULL};
	const struct yaml_node *dir = config_section(r, root, "directory", known);
	const struct yaml_node *source = yaml_get(dir, "source");
	const struct yaml_node *max_stale = yaml_get(dir, "max_stale");

	if (source)
		read_source(r, source);
	if (max_stale)
		read_max_stale(r, max_stale);
	config_read_text(r, dir, "people", config_bad_path, &r->config->people);
	config_read_text(r, dir, "user", config_bad_account,
			 &r->config->directory_user);
	read_ldap(r, dir);
}

/* ------------------------------------------------------------------ finish */

void config_directory_defaults(struct config_reader *r)
{
	struct config *c = r->config;

	config_set_string(r, &c->directory_user, "rbacd-dir");
	config_set_string(r, &c->people, VMSEC_SYSCONFDIR "/rbacd/people.yaml");
	config_set_string(r, &c->ldap.schema, "rfc2307");
	c->source = CONFIG_SOURCE_NSS;
	c->max_stale_s = MAX_STALE_S;
	c->ldap.poll_s = POLL_S;
	c->ldap.reconcile_s = RECONCILE_S;
	c->ldap.guard_share = GUARD_SHARE;
	c->ldap.guard_growth = GUARD_GROWTH;
}

static void need(struct config_reader *r, bool ok, const char *what)
{
	if (!ok)
		diags_add(r->diag, r->config->path, 0, 0, NULL,
			  "directory: source ldap needs %s", what);
}

static void check_ldap(struct config_reader *r)
{
	const struct config_ldap *l = &r->config->ldap;
	bool remote = false;

	for (size_t i = 0; i < l->n_uris; i++)
		remote = remote || !begins(l->uris[i], "ldapi://");
	need(r, l->n_uris > 0, "uris: [ldaps://HOST]");
	need(r, l->bind != 0,
	     "bind: {dn: ..., password_file: ...} or {sasl: external}");
	need(r, l->users_base && l->groups_base,
	     "users: {base: DN} and groups: {base: DN}");
	need(r, !remote || l->ca, "tls: {ca: FILE}, the only CA it trusts");
	need(r, !l->cert == !l->key, "cert and key together");
	need(r, !remote || l->bind != CONFIG_BIND_EXTERNAL || l->cert,
	     "tls: {cert: FILE, key: FILE} for sasl external over the network");
}

/* Without a map of its own, sudo and su trust a silent directory for 15 minutes. */
static void privileged_stale(struct config_reader *r)
{
	struct config *c = r->config;
	static const char *const names[] = {"sudo", "su"};

	if (c->source != CONFIG_SOURCE_LDAP || c->stale)
		return;
	c->stale = calloc(ARRAY_SIZE(names), sizeof(*c->stale));
	if (!c->stale) {
		r->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		c->stale[c->n_stale].max_s = PRIVILEGED_STALE_S;
		config_set_string(r, &c->stale[c->n_stale++].privilege, names[i]);
	}
}

void config_directory_finish(struct config_reader *r)
{
	struct config *c = r->config;

	if (str_eq(c->user, c->directory_user))
		diags_add(
			r->diag, c->path, 0, 0, NULL,
			"user and directory.user must be two accounts: rbacd-dir runs "
			"foreign code and must not reach rbacd's data");
	if (c->source == CONFIG_SOURCE_LDAP)
		check_ldap(r);
	privileged_stale(r);
}

int64_t config_max_stale(const struct config *c, const char *privilege)
{
	for (size_t i = 0; i < c->n_stale; i++)
		if (str_eq(c->stale[i].privilege, privilege))
			return c->stale[i].max_s < c->max_stale_s ? c->stale[i].max_s
								  : c->max_stale_s;
	return c->max_stale_s;
}

static void free_list(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void config_directory_free(struct config *c)
{
	struct config_ldap *l = &c->ldap;
	char *texts[] = {l->bind_dn,	 l->password_file, l->ca,
			 l->cert,	 l->key,	   l->schema,
			 l->users_base,	 l->groups_base,   l->users_filter,
			 l->users_login, l->users_uid,	   l->groups_filter,
			 l->groups_name, l->groups_member, c->directory_user,
			 c->people};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	free_list(l->uris, l->n_uris);
	free_list(l->guard_groups, l->n_guard_groups);
	for (size_t i = 0; i < c->n_stale; i++)
		free(c->stale[i].privilege);
	free(c->stale);
}

/* ------------------------------------------------------------------- print */

/* `{key: 'text', ...}`; keys without a value are left out. */
struct pair {
	const char *key, *text;
};

static void print_pairs(FILE *out, const char *name, const struct pair *v, size_t n)
{
	bool any = false;

	(void)fprintf(out, "  %s: {", name); /* config_print() asks ferror() once */
	for (size_t i = 0; i < n; i++) {
		if (!v[i].text)
			continue;
		(void)fprintf(out, "%s%s: ", any ? ", " : "", v[i].key);
		config_print_quoted(out, v[i].text);
		any = true;
	}
	(void)fputs("}\n", out);
}

static void print_texts(FILE *out, char *const *v, size_t n)
{
	(void)fputc('[', out);
	for (size_t i = 0; i < n; i++) {
		(void)fputs(i > 0 ? ", " : "", out);
		config_print_quoted(out, v[i]);
	}
	(void)fputc(']', out);
}

static void print_ldap(const struct config_ldap *l, FILE *out)
{
	const struct pair bind[] = {{"dn", l->bind_dn},
				    {"password_file", l->password_file},
				    {"sasl", l->bind == CONFIG_BIND_EXTERNAL
						     ? "external"
						     : NULL}};
	const struct pair tls[] = {{"ca", l->ca}, {"cert", l->cert}, {"key", l->key}};
	const struct pair users[] = {{"base", l->users_base},
				     {"filter", l->users_filter},
				     {"login", l->users_login},
				     {"uid", l->users_uid}};
	const struct pair groups[] = {{"base", l->groups_base},
				      {"filter", l->groups_filter},
				      {"name", l->groups_name},
				      {"member", l->groups_member}};

	(void)fputs("  uris: ", out);
	print_texts(out, l->uris, l->n_uris);
	(void)fputc('\n', out);
	print_pairs(out, "bind", bind, ARRAY_SIZE(bind));
	print_pairs(out, "tls", tls, ARRAY_SIZE(tls));
	config_print_setting(out, "  schema", l->schema);
	print_pairs(out, "users", users, ARRAY_SIZE(users));
	print_pairs(out, "groups", groups, ARRAY_SIZE(groups));
	(void)fprintf(out, "  poll: %llds\n  reconcile: %llds\n", (long long)l->poll_s,
		      (long long)l->reconcile_s);
	(void)fprintf(out, "  guard: {share: %u, growth: %u, groups: ", l->guard_share,
		      l->guard_growth);
	print_texts(out, l->guard_groups, l->n_guard_groups);
	(void)fputs("}\n", out);
}

void config_directory_print(const struct config *c, FILE *out)
{
	(void)fprintf(out, "directory:\n");
	config_print_setting(out, "  source", config_source_name(c->source));
	config_print_setting(out, "  people", c->people);
	config_print_setting(out, "  user", c->directory_user);
	(void)fprintf(out, "  max_stale: {default: %llds", (long long)c->max_stale_s);
	for (size_t i = 0; i < c->n_stale; i++) {
		(void)fputs(", ", out);
		config_print_quoted(out, c->stale[i].privilege);
		(void)fprintf(out, ": %llds", (long long)c->stale[i].max_s);
	}
	(void)fputs("}\n", out);
	if (c->source == CONFIG_SOURCE_LDAP)
		print_ldap(&c->ldap, out);
}
