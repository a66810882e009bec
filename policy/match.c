/* SPDX-License-Identifier: Apache-2.0 */
/* match.c - subject, privilege, origin and proof against one rule; no allocation. */
#include "policy/match.h"

#include <arpa/inet.h>
#include <endian.h>

#define GALLOP_FROM 16 /* lists this much longer are searched, not walked */

static void add_named(uint32_t *v, size_t *n, uint32_t principal)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i] == principal)
			return;
	v[(*n)++] = principal;
}

void match_subject_init(struct match_subject *m, const struct policy *p,
			const struct policy_subject *s)
{
	m->s = s;
	m->groups = s->groups;
	m->n_groups = s->directory ? s->n_groups : 0;
	m->unknown = s->unknown;
	m->n_unknown = s->directory ? s->n_unknown : 0;
	m->n_grant_named = m->n_deny_named = 0;
	m->users_from = m->users_end = 0;
	if (s->directory && p->users.n > 0) {
		uint32_t by_name = names_find(&p->users, s->login);
		uint32_t by_id = names_find(&p->ids, s->id);

		if (by_name != NAMES_NONE) {
			add_named(m->deny_named, &m->n_deny_named,
				  p->groups.n + by_name);
			if (str_eq(p->user_ids[by_name], s->id))
				add_named(m->grant_named, &m->n_grant_named,
					  p->groups.n + by_name);
		}
		if (by_id != NAMES_NONE)
			add_named(m->deny_named, &m->n_deny_named,
				  p->groups.n + p->id_user[by_id]);
	}
	if (s->directory && !s->id) {
		m->users_from = p->groups.n;
		m->users_end = p->groups.n + p->users.n;
	}
	if (s->local && p->locals.n > 0) {
		uint32_t i = names_find(&p->locals, s->login);

		if (i == NAMES_NONE)
			return;
		i += p->groups.n + p->users.n;
		add_named(m->deny_named, &m->n_deny_named, i);
		add_named(m->grant_named, &m->n_grant_named, i);
	}
}

static bool list_has(const uint32_t *v, size_t n, uint32_t x)
{
	while (n > 0) {
		size_t half = n / 2;

		if (v[half] == x)
			return true;
		if (v[half] < x) {
			v += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return false;
}

/* The smallest common element that is not in @without; NAMES_NONE: none. */
static uint32_t first_common(const struct index_list *to, const uint32_t *v, size_t n,
			     const struct match_subject *without)
{
	size_t i = 0, k = 0;

	if (to->n > GALLOP_FROM * n) {
		for (k = 0; k < n; k++)
			if (list_has(to->v, to->n, v[k]) &&
			    !(without &&
			      list_has(without->unknown, without->n_unknown, v[k])))
				return v[k];
		return NAMES_NONE;
	}
	while (i < to->n && k < n) {
		if (to->v[i] < v[k]) {
			i++;
		} else if (to->v[i] > v[k]) {
			k++;
		} else {
			if (!without ||
			    !list_has(without->unknown, without->n_unknown, v[k]))
				return v[k];
			i++;
			k++;
		}
	}
	return NAMES_NONE;
}

/* Does the list name any user:NAME, while it is not known who this is? */
static bool may_be_user(const struct index_list *to, const struct match_subject *m)
{
	for (uint32_t i = 0; i < to->n && m->users_end > m->users_from; i++)
		if (to->v[i] >= m->users_from && to->v[i] < m->users_end)
			return true;
	return false;
}

enum match match_list(const struct index_list *to, bool against,
		      const struct match_subject *m, uint32_t *ret)
{
	const uint32_t *named = against ? m->deny_named : m->grant_named;
	size_t n_named = against ? m->n_deny_named : m->n_grant_named;
	uint32_t found;

	found = first_common(to, m->groups, m->n_groups, m);
	for (size_t i = 0; i < n_named; i++)
		if (named[i] < found && list_has(to->v, to->n, named[i]))
			found = named[i];
	*ret = found;
	if (found != NAMES_NONE)
		return MATCH_YES;
	if (against && may_be_user(to, m))
		return MATCH_UNKNOWN;
	if (m->n_unknown == 0)
		return MATCH_NO;
	*ret = first_common(to, m->unknown, m->n_unknown, NULL);
	return *ret != NAMES_NONE ? MATCH_UNKNOWN : MATCH_NO;
}

enum match match_to(const struct rule *r, const struct match_subject *m, uint32_t *ret)
{
	return match_list(&r->to, r->deny, m, ret);
}

const struct rule *rules_find(const struct rules *rules, const char *id)
{
	uint32_t lo = 0, hi = rules->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = strcmp(rules->v[mid].id, id);

		if (c == 0)
			return &rules->v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static bool text_list_has(const struct text_list *list, const char *text)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], text))
			return true;
	return false;
}

/* A grant of `su` alone reaches every account but root, however root is called. */
static bool grant_su(uint64_t bits, const struct text_list *su, uint32_t i,
		     const struct policy_request *req)
{
	if (!req->target)
		return false;
	if (text_list_has(su, req->target))
		return true;
	return (bits >> i & 1) && !req->target_uid0 && !str_eq(req->target, "root");
}

/* A deny reaches further: an unknown target, and root under any name. */
static bool deny_su(const struct rule *r, uint32_t i, const struct policy_request *req)
{
	if (r->privileges >> i & 1)
		return true;
	if (r->su.n > 0 && !req->target)
		return true;
	return text_list_has(&r->su, req->target) ||
	       (req->target_uid0 && text_list_has(&r->su, "root"));
}

bool match_privilege(const struct policy *p, const struct rule *r, uint32_t i,
		     const struct policy_request *req)
{
	if (i != p->priv_su)
		return r->privileges >> i & 1;
	return r->deny ? deny_su(r, i, req) : grant_su(r->privileges, &r->su, i, req);
}

bool match_role_privilege(const struct policy *p, const struct model_role *role,
			  uint32_t i, const struct policy_request *req)
{
	if (i != p->priv_su)
		return role->privileges >> i & 1;
	return grant_su(role->privileges, &role->su, i, req);
}

void match_privileges(const struct policy *p, const struct rules *rules,
		      const struct policy_privileges *privs, uint64_t *bits)
{
	size_t n = policy_privileges_count(privs), words = (n + 63) / 64;
	struct policy_request req = {0};

	for (size_t i = 0; i < n; i++) {
		uint32_t index;

		policy_privileges_request(privs, i, &req);
		index = names_find(&p->privileges, req.privilege);
		for (uint32_t k = 0; k < rules->n && index != NAMES_NONE; k++)
			if (match_privilege(p, &rules->v[k], index, &req))
				bits[k * words + i / 64] |= UINT64_C(1) << (i % 64);
	}
}

static bool addr_is_v4(const uint8_t *addr)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

/* An address as two numbers: compared so, it needs no call. */
static inline void addr_halves(const uint8_t *addr, uint64_t ret[2])
{
	memcpy(ret, addr, 16);
	ret[0] = be64toh(ret[0]);
	ret[1] = be64toh(ret[1]);
}

bool match_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	uint64_t x[2], y[2];

	addr_halves(a, x);
	addr_halves(b, y);
	if (bits < 64)
		return bits == 0 || (x[0] ^ y[0]) >> (64 - bits) == 0;
	return x[0] == y[0] && (bits == 64 || (x[1] ^ y[1]) >> (128 - bits) == 0);
}

static bool addr_after(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	addr_halves(a, x);
	addr_halves(b, y);
	return x[0] != y[0] ? x[0] > y[0] : x[1] > y[1];
}

/* ::/0 is every IPv6 address and no IPv4 one, although those are stored mapped. */
static bool in_network(const struct model_from *f, const uint8_t *addr)
{
	return f->v4 == addr_is_v4(addr) && match_prefix(f->addr, addr, f->bits);
}

/*
 * A network that holds @addr holds, or is, the last one that begins at or before @addr:
 * that one and those around it are all that there is to look at, 129 at most.
 */
static bool any_network(const struct rule *r, const uint8_t *addr)
{
	uint32_t lo = 0, hi = r->n_from;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct model_from *f = &r->from[mid];

		if (f->local || !addr_after(f->addr, addr))
			lo = mid + 1;
		else
			hi = mid;
	}
	for (uint32_t k = lo; k > 0; k = r->from[k - 1].outer)
		if (!r->from[k - 1].local && in_network(&r->from[k - 1], addr))
			return true;
	return false;
}

enum match match_from(const struct rule *r, const struct policy_request *req)
{
	const struct policy_origin *origin = &req->origin;
	bool local = origin->kind == POLICY_ORIGIN_LOCAL;

	if (r->n_from == 0)
		return MATCH_YES;
	if (req->assume & POLICY_ASSUME_FROM)
		return r->deny ? MATCH_NO : MATCH_YES;
	if (!local && origin->kind != POLICY_ORIGIN_ADDR)
		return MATCH_UNKNOWN;
	return (local ? r->from[0].local : any_network(r, origin->addr)) ? MATCH_YES
									 : MATCH_NO;
}

/*
 * The clock on the wall decides, so an hour that is skipped never comes and one that is
 * repeated comes twice. A window over midnight belongs to the day on which it starts.
 */
static bool in_window(const struct model_time *t, int64_t now_s)
{
	int64_t local = tz_zone_local(t->zone, now_s);
	int64_t day = local / 86400 - (local % 86400 < 0);
	int64_t minute = (local - day * 86400) / 60;
	unsigned today = (unsigned)((day % 7 + 7 + 3) % 7); /* 1970-01-01: Thursday */
	unsigned before = (today + 6) % 7;

	if (t->from_m < t->until_m)
		return (t->days >> today & 1) && minute >= t->from_m &&
		       minute < t->until_m;
	return ((t->days >> today & 1) && minute >= t->from_m) ||
	       ((t->days >> before & 1) && minute < t->until_m);
}

enum match match_time(const struct rule *r, const struct policy_request *req)
{
	if (!r->time)
		return MATCH_YES;
	if (req->assume & POLICY_ASSUME_TIME)
		return r->deny ? MATCH_NO : MATCH_YES;
	if (req->clock_unsynced)
		return MATCH_UNKNOWN;
	return in_window(r->time, req->now_s) ? MATCH_YES : MATCH_NO;
}

enum policy_reason match_mfa(const struct rule *r, uint32_t privilege,
			     const struct policy_request *req, unsigned locked)
{
	const unsigned codes = POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	const struct policy_mfa *mfa = &req->mfa;
	unsigned accept = match_accept(r, locked);

	if (!match_asks_mfa(r) || (req->assume & POLICY_ASSUME_MFA))
		return POLICY_REASON_NONE;
	switch (mfa->state) {
	case POLICY_MFA_NONE:
		return POLICY_REASON_MFA_REQUIRED;
	case POLICY_MFA_ASSUMED:
		return accept & codes ? POLICY_REASON_NONE : POLICY_REASON_MFA_METHOD;
	case POLICY_MFA_PROOF:
		if ((accept & (unsigned)mfa->method) == 0)
			return POLICY_REASON_MFA_METHOD;
		if (mfa->same_transaction)
			return POLICY_REASON_NONE;
		/* An age of 0 asks for a code in this very transaction. */
		if (r->mfa->max_age[privilege] == 0 || mfa->age_s < 0 ||
		    mfa->age_s > r->mfa->max_age[privilege])
			return POLICY_REASON_MFA_STALE;
		return POLICY_REASON_NONE;
	}
	return POLICY_REASON_MFA_REQUIRED;
}

int policy_origin_parse(const char *text, struct policy_origin *ret_origin)
{
	char addr[INET6_ADDRSTRLEN];
	struct policy_origin o = {.kind = POLICY_ORIGIN_ADDR};
	size_t len = text ? strcspn(text, "%") : 0;

	if (len == 0 || len >= sizeof(addr))
		return POLICY_E_INVALID;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (inet_pton(AF_INET6, addr, o.addr) == 1) {
		*ret_origin = o;
		return 0;
	}
	if (text[len] == '%' || inet_pton(AF_INET, addr, o.addr + 12) != 1)
		return POLICY_E_INVALID;
	o.addr[10] = o.addr[11] = 0xff;
	*ret_origin = o;
	return 0;
}
