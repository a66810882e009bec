/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle.h - the RFC 6962 tree over the lines, grown at its right edge only.
 *
 * A tree of n leaves is kept as its frontier: the roots of the whole subtrees that make
 * it up, one for each bit of n, largest first. Appending costs one hash a leaf and one
 * more on average, whatever the size.
 */
#pragma once

#include "rbacd/audit/view.h"

#define MERKLE_NODES_MAX 64

struct chain; /* SHA-256, ready to use: audit_internal.h */

struct merkle {
	uint64_t size;
	uint8_t node[MERKLE_NODES_MAX][AUDIT_HASH_LEN];
};

/* merkle_leaf() - the leaf hash of a line: SHA-256(0x00 || line). 0; -EIO. */
_must_check_ int merkle_leaf(struct chain *chain, const char *line, size_t len,
			     uint8_t ret[AUDIT_HASH_LEN]);
/* merkle_add() - append a leaf. 0; -EIO. */
_must_check_ int merkle_add(struct chain *chain, struct merkle *tree,
			    const uint8_t leaf[AUDIT_HASH_LEN]);
/* merkle_root() - root of the tree as it is; of no leaves, SHA-256(""). 0; -EIO. */
_must_check_ int merkle_root(struct chain *chain, const struct merkle *tree,
			     uint8_t ret[AUDIT_HASH_LEN]);

/* merkle_nodes() - how many nodes a tree of @size has on its frontier. */
unsigned merkle_nodes(uint64_t size);
/* merkle_load() - a frontier of @len bytes as it was stored. 0; -EINVAL: not @size's.
 */
_must_check_ int merkle_load(uint64_t size, const uint8_t *nodes, size_t len,
			     struct merkle *ret);

/*
 * An inclusion proof: the hashes beside the path from a leaf to the root, nearest
 * first (RFC 6962 2.1.1). It is gathered while the leaves go by, in one pass.
 */
struct merkle_proof {
	uint64_t index, size; /* of the leaf, from 0; of the tree */
	unsigned n;
	uint8_t leaf[AUDIT_HASH_LEN];
	uint8_t hash[MERKLE_NODES_MAX][AUDIT_HASH_LEN];
};

/*
 * merkle_prove() - the proof for leaf @index of the first @size leaves.
 * @start: the tree before the first leaf that @next gives; index >= start->size.
 * @next: gives the leaf hashes in order; 0 or an error, which is returned.
 */
typedef int merkle_next_fn(void *arg, uint8_t ret_leaf[AUDIT_HASH_LEN]);
_must_check_ int merkle_prove(struct chain *chain, const struct merkle *start,
			      uint64_t index, uint64_t size, merkle_next_fn *next,
			      void *arg, struct merkle_proof *ret);
/* merkle_proof_root() - the root that a proof leads to. 0; -EBADMSG: not a proof. */
_must_check_ int merkle_proof_root(struct chain *chain,
				   const struct merkle_proof *proof,
				   uint8_t ret[AUDIT_HASH_LEN]);
