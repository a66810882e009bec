/* SPDX-License-Identifier: Apache-2.0 */
/* blocklist_internal.h - what the builder writes and the reader maps; blocklist.h. */
#pragma once

#include <endian.h>

#include "rbacd/password/blocklist.h"

/*
 * Header: magic, u32 version, u32 bits of the key that choose the shard, u64 entries,
 * words, hashes, u64 bytes of the file, 16 zero, SHA-256 of the filters, SHA-256 of all
 * before it and the table.
 */
#define BLOCKLIST_MAGIC	      "vmsecbl\n"
#define BLOCKLIST_VERSION     1u
#define BLOCKLIST_HEADER_LEN  128
#define BLOCKLIST_FILTERS_AT  64 /* the sum of the filters */
#define BLOCKLIST_HEAD_AT     96 /* the sum of header and table */
#define BLOCKLIST_SHARD_LEN   24 /* u64 seed, u32 entries, segment, segments, zero */
#define BLOCKLIST_BITS_MAX    16
#define BLOCKLIST_SEGMENT_MAX (1u << 18)

/* One filter: segments of places, a fingerprint in each. */
struct blocklist_shard {
	uint64_t seed;
	uint32_t n;	     /* entries; 0: it has no places */
	uint32_t segment;    /* places in a segment, a power of two */
	uint32_t n_segments; /* in which an entry's first place can be */
};

/* The three places of one key, in neighbouring segments, and what they hold together.
 */
struct blocklist_places {
	uint32_t at[3];
	uint16_t print;
};

static inline uint64_t blocklist_shard_places(const struct blocklist_shard *s)
{
	return s->n == 0 ? 0 : ((uint64_t)s->n_segments + 2) * s->segment;
}

/* blocklist_mix() - the key's hash under a seed: MurmurHash3's last steps. */
static inline uint64_t blocklist_mix(uint64_t key, uint64_t seed)
{
	uint64_t h = key + seed;

	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/* blocklist_places() - of a hash of blocklist_mix(); below blocklist_shard_places(). */
static inline struct blocklist_places blocklist_places(const struct blocklist_shard *s,
						       uint64_t h)
{
	const uint32_t first = s->n_segments * s->segment, mask = s->segment - 1;
	struct blocklist_places p;

	p.at[0] = (uint32_t)((unsigned __int128)h * first >> 64);
	p.at[1] = (p.at[0] + s->segment) ^ (uint32_t)(h >> 18 & mask);
	p.at[2] = (p.at[0] + 2 * s->segment) ^ (uint32_t)(h & mask);
	p.print = (uint16_t)(h ^ h >> 32);
	return p;
}

/* blocklist_key() - what of a SHA-1 is kept; its first bits choose the shard. */
static inline uint64_t blocklist_key(const uint8_t sha1[BLOCKLIST_SHA1_LEN])
{
	uint64_t v;

	memcpy(&v, sha1, sizeof(v));
	return be64toh(v);
}

static inline size_t blocklist_shard_of(uint64_t key, uint32_t bits)
{
	return bits == 0 ? 0 : (size_t)(key >> (64 - bits));
}
