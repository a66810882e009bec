/* SPDX-License-Identifier: Apache-2.0 */
/* rule_when.c - reads the conditions of a rule: mfa and from. */
#include "policy/load.h"

#include <arpa/inet.h>

#include "policy/match.h"

#define STEP_UP_AGE_S (15 * 60) /* sudo and su, where the policy says nothing */

/* ------------------------------------------------------------------- mfa */

void when_init_default_mfa(struct loader *l)
{
	struct policy *p = l->p;
	int32_t *age = loader_alloc(l, p->privileges.n, sizeof(*age));

	if (!age)
		return;
	for (uint32_t i = 0; i < p->privileges.n; i++)
		if (i == p->priv_su || str_eq(p->privileges.v[i], "sudo"))
			age[i] = STEP_UP_AGE_S;
	p->default_mfa.accept = POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	p->default_mfa.max_age = age;
}

static void read_method(struct loader *l, struct at at, unsigned *accept)
{
	static const enum policy_method methods[] = {POLICY_METHOD_TOTP,
						     POLICY_METHOD_RECOVERY,
						     POLICY_METHOD_SECURITY_KEY};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (at.node->kind == YAML_SCALAR &&
		    str_eq(at.node->text, policy_method_name(methods[i]))) {
			*accept |= methods[i];
			return;
		}
	}
	loader_error(l, at, "must be totp, recovery or security-key");
}

static void read_accept(struct loader *l, struct at at, struct model_mfa *mfa)
{
	unsigned accept = 0;

	if (!check_kind(l, at, YAML_LIST, "accept"))
		return;
	for (const struct yaml_node *i = at.node->first; i; i = i->next)
		read_method(l, (struct at){at.doc, i}, &accept);
	if (at.node->n_items == 0)
		loader_error(l, at,
			     "'accept' is empty; write 'mfa: none' to ask for nothing");
	mfa->accept = accept;
}

/* @limit: keep the smaller of what is there and what is read (`fresh`). */
static void read_age(struct loader *l, struct at at, uint32_t privilege, int32_t *age,
		     bool limit)
{
	int64_t s;

	if (yaml_get_duration(at.doc, at.node, &s, l->diag) != 0)
		return;
	if (!limit || s < age[privilege])
		age[privilege] = (int32_t)s; /* at most 366 days */
}

static void read_age_map(struct loader *l, struct at at, int32_t *age, bool limit)
{
	for (const struct yaml_node *i = at.node->first; i; i = i->next) {
		struct at item = {at.doc, i};
		uint32_t k = check_reference(l, item, &l->p->privileges, i->key,
					     "privilege");

		if (k != NAMES_NONE)
			read_age(l, item, k, age, limit);
	}
}

static void read_max_age(struct loader *l, struct at at, int32_t *age)
{
	if (at.node->kind == YAML_MAP) {
		read_age_map(l, at, age, false);
		return;
	}
	for (uint32_t i = 0; i < l->p->privileges.n; i++) {
		size_t before = l->diag->n + l->diag->n_dropped;

		read_age(l, at, i, age, false);
		if (l->diag->n + l->diag->n_dropped != before)
			return; /* say it once */
	}
}

/*
 * What a grant leaves out comes from `defaults`, so that naming the accepted methods
 * does not lengthen an age that the installation has shortened.
 */
static void read_mfa_map(struct loader *l, struct at at, struct model_mfa *ret)
{
	static const char *const keys[] = {"accept", "max_age", "fresh", NULL};
	const struct model_mfa *base = &l->p->default_mfa;
	size_t n = l->p->privileges.n;
	struct model_mfa mfa = {.accept = base->accept};
	struct at item = at;

	if (!check_kind(l, at, YAML_MAP, "mfa"))
		return;
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	if (at.node->n_items == 0)
		loader_error(l, at,
			     "'mfa' is empty; write 'mfa: none' to ask for nothing");
	mfa.max_age = loader_alloc(l, n, sizeof(*mfa.max_age));
	if (!mfa.max_age)
		return;
	memcpy(mfa.max_age, base->max_age, n * sizeof(*mfa.max_age));
	if (mfa.accept == 0)
		mfa.accept = POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY;
	item.node = yaml_get(at.node, "accept");
	if (item.node)
		read_accept(l, item, &mfa);
	item.node = yaml_get(at.node, "max_age");
	if (item.node)
		read_max_age(l, item, mfa.max_age);
	item.node = yaml_get(at.node, "fresh");
	if (item.node && check_kind(l, item, YAML_MAP, "fresh"))
		read_age_map(l, item, mfa.max_age, true);
	*ret = mfa;
}

bool when_is_none(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && str_eq(n->text, "none");
}

void when_read_default_mfa(struct loader *l, struct at at)
{
	if (when_is_none(at.node))
		l->p->default_mfa.accept = 0;
	else
		read_mfa_map(l, at, &l->p->default_mfa);
}

void when_read_mfa(struct loader *l, struct at at, struct rule *rule)
{
	struct model_mfa *mfa;

	if (when_is_none(at.node)) {
		rule->mfa = NULL;
		return;
	}
	mfa = loader_alloc(l, 1, sizeof(*mfa));
	if (!mfa)
		return;
	read_mfa_map(l, at, mfa);
	rule->mfa = mfa;
}

/* ------------------------------------------------------------------ from */

static bool read_bits(const char *text, unsigned max, uint8_t *ret)
{
	unsigned v = 0;
	size_t len = strlen(text);

	if (len < 1 || len > 3 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text[i] - '0');
	}
	if (v > max)
		return false;
	*ret = (uint8_t)v;
	return true;
}

static bool host_bits_clear(const struct model_from *f)
{
	for (unsigned i = f->bits; i < 128; i++)
		if (f->addr[i / 8] & 0x80u >> (i % 8))
			return false;
	return true;
}

static bool is_mapped(const uint8_t *addr)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

static bool read_network(const char *text, struct model_from *ret)
{
	char addr[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct model_from f = {.bits = 128};
	uint8_t bits;

	if (len == 0 || len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	f.v4 = inet_pton(AF_INET, addr, f.addr + 12) == 1;
	if (f.v4)
		f.addr[10] = f.addr[11] = 0xff;
	else if (inet_pton(AF_INET6, addr, f.addr) != 1 || is_mapped(f.addr))
		return false; /* a mapped address has a clearer form: IPv4 */
	if (slash) {
		if (!read_bits(slash + 1, f.v4 ? 32 : 128, &bits))
			return false;
		f.bits = (uint8_t)(f.v4 ? 96 + bits : bits);
	}
	*ret = f;
	return true;
}

static void read_from_entry(struct loader *l, struct at at, struct rule *rule)
{
	struct model_from f = {0};

	if (at.node->kind == YAML_SCALAR && str_eq(at.node->text, "local")) {
		f.local = true;
	} else if (at.node->kind != YAML_SCALAR || !read_network(at.node->text, &f)) {
		loader_error(
			l, at,
			"must be an address, a network such as 10.20.0.0/16, or local");
		return;
	} else if (!host_bits_clear(&f)) {
		loader_error(l, at, "'%s' has bits set behind the prefix",
			     at.node->text);
		return;
	}
	rule->from[rule->n_from++] = f;
}

static int compare_from(const void *a, const void *b)
{
	const struct model_from *x = a, *y = b;
	int c = memcmp(x->addr, y->addr, sizeof(x->addr));

	if (x->local != y->local)
		return x->local ? -1 : 1;
	return c != 0 ? c : x->bits - y->bits;
}

static bool holds(const struct model_from *a, const struct model_from *b)
{
	return !a->local && a->bits <= b->bits &&
	       match_prefix(a->addr, b->addr, a->bits);
}

/* Of equal ones each has the same outer, so that a way out is never long. */
static void link_outer(struct model_from *from, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		uint32_t k = i;

		while (k > 0 && !holds(&from[k - 1], &from[i]))
			k = from[k - 1].outer;
		if (k > 0 && from[k - 1].bits == from[i].bits)
			k = from[k - 1].outer;
		from[i].outer = k;
	}
}

void when_read_from(struct loader *l, struct at at, struct rule *rule)
{
	if (!check_kind(l, at, YAML_LIST, "from"))
		return;
	if (at.node->n_items == 0)
		loader_error(l, at, "'from' is empty");
	if (at.node->n_items > POLICY_FROM_MAX) {
		loader_error(l, at, "'from' has more than %d entries", POLICY_FROM_MAX);
		return;
	}
	rule->from = loader_alloc(l, at.node->n_items, sizeof(*rule->from));
	for (const struct yaml_node *i = at.node->first; i && rule->from; i = i->next)
		read_from_entry(l, (struct at){at.doc, i}, rule);
	if (rule->from && rule->n_from > 1)
		qsort(rule->from, rule->n_from, sizeof(*rule->from), compare_from);
	if (rule->from)
		link_outer(rule->from, rule->n_from);
}
