/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - the whole log, streamed: form, sequence, chain, clock, head and its MAC.
 */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <openssl/crypto.h>

enum { STOP = 1 }; /* the walk met the first bad record */

struct walk {
	struct chain *chain;	  /* owned */
	struct audit_verify *out; /* borrowed */
	uint64_t seq;
	uint8_t hash[AUDIT_HASH_LEN];
	int64_t ts_s;
};

static int bad(struct walk *w, uint64_t seq, const char *why)
{
	w->out->bad_seq = seq;
	(void)snprintf(w->out->why, sizeof(w->out->why), "%s",
		       why); /* a cut is harmless */
	return STOP;
}

static int check_record(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct walk *w = arg;
	struct audit_view rec;
	const char *why = "";

	if (seq != w->seq + 1)
		return bad(w, w->seq + 1, "this record is missing");
	if (audit_view_parse(line, len, &rec, &why) != 0)
		return bad(w, seq, why);
	if (rec.seq != seq)
		return bad(w, seq, "the record's own seq is another");
	if (CRYPTO_memcmp(rec.prev, w->hash, AUDIT_HASH_LEN) != 0)
		return bad(w, seq,
			   "prev is not the hash of the record before: this record or "
			   "the one before was changed");
	if (rec.ts_us / 1000000 < w->ts_s && !rec.clock_back)
		return bad(w, seq, "the clock goes back without a mark");
	if (rec.ts_us / 1000000 >= w->ts_s && rec.clock_back)
		return bad(w, seq, "marked as clock set back, but it is not");
	w->ts_s = rec.ts_us / 1000000;
	w->seq = seq;
	w->out->n_records++;
	return chain_hash(w->chain, line, len, w->hash);
}

static int check_head(struct walk *w, const struct seal *seal,
		      const struct store_head *head)
{
	if (head->seq < w->seq)
		return bad(w, head->seq + 1, "there are records after the head");
	if (head->seq > w->seq)
		return bad(w, w->seq + 1,
			   "the tail is cut: the head names a later record");
	if (w->seq == 0)
		return 0;
	if (chain_head_check(seal, head) != 0)
		return bad(w, w->seq, "the head is not signed with this master key");
	if (CRYPTO_memcmp(head->hash, w->hash, AUDIT_HASH_LEN) != 0)
		return bad(w, w->seq, "the last record was changed");
	if (head->ts_s != w->ts_s)
		return bad(w, w->seq, "the head's time is not the last record's");
	return 0;
}

static int verify(struct walk *w, struct store *store, const struct seal *seal)
{
	struct store_head head;
	int r = chain_new(&w->chain);

	if (r == 0)
		r = store_audit_head(store, &head);
	if (r == STORE_E_CORRUPT)
		return bad(w, 1, "the head cannot be read");
	if (r == 0)
		r = store_audit_each(store, 1, check_record, w);
	if (r == STORE_E_CORRUPT)
		return bad(w, w->seq + 1, "the database is damaged here");
	if (r == 0)
		r = check_head(w, seal, &head);
	return r;
}

int audit_verify_log(struct store *store, const struct seal *seal,
		     struct audit_verify *ret)
{
	struct audit_verify out = {0};
	struct walk w = {.out = &out};
	bool dirty = store_dirty(store);
	int r = store_begin(store); /* head and records of one moment */

	if (r == 0)
		r = verify(&w, store, seal);
	if (!dirty)
		store_rollback(store); /* nothing was written */
	chain_free(w.chain);
	if (r < 0)
		return r;
	memcpy(out.head, w.hash, sizeof(out.head));
	*ret = out;
	return r == 0 ? 0 : 1;
}
