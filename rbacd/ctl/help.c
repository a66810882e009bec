/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - what --help prints, from the command tree. */

#include "rbacd/ctl/tree.h"

#define HELP_COLUMN 26

/* Writes a left column and the text beside it; results of stdio are main's to check. */
static void two_columns(FILE *out, const char *left, const char *right)
{
	(void)fprintf(out, "  %-*s %s\n", HELP_COLUMN, left, right);
}

static void print_option(FILE *out, const struct ctl_option *o)
{
	char left[128], right[256];
	size_t n;

	(void)snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : "  ",
		       o->letter ? o->letter : ' ', o->letter ? ", " : " ", o->name,
		       o->metavar ? " " : "", o->metavar ? o->metavar : "");
	n = (size_t)snprintf(right, sizeof(right), "%s", o->help);
	for (size_t i = 0; i < CTL_VALUES_MAX && o->values[i] && n < sizeof(right); i++)
		n += (size_t)snprintf(right + n, sizeof(right) - n, "%s%s",
				      i ? "|" : ": ", o->values[i]);
	two_columns(out, left, right);
}

static void print_usage(const struct ctl_args *args, FILE *out)
{
	const struct ctl_command *c = ctl_leaf(args);

	(void)fputs("usage:", out);
	for (size_t i = 0; i < args->depth; i++)
		(void)fprintf(out, " %s", args->path[i]->name);
	if (c->sub)
		(void)fputs(" COMMAND", out);
	for (size_t i = 0; i < CTL_POS_MAX && c->pos[i]; i++)
		(void)fprintf(out, " %s", c->pos[i]);
	(void)fputs(" [OPTIONS]\n", out);
}

void ctl_help(const struct ctl_args *args, FILE *out)
{
	const struct ctl_command *c = ctl_leaf(args);

	print_usage(args, out);
	(void)fprintf(out, "\n%s\n", c->help);
	if (c->more)
		(void)fprintf(out, "\n%s\n", c->more);
	if (c->sub) {
		(void)fputs("\ncommands:\n", out);
		for (const struct ctl_command *s = c->sub; s->name; s++)
			two_columns(out, s->name, s->help);
	}
	(void)fputs("\noptions:\n", out);
	for (const struct ctl_option *o = c->options; o && o->name; o++)
		print_option(out, o);
	for (const struct ctl_option *o = ctl_global_options; o->name; o++)
		print_option(out, o);
	if (args->depth == 1)
		(void)fputs(
			"\nexit status: 0 done, 1 no or findings, 2 incomplete data, "
			"3 damage, 4 rbacd\nunreachable, 64 usage; "
			"see rbacctl(1)\n",
			out);
}
