/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c - what links the records: SHA-256 over raw lines, and the MAC of the head. */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <openssl/crypto.h>

struct chain {
	EVP_MD *md;	 /* owned; fetched once, a fetch costs more than a hash */
	EVP_MD_CTX *ctx; /* owned */
};

void chain_free(struct chain *chain)
{
	if (!chain)
		return;
	EVP_MD_CTX_free(chain->ctx);
	EVP_MD_free(chain->md);
	free(chain);
}

static void freep(struct chain **chain)
{
	chain_free(*chain);
}

int chain_new(struct chain **ret)
{
	_cleanup_(freep) struct chain *chain = calloc(1, sizeof(*chain));

	if (!chain)
		return -ENOMEM;
	chain->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	chain->ctx = EVP_MD_CTX_new();
	if (!chain->md || !chain->ctx)
		return -ENOMEM;
	*ret = STEAL(chain);
	return 0;
}

static int hash(struct chain *chain, const uint8_t *tag, const char *p, size_t len,
		uint8_t ret[AUDIT_HASH_LEN])
{
	unsigned n = 0;

	if (EVP_DigestInit_ex2(chain->ctx, chain->md, NULL) != 1 ||
	    (tag && EVP_DigestUpdate(chain->ctx, tag, 1) != 1) ||
	    EVP_DigestUpdate(chain->ctx, p, len) != 1 ||
	    EVP_DigestFinal_ex(chain->ctx, ret, &n) != 1 || n != AUDIT_HASH_LEN)
		return -EIO;
	return 0;
}

int chain_hash(struct chain *chain, const char *line, size_t len,
	       uint8_t ret[AUDIT_HASH_LEN])
{
	return hash(chain, NULL, line, len, ret);
}

int chain_hash_tagged(struct chain *chain, uint8_t tag, const char *p, size_t len,
		      uint8_t ret[AUDIT_HASH_LEN])
{
	return hash(chain, &tag, p, len, ret);
}

static void put_u64(uint8_t out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* A head without a tree is one of the first version, and was sealed as such. */
int chain_head_mac(const struct seal *seal, const struct store_head *head,
		   uint8_t ret[32])
{
	uint8_t seq[8], ts[8];
	const struct seal_part parts[] = {
		{seq, sizeof(seq)},
		{head->hash, sizeof(head->hash)},
		{ts, sizeof(ts)},
		{head->tree, head->tree_len},
	};
	size_t n = head->tree_len > 0 ? ARRAY_SIZE(parts) : ARRAY_SIZE(parts) - 1;

	put_u64(seq, head->seq);
	put_u64(ts, (uint64_t)head->ts_s);
	return seal_mac(seal, "audit-head", parts, n, ret);
}

int chain_head_check(const struct seal *seal, const struct store_head *head)
{
	uint8_t mac[32];
	int r = chain_head_mac(seal, head, mac);

	if (r != 0)
		return r;
	return CRYPTO_memcmp(mac, head->mac, sizeof(mac)) == 0 ? 0 : STORE_E_CORRUPT;
}
