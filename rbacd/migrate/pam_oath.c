/* SPDX-License-Identifier: Apache-2.0 */
/* pam_oath.c - the users file of liboath: TYPE USER PIN SECRET [COUNTER [OTP [TIME]]].
 */
#include "rbacd/migrate/scan.h"

/* HOTP, HOTP/E, HOTP/T30, HOTP/T60; each may end in /6, /7 or /8. */
static bool read_type(struct span type, struct migrate_entry *e)
{
	e->kind = STORE_FACTOR_HOTP;
	e->hash = STORE_SHA1;
	e->digits = 6;
	if (!scan_after(&type, "HOTP"))
		return false;
	if (scan_after(&type, "/T30") || scan_after(&type, "/T60")) {
		e->kind = STORE_FACTOR_TOTP;
		e->period_s = type.p[-2] == '3' ? 30 : 60;
	} else if (!scan_after(&type, "/E") && type.len > 0) {
		return false;
	}
	if (type.len == 0)
		return true;
	if (!scan_is(type, "/6") && !scan_is(type, "/7") && !scan_is(type, "/8"))
		return false;
	e->digits = (uint8_t)(type.p[1] - '0');
	if (e->digits == 7)
		e->skip = "codes of seven digits";
	return true;
}

/* The counter is the one used last when the last code stands behind it, else the next.
 */
static void read_counter(struct span rest, struct migrate_entry *e)
{
	struct span counter, last;
	int64_t n = 0;

	e->last_step = -1;
	if (e->kind != STORE_FACTOR_HOTP || !scan_word(&rest, &counter))
		return;
	if (!scan_number(counter, INT32_MAX, &n))
		e->skip = "the counter cannot be read";
	e->last_step = scan_word(&rest, &last) ? n : n - 1;
}

static void read_user(struct span line, struct migrate_entry *e)
{
	struct span type, user = {0}, pin = {0}, secret = {0};

	if (!scan_word(&line, &type) || !scan_word(&line, &user) ||
	    !scan_word(&line, &pin) || !scan_word(&line, &secret) ||
	    !scan_login(user, e)) {
		e->skip = "a line that is not TYPE USER PIN SECRET";
		return;
	}
	if (!read_type(type, e))
		e->skip = "a type that is not known";
	else if (!scan_is(pin, "-") && !scan_is(pin, "+"))
		e->skip = "a PIN, which would be lost";
	scan_seed(e, scan_hex(secret, &e->seed));
	if (!e->skip)
		read_counter(line, e);
}

int migrate_pam_oath(const char *text, size_t len, migrate_fn *fn, void *arg)
{
	struct span rest = {text, len}, line, first;
	int r = 0;

	for (unsigned n = 1; r == 0 && scan_line(&rest, &line); n++) {
		struct migrate_entry e = {.line = n};
		struct span look = line;

		if (!scan_word(&look, &first) || *first.p == '#')
			continue;
		if (scan_plain(line))
			read_user(line, &e);
		else
			e.skip = "it is no text";
		r = fn(&e, arg);
		explicit_bzero(&e, sizeof(e));
	}
	return r;
}
