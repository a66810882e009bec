/* SPDX-License-Identifier: Apache-2.0 */
/* replace.h - another content for a file that is there, by rename: whole, or as it was.
 */
#pragma once

#include "policy/base.h"

/* replace_create() - open @temp, beside @path, new and with its owner and mode.
 * Return: a descriptor; negative errno, -EEXIST: somebody else is at it. */
_must_check_ int replace_create(const char *path, const char *temp);

/* replace_write() - all of it. Return: 0; negative errno. */
_must_check_ int replace_write(int fd, const void *bytes, size_t len);

/* replace_rename() - durable from here on; the caller has flushed @temp. */
_must_check_ int replace_rename(const char *temp, const char *path);
