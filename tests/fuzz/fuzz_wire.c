/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire.c - libFuzzer target: any bytes as frames of every message. What decodes
 * must encode to the same bytes again, and a code that classifies must do so in normal
 * form.
 */
#include "rbacd/wire/code.h"
#include "rbacd/wire/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(int r, const uint8_t *out, size_t out_len, const uint8_t *in,
		 size_t in_len)
{
	/* an empty optional field decodes as none, so the text may shrink, never grow
	 */
	if (r != 0 || out_len > in_len ||
	    (out_len == in_len && memcmp(out, in, in_len) != 0))
		abort();
}

static void round_trip(const struct wire_frame *f, const uint8_t *in, size_t len)
{
	static uint8_t out[WIRE_FRAME_MAX];
	static struct wire_call call;
	struct wire_begin begin;
	struct wire_answer answer;
	struct wire_prompt prompt;
	struct wire_result_msg result;
	size_t n = 0;

	if (wire_decode_begin(f, &begin) == 0)
		same(wire_encode_begin(&begin, out, sizeof(out), &n), out, n, in, len);
	if (wire_decode_answer(f, &answer) == 0)
		same(wire_encode_answer(&answer, out, sizeof(out), &n), out, n, in,
		     len);
	if (wire_decode_prompt(f, &prompt) == 0)
		same(wire_encode_prompt(&prompt, out, sizeof(out), &n), out, n, in,
		     len);
	if (wire_decode_result(f, &result) == 0)
		same(wire_encode_result(&result, out, sizeof(out), &n), out, n, in,
		     len);
	if (len <= WIRE_FRAME_MAX_IN && wire_decode_call(f, &call) == 0)
		same(wire_encode_call(&call, out, sizeof(out), &n), out, n, in, len);
}

static void every_cell(const struct wire_frame *f)
{
	struct wire_reader r;
	struct wire_field field;
	struct wire_cell cell;

	wire_reader_init(&r, f);
	while (wire_next(&r, &field) == 0)
		if (wire_get_cell(&field, &cell) == 0 && cell.text &&
		    cell.len > field.len)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret once = SECRET_INIT;
	struct secret twice = SECRET_INIT;
	enum wire_answer_kind kind = code_classify((const char *)data, size, &once);
	struct wire_frame f;
	size_t used;

	if (kind == WIRE_ANSWER_CODE || kind == WIRE_ANSWER_RECOVERY)
		if (code_classify((const char *)once.bytes, once.len, &twice) != kind ||
		    memcmp(&once, &twice, sizeof(once)) != 0)
			abort();
	while (wire_frame_split(data, size, WIRE_FRAME_MAX, &f, &used) == 0) {
		round_trip(&f, data, used);
		every_cell(&f);
		data += used;
		size -= used;
	}
	return 0;
}
