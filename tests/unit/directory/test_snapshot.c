/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: what the builder makes is read back; nothing broken is ever accepted. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "rbacd/directory/snapshot.h"

static struct snapshot_builder *make(void)
{
	struct snapshot_builder *b;
	uint32_t zeta, alpha, mine[3];

	assert_int_equal(snapshot_builder_new("nss", 1000, &b), 0);
	assert_int_equal(snapshot_add_group(b, "zeta", true, 5, &zeta), 0);
	assert_int_equal(snapshot_add_group(b, "alpha", false, 0, &alpha), 0);
	mine[0] = zeta;
	mine[1] = alpha;
	mine[2] = zeta; /* twice: kept once */
	assert_int_equal(snapshot_add_account(
				 b,
				 &(struct snapshot_account){.login = "zoe",
							    .id = "unix:1001:zoe",
							    .uid = 1001,
							    .flags = SNAPSHOT_DIRECTORY,
							    .expires_s = 77,
							    .groups = mine,
							    .n_groups = 3}),
			 0);
	assert_int_equal(snapshot_add_account(
				 b,
				 &(struct snapshot_account){.login = "Adam",
							    .id = "unix:0:Adam",
							    .uid = 0,
							    .flags = SNAPSHOT_LOCAL}),
			 0);
	return b;
}

static void *make_block(size_t *len)
{
	_cleanup_builder_ struct snapshot_builder *b = make();
	void *block;

	assert_int_equal(snapshot_build_bytes(b, &block, len), 0);
	return block;
}

static void test_round_trip(void **state)
{
	_cleanup_builder_ struct snapshot_builder *b = make();
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a;
	struct snapshot_group g;
	int fd;

	(void)state;
	assert_int_equal(snapshot_build_fd(b, &fd), 0);
	assert_int_equal(snapshot_from_fd(fd, &s), 0);
	assert_int_equal(close(fd), 0);
	assert_string_equal(snapshot_source(s), "nss");
	assert_int_equal(snapshot_made_s(s), 1000);
	assert_int_equal(snapshot_account_count(s), 2);
	snapshot_group_at(s, 0, &g);
	assert_string_equal(g.name, "alpha");
	assert_false(g.complete);
	snapshot_group_at(s, 1, &g);
	assert_string_equal(g.name, "zeta");
	assert_true(g.complete);
	assert_int_equal(g.age_s, 5);
	assert_true(snapshot_find(s, "zoe", &a));
	assert_string_equal(a.id, "unix:1001:zoe");
	assert_int_equal(a.n_groups, 2);
	assert_int_equal(a.groups[0], 0);
	assert_int_equal(a.groups[1], 1);
	assert_int_equal(a.expires_s, 77);
	assert_true(snapshot_find(s, "Adam", &a));
	assert_int_equal(a.flags, SNAPSHOT_LOCAL);
	assert_false(snapshot_find(s, "adam", &a));
	assert_false(snapshot_find(s, "", &a));
	assert_false(snapshot_find(s, "zoe2", &a));
}

static void test_many_found(void **state)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a = {.flags = SNAPSHOT_DIRECTORY};
	char login[32], id[32];
	int fd;

	(void)state;
	assert_int_equal(snapshot_builder_new("file", 0, &b), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		(void)snprintf(login, sizeof(login), "u%u", i * 7919 % 5000);
		(void)snprintf(id, sizeof(id), "hr:%u", i);
		a.login = login;
		a.id = id;
		a.uid = 1000 + i;
		assert_int_equal(snapshot_add_account(b, &a), 0);
	}
	assert_int_equal(snapshot_build_fd(b, &fd), 0);
	assert_int_equal(snapshot_from_fd(fd, &s), 0);
	(void)close(fd);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(login, sizeof(login), "u%u", i);
		assert_true(snapshot_find(s, login, &a));
		assert_string_equal(a.login, login);
	}
}

static void test_every_truncation(void **state)
{
	size_t len;
	_cleanup_free_ char *block = make_block(&len);
	struct snapshot *s;

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_int_equal(snapshot_from_bytes(block, n, &s), SNAPSHOT_E_INVALID);
}

static void test_trailing_byte(void **state)
{
	size_t len;
	_cleanup_free_ char *block = make_block(&len);
	_cleanup_free_ char *longer = calloc(1, len + 1);
	struct snapshot *s;

	(void)state;
	memcpy(longer, block, len);
	assert_int_equal(snapshot_from_bytes(longer, len + 1, &s), SNAPSHOT_E_INVALID);
}

/* Reads everything there is, for the sanitizers. */
static size_t walk(const struct snapshot *s)
{
	struct snapshot_account a;
	struct snapshot_group g;
	size_t n = strlen(snapshot_source(s));

	for (size_t i = 0; i < snapshot_group_count(s); i++) {
		snapshot_group_at(s, i, &g);
		n += strlen(g.name);
	}
	for (size_t i = 0; i < snapshot_account_count(s); i++) {
		snapshot_account_at(s, i, &a);
		assert_true(snapshot_login_valid(a.login));
		assert_true(snapshot_find(s, a.login, &a));
		n += strlen(a.id);
		for (size_t k = 0; k < a.n_groups; k++)
			assert_true(a.groups[k] < snapshot_group_count(s));
		if (a.flags & SNAPSHOT_DIRECTORY)
			assert_int_not_equal(a.uid, 0);
	}
	return n;
}

static void test_every_byte_changed(void **state)
{
	size_t len, accepted = 0, refused = 0;
	_cleanup_free_ unsigned char *block = make_block(&len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct snapshot *s = NULL;

			block[i] ^= (unsigned char)(1u << bit);
			if (snapshot_from_bytes(block, len, &s) == 0) {
				accepted++;
				assert_true(walk(s) > 0);
				snapshot_unref(s);
			} else {
				refused++;
			}
			block[i] ^= (unsigned char)(1u << bit);
		}
	assert_true(accepted > 0); /* numbers and letters may differ */
	assert_true(refused > len * 3);
}

static void test_seals_are_required(void **state)
{
	size_t len;
	_cleanup_free_ char *block = make_block(&len);
	struct snapshot *s;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(write(fd, block, len), (ssize_t)len);
	assert_int_equal(snapshot_from_fd(fd, &s), SNAPSHOT_E_INVALID);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(snapshot_from_fd(fd, &s), SNAPSHOT_E_INVALID);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_int_equal(snapshot_from_fd(fd, &s), 0);
	snapshot_unref(s);
	(void)close(fd);
}

static void test_builder_refuses(void **state)
{
	const struct {
		const char *login, *id;
		uint32_t uid, flags;
		size_t n_groups;
	} bad[] = {
		{"", "x", 1000, 2, 0},	     {"-a", "x", 1000, 2, 0},
		{"a b", "x", 1000, 2, 0},    {"..", "x", 1000, 2, 0},
		{"a", "", 1000, 2, 0},	     {"a", "x\n", 1000, 2, 0},
		{"root2", "x", 0, 2, 0},     {"a", "x", 1000, SNAPSHOT_LOCAL, 1},
		{"a\xc3\xa9", "x", 1, 1, 0}, {"svc$", "x", 1000, 2, 0},
	};
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	const uint32_t group = 0, none = 9;

	(void)state;
	assert_int_equal(snapshot_builder_new("", 0, &b), -EINVAL);
	assert_int_equal(snapshot_builder_new("nss", 0, &b), 0);
	assert_int_equal(snapshot_add_group(b, "", true, 0, NULL), -EINVAL);
	assert_int_equal(snapshot_add_group(b, "g\x1b[m", true, 0, NULL), -EINVAL);
	assert_int_equal(snapshot_add_group(b, "g", true, 0, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(snapshot_add_account(b,
						      &(struct snapshot_account){
							      .login = bad[i].login,
							      .id = bad[i].id,
							      .uid = bad[i].uid,
							      .flags = bad[i].flags,
							      .groups = &group,
							      .n_groups =
								      bad[i].n_groups}),
				 -EINVAL);
	assert_int_equal(snapshot_add_account(
				 b,
				 &(struct snapshot_account){.login = "a",
							    .id = "x",
							    .uid = 1000,
							    .flags = SNAPSHOT_DIRECTORY,
							    .groups = &none,
							    .n_groups = 1}),
			 -EINVAL);
}

static void test_twice_is_refused(void **state)
{
	struct snapshot_account a = {.login = "a",
				     .id = "x",
				     .uid = 1000,
				     .flags = SNAPSHOT_DIRECTORY};
	void *block;
	size_t len;

	(void)state;
	for (int groups = 0; groups < 2; groups++) {
		_cleanup_builder_ struct snapshot_builder *b = NULL;

		assert_int_equal(snapshot_builder_new("file", 0, &b), 0);
		for (int i = 0; i < 2; i++)
			assert_int_equal(groups ? snapshot_add_group(b, "g", true, 0,
								     NULL)
						: snapshot_add_account(b, &a),
					 0);
		assert_int_equal(snapshot_build_bytes(b, &block, &len), -EEXIST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_many_found),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_trailing_byte),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_seals_are_required),
		cmocka_unit_test(test_builder_refuses),
		cmocka_unit_test(test_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
