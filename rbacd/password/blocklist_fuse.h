/* SPDX-License-Identifier: Apache-2.0 */
/* blocklist_fuse.h - one binary fuse filter from distinct keys; for the builder. */
#pragma once

#include "rbacd/password/blocklist_internal.h"

/* All zero before the first use; kept from shard to shard. */
struct fuse {
	struct blocklist_shard shard;
	uint16_t *prints; /* owned; little endian, as the file has them */
	/* room */
	uint64_t *hashes; /* owned; by place, xor of the entries there */
	uint8_t *counts;  /* owned; by place: 4 times how many, xor which of their three
			   */
	uint32_t *queue;  /* owned; places with one entry */
	uint64_t *order;  /* owned; entries as they were taken out */
	uint8_t *which;	  /* owned; and from which of their three places */
	size_t cap_places, cap_keys;
};

/* fuse_make() - @f->shard and @f->prints for keys[0..n). Return: 0; negative errno,
 * -EILSEQ when keys repeat. */
_must_check_ int fuse_make(struct fuse *f, const uint64_t *keys, size_t n);
void fuse_done(struct fuse *f);
