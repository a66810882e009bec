/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - rbacctl's first words, as data; commands_*.c hold what follows them. */

#include "rbacd/ctl/commands.h"

const struct ctl_option ctl_global_options[] = {
	{.name = "config",
	 .metavar = "FILE",
	 .help = "another configuration than " CONFIG_PATH},
	{.name = "json", .help = "answer as JSON, for programs"},
	{.name = "help", .help = "this help", .letter = 'h'},
	{.name = NULL},
};

const struct ctl_option ctl_why_options[] = {
	{.name = "why",
	 .metavar = "TEXT",
	 .help = "the reason, for the audit log (required)"},
	{.name = NULL},
};

static const struct ctl_option enrol_options[] = {
	{
		.name = "algorithm",
		.metavar = "NAME",
		.help = "hash of the code",
		.values = {"sha1", "sha256", "sha512"},
	},
	{
		.name = "digits",
		.metavar = "N",
		.help = "length of the code",
		.values = {"6", "8"},
	},
	{
		.name = "period",
		.metavar = "SECONDS",
		.help = "life of a code",
		.values = {"30", "60"},
	},
	{.name = "issuer",
	 .metavar = "NAME",
	 .help = "how the app calls this installation"},
	{.name = "text", .help = "no QR code: address and key in words"},
	{.name = "ascii", .help = "draw the QR code without UTF-8 or colour"},
	{.name = "confirm", .help = "only read the code of an enrolment begun before"},
	{.name = "name",
	 .metavar = "NAME",
	 .help = "a further factor, beside those that are there"},
	{
		.name = "kind",
		.metavar = "KIND",
		.help = "codes by time, or by a token's counter",
		.values = {"totp", "hotp"},
	},
	{.name = "security-key",
	 .metavar = "FILE",
	 .help = "the public half of a FIDO key of ssh: no code, no QR code"},
	{.name = NULL},
};

static const struct ctl_option who_options[] = {
	{.name = "id",
	 .metavar = "ID",
	 .help = "the person's immutable id instead of USER"},
	CTL_WHY,
	{.name = NULL},
};

static const struct ctl_option bypass_options[] = {
	{.name = "uses", .metavar = "N", .help = "how many logins (required)"},
	{.name = "for",
	 .metavar = "TIME",
	 .help = "how long: 30m, 1h, at most 7d (required)"},
	{.name = "why",
	 .metavar = "TEXT",
	 .help = "the reason, for the audit log (required)"},
	{.name = NULL},
};

static const struct ctl_option lock_options[] = {
	{.name = "for", .metavar = "TIME", .help = "how long: 30m, 2h, 7d (required)"},
	{.name = "why",
	 .metavar = "TEXT",
	 .help = "the reason, for the audit log (required)"},
	{.name = NULL},
};

static const struct ctl_option reload_options[] = {
	{.name = "rollback", .help = "take a policy that was active before"},
	{.name = NULL},
};

static const struct ctl_option users_options[] = {
	CTL_CSV,
	{.name = NULL},
};

static const struct ctl_option explain_options[] = {
	{.name = "id", .metavar = "ID", .help = "explain the decision with this id"},
	{.name = "from", .metavar = "ADDR", .help = "source address, or local"},
	{.name = "target", .metavar = "ACCOUNT", .help = "su: the account to become"},
	{.name = "with-code", .help = "suppose a right code is given"},
	{
		.name = "method",
		.metavar = "NAME",
		.help = "suppose this proof",
		.values = {"totp", "recovery", "security-key"},
	},
	{.name = NULL},
};

static const struct ctl_option access_options[] = {
	{.name = "people",
	 .metavar = "FILE",
	 .help = "people file instead of the configured source"},
	{.name = "policy",
	 .metavar = "PATH",
	 .help = "another policy than the configured one"},
	CTL_CSV,
	{.name = NULL},
};

static const struct ctl_option metrics_options[] = {
	{.name = "textfile",
	 .metavar = "FILE",
	 .help = "write there, for node_exporter"},
	{.name = NULL},
};

static const struct ctl_option doctor_options[] = {
	{.name = "root",
	 .metavar = "DIR",
	 .help = "look at the pam.d of another tree, and at nothing else"},
	{.name = NULL},
};

static const struct ctl_command root_commands[] = {
	{.name = "status",
	 .help = "how rbacd is, and what to do when something is wrong",
	 .run = cmd_status},
	{.name = "pam",
	 .help = "switch vmsec on and off in /etc/pam.d",
	 .sub = ctl_pam_commands},
	{
		.name = "doctor",
		.help = "look for what is wrong with this machine's set-up",
		.more = "Follows each service of /etc/pam.d as libpam would, and looks "
			"at sshd, sudo, files,\n"
			"clock, rescue and rbacd. Changes nothing. Exit: 0 clean, 1 "
			"warnings, 5 something\n"
			"keeps people out, 6 something lets people in.",
		.options = doctor_options,
		.run = cmd_doctor,
	},
	{
		.name = "enrol",
		.help = "give a person a second factor",
		.more = "Prints a QR code, the otpauth URI and the recovery codes, and "
			"asks for one code\n"
			"before anything is active. The secrets go to a terminal only, "
			"or out as --json;\n"
			"then confirm with: rbacctl enrol USER --confirm, the code on "
			"standard input.",
		.pos = {"USER"},
		.options = enrol_options,
		.run = cmd_enrol,
	},
	{
		.name = "disable",
		.help = "accept no more codes of a person",
		.pos = {"[USER]"},
		.options = who_options,
		.run = cmd_disable,
	},
	{
		.name = "reset",
		.help = "forget a person's factors, codes and counters",
		.pos = {"[USER]"},
		.options = who_options,
		.run = cmd_reset,
	},
	{
		.name = "bypass",
		.help = "make a short-lived code for a person whose phone is lost",
		.more = "The code replaces the one-time code, not the password or key. "
			"Making and using\n"
			"it are both recorded.",
		.pos = {"USER"},
		.options = bypass_options,
		.run = cmd_bypass,
	},
	{.name = "factor",
	 .help = "a person's single factors: list, unlock, resync, remove",
	 .sub = ctl_factor_commands},
	{.name = "proofs",
	 .help = "codes that are remembered: list and revoke",
	 .sub = ctl_proofs_commands},
	{
		.name = "users",
		.help = "list the people who have, or had, a second factor",
		.options = users_options,
		.run = cmd_users,
	},
	{
		.name = "lock",
		.help = "shut out a person, group, role, VM or method",
		.more = "WHAT is USER, group:NAME, role:NAME, vm:NAME or factor:METHOD "
			"(totp, recovery,\n"
			"security-key). It holds at once, beats every grant, and ends "
			"by itself.",
		.pos = {"WHAT"},
		.options = lock_options,
		.run = cmd_lock,
	},
	{
		.name = "unlock",
		.help = "end a lock early",
		.pos = {"WHAT"},
		.options = ctl_why_options,
		.run = cmd_unlock,
	},
	{
		.name = "locks",
		.help = "list the locks that hold",
		.options = users_options,
		.run = cmd_locks,
	},
	{
		.name = "explain",
		.help = "why somebody may or may not",
		.more = "USER VM PRIVILEGE decides as a login would, now; a role's "
			"\"su:ACCOUNT\" may be\n"
			"written so. --id explains a past decision by the id that the "
			"person was shown.",
		.pos = {"[USER]", "[VM]", "[PRIVILEGE]"},
		.options = explain_options,
		.run = cmd_explain,
	},
	{
		.name = "who-can",
		.help = "who can reach a VM, and through what",
		.more = "Everybody whom the policy lets in at some time, from "
			"somewhere, with a code.\n"
			"Exit status 2 when not all people are known.",
		.pos = {"VM", "[PRIVILEGE]"},
		.options = access_options,
		.run = cmd_who_can,
	},
	{
		.name = "what-can",
		.help = "what a person can reach, and through what",
		.more = "Exit status 2 when not all people are known.",
		.pos = {"USER"},
		.options = access_options,
		.run = cmd_what_can,
	},
	{
		.name = "my-status",
		.help = "your own second factor; needs no root",
		.pos = {"[USER]"},
		.run = cmd_my_status,
	},
	{.name = "policy",
	 .help = "check, compare, replay, try, print a policy",
	 .sub = ctl_policy_commands},
	{.name = "directory",
	 .help = "the directory: state, test, and what its guard holds",
	 .sub = ctl_directory_commands},
	{.name = "audit",
	 .help = "read and verify the audit log",
	 .sub = ctl_audit_commands},
	{.name = "report",
	 .help = "reports for administrators, managers and auditors",
	 .sub = ctl_report_commands},
	{.name = "alerts",
	 .help = "what the detections found",
	 .sub = ctl_alerts_commands},
	{.name = "import",
	 .help = "take over second factors of other programs",
	 .sub = ctl_import_commands},
	{
		.name = "export",
		.help = "write seeds out, as otpauth addresses (root)",
		.more = "For another program, of USER or of everybody. Asks for a "
			"fresh one-time code of\n"
			"--as, who must be allowed sudo on this host. Recorded, an "
			"alert; what is printed\n"
			"are the secrets themselves.",
		.pos = {"[USER]"},
		.options = ctl_export_options,
		.run = cmd_export,
	},
	{.name = "clock",
	 .help = "the time, after it was set back",
	 .sub = ctl_clock_commands},
	{.name = "key",
	 .help = "the master key that seals people's secrets",
	 .sub = ctl_key_commands},
	{.name = "password",
	 .help = "people's passwords: rules, ages, forced changes",
	 .sub = ctl_password_commands},
	{.name = "blocklist",
	 .help = "the list of common and leaked passwords",
	 .sub = ctl_blocklist_commands},
	{
		.name = "metrics",
		.help = "print counters and ages in the text format of Prometheus",
		.options = metrics_options,
		.run = cmd_metrics,
		.text_only = true,
	},
	{
		.name = "reload",
		.help = "load configuration and policy again, all or nothing",
		.options = reload_options,
		.run = cmd_reload,
	},
	{
		.name = "backup",
		.help = "copy the live database to a new file",
		.more = "rbacd goes on. The master key is not in it: keep that apart.",
		.pos = {"FILE"},
		.run = cmd_backup,
	},
	{
		.name = "restore",
		.help = "put a backup in place of the database",
		.more = "rbacd must be stopped. Codes that may have been used since "
			"are void; the old\n"
			"file is renamed, not removed.",
		.pos = {"FILE"},
		.run = cmd_restore,
	},
	{.name = "version", .help = "print the version", .run = cmd_version},
	{
		.name = "completion",
		.help = "print a completion script",
		.pos = {"bash|zsh"},
		.run = cmd_completion,
		.text_only = true,
	},
	{.name = NULL},
};

const struct ctl_command ctl_root = {
	.name = "rbacctl",
	.help = "Administer rbacd: second factors, decisions, policy, audit log.",
	.sub = root_commands,
};
