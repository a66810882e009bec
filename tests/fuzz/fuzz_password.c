/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_password.c - candidates against the presets; blocklist files, also with a right
 * checksum over anything; filters from any keys; lists of passwords. The first byte
 * chooses which.
 */
#include <assert.h>
#include <openssl/evp.h>

#include "rbacd/password/blocklist_build.h"
#include "rbacd/password/blocklist_fuse.h"
#include "rbacd/password/quality.h"
#include "tests/unit/password/presets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ------------------------------------------------------------------- files */

/* A copy in memory of its own, so that a byte beyond is seen. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + !size);

	assert(p);
	memcpy(p, data, size);
	return p;
}

/* One shard, of any shape, at the length and under the sum that go with it. */
static uint8_t *repair(uint8_t *p, size_t *size)
{
	const size_t filters = BLOCKLIST_HEADER_LEN + BLOCKLIST_SHARD_LEN;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint32_t entries, shape[2];
	uint64_t word[2];

	assert(ctx);
	if (*size >= filters) {
		memcpy(&entries, p + BLOCKLIST_HEADER_LEN + 8, 4);
		memcpy(shape, p + BLOCKLIST_HEADER_LEN + 12, 8);
		shape[0] = le32toh(shape[0]) % 4096;
		shape[1] = le32toh(shape[1]) % 64;
		*size = filters + (entries ? 2 * (shape[1] + 2) * (size_t)shape[0] : 0);
		p = realloc(p, *size);
		assert(p);
		shape[0] = htole32(shape[0]);
		shape[1] = htole32(shape[1]);
		memcpy(p + BLOCKLIST_HEADER_LEN + 12, shape, 8);
		memset(p + filters - 4, 0, 4);
		memset(p + filters, 0x5a, *size - filters);
		memcpy(p, BLOCKLIST_MAGIC "\1\0\0\0\0\0\0\0", 16);
		word[0] = htole64(le32toh(entries));
		word[1] = htole64(*size);
		memcpy(p + 16, &word[0], 8);
		memcpy(p + 40, &word[1], 8);
		memset(p + 48, 0, 16);
		assert(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		       EVP_DigestUpdate(ctx, p, BLOCKLIST_HEAD_AT) == 1 &&
		       EVP_DigestUpdate(ctx, p + BLOCKLIST_HEADER_LEN,
					BLOCKLIST_SHARD_LEN) == 1 &&
		       EVP_DigestFinal_ex(ctx, p + BLOCKLIST_HEAD_AT, NULL) == 1);
	}
	EVP_MD_CTX_free(ctx);
	return p;
}

static void fuzz_file(const uint8_t *data, size_t size, bool repaired)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct blocklist *b = NULL;
	uint8_t *p = copy_of(data, size), sha1[BLOCKLIST_SHA1_LEN] = {0};
	int r;

	if (repaired)
		p = repair(p, &size);
	r = blocklist_open_bytes(p, size, "fuzz", &b, &diag);
	assert((r == 0) == (b != NULL) && (r == 0) == !diags_failed(&diag));
	for (unsigned i = 0; b && i < 512; i++) {
		uint64_t key = htobe64(blocklist_mix(i, size));

		memcpy(sha1, &key, sizeof(key));
		(void)blocklist_has(b, sha1); /* any answer, no address beyond */
	}
	if (b)
		(void)blocklist_verify(b); /* likewise */
	blocklist_close(b);
	free(p);
}

/* ----------------------------------------------------------------- filters */

static void fuzz_filter(const uint8_t *data, size_t size)
{
	_cleanup_(fuse_done) struct fuse f = {0};
	uint64_t keys[64];
	size_t n = 0;
	int r;

	for (; n < ARRAY_SIZE(keys) && size >= 8 * (n + 1); n++) {
		memcpy(&keys[n], data + 8 * n, 8);
		for (size_t i = 0; i < n; i++)
			if (keys[i] == keys[n])
				return;
	}
	r = fuse_make(&f, keys, n);
	assert(r == 0); /* distinct keys always make one */
	for (size_t i = 0; i < n; i++) {
		struct blocklist_places p =
			blocklist_places(&f.shard,
					 blocklist_mix(keys[i], f.shard.seed));
		uint16_t sum = 0;

		for (size_t k = 0; k < 3; k++) {
			assert(p.at[k] < blocklist_shard_places(&f.shard));
			sum ^= le16toh(f.prints[p.at[k]]);
		}
		assert(sum == p.print);
	}
}

static void fuzz_list(const uint8_t *data, size_t size)
{
	_cleanup_builder_ struct blocklist_builder *b = NULL;
	FILE *in = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

	if (!in)
		return;
	assert(blocklist_builder_new(&b) == 0);
	assert(blocklist_builder_read(b, in) == 0);
	assert(fclose(in) == 0);
}

/* -------------------------------------------------------------- candidates */

static const struct blocklist *list(void)
{
	static struct blocklist *b; /* made once, for the whole run */
	char dir[] = "/tmp/fuzz_password.XXXXXX", file[64], words[] = "iloveyou\n";
	_cleanup_builder_ struct blocklist_builder *builder = NULL;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	FILE *in;

	if (b)
		return b;
	in = fmemopen(words, sizeof(words) - 1, "r");
	assert(in && mkdtemp(dir) && blocklist_builder_new(&builder) == 0);
	(void)snprintf(file, sizeof(file), "%s/list", dir);
	assert(blocklist_builder_read(builder, in) == 0 && fclose(in) == 0);
	assert(blocklist_builder_write(builder, file) == 0);
	assert(blocklist_open(file, &b, &diag) == 0);
	assert(unlink(file) == 0 && rmdir(dir) == 0);
	return b;
}

/* The code points of strict UTF-8 without control characters; -1 for anything else. */
static int count_strictly(const uint8_t *p, size_t len)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	int n = 0;

	for (size_t i = 0; i < len; n++) {
		unsigned more = p[i] < 0x80   ? 0
				: p[i] < 0xc2 ? 9
				: p[i] < 0xe0 ? 1
				: p[i] < 0xf0 ? 2
				: p[i] < 0xf5 ? 3
					      : 9;
		uint32_t cp = more == 0 ? p[i] : p[i] & (0x3fu >> more);

		if (more == 9 || i + more >= len)
			return -1;
		for (unsigned k = 1; k <= more; k++) {
			if (p[i + k] >> 6 != 2)
				return -1;
			cp = cp << 6 | (p[i + k] & 0x3f);
		}
		if (cp < least[more] || cp > 0x10ffff ||
		    (cp >= 0xd800 && cp <= 0xdfff) || cp < 0x20 ||
		    (cp >= 0x7f && cp < 0xa0))
			return -1;
		i += 1 + more;
	}
	return n;
}

enum { NIST, PCI, CIS, BOTH, N_PRESETS };

/* Made once, for the whole run. */
static const struct password_rules *rules_of(size_t i)
{
	static const char *const presets[N_PRESETS] = {"nist-800-63b-4", "pci-dss-4",
						       "cis",
						       "strictest-of(pci-dss-4, cis)"};
	static struct policy *policies[N_PRESETS];
	static struct password_rules rules[N_PRESETS];

	if (!policies[i])
		policies[i] = preset_load(
			presets[i], i == NIST,
			", words: [Wonderland, \"\xd0\xbc\xd0\xb8\xd1\x80\xd1\x8b\"]",
			&rules[i]);
	return &rules[i];
}

static void check(const struct password_rules *rules,
		  const struct password_facts *facts, const uint8_t *p, size_t len,
		  enum password_reason reason)
{
	enum password_reason again = PASSWORD_UNCHECKED;
	char text[QUALITY_TEXT_MAX];
	int n = count_strictly(p, len), r;

	r = quality_check(rules, facts, (const char *)p, len, list(), &again);
	assert(r == 0 && again == reason);
	assert(reason == PASSWORD_FITS ||
	       (reason > PASSWORD_UNCHECKED && reason < PASSWORD_IN_HISTORY));
	quality_reason_text(reason, rules, text);
	assert(text[0] && strlen(text) < sizeof(text));
	if (reason == PASSWORD_FITS) /* three is the most that NFC makes of one */
		assert(n > 0 && len <= 511 && 3u * (unsigned)n >= rules->min_length);
	if (n < 0)
		assert(reason == PASSWORD_BAD_TEXT || reason == PASSWORD_TOO_LONG);
	if (rules->whole_words) /* what NIST shall not ask */
		assert(reason != PASSWORD_FEW_CLASSES && reason != PASSWORD_REPEATS &&
		       reason != PASSWORD_SEQUENCE && reason != PASSWORD_TOO_SIMILAR &&
		       reason != PASSWORD_DICTIONARY);
	if (facts->old && reason == PASSWORD_FITS)
		assert(strlen(facts->old) != len || memcmp(facts->old, p, len) != 0);
}

/* The candidate's length, the candidate, then texts that end with NUL. */
static void fuzz_candidate(const uint8_t *data, size_t size)
{
	enum password_reason reasons[N_PRESETS] = {PASSWORD_UNCHECKED};
	const char *texts[4] = {NULL};
	struct password_facts facts;
	char *rest;
	uint8_t *p;
	size_t len;

	if (size < 2)
		return;
	len = (data[0] | (size_t)data[1] << 8) % 600;
	len = len < size - 2 ? len : size - 2;
	p = copy_of(data + 2, len);
	rest = calloc(1, size - 2 - len + 1);
	assert(rest);
	memcpy(rest, data + 2 + len, size - 2 - len);
	for (size_t i = 0, at = 0; i < 4 && at < size - 2 - len; i++) {
		texts[i] = rest + at;
		at += strlen(texts[i]) + 1;
	}
	facts = (struct password_facts){.old = texts[0],
					.user = texts[1],
					.real_name = texts[2],
					.host = texts[3]};
	for (size_t i = 0; i < N_PRESETS; i++) {
		assert(quality_check(rules_of(i), &facts, (const char *)p, len, list(),
				     &reasons[i]) == 0);
		check(rules_of(i), &facts, p, len, reasons[i]);
	}
	/* The strictest of two takes what both take. */
	assert((reasons[BOTH] == PASSWORD_FITS) ==
	       (reasons[PCI] == PASSWORD_FITS && reasons[CIS] == PASSWORD_FITS));
	free(rest);
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 8) {
	case 0:
		fuzz_file(data + 1, size - 1, false);
		break;
	case 1:
		fuzz_file(data + 1, size - 1, true);
		break;
	case 2:
		fuzz_filter(data + 1, size - 1);
		break;
	case 3:
		fuzz_list(data + 1, size - 1);
		break;
	default:
		fuzz_candidate(data + 1, size - 1);
		break;
	}
	return 0;
}
