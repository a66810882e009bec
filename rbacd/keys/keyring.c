/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c - the key files, and the one among them that the database names. */
#include "rbacd/keys/keyring.h"

#include <errno.h>

#define META_KEY_ID "key-id"
#define META_LOOKUP "lookup-key" /* sealed; absent: the master key itself */
#define PATH_CAP    512

void keyring_done(struct keyring *ring)
{
	for (size_t i = 0; i < KEYRING_N; i++) {
		seal_free(ring->seal[i]);
		ring->seal[i] = NULL;
	}
}

int keyring_path(const char *file, int which, char *buf, size_t cap)
{
	static const char *const tail[KEYRING_N] = {
		[KEYRING_FILE] = "", [KEYRING_NEXT] = ".next", [KEYRING_OLD] = ".old"};

	return snprintf(buf, cap, "%s%s", file, tail[which]) < (int)cap ? 0
									: -ENAMETOOLONG;
}

int keyring_open(const char *file, uint32_t owner, struct keyring *ret,
		 struct diags *diag)
{
	_cleanup_keyring_ struct keyring ring = KEYRING_INIT;
	_cleanup_diags_ struct diags said = DIAGS_INIT, beside = DIAGS_INIT;
	char path[PATH_CAP];
	int r = seal_open(file, owner, &ring.seal[KEYRING_FILE], &said);

	for (int i = KEYRING_NEXT; i < KEYRING_N; i++)
		if (keyring_path(file, i, path, sizeof(path)) != 0 ||
		    seal_open(path, owner, &ring.seal[i], &beside) != 0)
			ring.seal[i] = NULL;
	if (r == -ENOENT && (ring.seal[KEYRING_NEXT] || ring.seal[KEYRING_OLD]))
		r = 0;
	if (r != 0) /* says why; or it was memory, and there is some again */
		r = seal_open(file, owner, &ring.seal[KEYRING_FILE], diag);
	if (r != 0)
		return r;
	*ret = ring;
	ring = (struct keyring)KEYRING_INIT;
	return 0;
}

static int read_key_id(struct store *store, char ret[17])
{
	size_t len = 0;
	int r = store_meta_get(store, META_KEY_ID, ret, 16, &len);

	if (r == 0 && len != 16)
		return STORE_E_CORRUPT;
	ret[r == 0 ? len : 0] = '\0';
	return r == STORE_E_NONE ? 0 : r;
}

static int read_lookup(struct store *store, struct seal *seal)
{
	_cleanup_secret_ struct secret key = SECRET_INIT;
	uint8_t buf[STORE_SEALED_MAX];
	size_t len = 0;
	int r = store_meta_get(store, META_LOOKUP, buf, sizeof(buf), &len);

	if (r == STORE_E_NONE)
		return 0;
	if (r == 0)
		r = seal_decrypt(seal, META_LOOKUP, NULL, 0, buf, len, &key);
	if (r != 0)
		return r < 0 ? r : STORE_E_CORRUPT;
	return seal_set_lookup(seal, &key);
}

static int no_key(const struct keyring *ring, struct store *store, const char *id,
		  struct diags *diag)
{
	const struct seal *file = ring->seal[KEYRING_FILE];

	diags_add(diag, store_path(store), 0, 0, NULL,
		  "sealed under master key %s, and the key file holds %s: put that key "
		  "back. Without it nobody's second factor opens; a database of "
		  "another machine needs that machine's key",
		  id, file ? seal_key_id(file) : "none");
	return -ENOKEY;
}

int keyring_take(struct keyring *ring, struct store *store, struct seal **ret,
		 struct diags *diag)
{
	struct seal **found = NULL;
	char id[17];
	int r = read_key_id(store, id);

	/* A database that names no key was never sealed under another than FILE. */
	for (size_t i = 0; r == 0 && i < KEYRING_N && !found; i++)
		if (ring->seal[i] && (id[0] ? str_eq(seal_key_id(ring->seal[i]), id)
					    : i == KEYRING_FILE))
			found = &ring->seal[i];
	if (r == 0 && !found)
		return no_key(ring, store, id[0] ? id : "of its first start", diag);
	if (r == 0)
		r = read_lookup(store, *found);
	if (r != 0) {
		diags_add(diag, store_path(store), 0, 0, NULL,
			  "what it says of its keys cannot be used (error %d)", r);
		return r;
	}
	*ret = STEAL(*found);
	return 0;
}

int keyring_seal(const char *file, uint32_t owner, struct store *store,
		 struct seal **ret, struct diags *diag)
{
	_cleanup_keyring_ struct keyring ring = KEYRING_INIT;
	int r = keyring_open(file, owner, &ring, diag);

	return r == 0 ? keyring_take(&ring, store, ret, diag) : r;
}

int keyring_note(struct store *store, const struct seal *seal)
{
	char id[17];
	int r = read_key_id(store, id);

	if (r != 0 || str_eq(id, seal_key_id(seal)))
		return r;
	return store_meta_put(store, META_KEY_ID, seal_key_id(seal), 16);
}
