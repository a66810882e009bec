/* SPDX-License-Identifier: Apache-2.0 */
/* qr.c - QR codes with libqrencode, level L: the smallest picture for a phone's camera.
 */

#include "rbacd/enrol/qr.h"

#include <errno.h>
#include <qrencode.h>

#define BLACK_ON_WHITE "\033[38;5;16;48;5;231m"
#define PLAIN	       "\033[0m"

void qr_free(struct qr_picture *p)
{
	if (p)
		explicit_bzero(p, sizeof(*p));
	free(p);
}

/* One that is too long leaves len beyond the end, which qr_draw() sees. */
static void put(struct qr_picture *p, const char *s)
{
	size_t n = strlen(s);

	if (p->len + n < sizeof(p->text))
		memcpy(p->text + p->len, s, n + 1);
	p->len += n;
}

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

static void draw_blocks(const QRcode *qr, bool color, int quiet, struct qr_picture *p)
{
	int end = qr->width + quiet;

	/* Without colours the light modules are drawn, in the terminal's light ink. */
	for (int y = -quiet; y < end; y += 2) {
		bool last = y + 1 >= end;

		put(p, color ? BLACK_ON_WHITE : "");
		for (int x = -quiet; x < end; x++)
			put(p, half_block(is_dark(qr, x, y) == color,
					  !last && is_dark(qr, x, y + 1) == color));
		put(p, color ? PLAIN "\n" : "\n");
	}
}

static void draw_ascii(const QRcode *qr, int quiet, struct qr_picture *p)
{
	for (int y = -quiet; y < qr->width + quiet; y++) {
		for (int x = -quiet; x < qr->width + quiet; x++)
			put(p, is_dark(qr, x, y) ? "  " : "##");
		put(p, "\n");
	}
}

/* The library keeps the secret's picture on its heap: wipe before it is given back. */
static void code_freep(QRcode **qr)
{
	if (!*qr)
		return;
	explicit_bzero((*qr)->data, (size_t)(*qr)->width * (size_t)(*qr)->width);
	QRcode_free(*qr);
}

/*
 * The library frees its copies of the text as they are. An allocator hands out first
 * what was freed last: so take some blocks of each size that a copy may have, and wipe
 * them. Best effort; what asked for them, in qr_draw(), is over by then.
 */
static void wipe_freed(void)
{
	void *block[16];

	for (size_t size = 24; size <= 4096; size += size < 1040 ? 16 : 1024) {
		for (size_t i = 0; i < ARRAY_SIZE(block); i++) {
			block[i] = malloc(size);
			if (block[i])
				explicit_bzero(block[i], size);
		}
		for (size_t i = 0; i < ARRAY_SIZE(block); i++)
			free(block[i]);
	}
}

int qr_draw(const char *text, enum qr_style style, int quiet, struct qr_picture *ret)
{
	_cleanup_(code_freep) QRcode *qr =
		QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	const int error = errno; /* of the line above */
	size_t side;

	wipe_freed();
	if (!qr)
		return error == ERANGE	 ? -EMSGSIZE
		       : error == ENOMEM ? -ENOMEM
					 : -EINVAL;
	ret->len = 0;
	if (style == QR_ASCII)
		draw_ascii(qr, quiet, ret);
	else
		draw_blocks(qr, style == QR_COLOR, quiet, ret);
	if (ret->len >= sizeof(ret->text))
		return -EMSGSIZE;
	side = (size_t)qr->width + 2 * (size_t)quiet;
	ret->columns = style == QR_ASCII ? 2 * side : side;
	ret->rows = style == QR_ASCII ? side : (side + 1) / 2;
	return 0;
}
