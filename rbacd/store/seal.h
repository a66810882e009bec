/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h - keys: AES-256-GCM for secrets at rest, HMAC-SHA-256 for look-ups and heads,
 * each under a key of its own derived by HKDF-SHA-256 from the master key.
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

enum { SEAL_E_FORGED = 1 /* does not open under this key, purpose or context */ };

struct seal;

/*
 * seal_read_key() - read 32 bytes of key (64 hex digits and a newline, or 32 bytes).
 * @what: "master", for the diagnostic.
 * @owner: a further owner that is good enough; 0: none.
 * The file must be regular, not a link, owned by root, this process or @owner, mode
 * 0400 or 0600, below folders that only they can write. Return: 0; negative errno with
 * a diagnostic that says how to make one.
 */
_must_check_ int seal_read_key(const char *path, const char *what, uint32_t owner,
			       struct secret *ret, struct diags *diag);
/* seal_parse_key() - 32 bytes, or 64 hex digits and at most one newline; -EINVAL. */
_must_check_ int seal_parse_key(const struct secret *text, struct secret *ret);
/* seal_open() - the master key of that file; returns as seal_read_key(). */
_must_check_ int seal_open(const char *path, uint32_t owner, struct seal **ret,
			   struct diags *diag);
_must_check_ int seal_new(const uint8_t master[32], struct seal **ret);
void seal_free(struct seal *seal); /* wipes */

/* seal_key_id() - 16 hex digits that name the master key without telling it. */
const char *seal_key_id(const struct seal *seal);

/* seal_made() - is @buf sealed under this master key, as far as its head says? */
bool seal_made(const struct seal *seal, const uint8_t *buf, size_t len);

/*
 * The look-up key outlives the master key: a rotation hands it on. At first it is the
 * master key itself. seal_set_lookup() - before the first use; -EINVAL after it.
 */
void seal_get_lookup(const struct seal *seal, struct secret *ret);
_must_check_ int seal_set_lookup(struct seal *seal, const struct secret *key);
/* seal_swap() - each becomes the other; whoever borrows one of them follows. */
void seal_swap(struct seal *a, struct seal *b);

/* What a sealed value or MAC is bound to. Part of AAD or MAC, length-prefixed. */
struct seal_part {
	const void *p;
	size_t len;
};

_must_check_ int seal_encrypt(const struct seal *seal, const char *purpose,
			      const struct seal_part *aad, size_t n_aad,
			      const struct secret *plain, uint8_t *buf, size_t cap,
			      size_t *ret_len);
_must_check_ int seal_decrypt(const struct seal *seal, const char *purpose,
			      const struct seal_part *aad, size_t n_aad,
			      const uint8_t *buf, size_t len, struct secret *ret);
/* seal_mac() - HMAC over the length-prefixed parts, under the key of @purpose. */
_must_check_ int seal_mac(const struct seal *seal, const char *purpose,
			  const struct seal_part *parts, size_t n, uint8_t ret[32]);
/*
 * seal_lookup() - as seal_mac(), under the look-up key: for what is kept only as its
 * MAC (recovery codes, budgets, public ids) and could not be made again from a new key.
 */
_must_check_ int seal_lookup(const struct seal *seal, const char *purpose,
			     const struct seal_part *parts, size_t n, uint8_t ret[32]);
/* seal_random() - getrandom(); failure is fatal for the request (negative errno). */
_must_check_ int seal_random(void *buf, size_t len);
