/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authz.h - pipeline stage "policy": what a PAM request means, as facts the policy
 * knows.
 *
 * Pure but for one look-up of the audit session in the store.
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/server.h"
#include "rbacd/wire/wire.h"

#define AUTHZ_UNSET UINT32_MAX /* loginuid, sessionid without an audit session */

struct authz_facts {
	char privilege[WIRE_SERVICE_MAX + 1]; /* "" when the service is unknown */
	const char *subject; /* whose rights are asked; borrowed from the BEGIN */
	const char *target;  /* su: the target account; NULL otherwise */
	bool target_uid0;
	struct policy_origin origin;
	char origin_text[STORE_ORIGIN_MAX + 1]; /* address, "local", "unknown" */
	char source_text[STORE_ORIGIN_MAX + 1]; /* whom to count: an IPv6 /64 is one */
	bool from_sshd;	  /* a service whose SSH_* environment sshd itself set */
	bool proven;	  /* the first factor is proven */
	bool by_key;	  /* sshd completed a method that asks for no password */
	bool by_root;	  /* su or sudo by root, who could setuid anyway */
	bool is_login;	  /* opens a session of its own: ssh, console, desktop, web */
	bool can_step_up; /* its account phase may ask for a code */
};

/* authz_read() - the facts of one BEGIN. */
void authz_read(struct server *server, const struct wire_begin *begin,
		struct authz_facts *ret);

/* authz_origin_text() - @buf gets the address, "local" or "unknown". */
void authz_origin_text(const struct policy_origin *o, char buf[STORE_ORIGIN_MAX + 1]);
/*
 * authz_source_text() - as authz_origin_text(), but an IPv6 address stands for its /64:
 * a single host owns so many that a count per address would never reach two.
 */
void authz_source_text(const struct policy_origin *o, char buf[STORE_ORIGIN_MAX + 1]);
/* authz_origin_parse() - the reverse; anything else is unknown. */
void authz_origin_parse(const char *text, struct policy_origin *ret);

/* authz_console_tty() - a local or serial console by name; a pts never is. */
bool authz_console_tty(const char *tty);
