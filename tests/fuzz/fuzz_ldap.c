/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ldap.c - entries of a directory to accounts.
 *
 * First byte even: bytes as a history of a small directory. A map that followed every
 * change says the same as one that is built from the end alone, and what was told in
 * changes adds up to it. First byte odd: LDIF, any entries. Who comes out is never one
 * of the host's or the system's, and lists are in order.
 */
#include <assert.h>

#include "tests/unit/directory/ldap_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N	7 /* people, groups, logins, places */
#define TARGETS 4

static struct snapshot *local;
static const char by_dn[] = "b|cn=b," GROUPS;
static const char by_pin[] = "c||entryUUID:00000000-0000-0000-0000-000000000001";

/* -------------------------------------------------------------------- LDIF */

static int check_account(void *arg, const char *login, const struct snapshot_account *a)
{
	struct snapshot_account found;
	const size_t *n_targets = arg;

	assert(snapshot_login_valid(login));
	if (!a)
		return 0;
	assert(str_eq(a->login, login) && !snapshot_find(local, login, &found));
	assert((a->flags & SNAPSHOT_DIRECTORY) && !(a->flags & SNAPSHOT_LOCAL));
	assert(a->flags & SNAPSHOT_NO_UID ? a->uid == UINT32_MAX
					  : a->uid >= SNAPSHOT_PEOPLE_MIN &&
						    !snapshot_uid_reserved(a->uid));
	assert(a->expires_s >= 0 && snapshot_text_valid(a->id, SNAPSHOT_ID_MAX));
	for (size_t i = 0; i < a->n_groups; i++)
		assert(a->groups[i] < *n_targets &&
		       (i == 0 || a->groups[i - 1] < a->groups[i]));
	return 0;
}

/* One record; lines are ended with NUL in place. Return: where the next one starts. */
static char *read_record(char *p, struct made *m)
{
	made_new(m, 0, "");
	m->e.id = NULL;
	while (*p && *p != '\n') {
		char *end = p + strcspn(p, "\n"),
		     *colon = memchr(p, ':', strcspn(p, "\n"));
		char *next = *end ? end + 1 : end;

		*end = '\0';
		if (colon && m->e.n_attrs < 20 && m->n_values < 60) {
			*colon = '\0';
			if (str_eq(p, "dn"))
				m->e.dn = colon + 1;
			else if (m->e.n_attrs > 0 &&
				 str_eq(p, m->attrs[m->e.n_attrs - 1].name))
				made_value(m, colon + 1, strlen(colon + 1));
			else
				made_text(m, p, colon + 1);
		}
		p = next;
	}
	return *p ? p + 1 : p;
}

static void drop_drops(void *arg, const char *dn, const char *login, enum ldap_drop why)
{
	(void)arg;
	(void)dn;
	(void)login;
	assert(!str_eq(ldap_drop_name(why), "unknown"));
}

static void read_members(struct ldap_map *map, struct made *m)
{
	struct ldap_wanted w;
	uint64_t next;

	for (size_t i = 0; i < 8 && ldap_map_next_wanted(map, &w); i++) {
		struct ldap_id id = w.id;

		if (ldap_map_members_begin(map, &id) == 0)
			(void)!ldap_map_members_add(map, &m->e, &next);
		(void)!ldap_map_members_end(map, LDAP_READ_DONE, 5);
	}
}

static void try_ldif(char *text, const char *preset)
{
	const char *const names[] = {"admins", by_dn, by_pin};
	struct ldap_map_options o = {.schema = ldap_schema_find(preset),
				     .users_base = "dc=x",
				     .groups_base = "dc=x"};
	struct snapshot *targets = targets_of(names, ARRAY_SIZE(names));
	size_t n_targets = ARRAY_SIZE(names);
	struct ldap_map *map = NULL;

	assert(ldap_map_new(&o, &map) == 0 && ldap_map_set_targets(map, targets) == 0);
	assert(ldap_map_set_local(map, local) == 0);
	for (size_t i = 0; i < 40 && *text; i++) {
		struct made m;

		text = read_record(text, &m);
		(void)!ldap_map_put(map, i % 2 ? LDAP_KIND_USER : LDAP_KIND_GROUP,
				    &m.e);
		read_members(map, &m);
		if (i % 3 == 0)
			assert(ldap_map_take_dirty(map, check_account, &n_targets) ==
			       0);
	}
	assert(ldap_map_each(map, check_account, &n_targets) == 0);
	ldap_map_take_drops(map, drop_drops, NULL);
	ldap_map_free(map);
	snapshot_unref(targets);
}

/* ------------------------------------------------------------------ history */

struct person {
	bool there, capital;
	unsigned place, login, uid;
};

struct group {
	bool there;
	unsigned place, name, members;
};

struct world {
	struct person people[N];
	struct group groups[N];
	unsigned asked; /* how the targets are asked for */
	char told[3 * N][128];
	size_t n_told;
};

static const char *const logins[N] = {"a", "b", "B", "c", "root", "ROOT", "d"};

static void put_person(struct ldap_map *map, const struct world *w, unsigned i)
{
	const struct person *p = &w->people[i];
	char dn[64], uid[16];
	struct made m;

	(void)snprintf(dn, sizeof(dn), "%s=p%u," USERS, p->capital ? "UID" : "uid",
		       p->place);
	(void)snprintf(uid, sizeof(uid), "%u", 998 + p->uid);
	made_new(&m, 1 + i, dn);
	made_text(&m, "uid", logins[p->login]);
	made_text(&m, "uidNumber", uid);
	(void)!ldap_map_put(map, LDAP_KIND_USER, &m.e);
}

static void put_group(struct ldap_map *map, const struct world *w, unsigned i)
{
	char dn[64], name[8];
	struct made m;

	(void)snprintf(dn, sizeof(dn), "cn=g%u," GROUPS, w->groups[i].place);
	(void)snprintf(name, sizeof(name), "n%u", w->groups[i].name);
	made_new(&m, 101 + i, dn);
	made_text(&m, "cn", name);
	(void)!ldap_map_put(map, LDAP_KIND_GROUP, &m.e);
}

/* What the server says of a group: members are places of people and of groups. */
static void feed_wanted(struct ldap_map *map, const struct world *w)
{
	struct ldap_wanted want;

	while (ldap_map_next_wanted(map, &want)) {
		unsigned i = (unsigned)(want.id.v[0] << 8 | want.id.v[1]) - 101;
		struct ldap_id id = want.id;
		char dn[2 * N][64];
		uint64_t next;
		struct made m;

		assert(i < N && w->groups[i].there);
		made_new(&m, 101 + i, "cn=x," GROUPS);
		made_attr(&m, "member");
		for (unsigned j = 0; j < 2 * N; j++) {
			(void)snprintf(dn[j], sizeof(dn[j]), "%s%u,%s",
				       j < N ? "uid=p" : "cn=g", j % N,
				       j < N ? USERS : GROUPS);
			if (w->groups[i].members >> j & 1)
				made_value(&m, dn[j], strlen(dn[j]));
		}
		assert(ldap_map_members_begin(map, &id) == 0);
		assert(ldap_map_members_add(map, &m.e, &next) == 0 && next == 0);
		assert(ldap_map_members_end(map, LDAP_READ_DONE, 5) == 0);
	}
}

static void ask(struct ldap_map *map, unsigned how)
{
	char text[TARGETS][128];
	const char *list[TARGETS];
	struct snapshot *s;

	for (unsigned i = 0; i < TARGETS; i++) {
		list[i] = text[i];
		if (how >> (2 * i) & 1)
			(void)snprintf(text[i], sizeof(text[i]), "n%u", i);
		else if (how >> (2 * i + 1) & 1)
			(void)snprintf(text[i], sizeof(text[i]), "n%u|cn=g%u," GROUPS,
				       i, i + 1);
		else
			(void)snprintf(text[i], sizeof(text[i]),
				       "n%u||entryUUID:%04x0000-0000-0000-0000-"
				       "000000000000",
				       i, 101 + i);
	}
	s = targets_of(list, TARGETS);
	assert(s && ldap_map_set_targets(map, s) == 0);
	snapshot_unref(s);
}

static int tell(void *arg, const char *login, const struct snapshot_account *a)
{
	struct world *w = arg;
	char line[128], start[80];
	size_t i = 0, n = 0;

	n = (size_t)snprintf(start, sizeof(start), "%s ", login);
	while (i < w->n_told && memcmp(w->told[i], start, n) != 0)
		i++;
	if (!a) {
		assert(i < w->n_told); /* nobody goes who was not there */
		memcpy(w->told[i], w->told[--w->n_told], sizeof(line));
		return 0;
	}
	n = (size_t)snprintf(line, sizeof(line), "%s %s %u", login, a->id, a->uid);
	for (size_t j = 0; j < a->n_groups; j++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %u", a->groups[j]);
	assert(n < sizeof(line) && i < ARRAY_SIZE(w->told));
	memcpy(w->told[i], line, sizeof(line));
	w->n_told += i == w->n_told;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void same(struct world *a, struct world *b)
{
	assert(a->n_told == b->n_told);
	qsort(a->told, a->n_told, sizeof(a->told[0]), compare);
	qsort(b->told, b->n_told, sizeof(b->told[0]), compare);
	for (size_t i = 0; i < a->n_told; i++)
		assert(str_eq(a->told[i], b->told[i]));
}

static bool place_taken(const struct world *w, unsigned i, unsigned place)
{
	for (unsigned j = 0; j < N; j++)
		if (j != i && w->people[j].there && w->people[j].place == place)
			return true;
	return false;
}

static bool group_place_taken(const struct world *w, unsigned i, unsigned place)
{
	for (unsigned j = 0; j < N; j++)
		if (j != i && w->groups[j].there && w->groups[j].place == place)
			return true;
	return false;
}

/* People not seen in a refresh are gone. */
static void refresh(struct ldap_map *map, struct world *w, unsigned seen)
{
	size_t n = 0;

	ldap_map_refresh_begin(map, LDAP_KIND_USER);
	for (unsigned i = 0; i < N; i++) {
		struct ldap_id id = id_of(1 + i);

		if (!w->people[i].there)
			continue;
		if (seen >> i & 1) {
			if (!ldap_map_present(map, LDAP_KIND_USER, &id))
				put_person(map, w, i);
			continue;
		}
		w->people[i].there = false;
		n++;
	}
	assert(ldap_map_absent(map, LDAP_KIND_USER) == n);
	assert(ldap_map_refresh_end(map, LDAP_KIND_USER) == 0);
}

static void step(struct ldap_map *map, struct world *w, const uint8_t *d)
{
	unsigned i = d[1] % N, j = d[2] % N, k = d[3] % N;
	struct ldap_id id = id_of(1 + i), gid = id_of(101 + i);

	switch (d[0] % 8) {
	case 0:
	case 1:
		if (place_taken(w, i, j))
			break;
		w->people[i] = (struct person){true, d[0] & 8, j, k, d[3] / N % 6};
		put_person(map, w, i);
		break;
	case 2:
		w->people[i].there = false;
		assert(ldap_map_delete(map, LDAP_KIND_USER, &id) == 0);
		break;
	case 3:
	case 4:
		if (group_place_taken(w, i, j))
			break;
		w->groups[i].there = true;
		w->groups[i].place = j;
		w->groups[i].name = k;
		put_group(map, w, i);
		break;
	case 5:
		w->groups[i].members = (unsigned)d[2] | (unsigned)d[3] << 7;
		if (w->groups[i].there)
			put_group(map, w, i);
		break;
	case 6:
		w->groups[i].there = false;
		assert(ldap_map_delete(map, LDAP_KIND_GROUP, &gid) == 0);
		break;
	case 7:
		if (d[1] & 1) {
			refresh(map, w, d[2]);
			break;
		}
		assert(ldap_map_take_dirty(map, tell, w) == 0);
		w->asked = d[2];
		ask(map, w->asked);
		break;
	}
}

static void same_targets(struct ldap_map *a, struct ldap_map *b)
{
	for (size_t i = 0; i < TARGETS; i++) {
		struct snapshot_group x, y;

		ldap_map_group(a, i, 9, &x);
		ldap_map_group(b, i, 9, &y);
		assert(str_eq(x.id, y.id) && x.complete == y.complete &&
		       x.age_s == y.age_s && x.n_members == y.n_members);
	}
}

static void try_history(const uint8_t *d, size_t size)
{
	static struct world w, whole, fresh;
	struct ldap_map_options o = {.schema = ldap_schema_find("rfc2307bis"),
				     .users_base = USERS,
				     .groups_base = GROUPS,
				     .seed = size};
	struct ldap_map *map = NULL, *again = NULL;

	memset(&w, 0, sizeof(w));
	memset(&whole, 0, sizeof(whole));
	memset(&fresh, 0, sizeof(fresh));
	assert(ldap_map_new(&o, &map) == 0 && ldap_map_new(&o, &again) == 0);
	assert(ldap_map_set_local(map, local) == 0);
	ask(map, 0);
	for (; size >= 4 && size < 4000; d += 4, size -= 4) {
		step(map, &w, d);
		feed_wanted(map, &w);
		if (d[3] & 1)
			assert(ldap_map_take_dirty(map, tell, &w) == 0);
	}
	assert(ldap_map_take_dirty(map, tell, &w) == 0);
	assert(ldap_map_each(map, tell, &whole) == 0);
	for (unsigned i = N; i-- > 0;) {
		if (w.groups[i].there)
			put_group(again, &w, i);
		if (w.people[i].there)
			put_person(again, &w, i);
	}
	ask(again, w.asked);
	assert(ldap_map_set_local(again, local) == 0);
	feed_wanted(again, &w);
	assert(ldap_map_each(again, tell, &fresh) == 0);
	same(&w, &whole);
	same(&w, &fresh);
	same_targets(map, again);
	ldap_map_free(map);
	ldap_map_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const presets[] = {"rfc2307", "rfc2307bis", "ipa", "ad"};
	char *text;

	if (!local)
		local = local_of("root");
	if (size < 1)
		return 0;
	if (data[0] % 2 == 0) {
		try_history(data + 1, size - 1);
		return 0;
	}
	text = malloc(size);
	assert(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	try_ldif(text, presets[data[0] / 2 % ARRAY_SIZE(presets)]);
	free(text);
	return 0;
}
