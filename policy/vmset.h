/* SPDX-License-Identifier: Apache-2.0 */
/* vmset.h - which VMs a selector holds, as bits over the VMs of a policy. */
#pragma once

#include <stdint.h>

#include "policy/model.h"

/*
 * vmset_pattern_match() - * and ? stand for any characters but a dot; the whole name
 * must match. Cost: O(pattern × name); the steps are added to @work.
 */
bool vmset_pattern_match(const char *pattern, const char *name, uint64_t *work);

struct vmset_index; /* label -> VMs; bounds the work */

_must_check_ int vmset_index_new(const struct policy *p, struct vmset_index **ret);
/* vmset_index_rewind() - the work so far is forgotten. */
void vmset_index_rewind(struct vmset_index *idx);
void vmset_index_free(struct vmset_index *idx); /* NULL is a no-op */

/*
 * vmset_eval() - set the bits of a selector's members.
 * @ret: room of vmset_words(p) words; overwritten.
 * Return: 0; POLICY_E_INVALID when the work is over POLICY_WORK_MAX; -ENOMEM.
 */
_must_check_ int vmset_eval(struct vmset_index *idx, const struct vm_expr *expr,
			    uint64_t *ret);

static inline size_t vmset_words(const struct policy *p)
{
	return ((size_t)p->vms.n + 63) / 64;
}

static inline void vmset_set(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline bool vmset_has(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}
