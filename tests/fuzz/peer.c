/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c - a step of the script makes a frame, damages one, waits or hangs up. */
#include "tests/fuzz/peer.h"

#include <assert.h>
#include <limits.h>

#include "rbacd/wire/buf.h"
#include "rbacd/wire/msg.h"

#define STEPS_MAX 64

struct peer peer;

uint8_t input_byte(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

size_t input_bytes(struct input *in, void *buf, size_t max)
{
	size_t n = input_byte(in);

	n = n < in->n ? n : in->n;
	n = n < max ? n : max;
	memcpy(buf, in->p, n);
	in->p += n;
	in->n -= n;
	return n;
}

void peer_start(struct input *in)
{
	memset(&peer, 0, offsetof(struct peer, got)); /* not the big buffers */
	peer.in = in;
}

void peer_accept(void)
{
	uint8_t nonce[WIRE_NONCE_LEN];
	struct input *in = peer.in;

	memcpy(nonce, peer.begin.nonce, sizeof(nonce));
	peer_start(in);
	memcpy(peer.old_nonce, nonce, sizeof(nonce));
	peer.wakes_ms = -1;
}

/* ------------------------------------------------------------- what it was sent */

static uint32_t big_endian(const uint8_t *p, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* Style of the prompt with this turn; of the bytes that were given, without rbacd/wire:
 * NONCE (1), TURN (32), STYLE (48) are its first fields. */
static enum wire_style style_given(uint32_t turn)
{
	const uint8_t *p = peer.out, *end = peer.out + peer.n_given;

	while (end - p >= 8 + 20 + 8 + 5) {
		if (p[5] == 3 && big_endian(p + 32, 4) == turn && p[37] == 48)
			return (enum wire_style)p[40];
		p += 4 + big_endian(p, 4);
	}
	return 0;
}

/* A page answers no question; an empty answer does where that was said. */
static void judge_answer(enum wire_answer_kind kind, enum wire_style style)
{
	if (style == WIRE_STYLE_PAGE && kind != WIRE_ANSWER_FAILED) {
		assert(kind == WIRE_ANSWER_EMPTY);
		return;
	}
	peer.answered = kind == WIRE_ANSWER_CODE || kind == WIRE_ANSWER_RECOVERY ||
			kind == WIRE_ANSWER_PASSWORD ||
			(kind == WIRE_ANSWER_EMPTY && style == WIRE_STYLE_OPTIONAL);
}

static void on_answer(const struct wire_frame *f)
{
	struct wire_answer a;
	bool text;

	assert(wire_decode_answer(f, &a) == 0);
	assert(memcmp(a.nonce, peer.begin.nonce, sizeof(a.nonce)) == 0);
	assert(a.turn == ++peer.n_answers); /* one each, in order */
	text = a.kind == WIRE_ANSWER_CODE || a.kind == WIRE_ANSWER_RECOVERY;
	assert(!(text && peer.typed_password));
	/* a password leaves only where a new one was asked for */
	if (a.kind == WIRE_ANSWER_PASSWORD)
		assert(peer.begin.op == WIRE_OP_PW_CHANGE &&
		       style_given(a.turn) == WIRE_STYLE_NEW_PASSWORD);
	else
		assert(text == (a.text.len > 0) && a.old.len == 0);
	judge_answer(a.kind, style_given(a.turn));
}

void peer_take(const void *buf, size_t len)
{
	struct wire_frame f;
	size_t used;

	assert(len <= sizeof(peer.got) - peer.n_got);
	memcpy(peer.got + peer.n_got, buf, len);
	peer.n_got += len;
	if (wire_frame_split(peer.got, peer.n_got, sizeof(peer.got), &f, &used) != 0)
		return; /* not whole yet */
	assert(used == peer.n_got);
	peer.n_got = 0;
	if (peer.begun) {
		on_answer(&f);
		return;
	}
	assert(wire_decode_begin(&f, &peer.begin) == 0);
	peer.begun = true;
}

/* ------------------------------------------------------------- what it gives */

static enum wire_result some_result(uint8_t b)
{
	static const enum wire_result results[] = {
		WIRE_RESULT_ALLOW,	 WIRE_RESULT_ALLOW,
		WIRE_RESULT_NONE,	 WIRE_RESULT_AUTH_FAILED,
		WIRE_RESULT_LOCKED,	 WIRE_RESULT_FORBIDDEN,
		WIRE_RESULT_UNAVAILABLE, WIRE_RESULT_NEW_PASSWORD,
		WIRE_RESULT_NOTED,	 WIRE_RESULT_CONV_FAILED};

	return b < 0xc0 ? results[b % ARRAY_SIZE(results)]
			: (enum wire_result)(WIRE_RESULT_ALLOW ^ (1u << b % 32));
}

static size_t make_result(uint8_t *buf, size_t cap)
{
	struct wire_result_msg m = {.has_handle = input_byte(peer.in) % 2};
	size_t len = 0;

	m.result = some_result(input_byte(peer.in));
	memcpy(m.nonce, peer.begin.nonce, sizeof(m.nonce));
	memset(m.handle, 7, sizeof(m.handle));
	if (input_byte(peer.in) % 2) {
		memcpy(m.id, "12-ABCD", 8);
		m.text[input_bytes(peer.in, m.text, sizeof(m.text) - 1)] = 0;
	}
	return wire_encode_result(&m, buf, cap, &len) == 0 ? len : 0;
}

static size_t make_prompt(uint8_t *buf, size_t cap)
{
	static const enum wire_style styles[] = {WIRE_STYLE_HIDDEN, WIRE_STYLE_VISIBLE,
						 WIRE_STYLE_OPTIONAL, WIRE_STYLE_HIDDEN,
						 WIRE_STYLE_PAGE};
	char text[256];
	struct wire_prompt m = {.text = text};
	uint8_t b = input_byte(peer.in);
	size_t len = 0;

	memcpy(m.nonce, peer.begin.nonce, sizeof(m.nonce));
	m.style = styles[b % ARRAY_SIZE(styles)];
	if ((peer.begin.op == WIRE_OP_PW_CHANGE) != (b >= 0xf0))
		m.style = WIRE_STYLE_NEW_PASSWORD;
	m.turn = b % 16 == 13 ? b : peer.turn + 1;
	if (b % 4 == 3) { /* INFO */
		m.turn = 0;
		m.style = b % 8 == 3 ? WIRE_STYLE_TEXT : WIRE_STYLE_ERROR;
	}
	m.text_len = input_bytes(peer.in, text, sizeof(text) - 1);
	text[m.text_len] = 0;
	if (wire_encode_prompt(&m, buf, cap, &len) != 0)
		return 0;
	if (m.turn == peer.turn + 1)
		peer.turn = m.turn;
	return len;
}

/* What an attacker on the other end makes of an honest frame. */
static void damage(uint8_t *frame, size_t *len, size_t cap)
{
	uint8_t b = input_byte(peer.in);

	switch (b % 5) {
	case 0:
		frame[input_byte(peer.in) % *len] ^= (uint8_t)(1 + b / 5);
		break;
	case 1:
		*len -= 1 + input_byte(peer.in) % *len;
		break;
	case 2: /* the nonce of the transaction before */
		if (*len >= WIRE_HEADER_LEN + 4 + WIRE_NONCE_LEN)
			memcpy(frame + WIRE_HEADER_LEN + 4, peer.old_nonce,
			       WIRE_NONCE_LEN);
		break;
	case 3: /* twice */
		if (2 * *len <= cap) {
			memcpy(frame + *len, frame, *len);
			*len *= 2;
		}
		break;
	case 4: /* a byte more inside */
		frame[3] = (uint8_t)(frame[3] + 1);
		frame[(*len)++] = b;
		break;
	}
}

static size_t make_frame(uint8_t b, uint8_t *buf, size_t cap)
{
	if (b % 4 == 0)
		return make_prompt(buf, cap);
	if (b % 4 == 1)
		return make_result(buf, cap);
	return input_bytes(peer.in, buf, cap); /* any bytes */
}

static void give_allow(uint8_t *buf, size_t cap, size_t *len)
{
	struct wire_result_msg m = {.result = WIRE_RESULT_ALLOW, .has_handle = true};

	memcpy(m.nonce, peer.begin.nonce, sizeof(m.nonce));
	peer.plain_allow = peer.n_out == 0 && peer.chunk == 0;
	assert(wire_encode_result(&m, buf, cap, len) == 0);
}

/* One step of the script; more bytes, an end, or a wait. */
static void step(void)
{
	uint8_t buf[2048], b = input_byte(peer.in);
	size_t len = 0;

	if (peer.n_steps++ == STEPS_MAX || peer.in->n == 0) {
		peer.closed = true;
		return;
	}
	if (b % 8 == 7) {
		give_allow(buf, sizeof(buf), &len);
	} else if (b % 8 == 6) {
		peer.chunk = 1 + b / 8;
	} else if (b % 8 == 5) {
		peer.wakes_ms = 200 * (b / 8);
		if (b / 8 == 31)
			peer.closed = true;
	} else {
		len = make_frame(b, buf, sizeof(buf) / 2);
		if (len > 0 && b >= 0xe0)
			damage(buf, &len, sizeof(buf));
	}
	if (len > sizeof(peer.out) - peer.n_out)
		return;
	memcpy(peer.out + peer.n_out, buf, len);
	peer.n_out += len;
}

bool peer_ready(void)
{
	while (!peer.closed && peer.n_given == peer.n_out && peer.wakes_ms < 0)
		step();
	return peer.closed || peer.n_given < peer.n_out;
}

size_t peer_give(void *buf, size_t len)
{
	size_t left = peer.n_out - peer.n_given;

	len = len < left ? len : left;
	if (peer.chunk > 0 && len > peer.chunk)
		len = peer.chunk;
	memcpy(buf, peer.out + peer.n_given, len);
	peer.n_given += len;
	return len;
}

int peer_wakes_ms(void)
{
	return peer.wakes_ms >= 0 ? peer.wakes_ms : INT_MAX;
}

void peer_wake(void)
{
	peer.wakes_ms = -1;
}

/* ------------------------------------------------------------- what it has given */

static bool result_is(const uint8_t *p, const uint8_t *end, uint32_t result)
{
	bool nonce = false, same = false;

	while (end - p >= 4) {
		uint32_t tag = big_endian(p, 2), len = big_endian(p + 2, 2);

		p += 4;
		if (len > (size_t)(end - p))
			return false;
		if (tag == 1)
			nonce = len == WIRE_NONCE_LEN &&
				memcmp(p, peer.begin.nonce, len) == 0;
		if (tag == 50)
			same = len == 4 && big_endian(p, 4) == result;
		p += len;
	}
	return p == end && nonce && same;
}

bool peer_said(uint32_t result)
{
	const uint8_t *p = peer.out, *end = peer.out + peer.n_given;

	while (end - p >= 8) {
		uint32_t len = big_endian(p, 4);

		if (len < 4 || len > (size_t)(end - p - 4))
			return false;
		if (p[5] == 5)
			return result_is(p + 8, p + 4 + len, result) &&
			       p + 4 + len == end;
		p += 4 + len;
	}
	return false;
}
