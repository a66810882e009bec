/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_clock.c - clock accept. */

#include "rbacd/ctl/ctl.h"

int cmd_clock_accept(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	ctl_call_init(&call, "clock-accept");
	ctl_call_add(&call, "why", ctl_arg(args, "why"));
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	if (ctl->json)
		ctl_show_json(ctl, &answer, "");
	else
		ctl_show_message(ctl, &answer);
	return answer.code;
}
