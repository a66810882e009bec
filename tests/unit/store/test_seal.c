/* SPDX-License-Identifier: Apache-2.0 */
/* test_seal.c - what is sealed opens only as it was sealed. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static const uint8_t master[32] = {9};

static struct seal *new_seal(const uint8_t key[32])
{
	struct seal *s = NULL;

	assert_int_equal(seal_new(key, &s), 0);
	return s;
}

static size_t sealed(const struct seal *s, uint8_t buf[256], const char *person)
{
	const struct seal_part aad[] = {{person, strlen(person)}, {"totp", 4}};
	struct secret plain = {.len = 20, .bytes = "12345678901234567890"};
	size_t len = 0;

	assert_int_equal(seal_encrypt(s, "seed", aad, 2, &plain, buf, 256, &len), 0);
	return len;
}

static int opened(const struct seal *s, const char *purpose, const char *person,
		  const uint8_t *buf, size_t len, struct secret *ret)
{
	const struct seal_part aad[] = {{person, strlen(person)}, {"totp", 4}};

	return seal_decrypt(s, purpose, aad, 2, buf, len, ret);
}

static void test_round_trip(void **state)
{
	struct seal *s = new_seal(master);
	struct secret out = SECRET_INIT;
	uint8_t buf[256], again[256];
	size_t len = sealed(s, buf, "alice");

	(void)state;
	assert_int_equal(opened(s, "seed", "alice", buf, len, &out), 0);
	assert_int_equal(out.len, 20);
	assert_memory_equal(out.bytes, "12345678901234567890", 20);
	(void)sealed(s, again, "alice");
	assert_memory_not_equal(buf, again, len); /* a nonce of its own each time */
	seal_free(s);
}

/* Each bit of a sealed value, each truncation, a byte more: nothing opens. */
static void test_every_bit(void **state)
{
	struct seal *s = new_seal(master);
	struct secret out = SECRET_INIT;
	uint8_t buf[257] = {0};
	size_t len = sealed(s, buf, "alice");

	(void)state;
	for (size_t i = 0; i < 8 * len; i++) {
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(opened(s, "seed", "alice", buf, len, &out),
				 SEAL_E_FORGED);
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < len; i++)
		assert_int_equal(opened(s, "seed", "alice", buf, i, &out),
				 SEAL_E_FORGED);
	assert_int_equal(opened(s, "seed", "alice", buf, len + 1, &out), SEAL_E_FORGED);
	assert_int_equal(out.len, 0); /* untouched by every failure */
	assert_int_equal(opened(s, "seed", "alice", buf, len, &out), 0);
	seal_free(s);
}

/* K1: another person, purpose or master key; shifted boundaries between the parts. */
static void test_context(void **state)
{
	static const uint8_t other[32] = {8};
	const struct seal_part shifted[] = {{"alicet", 6}, {"otp", 3}};
	struct seal *s = new_seal(master), *o = new_seal(other);
	struct secret out = SECRET_INIT;
	uint8_t buf[256];
	size_t len = sealed(s, buf, "alice");

	(void)state;
	assert_int_equal(opened(s, "seed", "mallory", buf, len, &out), SEAL_E_FORGED);
	assert_int_equal(opened(s, "other", "alice", buf, len, &out), SEAL_E_FORGED);
	assert_int_equal(opened(o, "seed", "alice", buf, len, &out), SEAL_E_FORGED);
	assert_int_equal(seal_decrypt(s, "seed", shifted, 2, buf, len, &out),
			 SEAL_E_FORGED);
	assert_string_not_equal(seal_key_id(s), seal_key_id(o));
	seal_free(s);
	seal_free(o);
}

static void test_mac(void **state)
{
	const struct seal_part ab_c[] = {{"ab", 2}, {"c", 1}},
			       a_bc[] = {{"a", 1}, {"bc", 2}};
	struct seal *s = new_seal(master);
	uint8_t x[32], y[32], z[32];

	(void)state;
	assert_int_equal(seal_mac(s, "p", ab_c, 2, x), 0);
	assert_int_equal(seal_mac(s, "p", ab_c, 2, y), 0);
	assert_memory_equal(x, y, 32);
	assert_int_equal(seal_mac(s, "p", a_bc, 2, z), 0);
	assert_memory_not_equal(x, z, 32); /* length-prefixed */
	assert_int_equal(seal_mac(s, "q", ab_c, 2, z), 0);
	assert_memory_not_equal(x, z, 32);
	seal_free(s);
}

static int open_key(const char *path, const char *text, size_t len, mode_t mode)
{
	struct diags diag = DIAGS_INIT;
	struct seal *s = NULL;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
	r = seal_open(path, 0, &s, &diag);
	if (r != 0)
		assert_true(diags_failed(&diag));
	seal_free(s);
	diags_done(&diag);
	return r;
}

/* K8: owner, mode, form, no link. */
static void test_key_file(void **state)
{
	struct fixture *f = *state;
	char path[96], link_path[96];
	char hex[66];
	struct diags diag = DIAGS_INIT;
	struct seal *s = NULL;

	memset(hex, 'a', 64);
	hex[64] = '\n';
	hex[65] = 'x';
	(void)snprintf(path, sizeof(path), "%s/key", f->dir);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", f->dir);
	assert_int_equal(open_key(path, hex, 65, 0400), 0);
	assert_int_equal(open_key(path, hex, 64, 0600), 0);
	assert_int_equal(open_key(path, hex, 32, 0600), 0);
	assert_true(open_key(path, hex, 66, 0600) < 0);
	assert_true(open_key(path, hex, 63, 0600) < 0);
	assert_true(open_key(path, "", 0, 0600) < 0);
	assert_true(open_key(path, hex, 65, 0640) < 0);
	assert_true(open_key(path, hex, 65, 0604) < 0);
	hex[5] = 'g';
	assert_true(open_key(path, hex, 65, 0600) < 0);
	hex[5] = 'a';
	assert_int_equal(chmod(f->dir, 0770), 0); /* a folder that others can write */
	assert_true(open_key(path, hex, 65, 0600) < 0);
	assert_int_equal(chmod(f->dir, 01777), 0); /* but not what is in it */
	assert_int_equal(open_key(path, hex, 65, 0600), 0);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_int_equal(symlink(path, link_path), 0);
	assert_true(seal_open(link_path, 0, &s, &diag) < 0);
	assert_true(seal_open("/nonexistent/key", 0, &s, &diag) < 0);
	diags_done(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_mac),
		cmocka_unit_test_setup_teardown(test_key_file, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
