/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff.c - compares what everybody can reach, class by class: VMs that are in one class
 * of the old policy and in one of the new change together.
 */
#include "policy/diff.h"

#include <errno.h>

#include "policy/same.h"

enum { OLD, NEW, N_SIDES };

struct spot {
	uint32_t class[N_SIDES];
	const char **vms; /* borrowed from diff.vms */
	size_t n_vms;
};

struct vm_at {
	const char *name; /* borrowed from a policy */
	uint32_t class[N_SIDES];
};

struct side {
	struct policy_reach *reach; /* owned, as all below */
	size_t *spots_of;	    /* by class: where its spots begin in spots_by */
	size_t *spots_by;	    /* spot numbers, class after class */
	uint64_t *open;		    /* by class: bits of privileges of one person */
};

struct diff {
	const struct policy_side *given[N_SIDES]; /* borrowed */
	struct side side[N_SIDES];
	struct policy_privileges *privs; /* owned, as all below */
	size_t words;
	struct vm_at *at;
	const char **vms;
	size_t n_vms;
	struct spot *spots;
	size_t n_spots;
	struct same same;
	int (*tell)(void *arg, const struct policy_change *change);
	void *arg;
	const struct policy_watch *watch; /* borrowed; NULL: none */
	/* of the person at hand: */
	bool all;  /* every spot is compared, else what the rules changed */
	bool told; /* there is a change */
};

static void diff_done(struct diff *d)
{
	for (int s = OLD; s < N_SIDES; s++) {
		policy_reach_free(d->side[s].reach);
		free(d->side[s].spots_of);
		free(d->side[s].spots_by);
		free(d->side[s].open);
	}
	same_done(&d->same);
	policy_privileges_free(d->privs);
	free(d->at);
	free(d->vms);
	free(d->spots);
}

/* ----------------------------------------------------------------- spots */

static int compare_names(const void *a, const void *b)
{
	const struct vm_at *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int compare_classes(const void *a, const void *b)
{
	const struct vm_at *x = a, *y = b;

	for (int s = OLD; s < N_SIDES; s++)
		if (x->class[s] != y->class[s])
			return x->class[s] < y->class[s] ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Every VM of either side once, with its class in both. */
static void list_vms(struct diff *d)
{
	size_t n = 0, kept = 0;

	for (int s = OLD; s < N_SIDES; s++)
		for (size_t i = 0; i < policy_vm_count(d->given[s]->policy); i++) {
			struct vm_at *at = &d->at[n++];

			at->name = policy_vm_at(d->given[s]->policy, i);
			at->class[OLD] = at->class[NEW] = SAME_NO_CLASS;
			at->class[s] =
				policy_reach_class_of(d->side[s].reach, (uint32_t)i);
		}
	qsort(d->at, n, sizeof(*d->at), compare_names);
	for (size_t i = 0; i < n; i++) {
		struct vm_at *last = kept > 0 ? &d->at[kept - 1] : NULL;

		if (!last || !str_eq(last->name, d->at[i].name)) {
			d->at[kept++] = d->at[i];
			continue;
		}
		for (int s = OLD; s < N_SIDES; s++)
			if (last->class[s] == SAME_NO_CLASS)
				last->class[s] = d->at[i].class[s];
	}
	qsort(d->at, kept, sizeof(*d->at), compare_classes);
	d->n_vms = kept;
}

static void list_spots(struct diff *d)
{
	for (size_t i = 0; i < d->n_vms; i++) {
		const struct vm_at *at = &d->at[i];

		d->vms[i] = at->name;
		if (d->n_spots == 0 || memcmp(d->spots[d->n_spots - 1].class, at->class,
					      sizeof(at->class)) != 0)
			d->spots[d->n_spots++] =
				(struct spot){.class = {at->class[OLD],
							at -> class[NEW]},
					      .vms = &d->vms[i]};
		d->spots[d->n_spots - 1].n_vms++;
	}
}

/* Spots by class, as a counting sort. */
static int index_spots(struct diff *d, int s)
{
	struct side *side = &d->side[s];
	size_t n = policy_reach_classes(side->reach);

	side->spots_of = calloc(n + 2, sizeof(*side->spots_of));
	side->spots_by = calloc(d->n_spots + 1, sizeof(*side->spots_by));
	side->open = calloc(n * d->words + 1, sizeof(*side->open));
	if (!side->spots_of || !side->spots_by || !side->open)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_spots; i++)
		if (d->spots[i].class[s] != SAME_NO_CLASS)
			side->spots_of[d->spots[i].class[s] + 2]++;
	for (size_t k = 2; k < n + 2; k++)
		side->spots_of[k] += side->spots_of[k - 1];
	for (size_t i = 0; i < d->n_spots; i++)
		if (d->spots[i].class[s] != SAME_NO_CLASS)
			side->spots_by[side->spots_of[d->spots[i].class[s] + 1]++] = i;
	return 0;
}

static int find_same(struct diff *d)
{
	uint32_t(*class)[2] = calloc(d->n_spots + 1, sizeof(*class));
	int r;

	if (!class)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_spots; i++)
		memcpy(class[i], d -> spots[i].class, sizeof(class[i]));
	d->same = (struct same){.p = {d->given[OLD]->policy, d->given[NEW]->policy},
				.privs = d->privs};
	r = same_init(&d->same, (const uint32_t(*)[2]) class, d->n_spots);
	free(class);
	return r;
}

static int diff_init(struct diff *d, int64_t now_s)
{
	size_t n = 1;

	if (policy_privileges_new(d->given[OLD]->policy, d->given[NEW]->policy,
				  &d->privs) != 0)
		return -ENOMEM;
	d->words = (policy_privileges_count(d->privs) + 63) / 64;
	for (int s = OLD; s < N_SIDES; s++) {
		if (policy_reach_new(d->given[s]->policy, d->privs, now_s,
				     &d->side[s].reach) != 0)
			return -ENOMEM;
		n += policy_vm_count(d->given[s]->policy);
	}
	d->at = calloc(n, sizeof(*d->at));
	d->vms = calloc(n, sizeof(const char *));
	d->spots = calloc(n, sizeof(*d->spots));
	if (!d->at || !d->vms || !d->spots)
		return -ENOMEM;
	list_vms(d);
	list_spots(d);
	if (index_spots(d, OLD) != 0 || index_spots(d, NEW) != 0)
		return -ENOMEM;
	return find_same(d);
}

/* ---------------------------------------------------------------- people */

struct openings {
	const struct policy_opening *v; /* borrowed from the side's reach */
	size_t n;
};

static int ask(struct diff *d, int s, const struct policy_subject *who,
	       struct openings *ret)
{
	*ret = (struct openings){0};
	return who ? policy_reach_subject(d->side[s].reach, who, &ret->v, &ret->n) : 0;
}

static void mark(struct diff *d, int s, const struct openings *o, bool set)
{
	for (size_t i = 0; i < o->n; i++) {
		uint64_t *word = &d->side[s].open[o->v[i].class * d->words +
						  o->v[i].privilege / 64];
		uint64_t bit = UINT64_C(1) << (o->v[i].privilege % 64);

		*word = set ? *word | bit : *word & ~bit;
	}
}

static int tell_one(struct diff *d, const struct policy_change *change)
{
	d->told = true;
	return d->tell(d->arg, change);
}

static bool has_bit(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

/* What side @s opens and the other does not; of a class asked about on one side, only
 * the spots that may differ were asked about on the other. */
static int tell_missing(struct diff *d, int s, const char *login,
			const struct openings *o)
{
	const struct side *side = &d->side[s], *other = &d->side[1 - s];
	int r = 0;

	for (size_t i = 0; i < o->n && r == 0; i++) {
		const struct policy_opening *p = &o->v[i];

		for (size_t k = side->spots_of[p->class];
		     k < side->spots_of[p->class + 1] && r == 0; k++) {
			const struct spot *spot = &d->spots[side->spots_by[k]];
			uint32_t c = spot->class[1 - s];
			const struct policy_change change = {
				.login = login,
				.gained = s == NEW,
				.privilege =
					policy_privileges_at(d->privs, p->privilege)
						->text,
				.where = {spot->vms, spot->n_vms},
				.rule = p->rule,
			};

			if ((d->all ||
			     has_bit(d->same.spot + side->spots_by[k] * d->words,
				     p->privilege)) &&
			    (c == SAME_NO_CLASS ||
			     !has_bit(other->open + c * d->words, p->privilege)))
				r = tell_one(d, &change);
		}
	}
	return r;
}

/* False when nothing can have changed; else which classes must be asked about. */
static bool must_ask(struct diff *d, const struct policy_subject *before,
		     const struct policy_subject *after)
{
	d->all = d->same.nothing || !same_person(&d->same, before, after);
	for (int s = OLD; s < N_SIDES; s++)
		policy_reach_only(d->side[s].reach, d->all ? NULL : d->same.class[s]);
	return d->all || same_named(&d->same, OLD, before) ||
	       same_named(&d->same, NEW, after);
}

static int compare_person(struct diff *d, const char *login,
			  const struct policy_subject *before,
			  const struct policy_subject *after)
{
	struct openings o[N_SIDES];
	int r;

	if (!must_ask(d, before, after))
		return 0;
	r = ask(d, OLD, before, &o[OLD]);

	if (r == 0)
		r = ask(d, NEW, after, &o[NEW]);
	if (r != 0)
		return r;
	mark(d, OLD, &o[OLD], true);
	mark(d, NEW, &o[NEW], true);
	d->told = false;
	r = tell_missing(d, OLD, login, &o[OLD]);
	if (r == 0)
		r = tell_missing(d, NEW, login, &o[NEW]);
	if (r == 0 && d->told)
		r = d->tell(d->arg, NULL);
	mark(d, OLD, &o[OLD], false);
	mark(d, NEW, &o[NEW], false);
	return r;
}

/* Both lists are by login. */
static int compare_people(struct diff *d)
{
	const struct policy_side *before = d->given[OLD], *after = d->given[NEW];
	size_t i = 0, k = 0;
	int r = 0;

	while (r == 0 && (i < before->n_people || k < after->n_people)) {
		const struct policy_subject *a = &before->people[i];
		const struct policy_subject *b = &after->people[k];
		int c = i == before->n_people  ? 1
			: k == after->n_people ? -1
					       : strcmp(a->login, b->login);

		r = compare_person(d, (c <= 0 ? a : b)->login, c <= 0 ? a : NULL,
				   c >= 0 ? b : NULL);
		i += c <= 0;
		k += c >= 0;
		policy_watch_at(d->watch, i + k, before->n_people + after->n_people);
	}
	return r;
}

int policy_diff_watched(const struct policy_side sides[2], int64_t now_s,
			int (*tell)(void *arg, const struct policy_change *change),
			void *arg, const struct policy_watch *watch)
{
	struct diff d = {.given = {&sides[OLD], &sides[NEW]},
			 .tell = tell,
			 .arg = arg,
			 .watch = watch};
	int r = diff_init(&d, now_s);

	if (r == 0)
		r = compare_people(&d);
	diff_done(&d);
	return r;
}

int policy_diff(const struct policy_side *before, const struct policy_side *after,
		int64_t now_s,
		int (*tell)(void *arg, const struct policy_change *change), void *arg)
{
	const struct policy_side sides[] = {*before, *after};

	return policy_diff_watched(sides, now_s, tell, arg, NULL);
}
