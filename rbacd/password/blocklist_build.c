/* SPDX-License-Identifier: Apache-2.0 */
/* blocklist_build.c - collects the keys of all lists and writes them out as filters. */
#include "rbacd/password/blocklist_build.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "rbacd/password/blocklist_fuse.h"
#include "rbacd/password/text.h"

#define LINE_MAX_LEN 1024
#define SHARD_MAX    (1u << 18) /* entries, on average; its tables fit a cache */

struct blocklist_builder {
	uint64_t *keys; /* owned */
	size_t n, cap;
	uint64_t n_words, n_hashes, n_foreign;
	EVP_MD *sha1; /* owned; a fetch costs more than a hash */
};

int blocklist_builder_new(struct blocklist_builder **ret)
{
	_cleanup_builder_ struct blocklist_builder *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (!b->sha1)
		return -EIO;
	*ret = STEAL(b);
	return 0;
}

void blocklist_builder_free(struct blocklist_builder *b)
{
	if (!b)
		return;
	EVP_MD_free(b->sha1);
	free(b->keys);
	free(b);
}

/* ---------------------------------------------------------------- reading */

static int add(struct blocklist_builder *b, const uint8_t sha1[BLOCKLIST_SHA1_LEN])
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap + b->cap / 2 : 4096;
		uint64_t *keys = reallocarray(b->keys, cap, sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		b->keys = keys;
		b->cap = cap;
	}
	b->keys[b->n++] = blocklist_key(sha1);
	return 0;
}

/* Of a hex digit. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c - 'A' + 10;
}

/* How many hex digits stand before the end, or before ':' and a count; 0: other text.
 */
static size_t count_digits(const char *line)
{
	size_t n = strspn(line, "0123456789ABCDEFabcdef");

	if (line[n] == ':')
		return line[n + 1 + strspn(line + n + 1, "0123456789")] ? 0 : n;
	return line[n] ? 0 : n;
}

static bool parse_hash(const char *line, uint8_t ret[BLOCKLIST_SHA1_LEN])
{
	if (count_digits(line) != 2 * BLOCKLIST_SHA1_LEN)
		return false;
	for (size_t i = 0; i < BLOCKLIST_SHA1_LEN; i++)
		ret[i] = (uint8_t)(hex_value(line[2 * i]) << 4 |
				   hex_value(line[2 * i + 1]));
	return true;
}

/* MD5 or NTLM, SHA-256, SHA-512: taken for words they would block nothing. */
static bool is_foreign_hash(const char *line)
{
	size_t n = count_digits(line);

	return n == 32 || n == 64 || n == 128;
}

static int add_word(struct blocklist_builder *b, const char *word, size_t len)
{
	uint8_t sha1[EVP_MAX_MD_SIZE];
	struct password_text text;
	char folded[PASSWORD_TEXT_MAX * 4];
	size_t n = 0;
	int r;

	if (EVP_Digest(word, len, sha1, NULL, b->sha1, NULL) != 1)
		return -EIO;
	r = add(b, sha1);
	if (r == 0 && password_text_read(word, len, true, &text) == 0)
		n = password_text_utf8(&text, folded, sizeof(folded));
	if (r != 0 || n == 0 || (n == len && memcmp(folded, word, n) == 0))
		return r;
	if (EVP_Digest(folded, n, sha1, NULL, b->sha1, NULL) != 1)
		return -EIO;
	return add(b, sha1);
}

static int add_line(struct blocklist_builder *b, const char *line, size_t len)
{
	uint8_t sha1[BLOCKLIST_SHA1_LEN];

	if (parse_hash(line, sha1)) {
		b->n_hashes++;
		return add(b, sha1);
	}
	if (len == 0 || len > PASSWORD_BYTES_MAX || str_after(line, "#!comment"))
		return 0;
	b->n_foreign += is_foreign_hash(line);
	b->n_words++;
	return add_word(b, line, len);
}

int blocklist_builder_read(struct blocklist_builder *b, FILE *in)
{
	char line[LINE_MAX_LEN];
	bool rest = false; /* of a line that did not fit */
	int r = 0;

	while (r == 0 && fgets(line, sizeof(line), in)) {
		size_t len = strcspn(line, "\r\n");
		bool whole = line[len] != '\0';

		line[len] = '\0';
		if (!rest)
			r = add_line(b, line, len);
		rest = !whole;
	}
	if (r == 0 && ferror(in))
		r = errno != 0 ? -errno : -EIO;
	return r;
}

uint64_t blocklist_builder_foreign(const struct blocklist_builder *b)
{
	return b->n_foreign;
}

/* ---------------------------------------------------------------- writing */

static int compare_keys(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_keys(struct blocklist_builder *b)
{
	size_t n = 0;

	qsort(b->keys, b->n, sizeof(*b->keys), compare_keys);
	for (size_t i = 0; i < b->n; i++)
		if (n == 0 || b->keys[i] != b->keys[n - 1])
			b->keys[n++] = b->keys[i];
	b->n = n;
}

struct output {
	int fd;
	uint32_t bits;
	uint64_t n_bytes;
	EVP_MD_CTX *sum; /* owned; of the filters */
	uint8_t *head;	 /* owned; header and table */
	size_t head_len;
};

static void output_done(struct output *o)
{
	EVP_MD_CTX_free(o->sum);
	free(o->head);
	if (o->fd >= 0)
		(void)close(o->fd); /* fsync has told before */
}

static int write_all(int fd, const uint8_t *p, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static int write_shard(struct output *o, struct fuse *f, size_t i)
{
	uint8_t *p = o->head + BLOCKLIST_HEADER_LEN + i * BLOCKLIST_SHARD_LEN;
	size_t len = 2 * (size_t)blocklist_shard_places(&f->shard);
	int r;

	put64(p, f->shard.seed);
	put32(p + 8, f->shard.n);
	put32(p + 12, f->shard.segment);
	put32(p + 16, f->shard.n_segments);
	r = write_all(o->fd, (const uint8_t *)f->prints, len, (off_t)o->n_bytes);
	o->n_bytes += len;
	if (r == 0 && EVP_DigestUpdate(o->sum, f->prints, len) != 1)
		r = -EIO;
	return r;
}

static int write_shards(const struct blocklist_builder *b, struct output *o)
{
	_cleanup_(fuse_done) struct fuse f = {0};
	size_t from = 0;
	int r = 0;

	for (size_t i = 0; i < (size_t)1 << o->bits && r == 0; i++) {
		size_t to = from;

		while (to < b->n && blocklist_shard_of(b->keys[to], o->bits) == i)
			to++;
		r = fuse_make(&f, b->keys + from, to - from);
		if (r == 0)
			r = write_shard(o, &f, i);
		from = to;
	}
	return r;
}

static int write_head(const struct blocklist_builder *b, struct output *o)
{
	uint8_t *p = o->head;
	unsigned n = 0;

	memcpy(p, BLOCKLIST_MAGIC, sizeof(BLOCKLIST_MAGIC) - 1);
	put32(p + 8, BLOCKLIST_VERSION);
	put32(p + 12, o->bits);
	put64(p + 16, b->n);
	put64(p + 24, b->n_words);
	put64(p + 32, b->n_hashes);
	put64(p + 40, o->n_bytes);
	if (EVP_DigestFinal_ex(o->sum, p + BLOCKLIST_FILTERS_AT, &n) != 1 ||
	    EVP_DigestInit_ex(o->sum, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(o->sum, p, BLOCKLIST_HEAD_AT) != 1 ||
	    EVP_DigestUpdate(o->sum, p + BLOCKLIST_HEADER_LEN,
			     o->head_len - BLOCKLIST_HEADER_LEN) != 1 ||
	    EVP_DigestFinal_ex(o->sum, p + BLOCKLIST_HEAD_AT, &n) != 1)
		return -EIO;
	return write_all(o->fd, p, o->head_len, 0);
}

static int write_file(const struct blocklist_builder *b, const char *path)
{
	_cleanup_(output_done) struct output o = {.sum = EVP_MD_CTX_new()};
	int r;

	o.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (o.fd < 0)
		return -errno;
	while (o.bits < BLOCKLIST_BITS_MAX && b->n >> o.bits > SHARD_MAX)
		o.bits++;
	o.head_len = BLOCKLIST_HEADER_LEN + ((size_t)BLOCKLIST_SHARD_LEN << o.bits);
	o.n_bytes = o.head_len;
	o.head = calloc(1, o.head_len);
	if (!o.head || !o.sum)
		return -ENOMEM;
	if (EVP_DigestInit_ex(o.sum, EVP_sha256(), NULL) != 1)
		return -EIO;
	r = write_shards(b, &o);
	if (r == 0)
		r = write_head(b, &o);
	/* rbacd reads it under another account, whatever the umask. */
	if (r == 0 && (fchmod(o.fd, 0644) != 0 || fsync(o.fd) != 0))
		r = -errno;
	return r;
}

int blocklist_builder_write(struct blocklist_builder *b, const char *path)
{
	char fresh[4096];
	int n = snprintf(fresh, sizeof(fresh), "%s.new", path), r;

	if (n < 0 || (size_t)n >= sizeof(fresh))
		return -ENAMETOOLONG;
	if (b->n == 0)
		return -ENODATA;
	sort_keys(b);
	(void)unlink(fresh); /* of a run that was killed; else it is not there */
	r = write_file(b, fresh);
	if (r == 0 && rename(fresh, path) != 0)
		r = -errno;
	if (r != 0)
		(void)unlink(fresh); /* the first error counts */
	return r;
}
