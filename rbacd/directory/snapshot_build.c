/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_build.c - rbacd-dir's side of the flat block: collect, sort, write, seal. */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "rbacd/directory/snapshot.h"
#include "rbacd/directory/snapshot_format.h"

struct new_group {
	struct snapshot_group g; /* strings owned */
	uint32_t index;		 /* as handed out */
};

struct new_account {
	struct snapshot_account a; /* login, id, groups owned */
};

struct snapshot_builder {
	char source[SNAPSHOT_SOURCE_MAX + 1];
	int64_t made_s;
	uint64_t serial, base;
	struct new_group *groups;     /* owned */
	struct new_account *accounts; /* owned */
	size_t n_groups, n_accounts, n_lists, pool_len;
	size_t groups_cap, accounts_cap;
	bool sorted; /* built: nothing can be added any more */
};

int snapshot_builder_new(const char *source, int64_t made_s,
			 struct snapshot_builder **ret)
{
	struct snapshot_builder *b;

	if (!snapshot_text_valid(source, SNAPSHOT_SOURCE_MAX) || made_s < 0)
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	memcpy(b->source, source, strlen(source));
	b->made_s = made_s;
	b->pool_len = strlen(source) + 1;
	*ret = b;
	return 0;
}

/* Ours; const for readers. */
static void drop_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

static void group_done(struct snapshot_group *g)
{
	drop_text(g->name);
	drop_text(g->dn);
	drop_text(g->pin);
	drop_text(g->id);
}

static void account_done(struct snapshot_account *a)
{
	drop_text(a->login);
	drop_text(a->id);
	free((void *)(uintptr_t)a->groups);
}

void snapshot_builder_free(struct snapshot_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_groups; i++)
		group_done(&b->groups[i].g);
	for (size_t i = 0; i < b->n_accounts; i++)
		account_done(&b->accounts[i].a);
	free(b->groups);
	free(b->accounts);
	free(b);
}

/* Room for one more element. */
static int grow(void **v, size_t n, size_t *cap, size_t size)
{
	size_t next = *cap ? *cap * 2 : 16;
	void *p;

	if (n < *cap)
		return 0;
	if (next > UINT32_MAX / 2)
		return -E2BIG;
	p = reallocarray(*v, next, size);
	if (!p)
		return -ENOMEM;
	*v = p;
	*cap = next;
	return 0;
}

void snapshot_builder_number(struct snapshot_builder *b, uint64_t serial, uint64_t base)
{
	b->serial = serial;
	b->base = base;
}

static bool optional_ok(const char *text, size_t max)
{
	return !*text || snapshot_text_valid(text, max);
}

int snapshot_add_found(struct snapshot_builder *b, const struct snapshot_group *g,
		       uint32_t *ret_index)
{
	struct snapshot_group n = *g;
	void *v = b->groups;
	int r;

	if (b->sorted || g->age_s < 0 ||
	    !snapshot_text_valid(g->name, SNAPSHOT_GROUP_MAX) ||
	    !optional_ok(g->dn, SNAPSHOT_DN_MAX) ||
	    !optional_ok(g->pin, SNAPSHOT_ID_MAX) ||
	    !optional_ok(g->id, SNAPSHOT_ID_MAX))
		return -EINVAL;
	r = grow(&v, b->n_groups, &b->groups_cap, sizeof(*b->groups));
	if (r != 0)
		return r;
	b->groups = v;
	n.name = strdup(g->name);
	n.dn = strdup(g->dn);
	n.pin = strdup(g->pin);
	n.id = strdup(g->id);
	if (!n.name || !n.dn || !n.pin || !n.id) {
		group_done(&n);
		return -ENOMEM;
	}
	b->groups[b->n_groups].g = n;
	b->groups[b->n_groups].index = (uint32_t)b->n_groups;
	b->pool_len += strlen(n.name) + strlen(n.dn) + strlen(n.pin) + strlen(n.id) + 4;
	if (ret_index)
		*ret_index = (uint32_t)b->n_groups;
	b->n_groups++;
	return 0;
}

int snapshot_add_group(struct snapshot_builder *b, const char *name, bool complete,
		       int64_t age_s, uint32_t *ret_index)
{
	struct snapshot_group g = {.name = name,
				   .dn = "",
				   .pin = "",
				   .id = "",
				   .complete = complete,
				   .age_s = age_s};

	return snapshot_add_found(b, &g, ret_index);
}

static bool account_ok(const struct snapshot_builder *b,
		       const struct snapshot_account *a)
{
	if (!snapshot_login_valid(a->login) ||
	    !snapshot_text_valid(a->id, SNAPSHOT_ID_MAX) || a->expires_s < 0)
		return false;
	if ((a->flags & SNAPSHOT_DIRECTORY) ? a->uid == 0 : a->n_groups > 0)
		return false;
	if ((a->flags & SNAPSHOT_NO_UID) &&
	    (a->uid != UINT32_MAX || !(a->flags & SNAPSHOT_DIRECTORY)))
		return false;
	for (size_t i = 0; i < a->n_groups; i++)
		if (a->groups[i] >= b->n_groups)
			return false;
	return true;
}

int snapshot_add_account(struct snapshot_builder *b, const struct snapshot_account *a)
{
	struct snapshot_account n = *a;
	void *v = b->accounts;
	uint32_t *list;
	int r;

	if (b->sorted || !account_ok(b, a))
		return -EINVAL;
	r = grow(&v, b->n_accounts, &b->accounts_cap, sizeof(*b->accounts));
	if (r != 0)
		return r;
	b->accounts = v;
	list = calloc(a->n_groups + 1, sizeof(*list));
	n.login = strdup(a->login);
	n.id = strdup(a->id);
	n.groups = list;
	if (!n.login || !n.id || !list) {
		account_done(&n);
		return -ENOMEM;
	}
	if (a->n_groups > 0)
		memcpy(list, a->groups, a->n_groups * sizeof(*list));
	b->accounts[b->n_accounts++].a = n;
	b->pool_len += strlen(n.login) + strlen(n.id) + 2;
	return 0;
}

/* ----------------------------------------------------------------- build */

static int by_name(const void *a, const void *b)
{
	const struct new_group *x = a, *y = b;

	return strcmp(x->g.name, y->g.name);
}

static int by_login(const void *a, const void *b)
{
	const struct new_account *x = a, *y = b;

	return strcmp(x->a.login, y->a.login);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Translates one list to sorted ranks, each once. */
static void rank_list(struct snapshot_account *a, const uint32_t *rank)
{
	uint32_t *list = (uint32_t *)(uintptr_t)a->groups; /* ours */
	size_t n = 0;

	for (size_t i = 0; i < a->n_groups; i++)
		list[i] = rank[list[i]];
	qsort(list, a->n_groups, sizeof(*list), by_value);
	for (size_t i = 0; i < a->n_groups; i++)
		if (n == 0 || list[n - 1] != list[i])
			list[n++] = list[i];
	a->n_groups = n;
}

static int sort_all(struct snapshot_builder *b)
{
	_cleanup_free_ uint32_t *rank = calloc(b->n_groups + 1, sizeof(*rank));

	if (!rank)
		return -ENOMEM;
	if (b->n_groups > 0)
		qsort(b->groups, b->n_groups, sizeof(*b->groups), by_name);
	if (b->n_accounts > 0)
		qsort(b->accounts, b->n_accounts, sizeof(*b->accounts), by_login);
	for (size_t i = 1; i < b->n_groups; i++)
		if (str_eq(b->groups[i - 1].g.name, b->groups[i].g.name))
			return -EEXIST;
	for (size_t i = 1; i < b->n_accounts; i++)
		if (str_eq(b->accounts[i - 1].a.login, b->accounts[i].a.login))
			return -EEXIST;
	for (size_t i = 0; i < b->n_groups; i++)
		rank[b->groups[i].index] = (uint32_t)i;
	for (size_t i = 0; i < b->n_accounts; i++) {
		rank_list(&b->accounts[i].a, rank);
		b->n_lists += b->accounts[i].a.n_groups;
	}
	return 0;
}

struct out {
	struct block_group *groups; /* all borrowed from the block */
	struct block_account *accounts;
	uint32_t *lists;
	char *pool;
	size_t n_pool, n_lists;
};

static uint32_t put_text(struct out *o, const char *text)
{
	size_t at = o->n_pool, len = strlen(text) + 1;

	memcpy(o->pool + at, text, len);
	o->n_pool += len;
	return (uint32_t)at;
}

static void put_group(struct out *o, const struct snapshot_group *g,
		      struct block_group *ret)
{
	*ret = (struct block_group){.age_s = g->age_s,
				    .complete = g->complete,
				    .n_members = g->n_members};
	ret->name = put_text(o, g->name);
	ret->dn = put_text(o, g->dn);
	ret->pin = put_text(o, g->pin);
	ret->id = put_text(o, g->id);
}

static void put_account(struct out *o, const struct snapshot_account *a,
			struct block_account *ret)
{
	*ret = (struct block_account){.expires_s = a->expires_s,
				      .login = put_text(o, a->login),
				      .uid = a->uid,
				      .flags = a->flags,
				      .first = (uint32_t)o->n_lists,
				      .n_groups = (uint32_t)a->n_groups};
	ret->id = put_text(o, a->id);
	if (a->n_groups > 0)
		memcpy(o->lists + o->n_lists, a->groups,
		       a->n_groups * sizeof(*o->lists));
	o->n_lists += a->n_groups;
}

static void fill(const struct snapshot_builder *b, char *block)
{
	struct block_head *h = (void *)block;
	struct out o = {.groups = (void *)(block + sizeof(*h))};

	*h = (struct block_head){.magic = BLOCK_MAGIC_BYTES,
				 .made_s = b->made_s,
				 .serial = b->serial,
				 .base = b->base,
				 .n_groups = (uint32_t)b->n_groups,
				 .n_accounts = (uint32_t)b->n_accounts,
				 .n_lists = (uint32_t)b->n_lists,
				 .pool_len = (uint32_t)b->pool_len};
	o.accounts = (void *)(o.groups + b->n_groups);
	o.lists = (void *)(o.accounts + b->n_accounts);
	o.pool = (char *)(o.lists + b->n_lists);
	(void)put_text(&o, b->source); /* offset 0 by definition */
	for (size_t i = 0; i < b->n_groups; i++)
		put_group(&o, &b->groups[i].g, &o.groups[i]);
	for (size_t i = 0; i < b->n_accounts; i++)
		put_account(&o, &b->accounts[i].a, &o.accounts[i]);
}

int snapshot_build_bytes(struct snapshot_builder *b, void **ret, size_t *ret_len)
{
	size_t len;
	char *block;
	int r;

	if (b->sorted)
		return -EINVAL;
	r = sort_all(b);
	b->sorted = true;
	if (r != 0)
		return r;
	len = sizeof(struct block_head) + b->n_groups * sizeof(struct block_group) +
	      b->n_accounts * sizeof(struct block_account) +
	      b->n_lists * sizeof(uint32_t) + b->pool_len;
	if (len > SNAPSHOT_BYTES_MAX)
		return -E2BIG;
	block = calloc(1, len);
	if (!block)
		return -ENOMEM;
	fill(b, block);
	*ret = block;
	*ret_len = len;
	return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int snapshot_seal(const void *p, size_t len, int *ret_fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	_cleanup_close_ int fd =
		memfd_create("vmsec-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, p, len);
	if (r != 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, seals) != 0)
		return -errno;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int snapshot_build_fd(struct snapshot_builder *b, int *ret_fd)
{
	_cleanup_free_ void *block = NULL;
	size_t len;
	int r = snapshot_build_bytes(b, &block, &len);

	return r == 0 ? snapshot_seal(block, len, ret_fd) : r;
}
