/* SPDX-License-Identifier: Apache-2.0 */
/* privilege.h - root only as long as it takes to bind: the drop, and the folders
 * before. */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

/*
 * privilege_folder() - make @path (mode, owner) or check that it is exactly that: a
 * real folder, not a link, that nobody else can write. Return: 0; negative errno with a
 * diagnostic.
 */
_must_check_ int privilege_folder(const char *path, uint32_t mode, uint32_t uid,
				  uint32_t gid, struct diags *diag);

/*
 * privilege_listen() - bind and listen on a unix stream socket with @mode and @owner;
 * an old socket of that name is removed first. Return: descriptor (close-on-exec,
 * non-blocking); negative errno with a diagnostic.
 */
_must_check_ int privilege_listen(const char *path, uint32_t mode, uint32_t owner,
				  struct diags *diag);

/* privilege_harden() - no core dumps, not traceable, enough descriptors; best effort
 * for what a container may refuse, never for the first two. */
_must_check_ int privilege_harden(struct diags *diag);

/*
 * privilege_drop() - become @uid:@gid for good and prove that there is no way back; who
 * is it already only has that proven, without a call that a unit's filter refuses.
 * @reads: the one other group to be in, for what it may read; 0: none
 * Return: 0; negative errno with a diagnostic; uid or gid 0 is refused.
 */
_must_check_ int privilege_drop(uint32_t uid, uint32_t gid, uint32_t reads,
				struct diags *diag);
