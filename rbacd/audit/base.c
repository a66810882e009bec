/* SPDX-License-Identifier: Apache-2.0 */
/* base.c - what the rest of a pruned log is verified from, under a MAC. */
#include "rbacd/audit/audit_internal.h"

#include <openssl/crypto.h>

#define META_BASE "audit-base"
#define BASE_HEAD (8 + AUDIT_HASH_LEN + 8)
#define BASE_MAX  (32 + BASE_HEAD + STORE_TREE_MAX)

static void put_u64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static int base_mac(const struct seal *seal, const uint8_t *p, size_t len,
		    uint8_t ret[32])
{
	const struct seal_part part = {p, len};

	return seal_mac(seal, META_BASE, &part, 1, ret);
}

int audit_base_store(struct store *store, const struct seal *seal,
		     const struct audit_base *b)
{
	uint8_t buf[BASE_MAX], *p = buf + 32;
	size_t n = merkle_nodes(b->tree.size) * (size_t)AUDIT_HASH_LEN;
	int r;

	put_u64(p, b->seq);
	memcpy(p + 8, b->hash, AUDIT_HASH_LEN);
	put_u64(p + 8 + AUDIT_HASH_LEN, (uint64_t)b->ts_s);
	memcpy(p + BASE_HEAD, b->tree.node, n);
	r = base_mac(seal, p, BASE_HEAD + n, buf);
	return r == 0 ? store_meta_put(store, META_BASE, buf, 32 + BASE_HEAD + n) : r;
}

int audit_base_load(struct store *store, const struct seal *seal,
		    struct audit_base *ret)
{
	uint8_t buf[BASE_MAX], mac[32], *p = buf + 32;
	struct audit_base b = {0};
	size_t len = 0;
	int r = store_meta_get(store, META_BASE, buf, sizeof(buf), &len);

	if (r == STORE_E_NONE)
		*ret = b;
	if (r != 0)
		return r == STORE_E_NONE ? 0 : r;
	if (len < 32 + BASE_HEAD)
		return STORE_E_CORRUPT;
	r = seal ? base_mac(seal, p, len - 32, mac) : 0;
	if (r != 0)
		return r;
	b.seq = get_u64(p);
	memcpy(b.hash, p + 8, AUDIT_HASH_LEN);
	b.ts_s = (int64_t)get_u64(p + 8 + AUDIT_HASH_LEN);
	if ((seal && CRYPTO_memcmp(mac, buf, 32) != 0) ||
	    merkle_load(b.seq, p + BASE_HEAD, len - 32 - BASE_HEAD, &b.tree) != 0)
		return STORE_E_CORRUPT;
	*ret = b;
	return 0;
}

int audit_reseal(struct store *store, const struct seal *now, const struct seal *next)
{
	struct audit_base base;
	int r = audit_base_load(store, now, &base);

	return r == 0 && base.seq > 0 ? audit_base_store(store, next, &base) : r;
}
