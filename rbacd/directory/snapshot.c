/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - the flat block: verified once, then read in place without a check. */

#include "rbacd/directory/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "rbacd/directory/snapshot_format.h"

struct snapshot {
	unsigned n_refs;
	void *map; /* owned: mmap when mapped, else malloc */
	size_t len;
	bool mapped;
	const struct block_head *head; /* all borrowed from map */
	const struct block_group *groups;
	const struct block_account *accounts;
	const uint32_t *lists;
	const char *pool;
	size_t cursor, list,
		checked;  /* how far snapshot_check() is: pool, lists, accounts */
	const char *last; /* login of the account before */
};

bool snapshot_login_valid(const char *login)
{
	size_t len = strlen(login);

	if (len < 1 || len > SNAPSHOT_LOGIN_MAX || login[0] == '-' ||
	    str_eq(login, ".") || str_eq(login, ".."))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = login[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

bool snapshot_text_valid(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len < 1 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

/* ---------------------------------------------------------------- verify */

/* The string at @at must be the next one of the pool: so none is shared or unused. */
static const char *next_string(const struct snapshot *s, uint32_t at, size_t *cursor)
{
	size_t left = s->head->pool_len - *cursor;
	const char *text = s->pool + *cursor;
	size_t len;

	if (at != *cursor || left == 0)
		return NULL;
	len = strnlen(text, left);
	if (len == left)
		return NULL;
	*cursor += len + 1;
	return text;
}

/* A string that may be empty. */
static bool next_optional(const struct snapshot *s, uint32_t at, size_t max,
			  size_t *cursor)
{
	const char *text = next_string(s, at, cursor);

	return text && (!*text || snapshot_text_valid(text, max));
}

static bool verify_groups(const struct snapshot *s, size_t *cursor)
{
	const char *last = "";

	for (size_t i = 0; i < s->head->n_groups; i++) {
		const struct block_group *g = &s->groups[i];
		const char *name = next_string(s, g->name, cursor);

		if (!name || !snapshot_text_valid(name, SNAPSHOT_GROUP_MAX) ||
		    strcmp(last, name) >= 0)
			return false;
		if (!next_optional(s, g->dn, SNAPSHOT_DN_MAX, cursor) ||
		    !next_optional(s, g->pin, SNAPSHOT_ID_MAX, cursor) ||
		    !next_optional(s, g->id, SNAPSHOT_ID_MAX, cursor))
			return false;
		if (g->complete > 1 || g->age_s < 0)
			return false;
		last = name;
	}
	return true;
}

static bool verify_list(const struct snapshot *s, const struct block_account *a)
{
	for (size_t i = 0; i < a->n_groups; i++) {
		uint32_t g = s->lists[a->first + i];

		if (g >= s->head->n_groups)
			return false;
		if (i > 0 && s->lists[a->first + i - 1] >= g)
			return false;
	}
	return true;
}

static bool verify_account(const struct block_account *a)
{
	const uint32_t known = SNAPSHOT_LOCAL | SNAPSHOT_DIRECTORY | SNAPSHOT_DISABLED |
			       SNAPSHOT_NO_UID;

	if ((a->flags & ~known) != 0 || a->zero != 0 || a->expires_s < 0)
		return false;
	if ((a->flags & SNAPSHOT_NO_UID) &&
	    (a->uid != UINT32_MAX || !(a->flags & SNAPSHOT_DIRECTORY)))
		return false;
	/* No directory makes a root, and groups come from a directory only. */
	if ((a->flags & SNAPSHOT_DIRECTORY) && a->uid == 0)
		return false;
	return (a->flags & SNAPSHOT_DIRECTORY) || a->n_groups == 0;
}

static bool verify_next(struct snapshot *s)
{
	const struct block_account *a = &s->accounts[s->checked];
	const char *login = next_string(s, a->login, &s->cursor);
	const char *id = next_string(s, a->id, &s->cursor);

	if (!login || !id || !snapshot_login_valid(login) ||
	    strcmp(s->last, login) >= 0 || !snapshot_text_valid(id, SNAPSHOT_ID_MAX))
		return false;
	if (a->first != s->list || a->n_groups > s->head->n_lists - s->list)
		return false;
	s->list += a->n_groups;
	s->last = login;
	s->checked++;
	return verify_account(a) && verify_list(s, a);
}

int snapshot_check(struct snapshot *s, size_t n)
{
	for (; n > 0 && s->checked < s->head->n_accounts; n--)
		if (!verify_next(s))
			return SNAPSHOT_E_INVALID;
	if (s->checked < s->head->n_accounts)
		return SNAPSHOT_E_MORE;
	return s->list == s->head->n_lists && s->cursor == s->head->pool_len
		       ? 0
		       : SNAPSHOT_E_INVALID;
}

/* Places the parts; 64-bit sums of 32-bit counts cannot overflow. */
static bool lay_out(struct snapshot *s)
{
	const struct block_head *h = s->map;
	uint64_t at = sizeof(*h);
	const char *base = s->map;

	if (s->len < sizeof(*h) || memcmp(h->magic, BLOCK_MAGIC, sizeof(h->magic)) != 0)
		return false;
	s->head = h;
	s->groups = (const void *)(base + at);
	at += (uint64_t)h->n_groups * sizeof(*s->groups);
	if (at > s->len)
		return false;
	s->accounts = (const void *)(base + at);
	at += (uint64_t)h->n_accounts * sizeof(*s->accounts);
	if (at > s->len)
		return false;
	s->lists = (const void *)(base + at);
	at += (uint64_t)h->n_lists * sizeof(*s->lists);
	if (at > s->len)
		return false;
	s->pool = base + at;
	return at + h->pool_len == s->len;
}

static bool verify_head(struct snapshot *s)
{
	const char *source;

	if (!lay_out(s) || s->head->made_s < 0)
		return false;
	source = next_string(s, 0, &s->cursor);
	s->last = "";
	return source && snapshot_text_valid(source, SNAPSHOT_SOURCE_MAX) &&
	       verify_groups(s, &s->cursor);
}

/* Takes @map over in any case. */
static int adopt(void *map, size_t len, bool mapped, struct snapshot **ret)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s) {
		if (mapped)
			(void)munmap(map, len); /* our own mapping: cannot fail */
		else
			free(map);
		return -ENOMEM;
	}
	s->n_refs = 1;
	s->map = map;
	s->len = len;
	s->mapped = mapped;
	if (!verify_head(s)) {
		snapshot_unref(s);
		return SNAPSHOT_E_INVALID;
	}
	*ret = s;
	return 0;
}

/* All accounts at once. Takes @s over. */
static int check_all(struct snapshot *s, struct snapshot **ret)
{
	if (snapshot_check(s, SIZE_MAX) != 0) {
		snapshot_unref(s);
		return SNAPSHOT_E_INVALID;
	}
	*ret = s;
	return 0;
}

int snapshot_open_fd(int fd, struct snapshot **ret)
{
	const int need = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *map;

	/* Without the seals the sender could change what was verified, or cut it short
	 * and make a reader die of SIGBUS. */
	if (seals < 0 || (seals & need) != need)
		return SNAPSHOT_E_INVALID;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct block_head) ||
	    st.st_size > (off_t)SNAPSHOT_BYTES_MAX)
		return SNAPSHOT_E_INVALID;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	return adopt(map, (size_t)st.st_size, true, ret);
}

int snapshot_from_fd(int fd, struct snapshot **ret)
{
	struct snapshot *s = NULL;
	int r = snapshot_open_fd(fd, &s);

	return r == 0 ? check_all(s, ret) : r;
}

int snapshot_from_bytes(const void *p, size_t len, struct snapshot **ret)
{
	struct snapshot *s = NULL;
	void *copy;
	int r;

	if (len < sizeof(struct block_head) || len > SNAPSHOT_BYTES_MAX)
		return SNAPSHOT_E_INVALID;
	copy = malloc(len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, p, len);
	r = adopt(copy, len, false, &s);
	return r == 0 ? check_all(s, ret) : r;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	s->n_refs++;
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || --s->n_refs > 0)
		return;
	if (s->mapped)
		(void)munmap(s->map, s->len); /* our own mapping: cannot fail */
	else
		free(s->map);
	free(s);
}

/* ------------------------------------------------------------------ read */

const char *snapshot_source(const struct snapshot *s)
{
	return s->pool; /* verify(): the first string */
}

int64_t snapshot_made_s(const struct snapshot *s)
{
	return s->head->made_s;
}

uint64_t snapshot_serial(const struct snapshot *s)
{
	return s->head->serial;
}

uint64_t snapshot_base(const struct snapshot *s)
{
	return s->head->base;
}

const void *snapshot_bytes(const struct snapshot *s, size_t *ret_len)
{
	*ret_len = s->len;
	return s->map;
}

size_t snapshot_account_count(const struct snapshot *s)
{
	return s->head->n_accounts;
}

size_t snapshot_group_count(const struct snapshot *s)
{
	return s->head->n_groups;
}

void snapshot_group_at(const struct snapshot *s, size_t i, struct snapshot_group *ret)
{
	const struct block_group *g = &s->groups[i];

	*ret = (struct snapshot_group){.name = s->pool + g->name,
				       .dn = s->pool + g->dn,
				       .pin = s->pool + g->pin,
				       .id = s->pool + g->id,
				       .complete = g->complete == 1,
				       .age_s = g->age_s,
				       .n_members = g->n_members};
}

void snapshot_account_at(const struct snapshot *s, size_t i,
			 struct snapshot_account *ret)
{
	const struct block_account *a = &s->accounts[i];

	*ret = (struct snapshot_account){.login = s->pool + a->login,
					 .id = s->pool + a->id,
					 .uid = a->uid,
					 .flags = a->flags,
					 .expires_s = a->expires_s,
					 .groups = s->lists + a->first,
					 .n_groups = a->n_groups};
}

bool snapshot_index(const struct snapshot *s, const char *login, size_t *ret)
{
	size_t low = 0, high = s->head->n_accounts;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(s->pool + s->accounts[mid].login, login);

		if (c == 0) {
			*ret = mid;
			return true;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool snapshot_find(const struct snapshot *s, const char *login,
		   struct snapshot_account *ret)
{
	size_t at;

	if (!snapshot_index(s, login, &at))
		return false;
	snapshot_account_at(s, at, ret);
	return true;
}

bool snapshot_group_index(const struct snapshot *s, const struct snapshot_group *g,
			  uint32_t *ret)
{
	size_t low = 0, high = s->head->n_groups;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct block_group *b = &s->groups[mid];
		int c = strcmp(s->pool + b->name, g->name);

		if (c == 0) {
			*ret = (uint32_t)mid;
			return str_eq(s->pool + b->dn, g->dn) &&
			       str_eq(s->pool + b->pin, g->pin);
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}
