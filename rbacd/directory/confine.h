/* SPDX-License-Identifier: Apache-2.0 */
/* confine.h - rbacd-dir's sandbox, by what its source of people needs. */
#pragma once

#include "rbacd/config.h"
#include "rbacd/sandbox/sandbox.h"

/*
 * confine() - for this process and its children: nothing is written, and what may be
 * read and reached follows from the source. Modules of NSS are others' code with files
 * and servers of their own: they read what the account may.
 * Return: as sandbox_enter().
 */
_must_check_ int confine(const struct config *config, struct diags *diag);
