/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_merge.c - a snapshot and the change to it as one. */

#include <errno.h>

#include "rbacd/directory/snapshot.h"

/* Groups are the same in both; how current they are, the newer one says. */
static int add_groups(struct snapshot_builder *b, const struct snapshot *newest)
{
	uint32_t index;
	int r = 0;

	for (size_t i = 0; i < snapshot_group_count(newest) && r == 0; i++) {
		struct snapshot_group g;

		snapshot_group_at(newest, i, &g);
		r = snapshot_add_found(b, &g, &index);
		if (r == 0 && index != i)
			r = -EBADMSG; /* accounts name groups by number */
	}
	return r;
}

/* @but: accounts that stand in it are left out; so is who is gone. */
static int add_accounts(struct snapshot_builder *b, const struct snapshot *from,
			const struct snapshot *but)
{
	int r = 0;

	for (size_t i = 0; i < snapshot_account_count(from) && r == 0; i++) {
		struct snapshot_account a, newer;

		snapshot_account_at(from, i, &a);
		if (a.flags != 0 && !(but && snapshot_find(but, a.login, &newer)))
			r = snapshot_add_account(b, &a);
	}
	return r;
}

int snapshot_merge(const struct snapshot *base, const struct snapshot *change,
		   struct snapshot **ret)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	_cleanup_free_ void *block = NULL;
	size_t len;
	int r;

	if (snapshot_group_count(base) != snapshot_group_count(change))
		return -EBADMSG;
	r = snapshot_builder_new(snapshot_source(base), snapshot_made_s(change), &b);
	if (r == 0)
		r = add_groups(b, change);
	if (r == 0)
		r = add_accounts(b, base, change);
	if (r == 0)
		r = add_accounts(b, change, NULL);
	if (r == 0)
		r = snapshot_build_bytes(b, &block, &len);
	return r == 0 ? snapshot_from_bytes(block, len, ret) : r;
}
