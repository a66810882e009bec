/* SPDX-License-Identifier: Apache-2.0 */
/* pamedit_rules.c - our lines around the modules that change a password. */
#include <errno.h>
#include <security/_pam_types.h>
#include <stdlib.h>

#include "policy/memtext.h"
#include "rbacd/doctor/pamedit_internal.h"
#include "rbacd/doctor/pamrules.h"

#define JUDGE	"password\trequisite\tpam_vmsec.so\n"
#define CONFIRM "password\trequired\tpam_vmsec.so confirm\n"

/* The text while it is written. */
struct draft {
	FILE *out;
	size_t confirm; /* before which of the password lines; their number: at the end
			 */
	size_t n;	/* password lines so far */
	bool judged, inside;
};

static void open_block(struct draft *d)
{
	if (!d->inside)
		(void)fputs(PAMEDIT_BEGIN "\n", d->out);
	d->inside = true;
}

static void close_block(struct draft *d)
{
	if (d->inside)
		(void)fputs(PAMEDIT_END "\n", d->out);
	d->inside = false;
}

static void put_module(struct draft *d, const struct pamconf_line *line)
{
	bool token = pamrules_asks(line) && !pamconf_has_arg(line, "use_authtok");

	if (d->n++ == d->confirm)
		(void)fputs(CONFIRM, d->out);
	(void)fprintf(d->out, "%s%s\n", line->text + strspn(line->text, " \t"),
		      token ? " use_authtok" : "");
}

/* The line as a comment, and then what it stands for. */
static void put_replaced(struct draft *d, const char *line, size_t len,
			 const struct pamconf_stack *stack)
{
	open_block(d);
	(void)fprintf(d->out, PAMEDIT_WAS "%.*s%s", (int)len, line,
		      line[len - 1] == '\n' ? "" : "\n");
	if (!d->judged)
		(void)fputs(JUDGE, d->out);
	d->judged = true;
	for (size_t i = 0; i < stack->n; i++)
		if (stack->v[i].level == 0)
			put_module(d, &stack->v[i]);
}

static int put_line(struct draft *d, const char *root,
		    const struct pamedit_lines *lines, size_t i)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	int r = pamedit_read_line(root, lines, i, &conf);

	if (r != 0)
		return r;
	if (!pamedit_brings(&conf, PAMCONF_PASSWORD)) {
		close_block(d);
		(void)fwrite(lines->p[i], 1, lines->len[i], d->out);
		return 0;
	}
	for (int t = 0; t < PAMCONF_TYPES; t++)
		if (t != PAMCONF_PASSWORD &&
		    pamedit_brings(&conf, (enum pamconf_type)t))
			return PAMEDIT_E_NO_PLACE; /* it cannot be replaced */
	put_replaced(d, lines->p[i], lines->len[i], &conf.stack[PAMCONF_PASSWORD]);
	return 0;
}

/* @ret_n: how many password lines there are, without ours. */
static int compose(const char *root, const struct pamedit_lines *lines, size_t confirm,
		   char **ret, size_t *ret_n)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	struct draft d = {.confirm = confirm};
	size_t len = 0;
	int r = memtext_open(&m);

	if (r != 0)
		return r;
	d.out = m.out;
	for (size_t i = 0; r == 0 && i < lines->n; i++)
		r = put_line(&d, root, lines, i);
	if (d.n == confirm) {
		open_block(&d);
		(void)fputs(CONFIRM, d.out);
	}
	close_block(&d);
	*ret_n = d.n;
	return r == 0 ? memtext_take(&m, ret, &len) : r;
}

static bool is_right(const struct pamconf_stack *stack)
{
	struct pamrules at;

	pamrules_find(stack, &at);
	if (at.judge == PAMRULES_NOWHERE || at.changer == PAMRULES_NOWHERE ||
	    at.confirm == PAMRULES_NOWHERE || at.confirm < at.changer ||
	    stack->v[at.judge].actions[PAM_AUTHTOK_ERR] != PAMCONF_DIE)
		return false;
	for (size_t i = 0; i < stack->n; i++)
		if ((i < at.judge || !pamconf_has_arg(&stack->v[i], "use_authtok")) &&
		    pamrules_asks(&stack->v[i]))
			return false;
	return pamrules_confirmed(stack, &at);
}

static int judge(const char *root, const char *service, const char *text, bool *ret)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r = pamconf_read_text(root, service, text, &conf, &diag);

	*ret = r == 0 && !conf.refused && is_right(&conf.stack[PAMCONF_PASSWORD]);
	return r;
}

int pamedit_add_rules(const char *root, const char *service, const char *text,
		      char **ret)
{
	struct pamedit_lines lines;
	size_t n = 1;
	int r = pamedit_split(text, &lines);

	for (size_t confirm = 1; r == 0 && confirm <= n; confirm++) {
		_cleanup_free_ char *made = NULL;
		bool right = false;

		r = compose(root, &lines, confirm, &made, &n);
		if (r == 0)
			r = judge(root, service, made, &right);
		if (r == 0 && right) {
			*ret = STEAL(made);
			return 0;
		}
	}
	return r != 0 ? r : PAMEDIT_E_NO_PLACE;
}

static bool same_lines(const struct pamconf_stack *a, const struct pamconf_stack *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!str_eq(a->v[i].text, b->v[i].text))
			return false;
	return a->n == b->n;
}

int pamedit_is_stale(const char *root, const char *service, const char *text, bool *ret)
{
	_cleanup_free_ char *without = NULL, *again = NULL;
	_cleanup_pamconf_ struct pamconf now = PAMCONF_INIT, then = PAMCONF_INIT;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r;

	*ret = false;
	if (!strstr(text, PAMEDIT_WAS))
		return 0;
	r = pamedit_remove(text, &without);
	if (r == 0)
		r = pamedit_add_rules(root, service, without, &again);
	*ret = r > 0;
	if (r != 0)
		return r > 0 ? 0 : r;
	r = pamconf_read_text(root, service, text, &now, &diag);
	if (r == 0)
		r = pamconf_read_text(root, service, again, &then, &diag);
	*ret = r == 0 &&
	       !same_lines(&now.stack[PAMCONF_PASSWORD], &then.stack[PAMCONF_PASSWORD]);
	return r;
}
