/* SPDX-License-Identifier: Apache-2.0 */
/* code.c - tells a one-time code and a recovery code from everything else. */
#include "rbacd/wire/code.h"

#define ALPHABET_LEN  32
#define RECOVERY_LEN  16
#define RECOVERY_BODY (RECOVERY_LEN - 1)

static const char alphabet[ALPHABET_LEN + 1] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Own tables of character classes: <ctype.h> follows the host's locale. */
static int alphabet_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

char code_check_char(const char body[RECOVERY_BODY])
{
	int sum = 0;

	for (int i = 0; i < RECOVERY_BODY; i++) {
		int v = alphabet_value(body[RECOVERY_BODY - 1 - i]);

		if (v < 0)
			return 0;
		v = i % 2 == 0 ? 2 * v : v; /* Luhn: the rightmost counts double */
		sum += v / ALPHABET_LEN + v % ALPHABET_LEN;
	}
	return alphabet[(ALPHABET_LEN - sum % ALPHABET_LEN) % ALPHABET_LEN];
}

static bool is_code(const char *p, size_t len)
{
	if (len != 6 && len != 8)
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static bool is_recovery(const char *p, size_t len)
{
	if (len != RECOVERY_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (alphabet_value(p[i]) < 0)
			return false;
	return p[RECOVERY_BODY] == code_check_char(p);
}

enum wire_answer_kind code_classify(const char *text, size_t len, struct secret *ret)
{
	_cleanup_secret_ struct secret norm = SECRET_INIT;
	enum wire_answer_kind kind = WIRE_ANSWER_BLIND;
	char *p = (char *)norm.bytes;

	if (len > SECRET_MAX)
		return WIRE_ANSWER_BLIND;
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '-')
			p[norm.len++] = upper(text[i]);
	if (norm.len == 0)
		return WIRE_ANSWER_EMPTY;
	if (is_code(p, norm.len))
		kind = WIRE_ANSWER_CODE;
	else if (is_recovery(p, norm.len))
		kind = WIRE_ANSWER_RECOVERY;
	if (kind != WIRE_ANSWER_BLIND)
		*ret = norm;
	return kind;
}
