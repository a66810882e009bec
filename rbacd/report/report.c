/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - building the neutral report. */
#include "rbacd/report/report.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>

#include "policy/memtext.h"

static const char *const severities[] = {
	[REPORT_INFO] = "info",		[REPORT_LOW] = "low",
	[REPORT_MEDIUM] = "medium",	[REPORT_HIGH] = "high",
	[REPORT_CRITICAL] = "critical",
};

const char *report_severity_name(enum report_severity severity)
{
	return severities[severity];
}

enum report_severity report_severity_find(const char *name)
{
	for (size_t i = REPORT_INFO; i < ARRAY_SIZE(severities); i++)
		if (str_eq(severities[i], name))
			return (enum report_severity)i;
	return (enum report_severity)0;
}

void report_init(struct report *r, const char *id, const char *title,
		 const char *question)
{
	*r = (struct report){.id = id, .title = title, .question = question};
}

void report_done(struct report *r)
{
	arena_done(&r->arena);
}

int report_error(const struct report *r)
{
	return r->error;
}

static void *room(struct report *r, size_t len)
{
	void *p = arena_alloc(&r->arena, len);

	if (!p)
		r->error = -ENOMEM;
	return p;
}

const char *report_copy(struct report *r, const char *text, size_t len)
{
	char *p = room(r, len + 1);

	if (!p)
		return "";
	memcpy(p, text, len);
	return p;
}

const char *report_take(struct report *r, struct memtext *m)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (!m->out || memtext_take(m, &text, &len) != 0) {
		r->error = -ENOMEM;
		return "";
	}
	return report_copy(r, text, len);
}

const char *report_f(struct report *r, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : room(r, (size_t)n + 1);
	if (!p) {
		r->error = -ENOMEM;
		return "";
	}
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap); /* fits: it was measured */
	va_end(ap);
	return p;
}

const char *report_plural(struct report *r, size_t n, const char *one, const char *many)
{
	return report_f(r, "%zu %s", n, n == 1 ? one : many);
}

static struct report_line *add_line(struct report *r, struct report_lines *to)
{
	struct report_line *line = room(r, sizeof(*line));

	if (!line)
		return NULL;
	if (to->last)
		to->last->next = line;
	else
		to->first = line;
	to->last = line;
	to->n++;
	return line;
}

static void add_sentence(struct report *r, struct report_lines *to, const char *text)
{
	struct report_line *line = add_line(r, to);

	if (line)
		line->text = text;
}

void report_provenance(struct report *r, const char *name, const char *title,
		       const char *text)
{
	struct report_line *line = add_line(r, &r->provenance);

	if (line)
		*line = (struct report_line){
			.name = name,
			.title = title,
			.text = report_copy(r, text, strlen(text)),
		};
}

void report_provenance_n(struct report *r, const char *name, const char *title,
			 int64_t n)
{
	report_provenance(r, name, title, report_f(r, "%lld", (long long)n));
	if (r->provenance.last)
		r->provenance.last->number = true;
}

void report_limit(struct report *r, const char *text)
{
	add_sentence(r, &r->limitations, text);
}

void report_missing(struct report *r, const char *text)
{
	add_sentence(r, &r->missing, text);
}

void report_broken(struct report *r, const char *text)
{
	add_sentence(r, &r->broken, text);
}

void report_filter(struct report *r, const char *text)
{
	add_sentence(r, &r->filters, text);
}

void report_figure(struct report *r, const char *name, const char *label, int64_t value,
		   const char *note, bool bad)
{
	struct report_figure *f = room(r, sizeof(*f));

	if (!f)
		return;
	*f = (struct report_figure){
		.name = name, .label = label, .value = value, .note = note, .bad = bad};
	if (r->last_figure)
		r->last_figure->next = f;
	else
		r->first_figure = f;
	r->last_figure = f;
}

void report_find(struct report *r, enum report_severity severity, const char *code,
		 size_t n, const char *table, const char *text)
{
	struct report_finding *f = n > 0 ? room(r, sizeof(*f)) : NULL;

	if (!f)
		return;
	*f = (struct report_finding){.severity = severity,
				     .code = code,
				     .text = text,
				     .table = table,
				     .n = n};
	if (r->last_finding)
		r->last_finding->next = f;
	else
		r->first_finding = f;
	r->last_finding = f;
	r->n_findings++;
}

void report_section(struct report *r, const char *title, const char *text)
{
	struct report_section *s = room(r, sizeof(*s));

	if (!s)
		return;
	s->title = title;
	s->text = text;
	if (r->last)
		r->last->next = s;
	else
		r->first = s;
	r->last = s;
}

struct report_table *report_table(struct report *r,
				  const struct report_table_spec *spec)
{
	struct report_table *t = room(r, sizeof(*t));

	assert(spec->n_columns <= REPORT_COLUMNS_MAX);
	if (!t || !r->last)
		return &r->nowhere;
	*t = (struct report_table){
		.report = r,
		.name = spec->name,
		.title = spec->title,
		.note = spec->note,
		.none = spec->none,
		.chart = spec->chart,
		.columns = spec->columns,
		.n_columns = spec->n_columns,
	};
	if (r->last->last)
		r->last->last->next = t;
	else
		r->last->first = t;
	r->last->last = t;
	return t;
}

void report_row(struct report_table *t)
{
	struct report_row *row;

	if (!t->report)
		return;
	row = room(t->report, sizeof(*row) + t->n_columns * sizeof(row->cells[0]));
	if (!row)
		return;
	if (t->last)
		t->last->next = row;
	else
		t->first = row;
	t->last = row;
	t->n_rows++;
	t->report->n_rows++;
	t->at = 0;
}

static struct report_cell *next_cell(struct report_table *t)
{
	if (!t->last || t->report->error != 0)
		return NULL;
	assert(t->at < t->n_columns);
	return &t->last->cells[t->at++];
}

void report_put(struct report_table *t, const char *text)
{
	struct report_cell *cell = next_cell(t);

	if (cell && text) {
		cell->set = true;
		cell->text = text;
	}
}

void report_put_n(struct report_table *t, int64_t n)
{
	struct report_cell *cell = next_cell(t);

	if (cell) {
		cell->set = true;
		cell->n = n;
	}
}

void report_put_time(struct report_table *t, int64_t s)
{
	if (s != 0)
		report_put_n(t, s);
	else
		report_skip(t);
}

void report_skip(struct report_table *t)
{
	(void)next_cell(t); /* stays empty */
}

int64_t report_sum(const struct report_table *t, size_t column)
{
	int64_t sum = 0;

	for (const struct report_row *row = t->first; row; row = row->next)
		if (row->cells[column].set)
			sum += row->cells[column].n;
	return sum;
}

enum report_exit report_exit(const struct report *r, enum report_severity threshold)
{
	if (r->broken.n > 0)
		return REPORT_INTEGRITY;
	if (r->missing.n > 0)
		return REPORT_INCOMPLETE;
	for (const struct report_finding *f = r->first_finding; f; f = f->next)
		if (f->severity >= threshold)
			return REPORT_FINDINGS;
	return REPORT_CLEAN;
}
