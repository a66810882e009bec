/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - the bounded typed cursor that every byte between the processes crosses. */
#include "rbacd/wire/buf.h"

#include <errno.h>

#define FIELD_HEADER_LEN 4

static void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void be32_put(uint8_t *p, uint32_t v)
{
	be16_put(p, (uint16_t)(v >> 16));
	be16_put(p + 2, (uint16_t)v);
}

static void be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

static uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static uint32_t be32_get(const uint8_t *p)
{
	return (uint32_t)be16_get(p) << 16 | be16_get(p + 2);
}

static uint64_t be64_get(const uint8_t *p)
{
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

static bool has_nul(const uint8_t *p, size_t len)
{
	return len > 0 && memchr(p, 0, len);
}

/* Room for a field of @len bytes; NULL and a failed writer when there is none. */
static uint8_t *writer_field(struct wire_writer *w, enum wire_tag tag, size_t len)
{
	uint8_t *p;

	if (w->failed || len > UINT16_MAX || w->cap - w->len < FIELD_HEADER_LEN ||
	    w->cap - w->len - FIELD_HEADER_LEN < len) {
		w->failed = true;
		return NULL;
	}
	p = w->buf + w->len;
	be16_put(p, (uint16_t)tag);
	be16_put(p + 2, (uint16_t)len);
	w->len += FIELD_HEADER_LEN + len;
	return p + FIELD_HEADER_LEN;
}

void wire_writer_begin(struct wire_writer *w, void *buf, size_t cap,
		       enum wire_type type)
{
	*w = (struct wire_writer){.buf = buf, .cap = cap};
	if (w->cap > WIRE_FRAME_MAX)
		w->cap = WIRE_FRAME_MAX;
	if (w->cap < WIRE_HEADER_LEN) {
		w->failed = true;
		return;
	}
	be32_put(w->buf, 0);
	w->buf[4] = WIRE_VERSION;
	w->buf[5] = (uint8_t)type;
	be16_put(w->buf + 6, 0);
	w->len = WIRE_HEADER_LEN;
}

void wire_put_u8(struct wire_writer *w, enum wire_tag tag, uint8_t v)
{
	wire_put_bytes(w, tag, &v, 1);
}

void wire_put_u32(struct wire_writer *w, enum wire_tag tag, uint32_t v)
{
	uint8_t *p = writer_field(w, tag, 4);

	if (p)
		be32_put(p, v);
}

void wire_put_u64(struct wire_writer *w, enum wire_tag tag, uint64_t v)
{
	uint8_t *p = writer_field(w, tag, 8);

	if (p)
		be64_put(p, v);
}

void wire_put_bytes(struct wire_writer *w, enum wire_tag tag, const void *bytes,
		    size_t len)
{
	uint8_t *p = writer_field(w, tag, len);

	if (p && len > 0)
		memcpy(p, bytes, len);
}

void wire_put_text(struct wire_writer *w, enum wire_tag tag, const char *text)
{
	wire_put_bytes(w, tag, text, strlen(text));
}

/* A cell without its value; the value's place, or NULL. */
static uint8_t *writer_cell(struct wire_writer *w, enum wire_cell_kind kind,
			    const char *name, size_t value_len)
{
	size_t name_len = strlen(name);
	uint8_t *p;

	if (name_len == 0 || name_len >= sizeof(((struct wire_cell *)0)->name) ||
	    value_len > UINT16_MAX) {
		w->failed = true;
		return NULL;
	}
	p = writer_field(w, WIRE_T_CELL, 2 + name_len + value_len);
	if (!p)
		return NULL;
	p[0] = (uint8_t)kind;
	p[1] = (uint8_t)name_len;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): counted above */
	memcpy(p + 2, name, name_len);
	return p + 2 + name_len;
}

static void put_cell_bytes(struct wire_writer *w, enum wire_cell_kind kind,
			   const char *name, const char *v, size_t len)
{
	uint8_t *p = writer_cell(w, kind, name, len);

	if (p && len > 0)
		memcpy(p, v, len);
}

void wire_put_cell_text(struct wire_writer *w, const char *name, const char *v)
{
	if (v)
		put_cell_bytes(w, WIRE_CELL_TEXT, name, v, strlen(v));
	else
		put_cell_bytes(w, WIRE_CELL_NULL, name, NULL, 0);
}

void wire_put_cell_json(struct wire_writer *w, const char *name, const char *v,
			size_t len)
{
	put_cell_bytes(w, WIRE_CELL_JSON, name, v, len);
}

static void put_cell_i64(struct wire_writer *w, enum wire_cell_kind kind,
			 const char *name, int64_t v)
{
	uint8_t *p = writer_cell(w, kind, name, 8);

	if (p)
		be64_put(p, (uint64_t)v);
}

void wire_put_cell_int(struct wire_writer *w, const char *name, int64_t v)
{
	put_cell_i64(w, WIRE_CELL_INT, name, v);
}

void wire_put_cell_time(struct wire_writer *w, const char *name, int64_t v)
{
	put_cell_i64(w, WIRE_CELL_TIME, name, v);
}

void wire_put_cell_bool(struct wire_writer *w, const char *name, bool v)
{
	uint8_t *p = writer_cell(w, WIRE_CELL_BOOL, name, 1);

	if (p)
		*p = v ? 1 : 0;
}

int wire_writer_end(struct wire_writer *w, size_t *ret_len)
{
	if (w->failed)
		return -EMSGSIZE;
	be32_put(w->buf, (uint32_t)(w->len - 4));
	*ret_len = w->len;
	return 0;
}

int wire_frame_split(const uint8_t *buf, size_t len, size_t max,
		     struct wire_frame *ret_frame, size_t *ret_used)
{
	size_t n;

	if (len < 4)
		return WIRE_E_INCOMPLETE;
	n = be32_get(buf);
	if (max < WIRE_HEADER_LEN || n < WIRE_HEADER_LEN - 4 || n > max - 4)
		return WIRE_E_INVALID;
	if (len >= 5 && buf[4] != WIRE_VERSION)
		return WIRE_E_INVALID;
	if (len < n + 4)
		return WIRE_E_INCOMPLETE;
	if (be16_get(buf + 6) != 0)
		return WIRE_E_INVALID;
	*ret_frame = (struct wire_frame){.type = (enum wire_type)buf[5],
					 .body = buf + WIRE_HEADER_LEN,
					 .len = n + 4 - WIRE_HEADER_LEN};
	*ret_used = n + 4;
	return 0;
}

void wire_reader_init(struct wire_reader *r, const struct wire_frame *frame)
{
	*r = (struct wire_reader){.p = frame->body, .left = frame->len};
}

int wire_next(struct wire_reader *r, struct wire_field *ret_field)
{
	unsigned tag;
	size_t len;
	bool list;

	if (r->left == 0)
		return WIRE_E_END;
	if (r->left < FIELD_HEADER_LEN)
		return WIRE_E_INVALID;
	tag = be16_get(r->p);
	len = be16_get(r->p + 2);
	list = tag == WIRE_T_ARG || tag == WIRE_T_CELL;
	if (tag < r->last_tag || (tag == r->last_tag && !list))
		return WIRE_E_INVALID;
	if (r->left - FIELD_HEADER_LEN < len)
		return WIRE_E_INVALID;
	*ret_field = (struct wire_field){.tag = (enum wire_tag)tag,
					 .p = r->p + FIELD_HEADER_LEN,
					 .len = len};
	r->p += FIELD_HEADER_LEN + len;
	r->left -= FIELD_HEADER_LEN + len;
	r->last_tag = tag;
	return 0;
}

int wire_get_u8(const struct wire_field *f, uint8_t *ret)
{
	if (f->len != 1)
		return WIRE_E_INVALID;
	*ret = f->p[0];
	return 0;
}

int wire_get_u32(const struct wire_field *f, uint32_t *ret)
{
	if (f->len != 4)
		return WIRE_E_INVALID;
	*ret = be32_get(f->p);
	return 0;
}

int wire_get_u64(const struct wire_field *f, uint64_t *ret)
{
	if (f->len != 8)
		return WIRE_E_INVALID;
	*ret = be64_get(f->p);
	return 0;
}

int wire_get_text(const struct wire_field *f, char *buf, size_t cap)
{
	if (f->len >= cap || has_nul(f->p, f->len))
		return WIRE_E_INVALID;
	if (f->len > 0)
		memcpy(buf, f->p, f->len);
	buf[f->len] = 0;
	return 0;
}

int wire_get_exact(const struct wire_field *f, void *buf, size_t len)
{
	if (f->len != len)
		return WIRE_E_INVALID;
	if (len > 0)
		memcpy(buf, f->p, len);
	return 0;
}

/* The value of a cell, after its name. */
static int cell_value(struct wire_cell *cell, const uint8_t *p, size_t len)
{
	switch (cell->kind) {
	case WIRE_CELL_TEXT:
	case WIRE_CELL_JSON:
		if (has_nul(p, len))
			return WIRE_E_INVALID;
		cell->text = (const char *)p;
		cell->len = len;
		return 0;
	case WIRE_CELL_INT:
	case WIRE_CELL_TIME:
		if (len != 8)
			return WIRE_E_INVALID;
		cell->i = (int64_t)be64_get(p);
		return 0;
	case WIRE_CELL_BOOL:
		if (len != 1 || p[0] > 1)
			return WIRE_E_INVALID;
		cell->i = p[0];
		return 0;
	case WIRE_CELL_NULL:
		return len == 0 ? 0 : WIRE_E_INVALID;
	}
	return WIRE_E_INVALID;
}

int wire_get_cell(const struct wire_field *f, struct wire_cell *ret)
{
	struct wire_cell cell = {0};
	size_t name_len;
	int r;

	if (f->tag != WIRE_T_CELL || f->len < 2)
		return WIRE_E_INVALID;
	cell.kind = (enum wire_cell_kind)f->p[0];
	name_len = f->p[1];
	if (name_len == 0 || name_len >= sizeof(cell.name) || f->len - 2 < name_len)
		return WIRE_E_INVALID;
	for (size_t i = 0; i < name_len; i++)
		if (f->p[2 + i] <= ' ' || f->p[2 + i] > '~')
			return WIRE_E_INVALID;
	memcpy(cell.name, f->p + 2, name_len);
	r = cell_value(&cell, f->p + 2 + name_len, f->len - 2 - name_len);
	if (r == 0)
		*ret = cell;
	return r;
}
