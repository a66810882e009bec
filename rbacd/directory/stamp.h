/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.h - has a file changed since it was read? */
#pragma once

#include <sys/types.h>
#include <time.h>

#include "policy/base.h"

/* What tells that a file is not the one read last. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

/* stamp_changed() - true when @path is another file than @s, which then is brought up
 * to date. A file that is not there is a stamp of zeros. */
bool stamp_changed(const char *path, struct stamp *s);
