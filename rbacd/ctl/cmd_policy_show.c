/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_show.c - policy graph and policy test: a policy as a picture, and what its
 * own tests say. */
#include <inttypes.h>

#include "policy/graph.h"
#include "rbacd/ctl/ctl.h"

int cmd_policy_graph(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	const char *path;
	int r;

	if (ctl->json)
		return ctl_fail(ctl, CTL_USAGE, "a graph is DOT or SVG only.");
	r = ctl_policy_load(ctl, args, args->pos[0], &policy, &path);
	if (r != 0)
		return r;
	r = ctl_arg(args, "svg") ? policy_graph_svg(policy, ctl->out)
				 : policy_graph_dot(policy, ctl->out);
	return r == 0 ? CTL_OK : ctl_fail(ctl, CTL_NO, "drawing failed: error %d.", r);
}

static bool add(struct out_row *row, const char *name, const char *text)
{
	return !text || out_add_text(row, name, text, strlen(text)) == 0;
}

static bool add_test(struct out_set *set, const struct policy_test *t)
{
	struct out_row *row = out_add_row(set, "tests");
	bool allow = t->got.verdict == POLICY_ALLOW;

	return row && add(row, "result", t->passed ? "passed" : "failed") &&
	       add(row, "want", t->want == POLICY_ALLOW ? "allow" : "deny") &&
	       add(row, "got", allow ? "allow" : "deny") &&
	       add(row, "by", t->got.rule ? t->got.rule : "") &&
	       add(row, "reason", allow ? "" : policy_reason_name(t->got.reason)) &&
	       out_add_number(row, "line", WIRE_CELL_INT, t->where.line) == 0 &&
	       add(row, "test", t->text);
}

/* A policy with a failing test is not loaded at all: its failure is told by the load.
 */
int cmd_policy_test(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	struct policy_test t;
	const char *path;
	size_t n = 0;
	int r = ctl_policy_load(ctl, args, args->pos[0], &policy, &path);

	if (r != 0)
		return r;
	for (; policy_test_at(policy, n, &t); n++)
		if (!add_test(&set, &t))
			return ctl_fail(ctl, CTL_NO, "out of memory.");
	if (ctl->json) {
		out_json_set(&set, "tests", ctl->out);
		return CTL_OK;
	}
	out_print_table(out_find(&set, "tests"), ctl->out);
	(void)fprintf(ctl->out, "%zu tests of %s passed, 0 failed\n", n, path);
	return CTL_OK;
}
