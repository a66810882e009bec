/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.c - secrets at rest: AES-256-GCM and HMAC-SHA-256, one key a purpose by HKDF.
 *
 * A sealed value is: format byte, 8 bytes key id, 12 bytes nonce, ciphertext, 16 bytes
 * tag. Purpose, key id, format and the caller's parts are associated data, each with
 * its length.
 */
#include "rbacd/store/seal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/random.h>
#include <sys/stat.h>

#define KEY_LEN	     32
#define KEY_ID_LEN   8
#define NONCE_LEN    12
#define TAG_LEN	     16
#define FORMAT	     1
#define HEAD_LEN     (1 + KEY_ID_LEN + NONCE_LEN)
#define PURPOSES_MAX 16

struct seal_key {
	char purpose[32];
	bool lookup;
	uint8_t key[KEY_LEN];
	EVP_MAC_CTX *mac; /* owned; keyed, duplicated for each use; NULL for AEAD */
};

struct seal {
	uint8_t master[KEY_LEN];
	uint8_t lookup[KEY_LEN]; /* the same until another one is set */
	uint8_t id[KEY_ID_LEN];
	char id_text[2 * KEY_ID_LEN + 1];
	EVP_MAC *hmac;	 /* owned */
	EVP_CIPHER *gcm; /* owned; fetched once, a fetch costs more than a seed */
	struct seal_key keys[PURPOSES_MAX];
	size_t n_keys;
};

int seal_random(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* OpenSSL's parameters are not const-correct: values that are only read are cast. */
static void *unconst(const void *p)
{
	return (void *)(uintptr_t)p;
}

static int derive(const uint8_t master[KEY_LEN], const char *purpose, uint8_t *ret,
		  size_t len)
{
	static const char salt[] = "vmsec-1";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						 unconst("SHA256"), 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, unconst(master),
						  KEY_LEN),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, unconst(salt),
						  sizeof(salt) - 1),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, unconst(purpose),
						  strlen(purpose)),
		OSSL_PARAM_construct_end(),
	};
	int ok = ctx && EVP_KDF_derive(ctx, ret, len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? 0 : -EIO;
}

static void freep(struct seal **seal)
{
	seal_free(*seal);
}

int seal_new(const uint8_t master[32], struct seal **ret)
{
	_cleanup_(freep) struct seal *seal = calloc(1, sizeof(*seal));
	int r;

	if (!seal)
		return -ENOMEM;
	memcpy(seal->master, master, KEY_LEN);
	memcpy(seal->lookup, master, KEY_LEN);
	seal->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	seal->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (!seal->hmac || !seal->gcm)
		return -ENOMEM;
	r = derive(seal->master, "key-id", seal->id, sizeof(seal->id));
	if (r != 0)
		return r;
	for (size_t i = 0; i < KEY_ID_LEN; i++)
		(void)snprintf(seal->id_text + 2 * i, 3, "%02x",
			       seal->id[i]); /* fits */
	*ret = STEAL(seal);
	return 0;
}

void seal_free(struct seal *seal)
{
	if (!seal)
		return;
	for (size_t i = 0; i < seal->n_keys; i++)
		EVP_MAC_CTX_free(seal->keys[i].mac);
	EVP_MAC_free(seal->hmac);
	EVP_CIPHER_free(seal->gcm);
	explicit_bzero(seal, sizeof(*seal));
	free(seal);
}

const char *seal_key_id(const struct seal *seal)
{
	return seal->id_text;
}

bool seal_made(const struct seal *seal, const uint8_t *buf, size_t len)
{
	return len >= HEAD_LEN + TAG_LEN && buf[0] == FORMAT &&
	       CRYPTO_memcmp(buf + 1, seal->id, KEY_ID_LEN) == 0;
}

void seal_get_lookup(const struct seal *seal, struct secret *ret)
{
	memcpy(ret->bytes, seal->lookup, KEY_LEN);
	ret->len = KEY_LEN;
}

int seal_set_lookup(struct seal *seal, const struct secret *key)
{
	if (key->len != KEY_LEN)
		return -EINVAL;
	for (size_t i = 0; i < seal->n_keys; i++)
		if (seal->keys[i].lookup)
			return -EINVAL;
	memcpy(seal->lookup, key->bytes, KEY_LEN);
	return 0;
}

void seal_swap(struct seal *a, struct seal *b)
{
	struct seal kept = *a;

	*a = *b;
	*b = kept;
	explicit_bzero(&kept, sizeof(kept));
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int seal_parse_key(const struct secret *text, struct secret *ret)
{
	size_t len = text->len;

	if (len == KEY_LEN) {
		*ret = *text;
		return 0;
	}
	if (len == 2 * KEY_LEN + 1 && text->bytes[len - 1] == '\n')
		len--;
	if (len != 2 * KEY_LEN)
		return -EINVAL;
	for (size_t i = 0; i < KEY_LEN; i++) {
		int hi = hex_value(text->bytes[2 * i]);
		int lo = hex_value(text->bytes[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		ret->bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	ret->len = KEY_LEN;
	return 0;
}

/* Whoever can write a folder on the way can put another key there. */
static bool folder_ok(const char *dir, uint32_t owner)
{
	struct stat st;

	return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == owner) &&
	       ((st.st_mode & 0022) == 0 || (st.st_mode & S_ISVTX) != 0);
}

static bool folders_ok(const char *path, uint32_t owner)
{
	char dir[PATH_MAX];
	char *slash = dir;

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir) || *dir != '/')
		return false;
	while ((slash = strrchr(dir, '/')) && slash != dir) {
		*slash = '\0';
		if (!folder_ok(dir, owner))
			return false;
	}
	return folder_ok("/", owner);
}

static int read_key_file(const char *path, const char *what, uint32_t owner,
			 struct secret *ret, struct diags *diag)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int e = errno;

		diags_add(
			diag, path, 0, 0, NULL,
			"cannot open the %s key: %s; make one with: "
			"(umask 377; openssl rand -hex 32 > FILE), and keep it out of "
			"the backup set",
			what, strerror(e));
		return -e;
	}
	if (!S_ISREG(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != owner) ||
	    ((st.st_mode & 07777) != 0400 && (st.st_mode & 07777) != 0600)) {
		diags_add(
			diag, path, 0, 0, NULL,
			"the %s key must be a regular file of root or rbacd with mode "
			"0400 or 0600",
			what);
		return -EPERM;
	}
	if (!folders_ok(path, owner)) {
		diags_add(diag, path, 0, 0, NULL,
			  "the folders above the %s key must belong to root or rbacd, "
			  "and nobody else may write them",
			  what);
		return -EPERM;
	}
	n = read(fd, ret->bytes, 2 * KEY_LEN + 2);
	if (n < 0)
		return -errno;
	ret->len = (size_t)n;
	return 0;
}

int seal_read_key(const char *path, const char *what, uint32_t owner,
		  struct secret *ret, struct diags *diag)
{
	_cleanup_secret_ struct secret text = SECRET_INIT;
	int r = read_key_file(path, what, owner, &text, diag);

	if (r != 0)
		return r;
	if (seal_parse_key(&text, ret) != 0) {
		diags_add(diag, path, 0, 0, NULL,
			  "not a %s key: expected 64 hex digits and a newline, or 32 "
			  "bytes; make one with: openssl rand -hex 32",
			  what);
		return -EINVAL;
	}
	return 0;
}

int seal_open(const char *path, uint32_t owner, struct seal **ret, struct diags *diag)
{
	_cleanup_secret_ struct secret master = SECRET_INIT;
	int r = seal_read_key(path, "master", owner, &master, diag);

	return r == 0 ? seal_new(master.bytes, ret) : r;
}

/*
 * The key of a purpose is derived at its first use and kept. The table is a cache
 * inside a value that callers see as constant; rbacd has one thread.
 */
static int find_key(const struct seal *const_seal, const char *purpose, bool lookup,
		    const struct seal_key **ret)
{
	struct seal *seal = unconst(const_seal);
	struct seal_key *k;
	size_t len = strlen(purpose);
	int r;

	for (size_t i = 0; i < seal->n_keys; i++) {
		if (seal->keys[i].lookup == lookup &&
		    str_eq(seal->keys[i].purpose, purpose)) {
			*ret = &seal->keys[i];
			return 0;
		}
	}
	assert(seal->n_keys < PURPOSES_MAX && len < sizeof(k->purpose));
	k = &seal->keys[seal->n_keys];
	r = derive(lookup ? seal->lookup : seal->master, purpose, k->key,
		   sizeof(k->key));
	if (r != 0)
		return r;
	memcpy(k->purpose, purpose, len + 1);
	k->lookup = lookup;
	seal->n_keys++;
	*ret = k;
	return 0;
}

static void put_len(uint8_t out[4], size_t len)
{
	out[0] = (uint8_t)(len >> 24);
	out[1] = (uint8_t)(len >> 16);
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
}

static bool add_aad(EVP_CIPHER_CTX *ctx, bool encrypt, const void *p, size_t len)
{
	uint8_t n[4];
	int out;

	if (len > 1 << 16)
		return false;
	put_len(n, len);
	if (encrypt)
		return EVP_EncryptUpdate(ctx, NULL, &out, n, 4) == 1 &&
		       EVP_EncryptUpdate(ctx, NULL, &out, p, (int)len) == 1;
	return EVP_DecryptUpdate(ctx, NULL, &out, n, 4) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &out, p, (int)len) == 1;
}

static bool add_context(EVP_CIPHER_CTX *ctx, bool encrypt, const char *purpose,
			const uint8_t *head, const struct seal_part *aad, size_t n_aad)
{
	bool ok = add_aad(ctx, encrypt, purpose, strlen(purpose)) &&
		  add_aad(ctx, encrypt, head, 1 + KEY_ID_LEN);

	for (size_t i = 0; i < n_aad && ok; i++)
		ok = add_aad(ctx, encrypt, aad[i].p ? aad[i].p : "", aad[i].len);
	return ok;
}

static void ctx_freep(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx);
}

int seal_encrypt(const struct seal *seal, const char *purpose,
		 const struct seal_part *aad, size_t n_aad, const struct secret *plain,
		 uint8_t *buf, size_t cap, size_t *ret_len)
{
	_cleanup_(ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const struct seal_key *key;
	int out = 0, last = 0, r;

	if (!ctx)
		return -ENOMEM;
	if (plain->len > SECRET_MAX || cap < HEAD_LEN + plain->len + TAG_LEN)
		return -ENOBUFS;
	r = find_key(seal, purpose, false, &key);
	if (r != 0)
		return r;
	buf[0] = FORMAT;
	memcpy(buf + 1, seal->id, KEY_ID_LEN);
	r = seal_random(buf + 1 + KEY_ID_LEN, NONCE_LEN);
	if (r != 0)
		return r;
	if (EVP_EncryptInit_ex2(ctx, seal->gcm, key->key, buf + 1 + KEY_ID_LEN, NULL) !=
		    1 ||
	    !add_context(ctx, true, purpose, buf, aad, n_aad) ||
	    EVP_EncryptUpdate(ctx, buf + HEAD_LEN, &out, plain->bytes,
			      (int)plain->len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, buf + HEAD_LEN + out, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
				buf + HEAD_LEN + plain->len) != 1)
		return -EIO;
	*ret_len = HEAD_LEN + plain->len + TAG_LEN;
	return 0;
}

int seal_decrypt(const struct seal *seal, const char *purpose,
		 const struct seal_part *aad, size_t n_aad, const uint8_t *buf,
		 size_t len, struct secret *ret)
{
	_cleanup_(ctx_freep) EVP_CIPHER_CTX *ctx = NULL;
	_cleanup_secret_ struct secret plain = SECRET_INIT;
	uint8_t tag[TAG_LEN];
	const struct seal_key *key;
	int out = 0, last = 0, r;

	if (!seal_made(seal, buf, len) || len > HEAD_LEN + SECRET_MAX + TAG_LEN)
		return SEAL_E_FORGED;
	r = find_key(seal, purpose, false, &key);
	if (r != 0)
		return r;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return -ENOMEM;
	plain.len = len - HEAD_LEN - TAG_LEN;
	memcpy(tag, buf + HEAD_LEN + plain.len, TAG_LEN);
	if (EVP_DecryptInit_ex2(ctx, seal->gcm, key->key, buf + 1 + KEY_ID_LEN, NULL) !=
		    1 ||
	    !add_context(ctx, false, purpose, buf, aad, n_aad) ||
	    EVP_DecryptUpdate(ctx, plain.bytes, &out, buf + HEAD_LEN, (int)plain.len) !=
		    1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) != 1)
		return -EIO;
	if (EVP_DecryptFinal_ex(ctx, plain.bytes + out, &last) != 1)
		return SEAL_E_FORGED;
	*ret = plain;
	return 0;
}

/* Keying HMAC costs more than a short message; a keyed context is kept and duplicated.
 */
static int mac_start(const struct seal *seal, const char *purpose, bool lookup,
		     EVP_MAC_CTX **ret)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 unconst("SHA256"), 0),
		OSSL_PARAM_construct_end(),
	};
	const struct seal_key *found;
	struct seal_key *key;
	int r = find_key(seal, purpose, lookup, &found);

	if (r != 0)
		return r;
	key = unconst(found);
	if (!key->mac) {
		EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(seal->hmac);

		if (!ctx)
			return -ENOMEM;
		if (EVP_MAC_init(ctx, key->key, KEY_LEN, params) != 1) {
			EVP_MAC_CTX_free(ctx);
			return -EIO;
		}
		key->mac = ctx;
	}
	*ret = EVP_MAC_CTX_dup(key->mac);
	return *ret ? 0 : -ENOMEM;
}

static void mac_freep(EVP_MAC_CTX **ctx)
{
	EVP_MAC_CTX_free(*ctx);
}

static int mac_under(const struct seal *seal, const char *purpose, bool lookup,
		     const struct seal_part *parts, size_t n, uint8_t ret[32])
{
	_cleanup_(mac_freep) EVP_MAC_CTX *ctx = NULL;
	uint8_t len[4], mac[32];
	size_t out = 0;
	int r = mac_start(seal, purpose, lookup, &ctx);

	if (r != 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > UINT32_MAX)
			return -EINVAL;
		put_len(len, parts[i].len);
		if (EVP_MAC_update(ctx, len, 4) != 1 ||
		    (parts[i].len > 0 &&
		     EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1))
			return -EIO;
	}
	if (EVP_MAC_final(ctx, mac, &out, sizeof(mac)) != 1 || out != sizeof(mac))
		return -EIO;
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

int seal_mac(const struct seal *seal, const char *purpose,
	     const struct seal_part *parts, size_t n, uint8_t ret[32])
{
	return mac_under(seal, purpose, false, parts, n, ret);
}

int seal_lookup(const struct seal *seal, const char *purpose,
		const struct seal_part *parts, size_t n, uint8_t ret[32])
{
	return mac_under(seal, purpose, true, parts, n, ret);
}
