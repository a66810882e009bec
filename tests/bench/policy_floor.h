/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_floor.h - the least that answering takes: names to numbers by hash, then bits
 * of the roles that hold group, VM and privilege. No conditions, no denies, no reasons.
 */
#pragma once

#include "tests/bench/policy_data.h"

struct table {
	uint32_t mask;
	int32_t *slot;	   /* owned */
	const char *names; /* borrowed */
	size_t stride;
};

struct floor {
	size_t words;
	uint64_t *by_group, *by_vm, *by_priv; /* owned */
	struct table users, vms, privs;
	char priv_names[N_PRIVS][12];
};

/* floor_make() - into @f, which must stay where it is. */
void floor_make(struct floor *f, const struct data *d);
void floor_done(struct floor *f);
bool floor_decide(const struct floor *f, const struct data *d, const struct query *q);

/* table_get() - the number of a name that is there. */
uint32_t table_get(const struct table *t, const char *name);
