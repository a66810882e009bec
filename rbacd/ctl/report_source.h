/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_source.h - where reports get their facts: snapshots, taken now or kept, and
 * the log of a period.
 */
#pragma once

#include "rbacd/ctl/ctl.h"
#include "rbacd/report/reports.h"

struct report_source {
	struct ctl *ctl; /* borrowed */
	struct store *store;
	struct audit_reader *reader;
	struct state now, before;
	bool has_before;
	struct activity activity;
	struct report_log log;
	int64_t now_s, since_s, until_s;
	char command[512];
};

/*
 * report_source_open() - everything the options ask for; tells progress on a terminal.
 * Return: 0; enum ctl_exit, told.
 */
_must_check_ int report_source_open(struct ctl *ctl, const struct ctl_args *args,
				    struct report_source *ret);
void report_source_done(struct report_source *src);
#define _cleanup_source_ _cleanup_(report_source_done)

/*
 * report_snapshot() - what holds now, as the bytes of a snapshot file, malloc'ed.
 * Return: 0; enum ctl_exit, told.
 */
_must_check_ int report_snapshot(struct ctl *ctl, const struct ctl_args *args,
				 struct store *store, int64_t now_s, char **ret,
				 size_t *ret_len);

/* report_store() - the database, read-only. Return: 0; enum ctl_exit, told. */
_must_check_ int report_store(struct ctl *ctl, struct store **ret);

/* report_folder() - where snapshots are kept, in @buf. */
const char *report_folder(const struct ctl *ctl, char *buf, size_t cap);

/* report_progress() - a line on a terminal that the next one replaces; NULL ends it. */
void report_progress(const struct ctl *ctl, const char *fmt, ...) _printf_(2, 3);
