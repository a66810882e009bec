/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg.c - messages to frames and back. One table a frame type says which fields it has;
 * both directions walk it, so an encoder and its decoder cannot disagree.
 */
#include "rbacd/wire/msg.h"

#include <errno.h>
#include <stddef.h>

#include "rbacd/wire/code.h"

enum spec_kind {
	SPEC_ENUM8, /* u8 on the wire, an enum in memory */
	SPEC_U32,   /* uint32_t or an enum */
	SPEC_U64,
	SPEC_TEXT,   /* char[size], terminated; omitted when empty and optional */
	SPEC_EXACT,  /* uint8_t[size]; optional ones have a bool at @aux */
	SPEC_SECRET, /* struct secret of at most size bytes; omitted when empty */
	SPEC_BORROW, /* const char * with its size_t length at @aux; at most size bytes
		      */
};

struct spec {
	enum wire_tag tag;
	enum spec_kind kind;
	bool required;
	size_t off;
	size_t size;
	size_t aux;
};

struct layout {
	enum wire_type type;
	size_t n;
	const struct spec *specs; /* static */
};

#define MEMBER_SIZE(s, m) sizeof(((struct s *)0)->m)
#define REQ(t, k, s, m)                                                                \
	{                                                                              \
		t, k, true, offsetof(struct s, m), MEMBER_SIZE(s, m), 0                \
	}
#define OPT(t, k, s, m)                                                                \
	{                                                                              \
		t, k, false, offsetof(struct s, m), MEMBER_SIZE(s, m), 0               \
	}
#define OPT_IF(t, k, s, m, has)                                                        \
	{                                                                              \
		t, k, false, offsetof(struct s, m), MEMBER_SIZE(s, m),                 \
			offsetof(struct s, has)                                        \
	}

_Static_assert(sizeof(enum wire_op) == 4 && sizeof(enum wire_result) == 4 &&
		       sizeof(enum wire_style) == 4 &&
		       sizeof(enum wire_answer_kind) == 4,
	       "enums are moved as 32 bits");

static const struct spec begin_specs[] = {
	REQ(WIRE_T_NONCE, SPEC_EXACT, wire_begin, nonce),
	REQ(WIRE_T_OP, SPEC_ENUM8, wire_begin, op),
	REQ(WIRE_T_DEADLINE, SPEC_U64, wire_begin, deadline_ns),
	REQ(WIRE_T_FLAGS, SPEC_U32, wire_begin, flags),
	REQ(WIRE_T_SERVICE, SPEC_TEXT, wire_begin, service),
	REQ(WIRE_T_USER, SPEC_TEXT, wire_begin, user),
	OPT(WIRE_T_RUSER, SPEC_TEXT, wire_begin, ruser),
	OPT(WIRE_T_TTY, SPEC_TEXT, wire_begin, tty),
	OPT(WIRE_T_RHOST, SPEC_TEXT, wire_begin, rhost),
	OPT(WIRE_T_SSH_CONN, SPEC_TEXT, wire_begin, ssh_connection),
	OPT(WIRE_T_AUTH_INFO, SPEC_TEXT, wire_begin, ssh_auth_info),
	REQ(WIRE_T_SESSION, SPEC_U32, wire_begin, session),
	REQ(WIRE_T_LOGINUID, SPEC_U32, wire_begin, loginuid),
	REQ(WIRE_T_RUID, SPEC_U32, wire_begin, ruid),
	OPT_IF(WIRE_T_HANDLE, SPEC_EXACT, wire_begin, handle, has_handle),
	OPT(WIRE_T_VMSEC_ID, SPEC_TEXT, wire_begin, vmsec_id),
};

static const struct spec answer_specs[] = {
	REQ(WIRE_T_NONCE, SPEC_EXACT, wire_answer, nonce),
	REQ(WIRE_T_DEADLINE, SPEC_U64, wire_answer, deadline_ns),
	REQ(WIRE_T_TURN, SPEC_U32, wire_answer, turn),
	REQ(WIRE_T_ANSWER_KIND, SPEC_ENUM8, wire_answer, kind),
	{WIRE_T_ANSWER, SPEC_SECRET, false, offsetof(struct wire_answer, text),
	 SECRET_MAX, 0},
	{WIRE_T_OLD, SPEC_SECRET, false, offsetof(struct wire_answer, old), SECRET_MAX,
	 0},
};

#define PROMPT_TEXT                                                                    \
	{                                                                              \
		WIRE_T_TEXT, SPEC_BORROW, true, offsetof(struct wire_prompt, text),    \
			WIRE_TEXT_MAX, offsetof(struct wire_prompt, text_len)          \
	}

static const struct spec prompt_specs[] = {
	REQ(WIRE_T_NONCE, SPEC_EXACT, wire_prompt, nonce),
	REQ(WIRE_T_TURN, SPEC_U32, wire_prompt, turn),
	REQ(WIRE_T_STYLE, SPEC_ENUM8, wire_prompt, style),
	PROMPT_TEXT,
};

static const struct spec info_specs[] = {
	REQ(WIRE_T_NONCE, SPEC_EXACT, wire_prompt, nonce),
	REQ(WIRE_T_STYLE, SPEC_ENUM8, wire_prompt, style),
	PROMPT_TEXT,
};

static const struct spec result_specs[] = {
	REQ(WIRE_T_NONCE, SPEC_EXACT, wire_result_msg, nonce),
	OPT(WIRE_T_TEXT, SPEC_TEXT, wire_result_msg, text),
	REQ(WIRE_T_RESULT, SPEC_U32, wire_result_msg, result),
	OPT(WIRE_T_ID, SPEC_TEXT, wire_result_msg, id),
	OPT_IF(WIRE_T_NEW_HANDLE, SPEC_EXACT, wire_result_msg, handle, has_handle),
};

#define LAYOUT(type, specs)                                                            \
	{                                                                              \
		type, ARRAY_SIZE(specs), specs                                         \
	}
static const struct layout begin_layout = LAYOUT(WIRE_BEGIN, begin_specs);
static const struct layout answer_layout = LAYOUT(WIRE_ANSWER, answer_specs);
static const struct layout prompt_layout = LAYOUT(WIRE_PROMPT, prompt_specs);
static const struct layout info_layout = LAYOUT(WIRE_INFO, info_specs);
static const struct layout result_layout = LAYOUT(WIRE_RESULT, result_specs);

/* ---- one field, memory to wire ---- */

static int put_text(struct wire_writer *w, const struct spec *s, const uint8_t *p)
{
	size_t len = strnlen((const char *)p, s->size);

	if (len == s->size)
		return -EINVAL;
	if (len > 0 || s->required)
		wire_put_bytes(w, s->tag, p, len);
	return 0;
}

static int put_secret(struct wire_writer *w, const struct spec *s, const uint8_t *p)
{
	size_t len;

	memcpy(&len, p + offsetof(struct secret, len), sizeof(len));
	if (len > s->size)
		return -EINVAL;
	if (len > 0)
		wire_put_bytes(w, s->tag, p + offsetof(struct secret, bytes), len);
	return 0;
}

static int put_borrowed(struct wire_writer *w, const struct spec *s,
			const uint8_t *base)
{
	const char *text;
	size_t len;

	memcpy(&text, base + s->off, sizeof(text));
	memcpy(&len, base + s->aux, sizeof(len));
	if (!text || len > s->size || memchr(text, 0, len))
		return -EINVAL;
	wire_put_bytes(w, s->tag, text, len);
	return 0;
}

static int put_spec(struct wire_writer *w, const struct spec *s, const uint8_t *base)
{
	const uint8_t *p = base + s->off;
	uint32_t v32;
	uint64_t v64;
	bool has;

	switch (s->kind) {
	case SPEC_ENUM8:
		memcpy(&v32, p, sizeof(v32));
		wire_put_u8(w, s->tag, (uint8_t)v32);
		return v32 > UINT8_MAX ? -EINVAL : 0;
	case SPEC_U32:
		memcpy(&v32, p, sizeof(v32));
		wire_put_u32(w, s->tag, v32);
		return 0;
	case SPEC_U64:
		memcpy(&v64, p, sizeof(v64));
		wire_put_u64(w, s->tag, v64);
		return 0;
	case SPEC_TEXT:
		return put_text(w, s, p);
	case SPEC_EXACT:
		memcpy(&has, base + s->aux, sizeof(has));
		if (s->required || has)
			wire_put_bytes(w, s->tag, p, s->size);
		return 0;
	case SPEC_SECRET:
		return put_secret(w, s, p);
	case SPEC_BORROW:
		return put_borrowed(w, s, base);
	}
	return -EINVAL;
}

static int encode(const struct layout *l, const void *msg, void *buf, size_t cap,
		  size_t *ret_len)
{
	struct wire_writer w;
	int r;

	wire_writer_begin(&w, buf, cap, l->type);
	for (size_t i = 0; i < l->n; i++) {
		r = put_spec(&w, &l->specs[i], msg);
		if (r != 0)
			return r;
	}
	return wire_writer_end(&w, ret_len);
}

/* ---- one field, wire to memory ---- */

static int get_number(const struct spec *s, const struct wire_field *f, uint8_t *p)
{
	uint8_t v8 = 0;
	uint32_t v32;
	uint64_t v64;
	int r;

	if (s->kind == SPEC_U64) {
		r = wire_get_u64(f, &v64);
		if (r == 0)
			memcpy(p, &v64, sizeof(v64));
		return r;
	}
	if (s->kind == SPEC_U32) {
		r = wire_get_u32(f, &v32);
	} else {
		r = wire_get_u8(f, &v8);
		v32 = v8;
	}
	if (r == 0)
		memcpy(p, &v32, sizeof(v32));
	return r;
}

static int get_secret(const struct spec *s, const struct wire_field *f, uint8_t *p)
{
	if (f->len == 0 || f->len > s->size)
		return WIRE_E_INVALID;
	memcpy(p + offsetof(struct secret, len), &f->len, sizeof(f->len));
	memcpy(p + offsetof(struct secret, bytes), f->p, f->len);
	return 0;
}

static int get_borrowed(const struct spec *s, const struct wire_field *f, uint8_t *base)
{
	const char *text = (const char *)f->p;

	if (f->len > s->size || (f->len > 0 && memchr(f->p, 0, f->len)))
		return WIRE_E_INVALID;
	memcpy(base + s->off, &text, sizeof(text));
	memcpy(base + s->aux, &f->len, sizeof(f->len));
	return 0;
}

static int get_exact(const struct spec *s, const struct wire_field *f, uint8_t *base)
{
	static const bool yes = true;
	int r = wire_get_exact(f, base + s->off, s->size);

	if (r == 0 && !s->required)
		memcpy(base + s->aux, &yes, sizeof(yes));
	return r;
}

static int get_spec(const struct spec *s, const struct wire_field *f, uint8_t *base)
{
	switch (s->kind) {
	case SPEC_ENUM8:
	case SPEC_U32:
	case SPEC_U64:
		return get_number(s, f, base + s->off);
	case SPEC_TEXT:
		return wire_get_text(f, (char *)base + s->off, s->size);
	case SPEC_EXACT:
		return get_exact(s, f, base);
	case SPEC_SECRET:
		return get_secret(s, f, base + s->off);
	case SPEC_BORROW:
		return get_borrowed(s, f, base);
	}
	return WIRE_E_INVALID;
}

/*
 * Fills the zeroed message at @base. Fields and table both ascend, so one pass over
 * both finds the unknown field and the missing one alike.
 */
static int decode(const struct layout *l, const struct wire_frame *frame, void *base)
{
	struct wire_reader reader;
	struct wire_field f;
	size_t i = 0;
	int r;

	if (frame->type != l->type)
		return WIRE_E_INVALID;
	wire_reader_init(&reader, frame);
	while ((r = wire_next(&reader, &f)) == 0) {
		for (; i < l->n && l->specs[i].tag != f.tag; i++)
			if (l->specs[i].required)
				return WIRE_E_INVALID;
		if (i == l->n || get_spec(&l->specs[i], &f, base) != 0)
			return WIRE_E_INVALID;
		i++;
	}
	if (r != WIRE_E_END)
		return WIRE_E_INVALID;
	for (; i < l->n; i++)
		if (l->specs[i].required)
			return WIRE_E_INVALID;
	return 0;
}

/* ---- what a message must hold beyond its fields ---- */

static bool id_ok(const char *id)
{
	for (; *id; id++)
		if (!((*id >= 'A' && *id <= 'Z') || (*id >= '0' && *id <= '9') ||
		      *id == '-'))
			return false;
	return true;
}

static bool begin_ok(const struct wire_begin *m)
{
	const uint32_t known = WIRE_FLAG_SILENT | WIRE_FLAG_NO_NULL_AUTHTOK |
			       WIRE_FLAG_FIRST_FACTOR | WIRE_FLAG_CAN_PROMPT |
			       WIRE_FLAG_RESCUE | WIRE_FLAG_PLAIN | WIRE_FLAG_EXPIRED |
			       WIRE_FLAG_TOKEN;

	return m->op >= WIRE_OP_AUTH && m->op <= WIRE_OP_PW_CHANGED &&
	       (m->flags & ~known) == 0 && m->service[0] && id_ok(m->vmsec_id);
}

/* What a PAM module can pass on: a string of C, not empty. */
static bool password_ok(const struct secret *s)
{
	return s->len > 0 && s->len < SECRET_MAX && !memchr(s->bytes, 0, s->len);
}

static bool answer_ok(const struct wire_answer *m)
{
	_cleanup_secret_ struct secret norm = SECRET_INIT;

	if (m->turn == 0 || (m->kind != WIRE_ANSWER_PASSWORD && m->old.len > 0))
		return false;
	switch (m->kind) {
	case WIRE_ANSWER_CODE:
	case WIRE_ANSWER_RECOVERY:
		/* only the normal form crosses: it classifies as itself, unchanged */
		if (m->text.len > WIRE_ANSWER_MAX)
			return false;
		return code_classify((const char *)m->text.bytes, m->text.len, &norm) ==
			       m->kind &&
		       norm.len == m->text.len &&
		       memcmp(norm.bytes, m->text.bytes, norm.len) == 0;
	case WIRE_ANSWER_BLIND:
	case WIRE_ANSWER_EMPTY:
	case WIRE_ANSWER_FAILED:
		return m->text.len == 0;
	case WIRE_ANSWER_PASSWORD:
		return password_ok(&m->text) &&
		       (m->old.len == 0 || password_ok(&m->old));
	}
	return false;
}

static bool prompt_ok(const struct wire_prompt *m, enum wire_type type)
{
	bool asks = m->style == WIRE_STYLE_HIDDEN || m->style == WIRE_STYLE_VISIBLE ||
		    m->style == WIRE_STYLE_OPTIONAL || m->style == WIRE_STYLE_PAGE ||
		    m->style == WIRE_STYLE_NEW_PASSWORD;
	bool tells = m->style == WIRE_STYLE_TEXT || m->style == WIRE_STYLE_ERROR;

	if (m->text_len == 0)
		return false;
	return type == WIRE_PROMPT ? asks && m->turn > 0 : tells && m->turn == 0;
}

/* ---- the public faces ---- */

int wire_encode_begin(const struct wire_begin *m, void *buf, size_t cap,
		      size_t *ret_len)
{
	if (strnlen(m->vmsec_id, sizeof(m->vmsec_id)) == sizeof(m->vmsec_id) ||
	    !begin_ok(m))
		return -EINVAL;
	return encode(&begin_layout, m, buf, cap, ret_len);
}

int wire_encode_answer(const struct wire_answer *m, void *buf, size_t cap,
		       size_t *ret_len)
{
	if (!answer_ok(m))
		return -EINVAL;
	return encode(&answer_layout, m, buf, cap, ret_len);
}

int wire_encode_prompt(const struct wire_prompt *m, void *buf, size_t cap,
		       size_t *ret_len)
{
	const struct layout *l = m->turn == 0 ? &info_layout : &prompt_layout;

	if (!prompt_ok(m, l->type))
		return -EINVAL;
	return encode(l, m, buf, cap, ret_len);
}

int wire_encode_result(const struct wire_result_msg *m, void *buf, size_t cap,
		       size_t *ret_len)
{
	if (strnlen(m->id, sizeof(m->id)) == sizeof(m->id) || !id_ok(m->id))
		return -EINVAL;
	return encode(&result_layout, m, buf, cap, ret_len);
}

int wire_decode_begin(const struct wire_frame *f, struct wire_begin *ret)
{
	struct wire_begin m = {0};

	if (decode(&begin_layout, f, &m) != 0 || !begin_ok(&m))
		return WIRE_E_INVALID;
	*ret = m;
	return 0;
}

int wire_decode_answer(const struct wire_frame *f, struct wire_answer *ret)
{
	_cleanup_(wire_answer_done) struct wire_answer m = {0};

	if (decode(&answer_layout, f, &m) != 0 || !answer_ok(&m))
		return WIRE_E_INVALID;
	*ret = m;
	return 0;
}

int wire_decode_prompt(const struct wire_frame *f, struct wire_prompt *ret)
{
	const struct layout *l = f->type == WIRE_INFO ? &info_layout : &prompt_layout;
	struct wire_prompt m = {0};

	if (decode(l, f, &m) != 0 || !prompt_ok(&m, l->type))
		return WIRE_E_INVALID;
	*ret = m;
	return 0;
}

int wire_decode_result(const struct wire_frame *f, struct wire_result_msg *ret)
{
	struct wire_result_msg m = {0};

	if (decode(&result_layout, f, &m) != 0 || !id_ok(m.id))
		return WIRE_E_INVALID;
	*ret = m;
	return 0;
}
