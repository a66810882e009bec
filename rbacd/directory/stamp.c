/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.c - by all that a change leaves behind. */

#include "rbacd/directory/stamp.h"

#include <sys/stat.h>

bool stamp_changed(const char *path, struct stamp *s)
{
	struct stamp n = {0};
	struct stat st;

	if (stat(path, &st) == 0)
		n = (struct stamp){.dev = st.st_dev,
				   .ino = st.st_ino,
				   .size = st.st_size,
				   .mtime = st.st_mtim,
				   .ctime = st.st_ctim};
	if (n.dev == s->dev && n.ino == s->ino && n.size == s->size &&
	    n.mtime.tv_sec == s->mtime.tv_sec && n.mtime.tv_nsec == s->mtime.tv_nsec &&
	    n.ctime.tv_sec == s->ctime.tv_sec && n.ctime.tv_nsec == s->ctime.tv_nsec)
		return false;
	*s = n;
	return true;
}
