/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_policy_pin.c - policy pin: binds the policy's groups to the directory's objects.
 *
 * A name can be given to another group, an immutable id cannot. The files keep every
 * byte but the ids; nothing is written before the new text was loaded and says the same
 * but for them.
 */

#include <errno.h>
#include <limits.h>

#include "policy/memtext.h"
#include "policy/view.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/judge.h"
#include "rbacd/ctl/pin_text.h"
#include "rbacd/ctl/replace.h"
#include "rbacd/groups.h"

struct pin {
	struct policy_where where;
	const char *id; /* borrowed from the population */
};

struct pinning {
	struct ctl *ctl;
	struct policy *policy; /* counted */
	struct population pop;
	struct pin *v; /* owned; by place */
	size_t n;
	size_t n_pinned, n_plain, n_unknown; /* groups that get none */
	char **files;			     /* owned */
	struct policy_source *src; /* owned, and its texts; what the files will say */
	size_t n_src;
	struct out_set set;
};

static void pinning_done(struct pinning *p)
{
	for (size_t i = 0; p->src && i < p->n_src; i++)
		free((char *)(uintptr_t)p->src[i].buf); /* ours, const for the loader */
	free(p->src);
	policy_files_free(p->files);
	free(p->v);
	out_set_done(&p->set);
	population_done(&p->pop);
	policy_unref(p->policy);
}

/* ---------------------------------------------------------------- what is known */

static int add_row(struct pinning *p, const struct policy_group *g, const char *state,
		   const char *id)
{
	struct out_row *row = out_add_row(&p->set, "groups");

	return row && out_add_text(row, "group", g->name, strlen(g->name)) == 0 &&
			       out_add_text(row, "state", state, strlen(state)) == 0 &&
			       out_add_text(row, "id", id, strlen(id)) == 0
		       ? 0
		       : -ENOMEM;
}

/* @found: index in the snapshot, or GROUPS_NONE. */
static int judge_group(struct pinning *p, size_t i, uint32_t found)
{
	const struct policy_group *g = policy_group_at(p->policy, i);
	struct snapshot_group there = {.id = ""};
	struct policy_where where;

	if (g->id) {
		p->n_pinned++;
		return add_row(p, g, "pinned", g->id);
	}
	if (!policy_group_where(p->policy, i, &where)) {
		p->n_plain++;
		return add_row(p, g, "no alias", "");
	}
	if (found != GROUPS_NONE)
		snapshot_group_at(p->pop.people, found, &there);
	if (!*there.id) {
		p->n_unknown++;
		if (!p->ctl->json)
			(void)fprintf(p->ctl->err,
				      "%s:%u:%u: the directory's id of '%s' is not "
				      "known\n",
				      where.file, where.line, where.column, g->name);
		return add_row(p, g, "unknown", "");
	}
	p->v[p->n++] = (struct pin){where, there.id};
	return add_row(p, g, "new", there.id);
}

static int compare_pins(const void *a, const void *b)
{
	const struct pin *x = a, *y = b;
	int c = strcmp(x->where.file, y->where.file);

	if (c != 0)
		return c;
	if (x->where.line != y->where.line)
		return x->where.line < y->where.line ? -1 : 1;
	return x->where.column < y->where.column ? -1 : 1;
}

static int find_ids(struct pinning *p)
{
	size_t n = policy_group_count(p->policy);
	_cleanup_free_ uint32_t *map = NULL;
	int r = 0;

	p->v = calloc(n + 1, sizeof(*p->v));
	map = p->pop.people ? groups_map(p->policy, p->pop.people) : NULL;
	if (!p->v || (p->pop.people && !map))
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++)
		r = judge_group(p, i, map ? map[i] : GROUPS_NONE);
	qsort(p->v, p->n, sizeof(*p->v), compare_pins);
	return r;
}

/* ---------------------------------------------------------------- new text */

/* A file that was just loaded holds no NUL. */
static int read_file(const char *path, struct policy_source *ret)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t cap = 0;
	ssize_t len = in ? getdelim(&text, &cap, '\0', in) : -1;

	if (len < 0) {
		free(text);
		return -EIO;
	}
	*ret = (struct policy_source){path, text, (size_t)len};
	return 0;
}

/* The places of one file; the pins are by file. */
static size_t places_of(const struct pinning *p, const char *file,
			struct pin_place *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].where.file, file))
			ret[n++] = (struct pin_place){p->v[i].where.line,
						      p->v[i].where.column, p->v[i].id};
	return n;
}

static int make_text(struct pinning *p, const char *file, struct pin_place *room,
		     FILE *diff)
{
	size_t n = places_of(p, file, room);
	struct policy_source old;
	char *text;
	int r = read_file(file, &old);

	if (r != 0)
		return r;
	p->src[p->n_src] = old;
	if (n > 0) {
		r = pin_text(&old, room, n, diff, &text, &p->src[p->n_src].len);
		if (r == 0) {
			free((char *)(uintptr_t)old.buf);
			p->src[p->n_src].buf = text;
		}
	}
	p->n_src++;
	return r;
}

static int make_texts(struct pinning *p, const char *path, FILE *diff)
{
	_cleanup_free_ struct pin_place *room = calloc(p->n + 1, sizeof(*room));
	int r = room ? policy_files(path, &p->files) : -ENOMEM;
	size_t n = 0;

	while (r == 0 && p->files[n])
		n++;
	p->src = calloc(n + 1, sizeof(*p->src));
	if (!p->src)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++)
		r = make_text(p, p->files[i], room, diff);
	return r;
}

/* ---------------------------------------------------------------- is it right? */

static int print_policy(const struct policy *policy, char **ret, size_t *ret_len)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	int r = memtext_open(&m);

	if (r == 0)
		r = policy_print(policy, m.out);
	return r == 0 ? memtext_take(&m, ret, ret_len) : r;
}

/* The canonical form has a line for each group: as many lines differ as got ids. */
static bool same_but_ids(const char *a, const char *b, size_t n_ids)
{
	size_t n = 0;

	while (*a && *b) {
		size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");

		n += la != lb || memcmp(a, b, la) != 0;
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
	}
	return !*a && !*b && n == n_ids;
}

static bool ids_are_there(const struct pinning *p, const struct policy *next)
{
	size_t n = 0;

	for (size_t i = 0; i < policy_group_count(next); i++) {
		const struct policy_group *was = policy_group_at(p->policy, i);
		const struct policy_group *is = policy_group_at(next, i);

		n += was && !was->id && is->id;
	}
	return n == p->n;
}

static int check_texts(const struct pinning *p)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_policy_ struct policy *next = NULL;
	_cleanup_free_ char *was = NULL, *is = NULL;
	const struct config *c = p->ctl->config;
	struct policy_host host = {.name = c ? c->vm : "localhost",
				   .labels = c ? c->labels : NULL,
				   .n_labels = c ? c->n_labels : 0};
	size_t len;
	int r = policy_load_sources(p->src, p->n_src, &host, &next, &diag);

	if (r == 0)
		r = print_policy(p->policy, &was, &len);
	if (r == 0)
		r = print_policy(next, &is, &len);
	if (r == 0 && (!same_but_ids(was, is, p->n) || !ids_are_there(p, next)))
		r = -EINVAL;
	return r;
}

/* ---------------------------------------------------------------- write */

static int write_file(const struct policy_source *src)
{
	char temp[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if (snprintf(temp, sizeof(temp), "%s.new", src->name) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = replace_create(src->name, temp);
	if (fd < 0)
		return fd;
	r = replace_write(fd, src->buf, src->len);
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	if (r == 0)
		r = replace_rename(temp, src->name);
	if (r != 0)
		(void)unlink(temp); /* best effort: it is told anyway */
	return r;
}

static int write_files(struct pinning *p)
{
	_cleanup_free_ struct pin_place *room = calloc(p->n + 1, sizeof(*room));
	int r = room ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->n_src && r == 0; i++) {
		if (places_of(p, p->src[i].name, room) == 0)
			continue;
		r = write_file(&p->src[i]);
		if (r != 0)
			return ctl_fail(p->ctl, CTL_NO, "%s could not be replaced: %s.",
					p->src[i].name, strerror(-r));
	}
	return r == 0 ? 0 : ctl_fail(p->ctl, CTL_NO, "out of memory.");
}

static void show(struct pinning *p, const char *diff, bool written)
{
	if (p->ctl->json) {
		out_json_set(&p->set, "groups", p->ctl->out);
		return;
	}
	(void)fprintf(p->ctl->out,
		      "%s%zu ids %s, %zu groups pinned before, %zu not known, "
		      "%zu without an alias under 'groups:'\n",
		      p->n > 0 ? diff : "", p->n, written ? "written" : "to write",
		      p->n_pinned, p->n_unknown, p->n_plain);
	if (written && policy_serial(p->policy) != 0)
		(void)fputs("Raise 'serial', then: rbacctl reload\n", p->ctl->out);
	else if (written)
		(void)fputs("Then: rbacctl reload\n", p->ctl->out);
}

static int pin(struct pinning *p, const char *path, bool write)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *diff = NULL;
	size_t len = 0;
	int r = memtext_open(&m);

	if (r == 0)
		r = find_ids(p);
	if (r == 0 && p->n > 0)
		r = make_texts(p, path, m.out);
	if (r == 0)
		r = memtext_take(&m, &diff, &len);
	if (r == 0 && p->n > 0)
		r = check_texts(p);
	if (r != 0)
		return ctl_fail(p->ctl, CTL_NO,
				"the ids cannot be put into %s safely (error %d): "
				"nothing was changed.",
				path, r);
	if (write && p->n > 0 && write_files(p) != 0)
		return CTL_NO;
	show(p, diff, write && p->n > 0);
	return p->n_unknown > 0 || (p->n > 0 && !write) ? CTL_NO : CTL_OK;
}

int cmd_policy_pin(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(pinning_done) struct pinning p = {.ctl = ctl, .set = OUT_SET_INIT};
	const char *path;
	int r = ctl_policy_load(ctl, args, args->pos[0], &p.policy, &path);

	if (r == 0 && ctl_need_config(ctl) != 0)
		r = CTL_NO;
	if (r == 0)
		r = population_open(ctl, args, (const struct policy *const *)&p.policy,
				    1, &p.pop);
	if (r != 0)
		return r;
	if (!str_eq(p.pop.source, "ldap"))
		return ctl_fail(ctl, CTL_NO,
				"the directory is source %s, which has no ids of "
				"groups.",
				p.pop.source);
	if (!p.pop.people)
		return ctl_fail(ctl, CTL_NO,
				"rbacd has kept no people of the directory yet: see "
				"rbacctl directory status.");
	return pin(&p, path, ctl_arg(args, "write") != NULL);
}
