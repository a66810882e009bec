/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_access.c - budgets of strangers, remembered proofs, sessions, small values. */
#include "rbacd/store/sqlite_internal.h"

#include <errno.h>

int store_budget_get(struct store *store, const uint8_t key[32],
		     struct store_budget *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_BUDGET_GET);
	struct store_budget b = {0};
	int r;

	memcpy(b.key, key, sizeof(b.key));
	query_blob(&q, key, 32);
	r = query_row(&q);
	if (r == 0) {
		b.fails = (uint32_t)query_get_int(&q, 0, 0, UINT32_MAX);
		b.next_try_s = query_get_int(&q, 1, INT64_MIN, INT64_MAX);
		b.touched_s = query_get_int(&q, 2, INT64_MIN, INT64_MAX);
		r = q.err;
	} else if (r == STORE_E_NONE) {
		r = 0;
	}
	if (r == 0)
		*ret = b;
	return r;
}

static int write_budget(struct store *store, enum store_sql id,
			const struct store_budget *b)
{
	_cleanup_query_ struct query q = query_open(store, id);

	query_blob(&q, b->key, sizeof(b->key));
	query_int(&q, b->fails);
	query_int(&q, b->next_try_s);
	query_int(&q, b->touched_s);
	return query_write(&q);
}

/* The count lives in memory; a rollback or a prune makes it unknown. */
static int count_budgets(struct store *store)
{
	_cleanup_query_ struct query q = query_open(store, SQL_BUDGET_COUNT);
	int r;

	if (store->n_budgets >= 0)
		return 0;
	r = query_row(&q);
	if (r == 0)
		store->n_budgets = sqlite3_column_int64(q.st, 0);
	return r;
}

int store_budget_put(struct store *store, const struct store_budget *b)
{
	int r = write_budget(store, SQL_BUDGET_UPDATE, b);

	if (r != 0 || sqlite3_changes(store->db) == 1)
		return r;
	r = count_budgets(store);
	if (r != 0)
		return r;
	if (store->n_budgets >= STORE_BUDGETS_MAX)
		return STORE_E_LIMIT;
	r = write_budget(store, SQL_BUDGET_INSERT, b);
	if (r == 0)
		store->n_budgets++;
	return r;
}

int store_budget_prune(struct store *store, int64_t before_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_BUDGET_PRUNE);

	store->n_budgets = -1;
	query_int(&q, before_s);
	return query_write(&q);
}

int store_proof_put(struct store *store, const struct store_proof *p)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PROOF_PUT);

	query_text(&q, p->person);
	query_text(&q, p->vm);
	query_text(&q, p->origin);
	query_int(&q, p->at_s);
	query_int(&q, p->method);
	return query_write(&q);
}

/* Copies key text that may be longer than the field; false: it cannot be stored. */
static bool copy_key(char *dst, size_t cap, const char *src)
{
	size_t len = strlen(src);

	if (len >= cap)
		return false;
	memcpy(dst, src, len + 1);
	return true;
}

int store_proof_get(struct store *store, const char *person, const char *vm,
		    const char *origin, struct store_proof *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PROOF_GET);
	struct store_proof p = {0};
	int r;

	if (!copy_key(p.person, sizeof(p.person), person) ||
	    !copy_key(p.vm, sizeof(p.vm), vm) ||
	    !copy_key(p.origin, sizeof(p.origin), origin))
		return STORE_E_NONE;
	query_text(&q, person);
	query_text(&q, vm);
	query_text(&q, origin);
	r = query_row(&q);
	if (r != 0)
		return r;
	p.at_s = query_get_int(&q, 0, INT64_MIN, INT64_MAX);
	p.method = (uint32_t)query_get_int(&q, 1, 0, UINT32_MAX);
	if (q.err == 0)
		*ret = p;
	return q.err;
}

int store_proof_clear(struct store *store, const char *person)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PROOF_CLEAR);

	query_text(&q, person);
	return query_write(&q);
}

int store_proof_clear_all(struct store *store)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PROOF_CLEAR_ALL);

	return query_write(&q);
}

int store_proof_each(struct store *store, const char *person,
		     int (*fn)(const struct store_proof *, void *), void *arg)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PROOF_EACH);
	int r;

	query_text(&q, person);
	while ((r = query_row(&q)) == 0) {
		struct store_proof p = {0};

		query_get_text(&q, 0, p.person, sizeof(p.person));
		query_get_text(&q, 1, p.vm, sizeof(p.vm));
		query_get_text(&q, 2, p.origin, sizeof(p.origin));
		p.at_s = query_get_int(&q, 3, INT64_MIN, INT64_MAX);
		p.method = (uint32_t)query_get_int(&q, 4, 0, UINT32_MAX);
		r = q.err == 0 ? fn(&p, arg) : q.err;
		if (r != 0)
			return r;
	}
	return r == STORE_E_NONE ? 0 : r;
}

int store_proof_prune(struct store *store, int64_t before_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_PROOF_PRUNE);

	query_int(&q, before_s);
	return query_write(&q);
}

int store_session_put(struct store *store, const struct store_session *s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SESSION_PUT);

	query_text(&q, s->boot);
	query_int(&q, s->session);
	query_text(&q, s->person);
	query_text(&q, s->origin);
	query_text(&q, s->vmsec_id);
	query_int(&q, s->opened_s);
	query_int(&q, s->pid);
	return query_write(&q);
}

int store_session_get(struct store *store, const char *boot, uint32_t session,
		      struct store_session *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SESSION_GET);
	struct store_session s = {.session = session};
	int r;

	if (!copy_key(s.boot, sizeof(s.boot), boot))
		return STORE_E_NONE;
	query_text(&q, boot);
	query_int(&q, session);
	r = query_row(&q);
	if (r != 0)
		return r;
	query_get_text(&q, 0, s.person, sizeof(s.person));
	query_get_text(&q, 1, s.origin, sizeof(s.origin));
	query_get_text(&q, 2, s.vmsec_id, sizeof(s.vmsec_id));
	s.opened_s = query_get_int(&q, 3, INT64_MIN, INT64_MAX);
	if (q.err == 0)
		*ret = s;
	return q.err;
}

int store_session_delete(struct store *store, const char *boot, uint32_t session)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SESSION_DELETE);

	query_text(&q, boot);
	query_int(&q, session);
	return query_write(&q);
}

/* Of the processes in a query's first column: how many are there. */
static int count_alive(struct query *q, bool (*alive)(int32_t pid), uint32_t *ret)
{
	uint32_t n = 0;
	int r;

	while ((r = query_row(q)) == 0)
		n += alive((int32_t)query_get_int(q, 0, 0, INT32_MAX));
	if (r != STORE_E_NONE || q->err != 0)
		return q->err != 0 ? q->err : r;
	*ret = n;
	return 0;
}

int store_session_count(struct store *store, const char *boot, const char *person,
			bool (*alive)(int32_t pid), uint32_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SESSION_COUNT);

	query_text(&q, boot);
	query_text(&q, person);
	return count_alive(&q, alive, ret);
}

int store_session_prune(struct store *store, const char *boot)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SESSION_PRUNE);

	query_text(&q, boot);
	return query_write(&q);
}

/* The first three parameters of every statement about one seat. */
static void seat_key(struct query *q, const struct store_seat *seat)
{
	query_text(q, seat->boot);
	query_text(q, seat->id);
	query_text(q, seat->person);
}

int store_seat_put(struct store *store, const struct store_seat *seat, int64_t until_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEAT_PUT);

	seat_key(&q, seat);
	query_int(&q, until_s);
	return query_write(&q);
}

int store_seat_open(struct store *store, const struct store_seat *seat, int32_t pid)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEAT_OPEN);

	seat_key(&q, seat);
	query_int(&q, INT64_MAX);
	query_int(&q, pid);
	return query_write(&q);
}

int store_seat_delete(struct store *store, const struct store_seat *seat)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEAT_DELETE);

	seat_key(&q, seat);
	return query_write(&q);
}

int store_seat_count(struct store *store, const struct store_seat *of, int64_t now_s,
		     bool (*alive)(int32_t pid), uint32_t *ret)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEAT_COUNT);

	query_text(&q, of->boot);
	query_text(&q, of->person);
	query_int(&q, now_s);
	return count_alive(&q, alive, ret);
}

int store_seat_prune(struct store *store, const char *boot, int64_t now_s)
{
	_cleanup_query_ struct query q = query_open(store, SQL_SEAT_PRUNE);

	query_text(&q, boot);
	query_int(&q, now_s);
	return query_write(&q);
}

int store_meta_get(struct store *store, const char *name, void *buf, size_t cap,
		   size_t *ret_len)
{
	_cleanup_query_ struct query q = query_open(store, SQL_META_GET);
	size_t len;
	int r;

	query_text(&q, name);
	r = query_row(&q);
	if (r != 0)
		return r;
	if ((size_t)sqlite3_column_bytes(q.st, 0) > cap)
		return -ENOBUFS;
	len = query_get_blob(&q, 0, buf, cap);
	if (q.err == 0)
		*ret_len = len;
	return q.err;
}

int store_meta_put(struct store *store, const char *name, const void *buf, size_t len)
{
	_cleanup_query_ struct query q = query_open(store, SQL_META_PUT);

	query_text(&q, name);
	query_blob(&q, len > 0 ? buf : "", len);
	return query_write(&q);
}
