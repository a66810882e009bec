/* SPDX-License-Identifier: Apache-2.0 */
/* qr.h - a QR code for the terminal: half blocks, two modules a character. */
#pragma once

#include "policy/base.h"

enum qr_style {
	QR_COLOR,  /* UTF-8, black on white set by escape sequences: any theme scans */
	QR_BLOCKS, /* UTF-8 for dark terminals without colours */
	QR_ASCII,  /* two # a module; twice as wide and high */
};

/* Modules of white around; the standard's 4 would not fit 24 rows. */
#define QR_QUIET     2
#define QR_QUIET_MIN 1

struct qr_picture {
	size_t columns, rows;
	size_t len;
	char text[32768]; /* rows, each with its newline; secret */
};

/*
 * qr_draw() - draw @text.
 * @quiet: QR_QUIET, or QR_QUIET_MIN for a picture that is one row too high.
 * @ret:   written only on success; wiped by its holder.
 * Return: 0; -EMSGSIZE when it does not fit a QR code or a picture; -ENOMEM.
 */
_must_check_ int qr_draw(const char *text, enum qr_style style, int quiet,
			 struct qr_picture *ret);

/* qr_free() - wipe and free a picture on the heap; NULL is a no-op. */
void qr_free(struct qr_picture *p);

static inline void qr_freep(struct qr_picture **p)
{
	qr_free(*p);
}

#define _cleanup_qr_ _cleanup_(qr_freep)
