/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof.c - an inclusion proof as text: one record, the hashes beside its path, and the
 * signed checkpoint they lead to. Who has it and the verifier key needs nothing else.
 *
 *   vmsec-proof-1
 *   index <from 0>
 *   record <the line>
 *   hash <base64>          (one for each level, nearest first)
 *
 *   <the checkpoint>
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>

#include "rbacd/audit/audit_internal.h"
#include "rbacd/audit/reader.h"

#define MAGIC	  "vmsec-proof-1\n"
#define HASH_TEXT 44

/* ---------------------------------------------------------------- making */

/* Leaf hashes, a batch at a time: the tree asks for one after the other. */
struct source {
	const struct audit_verify_options *opt; /* borrowed */
	struct chain *chain;			/* owned */
	struct audit_reader *reader;		/* owned */
	uint64_t seq, want;			/* last one read; of the record */
	uint64_t size;				/* of the checkpoint */
	char note[STORE_NOTE_MAX];
	size_t note_len;
	char line[AUDIT_LINE_MAX + 1]; /* the record */
	size_t line_len;
	size_t n, at;
	uint8_t leaf[4096][AUDIT_HASH_LEN];
};

static int keep_leaf(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct source *s = arg;
	int r;

	if (seq != s->seq + 1 || len > AUDIT_LINE_MAX)
		return STORE_E_CORRUPT;
	if (seq == s->want) {
		memcpy(s->line, line, len);
		s->line_len = len;
	}
	r = merkle_leaf(s->chain, line, len, s->leaf[s->n]);
	s->seq = seq;
	return r == 0 && ++s->n == ARRAY_SIZE(s->leaf) ? 1 : r;
}

static int next_leaf(void *arg, uint8_t ret[AUDIT_HASH_LEN])
{
	struct source *s = arg;
	int r;

	if (s->at == s->n) {
		s->at = s->n = 0;
		r = audit_reader_each(s->reader, s->seq + 1, s->size, keep_leaf, s);
		if (r < 0 || r == STORE_E_CORRUPT || s->n == 0)
			return r < 0 ? r : -EBADMSG;
	}
	memcpy(ret, s->leaf[s->at++], AUDIT_HASH_LEN);
	return 0;
}

static void print_hash(const uint8_t hash[AUDIT_HASH_LEN], FILE *out)
{
	char text[HASH_TEXT + 4];

	(void)EVP_EncodeBlock((uint8_t *)text, hash, AUDIT_HASH_LEN); /* 44 */
	(void)fprintf(out, "hash %s\n", text); /* the caller asks ferror() */
}

static int print_proof(const struct source *s, const struct merkle_proof *p, FILE *out)
{
	(void)fprintf(out, MAGIC "index %" PRIu64 "\nrecord ", p->index);
	(void)fwrite(s->line, 1, s->line_len, out);
	(void)fputc('\n', out);
	for (unsigned i = 0; i < p->n; i++)
		print_hash(p->hash[i], out);
	(void)fputc('\n', out);
	(void)fwrite(s->note, 1, s->note_len, out);
	return ferror(out) ? -EIO : 0;
}

static int prove(struct source *s, uint64_t seq, FILE *out)
{
	uint8_t root[AUDIT_HASH_LEN];
	struct audit_base base;
	struct merkle_proof p;
	struct checkpoint cp;
	struct verifier v;
	int r = store_checkpoint_last(s->opt->store, UINT64_MAX, &s->size, s->note,
				      sizeof(s->note), &s->note_len);

	if (r == 0)
		r = audit_base_load(s->opt->store, s->opt->seal, &base);
	if (r == 0 && (seq <= base.seq || seq > s->size))
		return STORE_E_NONE;
	if (r == 0)
		r = chain_new(&s->chain);
	if (r == 0)
		r = audit_reader_open(s->opt->store, s->opt->dir, &s->reader);
	if (r != 0)
		return r;
	s->seq = base.seq;
	s->want = seq;
	r = merkle_prove(s->chain, &base.tree, seq - 1, s->size, next_leaf, s, &p);
	if (r == 0)
		r = merkle_proof_root(s->chain, &p, root);
	/* Never hand out a proof that proves nothing. */
	if (r == 0 && (verifier_parse(s->opt->vkey, &v) != 0 ||
		       note_open(&v, s->note, s->note_len, &cp) != 0 ||
		       CRYPTO_memcmp(cp.root, root, sizeof(root)) != 0))
		return STORE_E_CORRUPT;
	if (r == -EBADMSG)
		return STORE_E_CORRUPT;
	return r == 0 ? print_proof(s, &p, out) : r;
}

int audit_prove(const struct audit_verify_options *opt, uint64_t seq, FILE *out)
{
	struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->opt = opt;
	r = prove(s, seq, out);
	chain_free(s->chain);
	audit_reader_close(s->reader);
	free(s);
	return r;
}

/* ---------------------------------------------------------------- checking */

struct proof_text {
	const char *p, *end;
};

/* The line after @key, without its newline. */
static bool take_line(struct proof_text *t, const char *key, const char **ret,
		      size_t *ret_len)
{
	size_t n = strlen(key);
	const char *nl = memchr(t->p, '\n', (size_t)(t->end - t->p));

	if (!nl || (size_t)(nl - t->p) < n || memcmp(t->p, key, n) != 0)
		return false;
	*ret = t->p + n;
	*ret_len = (size_t)(nl - t->p) - n;
	t->p = nl + 1;
	return true;
}

static bool take_hashes(struct proof_text *t, struct merkle_proof *p)
{
	const char *text;
	size_t len;

	while (take_line(t, "hash ", &text, &len)) {
		if (p->n == MERKLE_NODES_MAX ||
		    !note_unbase64(text, len, p->hash[p->n], AUDIT_HASH_LEN))
			return false;
		p->n++;
	}
	return take_line(t, "", &text, &len) && len == 0;
}

static const char *check(struct chain *chain, struct proof_text *t, const char *vkey,
			 uint64_t *ret_seq)
{
	struct merkle_proof p = {0};
	uint8_t root[AUDIT_HASH_LEN];
	struct checkpoint cp;
	struct verifier v;
	struct audit_view rec;
	const char *text, *why = "";
	size_t len;

	if (verifier_parse(vkey, &v) != 0)
		return "the verifier key is not one";
	if (!take_line(t, "vmsec-proof-1", &text, &len) || len != 0 ||
	    !take_line(t, "index ", &text, &len) || len == 0 || len > 18)
		return "not a proof of this form";
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return "its index is not a number";
		p.index = p.index * 10 + (uint64_t)(text[i] - '0');
	}
	if (!take_line(t, "record ", &text, &len) ||
	    audit_view_parse(text, len, &rec, &why) != 0)
		return "its record cannot be read";
	if (rec.seq != p.index + 1)
		return "its record has another number";
	if (merkle_leaf(chain, text, len, p.leaf) != 0 || !take_hashes(t, &p))
		return "its hashes cannot be read";
	if (note_open(&v, t->p, (size_t)(t->end - t->p), &cp) != 0)
		return "its checkpoint is not signed with this key";
	p.size = cp.size;
	if (merkle_proof_root(chain, &p, root) != 0 ||
	    CRYPTO_memcmp(root, cp.root, sizeof(root)) != 0)
		return "the record is not in the signed tree at this place";
	*ret_seq = rec.seq;
	return NULL;
}

int audit_check_proof(const char *proof, size_t len, const char *vkey,
		      uint64_t *ret_seq, const char **ret_why)
{
	struct proof_text t = {proof, proof + len};
	struct chain *chain = NULL;
	const char *why = "out of memory";

	if (chain_new(&chain) == 0)
		why = check(chain, &t, vkey, ret_seq);
	chain_free(chain);
	if (why)
		*ret_why = why;
	return why ? -EBADMSG : 0;
}
