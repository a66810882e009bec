/* SPDX-License-Identifier: Apache-2.0 */
/* pin_text.c - line by line: a line without a place is copied. */

#include "rbacd/ctl/pin_text.h"
#include "policy/memtext.h"

#include <errno.h>

struct line {
	const char *text; /* borrowed; without its end */
	size_t len;
	unsigned number; /* from 1 */
};

/* The byte at which the character of @column begins; SIZE_MAX: the line is shorter. */
static size_t offset_of(const struct line *l, unsigned column)
{
	size_t at = 0;

	for (; column > 1 && at < l->len; column--) {
		at++;
		while (at < l->len && ((unsigned char)l->text[at] & 0xc0) == 0x80)
			at++;
	}
	return column == 1 && at < l->len ? at : SIZE_MAX;
}

static bool id_fits(const char *id)
{
	return *id && !strpbrk(id, "\"\\") && strlen(id) == strcspn(id, "\r\n\t");
}

/* {dn: …}: behind the brace. */
static void put_flow(FILE *out, const struct line *l, size_t at, const char *id)
{
	size_t next = at + 1 + strspn(l->text + at + 1, " ");

	(void)fprintf(out, "{id: \"%s\"%s", id, /* memory; memtext_take() tells */
		      next < l->len && l->text[next] == '}' ? "" : ", ");
}

/* The new text of a line with places; @v[0 … n) are all on it. */
static int put_line(FILE *out, const struct line *l, const struct pin_place *v,
		    size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = offset_of(l, v[i].column);

		if (at == SIZE_MAX || at < done || !id_fits(v[i].id))
			return -EINVAL;
		(void)fwrite(l->text + done, 1, at - done, out);
		done = at;
		if (l->text[at] == '{') {
			put_flow(out, l, at, v[i].id);
			done++;
		} else if (strspn(l->text, " ") == at) {
			/* Its first key: ours comes before it, as deep as it. */
			(void)fprintf(out, "id: \"%s\"\n%*s", v[i].id, (int)at, "");
		} else {
			return -EINVAL;
		}
	}
	(void)fwrite(l->text + done, 1, l->len - done, out);
	return 0;
}

static bool ends_with(const char *text, size_t len, const struct line *l)
{
	return len > l->len && text[len - l->len - 1] == '\n' &&
	       memcmp(text + len - l->len, l->text, l->len) == 0;
}

/* @shift: how many lines were added above. Return: how many this one adds. */
static unsigned put_hunk(FILE *diff, const struct line *l, const char *text, size_t len,
			 unsigned shift)
{
	bool before = ends_with(text, len, l);
	size_t shown = before ? len - l->len - 1 : len;

	if (before)
		(void)fprintf(diff, "@@ -%u,0 +%u @@\n", l->number - 1,
			      l->number + shift);
	else
		(void)fprintf(diff, "@@ -%u +%u @@\n-%.*s\n", l->number,
			      l->number + shift, (int)l->len, l->text);
	(void)fprintf(diff, "+%.*s\n", (int)shown, text);
	return before ? 1 : 0;
}

/* A line with places, into @out and into the diff. */
static int change_line(FILE *out, FILE *diff, const struct line *l,
		       const struct pin_place *v, size_t n, unsigned *shift)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = memtext_open(&m);

	if (r == 0)
		r = put_line(m.out, l, v, n);
	if (r == 0)
		r = memtext_take(&m, &text, &len);
	if (r != 0)
		return r;
	(void)fwrite(text, 1, len, out);
	*shift += put_hunk(diff, l, text, len, *shift);
	return 0;
}

static int change_all(FILE *out, FILE *diff, const struct policy_source *src,
		      const struct pin_place *v, size_t n)
{
	struct line l = {.text = src->buf};
	const char *end = src->buf + src->len;
	unsigned shift = 0;
	int r = 0;

	(void)fprintf(diff, "--- %s\n+++ %s\n", src->name, src->name);
	while (l.text < end && r == 0) {
		const char *stop = memchr(l.text, '\n', (size_t)(end - l.text));
		size_t mine = 0;

		l.len = (size_t)((stop ? stop : end) - l.text);
		l.number++;
		while (mine < n && v[mine].line == l.number)
			mine++;
		if (mine > 0)
			r = change_line(out, diff, &l, v, mine, &shift);
		else
			(void)fwrite(l.text, 1, l.len, out);
		if (stop)
			(void)fputc('\n', out);
		v += mine;
		n -= mine;
		l.text += l.len + (stop ? 1 : 0);
	}
	return r == 0 && n > 0 ? -EINVAL : r;
}

int pin_text(const struct policy_source *src, const struct pin_place *v, size_t n,
	     FILE *diff, char **ret, size_t *ret_len)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	int r = memtext_open(&m);

	if (r == 0)
		r = change_all(m.out, diff, src, v, n);
	return r == 0 ? memtext_take(&m, ret, ret_len) : r;
}
