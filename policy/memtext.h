/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memtext.h - a text written through a FILE into memory, that is whole or an error.
 *
 * open_memstream() of glibc drops what it has no memory for and says nothing: neither
 * ferror() nor fclose() tells, and the text goes on behind the hole. A stream with a
 * writer of its own keeps the error.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/base.h"

struct memtext {
	FILE *out; /* owned; between open and take it is what one writes to */
	char *text;
	size_t len, room;
};

#define MEMTEXT_INIT                                                                   \
	{                                                                              \
		0                                                                      \
	}

/* memtext_write() - for fopencookie(): 0 is an error that the stream keeps. */
static inline ssize_t memtext_write(void *cookie, const char *p, size_t n)
{
	struct memtext *m = cookie;
	size_t need, room;
	char *more;

	if (__builtin_add_overflow(m->len + 1, n, &need))
		return 0;
	if (need > m->room) {
		/* Most texts come in one piece, and get what they need. */
		room = need > 2 * m->room ? need : 2 * m->room;
		more = realloc(m->text, room);
		if (!more)
			return 0;
		m->text = more;
		m->room = room;
	}
	memcpy(m->text + m->len, p, n);
	m->len += n;
	m->text[m->len] = '\0';
	return (ssize_t)n;
}

/* memtext_open() - begin, in a MEMTEXT_INIT. Return: 0; -ENOMEM. */
_must_check_ static inline int memtext_open(struct memtext *m)
{
	m->out = fopencookie(m, "w", (cookie_io_functions_t){.write = memtext_write});
	return m->out ? 0 : -ENOMEM;
}

/* memtext_done() - drop what was not taken; MEMTEXT_INIT is accepted. */
static inline void memtext_done(struct memtext *m)
{
	if (m->out)
		(void)fclose(m->out); /* what it holds is dropped */
	free(m->text);
	*m = (struct memtext)MEMTEXT_INIT;
}

/*
 * memtext_take() - end it.
 * Return: 0 and the whole text, NUL behind it (free()); -ENOMEM, nothing to free.
 */
_must_check_ static inline int memtext_take(struct memtext *m, char **ret,
					    size_t *ret_len)
{
	bool failed = ferror(m->out) != 0;

	failed = fclose(STEAL(m->out)) != 0 || failed;
	if (!m->text && !failed) /* nothing was written */
		m->text = calloc(1, 1);
	if (failed || !m->text) {
		memtext_done(m);
		return -ENOMEM;
	}
	*ret_len = m->len;
	*ret = STEAL(m->text);
	return 0;
}

#define _cleanup_memtext_ _cleanup_(memtext_done)
