/* SPDX-License-Identifier: Apache-2.0 */
/* replace.c - a temporary file, a rename, a flush of the folder. */

#include "rbacd/ctl/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

int replace_create(const char *path, const char *temp)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int taken;

	if (lstat(path, &st) != 0)
		return -errno;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (fchown(fd, st.st_uid, st.st_gid) != 0 ||
	    fchmod(fd, st.st_mode & 0777) != 0) {
		int r = -errno;

		(void)unlink(temp); /* ours; the first error is the one to tell */
		return r;
	}
	taken = fd;
	fd = -1;
	return taken;
}

int replace_write(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	_cleanup_close_ int fd = -1;

	(void)snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		       slash ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) != 0 ? -errno : 0;
}

int replace_rename(const char *temp, const char *path)
{
	return rename(temp, path) == 0 ? sync_folder_of(path) : -errno;
}
