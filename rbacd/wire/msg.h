/* SPDX-License-Identifier: Apache-2.0 */
/* msg.h - whole messages to and from frames; the only parser of pam.sock traffic. */
#pragma once

#include "rbacd/wire/buf.h"

/*
 * wire_encode_*() - message to a complete frame in buf[cap].
 * Return: 0 and *ret_len; -EMSGSIZE; -EINVAL for a message that breaks its own limits.
 */
_must_check_ int wire_encode_begin(const struct wire_begin *m, void *buf, size_t cap,
				   size_t *ret_len);
_must_check_ int wire_encode_answer(const struct wire_answer *m, void *buf, size_t cap,
				    size_t *ret_len);
_must_check_ int wire_encode_prompt(const struct wire_prompt *m, void *buf, size_t cap,
				    size_t *ret_len); /* PROMPT or, turn 0, INFO */
_must_check_ int wire_encode_result(const struct wire_result_msg *m, void *buf,
				    size_t cap, size_t *ret_len);

/*
 * wire_decode_*() - frame to a checked message; *ret is written only on success.
 * Return: 0; WIRE_E_INVALID.
 */
_must_check_ int wire_decode_begin(const struct wire_frame *f, struct wire_begin *ret);
_must_check_ int wire_decode_answer(const struct wire_frame *f,
				    struct wire_answer *ret);
_must_check_ int wire_decode_prompt(const struct wire_frame *f,
				    struct wire_prompt *ret);
_must_check_ int wire_decode_result(const struct wire_frame *f,
				    struct wire_result_msg *ret);

/* CALL: a verb and at most WIRE_ARGS_MAX arguments, each "name=value". */
#define WIRE_ARGS_MAX 16
struct wire_call {
	char verb[WIRE_SERVICE_MAX + 1];
	size_t n_args;
	struct {
		char name[32];
		char value[WIRE_ARG_MAX + 1];
	} args[WIRE_ARGS_MAX];
};

_must_check_ int wire_encode_call(const struct wire_call *m, void *buf, size_t cap,
				  size_t *ret_len);
_must_check_ int wire_decode_call(const struct wire_frame *f, struct wire_call *ret);
/* wire_call_arg() - an argument's value, or NULL. */
const char *wire_call_arg(const struct wire_call *call, const char *name);
