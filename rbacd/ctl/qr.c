/* SPDX-License-Identifier: Apache-2.0 */
/* qr.c - QR codes with libqrencode, level L: the smallest picture for a phone's camera.
 */

#include "rbacd/ctl/qr.h"

#include <errno.h>
#include <qrencode.h>

#define BLACK_ON_WHITE "\033[38;5;16;48;5;231m"
#define PLAIN	       "\033[0m"

/* Dark inside the symbol; the quiet zone and beyond are light. */
static bool is_dark(const QRcode *qr, int x, int y)
{
	if (x < 0 || y < 0 || x >= qr->width || y >= qr->width)
		return false;
	return qr->data[y * qr->width + x] & 1;
}

/* One character for two modules, one above the other. */
static const char *half_block(bool upper, bool lower)
{
	if (upper && lower)
		return "\u2588";
	return upper ? "\u2580" : lower ? "\u2584" : " ";
}

static void print_blocks(const QRcode *qr, bool color, FILE *out)
{
	/* Without colours the light modules are drawn, in the terminal's light ink. */
	for (int y = -QR_QUIET; y < qr->width + QR_QUIET; y += 2) {
		bool last = y + 1 >= qr->width + QR_QUIET;

		(void)fputs(color ? BLACK_ON_WHITE : "", out);
		for (int x = -QR_QUIET; x < qr->width + QR_QUIET; x++)
			(void)fputs(half_block(is_dark(qr, x, y) == color,
					       !last && is_dark(qr, x, y + 1) == color),
				    out);
		(void)fputs(color ? PLAIN "\n" : "\n", out);
	}
}

static void print_ascii(const QRcode *qr, FILE *out)
{
	for (int y = -QR_QUIET; y < qr->width + QR_QUIET; y++) {
		for (int x = -QR_QUIET; x < qr->width + QR_QUIET; x++)
			(void)fputs(is_dark(qr, x, y) ? "  " : "##", out);
		(void)fputc('\n', out);
	}
}

/* The library keeps the secret's picture on its heap: wipe before it is given back. */
static void qr_freep(QRcode **qr)
{
	if (!*qr)
		return;
	explicit_bzero((*qr)->data, (size_t)(*qr)->width * (size_t)(*qr)->width);
	QRcode_free(*qr);
}

int qr_print(const char *text, enum qr_style style, FILE *out, size_t *ret_columns,
	     size_t *ret_rows)
{
	_cleanup_(qr_freep) QRcode *qr =
		QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	size_t side;

	if (!qr)
		return errno == ERANGE	 ? -EMSGSIZE
		       : errno == ENOMEM ? -ENOMEM
					 : -EINVAL;
	side = (size_t)qr->width + 2 * QR_QUIET;
	if (style == QR_ASCII)
		print_ascii(qr, out);
	else
		print_blocks(qr, style == QR_COLOR, out);
	*ret_columns = style == QR_ASCII ? 2 * side : side;
	*ret_rows = style == QR_ASCII ? side : (side + 1) / 2;
	return 0;
}
