/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_migrate.c - files of other programs: what is taken is a factor within the
 * limits, and written as an address it reads the same.
 */
#include <assert.h>

#include "rbacd/mfa/otpauth.h"
#include "rbacd/migrate/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_limits(const struct migrate_entry *e)
{
	assert(e->seed.len >= 10 && e->seed.len <= 128);
	assert(e->digits == 6 || e->digits == 8);
	assert(e->kind == STORE_FACTOR_TOTP || e->kind == STORE_FACTOR_HOTP);
	assert(e->kind == STORE_FACTOR_HOTP ? e->period_s == 0
					    : e->period_s == 30 || e->period_s == 60);
	assert(e->last_step >= -1 && e->skew >= -MIGRATE_SKEW_MAX &&
	       e->skew <= MIGRATE_SKEW_MAX);
	assert(e->n_codes <= MIGRATE_CODES_MAX);
	for (size_t i = 0; i < e->n_codes; i++)
		assert(strspn(e->codes[i], "0123456789") == 8);
	assert(strlen(e->login) < sizeof(e->login) && !strpbrk(e->login, " :/\n"));
}

static int each(const struct migrate_entry *e, void *arg)
{
	struct store_factor f = {.kind = e->kind,
				 .hash = e->hash,
				 .digits = e->digits,
				 .period_s = e->period_s,
				 .last_step = e->last_step};
	struct migrate_entry again;
	char uri[OTPAUTH_MAX];

	(void)arg;
	if (e->skip)
		return 0;
	check_limits(e);
	if (!e->login[0] || otpauth_uri(&f, e->login, "x", &e->seed, uri) != 0)
		return 0;
	migrate_uri(uri, strlen(uri), &again);
	assert(!again.skip && str_eq(again.login, e->login));
	assert(again.kind == e->kind && again.hash == e->hash &&
	       again.digits == e->digits && again.period_s == e->period_s);
	assert(again.seed.len == e->seed.len &&
	       memcmp(again.seed.bytes, e->seed.bytes, e->seed.len) == 0);
	assert(e->kind == STORE_FACTOR_TOTP || again.last_step == e->last_step);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct migrate_entry e;

	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		migrate_google(text, size - 1, &e);
		return each(&e, NULL);
	case 1:
		return migrate_pam_oath(text, size - 1, each, NULL);
	case 2:
		return migrate_otpauth(text, size - 1, each, NULL);
	}
	assert(migrate_oath_ldif(text, size - 1, each, NULL) == 0);
	return 0;
}
