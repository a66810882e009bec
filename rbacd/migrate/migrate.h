/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.h - second factors out of other programs' files. Pure: bytes in, entries out.
 *
 * People can write most of these files themselves, so they are read as hostile: every
 * number has a range, every length a bound, and what is not understood is not taken.
 */
#pragma once

#include "rbacd/store/store.h"

#define MIGRATE_CODES_MAX 10
#define MIGRATE_SKEW_MAX  10

struct migrate_entry {
	unsigned line;			 /* where it begins, from 1 */
	char login[STORE_LOGIN_MAX + 1]; /* "": the file does not say */
	enum store_factor_kind kind;	 /* TOTP or HOTP */
	enum store_hash hash;
	uint8_t digits;
	uint16_t period_s;
	int64_t last_step; /* HOTP: counter used last; -1: none */
	int skew;	   /* TOTP: steps that the phone is ahead */
	struct secret seed;
	char codes[MIGRATE_CODES_MAX][9]; /* recovery codes of eight digits */
	size_t n_codes;
	const char *skip; /* static: why it cannot be taken; NULL: it can */
};

/* What becomes of an entry; wiped after the call. Non-zero stops and is returned. */
typedef int migrate_fn(const struct migrate_entry *e, void *arg);

/* migrate_google() - ~/.google_authenticator; it names nobody. */
void migrate_google(const char *text, size_t len, struct migrate_entry *ret);
/* migrate_pam_oath() - a users file of liboath: TYPE USER PIN SECRET [COUNTER …]. */
_must_check_ int migrate_pam_oath(const char *text, size_t len, migrate_fn *fn,
				  void *arg);
/* migrate_otpauth() - one otpauth:// address a line; # begins a comment. */
_must_check_ int migrate_otpauth(const char *text, size_t len, migrate_fn *fn,
				 void *arg);
/* migrate_uri() - one address; ret->skip says what is wrong. */
void migrate_uri(const char *text, size_t len, struct migrate_entry *ret);
/*
 * migrate_oath_ldif() - people, tokens and parameters of OATH-LDAP, or of slapd's otp
 * overlay, as one LDIF. Also -ENOMEM; -E2BIG: too many entries.
 */
_must_check_ int migrate_oath_ldif(const char *text, size_t len, migrate_fn *fn,
				   void *arg);
