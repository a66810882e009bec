/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.c - what a grant is worth before anybody asks for anything: is it valid, is
 * it reviewed, and may its roles be held beside the person's others?
 */
#include "policy/decide.h"

bool grant_valid(const struct decide *d, const struct rule *r)
{
	return d->req->now_s >= r->valid_from_s &&
	       (r->valid_until_s == 0 || d->req->now_s < r->valid_until_s);
}

int64_t grant_due(const struct decide *d, const struct rule *r)
{
	const struct policy_state *state = d->req->state;
	int64_t since = r->valid_from_s;
	size_t i;

	if (r->review_every_s == 0 || (d->req->assume & POLICY_ASSUME_STATE))
		return INT64_MAX;
	i = (size_t)(r - d->p->grants.v); /* only grants are reviewed */
	if (state && i < state->n_reviewed && state->reviewed_s[i] != 0 &&
	    state->reviewed_s[i] > since)
		since = state->reviewed_s[i];
	return since == INT64_MIN ? INT64_MIN : since + r->review_every_s;
}

bool grant_overdue(const struct decide *d, const struct rule *r)
{
	return r->review_every_s != 0 && d->req->now_s >= grant_due(d, r);
}

bool grant_suspended(const struct decide *d, const struct rule *r)
{
	return r->review_every_s != 0 && r->overdue != POLICY_OVERDUE_WARN &&
	       grant_overdue(d, r);
}

/* Whatever privilege is asked and whatever `when:` says: holding the role counts. */
static void try_held(struct decide *d, const struct rule *r)
{
	uint32_t ignored;

	if (r->separated.n == 0 || !grant_valid(d, r) || grant_suspended(d, r) ||
	    match_to(r, &d->subject, &ignored) != MATCH_YES)
		return;
	for (uint32_t i = 0; i < r->separated.n; i++)
		d->held[r->separated.v[i] / 64] |= UINT64_C(1)
						   << (r->separated.v[i] % 64);
}

static bool has(const uint64_t *bits, uint32_t slot)
{
	return bits[slot / 64] >> (slot % 64) & 1;
}

/* How many of the separation's roles are held; two are one too many. */
static uint32_t count_held(const struct decide *d, const struct model_separation *sep)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < sep->slots.n; k++)
		n += has(d->held, sep->slots.v[k]);
	return n;
}

void grant_separate(struct decide *d)
{
	size_t size = (d->p->n_slots + 63) / 64 * sizeof(*d->held);

	memset(d->held, 0, size);
	decide_walk_grants(d, false, try_held);
	for (uint32_t i = 0; i < d->p->n_separations; i++) {
		const struct model_separation *sep = &d->p->separations[i];

		if (count_held(d, sep) < 2)
			continue;
		if (!d->conflict)
			memset(d->dropped, 0, size);
		d->conflict = true;
		for (uint32_t k = 0; k < sep->slots.n; k++)
			if (has(d->held, sep->slots.v[k]))
				d->dropped[sep->slots.v[k] / 64] |=
					UINT64_C(1) << (sep->slots.v[k] % 64);
	}
}

const struct model_separation *grant_dropped(const struct decide *d,
					     const struct rule *r)
{
	for (uint32_t i = 0; i < r->separated.n && d->conflict; i++) {
		uint32_t slot = r->separated.v[i];

		if (!has(d->dropped, slot))
			continue;
		for (uint32_t k = 0; k < d->p->n_separations; k++) {
			const struct model_separation *sep = &d->p->separations[k];

			for (uint32_t j = 0; j < sep->slots.n; j++)
				if (sep->slots.v[j] == slot && count_held(d, sep) >= 2)
					return sep;
		}
	}
	return NULL;
}
