/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.c - the pages of a self-enrolment. Everything is prompt text: OpenSSH holds
 * messages back until the next prompt. No escape sequence is used, since the module
 * lets none pass; the picture is drawn in the terminal's light ink.
 */
#include "rbacd/enrol/page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "rbacd/enrol/qr.h"

#define ROWS	  24
#define GAP	  2
#define KEY_GROUP 4

struct page {
	char *buf; /* borrowed, ENROL_PAGE_MAX */
	size_t len;
};

/* Too much leaves len beyond the end, which page_end() sees. */
_printf_(2, 3) static void put(struct page *p, const char *fmt, ...)
{
	size_t left = p->len < ENROL_PAGE_MAX ? ENROL_PAGE_MAX - p->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(left ? p->buf + p->len : NULL, left, fmt, ap);
	va_end(ap);
	p->len += n < 0 ? ENROL_PAGE_MAX : (size_t)n;
}

static int page_end(struct page *p)
{
	if (p->len < ENROL_PAGE_MAX)
		return 0;
	explicit_bzero(p->buf, ENROL_PAGE_MAX);
	return -EMSGSIZE;
}

static void put_question(struct page *p, const struct enrol_page *v)
{
	put(p, "Code that the app shows (%s): ", v->vm);
}

/* The key of an address, @ret_len characters. */
static const char *key_of(const char *uri, size_t *ret_len)
{
	const char *key = strstr(uri, "secret=");

	*ret_len = key ? strspn(key + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") : 0;
	return key ? key + 7 : "";
}

/* @n characters of the key from @from on, in groups of four. */
static void put_key(struct page *p, const char *uri, size_t from, size_t n)
{
	size_t len;
	const char *key = key_of(uri, &len);

	for (size_t i = from; i < len && i < from + n; i += KEY_GROUP)
		put(p, "%s%.*s", i == from ? "" : " ",
		    (int)(len - i < KEY_GROUP ? len - i : KEY_GROUP), key + i);
}

/* ---------------------------------------------------------------- picture */

/* Line @i of what stands beside the picture; at most 33 columns. */
static void put_beside(struct page *p, const struct enrol_page *v, size_t i)
{
	static const char *const words[] = {
		[1] = "A second factor for",
		[4] = "Scan this with the phone's app",
		[5] = "for one-time codes, or type this",
		[6] = "key into it (time-based):",
		[11] = "No picture? Answer: text",
	};
	static const char *const later[] = {"Not now? Just press Enter. It will",
					    "be needed from"};

	if (i == 2)
		put(p, "  %.31s", v->login);
	else if (i == 8 || i == 9)
		put_key(p, v->uri, (i - 8) * 16, 16);
	else if (i == 13 && v->optional_until)
		put(p, "%s", later[0]);
	else if (i == 14 && v->optional_until)
		put(p, "%s %.12s on.", later[1], v->optional_until);
	else if (i < ARRAY_SIZE(words) && words[i])
		put(p, "%s", words[i]);
}

static int draw(const char *uri, struct qr_picture *qr)
{
	int rc = qr_draw(uri, QR_BLOCKS, QR_QUIET, qr);

	/* a line above, where the client puts words of its own, and the question */
	if (rc == 0 && qr->rows + 2 > ROWS)
		rc = qr_draw(uri, QR_BLOCKS, QR_QUIET_MIN, qr);
	return rc == 0 && qr->rows + 2 > ROWS ? -EMSGSIZE : rc;
}

int enrol_page_picture(const struct enrol_page *v, char buf[ENROL_PAGE_MAX])
{
	_cleanup_qr_ struct qr_picture *qr = malloc(sizeof(*qr));
	struct page p = {.buf = buf};
	const char *row;
	int rc;

	if (!qr)
		return -ENOMEM;
	rc = draw(v->uri, qr);
	if (rc != 0)
		return rc;
	row = qr->text;
	put(&p, "\n");
	for (size_t i = 0; i < qr->rows; i++) {
		size_t len = strcspn(row, "\n");

		put(&p, "%.*s%*s", (int)len, row, GAP, "");
		put_beside(&p, v, i);
		put(&p, "\n");
		row += len + 1;
	}
	put_question(&p, v);
	return page_end(&p);
}

/* ---------------------------------------------------------------- words */

int enrol_page_text(const struct enrol_page *v, char buf[ENROL_PAGE_MAX])
{
	struct page p = {.buf = buf};

	put(&p, "\n");
	if (v->again)
		put(&p, "That was not the code. The clocks of the phone and of this "
			"host must agree.\n");
	put(&p,
	    "A second factor for %s. Type this key into the phone's app for\n"
	    "one-time codes (time-based):\n  ",
	    v->login);
	put_key(&p, v->uri, 0, SIZE_MAX / 2);
	put(&p, "\nor open this address on the phone:\n  %s\n", v->uri);
	if (v->optional_until)
		put(&p, "Not now? Just press Enter. It will be needed from %s on.\n",
		    v->optional_until);
	put_question(&p, v);
	return page_end(&p);
}

int enrol_page_codes(const struct mfa_enrolment *e, char buf[ENROL_PAGE_MAX])
{
	struct page p = {.buf = buf};

	put(&p, "\nThe second factor is set up. These recovery codes are each good for "
		"one login\nwithout the phone. They are shown only now: keep them on "
		"paper, apart from it.\n");
	for (size_t i = 0; i < MFA_RECOVERY_CODES; i++)
		put(&p, "%s%s%s", i % 3 == 0 ? "  " : "   ", e->recovery[i],
		    i % 3 == 2 || i + 1 == MFA_RECOVERY_CODES ? "\n" : "");
	put(&p, "When you have them, press Enter: ");
	return page_end(&p);
}
