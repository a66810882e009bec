/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle.h - transactions between auth and account: 128 random bits, single use, 120 s,
 * bound to user, service and process. A full set drops its oldest, which denies.
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/wire/wire.h"

struct handle_table;

struct handle_facts {
	char user[WIRE_NAME_MAX + 1];
	char service[WIRE_SERVICE_MAX + 1];
	int32_t pid;	  /* SO_PEERCRED of the auth phase */
	char person[161]; /* immutable id the code was verified for */
	char corr[16];	  /* correlation id of the transaction */
	bool skipped;	  /* a second factor was put off, as the policy allows */
	bool has_code;	  /* a code was accepted in the auth phase */
	enum policy_method method;
};

_must_check_ int handle_table_new(struct handle_table **ret);
void handle_table_free(struct handle_table *t);
/* handle_issue() - remember @f under a new handle. Return: 0; negative errno. */
_must_check_ int handle_issue(struct handle_table *t, const struct handle_facts *f,
			      uint64_t now_ns, uint8_t ret[WIRE_HANDLE_LEN]);
/*
 * handle_redeem() - take a handle out; it is gone whatever the answer.
 * Return: true and *ret when it lives and user, service and pid are the same.
 */
bool handle_redeem(struct handle_table *t, const uint8_t handle[WIRE_HANDLE_LEN],
		   const char *user, const char *service, int32_t pid, uint64_t now_ns,
		   struct handle_facts *ret);
/*
 * handle_forget() - drop every handle of @person: what was proven with a factor that is
 * gone by now proves nothing in the account phase. A NULL @person is everybody, a NULL
 * table a no-op.
 */
void handle_forget(struct handle_table *t, const char *person);
