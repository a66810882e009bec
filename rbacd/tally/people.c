/* SPDX-License-Identifier: Apache-2.0 */
/* people.c - snapshots to the subjects of a policy, as identity.c makes one of
 * them.
 */
#include "rbacd/tally/people.h"

#include <errno.h>

#include "rbacd/groups.h"

void population_done(struct population *pop)
{
	snapshot_unref(pop->people);
	snapshot_unref(pop->local);
	pop->people = pop->local = NULL;
}

void people_done(struct people *people)
{
	free(people->v);
	free(people->lists);
	people->v = NULL;
	people->lists = NULL;
}

/* Groups of a snapshot as the policy numbers them: several may mean the same one. */
struct mapping {
	uint32_t *first; /* owned; by snapshot group: start in @to, one more than groups
			  */
	uint32_t *to;	 /* owned; policy groups */
	uint32_t *unknown; /* owned */
	size_t n_unknown;
};

static void mapping_done(struct mapping *m)
{
	free(m->first);
	free(m->to);
	free(m->unknown);
}

static bool usable(const struct population *pop, uint32_t group)
{
	int64_t age = pop->now_s - snapshot_made_s(pop->people);
	struct snapshot_group g;

	if (group == GROUPS_NONE)
		return false;
	snapshot_group_at(pop->people, group, &g);
	return g.complete && (age < 0 ? 0 : age) + g.age_s <= pop->max_stale_s;
}

static int mapping_make(const struct population *pop, const struct policy *policy,
			struct mapping *ret)
{
	size_t n = groups_count(policy);
	size_t n_from = pop->people ? snapshot_group_count(pop->people) : 0;
	_cleanup_free_ uint32_t *map =
		pop->people ? groups_map(policy, pop->people) : calloc(n + 1, 4);
	struct mapping m = {.first = calloc(n_from + 2, sizeof(uint32_t)),
			    .to = calloc(n + 1, sizeof(uint32_t)),
			    .unknown = calloc(n + 1, sizeof(uint32_t))};

	if (!map || !m.first || !m.to || !m.unknown) {
		mapping_done(&m);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (pop->people && usable(pop, map[i])) {
			m.first[map[i] + 2]++;
			continue;
		}
		m.unknown[m.n_unknown++] = (uint32_t)i;
		map[i] = GROUPS_NONE;
	}
	for (size_t i = 2; i < n_from + 2; i++)
		m.first[i] += m.first[i - 1];
	for (size_t i = 0; i < n; i++)
		if (map[i] != GROUPS_NONE)
			m.to[m.first[map[i] + 1]++] = (uint32_t)i;
	*ret = m;
	return 0;
}

struct maker {
	const struct population *pop;
	struct mapping map;
	struct people *ret;
	size_t n_lists;
	const uint32_t *all; /* every group of the policy */
	size_t n_all;
};

static int by_index(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Room was counted before: each membership becomes a place for each policy group. */
static void set_groups(struct maker *m, struct policy_subject *s,
		       const struct snapshot_account *a)
{
	uint32_t *list = m->ret->lists + m->n_lists;
	bool sorted = true;
	size_t n = 0;

	for (size_t i = 0; i < a->n_groups; i++)
		for (uint32_t k = m->map.first[a->groups[i]];
		     k < m->map.first[a->groups[i] + 1]; k++) {
			sorted = sorted && (n == 0 || list[n - 1] < m->map.to[k]);
			list[n++] = m->map.to[k];
		}
	if (!sorted)
		qsort(list, n, sizeof(*list), by_index);
	m->n_lists += n;
	s->groups = list;
	s->n_groups = n;
	s->unknown = m->map.unknown;
	s->n_unknown = m->map.n_unknown;
}

static bool is_person(const struct snapshot_account *a)
{
	return (a->flags & SNAPSHOT_NO_UID) ||
	       (a->uid >= SNAPSHOT_PEOPLE_MIN && !snapshot_uid_reserved(a->uid));
}

static void add_directory(struct maker *m, const struct snapshot_account *a)
{
	struct policy_subject *s;

	if (!is_person(a))
		return;
	s = &m->ret->v[m->ret->n++];
	*s = (struct policy_subject){.login = a->login,
				     .id = a->id,
				     .known = true,
				     .enabled = (a->flags & SNAPSHOT_DISABLED) == 0,
				     .directory = true,
				     .expires_s = a->expires_s};
	set_groups(m, s, a);
}

/* @entry: what source nss says of the same account; NULL: nothing. */
static void add_local(struct maker *m, const struct snapshot_account *a,
		      const struct snapshot_account *entry)
{
	struct policy_subject *s = &m->ret->v[m->ret->n++];

	*s = (struct policy_subject){.login = a->login,
				     .id = a->id,
				     .known = true,
				     .enabled = true,
				     .local = true};
	if (!str_eq(m->pop->source, "nss") || !is_person(a))
		return; /* a directory cannot speak for him */
	s->directory = true;
	if (entry && entry->uid == a->uid) {
		s->id = entry->id;
		s->enabled = (entry->flags & SNAPSHOT_DISABLED) == 0;
		s->directory = (entry->flags & SNAPSHOT_DIRECTORY) != 0;
		s->expires_s = entry->expires_s;
		set_groups(m, s, entry);
		return;
	}
	s->unknown = m->all;
	s->n_unknown = m->n_all;
}

/* Both lists are in order of login. */
static void merge(struct maker *m)
{
	const struct population *pop = m->pop;
	size_t n_people = pop->people ? snapshot_account_count(pop->people) : 0;
	size_t n_local = pop->local ? snapshot_account_count(pop->local) : 0;
	struct snapshot_account p = {0}, l = {0};
	size_t i = 0, k = 0;

	while (i < n_people || k < n_local) {
		int c = i == n_people ? 1 : k == n_local ? -1 : 0;

		if (i < n_people)
			snapshot_account_at(pop->people, i, &p);
		if (k < n_local)
			snapshot_account_at(pop->local, k, &l);
		if (c == 0)
			c = strcmp(p.login, l.login);
		if (c < 0)
			add_directory(m, &p);
		else
			add_local(m, &l, c == 0 ? &p : NULL);
		i += c <= 0;
		k += c >= 0;
	}
}

static size_t count_lists(const struct maker *m)
{
	size_t n = 0,
	       people = m->pop->people ? snapshot_account_count(m->pop->people) : 0;
	struct snapshot_account a;

	for (size_t i = 0; i < people; i++) {
		snapshot_account_at(m->pop->people, i, &a);
		for (size_t k = 0; k < a.n_groups; k++)
			n += m->map.first[a.groups[k] + 1] - m->map.first[a.groups[k]];
	}
	return n;
}

static void say_missing(const struct population *pop, struct people *p)
{
	FILE *out = fmemopen(p->why, sizeof(p->why) - 1, "w"); /* cut: still a reason */

	p->complete = pop->people && pop->whole && p->n_groups_unknown == 0;
	if (!out)
		return;
	if (!pop->people)
		(void)fputs("No people of the directory are known yet. ", out);
	else if (!pop->whole)
		(void)fprintf(out,
			      "Source %s lists nobody: only those who were looked up "
			      "lately are counted. ",
			      pop->source);
	if (pop->n_left_out > 0)
		(void)fprintf(
			out,
			"%zu people are left out: not all their groups are known. ",
			pop->n_left_out);
	if (p->n_groups_unknown > 0)
		(void)fprintf(out,
			      "%zu groups of the policy have no usable member list. ",
			      p->n_groups_unknown);
	(void)fclose(out); /* memory only */
}

int people_make(const struct population *pop, const struct policy *policy,
		struct people *ret)
{
	_cleanup_people_ struct people p = {0};
	struct maker m = {.pop = pop, .ret = &p};
	size_t n = 1, lists;

	if (mapping_make(pop, policy, &m.map) != 0)
		return -ENOMEM;
	n += pop->people ? snapshot_account_count(pop->people) : 0;
	n += pop->local ? snapshot_account_count(pop->local) : 0;
	lists = count_lists(&m);
	/* Memberships, then the unknown groups, then all groups. */
	p.v = calloc(n, sizeof(*p.v));
	p.lists = calloc(lists + m.map.n_unknown + groups_count(policy) + 1,
			 sizeof(*p.lists));
	if (!p.v || !p.lists) {
		mapping_done(&m.map);
		return -ENOMEM;
	}
	memcpy(p.lists + lists, m.map.unknown, m.map.n_unknown * sizeof(*p.lists));
	p.n_groups_unknown = m.map.n_unknown;
	free(m.map.unknown);
	m.map.unknown = p.lists + lists;
	m.n_all = groups_count(policy);
	for (size_t i = 0; i < m.n_all; i++)
		m.map.unknown[m.map.n_unknown + i] = (uint32_t)i;
	m.all = m.map.unknown + m.map.n_unknown;
	merge(&m);
	m.map.unknown = NULL;
	mapping_done(&m.map);
	say_missing(pop, &p);
	*ret = p;
	p = (struct people){0};
	return 0;
}

const struct policy_subject *people_find(const struct people *people, const char *login)
{
	size_t low = 0, high = people->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(people->v[mid].login, login);

		if (c == 0)
			return &people->v[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
