/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - a file that appears whole or not at all. */
#include "rbacd/ctl/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

/* A name beside the path that nothing has: 64 random bits. */
static int name_temporary(struct target *t)
{
	uint64_t random = 0;
	int n;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	n = snprintf(t->temporary, sizeof(t->temporary), "%s.%016llx", t->path,
		     (unsigned long long)random);
	return n > 0 && (size_t)n < sizeof(t->temporary) ? 0 : -ENAMETOOLONG;
}

/* Without a name until it is whole, so that a kill leaves nothing. Some file systems
 * (NFS) have no such files: there a file with a name may stay behind. */
static int open_nameless(struct target *t)
{
	char folder[sizeof(t->temporary)];
	const char *slash = strrchr(t->path, '/');
	int fd;

	(void)snprintf(folder, sizeof(folder), "%.*s",
		       slash ? (int)(slash - t->path) + 1 : 1, slash ? t->path : ".");
	fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0 || errno != EOPNOTSUPP)
		return fd;
	t->named = true;
	return open(t->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int target_open(struct ctl *ctl, const char *path, struct target *ret)
{
	struct stat sb;
	int fd;

	*ret = (struct target){.ctl = ctl, .path = path, .out = ctl->out};
	if (!path)
		return 0;
	if (name_temporary(ret) != 0)
		return ctl_fail(ctl, CTL_USAGE, "the name is too long.");
	/* Renamed to, a device would be a file from now on. */
	if (lstat(path, &sb) == 0 && !S_ISREG(sb.st_mode))
		return ctl_fail(ctl, CTL_NO, "%s is not a regular file.", path);
	fd = open_nameless(ret);
	ret->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (ret->out)
		return 0;
	(void)ctl_fail(ctl, CTL_NO, "%s cannot be written: %m", path);
	if (fd >= 0 && ret->named)
		(void)unlink(ret->temporary);
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return CTL_NO;
}

/* A link replaces nothing: where the name is taken, by way of another one. */
static bool give_name(struct target *t, int fd)
{
	char self[64];

	if (t->named)
		return rename(t->temporary, t->path) == 0;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd); /* fits */
	if (linkat(AT_FDCWD, self, AT_FDCWD, t->path, AT_SYMLINK_FOLLOW) == 0)
		return true;
	if (errno != EEXIST ||
	    linkat(AT_FDCWD, self, AT_FDCWD, t->temporary, AT_SYMLINK_FOLLOW) != 0)
		return false;
	t->named = true;
	return rename(t->temporary, t->path) == 0;
}

/* On the disk before it has its name: after a power cut too it is whole or absent. */
static bool finish(struct target *t, bool whole)
{
	int fd = fileno(t->out);
	bool good = !ferror(t->out) && fflush(t->out) == 0 && fsync(fd) == 0;

	good = good && whole && give_name(t, fd);
	return fclose(t->out) == 0 && good;
}

int target_close(struct target *t, int code, bool whole)
{
	if (!t->path || finish(t, whole))
		return code;
	if (t->named)
		(void)unlink(t->temporary); /* half a file helps nobody */
	return whole ? ctl_fail(t->ctl, CTL_NO, "%s cannot be written: %m", t->path)
		     : code;
}
