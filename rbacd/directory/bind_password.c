/* SPDX-License-Identifier: Apache-2.0 */
/* bind_password.c - read once, while still root. */

#include "rbacd/directory/bind_password.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *bad_file(int fd, uint32_t uid)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return "is no regular file";
	if (st.st_uid != 0 && st.st_uid != uid)
		return "must be owned by root or by directory.user";
	if ((st.st_mode & 077) != 0)
		return "must have mode 0400 or 0600";
	return NULL;
}

/* One line; a newline at its end does not count. */
static const char *take_line(const uint8_t *bytes, size_t len, struct secret *ret)
{
	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	if (len == 0)
		return "is empty: nobody binds without a password";
	if (len > SECRET_MAX)
		return "is longer than 512 bytes";
	if (memchr(bytes, '\0', len) || memchr(bytes, '\n', len))
		return "must be one line of text";
	memcpy(ret->bytes, bytes, len);
	ret->len = len;
	return NULL;
}

int bind_password_read(const char *path, uint32_t uid, struct secret *ret,
		       struct diags *diag)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t bytes[SECRET_MAX + 2];
	const char *why = fd < 0 ? "cannot be opened" : bad_file(fd, uid);
	size_t have = 0;
	ssize_t n = 1;

	while (!why && n > 0 && have < sizeof(bytes)) {
		n = read(fd, bytes + have, sizeof(bytes) - have);
		have += n > 0 ? (size_t)n : 0;
	}
	if (!why)
		why = n < 0 ? "cannot be read" : take_line(bytes, have, ret);
	explicit_bzero(bytes, sizeof(bytes));
	if (!why)
		return 0;
	diags_add(diag, path, 0, 0, NULL, "the directory's password file %s", why);
	return -EINVAL;
}
