/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.h - what every command of rbacctl gets: streams, format, configuration. */
#pragma once

#include "rbacd/config.h"
#include "rbacd/ctl/out.h"
#include "rbacd/ctl/tree.h"
#include "rbacd/wire/msg.h"

struct ctl {
	const char *config_path; /* borrowed */
	struct config *config;	 /* owned; NULL until ctl_need_config() */
	FILE *in, *out, *err;	 /* borrowed */
	bool json, csv;
	bool in_tty, out_tty;
	bool warned;	 /* told once that the configuration is broken */
	bool draws;	 /* the terminal is known and no dumb one */
	bool color;	 /* it draws, and nobody asked for none */
	char said[2048]; /* ctl_fail()'s last sentence; "" none */
	const char
		*logname; /* borrowed; what the environment says: no proof. Or NULL */
};

/* ctl_fail() - "rbacctl: …" on standard error. Returns @code (enum ctl_exit). */
int ctl_fail(struct ctl *ctl, int code, const char *fmt, ...) _printf_(3, 4);

/* ctl_need_config() - read the configuration once. Return: 0; CTL_NO, diagnostics
 * shown. */
_must_check_ int ctl_need_config(struct ctl *ctl);

/* ctl_rbacd_uid() - the account that rbacd runs as, which may own a copy of its key; 0
 * when it is not known. */
uint32_t ctl_rbacd_uid(const struct ctl *ctl);

/* ctl_bold(), ctl_red(), ctl_plain() - escape sequences, "" without colour. */
const char *ctl_bold(const struct ctl *ctl);
const char *ctl_red(const struct ctl *ctl);
const char *ctl_plain(const struct ctl *ctl);

struct policy;
/*
 * ctl_policy_load() - the policy at @path; NULL: the configured one. Return: 0 and *ret
 * with one reference; CTL_NO and everything wrong is told.
 */
_must_check_ int ctl_policy_load(struct ctl *ctl, const struct ctl_args *args,
				 const char *path, struct policy **ret,
				 const char **ret_path);

struct ctl_answer {
	int code;	    /* enum ctl_exit */
	char message[1024]; /* END's; "" none */
	struct out_set set; /* owned */
};

#define CTL_ANSWER_INIT                                                                \
	{                                                                              \
		.code = CTL_UNREACHABLE                                                \
	}
void ctl_answer_done(struct ctl_answer *a);
#define _cleanup_answer_ _cleanup_(ctl_answer_done)

/* ctl_call_init(), ctl_call_add() - build a CALL; NULL values are left out. */
void ctl_call_init(struct wire_call *call, const char *verb);
void ctl_call_add(struct wire_call *call, const char *name, const char *value);

enum ctl_socket { CTL_ADMIN, CTL_USER };

/*
 * ctl_call() - one call to rbacd, answered within CTL_CALL_MS.
 * @ret: appended to; its code and message are END's.
 * Return: 0 when END arrived, whatever it says; CTL_UNREACHABLE, CTL_NO: already told.
 */
#define CTL_CALL_MS 20000
_must_check_ int ctl_call(struct ctl *ctl, enum ctl_socket which,
			  const struct wire_call *call, struct ctl_answer *ret);

/* ctl_show_message() - END's sentence: to @out when it went well, else to @err. */
void ctl_show_message(struct ctl *ctl, const struct ctl_answer *a);
/* ctl_show_json() - all tables and {"result": {exit, message}}; @lists as
 * out_json_set(). */
void ctl_show_json(struct ctl *ctl, struct ctl_answer *a, const char *lists);

/* ctl_show_failure() - the same for a command that failed before it said anything: the
 * sentence is ctl_fail()'s last. */
void ctl_show_failure(struct ctl *ctl, int code);

/* ctl_done() - the one sentence of a command that did what it was asked for; as JSON, a
 * result. Return: CTL_OK. */
int ctl_done(struct ctl *ctl, const char *fmt, ...) _printf_(2, 3);

/* ctl_call_told() - a call whose answer is a sentence: made, and shown. Return: the
 * exit status. */
int ctl_call_told(struct ctl *ctl, const struct wire_call *call);

/* ctl_show_policy() - the answer of reload, policy try and policy confirm: diagnostics,
 * the policy, END's sentence. Return: its code. */
int ctl_show_policy(struct ctl *ctl, struct ctl_answer *a);

/* The commands. Return: enum ctl_exit. */
int cmd_status(struct ctl *ctl, const struct ctl_args *args);
int cmd_pam_preview(struct ctl *ctl, const struct ctl_args *args);
int cmd_pam_enable(struct ctl *ctl, const struct ctl_args *args);
int cmd_pam_confirm(struct ctl *ctl, const struct ctl_args *args);
int cmd_pam_revert(struct ctl *ctl, const struct ctl_args *args);
int cmd_pam_disable(struct ctl *ctl, const struct ctl_args *args);
int cmd_doctor(struct ctl *ctl, const struct ctl_args *args);
int cmd_my_status(struct ctl *ctl, const struct ctl_args *args);
int cmd_reload(struct ctl *ctl, const struct ctl_args *args);
int cmd_enrol(struct ctl *ctl, const struct ctl_args *args);
int cmd_disable(struct ctl *ctl, const struct ctl_args *args);
int cmd_reset(struct ctl *ctl, const struct ctl_args *args);
int cmd_factor_list(struct ctl *ctl, const struct ctl_args *args);
int cmd_factor_unlock(struct ctl *ctl, const struct ctl_args *args);
int cmd_factor_resync(struct ctl *ctl, const struct ctl_args *args);
int cmd_factor_remove(struct ctl *ctl, const struct ctl_args *args);
int cmd_proofs_list(struct ctl *ctl, const struct ctl_args *args);
int cmd_proofs_revoke(struct ctl *ctl, const struct ctl_args *args);
int cmd_bypass(struct ctl *ctl, const struct ctl_args *args);
int cmd_users(struct ctl *ctl, const struct ctl_args *args);
int cmd_password_expire(struct ctl *ctl, const struct ctl_args *args);
int cmd_password_status(struct ctl *ctl, const struct ctl_args *args);
int cmd_lock(struct ctl *ctl, const struct ctl_args *args);
int cmd_unlock(struct ctl *ctl, const struct ctl_args *args);
int cmd_locks(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_reviewed(struct ctl *ctl, const struct ctl_args *args);
int cmd_explain(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_check(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_print(struct ctl *ctl, const struct ctl_args *args);
int cmd_who_can(struct ctl *ctl, const struct ctl_args *args);
int cmd_what_can(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_lint(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_replay(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_pin(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_graph(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_test(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_diff(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_try(struct ctl *ctl, const struct ctl_args *args);
int cmd_policy_confirm(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_tail(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_show(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_verify(struct ctl *ctl, const struct ctl_args *args);
int cmd_directory_status(struct ctl *ctl, const struct ctl_args *args);
int cmd_directory_test(struct ctl *ctl, const struct ctl_args *args);
int cmd_directory_accept(struct ctl *ctl, const struct ctl_args *args);
int cmd_directory_reject(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_search(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_export(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_hold(struct ctl *ctl, const struct ctl_args *args);
int cmd_alerts_list(struct ctl *ctl, const struct ctl_args *args);
int cmd_alerts_ack(struct ctl *ctl, const struct ctl_args *args);
int cmd_import_google(struct ctl *ctl, const struct ctl_args *args);
int cmd_import_pam_oath(struct ctl *ctl, const struct ctl_args *args);
int cmd_import_oath_ldap(struct ctl *ctl, const struct ctl_args *args);
int cmd_import_otpauth(struct ctl *ctl, const struct ctl_args *args);
int cmd_export(struct ctl *ctl, const struct ctl_args *args);
int cmd_clock_accept(struct ctl *ctl, const struct ctl_args *args);
int cmd_key_status(struct ctl *ctl, const struct ctl_args *args);
int cmd_key_rotate(struct ctl *ctl, const struct ctl_args *args);
int cmd_metrics(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_proof(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_check_proof(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_key(struct ctl *ctl, const struct ctl_args *args);
int cmd_audit_segments(struct ctl *ctl, const struct ctl_args *args);
int cmd_backup(struct ctl *ctl, const struct ctl_args *args);
int cmd_restore(struct ctl *ctl, const struct ctl_args *args);
int cmd_report(struct ctl *ctl, const struct ctl_args *args);
int cmd_report_pack(struct ctl *ctl, const struct ctl_args *args);
int cmd_report_snapshot(struct ctl *ctl, const struct ctl_args *args);
int cmd_password_check(struct ctl *ctl, const struct ctl_args *args);
int cmd_blocklist_build(struct ctl *ctl, const struct ctl_args *args);
int cmd_blocklist_check(struct ctl *ctl, const struct ctl_args *args);
int cmd_blocklist_info(struct ctl *ctl, const struct ctl_args *args);
int cmd_version(struct ctl *ctl, const struct ctl_args *args);
int cmd_completion(struct ctl *ctl, const struct ctl_args *args);
