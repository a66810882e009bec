/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - the list of findings. */
#include "rbacd/doctor/doctor.h"

#include <stdarg.h>
#include <stdlib.h>

void doctor_done(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].where);
		free(d->v[i].what);
		free(d->v[i].fix);
	}
	free(d->v);
	d->v = NULL;
	d->n = 0;
}

void doctor_add(struct doctor *d, enum doctor_severity severity, const char *id,
		const char *where, const char *what, const char *why, const char *fix)
{
	struct doctor_finding f = {.severity = severity,
				   .id = id,
				   .where = strdup(where),
				   .what = strdup(what),
				   .why = why,
				   .fix = strdup(fix)};
	struct doctor_finding *v = reallocarray(d->v, d->n + 1, sizeof(*v));

	if (v)
		d->v = v;
	if (v && f.where && f.what && f.fix) {
		v[d->n++] = f;
		return;
	}
	free(f.where);
	free(f.what);
	free(f.fix);
	d->lost = true;
}

const char *doctor_severity_name(enum doctor_severity severity)
{
	switch (severity) {
	case DOCTOR_NOTE:
		return "note";
	case DOCTOR_WARNING:
		return "warning";
	case DOCTOR_ERROR:
		return "error";
	case DOCTOR_CRITICAL:
		return "critical";
	}
	return "critical";
}

enum doctor_severity doctor_worst(const struct doctor *d)
{
	enum doctor_severity worst = d->lost ? DOCTOR_ERROR : DOCTOR_NOTE;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].severity > worst)
			worst = d->v[i].severity;
	return worst;
}

const char *doctor_text(char buf[DOCTOR_TEXT_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, DOCTOR_TEXT_MAX, fmt, ap); /* cut is fine for people */
	va_end(ap);
	return buf;
}
