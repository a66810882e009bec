/* SPDX-License-Identifier: Apache-2.0 */
/* landlock.h - files, ports, signals and abstract sockets, as far as the kernel can. */
#pragma once

#include "rbacd/sandbox/sandbox.h"

/*
 * landlock_install() - only the paths and ports of @box from here on.
 * Return: the version in force; 0: this kernel has none; negative errno.
 */
_must_check_ int landlock_install(const struct sandbox *box);
