/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocklist.h - known passwords as a file that is mapped read-only: a static filter
 * over SHA-1, so that plain words and breach lists of hashes make one list. What was
 * put in is always found; what was not, once in 65,536 questions all the same.
 *
 * The file (little endian): a header, a table of shards, the filters. Shards exist for
 * the builder: each is made by itself, in memory of its own. Each is a binary fuse
 * filter with three places and 16-bit fingerprints. Source: T. M. Graf, D. Lemire,
 * "Binary Fuse Filters: Fast and Smaller Than Xor Filters", ACM JEA 27 (2022).
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

#define BLOCKLIST_SHA1_LEN 20

struct blocklist;

struct blocklist_info {
	uint64_t n_entries;	    /* distinct */
	uint64_t n_words, n_hashes; /* read from lists */
	uint64_t n_bytes;	    /* of the file */
	uint32_t n_shards;
};

/*
 * blocklist_open() - map @path: a regular file of root's or ours that nobody else
 * writes. Everything that a look-up relies on is checked, so no file can make one read
 * beside the mapping; a file that is cut off while it is mapped raises SIGBUS. Return:
 * 0; negative errno, -EBADMSG for no (whole) blocklist, with a diagnostic.
 */
_must_check_ int blocklist_open(const char *path, struct blocklist **ret,
				struct diags *diag);
void blocklist_close(struct blocklist *b); /* NULL is a no-op */

/* blocklist_open_bytes() - likewise, over @len bytes of the caller's, which it borrows.
 */
_must_check_ int blocklist_open_bytes(const uint8_t *bytes, size_t len,
				      const char *name, struct blocklist **ret,
				      struct diags *diag);

static inline void blocklist_closep(struct blocklist **b)
{
	blocklist_close(*b);
}
#define _cleanup_blocklist_ _cleanup_(blocklist_closep)

/* blocklist_has() - is this SHA-1 in the list? No allocation, three reads. */
bool blocklist_has(const struct blocklist *b, const uint8_t sha1[BLOCKLIST_SHA1_LEN]);

/* blocklist_verify() - the whole file against its checksum; reads all of it. */
bool blocklist_verify(const struct blocklist *b);

void blocklist_info(const struct blocklist *b, struct blocklist_info *ret);
