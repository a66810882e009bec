/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_audit.c - the reader of stored lines takes any bytes; what the writer makes of
 * any text, the reader accepts.
 */
#include <assert.h>

#include "rbacd/audit/audit_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_any(const uint8_t *data, size_t size)
{
	struct audit_parsed rec = {0};
	const char *why = NULL;

	if (audit_parse_line((const char *)data, size, &rec, &why) == 0)
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
	struct audit_parsed rec;
	const char *why = NULL;
	size_t len = 0;

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	ev.ev = ev.user = ev.unknown_user = ev.path = ev.tty = ev.vm = text;
	ev.reason = ev.rhost_name = ev.object = ev.reason_text = ev.actor = text;
	assert(audit_render(&ev, &st, line, &len) == 0 && len <= AUDIT_LINE_MAX);
	assert(audit_parse_line(line, len, &rec, &why) == 0);
	assert(rec.seq == 1 && rec.ts_us == 1);
	free(text);
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
	return 0;
}
