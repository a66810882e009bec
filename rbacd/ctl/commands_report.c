/* SPDX-License-Identifier: Apache-2.0 */
/* commands_report.c - rbacctl report: its commands and options, as data. */

#include "rbacd/ctl/commands.h"

#define EXIT_STATUS                                                                    \
	"Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged."

#define REPORT_PERIOD                                                                  \
	{.name = "since",                                                              \
	 .metavar = "TIME",                                                            \
	 .help = "start of the period (default: 90d before its end)"},                 \
		{.name = "until",                                                      \
		 .metavar = "TIME",                                                    \
		 .help = "end of the period (default: the snapshot's time)"},          \
		{.name = "as-of",                                                      \
		 .metavar = "TIME",                                                    \
		 .help = "the snapshot kept then, or ./PATH of one"},                  \
		{.name = "before",                                                     \
		 .metavar = "PATH",                                                    \
		 .help = "the snapshot to compare with"},                              \
		{.name = "people",                                                     \
		 .metavar = "FILE",                                                    \
		 .help = "people file instead of the running rbacd"},                  \
	{                                                                              \
		.name = "threshold", .metavar = "LEVEL",                               \
		.help = "exit 1 from this on",                                         \
		.values = {"info", "low", "medium", "high", "critical"},               \
	}

#define REPORT_FORMS                                                                   \
	{.name = "html", .help = "answer as one HTML page"}, CTL_CSV,                  \
		{.name = "table",                                                      \
		 .metavar = "NAME",                                                    \
		 .help = "with --csv: this table of the report"},                      \
	{                                                                              \
		.name = "output", .metavar = "FILE",                                   \
		.help = "write there instead of to standard output", .letter = 'o',    \
	}

static const struct ctl_option report_options[] = {
	REPORT_FORMS,
	{.name = "user", .metavar = "USER", .help = "this person alone"},
	{.name = "vm", .metavar = "VM", .help = "this VM alone"},
	{.name = "role", .metavar = "ROLE", .help = "this role alone"},
	REPORT_PERIOD,
	{.name = NULL},
};

static const struct ctl_option map_options[] = {
	REPORT_FORMS,
	{
		.name = "framework",
		.metavar = "NAME",
		.help = "this one",
		.values = {"pci", "iso27001", "soc2", "nist800-53", "hipaa", "cis"},
	},
	REPORT_PERIOD,
	{.name = NULL},
};

static const struct ctl_option pack_options[] = {
	REPORT_PERIOD,
	{.name = NULL},
};

static const struct ctl_option snapshot_options[] = {
	{.name = "people",
	 .metavar = "FILE",
	 .help = "people file instead of the running rbacd"},
	{.name = NULL},
};

const struct ctl_command ctl_report_commands[] = {
	{
		.name = "access",
		.help = "who reaches which VM, how, and since when unused",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "review",
		.help = "what a reviewer has to decide, with empty columns",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "changes",
		.help = "what is different from the start of the period",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "unused",
		.help = "unused access, dormant people, names that lead nowhere",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "privileged",
		.help = "who can act as root or as somebody else",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "mfa",
		.help = "second factors and who goes without",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "activity",
		.help = "logins and refusals over time",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "passwords",
		.help = "rules for passwords in force, and refusals",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "separation",
		.help = "who holds what nobody should hold together",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "integrity",
		.help = "whether the log is whole, and what was silent",
		.more = EXIT_STATUS,
		.options = report_options,
		.run = cmd_report,
	},
	{
		.name = "control-map",
		.help = "which report answers which requirement",
		.more = EXIT_STATUS,
		.options = map_options,
		.run = cmd_report,
	},
	{
		.name = "pack",
		.help = "all reports and what they were made from, in a new folder",
		.more = "FOLDER must not exist. The same snapshot, period and log make "
			"the same bytes.",
		.pos = {"FOLDER"},
		.options = pack_options,
		.run = cmd_report_pack,
	},
	{
		.name = "snapshot",
		.help = "keep what holds now, and put its hash into the log",
		.more = "Policy, people and states of second factors as one file under "
			"the state folder;\n"
			"no secret is in it. Once a day makes --as-of and changes "
			"exact.",
		.options = snapshot_options,
		.run = cmd_report_snapshot,
	},
	{.name = NULL},
};
