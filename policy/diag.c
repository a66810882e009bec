/* SPDX-License-Identifier: Apache-2.0 */
/* diag.c - collects and prints diagnostics for people; used by every YAML reader. */
#include "policy/diag.h"

#include <stdarg.h>

#define EXCERPT_MAX 200 /* bytes of a source line that are shown */
#define NEAREST_MAX 64	/* longer words get no suggestion */

static char *copy_line(const char *text)
{
	size_t len = strcspn(text, "\r\n");

	if (len > EXCERPT_MAX) {
		len = EXCERPT_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--; /* never cut inside a character */
	}
	return strndup(text, len);
}

void diags_add(struct diags *d, const char *file, unsigned line, unsigned column,
	       const char *excerpt, const char *fmt, ...)
{
	struct diag entry = {.line = line, .column = column};
	struct diag *grown;
	va_list ap;

	if (d->n >= DIAG_MAX) {
		d->n_dropped++;
		return;
	}
	grown = reallocarray(d->v, d->n + 1, sizeof(*grown));
	if (!grown) {
		d->n_dropped++;
		return;
	}
	d->v = grown;
	va_start(ap, fmt);
	if (vasprintf(&entry.msg, fmt, ap) < 0)
		entry.msg = NULL;
	va_end(ap);
	entry.file = file ? strdup(file) : NULL;
	entry.excerpt = excerpt ? copy_line(excerpt) : NULL;
	if (!entry.msg || (file && !entry.file)) {
		free(entry.msg);
		free(entry.file);
		free(entry.excerpt);
		d->n_dropped++;
		return;
	}
	d->v[d->n++] = entry;
}

static size_t char_len(const unsigned char *s)
{
	size_t n = 1;

	while ((s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* C1 controls, line separators and everything that re-orders or hides text. */
static bool is_invisible(const unsigned char *s, size_t len)
{
	if (len == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	if (len == 3 && s[0] == 0xe2)
		return (s[1] == 0x80 && ((s[2] >= 0x8b && s[2] <= 0x8f) ||
					 (s[2] >= 0xa8 && s[2] <= 0xae))) ||
		       (s[1] == 0x81 && s[2] >= 0xa0 && s[2] <= 0xaf);
	return len == 3 && s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf;
}

/*
 * Writes @text with what could move a terminal escaped. Return: cells that its first
 * @mark characters took, so that a caret can be put below.
 */
static size_t print_escaped(FILE *out, const char *text, size_t mark)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t cells = 0, n = 0;

	while (*s) {
		size_t len = char_len(s), width = 1;

		if (*s < 0x20 || *s == 0x7f || is_invisible(s, len) ||
		    (*s >= 0x80 && len == 1)) {
			width = 4 * len;
			for (size_t i = 0; i < len; i++)
				fprintf(out, "\\x%02x", s[i]);
		} else {
			(void)fwrite(s, 1, len, out); /* the caller's ferror() */
		}
		if (n++ < mark)
			cells += width;
		s += len;
	}
	return cells;
}

static void print_one(const struct diag *d, FILE *out)
{
	size_t cells;

	if (d->file) {
		(void)print_escaped(out, d->file, 0);
		if (d->line > 0)
			fprintf(out, ":%u:%u", d->line, d->column);
		fputs(": ", out);
	}
	(void)print_escaped(out, d->msg, 0);
	fputc('\n', out);
	if (!d->excerpt || d->line == 0)
		return;
	fputs("    ", out);
	cells = print_escaped(out, d->excerpt, d->column > 0 ? d->column - 1 : 0);
	fprintf(out, "\n    %*s^\n", (int)cells, "");
}

void diags_print(const struct diags *d, FILE *out)
{
	for (size_t i = 0; i < d->n; i++)
		print_one(&d->v[i], out);
	if (d->n_dropped > 0)
		fprintf(out, "… and %zu more\n", d->n_dropped);
}

void diags_done(struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].file);
		free(d->v[i].msg);
		free(d->v[i].excerpt);
	}
	free(d->v);
	*d = (struct diags)DIAGS_INIT;
}

size_t diag_distance(const char *a, const char *b)
{
	size_t row[NEAREST_MAX + 1], len_a = strlen(a), len_b = strlen(b);

	if (len_a > NEAREST_MAX || len_b > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= len_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len_b];
}

void diag_nearest_init(struct diag_nearest *n, const char *word)
{
	*n = (struct diag_nearest){.word = word};
	n->limit = strlen(word) / 3 + 1; /* "sudp" may be "sudo", never "ssh" */
}

void diag_nearest_try(struct diag_nearest *n, const char *known)
{
	size_t distance = diag_distance(n->word, known);

	if (distance > n->limit || distance >= strlen(n->word))
		return;
	if (n->found && distance >= n->distance)
		return;
	n->found = known;
	n->distance = distance;
}
