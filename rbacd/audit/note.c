/* SPDX-License-Identifier: Apache-2.0 */
/* note.c - C2SP signed notes with one Ed25519 key: made, and opened. */
#include "rbacd/audit/note.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "rbacd/store/seal.h"

#define DASH	  "\xe2\x80\x94 " /* the em dash and space before a signature */
#define SIG_LEN	  64
#define KEY_ED	  1  /* signature type in key ids and verifier keys */
#define ROOT_TEXT 44 /* base64 of 32 bytes */

struct signer {
	char origin[NOTE_ORIGIN_MAX + 1];
	char vkey[NOTE_VKEY_MAX];
	uint8_t id[4];
	EVP_PKEY *key; /* owned */
};

/* ---------------------------------------------------------------- base64 */

/* What decodes must encode to the same text. */
bool note_unbase64(const char *text, size_t len, uint8_t *ret, size_t want)
{
	uint8_t raw[128 + 3];
	char again[180];
	size_t padded = 4 * ((want + 2) / 3);

	if (len != padded || want > 128 ||
	    EVP_DecodeBlock(raw, (const uint8_t *)text, (int)len) < (int)want)
		return false;
	(void)EVP_EncodeBlock((uint8_t *)again, raw, (int)want); /* fits: 4/3 of 128 */
	if (memcmp(again, text, len) != 0)
		return false;
	memcpy(ret, raw, want);
	return true;
}

/* ---------------------------------------------------------------- keys */

static int key_id(const char *origin, const uint8_t pub[32], uint8_t ret[4])
{
	char text[NOTE_ORIGIN_MAX + 40];
	int n = snprintf(text, sizeof(text), "%s\n", origin);
	uint8_t hash[32];

	text[n] = KEY_ED;
	memcpy(text + n + 1, pub, 32);
	if (EVP_Digest(text, (size_t)n + 33, hash, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	memcpy(ret, hash, 4);
	return 0;
}

void signer_free(struct signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_free(signer->key); /* wipes */
	free(signer);
}

static void freep(struct signer **signer)
{
	signer_free(*signer);
}

int signer_new(const uint8_t seed[32], const char *origin, struct signer **ret)
{
	_cleanup_(freep) struct signer *s = calloc(1, sizeof(*s));
	uint8_t pub[33] = {KEY_ED};
	char text[48];
	size_t len = 32;
	int r;

	if (!s)
		return -ENOMEM;
	if (!note_origin_ok(origin))
		return -EINVAL;
	(void)snprintf(s->origin, sizeof(s->origin), "%s", origin); /* checked */
	s->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	if (!s->key || EVP_PKEY_get_raw_public_key(s->key, pub + 1, &len) != 1)
		return -EIO;
	r = key_id(origin, pub + 1, s->id);
	if (r != 0)
		return r;
	(void)EVP_EncodeBlock((uint8_t *)text, pub, sizeof(pub)); /* 44 and a NUL */
	(void)snprintf(s->vkey, sizeof(s->vkey), "%s+%02x%02x%02x%02x+%s", origin,
		       s->id[0], s->id[1], s->id[2], s->id[3], text); /* fits */
	*ret = STEAL(s);
	return 0;
}

static int make_key(const char *path, struct diags *diag)
{
	_cleanup_secret_ struct secret seed = {.len = 32};
	_cleanup_close_ int fd = -1;
	int r = seal_random(seed.bytes, seed.len);

	if (r != 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0 || write(fd, seed.bytes, seed.len) != (ssize_t)seed.len ||
	    fsync(fd) != 0) {
		r = errno ? -errno : -EIO;
		diags_add(diag, path, 0, 0, NULL, "cannot make the audit key: %s",
			  strerror(-r));
		if (fd >= 0)
			(void)unlink(path); /* half a key is none */
	}
	return r;
}

/* rbacctl is root and the key is rbacd's, as all of the folder it lies in. */
static uint32_t folder_owner(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	struct stat st;

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(dir))
		return 0;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return stat(dir, &st) == 0 && (st.st_mode & 0022) == 0 ? st.st_uid : 0;
}

int signer_open(const char *path, bool make, const char *origin, struct signer **ret,
		struct diags *diag)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	int r = 0;

	if (access(path, F_OK) != 0 && errno == ENOENT && make)
		r = make_key(path, diag);
	if (r == 0)
		r = seal_read_key(path, "audit",
				  geteuid() == 0 ? folder_owner(path) : 0, &seed, diag);
	return r == 0 ? signer_new(seed.bytes, origin, ret) : r;
}

const char *signer_vkey(const struct signer *signer)
{
	return signer->vkey;
}

int verifier_parse(const char *vkey, struct verifier *ret)
{
	const char *plus = strchr(vkey, '+');
	struct verifier v = {0};
	uint8_t raw[33];
	char id[10];

	if (!plus || plus == vkey || plus - vkey > NOTE_ORIGIN_MAX ||
	    strlen(plus) != 10 + ROOT_TEXT)
		return -EINVAL;
	memcpy(v.origin, vkey, (size_t)(plus - vkey));
	if (!note_origin_ok(v.origin) ||
	    !note_unbase64(plus + 10, ROOT_TEXT, raw, 33) || raw[0] != KEY_ED ||
	    key_id(v.origin, raw + 1, v.id) != 0)
		return -EINVAL;
	(void)snprintf(id, sizeof(id), "%02x%02x%02x%02x+", v.id[0], v.id[1], v.id[2],
		       v.id[3]); /* 9 */
	if (memcmp(plus + 1, id, 9) != 0)
		return -EINVAL;
	memcpy(v.key, raw + 1, 32);
	*ret = v;
	return 0;
}

/* ---------------------------------------------------------------- notes */

/* The text that is signed. Return: its length. */
static size_t format_text(const char *origin, const struct checkpoint *cp, char *buf,
			  size_t cap)
{
	char root[ROOT_TEXT + 4];
	int n;

	(void)EVP_EncodeBlock((uint8_t *)root, cp->root, AUDIT_HASH_LEN); /* fits */
	n = snprintf(buf, cap, "%s\n%llu\n%s\n", origin, (unsigned long long)cp->size,
		     root);
	return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

static int sign_text(const struct signer *s, const char *text, size_t len,
		     uint8_t ret[SIG_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t sig_len = SIG_LEN;
	bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->key) == 1 &&
		  EVP_DigestSign(ctx, ret, &sig_len, (const uint8_t *)text, len) == 1 &&
		  sig_len == SIG_LEN;

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

int note_sign(const struct signer *s, const struct checkpoint *cp, char buf[NOTE_MAX],
	      size_t *ret_len)
{
	uint8_t blob[4 + SIG_LEN];
	char text[96];
	size_t len = format_text(s->origin, cp, buf, NOTE_MAX);
	int n, r;

	if (len == 0)
		return -EINVAL;
	memcpy(blob, s->id, 4);
	r = sign_text(s, buf, len, blob + 4);
	if (r != 0)
		return r;
	(void)EVP_EncodeBlock((uint8_t *)text, blob, sizeof(blob)); /* 92 and a NUL */
	n = snprintf(buf + len, NOTE_MAX - len, "\n" DASH "%s %s\n", s->origin, text);
	if (n < 0 || (size_t)n >= NOTE_MAX - len)
		return -EINVAL;
	*ret_len = len + (size_t)n;
	return 0;
}

static bool verify_text(const struct verifier *v, const char *text, size_t len,
			const uint8_t sig[SIG_LEN])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, v->key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, sig, SIG_LEN, (const uint8_t *)text, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

/* The text of a checkpoint is canonical: it must be what we would have written. */
static bool read_text(const struct verifier *v, const char *note, size_t len,
		      struct checkpoint *ret)
{
	const char *p = note + strlen(v->origin) + 1;
	char again[NOTE_MAX];
	uint64_t size = 0;

	if (len < strlen(v->origin) + 4 + ROOT_TEXT)
		return false;
	for (; p < note + len && *p >= '0' && *p <= '9' && size < INT64_MAX / 10; p++)
		size = size * 10 + (uint64_t)(*p - '0');
	if (note + len - p != ROOT_TEXT + 2 ||
	    !note_unbase64(p + 1, ROOT_TEXT, ret->root, AUDIT_HASH_LEN))
		return false;
	ret->size = size;
	return format_text(v->origin, ret, again, sizeof(again)) == len &&
	       memcmp(again, note, len) == 0;
}

/* The signature line of this key, among those of others. */
static const char *find_signature(const struct verifier *v, const char *p,
				  const char *end, uint8_t blob[4 + SIG_LEN])
{
	char head[NOTE_ORIGIN_MAX + 8];
	size_t n = (size_t)snprintf(head, sizeof(head), DASH "%s ", v->origin);
	const char *nl;

	for (; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1)
		if ((size_t)(nl - p) > n && memcmp(p, head, n) == 0 &&
		    note_unbase64(p + n, (size_t)(nl - p) - n, blob, 4 + SIG_LEN) &&
		    memcmp(blob, v->id, 4) == 0)
			return p;
	return NULL;
}

int note_open(const struct verifier *v, const char *note, size_t len,
	      struct checkpoint *ret)
{
	const char *blank = len < NOTE_MAX ? memmem(note, len, "\n\n", 2) : NULL;
	uint8_t blob[4 + SIG_LEN];
	struct checkpoint cp;
	size_t text_len;

	if (!blank || note[len - 1] != '\n')
		return -EBADMSG;
	text_len = (size_t)(blank - note) + 1;
	if (!read_text(v, note, text_len, &cp))
		return -EBADMSG;
	if (!find_signature(v, blank + 2, note + len, blob))
		return NOTE_E_KEY;
	if (!verify_text(v, note, text_len, blob + 4))
		return -EBADMSG;
	*ret = cp;
	return 0;
}
