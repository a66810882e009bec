/* SPDX-License-Identifier: Apache-2.0 */
/* test_merkle.c - trees and proofs against a naive recursion; notes against vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rbacd/audit/audit_internal.h"
#include "rbacd/audit/merkle.h"
#include "rbacd/audit/note.h"

enum { LEAVES = 70 };

static struct chain *chain;
static uint8_t leaves[LEAVES][32];

static int setup(void **state)
{
	(void)state;
	assert_int_equal(chain_new(&chain), 0);
	for (int i = 0; i < LEAVES; i++) {
		char text[8];
		int n = snprintf(text, sizeof(text), "%d", i);

		assert_int_equal(merkle_leaf(chain, text, (size_t)n, leaves[i]), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	chain_free(chain);
	return 0;
}

/* MTH() as RFC 6962 2.1 writes it, by recursion. */
static void naive(size_t from, size_t n, uint8_t ret[32])
{
	char both[64];
	size_t k = 1;

	if (n == 0) {
		assert_int_equal(chain_hash(chain, "", 0, ret), 0);
	} else if (n == 1) {
		memcpy(ret, leaves[from], 32);
	} else {
		while (2 * k < n)
			k *= 2;
		naive(from, k, (uint8_t *)both);
		naive(from + k, n - k, (uint8_t *)both + 32);
		assert_int_equal(chain_hash_tagged(chain, 1, both, 64, ret), 0);
	}
}

static struct merkle grow(size_t n)
{
	struct merkle t = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(merkle_add(chain, &t, leaves[i]), 0);
	return t;
}

static void test_roots(void **state)
{
	(void)state;
	for (size_t n = 0; n <= LEAVES; n++) {
		struct merkle t = grow(n), again;
		uint8_t root[32], want[32];

		naive(0, n, want);
		assert_int_equal(merkle_root(chain, &t, root), 0);
		assert_memory_equal(root, want, 32);
		assert_int_equal(merkle_load(n, t.node[0], 32 * merkle_nodes(n),
					     &again),
				 0);
		assert_int_equal(merkle_root(chain, &again, root), 0);
		assert_memory_equal(root, want, 32);
		assert_int_equal(merkle_load(n, t.node[0], 32 * merkle_nodes(n) + 1,
					     &again),
				 -EINVAL);
	}
}

static int next_leaf(void *arg, uint8_t ret[32])
{
	size_t *at = arg;

	memcpy(ret, leaves[(*at)++], 32);
	return 0;
}

/* Every leaf of every tree, from every point where pruning may have cut the front. */
static void test_proofs(void **state)
{
	(void)state;
	for (size_t size = 1; size <= LEAVES; size++)
		for (size_t index = 0; index < size; index++)
			for (size_t from = 0; from <= index; from += 1 + from / 4) {
				struct merkle start = grow(from), whole = grow(size);
				struct merkle_proof p;
				uint8_t root[32], want[32];
				size_t at = from;

				assert_int_equal(merkle_prove(chain, &start, index,
							      size, next_leaf, &at, &p),
						 0);
				assert_int_equal(merkle_root(chain, &whole, want), 0);
				assert_int_equal(merkle_proof_root(chain, &p, root), 0);
				assert_memory_equal(root, want, 32);
			}
}

/* A proof proves one leaf at one place of one tree. */
static void test_bad_proofs(void **state)
{
	struct merkle start = {0}, whole = grow(37);
	struct merkle_proof good, p;
	uint8_t root[32], want[32];
	size_t at = 0;

	(void)state;
	assert_int_equal(merkle_root(chain, &whole, want), 0);
	assert_int_equal(merkle_prove(chain, &start, 11, 37, next_leaf, &at, &good), 0);
	for (size_t bit = 0; bit < 8 * 32 * (size_t)(good.n + 1); bit++) {
		p = good;
		(bit < 256 ? p.leaf : p.hash[bit / 256 - 1])[bit % 256 / 8] ^=
			(uint8_t)(1 << bit % 8);
		assert_int_equal(merkle_proof_root(chain, &p, root), 0);
		assert_memory_not_equal(root, want, 32);
	}
	for (uint64_t index = 0; index < 40; index++) {
		p = good;
		p.index = index;
		if (index != 11 && merkle_proof_root(chain, &p, root) == 0)
			assert_memory_not_equal(root, want, 32);
	}
	p = good;
	p.n--;
	assert_int_equal(merkle_proof_root(chain, &p, root), -EBADMSG);
	p = good;
	p.n++;
	memset(p.hash[good.n], 0, 32);
	assert_int_equal(merkle_proof_root(chain, &p, root), -EBADMSG);
	p.size = 0;
	assert_int_equal(merkle_proof_root(chain, &p, root), -EBADMSG);
	assert_int_equal(merkle_prove(chain, &whole, 11, 40, next_leaf, &at, &p),
			 -EINVAL); /* pruned */
	assert_int_equal(merkle_prove(chain, &start, 5, 5, next_leaf, &at, &p),
			 -EINVAL);
}

/* ---------------------------------------------------------------- vectors */

static FILE *open_vectors(void)
{
	const char *data = getenv("VMSEC_DATA");
	char path[512];
	FILE *in;

	(void)snprintf(path, sizeof(path), "%s/audit-vector.txt",
		       data ? data : "../shared/data");
	in = fopen(path, "re");
	if (!in) {
		print_message("%s is not there\n", path);
		skip();
	}
	return in;
}

/* Lines, chain head, leaves, root, verifier key and signed checkpoint, to the byte. */
static void test_vectors(void **state)
{
	_cleanup_fclose_ FILE *in = open_vectors();
	char line[2048], hex[65] = "", want[65] = "", vkey[NOTE_VKEY_MAX] = "";
	char note[NOTE_MAX] = "", made[NOTE_MAX];
	uint8_t hash[3][32], seed[32], root[32];
	struct checkpoint cp = {.size = 3}, back = {0};
	struct signer *signer = NULL;
	struct merkle tree = {0};
	struct verifier v;
	size_t len;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_non_null(fgets(line, sizeof(line), in));
		line[strcspn(line, "\n")] = '\0';
		assert_int_equal(merkle_leaf(chain, line, strlen(line), hash[i]), 0);
		assert_int_equal(merkle_add(chain, &tree, hash[i]), 0);
		assert_int_equal(chain_hash(chain, line, strlen(line), root), 0);
	}
	audit_hex(root, 32, hex);
	assert_int_equal(fscanf(in, " chain head %64s leaf hashes", want), 1);
	assert_string_equal(hex, want);
	for (int i = 0; i < 3; i++) {
		audit_hex(hash[i], 32, hex);
		assert_int_equal(fscanf(in, "%64s", want), 1);
		assert_string_equal(hex, want);
	}
	assert_int_equal(merkle_root(chain, &tree, cp.root), 0);
	audit_hex(cp.root, 32, hex);
	assert_int_equal(fscanf(in, " merkle root %64s", want), 1);
	assert_string_equal(hex, want);
	while (fgets(line, sizeof(line), in) && !str_after(line, "checkpoint:"))
		(void)sscanf(line, "vkey %239s", vkey);
	len = fread(note, 1, sizeof(note) - 1, in);
	/* The key of the vectors is made of the bytes 0 to 31. */
	for (int i = 0; i < 32; i++)
		seed[i] = (uint8_t)i;
	assert_int_equal(signer_new(seed, "vmsec.example/rbac1", &signer), 0);
	assert_string_equal(signer_vkey(signer), vkey);
	assert_int_equal(verifier_parse(vkey, &v), 0);
	assert_int_equal(note_open(&v, note, len, &back), 0);
	assert_int_equal(back.size, 3);
	assert_memory_equal(back.root, cp.root, 32);
	assert_int_equal(note_sign(signer, &cp, made, &len), 0);
	assert_memory_equal(made, note, len);
	assert_int_equal(strlen(note), len);
	signer_free(signer);
}

/* ---------------------------------------------------------------- notes */

static void test_every_bit_of_a_note(void **state)
{
	static const uint8_t seed[32] = {7}, other[32] = {8};
	struct checkpoint cp = {.size = 1234567, .root = {1, 2, 3}}, back;
	struct signer *a = NULL, *b = NULL;
	struct verifier va, vb;
	char note[NOTE_MAX], bad[NOTE_MAX];
	size_t len = 0;

	(void)state;
	assert_int_equal(signer_new(seed, "vm7/vmsec", &a), 0);
	assert_int_equal(signer_new(other, "vm7/vmsec", &b), 0);
	assert_int_equal(verifier_parse(signer_vkey(a), &va), 0);
	assert_int_equal(verifier_parse(signer_vkey(b), &vb), 0);
	assert_int_equal(note_sign(a, &cp, note, &len), 0);
	assert_int_equal(note_open(&va, note, len, &back), 0);
	assert_int_equal(note_open(&vb, note, len, &back), NOTE_E_KEY);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(bad, note, len);
		bad[bit / 8] = (char)(bad[bit / 8] ^ (1 << bit % 8));
		assert_int_not_equal(note_open(&va, bad, len, &back), 0);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(note_open(&va, note, cut, &back), 0);
	signer_free(a);
	signer_free(b);
}

static void test_verifier_keys(void **state)
{
	static const uint8_t seed[32] = {7};
	char good[NOTE_VKEY_MAX], bad[NOTE_VKEY_MAX];
	struct signer *signer = NULL;
	struct verifier v;

	(void)state;
	assert_int_equal(signer_new(seed, "db01.example/vmsec", &signer), 0);
	(void)snprintf(good, sizeof(good), "%s", signer_vkey(signer));
	signer_free(signer);
	assert_int_equal(verifier_parse(good, &v), 0);
	assert_string_equal(v.origin, "db01.example/vmsec");
	for (size_t i = 0; i < strlen(good); i++) {
		memcpy(bad, good, sizeof(good));
		bad[i] = bad[i] == 'b' ? 'c' : 'b';
		assert_int_equal(verifier_parse(bad, &v), -EINVAL);
		bad[i] = '\0';
		assert_int_equal(verifier_parse(bad, &v), -EINVAL);
	}
	assert_false(note_origin_ok("a b"));
	assert_false(note_origin_ok("a+b"));
	assert_false(note_origin_ok(""));
	assert_true(note_origin_ok("db01.prod.example/vmsec"));
}

static void test_key_file(void **state)
{
	struct diags diag = DIAGS_INIT;
	char dir[] = "/tmp/vmsec-test-XXXXXX", path[64], vkey[NOTE_VKEY_MAX];
	struct signer *s = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/audit.key", dir);
	assert_int_equal(signer_open(path, false, "a", &s, &diag), -ENOENT);
	assert_int_equal(signer_open(path, true, "a", &s, &diag), 0);
	(void)snprintf(vkey, sizeof(vkey), "%s", signer_vkey(s));
	signer_free(s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(signer_open(path, true, "a", &s, &diag), 0);
	assert_string_equal(vkey, signer_vkey(s)); /* the same key again */
	signer_free(s);
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(signer_open(path, true, "a", &s, &diag), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	diags_done(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_bad_proofs),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_every_bit_of_a_note),
		cmocka_unit_test(test_verifier_keys),
		cmocka_unit_test(test_key_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
