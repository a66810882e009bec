/* SPDX-License-Identifier: Apache-2.0 */
/* commands_audit.c - rbacctl audit and alerts: their commands and options, as data. */

#include "rbacd/ctl/commands.h"

#define FILTER_OPTIONS                                                                 \
	{.name = "user", .metavar = "USER", .help = "records about this login"},       \
		{.name = "vm", .metavar = "VM", .help = "about this VM"},              \
		{.name = "event",                                                      \
		 .metavar = "NAME",                                                    \
		 .help = "of this kind: auth, account, policy.load"},                  \
		{.name = "reason", .metavar = "NAME", .help = "with this reason"},     \
		{.name = "source", .metavar = "ADDR", .help = "from this address"},    \
		{.name = "rule", .metavar = "NAME", .help = "decided by this rule"},   \
		{                                                                      \
			.name = "outcome",                                             \
			.metavar = "NAME",                                             \
			.help = "only these",                                          \
			.values = {"success", "failure", "unknown"},                   \
		},                                                                     \
		{                                                                      \
			.name = "decision",                                            \
			.metavar = "NAME",                                             \
			.help = "what was decided",                                    \
			.values = {"allow", "deny", "would_deny"},                     \
		},                                                                     \
		{.name = "since",                                                      \
		 .metavar = "TIME",                                                    \
		 .help = "2026-11-21, 2026-11-21T10:00 (UTC), or 2h back"},            \
	{                                                                              \
		.name = "until", .metavar = "TIME", .help = "before that time"         \
	}

static const struct ctl_option tail_options[] = {
	{
		.name = "lines",
		.metavar = "N",
		.help = "how many records (default 20)",
		.letter = 'n',
	},
	{.name = "follow", .help = "wait for more", .letter = 'f'},
	{.name = "raw", .help = "the stored lines, byte for byte"},
	CTL_CSV,
	{.name = NULL},
};

static const struct ctl_option show_options[] = {
	{.name = "id", .metavar = "ID", .help = "the record with this decision id"},
	{.name = "seq", .metavar = "N", .help = "the record with this number"},
	{.name = "user", .metavar = "USER", .help = "records about this login"},
	{.name = "since",
	 .metavar = "TIME",
	 .help = "2026-11-21, 2026-11-21T10:00 (UTC), or 2h back"},
	{
		.name = "outcome",
		.metavar = "NAME",
		.help = "only these",
		.values = {"success", "failure", "unknown"},
	},
	{.name = "raw", .help = "the stored lines, byte for byte"},
	CTL_CSV,
	{.name = NULL},
};

static const struct ctl_option search_options[] = {
	FILTER_OPTIONS,
	CTL_CSV,
	{.name = NULL},
};

static const struct ctl_option export_options[] = {
	{
		.name = "format",
		.metavar = "NAME",
		.help = "the stored lines, or OCSF 1.8 events",
		.values = {"jsonl", "ocsf"},
	},
	{.name = "from", .metavar = "SEQ", .help = "begin with this record"},
	{.name = "follow", .help = "wait for more", .letter = 'f'},
	{
		.name = "output",
		.metavar = "FILE",
		.help = "write there instead of to standard output",
		.letter = 'o',
	},
	FILTER_OPTIONS,
	{.name = NULL},
};

static const struct ctl_option hold_options[] = {
	CTL_WHY,
	{.name = NULL},
};

static const struct ctl_option verify_options[] = {
	{.name = "vkey",
	 .metavar = "KEY",
	 .help = "a verifier key that was noted elsewhere"},
	{.name = "tail",
	 .metavar = "TIME",
	 .help = "how old an unsigned record may be (default 5m)"},
	{.name = "signatures", .help = "check every signature, not one in 1,000"},
	{.name = NULL},
};

static const struct ctl_option check_proof_options[] = {
	{.name = "vkey",
	 .metavar = "KEY",
	 .help = "the verifier key; default: this host's"},
	{.name = NULL},
};

static const struct ctl_option key_options[] = {
	{.name = "renew", .help = "put the signing key aside; rbacd must be stopped"},
	{.name = NULL},
};

const struct ctl_command ctl_audit_commands[] = {
	{
		.name = "tail",
		.help = "show the newest records",
		.options = tail_options,
		.run = cmd_audit_tail,
	},
	{
		.name = "show",
		.help = "show records by id, number, person or time",
		.options = show_options,
		.run = cmd_audit_show,
	},
	{
		.name = "verify",
		.help = "check that the log is whole",
		.more = "Checks every record, the chain, the tree, the signed "
			"checkpoints and the head.\n"
			"Exit status 3 when anything was changed, cut, reordered or "
			"left unsigned.",
		.options = verify_options,
		.run = cmd_audit_verify,
	},
	{
		.name = "search",
		.help = "find records in database and segments",
		.options = search_options,
		.run = cmd_audit_search,
	},
	{
		.name = "export",
		.help = "write records for another program",
		.more = "One line each. With --follow it goes on until its reader "
			"ends. With --output the file\n"
			"appears when it is whole, or not at all.",
		.options = export_options,
		.run = cmd_audit_export,
		.text_only = true,
	},
	{
		.name = "hold",
		.help = "drop nothing of the log while it is on",
		.pos = {"on|off"},
		.options = hold_options,
		.run = cmd_audit_hold,
	},
	{
		.name = "proof",
		.help = "write a proof that a record is in the signed log",
		.more = "Who has the proof and the verifier key needs nothing else: "
			"check-proof.",
		.pos = {"SEQ"},
		.run = cmd_audit_proof,
		.text_only = true,
	},
	{
		.name = "check-proof",
		.help = "check such a proof, from FILE or standard input",
		.pos = {"[FILE]"},
		.options = check_proof_options,
		.run = cmd_audit_check_proof,
	},
	{
		.name = "key",
		.help = "print the verifier key of this log's checkpoints",
		.options = key_options,
		.run = cmd_audit_key,
	},
	{.name = "segments",
	 .help = "list the files that hold the log",
	 .run = cmd_audit_segments},
	{.name = NULL},
};

static const struct ctl_option alerts_options[] = {
	{.name = "all", .help = "the acknowledged ones too"},
	CTL_CSV,
	{.name = NULL},
};

const struct ctl_command ctl_alerts_commands[] = {
	{
		.name = "list",
		.help = "list the alerts that nobody has acknowledged",
		.more = "Exit status 1 when there are any.",
		.options = alerts_options,
		.run = cmd_alerts_list,
	},
	{
		.name = "ack",
		.help = "acknowledge an alert by the number of its record",
		.pos = {"SEQ"},
		.options = hold_options,
		.run = cmd_alerts_ack,
	},
	{.name = NULL},
};
