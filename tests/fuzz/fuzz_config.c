/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_config.c - rbacd.yaml: what loads prints itself, and that loads and prints the
 * same. */
#include <assert.h>

#include "rbacd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *load(const void *p, size_t len)
{
	char path[] = "/tmp/vmsec-fuzz-config-XXXXXX";
	struct config *c = NULL;
	struct diags diag = DIAGS_INIT;
	int fd = mkstemp(path);

	assert(fd >= 0 && write(fd, p, len) == (ssize_t)len);
	(void)close(fd);
	if (config_load(path, &c, &diag) != 0)
		assert(!c && diags_failed(&diag));
	(void)unlink(path);
	diags_done(&diag);
	return c;
}

static char *print(const struct config *c, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	assert(f && config_print(c, f) == 0 && fclose(f) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *a = load(data, size), *b;
	size_t first_len, second_len;
	char *first, *second;

	if (!a)
		return 0;
	first = print(a, &first_len);
	b = load(first, first_len);
	assert(b);
	second = print(b, &second_len);
	assert(str_eq(first, second));
	free(first);
	free(second);
	config_free(a);
	config_free(b);
	return 0;
}
