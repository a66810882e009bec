/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.h - former passwords as yescrypt hashes of crypt(3); runs in the worker.
 *
 * All hashes of a person share one salt, so a candidate is hashed once (18 ms), however
 * many there are. Who steals them pays as much for a guess as with /etc/shadow.
 */
#pragma once

#include "rbacd/password/quality.h"
#include "rbacd/store/store.h"

/*
 * history_check() - has the candidate been used before?
 * @former: newest first; only strings that this function made are accepted.
 * @ret:    PASSWORD_IN_HISTORY or PASSWORD_FITS.
 * @ret_hash: what to remember of it.
 * Cost: one yescrypt a salt. Return: 0; -EBADMSG for a hash that is not ours; negative
 * errno.
 */
_must_check_ int history_check(const struct store_old *former, size_t n,
			       const struct secret *candidate,
			       enum password_reason *ret,
			       char ret_hash[STORE_CRYPT_MAX + 1]);
