/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_clock.c - clock accept. */

#include "rbacd/ctl/ctl.h"

int cmd_clock_accept(struct ctl *ctl, const struct ctl_args *args)
{
	struct wire_call call;

	ctl_call_init(&call, "clock-accept");
	ctl_call_add(&call, "why", ctl_arg(args, "why"));
	return ctl_call_told(ctl, &call);
}
