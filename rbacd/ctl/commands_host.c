/* SPDX-License-Identifier: Apache-2.0 */
/* commands_host.c - rbacctl pam and directory: their commands and options, as data. */

#include "rbacd/ctl/commands.h"

#define SERVICES                                                                       \
	{                                                                              \
		"SERVICE", "[SERVICE]", "[SERVICE]", "[SERVICE]"                       \
	}

#define PROFILE                                                                        \
	{                                                                              \
		.name = "profile", .metavar = "NAME",                                  \
		.help = "sshd: either (of key, password), key, password; or rules"     \
	}

static const struct ctl_option pam_preview_options[] = {
	PROFILE,
	{.name = NULL},
};

static const struct ctl_option pam_enable_options[] = {
	PROFILE,
	{.name = "within",
	 .metavar = "TIME",
	 .help = "confirm in this time instead of 60s"},
	{.name = "yes", .help = "do not ask", .letter = 'y'},
	{.name = "user", .metavar = "LOGIN", .help = "try it as this person"},
	{.name = "from",
	 .metavar = "ADDR",
	 .help = "the address that the test login is said to come from"},
	{.name = "no-login", .help = "try nothing"},
	{.name = NULL},
};

static const struct ctl_option pam_disable_options[] = {
	{.name = "yes", .help = "do not ask", .letter = 'y'},
	{.name = NULL},
};

static const struct ctl_option pam_revert_options[] = {
	{.name = "boot",
	 .help = "only what was changed before the machine's last start"},
	{.name = NULL},
};

const struct ctl_command ctl_pam_commands[] = {
	{
		.name = "preview",
		.help = "show the lines that enable would add",
		.pos = SERVICES,
		.options = pam_preview_options,
		.run = cmd_pam_preview,
		.text_only = true,
	},
	{
		.name = "enable",
		.help = "switch vmsec on for services",
		.more = "Adds our lines to the services' own files, each between two "
			"marker comments, and\n"
			"makes a test login. For passwd and chpasswd these are the "
			"lines "
			"around the modules\n"
			"that change a password, and the test ends where a new one is "
			"asked for. Everything\n"
			"is taken back by itself after 60 seconds unless rbacctl pam "
			"confirm is run from a\n"
			"new login.",
		.pos = SERVICES,
		.options = pam_enable_options,
		.run = cmd_pam_enable,
		.text_only = true,
	},
	{.name = "confirm",
	 .help = "from a new login: the change stays",
	 .run = cmd_pam_confirm},
	{
		.name = "revert",
		.help = "take an unconfirmed change back now",
		.options = pam_revert_options,
		.run = cmd_pam_revert,
	},
	{
		.name = "disable",
		.help = "take our lines out of services",
		.pos = SERVICES,
		.options = pam_disable_options,
		.run = cmd_pam_disable,
		.text_only = true,
	},
	{.name = NULL},
};

static const struct ctl_option order_options[] = {
	CTL_WHY,
	{.name = NULL},
};

const struct ctl_command ctl_directory_commands[] = {
	{.name = "status",
	 .help = "how following it goes, and each group of the policy",
	 .run = cmd_directory_status},
	{
		.name = "test",
		.help = "connect to the LDAP servers and show what is found (root)",
		.more = "Each server of the configuration, as the follower would see "
			"it: kind, LDAP\n"
			"sync, counts, each group of the policy with its people and "
			"id, entries that\n"
			"are left out and why. Exit status 1 on any trouble.",
		.run = cmd_directory_test,
		.text_only = true,
	},
	{
		.name = "accept",
		.help = "apply the mass change that the guard holds",
		.options = order_options,
		.run = cmd_directory_accept,
	},
	{
		.name = "reject",
		.help = "keep holding it: look at the directory first",
		.options = order_options,
		.run = cmd_directory_reject,
	},
	{.name = NULL},
};
