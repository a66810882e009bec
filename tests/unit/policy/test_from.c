/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_from.c - lists of networks, nested, repeated and of both families, against a
 * look at each entry, bit by bit; and how long such a list may be.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/limits.h"
#include "policy/policy.h"

#define N_LISTS	    300
#define N_ADDRS	    200
#define N_NETS_MAX  40
#define N_BYTES(v4) ((v4) ? 4u : 16u)

struct net {
	bool v4;
	unsigned bits;
	uint8_t addr[16];
};

static uint64_t rng = 20261121;

static unsigned below(unsigned n)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(rng >> 33) % n;
}

/* Few values, so that networks nest and addresses fall on their edges. */
static struct net random_net(void)
{
	static const uint8_t bytes[] = {0, 1, 127, 128, 255};
	struct net n = {.v4 = below(3) > 0};

	n.bits = below(8 * N_BYTES(n.v4) + 1);
	for (unsigned i = 0; i < N_BYTES(n.v4); i++)
		n.addr[i] = i > 2 && i < 14 ? 0 : bytes[below(ARRAY_SIZE(bytes))];
	return n;
}

static void write_addr(FILE *f, const struct net *n)
{
	for (unsigned i = 0; i < N_BYTES(n->v4); i++)
		if (n->v4)
			fprintf(f, "%s%u", i ? "." : "", n->addr[i]);
		else
			fprintf(f, "%s%02x", i && i % 2 == 0 ? ":" : "", n->addr[i]);
}

static bool net_has(const struct net *n, const struct net *a)
{
	if (n->v4 != a->v4)
		return false;
	for (unsigned i = 0; i < n->bits; i++)
		if ((n->addr[i / 8] ^ a->addr[i / 8]) & 0x80u >> i % 8)
			return false;
	return true;
}

static int load(const char *from, struct policy **ret, struct diags *diag)
{
	_cleanup_free_ char *text = NULL;
	struct policy_source src = {.name = "t.yaml"};

	assert_true(asprintf(&text,
			     "vmsec_policy: 1\n"
			     "inventory: {vm: {}}\n"
			     "roles: {user: {privileges: [ssh]}}\n"
			     "grants:\n"
			     "  - {id: g, to: [g], roles: [user], vms: [\"vm:vm\"], "
			     "when: {mfa: none, from: [%s]}}\n",
			     from) > 0);
	src.buf = text;
	src.len = strlen(text);
	return policy_load_sources(&src, 1, NULL, ret, diag);
}

static bool allowed(const struct policy *p, const struct policy_origin *origin)
{
	uint32_t group = 0;
	const struct policy_subject s = {.login = "u",
					 .id = "u",
					 .known = true,
					 .enabled = true,
					 .directory = true,
					 .groups = &group,
					 .n_groups = 1};
	struct policy_request req = {.subject = &s,
				     .vm = "vm",
				     .privilege = "ssh",
				     .origin = *origin,
				     .now_s = 1795000000};
	struct policy_decision d;

	policy_decide(p, &req, &d);
	return d.verdict == POLICY_ALLOW;
}

/* Asks for an address in text form, as it comes from a login. */
static bool allowed_at(const struct policy *p, const struct net *a)
{
	_cleanup_free_ char *text = NULL;
	struct policy_origin origin;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	write_addr(f, a);
	fclose(f);
	assert_int_equal(policy_origin_parse(text, &origin), 0);
	return allowed(p, &origin);
}

static char *random_list(struct net *nets, unsigned n, bool local)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fputs(local ? "local, local" : "", f);
	for (unsigned i = 0; i < n; i++) {
		nets[i] = i > 0 && below(6) == 0 ? nets[below(i)] : random_net();
		for (unsigned b = nets[i].bits; b < 8 * N_BYTES(nets[i].v4); b++)
			nets[i].addr[b / 8] &= (uint8_t) ~(0x80u >> b % 8);
		fputs(i || local ? ", \"" : "\"", f);
		write_addr(f, &nets[i]);
		fprintf(f, "/%u\"", nets[i].bits);
	}
	fclose(f);
	return text;
}

static void test_random_lists(void **state)
{
	const struct policy_origin console = {.kind = POLICY_ORIGIN_LOCAL};
	size_t n_in = 0, n_out = 0;

	(void)state;
	for (int i = 0; i < N_LISTS; i++) {
		struct net nets[N_NETS_MAX];
		unsigned n = 1 + below(N_NETS_MAX);
		bool local = below(3) == 0;
		_cleanup_free_ char *list = random_list(nets, n, local);
		_cleanup_diags_ struct diags diag = DIAGS_INIT;
		struct policy *p = NULL;
		int r = load(list, &p, &diag);

		diags_print(&diag, stderr);
		assert_int_equal(r, 0);
		assert_int_equal(allowed(p, &console), local);
		for (int k = 0; k < N_ADDRS; k++) {
			struct net a = random_net();
			bool in = false;

			for (unsigned j = 0; j < n; j++)
				in |= net_has(&nets[j], &a);
			assert_int_equal(allowed_at(p, &a), in);
			*(in ? &n_in : &n_out) += 1;
		}
		policy_unref(p);
	}
	assert_true(n_in > 5000 && n_out > 5000);
}

static int load_many(unsigned n, struct policy **ret, struct diags *diag)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s10.0.%u.%u", i ? ", " : "", i / 256, i % 256);
	fclose(f);
	return load(text, ret, diag);
}

static void test_limit(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;

	(void)state;
	assert_int_equal(load_many(POLICY_FROM_MAX, &p, &diag), 0);
	policy_unref(p);
	p = NULL;
	assert_int_not_equal(load_many(POLICY_FROM_MAX + 1, &p, &diag), 0);
	assert_null(p);
	assert_int_equal(diag.n, 1);
	assert_non_null(strstr(diag.v[0].msg, "'from' has more than 4096 entries"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lists),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
