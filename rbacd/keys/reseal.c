/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.c - everything of the database under another master key, in one transaction.
 */
#include <errno.h>

#include "rbacd/audit/audit.h"
#include "rbacd/keys/keyring.h"
#include "rbacd/mfa/otp.h"

#define META_LOOKUP "lookup-key"

struct pass {
	struct store *store;
	const struct seal *now;
	const struct seal *next; /* NULL: only count */
	struct keyring_counts n;
};

static int reseal_factor(struct pass *p, struct store_factor *f)
{
	_cleanup_secret_ struct secret seed = SECRET_INIT;
	int r;

	if (!p->next) {
		bool ours = seal_made(p->now, f->sealed, f->sealed_len);

		p->n.n_factors += ours;
		p->n.n_foreign += !ours;
		return 0;
	}
	r = otp_open(p->now, f, &seed);
	if (r == SEAL_E_FORGED) { /* of no use to anybody before, nor after */
		p->n.n_foreign++;
		return 0;
	}
	if (r == 0)
		r = otp_seal(p->next, f, &seed);
	if (r == 0)
		r = store_factor_put(p->store, f);
	p->n.n_factors += r == 0;
	return r;
}

static int each_person(const struct store_person *person, void *arg)
{
	struct store_factor f[STORE_FACTORS_MAX];
	struct pass *p = arg;
	size_t n;
	int r = store_factor_list(p->store, person->id, f, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = reseal_factor(p, &f[i]);
	return r;
}

int keyring_count(struct store *store, const struct seal *seal,
		  struct keyring_counts *ret)
{
	struct pass p = {.store = store, .now = seal};
	int r = store_person_each(store, each_person, &p);

	if (r == 0)
		*ret = p.n;
	return r;
}

static int reseal_lookup(struct store *store, const struct seal *next)
{
	_cleanup_secret_ struct secret key = SECRET_INIT;
	uint8_t buf[STORE_SEALED_MAX];
	size_t len;
	int r;

	seal_get_lookup(next, &key);
	r = seal_encrypt(next, META_LOOKUP, NULL, 0, &key, buf, sizeof(buf), &len);
	return r == 0 ? store_meta_put(store, META_LOOKUP, buf, len) : r;
}

int keyring_reseal(struct store *store, const struct seal *now, const struct seal *next,
		   struct keyring_counts *ret)
{
	struct pass p = {.store = store, .now = now, .next = next};
	int r = store_begin(store);

	if (r == 0)
		r = store_person_each(store, each_person, &p);
	if (r == 0)
		r = reseal_lookup(store, next);
	if (r == 0)
		r = audit_reseal(store, now, next);
	if (r == 0)
		r = keyring_note(store, next);
	if (r == 0)
		*ret = p.n;
	return r;
}
