/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - source file of rbacd-dir: people.yaml, taken whole or not at all. */

#include "rbacd/directory/file.h"

#include <errno.h>

#include "policy/arena.h"
#include "policy/yaml.h"
#include "rbacd/directory/local.h"

#define PEOPLE_MAX 1000000

struct person {
	const char *login, *id; /* owned by the reader's arena, as all */
	const uint32_t *groups; /* indices of targets; the others count for nothing */
	uint32_t n_groups, uid;
	unsigned line, column;
	int64_t expires_s;
	bool disabled;
};

struct reader {
	const struct file_input *in;
	const struct yaml_doc *doc; /* borrowed */
	struct diags *diag;
	struct arena arena;
	struct person *people; /* owned */
	size_t n, cap;
};

/* ------------------------------------------------------------------ read */

/* Return: 0, with NULL and a diagnostic when it is no text; -ENOMEM. */
static int read_text(struct reader *r, const struct yaml_node *entry, const char *key,
		     const char **ret)
{
	const struct yaml_node *n = yaml_get(entry, key);

	*ret = NULL;
	if (!n) {
		yaml_error(r->doc, entry, r->diag, "'%s' is missing", key);
		return 0;
	}
	if (n->kind != YAML_SCALAR) {
		yaml_error(r->doc, n, r->diag, "must be text");
		return 0;
	}
	*ret = arena_strndup(&r->arena, n->text, n->len);
	return *ret ? 0 : -ENOMEM;
}

static int read_names(struct reader *r, const struct yaml_node *entry, struct person *p)
{
	const struct yaml_node *id = yaml_get(entry, "id");
	const struct yaml_node *uid = yaml_get(entry, "uid");
	uint64_t number;
	int rc = read_text(r, entry, "login", &p->login);

	if (rc == 0)
		rc = read_text(r, entry, "id", &p->id);
	if (rc != 0)
		return rc;
	if (p->login && !snapshot_login_valid(p->login))
		yaml_error(r->doc, yaml_get(entry, "login"), r->diag,
			   "must be 1 to 64 letters, digits, '.', '_' or '-'");
	if (p->id && !snapshot_text_valid(p->id, SNAPSHOT_ID_MAX))
		yaml_error(r->doc, id, r->diag, "must be 1 to 160 bytes of text");
	if (!uid)
		yaml_error(r->doc, entry, r->diag, "'uid' is missing");
	else if (yaml_get_u64(r->doc, uid, UINT32_MAX - 1, &number, r->diag) == 0)
		p->uid = (uint32_t)number;
	return 0;
}

static bool find_target(const struct snapshot *t, const char *name, uint32_t *ret)
{
	size_t low = 0, high = snapshot_group_count(t);
	struct snapshot_group g;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c;

		snapshot_group_at(t, mid, &g);
		c = strcmp(g.name, name);
		if (c == 0) {
			*ret = (uint32_t)mid;
			return true;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int read_groups(struct reader *r, const struct yaml_node *n, struct person *p)
{
	uint32_t *groups;

	if (n->kind != YAML_LIST) {
		yaml_error(r->doc, n, r->diag, "must be a list of group names");
		return 0;
	}
	groups = arena_array(&r->arena, n->n_items, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	for (const struct yaml_node *i = n->first; i; i = i->next)
		if (i->kind != YAML_SCALAR ||
		    !snapshot_text_valid(i->text, SNAPSHOT_GROUP_MAX))
			yaml_error(r->doc, i, r->diag, "must be a group's name");
		else if (find_target(r->in->targets, i->text, &groups[p->n_groups]))
			p->n_groups++;
	p->groups = groups;
	return 0;
}

/* Days since 1970 of a Gregorian date: years begin in March, so leap days come last. */
static int64_t days_of(int y, int m, int d)
{
	int64_t year = m <= 2 ? y - 1 : y;
	int64_t era = year / 400, of_era = year - era * 400;
	int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

static int month_days(int y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

static bool parse_date(const char *s, int64_t *ret_s)
{
	int v[3] = {0};
	static const size_t part[10] = {0, 0, 0, 0, 3, 1, 1, 3, 2, 2};

	if (strlen(s) != 10)
		return false;
	for (size_t i = 0; i < 10; i++) {
		if (part[i] == 3 ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
		if (part[i] != 3)
			v[part[i]] = v[part[i]] * 10 + (s[i] - '0');
	}
	if (v[0] < 1971 || v[1] < 1 || v[1] > 12 || v[2] < 1 ||
	    v[2] > month_days(v[0], v[1]))
		return false;
	*ret_s = days_of(v[0], v[1], v[2]) * 86400;
	return true;
}

static void read_ends(struct reader *r, const struct yaml_node *entry, struct person *p)
{
	const struct yaml_node *disabled, *expires;

	disabled = yaml_get(entry, "disabled");
	if (disabled && yaml_get_bool(r->doc, disabled, &p->disabled, r->diag) != 0)
		p->disabled = true; /* reported: the file is refused */
	expires = yaml_get(entry, "expires");
	if (expires &&
	    (expires->kind != YAML_SCALAR || !parse_date(expires->text, &p->expires_s)))
		yaml_error(
			r->doc, expires, r->diag,
			"must be a date like 2027-05-01 (UTC), the first day without "
			"access");
}

static int grow(struct reader *r)
{
	size_t cap = r->cap ? r->cap * 2 : 64;
	void *p;

	if (r->n < r->cap)
		return 0;
	p = reallocarray(r->people, cap, sizeof(*r->people));
	if (!p)
		return -ENOMEM;
	r->people = p;
	r->cap = cap;
	return 0;
}

/* One entry; the file may be large, so nothing of its tree is kept. */
static int read_person(void *arg, const struct yaml_doc *doc,
		       const struct yaml_node *entry)
{
	static const char *const known[] = {"login",	"id",	   "uid", "groups",
					    "disabled", "expires", NULL};
	const struct yaml_node *groups = yaml_get(entry, "groups");
	struct person p = {.line = entry->line, .column = entry->column};
	struct reader *r = arg;
	int rc = grow(r);

	r->doc = doc;
	if (rc != 0)
		return rc;
	if (entry->kind != YAML_MAP) {
		yaml_error(doc, entry, r->diag, "must be a person: {login, id, uid}");
		return 0;
	}
	yaml_check_keys(doc, entry, known, r->diag);
	rc = read_names(r, entry, &p);
	if (rc == 0 && groups)
		rc = read_groups(r, groups, &p);
	read_ends(r, entry, &p);
	if (rc == 0 && p.login && p.id)
		r->people[r->n++] = p;
	return rc;
}

static int by_login(const void *a, const void *b)
{
	return strcmp(((const struct person *)a)->login,
		      ((const struct person *)b)->login);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct person *)a)->id, ((const struct person *)b)->id);
}

static int by_uid(const void *a, const void *b)
{
	uint32_t x = ((const struct person *)a)->uid,
		 y = ((const struct person *)b)->uid;

	return x < y ? -1 : x > y;
}

static void refuse_twice(struct reader *r, const char *what,
			 int (*order)(const void *, const void *))
{
	if (r->n < 2)
		return;
	qsort(r->people, r->n, sizeof(*r->people), order);
	for (size_t i = 1; i < r->n; i++) {
		const struct person *p = &r->people[i];
		const struct yaml_node at = {.line = p->line, .column = p->column};

		if (order(p - 1, p) == 0)
			yaml_error(r->doc, &at, r->diag,
				   "the %s of this person is also given in line %u",
				   what, p[-1].line);
	}
}

/* What is around the people, and what concerns them all. */
static int check_people(struct reader *r)
{
	static const char *const known[] = {"vmsec_people", "people", NULL};
	const struct yaml_node *root = yaml_root(r->doc);
	const struct yaml_node *version = yaml_get(root, "vmsec_people");
	const struct yaml_node *list = yaml_get(root, "people");

	if (root->kind == YAML_MAP)
		yaml_check_keys(r->doc, root, known, r->diag);
	if (!version || version->kind != YAML_SCALAR || !str_eq(version->text, "1"))
		yaml_error(r->doc, version ? version : root, r->diag,
			   "must begin with 'vmsec_people: 1'");
	if (!list || list->kind != YAML_LIST || list->n_items > PEOPLE_MAX) {
		yaml_error(r->doc, list ? list : root, r->diag,
			   "must have a list 'people' of at most %d entries",
			   PEOPLE_MAX);
		return YAML_E_INVALID;
	}
	refuse_twice(r, "id", by_id);
	refuse_twice(r, "uid", by_uid);
	refuse_twice(r, "login", by_login);
	return diags_failed(r->diag) ? YAML_E_INVALID : 0;
}

/* ----------------------------------------------------------------- build */

/* Why this person must not exist for rbacd, or NULL. */
static const char *left_out(const struct file_input *in, const struct person *p)
{
	struct snapshot_account a;

	if (p->uid < SNAPSHOT_PEOPLE_MIN || snapshot_uid_reserved(p->uid))
		return "a directory must not make system accounts";
	if (in->local && snapshot_find(in->local, p->login, &a))
		return "the login exists in /etc/passwd";
	return NULL;
}

static int add_person(const struct person *p, struct snapshot_builder *b)
{
	struct snapshot_account a = {.login = p->login,
				     .id = p->id,
				     .uid = p->uid,
				     .flags = SNAPSHOT_DIRECTORY |
					      (p->disabled ? (uint32_t)SNAPSHOT_DISABLED
							   : 0),
				     .expires_s = p->expires_s,
				     .groups = p->groups,
				     .n_groups = p->n_groups};

	return snapshot_add_account(b, &a);
}

/* One message however many there are: the link's queue is short, and what must not be
 * lost in it is the snapshot. */
static void tell_left_out(const struct reader *r, size_t n, const struct person *first)
{
	const char *why = left_out(r->in, first);
	char text[256];

	if (n == 1)
		(void)snprintf(text, sizeof(text), "account '%s' is left out: %s",
			       first->login, why); /* fits */
	else
		(void)snprintf(text, sizeof(text),
			       "%zu accounts are left out; the first is '%s': %s", n,
			       first->login, why); /* fits */
	r->in->problem(r->in->arg, text);
}

static int add_people(const struct reader *r, struct snapshot_builder *b)
{
	const struct person *first = NULL;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n; i++) {
		if (!left_out(r->in, &r->people[i])) {
			rc = add_person(&r->people[i], b);
			continue;
		}
		first = first ? first : &r->people[i];
		n++;
	}
	if (n > 0)
		tell_left_out(r, n, first);
	return rc;
}

static int build(const struct reader *r, int *ret_fd)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	struct snapshot_group g;
	int rc = snapshot_builder_new("file", r->in->now_s, &b);

	for (size_t i = 0; rc == 0 && i < snapshot_group_count(r->in->targets); i++) {
		snapshot_group_at(r->in->targets, i, &g);
		rc = snapshot_add_group(b, g.name, true, 0, NULL);
	}
	if (rc == 0)
		rc = add_people(r, b);
	return rc == 0 ? snapshot_build_fd(b, ret_fd) : rc;
}

int file_build(const struct file_input *in, int *ret_fd, struct diags *diag)
{
	_cleanup_yaml_ struct yaml_doc *doc = NULL;
	struct reader r = {.in = in, .diag = diag};
	const struct yaml_each each = {.key = "people", .item = read_person, .arg = &r};
	int rc = yaml_read_each(in->path, &each, &doc, diag);

	if (rc == 0) {
		r.doc = doc;
		rc = check_people(&r);
	}
	if (rc == 0)
		rc = build(&r, ret_fd);
	free(r.people);
	arena_done(&r.arena);
	return rc;
}

/* ----------------------------------------------------------------- local */

struct local_list {
	struct local_account *v; /* owned */
	size_t n, cap;
};

static int keep_account(const struct local_account *a, void *arg)
{
	struct local_list *l = arg;

	if (!snapshot_login_valid(a->login))
		return 0;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		void *p = reallocarray(l->v, cap, sizeof(*l->v));

		if (!p)
			return -ENOMEM;
		l->v = p;
		l->cap = cap;
	}
	l->v[l->n++] = *a;
	return 0;
}

static int add_local(struct snapshot_builder *b, const struct local_account *l)
{
	char id[SNAPSHOT_ID_MAX + 1];
	struct snapshot_account a = {.login = l->login,
				     .id = id,
				     .uid = l->uid,
				     .flags = SNAPSHOT_LOCAL};

	(void)snprintf(id, sizeof(id), "unix:%u:%s", l->uid, l->login); /* fits */
	return snapshot_add_account(b, &a);
}

static int same_login(const void *a, const void *b)
{
	return strcmp(((const struct local_account *)a)->login,
		      ((const struct local_account *)b)->login);
}

/* getpwnam() takes the first line of a name; glibc's qsort is stable enough only by
 * luck, so a name with two lines that differ is left out: nobody can tell which one is
 * meant. */
static int add_all(struct snapshot_builder *b, struct local_list *l, size_t *skipped)
{
	int rc = 0;

	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), same_login);
	for (size_t i = 0, next; rc == 0 && i < l->n; i = next) {
		bool clear = true;

		for (next = i + 1;
		     next < l->n && same_login(&l->v[i], &l->v[next]) == 0; next++)
			clear = clear && l->v[next].uid == l->v[i].uid;
		if (clear)
			rc = add_local(b, &l->v[i]);
		else
			(*skipped)++;
	}
	return rc;
}

int file_build_local(const char *path, int64_t now_s, int *ret_fd, size_t *ret_skipped)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	struct local_list l = {0};
	size_t skipped = 0;
	int rc = snapshot_builder_new("local", now_s, &b);

	if (rc == 0)
		rc = local_each(path, keep_account, &l, &skipped);
	if (rc == 0)
		rc = add_all(b, &l, &skipped);
	free(l.v);
	if (rc == 0)
		rc = snapshot_build_fd(b, ret_fd);
	if (rc == 0)
		*ret_skipped = skipped;
	return rc;
}
