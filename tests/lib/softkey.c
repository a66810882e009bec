/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softkey.c - a FIDO key without hardware, as a provider of OpenSSH's sk-api: what sshd
 * verifies is real, only the touch is not. The key handle holds the seed, which no true
 * key would do.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION 0x000a0000
#define ALG_ED25519 1
#define KEY_LEN	    32
#define SIG_LEN	    64
#define E_GENERAL   -1
#define E_ALG	    -2
#define EXPORTED    __attribute__((visibility("default")))

struct sk_option;
struct sk_resident_key;

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

EXPORTED uint32_t sk_api_version(void);
EXPORTED int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len,
		       const char *application, uint8_t flags, const char *pin,
		       struct sk_option **options, struct sk_enroll_response **ret);
EXPORTED int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len,
		     const char *application, const uint8_t *key_handle,
		     size_t key_handle_len, uint8_t flags, const char *pin,
		     struct sk_option **options, struct sk_sign_response **ret);
EXPORTED int sk_load_resident_keys(const char *pin, struct sk_option **options,
				   struct sk_resident_key ***ret, size_t *ret_n);

uint32_t sk_api_version(void)
{
	return API_VERSION;
}

static EVP_PKEY *key_of(const uint8_t *seed)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_LEN);
}

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len,
	      const char *application, uint8_t flags, const char *pin,
	      struct sk_option **options, struct sk_enroll_response **ret)
{
	struct sk_enroll_response *r = calloc(1, sizeof(*r));
	size_t len = KEY_LEN;
	EVP_PKEY *key = NULL;

	(void)challenge;
	(void)challenge_len;
	(void)application;
	(void)pin;
	(void)options;
	if (!r || alg != ALG_ED25519)
		return r ? E_ALG : E_GENERAL;
	r->flags = flags;
	r->public_key = malloc(KEY_LEN);
	r->key_handle = malloc(KEY_LEN);
	r->public_key_len = r->key_handle_len = KEY_LEN;
	if (r->public_key && r->key_handle && RAND_bytes(r->key_handle, KEY_LEN) == 1)
		key = key_of(r->key_handle);
	if (!key || EVP_PKEY_get_raw_public_key(key, r->public_key, &len) != 1)
		return E_GENERAL;
	EVP_PKEY_free(key);
	*ret = r;
	return 0;
}

/* What is signed: hash of the application, flags, counter, hash of the data. */
int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application,
	    const uint8_t *key_handle, size_t key_handle_len, uint8_t flags,
	    const char *pin, struct sk_option **options, struct sk_sign_response **ret)
{
	uint8_t msg[SHA256_DIGEST_LENGTH + 5 + SHA256_DIGEST_LENGTH] = {0};
	struct sk_sign_response *r = calloc(1, sizeof(*r));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *key = NULL;
	int rc = E_GENERAL;

	(void)pin;
	(void)options;
	if (alg != ALG_ED25519 || key_handle_len != KEY_LEN || !r || !ctx)
		return E_GENERAL;
	r->flags = flags;
	r->counter = 1;
	r->sig_r_len = SIG_LEN;
	r->sig_r = malloc(SIG_LEN);
	(void)SHA256((const uint8_t *)application, strlen(application), msg);
	msg[SHA256_DIGEST_LENGTH] = flags;
	msg[SHA256_DIGEST_LENGTH + 4] = 1; /* the counter, big endian */
	(void)SHA256(data, data_len, msg + SHA256_DIGEST_LENGTH + 5);
	key = key_of(key_handle);
	if (r->sig_r && key && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, r->sig_r, &r->sig_r_len, msg, sizeof(msg)) == 1)
		rc = 0;
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
	if (rc == 0)
		*ret = r;
	return rc;
}

int sk_load_resident_keys(const char *pin, struct sk_option **options,
			  struct sk_resident_key ***ret, size_t *ret_n)
{
	(void)pin;
	(void)options;
	*ret = NULL;
	*ret_n = 0;
	return 0;
}
