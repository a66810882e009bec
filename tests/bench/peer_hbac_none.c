/* SPDX-License-Identifier: Apache-2.0 */
/* peer_hbac_none.c - stands in where libipa_hbac is not installed. */
#include "tests/bench/peer_hbac.h"

struct peer_hbac *peer_hbac_new(const struct data *d)
{
	(void)d;
	return NULL;
}

void peer_hbac_free(struct peer_hbac *h)
{
	(void)h;
}

bool peer_hbac_decide(const struct peer_hbac *h, const struct query *q, bool all)
{
	(void)h;
	(void)q;
	(void)all;
	return false;
}
