/* SPDX-License-Identifier: Apache-2.0 */
/* people_cache.c - a bounded map by login for the identity stage. */

#include "rbacd/people_cache.h"

#include <errno.h>
#include <search.h>

struct people_cache {
	void *tree;				/* tsearch(3), of borrowed entries */
	TAILQ_HEAD(lru_head, person_entry) lru; /* owns; most recent first */
	size_t n, max;
};

static int by_login(const void *a, const void *b)
{
	const struct person_entry *x = a, *y = b;

	return strcmp(x->login, y->login);
}

void person_entry_free(struct person_entry *e)
{
	if (!e)
		return;
	free(e->groups);
	free(e->unknown);
	free(e);
}

int people_cache_new(size_t max, struct people_cache **ret)
{
	struct people_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	TAILQ_INIT(&c->lru);
	c->max = max;
	*ret = c;
	return 0;
}

static void drop_entry(struct people_cache *c, struct person_entry *e)
{
	(void)tdelete(e, &c->tree, by_login); /* it is in the tree */
	TAILQ_REMOVE(&c->lru, e, lru);
	c->n--;
	person_entry_free(e);
}

void people_cache_free(struct people_cache *c)
{
	if (!c)
		return;
	while (!TAILQ_EMPTY(&c->lru))
		drop_entry(c, TAILQ_FIRST(&c->lru));
	free(c);
}

static struct person_entry *find(struct people_cache *c, const char *login)
{
	struct person_entry key = {0};
	void *const *node;

	if (strlen(login) >= sizeof(key.login))
		return NULL;
	memcpy(key.login, login, strlen(login));
	node = tfind(&key, &c->tree, by_login);
	return node ? *node : NULL;
}

struct person_entry *people_cache_get(struct people_cache *c, const char *login)
{
	struct person_entry *e = find(c, login);

	if (e) {
		TAILQ_REMOVE(&c->lru, e, lru);
		TAILQ_INSERT_HEAD(&c->lru, e, lru);
	}
	return e;
}

void people_cache_drop(struct people_cache *c, const char *login)
{
	struct person_entry *e = find(c, login);

	if (e)
		drop_entry(c, e);
}

int people_cache_put(struct people_cache *c, struct person_entry *entry)
{
	people_cache_drop(c, entry->login);
	if (c->n >= c->max)
		drop_entry(c, TAILQ_LAST(&c->lru, lru_head));
	if (!tsearch(entry, &c->tree, by_login)) {
		person_entry_free(entry);
		return -ENOMEM;
	}
	TAILQ_INSERT_HEAD(&c->lru, entry, lru);
	c->n++;
	return 0;
}

void people_cache_each(struct people_cache *c,
		       bool (*fn)(struct person_entry *, void *), void *arg)
{
	struct person_entry *e = TAILQ_FIRST(&c->lru);

	while (e) {
		struct person_entry *next = TAILQ_NEXT(e, lru);

		if (!fn(e, arg))
			drop_entry(c, e);
		e = next;
	}
}

size_t people_cache_count(const struct people_cache *c)
{
	return c->n;
}
