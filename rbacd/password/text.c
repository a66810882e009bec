/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - UTF-8 to code points and back, by utf8proc; before the quality check. */
#include "rbacd/password/text.h"

#include <utf8proc.h>

/* Sets of categories. */
#define OF(c)	(1u << UTF8PROC_CATEGORY_##c)
#define LETTERS (OF(LU) | OF(LL) | OF(LT) | OF(LM) | OF(LO))
#define MARKS	(OF(MN) | OF(MC) | OF(ME))
#define DIGITS	OF(ND)
#define REFUSED (OF(CC) | OF(CS) | OF(ZL) | OF(ZP))

static bool is_of(int32_t cp, unsigned categories)
{
	return categories >> utf8proc_category(cp) & 1;
}

/* Accepted: what people type, emoji with their joiners and text from right to left too.
 * Not assigned is accepted as well: the next Unicode's emoji are not in our tables. */
static bool is_character(int32_t cp)
{
	if ((cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef))
		return false; /* noncharacters */
	return !is_of(cp, REFUSED);
}

int password_text_read(const char *bytes, size_t len, bool fold,
		       struct password_text *ret)
{
	const utf8proc_option_t options =
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | (fold ? UTF8PROC_CASEFOLD : 0);
	_cleanup_password_text_ struct password_text t;
	utf8proc_ssize_t n;

	t.n = 0;
	if (len > PASSWORD_BYTES_MAX)
		return PASSWORD_E_LONG;
	n = utf8proc_decompose((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)len,
			       t.cp, PASSWORD_TEXT_MAX, options);
	if (n >= 0 && n <= PASSWORD_TEXT_MAX)
		n = utf8proc_normalize_utf32(t.cp, n, options);
	else if (n > 0)
		return PASSWORD_E_LONG;
	if (n < 0)
		return PASSWORD_E_TEXT;
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (!is_character(t.cp[i]))
			return PASSWORD_E_TEXT;
	memcpy(ret->cp, t.cp, (size_t)n * sizeof(t.cp[0]));
	ret->n = (size_t)n;
	return 0;
}

size_t password_text_utf8(const struct password_text *t, char *buf, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (cap - len < 4)
			return 0;
		len += (size_t)utf8proc_encode_char(t->cp[i],
						    (utf8proc_uint8_t *)buf + len);
	}
	return len;
}

void password_text_trim(struct password_text *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (is_of(t->cp[i], LETTERS | MARKS | DIGITS))
			t->cp[n++] = t->cp[i];
	t->n = n;
}

void password_text_count(const struct password_text *t, size_t *ret_letters,
			 size_t *ret_digits)
{
	*ret_letters = *ret_digits = 0;
	for (size_t i = 0; i < t->n; i++) {
		*ret_letters += is_of(t->cp[i], LETTERS);
		*ret_digits += is_of(t->cp[i], DIGITS);
	}
}
