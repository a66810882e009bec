/* SPDX-License-Identifier: Apache-2.0 */
/* poll.c - a server without LDAP sync: what has a newer stamp, and everything. */

#include <errno.h>
#include <strings.h>

#include "rbacd/directory/follow_internal.h"

struct reader {
	struct follow *f;
	enum ldap_kind kind;
	struct stamp_seen *seen;
	const char *stamp;
};

static size_t kind_index(enum ldap_kind kind)
{
	return kind == LDAP_KIND_USER ? 0 : 1;
}

/* Stamps of one form have one length and sort as text; uSNChanged is a number. */
static void note_stamp(struct reader *r, const struct ldap_value *v)
{
	char text[STAMP_MAX + 1] = "";

	if (v->len > STAMP_MAX || memchr(v->p, '\0', v->len))
		return;
	memcpy(text, v->p, v->len);
	if (r->f->schema.stamp == LDAP_STAMP_USN) {
		uint64_t n = strtoull(text, NULL, 10);

		if (n > r->seen->number)
			r->seen->number = n;
	} else if (strcmp(text, r->seen->text) > 0) {
		memcpy(r->seen->text, text, sizeof(text));
	}
}

static int on_entry(void *arg, const struct ldap_entry *e)
{
	struct reader *rd = arg;
	int r = ldap_map_put(rd->f->map, rd->kind, e);

	for (size_t i = 0; i < e->n_attrs; i++)
		if (strcasecmp(e->attrs[i].name, rd->stamp) == 0 &&
		    e->attrs[i].n_values == 1)
			note_stamp(rd, &e->attrs[i].values[0]);
	return r < 0 ? r : 0; /* dropped and full: the map keeps the reason */
}

static void prepare(struct follow *f, enum ldap_kind kind,
		    const char *attrs[LDAP_ATTRS_MAX + 1], struct ldap_search *s,
		    struct reader *rd)
{
	size_t n = 0;

	session_search(f, kind, attrs, s);
	*rd = (struct reader){.f = f,
			      .kind = kind,
			      .seen = &f->seen[kind_index(kind)],
			      .stamp = ldap_schema_stamp(&f->schema)};
	while (attrs[n])
		n++;
	attrs[n] = rd->stamp;
	attrs[n + 1] = NULL;
}

static int load_kind(struct follow *f, enum ldap_kind kind)
{
	const char *attrs[LDAP_ATTRS_MAX + 1];
	struct ldap_search s;
	struct reader rd;
	int r;

	prepare(f, kind, attrs, &s, &rd);
	*rd.seen = (struct stamp_seen){.number = 0}; /* another server's say nothing */
	ldap_map_refresh_begin(f->map, kind);
	r = ldap_conn_search(f->conn, &s, on_entry, &rd);
	/* No base, no entries: nothing to believe, and nothing to forget. */
	if (r == LDAP_CONN_E_NONE)
		return ldap_conn_fail(f->conn, s.base, LDAP_NO_SUCH_OBJECT);
	return r == 0 ? ldap_map_refresh_end(f->map, kind) : r;
}

int poll_load(struct follow *f)
{
	int r;

	f->polled_s = follow_now_s();
	r = load_kind(f, LDAP_KIND_USER);
	if (r == 0)
		r = load_kind(f, LDAP_KIND_GROUP);
	if (r == 0)
		(void)snprintf(f->dsa, sizeof(f->dsa), "%s",
			       ldap_conn_server(f->conn)->dsa);
	return r;
}

/* Equal stamps are asked for again: a second has room for two changes. */
static int filter_since(const struct reader *rd, const char *filter, char *ret,
			size_t cap)
{
	char number[24];
	const char *since = rd->seen->text;
	int n;

	if (rd->f->schema.stamp == LDAP_STAMP_USN) {
		(void)snprintf(number, sizeof(number), "%llu",
			       (unsigned long long)rd->seen->number + 1);
		since = number;
	}
	/* The stamp came from the server: only what stamps are made of goes back. */
	if (since[strspn(since, "0123456789abcdefABCDEFZ.#+-")] != '\0')
		return -EINVAL;
	n = snprintf(ret, cap, "(&%s(%s>=%s))", filter, rd->stamp, since);
	return n > 0 && (size_t)n < cap ? 0 : -EINVAL;
}

static int changes_of(struct follow *f, enum ldap_kind kind)
{
	const char *attrs[LDAP_ATTRS_MAX + 1];
	char filter[LDAP_FILTER_MAX + STAMP_MAX + LDAP_ATTR_MAX + 16];
	struct ldap_search s;
	struct reader rd;
	int r;

	prepare(f, kind, attrs, &s, &rd);
	if (!*rd.seen->text && rd.seen->number == 0)
		return load_kind(f, kind); /* empty until now */
	r = filter_since(&rd, s.filter, filter, sizeof(filter));
	if (r != 0)
		return ldap_conn_fail(f->conn, "the server's stamps",
				      LDAP_DECODING_ERROR);
	s.filter = filter;
	r = ldap_conn_search(f->conn, &s, on_entry, &rd);
	if (r == LDAP_CONN_E_NONE)
		r = ldap_conn_fail(f->conn, s.base, LDAP_NO_SUCH_OBJECT);
	return r;
}

int poll_changes(struct follow *f)
{
	int r;

	f->polled_s = follow_now_s();
	/* Another domain controller counts on its own. */
	if (!str_eq(f->dsa, ldap_conn_server(f->conn)->dsa))
		return poll_load(f);
	r = changes_of(f, LDAP_KIND_USER);
	return r == 0 ? changes_of(f, LDAP_KIND_GROUP) : r;
}
