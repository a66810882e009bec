/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - CALL frames of admin.sock and user.sock: a verb and named arguments. */
#include "rbacd/wire/msg.h"

#include <errno.h>

static bool name_ok(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (!((*name >= 'a' && *name <= 'z') ||
		      (*name >= '0' && *name <= '9') || *name == '-' || *name == '_' ||
		      *name == '.' || *name == ' '))
			return false;
	return true;
}

static int put_arg(struct wire_writer *w, const char *name, const char *value)
{
	char arg[sizeof(((struct wire_call *)0)->args[0])];
	size_t n = strnlen(name, sizeof(((struct wire_call *)0)->args[0].name));
	size_t v = strnlen(value, WIRE_ARG_MAX + 1);

	if (n == sizeof(((struct wire_call *)0)->args[0].name) || v > WIRE_ARG_MAX ||
	    !name_ok(name))
		return -EINVAL;
	memcpy(arg, name, n);
	arg[n] = '=';
	memcpy(arg + n + 1, value, v);
	wire_put_bytes(w, WIRE_T_ARG, arg, n + 1 + v);
	return 0;
}

int wire_encode_call(const struct wire_call *m, void *buf, size_t cap, size_t *ret_len)
{
	struct wire_writer w;
	int r;

	if (m->n_args > WIRE_ARGS_MAX ||
	    strnlen(m->verb, sizeof(m->verb)) == sizeof(m->verb) || !name_ok(m->verb))
		return -EINVAL;
	wire_writer_begin(&w, buf, cap < WIRE_FRAME_MAX_IN ? cap : WIRE_FRAME_MAX_IN,
			  WIRE_CALL);
	wire_put_text(&w, WIRE_T_VERB, m->verb);
	for (size_t i = 0; i < m->n_args; i++) {
		r = put_arg(&w, m->args[i].name, m->args[i].value);
		if (r != 0)
			return r;
	}
	return wire_writer_end(&w, ret_len);
}

static int get_arg(const struct wire_field *f, struct wire_call *call)
{
	const uint8_t *eq = f->len > 0 ? memchr(f->p, '=', f->len) : NULL;
	struct wire_field name = *f;
	struct wire_field value = *f;
	size_t i = call->n_args;

	if (!eq || i == WIRE_ARGS_MAX)
		return WIRE_E_INVALID;
	name.len = (size_t)(eq - f->p);
	value.p = eq + 1;
	value.len = f->len - name.len - 1;
	if (wire_get_text(&name, call->args[i].name, sizeof(call->args[i].name)) != 0 ||
	    wire_get_text(&value, call->args[i].value, sizeof(call->args[i].value)) !=
		    0 ||
	    !name_ok(call->args[i].name) || wire_call_arg(call, call->args[i].name))
		return WIRE_E_INVALID;
	call->n_args++;
	return 0;
}

int wire_decode_call(const struct wire_frame *frame, struct wire_call *ret)
{
	struct wire_call m = {0};
	struct wire_reader reader;
	struct wire_field f;
	int r;

	if (frame->type != WIRE_CALL)
		return WIRE_E_INVALID;
	wire_reader_init(&reader, frame);
	if (wire_next(&reader, &f) != 0 || f.tag != WIRE_T_VERB ||
	    wire_get_text(&f, m.verb, sizeof(m.verb)) != 0 || !name_ok(m.verb))
		return WIRE_E_INVALID;
	while ((r = wire_next(&reader, &f)) == 0)
		if (f.tag != WIRE_T_ARG || get_arg(&f, &m) != 0)
			return WIRE_E_INVALID;
	if (r != WIRE_E_END)
		return WIRE_E_INVALID;
	*ret = m;
	return 0;
}

const char *wire_call_arg(const struct wire_call *call, const char *name)
{
	for (size_t i = 0; i < call->n_args; i++)
		if (str_eq(call->args[i].name, name))
			return call->args[i].value;
	return NULL;
}
