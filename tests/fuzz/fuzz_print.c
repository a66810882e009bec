/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_print.c - what rbacctl shows of a stored record and of rbacd's rows: no byte
 * that moves a cursor reaches the terminal, JSON or CSV.
 */
#include <assert.h>

#include "rbacd/ctl/out.h"
#include "rbacd/ctl/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *out;
static char *text;
static size_t len;

static void begin(void)
{
	out = open_memstream(&text, &len);
	assert(out);
}

static void shown(bool json)
{
	assert(fclose(out) == 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		assert((c >= 0x20 && c != 0x7f) || c == '\n' || (!json && c == '\r'));
		/* C1 controls, as UTF-8 */
		assert(c != 0xc2 || i + 1 == len || (unsigned char)text[i + 1] >= 0xa0);
	}
	free(text);
	text = NULL;
}

static void show_set(const struct out_set *set)
{
	for (const struct out_table *t = set->first; t; t = t->next) {
		begin();
		out_print_table(t, out);
		out_print_record(t, out);
		out_print_csv(t, out);
		shown(false);
	}
	begin();
	out_json_set(set, "records none", out);
	shown(true);
}

static void try_record(const uint8_t *data, size_t size)
{
	static struct record rec;
	struct out_set set = OUT_SET_INIT;

	if (record_parse((const char *)data, size, &rec) != 0)
		return;
	assert(rec.n <= RECORD_FIELDS_MAX);
	begin();
	record_print_line(&rec, out);
	record_explain(&rec, out);
	shown(false);
	if (record_add_row(&rec, &set) == 0)
		show_set(&set);
	out_set_done(&set);
}

static void try_rows(const uint8_t *data, size_t size)
{
	struct out_set set = OUT_SET_INIT;
	struct wire_frame f;
	size_t used;

	while (wire_frame_split(data, size, WIRE_FRAME_MAX, &f, &used) == 0) {
		if (out_add_frame(&set, &f) != 0)
			break;
		data += used;
		size -= used;
	}
	show_set(&set);
	out_set_done(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_record(data, size);
	try_rows(data, size);
	return 0;
}
