/* SPDX-License-Identifier: Apache-2.0 */
/*
 * somewhere.c - is there an origin from which a request is allowed? Networks are
 * intervals of addresses, so the answer can only change at their ends: asking there,
 * and at the console, is asking everywhere.
 */
#include "policy/match.h"

struct search {
	const struct policy *p;
	struct policy_request req;
	struct policy_decision *ret;
};

static bool try_origin(struct search *s)
{
	policy_decide(s->p, &s->req, s->ret);
	return s->ret->verdict == POLICY_ALLOW;
}

/* The next address up (@step 1) or down (-1), round the corner at the ends. */
static void addr_step(uint8_t *addr, int step)
{
	for (size_t i = 16; i-- > 0;) {
		addr[i] = (uint8_t)(addr[i] + step);
		if (addr[i] != (step > 0 ? 0 : 0xff))
			return;
	}
}

/* First and last address of a network, and their neighbours outside it. */
static bool try_network(struct search *s, const struct model_from *f)
{
	uint8_t first[16], last[16];

	memcpy(first, f->addr, sizeof(first));
	memcpy(last, f->addr, sizeof(last));
	for (unsigned bit = f->bits; bit < 128; bit++) {
		first[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		last[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	}
	s->req.origin.kind = POLICY_ORIGIN_ADDR;
	for (int side = 0; side < 4; side++) {
		memcpy(s->req.origin.addr, side < 2 ? first : last, sizeof(first));
		if (side % 2 == 1)
			addr_step(s->req.origin.addr, side < 2 ? -1 : 1);
		if (try_origin(s))
			return true;
	}
	return false;
}

static bool try_rules(struct search *s, const struct rules *rules, uint32_t class)
{
	for (uint32_t i = rules->by_class.off[class];
	     i < rules->by_class.off[class + 1]; i++) {
		const struct rule *r = &rules->v[rules->by_class.v[i]];

		for (uint32_t k = 0; k < r->n_from; k++)
			if (!r->from[k].local && try_network(s, &r->from[k]))
				return true;
	}
	return false;
}

bool match_somewhere(const struct policy *p, uint32_t class,
		     const struct policy_request *req, struct policy_decision *ret)
{
	/* IPv4 is an interval of its own, which not even ::/0 reaches into. */
	static const struct model_from v4 = {.v4 = true,
					     .bits = 96,
					     .addr = {[10] = 0xff, [11] = 0xff}};
	struct search s = {.p = p, .req = *req, .ret = ret};

	s.req.assume &= ~(unsigned)POLICY_ASSUME_FROM;
	s.req.origin = (struct policy_origin){.kind = POLICY_ORIGIN_LOCAL};
	return try_origin(&s) || try_network(&s, &v4) ||
	       try_rules(&s, &p->grants, class) || try_rules(&s, &p->denies, class);
}
