/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code.h - the grammar of what people type at a code prompt.
 *
 * One-time code: 6 or 8 ASCII digits; spaces and hyphens are dropped first.
 * Recovery code: XXXX-XXXX-XXXX-XXXX of A-Z2-7 (lower case accepted, hyphens and spaces
 * optional): 15 characters carry 75 random bits, the last is a check character (Luhn
 * mod 32 over the alphabet), so that a password of that shape is told apart.
 */
#pragma once

#include "rbacd/wire/wire.h"

/*
 * code_classify() - normalise @text and tell what it is.
 * @len: at most SECRET_MAX are looked at; more is BLIND.
 * @ret: normalised digits or 16 upper-case characters; written only for CODE, RECOVERY.
 * Return: WIRE_ANSWER_CODE, _RECOVERY, _EMPTY (nothing but spaces and hyphens) or
 * _BLIND.
 */
enum wire_answer_kind code_classify(const char *text, size_t len, struct secret *ret);

/* code_check_char() - the check character for 15 characters of A-Z2-7. */
char code_check_char(const char body[15]);
