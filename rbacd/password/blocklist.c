/* SPDX-License-Identifier: Apache-2.0 */
/* blocklist.c - maps a blocklist, checks what a look-up relies on, and looks up. */
#include "rbacd/password/blocklist.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "rbacd/password/blocklist_internal.h"

struct filter {
	struct blocklist_shard shard;
	const uint8_t *prints; /* borrowed from the mapping; two bytes each */
};

struct blocklist {
	const uint8_t *bytes; /* the whole file */
	size_t len;
	bool mapped; /* else borrowed from the caller */
	uint32_t bits;
	struct blocklist_info info;
	struct filter *filters; /* owned; 1 << bits */
};

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static bool sum_is(const uint8_t *p, size_t len, const uint8_t *want, EVP_MD_CTX *ctx)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return EVP_DigestUpdate(ctx, p, len) == 1 &&
	       EVP_DigestFinal_ex(ctx, sum, &n) == 1 && n == 32 &&
	       memcmp(sum, want, 32) == 0;
}

static size_t filters_at(const struct blocklist *b)
{
	return BLOCKLIST_HEADER_LEN + ((size_t)BLOCKLIST_SHARD_LEN << b->bits);
}

/* NULL, or what is wrong with the header. */
static const char *read_header(struct blocklist *b)
{
	static const uint8_t zero[16];
	const uint8_t *p = b->bytes;

	if (b->len < BLOCKLIST_HEADER_LEN || memcmp(p, BLOCKLIST_MAGIC, 8) != 0)
		return "is no blocklist";
	if (get32(p + 8) != BLOCKLIST_VERSION)
		return "is of another version of the format: build it again";
	b->bits = get32(p + 12);
	b->info = (struct blocklist_info){.n_entries = get64(p + 16),
					  .n_words = get64(p + 24),
					  .n_hashes = get64(p + 32),
					  .n_bytes = get64(p + 40)};
	if (b->info.n_bytes != b->len)
		return "is cut off or too long";
	if (b->bits > BLOCKLIST_BITS_MAX || b->len < filters_at(b) ||
	    memcmp(p + 48, zero, sizeof(zero)) != 0)
		return "has a damaged header";
	b->info.n_shards = 1u << b->bits;
	return NULL;
}

static bool head_is_whole(const struct blocklist *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, b->bytes, BLOCKLIST_HEAD_AT) == 1 &&
		  sum_is(b->bytes + BLOCKLIST_HEADER_LEN,
			 filters_at(b) - BLOCKLIST_HEADER_LEN,
			 b->bytes + BLOCKLIST_HEAD_AT, ctx);

	EVP_MD_CTX_free(ctx);
	return ok;
}

/* The sum is no secret's: whoever can write the file can make one. So each number that
 * leads to an address is checked for itself. */
static const char *read_table(struct blocklist *b)
{
	uint64_t at = filters_at(b), n = 0;

	for (size_t i = 0; i < b->info.n_shards; i++) {
		const uint8_t *p =
			b->bytes + BLOCKLIST_HEADER_LEN + i * BLOCKLIST_SHARD_LEN;
		struct blocklist_shard *s = &b->filters[i].shard;
		uint64_t places;

		*s = (struct blocklist_shard){.seed = get64(p),
					      .n = get32(p + 8),
					      .segment = get32(p + 12),
					      .n_segments = get32(p + 16)};
		if (s->n > 0 &&
		    (s->segment == 0 || s->segment > BLOCKLIST_SEGMENT_MAX ||
		     (s->segment & (s->segment - 1)) != 0 || s->n_segments == 0))
			return "has a damaged table";
		places = blocklist_shard_places(s);
		if (get32(p + 20) != 0 || places > UINT32_MAX ||
		    places > (b->len - at) / 2)
			return "has a damaged table";
		b->filters[i].prints = b->bytes + at;
		at += 2 * places;
		n += s->n;
	}
	return at == b->len && n == b->info.n_entries ? NULL : "has a damaged table";
}

static int check(struct blocklist *b, const char *name, struct diags *diag)
{
	const char *why = read_header(b);

	if (!why && !head_is_whole(b))
		why = "has a damaged header";
	if (!why) {
		b->filters = calloc(b->info.n_shards, sizeof(*b->filters));
		if (!b->filters)
			return -ENOMEM;
		why = read_table(b);
	}
	if (why)
		diags_add(diag, name, 0, 0, NULL, "%s", why);
	return why ? -EBADMSG : 0;
}

int blocklist_open_bytes(const uint8_t *bytes, size_t len, const char *name,
			 struct blocklist **ret, struct diags *diag)
{
	_cleanup_blocklist_ struct blocklist *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->bytes = bytes;
	b->len = len;
	r = check(b, name, diag);
	if (r == 0)
		*ret = STEAL(b);
	return r;
}

/* Returns the descriptor of a file that only root or this process can have written. */
static int open_trusted(const char *path, off_t *ret_len, struct diags *diag)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	const char *why = NULL;
	struct stat st;
	int taken;

	if (fd < 0 || fstat(fd, &st) != 0) {
		int e = errno;

		diags_add(diag, path, 0, 0, NULL, "cannot be read: %s",
			  e == ENOENT ? "it does not exist; rbacctl blocklist build"
				      : strerror(e));
		return -e;
	}
	if (!S_ISREG(st.st_mode))
		why = "must be a regular file";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		why = "must belong to root or to this process";
	else if ((st.st_mode & 0022) != 0)
		why = "must not be writable by group or others";
	if (why) {
		diags_add(diag, path, 0, 0, NULL, "%s", why);
		return -EPERM;
	}
	*ret_len = st.st_size;
	taken = fd;
	fd = -1;
	return taken;
}

int blocklist_open(const char *path, struct blocklist **ret, struct diags *diag)
{
	_cleanup_close_ int fd = -1;
	struct blocklist *b = NULL;
	off_t len = 0;
	void *map;
	int r;

	fd = open_trusted(path, &len, diag);
	if (fd < 0)
		return fd;
	if (len < BLOCKLIST_HEADER_LEN) {
		diags_add(diag, path, 0, 0, NULL, "is no blocklist");
		return -EBADMSG;
	}
	map = mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = blocklist_open_bytes(map, (size_t)len, path, &b, diag);
	if (r != 0) {
		(void)munmap(map, (size_t)len); /* ours; cannot fail */
		return r;
	}
	(void)madvise(map, (size_t)len, MADV_RANDOM); /* only a hint */
	b->mapped = true;
	*ret = b;
	return 0;
}

void blocklist_close(struct blocklist *b)
{
	if (!b)
		return;
	if (b->mapped)
		(void)munmap((void *)(uintptr_t)b->bytes, b->len); /* ours */
	free(b->filters);
	free(b);
}

static uint16_t print_at(const struct filter *f, uint32_t place)
{
	uint16_t v;

	memcpy(&v, f->prints + 2 * (size_t)place, sizeof(v));
	return le16toh(v);
}

bool blocklist_has(const struct blocklist *b, const uint8_t sha1[BLOCKLIST_SHA1_LEN])
{
	uint64_t key = blocklist_key(sha1);
	const struct filter *f = &b->filters[blocklist_shard_of(key, b->bits)];
	struct blocklist_places p;

	if (f->shard.n == 0)
		return false;
	p = blocklist_places(&f->shard, blocklist_mix(key, f->shard.seed));
	return (print_at(f, p.at[0]) ^ print_at(f, p.at[1]) ^ print_at(f, p.at[2])) ==
	       p.print;
}

bool blocklist_verify(const struct blocklist *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  sum_is(b->bytes + filters_at(b), b->len - filters_at(b),
			 b->bytes + BLOCKLIST_FILTERS_AT, ctx);

	EVP_MD_CTX_free(ctx);
	return ok;
}

void blocklist_info(const struct blocklist *b, struct blocklist_info *ret)
{
	*ret = b->info;
}
