/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - typed, bounded writing and reading of frames. Never allocates, never logs.
 *
 * A writer that would overflow goes into a failed state and stays there; the single
 * check is wire_writer_end(). A reader's cursor does not move when a call fails.
 */
#pragma once

#include "rbacd/wire/wire.h"

enum {
	WIRE_E_INCOMPLETE = 1, /* more bytes are needed */
	WIRE_E_INVALID = 2,    /* malformed; end the connection */
	WIRE_E_END = 3,	       /* no more fields */
};

struct wire_writer {
	uint8_t *buf; /* borrowed */
	size_t cap;
	size_t len;
	bool failed;
};

/* wire_writer_begin() - start a frame of @type in @buf. */
void wire_writer_begin(struct wire_writer *w, void *buf, size_t cap,
		       enum wire_type type);
void wire_put_u8(struct wire_writer *w, enum wire_tag tag, uint8_t v);
void wire_put_u32(struct wire_writer *w, enum wire_tag tag, uint32_t v);
void wire_put_u64(struct wire_writer *w, enum wire_tag tag, uint64_t v);
void wire_put_bytes(struct wire_writer *w, enum wire_tag tag, const void *p,
		    size_t len);
void wire_put_text(struct wire_writer *w, enum wire_tag tag, const char *text);

/* Cells of a ROW. */
void wire_put_cell_text(struct wire_writer *w, const char *name,
			const char *v); /* NULL: null */
void wire_put_cell_json(struct wire_writer *w, const char *name, const char *v,
			size_t len);
void wire_put_cell_int(struct wire_writer *w, const char *name, int64_t v);
void wire_put_cell_time(struct wire_writer *w, const char *name, int64_t v);
void wire_put_cell_bool(struct wire_writer *w, const char *name, bool v);

/*
 * wire_writer_end() - patch the length.
 * Return: 0 and *ret_len, the whole frame's bytes; -EMSGSIZE when it did not fit.
 */
_must_check_ int wire_writer_end(struct wire_writer *w, size_t *ret_len);

struct wire_frame {
	enum wire_type type;
	const uint8_t *body; /* borrowed: first field */
	size_t len;
};

struct wire_field {
	enum wire_tag tag;
	const uint8_t *p; /* borrowed */
	size_t len;
};

struct wire_reader {
	const uint8_t *p;
	size_t left;
	unsigned last_tag; /* ascending order check */
};

/*
 * wire_frame_split() - find one frame at the start of @buf.
 * @max: WIRE_FRAME_MAX or WIRE_FRAME_MAX_IN; a longer announced length is invalid.
 * Return: 0, *ret_frame and *ret_used (bytes to drop); WIRE_E_INCOMPLETE;
 * WIRE_E_INVALID.
 */
_must_check_ int wire_frame_split(const uint8_t *buf, size_t len, size_t max,
				  struct wire_frame *ret_frame, size_t *ret_used);

void wire_reader_init(struct wire_reader *r, const struct wire_frame *frame);

/*
 * wire_next() - read the next field. Only TAG lists (ARG, CELL) may repeat.
 * Return: 0 and *ret_field; WIRE_E_END; WIRE_E_INVALID, cursor unmoved.
 */
_must_check_ int wire_next(struct wire_reader *r, struct wire_field *ret_field);

_must_check_ int wire_get_u8(const struct wire_field *f, uint8_t *ret);
_must_check_ int wire_get_u32(const struct wire_field *f, uint32_t *ret);
_must_check_ int wire_get_u64(const struct wire_field *f, uint64_t *ret);
/* wire_get_text() - copy NUL-free bytes into buf[cap], terminated; too long is invalid.
 */
_must_check_ int wire_get_text(const struct wire_field *f, char *buf, size_t cap);
_must_check_ int wire_get_exact(const struct wire_field *f, void *buf, size_t len);

struct wire_cell {
	enum wire_cell_kind kind;
	char name[32];
	const char *text; /* TEXT, JSON: borrowed, not terminated */
	size_t len;
	int64_t i; /* INT, TIME, BOOL */
};

_must_check_ int wire_get_cell(const struct wire_field *f, struct wire_cell *ret);
