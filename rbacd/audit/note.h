/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h - signed checkpoints: C2SP tlog-checkpoint in a signed note, Ed25519.
 *
 *   <origin>\n<size>\n<base64 of the root>\n\n— <origin> <base64 of key id and
 * signature>\n
 *
 * Anybody who has the verifier key ("<origin>+<key id>+<base64>") can check one with
 * tools that are not ours.
 */
#pragma once

#include "policy/diag.h"
#include "rbacd/audit/view.h"

#define NOTE_ORIGIN_MAX 160
#define NOTE_VKEY_MAX	240
#define NOTE_MAX	512

/* note_origin_ok() - a name a key may have: 1 to 160 printable bytes, no '+', no space.
 */
static inline bool note_origin_ok(const char *origin)
{
	size_t len = strlen(origin);

	if (len < 1 || len > NOTE_ORIGIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (origin[i] <= 0x20 || origin[i] >= 0x7f || origin[i] == '+')
			return false;
	return true;
}

struct signer;
/*
 * signer_open() - the private key from its file (32 bytes or 64 hex digits, mode 0400).
 * @make: the file is made when it is missing.
 * Return: 0; negative errno with a diagnostic. -ENOENT without @make.
 */
_must_check_ int signer_open(const char *path, bool make, const char *origin,
			     struct signer **ret, struct diags *diag);
_must_check_ int signer_new(const uint8_t seed[32], const char *origin,
			    struct signer **ret);
void signer_free(struct signer *signer); /* wipes */
/* signer_vkey() - the public verifier key, as text; borrowed. */
const char *signer_vkey(const struct signer *signer);

struct checkpoint {
	uint64_t size;
	uint8_t root[AUDIT_HASH_LEN];
};

/* note_sign() - 0; negative errno. Ed25519 is deterministic: same tree, same note. */
_must_check_ int note_sign(const struct signer *signer, const struct checkpoint *cp,
			   char buf[NOTE_MAX], size_t *ret_len);

struct verifier {
	char origin[NOTE_ORIGIN_MAX + 1];
	uint8_t id[4];
	uint8_t key[32];
};
/* verifier_parse() - a verifier key's text, its id checked. 0; -EINVAL. */
_must_check_ int verifier_parse(const char *vkey, struct verifier *ret);

enum { NOTE_E_KEY = 1 /* not signed by this key */ };
/*
 * note_open() - check a note's form, origin and signature.
 * Return: 0; NOTE_E_KEY: no signature with the verifier's name and id; -EBADMSG: not a
 * checkpoint, or the signature is wrong.
 */
_must_check_ int note_open(const struct verifier *verifier, const char *note,
			   size_t len, struct checkpoint *ret);

/* note_unbase64() - exactly @want bytes (128 at most) of canonical base64. */
bool note_unbase64(const char *text, size_t len, uint8_t *ret, size_t want);
