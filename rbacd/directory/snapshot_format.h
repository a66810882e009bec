/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot_format.h - the bytes of a snapshot; snapshot.c and snapshot_build.c only.
 *
 *   head | group* | account* | u32 list entries | string pool
 *
 * The pool holds, in this order and nothing else: source, each group's name, dn,
 * pin and id, each account's login and id. Lists follow each other in the order of the
 * accounts. So every offset has exactly one right value, and verifying is one walk.
 */
#pragma once

#include "policy/base.h"

#define BLOCK_MAGIC "vmsecSN2"
#define BLOCK_MAGIC_BYTES                                                              \
	{                                                                              \
		'v', 'm', 's', 'e', 'c', 'S', 'N', '2'                                 \
	}

struct block_head {
	char magic[8];
	int64_t made_s;
	uint64_t serial, base;
	uint32_t n_groups, n_accounts, n_lists, pool_len;
};

struct block_group {
	int64_t age_s;
	uint32_t name, dn, pin, id; /* offsets in the pool, as all strings */
	uint32_t complete;	    /* 0 or 1 */
	uint32_t n_members;
};

struct block_account {
	int64_t expires_s;
	uint32_t login, id;
	uint32_t uid, flags;
	uint32_t first, n_groups; /* entries of the list part */
	uint64_t zero;
};
