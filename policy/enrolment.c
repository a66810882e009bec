/* SPDX-License-Identifier: Apache-2.0 */
/* enrolment.c - whom the policy lets make a second factor at the first login. */
#include "policy/match.h"

void policy_enrolment_offer(const struct policy *p, const struct policy_subject *s,
			    int64_t now_s, struct policy_offer *ret)
{
	struct policy_offer offer = {.offered = false};
	struct match_subject m;
	uint32_t ignored;

	*ret = offer;
	if (!p || !s->known || !s->enabled || s->stale ||
	    (s->expires_s != 0 && now_s >= s->expires_s))
		return;
	match_subject_init(&m, p, s);
	for (uint32_t i = 0; i < p->n_enrolments; i++) {
		const struct model_enrolment *e = &p->enrolments[i];

		if (!e->at_first_login || now_s >= e->until_s ||
		    match_list(&e->to, false, &m, &ignored) != MATCH_YES)
			continue;
		offer.offered = true;
		if (e->optional && e->until_s > offer.optional_until_s) {
			offer.optional_until_s = e->until_s;
			offer.optional_until = e->until_text;
		}
	}
	*ret = offer;
}
