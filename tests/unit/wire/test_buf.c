/* SPDX-License-Identifier: Apache-2.0 */
/* test_buf.c - the cursor: valid, truncated, over-long, trailing, repeated, random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rbacd/wire/buf.h"

static size_t sample(uint8_t *buf, size_t cap)
{
	struct wire_writer w;
	size_t len = 0;

	wire_writer_begin(&w, buf, cap, WIRE_ROW);
	wire_put_text(&w, WIRE_T_TABLE, "users");
	wire_put_cell_text(&w, "login", "alice");
	wire_put_cell_text(&w, "none", NULL);
	wire_put_cell_int(&w, "n", -5);
	wire_put_cell_time(&w, "at", 1700000000);
	wire_put_cell_bool(&w, "mfa", true);
	wire_put_cell_json(&w, "rec", "{\"a\":1}", 7);
	assert_int_equal(wire_writer_end(&w, &len), 0);
	return len;
}

static void test_cells_round_trip(void **state)
{
	static const struct {
		const char *name;
		enum wire_cell_kind kind;
		int64_t i;
		const char *text;
	} want[] = {
		{"login", WIRE_CELL_TEXT, 0, "alice"},
		{"none", WIRE_CELL_NULL, 0, NULL},
		{"n", WIRE_CELL_INT, -5, NULL},
		{"at", WIRE_CELL_TIME, 1700000000, NULL},
		{"mfa", WIRE_CELL_BOOL, 1, NULL},
		{"rec", WIRE_CELL_JSON, 0, "{\"a\":1}"},
	};
	uint8_t buf[512];
	size_t len = sample(buf, sizeof(buf));
	struct wire_frame frame;
	struct wire_reader r;
	struct wire_field f;
	struct wire_cell cell;
	size_t used;

	(void)state;
	assert_int_equal(wire_frame_split(buf, len, WIRE_FRAME_MAX, &frame, &used), 0);
	assert_int_equal(used, len);
	assert_int_equal(frame.type, WIRE_ROW);
	wire_reader_init(&r, &frame);
	assert_int_equal(wire_next(&r, &f), 0);
	assert_int_equal(f.tag, WIRE_T_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(wire_next(&r, &f), 0);
		assert_int_equal(wire_get_cell(&f, &cell), 0);
		assert_string_equal(cell.name, want[i].name);
		assert_int_equal(cell.kind, want[i].kind);
		assert_true(cell.i == want[i].i);
		if (want[i].text) {
			assert_int_equal(cell.len, strlen(want[i].text));
			assert_memory_equal(cell.text, want[i].text, cell.len);
		}
	}
	assert_int_equal(wire_next(&r, &f), WIRE_E_END);
}

static void test_numbers_are_big_endian(void **state)
{
	static const uint8_t want[] = {0, 0, 0,	 25, 1, 1,    0,    0,	  0,   2,
				       0, 1, 7,	 0,  4, 0,    4,    1,	  2,   3,
				       4, 0, 12, 0,  4, 0xff, 0xff, 0xff, 0xfe};
	uint8_t buf[64];
	struct wire_writer w;
	size_t len;

	(void)state;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_BEGIN);
	wire_put_u8(&w, WIRE_T_OP, 7);
	wire_put_u32(&w, WIRE_T_FLAGS, 0x01020304);
	wire_put_u32(&w, WIRE_T_SESSION, 0xfffffffe);
	assert_int_equal(wire_writer_end(&w, &len), 0);
	assert_int_equal(len, sizeof(want));
	assert_int_equal(buf[3], len - 4);
	assert_memory_equal(buf + 4, want + 4, len - 4);
}

static void test_writer_refuses_overflow(void **state)
{
	uint8_t full[512];
	size_t need = sample(full, sizeof(full));
	uint8_t buf[512];
	struct wire_writer w;
	size_t len = 99;

	(void)state;
	for (size_t cap = 0; cap < need; cap++) {
		memset(buf, 0xaa, sizeof(buf));
		wire_writer_begin(&w, buf, cap, WIRE_ROW);
		wire_put_text(&w, WIRE_T_TABLE, "users");
		wire_put_cell_text(&w, "login", "alice");
		wire_put_cell_text(&w, "none", NULL);
		wire_put_cell_int(&w, "n", -5);
		wire_put_cell_time(&w, "at", 1700000000);
		wire_put_cell_bool(&w, "mfa", true);
		wire_put_cell_json(&w, "rec", "{\"a\":1}", 7);
		assert_int_equal(wire_writer_end(&w, &len), -EMSGSIZE);
		assert_int_equal(len, 99);
		for (size_t i = cap; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 0xaa);
	}
}

static void test_split_truncated(void **state)
{
	uint8_t buf[512];
	size_t len = sample(buf, sizeof(buf));
	struct wire_frame frame = {.len = 77};
	size_t used = 88;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		assert_int_equal(wire_frame_split(buf, n, WIRE_FRAME_MAX, &frame,
						  &used),
				 WIRE_E_INCOMPLETE);
		assert_int_equal(frame.len, 77);
		assert_int_equal(used, 88);
	}
	buf[len] = 0;
	assert_int_equal(wire_frame_split(buf, len + 1, WIRE_FRAME_MAX, &frame, &used),
			 0);
	assert_int_equal(used, len); /* the next frame starts there */
}

static void test_split_bad_headers(void **state)
{
	static const struct {
		uint8_t h[8];
		int want;
	} rows[] = {
		{{0, 0, 0, 4, 1, 1, 0, 0}, 0},
		{{0, 0, 0, 3, 1, 1, 0, 0}, WIRE_E_INVALID},
		{{0, 0, 0, 0, 1, 1, 0, 0}, WIRE_E_INVALID},
		{{0, 0, 0, 4, 0, 1, 0, 0}, WIRE_E_INVALID},
		{{0, 0, 0, 4, 2, 1, 0, 0}, WIRE_E_INVALID},
		{{0, 0, 0, 4, 1, 1, 0, 1}, WIRE_E_INVALID},
		{{0, 0, 0, 4, 1, 1, 1, 0}, WIRE_E_INVALID},
		{{0, 0, 0x0f, 0xfc, 1, 1, 0, 0}, WIRE_E_INCOMPLETE},
		{{0, 0, 0x0f, 0xfd, 1, 1, 0, 0}, WIRE_E_INVALID},
		{{0xff, 0xff, 0xff, 0xff, 1, 1, 0, 0}, WIRE_E_INVALID},
		{{0x80, 0, 0, 4, 1, 1, 0, 0}, WIRE_E_INVALID},
	};
	struct wire_frame frame;
	size_t used;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(wire_frame_split(rows[i].h, 8, WIRE_FRAME_MAX_IN,
						  &frame, &used),
				 rows[i].want);
	/* a length that is too long is refused before its bytes have come */
	assert_int_equal(wire_frame_split(rows[8].h, 4, WIRE_FRAME_MAX_IN, &frame,
					  &used),
			 WIRE_E_INVALID);
}

/* Each bad field leaves the cursor where it was. */
static void test_next_bad_fields(void **state)
{
	static const struct {
		const char *why;
		size_t len;
		uint8_t b[16];
	} rows[] = {
		{"one byte", 1, {0}},
		{"three bytes", 3, {0, 2, 0}},
		{"longer than the frame", 5, {0, 2, 0, 2, 1}},
		{"far longer", 4, {0, 2, 0xff, 0xff}},
		{"repeated", 10, {0, 2, 0, 1, 7, 0, 2, 0, 1, 7}},
		{"descending", 10, {0, 3, 0, 1, 7, 0, 2, 0, 1, 7}},
		{"tag zero twice", 8, {0, 0, 0, 0, 0, 0, 0, 0}},
		{"trailing byte", 6, {0, 2, 0, 1, 7, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_frame frame = {.type = WIRE_BEGIN,
					   .body = rows[i].b,
					   .len = rows[i].len};
		struct wire_field f = {0};
		struct wire_reader r;
		struct wire_reader before;
		int rc;

		wire_reader_init(&r, &frame);
		do {
			before = r;
			rc = wire_next(&r, &f);
		} while (rc == 0);
		assert_int_equal(rc, WIRE_E_INVALID);
		assert_ptr_equal(r.p, before.p);
		assert_int_equal(r.left, before.left);
		assert_int_equal(r.last_tag, before.last_tag);
		assert_int_equal(wire_next(&r, &f), WIRE_E_INVALID);
	}
}

static void test_get_wrong_lengths(void **state)
{
	static const uint8_t bytes[16] = "abcdefgh";
	uint8_t v8 = 1;
	uint32_t v32 = 2;
	uint64_t v64 = 3;
	uint8_t exact[4] = {9, 9, 9, 9};
	char text[9] = "keep";

	(void)state;
	for (size_t len = 0; len <= 16; len++) {
		struct wire_field f = {.tag = WIRE_T_OP, .p = bytes, .len = len};

		assert_int_equal(wire_get_u8(&f, &v8), len == 1 ? 0 : WIRE_E_INVALID);
		assert_int_equal(wire_get_u32(&f, &v32), len == 4 ? 0 : WIRE_E_INVALID);
		assert_int_equal(wire_get_u64(&f, &v64), len == 8 ? 0 : WIRE_E_INVALID);
		assert_int_equal(wire_get_exact(&f, exact, 4),
				 len == 4 ? 0 : WIRE_E_INVALID);
		/* bytes[8] is NUL, and nine bytes do not fit with their end */
		assert_int_equal(wire_get_text(&f, text, sizeof(text)),
				 len <= 8 ? 0 : WIRE_E_INVALID);
	}
	assert_int_equal(v32, 0x61626364);
	assert_string_equal(text, "abcdefgh");
}

static void test_text_with_nul(void **state)
{
	struct wire_field f = {.tag = WIRE_T_USER,
			       .p = (const uint8_t *)"root\0x",
			       .len = 6};
	char text[32] = "keep";

	(void)state;
	assert_int_equal(wire_get_text(&f, text, sizeof(text)), WIRE_E_INVALID);
	assert_string_equal(text, "keep");
}

static void test_bad_cells(void **state)
{
	static const struct {
		size_t len;
		uint8_t b[16];
	} rows[] = {
		{0, {0}},
		{1, {1}},
		{2, {1, 0}},		       /* no name */
		{3, {1, 2, 'a'}},	       /* name longer than the field */
		{3, {0, 1, 'a'}},	       /* kind 0 */
		{3, {7, 1, 'a'}},	       /* unknown kind */
		{3, {2, 1, 'a'}},	       /* int without value */
		{4, {3, 1, 'a', 2}},	       /* bool of 2 */
		{5, {3, 1, 'a', 1, 1}},	       /* long bool */
		{4, {4, 1, 'a', 1}},	       /* null with a value */
		{6, {1, 1, 'a', 'x', 0, 'y'}}, /* NUL in text */
		{4, {1, 1, '\n', 'x'}},	       /* control byte in the name */
		{3, {1, 255, 'a'}},
	};
	struct wire_cell cell;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_field f = {.tag = WIRE_T_CELL,
				       .p = rows[i].b,
				       .len = rows[i].len};

		assert_int_equal(wire_get_cell(&f, &cell), WIRE_E_INVALID);
	}
}

/* Random bytes: nothing is read outside the buffer (ASan), everything ends. */
static void test_random_bytes(void **state)
{
	uint32_t x = 0x9e3779b9;
	uint8_t buf[96];

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct wire_frame frame;
		struct wire_reader r;
		struct wire_field f;
		struct wire_cell cell;
		size_t used;

		for (size_t i = 0; i < sizeof(buf); i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			buf[i] = i % 4 == 3 ? (uint8_t)x : (uint8_t)(x & 1);
		}
		if (wire_frame_split(buf, sizeof(buf), sizeof(buf), &frame, &used) != 0)
			continue;
		assert_true(used <= sizeof(buf));
		wire_reader_init(&r, &frame);
		while (wire_next(&r, &f) == 0) {
			assert_true(f.p >= buf && f.p + f.len <= buf + used);
			(void)!wire_get_cell(&f, &cell);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells_round_trip),
		cmocka_unit_test(test_numbers_are_big_endian),
		cmocka_unit_test(test_writer_refuses_overflow),
		cmocka_unit_test(test_split_truncated),
		cmocka_unit_test(test_split_bad_headers),
		cmocka_unit_test(test_next_bad_fields),
		cmocka_unit_test(test_get_wrong_lengths),
		cmocka_unit_test(test_text_with_nul),
		cmocka_unit_test(test_bad_cells),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
