/* SPDX-License-Identifier: Apache-2.0 */
/* reports.h - the reports there are, and what each is made from. */
#pragma once

#include "rbacd/report/activity.h"
#include "rbacd/report/report.h"
#include "rbacd/report/state.h"

/* What checking the whole log said. */
struct report_log {
	bool known;   /* false: there was no log to check */
	bool checked; /* every record was checked, from the first on */
	bool whole;
	uint64_t n_records, bad_seq;
	char why[160];		 /* "" when it is whole */
	const char *checkpoints; /* a sentence; NULL: nothing is known */
};

/* All borrowed. */
struct report_input {
	const struct state *state;  /* now, or at --as-of */
	const struct state *before; /* at the start of the period; NULL: none */
	const struct activity *activity;
	const struct report_log *log;
	const char *user, *vm, *role, *framework; /* filters; NULL: all */
	const char *command;			  /* as it can be given again */
	bool stream; /* the long rows are wanted, nothing else */
};

/* What a report can be narrowed to; anything else is refused, not ignored. */
enum report_narrow {
	REPORT_BY_USER = 1,
	REPORT_BY_VM = 2,
	REPORT_BY_ROLE = 4,
	REPORT_BY_ALL = 7,
};

/* One report. @make fills figures, findings and sections. 0; negative errno. */
struct report_kind_of {
	const char *name, *title, *question;
	int (*make)(const struct report_input *in, struct report *r);
	unsigned narrow; /* bits of enum report_narrow */
	bool counts; /* its numbers are the log's own: filters hold while counting */
};

extern const struct report_kind_of report_kinds[]; /* ended by a NULL name */

/* report_kind_find() - by name, or NULL. */
const struct report_kind_of *report_kind_find(const char *name);

/*
 * report_make() - one report with its provenance. Return: 0 and *ret (report_done());
 * negative errno.
 */
_must_check_ int report_make(const struct report_kind_of *kind,
			     const struct report_input *in, struct report *ret);

/* report_about() - the provenance alone: where all the reports of @in come from. */
void report_about(const struct report_input *in, struct report *r);

/* The reports, one file each. */
int report_access(const struct report_input *in, struct report *r);
int report_review(const struct report_input *in, struct report *r);
int report_changes(const struct report_input *in, struct report *r);
int report_unused(const struct report_input *in, struct report *r);
int report_privileged(const struct report_input *in, struct report *r);
int report_mfa(const struct report_input *in, struct report *r);
int report_activity(const struct report_input *in, struct report *r);
int report_passwords(const struct report_input *in, struct report *r);
int report_separation(const struct report_input *in, struct report *r);
int report_integrity(const struct report_input *in, struct report *r);
int report_control_map(const struct report_input *in, struct report *r);
