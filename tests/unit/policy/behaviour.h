/* SPDX-License-Identifier: Apache-2.0 */
/*
 * behaviour.h - cases of public access-control suites as one table: policy, request,
 * and the verdict, rule and reason that must come out.
 */
#pragma once

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

/* In front of each policy: three hosts and sets of them; no grant asks for a code. */
#define BEHAVIOUR_HEAD                                                                 \
	"vmsec_policy: 1\n"                                                            \
	"defaults: {mfa: none}\n"                                                      \
	"services: {sshd: ssh, vsftpd: ftp, xinetd: telnet}\n"                         \
	"inventory: {master: {}, client1: {}, client2: {}}\n"                          \
	"vm_sets: {every: {every: true}, nothing: {any: []},\n"                        \
	"  outer: {any: [{name: client1}, {name: client2}]}}\n"

struct behaviour {
	const char *name;    /* as in the public suite */
	const char *policy;  /* behind the head; NULL: that of the row above */
	const char *refused; /* the policy must be refused with this text */
	const char *login, *groups, *unknown; /* the last two: names between commas */
	const char *id;			      /* NULL: "id-LOGIN" */
	const char *vm, *service, *target;
	const char *from;    /* address, "local", or NULL: not known */
	const char *at;	     /* "2026-11-20 10:00" UTC; NULL: that one */
	const char *expires; /* the account's end, likewise; NULL: never */
	enum policy_verdict verdict;
	const char *rule, *reason; /* reason: NULL when allowed */
};

/* behaviour_run() - checks all rows, prints those that do not hold, then fails. */
void behaviour_run(const struct behaviour *cases, size_t n);
