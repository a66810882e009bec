/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - public keys of SSH as fingerprints, and whose they are. */

#include "rbacd/mfa/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "rbacd/mfa/lockout.h"
#include "rbacd/mfa/mfa_internal.h"
#include "rbacd/mfa/otp.h"

#define TYPE_MAX 64
#define BLOB_MAX 1536 /* SSH_AUTH_INFO_0 has 2,048 bytes at most */

bool key_is_fido(const char *text)
{
	static const char *const types[] = {"sk-ssh-ed25519@openssh.com ",
					    "sk-ecdsa-sha2-nistp256@openssh.com "};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_after(text, types[i]))
			return true;
	return false;
}

/* RFC 4253: a key begins with its type as a string of its own. */
static bool has_type(const uint8_t *blob, size_t len, const char *type, size_t type_len)
{
	const uint8_t head[4] = {0, 0, (uint8_t)(type_len >> 8), (uint8_t)type_len};

	return len > sizeof(head) + type_len && memcmp(blob, head, sizeof(head)) == 0 &&
	       memcmp(blob + sizeof(head), type, type_len) == 0;
}

/* One key has one spelling: no stray bits, blanks or characters after the padding. */
static bool decode(const char *b64, size_t len, uint8_t blob[BLOB_MAX + 3],
		   size_t *ret_len)
{
	uint8_t again[BLOB_MAX / 3 * 4 + 5];
	size_t pad = 0;
	int n;

	if (len == 0 || len % 4 != 0 || len / 4 * 3 > BLOB_MAX)
		return false;
	while (pad < 2 && b64[len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock(blob, (const uint8_t *)b64, (int)len);
	if (n < (int)pad)
		return false;
	*ret_len = (size_t)n - pad;
	return EVP_EncodeBlock(again, blob, (int)*ret_len) == (int)len &&
	       memcmp(again, b64, len) == 0;
}

bool key_fingerprint(const char *text, uint8_t ret[FACTOR_KEY_LEN])
{
	uint8_t blob[BLOB_MAX + 3];
	size_t type = strcspn(text, " \n"), len;

	return type > 0 && type <= TYPE_MAX && text[type] == ' ' &&
	       decode(text + type + 1, strcspn(text + type + 1, " \r\n"), blob, &len) &&
	       has_type(blob, len, text, type) && SHA256(blob, len, ret) != NULL;
}

void key_fingerprint_text(const uint8_t fp[FACTOR_KEY_LEN],
			  char ret[KEY_FINGERPRINT_MAX])
{
	char b64[48];

	(void)EVP_EncodeBlock((uint8_t *)b64, fp, FACTOR_KEY_LEN); /* 44 and a NUL */
	(void)snprintf(ret, KEY_FINGERPRINT_MAX, "SHA256:%.43s", b64);
}

/* The factor that @fp belongs to; every one is opened and compared. */
static int find_owner(struct mfa *m, const struct store_factor *f, size_t n,
		      const uint8_t fp[FACTOR_KEY_LEN], size_t *ret)
{
	*ret = n;
	for (size_t i = 0; i < n; i++) {
		_cleanup_secret_ struct secret own = SECRET_INIT;
		int rc = f[i].kind == STORE_FACTOR_KEY &&
					 f[i].status == STORE_FACTOR_ACTIVE
				 ? otp_open(m->seal, &f[i], &own)
				 : SEAL_E_FORGED;

		if (rc == SEAL_E_FORGED)
			continue;
		if (rc != 0)
			return rc;
		if (own.len == FACTOR_KEY_LEN &&
		    CRYPTO_memcmp(own.bytes, fp, FACTOR_KEY_LEN) == 0)
			*ret = i;
	}
	return 0;
}

static int accept_key(struct mfa *m, struct store_person *p, struct store_factor *f,
		      int64_t now_s, struct mfa_result *r)
{
	int rc;

	r->outcome = MFA_ACCEPTED;
	r->reason = NULL;
	r->method = POLICY_METHOD_SECURITY_KEY;
	r->told = p->fails_told;
	(void)snprintf(r->cred, sizeof(r->cred), "%s", f->name);
	f->last_ok_s = now_s;
	lockout_success(p, now_s);
	rc = store_factor_put(m->store, f);
	return rc == 0 ? store_person_put(m->store, p) : rc;
}

int mfa_key(struct mfa *m, const char *person, const char *auth_info, int64_t now_s,
	    struct mfa_result *ret)
{
	struct mfa_result r = {.outcome = MFA_REFUSED,
			       .reason = "not_enrolled",
			       .t_delta = INT64_MIN};
	struct store_factor f[STORE_FACTORS_MAX];
	uint8_t fp[FACTOR_KEY_LEN];
	struct store_person p;
	size_t n = 0, at = 0;
	int rc = store_begin(m->store);

	if (rc == 0)
		rc = store_person_get(m->store, person, &p);
	if (rc == STORE_E_NONE || (rc == 0 && p.disabled)) {
		*ret = r;
		return 0;
	}
	if (rc == 0)
		rc = store_factor_list(m->store, person, f, &n);
	for (const char *l = auth_info; rc == 0 && *l && r.outcome != MFA_ACCEPTED;) {
		const char *key = str_after(l, "publickey ");

		if (key && key_is_fido(key) && key_fingerprint(key, fp)) {
			rc = find_owner(m, f, n, fp, &at);
			if (rc == 0 && at < n)
				rc = accept_key(m, &p, &f[at], now_s, &r);
		}
		l += strcspn(l, "\n");
		l += *l == '\n';
	}
	if (rc == 0)
		*ret = r;
	return rc;
}
