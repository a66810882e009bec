/* SPDX-License-Identifier: Apache-2.0 */
/* test_msg.c - every message: round trip, each truncation, each field missing,
 * mutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rbacd/wire/msg.h"

#define FRAME_CAP 8192

static void begin_sample(struct wire_begin *m)
{
	memset(m, 0, sizeof(*m));
	*m = (struct wire_begin){.nonce = "0123456789abcde",
				 .op = WIRE_OP_ACCOUNT,
				 .deadline_ns = 0x0102030405060708,
				 .flags = WIRE_FLAG_SILENT | WIRE_FLAG_CAN_PROMPT,
				 .service = "sshd",
				 .user = "al\xff\x01ice,;:= x",
				 .ruser = "bob",
				 .tty = "ssh",
				 .rhost = "192.0.2.7",
				 .ssh_connection = "192.0.2.7 40000 192.0.2.1 22",
				 .ssh_auth_info = "publickey ssh-ed25519 AAAA\n",
				 .session = UINT32_MAX,
				 .loginuid = 1000,
				 .ruid = 0,
				 .has_handle = true,
				 .handle = "handle-16-bytes",
				 .vmsec_id = "7F3A-01"};
}

static size_t encode_begin(uint8_t *buf)
{
	struct wire_begin m;
	size_t len;

	begin_sample(&m);
	assert_int_equal(wire_encode_begin(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

static size_t encode_answer(uint8_t *buf)
{
	struct wire_answer m = {.nonce = "0123456789abcde",
				.deadline_ns = 5,
				.turn = 3,
				.kind = WIRE_ANSWER_CODE,
				.text = {.len = 6, .bytes = "123456"}};
	size_t len;

	assert_int_equal(wire_encode_answer(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

static size_t encode_password(uint8_t *buf)
{
	struct wire_answer m = {.nonce = "0123456789abcde",
				.deadline_ns = 5,
				.turn = 1,
				.kind = WIRE_ANSWER_PASSWORD,
				.text = {.len = 9, .bytes = "new \xff one"},
				.old = {.len = 3, .bytes = "old"}};
	size_t len;

	assert_int_equal(wire_encode_answer(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

static size_t encode_prompt(uint8_t *buf)
{
	struct wire_prompt m = {.turn = 1,
				.style = WIRE_STYLE_HIDDEN,
				.text = "One-time code: ",
				.text_len = 15};
	size_t len;

	assert_int_equal(wire_encode_prompt(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

static size_t encode_info(uint8_t *buf)
{
	struct wire_prompt m = {.style = WIRE_STYLE_ERROR,
				.text = "hello",
				.text_len = 5};
	size_t len;

	assert_int_equal(wire_encode_prompt(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

static size_t encode_result(uint8_t *buf)
{
	struct wire_result_msg m = {.nonce = "0123456789abcde",
				    .result = WIRE_RESULT_ALLOW,
				    .text = "2 wrong codes since the last login",
				    .id = "A1-B2",
				    .has_handle = true,
				    .handle = "handle-16-bytes"};
	size_t len;

	assert_int_equal(wire_encode_result(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

static size_t encode_call(uint8_t *buf)
{
	struct wire_call m = {.verb = "policy check",
			      .n_args = 2,
			      .args = {{.name = "file", .value = "a=b"},
				       {.name = "dry", .value = ""}}};
	size_t len;

	assert_int_equal(wire_encode_call(&m, buf, FRAME_CAP, &len), 0);
	return len;
}

/* Decodes and encodes again. Return: -1 not decoded, 0 same bytes, 1 other bytes. */
static int again(const uint8_t *buf, size_t len)
{
	static struct wire_call call;
	struct wire_begin begin;
	struct wire_answer answer;
	struct wire_prompt prompt;
	struct wire_result_msg result;
	struct wire_frame f;
	uint8_t out[FRAME_CAP];
	size_t used;
	size_t out_len = 0;
	int r = 1;

	if (wire_frame_split(buf, len, FRAME_CAP, &f, &used) != 0 || used != len)
		return -1;
	if (wire_decode_begin(&f, &begin) == 0)
		r = wire_encode_begin(&begin, out, sizeof(out), &out_len);
	else if (wire_decode_answer(&f, &answer) == 0)
		r = wire_encode_answer(&answer, out, sizeof(out), &out_len);
	else if (wire_decode_prompt(&f, &prompt) == 0)
		r = wire_encode_prompt(&prompt, out, sizeof(out), &out_len);
	else if (wire_decode_result(&f, &result) == 0)
		r = wire_encode_result(&result, out, sizeof(out), &out_len);
	else if (wire_decode_call(&f, &call) == 0)
		r = wire_encode_call(&call, out, sizeof(out), &out_len);
	else
		return -1;
	assert_int_equal(r, 0); /* what decodes can be encoded */
	return out_len == len && memcmp(out, buf, len) == 0 ? 0 : 1;
}

static size_t (*const samples[])(uint8_t *) = {encode_begin,   encode_answer,
					       encode_prompt,  encode_info,
					       encode_result,  encode_call,
					       encode_password};

static void test_round_trip(void **state)
{
	uint8_t buf[FRAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		assert_int_equal(again(buf, samples[i](buf)), 0);
}

static void test_begin_keeps_every_field(void **state)
{
	uint8_t buf[FRAME_CAP];
	size_t len = encode_begin(buf);
	struct wire_begin want;
	struct wire_begin got;
	struct wire_frame f;
	size_t used;

	(void)state;
	begin_sample(&want);
	memset(&got, 0, sizeof(got));
	assert_int_equal(wire_frame_split(buf, len, WIRE_FRAME_MAX_IN, &f, &used), 0);
	assert_int_equal(wire_decode_begin(&f, &got), 0);
	assert_memory_equal(got.nonce, want.nonce, sizeof(got.nonce));
	assert_int_equal(got.op, want.op);
	assert_true(got.deadline_ns == want.deadline_ns);
	assert_int_equal(got.flags, want.flags);
	assert_string_equal(got.service, want.service);
	assert_string_equal(got.user, want.user);
	assert_string_equal(got.ruser, want.ruser);
	assert_string_equal(got.tty, want.tty);
	assert_string_equal(got.rhost, want.rhost);
	assert_string_equal(got.ssh_connection, want.ssh_connection);
	assert_string_equal(got.ssh_auth_info, want.ssh_auth_info);
	assert_int_equal(got.session, want.session);
	assert_int_equal(got.loginuid, want.loginuid);
	assert_int_equal(got.ruid, want.ruid);
	assert_true(got.has_handle);
	assert_memory_equal(got.handle, want.handle, sizeof(got.handle));
	assert_string_equal(got.vmsec_id, want.vmsec_id);
}

/* The largest BEGIN fits the frame limit toward rbacd. */
static void test_begin_at_its_limits(void **state)
{
	struct wire_begin m = {.op = WIRE_OP_AUTH, .has_handle = true};
	uint8_t buf[WIRE_FRAME_MAX_IN];
	size_t len;

	(void)state;
	memset(m.service, 's', WIRE_SERVICE_MAX);
	memset(m.user, 'u', WIRE_NAME_MAX);
	memset(m.ruser, 'r', WIRE_NAME_MAX);
	memset(m.tty, 't', WIRE_TTY_MAX);
	memset(m.rhost, 'h', WIRE_RHOST_MAX);
	memset(m.ssh_connection, 'c', WIRE_SSH_CONN_MAX);
	memset(m.ssh_auth_info, 'a', WIRE_AUTH_INFO_MAX);
	memset(m.vmsec_id, 'I', WIRE_ID_MAX);
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), 0);
	memset(m.user, 'u', sizeof(m.user)); /* no end */
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), -EINVAL);
}

/* The body cut at each byte, with a length that matches: never decodes as a whole. */
static void test_each_truncation(void **state)
{
	uint8_t buf[FRAME_CAP];
	uint8_t cut[FRAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		size_t len = samples[i](buf);

		for (size_t n = WIRE_HEADER_LEN; n < len; n++) {
			memcpy(cut, buf, n);
			cut[2] = (uint8_t)((n - 4) >> 8);
			cut[3] = (uint8_t)(n - 4);
			/* 0: it ended where an optional field could end */
			assert_int_not_equal(again(cut, n), 1);
		}
	}
}

static void test_trailing_byte(void **state)
{
	uint8_t buf[FRAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		size_t len = samples[i](buf);

		buf[len] = 0;
		buf[2] = (uint8_t)((len - 3) >> 8);
		buf[3] = (uint8_t)(len - 3);
		assert_int_equal(again(buf, len + 1), -1);
	}
}

/* Each field left out in turn: only what the specification calls optional may go. */
static void test_each_field_missing(void **state)
{
	/* a CODE without its digits is refused too: all five fields of ANSWER */
	static const unsigned required[] = {9, 5, 4, 3, 2, 1, 5};
	uint8_t buf[FRAME_CAP];
	uint8_t cut[FRAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		size_t len = samples[i](buf);
		unsigned refused = 0;
		size_t pos = WIRE_HEADER_LEN;

		while (pos < len) {
			size_t field = 4u + ((size_t)buf[pos + 2] << 8 | buf[pos + 3]);

			memcpy(cut, buf, pos);
			memcpy(cut + pos, buf + pos + field, len - pos - field);
			cut[2] = (uint8_t)((len - field - 4) >> 8);
			cut[3] = (uint8_t)(len - field - 4);
			refused += again(cut, len - field) == -1;
			pos += field;
		}
		assert_int_equal(refused, required[i]);
	}
}

/* Every byte changed in several ways: whatever still decodes is in normal form. */
static void test_mutations(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff, 0x20, 0x10, 0x04};
	uint8_t buf[FRAME_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		size_t len = samples[i](buf);

		for (size_t n = 0; n < len; n++)
			for (size_t k = 0; k < ARRAY_SIZE(masks); k++) {
				buf[n] ^= masks[k];
				assert_int_not_equal(again(buf, len), 1);
				buf[n] ^= masks[k];
			}
	}
}

static void test_begin_refuses(void **state)
{
	struct wire_begin m;
	uint8_t buf[FRAME_CAP];
	size_t len;

	(void)state;
	begin_sample(&m);
	m.op = (enum wire_op)0;
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), -EINVAL);
	m.op = (enum wire_op)(WIRE_OP_PW_CHANGED + 1);
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), -EINVAL);
	begin_sample(&m);
	m.flags = 1u << 31;
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), -EINVAL);
	begin_sample(&m);
	m.service[0] = 0;
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), -EINVAL);
	begin_sample(&m);
	m.vmsec_id[0] = 'a';
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), -EINVAL);
	begin_sample(&m);
	m.user[0] = 0; /* an empty name is rbacd's to refuse */
	assert_int_equal(wire_encode_begin(&m, buf, sizeof(buf), &len), 0);
	assert_int_equal(again(buf, len), 0);
}

/* P16, P22: only a normalised code or recovery code ever becomes bytes. */
static void test_answer_carries_nothing_else(void **state)
{
	static const struct {
		enum wire_answer_kind kind;
		const char *text;
		int want;
	} rows[] = {
		{WIRE_ANSWER_CODE, "123456", 0},
		{WIRE_ANSWER_CODE, "12345678", 0},
		{WIRE_ANSWER_CODE, "1234567", -EINVAL},
		{WIRE_ANSWER_CODE, "", -EINVAL},
		{WIRE_ANSWER_CODE, "123 456", -EINVAL},
		{WIRE_ANSWER_CODE, "hunter22", -EINVAL},
		{WIRE_ANSWER_RECOVERY, "123456", -EINVAL},
		{WIRE_ANSWER_RECOVERY, "AAAAAAAAAAAAAAAB", -EINVAL},
		{WIRE_ANSWER_RECOVERY, "AAAAAAAAAAAAAAAA", 0},
		{WIRE_ANSWER_BLIND, "secret", -EINVAL},
		{WIRE_ANSWER_BLIND, "", 0},
		{WIRE_ANSWER_EMPTY, "", 0},
		{WIRE_ANSWER_EMPTY, "123456", -EINVAL},
		{WIRE_ANSWER_FAILED, "", 0},
		{(enum wire_answer_kind)0, "", -EINVAL},
		{WIRE_ANSWER_PASSWORD, "", -EINVAL},
		{WIRE_ANSWER_PASSWORD, "correct horse", 0},
		{(enum wire_answer_kind)9, "", -EINVAL},
	};
	uint8_t buf[FRAME_CAP];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_answer m = {.turn = 1, .kind = rows[i].kind};

		m.text.len = strlen(rows[i].text);
		memcpy(m.text.bytes, rows[i].text, m.text.len);
		assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len),
				 rows[i].want);
	}
	struct wire_answer m = {.turn = 1,
				.kind = WIRE_ANSWER_CODE,
				.text = {.len = SECRET_MAX + 9, .bytes = "123456"}};
	assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len), -EINVAL);
}

/* A password is a string of C of at most 511 bytes; no other answer has an old one. */
static void test_password_bounds(void **state)
{
	struct wire_answer m = {.turn = 1, .kind = WIRE_ANSWER_PASSWORD};
	uint8_t buf[FRAME_CAP];
	size_t len;

	(void)state;
	memset(m.text.bytes, 'x', SECRET_MAX);
	m.text.len = SECRET_MAX - 1;
	memcpy(&m.old, &m.text, sizeof(m.old));
	assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len), 0);
	assert_true(len <= WIRE_FRAME_MAX_IN);
	assert_int_equal(again(buf, len), 0);
	m.old.len = SECRET_MAX;
	assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len), -EINVAL);
	m.old.len = 0;
	m.text.len = SECRET_MAX;
	assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len), -EINVAL);
	m.text.len = 3;
	m.text.bytes[1] = 0;
	assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len), -EINVAL);
	m = (struct wire_answer){.turn = 1,
				 .kind = WIRE_ANSWER_CODE,
				 .text = {.len = 6, .bytes = "123456"},
				 .old = {.len = 3, .bytes = "old"}};
	assert_int_equal(wire_encode_answer(&m, buf, sizeof(buf), &len), -EINVAL);
}

static void test_prompt_styles(void **state)
{
	static const struct {
		uint32_t turn;
		enum wire_style style;
		size_t len;
		int want;
	} rows[] = {
		{1, WIRE_STYLE_HIDDEN, 4, 0},
		{1, WIRE_STYLE_VISIBLE, 4, 0},
		{1, WIRE_STYLE_OPTIONAL, 4, 0},
		{1, WIRE_STYLE_PAGE, 4, 0},
		{0, WIRE_STYLE_OPTIONAL, 4, -EINVAL},
		{0, WIRE_STYLE_PAGE, 4, -EINVAL},
		{1, WIRE_STYLE_NEW_PASSWORD, 4, 0},
		{0, WIRE_STYLE_NEW_PASSWORD, 4, -EINVAL},
		{1, WIRE_STYLE_TEXT, 4, -EINVAL},
		{0, WIRE_STYLE_TEXT, 4, 0},
		{0, WIRE_STYLE_ERROR, 4, 0},
		{0, WIRE_STYLE_HIDDEN, 4, -EINVAL},
		{1, (enum wire_style)0, 4, -EINVAL},
		{1, (enum wire_style)9, 4, -EINVAL},
		{1, WIRE_STYLE_HIDDEN, 0, -EINVAL},
		{1, WIRE_STYLE_HIDDEN, 5, -EINVAL},
	};
	uint8_t buf[FRAME_CAP];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_prompt m = {.turn = rows[i].turn,
					.style = rows[i].style,
					.text = "text", /* the fifth byte is NUL */
					.text_len = rows[i].len};

		assert_int_equal(wire_encode_prompt(&m, buf, sizeof(buf), &len),
				 rows[i].want);
	}
}

static void test_call_refuses(void **state)
{
	static struct wire_call m;
	uint8_t buf[FRAME_CAP];
	size_t len;

	(void)state;
	m = (struct wire_call){.verb = "status", .n_args = WIRE_ARGS_MAX + 1};
	assert_int_equal(wire_encode_call(&m, buf, sizeof(buf), &len), -EINVAL);
	m = (struct wire_call){.verb = ""};
	assert_int_equal(wire_encode_call(&m, buf, sizeof(buf), &len), -EINVAL);
	m = (struct wire_call){.verb = "x",
			       .n_args = 1,
			       .args = {{.name = "a=b", .value = "c"}}};
	assert_int_equal(wire_encode_call(&m, buf, sizeof(buf), &len), -EINVAL);
	m = (struct wire_call){.verb = "x",
			       .n_args = 2,
			       .args = {{.name = "a", .value = "1"}, {.name = "a"}}};
	assert_int_equal(wire_encode_call(&m, buf, sizeof(buf), &len), 0);
	assert_int_equal(again(buf, len), -1); /* one name twice: which would count? */
	for (size_t i = 0; i < 5; i++) {
		m.args[i].name[0] = (char)('a' + i);
		m.args[i].name[1] = 0;
		memset(m.args[i].value, 'v', WIRE_ARG_MAX);
	}
	m.n_args = 5;
	assert_int_equal(wire_encode_call(&m, buf, sizeof(buf), &len), -EMSGSIZE);
	m.n_args = 3;
	assert_int_equal(wire_encode_call(&m, buf, sizeof(buf), &len), 0);
	assert_string_equal(wire_call_arg(&m, "b"), m.args[1].value);
	assert_null(wire_call_arg(&m, "d")); /* only n_args count */
	assert_null(wire_call_arg(&m, "bb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_begin_keeps_every_field),
		cmocka_unit_test(test_begin_at_its_limits),
		cmocka_unit_test(test_each_truncation),
		cmocka_unit_test(test_trailing_byte),
		cmocka_unit_test(test_each_field_missing),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_begin_refuses),
		cmocka_unit_test(test_answer_carries_nothing_else),
		cmocka_unit_test(test_password_bounds),
		cmocka_unit_test(test_prompt_styles),
		cmocka_unit_test(test_call_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
