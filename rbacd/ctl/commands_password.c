/* SPDX-License-Identifier: Apache-2.0 */
/* commands_password.c - rbacctl password and blocklist: commands and options, as data.
 */

#include "rbacd/ctl/commands.h"

static const struct ctl_option password_check_options[] = {
	{.name = "user", .metavar = "LOGIN", .help = "whose it would be"},
	{.name = "name",
	 .metavar = "NAME",
	 .help = "the real name, if not that of /etc/passwd"},
	{.name = "policy", .metavar = "PATH", .help = "another policy"},
	{.name = NULL},
};

static const struct ctl_option password_expire_options[] = {
	{.name = "list",
	 .metavar = "FILE",
	 .help = "everybody in a file, one login a line, instead of USER"},
	{.name = "why",
	 .metavar = "TEXT",
	 .help = "the reason, for the audit log (required)"},
	{.name = NULL},
};

static const struct ctl_option password_status_options[] = {
	CTL_CSV,
	{.name = NULL},
};

const struct ctl_command ctl_password_commands[] = {
	{
		.name = "expire",
		.help = "demand a new password at the next login with one",
		.more = "After a breach or a suspicion. The mark stays until the "
			"person has changed it;\n"
			"logins with a key go on. Exit status 1 when somebody of "
			"--list is not known.",
		.pos = {"[USER]"},
		.options = password_expire_options,
		.run = cmd_password_expire,
	},
	{
		.name = "status",
		.help = "age of the passwords, and who must change one",
		.more = "Ages count from the last change that vmsec saw, or from the "
			"first login after it\n"
			"was installed.",
		.pos = {"[USER]"},
		.options = password_status_options,
		.run = cmd_password_status,
	},
	{
		.name = "check",
		.help = "would this password be refused, and why",
		.more = "Reads it from the terminal without showing it, or a line of "
			"standard input. Nothing\n"
			"is stored. The current and former passwords are not known "
			"here, so likeness to them\n"
			"is judged by passwd alone.",
		.options = password_check_options,
		.run = cmd_password_check,
	},
	{.name = NULL},
};

static const struct ctl_option blocklist_file_options[] = {
	{.name = "file",
	 .metavar = "FILE",
	 .help = "another blocklist than the installation's"},
	{.name = NULL},
};

const struct ctl_command ctl_blocklist_commands[] = {
	{
		.name = "build",
		.help = "make the blocklist from lists of passwords",
		.more = "A line of a LIST is a password, or the SHA-1 of one in hex "
			"with "
			"a count behind ':' or\n"
			"not, as breach lists have them. Without a LIST it is standard "
			"input. The new one\n"
			"takes the old one's place at once; rbacd needs no reload.",
		.pos = {"[LIST]", "[LIST]", "[LIST]", "[LIST]"},
		.options = blocklist_file_options,
		.run = cmd_blocklist_build,
	},
	{
		.name = "check",
		.help = "is a password in the blocklist",
		.more = "Reads it from the terminal without showing it, or every line "
			"of standard input.\n"
			"Exit status 1 when one is in the list.",
		.options = blocklist_file_options,
		.run = cmd_blocklist_check,
	},
	{
		.name = "info",
		.help = "what the blocklist holds, and whether it is whole",
		.options = blocklist_file_options,
		.run = cmd_blocklist_info,
	},
	{.name = NULL},
};
