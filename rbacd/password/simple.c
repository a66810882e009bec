/* SPDX-License-Identifier: Apache-2.0 */
/* simple.c - gives each foreign character of two passwords a byte of its own. */
#include "rbacd/password/simple.h"

#define ASCII_N 128

/* The foreign characters of both, ascending, each once. */
struct alphabet {
	size_t n;
	int32_t cp[2 * PASSWORD_TEXT_MAX];
};

static void alphabet_done(struct alphabet *a)
{
	explicit_bzero(a, sizeof(*a));
}

/* By insertion: qsort() would leave a copy on the heap. */
static void collect(struct alphabet *a, const struct password_text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t at = a->n;

		while (at > 0 && a->cp[at - 1] > t->cp[i])
			at--;
		if (t->cp[i] < ASCII_N || (at > 0 && a->cp[at - 1] == t->cp[i]))
			continue;
		memmove(a->cp + at + 1, a->cp + at, (a->n - at) * sizeof(a->cp[0]));
		a->cp[at] = t->cp[i];
		a->n++;
	}
}

/* Steps up to @cp: one to the next character, two over a gap, so that a sequence stays
 * one and nothing else becomes one. From the 64th gap on bytes come again. */
static char byte_of(const struct alphabet *a, int32_t cp)
{
	unsigned step = 0;

	if (cp < ASCII_N)
		return (char)cp;
	for (size_t i = 1; i < a->n && a->cp[i] <= cp; i++)
		step += a->cp[i] - a->cp[i - 1] > 1 ? 2 : 1;
	return (char)(ASCII_N + step % ASCII_N);
}

static void write_bytes(const struct alphabet *a, const struct password_text *t,
			char *ret)
{
	for (size_t i = 0; i < t->n; i++)
		ret[i] = byte_of(a, t->cp[i]);
	ret[t->n] = '\0';
}

void simple_read(struct simple_text *s, const struct password_text *fresh,
		 const char *old)
{
	_cleanup_password_text_ struct password_text before = {0};
	_cleanup_(alphabet_done) struct alphabet a;

	a.n = 0;
	s->has_old = old && *old &&
		     password_text_read(old, strlen(old), false, &before) == 0;
	collect(&a, fresh);
	if (s->has_old)
		collect(&a, &before);
	write_bytes(&a, fresh, s->fresh);
	if (s->has_old)
		write_bytes(&a, &before, s->old);
	s->same = s->has_old && before.n == fresh->n &&
		  memcmp(before.cp, fresh->cp, fresh->n * sizeof(fresh->cp[0])) == 0;
}
