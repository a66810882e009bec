/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor.h - the head of the log once more, outside the state folder: an older database
 * that somebody puts back is behind it.
 *
 * One small file, overwritten after each commit and never flushed: it may lag behind
 * the database after a power cut, and is never ahead of it but by a set-back.
 */
#pragma once

#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"

struct anchor;

/*
 * anchor_open() - the file in @dir, a folder of ours; made when it is missing.
 * Return: 0; negative errno with a diagnostic.
 */
_must_check_ int anchor_open(const char *dir, struct anchor **ret, struct diags *diag);
void anchor_close(struct anchor *anchor);

enum anchor_verdict {
	ANCHOR_GOOD = 0x60,
	ANCHOR_FIRST,  /* the database was never anchored */
	ANCHOR_BEHIND, /* the database is older */
	ANCHOR_OTHER,  /* it has another record where the anchor lies */
	ANCHOR_LOST,   /* the database was anchored, and there is none, or not ours */
};

/*
 * anchor_check() - is the database the one that was written last?
 * @anchor: NULL: none could be opened.
 * @ret_why: for people, static. @ret_at_s: no code was used after that time; 0: nobody
 * knows. Return: 0; otherwise the database cannot be read.
 */
_must_check_ int anchor_check(const struct anchor *anchor, struct store *store,
			      const struct seal *seal, enum anchor_verdict *ret,
			      const char **ret_why, int64_t *ret_at_s);

/* anchor_note() - the database knows from now on whether it is anchored. */
_must_check_ int anchor_note(const struct anchor *anchor, struct store *store);

/*
 * anchor_write() - the head that is durable now. Return: 0, also when it is the same
 * as before; negative errno, told once.
 */
int anchor_write(struct anchor *anchor, struct store *store, const struct seal *seal);
