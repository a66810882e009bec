/* SPDX-License-Identifier: Apache-2.0 */
/* rotation.c - the switch of the master key inside a turn. */
#include "rbacd/keys/rotation.h"

#include <errno.h>

static void freep(struct seal **seal)
{
	seal_free(*seal);
}

/* The new key, with the look-up key of the one in use. */
static int make_next(const struct seal *now, const struct secret *key,
		     struct seal **ret)
{
	_cleanup_secret_ struct secret lookup = SECRET_INIT;
	_cleanup_(freep) struct seal *next = NULL;
	int r = seal_new(key->bytes, &next);

	if (r != 0)
		return r;
	if (str_eq(seal_key_id(next), seal_key_id(now)))
		return ROTATION_E_SAME;
	seal_get_lookup(now, &lookup);
	r = seal_set_lookup(next, &lookup);
	if (r == 0)
		*ret = STEAL(next);
	return r;
}

int rotation_run(struct server *s, const struct secret *key, struct keyring_counts *ret)
{
	_cleanup_(freep) struct seal *next = NULL;
	int r = s->seal_before ? ROTATION_E_BUSY : make_next(s->seal, key, &next);

	if (r != 0)
		return r;
	r = keyring_reseal(s->store, s->seal, next, ret);
	if (r != 0)
		return r > 0 && r != STORE_E_FULL ? STORE_E_CORRUPT : r;
	/* In place: the stages borrow the struct. The head of the log is sealed with
	 * it by this turn's commit. */
	seal_swap(s->seal, next);
	s->seal_before = STEAL(next);
	return 0;
}

void rotation_end(struct server *s, bool kept)
{
	if (!s->seal_before)
		return;
	if (!kept)
		seal_swap(s->seal, s->seal_before);
	seal_free(s->seal_before);
	s->seal_before = NULL;
	identity_keep_again(s->identity); /* the kept directory is under a MAC */
}
