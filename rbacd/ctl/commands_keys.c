/* SPDX-License-Identifier: Apache-2.0 */
/* commands_keys.c - rbacctl key, clock, import and export: their commands and options,
 * as data. */

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

#define DRY_RUN                                                                        \
	{                                                                              \
		.name = "dry-run",                                                     \
		.help = "change nothing, say what would become of each"                \
	}

static const struct ctl_option google_options[] = {
	DRY_RUN,
	CTL_CSV,
	{.name = "user", .metavar = "LOGIN", .help = "whose file it is"},
	{.name = NULL},
};

static const struct ctl_option import_options[] = {
	DRY_RUN,
	CTL_CSV,
	{.name = NULL},
};

const struct ctl_option ctl_export_options[] = {
	{.name = "otpauth", .help = "as otpauth:// addresses (required)"},
	{.name = "as",
	 .metavar = "LOGIN",
	 .help = "who vouches for it with a code (required)"},
	CTL_WHY,
	{.name = NULL},
};

const struct ctl_command ctl_import_commands[] = {
	{
		.name = "google-authenticator",
		.help = "the files of pam_google_authenticator (root)",
		.more = "PATH is ~/.google_authenticator, or a file that is named "
			"after its person.\n"
			"Scratch codes become recovery codes. Exit status 1 when "
			"something was left out.",
		.pos = {"PATH..."},
		.options = google_options,
		.run = cmd_import_google,
	},
	{
		.name = "pam-oath",
		.help = "the users file of pam_oath (root)",
		.pos = {"FILE"},
		.options = import_options,
		.run = cmd_import_pam_oath,
	},
	{
		.name = "oath-ldap",
		.help = "an LDIF of OATH-LDAP, or of slapd's otp overlay (root)",
		.pos = {"LDIF"},
		.options = import_options,
		.run = cmd_import_oath_ldap,
	},
	{
		.name = "otpauth",
		.help = "a file of otpauth:// addresses, one a line (root)",
		.pos = {"FILE"},
		.options = import_options,
		.run = cmd_import_otpauth,
	},
	{.name = NULL},
};
