/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_blocklist.c - what is in the lists is found, what is not almost never; no
 * damaged file is mapped, and none that is made to lead astray leads out of the
 * mapping.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "rbacd/password/blocklist_build.h"
#include "rbacd/password/blocklist_internal.h"

static char dir[64], file[96];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_blocklist.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/list", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(dir); /* fails when a file.new was left behind */
}

static int build(const char *text, size_t len)
{
	_cleanup_builder_ struct blocklist_builder *b = NULL;
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int r;

	assert_non_null(in);
	assert_int_equal(blocklist_builder_new(&b), 0);
	r = blocklist_builder_read(b, in);
	assert_int_equal(fclose(in), 0);
	return r == 0 ? blocklist_builder_write(b, file) : r;
}

static struct blocklist *open_list(void)
{
	struct blocklist *b = NULL;
	struct diags diag = DIAGS_INIT;

	assert_int_equal(blocklist_open(file, &b, &diag), 0);
	assert_false(diags_failed(&diag));
	return b;
}

static bool has(const struct blocklist *b, const char *word, size_t len)
{
	uint8_t sha1[EVP_MAX_MD_SIZE];

	assert_int_equal(EVP_Digest(word, len, sha1, NULL, EVP_sha1(), NULL), 1);
	return blocklist_has(b, sha1);
}

static void test_lines(void **state)
{
	static const char list[] = "#!comment: not a password\n"
				   "Secret1\r\n"
				   "\n"
				   "secret1\n"
				   "with space \n"
				   "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9659365\n"
				   "b1b3773a05c0ed0176787a4f1574ff0075f7521e\n"
				   "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:x\n"
				   "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8x\n"
				   "STRASSE\n"
				   "\xc3\x89toile\n" /* a capital E with acute */
				   "\xff\xfe\n"	     /* no UTF-8: as it stands */
				   "last";
	static const struct {
		const char *word;
		bool listed;
	} cases[] = {
		{"Secret1", true},
		{"secret1", true},
		{"SECRET1", false}, /* the look-up folds, not the list */
		{"with space ", true},
		{"with space", false},
		{"password", true}, /* by its hash */
		{"qwerty", true},
		{"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:x", true}, /* no hash */
		{"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", false},
		{"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8x", true},
		{"strasse", true},
		{"\xc3\x89toile", true},
		{"\xc3\xa9toile", true},
		{"\xff\xfe", true},
		{"last", true},
		{"#!comment: not a password", false},
		{"", false},
	};
	struct blocklist_info info;
	struct blocklist *b;

	(void)state;
	assert_int_equal(build(list, sizeof(list) - 1), 0);
	b = open_list();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (has(b, cases[i].word, strlen(cases[i].word)) != cases[i].listed)
			fail_msg("%s", cases[i].word);
	blocklist_info(b, &info);
	assert_int_equal(info.n_words, 9);
	assert_int_equal(info.n_hashes, 2);
	assert_int_equal(info.n_entries, 15);
	assert_true(blocklist_verify(b));
	blocklist_close(b);
}

static void test_long_lines(void **state)
{
	char list[4096];
	struct blocklist_info info;
	struct blocklist *b;

	(void)state;
	memset(list, 'a', sizeof(list)); /* 511, 512, and one over any buffer */
	list[511] = list[511 + 1 + 512] = '\n';
	memcpy(list + sizeof(list) - 5, "\nend\n", 5);
	assert_int_equal(build(list, sizeof(list)), 0);
	b = open_list();
	blocklist_info(b, &info);
	assert_int_equal(info.n_entries, 2);
	assert_true(has(b, list, 511));
	assert_true(has(b, "end", 3));
	blocklist_close(b);
}

/* Every size: with few entries, one shard, many shards; the same file twice. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 10, 100, 1000, 20000, 262145};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t len = 0, n = sizes[i], strangers = 0;
		char *text = malloc(n * 12), word[32];
		struct blocklist_info info;
		struct blocklist *b;

		assert_non_null(text);
		for (size_t k = 0; k < n; k++)
			len += (size_t)sprintf(text + len, "w%zu\n", k);
		assert_int_equal(build(text, len), 0);
		free(text);
		b = open_list();
		blocklist_info(b, &info);
		assert_int_equal(info.n_entries, n);
		assert_true(n < 4096 || info.n_bytes < n * 5 / 2 + 4096);
		assert_true(blocklist_verify(b));
		for (size_t k = 0; k < n; k++)
			if (!has(b, word, (size_t)sprintf(word, "w%zu", k)))
				fail_msg("%zu of %zu", k, n);
		for (size_t k = 0; k < 50000; k++)
			strangers += has(b, word, (size_t)sprintf(word, "x%zu", k));
		assert_true(strangers < 10); /* 0.8 are expected */
		blocklist_close(b);
	}
}

static void test_nothing(void **state)
{
	struct stat st;

	(void)state;
	(void)unlink(file);
	assert_int_equal(build("#!comment\n\n", 11), -ENODATA);
	assert_int_equal(stat(file, &st), -1);
}

/* The old list stays when a new one cannot be written. */
static void test_no_room(void **state)
{
	char fresh[128];
	struct blocklist *b;

	(void)state;
	assert_int_equal(build("one\n", 4), 0);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", file);
	assert_int_equal(mkdir(fresh, 0700),
			 0); /* where the new one would be written */
	assert_int_equal(build("two\n", 4), -EEXIST);
	assert_int_equal(rmdir(fresh), 0);
	b = open_list();
	assert_true(has(b, "one", 3));
	blocklist_close(b);
}

/* ----------------------------------------------------------------- trust */

static int try_open(void)
{
	struct blocklist *b = NULL;
	struct diags diag = DIAGS_INIT;
	int r = blocklist_open(file, &b, &diag);

	assert_int_equal(b == NULL, r != 0);
	assert_int_equal(diags_failed(&diag), r != 0);
	diags_done(&diag);
	blocklist_close(b);
	return r;
}

static void test_trust(void **state)
{
	char link[128];

	(void)state;
	assert_int_equal(build("one\n", 4), 0);
	assert_int_equal(try_open(), 0);
	assert_int_equal(chmod(file, 0664), 0);
	assert_int_equal(try_open(), -EPERM);
	assert_int_equal(chmod(file, 0646), 0);
	assert_int_equal(try_open(), -EPERM);
	if (geteuid() == 0) {
		assert_int_equal(chmod(file, 0644), 0);
		assert_int_equal(chown(file, 12345, 0), 0);
		assert_int_equal(try_open(), -EPERM);
	}
	(void)snprintf(link, sizeof(link), "%s/other", dir);
	assert_int_equal(rename(file, link), 0);
	assert_int_equal(symlink(link, file), 0);
	assert_int_equal(try_open(), -ELOOP);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(try_open(), -EPERM);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(try_open(), -ENOENT);
}

/* ---------------------------------------------------------------- damage */

static uint8_t *slurp(size_t *ret_len)
{
	static uint8_t bytes[1 << 16];
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	assert_true(n > 0 && (size_t)n < sizeof(bytes));
	assert_int_equal(close(fd), 0);
	*ret_len = (size_t)n;
	return bytes;
}

/* In memory of exactly this length, so that a byte beyond is seen. */
static bool opens(const uint8_t *bytes, size_t len, bool *ret_whole)
{
	uint8_t *copy = malloc(len + !len), sha1[BLOCKLIST_SHA1_LEN] = {0};
	struct blocklist *b = NULL;
	struct diags diag = DIAGS_INIT;
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = blocklist_open_bytes(copy, len, "x", &b, &diag);
	diags_done(&diag);
	for (unsigned i = 0; r == 0 && i < 256; i++) {
		sha1[i % 8] = (uint8_t)(sha1[i % 8] + 37 * i + 1);
		(void)blocklist_has(b, sha1); /* any answer, no address beyond */
	}
	*ret_whole = r == 0 && blocklist_verify(b);
	blocklist_close(b);
	free(copy);
	return r == 0;
}

static void test_damage(void **state)
{
	char text[4000];
	size_t len = 0, n = 0;
	uint8_t *bytes;
	bool whole;

	(void)state;
	for (size_t i = 0; i < 400; i++)
		n += (size_t)sprintf(text + n, "w%zu\n", i);
	assert_int_equal(build(text, n), 0);
	bytes = slurp(&len);
	assert_true(opens(bytes, len, &whole) && whole);
	for (size_t i = 0; i < len; i++)
		assert_false(opens(bytes, i, &whole)); /* cut off anywhere */
	bytes[len] = 0;
	assert_false(opens(bytes, len + 1, &whole));
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x40;
		/* In the head: refused. In the filters: seen by whoever reads all. */
		assert_int_equal(opens(bytes, len, &whole),
				 i >= BLOCKLIST_HEADER_LEN + BLOCKLIST_SHARD_LEN);
		assert_false(whole);
		bytes[i] ^= 0x40;
	}
}

/* Writes a right sum over a wrong head. */
static void sum_head(uint8_t *bytes, uint32_t shards)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, bytes, BLOCKLIST_HEAD_AT), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, bytes + BLOCKLIST_HEADER_LEN,
					  (size_t)shards * BLOCKLIST_SHARD_LEN),
			 1);
	assert_int_equal(EVP_DigestFinal_ex(ctx, bytes + BLOCKLIST_HEAD_AT, NULL), 1);
	EVP_MD_CTX_free(ctx);
}

static void test_hostile(void **state)
{
	/* offset in the head, 32 bits put there */
	static const struct {
		size_t at;
		uint32_t v;
	} cases[] = {
		{8, 2},
		{12, 1},
		{12, 16},
		{12, 17},
		{12, 63},
		{12, 0xffffffff},
		{16, 0},
		{16, 399},
		{20, 1},
		{40, 0},
		{44, 1},
		{48, 1},
		{128 + 8, 0},
		{128 + 8, 1},
		{128 + 12, 0},
		{128 + 12, 3},
		{128 + 12, 1},
		{128 + 12, 1u << 18},
		{128 + 12, 1u << 31},
		{128 + 16, 0},
		{128 + 16, 1},
		{128 + 16, 0xffffffff},
		{128 + 16, 0x7fffffff},
		{128 + 20, 1},
	};
	char text[4000];
	size_t len = 0, n = 0;
	uint8_t *bytes;
	bool whole;

	(void)state;
	for (size_t i = 0; i < 400; i++)
		n += (size_t)sprintf(text + n, "w%zu\n", i);
	assert_int_equal(build(text, n), 0);
	bytes = slurp(&len);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t old, v = htole32(cases[i].v);

		memcpy(&old, bytes + cases[i].at, 4);
		memcpy(bytes + cases[i].at, &v, 4);
		sum_head(bytes, 1);
		if (opens(bytes, len, &whole))
			fail_msg("%zu: %u", cases[i].at, cases[i].v);
		memcpy(bytes + cases[i].at, &old, 4);
	}
	sum_head(bytes, 1);
	assert_true(opens(bytes, len, &whole) && whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),	cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_sizes),	cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_no_room), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_trust),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
