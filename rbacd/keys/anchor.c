/* SPDX-License-Identifier: Apache-2.0 */
/* anchor.c - the last head of the log in a file of its own, under a MAC. */
#include "rbacd/keys/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#define META_ANCHORED "anchored" /* "1" or "0" */
#define HASH_LEN      32
#define MAGIC	      "vmsec-a1"
#define LINE_MAX_LEN  65536

struct mark {
	uint64_t seq;
	int64_t ts_s;
	uint8_t hash[HASH_LEN];
};

/* What lies in the file; the MAC is over all that is before it. */
struct image {
	char magic[8];
	uint8_t seq[8], ts[8], hash[HASH_LEN], mac[32];
};

struct anchor {
	int fd;
	bool empty, readable;
	struct image image; /* as it was at the start */
	uint64_t seq;	    /* written last by us */
	int error;	    /* told */
};

void anchor_close(struct anchor *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		(void)close(a->fd); /* nothing depends on its flush */
	free(a);
}

static void freep(struct anchor **a)
{
	anchor_close(*a);
}

static int fail(struct diags *diag, const char *path, int error)
{
	diags_add(diag, path, 0, 0, NULL,
		  "cannot be kept: %s; an old database that is put back would not be "
		  "noticed",
		  strerror(error));
	return -error;
}

int anchor_open(const char *dir, struct anchor **ret, struct diags *diag)
{
	_cleanup_(freep) struct anchor *a = calloc(1, sizeof(*a));
	char path[1024];
	struct stat st;
	ssize_t n;

	if (!a)
		return -ENOMEM;
	if (snprintf(path, sizeof(path), "%s/anchor", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	a->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		     0600);
	if (a->fd < 0 || fstat(a->fd, &st) < 0)
		return fail(diag, path, errno);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077) != 0)
		return fail(diag, path, EPERM);
	n = pread(a->fd, &a->image, sizeof(a->image), 0);
	if (n < 0)
		return fail(diag, path, errno);
	a->empty = st.st_size == 0;
	a->readable = n == sizeof(a->image) && st.st_size == n;
	*ret = STEAL(a);
	return 0;
}

/* ---------------------------------------------------------------- the image */

static void put_u64(uint8_t p[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t p[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/* Under the look-up key: it stays the same when the master key is rotated. */
static int image_mac(const struct seal *seal, const struct image *image,
		     uint8_t ret[32])
{
	const struct seal_part part = {image, offsetof(struct image, mac)};

	return seal_lookup(seal, "anchor", &part, 1, ret);
}

static int read_image(const struct anchor *a, const struct seal *seal, struct mark *ret)
{
	uint8_t mac[32];
	int r = image_mac(seal, &a->image, mac);

	if (r != 0)
		return r;
	if (!a->readable ||
	    memcmp(a->image.magic, MAGIC, sizeof(a->image.magic)) != 0 ||
	    CRYPTO_memcmp(mac, a->image.mac, sizeof(mac)) != 0)
		return SEAL_E_FORGED;
	ret->seq = get_u64(a->image.seq);
	ret->ts_s = (int64_t)get_u64(a->image.ts);
	memcpy(ret->hash, a->image.hash, HASH_LEN);
	return 0;
}

int anchor_write(struct anchor *a, struct store *store, const struct seal *seal)
{
	struct image image = {.magic = MAGIC};
	struct store_head head;
	int r = a ? store_audit_head(store, &head) : 0;

	if (!a || r != 0 || head.seq == a->seq)
		return r > 0 ? -EIO : r;
	put_u64(image.seq, head.seq);
	put_u64(image.ts, (uint64_t)head.ts_s);
	memcpy(image.hash, head.hash, HASH_LEN);
	r = image_mac(seal, &image, image.mac);
	if (r == 0 && pwrite(a->fd, &image, sizeof(image), 0) != sizeof(image))
		r = errno ? -errno : -EIO;
	if (r == 0)
		a->seq = head.seq;
	else if (a->error == r)
		r = 0;
	else
		a->error = r;
	return r;
}

/* ---------------------------------------------------------------- the check */

static int was_anchored(struct store *store, bool *ret)
{
	char c = '0';
	size_t len = 0;
	int r = store_meta_get(store, META_ANCHORED, &c, 1, &len);

	*ret = c == '1';
	return r == STORE_E_NONE ? 0 : r;
}

int anchor_note(const struct anchor *a, struct store *store)
{
	bool before;
	int r = was_anchored(store, &before);

	if (r != 0 || before == (a != NULL))
		return r;
	return store_meta_put(store, META_ANCHORED, a ? "1" : "0", 1);
}

/* The record with that number is the one that the anchor saw. */
static int same_record(struct store *store, const struct mark *m, bool *ret)
{
	_cleanup_free_ char *line = malloc(LINE_MAX_LEN);
	uint8_t hash[HASH_LEN];
	size_t len = 0;
	int r = line ? store_audit_get(store, m->seq, line, LINE_MAX_LEN, &len)
		     : -ENOMEM;

	*ret = r == 0 && SHA256((const uint8_t *)line, len, hash) &&
	       CRYPTO_memcmp(hash, m->hash, HASH_LEN) == 0;
	return r == STORE_E_NONE ? 0 : r;
}

static int judge(struct store *store, const struct mark *m, enum anchor_verdict *ret)
{
	struct store_head head;
	bool same = false;
	int r = store_audit_head(store, &head);

	if (r == 0 && head.seq < m->seq) {
		*ret = ANCHOR_BEHIND;
		return 0;
	}
	if (r == 0)
		r = same_record(store, m, &same);
	if (r == 0)
		*ret = same ? ANCHOR_GOOD : ANCHOR_OTHER;
	return r;
}

static const char *why(enum anchor_verdict v)
{
	switch (v) {
	case ANCHOR_GOOD:
	case ANCHOR_FIRST:
		break;
	case ANCHOR_BEHIND:
		return "the database is older than its anchor: it was set back";
	case ANCHOR_OTHER:
		return "the database is not the one of its anchor";
	case ANCHOR_LOST:
		return "the anchor is gone, damaged or not of this database";
	}
	return "";
}

int anchor_check(const struct anchor *a, struct store *store, const struct seal *seal,
		 enum anchor_verdict *ret, const char **ret_why, int64_t *ret_at_s)
{
	struct mark m = {0};
	bool before = false;
	int r = was_anchored(store, &before);

	*ret_at_s = 0;
	*ret = ANCHOR_LOST;
	if (r == 0 && (!a || a->empty)) {
		*ret = before ? ANCHOR_LOST : ANCHOR_FIRST;
	} else if (r == 0) {
		r = read_image(a, seal, &m);
		if (r == 0)
			r = judge(store, &m, ret);
		else if (r == SEAL_E_FORGED)
			r = 0;
		if (*ret == ANCHOR_BEHIND || *ret == ANCHOR_OTHER)
			*ret_at_s = m.ts_s;
	}
	*ret_why = why(*ret);
	return r;
}
