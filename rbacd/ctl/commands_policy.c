/* SPDX-License-Identifier: Apache-2.0 */
/* commands_policy.c - rbacctl policy: its commands and options, as data. */

#include "rbacd/ctl/commands.h"

static const struct ctl_option diff_options[] = {
	{.name = "people",
	 .metavar = "FILE",
	 .help = "people file instead of the configured source"},
	{.name = "new-people",
	 .metavar = "FILE",
	 .help = "people file for NEW, to see what a change of people does"},
	{.name = NULL},
};

static const struct ctl_option lint_options[] = {
	{.name = "people",
	 .metavar = "FILE",
	 .help = "people file instead of the configured source"},
	{.name = NULL},
};

static const struct ctl_option replay_options[] = {
	{.name = "since",
	 .metavar = "TIME",
	 .help = "2026-11-21, 2026-11-21T10:00 (UTC), or 30d back"},
	{.name = "people",
	 .metavar = "FILE",
	 .help = "people file instead of the configured source"},
	CTL_CSV,
	{.name = NULL},
};

static const struct ctl_option pin_options[] = {
	{.name = "write", .help = "put the ids into the files"},
	{.name = NULL},
};

static const struct ctl_option graph_options[] = {
	{.name = "svg", .help = "a picture instead of DOT"},
	{.name = NULL},
};

static const struct ctl_option try_options[] = {
	{.name = "confirm-within", .metavar = "TIME", .help = "5s to 1d (default 5m)"},
	{.name = "force", .help = "even if it locks somebody out"},
	{.name = "user",
	 .metavar = "LOGIN",
	 .help = "whose access must stay (default: yours)"},
	{.name = "people",
	 .metavar = "FILE",
	 .help = "people file instead of the configured source"},
	{.name = NULL},
};

const struct ctl_command ctl_policy_commands[] = {
	{
		.name = "check",
		.help = "check a policy and list everything that is wrong",
		.more = "Reads PATH (a file or a folder), or the configured policy, as "
			"rbacd would.\n"
			"Needs no running rbacd. Exit status 1 when the policy would "
			"be refused.",
		.pos = {"[PATH]"},
		.run = cmd_policy_check,
	},
	{
		.name = "print",
		.help = "print a policy in its canonical form",
		.more = "Loading what is printed decides the same; the sha256 of the "
			"log is its hash.",
		.pos = {"[PATH]"},
		.run = cmd_policy_print,
	},
	{
		.name = "replay",
		.help = "the log's decisions once more, under another policy",
		.more = "Who got in and would be refused; whom the old policy refused "
			"and who would get\n"
			"in; with the records. A second factor is taken as given, "
			"people as they are\n"
			"today. Exit status 1 on any difference, 2 when not all could "
			"be judged.",
		.pos = {"NEW"},
		.options = replay_options,
		.run = cmd_policy_replay,
	},
	{
		.name = "test",
		.help = "run the tests that stand in a policy",
		.more = "A policy with a failing test is never loaded: what was wanted "
			"and what came is\n"
			"told, and the exit status is 1.",
		.pos = {"[PATH]"},
		.run = cmd_policy_test,
	},
	{
		.name = "graph",
		.help = "draw who gets which roles on which VMs",
		.more = "In the language of Graphviz, or with --svg as a picture that "
			"needs no program.",
		.pos = {"[PATH]"},
		.options = graph_options,
		.run = cmd_policy_graph,
	},
	{
		.name = "lint",
		.help = "what every rule hits, and what looks like a mistake",
		.more = "VMs and people of every set, grant and deny; then rules that "
			"are expired, dead,\n"
			"double, shadowed, too broad, without owner or second factor. "
			"Exit status 1 on a\n"
			"warning, 2 when not all people are known.",
		.pos = {"[PATH]"},
		.options = lint_options,
		.run = cmd_policy_lint,
	},
	{
		.name = "diff",
		.help = "who gains and who loses what by a new policy",
		.more = "Every person, VM and privilege that OLD opens and NEW does "
			"not, or the reverse,\n"
			"taking origin, hours and proof as given and reviews as done. "
			"Needs no running\n"
			"rbacd. Then what else is said differently, a line for each "
			"key: conditions of\n"
			"rules that both have, services, limits, enrolment, passwords, "
			"mode. Exit status 1\n"
			"on any difference, 2 when not all people are known.",
		.pos = {"OLD", "NEW"},
		.options = diff_options,
		.run = cmd_policy_diff,
	},
	{
		.name = "pin",
		.help = "bind the policy's groups to the directory's objects",
		.more = "Fills in the immutable ids of aliases under 'groups:' that "
			"have "
			"none, from what\n"
			"rbacd keeps of an LDAP directory. Shows the change; with "
			"--write each file is\n"
			"replaced whole. Exit status 1 while ids are missing.",
		.pos = {"[PATH]"},
		.options = pin_options,
		.run = cmd_policy_pin,
	},
	{
		.name = "try",
		.help = "let a new policy decide for a while",
		.more = "rbacd returns to the configured policy by itself unless "
			"'rbacctl policy confirm'\n"
			"comes in time, and after a restart. Refused when a VM would "
			"be left without\n"
			"anybody who has sudo or su to root, or when you would lose "
			"something on this\n"
			"host. Root only.",
		.pos = {"NEW"},
		.options = try_options,
		.run = cmd_policy_try,
	},
	{
		.name = "confirm",
		.help = "keep the policy that is tried",
		.more = "Puts it in place of the configured file, which is kept as "
			"FILE.old; where the\n"
			"configured policy is a folder, change that first. Root only.",
		.run = cmd_policy_confirm,
	},
	{
		.name = "reviewed",
		.help = "note that a grant was reviewed",
		.more = "GRANT is the id of a grant with a 'review' in the active "
			"policy.",
		.pos = {"GRANT"},
		.options = ctl_why_options,
		.run = cmd_policy_reviewed,
	},
	{.name = NULL},
};
