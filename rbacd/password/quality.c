/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c - judges a candidate: text, length, names, kinds of characters, lists. */
#include "rbacd/password/quality.h"

#include <crack.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pwquality.h>

#include "rbacd/password/blocklist.h"
#include "rbacd/password/simple.h"
#include "rbacd/password/text.h"

#define WORD_MIN 4 /* code points; shorter ones are part of anything */

struct candidate {
	const char *bytes; /* borrowed */
	size_t len;
	struct password_text text;
	struct password_text names; /* folded, trimmed: as names are compared */
};

static void candidate_done(struct candidate *c)
{
	explicit_bzero(c, sizeof(*c));
}

/* ------------------------------------------------------------------- names */

static bool text_eq(const struct password_text *a, const struct password_text *b)
{
	return a->n == b->n && memcmp(a->cp, b->cp, a->n * sizeof(a->cp[0])) == 0;
}

/* @word stands somewhere in @t, as it is or backwards. */
static bool text_holds(const struct password_text *t, const struct password_text *word)
{
	for (size_t i = 0; i + word->n <= t->n; i++) {
		size_t ahead = 0, back = 0;

		while (ahead < word->n && t->cp[i + ahead] == word->cp[ahead])
			ahead++;
		while (back < word->n &&
		       t->cp[i + back] == word->cp[word->n - 1 - back])
			back++;
		if (ahead == word->n || back == word->n)
			return true;
	}
	return false;
}

/* A name that is no text names nobody. */
static bool is_name(const struct candidate *c, bool whole, const char *name, size_t len)
{
	struct password_text word;

	if (len == 0 || password_text_read(name, len, true, &word) != 0)
		return false;
	password_text_trim(&word);
	if (word.n == 0)
		return false;
	return whole ? text_eq(&c->names, &word)
		     : word.n >= WORD_MIN && text_holds(&c->names, &word);
}

/* @name, or one of the parts that @between divides it into. */
static bool is_name_or_part(const struct candidate *c, bool whole, const char *name,
			    const char *between)
{
	if (!name)
		return false;
	if (is_name(c, whole, name, strlen(name)))
		return true;
	while (*name) {
		size_t len = strcspn(name, between);

		if (is_name(c, whole, name, len))
			return true;
		name += len;
		name += strspn(name, between);
	}
	return false;
}

static bool is_personal(const struct password_rules *rules,
			const struct password_facts *facts, const struct candidate *c)
{
	bool whole = rules->whole_words;

	for (size_t i = 0; i < rules->n_words; i++)
		if (is_name_or_part(c, whole, rules->words[i], ""))
			return true;
	return is_name_or_part(c, whole, facts->user, "") ||
	       is_name_or_part(c, whole, facts->real_name, " ,") ||
	       is_name_or_part(c, whole, facts->host, ".");
}

/* -------------------------------------------------------------- simplicity */

static void settings_freep(pwquality_settings_t **s)
{
	if (*s)
		pwquality_free_settings(*s);
}

/* What libpwquality says; what it cannot say about our settings is an error. */
static int translate(int code, enum password_reason *ret)
{
	switch (code) {
	case PWQ_ERROR_TOO_SIMILAR:
	case PWQ_ERROR_CASE_CHANGES_ONLY:
	case PWQ_ERROR_ROTATED:
		*ret = PASSWORD_TOO_SIMILAR;
		return 0;
	case PWQ_ERROR_SAME_PASSWORD:
		*ret = PASSWORD_SAME_AS_OLD;
		return 0;
	case PWQ_ERROR_MIN_CLASSES:
		*ret = PASSWORD_FEW_CLASSES;
		return 0;
	case PWQ_ERROR_MAX_CONSECUTIVE:
		*ret = PASSWORD_REPEATS;
		return 0;
	case PWQ_ERROR_MAX_SEQUENCE:
	case PWQ_ERROR_PALINDROME:
		*ret = PASSWORD_SEQUENCE;
		return 0;
	case PWQ_ERROR_MEM_ALLOC:
		return -ENOMEM;
	default:
		if (code < 0)
			return -EIO;
		*ret = PASSWORD_FITS;
		return 0;
	}
}

/* Its settings are all ours: no file is read, no account looked up. */
static int check_simple(const struct password_rules *rules,
			const struct simple_text *simple, enum password_reason *ret)
{
	const int values[][2] = {
		{PWQ_SETTING_MIN_LENGTH, 6}, /* its smallest; ours is checked before */
		{PWQ_SETTING_DIFF_OK, (int)rules->min_different},
		{PWQ_SETTING_MIN_CLASS, rules->classes > 2 ? (int)rules->classes : 0},
		{PWQ_SETTING_MAX_REPEAT, (int)rules->max_repeat},
		{PWQ_SETTING_MAX_SEQUENCE, (int)rules->max_sequence},
		{PWQ_SETTING_USER_CHECK, 0},
		{PWQ_SETTING_GECOS_CHECK, 0},
		{PWQ_SETTING_DICT_CHECK, 0}, /* it would ask NSS who we are */
	};
	_cleanup_(settings_freep) pwquality_settings_t *s =
		pwquality_default_settings();

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (pwquality_set_int_value(s, values[i][0], values[i][1]) != 0)
			return -EINVAL;
	return translate(pwquality_check(s, simple->fresh,
					 simple->has_old ? simple->old : NULL, NULL,
					 NULL),
			 ret);
}

const char *quality_dictionary_folder(char *buf, size_t cap)
{
	const char *path = GetDefaultCracklibDict(), *end = strrchr(path, '/');

	/* Cut off it is a folder that is not opened, and the check refuses. */
	(void)snprintf(buf, cap, "%.*s", end ? (int)(end - path) : 0, path);
	return buf;
}

int quality_find_dictionary(void)
{
	char file[512];
	int n = snprintf(file, sizeof(file), "%s.pwd", GetDefaultCracklibDict());

	if (n < 0 || (size_t)n >= sizeof(file))
		return -ENAMETOOLONG;
	return access(file, R_OK) == 0 ? 0 : -errno;
}

/* A user and a name of "": without them libcrack looks up who runs it. Without its
 * dictionary it would refuse everything and blame the password. */
static int check_dictionary(const struct simple_text *simple, enum password_reason *ret)
{
	int r = quality_find_dictionary();

	if (r == 0 && FascistCheckUser(simple->fresh, GetDefaultCracklibDict(), "", ""))
		*ret = PASSWORD_DICTIONARY;
	return r;
}

/* -------------------------------------------------------------------- lists */

static int is_listed(const struct blocklist *b, const char *bytes, size_t len,
		     bool *ret)
{
	uint8_t sha1[EVP_MAX_MD_SIZE];

	if (EVP_Digest(bytes, len, sha1, NULL, EVP_sha1(), NULL) != 1)
		return -EIO;
	*ret = blocklist_has(b, sha1);
	explicit_bzero(sha1, sizeof(sha1));
	return 0;
}

int quality_listed(const struct blocklist *b, const char *candidate, size_t len,
		   bool *ret)
{
	char utf8[PASSWORD_TEXT_MAX * 4];
	bool listed = false;
	int r = is_listed(b, candidate, len, &listed);

	for (int fold = 0; fold < 2 && r == 0 && !listed; fold++) {
		_cleanup_password_text_ struct password_text t;
		size_t n = 0;

		if (password_text_read(candidate, len, fold, &t) != 0)
			continue; /* as typed is all there is */
		n = password_text_utf8(&t, utf8, sizeof(utf8));
		if (n != len || memcmp(utf8, candidate, n) != 0)
			r = is_listed(b, utf8, n, &listed);
	}
	explicit_bzero(utf8, sizeof(utf8));
	if (r == 0)
		*ret = listed;
	return r;
}

/* -------------------------------------------------------------------- check */

static enum password_reason read_candidate(const struct password_rules *rules,
					   const char *bytes, size_t len,
					   struct candidate *ret)
{
	int r;

	if (len == 0)
		return PASSWORD_EMPTY;
	ret->bytes = bytes;
	ret->len = len;
	r = password_text_read(bytes, len, false, &ret->text);
	if (r == 0)
		r = password_text_read(bytes, len, true, &ret->names);
	if (r != 0)
		return r == PASSWORD_E_LONG ? PASSWORD_TOO_LONG : PASSWORD_BAD_TEXT;
	if (ret->text.n < rules->min_length)
		return PASSWORD_TOO_SHORT;
	if (ret->text.n > rules->max_length)
		return PASSWORD_TOO_LONG;
	password_text_trim(&ret->names);
	return PASSWORD_FITS;
}

/* Letters and digits of any script count; libpwquality knows those of ASCII alone. */
static bool lacks_letter_or_digit(const struct password_rules *rules,
				  const struct password_text *t)
{
	size_t letters, digits;

	password_text_count(t, &letters, &digits);
	return rules->classes >= 2 && (letters == 0 || digits == 0);
}

static int check_rules(const struct password_rules *rules,
		       const struct password_facts *facts, const struct candidate *c,
		       const struct simple_text *simple, enum password_reason *ret)
{
	int r = 0;

	if (is_personal(rules, facts, c))
		*ret = PASSWORD_PERSONAL;
	else if (lacks_letter_or_digit(rules, &c->text))
		*ret = PASSWORD_FEW_CLASSES;
	else if (rules->classes > 2 || rules->max_repeat > 0 ||
		 rules->max_sequence > 0 || rules->min_different > 0)
		r = check_simple(rules, simple, ret);
	if (r == 0 && *ret == PASSWORD_FITS && rules->dictionary)
		r = check_dictionary(simple, ret);
	return r;
}

static int check_listed(const struct blocklist *b, const struct candidate *c,
			enum password_reason *ret)
{
	bool listed = true;
	int r = b ? quality_listed(b, c->bytes, c->len, &listed) : -ENOENT;

	if (r == 0 && listed)
		*ret = PASSWORD_BLOCKED;
	return r;
}

int quality_check(const struct password_rules *rules,
		  const struct password_facts *facts, const char *candidate, size_t len,
		  const struct blocklist *blocklist, enum password_reason *ret)
{
	_cleanup_(candidate_done) struct candidate c;
	_cleanup_simple_ struct simple_text simple = {0};
	enum password_reason reason = PASSWORD_FITS;
	int r = 0;

	if (!rules->preset)
		return -EINVAL;
	reason = read_candidate(rules, candidate, len, &c);
	if (reason == PASSWORD_FITS) {
		simple_read(&simple, &c.text, facts->old);
		if (simple.same)
			reason = PASSWORD_SAME_AS_OLD;
	}
	if (reason == PASSWORD_FITS)
		r = check_rules(rules, facts, &c, &simple, &reason);
	if (r == 0 && reason == PASSWORD_FITS && rules->blocklist)
		r = check_listed(blocklist, &c, &reason);
	if (r == 0)
		*ret = reason;
	return r;
}
