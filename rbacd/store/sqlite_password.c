/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_password.c - passwords: when they changed, what is demanded, former ones. */
#include "rbacd/store/sqlite_internal.h"

static void read_row(struct query *q, struct store_password *p)
{
	query_get_text(q, 0, p->login, sizeof(p->login));
	p->seen_s = query_get_int(q, 1, INT64_MIN, INT64_MAX);
	p->changed_s = query_get_int(q, 2, INT64_MIN, INT64_MAX);
	p->forced = (uint32_t)query_get_int(q, 3, 0, UINT32_MAX);
	p->forced_s = query_get_int(q, 4, INT64_MIN, INT64_MAX);
	query_get_text(q, 5, p->forced_by, sizeof(p->forced_by));
	query_get_text(q, 6, p->forced_why, sizeof(p->forced_why));
	p->ticket_s = query_get_int(q, 7, INT64_MIN, INT64_MAX);
	(void)query_get_blob(q, 8, p->ticket, sizeof(p->ticket)); /* "" : zeroes */
	p->ticket_other = query_get_int(q, 9, 0, 1) == 1;
	query_get_text(q, 10, p->pending, sizeof(p->pending));
	query_get_text(q, 11, p->person, sizeof(p->person));
}

int store_password_get(struct store *store, const char *person,
		       struct store_password *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PASSWORD_GET);
	struct store_password p = {0};
	int r;

	query_text(&q, person);
	r = query_row(&q);
	if (r != 0)
		return r;
	read_row(&q, &p);
	if (q.err == 0)
		*ret = p;
	return q.err;
}

int store_password_put(struct store *store, const struct store_password *p)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PASSWORD_PUT);

	query_text(&q, p->person);
	query_text(&q, p->login);
	query_int(&q, p->seen_s);
	query_int(&q, p->changed_s);
	query_int(&q, p->forced);
	query_int(&q, p->forced_s);
	query_text(&q, p->forced_by);
	query_text(&q, p->forced_why);
	query_int(&q, p->ticket_s);
	query_blob(&q, p->ticket, sizeof(p->ticket));
	query_int(&q, p->ticket_other);
	query_text(&q, p->pending);
	return query_write(&q);
}

int store_password_each(struct store *store,
			int (*fn)(const struct store_password *p, void *arg), void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PASSWORD_EACH);
	int r;

	while ((r = query_row(&q)) == 0) {
		struct store_password p = {0};

		read_row(&q, &p);
		r = q.err != 0 ? q.err : fn(&p, arg);
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}

int store_password_old(struct store *store, const char *person, size_t max,
		       struct store_old ret[STORE_OLD_MAX], size_t *ret_n)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PASSWORD_OLD_LIST);
	size_t n = 0;
	int r = STORE_E_NONE;

	if (max > STORE_OLD_MAX)
		max = STORE_OLD_MAX;
	query_text(&q, person);
	query_int(&q, (int64_t)max);
	while (n < max && (r = query_row(&q)) == 0) {
		query_get_text(&q, 0, ret[n].hash, sizeof(ret[n].hash));
		if (q.err != 0)
			return q.err;
		n++;
	}
	if (n < max && r != STORE_E_NONE)
		return r;
	*ret_n = n;
	return 0;
}

static int prune(struct store *store, const char *person, size_t keep)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PASSWORD_OLD_PRUNE);

	query_text(&q, person);
	query_int(&q, (int64_t)keep);
	return query_write(&q);
}

int store_password_old_add(struct store *store, const char *person, const char *hash,
			   size_t keep)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PASSWORD_OLD_ADD);
	int r;

	query_text(&q, person);
	query_text(&q, hash);
	r = query_write(&q);
	return r == 0 ? prune(store, person, keep) : r;
}
