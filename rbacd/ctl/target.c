/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - a file that appears whole or not at all. */
#include "rbacd/ctl/target.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int target_open(struct ctl *ctl, const char *path, struct target *ret)
{
	int fd;

	*ret = (struct target){.ctl = ctl, .path = path, .out = ctl->out};
	if (!path)
		return 0;
	if ((size_t)snprintf(ret->temporary, sizeof(ret->temporary), "%s.XXXXXX",
			     path) >= sizeof(ret->temporary))
		return ctl_fail(ctl, CTL_USAGE, "the name is too long.");
	fd = mkostemp(ret->temporary, O_CLOEXEC);
	ret->out = fd < 0 ? NULL : fdopen(fd, "w");
	return ret->out ? 0 : ctl_fail(ctl, CTL_NO, "%s cannot be written: %m", path);
}

/* On the disk before it has its name: after a power cut too it is whole or absent. */
static bool finish(FILE *out)
{
	bool good = !ferror(out) && fflush(out) == 0 && fsync(fileno(out)) == 0;

	return fclose(out) == 0 && good;
}

int target_close(struct target *t, int code, bool whole)
{
	if (!t->path)
		return code;
	if (finish(t->out) && whole && rename(t->temporary, t->path) == 0)
		return code;
	(void)unlink(t->temporary); /* half a file helps nobody */
	return whole ? ctl_fail(t->ctl, CTL_NO, "%s cannot be written: %m", t->path)
		     : code;
}
