/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.h - the list of system calls; seccomp_stub.c stands in without libseccomp. */
#pragma once

#include "rbacd/sandbox/sandbox.h"

/*
 * seccomp_install() - only the calls of @profile from here on.
 * Return: 1 installed; 0 built without libseccomp; negative errno.
 */
_must_check_ int seccomp_install(enum sandbox_profile profile, enum sandbox_mode mode);
