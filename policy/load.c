/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - files to a policy: reads, merges, and runs the stages; the only I/O here. */
#include "policy/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "policy/compile.h"
#include "policy/print.h"
#include "policy/selftest.h"

void loader_error(struct loader *l, struct at at, const char *fmt, ...)
{
	_cleanup_free_ char *msg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		msg = NULL;
	va_end(ap);
	yaml_error(at.doc, at.node, l->diag, "%s", msg ? msg : "out of memory");
}

void *loader_alloc(struct loader *l, size_t n, size_t size)
{
	void *p = arena_array(&l->p->arena, n, size);

	if (!p && l->err == 0)
		l->err = -ENOMEM;
	return p;
}

const char *loader_text(struct loader *l, const char *text)
{
	const char *copy = arena_strndup(&l->p->arena, text, strlen(text));

	if (!copy && l->err == 0)
		l->err = -ENOMEM;
	return copy;
}

void loader_add(struct loader *l, enum section s, const char *name, size_t len,
		const struct yaml_doc *doc, const struct yaml_node *node)
{
	struct decls *d = &l->decls[s];
	const char *copy;

	if (d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 64;
		struct decl *grown = reallocarray(d->v, cap, sizeof(*grown));

		if (!grown) {
			l->err = -ENOMEM;
			return;
		}
		d->v = grown;
		d->cap = cap;
	}
	copy = arena_strndup(&l->p->arena, name, len);
	if (!copy) {
		l->err = -ENOMEM;
		return;
	}
	d->v[d->n++] = (struct decl){.name = copy, .doc = doc, .node = node};
}

struct policy_where loader_where(struct loader *l, struct at at)
{
	struct policy_where w = {0};

	for (size_t i = 0; i < l->n_docs && at.node; i++)
		if (l->docs[i] == at.doc)
			w = (struct policy_where){l->doc_name[i], at.node->line,
						  at.node->column};
	return w;
}

const struct tz_zone *loader_zone(struct loader *l, struct at at, const char *name)
{
	const struct tz_zone *zone;
	int r;

	for (size_t i = 0; i < l->n_zones; i++)
		if (str_eq(l->zones[i].name, name))
			return l->zones[i].zone;
	if (l->n_zones == ARRAY_SIZE(l->zones)) {
		loader_error(l, at, "more than %d time zones", POLICY_ZONES_MAX);
		return NULL;
	}
	r = tz_zone_load(name, &l->p->arena, &zone);
	if (r < 0)
		l->err = r;
	else if (r != 0)
		loader_error(l, at, "unknown time zone '%s'", name);
	if (r != 0)
		return NULL;
	l->zones[l->n_zones].name = loader_text(l, name);
	l->zones[l->n_zones++].zone = zone;
	return zone;
}

static void loader_done(struct loader *l)
{
	for (size_t i = 0; i < l->n_docs; i++)
		yaml_doc_free(l->docs[i]);
	free(l->docs);
	for (size_t s = 0; s < SECTION_N; s++)
		free(l->decls[s].v);
	policy_unref(l->p);
}

static int loader_init(struct loader *l, size_t max_docs)
{
	l->p = calloc(1, sizeof(*l->p));
	l->docs = calloc(max_docs + 1, sizeof(struct yaml_doc *));
	if (!l->p || !l->docs)
		return -ENOMEM;
	l->p->refs = 1;
	return 0;
}

static size_t n_diags(const struct diags *d)
{
	return d->n + d->n_dropped;
}

static void name_docs(struct loader *l)
{
	l->doc_name = loader_alloc(l, l->n_docs, sizeof(*l->doc_name));
	for (size_t i = 0; i < l->n_docs && l->err == 0; i++)
		l->doc_name[i] = loader_text(l, yaml_name(l->docs[i]));
}

/* From parsed files to the finished policy. */
static int loader_finish(struct loader *l, struct policy **ret_policy)
{
	size_t before = n_diags(l->diag);
	void (*const stages[])(struct loader *) = {
		name_docs,	     declare_all,	define_services,
		define_all,	     check_roles,	selector_define_all,
		rules_define_all,    bounds_define_all, password_define_all,
		selftest_define_all,
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(stages) && l->err == 0; i++)
		stages[i](l);
	if (l->err != 0)
		return l->err;
	if (n_diags(l->diag) != before)
		return POLICY_E_INVALID;
	r = compile_index(l->p, l->diag);
	if (r == 0)
		r = print_hash(l->p);
	if (r == 0)
		r = selftest_run(l->p, l->diag);
	if (r != 0)
		return r;
	*ret_policy = STEAL(l->p);
	return 0;
}

int policy_load_sources(const struct policy_source *src, size_t n_src,
			const struct policy_host *host, struct policy **ret_policy,
			struct diags *diag)
{
	_cleanup_(loader_done) struct loader l = {.host = host, .diag = diag};
	bool failed = false;
	int r;

	if (n_src == 0 || n_src > POLICY_FILES_MAX) {
		diags_add(diag, NULL, 0, 0, NULL,
			  "there is no policy file, or too many");
		return POLICY_E_INVALID;
	}
	r = loader_init(&l, n_src);
	if (r != 0)
		return r;
	for (size_t i = 0; i < n_src; i++) {
		r = yaml_parse(src[i].name, src[i].buf, src[i].len, &l.docs[l.n_docs],
			       diag);
		if (r < 0)
			return r;
		failed |= r != 0;
		l.n_docs += r == 0;
	}
	return failed ? POLICY_E_INVALID : loader_finish(&l, ret_policy);
}

/* ---------------------------------------------------------------- folder */

static bool has_ending(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && str_eq(name + len - n, ending);
}

static int is_policy_file(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	       (has_ending(e->d_name, ".yaml") || has_ending(e->d_name, ".yml"));
}

static void free_entries(struct dirent **v, int n)
{
	for (int i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

static int load_entry(struct loader *l, const char *folder, const char *name)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	if (has_ending(name, ".yml")) {
		/* Leaving it out silently could leave out a deny. */
		diags_add(l->diag, path, 0, 0, NULL, "policy files end in .yaml");
		return POLICY_E_INVALID;
	}
	r = yaml_read_file(path, &l->docs[l->n_docs], l->diag);
	l->n_docs += r == 0;
	return r;
}

static int load_entries(struct loader *l, const char *folder, struct dirent **v, int n)
{
	bool failed = false;
	int r;

	if (n <= 0 || n > POLICY_FILES_MAX) {
		diags_add(l->diag, folder, 0, 0, NULL,
			  n > 0 ? "holds more than %d files" : "holds no *.yaml file",
			  POLICY_FILES_MAX);
		return POLICY_E_INVALID;
	}
	r = loader_init(l, (size_t)n);
	if (r != 0)
		return r;
	for (int i = 0; i < n; i++) {
		r = load_entry(l, folder, v[i]->d_name);
		if (r < 0)
			return r;
		failed |= r != 0;
	}
	return failed ? POLICY_E_INVALID : 0;
}

/* Whoever can add a file to the folder writes the policy. */
static int check_folder(const char *path, const struct stat *st, struct diags *diag)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		diags_add(diag, path, 0, 0, NULL, "must belong to root");
		return POLICY_E_INVALID;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		diags_add(diag, path, 0, 0, NULL,
			  "must not be writable by group or others");
		return POLICY_E_INVALID;
	}
	return 0;
}

static int load_folder(const char *path, const struct stat *st, struct loader *l)
{
	struct dirent **v = NULL;
	int n, r;

	r = check_folder(path, st, l->diag);
	if (r != 0)
		return r;
	n = scandir(path, &v, is_policy_file, alphasort);
	if (n < 0) {
		diags_add(l->diag, path, 0, 0, NULL, "cannot be read: %s",
			  strerrordesc_np(errno));
		return POLICY_E_INVALID;
	}
	r = load_entries(l, path, v, n);
	free_entries(v, n);
	return r;
}

void policy_files_free(char **files)
{
	for (size_t i = 0; files && files[i]; i++)
		free(files[i]);
	free(files);
}

static int copy_paths(const char *folder, struct dirent **v, int n, char ***ret)
{
	char **files = calloc((size_t)n + 1, sizeof(*files));

	for (int i = 0; files && i < n; i++)
		if (asprintf(&files[i], "%s/%s", folder, v[i]->d_name) < 0) {
			files[i] = NULL;
			policy_files_free(files);
			files = NULL;
		}
	*ret = files;
	return files ? 0 : -ENOMEM;
}

int policy_files(const char *path, char ***ret)
{
	struct dirent **v = NULL;
	struct stat st;
	int n, r;

	if (stat(path, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		*ret = calloc(2, sizeof(**ret));
		if (*ret)
			(*ret)[0] = strdup(path);
		if (*ret && (*ret)[0])
			return 0;
		free(*ret);
		return -ENOMEM;
	}
	n = scandir(path, &v, is_policy_file, alphasort);
	if (n < 0)
		return -errno;
	r = copy_paths(path, v, n, ret);
	free_entries(v, n);
	return r;
}

int policy_load(const char *path, const struct policy_host *host,
		struct policy **ret_policy, struct diags *diag)
{
	_cleanup_(loader_done) struct loader l = {.host = host, .diag = diag};
	struct stat st;
	int r;

	if (stat(path, &st) != 0) {
		diags_add(diag, path, 0, 0, NULL, "cannot be opened: %s",
			  strerrordesc_np(errno));
		return POLICY_E_INVALID;
	}
	if (S_ISDIR(st.st_mode)) {
		r = load_folder(path, &st, &l);
	} else {
		r = loader_init(&l, 1);
		if (r == 0)
			r = yaml_read_file(path, &l.docs[0], diag);
		l.n_docs = r == 0;
	}
	return r != 0 ? r : loader_finish(&l, ret_policy);
}

struct policy *policy_ref(struct policy *policy)
{
	policy->refs++;
	return policy;
}

void policy_unref(struct policy *policy)
{
	if (!policy || --policy->refs > 0)
		return;
	arena_done(&policy->arena);
	free(policy);
}
