/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_note.c - verifier keys, signed checkpoints and proofs take any bytes; nothing
 * but the one note that was signed opens, and no proof but a true one.
 */
#include <assert.h>

#include "rbacd/audit/audit_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void any_key(const char *text)
{
	struct verifier v;
	char again[NOTE_VKEY_MAX];

	if (verifier_parse(text, &v) != 0)
		return;
	assert(strlen(text) < sizeof(again) && note_origin_ok(v.origin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = {7};
	static struct signer *signer;
	static struct verifier v;
	static char good[NOTE_MAX];
	static size_t good_len;
	struct checkpoint cp = {.size = 3, .root = {1}};
	char *copy = calloc(1, size + 1);
	const char *why = NULL;
	uint64_t seq = 0;

	assert(copy); /* of its own, so that a read beyond the end is seen */
	if (!signer) {
		assert(signer_new(seed, "vm7/vmsec", &signer) == 0);
		assert(verifier_parse(signer_vkey(signer), &v) == 0);
		assert(note_sign(signer, &cp, good, &good_len) == 0);
	}
	if (size > 0)
		memcpy(copy, data, size);
	any_key(copy);
	if (note_open(&v, copy, size, &cp) ==
	    0) /* others may sign it too: not longer */
		assert(size >= good_len && memcmp(copy, good, 10) == 0);
	if (audit_check_proof(copy, size, signer_vkey(signer), &seq, &why) != 0)
		assert(why);
	else
		assert(seq > 0);
	free(copy);
	return 0;
}
