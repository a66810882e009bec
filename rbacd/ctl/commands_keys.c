/* SPDX-License-Identifier: Apache-2.0 */
/* commands_keys.c - rbacctl key and clock: their commands and options, as data. */

#include "rbacd/ctl/commands.h"

static const struct ctl_option why_options[] = {
	CTL_WHY,
	{.name = NULL},
};

const struct ctl_command ctl_key_commands[] = {
	{
		.name = "status",
		.help = "which key counts, and what is sealed under it (root)",
		.more = "Exit status 1 when something is left to do.",
		.run = cmd_key_status,
	},
	{
		.name = "rotate",
		.help = "seal everything under another master key (root)",
		.more = "rbacd goes on. The new key is made, or taken from FILE.next "
			"beside the key file;\n"
			"the old one is kept as FILE.old, for backups of before. Run "
			"it again after an\n"
			"interruption: it finishes.",
		.options = why_options,
		.run = cmd_key_rotate,
	},
	{.name = NULL},
};

const struct ctl_command ctl_clock_commands[] = {
	{
		.name = "accept",
		.help = "vouch for the time, after it was set back",
		.more = "Time-based codes are refused from then until the clock is "
			"synchronised, or this.\n"
			"Recorded, with an alert.",
		.options = why_options,
		.run = cmd_clock_accept,
	},
	{.name = NULL},
};
