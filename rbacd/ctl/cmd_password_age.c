/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_password_age.c - password expire, password status. */

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"

#define LOGINS_MAX 100000

static void call_expire(struct wire_call *ret, const char *login, const char *why)
{
	ctl_call_init(ret, "password-expire");
	ctl_call_add(ret, "user", login);
	ctl_call_add(ret, "why", why);
}

/* One login a line; empty lines and those that begin with # are left out. */
static char *login_in(char *line)
{
	char *end;

	line += strspn(line, " \t");
	end = line + strcspn(line, " \t\r\n#");
	*end = '\0';
	return line;
}

struct expired {
	size_t n, n_failed, line;
};

static int expire_line(struct ctl *ctl, const char *login, const char *why,
		       struct expired *e)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	e->line++;
	if (!*login)
		return 0;
	call_expire(&call, login, why);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	if (answer.code == 0) {
		e->n++;
		return 0;
	}
	e->n_failed++; /* a list of a breach names many who are not ours */
	(void)ctl_fail(ctl, answer.code, "line %zu: %s", e->line, answer.message);
	return 0;
}

static int expire_list(struct ctl *ctl, const char *path, const char *why)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct expired e = {0};
	char line[WIRE_NAME_MAX + 2];
	int r = 0;

	if (!f)
		return ctl_fail(ctl, CTL_NO, "%s cannot be read: %m.", path);
	while (r == 0 && e.line < LOGINS_MAX && fgets(line, sizeof(line), f)) {
		if (!strchr(line, '\n') && !feof(f))
			return ctl_fail(ctl, CTL_NO, "%s: line %zu is too long.", path,
					e.line + 1);
		r = expire_line(ctl, login_in(line), why, &e);
	}
	if (r == 0 && (ferror(f) || e.line == LOGINS_MAX))
		r = ctl_fail(ctl, CTL_NO,
			     "%s was not read to its end, which is line %d at most.",
			     path, LOGINS_MAX);
	if (ctl->json)
		(void)fprintf(ctl->out, "{\"demanded\": %zu, \"failed\": %zu}\n", e.n,
			      e.n_failed);
	else
		(void)fprintf(
			ctl->out,
			"%zu must choose a new password; %zu could not be marked.\n",
			e.n, e.n_failed);
	return r != 0 ? r : e.n_failed > 0 ? CTL_NO : 0;
}

int cmd_password_expire(struct ctl *ctl, const struct ctl_args *args)
{
	const char *why = ctl_arg(args, "why"), *list = ctl_arg(args, "list");
	struct wire_call call;

	if (!why || !*why)
		return ctl_fail(ctl, CTL_USAGE, "password expire needs --why TEXT.");
	if ((args->n_pos > 0) == (list != NULL))
		return ctl_fail(ctl, CTL_USAGE,
				"password expire needs USER or --list FILE, one of "
				"them.");
	if (list)
		return expire_list(ctl, list, why);
	call_expire(&call, args->pos[0], why);
	return ctl_call_told(ctl, &call);
}

int cmd_password_status(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const struct out_table *t;
	struct wire_call call;
	int r;

	ctl_call_init(&call, "password-status");
	ctl_call_add(&call, "user", args->n_pos > 0 ? args->pos[0] : NULL);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	t = out_find(&answer.set, "passwords");
	if (ctl->json)
		ctl_show_json(ctl, &answer, "passwords");
	else if (ctl->csv)
		out_print_csv(t, ctl->out);
	else
		out_print_table(t, ctl->out);
	if (!ctl->json)
		ctl_show_message(ctl, &answer);
	return answer.code;
}
