/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_export.c - export --otpauth: seeds on standard output, for another program. */

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/prompt.h"
#include "rbacd/ctl/text.h"

static int call_export(struct ctl *ctl, const struct ctl_args *args, const char *as,
		       struct ctl_answer *answer)
{
	struct wire_call call;
	char code[64] = "";
	int r;

	if (!prompt_read(ctl->in, ctl->err, ctl->in_tty ? "Your one-time code: " : "",
			 true, code, sizeof(code)))
		return ctl_fail(ctl, CTL_NO, "a one-time code of %s is needed.", as);
	ctl_call_init(&call, "export");
	ctl_call_add(&call, "user", as);
	ctl_call_add(&call, "code", code);
	ctl_call_add(&call, "of", args->n_pos > 0 ? args->pos[0] : NULL);
	ctl_call_add(&call, "why", ctl_arg(args, "why"));
	r = ctl_call(ctl, CTL_ADMIN, &call, answer);
	explicit_bzero(&call, sizeof(call));
	explicit_bzero(code, sizeof(code));
	return r;
}

int cmd_export(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const char *as = ctl_arg(args, "as");
	const struct out_table *t;
	int r;

	if (!ctl_arg(args, "otpauth") || !as)
		return ctl_fail(ctl, CTL_USAGE,
				"export needs --otpauth, the form, and --as LOGIN, who "
				"vouches for it.");
	r = call_export(ctl, args, as, &answer);
	if (r != 0)
		return r;
	t = out_find(&answer.set, "otpauth");
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "otpauth");
		return answer.code;
	}
	for (const struct out_row *row = t ? t->first : NULL; row; row = row->next) {
		const struct out_cell *uri = out_cell(row, "uri");

		if (uri && uri->text)
			(void)text_print(uri->text, uri->len, ctl->out);
		(void)fputc('\n', ctl->out);
	}
	/* Standard output holds the addresses alone. */
	return ctl_fail(ctl, answer.code, "%s", answer.message);
}
