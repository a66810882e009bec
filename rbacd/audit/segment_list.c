/* SPDX-License-Identifier: Apache-2.0 */
/* segment_list.c - the names of segments, and which there are. */
#include "rbacd/audit/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void segment_name(uint64_t first, char ret[SEGMENT_NAME_MAX])
{
	(void)snprintf(ret, SEGMENT_NAME_MAX, "audit-%012llu.jsonl",
		       (unsigned long long)first); /* fits 20 digits */
}

uint64_t segment_parse_name(const char *name)
{
	const char *p = str_after(name, "audit-");
	char again[SEGMENT_NAME_MAX];
	uint64_t first = 0;

	for (; p && *p >= '0' && *p <= '9' && first < INT64_MAX / 10; p++)
		first = first * 10 + (uint64_t)(*p - '0');
	segment_name(first, again);
	return p && str_eq(again, name) ? first : 0;
}

FILE *segment_file(const char *dir, uint64_t first)
{
	char path[600], name[SEGMENT_NAME_MAX];
	_cleanup_close_ int fd = -1;
	struct stat st;
	FILE *in;

	segment_name(first, name);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name); /* 512 + 32 */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	in = fdopen(fd, "r");
	if (in)
		fd = -1;
	return in;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int segment_list(const char *dir, uint64_t **ret, size_t *ret_n)
{
	_cleanup_free_ uint64_t *v = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	if (!d)
		return -errno;
	/* cppcheck-suppress readdirCalled ; one thread */
	while ((e = readdir(d))) {
		uint64_t first = segment_parse_name(e->d_name);
		uint64_t *more = v;

		if (first == 0)
			continue;
		if (n == cap) {
			cap = cap ? 2 * cap : 16;
			more = reallocarray(v, cap, sizeof(*v));
		}
		if (!more) {
			(void)closedir(d); /* only read */
			return -ENOMEM;
		}
		v = more;
		v[n++] = first;
	}
	(void)closedir(d); /* only read */
	if (n > 0)
		qsort(v, n, sizeof(*v), compare_u64);
	*ret = STEAL(v);
	*ret_n = n;
	return 0;
}
