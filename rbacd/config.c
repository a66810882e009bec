/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - rbacd.yaml to a checked struct and back; before the pipeline starts. */

#include "rbacd/config.h"

#include <errno.h>

#include "rbacd/config_internal.h"
#include "rbacd/log.h"

#define PATH_MAX_LEN   512
#define RUN_MAX_LEN    80 /* leaves room for /pam/pam.sock in a socket address */
#define LABELS_MAX     64
#define ADMINS_MAX     64
#define SERVICES_MAX   16
#define ISSUER_MAX_LEN 64

/* ---------------------------------------------------------------- scalars */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

const char *config_bad_name(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > POLICY_NAME_MAX || text[0] == '-')
		return "must be 1 to 64 letters, digits, '.', '_' or '-'";
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(text[i]))
			return "must be 1 to 64 letters, digits, '.', '_' or '-'";
	return NULL;
}

const char *config_bad_account(const char *text)
{
	if (str_eq(text, "root") || text[strspn(text, "0")] == '\0')
		return "must not be root: the daemons give up root's rights";
	return config_bad_name(text);
}

static const char *bad_vm(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > POLICY_VM_MAX || text[0] == '-' || text[0] == '.')
		return "must be a host name of 1 to 253 characters";
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(text[i]) || (text[i] >= 'A' && text[i] <= 'Z'))
			return "must be a host name of a-z, 0-9, '.', '_' and '-'";
	return NULL;
}

bool config_has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

const char *config_bad_path(const char *text)
{
	size_t len = strlen(text);

	if (text[0] != '/' || len < 2 || len > PATH_MAX_LEN || config_has_control(text))
		return "must be an absolute path of at most 512 bytes";
	if (text[len - 1] == '/' || strstr(text, "//"))
		return "must have no empty part and no '/' at its end";
	if (strstr(text, "/../") || strstr(text, "/./") ||
	    (len >= 3 && str_eq(text + len - 3, "/..")) || str_eq(text + len - 2, "/."))
		return "must have no part '.' or '..'";
	return NULL;
}

static const char *bad_run(const char *text)
{
	if (strlen(text) > RUN_MAX_LEN)
		return "must be at most 80 bytes: socket paths are short";
	return config_bad_path(text);
}

/* The issuer ends up in an otpauth URI, where ':' divides it from the account. */
static const char *bad_issuer(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > ISSUER_MAX_LEN || config_has_control(text) ||
	    strchr(text, ':'))
		return "must be 1 to 64 bytes of text without ':'";
	return NULL;
}

void config_set_string(struct config_reader *r, char **dst, const char *text)
{
	char *copy = strdup(text);

	if (!copy) {
		r->error = -ENOMEM;
		return;
	}
	free(*dst);
	*dst = copy;
}

bool config_want_kind(struct config_reader *r, const struct yaml_node *n,
		      enum yaml_kind kind)
{
	static const char *const names[] = {
		[YAML_SCALAR] = "text", [YAML_LIST] = "a list", [YAML_MAP] = "a map"};

	if (n->kind == kind)
		return true;
	yaml_error(r->doc, n, r->diag, "must be %s", names[kind]);
	return false;
}

bool config_check_text(struct config_reader *r, const struct yaml_node *n,
		       config_check_fn bad)
{
	const char *why;

	if (!config_want_kind(r, n, YAML_SCALAR))
		return false;
	why = bad(n->text);
	if (why)
		yaml_error(r->doc, n, r->diag, "%s", why);
	return !why;
}

/* A missing key leaves the default. */
void config_read_text(struct config_reader *r, const struct yaml_node *map,
		      const char *key, config_check_fn bad, char **dst)
{
	const struct yaml_node *n = yaml_get(map, key);

	if (n && config_check_text(r, n, bad))
		config_set_string(r, dst, n->text);
}

/* --------------------------------------------------------------- sections */

const struct yaml_node *config_section(struct config_reader *r,
				       const struct yaml_node *map, const char *key,
				       const char *const *known)
{
	const struct yaml_node *n = yaml_get(map, key);

	if (!n || !config_want_kind(r, n, YAML_MAP))
		return NULL;
	yaml_check_keys(r->doc, n, known, r->diag);
	return n;
}

bool config_list_fits(struct config_reader *r, const struct yaml_node *n,
		      enum yaml_kind kind, size_t max)
{
	if (!config_want_kind(r, n, kind))
		return false;
	if (n->n_items <= max)
		return true;
	yaml_error(r->doc, n, r->diag, "must have at most %zu entries", max);
	return false;
}

static void read_labels(struct config_reader *r, const struct yaml_node *n)
{
	struct config *c = r->config;

	if (!config_list_fits(r, n, YAML_MAP, LABELS_MAX) || n->n_items == 0)
		return;
	c->labels = calloc(n->n_items, sizeof(*c->labels));
	if (!c->labels) {
		r->error = -ENOMEM;
		return;
	}
	for (const struct yaml_node *i = n->first; i; i = i->next) {
		struct policy_label *label = &c->labels[c->n_labels];
		const char *why = config_bad_name(i->key);

		if (why)
			yaml_error_key(r->doc, i, r->diag, "a label's name %s", why);
		if (why || !config_check_text(r, i, config_bad_name))
			continue;
		c->n_labels++;
		label->key = strdup(i->key);
		label->value = strdup(i->text);
		if (!label->key || !label->value)
			r->error = -ENOMEM;
	}
}

static void read_vm(struct config_reader *r, const struct yaml_node *root)
{
	static const char *const known[] = {"name", "labels", NULL};
	const struct yaml_node *vm = config_section(r, root, "vm", known);
	const struct yaml_node *labels = yaml_get(vm, "labels");

	config_read_text(r, vm, "name", bad_vm, &r->config->vm);
	if (labels)
		read_labels(r, labels);
}

static void read_admins(struct config_reader *r, const struct yaml_node *n)
{
	struct config *c = r->config;
	uint64_t uid;

	if (!config_list_fits(r, n, YAML_LIST, ADMINS_MAX) || n->n_items == 0)
		return;
	c->admins = calloc(n->n_items, sizeof(*c->admins));
	if (!c->admins) {
		r->error = -ENOMEM;
		return;
	}
	for (const struct yaml_node *i = n->first; i; i = i->next)
		if (yaml_get_u64(r->doc, i, UINT32_MAX - 1, &uid, r->diag) == 0)
			c->admins[c->n_admins++] = (uint32_t)uid;
}

static void free_services(struct config *c)
{
	for (size_t i = 0; i < c->n_sshd_services; i++)
		free(c->sshd_services[i]);
	free(c->sshd_services);
	c->sshd_services = NULL;
	c->n_sshd_services = 0;
}

static void read_services(struct config_reader *r, const struct yaml_node *n)
{
	struct config *c = r->config;

	if (!config_list_fits(r, n, YAML_LIST, SERVICES_MAX))
		return;
	free_services(c);
	if (n->n_items == 0)
		return;
	c->sshd_services = calloc(n->n_items, sizeof(*c->sshd_services));
	if (!c->sshd_services) {
		r->error = -ENOMEM;
		return;
	}
	for (const struct yaml_node *i = n->first; i; i = i->next)
		if (config_check_text(r, i, config_bad_name))
			config_set_string(r, &c->sshd_services[c->n_sshd_services++],
					  i->text);
	if (r->error != 0)
		free_services(c); /* may hold a NULL */
}

static const char *const level_names[] = {
	[LOG_LEVEL_ERR] = "err",       [LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static void read_log(struct config_reader *r, const struct yaml_node *root)
{
	static const char *const known[] = {"to", "level", NULL};
	const struct yaml_node *log = config_section(r, root, "log", known);
	const struct yaml_node *to = yaml_get(log, "to");
	const struct yaml_node *level = yaml_get(log, "level");
	bool found = false;

	if (to && to->kind == YAML_SCALAR && str_eq(to->text, "syslog"))
		r->config->log_to_syslog = true;
	else if (to && (to->kind != YAML_SCALAR || !str_eq(to->text, "stderr")))
		yaml_error(r->doc, to, r->diag, "must be stderr or syslog");
	if (!level)
		return;
	for (size_t i = LOG_LEVEL_ERR; i < ARRAY_SIZE(level_names); i++)
		if (level->kind == YAML_SCALAR && str_eq(level->text, level_names[i])) {
			r->config->log_level = (int)i;
			found = true;
		}
	if (!found)
		yaml_error(r->doc, level, r->diag,
			   "must be err, warning, notice, info or debug");
}

static const char *const sandbox_names[] = {
	[SANDBOX_REFUSE] = "refuse",
	[SANDBOX_KILL] = "kill",
	[SANDBOX_OFF] = "off",
};

const char *config_sandbox_name(enum sandbox_mode mode)
{
	return sandbox_names[mode];
}

static void read_sandbox(struct config_reader *r, const struct yaml_node *n)
{
	bool found = false;

	for (size_t i = SANDBOX_REFUSE; i < ARRAY_SIZE(sandbox_names); i++)
		if (n->kind == YAML_SCALAR && str_eq(n->text, sandbox_names[i])) {
			r->config->sandbox = (enum sandbox_mode)i;
			found = true;
		}
	if (!found)
		yaml_error(r->doc, n, r->diag, "must be refuse, kill or off");
}

static void read_clock(struct config_reader *r, const struct yaml_node *root)
{
	static const char *const known[] = {"require_sync", NULL};
	const struct yaml_node *clock = config_section(r, root, "clock", known);
	const struct yaml_node *sync = yaml_get(clock, "require_sync");

	if (sync && yaml_get_bool(r->doc, sync, &r->config->require_sync, r->diag) != 0)
		return; /* said; nothing else to read here */
}

static void read_root(struct config_reader *r, const struct yaml_node *root)
{
	static const char *const known[] = {"rbacd",  "user",	       "vm",
					    "policy", "state",	       "run",
					    "key",    "issuer",	       "directory",
					    "admins", "sshd_services", "log",
					    "clock",  "audit",	       "sandbox",
					    "notify", "anchor",	       NULL};
	struct config *c = r->config;
	const struct yaml_node *version = yaml_get(root, "rbacd");
	const struct yaml_node *admins = yaml_get(root, "admins");
	const struct yaml_node *services = yaml_get(root, "sshd_services");
	const struct yaml_node *sandbox = yaml_get(root, "sandbox");

	yaml_check_keys(r->doc, root, known, r->diag);
	if (!version)
		yaml_error(r->doc, root, r->diag,
			   "the format version is missing: write 'rbacd: 1'");
	else if (version->kind != YAML_SCALAR || !str_eq(version->text, "1"))
		yaml_error(r->doc, version, r->diag, "must be 1, the format version");
	config_read_text(r, root, "user", config_bad_account, &c->user);
	config_read_text(r, root, "policy", config_bad_path, &c->policy);
	config_read_text(r, root, "state", config_bad_path, &c->state_dir);
	config_read_text(r, root, "run", bad_run, &c->run_dir);
	config_read_text(r, root, "anchor", config_bad_path, &c->anchor_dir);
	config_read_text(r, root, "key", config_bad_path, &c->key_file);
	config_read_text(r, root, "issuer", bad_issuer, &c->issuer);
	config_read_text(r, root, "notify", config_bad_path, &c->notify);
	read_vm(r, root);
	config_directory_read(r, root);
	config_audit_read(r, root);
	if (admins)
		read_admins(r, admins);
	if (services)
		read_services(r, services);
	if (sandbox)
		read_sandbox(r, sandbox);
	read_log(r, root);
	read_clock(r, root);
}

/* --------------------------------------------------------------- defaults */

static void set_defaults(struct config_reader *r)
{
	struct config *c = r->config;

	config_set_string(r, &c->user, CONFIG_USER);
	config_set_string(r, &c->policy, VMSEC_SYSCONFDIR "/rbacd/policy.d");
	config_set_string(r, &c->state_dir, VMSEC_STATEDIR);
	config_set_string(r, &c->run_dir, VMSEC_RUNDIR);
	config_set_string(r, &c->key_file, VMSEC_SYSCONFDIR "/rbacd/master.key");
	config_directory_defaults(r);
	config_audit_defaults(r);
	c->log_level = LOG_LEVEL_INFO;
	c->sandbox = SANDBOX_REFUSE;
	c->sshd_services = calloc(1, sizeof(*c->sshd_services));
	if (!c->sshd_services) {
		r->error = -ENOMEM;
		return;
	}
	c->n_sshd_services = 1;
	config_set_string(r, &c->sshd_services[0], "sshd");
}

/* The host's own name; host names know no case, the policy knows small letters only. */
static void default_vm(struct config_reader *r)
{
	char name[POLICY_VM_MAX + 2] = "";
	const char *why;

	if (gethostname(name, sizeof(name) - 1) != 0)
		name[0] = '\0';
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	why = bad_vm(name);
	if (why)
		diags_add(r->diag, r->config->path, 0, 0, NULL,
			  "this host's own name %s; set vm: {name: ...}", why);
	else
		config_set_string(r, &r->config->vm, name);
}

/* Beside the state folder, not in it: that is what is put back as a whole. */
static void default_anchor(struct config_reader *r)
{
	char path[PATH_MAX_LEN + 8];

	(void)snprintf(path, sizeof(path), "%s-anchor",
		       r->config->state_dir); /* fits */
	if (!r->config->anchor_dir)
		config_set_string(r, &r->config->anchor_dir, path);
	(void)snprintf(path, sizeof(path), "%s/", r->config->state_dir); /* fits */
	if (r->config->anchor_dir &&
	    (str_after(r->config->anchor_dir, path) ||
	     str_eq(r->config->anchor_dir, r->config->state_dir)))
		diags_add(r->diag, r->config->path, 0, 0, NULL,
			  "anchor: must not lie in the state folder: it would be put "
			  "back together with it");
}

/* What depends on several keys, and what defaults to another key. */
static void finish(struct config_reader *r)
{
	struct config *c = r->config;

	if (!c->vm)
		default_vm(r);
	if (!c->issuer && c->vm)
		config_set_string(r, &c->issuer, c->vm);
	/* A host name may be longer than an issuer. */
	if (c->issuer && strlen(c->issuer) > ISSUER_MAX_LEN)
		c->issuer[ISSUER_MAX_LEN] = '\0';
	default_anchor(r);
	config_directory_finish(r);
	config_audit_finish(r);
}

int config_load(const char *path, struct config **ret, struct diags *diag)
{
	_cleanup_config_ struct config *c = calloc(1, sizeof(*c));
	_cleanup_yaml_ struct yaml_doc *doc = NULL;
	struct config_reader r = {.config = c, .diag = diag};
	int rc;

	if (!c)
		return -ENOMEM;
	rc = yaml_read_file(path, &doc, diag);
	if (rc != 0)
		return rc;
	r.doc = doc;
	config_set_string(&r, &c->path, path);
	set_defaults(&r);
	if (r.error != 0)
		return r.error;
	if (yaml_root(doc)->kind != YAML_MAP) {
		yaml_error(doc, yaml_root(doc), diag, "must be a map of settings");
		return YAML_E_INVALID;
	}
	read_root(&r, yaml_root(doc));
	if (r.error == 0)
		finish(&r);
	if (r.error != 0)
		return r.error;
	if (diags_failed(diag))
		return YAML_E_INVALID;
	*ret = STEAL(c);
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_labels; i++) {
		free((void *)(uintptr_t)c->labels[i].key); /* ours; const for readers */
		free((void *)(uintptr_t)c->labels[i].value);
	}
	free(c->labels);
	free_services(c);
	free(c->admins);
	free(c->path);
	free(c->user);
	free(c->vm);
	free(c->policy);
	free(c->state_dir);
	free(c->run_dir);
	free(c->anchor_dir);
	free(c->key_file);
	free(c->issuer);
	free(c->notify);
	config_directory_free(c);
	config_audit_free(c);
	free(c);
}

/* ------------------------------------------------------------------ print */

/* Single quotes know one escape only, the doubled quote; controls were refused. */
void config_print_quoted(FILE *out, const char *text)
{
	(void)fputc('\'', out); /* config_print() asks ferror() once */
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputc('\'', out);
		(void)fputc(*text, out);
	}
	(void)fputc('\'', out);
}

void config_print_setting(FILE *out, const char *key, const char *text)
{
	(void)fprintf(out, "%s: ", key);
	config_print_quoted(out, text);
	(void)fputc('\n', out);
}

static void print_lists(const struct config *c, FILE *out)
{
	(void)fprintf(out, "  labels: {");
	for (size_t i = 0; i < c->n_labels; i++) {
		(void)fputs(i > 0 ? ", " : "", out);
		config_print_quoted(out, c->labels[i].key);
		(void)fputs(": ", out);
		config_print_quoted(out, c->labels[i].value);
	}
	(void)fprintf(out, "}\nadmins: [");
	for (size_t i = 0; i < c->n_admins; i++)
		(void)fprintf(out, "%s%u", i > 0 ? ", " : "", c->admins[i]);
	(void)fprintf(out, "]\nsshd_services: [");
	for (size_t i = 0; i < c->n_sshd_services; i++) {
		(void)fputs(i > 0 ? ", " : "", out);
		config_print_quoted(out, c->sshd_services[i]);
	}
	(void)fprintf(out, "]\n");
}

int config_print(const struct config *c, FILE *out)
{
	(void)fprintf(out, "rbacd: 1\n");
	config_print_setting(out, "user", c->user);
	config_print_setting(out, "policy", c->policy);
	config_print_setting(out, "state", c->state_dir);
	config_print_setting(out, "run", c->run_dir);
	config_print_setting(out, "anchor", c->anchor_dir);
	config_print_setting(out, "key", c->key_file);
	config_print_setting(out, "issuer", c->issuer);
	if (c->notify)
		config_print_setting(out, "notify", c->notify);
	config_directory_print(c, out);
	(void)fprintf(out, "clock: {require_sync: %s}\n",
		      c->require_sync ? "true" : "false");
	config_audit_print(c, out);
	(void)fprintf(out, "sandbox: %s\n", config_sandbox_name(c->sandbox));
	(void)fprintf(out, "log: {to: %s, level: %s}\n",
		      c->log_to_syslog ? "syslog" : "stderr",
		      level_names[c->log_level]);
	(void)fprintf(out, "vm:\n");
	config_print_setting(out, "  name", c->vm);
	print_lists(c, out);
	return ferror(out) ? -EIO : 0;
}

const char *config_db_path(const struct config *c, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s/rbacd.db", c->state_dir); /* callers: PATH_MAX */
	return buf;
}

const char *config_blocklist_path(const struct config *c, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s/blocklist", c->state_dir); /* callers: PATH_MAX */
	return buf;
}
