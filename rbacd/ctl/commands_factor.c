/* SPDX-License-Identifier: Apache-2.0 */
/* commands_factor.c - rbacctl factor and proofs: commands and options, as data. */

#include "rbacd/ctl/commands.h"

#define CTL_ID                                                                         \
	{                                                                              \
		.name = "id", .metavar = "ID",                                         \
		.help = "the person's immutable id instead of USER"                    \
	}

static const struct ctl_option list_options[] = {CTL_ID, CTL_CSV, {.name = NULL}};
static const struct ctl_option change_options[] = {CTL_ID, CTL_WHY, {.name = NULL}};
static const struct ctl_option why_options[] = {CTL_WHY, {.name = NULL}};

static const struct ctl_option revoke_options[] = {
	CTL_ID,
	CTL_WHY,
	{.name = "all", .help = "everybody's, instead of USER's"},
	{.name = NULL},
};

const struct ctl_command ctl_factor_commands[] = {
	{
		.name = "list",
		.help = "list a person's factors and what of the budget is left",
		.pos = {"[USER]"},
		.options = list_options,
		.run = cmd_factor_list,
	},
	{
		.name = "unlock",
		.help = "end the delay after wrong codes",
		.more = "A factor that was disabled, after 100 wrong codes in a row or "
			"by you, must be bound\n"
			"again instead: rbacctl reset USER, then enrol.",
		.pos = {"[USER]"},
		.options = change_options,
		.run = cmd_factor_unlock,
	},
	{
		.name = "reset",
		.help = "forget a person's factors, codes and counters",
		.pos = {"[USER]"},
		.options = change_options,
		.run = cmd_reset,
	},
	{
		.name = "resync",
		.help = "set the clock or counter of a factor right",
		.more = "Asks for two codes that follow each other, on standard input, "
			"one a line.",
		.pos = {"USER", "NAME"},
		.options = why_options,
		.run = cmd_factor_resync,
	},
	{
		.name = "remove",
		.help = "remove one factor of a person",
		.pos = {"USER", "NAME"},
		.options = why_options,
		.run = cmd_factor_remove,
	},
	{.name = NULL},
};

const struct ctl_command ctl_proofs_commands[] = {
	{
		.name = "list",
		.help = "list who need not be asked for a code, where, since when",
		.pos = {"[USER]"},
		.options = list_options,
		.run = cmd_proofs_list,
	},
	{
		.name = "revoke",
		.help = "forget remembered codes: the next request asks again",
		.pos = {"[USER]"},
		.options = revoke_options,
		.run = cmd_proofs_revoke,
	},
	{.name = NULL},
};
