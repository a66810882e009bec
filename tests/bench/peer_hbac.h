/* SPDX-License-Identifier: Apache-2.0 */
/* peer_hbac.h - the same questions to SSSD's libipa_hbac, where it is installed. */
#pragma once

#include "tests/bench/policy_data.h"

struct peer_hbac;

/* peer_hbac_new() - a rule for each grant; NULL: built without libipa_hbac. Borrows @d.
 */
struct peer_hbac *peer_hbac_new(const struct data *d);
void peer_hbac_free(struct peer_hbac *h); /* NULL is a no-op */

/*
 * peer_hbac_decide() - @all: over every rule; else over those of the host alone, which
 * is what SSSD downloads.
 */
bool peer_hbac_decide(const struct peer_hbac *h, const struct query *q, bool all);
