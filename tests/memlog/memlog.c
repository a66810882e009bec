/* SPDX-License-Identifier: Apache-2.0 */
/* memlog.c - the store's face as far as reading an audit log goes. */
#include "tests/memlog/memlog.h"

#include <assert.h>
#include <errno.h>

#define NOW_US INT64_C(1790000000000000)

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
	int r = 0;

	for (size_t i = 0; i < store->n_checkpoints && r == 0; i++)
		if (store->checkpoint[i].seq >= seq)
			r = fn(store->checkpoint[i].seq, store->checkpoint[i].note,
			       store->checkpoint[i].len, arg);
	return r;
}

int store_checkpoint_last(struct store *store, uint64_t seq, uint64_t *ret_seq,
			  char *buf, size_t cap, size_t *ret_len)
{
	for (size_t i = store->n_checkpoints; i > 0; i--)
		if (store->checkpoint[i - 1].seq <= seq) {
			assert(store->checkpoint[i - 1].len <= cap);
			*ret_seq = store->checkpoint[i - 1].seq;
			*ret_len = store->checkpoint[i - 1].len;
			memcpy(buf, store->checkpoint[i - 1].note, *ret_len);
			return 0;
		}
	return STORE_E_NONE;
}

static void sign(struct store *s, struct chain *chain, const struct merkle *tree,
		 const struct signer *signer)
{
	struct checkpoint cp = {.size = tree->size};
	size_t i = s->n_checkpoints++;

	assert(i < MEMLOG_CHECKPOINTS_MAX);
	s->checkpoint[i].seq = tree->size;
	assert(merkle_root(chain, tree, cp.root) == 0);
	assert(note_sign(signer, &cp, s->checkpoint[i].note, &s->checkpoint[i].len) ==
	       0);
}

void memlog_make(struct store *s, size_t n, const char *user, const struct seal *seal,
		 const struct signer *signer, size_t every)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	struct chain *chain = NULL;
	struct merkle tree = {0};
	uint8_t leaf[AUDIT_HASH_LEN];

	memset(s, 0, sizeof(*s));
	assert(n <= MEMLOG_RECORDS_MAX && chain_new(&chain) == 0);
	ev.ev = "auth";
	ev.user = user;
	for (size_t i = 0; i < n; i++) {
		struct audit_stamp st = {.seq = i + 1, .id = "1-AAAA"};

		st.now_us = NOW_US + (int64_t)i * 10000000;
		memcpy(st.prev, s->head.hash, sizeof(st.prev));
		s->rec[i].seq = i + 1;
		assert(audit_render(&ev, &st, s->rec[i].line, &s->rec[i].len) == 0);
		assert(chain_hash(chain, s->rec[i].line, s->rec[i].len, s->head.hash) ==
		       0);
		assert(merkle_leaf(chain, s->rec[i].line, s->rec[i].len, leaf) == 0);
		assert(merkle_add(chain, &tree, leaf) == 0);
		s->head.ts_s = st.now_us / 1000000;
		if (signer && ((i + 1) % every == 0 || i + 1 == n))
			sign(s, chain, &tree, signer);
	}
	s->n = s->head.seq = n;
	s->head.tree_len = merkle_nodes(n) * (size_t)AUDIT_HASH_LEN;
	memcpy(s->head.tree, tree.node, s->head.tree_len);
	chain_free(chain);
	assert(chain_head_mac(seal, &s->head, s->head.mac) == 0);
}

bool memlog_same(const struct store *a, const struct store *b)
{
	if (a->n != b->n || a->n_checkpoints != b->n_checkpoints ||
	    memcmp(&a->head, &b->head, sizeof(a->head)) != 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->rec[i].seq != b->rec[i].seq || a->rec[i].len != b->rec[i].len ||
		    memcmp(a->rec[i].line, b->rec[i].line, a->rec[i].len) != 0)
			return false;
	for (size_t i = 0; i < a->n_checkpoints; i++)
		if (a->checkpoint[i].seq != b->checkpoint[i].seq ||
		    a->checkpoint[i].len != b->checkpoint[i].len ||
		    memcmp(a->checkpoint[i].note, b->checkpoint[i].note,
			   a->checkpoint[i].len) != 0)
			return false;
	return true;
}
