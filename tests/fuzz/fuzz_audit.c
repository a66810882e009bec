/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_audit.c - the reader of stored lines takes any bytes; what the writer makes of
 * any text, the reader accepts; a log that was changed in any way is not whole.
 */
#include <assert.h>

#include "tests/memlog/memlog.h"

#define RECORDS 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_any(const uint8_t *data, size_t size)
{
	struct audit_view rec = {0};
	const char *why = NULL;

	if (audit_view_parse((const char *)data, size, &rec, &why) == 0)
		assert(rec.seq > 0 && size <= AUDIT_LINE_MAX && !why);
	else
		assert(why);
}

static void write_then_read(const uint8_t *data, size_t size)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	struct audit_stamp st = {.seq = 1,
				 .now_us = 1,
				 .id = "1-AAAA",
				 .user_hash = "0123456789abcdef"};
	char line[AUDIT_LINE_MAX + 1], *text = calloc(1, size + 1);
	struct audit_view rec;
	const char *why = NULL;
	size_t len = 0;

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	ev.ev = ev.user = ev.unknown_user = ev.path = ev.tty = ev.vm = text;
	ev.reason = ev.rhost_name = ev.object = ev.reason_text = ev.actor = text;
	assert(audit_render(&ev, &st, line, &len) == 0 && len <= AUDIT_LINE_MAX);
	assert(audit_view_parse(line, len, &rec, &why) == 0);
	assert(rec.seq == 1 && rec.ts_us == 1);
	free(text);
}

/* One change, of the four kinds that somebody with the database can make. */
static void change(struct store *s, const uint8_t op[4], const uint8_t *data,
		   size_t size)
{
	size_t i = op[1] % RECORDS;
	uint8_t *head = (uint8_t *)&s->head;
	size_t at = op[2] % (offsetof(struct store_head, tree_len) + s->head.tree_len);

	switch (op[0] % 6) {
	case 0: /* one byte of a line */
		s->rec[i].line[(size_t)op[2] * 8 % s->rec[i].len] ^= (char)op[3];
		break;
	case 1: /* another line */
		s->rec[i].len = size < AUDIT_LINE_MAX ? size : AUDIT_LINE_MAX;
		memcpy(s->rec[i].line, data, s->rec[i].len);
		break;
	case 2: /* lines change places; each still has its number */
		s->rec[i] = s->rec[op[2] % RECORDS];
		break;
	case 3: /* one is gone */
		memmove(&s->rec[i], &s->rec[i + 1], (RECORDS - i) * sizeof(s->rec[0]));
		s->n--;
		break;
	case 4: /* the tail is gone */
		s->n = i;
		break;
	case 5: /* the head */
		if (at >= offsetof(struct store_head, tree_len))
			at += sizeof(s->head.tree_len); /* the store bounds it */
		head[at] ^= op[3];
		break;
	}
}

/* Four bytes a change, the rest is a line: whole only when nothing is different. */
static void change_log(const uint8_t *data, size_t size)
{
	static const uint8_t master[32] = {9};
	static struct seal *seal;
	static struct store good, s;
	struct audit_verify_options opt = {.store = &s};
	struct audit_verify out;
	int r;

	if (!seal) {
		assert(seal_new(master, &seal) == 0);
		memlog_make(&good, RECORDS, "alice", seal, NULL, 0);
	}
	s = good;
	for (int i = 0; i < 3 && size >= 4; i++, data += 4, size -= 4)
		if (s.n == RECORDS)
			change(&s, data, data + 4, size - 4);
	opt.seal = seal;
	r = audit_verify_log(&opt, &out);
	assert(r == (memlog_same(&s, &good) ? 0 : 1));
	assert(r == 0 || (out.bad_seq > 0 && out.why[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert(copy); /* of its own, so that a read beyond the end is seen */
	if (size > 0)
		memcpy(copy, data, size);
	read_any(copy, size);
	free(copy);
	write_then_read(data, size);
	change_log(data, size);
	return 0;
}
