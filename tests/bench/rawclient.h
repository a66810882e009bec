/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rawclient.h - a client of pam.sock without libpam and without manners: it can claim
 * any invoker and source, stop half way, and ask as fast as the socket takes it.
 */
#pragma once

#include "rbacd/wire/msg.h"
#include "tests/bench/people.h"

struct raw_client {
	const char *socket; /* borrowed */
	unsigned number;    /* makes the login uid and the source address */
	const char *service;
	const struct test_person *person; /* borrowed */
	uint64_t budget_ns;		  /* the deadline that is claimed */
};

/* raw_connect() - a blocking descriptor with time-outs of 30 s, or -errno. */
int raw_connect(const char *socket);

/* raw_begin() - fill a BEGIN of this client. */
void raw_begin(const struct raw_client *c, enum wire_op op, struct wire_begin *ret);

/* raw_send_begin() - Return: 0; negative errno. */
int raw_send_begin(int fd, const struct wire_begin *begin);

/*
 * raw_result() - read frames until RESULT, answering a prompt with @code (NULL: none),
 * which is the new password of a change.
 * Return: 0 and *ret; negative errno, -ECONNRESET when rbacd closed.
 */
int raw_result(int fd, const struct wire_begin *begin, const char *code,
	       struct wire_result_msg *ret);

/* raw_answer() - wait for the prompt and answer it. Return: 0; negative errno. */
int raw_answer(int fd, const struct wire_begin *begin, const char *code);

/*
 * raw_ask() - one whole entry point on a connection of its own.
 * @handle: of the auth phase, or NULL.
 */
int raw_ask(const struct raw_client *c, enum wire_op op, const char *code,
	    const uint8_t *handle, struct wire_result_msg *ret);

/* raw_login() - auth with the code of @now_s, then account. Return: 0 both allowed; 1.
 */
int raw_login(const struct raw_client *c, int64_t now_s, struct wire_result_msg *ret);
