/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_diff.c - policy diff: who loses and who gains, person by person, and what
 * else is said differently. */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "policy/diff.h"
#include "policy/terms.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/population.h"
#include "rbacd/ctl/progress.h"

#define NAMES_SHOWN 5 /* of the VMs of one line */

struct change {
	bool gained, shown;
	const char *privilege; /* borrowed until the diff ends */
	struct policy_spot where;
};

struct listing {
	struct ctl *ctl;
	struct change *v; /* owned; of the person at hand */
	size_t n, cap;
	const char *login;  /* borrowed; whose they are */
	struct out_set set; /* JSON */
	struct progress bar;
	uint64_t people, lost, gained, terms;
};

static void listing_done(struct listing *l)
{
	free(l->v);
	out_set_done(&l->set);
}

/* ------------------------------------------------------------------ text */

static int compare_changes(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int c;

	if (x->gained != y->gained)
		return x->gained ? 1 : -1;
	c = strcmp(x->privilege, y->privilege);
	return c != 0 ? c : strcmp(x->where.vms[0], y->where.vms[0]);
}

/* How many of the sorted changes are of the privilege of the first. */
static size_t run_length(const struct change *c, const struct change *end)
{
	size_t n = 1;

	while (c + n < end && c[n].gained == c->gained &&
	       str_eq(c[n].privilege, c->privilege))
		n++;
	return n;
}

static bool same_vms(const struct change *a, size_t n_a, const struct change *b,
		     size_t n_b)
{
	for (size_t i = 0; i < n_a && n_a == n_b; i++)
		if (a[i].where.vms != b[i].where.vms)
			return false;
	return n_a == n_b;
}

/* The first run's VMs, and some of their names. */
static void print_vms(FILE *out, const struct change *c, size_t n)
{
	size_t n_vms = 0, shown = 0;

	for (size_t i = 0; i < n; i++)
		n_vms += c[i].where.n_vms;
	(void)fprintf(out, "  on %zu VM%s:", n_vms, n_vms == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c[i].where.n_vms && shown < NAMES_SHOWN; k++)
			(void)fprintf(out, "%s %s", shown++ > 0 ? "," : "",
				      c[i].where.vms[k]);
	(void)fprintf(out, "%s\n", n_vms > shown ? ", …" : "");
}

/* Privileges that change on the same VMs share a line. */
static void print_line(struct listing *l, struct change *c, size_t n)
{
	const struct change *end = l->v + l->n;
	FILE *out = l->ctl->out;

	(void)fprintf(out, "  %c %s", c->gained ? '+' : '-', c->privilege);
	for (struct change *o = c + n; o < end && o->gained == c->gained;) {
		size_t k = run_length(o, end);

		if (!o->shown && same_vms(c, n, o, k)) {
			(void)fprintf(out, ", %s", o->privilege);
			o->shown = true;
		}
		o += k;
	}
	print_vms(out, c, n);
}

static void print_person(struct listing *l)
{
	if (l->n == 0)
		return;
	progress_clear(&l->bar);
	qsort(l->v, l->n, sizeof(*l->v), compare_changes);
	(void)fprintf(l->ctl->out, "%s\n", l->login);
	for (size_t i = 0; i < l->n;) {
		size_t n = run_length(&l->v[i], l->v + l->n);

		if (!l->v[i].shown)
			print_line(l, &l->v[i], n);
		i += n;
	}
	l->n = 0;
}

/* ------------------------------------------------------------------ JSON */

/* A row of names and their texts; without one a cell is left out. */
static int add_texts(struct listing *l, const char *table,
		     const char *const (*cells)[2], size_t n)
{
	struct out_row *row = out_add_row(&l->set, table);
	int r = row ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++)
		if (cells[i][1])
			r = out_add_text(row, cells[i][0], cells[i][1],
					 strlen(cells[i][1]));
	return r;
}

static int add_row(struct listing *l, const struct policy_change *c, const char *vm)
{
	const char *const cells[][2] = {{"user", c->login},
					{"change", c->gained ? "gained" : "lost"},
					{"privilege", c->privilege},
					{"vm", vm},
					{"rule", c->rule}};

	return add_texts(l, "changes", cells, ARRAY_SIZE(cells));
}

static int add_total(struct listing *l)
{
	struct out_row *row = out_add_row(&l->set, "total");
	int r = row ? 0 : -ENOMEM;

	if (r == 0)
		r = out_add_number(row, "people", WIRE_CELL_INT, (int64_t)l->people);
	if (r == 0)
		r = out_add_number(row, "lost", WIRE_CELL_INT, (int64_t)l->lost);
	if (r == 0)
		r = out_add_number(row, "gained", WIRE_CELL_INT, (int64_t)l->gained);
	return r;
}

/* --------------------------------------------------------------- changes */

static int keep(struct listing *l, const struct policy_change *c)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct change *grown = reallocarray(l->v, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->v = grown;
		l->cap = cap;
	}
	l->v[l->n++] = (struct change){.gained = c->gained,
				       .privilege = c->privilege,
				       .where = c->where};
	return 0;
}

static int tell(void *arg, const struct policy_change *c)
{
	struct listing *l = arg;
	int r = 0;

	if (!c) {
		l->people++;
		print_person(l);
		return 0;
	}
	*(c->gained ? &l->gained : &l->lost) += c->where.n_vms;
	l->login = c->login;
	if (!l->ctl->json)
		return keep(l, c);
	for (size_t i = 0; i < c->where.n_vms && r == 0; i++)
		r = add_row(l, c, c->where.vms[i]);
	return r;
}

static int add_term(struct listing *l, const struct policy_term *t)
{
	const char *const cells[][2] = {{"key", t->key},
					{"before", t->before},
					{"after", t->after}};

	return add_texts(l, "terms", cells, ARRAY_SIZE(cells));
}

/* One line for each key. */
static int tell_term(void *arg, const struct policy_term *t)
{
	struct listing *l = arg;

	l->terms++;
	if (l->ctl->json)
		return add_term(l, t);
	(void)fprintf(l->ctl->out, "%s: %s -> %s\n", t->key,
		      t->before ? t->before : "(nothing)",
		      t->after ? t->after : "(nothing)");
	return 0;
}

static int finish(struct listing *l)
{
	if (l->ctl->json) {
		if (add_total(l) != 0)
			return ctl_fail(l->ctl, CTL_NO, "out of memory.");
		out_json_set(&l->set, "changes terms", l->ctl->out);
	} else if (l->people == 0) {
		(void)fputs("nobody gains or loses anything\n", l->ctl->out);
	} else {
		(void)fprintf(l->ctl->out,
			      "%" PRIu64 " people; lost %" PRIu64 ", gained %" PRIu64
			      " (a person, a VM and a privilege each)\n",
			      l->people, l->lost, l->gained);
	}
	return l->people > 0 || l->terms > 0 ? CTL_NO : CTL_OK;
}

/* ------------------------------------------------------------------ sides */

struct loaded {
	struct policy *policy;	 /* counted */
	struct population pop;	 /* owned */
	struct people people;	 /* owned */
	struct policy_side side; /* borrowed from the others */
};

static void loaded_done(struct loaded *s)
{
	people_done(&s->people);
	population_done(&s->pop);
	policy_unref(s->policy);
}

#define _cleanup_loaded_ _cleanup_(loaded_done)

static int read_people(struct ctl *ctl, const struct ctl_args *args, const char *path,
		       int64_t now_s, struct loaded *s)
{
	const struct policy *policies[] = {s->policy};
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r;

	if (!path)
		return population_open(ctl, args, policies, 1, &s->pop);
	r = population_read(path, policies, 1, now_s, &s->pop, &diag);
	diags_print(&diag, ctl->err);
	return r == 0 ? 0
		      : ctl_fail(ctl, CTL_NO, "the people file %s cannot be used.",
				 path);
}

/* @people: the people file of this side alone, or NULL. */
static int load_side(struct ctl *ctl, const struct ctl_args *args, size_t pos,
		     const char *people, int64_t now_s, struct loaded *s)
{
	const char *path;
	int r = ctl_policy_load(ctl, args, args->pos[pos], &s->policy, &path);

	if (r == 0)
		r = read_people(ctl, args, people, now_s, s);
	if (r != 0)
		return r;
	if (people_make(&s->pop, s->policy, &s->people) != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	people_warn(ctl, &s->people);
	s->side = (struct policy_side){s->policy, s->people.v, s->people.n};
	return 0;
}

int cmd_policy_diff(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_loaded_ struct loaded before = {.pop = POPULATION_INIT};
	_cleanup_loaded_ struct loaded after = {.pop = POPULATION_INIT};
	_cleanup_(listing_done) struct listing l = {.ctl = ctl, .set = OUT_SET_INIT};
	int64_t now_s = (int64_t)time(NULL);
	int r;

	progress_begin(&l.bar, ctl, "diff");
	r = load_side(ctl, args, 0, NULL, now_s, &before);
	if (r == 0)
		r = load_side(ctl, args, 1, ctl_arg(args, "new-people"), now_s, &after);
	if (r != 0)
		return r;
	r = policy_diff_watched((const struct policy_side[]){before.side, after.side},
				now_s, tell, &l, &l.bar.watch);
	progress_clear(&l.bar);
	if (r == 0)
		r = policy_terms_diff(before.policy, after.policy, tell_term, &l);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	r = finish(&l);
	return before.people.complete && after.people.complete ? r : CTL_INCOMPLETE;
}
