/* SPDX-License-Identifier: Apache-2.0 */
/* qr.h - a QR code for the terminal: half blocks, two modules a character. */
#pragma once

#include <stdio.h>

#include "policy/base.h"

enum qr_style {
	QR_COLOR,  /* UTF-8, black on white set by escape sequences: any theme scans */
	QR_BLOCKS, /* UTF-8 for dark terminals without colours */
	QR_ASCII,  /* two # a module; twice as wide and high */
};

#define QR_QUIET                                                                       \
	2 /* modules of white around; the standard's 4 would not fit 24 rows           \
	   */

/*
 * qr_print() - draw @text.
 * @ret_columns, @ret_rows: what it took.
 * Return: 0; -EMSGSIZE when it does not fit a QR code; -ENOMEM.
 */
_must_check_ int qr_print(const char *text, enum qr_style style, FILE *out,
			  size_t *ret_columns, size_t *ret_rows);
