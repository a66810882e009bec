/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring.h - which master key a database is sealed under. While a rotation goes on
 * there are two: the key file FILE, and FILE.next or FILE.old beside it. The database
 * says which of them it is, so a crash at any moment finds the old key or the new one.
 */
#pragma once

#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"

enum { KEYRING_FILE, KEYRING_NEXT, KEYRING_OLD, KEYRING_N };

struct keyring {
	struct seal *seal[KEYRING_N]; /* owned; NULL: no such file */
};
#define KEYRING_INIT                                                                   \
	{                                                                              \
		{                                                                      \
			NULL                                                           \
		}                                                                      \
	}
void keyring_done(struct keyring *ring); /* wipes */
#define _cleanup_keyring_ _cleanup_(keyring_done)

/* keyring_path() - the file's name: FILE, FILE.next, FILE.old. -ENAMETOOLONG. */
_must_check_ int keyring_path(const char *file, int which, char *buf, size_t cap);

/*
 * keyring_open() - read what there is. @owner: as seal_read_key(). @file itself may be
 * missing only when another one is there; what is wrong with it is said. A bad file
 * beside it counts as missing. Return: 0; as seal_open().
 */
_must_check_ int keyring_open(const char *file, uint32_t owner, struct keyring *ret,
			      struct diags *diag);

/*
 * keyring_take() - the key that the database in @store is sealed under, with its
 * look-up key; out of @ring, owned by the caller.
 * Return: 0; -ENOKEY: none of these, with a diagnostic; STORE_E_CORRUPT; -errno.
 */
_must_check_ int keyring_take(struct keyring *ring, struct store *store,
			      struct seal **ret, struct diags *diag);

/* keyring_seal() - both, for tools that read. */
_must_check_ int keyring_seal(const char *file, uint32_t owner, struct store *store,
			      struct seal **ret, struct diags *diag);

/* keyring_note() - the database says from now on that it is sealed under @seal. */
_must_check_ int keyring_note(struct store *store, const struct seal *seal);

/*
 * keyring_reseal() - everything that is sealed under @now is sealed under @next: seeds,
 * the look-up key, the base of the audit log. All or nothing: in the turn's
 * transaction. The head of the audit log follows with the turn's record.
 * @next: must have the look-up key of @now.
 */
struct keyring_counts {
	uint64_t n_factors; /* sealed under the key that counts */
	uint64_t n_foreign; /* that open under no key of ours: left as they are */
};
_must_check_ int keyring_reseal(struct store *store, const struct seal *now,
				const struct seal *next, struct keyring_counts *ret);
/* keyring_count() - how many factors are sealed under @seal, as their heads say. */
_must_check_ int keyring_count(struct store *store, const struct seal *seal,
			       struct keyring_counts *ret);
