/* SPDX-License-Identifier: Apache-2.0 */
/* merkle.c - RFC 6962 trees: the growing edge, roots, and inclusion proofs. */
#include "rbacd/audit/merkle.h"

#include <errno.h>

#include "rbacd/audit/audit_internal.h"

unsigned merkle_nodes(uint64_t size)
{
	return (unsigned)__builtin_popcountll(size);
}

int merkle_leaf(struct chain *chain, const char *line, size_t len,
		uint8_t ret[AUDIT_HASH_LEN])
{
	return chain_hash_tagged(chain, 0, line, len, ret);
}

static int join(struct chain *chain, const uint8_t left[AUDIT_HASH_LEN],
		const uint8_t right[AUDIT_HASH_LEN], uint8_t ret[AUDIT_HASH_LEN])
{
	char both[2 * AUDIT_HASH_LEN];

	memcpy(both, left, AUDIT_HASH_LEN);
	memcpy(both + AUDIT_HASH_LEN, right, AUDIT_HASH_LEN);
	return chain_hash_tagged(chain, 1, both, sizeof(both), ret);
}

/* Each trailing 1 of the size is a subtree as large as the new one: they join. */
int merkle_add(struct chain *chain, struct merkle *tree,
	       const uint8_t leaf[AUDIT_HASH_LEN])
{
	unsigned n = merkle_nodes(tree->size);
	uint8_t node[AUDIT_HASH_LEN];
	int r;

	memcpy(node, leaf, AUDIT_HASH_LEN);
	for (uint64_t rest = tree->size; rest & 1; rest >>= 1) {
		r = join(chain, tree->node[--n], node, node);
		if (r != 0)
			return r;
	}
	memcpy(tree->node[n], node, AUDIT_HASH_LEN);
	tree->size++;
	return 0;
}

int merkle_root(struct chain *chain, const struct merkle *tree,
		uint8_t ret[AUDIT_HASH_LEN])
{
	unsigned n = merkle_nodes(tree->size);
	int r = 0;

	if (n == 0)
		return chain_hash(chain, "", 0, ret);
	memcpy(ret, tree->node[n - 1], AUDIT_HASH_LEN);
	for (unsigned i = n - 1; i > 0 && r == 0; i--)
		r = join(chain, tree->node[i - 1], ret, ret);
	return r;
}

int merkle_load(uint64_t size, const uint8_t *nodes, size_t len, struct merkle *ret)
{
	if (len != merkle_nodes(size) * (size_t)AUDIT_HASH_LEN)
		return -EINVAL;
	ret->size = size;
	if (len > 0)
		memcpy(ret->node, nodes, len);
	return 0;
}

/* ---------------------------------------------------------------- proofs */

/*
 * The leaves beside the path, as ranges: at each level the sibling of the node that
 * holds @index, cut at @size. Those wholly before the first leaf that can be read are
 * nodes of the frontier there, because the node above them holds @index, which is not.
 */
struct sibling {
	uint64_t from, to; /* leaves [from, to) */
	struct merkle sub; /* what of it went by */
};

static unsigned find_siblings(uint64_t index, uint64_t size, struct sibling *v)
{
	uint64_t lo = 0, hi = size;
	unsigned n = 0;

	while (hi - lo > 1) {
		uint64_t half = UINT64_C(1) << (63 - __builtin_clzll(hi - lo - 1));
		bool left = index - lo < half;

		v[n].from = left ? lo + half : lo;
		v[n].to = left ? hi : lo + half;
		n++;
		*(left ? &hi : &lo) = lo + half;
	}
	return n;
}

/* What of a sibling's leaves lies before the first readable one, from the frontier. */
static int start_sibling(struct sibling *s, const struct merkle *start)
{
	uint64_t at = 0, rest = start->size;

	for (unsigned i = 0; rest > 0; i++) {
		uint64_t block = UINT64_C(1) << (63 - __builtin_clzll(rest));

		if (at >= s->from && at + block <= s->to) {
			memcpy(s->sub.node[merkle_nodes(s->sub.size)], start->node[i],
			       AUDIT_HASH_LEN);
			s->sub.size += block;
		} else if (at < s->to && at + block > s->from) {
			return -EINVAL; /* the leaf itself lies before the start */
		}
		at += block;
		rest -= block;
	}
	return 0;
}

static int prove(struct chain *chain, uint64_t first, struct merkle_proof *p,
		 struct sibling *v, merkle_next_fn *next, void *arg)
{
	uint8_t leaf[AUDIT_HASH_LEN];
	int r = 0;

	for (uint64_t i = first; i < p->size && r == 0; i++) {
		r = next(arg, leaf);
		if (r == 0 && i == p->index)
			memcpy(p->leaf, leaf, sizeof(leaf));
		for (unsigned k = 0; k < p->n && r == 0; k++)
			if (i >= v[k].from && i < v[k].to)
				r = merkle_add(chain, &v[k].sub, leaf);
	}
	for (unsigned k = 0; k < p->n && r == 0; k++) /* nearest first */
		r = merkle_root(chain, &v[k].sub, p->hash[p->n - 1 - k]);
	return r;
}

int merkle_prove(struct chain *chain, const struct merkle *start, uint64_t index,
		 uint64_t size, merkle_next_fn *next, void *arg,
		 struct merkle_proof *ret)
{
	_cleanup_free_ struct sibling *v = calloc(MERKLE_NODES_MAX, sizeof(*v));
	struct merkle_proof p = {.index = index, .size = size};
	int r = 0;

	if (!v)
		return -ENOMEM;
	if (index >= size || index < start->size || size > INT64_MAX)
		return -EINVAL;
	p.n = find_siblings(index, size, v);
	for (unsigned k = 0; k < p.n && r == 0; k++)
		r = start_sibling(&v[k], start);
	if (r == 0)
		r = prove(chain, start->size, &p, v, next, arg);
	if (r == 0)
		*ret = p;
	return r;
}

/* RFC 9162 2.1.3.2, which is the verification that RFC 6962 leaves to the reader. */
int merkle_proof_root(struct chain *chain, const struct merkle_proof *p,
		      uint8_t ret[AUDIT_HASH_LEN])
{
	uint64_t fn = p->index, sn = p->size - 1;
	uint8_t node[AUDIT_HASH_LEN];
	int r = 0;

	if (p->size == 0 || p->index >= p->size || p->n > MERKLE_NODES_MAX)
		return -EBADMSG;
	memcpy(node, p->leaf, sizeof(node));
	for (unsigned i = 0; i < p->n && r == 0; i++) {
		if (sn == 0)
			return -EBADMSG;
		if ((fn & 1) || fn == sn) {
			r = join(chain, p->hash[i], node, node);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			r = join(chain, node, p->hash[i], node);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (r == 0 && sn != 0)
		return -EBADMSG;
	if (r == 0)
		memcpy(ret, node, sizeof(node));
	return r;
}
