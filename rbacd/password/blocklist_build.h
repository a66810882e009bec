/* SPDX-License-Identifier: Apache-2.0 */
/* blocklist_build.h - makes the file of blocklist.h from lists of words and hashes. */
#pragma once

#include <stdio.h>

#include "rbacd/password/blocklist.h"

struct blocklist_builder;

_must_check_ int blocklist_builder_new(struct blocklist_builder **ret);
void blocklist_builder_free(struct blocklist_builder *b); /* NULL is a no-op */

static inline void blocklist_builder_freep(struct blocklist_builder **b)
{
	blocklist_builder_free(*b);
}
#define _cleanup_builder_ _cleanup_(blocklist_builder_freep)

/*
 * blocklist_builder_read() - add a list, one entry on each line: the SHA-1 of a
 * password in 40 hex digits, with a count behind ':' or not, as breach lists have it;
 * else a password. A password is added as it stands and without capital letters. Empty
 * lines, lines of "#!comment" and lines over 511 bytes are left out. Memory: 8 bytes an
 * entry. Return: 0; negative errno, also of a read that failed.
 */
_must_check_ int blocklist_builder_read(struct blocklist_builder *b, FILE *in);

/* blocklist_builder_foreign() - how many of the words read look like hashes of another
 * kind; as words they block nothing. */
uint64_t blocklist_builder_foreign(const struct blocklist_builder *b);

/*
 * blocklist_builder_write() - the file, in place of @path when it is whole and on disk.
 * The same entries make the same bytes. Adds up to 20 bytes an entry of one shard.
 * Return: 0; negative errno, -ENODATA without a single entry.
 */
_must_check_ int blocklist_builder_write(struct blocklist_builder *b, const char *path);
