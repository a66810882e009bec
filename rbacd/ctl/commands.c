/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - rbacctl's whole command tree, as data. */

#include "rbacd/ctl/ctl.h"

const struct ctl_option ctl_global_options[] = {
	{"config", "FILE", "another configuration than " CONFIG_PATH, 0, {NULL}},
	{"json", NULL, "answer as JSON, for programs", 0, {NULL}},
	{"help", NULL, "this help", 'h', {NULL}},
	{NULL, NULL, NULL, 0, {NULL}},
};

#define OPTIONS_END                                                                    \
	{                                                                              \
		NULL, NULL, NULL, 0,                                                   \
		{                                                                      \
			NULL                                                           \
		}                                                                      \
	}
#define CSV_OPTION                                                                     \
	{                                                                              \
		"csv", NULL, "answer as CSV (RFC 4180)", 0,                            \
		{                                                                      \
			NULL                                                           \
		}                                                                      \
	}
#define WHY_OPTION                                                                     \
	{                                                                              \
		"why", "TEXT", "the reason, for the audit log", 0,                     \
		{                                                                      \
			NULL                                                           \
		}                                                                      \
	}

static const struct ctl_option enrol_options[] = {
	{"algorithm", "NAME", "hash of the code", 0, {"sha1", "sha256", "sha512"}},
	{"digits", "N", "length of the code", 0, {"6", "8"}},
	{"period", "SECONDS", "life of a code", 0, {"30", "60"}},
	{"issuer", "NAME", "how the app calls this installation", 0, {NULL}},
	{"no-qr", NULL, "print no QR code", 0, {NULL}},
	{"ascii", NULL, "draw the QR code without UTF-8 or colour", 0, {NULL}},
	{"confirm", NULL, "only read the code of an enrolment begun before", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option who_options[] = {
	{"id", "ID", "the person's immutable id instead of USER", 0, {NULL}},
	WHY_OPTION,
	OPTIONS_END,
};

static const struct ctl_option bypass_options[] = {
	{"uses", "N", "how many logins (required)", 0, {NULL}},
	{"for", "TIME", "how long: 30m, 1h, at most 7d (required)", 0, {NULL}},
	{"why", "TEXT", "the reason, for the audit log (required)", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option lock_options[] = {
	{"for", "TIME", "how long: 30m, 2h, 7d (required)", 0, {NULL}},
	{"why", "TEXT", "the reason, for the audit log (required)", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option why_options[] = {
	{"why", "TEXT", "the reason, for the audit log (required)", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option reload_options[] = {
	{"rollback", NULL, "take a policy that was active before", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option users_options[] = {CSV_OPTION, OPTIONS_END};

static const struct ctl_option explain_options[] = {
	{"id", "ID", "explain the decision with this id", 0, {NULL}},
	{"from", "ADDR", "source address, or local", 0, {NULL}},
	{"target", "ACCOUNT", "su: the account to become", 0, {NULL}},
	{"with-code", NULL, "suppose a right code is given", 0, {NULL}},
	{"method",
	 "NAME",
	 "suppose this proof",
	 0,
	 {"totp", "recovery", "security-key"}},
	OPTIONS_END,
};

static const struct ctl_option tail_options[] = {
	{"lines", "N", "how many records (default 20)", 'n', {NULL}},
	{"follow", NULL, "wait for more", 'f', {NULL}},
	{"raw", NULL, "the stored lines, byte for byte", 0, {NULL}},
	CSV_OPTION,
	OPTIONS_END,
};

static const struct ctl_option show_options[] = {
	{"id", "ID", "the record with this decision id", 0, {NULL}},
	{"seq", "N", "the record with this number", 0, {NULL}},
	{"user", "USER", "records about this login", 0, {NULL}},
	{"since", "TIME", "2026-11-21, 2026-11-21T10:00 (UTC), or 2h back", 0, {NULL}},
	{"outcome", "NAME", "only these", 0, {"success", "failure", "unknown"}},
	{"raw", NULL, "the stored lines, byte for byte", 0, {NULL}},
	CSV_OPTION,
	OPTIONS_END,
};

#define REPORT_PERIOD                                                                  \
	{"since",                                                                      \
	 "TIME",                                                                       \
	 "start of the period (default: 90d before its end)",                          \
	 0,                                                                            \
	 {NULL}},                                                                      \
		{"until",                                                              \
		 "TIME",                                                               \
		 "end of the period (default: the snapshot's time)",                   \
		 0,                                                                    \
		 {NULL}},                                                              \
		{"as-of",                                                              \
		 "TIME",                                                               \
		 "the snapshot kept then, or ./PATH of one",                           \
		 0,                                                                    \
		 {NULL}},                                                              \
		{"before", "PATH", "the snapshot to compare with", 0, {NULL}},         \
		{"people",                                                             \
		 "FILE",                                                               \
		 "people file instead of the running rbacd",                           \
		 0,                                                                    \
		 {NULL}},                                                              \
	{                                                                              \
		"threshold", "LEVEL", "exit 1 from this on", 0,                        \
		{                                                                      \
			"info", "low", "medium", "high", "critical"                    \
		}                                                                      \
	}

static const struct ctl_option report_options[] = {
	{"html", NULL, "answer as one HTML page", 0, {NULL}},
	CSV_OPTION,
	{"table", "NAME", "with --csv: this table of the report", 0, {NULL}},
	{"output", "FILE", "write there instead of to standard output", 'o', {NULL}},
	{"user", "USER", "this person alone", 0, {NULL}},
	{"vm", "VM", "this VM alone", 0, {NULL}},
	{"role", "ROLE", "this role alone", 0, {NULL}},
	REPORT_PERIOD,
	OPTIONS_END,
};

static const struct ctl_option map_options[] = {
	{"html", NULL, "answer as one HTML page", 0, {NULL}},
	CSV_OPTION,
	{"table", "NAME", "with --csv: this table of the report", 0, {NULL}},
	{"output", "FILE", "write there instead of to standard output", 'o', {NULL}},
	{"framework",
	 "NAME",
	 "this one",
	 0,
	 {"pci", "iso27001", "soc2", "nist800-53", "hipaa", "cis"}},
	REPORT_PERIOD,
	OPTIONS_END,
};

static const struct ctl_option pack_options[] = {REPORT_PERIOD, OPTIONS_END};

static const struct ctl_option snapshot_options[] = {
	{"people", "FILE", "people file instead of the running rbacd", 0, {NULL}},
	OPTIONS_END,
};

#define COMMANDS_END                                                                   \
	{                                                                              \
		NULL, NULL, NULL, {NULL}, NULL, NULL, NULL                             \
	}

static const struct ctl_option diff_options[] = {
	{"people", "FILE", "people file instead of the configured source", 0, {NULL}},
	{"new-people",
	 "FILE",
	 "people file for NEW, to see what a change of people does",
	 0,
	 {NULL}},
	OPTIONS_END,
};

static const struct ctl_option lint_options[] = {
	{"people", "FILE", "people file instead of the configured source", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option replay_options[] = {
	{"since", "TIME", "2026-11-21, 2026-11-21T10:00 (UTC), or 30d back", 0, {NULL}},
	{"people", "FILE", "people file instead of the configured source", 0, {NULL}},
	CSV_OPTION,
	OPTIONS_END,
};

static const struct ctl_option graph_options[] = {
	{"svg", NULL, "a picture instead of DOT", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option access_options[] = {
	{"people", "FILE", "people file instead of the configured source", 0, {NULL}},
	{"policy", "PATH", "another policy than the configured one", 0, {NULL}},
	CSV_OPTION,
	OPTIONS_END,
};

static const struct ctl_option try_options[] = {
	{"confirm-within", "TIME", "5s to 1d (default 5m)", 0, {NULL}},
	{"force", NULL, "even if it locks somebody out", 0, {NULL}},
	{"user", "LOGIN", "whose access must stay (default: yours)", 0, {NULL}},
	{"people", "FILE", "people file instead of the configured source", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_command policy_commands[] = {
	{"check",
	 "check a policy and list everything that is wrong",
	 "Reads PATH (a file or a folder), or the configured policy, as rbacd would.\n"
	 "Needs no running rbacd. Exit status 1 when the policy would be refused.",
	 {"[PATH]"},
	 NULL,
	 NULL,
	 cmd_policy_check},
	{"print",
	 "print a policy in its canonical form",
	 "Loading what is printed decides the same; the sha256 of the log is its hash.",
	 {"[PATH]"},
	 NULL,
	 NULL,
	 cmd_policy_print},
	{"replay",
	 "the log's decisions once more, under another policy",
	 "Who got in and would be refused; whom the old policy refused and who would "
	 "get\n"
	 "in; with the records. A second factor is taken as given, people as they are\n"
	 "today. Exit status 1 on any difference, 2 when not all could be judged.",
	 {"NEW"},
	 replay_options,
	 NULL,
	 cmd_policy_replay},
	{"test",
	 "run the tests that stand in a policy",
	 "A policy with a failing test is never loaded: what was wanted and what came "
	 "is\n"
	 "told, and the exit status is 1.",
	 {"[PATH]"},
	 NULL,
	 NULL,
	 cmd_policy_test},
	{"graph",
	 "draw who gets which roles on which VMs",
	 "In the language of Graphviz, or with --svg as a picture that needs no "
	 "program.",
	 {"[PATH]"},
	 graph_options,
	 NULL,
	 cmd_policy_graph},
	{"lint",
	 "what every rule hits, and what looks like a mistake",
	 "VMs and people of every set, grant and deny; then rules that are expired, "
	 "dead,\n"
	 "double, shadowed, too broad, without owner or second factor. Exit status 1 "
	 "on a\n"
	 "warning, 2 when not all people are known.",
	 {"[PATH]"},
	 lint_options,
	 NULL,
	 cmd_policy_lint},
	{"diff",
	 "who gains and who loses what by a new policy",
	 "Every person, VM and privilege that OLD opens and NEW does not, or the "
	 "reverse,\n"
	 "taking origin, hours and proof as given and reviews as done. Needs no "
	 "running\n"
	 "rbacd. Exit status 1 on any difference.",
	 {"OLD", "NEW"},
	 diff_options,
	 NULL,
	 cmd_policy_diff},
	{"try",
	 "let a new policy decide for a while",
	 "rbacd returns to the configured policy by itself unless 'rbacctl policy "
	 "confirm'\n"
	 "comes in time, and after a restart. Refused when a VM would be left without\n"
	 "anybody who has sudo or su to root, or when you would lose something on "
	 "this\n"
	 "host. Root only.",
	 {"NEW"},
	 try_options,
	 NULL,
	 cmd_policy_try},
	{"confirm",
	 "keep the policy that is tried",
	 "Puts it in place of the configured file, which is kept as FILE.old; where "
	 "the\n"
	 "configured policy is a folder, change that first. Root only.",
	 {NULL},
	 NULL,
	 NULL,
	 cmd_policy_confirm},
	{"reviewed",
	 "note that a grant was reviewed",
	 "GRANT is the id of a grant with a 'review' in the active policy.",
	 {"GRANT"},
	 why_options,
	 NULL,
	 cmd_policy_reviewed},
	COMMANDS_END,
};

#define FILTER_OPTIONS                                                                 \
	{"user", "USER", "records about this login", 0, {NULL}},                       \
		{"vm", "VM", "about this VM", 0, {NULL}},                              \
		{"event",                                                              \
		 "NAME",                                                               \
		 "of this kind: auth, account, policy.load",                           \
		 0,                                                                    \
		 {NULL}},                                                              \
		{"reason", "NAME", "with this reason", 0, {NULL}},                     \
		{"source", "ADDR", "from this address", 0, {NULL}},                    \
		{"rule", "NAME", "decided by this rule", 0, {NULL}},                   \
		{"outcome",                                                            \
		 "NAME",                                                               \
		 "only these",                                                         \
		 0,                                                                    \
		 {"success", "failure", "unknown"}},                                   \
		{"since",                                                              \
		 "TIME",                                                               \
		 "2026-11-21, 2026-11-21T10:00 (UTC), or 2h back",                     \
		 0,                                                                    \
		 {NULL}},                                                              \
	{                                                                              \
		"until", "TIME", "before that time", 0,                                \
		{                                                                      \
			NULL                                                           \
		}                                                                      \
	}

static const struct ctl_option search_options[] = {
	FILTER_OPTIONS,
	CSV_OPTION,
	OPTIONS_END,
};

static const struct ctl_option export_options[] = {
	{"format",
	 "NAME",
	 "the stored lines, or OCSF 1.8 events",
	 0,
	 {"jsonl", "ocsf"}},
	{"from", "SEQ", "begin with this record", 0, {NULL}},
	{"follow", NULL, "wait for more", 'f', {NULL}},
	{"output", "FILE", "write there instead of to standard output", 'o', {NULL}},
	FILTER_OPTIONS,
	OPTIONS_END,
};

static const struct ctl_option hold_options[] = {WHY_OPTION, OPTIONS_END};

static const struct ctl_option verify_options[] = {
	{"vkey", "KEY", "a verifier key that was noted elsewhere", 0, {NULL}},
	{"tail", "TIME", "how old an unsigned record may be (default 5m)", 0, {NULL}},
	{"signatures", NULL, "check every signature, not one in 1,000", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option check_proof_options[] = {
	{"vkey", "KEY", "the verifier key; default: this host's", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_option key_options[] = {
	{"renew", NULL, "put the signing key aside; rbacd must be stopped", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_command audit_commands[] = {
	{"tail",
	 "show the newest records",
	 NULL,
	 {NULL},
	 tail_options,
	 NULL,
	 cmd_audit_tail},
	{"show",
	 "show records by id, number, person or time",
	 NULL,
	 {NULL},
	 show_options,
	 NULL,
	 cmd_audit_show},
	{"verify",
	 "check that the log is whole",
	 "Checks every record, the chain, the tree, the signed checkpoints and the "
	 "head.\n"
	 "Exit status 3 when anything was changed, cut, reordered or left unsigned.",
	 {NULL},
	 verify_options,
	 NULL,
	 cmd_audit_verify},
	{"search",
	 "find records in database and segments",
	 NULL,
	 {NULL},
	 search_options,
	 NULL,
	 cmd_audit_search},
	{"export",
	 "write records for another program",
	 "One line each. With --follow it goes on until its reader ends. With --output "
	 "the file\nappears when it is whole, or not at all.",
	 {NULL},
	 export_options,
	 NULL,
	 cmd_audit_export},
	{"hold",
	 "drop nothing of the log while it is on",
	 NULL,
	 {"on|off"},
	 hold_options,
	 NULL,
	 cmd_audit_hold},
	{"proof",
	 "write a proof that a record is in the signed log",
	 "Who has the proof and the verifier key needs nothing else: check-proof.",
	 {"SEQ"},
	 NULL,
	 NULL,
	 cmd_audit_proof},
	{"check-proof",
	 "check such a proof, from FILE or standard input",
	 NULL,
	 {"[FILE]"},
	 check_proof_options,
	 NULL,
	 cmd_audit_check_proof},
	{"key",
	 "print the verifier key of this log's checkpoints",
	 NULL,
	 {NULL},
	 key_options,
	 NULL,
	 cmd_audit_key},
	{"segments",
	 "list the files that hold the log",
	 NULL,
	 {NULL},
	 NULL,
	 NULL,
	 cmd_audit_segments},
	COMMANDS_END,
};

#define SERVICES                                                                       \
	{                                                                              \
		"SERVICE", "[SERVICE]", "[SERVICE]", "[SERVICE]"                       \
	}

static const struct ctl_option pam_preview_options[] = {
	{"profile",
	 "NAME",
	 "of sshd: either (key or password), key, password",
	 0,
	 {NULL}},
	OPTIONS_END};
static const struct ctl_option pam_enable_options[] = {
	{"profile",
	 "NAME",
	 "of sshd: either (key or password), key, password",
	 0,
	 {NULL}},
	{"within", "TIME", "confirm in this time instead of 60s", 0, {NULL}},
	{"yes", NULL, "do not ask", 'y', {NULL}},
	{"user", "LOGIN", "make a test login as this person", 0, {NULL}},
	{"from",
	 "ADDR",
	 "the address that the test login is said to come from",
	 0,
	 {NULL}},
	{"no-login", NULL, "make no test login", 0, {NULL}},
	OPTIONS_END};
static const struct ctl_option pam_disable_options[] = {
	{"yes", NULL, "do not ask", 'y', {NULL}}, OPTIONS_END};

static const struct ctl_option pam_revert_options[] = {
	{"boot",
	 NULL,
	 "only what was changed before the machine's last start",
	 0,
	 {NULL}},
	OPTIONS_END};

static const struct ctl_command pam_commands[] = {
	{"preview", "show the lines that enable would add", NULL, SERVICES,
	 pam_preview_options, NULL, cmd_pam_preview},
	{"enable", "switch vmsec on for services",
	 "Adds our lines to the services' own files, each between two marker comments, "
	 "and\nmakes a test login. Everything is taken back by itself after 60 seconds "
	 "unless\nrbacctl pam confirm is run from a new login.",
	 SERVICES, pam_enable_options, NULL, cmd_pam_enable},
	{"confirm",
	 "from a new login: the change stays",
	 NULL,
	 {NULL},
	 NULL,
	 NULL,
	 cmd_pam_confirm},
	{"revert",
	 "take an unconfirmed change back now",
	 NULL,
	 {NULL},
	 pam_revert_options,
	 NULL,
	 cmd_pam_revert},
	{"disable", "take our lines out of services", NULL, SERVICES,
	 pam_disable_options, NULL, cmd_pam_disable},
	{NULL, NULL, NULL, {NULL}, NULL, NULL, NULL}};

static const struct ctl_option doctor_options[] = {
	{"root",
	 "DIR",
	 "look at the pam.d of another tree, and at nothing else",
	 0,
	 {NULL}},
	{NULL, NULL, NULL, 0, {NULL}}};
static const struct ctl_option order_options[] = {WHY_OPTION, OPTIONS_END};

static const struct ctl_command directory_commands[] = {
	{"status",
	 "how following it goes, and each group of the policy",
	 NULL,
	 {NULL},
	 NULL,
	 NULL,
	 cmd_directory_status},
	{"test",
	 "connect to the LDAP servers and show what is found (root)",
	 "Each server of the configuration, as the follower would see it: kind, LDAP\n"
	 "sync, counts, each group of the policy with its people and id, entries that\n"
	 "are left out and why. Exit status 1 on any trouble.",
	 {NULL},
	 NULL,
	 NULL,
	 cmd_directory_test},
	{"accept",
	 "apply the mass change that the guard holds",
	 NULL,
	 {NULL},
	 order_options,
	 NULL,
	 cmd_directory_accept},
	{"reject",
	 "keep holding it: look at the directory first",
	 NULL,
	 {NULL},
	 order_options,
	 NULL,
	 cmd_directory_reject},
	COMMANDS_END,
};

static const struct ctl_command report_commands[] = {
	{"access",
	 "who reaches which VM, how, and since when unused",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"review",
	 "what a reviewer has to decide, with empty columns",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"changes",
	 "what is different from the start of the period",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"unused",
	 "unused access, dormant people, names that lead nowhere",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"privileged",
	 "who can act as root or as somebody else",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"mfa",
	 "second factors and who goes without",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"activity",
	 "logins and refusals over time",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"passwords",
	 "rules for passwords in force, and refusals",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"separation",
	 "who holds what nobody should hold together",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"integrity",
	 "whether the log is whole, and what was silent",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 report_options,
	 NULL,
	 cmd_report},
	{"control-map",
	 "which report answers which requirement",
	 "Exit status: 0 clean, 1 findings, 2 incomplete data, 3 the log is damaged.",
	 {NULL},
	 map_options,
	 NULL,
	 cmd_report},
	{"pack",
	 "all reports and what they were made from, in a new folder",
	 "FOLDER must not exist. The same snapshot, period and log make the same "
	 "bytes.",
	 {"FOLDER"},
	 pack_options,
	 NULL,
	 cmd_report_pack},
	{"snapshot",
	 "keep what holds now, and put its hash into the log",
	 "Policy, people and states of second factors as one file under the state "
	 "folder;\nno secret is in it. Once a day makes --as-of and changes exact.",
	 {NULL},
	 snapshot_options,
	 NULL,
	 cmd_report_snapshot},
	COMMANDS_END,
};

static const struct ctl_option alerts_options[] = {
	{"all", NULL, "the acknowledged ones too", 0, {NULL}},
	CSV_OPTION,
	OPTIONS_END,
};

static const struct ctl_command alerts_commands[] = {
	{"list",
	 "list the alerts that nobody has acknowledged",
	 "Exit status 1 when there are any.",
	 {NULL},
	 alerts_options,
	 NULL,
	 cmd_alerts_list},
	{"ack",
	 "acknowledge an alert by the number of its record",
	 NULL,
	 {"SEQ"},
	 hold_options,
	 NULL,
	 cmd_alerts_ack},
	COMMANDS_END,
};

static const struct ctl_option metrics_options[] = {
	{"textfile", "FILE", "write there, for node_exporter", 0, {NULL}},
	OPTIONS_END,
};

static const struct ctl_command root_commands[] = {
	{"status",
	 "how rbacd is, and what to do when something is wrong",
	 NULL,
	 {NULL},
	 NULL,
	 NULL,
	 cmd_status},
	{"pam",
	 "switch vmsec on and off in /etc/pam.d",
	 NULL,
	 {NULL},
	 NULL,
	 pam_commands,
	 NULL},
	{"doctor",
	 "look for what is wrong with this machine's set-up",
	 "Follows each service of /etc/pam.d as libpam would, and looks at sshd, sudo, "
	 "files,\nclock, rescue and rbacd. Changes nothing. Exit: 0 clean, 1 warnings, "
	 "5 something\nkeeps people out, 6 something lets people in.",
	 {NULL},
	 doctor_options,
	 NULL,
	 cmd_doctor},
	{"enrol",
	 "give a person a second factor",
	 "Prints a QR code, the otpauth URI and the recovery codes, and asks for one "
	 "code\n"
	 "before anything is active. The secrets go to a terminal only, or out as "
	 "--json;\n"
	 "then confirm with: rbacctl enrol USER --confirm, the code on standard input.",
	 {"USER"},
	 enrol_options,
	 NULL,
	 cmd_enrol},
	{"disable",
	 "accept no more codes of a person",
	 NULL,
	 {"[USER]"},
	 who_options,
	 NULL,
	 cmd_disable},
	{"reset",
	 "forget a person's factors, codes and counters",
	 NULL,
	 {"[USER]"},
	 who_options,
	 NULL,
	 cmd_reset},
	{"bypass",
	 "make a short-lived code for a person whose phone is lost",
	 "The code replaces the one-time code, not the password or key. Making and "
	 "using\n"
	 "it are both recorded.",
	 {"USER"},
	 bypass_options,
	 NULL,
	 cmd_bypass},
	{"users",
	 "list the people who have, or had, a second factor",
	 NULL,
	 {NULL},
	 users_options,
	 NULL,
	 cmd_users},
	{"lock",
	 "shut out a person, group, role, VM or method",
	 "WHAT is USER, group:NAME, role:NAME, vm:NAME or factor:METHOD (totp, "
	 "recovery,"
	 "\nsecurity-key). It holds at once, beats every grant, and ends by itself.",
	 {"WHAT"},
	 lock_options,
	 NULL,
	 cmd_lock},
	{"unlock", "end a lock early", NULL, {"WHAT"}, why_options, NULL, cmd_unlock},
	{"locks",
	 "list the locks that hold",
	 NULL,
	 {NULL},
	 users_options,
	 NULL,
	 cmd_locks},
	{"explain",
	 "why somebody may or may not",
	 "USER VM PRIVILEGE decides as a login would, now; a role's \"su:ACCOUNT\" may "
	 "be\n"
	 "written so. --id explains a past decision by the id that the person was "
	 "shown.",
	 {"[USER]", "[VM]", "[PRIVILEGE]"},
	 explain_options,
	 NULL,
	 cmd_explain},
	{"who-can",
	 "who can reach a VM, and through what",
	 "Everybody whom the policy lets in at some time, from somewhere, with a "
	 "code.\n"
	 "Exit status 2 when not all people are known.",
	 {"VM", "[PRIVILEGE]"},
	 access_options,
	 NULL,
	 cmd_who_can},
	{"what-can",
	 "what a person can reach, and through what",
	 "Exit status 2 when not all people are known.",
	 {"USER"},
	 access_options,
	 NULL,
	 cmd_what_can},
	{"my-status",
	 "your own second factor; needs no root",
	 NULL,
	 {"[USER]"},
	 NULL,
	 NULL,
	 cmd_my_status},
	{"policy",
	 "check or print a policy",
	 NULL,
	 {NULL},
	 NULL,
	 policy_commands,
	 NULL},
	{"directory",
	 "the directory: state, test, and what its guard holds",
	 NULL,
	 {NULL},
	 NULL,
	 directory_commands,
	 NULL},
	{"audit",
	 "read and verify the audit log",
	 NULL,
	 {NULL},
	 NULL,
	 audit_commands,
	 NULL},
	{"report",
	 "reports for administrators, managers and auditors",
	 NULL,
	 {NULL},
	 NULL,
	 report_commands,
	 NULL},
	{"alerts",
	 "what the detections found",
	 NULL,
	 {NULL},
	 NULL,
	 alerts_commands,
	 NULL},
	{"metrics",
	 "print counters and ages in the text format of Prometheus",
	 NULL,
	 {NULL},
	 metrics_options,
	 NULL,
	 cmd_metrics},
	{"reload",
	 "load configuration and policy again, all or nothing",
	 NULL,
	 {NULL},
	 reload_options,
	 NULL,
	 cmd_reload},
	{"backup",
	 "copy the live database to a new file",
	 "rbacd goes on. The master key is not in it: keep that apart.",
	 {"FILE"},
	 NULL,
	 NULL,
	 cmd_backup},
	{"restore",
	 "put a backup in place of the database",
	 "rbacd must be stopped. Codes that may have been used since are void; the "
	 "old\n"
	 "file is renamed, not removed.",
	 {"FILE"},
	 NULL,
	 NULL,
	 cmd_restore},
	{"version", "print the version", NULL, {NULL}, NULL, NULL, cmd_version},
	{"completion",
	 "print a completion script",
	 NULL,
	 {"bash|zsh"},
	 NULL,
	 NULL,
	 cmd_completion},
	COMMANDS_END,
};

const struct ctl_command ctl_root = {
	"rbacctl", "Administer rbacd: second factors, decisions, policy, audit log.",
	NULL,	   {NULL},
	NULL,	   root_commands,
	NULL,
};
