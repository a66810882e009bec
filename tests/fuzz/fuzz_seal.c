/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_seal.c - whatever a row holds: nothing opens that was not sealed. */
#include <assert.h>

#include "rbacd/store/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t master[32];
	static const struct seal_part aad[] = {{"alice", 5}, {"totp", 4}};
	static struct seal *seal;
	static uint8_t good[128];
	static size_t good_len;
	struct secret plain = {.len = 20}, out = SECRET_INIT;
	uint8_t mix[128];

	if (!seal) {
		/* a new key each run: the corpus may hold values that were genuine */
		assert(seal_random(master, sizeof(master)) == 0);
		assert(seal_new(master, &seal) == 0);
		assert(seal_encrypt(seal, "seed", aad, 2, &plain, good, sizeof(good),
				    &good_len) == 0);
	}
	if (size != good_len || memcmp(data, good, size) != 0)
		assert(seal_decrypt(seal, "seed", aad, 2, data, size, &out) ==
		       SEAL_E_FORGED);
	/* The same bytes as a change to a value that is genuine. */
	memcpy(mix, good, sizeof(mix));
	for (size_t i = 0; i < size && i < good_len; i++)
		mix[i] ^= data[i];
	if (memcmp(mix, good, good_len) != 0)
		assert(seal_decrypt(seal, "seed", aad, 2, mix, good_len, &out) ==
		       SEAL_E_FORGED);
	assert(out.len == 0);
	return 0;
}
