/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c - the whole log, streamed: form, sequence, chain, clock, tree, checkpoints,
 * head.
 */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "rbacd/audit/reader.h"

enum { STOP = 1 }; /* the walk met the first bad record */

struct walk {
	const struct audit_verify_options *opt;
	struct chain *chain;	     /* owned */
	struct audit_reader *reader; /* owned */
	struct audit_verify *out;    /* borrowed */
	uint64_t seq;
	uint8_t hash[AUDIT_HASH_LEN];
	int64_t ts_s;
	uint64_t breaks_at; /* behind the suspect; 0: nowhere */
	uint64_t suspect;   /* its prev is wrong: it was changed, or the one before */
	struct merkle tree;
	/* Checkpoints, merged into the walk. */
	struct verifier verifier;
	uint64_t from; /* checkpoints are expected after this record */
	uint64_t next; /* size of the next one; UINT64_MAX: none */
	char note[STORE_NOTE_MAX];
	size_t note_len;
	int64_t first_us;     /* time of the first record after the last one */
	uint64_t proven_seq;  /* newest whose signature was checked */
	uint64_t old_key_seq; /* signed by a key that no record has replaced yet */
	/* Too long without a checkpoint: the record after it must say why. */
	uint64_t gap_at, explain_seq;
	/* What was dropped must be what a record says was dropped. */
	bool base_named;
	char base_root[2 * AUDIT_HASH_LEN + 1], base_hash[2 * AUDIT_HASH_LEN + 1];
};

static const char other_key[] =
	"the checkpoint is signed with another key, and no record says why";
static const char missing[] = "a checkpoint is missing before this record";

static int bad(struct walk *w, uint64_t seq, const char *why)
{
	w->out->bad_seq = seq;
	(void)snprintf(w->out->why, sizeof(w->out->why), "%s",
		       why); /* a cut is harmless */
	return STOP;
}

/* ---------------------------------------------------------------- checkpoints */

static int keep_note(uint64_t seq, const char *note, size_t len, void *arg)
{
	struct walk *w = arg;

	w->next = seq;
	w->note_len = len < sizeof(w->note) ? len : 0;
	memcpy(w->note, note, w->note_len);
	return STOP;
}

static int next_checkpoint(struct walk *w, uint64_t after)
{
	int r;

	w->next = UINT64_MAX;
	r = store_checkpoint_each(w->opt->store, after + 1, keep_note, w);
	return r == STOP ? 0 : r;
}

/*
 * The root decides. The signature is checked on the newest, and on one of each 1,000
 * records: what lies between has the root of a tree that a later signature covers.
 */
static int check_note(struct walk *w)
{
	struct checkpoint cp = {0};
	int r;

	r = note_open(&w->verifier, w->note, w->note_len, &cp);
	if (r == NOTE_E_KEY) {
		w->old_key_seq = w->seq;
		return 0;
	}
	if (r != 0 || cp.size != w->seq)
		return bad(w, w->seq, "the checkpoint's signature or form is wrong");
	w->proven_seq = w->seq;
	return CRYPTO_memcmp(cp.root, w->out->root, AUDIT_HASH_LEN) == 0
		       ? 0
		       : bad(w, w->seq, "the checkpoint was signed for another tree");
}

static bool same_root(const struct walk *w)
{
	char text[48];
	const char *nl = memchr(w->note, '\n', w->note_len);
	size_t left;

	(void)EVP_EncodeBlock((uint8_t *)text, w->out->root, AUDIT_HASH_LEN); /* 44 */
	nl = nl ? memchr(nl + 1, '\n', w->note_len - (size_t)(nl + 1 - w->note)) : NULL;
	left = nl ? w->note_len - (size_t)(nl + 1 - w->note) : 0;
	return left > 45 && memcmp(nl + 1, text, 44) == 0 && nl[45] == '\n';
}

static void note_gap(struct walk *w, uint64_t at, uint64_t explain_seq)
{
	if (w->explain_seq != 0)
		return; /* the first one counts */
	w->gap_at = at;
	w->explain_seq = explain_seq;
}

/* All since the checkpoint before may be other records; the first of them is named. */
static int bad_root(struct walk *w, uint64_t first)
{
	char why[sizeof(w->out->why)];

	(void)snprintf(why, sizeof(why),
		       "records %llu to %llu are not those that the checkpoint was "
		       "signed for, or it was changed",
		       (unsigned long long)first, (unsigned long long)w->seq);
	return bad(w, first, why);
}

static int meet_checkpoint(struct walk *w)
{
	uint64_t last = w->out->signed_seq > w->from ? w->out->signed_seq : w->from;
	int r = merkle_root(w->chain, &w->tree, w->out->root);

	if (r != 0)
		return r;
	if (w->seq - last > AUDIT_SIGN_RECORDS)
		note_gap(w, last + AUDIT_SIGN_RECORDS + 1, w->seq + 1);
	if (!same_root(w))
		return bad_root(w, last + 1);
	if (w->opt->every_signature || w->old_key_seq ||
	    w->seq - w->proven_seq >= AUDIT_SIGN_RECORDS)
		r = check_note(w);
	if (r != 0)
		return r;
	w->out->n_checkpoints++;
	w->out->signed_seq = w->seq;
	return next_checkpoint(w, w->seq);
}

/* Records of one checkpoint lie within a minute; a second's grace for its own turn. */
static int check_span(struct walk *w, const struct audit_view *rec)
{
	uint64_t last = w->out->signed_seq > w->from ? w->out->signed_seq : w->from;

	if (w->seq <= w->from)
		return 0;
	if (w->seq == last + 1)
		w->first_us = rec->ts_us;
	else if (w->next != UINT64_MAX &&
		 rec->ts_us - w->first_us >= AUDIT_SIGN_US + 1000000)
		note_gap(w, w->seq, w->next + 1);
	return 0;
}

/* ---------------------------------------------------------------- records */

static int check_named(struct walk *w, const struct audit_view *rec)
{
	if (w->seq == w->explain_seq) {
		if (!audit_is(rec, AUDIT_EV, "log.tree") &&
		    !audit_is(rec, AUDIT_EV, "log.key"))
			return bad(w, w->gap_at, missing);
		w->explain_seq = 0;
	}
	if (audit_is(rec, AUDIT_EV, "log.key"))
		w->old_key_seq = 0;
	if (audit_is(rec, AUDIT_EV, "log.prune") &&
	    audit_is(rec, AUDIT_BEFORE_SHA, w->base_root) &&
	    audit_is(rec, AUDIT_AFTER_SHA, w->base_hash))
		w->base_named = true;
	return 0;
}

static int check_form(struct walk *w, uint64_t seq, const char *line, size_t len,
		      struct audit_view *rec)
{
	const char *why = "";

	if (seq != w->seq + 1)
		return bad(w, w->seq + 1, "this record is missing");
	if (audit_view_parse(line, len, rec, &why) != 0)
		return bad(w, seq, why);
	if (rec->seq != seq)
		return bad(w, seq, "the record's own seq is another");
	if (CRYPTO_memcmp(rec->prev, w->hash, AUDIT_HASH_LEN) != 0) {
		w->suspect = seq;
		return 0;
	}
	if (rec->ts_us / 1000000 < w->ts_s && !rec->clock_back)
		return bad(w, seq, "the clock goes back without a mark");
	if (rec->ts_us / 1000000 >= w->ts_s && rec->clock_back)
		return bad(w, seq, "marked as clock set back, but it is not");
	return 0;
}

/*
 * A prev that is not the hash of the record before: which of the two was changed? What
 * a checkpoint covers is sound; if the next record disagrees too, it is this one; if
 * all that follows agrees up to the sealed head, it is the one before. Else either.
 */
static int name_suspect(struct walk *w, const struct store_head *head)
{
	if (w->old_key_seq != 0)
		return bad(w, w->out->first_seq, other_key);
	if (w->suspect == w->out->first_seq || w->suspect - 1 <= w->out->signed_seq ||
	    w->breaks_at == w->suspect + 1)
		return bad(w, w->suspect, "prev is not the hash of the record before");
	if (w->breaks_at == 0 && head && w->seq == head->seq &&
	    CRYPTO_memcmp(head->hash, w->hash, AUDIT_HASH_LEN) == 0 &&
	    (!w->opt->seal || chain_head_check(w->opt->seal, head) == 0))
		return bad(w, w->suspect - 1,
			   "changed: the next record has another hash of it");
	return bad(w, w->suspect - 1, "this record or the next was changed");
}

/* Only the chain from here on: how far does it hold? */
static int follow_suspect(struct walk *w, uint64_t seq, const char *line, size_t len)
{
	struct audit_view rec;
	const char *why;

	if (seq != w->seq + 1 || audit_view_parse(line, len, &rec, &why) != 0 ||
	    CRYPTO_memcmp(rec.prev, w->hash, AUDIT_HASH_LEN) != 0) {
		w->breaks_at = w->seq + 1;
		return name_suspect(w, NULL);
	}
	w->seq = seq;
	return chain_hash(w->chain, line, len, w->hash);
}

static int check_record(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct walk *w = arg;
	uint8_t leaf[AUDIT_HASH_LEN];
	struct audit_view rec;
	int r;

	if (w->suspect)
		return follow_suspect(w, seq, line, len);
	r = check_form(w, seq, line, len, &rec);
	if (r != 0)
		return r;
	w->seq = seq;
	if (w->suspect)
		return chain_hash(w->chain, line, len, w->hash);
	w->ts_s = rec.ts_us / 1000000;
	w->out->n_records++;
	r = check_span(w, &rec);
	if (r == 0)
		r = check_named(w, &rec);
	if (r == 0)
		r = chain_hash(w->chain, line, len, w->hash);
	if (r == 0)
		r = merkle_leaf(w->chain, line, len, leaf);
	if (r == 0)
		r = merkle_add(w->chain, &w->tree, leaf);
	if (r == 0 && seq == w->next)
		r = meet_checkpoint(w);
	return r == 0 && w->opt->each ? w->opt->each(&rec, w->opt->each_arg) : r;
}

/* ---------------------------------------------------------------- the ends */

static int check_head(struct walk *w, const struct store_head *head)
{
	int r = w->opt->seal ? chain_head_check(w->opt->seal, head) : 0;

	if (r < 0)
		return r; /* no memory is no forgery */
	if (w->old_key_seq != 0)
		return bad(w, w->out->first_seq, other_key);
	if (head->seq > w->seq)
		return bad(w, w->seq + 1,
			   "the tail is cut: the head names a later record");
	/* A wiped log must not pass for one that never began. */
	if (w->seq == 0)
		return bad(w, 1, "there is no record: a log begins with a start");
	if (r != 0)
		return bad(w, w->seq, "the head is not signed with this master key");
	if (CRYPTO_memcmp(head->hash, w->hash, AUDIT_HASH_LEN) != 0)
		return bad(w, w->seq, "the last record was changed");
	if (head->ts_s != w->ts_s)
		return bad(w, w->seq, "the head's time is not the last record's");
	if (head->tree_len > 0 &&
	    (head->tree_len != merkle_nodes(w->seq) * (size_t)AUDIT_HASH_LEN ||
	     CRYPTO_memcmp(head->tree, w->tree.node, head->tree_len) != 0))
		return bad(w, w->seq, "the head's tree is not that of the records");
	return 0;
}

static int check_tail(struct walk *w)
{
	int64_t tail_us = w->opt->tail_us ? w->opt->tail_us : AUDIT_TAIL_US;
	uint64_t last = w->out->signed_seq;

	if (!w->opt->vkey || w->seq == 0)
		return 0;
	if (w->next != UINT64_MAX)
		return bad(w, w->seq + 1,
			   "a checkpoint was signed for records that are missing");
	if (last == 0)
		return bad(w, w->from + 1, "no checkpoint was ever signed");
	if (w->proven_seq != last)
		return bad(w, last,
			   "the newest checkpoint is not signed with this key");
	if (w->explain_seq != 0)
		return bad(w, w->gap_at, missing);
	if (w->seq - last > AUDIT_SIGN_RECORDS)
		return bad(w, last + AUDIT_SIGN_RECORDS + 1, missing);
	if (w->seq > last && w->opt->now_us - w->first_us > tail_us)
		return bad(w, last + 1, "unsigned for longer than is allowed");
	return 0;
}

static int check_newest_note(struct walk *w)
{
	uint64_t seq = 0;
	int r;

	if (!w->opt->vkey || w->out->signed_seq == 0 ||
	    w->proven_seq == w->out->signed_seq || w->old_key_seq)
		return 0;
	r = store_checkpoint_last(w->opt->store, w->out->signed_seq, &seq, w->note,
				  sizeof(w->note), &w->note_len);
	if (r != 0)
		return r < 0 ? r : bad(w, w->out->signed_seq, "its checkpoint is gone");
	w->seq = seq; /* its root is still in out->root */
	return check_note(w);
}

static int begin_at_base(struct walk *w)
{
	uint8_t root[AUDIT_HASH_LEN];
	struct audit_base base;
	uint64_t db_first = 0;
	int r = audit_base_load(w->opt->store, w->opt->seal, &base);

	if (r == STORE_E_CORRUPT)
		return bad(w, 1, "what was pruned is not vouched for by this key");
	if (r == 0)
		r = store_audit_first(w->opt->store, &db_first);
	if (r == 0)
		r = merkle_root(w->chain, &base.tree, root);
	if (r != 0)
		return r;
	audit_hex(root, sizeof(root), w->base_root);
	audit_hex(base.hash, sizeof(base.hash), w->base_hash);
	w->base_named = base.seq == 0;
	w->seq = base.seq;
	w->ts_s = base.ts_s;
	w->tree = base.tree;
	memcpy(w->hash, base.hash, sizeof(w->hash));
	w->from = db_first > 0 ? db_first - 1 : base.seq;
	w->out->first_seq = base.seq + 1;
	w->next = UINT64_MAX;
	return w->opt->vkey ? next_checkpoint(w, w->from) : 0;
}

static int walk_all(struct walk *w, const struct store_head *head)
{
	int r = begin_at_base(w);
	uint64_t seq;

	if (r == 0)
		r = audit_reader_each(w->reader, w->seq + 1, head->seq, check_record,
				      w);
	if (r == STORE_E_CORRUPT)
		return bad(w, w->seq + 1, "the database is damaged here");
	if (r == 0 && w->suspect)
		return name_suspect(w, head);
	if (r == 0)
		r = check_head(w, head);
	seq = w->seq;
	if (r == 0)
		r = check_newest_note(w);
	w->seq = seq;
	if (r == 0)
		r = check_tail(w);
	if (r == 0 && !w->base_named)
		r = bad(w, w->out->first_seq,
			"no record names what was pruned before this one");
	return r;
}

/* A head of one moment; records after it belong to a log that goes on growing, or to
 * somebody who put them there. */
static int nothing_after(struct walk *w, const struct store_head *head)
{
	struct store_head again;
	char line[AUDIT_LINE_MAX + 1];
	size_t len;
	int r = store_begin(w->opt->store), rc;

	if (r != 0)
		return r;
	r = store_audit_head(w->opt->store, &again);
	rc = r == 0 ? store_audit_get(w->opt->store, again.seq + 1, line, sizeof(line),
				      &len)
		    : r;
	store_rollback(w->opt->store); /* nothing was written */
	if (rc == STORE_E_NONE)
		return again.seq >= head->seq
			       ? 0
			       : bad(w, again.seq + 1, "the head went back");
	return rc < 0 ? rc : bad(w, again.seq + 1, "there are records after the head");
}

static int verify(struct walk *w)
{
	const struct audit_verify_options *opt = w->opt;
	struct store_head head;
	int r = chain_new(&w->chain);

	if (r == 0 && opt->vkey && verifier_parse(opt->vkey, &w->verifier) != 0)
		return -EINVAL;
	if (r == 0)
		r = store_audit_head(opt->store, &head);
	if (r == STORE_E_CORRUPT)
		return bad(w, 1, "the head cannot be read");
	if (r == 0)
		r = audit_reader_open(opt->store, opt->dir, &w->reader);
	if (r == STORE_E_CORRUPT)
		return bad(w, 1, "the database is damaged");
	if (r == 0)
		r = walk_all(w, &head);
	if (r == 0 && !store_dirty(opt->store))
		r = nothing_after(w, &head);
	return r;
}

int audit_verify_log(const struct audit_verify_options *opt, struct audit_verify *ret)
{
	struct audit_verify out = {0};
	struct walk w = {.opt = opt, .out = &out};
	int r = verify(&w);

	chain_free(w.chain);
	audit_reader_close(w.reader);
	if (r < 0)
		return r;
	out.last_seq = w.seq;
	memcpy(out.head, w.hash, sizeof(out.head));
	if (merkle_nodes(w.tree.size) == 0)
		memset(out.root, 0, sizeof(out.root));
	*ret = out;
	return r == 0 ? 0 : 1;
}
