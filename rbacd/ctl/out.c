/* SPDX-License-Identifier: Apache-2.0 */
/* out.c - answers as tables. stdio errors are checked once, by main, at the end. */

#include "rbacd/ctl/out.h"

#include <errno.h>
#include <inttypes.h>

#include "rbacd/ctl/text.h"

/* ---------------------------------------------------------------- building */

void out_set_done(struct out_set *set)
{
	while (set->first) {
		struct out_table *t = set->first;

		set->first = t->next;
		while (t->first) {
			struct out_row *row = t->first;

			t->first = row->next;
			for (size_t i = 0; i < row->n; i++) {
				if (row->cells[i].text)
					explicit_bzero(row->cells[i].text,
						       row->cells[i].len);
				free(row->cells[i].text);
			}
			free(row->cells);
			free(row);
		}
		free(t);
	}
	set->last = NULL;
}

const struct out_table *out_find(const struct out_set *set, const char *table)
{
	for (const struct out_table *t = set->first; t; t = t->next)
		if (str_eq(t->name, table))
			return t;
	return NULL;
}

static struct out_table *table_of(struct out_set *set, const char *name)
{
	struct out_table *t;

	for (t = set->first; t; t = t->next)
		if (str_eq(t->name, name))
			return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	(void)snprintf(t->name, sizeof(t->name), "%s", name); /* cut is still a name */
	if (set->last)
		set->last->next = t;
	else
		set->first = t;
	set->last = t;
	return t;
}

struct out_row *out_add_row(struct out_set *set, const char *table)
{
	struct out_table *t = table_of(set, table);
	struct out_row *row = t ? calloc(1, sizeof(*row)) : NULL;

	if (!row)
		return NULL;
	if (t->last)
		t->last->next = row;
	else
		t->first = row;
	t->last = row;
	t->n++;
	return row;
}

static struct out_cell *cell_new(struct out_row *row, const char *name)
{
	struct out_cell *c = row->cells;
	size_t cap = row->cap ? 2 * row->cap : 8;

	if (row->n == row->cap) {
		c = cap <= WIRE_ROW_FIELDS_MAX ? reallocarray(c, cap, sizeof(*c))
					       : NULL;
		if (!c)
			return NULL;
		row->cells = c;
		row->cap = cap;
	}
	c = &row->cells[row->n];
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->name, sizeof(c->name), "%s", name); /* cut is still a name */
	return c;
}

static int put_bytes(struct out_row *row, const char *name, enum wire_cell_kind kind,
		     const char *p, size_t len)
{
	struct out_cell *c = cell_new(row, name);

	if (!c)
		return -E2BIG;
	c->text = malloc(len + 1);
	if (!c->text)
		return -ENOMEM;
	memcpy(c->text, p, len);
	c->text[len] = '\0';
	c->len = len;
	c->kind = kind;
	row->n++;
	return 0;
}

int out_add_text(struct out_row *row, const char *name, const char *text, size_t len)
{
	return put_bytes(row, name, WIRE_CELL_TEXT, text, len);
}

int out_add_number(struct out_row *row, const char *name, enum wire_cell_kind kind,
		   int64_t v)
{
	struct out_cell *c = cell_new(row, name);

	if (!c)
		return -E2BIG;
	c->kind = kind;
	c->i = v;
	row->n++;
	return 0;
}

static int add_cell(struct out_row *row, const struct wire_cell *cell)
{
	if (cell->kind == WIRE_CELL_TEXT || cell->kind == WIRE_CELL_JSON)
		return put_bytes(row, cell->name, cell->kind, cell->text, cell->len);
	return out_add_number(row, cell->name, cell->kind, cell->i);
}

int out_add_frame(struct out_set *set, const struct wire_frame *frame)
{
	struct wire_reader reader;
	struct wire_field f;
	struct wire_cell cell;
	struct out_row *row;
	char table[64];
	int r;

	wire_reader_init(&reader, frame);
	if (wire_next(&reader, &f) != 0 || f.tag != WIRE_T_TABLE ||
	    wire_get_text(&f, table, sizeof(table)) != 0)
		return -EPROTO;
	row = out_add_row(set, table);
	if (!row)
		return -ENOMEM;
	while ((r = wire_next(&reader, &f)) == 0) {
		if (f.tag != WIRE_T_CELL || wire_get_cell(&f, &cell) != 0)
			return -EPROTO;
		r = add_cell(row, &cell);
		if (r != 0)
			return r == -E2BIG ? -EPROTO : r;
	}
	return r == WIRE_E_END ? 0 : -EPROTO;
}

const struct out_cell *out_cell(const struct out_row *row, const char *name)
{
	for (size_t i = 0; row && i < row->n; i++)
		if (str_eq(row->cells[i].name, name))
			return &row->cells[i];
	return NULL;
}

const char *out_text(const struct out_set *set, const char *table, const char *name)
{
	const struct out_table *t = out_find(set, table);
	const struct out_cell *c = out_cell(t ? t->first : NULL, name);

	return c ? c->text : NULL;
}

/* ---------------------------------------------------------------- people */

/* Writes a cell for a person, returns its columns; @out NULL only measures. */
static size_t cell_print(const struct out_cell *c, FILE *out)
{
	char buf[TEXT_TIME_MAX];

	if (!c || c->kind == WIRE_CELL_NULL)
		return text_print("-", 1, out);
	if (c->text)
		return text_print(c->text, c->len, out);
	if (c->kind == WIRE_CELL_BOOL)
		(void)snprintf(buf, sizeof(buf), "%s", c->i ? "yes" : "no");
	else if (c->kind == WIRE_CELL_TIME && c->i == 0)
		(void)snprintf(buf, sizeof(buf), "-");
	else if (c->kind == WIRE_CELL_TIME)
		(void)text_time(c->i, buf);
	else
		(void)snprintf(buf, sizeof(buf), "%" PRId64, c->i);
	return text_print(buf, strlen(buf), out);
}

static void pad(size_t n, FILE *out)
{
	while (n-- > 0)
		(void)fputc(' ', out);
}

void out_print_table(const struct out_table *t, FILE *out)
{
	size_t width[WIRE_ROW_FIELDS_MAX] = {0}, n, w;

	if (!t || !t->first)
		return;
	n = t->first->n;
	for (size_t i = 0; i < n; i++)
		width[i] = strlen(t->first->cells[i].name);
	for (const struct out_row *r = t->first; r; r = r->next)
		for (size_t i = 0; i < n; i++) {
			w = cell_print(out_cell(r, t->first->cells[i].name), NULL);
			if (w > width[i])
				width[i] = w;
		}
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "%-*s%s", i + 1 < n ? (int)width[i] : 0,
			      t->first->cells[i].name, i + 1 < n ? "  " : "\n");
	for (const struct out_row *r = t->first; r; r = r->next) {
		for (size_t i = 0; i < n; i++) {
			w = cell_print(out_cell(r, t->first->cells[i].name), out);
			if (i + 1 < n)
				pad(width[i] - w + 2, out);
		}
		(void)fputc('\n', out);
	}
}

void out_print_record(const struct out_table *t, FILE *out)
{
	const struct out_row *r = t ? t->first : NULL;
	size_t width = 16; /* alike for most records */

	for (size_t i = 0; r && i < r->n; i++)
		if (strlen(r->cells[i].name) > width)
			width = strlen(r->cells[i].name);
	for (size_t i = 0; r && i < r->n; i++) {
		(void)fprintf(out, "  %-*s ", (int)width, r->cells[i].name);
		(void)cell_print(&r->cells[i], out);
		(void)fputc('\n', out);
	}
}

/* ---------------------------------------------------------------- programs */

static void csv_cell(const struct out_cell *c, FILE *out)
{
	char buf[TEXT_TIME_MAX];

	if (!c || c->kind == WIRE_CELL_NULL || (c->kind == WIRE_CELL_TIME && c->i == 0))
		return;
	if (c->text)
		text_csv(c->text, c->len, out);
	else if (c->kind == WIRE_CELL_BOOL)
		(void)fputs(c->i ? "true" : "false", out);
	else if (c->kind == WIRE_CELL_TIME)
		(void)fputs(text_time(c->i, buf), out);
	else
		(void)fprintf(out, "%" PRId64, c->i);
}

void out_print_csv(const struct out_table *t, FILE *out)
{
	size_t n;

	if (!t || !t->first)
		return;
	n = t->first->n;
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "%s%s", t->first->cells[i].name,
			      i + 1 < n ? "," : "\r\n");
	for (const struct out_row *r = t->first; r; r = r->next)
		for (size_t i = 0; i < n; i++) {
			csv_cell(out_cell(r, t->first->cells[i].name), out);
			(void)fputs(i + 1 < n ? "," : "\r\n", out);
		}
}

static void json_cell(const struct out_cell *c, FILE *out)
{
	char buf[TEXT_TIME_MAX];

	if (c->kind == WIRE_CELL_NULL || (c->kind == WIRE_CELL_TIME && c->i == 0))
		(void)fputs("null", out);
	else if (c->kind == WIRE_CELL_JSON)
		text_json_whole(c->text, c->len, out);
	else if (c->text)
		text_json(c->text, c->len, out);
	else if (c->kind == WIRE_CELL_BOOL)
		(void)fputs(c->i ? "true" : "false", out);
	else if (c->kind == WIRE_CELL_TIME)
		(void)fprintf(out, "\"%s\"", text_time(c->i, buf));
	else
		(void)fprintf(out, "%" PRId64, c->i);
}

static void json_row(const struct out_row *r, FILE *out)
{
	(void)fputc('{', out);
	for (size_t i = 0; i < r->n; i++) {
		(void)fputs(i ? ", " : "", out);
		text_json(r->cells[i].name, strlen(r->cells[i].name), out);
		(void)fputs(": ", out);
		json_cell(&r->cells[i], out);
	}
	(void)fputc('}', out);
}

void out_json_table(const struct out_table *t, bool single, FILE *out)
{
	const struct out_row *first = t ? t->first : NULL;

	if (single) {
		if (first)
			json_row(first, out);
		else
			(void)fputs("null", out);
		return;
	}
	(void)fputc('[', out);
	for (const struct out_row *r = first; r; r = r->next) {
		(void)fputs(r == first ? "\n  " : ",\n  ", out);
		json_row(r, out);
	}
	(void)fputs(first ? "\n]" : "]", out);
}

/* Is @name one of the words of @lists? */
static bool is_listed(const char *lists, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = lists; *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strcspn(p, " ") == len && memcmp(p, name, len) == 0)
			return true;
	}
	return false;
}

void out_json_set(const struct out_set *set, const char *lists, FILE *out)
{
	const char *sep = "\n";
	size_t len;

	(void)fputc('{', out);
	for (const struct out_table *t = set->first; t; t = t->next) {
		(void)fputs(sep, out);
		text_json(t->name, strlen(t->name), out);
		(void)fputs(": ", out);
		out_json_table(t, !is_listed(lists, t->name), out);
		sep = ",\n";
	}
	for (const char *p = lists; *p; p += len) {
		char name[64];

		p += strspn(p, " ");
		len = strcspn(p, " ");
		(void)snprintf(name, sizeof(name), "%.*s", (int)len, p);
		if (len > 0 && !out_find(set, name)) {
			(void)fprintf(out, "%s\"%s\": []", sep, name);
			sep = ",\n";
		}
	}
	(void)fputs("\n}\n", out);
}
