/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_snapshot.c - blocks from rbacd-dir: what is accepted can be read to its end. */
#include <assert.h>

#include "rbacd/directory/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_account(const struct snapshot *s, size_t i)
{
	struct snapshot_account a, again;

	snapshot_account_at(s, i, &a);
	assert(snapshot_login_valid(a.login));
	assert(strlen(a.id) <= SNAPSHOT_ID_MAX);
	assert(!(a.flags & SNAPSHOT_DIRECTORY) || a.uid != 0);
	assert((a.flags & SNAPSHOT_DIRECTORY) || a.n_groups == 0);
	assert(snapshot_find(s, a.login, &again) && again.uid == a.uid);
	if (i > 0) {
		snapshot_account_at(s, i - 1, &again);
		assert(strcmp(again.login, a.login) < 0);
	}
	for (size_t k = 0; k < a.n_groups; k++) {
		assert(a.groups[k] < snapshot_group_count(s));
		assert(k == 0 || a.groups[k - 1] < a.groups[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot *s;
	struct snapshot_group g;
	const char *before = "";

	if (snapshot_from_bytes(data, size, &s) != 0)
		return 0;
	for (size_t i = 0; i < snapshot_group_count(s); i++) {
		snapshot_group_at(s, i, &g);
		assert(strlen(g.name) <= SNAPSHOT_GROUP_MAX && g.age_s >= 0);
		assert(strcmp(before, g.name) < 0);
		before = g.name;
	}
	for (size_t i = 0; i < snapshot_account_count(s); i++)
		read_account(s, i);
	assert(strlen(snapshot_source(s)) <= SNAPSHOT_SOURCE_MAX);
	snapshot_unref(s);
	return 0;
}
