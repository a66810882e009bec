/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_factor.c - factor list, unlock, resync, remove; proofs list, revoke. */

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/prompt.h"
#include "rbacd/wire/code.h"

static bool one_person(const struct ctl_args *args)
{
	return (args->n_pos > 0) != (ctl_arg(args, "id") != NULL);
}

static void call_person(struct wire_call *call, const char *verb,
			const struct ctl_args *args)
{
	ctl_call_init(call, verb);
	ctl_call_add(call, "user", args->n_pos > 0 ? args->pos[0] : NULL);
	ctl_call_add(call, "id", ctl_arg(args, "id"));
	ctl_call_add(call, "why", ctl_arg(args, "why"));
}

/* @table as a list; @record, when it came, below it. */
static int show(struct ctl *ctl, const struct wire_call *call, const char *table,
		const char *record, const char *none)
{
	_cleanup_answer_ struct ctl_answer a = CTL_ANSWER_INIT;
	const struct out_table *t;
	int r = ctl_call(ctl, CTL_ADMIN, call, &a);

	if (r != 0)
		return r;
	t = out_find(&a.set, table);
	if (ctl->json)
		ctl_show_json(ctl, &a, table);
	else if (ctl->csv)
		out_print_csv(t, ctl->out);
	else if (t)
		out_print_table(t, ctl->out);
	else if (a.code == CTL_OK)
		(void)fputs(none, ctl->out);
	if (!ctl->json && !ctl->csv && out_find(&a.set, record)) {
		(void)fputc('\n', ctl->out);
		out_print_record(out_find(&a.set, record), ctl->out);
	}
	if (!ctl->json)
		ctl_show_message(ctl, &a);
	return a.code;
}

/* ---------------------------------------------------------------- factor */

int cmd_factor_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct wire_call call;

	if (!one_person(args))
		return ctl_fail(ctl, CTL_USAGE, "USER or --id ID, one of them.");
	call_person(&call, "factors", args);
	return show(ctl, &call, "factors", "state", "No factor.\n");
}

int cmd_factor_unlock(struct ctl *ctl, const struct ctl_args *args)
{
	struct wire_call call;

	if (!one_person(args))
		return ctl_fail(ctl, CTL_USAGE, "USER or --id ID, one of them.");
	call_person(&call, "factor-unlock", args);
	return ctl_call_told(ctl, &call);
}

int cmd_factor_remove(struct ctl *ctl, const struct ctl_args *args)
{
	struct wire_call call;

	call_person(&call, "factor-remove", args);
	ctl_call_add(&call, "name", args->pos[1]);
	return ctl_call_told(ctl, &call);
}

/* The next line as digits; @prompt on a terminal. False: it is no code. */
static bool read_code(struct ctl *ctl, const char *prompt, char digits[16])
{
	_cleanup_secret_ struct secret code = SECRET_INIT;
	FILE *to = ctl->json ? ctl->err : ctl->out; /* what is piped is JSON alone */
	char line[128];
	bool ok;

	if (!prompt_read(ctl->in, to, ctl->in_tty ? prompt : "", true, line,
			 sizeof(line)))
		return false;
	line[strcspn(line, "\r")] = '\0';
	ok = code_classify(line, strlen(line), &code) == WIRE_ANSWER_CODE;
	if (ok) { /* 8 at most */
		memcpy(digits, code.bytes, code.len);
		digits[code.len] = '\0';
	}
	explicit_bzero(line, sizeof(line));
	return ok;
}

int cmd_factor_resync(struct ctl *ctl, const struct ctl_args *args)
{
	char first[16] = "", second[16] = "";
	struct wire_call call;
	int r;

	if (!read_code(ctl, "A code: ", first) ||
	    !read_code(ctl, "The next one: ", second))
		return ctl_fail(ctl, CTL_NO, "a code is 6 or 8 digits.");
	call_person(&call, "factor-resync", args);
	ctl_call_add(&call, "name", args->pos[1]);
	ctl_call_add(&call, "first", first);
	ctl_call_add(&call, "second", second);
	r = ctl_call_told(ctl, &call);
	explicit_bzero(first, sizeof(first));
	explicit_bzero(second, sizeof(second));
	explicit_bzero(&call, sizeof(call));
	return r;
}

/* ---------------------------------------------------------------- proofs */

int cmd_proofs_list(struct ctl *ctl, const struct ctl_args *args)
{
	struct wire_call call;

	if (args->n_pos > 0 && ctl_arg(args, "id"))
		return ctl_fail(ctl, CTL_USAGE, "USER or --id ID, one of them.");
	call_person(&call, "proofs", args);
	return show(ctl, &call, "proofs", "", "Nothing is remembered.\n");
}

int cmd_proofs_revoke(struct ctl *ctl, const struct ctl_args *args)
{
	const char *all = ctl_arg(args, "all") ? "yes" : NULL;
	struct wire_call call;

	if (one_person(args) == (all != NULL))
		return ctl_fail(ctl, CTL_USAGE, "USER, --id ID or --all, one of them.");
	call_person(&call, "proofs-revoke", args);
	ctl_call_add(&call, "all", all);
	return ctl_call_told(ctl, &call);
}
