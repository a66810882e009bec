/* SPDX-License-Identifier: Apache-2.0 */
/* retention.h - the legal hold: while it is set nothing of the log is dropped. */
#pragma once

#include "rbacd/store/store.h"

/* audit_hold_set() - part of the turn's transaction; the caller records it. */
_must_check_ int audit_hold_set(struct store *store, bool hold);
/* audit_hold_get() - what cannot be read counts as held. */
bool audit_hold_get(struct store *store);
