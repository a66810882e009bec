/* SPDX-License-Identifier: Apache-2.0 */
/* memlog.h - a store that holds an audit log in memory, for tests that change it. */
#pragma once

#include "rbacd/audit/audit_internal.h"

#define MEMLOG_RECORDS_MAX     96
#define MEMLOG_CHECKPOINTS_MAX 8

struct store {
	struct store_head head;
	size_t n, n_checkpoints;
	struct {
		uint64_t seq;
		size_t len;
		char line[AUDIT_LINE_MAX + 1];
	} rec[MEMLOG_RECORDS_MAX];
	struct {
		uint64_t seq;
		size_t len;
		char note[NOTE_MAX];
	} checkpoint[MEMLOG_CHECKPOINTS_MAX];
};

/*
 * memlog_make() - @n records, 10 s apart, of @user, with a sealed head.
 * @signer: a checkpoint for each @every records and the last; NULL: none.
 */
void memlog_make(struct store *s, size_t n, const char *user, const struct seal *seal,
		 const struct signer *signer, size_t every);
bool memlog_same(const struct store *a, const struct store *b);
