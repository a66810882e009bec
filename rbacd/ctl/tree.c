/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - argv against the command tree. */

#include "rbacd/ctl/tree.h"

#include "policy/diag.h"
#include "rbacd/ctl/text.h"

struct parser {
	int argc, at;
	char *const *argv;
	FILE *err;
	struct ctl_args *args;
};

const struct ctl_command *ctl_leaf(const struct ctl_args *args)
{
	return args->path[args->depth - 1];
}

const char *ctl_arg(const struct ctl_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_given; i++)
		if (str_eq(args->given[i].option->name, name))
			return args->given[i].value;
	return NULL;
}

/* "rbacctl audit show", for messages. */
static void print_path(const struct ctl_args *args, FILE *out)
{
	for (size_t i = 0; i < args->depth; i++)
		(void)fprintf(out, "%s%s", i ? " " : "",
			      args->path[i]->name); /* stderr */
}

static int usage_hint(struct parser *p)
{
	(void)fputs("See: ", p->err); /* nowhere to report a broken stderr */
	print_path(p->args, p->err);
	(void)fputs(" --help\n", p->err);
	return CTL_USAGE;
}

/* @what: "command", "option"; @word is the user's and may hold anything. */
static int unknown(struct parser *p, const char *what, const char *word,
		   const char *nearest, const char *dashes)
{
	(void)fprintf(p->err, "rbacctl: unknown %s '", what);
	(void)text_print(word, strlen(word), p->err);
	(void)fputs("'.", p->err);
	if (nearest)
		(void)fprintf(p->err, " Did you mean '%s%s'?", dashes, nearest);
	(void)fputc('\n', p->err);
	return usage_hint(p);
}

/* ---------------------------------------------------------------- options */

static const struct ctl_option *find_option(const struct ctl_option *list,
					    const char *name, size_t len, char letter)
{
	for (; list && list->name; list++) {
		if (letter && list->letter == letter)
			return list;
		if (!letter && strlen(list->name) == len &&
		    memcmp(list->name, name, len) == 0)
			return list;
	}
	return NULL;
}

static int unknown_option(struct parser *p, const char *word, const char *name,
			  size_t len)
{
	char copy[64] = "";
	struct diag_nearest near;

	if (len < sizeof(copy))
		memcpy(copy, name, len);
	diag_nearest_init(&near, copy);
	for (const struct ctl_option *o = ctl_leaf(p->args)->options; o && o->name; o++)
		diag_nearest_try(&near, o->name);
	for (const struct ctl_option *o = ctl_global_options; o->name; o++)
		diag_nearest_try(&near, o->name);
	return unknown(p, "option", word, near.found, "--");
}

static int check_value(struct parser *p, const struct ctl_option *o, const char *value)
{
	if (!o->values[0])
		return 0;
	for (size_t i = 0; i < CTL_VALUES_MAX && o->values[i]; i++)
		if (str_eq(o->values[i], value))
			return 0;
	(void)fprintf(p->err, "rbacctl: --%s must be one of:", o->name);
	for (size_t i = 0; i < CTL_VALUES_MAX && o->values[i]; i++)
		(void)fprintf(p->err, " %s", o->values[i]);
	(void)fputc('\n', p->err);
	return usage_hint(p);
}

static int take_option(struct parser *p, const struct ctl_option *o, const char *value)
{
	struct ctl_args *args = p->args;

	if (!o->metavar && value) {
		(void)fprintf(p->err, "rbacctl: --%s takes no value.\n", o->name);
		return usage_hint(p);
	}
	if (o->metavar && !value) {
		if (p->at >= p->argc) {
			(void)fprintf(p->err, "rbacctl: --%s needs a value: %s.\n",
				      o->name, o->metavar);
			return usage_hint(p);
		}
		value = p->argv[p->at++];
	}
	if (ctl_arg(args, o->name) || args->n_given == CTL_OPTIONS_MAX) {
		(void)fprintf(p->err, "rbacctl: --%s is given twice.\n", o->name);
		return usage_hint(p);
	}
	if (value && check_value(p, o, value) != 0)
		return CTL_USAGE;
	args->given[args->n_given].option = o;
	args->given[args->n_given++].value = value ? value : "";
	if (str_eq(o->name, "help"))
		args->help = true;
	return 0;
}

/* One word that starts with '-': --name, --name=value, -x, -xVALUE. */
static int parse_option(struct parser *p, const char *word)
{
	bool is_long = word[1] == '-';
	const char *name = is_long ? word + 2 : word + 1;
	const char *eq = is_long ? strchr(name, '=') : NULL;
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	char letter = is_long ? '\0' : *name;
	const struct ctl_option *o;

	o = find_option(ctl_leaf(p->args)->options, name, len, letter);
	if (!o)
		o = find_option(ctl_global_options, name, len, letter);
	if (!o)
		return unknown_option(p, word, name, len);
	if (is_long)
		return take_option(p, o, eq ? eq + 1 : NULL);
	if (!o->metavar && name[1])
		return unknown_option(p, word, name, len);
	return take_option(p, o, name[1] ? name + 1 : NULL);
}

/* ---------------------------------------------------------------- words */

static int parse_command(struct parser *p, const char *word)
{
	struct ctl_args *args = p->args;
	const struct ctl_command *sub = ctl_leaf(args)->sub;
	struct diag_nearest near;

	diag_nearest_init(&near, word);
	for (; sub->name; sub++) {
		if (str_eq(sub->name, word)) {
			args->path[args->depth++] = sub;
			return 0;
		}
		diag_nearest_try(&near, sub->name);
	}
	return unknown(p, "command", word, near.found, "");
}

/* "bash|zsh" allows these words only. */
static bool pos_ok(const char *spec, const char *word)
{
	size_t len = strlen(word);

	if (!strchr(spec, '|'))
		return true;
	for (const char *at = spec; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (strcspn(at, "|") == len && memcmp(at, word, len) == 0)
			return true;
	}
	return false;
}

/* What the @n-th word is; NULL: there is none. A word that repeats is the last one. */
static const char *spec_of(const struct ctl_command *c, size_t n)
{
	for (size_t i = 0; i < CTL_POS_MAX && c->pos[i]; i++)
		if (i == n || strstr(c->pos[i], "..."))
			return c->pos[i];
	return NULL;
}

static int parse_pos(struct parser *p, const char *word)
{
	struct ctl_args *args = p->args;
	const char *spec = spec_of(ctl_leaf(args), args->n_pos);

	if (args->n_pos == CTL_WORDS_MAX || !spec) {
		(void)fprintf(p->err, "rbacctl: too many arguments.\n");
		return usage_hint(p);
	}
	if (!pos_ok(spec, word)) {
		(void)fprintf(p->err, "rbacctl: expected %s.\n", spec);
		return usage_hint(p);
	}
	args->pos[args->n_pos++] = word;
	return 0;
}

static int check_complete(struct parser *p)
{
	const struct ctl_args *args = p->args;
	const struct ctl_command *c = ctl_leaf(args);

	if (c->sub) {
		(void)fprintf(p->err, "rbacctl: a command is missing.\n");
		return usage_hint(p);
	}
	if (args->n_pos < CTL_POS_MAX && c->pos[args->n_pos] &&
	    *c->pos[args->n_pos] != '[') {
		(void)fprintf(p->err, "rbacctl: %s is missing.\n", c->pos[args->n_pos]);
		return usage_hint(p);
	}
	return 0;
}

int ctl_parse(const struct ctl_command *root, int argc, char *const *argv, FILE *err,
	      struct ctl_args *ret)
{
	struct parser p = {
		.argc = argc, .at = 1, .argv = argv, .err = err, .args = ret};
	bool options_end = false;
	int r;

	*ret = (struct ctl_args){.path = {root}, .depth = 1};
	while (p.at < argc && !ret->help) {
		const char *word = argv[p.at++];

		if (!options_end && str_eq(word, "--"))
			options_end = true;
		else {
			if (!options_end && word[0] == '-' && word[1])
				r = parse_option(&p, word);
			else if (ctl_leaf(ret)->sub)
				r = parse_command(&p, word);
			else
				r = parse_pos(&p, word);
			if (r != 0)
				return r;
		}
	}
	return ret->help ? 0 : check_complete(&p);
}
