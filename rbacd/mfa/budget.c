/* SPDX-License-Identifier: Apache-2.0 */
/* budget.c - the rows of strangers' budgets: keyed MACs in one bounded table. */

#include "rbacd/mfa/budget.h"

#include "rbacd/mfa/lockout.h"
#include "rbacd/mfa/mfa_internal.h"

#define PAIR	     "budget-person-source"
#define WHOLE	     "budget-source"
#define BLIND_PAIR   "blind-person-source" /* no code came: budgets of their own */
#define BLIND_WHOLE  "blind-source"
#define YEAR	     "budget-year"
#define HOME	     "home-of-person"
#define HOME_KEPT_S  (90 * 86400) /* since the person was last let in from there */
#define HOME_FRESH_S 86400	  /* younger: not written again */

static struct seal_part part_of(const char *text)
{
	return (struct seal_part){text, strlen(text)};
}

/* A source that is not an address is shared by everybody there. */
static bool is_shared(const struct mfa_attempt *a)
{
	return str_eq(a->origin, "local") || str_eq(a->origin, "unknown");
}

static int read_row(struct mfa *m, const char *purpose, const struct seal_part *part,
		    size_t n, struct store_budget *ret)
{
	uint8_t key[32] = {0};
	int rc = seal_lookup(m->seal, purpose, part, n, key);

	return rc == 0 ? store_budget_get(m->store, key, ret) : rc;
}

/* Unknown names share one row that binds nobody, so that they write as others do. */
static int read_year(struct mfa *m, const char *person, const char *origin,
		     struct store_budget *ret)
{
	const struct seal_part part[] = {part_of(person ? person : ""),
					 part_of(origin)};

	return read_row(m, YEAR, part, ARRAY_SIZE(part), ret);
}

static int home_key(struct mfa *m, const struct mfa_attempt *a, uint8_t key[32])
{
	const struct seal_part part[] = {part_of(a->person ? a->person : ""),
					 part_of(a->origin)};

	return seal_lookup(m->seal, HOME, part, ARRAY_SIZE(part), key);
}

static int read_home(struct mfa *m, const struct mfa_attempt *a, bool *ret)
{
	int64_t at_s = 0;
	uint8_t key[32];
	int rc = home_key(m, a, key);

	if (rc == 0)
		rc = store_seen_get(m->store, key, &at_s);
	if (rc != 0 && rc != STORE_E_NONE)
		return rc;
	*ret = is_shared(a) || (rc == 0 && a->now_s - at_s < HOME_KEPT_S);
	return 0;
}

int budget_read(struct mfa *m, const struct mfa_attempt *a, struct budget *ret)
{
	/* A known person is counted by id: no spelling of the name opens a new budget.
	 */
	const char *who = a->person ? a->person : a->login ? a->login : "";
	const struct seal_part part[] = {part_of(a->person ? "id" : "login"),
					 part_of(who), part_of(a->origin)};
	bool code = a->kind == WIRE_ANSWER_CODE || a->kind == WIRE_ANSWER_RECOVERY;
	int rc = read_row(m, code ? PAIR : BLIND_PAIR, part, 3, &ret->pair);

	if (rc == 0)
		rc = read_row(m, code ? WHOLE : BLIND_WHOLE, part + 2, 1, &ret->whole);
	if (rc == 0)
		rc = read_home(m, a, &ret->home);
	return rc == 0 ? read_year(m, a->person, ret->home ? a->origin : "", &ret->year)
		       : rc;
}

static bool waits(const struct budget *b, const struct mfa_attempt *a)
{
	return lockout_waits(b->pair.next_try_s, a->now_s) ||
	       lockout_waits(b->whole.next_try_s, a->now_s);
}

bool budget_spent(const struct budget *b, const struct mfa_attempt *a, unsigned codes)
{
	return waits(b, a) ||
	       (a->person &&
		lockout_bucket_full(b->year.next_try_s, lockout_year_cap(codes) / 2,
				    mfa_aged_s(a)));
}

int budget_put(struct mfa *m, const struct mfa_attempt *a, struct budget *b,
	       bool failed, unsigned codes)
{
	bool counted = failed && !waits(b, a);
	/* A source that waits already gets no new rows: one stranger with thousands of
	 * names would fill the table, and then nobody could be counted. */
	bool skip = !counted && b->pair.touched_s == 0;
	bool guess =
		counted && a->kind == WIRE_ANSWER_CODE && !budget_spent(b, a, codes);
	int rc;

	if (counted)
		lockout_budget_fail(&b->pair, LOCKOUT_SOURCE_FREE, a->now_s,
				    mfa_aged_s(a));
	/* One stranger would close a shared source for everybody. */
	if (counted && !is_shared(a))
		lockout_budget_fail(&b->whole, LOCKOUT_SOURCE_TOTAL, a->now_s,
				    mfa_aged_s(a));
	if (guess)
		b->year.next_try_s =
			lockout_bucket_add(b->year.next_try_s, mfa_aged_s(a));
	b->pair.touched_s = b->whole.touched_s = b->year.touched_s = mfa_aged_s(a);
	rc = skip ? 0 : store_budget_put(m->store, &b->pair);
	if (rc == 0)
		rc = store_budget_put(m->store, &b->whole);
	return rc == 0 && !skip ? store_budget_put(m->store, &b->year) : rc;
}

int budget_at_home(struct mfa *m, const struct mfa_attempt *a)
{
	int64_t at_s = 0;
	uint8_t key[32];
	int rc = is_shared(a) ? STORE_E_NONE : home_key(m, a, key);

	if (rc != 0)
		return rc == STORE_E_NONE ? 0 : rc;
	rc = store_seen_get(m->store, key, &at_s);
	if (rc == 0 && llabs(a->now_s - at_s) < HOME_FRESH_S)
		return 0;
	if (rc == 0 || rc == STORE_E_NONE)
		rc = store_seen_put(m->store, key, a->now_s);
	/* Full: this source shares the year of all others, which is the safe side. */
	return rc == STORE_E_LIMIT ? 0 : rc;
}

int budget_forgive(struct mfa *m, const char *person)
{
	struct store_budget year;
	int rc = read_year(m, person, "", &year);

	if (rc != 0 || year.touched_s == 0)
		return rc;
	year.next_try_s = 0;
	return store_budget_put(m->store, &year);
}
