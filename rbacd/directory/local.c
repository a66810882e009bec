/* SPDX-License-Identifier: Apache-2.0 */
/* local.c - /etc/passwd as a file: no NSS, no allocation that grows with the file. */

#include "rbacd/directory/local.h"

#include <errno.h>
#include <fcntl.h>

#define LOCAL_LINE_MAX 4096 /* a longer line is malformed */
#define LOCAL_FIELDS   7

/* Decimal digits only; the all-ones id means "no id" to the kernel and is refused. */
static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
		if (v >= UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)v;
	return true;
}

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > 64 || name[0] == '+' || name[0] == '-' || name[0] == '#')
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= 0x20 || name[i] > 0x7e)
			return false;
	return true;
}

/* Splits in place at colons. Return: false unless there are exactly seven fields. */
static bool split_line(char *line, char *fields[LOCAL_FIELDS])
{
	size_t n = 0;

	fields[n++] = line;
	for (char *p = line; *p; p++) {
		if (*p != ':')
			continue;
		if (n == LOCAL_FIELDS)
			return false;
		*p = '\0';
		fields[n++] = p + 1;
	}
	return n == LOCAL_FIELDS;
}

static bool parse_line(char *line, struct local_account *ret)
{
	struct local_account a = {0};
	char *fields[LOCAL_FIELDS];

	if (!split_line(line, fields) || !name_ok(fields[0]) ||
	    !parse_id(fields[2], &a.uid) || !parse_id(fields[3], &a.gid))
		return false;
	memcpy(a.login, fields[0], strlen(fields[0]));
	(void)snprintf(a.real_name, sizeof(a.real_name), "%.*s",
		       (int)strcspn(fields[4], ","), fields[4]);
	*ret = a;
	return true;
}

/*
 * Reads one line without its newline. An overlong one, or one with a NUL, comes back as
 * "", which no rule accepts. Return: false at the end of the file.
 */
static bool read_line(FILE *f, char line[LOCAL_LINE_MAX])
{
	bool bad = false;
	size_t len = 0;
	int c = getc_unlocked(f);

	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(f)) {
		if (c == '\0' || len == LOCAL_LINE_MAX - 1)
			bad = true;
		else
			line[len++] = (char)c;
	}
	line[bad ? 0 : len] = '\0';
	return true;
}

int local_each(const char *path, int (*fn)(const struct local_account *, void *),
	       void *arg, size_t *ret_skipped)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LOCAL_LINE_MAX];
	struct local_account a;
	size_t skipped = 0;
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && read_line(f, line)) {
		if (parse_line(line, &a))
			r = fn(&a, arg);
		else
			skipped++;
	}
	if (r != 0)
		return r;
	if (ferror(f))
		return -EIO;
	if (ret_skipped)
		*ret_skipped = skipped;
	return 0;
}

struct wanted {
	const char *name;
	bool by_uid;
	uint32_t uid;
	struct local_account found;
};

enum { FOUND = 1 };

static int match_account(const struct local_account *a, void *arg)
{
	struct wanted *w = arg;

	if (w->by_uid ? a->uid != w->uid : !str_eq(a->login, w->name))
		return 0;
	w->found = *a;
	return FOUND;
}

int local_find(const char *path, const char *name, struct local_account *ret)
{
	struct wanted w = {.name = name};
	int r;

	w.by_uid = parse_id(name, &w.uid);
	r = local_each(path, match_account, &w, NULL);
	if (r < 0)
		return r;
	if (r == FOUND) {
		*ret = w.found;
		return 0;
	}
	if (!w.by_uid)
		return LOCAL_E_NONE;
	/* A number without a line: the service runs on, with a group of the same
	 * number. */
	*ret = (struct local_account){.uid = w.uid, .gid = w.uid};
	return 0;
}
