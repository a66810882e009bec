/* SPDX-License-Identifier: Apache-2.0 */
/* quality_text.c - the rules and the refusals in words, for the log and for people. */
#include <stdarg.h>

#include "rbacd/password/quality.h"

const char *quality_reason_name(enum password_reason reason)
{
	switch (reason) {
	case PASSWORD_UNCHECKED:
		return "pw_unchecked";
	case PASSWORD_EMPTY:
		return "pw_empty";
	case PASSWORD_TOO_SHORT:
		return "pw_too_short";
	case PASSWORD_TOO_LONG:
		return "pw_too_long";
	case PASSWORD_BAD_TEXT:
		return "pw_bad_text";
	case PASSWORD_FEW_CLASSES:
		return "pw_class";
	case PASSWORD_REPEATS:
		return "pw_repeat";
	case PASSWORD_SEQUENCE:
		return "pw_sequence";
	case PASSWORD_SAME_AS_OLD:
		return "pw_same";
	case PASSWORD_TOO_SIMILAR:
		return "pw_similar";
	case PASSWORD_BLOCKED:
		return "pw_blocklisted";
	case PASSWORD_DICTIONARY:
		return "pw_dictionary";
	case PASSWORD_PERSONAL:
		return "pw_personal";
	case PASSWORD_IN_HISTORY:
		return "pw_reused";
	case PASSWORD_TOO_YOUNG:
		return "pw_too_soon";
	case PASSWORD_MISMATCH:
		return "pw_mismatch";
	case PASSWORD_NO_RULES:
		return "pw_no_rules";
	case PASSWORD_REASON_N:
	case PASSWORD_FITS: /* no reason at all */
		break;
	}
	return "internal";
}

struct text {
	char *buf;
	size_t len; /* of QUALITY_TEXT_MAX; the rest is cut off */
};

static void say(struct text *t, const char *fmt, ...) _printf_(2, 3);
static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, QUALITY_TEXT_MAX - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len >= QUALITY_TEXT_MAX)
		t->len = QUALITY_TEXT_MAX - 1;
}

static const char *kinds(const struct password_rules *rules)
{
	switch (rules->classes) {
	case 4:
		return "small letters, capital letters, digits and other characters";
	case 3:
		return "a letter, a digit and a third kind of character";
	default:
		return "a letter and a digit";
	}
}

static void say_sequence(struct text *t, const struct password_rules *rules)
{
	if (rules->max_sequence > 0)
		say(t,
		    "The password has more than %u characters in a sequence, such as "
		    "abcd or 4321, or reads the same backwards.",
		    rules->max_sequence);
	else
		say(t, "The password reads the same backwards.");
}

static void say_personal(struct text *t, const struct password_rules *rules)
{
	say(t, "The password %s: yours, this host's or one of the organisation.",
	    rules->whole_words ? "is a name" : "holds a name");
}

static void say_reason(struct text *t, enum password_reason reason,
		       const struct password_rules *rules)
{
	switch (reason) {
	case PASSWORD_EMPTY:
		return say(t, "No password was typed.");
	case PASSWORD_TOO_SHORT:
		return say(t,
			   "The password is too short: it needs %u characters or more.",
			   rules->min_length);
	case PASSWORD_TOO_LONG:
		return say(t,
			   "The password is too long: at most %u characters and 511 "
			   "bytes.",
			   rules->max_length);
	case PASSWORD_BAD_TEXT:
		return say(t, "The password has control characters or is no text.");
	case PASSWORD_FEW_CLASSES:
		return say(t, "The password needs %s.", kinds(rules));
	case PASSWORD_REPEATS:
		return say(t,
			   "The password has one character more than %u times in a "
			   "row.",
			   rules->max_repeat);
	case PASSWORD_SEQUENCE:
		return say_sequence(t, rules);
	case PASSWORD_SAME_AS_OLD:
		return say(t, "This is the current password.");
	case PASSWORD_TOO_SIMILAR:
		return say(t, "The password is too much like the current one.");
	case PASSWORD_BLOCKED:
		return say(t, "The password is in a list of common or leaked ones.");
	case PASSWORD_DICTIONARY:
		return say(t, "The password is based on a word of the dictionary, or "
			      "too simple.");
	case PASSWORD_PERSONAL:
		return say_personal(t, rules);
	case PASSWORD_IN_HISTORY:
		return say(t, "The password is one of the last %u.", rules->history);
	case PASSWORD_TOO_YOUNG:
		return say(t,
			   "The password was changed less than %u day%s ago: wait, or "
			   "ask an administrator.",
			   rules->min_age_d, rules->min_age_d == 1 ? "" : "s");
	case PASSWORD_MISMATCH:
		return say(t, "The two passwords differ.");
	case PASSWORD_NO_RULES:
		return say(t, "The policy has no rules for passwords.");
	case PASSWORD_FITS:
		return say(t, "The password fits.");
	case PASSWORD_UNCHECKED:
	case PASSWORD_REASON_N:
		break;
	}
	say(t, "The password could not be checked, so it is refused.");
}

void quality_reason_text(enum password_reason reason,
			 const struct password_rules *rules, char buf[QUALITY_TEXT_MAX])
{
	struct text t = {buf, 0};

	say_reason(&t, reason, rules);
}

/* The first line is what to type, the second what not. */
void quality_guidance(const struct password_rules *rules, char buf[QUALITY_TEXT_MAX])
{
	struct text t = {buf, 0};

	buf[0] = '\0';
	if (!rules->preset)
		return;
	say(&t, "At least %u characters", rules->min_length);
	if (rules->classes > 0)
		say(&t, ", with %s", kinds(rules));
	else
		say(&t, " of any kind, blanks too");
	say(&t, ".\nNo %s, %s",
	    rules->blocklist ? "common password" : "dictionary word",
	    rules->whole_words ? "name" : "names in it");
	if (rules->max_repeat > 0 || rules->max_sequence > 0)
		say(&t, ", no runs such as aaaa or 4321");
	if (rules->history > 0)
		say(&t, ", none of the last %u", rules->history);
	say(&t, ".");
}
