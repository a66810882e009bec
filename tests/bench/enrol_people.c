/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrol_people.c - fills a new database with enrolled test people.
 *
 * usage: enrol_people DATABASE KEY COUNT SEEDS
 * Logins are p000000 on, ids "bench:LOGIN"; SEEDS gets "login base32-seed" lines.
 */
#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "rbacd/mfa/mfa.h"
#include "tests/bench/measure.h"

/* The base32 text of an otpauth URI. */
static void seed_of(const char *uri, char *buf, size_t cap)
{
	const char *p = strstr(uri, "secret=");
	size_t len = p ? strcspn(p + 7, "&") : 0;

	if (len == 0 || len >= cap)
		die("no secret in the enrolment");
	memcpy(buf, p + 7, len);
	buf[len] = '\0';
}

static void confirm(struct mfa *mfa, const char *id, const char *base32, int64_t now_s)
{
	struct secret code = {0};
	char *raw = NULL, text[7];
	size_t len = 0;

	if (oath_base32_decode(base32, strlen(base32), &raw, &len) != OATH_OK ||
	    oath_totp_generate(raw, len, now_s, 30, 0, 6, text) != OATH_OK)
		die("no code");
	free(raw);
	memcpy(code.bytes, text, 6);
	code.len = 6;
	if (mfa_enrol_confirm(mfa, id, &code, now_s) != 0)
		die("%s: not confirmed", id);
	secret_done(&code);
}

static void enrol(struct mfa *mfa, const char *login, int64_t now_s, FILE *seeds)
{
	static const struct mfa_enrol_options opt = {.issuer = "bench",
						     .kind = STORE_FACTOR_TOTP,
						     .hash = STORE_SHA1,
						     .digits = 6,
						     .period_s = 30};
	struct mfa_enrolment e = MFA_ENROLMENT_INIT;
	char id[64], base32[128];

	(void)snprintf(id, sizeof(id), "bench:%s", login);
	if (mfa_enrol_begin(mfa, id, login, &opt, now_s, &e) != 0)
		die("%s: not enrolled", id);
	seed_of(e.uri, base32, sizeof(base32));
	mfa_enrolment_done(&e);
	confirm(mfa, id, base32, now_s);
	(void)fprintf(seeds, "%s %s\n", login, base32);
}

int main(int argc, char **argv)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct store *store = NULL;
	struct seal *seal = NULL;
	struct mfa *mfa = NULL;
	/* Before any login, so that the first code of each is a fresh one. */
	int64_t now_s = (int64_t)time(NULL) - 120;
	FILE *seeds;

	if (argc != 5)
		die("usage: enrol_people DATABASE KEY COUNT SEEDS");
	(void)umask(077);
	seeds = fopen(argv[4], "we");
	if (!seeds || seal_open(argv[2], 0, &seal, &diag) != 0 ||
	    store_open(&(struct store_options){.path = argv[1]}, &store, &diag) != 0 ||
	    mfa_new(store, seal, &mfa) != 0) {
		diags_print(&diag, stderr);
		die("%s: cannot be opened", argv[1]);
	}
	for (unsigned long i = 0, n = strtoul(argv[3], NULL, 10); i < n; i++) {
		char login[32];

		(void)snprintf(login, sizeof(login), "p%06lu", i);
		enrol(mfa, login, now_s, seeds);
	}
	if (store_commit(store) != 0 || fclose(seeds) != 0)
		die("not written");
	store_idle(store);
	mfa_free(mfa);
	store_close(store);
	seal_free(seal);
	return 0;
}
