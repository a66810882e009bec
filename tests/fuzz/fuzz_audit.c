/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_audit.c - the reader of stored lines takes any bytes; what the writer makes of
 * any text, the reader accepts; a log that was changed in any way is not whole.
 */
#include <assert.h>
#include <errno.h>

#include "rbacd/audit/audit_internal.h"

#define RECORDS	    6
#define RECORDS_MAX (RECORDS + 2)
#define NOW_US	    INT64_C(1790000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A store that holds an audit log and nothing else. */
struct store {
	struct store_head head;
	size_t n;
	struct {
		uint64_t seq;
		size_t len;
		char line[AUDIT_LINE_MAX + 1];
	} rec[RECORDS_MAX];
};

int store_begin(struct store *store)
{
	(void)store;
	return 0;
}

bool store_dirty(const struct store *store)
{
	(void)store;
	return false;
}

void store_rollback(struct store *store)
{
	(void)store;
}

int store_audit_head(struct store *store, struct store_head *ret)
{
	*ret = store->head;
	return 0;
}

int store_audit_each(struct store *store, uint64_t seq,
		     int (*fn)(uint64_t seq, const char *line, size_t len, void *arg),
		     void *arg)
{
	int r = 0;

	for (size_t i = 0; i < store->n && r == 0; i++)
		if (store->rec[i].seq >= seq)
			r = fn(store->rec[i].seq, store->rec[i].line, store->rec[i].len,
			       arg);
	return r;
}

int store_audit_get(struct store *store, uint64_t seq, char *buf, size_t cap,
		    size_t *ret_len)
{
	for (size_t i = 0; i < store->n; i++)
		if (store->rec[i].seq == seq) {
			assert(store->rec[i].len <= cap);
			memcpy(buf, store->rec[i].line, store->rec[i].len);
			*ret_len = store->rec[i].len;
			return 0;
		}
	return STORE_E_NONE;
}

int store_audit_first(struct store *store, uint64_t *ret)
{
	*ret = store->n > 0 ? store->rec[0].seq : 0;
	return 0;
}

int store_meta_get(struct store *store, const char *name, void *buf, size_t cap,
		   size_t *ret_len)
{
	(void)store;
	(void)name;
	(void)buf;
	(void)cap;
	(void)ret_len;
	return STORE_E_NONE;
}

int store_meta_put(struct store *store, const char *name, const void *buf, size_t len)
{
	(void)store;
	(void)name;
	(void)buf;
	(void)len;
	return -EROFS;
}

int store_checkpoint_each(struct store *store, uint64_t seq,
			  int (*fn)(uint64_t seq, const char *note, size_t len,
				    void *arg),
			  void *arg)
{
	(void)store;
	(void)seq;
	(void)fn;
	(void)arg;
	return 0;
}

int store_checkpoint_last(struct store *store, uint64_t seq, uint64_t *ret_seq,
			  char *buf, size_t cap, size_t *ret_len)
{
	(void)store;
	(void)seq;
	(void)ret_seq;
	(void)buf;
	(void)cap;
	(void)ret_len;
	return STORE_E_NONE;
}

static void read_any(const uint8_t *data, size_t size)
{
	struct audit_view rec = {0};
	const char *why = NULL;

	if (audit_view_parse((const char *)data, size, &rec, &why) == 0)
		assert(rec.seq > 0 && size <= AUDIT_LINE_MAX && !why);
	else
		assert(why);
}

static void write_then_read(const uint8_t *data, size_t size)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	struct audit_stamp st = {.seq = 1,
				 .now_us = 1,
				 .id = "1-AAAA",
				 .user_hash = "0123456789abcdef"};
	char line[AUDIT_LINE_MAX + 1], *text = calloc(1, size + 1);
	struct audit_view rec;
	const char *why = NULL;
	size_t len = 0;

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	ev.ev = ev.user = ev.unknown_user = ev.path = ev.tty = ev.vm = text;
	ev.reason = ev.rhost_name = ev.object = ev.reason_text = ev.actor = text;
	assert(audit_render(&ev, &st, line, &len) == 0 && len <= AUDIT_LINE_MAX);
	assert(audit_view_parse(line, len, &rec, &why) == 0);
	assert(rec.seq == 1 && rec.ts_us == 1);
	free(text);
}

static void make_log(struct store *s, const struct seal *seal)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	struct chain *chain = NULL;
	struct merkle tree = {0};
	uint8_t leaf[AUDIT_HASH_LEN];

	ev.ev = "auth";
	ev.user = "alice";
	assert(chain_new(&chain) == 0);
	for (size_t i = 0; i < RECORDS; i++) {
		struct audit_stamp st = {.seq = i + 1, .id = "1-AAAA"};

		st.now_us = NOW_US + (int64_t)i * 1000000;
		memcpy(st.prev, s->head.hash, sizeof(st.prev));
		s->rec[i].seq = i + 1;
		assert(audit_render(&ev, &st, s->rec[i].line, &s->rec[i].len) == 0);
		assert(chain_hash(chain, s->rec[i].line, s->rec[i].len, s->head.hash) ==
		       0);
		assert(merkle_leaf(chain, s->rec[i].line, s->rec[i].len, leaf) == 0);
		assert(merkle_add(chain, &tree, leaf) == 0);
		s->head.ts_s = st.now_us / 1000000;
	}
	chain_free(chain);
	s->n = s->head.seq = RECORDS;
	s->head.tree_len = merkle_nodes(RECORDS) * AUDIT_HASH_LEN;
	memcpy(s->head.tree, tree.node, s->head.tree_len);
	assert(chain_head_mac(seal, &s->head, s->head.mac) == 0);
}

/* One change, of the four kinds that somebody with the database can make. */
static void change(struct store *s, const uint8_t op[4], const uint8_t *data,
		   size_t size)
{
	size_t i = op[1] % RECORDS;
	uint8_t *head = (uint8_t *)&s->head;
	size_t at = op[2] % (offsetof(struct store_head, tree_len) + s->head.tree_len);

	switch (op[0] % 6) {
	case 0: /* one byte of a line */
		s->rec[i].line[(size_t)op[2] * 8 % s->rec[i].len] ^= (char)op[3];
		break;
	case 1: /* another line */
		s->rec[i].len = size < AUDIT_LINE_MAX ? size : AUDIT_LINE_MAX;
		memcpy(s->rec[i].line, data, s->rec[i].len);
		break;
	case 2: /* lines change places; each still has its number */
		s->rec[i] = s->rec[op[2] % RECORDS];
		break;
	case 3: /* one is gone */
		memmove(&s->rec[i], &s->rec[i + 1], (RECORDS - i) * sizeof(s->rec[0]));
		s->n--;
		break;
	case 4: /* the tail is gone */
		s->n = i;
		break;
	case 5: /* the head */
		if (at >= offsetof(struct store_head, tree_len))
			at += sizeof(s->head.tree_len); /* the store bounds it */
		head[at] ^= op[3];
		break;
	}
}

static bool same(const struct store *a, const struct store *b)
{
	if (a->n != b->n || memcmp(&a->head, &b->head, sizeof(a->head)) != 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->rec[i].seq != b->rec[i].seq || a->rec[i].len != b->rec[i].len ||
		    memcmp(a->rec[i].line, b->rec[i].line, a->rec[i].len) != 0)
			return false;
	return true;
}

/* Four bytes a change, the rest is a line: whole only when nothing is different. */
static void change_log(const uint8_t *data, size_t size)
{
	static const uint8_t master[32] = {9};
	static struct seal *seal;
	static struct store good, s;
	struct audit_verify_options opt = {.store = &s};
	struct audit_verify out;
	int r;

	if (!seal) {
		assert(seal_new(master, &seal) == 0);
		make_log(&good, seal);
	}
	s = good;
	for (int i = 0; i < 3 && size >= 4; i++, data += 4, size -= 4)
		if (s.n == RECORDS)
			change(&s, data, data + 4, size - 4);
	opt.seal = seal;
	r = audit_verify_log(&opt, &out);
	assert(r == (same(&s, &good) ? 0 : 1));
	assert(r == 0 || (out.bad_seq > 0 && out.why[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert(copy); /* of its own, so that a read beyond the end is seen */
	if (size > 0)
		memcpy(copy, data, size);
	read_any(copy, size);
	free(copy);
	write_then_read(data, size);
	change_log(data, size);
	return 0;
}
