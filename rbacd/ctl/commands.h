/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.h - the parts of rbacctl's command tree, and the options that several share.
 *
 * Only commands*.c include it. A table ends with a NULL name.
 */
#pragma once

#include "rbacd/ctl/ctl.h"

#define CTL_CSV                                                                        \
	{                                                                              \
		.name = "csv", .help = "answer as CSV (RFC 4180)"                      \
	}
#define CTL_WHY                                                                        \
	{                                                                              \
		.name = "why", .metavar = "TEXT",                                      \
		.help = "the reason, for the audit log"                                \
	}

extern const struct ctl_option ctl_why_options[]; /* a reason, required */

extern const struct ctl_command ctl_policy_commands[];	  /* commands_policy.c */
extern const struct ctl_command ctl_audit_commands[];	  /* commands_audit.c */
extern const struct ctl_command ctl_alerts_commands[];	  /* commands_audit.c */
extern const struct ctl_command ctl_clock_commands[];	  /* commands_keys.c */
extern const struct ctl_option ctl_export_options[];	  /* commands_keys.c */
extern const struct ctl_command ctl_import_commands[];	  /* commands_keys.c */
extern const struct ctl_command ctl_key_commands[];	  /* commands_keys.c */
extern const struct ctl_command ctl_report_commands[];	  /* commands_report.c */
extern const struct ctl_command ctl_pam_commands[];	  /* commands_host.c */
extern const struct ctl_command ctl_directory_commands[]; /* commands_host.c */
extern const struct ctl_command ctl_factor_commands[];	  /* commands_factor.c */
extern const struct ctl_command ctl_proofs_commands[];	  /* commands_factor.c */
extern const struct ctl_command ctl_password_commands[];  /* commands_password.c */
extern const struct ctl_command ctl_blocklist_commands[]; /* commands_password.c */
