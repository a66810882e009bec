/* SPDX-License-Identifier: Apache-2.0 */
/*
 * google.c - ~/.google_authenticator: the secret, then lines '" OPTION VALUES', then
 * scratch codes. Options that limit or remember are the old module's business; those
 * that change which codes are right must be understood.
 */
#include "rbacd/migrate/scan.h"

#define OTHER_STEP "a step other than 30 or 60 s"

static bool read_skew(struct span value, int *ret)
{
	bool minus = scan_after(&value, "-");
	int64_t n;

	if (!scan_number(value, MIGRATE_SKEW_MAX, &n))
		return false;
	*ret = minus ? (int)-n : (int)n;
	return true;
}

static void read_option(struct span line, struct migrate_entry *e)
{
	static const char *const harmless[] = {"TOTP_AUTH", "WINDOW_SIZE", "RATE_LIMIT",
					       "DISALLOW_REUSE", "RESETTING_TIME_SKEW"};
	struct span name = {0}, value = {0};
	int64_t n;

	(void)scan_word(&line, &name); /* empty: not known below */
	(void)scan_word(&line, &value);
	if (scan_is(name, "HOTP_COUNTER")) {
		e->kind = STORE_FACTOR_HOTP;
		if (!scan_number(value, INT32_MAX, &n))
			e->skip = "the counter cannot be read";
		else
			e->last_step = n - 1;
	} else if (scan_is(name, "STEP_SIZE")) {
		if (!scan_number(value, 60, &n) || (n != 30 && n != 60))
			e->skip = OTHER_STEP;
		else
			e->period_s = (uint16_t)n;
	} else if (scan_is(name, "TIME_SKEW")) {
		if (!read_skew(value, &e->skew))
			e->skip = "the phone's clock is off by more than 10 steps";
	} else if (!scan_after(&name, "LAST")) { /* LAST0 …: where logins came from */
		for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
			if (scan_is(name, harmless[i]))
				return;
		e->skip = "an option that is not known";
	}
}

static void add_code(struct span line, struct migrate_entry *e)
{
	int64_t n;

	if (line.len != 8 || !scan_number(line, 99999999, &n)) {
		e->skip = "a line that is no option and no scratch code";
		return;
	}
	for (size_t i = 0; i < e->n_codes; i++)
		if (memcmp(e->codes[i], line.p, 8) == 0)
			return; /* a second one of the same would be a second use */
	if (e->n_codes == MIGRATE_CODES_MAX) {
		e->skip = "more scratch codes than the program makes";
		return;
	}
	memcpy(e->codes[e->n_codes++], line.p, 8);
}

void migrate_google(const char *text, size_t len, struct migrate_entry *ret)
{
	struct span rest = {text, len}, line;

	*ret = (struct migrate_entry){.line = 1,
				      .kind = STORE_FACTOR_TOTP,
				      .hash = STORE_SHA1,
				      .digits = 6,
				      .period_s = 30,
				      .last_step = -1};
	scan_seed(ret, scan_line(&rest, &line) && scan_base32(line, &ret->seed));
	while (!ret->skip && scan_line(&rest, &line)) {
		if (!scan_plain(line))
			ret->skip = "it is no text";
		else if (scan_after(&line, "\" "))
			read_option(line, ret);
		else if (line.len > 0)
			add_code(line, ret);
	}
	if (ret->kind == STORE_FACTOR_HOTP)
		ret->period_s = 0;
}
