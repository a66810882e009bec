/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_lint.c - policy lint: what every rule hits, and what looks like a mistake.
 */
#include "policy/lint.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/judge.h"
#include "rbacd/ctl/progress.h"

struct listing {
	struct out_set set;
	size_t n_warnings;
	bool failed; /* out of memory */
};

static const char *kind_name(enum policy_lint_kind kind)
{
	switch (kind) {
	case POLICY_LINT_GRANT:
		return "grant";
	case POLICY_LINT_DENY:
		return "deny";
	case POLICY_LINT_SET:
		return "set";
	}
	return "?";
}

static bool add(struct out_row *row, const char *name, const char *text)
{
	return out_add_text(row, name, text, strlen(text)) == 0;
}

static void add_count(void *arg, const struct policy_lint_count *c)
{
	struct listing *l = arg;
	struct out_row *row = out_add_row(&l->set, "counts");

	if (!row || !add(row, "kind", kind_name(c->kind)) || !add(row, "id", c->id) ||
	    out_add_number(row, "vms", WIRE_CELL_INT, (int64_t)c->n_vms) != 0 ||
	    (c->kind != POLICY_LINT_SET &&
	     out_add_number(row, "people", WIRE_CELL_INT, (int64_t)c->n_people) != 0))
		l->failed = true;
}

static void add_finding(void *arg, const struct policy_lint_finding *f)
{
	struct listing *l = arg;
	struct out_row *row = out_add_row(&l->set, "findings");
	bool warning = f->severity == POLICY_LINT_WARNING;

	l->n_warnings += warning;
	if (!row || !add(row, "severity", warning ? "warning" : "note") ||
	    !add(row, "code", f->code) || !add(row, "id", f->id) ||
	    !add(row, "file", f->where.file ? f->where.file : "") ||
	    out_add_number(row, "line", WIRE_CELL_INT, f->where.line) != 0 ||
	    out_add_number(row, "column", WIRE_CELL_INT, f->where.column) != 0 ||
	    !add(row, "text", f->text))
		l->failed = true;
}

static void print_finding(struct ctl *ctl, const struct out_row *r)
{
	const char *severity = out_cell(r, "severity")->text;
	const char *file = out_cell(r, "file")->text;

	if (*file)
		(void)fprintf(ctl->out, "%s:%lld:%lld: ", file,
			      (long long)out_cell(r, "line")->i,
			      (long long)out_cell(r, "column")->i);
	(void)fprintf(ctl->out, "%s%s%s [%s]: %s\n",
		      str_eq(severity, "warning") ? ctl_red(ctl) : "", severity,
		      ctl_plain(ctl), out_cell(r, "code")->text,
		      out_cell(r, "text")->text);
}

static void print_findings(struct ctl *ctl, const struct out_table *t)
{
	for (const struct out_row *r = t ? t->first : NULL; r; r = r->next)
		print_finding(ctl, r);
}

static int show(struct ctl *ctl, const struct judge *j, struct listing *l)
{
	const struct out_table *findings = out_find(&l->set, "findings");

	if (ctl->json) {
		struct out_row *row = out_add_row(&l->set, "result");

		if (!row || out_add_number(row, "complete", WIRE_CELL_BOOL,
					   j->people.complete) != 0)
			return ctl_fail(ctl, CTL_NO, "out of memory.");
		out_json_set(&l->set, "counts findings", ctl->out);
	} else {
		out_print_table(out_find(&l->set, "counts"), ctl->out);
		(void)fputc('\n', ctl->out);
		print_findings(ctl, findings);
		(void)fprintf(ctl->out, "%zu warnings, %zu notes\n", l->n_warnings,
			      (findings ? findings->n : 0) - l->n_warnings);
	}
	people_warn(ctl, &j->people);
	if (!j->people.complete)
		return CTL_INCOMPLETE;
	return l->n_warnings > 0 ? CTL_NO : CTL_OK;
}

int cmd_policy_lint(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_judge_ struct judge j = {0};
	struct listing l = {.set = OUT_SET_INIT};
	_cleanup_progress_ struct progress bar;
	struct policy_lint_input in = {.count = add_count,
				       .finding = add_finding,
				       .arg = &l};
	int r;

	progress_begin(&bar, ctl, "lint");
	r = judge_open(ctl, args, args->pos[0], &j);
	if (r != 0)
		return r;
	in.policy = j.policy;
	in.people = j.people.v;
	in.n_people = j.people.n;
	in.complete = j.people.complete;
	in.now_s = j.pop.now_s;
	in.watch = &bar.watch;
	r = policy_lint(&in);
	progress_clear(&bar);
	if (r != 0 || l.failed)
		r = ctl_fail(ctl, CTL_NO, "lint failed: error %d.", r);
	else
		r = show(ctl, &j, &l);
	out_set_done(&l.set);
	return r;
}
