/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_people.c - people, their failures, factors and recovery codes. */
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>

static int read_person(struct query *q, struct store_person *ret)
{
	struct store_person p = {0};

	query_get_text(q, 0, p.login, sizeof(p.login));
	p.fails = (uint32_t)query_get_int(q, 1, 0, UINT32_MAX);
	p.fails_told = (uint32_t)query_get_int(q, 2, 0, UINT32_MAX);
	p.next_try_s = query_get_int(q, 3, INT64_MIN, INT64_MAX);
	p.disabled = query_get_int(q, 4, 0, 1) != 0;
	p.created_s = query_get_int(q, 5, INT64_MIN, INT64_MAX);
	p.last_ok_s = query_get_int(q, 6, INT64_MIN, INT64_MAX);
	query_get_text(q, 7, p.id, sizeof(p.id));
	if (q->err == 0)
		*ret = p;
	return q->err;
}

int store_person_get(struct store *store, const char *id, struct store_person *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PERSON_GET);
	int r;

	query_text(&q, id);
	r = query_row(&q);
	return r != 0 ? r : read_person(&q, ret);
}

int store_person_put(struct store *store, const struct store_person *p)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PERSON_PUT);

	if (p->id[0] == '\0')
		return -EINVAL;
	query_text(&q, p->id);
	query_text(&q, p->login);
	query_int(&q, p->fails);
	query_int(&q, p->fails_told);
	query_int(&q, p->next_try_s);
	query_int(&q, p->disabled ? 1 : 0);
	query_int(&q, p->created_s);
	query_int(&q, p->last_ok_s);
	return query_write(&q);
}

int store_person_delete(struct store *store, const char *id)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PERSON_DELETE);
	int r = store_proof_clear(store, id);

	if (r != 0)
		return r;
	query_text(&q, id);
	return query_write(&q);
}

int store_person_each(struct store *store,
		      int (*fn)(const struct store_person *, void *), void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PERSON_EACH);
	struct store_person p;
	int r;

	while ((r = query_row(&q)) == 0) {
		r = read_person(&q, &p);
		if (r == 0)
			r = fn(&p, arg);
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}

int store_fail_add(struct store *store, const char *person, int64_t day)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FAIL_ADD);

	query_text(&q, person);
	query_int(&q, day);
	return query_write(&q);
}

int store_fail_sum(struct store *store, const char *person, int64_t from_day,
		   uint32_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FAIL_SUM);
	int64_t sum;
	int r;

	query_text(&q, person);
	query_int(&q, from_day);
	r = query_row(&q);
	if (r != 0)
		return r;
	sum = query_get_int(&q, 0, 0, UINT32_MAX);
	if (q.err == 0)
		*ret = (uint32_t)sum;
	return q.err;
}

int store_fail_prune(struct store *store, const char *person, int64_t before_day)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FAIL_PRUNE);

	query_text(&q, person);
	query_int(&q, before_day);
	return query_write(&q);
}

static int read_factor(struct query *q, const char *person, struct store_factor *ret)
{
	size_t len = strlen(person);

	memset(ret, 0, sizeof(*ret));
	if (len >= sizeof(ret->person))
		return -EINVAL;
	memcpy(ret->person, person, len);
	ret->id = query_get_int(q, 0, 1, INT64_MAX);
	query_get_text(q, 1, ret->name, sizeof(ret->name));
	ret->status =
		(enum store_factor_status)query_get_int(q, 2, STORE_FACTOR_PENDING,
							STORE_FACTOR_DISABLED);
	ret->hash = (enum store_hash)query_get_int(q, 3, STORE_SHA1, STORE_SHA512);
	ret->digits = (uint8_t)query_get_int(q, 4, 0, 8);
	ret->period_s = (uint16_t)query_get_int(q, 5, 0, UINT16_MAX);
	ret->drift = (int16_t)query_get_int(q, 6, INT16_MIN, INT16_MAX);
	ret->last_step = query_get_int(q, 7, -1, INT64_MAX);
	ret->created_s = query_get_int(q, 8, INT64_MIN, INT64_MAX);
	ret->last_ok_s = query_get_int(q, 9, INT64_MIN, INT64_MAX);
	ret->sealed_len = query_get_blob(q, 10, ret->sealed, sizeof(ret->sealed));
	ret->kind = (enum store_factor_kind)query_get_int(q, 11, STORE_FACTOR_TOTP,
							  STORE_FACTOR_KEY);
	return q->err;
}

int store_factor_list(struct store *store, const char *person,
		      struct store_factor ret[STORE_FACTORS_MAX], size_t *ret_n)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FACTOR_LIST);
	size_t n = 0;
	int r;

	query_text(&q, person);
	while ((r = query_row(&q)) == 0) {
		if (n == STORE_FACTORS_MAX)
			return STORE_E_CORRUPT;
		r = read_factor(&q, person, &ret[n++]);
		if (r != 0)
			return r;
	}
	if (r != STORE_E_NONE)
		return r;
	*ret_n = n;
	return 0;
}

static int count_factors(struct store *store, const char *person, int64_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FACTOR_COUNT);
	int r;

	query_text(&q, person);
	r = query_row(&q);
	if (r == 0)
		*ret = sqlite3_column_int64(q.st, 0);
	return r;
}

static int write_factor(struct store *store, enum store_sql id,
			const struct store_factor *f)
{
	_cleanup_query_ struct query q = query_open(store, id);

	query_text(&q, f->person);
	query_text(&q, f->name);
	query_int(&q, f->status);
	query_int(&q, f->hash);
	query_int(&q, f->digits);
	query_int(&q, f->period_s);
	query_int(&q, f->drift);
	query_int(&q, f->last_step);
	query_int(&q, f->created_s);
	query_int(&q, f->last_ok_s);
	query_blob(&q, f->sealed, f->sealed_len);
	query_int(&q, f->kind);
	if (id == SQL_FACTOR_UPDATE)
		query_int(&q, f->id);
	return query_write(&q);
}

int store_factor_put(struct store *store, struct store_factor *f)
{
	int64_t n = 0;
	int r;

	if (f->sealed_len > sizeof(f->sealed) || f->name[0] == '\0')
		return -EINVAL;
	if (f->id > 0) {
		r = write_factor(store, SQL_FACTOR_UPDATE, f);
		if (r != 0)
			return r;
		return sqlite3_changes(store->db) == 1 ? 0 : STORE_E_NONE;
	}
	r = count_factors(store, f->person, &n);
	if (r != 0)
		return r;
	if (n >= STORE_FACTORS_MAX)
		return STORE_E_LIMIT;
	r = write_factor(store, SQL_FACTOR_INSERT, f);
	if (r == 0)
		f->id = sqlite3_last_insert_rowid(store->db);
	return r;
}

int store_factor_delete(struct store *store, int64_t id)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FACTOR_DELETE);

	query_int(&q, id);
	return query_write(&q);
}

int store_factor_accept(struct store *store, int64_t id, int64_t step, int16_t drift,
			int64_t now_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_FACTOR_ACCEPT);
	int r;

	query_int(&q, id);
	query_int(&q, step);
	query_int(&q, drift);
	query_int(&q, now_s);
	r = query_write(&q);
	if (r != 0)
		return r;
	return sqlite3_changes(store->db) == 1 ? 0 : STORE_E_STALE;
}

int store_code_add(struct store *store, const char *person, enum store_code_kind kind,
		   const uint8_t mac[32], uint32_t uses, int64_t expires_s,
		   int64_t now_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CODE_ADD);

	query_text(&q, person);
	query_blob(&q, mac, 32);
	query_int(&q, kind);
	query_int(&q, uses);
	query_int(&q, expires_s);
	query_int(&q, now_s);
	return query_write(&q);
}

static int take_code(struct store *store, enum store_sql id, const char *person,
		     const uint8_t mac[32], int64_t now_s)
{
	_cleanup_query_ struct query q = query_open(store, id);
	int r;

	query_text(&q, person);
	query_blob(&q, mac, 32);
	query_int(&q, now_s);
	r = query_write(&q);
	if (r != 0)
		return r;
	return sqlite3_changes(store->db) == 1 ? 0 : STORE_E_NONE;
}

int store_code_use(struct store *store, const char *person, const uint8_t mac[32],
		   int64_t now_s, enum store_code_kind *ret_kind, uint32_t *ret_left)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CODE_GET);
	int64_t kind, uses;
	int r;

	query_text(&q, person);
	query_blob(&q, mac, 32);
	query_int(&q, now_s);
	r = query_row(&q);
	if (r != 0)
		return r;
	kind = query_get_int(&q, 0, STORE_CODE_RECOVERY, STORE_CODE_BYPASS);
	uses = query_get_int(&q, 1, 1, UINT32_MAX);
	if (q.err != 0)
		return q.err;
	r = take_code(store, SQL_CODE_TAKE, person, mac, now_s);
	if (r != 0)
		return r;
	*ret_kind = (enum store_code_kind)kind;
	*ret_left = (uint32_t)uses - 1;
	return 0;
}

int store_code_clear(struct store *store, const char *person, enum store_code_kind kind)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CODE_CLEAR);

	query_text(&q, person);
	query_int(&q, kind);
	return query_write(&q);
}

int store_code_clear_ending(struct store *store)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CODE_CLEAR_ENDING);

	return query_write(&q);
}

int store_code_left(struct store *store, const char *person, uint32_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_CODE_LEFT);
	int64_t left;
	int r;

	query_text(&q, person);
	r = query_row(&q);
	if (r != 0)
		return r;
	left = query_get_int(&q, 0, 0, UINT32_MAX);
	if (q.err == 0)
		*ret = (uint32_t)left;
	return q.err;
}
